"""Reads an import file: xlsx, xlsm, CSV, or a zip holding one of them beside attached files.

What a file is, is decided by its content; the extension only tells CSV from other text.
"""

from __future__ import annotations

import io
import posixpath
from collections.abc import Iterable
from pathlib import Path
from typing import Any

import python_calamine as calamine

from kitei.foundation.sheets.delimited import read_csv
from kitei.foundation.sheets.grid import AttachedFile, Grid, Limits, Literal, Merge, Workbook
from kitei.foundation.sheets.packed import Packed, Part, damaged
from kitei.foundation.sheets.xlsx_parts import WORKBOOK, SheetFacts, inspect
from kitei.foundation.text import Message, UserError

_ZIP = b"PK\x03\x04"
_OLE = bytes.fromhex("d0cf11e0a1b11ae1")
_ENCRYPTED = "EncryptedPackage".encode("utf-16-le")
_CSV = (".csv", ".tsv", ".txt")
_BOOK = (".xlsx", ".xlsm")
# Files that are zips inside, and are kept as they are when attached.
_OFFICE = (".xlsx", ".xlsm", ".docx", ".docm", ".pptx", ".pptm", ".odt", ".ods", ".odp", ".vsdx", ".xdw", ".epub")
_ARCHIVE = (".zip", ".7z", ".rar", ".lzh", ".gz", ".tgz", ".tar", ".bz2", ".xz", ".cab")
_LITTER = ("__MACOSX/", ".DS_Store", "Thumbs.db", "desktop.ini")
_DEFAULT = Limits()


def read_tables(path: Path, *, limits: Limits = _DEFAULT) -> Workbook:
    """Read ``path``. Nothing is unpacked or parsed before its size is known to be inside ``limits``.

    Raises:
        UserError: the file is missing, too large, damaged, protected, or not a workbook; says what to do.
    """
    name = path.name
    try:
        size = path.stat().st_size
    except OSError as fault:
        raise _missing(path) from fault
    if not path.is_file():
        raise _missing(path)
    if size > limits.file_bytes:
        raise UserError(
            Message(
                "「%(file)s」の大きさは%(size)sMBで、上限の%(limit)sMBを超えています。不要なシートや画像を削除するか、いくつかに分けてください。",
                {
                    "file": name,
                    "size": f"{size / 1024 / 1024:,.0f}",
                    "limit": f"{limits.file_bytes / 1024 / 1024:,.0f}",
                },
            )
        )
    try:
        data = path.read_bytes()
    except OSError as fault:
        raise _missing(path) from fault
    return read_bytes(data, file=name, limits=limits)


def read_bytes(data: bytes, *, file: str, limits: Limits = _DEFAULT) -> Workbook:
    """Read a file that is already in memory (an upload); ``file`` is its name. Raises as ``read_tables``."""
    if len(data) > limits.file_bytes:
        raise UserError(
            Message(
                "「%(file)s」の大きさは%(size)sMBで、上限の%(limit)sMBを超えています。不要なシートや画像を削除するか、いくつかに分けてください。",
                {
                    "file": file,
                    "size": f"{len(data) / 1024 / 1024:,.0f}",
                    "limit": f"{limits.file_bytes / 1024 / 1024:,.0f}",
                },
            )
        )
    if not data:
        raise UserError(Message("「%(file)s」は空のファイルです。選び直してください。", {"file": file}))
    if data.startswith(_OLE):
        raise _old_or_protected(data, file)
    if data.startswith((_ZIP, b"PK\x05\x06")):
        packed = Packed(data, file=file, limits=limits)
        if "[Content_Types].xml" in packed.parts:
            return Workbook(file=file, sheets=_read_xlsx(data, packed, limits))
        return _read_archive(packed, limits)
    if file.lower().endswith(_BOOK):
        raise damaged(file)
    if not file.lower().endswith(_CSV):
        raise _not_a_workbook(file)
    return Workbook(file=file, sheets=[read_csv(data, file=file, sheet=_stem(file), limits=limits)])


def _stem(name: str) -> str:
    return posixpath.splitext(posixpath.basename(name))[0]


def _missing(path: Path) -> UserError:
    return UserError(
        Message("ファイル「%(file)s」を開けません。名前と置き場所を確かめてください。", {"file": str(path)})
    )


def _not_a_workbook(file: str) -> UserError:
    return UserError(
        Message(
            "「%(file)s」は、読み取れる形式ではありません。Excelブック（.xlsx）、CSV（.csv）、またはそれらを入れたzipを選んでください。",
            {"file": file},
        )
    )


def _old_or_protected(data: bytes, file: str) -> UserError:
    if _ENCRYPTED in data:
        return UserError(
            Message(
                "「%(file)s」にはパスワードがかかっています。パスワードを外して保存し直してから選び直してください。",
                {"file": file},
            )
        )
    return UserError(
        Message(
            "「%(file)s」は古い形式のファイルです。Excelで開き、「Excelブック（.xlsx）」の形式で保存し直してから選び直してください。",
            {"file": file},
        )
    )


