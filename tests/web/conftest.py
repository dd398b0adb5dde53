"""The world of the access matrix: made once for a module, unchanged after every test."""

from __future__ import annotations

import datetime as dt
from contextlib import contextmanager

import pytest
from django.db import transaction
from django.test import override_settings
from django.utils import translation

from kitei.foundation import clock
from kitei.trust.auditlog.log import set_context

TODAY = dt.date(2026, 11, 22)


@contextmanager
def undone():
    """Let durable transactions inside become savepoints, as in a TestCase, and take everything back at the end."""
    whole = transaction.atomic()
    whole._from_testcase = True
    with whole:
        yield
        transaction.set_rollback(True)


def kept_in(folder, storages):
    return {
        **storages,
        "files": {**storages["files"], "OPTIONS": {"location": str(folder / "files"), "base_url": None}},
    }


@pytest.fixture(scope="module")
def made_world(django_db_setup, django_db_blocker, tmp_path_factory):
    from django.conf import settings

    from web import access_world

    folder = tmp_path_factory.mktemp("access")
    quick = override_settings(
        PASSWORD_HASHERS=["django.contrib.auth.hashers.MD5PasswordHasher"],
        SECOND_FACTOR="nobody",
        DATA=folder,
        STORAGES=kept_in(folder, settings.STORAGES),
    )
    with django_db_blocker.unblock(), undone():
        with quick, clock.at(TODAY), translation.override("ja"):
            world = access_world.build(folder)
            set_context(None)
        yield world


@pytest.fixture
def world(db, made_world, settings):
    """Modules that use it put an empty fixture in the place of ``db``: pytest-django's would close the transaction of the world."""
    settings.DATA = made_world.folder
    settings.STORAGES = kept_in(made_world.folder, settings.STORAGES)
    with undone():
        yield made_world
