"""The company's own regulation: sheet 「現行規程」 lists its articles (design §2.8)."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from typing import Any

from kitei.foundation.sheets.grid import Limits
from kitei.foundation.sheets.packed import Packed
from kitei.foundation.sheets.spec import Choice, Column, Kind, Problem, SheetSpec, register
from kitei.foundation.text import Message, UserError
from kitei.foundation.text.japanese import fold
from kitei.outcomes.guidelines import catalogue
from kitei.outcomes.guidelines.topics import TOPICS
from kitei.outcomes.regulation import events
from kitei.outcomes.regulation.model_text import model_text
from kitei.outcomes.regulation.models import OwnArticle, OwnArticleState
from kitei.outcomes.regulation.source import parse
from kitei.registers.base.register import Register

_PDF_END = b"%%EOF"
_PDF_TAIL = 4096  # readers look for the mark near the end; some writers put bytes after it
_SEPARATORS = re.compile(r"[、,，;；\s]+")


def _provision_choices() -> tuple[Choice, ...]:
    # The unit stands in the label: 「1」 for a year's interval would otherwise be read as one month.
    return tuple(
        Choice(declared.key, f"{declared.name}（{declared.unit}）", declared.key, (declared.name,))
        for declared in parse(model_text()).provisions
    )


COLUMNS = (
    Column("code", "条番号", "Article", Kind.CODE, required=True, example="第12条", max_length=30),
    Column(
        "position",
        "並び",
        "Position",
        Kind.INTEGER,
        minimum=0,
        default=0,
        help_ja="空けると条番号の順に並べます。",
        help_en="Empty: by number.",
    ),
    Column("caption", "見出し", "Caption", required=True, max_length=200, example="システム管理者", width=30),
    Column(
        "clauses",
        "要求事項",
        "Requirements",
        max_length=300,
        example="イ-2、イ-5",
        width=24,
        help_ja="この条が定める要求事項。イ-2 のように書き、複数は「、」で区切ります。",
        help_en="Requirements the article states, such as イ-2, separated by commas.",
    ),
    Column("page", "頁", "Page", Kind.CODE, max_length=20, example="5"),
    Column("provision", "規定値", "Provision", Kind.CHOICE, choices=_provision_choices(), width=30),
    Column(
        "provision_value",
        "値",
        "Value",
        Kind.INTEGER,
        minimum=0,
        maximum=10000,
        help_ja="数字だけを、規定値の（　）の単位で書きます。",
        help_en="Digits only, in the unit its name ends with.",
    ),
)

own_articles = Register(
    kind="own-article", identity=OwnArticle, state=OwnArticleState, columns=COLUMNS, event=events.OWN_ARTICLE_PUT
)


def check_whole(*, content: bytes, name: str) -> None:
    """Raise UserError for a Word file or PDF that is cut off or damaged: an edition is frozen for ever.

    A Word file has to hold its body, a PDF its end mark; what they say is not judged.
    """
    if name.lower().endswith(".docx"):
        whole = "word/document.xml" in Packed(content, file=name, limits=Limits()).parts
    else:
        whole = _PDF_END in content[-_PDF_TAIL:]
    if not whole:
        raise UserError(
            Message(
                "「%(name)s」は途中で切れているか、壊れています。開けることを確かめ、保存し直してから選び直してください。",
                {"name": name},
            )
        )


def topics_of(text: str, *, edition: catalogue.Edition) -> tuple[tuple[str, ...], tuple[str, ...]]:
    """Read a 要求事項 cell: return (topics, words that name nothing). A word is a clause label (イ-2), id, or topic.

    People also write イ2, and オ-1 where the letter has one requirement only.
    """
    labels = {fold(clause.label): clause.topics for clause in edition.clauses}
    by_word = {label if "-" in label else f"{label}-1": topics for label, topics in labels.items()}
    by_word |= {label.replace("-", ""): topics for label, topics in labels.items()} | labels
    by_word |= {fold(clause.id): clause.topics for clause in edition.clauses}
    by_word |= {fold(topic): (topic,) for topic in TOPICS}
    topics: dict[str, None] = {}
    unknown = []
    for word in filter(None, _SEPARATORS.split(text)):
        found = by_word.get(fold(word.strip("（）()")))
        if found is None:
            unknown.append(word)
        for topic in found or ():
            topics[topic] = None
    return tuple(topics), tuple(unknown)


def article_number(label: str) -> tuple[int, ...]:
    """Return the sort key of 「第12条の2」: (12, 2)."""
    return tuple(int(digits) for digits in re.findall(r"\d+", fold(label))) or (10**6,)


def rows(articles: Iterable[OwnArticleState], *, edition: catalogue.Edition) -> list[dict[str, Any]]:
    """Return what an edition keeps of the company's own articles, in their order."""
    ordered = sorted(articles, key=lambda row: (row.position, article_number(row.code), row.code))
    return [
        {
            "id": f"own-{row.code}",
            "label": row.code,
            "caption": row.caption,
            "page": row.page,
            "topics": list(topics_of(row.clauses, edition=edition)[0]),
        }
        for row in ordered
    ]


def provisions(articles: Iterable[OwnArticleState]) -> dict[str, dict[str, Any]]:
    """Return the provisions the company's own articles fix, each with the article that does."""
    units = {declared.key: declared.unit for declared in parse(model_text()).provisions}
    return {
        row.provision: {"value": row.provision_value, "unit": units.get(row.provision, ""), "article": row.code}
        for row in articles
        if row.provision and row.provision_value is not None
    }


def _check(values: Mapping[str, Any]) -> Iterable[Problem]:
    _topics, unknown = topics_of(values.get("clauses") or "", edition=catalogue.load())
    if unknown:
        yield Problem(
            "clauses",
            Message("要求事項「%(words)s」はありません。イ-2 のように書いてください。", {"words": "、".join(unknown)}),
        )
    if values.get("provision") and values.get("provision_value") is None:
        yield Problem("provision_value", Message("規定値を選んだ行には、値を書いてください。"))


register(
    SheetSpec(
        key="own-article",
        ja="現行規程",
        en="Own regulation",
        identity="code",
        columns=COLUMNS,
        existing=own_articles.existing,
        apply=own_articles.apply,
        check=_check,
        order=200,
        intro_ja="自社の規程を使うとき、その条を1行に1条書きます。引用はすべてこの条番号で行います。",
        intro_en="When you keep your own regulation: one of its articles a row. All citations use these numbers.",
    )
)
