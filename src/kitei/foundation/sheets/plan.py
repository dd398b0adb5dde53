"""What an import would do, row by row, before anything is saved."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from kitei.foundation.sheets.grid import AttachedFile
from kitei.foundation.sheets.spec import Changes, SheetSpec
from kitei.foundation.text import Message

ERRORS_KEPT = 200


@dataclass(frozen=True)
class Issue:
    """One fault of the file and its place. ``row`` is 1-based; 0, and empty texts, where the fault has no such place."""

    message: Message
    sheet: str = ""
    row: int = 0
    letter: str = ""
    header: str = ""

    @property
    def place(self) -> Message:
        """Return where it is, for a person: sheet, row, column letter and header."""
        given = {"sheet": self.sheet, "row": self.row, "letter": self.letter, "header": self.header}
        if not self.sheet:
            return Message("")
        if self.row and self.letter:
            return Message("シート「%(sheet)s」%(row)s行目 %(letter)s列「%(header)s」", given)
        if self.row and self.header:
            return Message("シート「%(sheet)s」%(row)s行目「%(header)s」", given)
        if self.row:
            return Message("シート「%(sheet)s」%(row)s行目", given)
        return Message("シート「%(sheet)s」", given)

    def render(self) -> str:
        """Return place and message in the active language."""
        if not self.sheet:
            return self.message.render()
        return Message("%(place)s：%(message)s", {"place": self.place, "message": self.message}).render()

    def to_json(self) -> dict[str, Any]:
        """Return a JSON-ready form that ``from_json`` reads back to an equal issue."""
        return {
            "message": self.message.to_json(),
            "sheet": self.sheet,
            "row": self.row,
            "letter": self.letter,
            "header": self.header,
        }

    @classmethod
    def from_json(cls, data: Mapping[str, Any]) -> Issue:
        """Read what ``to_json`` wrote."""
        return cls(**{**data, "message": Message.from_json(data["message"])})


class Issues:
    """Collects faults: all are counted, the first ``ERRORS_KEPT`` kept."""

    def __init__(self) -> None:
        self.kept: list[Issue] = []
        self.count = 0

    def add(self, issue: Issue) -> None:
        """Count one fault."""
        self.count += 1
        if len(self.kept) < ERRORS_KEPT:
            self.kept.append(issue)


@dataclass(frozen=True)
class FieldChange:
    """One column of a changed row, with the values before and after."""

    column: str
    before: Any
    after: Any


@dataclass(frozen=True)
class Added:
    """A row the import would add; ``row`` is its 1-based place in the file."""

    row: int
    key: str
    values: dict[str, Any]


@dataclass(frozen=True)
class Changed:
    """A row the import would change. ``before`` and ``after`` hold all columns, ``fields`` only what differs."""

    row: int
    key: str
    before: dict[str, Any]
    after: dict[str, Any]
    fields: Sequence[FieldChange]


@dataclass
class SheetPlan:
    """The plan of one register. ``stale`` are rows nobody touched in the file, though Kitei has moved on: left alone."""

    spec: SheetSpec
    sheet: str
    header_row: int
    added: list[Added] = field(default_factory=list)
    changed: list[Changed] = field(default_factory=list)
    unchanged: int = 0
    stale: list[str] = field(default_factory=list)


@dataclass(frozen=True)
class Plan:
    """What an import would do. ``errors`` holds the first faults, ``error_count`` is their number; ``notes`` are facts."""

    sheets: Mapping[str, SheetPlan]
    errors: Sequence[Issue]
    error_count: int
    notes: Sequence[Issue]
    files: Mapping[str, AttachedFile] = field(default_factory=dict)

    @property
    def ok(self) -> bool:
        """Tell whether the import may be applied."""
        return self.error_count == 0

    @property
    def counts(self) -> dict[str, int]:
        """Return ``added``, ``changed``, ``unchanged`` and ``errors`` over all sheets."""
        plans = self.sheets.values()
        return {
            "added": sum(len(each.added) for each in plans),
            "changed": sum(len(each.changed) for each in plans),
            "unchanged": sum(each.unchanged for each in plans),
            "errors": self.error_count,
        }

    def changes(self, spec_key: str) -> Changes:
        """Return what ``SheetSpec.apply`` takes; empty for a register that is not in the file. ValueError if not ``ok``."""
        if not self.ok:
            raise ValueError("an import with errors is not applied")
        sheet = self.sheets.get(spec_key)
        if sheet is None:
            return Changes(added=(), changed=())
        return Changes(
            added=[row.values for row in sheet.added],
            changed=[(row.key, row.before, row.after) for row in sheet.changed],
            files=self.files,
        )
