"""What the three renderers share: the regulation laid out as lines of finished Japanese text.

The tree (``model.Regulation``) says what the regulation *is*; the ``View`` made here says what stands on the page, once for
Word, PDF and HTML: markers, captions, dates in the chosen calendar, anchors of references. Layout rules follow the practice
of Japanese statutes (法令型): a caption line above the article, the first 項 without a number, 号 as （1）.
"""

from __future__ import annotations

import datetime as dt
import math
import re
import unicodedata
from collections.abc import Iterator

from kitei.foundation.dates.japanese import format_date
from kitei.foundation.sheets.table import Nature, Rendering, Table
from kitei.outcomes.regulation.model import (
    Annex,
    Article,
    Chapter,
    HistoryRow,
    Item,
    Paragraph,
    Regulation,
    Run,
    Supplement,
)
from kitei.outcomes.regulation.render.page import (
    AnnexView,
    ApprovalView,
    ArticleView,
    ChapterView,
    Line,
    Piece,
    SupplementView,
    TableView,
    View,
)
from kitei.outcomes.regulation.render.places import refuse_control_characters

TOKYO = dt.timezone(dt.timedelta(hours=9), "JST")
SPACE = "\u3000"  # the full-width space between a marker and its sentence
# Anchors of the document's own parts; an article never takes them.
FIXED_ANCHORS = ("top", "contents", "history", "body", "supplements", "annexes")
_STAMP_NAME_MAX = 4  # longer names do not fit into a round date stamp


class Anchors:
    """Names for the places a reference can point to, stable as long as the ids are."""

    def __init__(self, regulation: Regulation) -> None:
        self._names: dict[str, str] = {}
        self._used = set(FIXED_ANCHORS)
        self._claimed: set[str] = set()
        for chapter in regulation.chapters:
            self._add(f"chapter:{chapter.id}")
            for article in chapter.articles:
                self._add(article.id)
                self._add_paragraphs(article.id, article.paragraphs)
        for supplement in regulation.supplements:
            self._add(supplement.id)
            self._add_paragraphs(supplement.id, supplement.paragraphs)
        for annex in regulation.annexes:
            self._add(annex.id)

    def of(self, target: str) -> str:
        """Return the anchor of ``target``; a finer target falls back to its article or annex, an unknown one to no link."""
        return self._names.get(target) or self._names.get(target.split("#", 1)[0], "")

    def claim(self, target: str) -> str:
        """Return the anchor that stands at ``target`` itself, once: no place is marked twice, even in a faulty tree."""
        name = self._names.get(target, "")
        if name in self._claimed:
            return ""
        self._claimed.add(name)
        return name

    def _add(self, target: str, same_as: str = "") -> None:
        if target in self._names:
            return
        if same_as:
            self._names[target] = self._names[same_as]
            return
        base = re.sub(r"[^\w-]+", "-", target).strip("-") or "part"
        name, count = base, 2
        while name in self._used:
            name, count = f"{base}-{count}", count + 1
        self._used.add(name)
        self._names[target] = name

    def _add_paragraphs(self, owner: str, paragraphs: tuple[Paragraph, ...]) -> None:
        for paragraph in paragraphs:
            target = f"{owner}#{paragraph.number}"
            self._add(target)
            self._add(paragraph.id, same_as=target)
            for count, item in enumerate(paragraph.items, start=1):
                self._add(f"{target}.{count}")
                self._add(item.id, same_as=f"{target}.{count}")


def japanese_date(day: dt.date | None, *, era: bool, missing: str = "") -> str:
    """Return a day as printed, or ``missing``."""
    return format_date(day, era=era) if day else missing


