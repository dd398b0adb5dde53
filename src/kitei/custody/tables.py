"""The database as rows in JSON lines, the same for SQLite and PostgreSQL, at the migrations that were applied.

Models come from the migrations' own state, never from today's code: ``kitei upgrade`` backs up a database that is older
than the program, and a restore begins at the schema the backup was made of.
"""

from __future__ import annotations

import base64
import datetime as dt
import decimal
import gzip
import json
import uuid
from collections import defaultdict
from collections.abc import Callable, Iterator
from typing import Any

from django.core.management.color import no_style
from django.db import connection
from django.db.migrations.executor import MigrationExecutor
from django.db.migrations.loader import MigrationLoader
from django.db.models import Field

from kitei.foundation.text import Message, UserError

PART_BYTES = 4 * 1024 * 1024
_ROWS = 2_000
SKIPPED_APPS = frozenset({"sessions", "axes"})
"""What belongs to the running installation and to nobody's records: sessions and counters of failed log-ins."""
_LEASES = {"jobs.job": ("lease_until",), "auditlog.log": ("lease_token", "lease_until")}
"""Who was at work when the backup was made is nobody's business after a restore. A job's token stays: it is unique."""

Nodes = list[tuple[str, str]]


def applied() -> dict[str, list[str]]:
    """Return the applied migrations by app; UserError when the database is newer than this program."""
    loader = MigrationLoader(connection)
    found: dict[str, list[str]] = defaultdict(list)
    for app, name in sorted(loader.applied_migrations):
        found[app].append(name)
    check_known(found)
    return dict(found)


def check_known(migrations: dict[str, list[str]]) -> None:
    """Raise UserError when a migration is not this program's: it was written by a newer one."""
    known = MigrationLoader(None).disk_migrations
    strange = [f"{app}.{name}" for app, names in migrations.items() for name in names if (app, name) not in known]
    if strange:
        raise UserError(
            Message(
                "データが、このKiteiより新しい版のものです（%(names)s）。新しい版のKiteiで行ってください。",
                {"names": "、".join(strange[:3])},
            )
        )


def _leaves(loader: MigrationLoader, migrations: dict[str, list[str]]) -> Nodes:
    """Return, for each app, the recorded migrations that no other recorded one of the app follows."""
    recorded = {(app, name) for app, names in migrations.items() for name in names} & set(loader.graph.nodes)
    return sorted(
        node
        for node in recorded
        if not any(child.key[0] == node[0] and child.key in recorded for child in loader.graph.node_map[node].children)
    )


def models_at(migrations: dict[str, list[str]]) -> list[Any]:
    """Return the models whose rows are kept, as those migrations made them, by label."""
    loader = MigrationLoader(None)
    apps = loader.project_state(_leaves(loader, migrations)).apps
    kept = [
        model
        for model in apps.get_models(include_auto_created=True)
        if model._meta.managed and not model._meta.proxy and model._meta.app_label not in SKIPPED_APPS  # noqa: SLF001
    ]
    return sorted(kept, key=label)


def label(model: Any) -> str:
    """Return ``app.model``."""
    return str(model._meta.label_lower)  # noqa: SLF001  Django's public way to a model's name


def columns(model: Any) -> list[list[str]]:
    """Return [column, kind] for each column; the kind is Django's own name of the type behind it."""
    return [[field.attname, _kind(field)] for field in _fields(model)]


def _fields(model: Any) -> list[Field[Any, Any]]:
    return list(model._meta.local_concrete_fields)  # noqa: SLF001  Django's public way to a model's columns


def _kind(field: Any) -> str:
    while field.remote_field is not None:
        field = field.target_field
    return str(field.get_internal_type())


