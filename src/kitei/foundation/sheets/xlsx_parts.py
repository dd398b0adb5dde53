"""What must be known of an xlsx before and beside calamine.

Before: that no sheet is larger than accepted. calamine lays a sheet out as one dense block, so a single cell at XFD1048576
would ask for hundreds of gigabytes. Beside: calamine gives an empty cell for an error value and for a formula without a
stored result, and does not tell which text its writer marked as text.
"""

from __future__ import annotations

import posixpath
import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from html import unescape

from kitei.foundation.sheets.grid import Fault, Limits, column_index
from kitei.foundation.sheets.packed import Packed, damaged
from kitei.foundation.text import Message, UserError

WORKBOOK = "xl/workbook.xml"
_ROW_MAX = 16 * 1024 * 1024  # bytes of XML in one row; a row of 300 full cells stays far below
_NEVER = re.compile(rb"<!\s*(?:DOCTYPE|ENTITY)")
_OVERLAP = 32

_P = rb"<(?:\w{1,20}:)?"  # some writers put a namespace prefix before every name
# Cells with content; a self-closing cell is formatting only. Attribute lengths are bounded to keep matching linear.
_FILLED = re.compile(_P + rb"c(?:\s[^<>]{0,400})?(?<!/)>")
_PLACED = re.compile(_P + rb'c\s(?:[^<>]{0,200}?\s)??r\s*=\s*["\']([A-Za-z]{1,3})([0-9]{1,7})["\'][^<>]{0,200}(?<!/)>')
_ROW = re.compile(_P + rb'row\s(?:[^<>]{0,200}?\s)??r\s*=\s*["\']([0-9]{1,9})["\']')
_REF = re.compile(rb'(?:^|\s)r\s*=\s*["\']([A-Za-z]{1,3})([0-9]{1,7})["\']')
_HAS_REF = re.compile(rb"\sr\s*=")
_ERROR = re.compile(_P + rb'c(\s[^<>]{0,200}\bt\s*=\s*["\']e["\'][^<>]{0,200})>')
_UNCALCULATED = re.compile(
    _P + rb"c(\s[^<>]{0,400})?>\s*" + _P + rb"f(?:\s[^<>]{0,400})?(?:/>|>[^<]*</(?:\w{1,20}:)?f>)\s*"
    rb"(?:<(?:\w{1,20}:)?v\s*/>|<(?:\w{1,20}:)?v\s*>\s*</(?:\w{1,20}:)?v>)?\s*</(?:\w{1,20}:)?c>"
)
_TYPE_TEXT = re.compile(rb'\bt\s*=\s*["\']str["\']')
_SHEET = re.compile(_P + rb"sheet(\s[^<>]*?)/?>")
_RELATION = re.compile(_P + rb"Relationship(\s[^<>]*?)/?>")
_ATTRIBUTE = re.compile(rb'([\w:]+)\s*=\s*(?:"([^"]*)"|\'([^\']*)\')')
_FORMATS = re.compile(_P + rb"cellXfs\b.*?</(?:\w{1,20}:)?cellXfs>", re.DOTALL)
_FORMAT = re.compile(_P + rb"xf(\s[^<>]*?)/?>")


@dataclass
class SheetFacts:
    """Places (0-based row, column) of one sheet that calamine does not tell apart."""

    faults: dict[tuple[int, int], Fault] = field(default_factory=dict)
    literals: set[tuple[int, int]] = field(default_factory=set)


def inspect(packed: Packed, *, limits: Limits) -> dict[str, SheetFacts]:
    """Check every part of the workbook and return the facts by sheet name; UserError on any refusal."""
    names = _sheet_parts(packed)
    if len(names) > limits.sheets:
        raise UserError(
            Message(
                "「%(file)s」のシートの数が、上限の%(limit)s枚を超えています。不要なシートを削除してください。",
                {"file": packed.file, "limit": limits.sheets},
            )
        )
    styles = packed.parts.get("xl/styles.xml")
    marked = _marked_formats(packed.read(styles)) if styles is not None else frozenset()
    facts: dict[str, SheetFacts] = {}
    cells = 0
    for name, part in packed.parts.items():
        sheet = names.get(name)
        if sheet is not None:
            scan = _Scan(sheet, marked, limits)
            for piece in _checked(packed, name):
                scan.feed(piece)
            scan.finish()
            cells += scan.rows * scan.columns
            if cells > limits.cells:
                raise UserError(
                    Message(
                        "「%(file)s」の表が大きすぎます（全シートの行数×列数の合計の上限は%(limit)sです）。いくつかのファイルに分けてください。",
                        {"file": packed.file, "limit": f"{limits.cells:,}"},
                    )
                )
            facts[sheet] = scan.facts
        elif part.name.endswith((".xml", ".rels", ".vml")):
            for _piece in _checked(packed, name):
                pass
        else:
            for _piece in packed.stream(part):
                pass
    return facts


def _checked(packed: Packed, name: str) -> Iterator[bytes]:
    """Yield the pieces of an XML part; refuse declared entities (billion laughs) and encodings that could hide them."""
    tail = b""
    first = True
    for piece in packed.stream(packed.parts[name]):
        if first and not piece.removeprefix(b"\xef\xbb\xbf").lstrip().startswith(b"<"):
            raise damaged(packed.file)
        first = False
        if _NEVER.search(tail + piece):
            raise UserError(
                Message(
                    "「%(file)s」には、Excelが作らない宣言（DOCTYPE）が含まれているため、安全のため読み取りませんでした。Excelで開き、新しいブックとして保存し直してください。",
                    {"file": packed.file},
                )
            )
        tail = piece[-_OVERLAP:]
        yield piece


