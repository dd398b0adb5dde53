"""Every read of the regulation room."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

from kitei.engine.checks.model import Provision
from kitei.outcomes.regulation.model import Chapter
from kitei.outcomes.regulation.models import Draft, Edition, EditionKind, OwnArticleState

_LIGHT = ("tree", "source_text")


def edition_in_force(*, organization: Any, day: dt.date) -> Edition | None:
    """Return the edition in force on ``day`` (the last one effective by then), without its large columns; None if none."""
    return (
        Edition.objects.filter(organization=organization, effective_on__lte=day)
        .defer(*_LIGHT)
        .order_by("-effective_on", "-number")
        .first()
    )


def next_edition(*, organization: Any, day: dt.date) -> Edition | None:
    """Return the edition that takes effect first after ``day``; None if none waits."""
    return (
        Edition.objects.filter(organization=organization, effective_on__gt=day)
        .defer(*_LIGHT)
        .order_by("effective_on", "number")
        .first()
    )


def editions(*, organization: Any) -> list[Edition]:
    """Return all editions, newest first, without their large columns."""
    return list(Edition.objects.filter(organization=organization).defer(*_LIGHT).order_by("-number"))


def edition(*, organization: Any, number: int) -> Edition | None:
    """Return the edition with this number, without its large columns; None if there is none."""
    return Edition.objects.filter(organization=organization, number=number).defer(*_LIGHT).first()


def draft_text(*, organization: Any) -> str | None:
    """Return the draft's text; None before ``kitei init`` made one."""
    return Draft.objects.filter(organization=organization).values_list("text", flat=True).first()


def provisions_of(edition: Edition | None) -> dict[str, Provision]:
    """Return the provisions an edition states; empty without one."""
    if edition is None:
        return {}
    return {
        key: Provision(key, entry["value"], entry.get("unit", ""), entry.get("article", ""))
        for key, entry in edition.provisions.items()
    }


def provisions_in_force(*, organization: Any, day: dt.date) -> dict[str, Provision]:
    """Return the provisions checks read on ``day``: those of the edition in force."""
    return provisions_of(edition_in_force(organization=organization, day=day))


@dataclass(frozen=True)
class Citation:
    """Where a topic is stated: an article's id (anchor), printed label, caption, and page for an uploaded text."""

    article: str
    label: str
    caption: str
    page: str = ""


def citations_of(edition: Edition | None) -> dict[str, list[Citation]]:
    """Return topic -> the articles of ``edition`` that state it, in its own numbers."""
    found: dict[str, list[Citation]] = {}
    for entry in edition.articles if edition else ():
        for topic in entry["topics"]:
            found.setdefault(topic, []).append(_citation(entry))
    return found


def article_rows(chapters: Iterable[Chapter]) -> list[dict[str, Any]]:
    """Return what an edition keeps of its articles for citations: id, label, caption, page, topics."""
    return [
        {
            "id": article.id,
            "label": article.label,
            "caption": article.caption,
            "page": article.page,
            "topics": list(article.topics),
        }
        for chapter in chapters
        for article in chapter.articles
    ]


def own_articles(*, organization: Any, day: dt.date) -> list[OwnArticleState]:
    """Return the articles of sheet 「現行規程」 in their order."""
    return list(OwnArticleState.objects.filter(organization=organization).as_of(day).order_by("position", "code"))


def is_own(edition: Edition | None) -> bool:
    """Whether the edition is the company's uploaded text."""
    return edition is not None and edition.kind == EditionKind.OWN


def _citation(entry: Mapping[str, Any]) -> Citation:
    return Citation(entry["id"], entry["label"], entry["caption"], entry.get("page", ""))