_OUT: dict[str, Callable[[Any], Any]] = {
    "UUIDField": str,
    "DateTimeField": lambda value: value.astimezone(dt.UTC).isoformat(),
    "DateField": lambda value: value.isoformat(),
    "TimeField": lambda value: value.isoformat(),
    "DurationField": lambda value: value // dt.timedelta(microseconds=1),
    "DecimalField": str,
    "BinaryField": lambda value: base64.b64encode(bytes(value)).decode(),
}
_IN: dict[str, Callable[[Any], Any]] = {
    "UUIDField": uuid.UUID,
    "DateTimeField": dt.datetime.fromisoformat,
    "DateField": dt.date.fromisoformat,
    "TimeField": dt.time.fromisoformat,
    "DurationField": lambda value: dt.timedelta(microseconds=value),
    "DecimalField": decimal.Decimal,
    "BinaryField": base64.b64decode,
}


def dump(model: Any) -> Iterator[tuple[bytes, int]]:
    """Give the rows of ``model`` as compressed parts of bounded size, each with its number of rows.

    The caller holds the snapshot.
    """
    names = [name for name, _ in columns(model)]
    hidden = {names.index(name) for name in _LEASES.get(label(model), ())}
    out = [_OUT.get(kind) for _, kind in columns(model)]
    lines: list[str] = []
    size = 0
    rows = model._base_manager.order_by("pk").values_list(*names)  # noqa: SLF001  no manager of ours may hide a row
    for row in rows.iterator(chunk_size=_ROWS):
        values = [
            None if value is None or place in hidden else value if (turn := out[place]) is None else turn(value)
            for place, value in enumerate(row)
        ]
        lines.append(json.dumps(values, separators=(",", ":"), allow_nan=False))
        size += len(lines[-1]) + 1
        if size >= PART_BYTES:
            yield _packed(lines), len(lines)
            lines, size = [], 0
    if lines:
        yield _packed(lines), len(lines)


def _packed(lines: list[str]) -> bytes:
    return gzip.compress(("\n".join(lines) + "\n").encode("ascii"), compresslevel=1, mtime=0)


def build(migrations: dict[str, list[str]]) -> None:
    """Bring an empty database to exactly these migrations; nothing listens to it, so no trigger stands yet."""
    executor = MigrationExecutor(connection)
    executor.migrate(_leaves(executor.loader, migrations))


def empty(models: list[Any]) -> None:
    """Delete what the migrations themselves put into the tables; joins the caller's transaction."""
    with connection.cursor() as cursor:
        for model in models:
            cursor.execute(f"DELETE FROM {_quoted(model._meta.db_table)}")  # noqa: S608, SLF001  a quoted table name


def load(model: Any, data: bytes) -> int:
    """Insert one part of ``dump`` and return its rows; joins the caller's transaction."""
    fields = _fields(model)
    turns = [_IN.get(kind) for _, kind in columns(model)]
    names = ", ".join(_quoted(str(field.column)) for field in fields)
    places = ", ".join(["%s"] * len(fields))
    table = _quoted(model._meta.db_table)  # noqa: SLF001  as above
    rows = []
    for line in gzip.decompress(data).splitlines():
        values = json.loads(line)
        rows.append([_stored(field, turn, value) for field, turn, value in zip(fields, turns, values, strict=True)])
    with connection.cursor() as cursor:
        for start in range(0, len(rows), _ROWS):
            cursor.executemany(
                f"INSERT INTO {table} ({names}) VALUES ({places})",  # noqa: S608  quoted names, values apart
                rows[start : start + _ROWS],
            )
    return len(rows)


def _stored(field: Any, turn: Callable[[Any], Any] | None, value: Any) -> Any:
    if value is None:
        if field.get_internal_type() == "JSONField" and not field.null:
            return connection.ops.adapt_json_value(None, None)
        return None
    return field.get_db_prep_save(value if turn is None else turn(value), connection)


def finish(models: list[Any]) -> None:
    """Check every foreign key and let numbered keys go on behind the restored ones; joins the transaction."""
    connection.check_constraints()
    with connection.cursor() as cursor:
        for statement in connection.ops.sequence_reset_sql(no_style(), models):
            cursor.execute(statement)


def _quoted(name: str) -> str:
    return connection.ops.quote_name(name)