def _read_xlsx(data: bytes, packed: Packed, limits: Limits) -> list[Grid]:
    if WORKBOOK not in packed.parts:
        raise _not_a_workbook(packed.file)
    facts = inspect(packed, limits=limits)
    sheets = []
    try:
        with calamine.CalamineWorkbook.from_filelike(io.BytesIO(data)) as book:
            for sheet in book.sheets_metadata:
                if sheet.typ != calamine.SheetTypeEnum.WorkSheet or sheet.name not in facts:
                    continue
                sheets.append(_grid(book.get_sheet_by_name(sheet.name), facts[sheet.name]))
    except (calamine.CalamineError, ValueError, OSError) as fault:
        raise damaged(packed.file) from fault
    except BaseException as fault:
        # A panic of the Rust library is a damaged file, not a reason to end the process; everything else goes on.
        if type(fault).__name__ != "PanicException":
            raise
        raise damaged(packed.file) from fault
    return sheets


def _grid(sheet: calamine.CalamineSheet, facts: SheetFacts) -> Grid:
    rows: list[list[Any]] = sheet.to_python(skip_empty_area=False) if sheet.start is not None else []
    for (row, column), fault in facts.faults.items():
        while len(rows) <= row:
            rows.append([])
        rows[row].extend([""] * (column + 1 - len(rows[row])))
        rows[row][column] = fault
    for row, column in facts.literals:
        if row < len(rows) and column < len(rows[row]) and type(rows[row][column]) is str:
            rows[row][column] = Literal(rows[row][column])
    merges = [
        Merge(top=top, left=left, bottom=bottom, right=right)
        for (top, left), (bottom, right) in sheet.merged_cell_ranges or ()
    ]
    return Grid(name=sheet.name, rows=rows, merges=merges)


def _read_archive(packed: Packed, limits: Limits) -> Workbook:
    """Read a zip: one workbook (or CSV files) at its top, everything else is attached."""
    file = packed.file
    parts = {name: part for name, part in packed.parts.items() if not _is_litter(name)}
    base = _common_folder(parts)
    parts = {name.removeprefix(base): part for name, part in parts.items()}
    for name, part in parts.items():
        lower = name.lower()
        head = next(iter(packed.stream(part)), b"")[:4]
        if lower.endswith(_ARCHIVE) or (head == _ZIP and not lower.endswith(_OFFICE)):
            raise UserError(
                Message(
                    "「%(file)s」の中に、別の圧縮ファイル「%(name)s」があります。中のファイルを取り出して、1つのzipにまとめ直してください。",
                    {"file": file, "name": name},
                )
            )
    top = [name for name in parts if "/" not in name]
    books = [name for name in top if name.lower().endswith(_BOOK) and not name.startswith("~$")]
    tables = [name for name in top if name.lower().endswith((".csv", ".tsv"))]
    if len(books) > 1:
        raise UserError(
            Message(
                "「%(file)s」の一番上の階層に、Excelブックが%(count)s個あります（%(names)s）。取り込むブックを1つだけ一番上に置き、添付するファイルはフォルダーに入れてください。",
                {"file": file, "count": len(books), "names": "、".join(sorted(books)[:5])},
            )
        )
    if books:
        used = set(books)
        data = packed.read(parts[books[0]])
        inner = Packed(data, file=books[0], limits=limits) if data.startswith(_ZIP) else None
        if inner is None:
            sheets = list(read_bytes(data, file=books[0], limits=limits).sheets)
        else:
            sheets = _read_xlsx(data, inner, limits)
    elif tables:
        used = set(tables)
        sheets = [
            read_csv(packed.read(parts[name]), file=name, sheet=_stem(name), limits=limits) for name in sorted(tables)
        ]
    else:
        raise UserError(
            Message(
                "「%(file)s」の一番上の階層に、取り込むExcelブック（.xlsx）またはCSVがありません。入れて作り直してください。",
                {"file": file},
            )
        )
    attached = (_attach(packed, name, part) for name, part in parts.items() if name not in used)
    return Workbook(file=file, sheets=sheets, files={each.name: each for each in attached})


def _attach(packed: Packed, name: str, part: Part) -> AttachedFile:
    return AttachedFile(name, part.size, lambda: packed.read(part))


def _is_litter(name: str) -> bool:
    return any(mark in name for mark in _LITTER)


def _common_folder(names: Iterable[str]) -> str:
    """Return the folder, with its slash, that everything is in when a whole folder was packed; else nothing."""
    tops = {name.split("/", 1)[0] if "/" in name else "" for name in names}
    return f"{tops.pop()}/" if len(tops) == 1 and "" not in tops else ""
