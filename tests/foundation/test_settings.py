"""Wrong settings are said in one sentence that names the setting (issue 2, Bad input)."""

from __future__ import annotations

import errno
import sqlite3

import pytest
from django.db.utils import OperationalError

from kitei import settings as ours
from kitei.commands import trouble
from kitei.settings_error import ConfigurationError


@pytest.mark.parametrize(
    "url",
    [
        "mysql://x/y",
        "postgresql://u:p@host:abc/kitei",
        "postgresql://[bad/kitei",
        "postgresql://host:99999/kitei",
        "postgresql://host",
        "postgresql://host/kitei?options=-c%20search_path%3Dother",
    ],
)
def test_a_database_address_that_is_none(monkeypatch, url):
    monkeypatch.setenv("KITEI_DATABASE_URL", url)
    with pytest.raises(ConfigurationError, match="KITEI_DATABASE_URL"):
        ours._database()


def test_a_database_address_says_how_tls_is_checked(monkeypatch):
    monkeypatch.setenv(
        "KITEI_DATABASE_URL", "postgresql://db.sakura.example/kitei?sslmode=verify-full&sslrootcert=/etc/ca.pem"
    )
    assert ours._database()["OPTIONS"] == {"sslmode": "verify-full", "sslrootcert": "/etc/ca.pem"}


def test_a_database_address_with_its_port(monkeypatch):
    monkeypatch.setenv("KITEI_DATABASE_URL", "postgresql://hanako:p%40ss@db.sakura.example:5433/kitei")
    made = ours._database()
    assert (made["HOST"], made["PORT"], made["USER"], made["PASSWORD"]) == (
        "db.sakura.example",
        "5433",
        "hanako",
        "p@ss",
    )


@pytest.mark.parametrize(
    "url",
    [
        "kitei.example.jp",
        "https://[bad",
        "https://kitei.example.jp:abc",
        "https://kitei.example.jp/sub",
        "https://a@kitei.example.jp",
    ],
)
def test_a_public_address_that_would_not_work(monkeypatch, url):
    monkeypatch.setenv("KITEI_PUBLIC_URL", url)
    with pytest.raises(ConfigurationError, match="KITEI_PUBLIC_URL"):
        ours._public_url()


def test_a_public_address_may_end_with_a_slash(monkeypatch):
    monkeypatch.setenv("KITEI_PUBLIC_URL", "https://kitei.example.jp:8443/")
    assert ours._public_url()[0] == "https://kitei.example.jp:8443"


@pytest.mark.parametrize("port", ["abc", "0", "65536", "５８７", ""])
def test_a_mail_port_that_is_none(monkeypatch, port):
    monkeypatch.setenv("KITEI_SMTP_PORT", port)
    with pytest.raises(ConfigurationError, match="KITEI_SMTP_PORT"):
        ours._smtp_port()


def test_a_secret_key_that_cannot_be_read(monkeypatch, tmp_path):
    (tmp_path / "secret-key").mkdir()  # reading fails for root too, which a file without rights would not
    monkeypatch.setattr(ours, "DATA", tmp_path)
    with pytest.raises(ConfigurationError, match="secret-key"):
        ours._secret_key()


@pytest.mark.parametrize(
    ("error", "word"),
    [
        (OSError(errno.ENOSPC, "No space left on device", "x"), "ディスクに空きがない"),
        (OperationalError("database or disk is full"), "ディスクに空きがない"),
        (sqlite3.OperationalError("unable to open database file"), "まだ用意されていません"),
        (OperationalError("attempt to write a readonly database"), "書き込めません"),
        (OperationalError("database is locked"), "もう一度"),
        (OperationalError('relation "tenancy_organization" does not exist'), "まだ用意されていません"),
        (OperationalError('FATAL:  database "kitei" does not exist'), "KITEI_DATABASE_URL"),
        (FileExistsError(errno.EEXIST, "File exists", "/etc/passwd"), "/etc/passwd"),
    ],
)
def test_trouble_is_one_sentence(error, word):
    said = trouble.explain(error)
    assert said is not None
    assert word in said
    assert "\n" not in said


def test_a_zip_that_could_not_be_closed_is_a_full_disk():
    error = ValueError("seek of closed file")  # what zipfile raises while it ends
    error.__context__ = OSError(errno.ENOSPC, "No space left on device")
    assert "ディスクに空きがない" in trouble.explain(error)


def test_our_own_faults_are_not_explained_away():
    assert trouble.explain(ValueError("seek of closed file")) is None
    assert trouble.explain(OSError("no file at all")) is None
