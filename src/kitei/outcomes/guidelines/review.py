"""Comparing clauses with the published text, and the edition as the company has confirmed it."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

from kitei.foundation import clock, transactions
from kitei.foundation.text import Message, UserError
from kitei.outcomes.guidelines import catalogue, events
from kitei.outcomes.guidelines.catalogue import Clause, Edition
from kitei.outcomes.guidelines.edition import Provenance
from kitei.outcomes.guidelines.models import ClauseReview
from kitei.trust.access import rule
from kitei.trust.auditlog.log import Act, append


def edition_for(organization: Any) -> Edition:
    """Return the edition the organization measures against, with its own confirmations and corrections laid over it."""
    return reviewed(organization=organization, edition=catalogue.load(organization.guideline_edition))


def reviewed(*, organization: Any, edition: Edition) -> Edition:
    """Return ``edition`` with the organization's newest review of each clause applied: reviewed clauses are verified."""
    newest = {
        row.clause: row
        for row in ClauseReview.objects.filter(organization=organization, edition=edition.id).order_by(
            "reviewed_at", "id"
        )
    }
    if not newest:
        return edition
    return replace(edition, clauses=tuple(_applied(clause, newest.get(clause.id)) for clause in edition.clauses))


def reviews(*, organization: Any, edition: str) -> dict[str, ClauseReview]:
    """Return clause id -> its newest review."""
    rows = ClauseReview.objects.filter(organization=organization, edition=edition).order_by("reviewed_at", "id")
    return {row.clause: row for row in rows}


def review_clause(
    *,
    actor: rule.Actor,
    organization: Any,
    edition: str,
    clause: str,
    page: str,
    statement_ja: str = "",
    statement_en: str = "",
    level: str = "",
) -> ClauseReview:
    """Record that a person compared ``clause`` with the original on ``page``, and what it should say if it differs.

    Joins the caller's transaction. UserError for an unknown clause, a missing page or an unknown level; Refused without
    an officer's role.
    """
    transactions.require()
    decision = rule.require(actor, rule.APPROVE, rule.Target("clause", clause, organization=organization))
    try:
        found = catalogue.load(edition).clause(clause)
    except KeyError as error:
        raise UserError(Message("要求事項「%(clause)s」はこの版にありません。", {"clause": clause})) from error
    if not page.strip():
        raise UserError(Message("照合した頁を書いてください。"))
    if level and level not in catalogue.LEVELS:
        raise UserError(Message("義務の強さ「%(level)s」は使えません。", {"level": level}))
    corrected = bool(
        (statement_ja.strip() and statement_ja.strip() != found.statement_ja)
        or (statement_en.strip() and statement_en.strip() != found.statement_en)
        or (level and level != found.level)
    )
    row = ClauseReview.objects.create(
        organization=organization,
        edition=edition,
        clause=clause,
        corrected=corrected,
        statement_ja=statement_ja.strip(),
        statement_en=statement_en.strip(),
        level=level,
        page=page.strip()[:40],
        reviewed_by=actor.label or actor.id,
        reviewed_at=clock.now(),
    )
    append(
        organization=organization,
        act=Act(
            events.CLAUSE_REVIEWED,
            actor.ref,
            ("clause", clause),
            data={"edition": edition, "corrected": corrected},
            private={"statement": statement_ja.strip()} if corrected and statement_ja.strip() else {},
            decision=decision.recorded,
        ),
    )
    return row


def _applied(clause: Clause, review: ClauseReview | None) -> Clause:
    if review is None:
        return clause
    return replace(
        clause,
        provenance=Provenance.VERIFIED,
        statement_ja=review.statement_ja or clause.statement_ja,
        statement_en=review.statement_en or clause.statement_en,
        level=review.level or clause.level,
    )