def view(regulation: Regulation) -> View:
    """Lay the tree out as finished text.

    Raises:
        UserError: a text holds a control character, which neither Word nor PDF can carry.
    """
    anchors = Anchors(regulation)
    era = regulation.era_dates
    disclosure = regulation.rendering is Rendering.DISCLOSURE
    watermarks = tuple(word for word, on in (("案", regulation.draft), ("開示版", disclosure)) if on)
    edition = regulation.edition
    if regulation.draft and "案" not in edition:
        edition = f"{edition}（案）"
    if disclosure and "開示版" not in edition:
        edition = f"{edition}［開示版］"
    chapters = tuple(_chapter(chapter, anchors) for chapter in regulation.chapters)
    made = View(
        title=regulation.title,
        organization=regulation.organization,
        number=regulation.document_number,
        edition=edition,
        header=SPACE.join(part for part in (regulation.document_number, edition) if part),
        watermarks=watermarks,
        facts=_cover_facts(regulation, edition),
        approvals=tuple(
            _approval(cell.caption, cell.name, japanese_date(cell.day, era=era)) for cell in regulation.approvals
        ),
        history=tuple(_history(row, era=era) for row in regulation.history),
        chapters=chapters,
        supplements=tuple(_supplement(supplement, anchors) for supplement in regulation.supplements),
        annexes=tuple(_annex(annex, anchors, regulation) for annex in regulation.annexes),
        has_facts=any(
            piece.kind == "fact"
            for chapter in chapters
            for article in chapter.articles
            for line in article.lines
            for piece in line.pieces
        ),
    )
    refuse_control_characters(made)
    return made


def bracketed(caption: str) -> str:
    """Return a caption in full-width brackets, whether or not it came with them."""
    return f"（{caption.strip('（）()')}）" if caption else ""


def _clean(text: str) -> str:
    return text.replace("\r\n", "\n").replace("\r", "\n")


def _cover_facts(regulation: Regulation, edition: str) -> tuple[tuple[str, str], ...]:
    era = regulation.era_dates
    enacted = min((row.effective_on for row in regulation.history if row.effective_on), default=regulation.effective_on)
    facts = [
        ("文書番号", regulation.document_number),
        ("版", edition),
        ("制定日", japanese_date(enacted, era=era, missing="未定")),
        ("施行日", japanese_date(regulation.effective_on, era=era, missing="未定")),
    ]
    if any(annex.nature is Nature.FACT for annex in regulation.annexes):
        facts.append(("現況の基準日", japanese_date(regulation.as_of, era=era)))
    return tuple((label, value) for label, value in facts if value)


def _approval(caption: str, name: str, day: str) -> ApprovalView:
    numbers = re.findall(r"\d+|元", day)
    family = re.split(r"[\s\u3000]", name.strip(), maxsplit=1)[0] if name.strip() else ""
    return ApprovalView(
        caption=caption,
        name=name,
        day=day,
        stamp_day=".".join("1" if part == "元" else part for part in numbers),
        stamp_name=family if len(family) <= _STAMP_NAME_MAX else "",
    )


def _history(row: HistoryRow, *, era: bool) -> tuple[str, str, str, str]:
    return (
        row.edition,
        japanese_date(row.effective_on, era=era, missing="未定"),
        _clean(row.summary),
        row.approved_by,
    )


def _chapter(chapter: Chapter, anchors: Anchors) -> ChapterView:
    return ChapterView(
        anchor=anchors.claim(f"chapter:{chapter.id}"),
        heading=SPACE.join(part for part in (chapter.label, chapter.title) if part),
        articles=tuple(_article(article, anchors) for article in chapter.articles),
    )


def _article(article: Article, anchors: Anchors) -> ArticleView:
    caption, anchor = bracketed(article.caption), anchors.claim(article.id)
    lines: tuple[Line, ...]
    if article.paragraphs:
        lines = tuple(_lines(article.id, article.paragraphs, anchors, first=article.label))
    else:  # a company's own regulation: its text stands in the uploaded original
        words = f"（本文は、原本{article.page}頁のとおり）" if article.page else ""
        lines = (Line("article", article.label, (Piece(words, "text"),)),)
    return ArticleView(anchor, f"{article.label}{caption}", caption, lines)


def _supplement(supplement: Supplement, anchors: Anchors) -> SupplementView:
    anchor = anchors.claim(supplement.id)
    several = len(supplement.paragraphs) > 1
    lines = _lines(supplement.id, supplement.paragraphs, anchors, first="1" if several else "")
    heading = re.sub(r"^附則", f"附{SPACE}則", supplement.label)
    return SupplementView(anchor, heading, tuple(lines))


