"""CSV from outside: UTF-8 with or without BOM, UTF-16 with BOM (Excel's 「Unicode テキスト」) or cp932, decided strictly."""

from __future__ import annotations

import codecs
import csv
import io
import re

from kitei.foundation.sheets.grid import Grid, Limits
from kitei.foundation.sheets.xlsx_parts import too_many_columns, too_many_rows
from kitei.foundation.text import Message, UserError

# Python decodes the bytes cp932 leaves unused (80, A0, FD, FE, FF) to these.
_UNUSED = re.compile("[\x80-\xa0\uf8f0-\uf8f3]")


def read_csv(data: bytes, *, file: str, sheet: str, limits: Limits) -> Grid:
    """Read ``data`` as one sheet. Row numbers count records, as Excel shows them. Raises UserError."""
    text = decode(data, file=file)
    if "\x00" in text:
        raise UserError(
            Message(
                "「%(file)s」はCSVとして読み取れません。ExcelでCSV UTF-8形式で保存し直してください。", {"file": file}
            )
        )
    first = text.split("\n", 1)[0]
    delimiter = "\t" if first.count("\t") > first.count(",") else ","
    rows: list[list[str]] = []
    cells = 0
    reader = csv.reader(io.StringIO(text, newline=""), delimiter=delimiter, strict=True)
    try:
        for row in reader:
            rows.append(row)
            cells += len(row)
            if len(row) > limits.columns:
                raise too_many_columns(sheet, limits)
            if len(rows) > limits.rows or cells > limits.cells:
                raise too_many_rows(sheet, limits)
    except csv.Error as fault:
        raise UserError(
            Message(
                '「%(file)s」の%(line)s行目の付近で、引用符（"）の組が合っていません。この行を直すか、ExcelでCSV UTF-8形式で保存し直してください。',
                {"file": file, "line": reader.line_num},
            )
        ) from fault
    return Grid(name=sheet, rows=rows)


def decode(data: bytes, *, file: str) -> str:
    """Return the text of a CSV file; UserError naming the line that is in no known encoding."""
    if data.startswith((codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE)):
        try:
            return data.decode("utf-16")
        except UnicodeDecodeError as fault:
            raise _unreadable(data, fault.start, file) from fault
    try:
        return data.decode("utf-8-sig")
    except UnicodeDecodeError as utf8:
        try:
            text = data.decode("cp932")
        except UnicodeDecodeError as cp932:
            # The encoding that got further is the likelier one; its fault is the one worth showing.
            raise _unreadable(data, max(utf8.start, cp932.start), file) from cp932
        unused = _UNUSED.search(text)
        if unused is not None:
            raise _unreadable(data, len(text[: unused.start()].encode("cp932")), file) from utf8
        return text


def _unreadable(data: bytes, start: int, file: str) -> UserError:
    return UserError(
        Message(
            "「%(file)s」の%(line)s行目に、読み取れない文字があります（UTF-8でもShift_JISでもありません）。ExcelでCSV UTF-8形式で保存し直してください。",
            {"file": file, "line": data.count(b"\n", 0, start) + 1},
        )
    )
