"""What the access room has to say on other pages: what waits for officers, and which findings a reader may read."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import replace
from typing import Any

from kitei.outcomes.regulation.coverage import Coverage
from kitei.trust.access import applications, emergencies, rule
from kitei.web.access import queries
from kitei.web.access.pages import may_see


def waiting(actor: rule.Actor) -> dict[str, int]:
    """Return how many emergencies nobody looked at and requests nobody answered; empty for who deals with neither."""
    if not may_see(actor):
        number = applications.waiting(actor=actor).count()
        return {"requests": number} if number else {}
    return queries.counted(
        emergencies=emergencies.listed(actor=actor, unreviewed=True), requests=applications.waiting(actor=actor)
    )


def seen_by(actor: rule.Actor, picture: Coverage) -> Coverage:
    """Return the picture without the findings that ``readable`` leaves out, for what is handed out whole."""
    kept = tuple(readable(actor, picture.findings))
    keys = {judged.finding.key for judged in kept}
    rows = tuple(
        replace(row, findings=tuple(judged for judged in row.findings if judged.finding.key in keys))
        for row in picture.rows
    )
    return replace(picture, findings=kept, rows=rows)


def readable(actor: rule.Actor, findings: Iterable[Any]) -> list[Any]:
    """Leave out findings about documents the reader may not view: they name number and title. One query at most."""
    found = list(findings)
    about = {judged.finding.subject.id for judged in found if judged.finding.subject.kind == "document"}
    ids = {key for key in map(rule.as_uuid, about) if key is not None}
    if not ids:
        return found
    closed = {str(key) for key in ids - queries.viewable_documents(actor=actor, ids=ids)}
    return [
        judged
        for judged in found
        if judged.finding.subject.kind != "document" or judged.finding.subject.id not in closed
    ]
