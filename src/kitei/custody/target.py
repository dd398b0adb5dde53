"""Where a restore writes: it must be empty, and what an interrupted restore left is taken away again.

``DATA/restoring`` stands from the first change until everything is proven. While it stands ``serve``, ``doctor``, ``init``
and ``upgrade`` refuse, and the next restore undoes what the last one did. Folders that were there before (``log``,
``keys``) are put aside under ``….before-restore`` and come back with the undoing.
"""

from __future__ import annotations

import json
import os
import shutil
import uuid
from collections.abc import Callable, Iterable
from pathlib import Path
from typing import Any

from django.conf import settings
from django.db import connection
from django.db.migrations.loader import MigrationLoader

from kitei.custody.container import sync_folder
from kitei.foundation import clock
from kitei.foundation.text import Message, UserError

MARK = "restoring"
ASIDE = ".before-restore"
MOVED = ("log", "keys")
_SYNC: Callable[[], None] | None = getattr(os, "sync", None)
_TOKEN_TABLE = "kitei_restoring"  # noqa: S105  the name of a table


def unfinished() -> Message | None:
    """Return the sentence that stops everything else while a restore is not finished; None when there is none."""
    if not (settings.DATA / MARK).exists():
        return None
    return Message(
        "復元が途中で止まっています。同じ控えで、もう一度 kitei restore を行ってください。それまでは、ほかの操作はできません。"
    )


def refuse_unfinished() -> None:
    """Raise UserError while a restore is not finished."""
    message = unfinished()
    if message is not None:
        raise UserError(message)


def prepare(*, file: Path, sha256: str) -> None:
    """Make the target empty and mark it; UserError, with nothing changed, when somebody's data is there."""
    data: Path = settings.DATA
    marker = _read(data / MARK)
    _refuse_inhabited(marker)
    data.mkdir(mode=0o700, parents=True, exist_ok=True)
    data.chmod(0o700)
    if marker is not None:
        _undo(marker)
    for name in MOVED:  # left by a restore that was killed after its last step
        _put_aside_for_good(name)
    facts: dict[str, Any] = {
        "had": [name for name in MOVED if (data / name).exists()],
        "file": file.name,
        "sha256": sha256,
        "token": uuid.uuid4().hex,
        "began": clock.now().isoformat(),
        "database": _database_name(),
    }
    write_durably(data / MARK, json.dumps(facts).encode())
    for name in facts["had"]:
        (data / name).rename(data / f"{name}{ASIDE}")
    sync_folder(data)
    _clear_database()
    with connection.cursor() as cursor:
        cursor.execute(f"CREATE TABLE {_TOKEN_TABLE} (token varchar(32))")
        cursor.execute(f"INSERT INTO {_TOKEN_TABLE} (token) VALUES (%s)", [facts["token"]])  # noqa: S608  a constant


def finish(*, log_contained: bool) -> list[Path]:
    """Take the mark away, which completes the restore, once everything is on the disk.

    Returns the folders from before that hold more than is there now: they are kept. ``log_contained`` tells that the logs
    from before were proven to be the beginning of what is there now: their files differ, and say nothing more.
    """
    if _SYNC is not None:
        _SYNC()
    (settings.DATA / MARK).unlink()
    sync_folder(settings.DATA)
    with connection.cursor() as cursor:
        cursor.execute(f"DROP TABLE IF EXISTS {_TOKEN_TABLE}")
    if log_contained:
        shutil.rmtree(settings.DATA / f"log{ASIDE}", ignore_errors=True)
    return [kept for name in MOVED if (kept := _put_aside_for_good(name)) is not None]


def _put_aside_for_good(name: str) -> Path | None:
    """Remove the folder from before when all of it was restored too; otherwise keep it under the moment's name."""
    data: Path = settings.DATA
    aside = data / f"{name}{ASIDE}"
    if not aside.exists():
        return None
    if _contained(aside, data / name):
        shutil.rmtree(aside)
        return None
    place = data / f"{name}.before-{clock.now():%Y%m%dT%H%M%S%fZ}"
    aside.rename(place)
    return place


def write_durably(path: Path, content: bytes) -> None:
    """Write a file readable by its owner only, whole or not at all."""
    _make_folder(path.parent)
    aside = path.with_name(f".{path.name}.{os.getpid()}.tmp")
    with os.fdopen(os.open(aside, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600), "wb") as stream:
        stream.write(content)
        stream.flush()
        os.fsync(stream.fileno())
    aside.replace(path)
    sync_folder(path.parent)


