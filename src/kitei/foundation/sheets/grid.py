"""What was read from a file, before any register has looked at it: sheets of raw cells, each at its place."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Any

from kitei.foundation.text import Message


@dataclass(frozen=True)
class Limits:
    """How much of a file is accepted. They are checked before anything is parsed.

    Sizes are bytes. ``ratio`` is unpacked : packed of one part of a zip; it counts only from ``ratio_from`` bytes on,
    because small parts of honest workbooks are very regular. ``cells`` is rows x columns, summed over all sheets.
    """

    file_bytes: int = 50 * 1024 * 1024
    unpacked_bytes: int = 300 * 1024 * 1024
    ratio: int = 200
    ratio_from: int = 8 * 1024 * 1024
    entries: int = 5_000
    sheets: int = 100
    rows: int = 50_000
    columns: int = 300
    cells: int = 3_000_000


class Fault(StrEnum):
    """A cell whose value cannot be known."""

    ERROR_VALUE = "error"  # #REF!, #N/A, ...
    UNCALCULATED = "uncalculated"  # a formula without a stored result


class Literal(str):
    """Text whose writer marked it as text (Excel's leading apostrophe), so it is not taken for a formula."""

    __slots__ = ()


def letter(index: int) -> str:
    """Return the column letter of the 0-based ``index``: 0 is A, 26 is AA."""
    name = ""
    index += 1
    while index:
        index, rest = divmod(index - 1, 26)
        name = chr(65 + rest) + name
    return name


def column_index(name: str) -> int:
    """Return the 0-based index of a column letter such as ``AA``; ValueError unless it is one to three letters."""
    if not (1 <= len(name) <= 3 and name.isascii() and name.isalpha()):  # noqa: PLR2004 - XFD is the last column
        raise ValueError(name)
    index = 0
    for char in name.upper():
        index = index * 26 + ord(char) - 64
    return index - 1


@dataclass(frozen=True)
class Merge:
    """A merged range; 0-based, both ends inside."""

    top: int
    left: int
    bottom: int
    right: int

    def __str__(self) -> str:
        return f"{letter(self.left)}{self.top + 1}:{letter(self.right)}{self.bottom + 1}"


@dataclass(frozen=True)
class Grid:
    """One sheet. ``rows[0]`` is row 1 of the sheet and ``rows[n][0]`` its column A; rows may be of unequal length.

    A cell is str, Literal, int, float, bool, date, datetime, time, timedelta, Fault, or ``""`` when empty.
    """

    name: str
    rows: Sequence[Sequence[Any]]
    merges: Sequence[Merge] = ()


@dataclass(frozen=True)
class AttachedFile:
    """A file that came in the zip beside the workbook. ``name`` is relative, NFC, with ``/``; ``size`` is bytes."""

    name: str
    size: int
    _read: Callable[[], bytes] = field(repr=False, compare=False)

    def read(self) -> bytes:
        """Return the content; UserError when the zip is damaged there."""
        return self._read()


@dataclass(frozen=True)
class Workbook:
    """All that one import file held. ``file`` is its name for messages."""

    file: str
    sheets: Sequence[Grid]
    files: Mapping[str, AttachedFile] = field(default_factory=dict)
    notes: Sequence[Message] = ()


def attached_file(workbook: Workbook, name: str) -> AttachedFile | None:
    """Return the attached file called ``name``: its path in the zip, or its bare name where only one file has it."""
    if name in workbook.files:
        return workbook.files[name]
    bare = [each for path, each in workbook.files.items() if path.rsplit("/", 1)[-1] == name]
    return bare[0] if len(bare) == 1 else None
