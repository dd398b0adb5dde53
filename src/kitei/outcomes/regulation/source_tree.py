"""What the text of a regulation says, as written: before numbers are counted and values filled in.

``source.py`` reads and writes it, ``compose.py`` makes the printed tree (``model.py``) of it.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from enum import StrEnum

from kitei.foundation.text import Message
from kitei.outcomes.regulation.model import Run

ANNEX_PREFIX = "annex:"
NO_UNIT = "-"
"""What stands for 「no unit」 in the text."""


class AnnexNature(StrEnum):
    """What an annex is made of; the value is the word written in the text."""

    PROVISION = "規範"  # text only: changed by revision
    FACT = "現況"  # drawn from registers
    MIXED = "規範・現況"  # tables (or columns) of both natures


@dataclass(frozen=True)
class Clause:
    """One 項, 号 or 細目: its sentence and the 号 or 細目 under it. References and values in ``runs`` have no text yet."""

    runs: tuple[Run, ...]
    items: tuple[Clause, ...] = ()


@dataclass(frozen=True)
class SourceArticle:
    """One 条. ``branch``: 第5条の2 after 第5条. ``deleted``: only keeps its number (第5条　削除)."""

    id: str
    caption: str
    topics: tuple[str, ...] = ()
    paragraphs: tuple[Clause, ...] = ()
    branch: bool = False
    deleted: bool = False


@dataclass(frozen=True)
class SourceChapter:
    """One 章; ``branch`` as with articles."""

    id: str
    title: str
    articles: tuple[SourceArticle, ...]
    branch: bool = False


@dataclass(frozen=True)
class SourceSupplement:
    """One 附則; ``title`` stands in brackets behind the word (empty for the first)."""

    id: str
    title: str
    paragraphs: tuple[Clause, ...]


@dataclass(frozen=True)
class SourceTable:
    """A table written in the text, and therefore 規範. ``columns`` are (header, relative width)."""

    caption: str
    columns: tuple[tuple[str, int], ...]
    rows: tuple[tuple[tuple[Run, ...], ...], ...] = ()


@dataclass(frozen=True)
class SourceAnnex:
    """The declaration of a 別表: ``number`` is printed (「4」, 「4の2」); ``tables`` are those written in the text."""

    id: str
    number: str
    title: str
    nature: AnnexNature
    tables: tuple[SourceTable, ...] = ()
    note: str = ""
    landscape: bool = False


@dataclass(frozen=True)
class ProvisionDeclaration:
    """規定値: a value that changes by revision only. It prints as value and unit (「5年」)."""

    key: str
    value: int | str
    unit: str
    name: str


@dataclass(frozen=True)
class Source:
    """A whole regulation as written."""

    title: str
    provisions: tuple[ProvisionDeclaration, ...] = ()
    chapters: tuple[SourceChapter, ...] = ()
    supplements: tuple[SourceSupplement, ...] = ()
    annexes: tuple[SourceAnnex, ...] = ()

    @property
    def articles(self) -> tuple[SourceArticle, ...]:
        """All articles in order."""
        return tuple(article for chapter in self.chapters for article in chapter.articles)


def clauses(article_id: str, paragraphs: tuple[Clause, ...]) -> Iterator[tuple[str, Clause]]:
    """Yield every 項, 号 and 細目 of an article with its id: ``a#2``, ``a#2.1``, ``a#2.1.3``."""
    for number, paragraph in enumerate(paragraphs, 1):
        yield f"{article_id}#{number}", paragraph
        for place, item in enumerate(paragraph.items, 1):
            yield f"{article_id}#{number}.{place}", item
            for sub, subitem in enumerate(item.items, 1):
                yield f"{article_id}#{number}.{place}.{sub}", subitem


def targets(source: Source) -> set[str]:
    """Return everything a reference may name; a deleted article is not among it."""
    found = {f"{ANNEX_PREFIX}{annex.id}" for annex in source.annexes}
    for article in source.articles:
        if not article.deleted:
            found.add(article.id)
            found.update(key for key, _clause in clauses(article.id, article.paragraphs))
    return found


def undefined(run: Run, *, known: set[str], provisions: set[str]) -> Message | None:
    """Say what is wrong when a run names something that does not exist, else None."""
    if run.kind == "reference" and run.target not in known:
        return Message(
            "参照先「%(target)s」がありません。条・項・号又は別表の識別子を確かめてください。", {"target": run.target}
        )
    if run.kind == "provision" and run.target not in provisions:
        return Message(
            "規定値「%(key)s」が宣言されていません。先頭に「規定値 %(key)s = 値 単位 名称」の行を加えてください。",
            {"key": run.target},
        )
    return None