def put(path: Path, content: bytes) -> None:
    """Write one of many files; ``finish`` makes them durable together (one by one where the system cannot do that)."""
    if _SYNC is None:
        write_durably(path, content)
        return
    _make_folder(path.parent)
    with os.fdopen(os.open(path, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600), "wb") as stream:
        stream.write(content)


def _make_folder(folder: Path) -> None:
    # parents=True would give the ones in between the mode of the umask.
    if not folder.is_dir():
        _make_folder(folder.parent)
        folder.mkdir(mode=0o700, exist_ok=True)


def _read(path: Path) -> dict[str, Any] | None:
    try:
        found: dict[str, Any] = json.loads(path.read_bytes())
    except FileNotFoundError:
        return None
    return found


def _database_name() -> str:
    if connection.vendor == "sqlite":
        return "sqlite"  # it stands in the data folder, wherever that was moved to
    facts = connection.settings_dict
    return f"{connection.vendor}:{facts.get('HOST', '')}:{facts.get('PORT', '')}:{facts['NAME']}"


def _sqlite_file() -> Path | None:
    return Path(connection.settings_dict["NAME"]) if connection.vendor == "sqlite" else None


def _known_tables() -> list[str]:
    """Return the tables that are there and belong to Kitei and the libraries it migrates."""
    file = _sqlite_file()
    if file is not None and not file.exists():
        return []
    models = MigrationLoader(None).project_state().apps.get_models(include_auto_created=True)
    ours = {model._meta.db_table for model in models} | {"django_migrations", _TOKEN_TABLE}  # noqa: SLF001
    return sorted(ours & set(connection.introspection.table_names()))


def _refuse_inhabited(marker: dict[str, Any] | None) -> None:
    inhabited = UserError(
        Message(
            "データの置き場所「%(path)s」には、すでに組織のデータがあります。空の置き場所（--data）と、空のデータベースを使ってください。",
            {"path": str(settings.DATA)},
        )
    )
    tables = _known_tables()
    if not tables or (marker is not None and _is_ours(marker, tables)):
        return
    if "tenancy_organization" in tables:
        with connection.cursor() as cursor:
            cursor.execute("SELECT COUNT(*) FROM tenancy_organization")
            if cursor.fetchone()[0]:
                raise inhabited
    if _sqlite_file() is None:
        # Somebody may be setting Kitei up there at this moment: only what we made ourselves is ever dropped.
        raise inhabited


def _is_ours(marker: dict[str, Any], tables: Iterable[str]) -> bool:
    """Whether the database holds only what the marked, interrupted restore made."""
    if marker["database"] != _database_name():
        return False
    if _TOKEN_TABLE not in tables:
        return False
    with connection.cursor() as cursor:
        cursor.execute(f"SELECT token FROM {_TOKEN_TABLE}")  # noqa: S608  a constant
        found = cursor.fetchone()
    return found is not None and found[0] == marker["token"]


def _undo(marker: dict[str, Any]) -> None:
    """Take away what an interrupted restore made, and put back what it had put aside. May itself be repeated."""
    data: Path = settings.DATA
    for name in MOVED:
        aside = data / f"{name}{ASIDE}"
        if aside.exists():
            shutil.rmtree(data / name, ignore_errors=True)
            aside.rename(data / name)
        elif name not in marker["had"]:
            shutil.rmtree(data / name, ignore_errors=True)


def _clear_database() -> None:
    """Take Kitei's tables away; only called when the database is empty, or an interrupted restore of ours filled it."""
    file = _sqlite_file()
    if file is not None:
        connection.close()
        for ending in ("-wal", "-shm", "-journal", ""):
            file.with_name(file.name + ending).unlink(missing_ok=True)
        return
    with connection.cursor() as cursor:
        for table in _known_tables():
            cursor.execute(f"DROP TABLE IF EXISTS {connection.ops.quote_name(table)} CASCADE")


def _contained(old: Path, new: Path) -> bool:
    """Whether every file below ``old`` stands below ``new`` with the same bytes (files beginning with a dot aside)."""
    for path in old.rglob("*"):
        if path.is_file() and not path.name.startswith("."):
            other = new / path.relative_to(old)
            if not other.is_file() or other.read_bytes() != path.read_bytes():
                return False
    return True
