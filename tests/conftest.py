"""Shared fixtures: a provider, its people, and its neighbour; SQLite by default, PostgreSQL with KITEI_TEST_DATABASE_URL."""

from __future__ import annotations

import os
import tempfile

os.environ.setdefault("KITEI_DATA", tempfile.mkdtemp(prefix="kitei-test-"))
if os.environ.get("KITEI_TEST_DATABASE_URL"):
    os.environ["KITEI_DATABASE_URL"] = os.environ["KITEI_TEST_DATABASE_URL"]

import datetime as dt  # noqa: E402

import pytest  # noqa: E402

TODAY = dt.date(2026, 11, 22)


@pytest.fixture(autouse=True)
def _fixed_clock():
    from kitei.foundation import clock

    with clock.at(TODAY):
        yield


@pytest.fixture(autouse=True)
def _japanese():
    from django.utils import translation

    with translation.override("ja"):
        yield


@pytest.fixture(autouse=True)
def _fast_passwords(settings, tmp_path):
    settings.PASSWORD_HASHERS = ["django.contrib.auth.hashers.MD5PasswordHasher"]
    settings.STORAGES = {
        **settings.STORAGES,
        "files": {**settings.STORAGES["files"], "OPTIONS": {"location": str(tmp_path / "files"), "base_url": None}},
    }


def make_organization(code, name):
    from kitei.foundation import clock
    from kitei.foundation.tenancy.models import Organization

    return Organization.objects.create(code=code, name=name, created_at=clock.now())


@pytest.fixture
def sakura(db):
    """さくら医療クラウド: the organization under test."""
    return make_organization("sakura", "さくら医療クラウド株式会社")


@pytest.fixture
def tsubaki(db):
    """椿メディカル: another organization of the same installation, never to be seen."""
    return make_organization("tsubaki", "椿メディカル株式会社")


@pytest.fixture
def operator(sakura):
    """The person at the command line of さくら."""
    from kitei.trust.access.rule import Actor

    return Actor("cli", "operator", sakura, "cli:operator")


@pytest.fixture
def stranger(tsubaki):
    """The person at the command line of 椿."""
    from kitei.trust.access.rule import Actor

    return Actor("cli", "operator", tsubaki, "cli:operator")


@pytest.fixture
def member(sakura):
    """Return a function making a signed-in member of さくら with the given roles, from long ago."""
    import uuid

    from kitei.foundation import clock
    from kitei.foundation.tenancy.ids import uuid7
    from kitei.trust.access.models import Membership
    from kitei.trust.access.rule import Actor
    from kitei.trust.accounts.models import User

    def make(name, *roles, organization=sakura, mail=None, password="tsukushi-no-michi-2026"):
        user = User(
            organization=organization,
            email=mail or f"{uuid.uuid4().hex[:8]}@sakura.example",
            name=name,
            principal=uuid7(),
            created_at=clock.now(),
        )
        user.set_password(password)
        user.save()
        for role in roles:
            Membership.objects.create(
                organization=organization,
                principal=user.principal,
                role=role,
                starts_at=clock.start_of(dt.date(2020, 4, 1)),
                source_kind="appointment",
                source_id=uuid7(),
                recorded_at=clock.now(),
            )
        return Actor("member", str(user.id), organization, name, user.principal, active=True), user

    return make
