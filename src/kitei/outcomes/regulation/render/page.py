"""The regulation as it stands on the page: finished text in the order it is printed, the same for Word, PDF and HTML."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class Piece:
    """A run as printed; ``anchor`` is set when it links to a place of this document."""

    text: str
    kind: str
    anchor: str = ""


@dataclass(frozen=True)
class Line:
    """One paragraph on paper. ``level``: ``article``, ``paragraph``, ``lone`` (unnumbered 附則) or ``item``; ``depth`` of an item from 1.

    ``hang`` is the room for the marker in em: the sentence starts there, and its further lines too (equal among siblings).
    """

    level: str
    marker: str
    pieces: tuple[Piece, ...]
    anchor: str = ""
    depth: int = 0
    hang: int = 1


@dataclass(frozen=True)
class ArticleView:
    """An article: ``caption`` already carries its brackets, ``heading`` is 「第1条（目的）」."""

    anchor: str
    heading: str
    caption: str
    lines: tuple[Line, ...]


@dataclass(frozen=True)
class ChapterView:
    """A chapter; ``heading`` is empty when the regulation has no chapters."""

    anchor: str
    heading: str
    articles: tuple[ArticleView, ...]


@dataclass(frozen=True)
class SupplementView:
    """One 附則."""

    anchor: str
    heading: str
    lines: tuple[Line, ...]


@dataclass(frozen=True)
class TableView:
    """A table: relative ``widths``, ``aligns`` left|center|right, every row as long as the headers."""

    caption: str
    note: str
    empty: str
    headers: tuple[str, ...]
    marks: tuple[str, ...]
    widths: tuple[float, ...]
    aligns: tuple[str, ...]
    rows: tuple[tuple[str, ...], ...]


@dataclass(frozen=True)
class AnnexView:
    """An annex: ``mark`` 規範 or 現況, ``meta`` the words after it, ``relation`` 「（第8条関係）」."""

    anchor: str
    heading: str
    relation: str
    mark: str
    meta: str
    note: str
    landscape: bool
    tables: tuple[TableView, ...]


@dataclass(frozen=True)
class ApprovalView:
    """One box of 承認欄. ``stamp_day`` and ``stamp_name`` are empty when they do not fit a stamp or nobody has decided."""

    caption: str
    name: str
    day: str
    stamp_day: str
    stamp_name: str


@dataclass(frozen=True)
class View:
    """The whole document as printed."""

    title: str
    organization: str
    number: str
    edition: str
    header: str
    watermarks: tuple[str, ...]
    facts: tuple[tuple[str, str], ...]
    approvals: tuple[ApprovalView, ...]
    history: tuple[tuple[str, str, str, str], ...]
    chapters: tuple[ChapterView, ...]
    supplements: tuple[SupplementView, ...]
    annexes: tuple[AnnexView, ...]
    has_facts: bool
