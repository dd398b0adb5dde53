"""Writing xlsx: text that can never become a formula, one look for all workbooks, the same bytes for the same content."""

from __future__ import annotations

import contextlib
import datetime as dt
import re
import time
import zipfile
from collections.abc import Iterator
from typing import IO, Any, NamedTuple

from openpyxl import Workbook
from openpyxl.cell import WriteOnlyCell
from openpyxl.styles import Alignment, Border, Font, PatternFill, Side
from openpyxl.writer.excel import ExcelWriter

from kitei.foundation.sheets.guard import needs_mark
from kitei.foundation.text import Message, UserError

CREATOR = "Kitei"
TEXT_FORMAT = "@"
DATE_FORMAT = "yyyy/mm/dd"
LONGEST_TEXT = 32_767  # of one Excel cell
_EXACT = 10**15  # Excel keeps 15 significant digits of a number
_FIRST_EXCEL_DAY = dt.date(1900, 3, 1)  # before it Excel counts a 29 February 1900 that never was
_FIRST_ZIP_YEAR, _LAST_ZIP_YEAR = 1980, 2107
_TITLE_LENGTH = 31
_NOT_IN_TITLE = re.compile(r"[\[\]:*?/\\\x00-\x1f]")
_ESCAPE = re.compile(r"_(?=x[0-9A-Fa-f]{4}_)")
_CONTROL = re.compile(r"[\x00-\x08\x0b-\x1f\ufffe\uffff]")
_SURROGATE = re.compile(r"[\ud800-\udfff]")

_FONT = "Yu Gothic"
_LINE = Side(style="thin", color="FF8C8C8C")
BODY = Font(name=_FONT, size=10.5)
TITLE = Font(name=_FONT, size=14, bold=True)
STRONG = Font(name=_FONT, size=10.5, bold=True)
QUIET = Font(name=_FONT, size=9, color="FF4D4D4D")
HEADER = Font(name=_FONT, size=10.5, bold=True, color="FFFFFFFF")
HEADER_FILL = PatternFill("solid", fgColor="FF1F4E79")
REQUIRED_FILL = PatternFill("solid", fgColor="FF8A1C1C")
BOX = Border(left=_LINE, right=_LINE, top=_LINE, bottom=_LINE)
WRAP = Alignment(wrap_text=True, vertical="top")
NO_WRAP = Alignment(wrap_text=False, vertical="top")
HEADER_ALIGN = Alignment(wrap_text=True, vertical="center", horizontal="center")


def aligned(name: str) -> Alignment:
    """Return wrapped text aligned ``left``, ``center`` or ``right``."""
    return Alignment(wrap_text=True, vertical="top", horizontal=name)


@contextlib.contextmanager
def workbook() -> Iterator[Any]:
    """Give an empty workbook for writing row by row (little memory); what was begun is cleared away on an error."""
    book = Workbook(write_only=True)
    try:
        yield book
    except BaseException:
        sheets: list[Any] = book.worksheets
        for sheet in sheets:
            if not sheet.closed:
                sheet.close()
            with contextlib.suppress(FileNotFoundError):
                sheet._writer.cleanup()  # noqa: SLF001 - removes the temporary file
        raise


def add_sheet(book: Any, title: str) -> Any:
    """Add a sheet whose name is ``title`` made acceptable to Excel and unique in the workbook."""
    name = _NOT_IN_TITLE.sub(" ", title).strip().strip("'")[:_TITLE_LENGTH] or "Sheet"
    used = {each.title.casefold() for each in book.worksheets}
    unique, number = name, 2
    while unique.casefold() in used:
        tail = f" ({number})"
        unique, number = name[: _TITLE_LENGTH - len(tail)] + tail, number + 1
    sheet = book.create_sheet(unique)
    sheet.sheet_view.showGridLines = True
    return sheet


class Style(NamedTuple):
    """The looks of a cell, and the same with Excel's mark of text that would else be a formula."""

    usual: Any
    marked: Any


