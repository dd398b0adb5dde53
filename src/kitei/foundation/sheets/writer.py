"""Writes what Kitei holds: the complete export of registers, CSV files, and plain tables.

An export imports back without any change: every value comes back as it was, and every row carries its version.
"""

from __future__ import annotations

import csv
import datetime as dt
import io
from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import IO, Any

from openpyxl.utils import get_column_letter
from openpyxl.worksheet.datavalidation import DataValidation

from kitei.foundation.sheets import xlsx_out
from kitei.foundation.sheets.cells import NO, YES, CellReader, show_cell
from kitei.foundation.sheets.guard import mark
from kitei.foundation.sheets.headers import VERSION_EN, VERSION_JA
from kitei.foundation.sheets.spec import Column, Kind, SheetSpec
from kitei.foundation.sheets.table import Table
from kitei.foundation.sheets.versions import show_version, version_of, version_of_row
from kitei.foundation.text import Message
from kitei.foundation.text.japanese import is_cp932

Rows = Callable[[SheetSpec], Iterable[Mapping[str, Any]]]

KEYS = frozenset({Kind.CODE, Kind.REF, Kind.REFS})  # typed as text, or Excel drops leading zeros
_LAST_ROW = 50_000
_UNNAMED = "表"
_TABLE_WIDTH = 110  # characters across a printed A4 page, landscape
_WARNINGS_SHOWN = 10
_STAND_IN = "〓"  # printers' mark for a character that is missing
# Characters that look alike in cp932 but have another number there.
_CP932 = str.maketrans(
    {"〜": "～", "−": "－", "—": "―", "‖": "∥", "¢": "￠", "£": "￡", "¬": "￢", "¥": "￥", "\xa0": " "}
)


def label(thing: Any, language: str) -> str:
    """Return the Japanese or English name of a sheet, column or choice."""
    return str(thing.ja if language.startswith("ja") else thing.en)


class Choices:
    """Drop-down lists; their texts stand on one hidden sheet, because a list inside a rule ends at 255 characters."""

    def __init__(self, language: str) -> None:
        self._language = language
        self._lists: list[list[str]] = []
        self._title = "選択肢" if language.startswith("ja") else "Choices"

    def add(self, sheet: Any, column: Column, index: int, first_row: int) -> None:
        """Give a CHOICE or YESNO column (0-based ``index``) its drop-down from ``first_row`` on."""
        if column.kind is Kind.YESNO:
            texts = [YES[0], NO[0]] if self._language.startswith("ja") else [YES[1], NO[1]]
        elif column.kind is Kind.CHOICE and column.choices:
            texts = [label(choice, self._language) for choice in column.choices]
        else:
            return
        if texts not in self._lists:
            self._lists.append(texts)
        source = get_column_letter(self._lists.index(texts) + 1)
        rule = DataValidation(
            type="list",
            formula1=f"'{self._title}'!${source}$1:${source}${len(texts)}",
            allow_blank=True,
            errorStyle="warning",
            showErrorMessage=True,
        )
        place = get_column_letter(index + 1)
        rule.add(f"{place}{first_row}:{place}{_LAST_ROW}")
        sheet.data_validations.append(rule)

    def write(self, book: Any) -> None:
        """Write the hidden sheet, after all others."""
        if not self._lists:
            return
        sheet = xlsx_out.add_sheet(book, self._title)
        sheet.sheet_state = "hidden"
        look = xlsx_out.style(sheet)
        for at in range(max(map(len, self._lists))):
            sheet.append([xlsx_out.cell(sheet, texts[at] if at < len(texts) else None, look) for texts in self._lists])


def column_looks(sheet: Any, columns: Sequence[Column]) -> list[xlsx_out.Style]:
    """Return the style of the data cells of each column."""
    formats = {Kind.DATE: xlsx_out.DATE_FORMAT, Kind.INTEGER: "0"}
    return [
        xlsx_out.style(sheet, number_format=xlsx_out.TEXT_FORMAT if column.kind in KEYS else formats.get(column.kind))
        for column in columns
    ]