def _attributes(text: bytes) -> dict[str, str]:
    return {
        name.decode(): unescape((double or single).decode("utf-8", "replace"))
        for name, double, single in _ATTRIBUTE.findall(text)
    }


def _sheet_parts(packed: Packed) -> dict[str, str]:
    """Return sheet names by part name."""
    book = packed.parts.get(WORKBOOK)
    relations = packed.parts.get("xl/_rels/workbook.xml.rels")
    if book is None or relations is None:
        raise damaged(packed.file)
    targets: dict[str, str] = {}
    for found in _RELATION.findall(b"".join(_checked(packed, relations.name))):
        given = _attributes(found)
        target = given.get("Target", "")
        targets[given.get("Id", "")] = (
            target.lstrip("/") if target.startswith("/") else posixpath.normpath(posixpath.join("xl", target))
        )
    names: dict[str, str] = {}
    for found in _SHEET.findall(b"".join(_checked(packed, book.name))):
        given = _attributes(found)
        relation = next((value for name, value in given.items() if name.endswith(":id")), "")
        target = targets.get(relation, "")
        if target in packed.parts:
            names[target] = given.get("name", "")
    if not names:
        raise damaged(packed.file)
    return names


def _marked_formats(styles: bytes) -> frozenset[bytes]:
    """Return the style numbers whose text carries Excel's leading apostrophe."""
    block = _FORMATS.search(styles)
    if block is None or b"quotePrefix" not in block[0]:
        return frozenset()
    return frozenset(
        str(number).encode()
        for number, found in enumerate(_FORMAT.findall(block[0]))
        if _attributes(found).get("quotePrefix", "0") in {"1", "true"}
    )


class _Scan:
    """Reads one sheet's XML in pieces, a few whole rows at a time."""

    def __init__(self, sheet: str, marked: frozenset[bytes], limits: Limits) -> None:
        self.facts = SheetFacts()
        self.rows = 0
        self.columns = 0
        self._sheet = sheet
        self._limits = limits
        self._rest = b""
        self._letters: set[bytes] = set()
        styles = b"|".join(sorted(marked))
        self._literal = (
            re.compile(_P + rb'c(\s[^<>]{0,200}\bs\s*=\s*["\'](?:' + styles + rb')["\'][^<>]{0,200})>')
            if marked
            else None
        )

    def feed(self, piece: bytes) -> None:
        """Take the next piece; UserError as soon as the sheet is too large."""
        text = self._rest + piece
        cut = text.rfind(b"row>") + 4
        if cut < 4:  # noqa: PLR2004 - no row ends here
            if len(text) > _ROW_MAX:
                raise self._too_large()
            self._rest = text
            return
        self._rest = text[cut:]
        self._read(text[:cut])

    def finish(self) -> None:
        """Read what is left after the last row."""
        self._read(self._rest)
        self._rest = b""

    def _read(self, text: bytes) -> None:
        placed = _PLACED.findall(text)
        last = 0
        if placed:
            fresh = {letters.upper() for letters, _row in placed} - self._letters
            self._letters |= fresh
            for letters in fresh:
                self.columns = max(self.columns, column_index(letters.decode()) + 1)
            last = max(int(row) for _letters, row in placed)
        filled = _FILLED.findall(text)
        if len(filled) != len(placed):
            # Cells without an address stand where the row and the cells before them put them.
            if any(_HAS_REF.search(cell) and not _REF.search(cell[:-1]) for cell in filled):
                raise self._too_large()
            last = max([last, *(int(row) for row in _ROW.findall(text))])
        self.rows = max(self.rows, last)
        if self.rows > self._limits.rows or self.columns > self._limits.columns:
            raise self._too_large()
        if b'"e"' in text or b"'e'" in text:
            self._mark(_ERROR, text, Fault.ERROR_VALUE)
        if b"<f" in text or b":f" in text:
            self._mark(_UNCALCULATED, text, Fault.UNCALCULATED)
        if self._literal is not None:
            self.facts.literals.update(self._places(self._literal, text))

    def _mark(self, pattern: re.Pattern[bytes], text: bytes, fault: Fault) -> None:
        for place in self._places(pattern, text, skip=_TYPE_TEXT if fault is Fault.UNCALCULATED else None):
            self.facts.faults[place] = fault

    @staticmethod
    def _places(
        pattern: re.Pattern[bytes], text: bytes, skip: re.Pattern[bytes] | None = None
    ) -> Iterator[tuple[int, int]]:
        for attributes in pattern.findall(text):
            if skip is not None and skip.search(attributes):
                continue  # a formula whose result is the empty text
            found = _REF.search(attributes)
            if found is not None:
                yield int(found[2]) - 1, column_index(found[1].decode())

    def _too_large(self) -> UserError:
        if self.rows > self._limits.rows:
            return too_many_rows(self._sheet, self._limits)
        return too_many_columns(self._sheet, self._limits)


def too_many_rows(sheet: str, limits: Limits) -> UserError:
    """Return the refusal of a sheet with more rows than accepted."""
    return UserError(
        Message(
            "シート「%(sheet)s」の行数が、上限の%(limit)s行を超えています。不要な行を削除するか、いくつかのファイルに分けてください。",
            {"sheet": sheet, "limit": f"{limits.rows:,}"},
        )
    )


def too_many_columns(sheet: str, limits: Limits) -> UserError:
    """Return the refusal of a sheet with more columns than accepted."""
    return UserError(
        Message(
            "シート「%(sheet)s」の列数が、上限の%(limit)s列を超えています。不要な列を削除してください。",
            {"sheet": sheet, "limit": limits.columns},
        )
    )
