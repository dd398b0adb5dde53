"""Shared fixtures: a provider, its people, and its neighbour; SQLite by default, PostgreSQL with KITEI_TEST_DATABASE_URL."""

from __future__ import annotations

import atexit
import os
import shutil
import tempfile

if "KITEI_TEST_HOME" not in os.environ:  # workers of xdist share the folder of the process that starts them
    _home = tempfile.mkdtemp(prefix="kitei-test-")
    atexit.register(shutil.rmtree, _home, ignore_errors=True)
    os.environ["KITEI_TEST_HOME"] = os.environ["KITEI_DATA"] = _home
os.environ.setdefault("KITEI_TEST_SHARED", os.environ["KITEI_TEST_HOME"])  # run_tests.py shares it between stages
if os.environ.get("KITEI_TEST_DATABASE_URL"):
    os.environ["KITEI_DATABASE_URL"] = os.environ["KITEI_TEST_DATABASE_URL"]

import datetime as dt
import fcntl
from pathlib import Path

import pytest

TODAY = dt.date(2026, 11, 22)
HERE = Path(__file__).parent
USES_DATABASE = {"db", "transactional_db", "committed_db", "live_server", "client", "admin_client"}


def pytest_addoption(parser):
    parser.addoption("--long", action="store_true", help="also run the tests marked long")
    parser.addoption("--only-database", action="store_true", help="leave out tests that never reach a database")


@pytest.hookimpl(tryfirst=True)
def pytest_collection_modifyitems(config, items):
    """Mark by folder; leave out what was not asked for."""
    kept, dropped = [], []
    for item in items:
        for folder in ("browser", "cli"):
            if (HERE / folder) in item.path.parents:
                item.add_marker(folder)
        database = item.get_closest_marker("django_db") or USES_DATABASE & set(item.fixturenames)
        other = config.getoption("--only-database")
        unasked = item.get_closest_marker("long") or (other and item.get_closest_marker("one_database"))
        wanted = (config.getoption("--long") or not unasked) and (database or not other)
        (kept if wanted else dropped).append(item)
    if dropped:
        config.hook.pytest_deselected(items=dropped)
        items[:] = kept


@pytest.fixture(scope="session")
def made_once():
    """Return a function that makes a folder once for all workers and stages; whoever wants to change it takes a copy.

    ``build`` gets a folder to fill. Nothing of the product may be shared that a test is about making.
    """
    shared = Path(os.environ["KITEI_TEST_SHARED"])

    def make(name, build):
        with (shared / f"{name}.lock").open("w") as lock:
            fcntl.flock(lock, fcntl.LOCK_EX)  # released with the file, also by a worker that dies
            if not (shared / name).exists():
                part = Path(tempfile.mkdtemp(dir=shared))
                build(part)
                part.rename(shared / name)
        return shared / name

    return make


@pytest.fixture(scope="session")
def initialised(made_once):
    """A data folder after ``kitei init`` (さくら, of hanako), never to be changed."""
    from cli.console import initialise

    return made_once("initialised", lambda folder: initialise(folder / "data")) / "data"


@pytest.fixture(scope="session")
def loaded(made_once):
    """The data folder of a demo loaded for TODAY, never to be changed."""
    from cli.console import Console, load_demo

    return made_once("loaded", lambda folder: load_demo(Console(folder / "data"))) / "data"


@pytest.fixture(scope="session")
def django_db_modify_db_settings(django_db_modify_db_settings):
    """SQLite: a file, not memory, so that two connections meet as they do in earnest (WAL, IMMEDIATE)."""
    from django.conf import settings

    database = settings.DATABASES["default"]
    if database["ENGINE"].endswith("sqlite3"):
        worker = os.environ.get("PYTEST_XDIST_WORKER", "main")
        database.setdefault("TEST", {})["NAME"] = str(
            Path(os.environ["KITEI_TEST_HOME"]) / f"test-{worker}-{os.getpid()}.sqlite3"
        )
        # Test data need not survive a power cut.
        database["OPTIONS"]["init_command"] = database["OPTIONS"]["init_command"].replace(
            "synchronous=FULL", "synchronous=OFF"
        )


@pytest.fixture(autouse=True)
def _let_the_database_be_emptied(request):
    """After a test whose transactions really committed pytest-django empties every table; the log's triggers would refuse.

    They are taken away before it, and ``post_migrate``, which Django sends after it, puts them back.
    """
    marker = request.node.get_closest_marker("django_db")
    commits = {"transactional_db", "live_server"} & set(request.fixturenames) or (
        marker and marker.kwargs.get("transaction")
    )
    if commits:
        request.getfixturevalue("_django_db_helper")  # set up before this one, so emptied after it
    yield
    if commits:
        from django.db import connections

        from kitei.trust.auditlog import triggers

        connections.close_all()
        triggers.drop()


@pytest.fixture
def committed_db(transactional_db):
    """A database whose transactions really commit, for tests with several connections; emptied afterwards."""
    from django.db import connection

    return connection


@pytest.fixture(autouse=True)
def injected_failures(monkeypatch):
    """With KITEI_TEST_FAIL_EVERY=n every n-th durable transaction has to be repeated (issue 2: injected 40001s)."""
    from injected import InjectedFailures
    from kitei.foundation import transactions

    every = int(os.environ.get("KITEI_TEST_FAIL_EVERY", "0"))
    if not every:
        yield None
        return
    injected = InjectedFailures(every)
    monkeypatch.setattr(transactions, "durable", injected.around(transactions.durable))
    yield injected


@pytest.fixture(autouse=True)
def _fixed_clock():
    from kitei.foundation import clock

    with clock.at(TODAY):
        yield


@pytest.fixture(autouse=True)
def _no_request():
    """Commands run inside a test tell the log about themselves; the next test starts without that."""
    from kitei.trust.auditlog.log import set_context

    yield
    set_context(None)


@pytest.fixture(autouse=True)
def _japanese():
    from django.utils import translation

    with translation.override("ja"):
        yield


@pytest.fixture(autouse=True)
def _fast_passwords(settings, tmp_path):
    settings.PASSWORD_HASHERS = ["django.contrib.auth.hashers.MD5PasswordHasher"]
    settings.SECOND_FACTOR = "nobody"  # tests of pages log in at once; test_factors.py asks for one
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
def make_sakura():
    """Return a function making さくら, for tests that bring their own database fixture (committed_db)."""
    return lambda: make_organization("sakura", "さくら医療クラウド株式会社")


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


@pytest.fixture
def browser(member):
    """Return a function giving a signed-in client for a person with roles."""
    from django.test import Client

    def make(name, *roles, **more):
        _actor, user = member(name, *roles, **more)
        client = Client()
        client.force_login(user)
        return client

    return make


@pytest.fixture
def officer(browser):
    return browser("佐藤 恵子", "security-officer")