def write_export(
    stream: IO[bytes],
    specs: Sequence[SheetSpec],
    *,
    rows: Rows,
    timestamp: dt.datetime,
    language: str = "ja",
    about: Sequence[str] = (),
) -> None:
    """Write every row of ``specs`` as an xlsx workbook that ``plan_import`` reads back without any change.

    ``rows`` gives a register's current rows; ``about`` are lines about the export for a sheet of their own, which import
    leaves alone. ``timestamp`` (aware) is the only thing besides the content that shows in
    the bytes. Raises UserError for text that no Excel cell holds.
    """
    choices = Choices(language)
    with xlsx_out.workbook() as book:
        for spec in sorted(specs, key=lambda each: each.order):
            _export_sheet(book, spec, rows(spec), choices, language)
        if about:
            _about_sheet(book, about, language)
        choices.write(book)
        xlsx_out.save(book, stream, timestamp=timestamp)


def _export_sheet(
    book: Any, spec: SheetSpec, rows: Iterable[Mapping[str, Any]], choices: Choices, language: str
) -> None:
    sheet = xlsx_out.add_sheet(book, label(spec, language))
    sheet.freeze_panes = "B2"
    for index, column in enumerate(spec.columns):
        sheet.column_dimensions[get_column_letter(index + 1)].width = max(column.width, 8)
        choices.add(sheet, column, index, 2)
    last = get_column_letter(len(spec.columns) + 1)
    sheet.column_dimensions[last].width = 16
    header = xlsx_out.style(
        sheet, font=xlsx_out.HEADER, fill=xlsx_out.HEADER_FILL, align=xlsx_out.HEADER_ALIGN, box=True
    )
    sheet.append([xlsx_out.cell(sheet, name, header) for name in _export_headers(spec, language)])
    looks = column_looks(sheet, spec.columns)
    quiet = xlsx_out.style(sheet, font=xlsx_out.QUIET, number_format=xlsx_out.TEXT_FORMAT)
    last_row = 1
    for values in rows:
        last_row += 1
        line = [
            xlsx_out.cell(sheet, show_cell(column, values.get(column.key), language=language), look)
            for column, look in zip(spec.columns, looks, strict=True)
        ]
        line.append(xlsx_out.cell(sheet, show_version(version_of_row(spec, values)), quiet))
        sheet.append(line)
    sheet.auto_filter.ref = f"A1:{last}{last_row}"


def _about_sheet(book: Any, about: Sequence[str], language: str) -> None:
    sheet = xlsx_out.add_sheet(book, "この出力について" if language.startswith("ja") else "About this export")
    look = xlsx_out.style(sheet, align=xlsx_out.NO_WRAP)
    for text in about:
        sheet.append([xlsx_out.cell(sheet, text, look)])


def _export_headers(spec: SheetSpec, language: str) -> list[str]:
    version = VERSION_JA if language.startswith("ja") else VERSION_EN
    return [*(label(column, language) for column in spec.columns), version]


def write_export_csv(
    stream: IO[bytes],
    spec: SheetSpec,
    *,
    rows: Iterable[Mapping[str, Any]],
    language: str = "ja",
    encoding: str = "utf-8-sig",
) -> list[Message]:
    """Write one register as CSV that imports back without any change; returns warnings as ``write_csv``.

    A row that cp932 cannot hold carries the version of what was written, so that its stand-ins never come back as an edit.
    """
    readers = [CellReader(column) for column in spec.columns]

    def lines() -> Iterable[list[Any]]:
        for values in rows:
            shown = [show_cell(column, values.get(column.key), language=language) for column in spec.columns]
            version = version_of_row(spec, values)
            if encoding == "cp932" and any(is_cp932(text) for text in shown if isinstance(text, str)):
                read = (reader.read(mark(_held(_flat(text)))) for reader, text in zip(readers, shown, strict=True))
                version = version_of(
                    {column.key: value for column, (value, _fault) in zip(spec.columns, read, strict=True)}
                )
            yield [*shown, show_version(version)]

    return write_csv(stream, _export_headers(spec, language), lines(), encoding=encoding)


