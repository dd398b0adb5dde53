"""How a register describes the sheet it reads and writes.

A register declares one ``SheetSpec`` per sheet and registers it when its app starts. Import, export, the explained
template, saved column mappings and the row-by-row preview are made from that description alone, so a register holds no
spreadsheet code of its own.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Any, Protocol

from kitei.foundation.text import Message


class Kind(StrEnum):
    """What a cell holds and how it is read."""

    TEXT = "text"  # NFC, trimmed, inner line ends kept
    CODE = "code"  # an identifier: text with leading zeros kept, no inner white space, folded to half width
    INTEGER = "integer"
    DATE = "date"  # typed in any Japanese way
    YESNO = "yesno"  # はい/いいえ, 有/無, ○/×, 1/0
    CHOICE = "choice"  # one of ``choices``
    REF = "ref"  # the key of a row on sheet ``refers``
    REFS = "refs"  # several of them, separated by 、 , or line ends
    FILE = "file"  # the name of a file attached in the zip, or of one that is kept already


@dataclass(frozen=True)
class Choice:
    """One accepted value of a CHOICE column: stored ``value``, shown ``ja``/``en``, also read as any of ``aliases``."""

    value: str
    ja: str
    en: str
    aliases: tuple[str, ...] = ()


@dataclass(frozen=True)
class Column:
    """One column of a sheet. ``aliases`` are other headers it is recognised by; ``help_*`` stands in the template."""

    key: str
    ja: str
    en: str
    kind: Kind = Kind.TEXT
    required: bool = False
    help_ja: str = ""
    help_en: str = ""
    choices: tuple[Choice, ...] = ()
    refers: str = ""
    aliases: tuple[str, ...] = ()
    max_length: int = 2000
    minimum: int | None = None
    maximum: int | None = None
    default: Any = None
    example: str = ""
    width: int = 16


@dataclass(frozen=True)
class Problem:
    """A fault of one row that its register found across columns: ``column`` is the key of the column to mend."""

    column: str
    message: Message


@dataclass(frozen=True)
class Changes:
    """What an import does to one register: rows to add, and rows to change as (key, before, after).

    ``files`` are the attached files that the rows name, by the name in the row (``grid.AttachedFile``: name, size, read).
    """

    added: Sequence[dict[str, Any]]
    changed: Sequence[tuple[str, dict[str, Any], dict[str, Any]]]
    files: Mapping[str, Any] = field(default_factory=dict)


class Existing(Protocol):
    """Reads a register's current rows for comparison and export."""

    def __call__(self, *, organization: Any, keys: Collection[str] | None) -> Mapping[str, dict[str, Any]]:
        """Return key -> values for the given keys (None: all rows), in the register's natural order."""


class Apply(Protocol):
    """Writes an import's changes through the register's operations; joins the caller's transaction."""

    def __call__(self, *, actor: Any, organization: Any, changes: Changes) -> None:
        """Apply all changes or raise."""


@dataclass(frozen=True)
class SheetSpec:
    """One sheet of the workbook.

    ``identity`` names the column whose text identifies a row (unique inside the organization). ``order`` places the
    sheet in the workbook; a REF may only point to sheets of a smaller order, or to its own sheet.
    """

    key: str
    ja: str
    en: str
    identity: str
    columns: tuple[Column, ...]
    existing: Existing
    apply: Apply
    order: int
    check: Callable[[dict[str, Any]], Iterable[Problem]] = lambda _values: ()
    check_all: Callable[[Any, Mapping[str, dict[str, Any]], Collection[str]], Iterable[tuple[str, Problem]]] | None = (
        None
    )
    """Rules across rows: (organization, all rows after import by key, keys this file touches) -> (row key, problem)."""
    intro_ja: str = ""
    intro_en: str = ""
    single: bool = False
    """True when the sheet holds exactly one row (会社)."""
    aliases: tuple[str, ...] = field(default_factory=tuple)

    def column(self, key: str) -> Column:
        """Return the column called ``key``; KeyError if there is none."""
        for column in self.columns:
            if column.key == key:
                return column
        raise KeyError(key)


_registry: dict[str, SheetSpec] = {}


def register(spec: SheetSpec) -> SheetSpec:
    """Make a sheet known; called from an app's ``ready``. A second registration under one key replaces nothing: ValueError."""
    known = _registry.get(spec.key)
    if known is not None and known is not spec:
        raise ValueError(f"sheet {spec.key} is registered twice")
    _registry[spec.key] = spec
    return spec


def specs() -> tuple[SheetSpec, ...]:
    """Return every registered sheet in workbook order."""
    return tuple(sorted(_registry.values(), key=lambda spec: spec.order))


def get(key: str) -> SheetSpec:
    """Return the sheet called ``key``; KeyError if there is none."""
    return _registry[key]
