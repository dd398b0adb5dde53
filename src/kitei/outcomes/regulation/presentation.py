"""What the regulation's pages show, put together from tree, coverage and editions. No request, no response."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from kitei.engine.checks.model import Operated, Severity
from kitei.foundation.sheets.table import Nature
from kitei.foundation.text import Message
from kitei.outcomes.guidelines.catalogue import Clause
from kitei.outcomes.guidelines.catalogue import Edition as Guideline
from kitei.outcomes.regulation import publication
from kitei.outcomes.regulation.coverage import OPERATED_LABELS, Coverage, JudgedFinding, Row
from kitei.outcomes.regulation.model import Annex, Article, Regulation
from kitei.outcomes.regulation.models import Edition
from kitei.outcomes.regulation.render import common
from kitei.outcomes.regulation.render.page import AnnexView, ArticleView

LONG_TABLE = 40
"""Tables of more rows stand in a frame of their own that scrolls."""


def anchor_of(target: str) -> str:
    """Return the anchor an article has on the page; the same rule as the documents' (``render.common``)."""
    return re.sub(r"[^\w-]+", "-", target).strip("-") or "part"


@dataclass(frozen=True)
class State:
    """A status as a tag shows it: word and tone (ok, warn, ng, note)."""

    text: Message
    tone: str


def state_of(row: Row) -> State:
    """Return the one status of a requirement (design §2.1): what needs doing before what is known."""
    if not row.checks:
        return State(Message("判定なし"), "note")
    if row.needs_action:
        return State(Message("要対応"), "ng")
    tone = {Operated.YES: "ok", Operated.PARTIAL: "warn", Operated.NO: "warn"}.get(row.operated, "note")
    return State(OPERATED_LABELS[row.operated], tone)


def recommended(row: Row) -> int:
    """Return how many open findings of weight 推奨 stand beside what is operated (a deadline near, a review due)."""
    return sum(1 for judged in row.findings if judged.finding.severity is Severity.SHOULD and judged.acceptance is None)


def shown_findings(found: Iterable[JudgedFinding]) -> list[JudgedFinding]:
    """Return findings by weight: open before accepted, must before should before info."""
    order = (Severity.MUST, Severity.SHOULD, Severity.INFO)
    return sorted(found, key=lambda judged: (judged.acceptance is not None, order.index(judged.finding.severity)))


@dataclass(frozen=True)
class ShownArticle:
    """An article on the page with what belongs to it."""

    id: str
    view: ArticleView
    label: str
    caption: str
    clauses: tuple[Clause, ...]
    todo: int
    page: str = ""


@dataclass(frozen=True)
class ShownChapter:
    """A chapter on the page."""

    anchor: str
    heading: str
    articles: tuple[ShownArticle, ...]


@dataclass(frozen=True)
class ShownAnnex:
    """An annex on the page. ``change`` says what differs from the edition as it was put into force."""

    view: AnnexView
    live: bool
    change: Message | None
    tables: tuple[dict[str, Any], ...]


@dataclass(frozen=True)
class Note:
    """What stands beside the selected article."""

    article: ShownArticle
    rows: tuple[Row, ...]
    others: tuple[Clause, ...]
    findings: tuple[JudgedFinding, ...]
    changed: tuple[ShownAnnex, ...] = ()
    history: tuple[tuple[str, Message], ...] = ()


@dataclass(frozen=True)
class Shown:
    """A whole page: title facts, chapters, supplements, annexes."""

    title: str
    number: str
    edition: str
    chapters: tuple[ShownChapter, ...]
    supplements: tuple[Any, ...] = ()
    annexes: tuple[ShownAnnex, ...] = ()
    approvals: tuple[Any, ...] = ()
    history: tuple[Any, ...] = ()
    sources: Mapping[str, Message] = field(default_factory=dict)

    @property
    def articles(self) -> tuple[ShownArticle, ...]:
        """All articles in order."""
        return tuple(article for chapter in self.chapters for article in chapter.articles)

    def article(self, wanted: str) -> ShownArticle | None:
        """Return the article with this id; None if there is none."""
        return next((article for article in self.articles if article.id == wanted), None)


def lay_out(
    tree: Regulation,
    *,
    guideline: Guideline,
    picture: Coverage | None,
    then: Regulation | None = None,
    live: bool = True,
) -> Shown:
    """Lay a tree out for reading. ``then`` is the frozen tree its annexes are compared with."""
    view = common.view(tree)
    todo = _open_by_topic(picture)
    chapters = tuple(
        ShownChapter(
            shown.anchor,
            shown.heading,
            tuple(
                _article(article, article_view, guideline=guideline, todo=todo)
                for article, article_view in zip(chapter.articles, shown.articles, strict=True)
            ),
        )
        for chapter, shown in zip(tree.chapters, view.chapters, strict=True)
    )
    before = {annex.id: annex for annex in then.annexes} if then else {}
    return Shown(
        title=view.title,
        number=view.number,
        edition=view.edition,
        chapters=chapters,
        supplements=view.supplements,
        annexes=tuple(
            ShownAnnex(
                shown,
                live and annex.nature is Nature.FACT,
                annex_change(before[annex.id], annex) if annex.id in before else None,
                tuple(_table(table) for table in shown.tables),
            )
            for annex, shown in zip(tree.annexes, view.annexes, strict=True)
        ),
        approvals=view.approvals,
        history=view.history,
    )


