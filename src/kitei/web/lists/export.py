"""A list as a file: exactly the rows and columns that are shown."""

from __future__ import annotations

import datetime as dt
import io
from collections.abc import Iterable, Sequence
from typing import Any

from openpyxl.utils import get_column_letter

from kitei.foundation import clock
from kitei.foundation.sheets import xlsx_out
from kitei.foundation.sheets.writer import write_csv
from kitei.foundation.text import Message, UserError
from kitei.foundation.ui import cells

FORMS = {
    "xlsx": "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet",
    "csv": "text/csv; charset=utf-8",
}
XLSX_ROWS = 20_000
"""Above this an xlsx takes seconds of a web thread; CSV takes its place."""
_WIDEST, _NARROWEST = 48, 10
_A4 = 9  # ECMA-376 ST_PaperSize


def plain(value: Any) -> Any:
    """Return a cell for a file: days and numbers as themselves, everything else as the words that are shown."""
    if isinstance(value, dt.datetime | bool):
        return cells.shown(value)
    return value if isinstance(value, dt.date | int) else cells.shown(value)


def make(form: str, *, title: str, headers: Sequence[str], rows: Sequence[Sequence[Any]]) -> bytes:
    """Return the file's bytes. UserError for more rows than an xlsx may have here."""
    stream = io.BytesIO()
    if form == "csv":
        write_csv(stream, headers, ([plain(value) for value in row] for row in rows))
        return stream.getvalue()
    if len(rows) > XLSX_ROWS:
        raise UserError(
            Message(
                "%(count)s行はExcelでの出力の上限（%(limit)s行）を超えています。条件で絞り込むか、CSVで出力してください。",
                {"count": f"{len(rows):,}", "limit": f"{XLSX_ROWS:,}"},
            )
        )
    _xlsx(stream, title, headers, rows)
    return stream.getvalue()


def _xlsx(stream: io.BytesIO, title: str, headers: Sequence[str], rows: Iterable[Sequence[Any]]) -> None:
    with xlsx_out.workbook() as book:
        _fill(book, title, headers, [[plain(value) for value in row] for row in rows])
        xlsx_out.save(book, stream, timestamp=clock.now())


def _fill(book: Any, title: str, headers: Sequence[str], rows: Sequence[Sequence[Any]]) -> None:
    sheet = xlsx_out.add_sheet(book, title)
    for index, header in enumerate(headers):
        longest = max([len(header), *(len(str(row[index] or "")) for row in rows[:200])])
        # A Japanese character is about as wide as two figures.
        sheet.column_dimensions[get_column_letter(index + 1)].width = min(_WIDEST, max(_NARROWEST, longest * 1.8))
    sheet.freeze_panes = "A2"
    sheet.page_setup.orientation = "landscape"
    sheet.page_setup.paperSize = _A4
    sheet.page_setup.fitToHeight = 0
    sheet.sheet_properties.pageSetUpPr.fitToPage = True
    sheet.print_title_rows = "1:1"
    head = xlsx_out.style(sheet, font=xlsx_out.HEADER, fill=xlsx_out.HEADER_FILL, align=xlsx_out.HEADER_ALIGN, box=True)
    text = xlsx_out.style(sheet, number_format=xlsx_out.TEXT_FORMAT, box=True)
    number = xlsx_out.style(sheet, box=True)
    date = xlsx_out.style(sheet, number_format=xlsx_out.DATE_FORMAT, box=True)
    sheet.append([xlsx_out.cell(sheet, header, head) for header in headers])
    for row in rows:
        looks = [date if isinstance(value, dt.date) else number if isinstance(value, int) else text for value in row]
        sheet.append([xlsx_out.cell(sheet, value, look) for value, look in zip(row, looks, strict=True)])