def _lines(owner: str, paragraphs: tuple[Paragraph, ...], anchors: Anchors, *, first: str) -> Iterator[Line]:
    """Yield the lines of an article or 附則; ``first`` is the marker of the first 項 (a label, 「1」 or nothing)."""
    for count, paragraph in enumerate(paragraphs):
        target = f"{owner}#{paragraph.number}"
        marker = first if count == 0 else str(paragraph.number)
        level = "paragraph"
        if count == 0 and not first:
            level = "lone"
        elif count == 0 and not first.isdecimal():
            level = "article"
        yield Line(level, marker, _pieces(paragraph.runs, anchors), anchors.claim(target))
        yield from _items(target, paragraph.items, anchors, depth=1)


def _items(owner: str, items: tuple[Item, ...], anchors: Anchors, *, depth: int) -> Iterator[Line]:
    hang = max((_room(item.marker) for item in items), default=1)
    for count, item in enumerate(items, start=1):
        anchor = anchors.claim(f"{owner}.{count}") if depth == 1 else ""
        yield Line("item", item.marker, _pieces(item.runs, anchors), anchor, depth, hang)
        yield from _items(f"{owner}.{count}", item.items, anchors, depth=depth + 1)


def _room(marker: str) -> int:
    """Return the whole number of em a marker and the gap after it need (half-width figures are set at 0.56 em)."""
    wide = sum(1.0 if unicodedata.east_asian_width(character) in "WF" else 0.56 for character in marker)
    return math.ceil(wide + 0.3)


def _pieces(runs: tuple[Run, ...], anchors: Anchors) -> tuple[Piece, ...]:
    return tuple(
        Piece(_clean(run.text), run.kind, anchors.of(run.target) if run.kind == "reference" else "")
        for run in runs
        if run.text
    )


_MARKS = {Nature.PROVISION: "規範", Nature.FACT: "現況"}


def _annex(annex: Annex, anchors: Anchors, regulation: Regulation) -> AnnexView:
    source = annex.source or "、".join(dict.fromkeys(name for table in annex.tables for name in table.sources))
    day = japanese_date(regulation.as_of, era=regulation.era_dates)
    parts = []
    if annex.nature is Nature.FACT:
        parts.append(f"基準日：{day}")
    if source:
        parts.append(f"出典：{source}")
    relation = annex.article.strip("（）()")
    if relation and not relation.endswith("関係"):
        relation = f"{relation}関係"
    tables = tuple(_table(table, annex.nature, day) for table in annex.tables)
    return AnnexView(
        anchor=anchors.claim(annex.id),
        heading=SPACE.join(part for part in (annex.label, annex.title) if part),
        relation=bracketed(relation),
        mark=_MARKS[annex.nature],
        meta=SPACE.join(parts),
        note=_clean(annex.note),
        landscape=annex.landscape,
        tables=tables,
    )


def _table(table: Table, nature: Nature, day: str) -> TableView:
    """Lay a table out. Where its nature differs from the annex's, the caption says so, or single columns do."""
    columns = tuple(table.columns)
    marks = tuple("" if column.nature is nature else _MARKS[column.nature] for column in columns)
    caption = table.caption
    if columns and all(marks):
        words = f"{marks[0]}　基準日：{day}" if nature is Nature.PROVISION else marks[0]
        caption, marks = f"{caption}（{words}）", ("",) * len(columns)
    rows = []
    for row in table.rows:
        cells = [_clean(cell).strip("\n") for cell in row][: len(columns)]
        rows.append((*cells, *([""] * (len(columns) - len(cells)))))
    return TableView(
        caption=caption,
        note=_clean(table.note),
        empty=table.empty,
        headers=tuple(column.header for column in columns),
        marks=marks,
        widths=tuple(max(column.width, 0.1) for column in columns),
        aligns=tuple(column.align if column.align in {"left", "center", "right"} else "left" for column in columns),
        rows=tuple(rows),
    )