def own_articles(edition: Edition, *, guideline: Guideline, picture: Coverage | None) -> Shown:
    """Lay out the articles of a company's own uploaded regulation."""
    todo = _open_by_topic(picture)
    articles = tuple(
        _article(
            Article(entry["id"], entry["label"], entry["caption"], (), tuple(entry["topics"]), entry.get("page", "")),
            ArticleView(
                anchor_of(entry["id"]),
                f"{entry['label']}{common.bracketed(entry['caption'])}",
                common.bracketed(entry["caption"]),
                (),
            ),
            guideline=guideline,
            todo=todo,
        )
        for entry in edition.articles
    )
    return Shown(edition.title, edition.document_number, edition.label, (ShownChapter("", "", articles),))


def note(article: ShownArticle, *, shown: Shown, picture: Coverage, history: Sequence[tuple[str, Message]]) -> Note:
    """Gather what stands beside an article: requirements, facts, findings, changes, history."""
    ids = {clause.id for clause in article.clauses}
    rows = tuple(row for row in picture.rows if row.clause.id in ids)
    listed = {row.clause.id for row in rows}
    topics = {topic for clause in article.clauses for topic in clause.topics}
    anchors = {piece.anchor for line in article.view.lines for piece in line.pieces if piece.anchor}
    return Note(
        article=article,
        rows=rows,
        others=tuple(clause for clause in article.clauses if clause.id not in listed),
        findings=tuple(shown_findings(judged for judged in picture.findings if judged.finding.topic in topics)),
        changed=tuple(annex for annex in shown.annexes if annex.change is not None and annex.view.anchor in anchors),
        history=tuple(history),
    )


def history_of(article_id: str, *, organization: Any, editions: Sequence[Edition]) -> list[tuple[str, Message]]:
    """Return (edition label, what happened to the article) newest first, from the frozen editions."""
    found: list[tuple[str, Message]] = []
    before: Article | None = None
    seen = False
    for edition in sorted(editions, key=lambda row: row.number):
        tree = publication.frozen(organization=organization, edition=edition)
        now = next((article for article in tree.articles if article.id == article_id), None) if tree else None
        if now is not None and before is None:
            found.append((edition.label, Message("新設") if seen else Message("制定のときから")))
        elif now is None and before is not None:
            found.append((edition.label, Message("削除")))
        elif now is not None and before is not None and _text(now) != _text(before):
            found.append((edition.label, Message("改正")))
        before, seen = now, True
    return found[::-1]


def annex_change(then: Annex, now: Annex) -> Message | None:
    """Say how an annex differs from the frozen one: rows added, gone, changed; None when it does not."""
    if then == now:
        return None
    before = Counter(row for table in then.tables for row in map(tuple, table.rows))
    after = Counter(row for table in now.tables for row in map(tuple, table.rows))
    gone, came = sum((before - after).values()), sum((after - before).values())
    changed = min(gone, came)
    parts = [
        message
        for message in (
            Message("変更%(count)s行", {"count": changed}) if changed else None,
            Message("追加%(count)s行", {"count": came - changed}) if came > changed else None,
            Message("削除%(count)s行", {"count": gone - changed}) if gone > changed else None,
        )
        if message is not None
    ]
    if not parts:
        return Message("並び又は見出しの変更")
    if len(parts) == 1:
        return parts[0]
    return Message("%(first)s、%(second)s", {"first": parts[0], "second": parts[1]})


def _article(article: Article, view: ArticleView, *, guideline: Guideline, todo: Mapping[str, int]) -> ShownArticle:
    clauses: dict[str, Clause] = {}
    for topic in article.topics:
        for clause in guideline.clauses_for(topic):
            if clause.counting is not Severity.INFO:
                clauses[clause.id] = clause
    return ShownArticle(
        id=article.id,
        view=view,
        label=article.label,
        caption=article.caption,
        clauses=tuple(clauses.values()),
        todo=sum(todo.get(topic, 0) for topic in dict.fromkeys(article.topics)),
        page=article.page,
    )


def _open_by_topic(picture: Coverage | None) -> Counter[str]:
    return Counter(judged.finding.topic for judged in picture.open_findings) if picture else Counter()


def _table(table: Any) -> dict[str, Any]:
    return {
        "table": table,
        "long": len(table.rows) > LONG_TABLE,
        "count": len(table.rows),
        "headers": list(zip(table.headers, table.marks, table.aligns, strict=True)),
        "rows": [list(zip(row, table.aligns, strict=True)) for row in table.rows],
        "width": len(table.headers),
    }


def _text(article: Article) -> tuple[Any, ...]:
    """What a revision changes: words and structure; numbers of references move by themselves and do not count."""

    def runs(source: Any) -> tuple[Any, ...]:
        words = tuple((run.kind, run.target if run.kind == "reference" else run.text) for run in source.runs)
        return (*words, *(runs(item) for item in source.items))

    return (article.caption, tuple(runs(paragraph) for paragraph in article.paragraphs))