def style(
    sheet: Any,
    *,
    font: Font = BODY,
    fill: PatternFill | None = None,
    align: Alignment = WRAP,
    number_format: str | None = None,
    box: bool = False,
) -> Style:
    """Prepare a style once for many cells of a workbook."""
    made: list[Any] = []
    for quoted in (False, True):
        sample: Any = WriteOnlyCell(sheet)
        sample.font = font
        sample.alignment = align
        if fill is not None:
            sample.fill = fill
        if number_format is not None:
            sample.number_format = number_format
        if box:
            sample.border = BOX
        sample.quotePrefix = quoted
        made.append(sample._style)  # noqa: SLF001 - openpyxl's own way to copy a style
    return Style(*made)


def cell(sheet: Any, value: Any, look: Style) -> Any:
    """Return a cell holding ``value`` (text, integer, date or nothing) as data, never as a formula.

    Raises:
        UserError: text longer than an Excel cell holds.
    """
    made: Any = WriteOnlyCell(sheet)
    made._style = look.usual  # noqa: SLF001 - as above
    if isinstance(value, dt.date) and value < _FIRST_EXCEL_DAY:
        value = value.isoformat()
    elif isinstance(value, int) and abs(value) >= _EXACT:
        value = str(value)
    if isinstance(value, str):
        text = _text(value)
        if text:
            made.value = text
            made.data_type = "s"
            if needs_mark(text):
                made._style = look.marked  # noqa: SLF001 - as above
    elif value is not None:
        made.value = value
        if isinstance(value, dt.date):
            made._style = look.usual  # noqa: SLF001 - openpyxl replaced the format by its own
    return made


def _text(value: str) -> str:
    if len(value) > LONGEST_TEXT:
        raise UserError(
            Message(
                "%(length)s文字の文章は、Excelの1つのセルに入りません（上限は%(limit)s文字です）。短くするか、CSVで書き出してください。",
                {"length": f"{len(value):,}", "limit": f"{LONGEST_TEXT:,}"},
            )
        )
    text = _ESCAPE.sub("_x005F_", value) if "_x" in value else value
    text = _CONTROL.sub(lambda found: f"_x{ord(found[0]):04X}_", text)
    return _SURROGATE.sub("\ufffd", text)


def save(book: Any, stream: IO[bytes], *, timestamp: dt.datetime) -> None:
    """Write ``book`` to ``stream``. The bytes depend on the content and on ``timestamp`` (aware) alone."""
    moment = timestamp.astimezone(dt.UTC).replace(tzinfo=None, microsecond=0)
    book.properties.creator = CREATOR
    book.properties.created = moment
    book.properties.modified = moment
    archive = _DatedZip(stream, "w", zipfile.ZIP_DEFLATED, allowZip64=True)
    archive.moment = moment
    ExcelWriter(book, archive).save()


class _DatedZip(zipfile.ZipFile):
    """A zip whose entries carry one given time instead of now."""

    moment = dt.datetime(1980, 1, 1)  # noqa: DTZ001 - a zip has no time zone

    def writestr(self, zinfo_or_arcname: Any, data: Any, *_args: Any, **_options: Any) -> None:
        super().writestr(self._entry(str(zinfo_or_arcname)), data, compress_type=zipfile.ZIP_DEFLATED)

    def write(self, filename: Any, arcname: Any = None, *_args: Any, **_options: Any) -> None:
        with open(filename, "rb") as source, self.open(self._entry(str(arcname)), "w", force_zip64=False) as target:  # noqa: PTH123 - openpyxl gives a name
            while piece := source.read(1024 * 1024):
                target.write(piece)

    def _entry(self, name: str) -> zipfile.ZipInfo:
        year = min(max(self.moment.year, _FIRST_ZIP_YEAR), _LAST_ZIP_YEAR)
        info = zipfile.ZipInfo(name, time.struct_time((year, *self.moment.timetuple()[1:]))[:6])
        info.compress_type = zipfile.ZIP_DEFLATED
        info.create_system = 3
        info.external_attr = 0o600 << 16
        return info
