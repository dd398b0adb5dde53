"""The regulation as a tree, ready to be read, compared and rendered. Pure data: no database, no Django.

Structure follows Japanese practice: 章 Chapter > 条 Article > 項 Paragraph > 号 Item, then 附則, 別表, 改訂履歴.
Stable ``id``s never change; ``label``s (「第10条」, 「別表4」) are computed from position and differ between editions.
"""

from __future__ import annotations

import datetime as dt
from dataclasses import dataclass

from kitei.foundation.sheets.table import Nature, Rendering, Table


@dataclass(frozen=True)
class Run:
    """A piece of a sentence.

    ``kind``: ``text``; ``reference`` (``target`` = id of an article, paragraph ``article#2``, item ``article#2.1`` or
    ``annex:officers``); ``provision`` (規定値, ``target`` = its key); ``fact`` (現況値, ``target`` = its key).
    """

    text: str
    kind: str = "text"
    target: str = ""


@dataclass(frozen=True)
class Item:
    """号 or its sub-item: ``marker`` is 「（1）」 or 「ア」."""

    id: str
    marker: str
    runs: tuple[Run, ...]
    items: tuple[Item, ...] = ()


@dataclass(frozen=True)
class Paragraph:
    """項: the first carries no printed number."""

    id: str
    number: int
    runs: tuple[Run, ...]
    items: tuple[Item, ...] = ()


@dataclass(frozen=True)
class Article:
    """条 with its 見出し and the topics it states. ``page`` is set for a company's own uploaded regulation."""

    id: str
    label: str
    caption: str
    paragraphs: tuple[Paragraph, ...]
    topics: tuple[str, ...] = ()
    page: str = ""


@dataclass(frozen=True)
class Chapter:
    """章: ``label`` 「第2章」, ``title`` 「管理体制」."""

    id: str
    label: str
    title: str
    articles: tuple[Article, ...]


@dataclass(frozen=True)
class Supplement:
    """One 附則; amendments add further ones."""

    id: str
    label: str
    paragraphs: tuple[Paragraph, ...]


@dataclass(frozen=True)
class Annex:
    """別表: ``id`` 「annex:officers」, ``label`` 「別表4」. ``nature`` FACT annexes follow the registers; ``source`` names them.

    ``article`` is the citation of the article that refers to it; ``landscape`` asks for a turned page.
    """

    id: str
    label: str
    title: str
    nature: Nature
    tables: tuple[Table, ...]
    source: str = ""
    article: str = ""
    note: str = ""
    landscape: bool = False


@dataclass(frozen=True)
class HistoryRow:
    """One line of 改訂履歴."""

    edition: str
    effective_on: dt.date | None
    summary: str
    approved_by: str = ""


@dataclass(frozen=True)
class ApprovalCell:
    """One box of 承認欄: 作成 / 審査 / 承認, with who and when (empty while undecided)."""

    caption: str
    name: str = ""
    day: dt.date | None = None


@dataclass(frozen=True)
class Regulation:
    """A whole regulation as it reads on a day.

    ``edition`` is 「第1版」 or 「第2版（案）」; ``effective_on`` is None for a draft; ``era_dates`` prints 和暦 (附則 always does);
    ``as_of`` is the day the fact annexes were drawn; ``rendering`` tells internal from disclosure.
    """

    title: str
    document_number: str
    edition: str
    effective_on: dt.date | None
    organization: str
    chapters: tuple[Chapter, ...]
    supplements: tuple[Supplement, ...]
    annexes: tuple[Annex, ...]
    history: tuple[HistoryRow, ...]
    approvals: tuple[ApprovalCell, ...]
    rendering: Rendering
    as_of: dt.date
    era_dates: bool = True
    draft: bool = False

    @property
    def articles(self) -> tuple[Article, ...]:
        """All articles in order."""
        return tuple(article for chapter in self.chapters for article in chapter.articles)
