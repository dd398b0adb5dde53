"""Triggers that refuse UPDATE and DELETE on the log, also the DELETE that hides in SQLite's INSERT OR REPLACE.

They are installed after every migration, because Django rebuilds a table to alter it on SQLite and the triggers silently
go with the old table (traps.md). ``missing`` is what ``doctor`` and ``serve`` ask. The owner of the database file can
still drop them: they stop mistakes and the application's own role, not its owner (THREAT_MODEL.md).
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from django.db import connection

_TABLE = "auditlog_event"
_MESSAGE = "the log is append-only"

# leaf_index may be set once, by the sequencer; nothing else of a row ever changes.
_SQLITE = {
    "auditlog_event_no_update": f"""
        CREATE TRIGGER auditlog_event_no_update BEFORE UPDATE ON {_TABLE}
        WHEN OLD.leaf_index IS NOT NULL OR NEW.leaf_index IS NULL OR NEW.id IS NOT OLD.id OR NEW.payload IS NOT OLD.payload
          OR NEW.leaf_hash IS NOT OLD.leaf_hash OR NEW.at IS NOT OLD.at OR NEW.name IS NOT OLD.name
          OR NEW.outcome IS NOT OLD.outcome OR NEW.organization_id IS NOT OLD.organization_id
          OR NEW.actor_kind IS NOT OLD.actor_kind OR NEW.actor_id IS NOT OLD.actor_id
          OR NEW.object_kind IS NOT OLD.object_kind OR NEW.object_id IS NOT OLD.object_id
        BEGIN SELECT RAISE(ABORT, '{_MESSAGE}'); END""",
    "auditlog_event_no_delete": f"""
        CREATE TRIGGER auditlog_event_no_delete BEFORE DELETE ON {_TABLE}
        BEGIN SELECT RAISE(ABORT, '{_MESSAGE}'); END""",
    # INSERT OR REPLACE deletes the row it replaces, and SQLite fires no DELETE trigger for that by default.
    "auditlog_event_no_replace": f"""
        CREATE TRIGGER auditlog_event_no_replace BEFORE INSERT ON {_TABLE}
        WHEN EXISTS (SELECT 1 FROM {_TABLE} WHERE id = NEW.id)
          OR (NEW.leaf_index IS NOT NULL AND EXISTS (
            SELECT 1 FROM {_TABLE} WHERE organization_id = NEW.organization_id AND leaf_index = NEW.leaf_index))
        BEGIN SELECT RAISE(ABORT, '{_MESSAGE}'); END""",  # noqa: S608  the table's name is a constant
}
_POSTGRES_FUNCTION = f"""
    CREATE OR REPLACE FUNCTION auditlog_event_refuse() RETURNS trigger LANGUAGE plpgsql AS $$
    BEGIN
      IF TG_OP = 'UPDATE' AND OLD.leaf_index IS NULL AND NEW.leaf_index IS NOT NULL THEN
        OLD.leaf_index := NEW.leaf_index;
        IF NEW IS NOT DISTINCT FROM OLD THEN
          RETURN NEW;
        END IF;
      END IF;
      RAISE EXCEPTION '{_MESSAGE}';
    END $$"""
_POSTGRES = {
    "auditlog_event_no_update": f"CREATE TRIGGER auditlog_event_no_update BEFORE UPDATE ON {_TABLE} "
    "FOR EACH ROW EXECUTE FUNCTION auditlog_event_refuse()",
    "auditlog_event_no_delete": f"CREATE TRIGGER auditlog_event_no_delete BEFORE DELETE ON {_TABLE} "
    "FOR EACH ROW EXECUTE FUNCTION auditlog_event_refuse()",
    "auditlog_event_no_truncate": f"CREATE TRIGGER auditlog_event_no_truncate BEFORE TRUNCATE ON {_TABLE} "
    "FOR EACH STATEMENT EXECUTE FUNCTION auditlog_event_refuse()",
}


def install() -> None:
    """Install every trigger that is missing."""
    gone = missing()
    if not gone:
        return
    wanted = _wanted()
    with connection.cursor() as cursor:
        if connection.vendor == "postgresql":
            cursor.execute(_POSTGRES_FUNCTION)
        for name in gone:
            cursor.execute(wanted[name])


def missing() -> list[str]:
    """Return the names of the triggers that should be there and are not; all of them while the table is missing too."""
    with connection.cursor() as cursor:
        if connection.vendor == "sqlite":
            cursor.execute("SELECT name FROM sqlite_master WHERE type = 'trigger' AND tbl_name = %s", [_TABLE])
        else:
            cursor.execute(
                "SELECT tgname FROM pg_trigger WHERE tgrelid = to_regclass(%s) AND NOT tgisinternal AND tgenabled <> 'D'",
                [_TABLE],
            )
        found = {row[0] for row in cursor.fetchall()}
    return [name for name in _wanted() if name not in found]


def drop() -> None:
    """Take the triggers away: for tests that flush the database, never for the product."""
    with connection.cursor() as cursor:
        for name in _wanted():
            suffix = "" if connection.vendor == "sqlite" else f" ON {_TABLE}"
            cursor.execute(f"DROP TRIGGER IF EXISTS {name}{suffix}")


@contextmanager
def lifted() -> Iterator[None]:
    """Take the triggers away inside the block and put them back: for tests, and for a restore into an empty database."""
    drop()
    try:
        yield
    finally:
        install()


def install_after_migrate(**kwargs: Any) -> None:
    """Signal handler of ``post_migrate``: runs for each app, acts once the log's table exists."""
    if _TABLE in connection.introspection.table_names():
        install()


def _wanted() -> dict[str, str]:
    return _SQLITE if connection.vendor == "sqlite" else _POSTGRES
