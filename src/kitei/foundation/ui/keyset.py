"""Keyset paging: a page starts behind a row, not at a number, so page 2,000 costs what page 1 costs.

A token is the sort value and the id of a row. It is no secret and no right: a forged one only starts elsewhere in what
the reader may see anyway; one that cannot be read starts at the beginning.
"""

from __future__ import annotations

import base64
import binascii
import datetime as dt
import json
import uuid
from dataclasses import dataclass
from typing import Any

from django.core.exceptions import FieldDoesNotExist, ValidationError
from django.db.models import Q

PAGE = 50
COUNTED = 1000
"""Rows are counted up to here; beyond, the page says 「1,000件以上」."""


@dataclass(frozen=True)
class Page:
    """Rows of one page with the tokens of the pages before and after it (None: there is none)."""

    rows: list[Any]
    before: str | None
    after: str | None


def page(rows: Any, *, field: str, descending: bool, after: str = "", before: str = "", size: int = PAGE) -> Page:
    """Return one page of ``rows`` ordered by ``field`` and id. One query."""
    start = _fitting(rows.model, field, read_token(before) or read_token(after))
    backward = bool(before) and start is not None
    falling = descending != backward
    ordered = rows.order_by(*((f"-{field}", "-pk") if falling else (field, "pk")))
    if start is not None:
        ordered = ordered.filter(_beyond(field, start, falling=falling))
    found = list(ordered[: size + 1])
    more = len(found) > size
    found = found[:size]
    if backward:
        found.reverse()
    if not found:
        return Page([], None, None)
    has_before = more if backward else start is not None
    has_after = True if backward else more
    return Page(
        found,
        make_token(value_of(found[0], field), found[0].pk) if has_before else None,
        make_token(value_of(found[-1], field), found[-1].pk) if has_after else None,
    )


def count(rows: Any) -> tuple[int, bool]:
    """Return (number of rows, whether there are more): counting stops after ``COUNTED``. One query."""
    # Only keys are counted: what the cells show (joins, names looked up) would be worked out for every counted row.
    number = rows.order_by().values("pk")[: COUNTED + 1].count()
    return min(number, COUNTED), number > COUNTED


def value_of(row: Any, field: str) -> Any:
    """Return the value of a field path such as ``of__code``."""
    for part in field.split("__"):
        row = getattr(row, part)
    return row


def make_token(value: Any, key: uuid.UUID) -> str:
    """Return the opaque address form of a row's sort value and id."""
    kind = "s"
    if isinstance(value, dt.datetime):
        kind, value = "t", value.isoformat()
    elif isinstance(value, dt.date):
        kind, value = "d", value.isoformat()
    elif isinstance(value, int):
        kind = "i"
    else:
        value = str(value)
    data = json.dumps([kind, value, key.hex], ensure_ascii=False, separators=(",", ":"))
    return base64.urlsafe_b64encode(data.encode()).rstrip(b"=").decode()


def read_token(token: str) -> tuple[Any, uuid.UUID] | None:
    """Return the sort value and the id; None for what is no token."""
    if not token:
        return None
    try:
        kind, value, key = json.loads(base64.urlsafe_b64decode(token.encode() + b"=" * (-len(token) % 4)))
        if kind == "d":
            value = dt.date.fromisoformat(value)
        elif kind == "t":
            value = dt.datetime.fromisoformat(value)
        elif (kind == "i") != (type(value) is int) or (kind == "s") != isinstance(value, str) or kind not in {"i", "s"}:
            return None
        return value, uuid.UUID(hex=key)
    except (ValueError, TypeError, AttributeError, RecursionError, binascii.Error):
        return None


def _fitting(model: Any, path: str, start: tuple[Any, uuid.UUID] | None) -> tuple[Any, uuid.UUID] | None:
    """Return ``start`` when its value is one the sorted column can hold; a token of another list's order is none."""
    if start is None:
        return None
    try:
        *joined, last = path.split("__")
        for part in joined:
            model = model._meta.get_field(part).related_model  # noqa: SLF001  Django's public way to a model's fields
        column = model._meta.get_field(last)  # noqa: SLF001  the same
    except FieldDoesNotExist:  # an annotation has no column to ask
        return start
    try:
        column.run_validators(column.to_python(start[0]))
    except (ValidationError, ValueError, TypeError):
        return None
    return start if not isinstance(start[0], str) or "\x00" not in start[0] else None


def _beyond(field: str, start: tuple[Any, uuid.UUID], *, falling: bool) -> Q:
    value, key = start
    strict, wide = ("lt", "lte") if falling else ("gt", "gte")
    # The outer comparison repeats the inner ones so that the database enters the index at the right place.
    return Q(**{f"{field}__{wide}": value}) & (Q(**{f"{field}__{strict}": value}) | Q(**{f"pk__{strict}": key}))