def write_csv(
    stream: IO[bytes], columns: Sequence[str], rows: Iterable[Sequence[Any]], *, encoding: str = "utf-8-sig"
) -> list[Message]:
    """Write a CSV file with CRLF line ends; text that would be a formula gets a leading apostrophe.

    Args:
        stream: takes the bytes.
        columns: the headers.
        rows: text, integers, dates, or None for an empty cell.
        encoding: ``utf-8-sig`` (default), or ``cp932`` for programs that know nothing else.

    Returns:
        Warnings about characters cp932 cannot hold. They were replaced by what looks alike, else by 〓.
    """
    if encoding not in {"utf-8-sig", "cp932"}:
        raise ValueError(encoding)
    text = io.TextIOWrapper(stream, encoding=encoding, newline="", errors="replace", write_through=True)
    out = csv.writer(text, lineterminator="\r\n")
    lost: list[tuple[int, str, str]] = []
    count = 0
    for number, row in enumerate(_lines(columns, rows), start=1):
        line = []
        for index, value in enumerate(row):
            shown = mark(_flat(value))
            if encoding == "cp932":
                missing = is_cp932(shown)
                if missing:
                    count += len(missing)
                    if len(lost) < _WARNINGS_SHOWN:
                        lost.append((number, columns[index], missing))
                    shown = _held(shown)
            line.append(shown)
        out.writerow(line)
    text.detach()
    if not lost:
        return []
    return [
        Message(
            "Shift_JISで表せない文字を置き換えました（%(count)s文字）。もとの文字のまま書き出すときは、UTF-8を選んでください：%(places)s",
            {
                "count": count,
                "places": "、".join(f"{number}:{name}「{missing}」" for number, name, missing in lost),
            },
        )
    ]


def _lines(columns: Sequence[str], rows: Iterable[Sequence[Any]]) -> Iterable[Sequence[Any]]:
    yield columns
    yield from rows


def _flat(value: Any) -> str:
    if value is None:
        return ""
    return f"{value:%Y/%m/%d}" if isinstance(value, dt.date) else str(value)


def _held(text: str) -> str:
    """Return ``text`` in characters that cp932 holds."""
    text = text.translate(_CP932)
    for char in is_cp932(text):
        text = text.replace(char, _STAND_IN)
    return text


def write_table(stream: IO[bytes], tables: Sequence[Table], *, timestamp: dt.datetime) -> None:
    """Write tables of finished text, one sheet each, named by their captions. ``timestamp`` as for ``write_export``."""
    with xlsx_out.workbook() as book:
        for table in tables:
            _table_sheet(book, table)
        if not tables:
            xlsx_out.add_sheet(book, _UNNAMED)
        xlsx_out.save(book, stream, timestamp=timestamp)


def _table_sheet(book: Any, table: Table) -> None:
    sheet = xlsx_out.add_sheet(book, table.caption or _UNNAMED)
    first = 2 if table.caption else 1
    sheet.freeze_panes = f"A{first + 1}"
    total = sum(column.width for column in table.columns) or 1
    for index, column in enumerate(table.columns):
        width = max(6, round(_TABLE_WIDTH * column.width / total))
        sheet.column_dimensions[get_column_letter(index + 1)].width = width
    _page(sheet, first)
    if table.caption:
        title = xlsx_out.style(sheet, font=xlsx_out.TITLE, align=xlsx_out.NO_WRAP)
        sheet.append([xlsx_out.cell(sheet, table.caption, title)])
    header = xlsx_out.style(
        sheet, font=xlsx_out.HEADER, fill=xlsx_out.HEADER_FILL, align=xlsx_out.HEADER_ALIGN, box=True
    )
    sheet.append([xlsx_out.cell(sheet, column.header, header) for column in table.columns])
    looks = [xlsx_out.style(sheet, align=xlsx_out.aligned(column.align), box=True) for column in table.columns]
    for row in table.rows:
        sheet.append([xlsx_out.cell(sheet, text, look) for text, look in zip(row, looks, strict=True)])
    if table.rows:
        last = get_column_letter(len(table.columns))
        sheet.auto_filter.ref = f"A{first}:{last}{first + len(table.rows)}"
    else:
        sheet.append([xlsx_out.cell(sheet, table.empty, looks[0])])
    if table.note:
        quiet = xlsx_out.style(sheet, font=xlsx_out.QUIET, align=xlsx_out.NO_WRAP)
        sheet.append([])
        sheet.append([xlsx_out.cell(sheet, table.note, quiet)])


def _page(sheet: Any, header_row: int) -> None:
    sheet.page_setup.orientation = "landscape"
    sheet.page_setup.paperSize = "9"  # A4
    sheet.page_setup.fitToHeight = 0
    sheet.sheet_properties.pageSetUpPr.fitToPage = True
    sheet.print_title_rows = f"1:{header_row}"
