"""The statements of the log that every act, or the sequencer's every leaf, waits for: written by hand (docs/performance.md).

The same as ``bulk_create`` and ``values_list`` would send, without preparing statement and fields anew: half of their time.
"""

from __future__ import annotations

import datetime as dt
import uuid
from collections.abc import Callable, Sequence
from functools import lru_cache
from itertools import chain
from operator import attrgetter
from typing import Any

from django.db import connection
from django.db.models import Model

CHUNK = 500


def insert(model: type[Model], rows: Sequence[Model]) -> None:
    """Insert new rows of ``model`` (keys, texts, numbers, bytes and instants only), in their order.

    Joins the caller's transaction; raises what the database refuses (DatabaseError).
    """
    head, place, values = _statement(model, connection.vendor)
    prepared = [[stored(value) for value in values(row)] for row in rows]
    with connection.cursor() as cursor:
        if len(prepared) == 1:
            cursor.execute(head + place, prepared[0])
        elif connection.vendor == "sqlite":
            cursor.executemany(head + place, prepared)
        else:
            # One statement for many rows: PostgreSQL parses and answers once.
            for start in range(0, len(prepared), CHUNK):
                part = prepared[start : start + CHUNK]
                cursor.execute(head + ", ".join([place] * len(part)), list(chain.from_iterable(part)))
    for row in rows:
        row._state.adding = False  # noqa: SLF001  what bulk_create tells the row too
        row._state.db = connection.alias  # noqa: SLF001


def select(condition: str, parameters: Sequence[Any], *columns: str) -> list[tuple[Any, ...]]:
    """Return columns of the events that fulfil ``condition`` (SQL after WHERE, a constant), as the driver gives them."""
    with connection.cursor() as cursor:
        cursor.execute(
            f"SELECT {', '.join(columns)} FROM auditlog_event WHERE {condition}",  # noqa: S608  constants of this room
            [stored(value) for value in parameters],
        )
        found: list[tuple[Any, ...]] = cursor.fetchall()
    return found


@lru_cache
def _statement(model: type[Model], vendor: str) -> tuple[str, str, Callable[[Model], tuple[Any, ...]]]:
    """Return the beginning of the statement, the place of one row, and what takes the columns' values from a row."""
    fields = model._meta.concrete_fields  # noqa: SLF001  Django's documented way to a model's fields
    quoted = connection.ops.quote_name
    columns = ", ".join(quoted(field.column) for field in fields if field.column)
    head = f"INSERT INTO {quoted(model._meta.db_table)} ({columns}) VALUES "  # noqa: S608, SLF001  names of a model
    return head, f"({', '.join(['%s'] * len(fields))})", attrgetter(*(field.attname for field in fields))


def stored(value: Any) -> Any:
    """Return a value as the database's driver takes it."""
    if isinstance(value, uuid.UUID):
        return value if connection.features.has_native_uuid_field else value.hex
    if isinstance(value, dt.datetime):
        return connection.ops.adapt_datetimefield_value(value)
    return value
