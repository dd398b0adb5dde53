"""The version of a row: what it held when it was exported, in one short word.

An export carries it in its last column. When the file comes back, a row whose content still gives that version was not
touched by the person who edited the file, whatever has happened in Kitei since; a row that was touched is accepted only
while Kitei still holds what was exported.
"""

from __future__ import annotations

import datetime as dt
import hashlib
import json
import re
from collections.abc import Mapping
from typing import Any

from kitei.foundation.sheets.cells import canonical
from kitei.foundation.sheets.spec import SheetSpec

_SHOWN = 12
_CANONICAL = json.JSONEncoder(ensure_ascii=False, sort_keys=True, separators=(",", ":"))
_READ = re.compile(r"v?([0-9a-f]{12})\Z")


def version_of(values: Mapping[str, Any]) -> str:
    """Return the first 12 hex digits of the SHA-256 of the canonical JSON of a row's values, as a reader gives them.

    Empty values are left out, so that a column added to a register later does not change the versions of old rows.
    """
    text = _CANONICAL.encode(
        {key: _packed(value) for key, value in values.items() if value is not None and value not in ("", ())}
    )
    return hashlib.sha256(text.encode("utf-8", "surrogatepass")).hexdigest()[:_SHOWN]


def version_of_row(spec: SheetSpec, values: Mapping[str, Any], *, read: Mapping[str, Any] | None = None) -> str:
    """Return the version of a register's current row.

    ``read`` are the values a file gave for the row: where they are the same they need not be brought into form again.
    """
    known = read or {}
    form = {}
    for column in spec.columns:
        key = column.key
        value = values.get(key)
        if value is not None and value != "":
            form[key] = value if key in known and known[key] == value else canonical(column, value)
    return version_of(form)


def show_version(version: str) -> str:
    """Return a version as it stands in a cell: the letter keeps Excel from reading 12 digits as a number."""
    return f"v{version}"


def read_version(cell: Any) -> str | None:
    """Return the version in a cell, ``""`` for an empty one, None when it is none."""
    if cell is None or cell == "":
        return ""
    found = _READ.match(cell.strip().lower()) if isinstance(cell, str) else None
    return found[1] if found else None


def _packed(value: Any) -> Any:
    if type(value) is str:
        return value
    if isinstance(value, dt.date):
        return value.isoformat()
    return list(value) if isinstance(value, tuple) else value
