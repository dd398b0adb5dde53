"""Finds a register's sheet in a file, its header row, and which column holds what."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from kitei.foundation.sheets.grid import Grid, Merge, Workbook, column_index, letter
from kitei.foundation.sheets.spec import Column, SheetSpec
from kitei.foundation.text import Message, UserError
from kitei.foundation.text.japanese import fold

VERSION_JA, VERSION_EN = "行の版", "Row version"
_VERSION = frozenset({fold(VERSION_JA), fold(VERSION_EN)})
_SEARCHED_ROWS = 20
_FEWEST_MATCHES = 2
_MARKS = re.compile(r"[（(\[【]\s*(?:必須|任意|required|optional)\s*[）)\]】]|[*＊※]", re.IGNORECASE)
_BY_LETTER = re.compile(r"\[([A-Za-z]{1,3})\]\Z")
_SHOWN = 8


@dataclass(frozen=True)
class SheetMapping:
    """How a company's own workbook is read as one register's sheet; saved per company.

    ``sheet`` is the sheet's name in the file, ``header_row`` its 1-based row (None: look for it). ``columns`` gives column
    key -> header text, or ``[C]`` for column C whatever its header is. ``values`` gives column key -> {text in the file:
    text to read instead}. What is not mapped is found by its usual header.
    """

    sheet: str = ""
    header_row: int | None = None
    columns: Mapping[str, str] = field(default_factory=dict)
    values: Mapping[str, Mapping[str, str]] = field(default_factory=dict)

    def to_json(self) -> dict[str, Any]:
        """Return a JSON-ready form that ``from_json`` reads back to an equal mapping."""
        return {
            "sheet": self.sheet,
            "header_row": self.header_row,
            "columns": dict(self.columns),
            "values": {key: dict(values) for key, values in self.values.items()},
        }

    @classmethod
    def from_json(cls, data: Mapping[str, Any]) -> SheetMapping:
        """Read what ``to_json`` wrote."""
        return cls(
            sheet=data.get("sheet", ""),
            header_row=data.get("header_row"),
            columns=data.get("columns", {}),
            values=data.get("values", {}),
        )


@dataclass(frozen=True)
class Layout:
    """Where a sheet's data is: rows are 1-based, ``columns`` gives column key -> 0-based index.

    ``titles`` are the header texts as they stand in the file, by index; ``version`` is the index of the row version.
    """

    grid: Grid
    header_row: int
    first_row: int
    columns: Mapping[str, int]
    titles: Mapping[int, str]
    version: int | None
    unknown: Sequence[int]

    def merges(self) -> Iterator[Merge]:
        """Yield the merged ranges that touch data cells of known columns, top down."""
        used = set(self.columns.values())
        for merge in sorted(self.grid.merges, key=lambda each: (each.top, each.left)):
            if merge.bottom + 1 >= self.first_row and any(merge.left <= index <= merge.right for index in used):
                yield merge


def find_sheets(
    workbook: Workbook, specs: Sequence[SheetSpec], mappings: Mapping[str, SheetMapping]
) -> dict[str, Grid]:
    """Return the sheet of each register by spec key; registers without one are left out.

    A lone sheet that carries no register's name (a CSV) is recognised by its headers when they fit exactly one register.

    Raises:
        UserError: two sheets fit one register, or a mapping names a sheet that is not in the file.
    """
    by_name: dict[str, list[Grid]] = {}
    for grid in workbook.sheets:
        by_name.setdefault(fold(grid.name), []).append(grid)
    found: dict[str, Grid] = {}
    for spec in specs:
        mapping = mappings.get(spec.key)
        grids: list[Grid] = []
        if mapping is not None and mapping.sheet:
            grids = by_name.get(fold(mapping.sheet), [])
            if not grids and len(workbook.sheets) == 1 and len(specs) == 1:
                grids = list(workbook.sheets)  # a CSV is called by its file's name, which changes
        if not grids:  # a company that maps its own sheet still edits what Kitei exported
            names = {fold(name) for name in (spec.ja, spec.en, *spec.aliases)}
            grids = [grid for name in names for grid in by_name.get(name, ())]
        if len(grids) > 1:
            raise UserError(
                Message(
                    "「%(sheet)s」として読めるシートが複数あります（%(names)s）。1つにまとめるか、読まないシートの名前を変えてください。",
                    {"sheet": spec.ja, "names": "、".join(grid.name for grid in grids)},
                )
            )
        if grids:
            found[spec.key] = grids[0]
    if not found and len(workbook.sheets) == 1:
        fitting = [spec for spec in specs if _fits(workbook.sheets[0], spec)]
        if len(fitting) == 1:
            found[fitting[0].key] = workbook.sheets[0]
    return found


def mapping_for(
    grid: Grid, spec: SheetSpec, mappings: Mapping[str, SheetMapping], *, alone: bool
) -> SheetMapping | None:
    """Return the saved mapping that ``grid`` is read by: one made for a sheet of another name says nothing about it.

    ``alone``: the file holds one sheet and one register was asked for, so its name does not matter (a CSV).
    """
    mapping = mappings.get(spec.key)
    if mapping is None or not mapping.sheet or alone or fold(mapping.sheet) == fold(grid.name):
        return mapping
    return None


def _fits(grid: Grid, spec: SheetSpec) -> bool:
    try:
        layout = locate(grid, spec)
    except UserError:
        return False
    needed = {column.key for column in spec.columns if column.required} | {spec.identity}
    return needed <= layout.columns.keys()


def locate(grid: Grid, spec: SheetSpec, mapping: SheetMapping | None = None) -> Layout:
    """Find the header row and the columns of ``spec`` in ``grid``.

    Raises:
        UserError: no header row, a mapped header that is not there, one column found twice, or no identity column.
    """
    mapping = mapping or SheetMapping()
    names = _names(spec, mapping)
    at = _header_row(grid, spec, names, mapping)
    row = grid.rows[at]
    titles = {index: _title(cell) for index, cell in enumerate(row) if _title(cell)}
    columns: dict[str, int] = {}
    version: int | None = None
    unknown: list[int] = []
    for key, wanted in mapping.columns.items():
        by_letter = _BY_LETTER.match(wanted.strip())
        if by_letter:
            columns[key] = column_index(by_letter[1])
    taken = set(columns.values())
    for index, title in titles.items():
        if index in taken:
            continue
        name = header_name(title)
        if name in _VERSION:
            version = index
            continue
        matched = names.get(name)
        if matched is None:
            unknown.append(index)
        elif matched in columns:
            raise UserError(
                Message(
                    "シート「%(sheet)s」の%(row)s行目に、同じ項目の見出し「%(header)s」が%(first)s列と%(second)s列の2か所にあります。どちらかの見出しを変えるか、列を削除してください。",
                    {
                        "sheet": grid.name,
                        "row": at + 1,
                        "header": title,
                        "first": letter(columns[matched]),
                        "second": letter(index),
                    },
                )
            )
        else:
            columns[matched] = index
    for key, wanted in mapping.columns.items():
        if key not in columns and any(column.key == key for column in spec.columns):
            raise UserError(
                Message(
                    "シート「%(sheet)s」に、列の対応で指定された見出し「%(header)s」がありません。見出しを直すか、列の対応を設定し直してください。",
                    {"sheet": grid.name, "header": wanted},
                )
            )
    # A header of several rows merged into one ends with its lowest merged cell.
    bottom = max([at, *(merge.bottom for merge in grid.merges if merge.top <= at <= merge.bottom)])
    return Layout(
        grid=grid,
        header_row=at + 1,
        first_row=bottom + 2,
        columns=columns,
        titles=titles,
        version=version,
        unknown=unknown,
    )


def header_name(title: str) -> str:
    """Return a header without its marks, in the form headers are compared by."""
    return fold(_MARKS.sub("", title))


def _title(cell: Any) -> str:
    return " ".join(cell.split()) if isinstance(cell, str) else ""


def _names(spec: SheetSpec, mapping: SheetMapping) -> dict[str, str]:
    """Return column keys by header name; a saved mapping wins over the usual headers of any column."""
    names: dict[str, str] = {}
    mapped = {key for key in mapping.columns if any(column.key == key for column in spec.columns)}
    for key in mapped:
        names[header_name(mapping.columns[key])] = key
    rest = [column for column in spec.columns if column.key not in mapped]
    for attribute in ("ja", "en"):
        for column in rest:
            names.setdefault(header_name(getattr(column, attribute)), column.key)
    for column in rest:
        for alias in column.aliases:
            names.setdefault(header_name(alias), column.key)
    return names


def _header_row(grid: Grid, spec: SheetSpec, names: Mapping[str, str], mapping: SheetMapping) -> int:
    if mapping.header_row is not None:
        if 1 <= mapping.header_row <= len(grid.rows):
            return mapping.header_row - 1
        raise UserError(
            Message(
                "シート「%(sheet)s」に、列の対応で指定された見出し行（%(row)s行目）がありません。列の対応を設定し直してください。",
                {"sheet": grid.name, "row": mapping.header_row},
            )
        )
    best, most = -1, 0
    for at, row in enumerate(grid.rows[:_SEARCHED_ROWS]):
        matched = {names[name] for cell in row if isinstance(cell, str) and (name := header_name(cell)) in names}
        # One fitting word may be a title; a register of a single column has nothing more to show.
        enough = len(matched) >= min(_FEWEST_MATCHES, len(spec.columns))
        if enough and len(matched) > most:
            best, most = at, len(matched)
    if best < 0:
        raise UserError(
            Message(
                "シート「%(sheet)s」の初めの%(rows)s行に、見出しの行が見つかりません。次の見出しを1行に並べてください：%(headers)s",
                {"sheet": grid.name, "rows": _SEARCHED_ROWS, "headers": _wanted(spec.columns)},
            )
        )
    return best


def _wanted(columns: Sequence[Column]) -> str:
    needed = [column.ja for column in columns if column.required] or [column.ja for column in columns]
    return "、".join(needed[:_SHOWN])
