"""A backup of one kind of database is restored into the other, and back."""

from __future__ import annotations

import gzip
import json
import os
import subprocess
import sys

import pytest
from django.db import connection

from kitei.custody import make
from kitei.custody.container import Reader
from kitei.foundation import transactions
from kitei.foundation.jobs import queue
from kitei.trust.auditlog import logs

pytestmark = pytest.mark.skipif(connection.vendor != "postgresql", reason="needs both kinds of database")

PHRASE = "correct-horse-battery"
# What a restore itself writes, and what is given out anew.
ITS_OWN = ("auditlog.", "jobs.")


def kitei(data, *arguments, url=""):
    kept = {name: value for name, value in os.environ.items() if not name.startswith("KITEI_")}
    done = subprocess.run(
        [sys.executable, "-m", "kitei.cli", *map(str, arguments)],
        env={
            **kept,
            "KITEI_DATA": str(data),
            "KITEI_TODAY": "2026-11-22",
            "KITEI_LANG": "ja",
            "KITEI_BACKUP_PASSPHRASE": PHRASE,
            "PYTHONPATH": os.pathsep.join(sys.path),
            **({"KITEI_DATABASE_URL": url} if url else {}),
        },
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
    )
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout


def rows_of(path):
    """Every row of a backup by table, as text; JSON columns by value."""
    found = {}
    with Reader(path) as backup:
        for label, table in backup.manifest["tables"].items():
            if not label.startswith(ITS_OWN):
                lines = [line for part in table["parts"] for line in gzip.decompress(backup.read(part)).splitlines()]
                found[label] = sorted((json.loads(line) for line in lines), key=repr)
    return found


@pytest.fixture
def empty_database():
    name = "kitei_restored"
    with connection.cursor() as cursor:
        cursor.execute(f"DROP DATABASE IF EXISTS {name}")
        cursor.execute(f"CREATE DATABASE {name}")
    yield os.environ["KITEI_TEST_DATABASE_URL"].rpartition("/")[0] + f"/{name}"
    with connection.cursor() as cursor:
        cursor.execute(f"DROP DATABASE IF EXISTS {name} WITH (FORCE)")


def test_there_and_back(committed_db, data, make_sakura, record, tmp_path, empty_database):
    sakura = make_sakura()
    transactions.durable(lambda: logs.open_log(organization=sakura))
    transactions.durable(lambda: queue.ask(organization=sakura, kind="x", arguments={"名": [1, None]}))
    record(sakura, 300)
    make.make(target=tmp_path / "from-postgresql", passphrase=PHRASE)
    last = tmp_path / "last.txt"
    last.write_bytes((data / "log" / "sakura" / "checkpoint").read_bytes())

    there = tmp_path / "sqlite"
    assert "同じ名前で続きます" in kitei(there, "restore", tmp_path / "from-postgresql", "--last", last)
    kitei(there, "backup", tmp_path / "from-sqlite", "--with-keys")
    assert rows_of(tmp_path / "from-sqlite") == rows_of(tmp_path / "from-postgresql")

    back = tmp_path / "postgresql"
    last.write_bytes((there / "log" / "sakura" / "checkpoint").read_bytes())
    said = kitei(back, "restore", tmp_path / "from-sqlite", "--last", last, url=empty_database)
    assert "同じ名前で続きます" in said
    kitei(back, "backup", tmp_path / "again", url=empty_database)
    assert rows_of(tmp_path / "again") == rows_of(tmp_path / "from-sqlite")
    kitei(back, "worker", "--once", url=empty_database)
