"""Reads the data rows of one sheet: values, faults, duplicate keys, and whether a row is as it was exported."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from kitei.foundation.sheets.cells import CellReader, shorten
from kitei.foundation.sheets.headers import Layout, SheetMapping
from kitei.foundation.sheets.spec import SheetSpec
from kitei.foundation.sheets.versions import read_version, version_of
from kitei.foundation.text import Message

REQUIRED = Message("必ず入力する項目が空です。入力してください。")
_NO_VERSION = Message("行の版を読み取れません。書き出したときの値に戻すか、新しい行であれば空にしてください。")
_ONE_ROW = Message("このシートには1行だけ入力できます。余分な行を削除してください。")


@dataclass
class Row:
    """One data row: its values by column key, its faults as (column key, message), and what its version says.

    The column key of a fault of the version itself is empty. ``untouched``: the values still give the version.
    """

    number: int
    key: str
    values: dict[str, Any]
    faults: list[tuple[str, Message]]
    version: str = ""
    untouched: bool = False


@dataclass
class Sheet:
    """A sheet with its rows; ``by_key`` leaves out rows without a readable key. ``current`` is the register's state."""

    spec: SheetSpec
    layout: Layout
    rows: list[Row] = field(default_factory=list)
    by_key: dict[str, Row] = field(default_factory=dict)
    current: Mapping[str, dict[str, Any]] = field(default_factory=dict)


Report = Callable[[Sheet, Row, str, Message], None]


def read_rows(sheet: Sheet, *, mapping: SheetMapping | None, language: str, fault: Report) -> None:
    """Fill ``sheet`` from its grid; faults go to ``fault``. Those of an untouched row stay with the row."""
    identity = sheet.spec.identity
    doubles: dict[str, list[Row]] = {}
    for row in _rows(sheet, mapping or SheetMapping(), language):
        sheet.rows.append(row)
        if not row.key:
            fault(sheet, row, identity, REQUIRED)
        elif not any(column_key == identity for column_key, _message in row.faults):
            doubles.setdefault(row.key, []).append(row)
        for column_key, message in row.faults if not row.untouched else ():
            fault(sheet, row, column_key, message)
    if sheet.spec.single:
        for row in sheet.rows[1:]:
            fault(sheet, row, identity, _ONE_ROW)
    for key, rows in doubles.items():
        sheet.by_key[key] = rows[0]
        if len(rows) > 1:
            _report_doubles(sheet, key, rows, fault)


def _rows(sheet: Sheet, mapping: SheetMapping, language: str) -> list[Row]:
    spec, layout = sheet.spec, sheet.layout
    readers = [
        (
            column.key,
            layout.columns[column.key],
            CellReader(column, values=mapping.values.get(column.key), language=language),
        )
        for column in spec.columns
        if column.key in layout.columns
    ]
    found = []
    for number, cells in enumerate(layout.grid.rows[layout.first_row - 1 :], start=layout.first_row):
        width = len(cells)
        values: dict[str, Any] = {}
        faults: list[tuple[str, Message]] = []
        for key, index, reader in readers:
            values[key], problem = reader.read(cells[index] if index < width else "")
            if problem is not None:
                faults.append((key, problem))
        if faults or any(value is not None and value not in ("", ()) for value in values.values()):
            row = Row(number=number, key=str(values[spec.identity] or ""), values=values, faults=faults)
            _read_version(row, cells, layout)
            found.append(row)
    return found


def _read_version(row: Row, cells: Sequence[Any], layout: Layout) -> None:
    if layout.version is None or layout.version >= len(cells):
        return
    version = read_version(cells[layout.version])
    if version is None:
        row.faults.append(("", _NO_VERSION))
        return
    row.version = version
    row.untouched = bool(version) and version == version_of(row.values)


def _report_doubles(sheet: Sheet, key: str, rows: Sequence[Row], fault: Report) -> None:
    for row in rows:
        others = "、".join(str(other.number) for other in rows if other is not row)
        fault(
            sheet,
            row,
            sheet.spec.identity,
            Message(
                "「%(key)s」は%(rows)s行目にもあります。どちらかを削除するか、別の値にしてください。",
                {"key": shorten(key), "rows": others},
            ),
        )
