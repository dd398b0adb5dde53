"""Stated × operated (design §2.1).

Per requirement: which article of the edition in force states it, and what the registers show. It lists facts and gaps; it never concludes that a guideline is complied with.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping
from dataclasses import dataclass, replace
from enum import StrEnum
from typing import Any

from kitei.engine.checks import runner
from kitei.engine.checks.model import Check, Finding, Operated, Provision, Result, Severity, registry
from kitei.engine.checks.models import Acceptance, Run
from kitei.foundation import clock, transactions
from kitei.foundation.text import Message
from kitei.outcomes.guidelines import review
from kitei.outcomes.guidelines.catalogue import REGULATION_LETTERS, REGULATION_SECTION, Clause
from kitei.outcomes.guidelines.catalogue import Edition as Guideline
from kitei.outcomes.regulation import queries
from kitei.outcomes.regulation.compose import citations as draft_citations
from kitei.outcomes.regulation.models import Edition
from kitei.outcomes.regulation.queries import Citation
from kitei.outcomes.regulation.source import parse


class Stated(StrEnum):
    """規定: あり / 案のみ / なし."""

    YES = "yes"
    DRAFT = "draft"
    NO = "no"


STATED_LABELS = {Stated.YES: Message("規定あり"), Stated.DRAFT: Message("案のみ"), Stated.NO: Message("規定なし")}
OPERATED_LABELS = {
    Operated.YES: Message("運用あり"),
    Operated.PARTIAL: Message("一部"),
    Operated.NO: Message("運用なし"),
    Operated.NOT_STARTED: Message("未着手"),
    Operated.NOT_APPLICABLE: Message("対象外"),
}
SEVERITY_LABELS = {Severity.MUST: Message("必須"), Severity.SHOULD: Message("推奨"), Severity.INFO: Message("参考")}


@dataclass(frozen=True)
class JudgedFinding:
    """A finding with the one clause it cites and the acceptance that holds, if any."""

    finding: Finding
    clause: Clause | None
    acceptance: Acceptance | None


@dataclass(frozen=True)
class Row:
    """One requirement: how it is stated, how it is operated, and how that was judged."""

    clause: Clause
    stated: Stated
    citations: tuple[Citation, ...]
    operated: Operated
    facts: tuple[Message, ...]
    findings: tuple[JudgedFinding, ...]
    checks: tuple[Check, ...]

    @property
    def counted(self) -> bool:
        """Whether the row is counted: verified, and must or should."""
        return self.clause.verified and self.clause.counting is not Severity.INFO

    @property
    def needs_action(self) -> bool:
        """要対応: an open must finding, once work on the topic has begun (未着手 is not 要対応)."""
        return self.operated is not Operated.NOT_STARTED and any(
            judged.finding.severity is Severity.MUST and judged.acceptance is None for judged in self.findings
        )


@dataclass(frozen=True)
class Coverage:
    """The whole picture as of ``day``, measured against ``guideline`` with the ``edition`` in force that day.

    ``made_at`` is when the checks ran. ``findings`` are all of them, also those of topics outside 5.1.6.
    """

    day: dt.date
    made_at: dt.datetime
    guideline: Guideline
    edition: Edition | None
    rows: tuple[Row, ...]
    findings: tuple[JudgedFinding, ...]
    provisions: Mapping[str, Provision]
    seen_event: Any = None
    """The newest change the stored run had seen; None for a picture computed on demand."""

    @property
    def counted(self) -> tuple[Row, ...]:
        """Rows that are counted."""
        return tuple(row for row in self.rows if row.counted)

    @property
    def uncounted(self) -> tuple[Row, ...]:
        """Rows outside the counts: 原文要確認."""
        return tuple(row for row in self.rows if not row.counted)

    @property
    def stated_count(self) -> int:
        """How many counted requirements an edition in force states."""
        return sum(1 for row in self.counted if row.stated is Stated.YES)

    @property
    def operated_count(self) -> int:
        """How many counted requirements the registers show operated in full."""
        return sum(1 for row in self.counted if row.operated is Operated.YES)

    @property
    def open_findings(self) -> tuple[JudgedFinding, ...]:
        """Must findings nobody accepted, of topics on which work has begun."""
        idle = {topic for row in self.rows if row.operated is Operated.NOT_STARTED for topic in row.clause.topics}
        return tuple(
            judged
            for judged in self.findings
            if judged.finding.severity is Severity.MUST
            and judged.acceptance is None
            and judged.finding.topic not in idle
        )


def current(*, organization: Any) -> Coverage | None:
    """Return the picture of the newest stored run; None before the worker made one."""
    latest = runner.latest_run(organization=organization)
    if latest is None:
        return None
    run, results = latest
    picture = assemble(organization=organization, day=run.day, results=results, made_at=run.finished_at)
    return replace(picture, seen_event=run.seen_event)


def at(*, organization: Any, day: dt.date) -> Coverage:
    """Compute the picture for any day, now."""
    with transactions.snapshot():
        provisions = queries.provisions_in_force(organization=organization, day=day)
        results = runner.run_checks(organization=organization, day=day, provisions=provisions)
        return assemble(organization=organization, day=day, results=results, made_at=clock.now())


def run_and_store(*, organization: Any, day: dt.date | None = None) -> Run:
    """Run every check and keep the run (the worker's job); reads outside, writes in a short transaction."""
    day = day or clock.today()
    seen = runner.newest_event(organization=organization)
    provisions = queries.provisions_in_force(organization=organization, day=day)
    results = runner.run_checks(organization=organization, day=day, provisions=provisions)
    return transactions.durable(
        lambda: runner.store_run(organization=organization, day=day, results=results, seen_event=seen)
    )


def assemble(*, organization: Any, day: dt.date, results: Mapping[str, Result], made_at: dt.datetime) -> Coverage:
    """Put requirements, citations and results together."""
    guideline = review.edition_for(organization)
    edition = queries.edition_in_force(organization=organization, day=day)
    in_force = queries.citations_of(edition)
    drafted: dict[str, tuple[tuple[str, str], ...]] = {}
    if edition is None:
        text = queries.draft_text(organization=organization)
        drafted = draft_citations(parse(text)) if text else {}
    accepted = runner.acceptances(organization=organization, day=day)
    merged = runner.by_topic(results)
    judged = tuple(
        JudgedFinding(finding, guideline.clause_for(finding.topic), accepted.get(finding.key))
        for finding in {finding.key: finding for result in results.values() for finding in result.findings}.values()
    )
    # What the regulation itself has to hold comes first, then what is owed to the institutions around it.
    shown = sorted(
        filter(_shown, guideline.section(REGULATION_SECTION)),
        key=lambda clause: clause.letter not in REGULATION_LETTERS,
    )
    rows = tuple(_row(clause, in_force, drafted, merged, judged) for clause in shown)
    return Coverage(
        day=day,
        made_at=made_at,
        guideline=guideline,
        edition=edition,
        rows=rows,
        findings=tuple(sorted(judged, key=_weight)),
        provisions={**registry.defaults, **queries.provisions_of(edition)},
    )


def _row(
    clause: Clause,
    in_force: Mapping[str, list[Citation]],
    drafted: Mapping[str, tuple[tuple[str, str], ...]],
    merged: Mapping[str, Result],
    judged: tuple[JudgedFinding, ...],
) -> Row:
    citations = _unique(citation for topic in clause.topics for citation in in_force.get(topic, ()))
    planned = _unique(Citation(key, label, "") for topic in clause.topics for key, label in drafted.get(topic, ()))
    found = [merged[topic] for topic in clause.topics if topic in merged]
    state = runner.combined([result.state for result in found])
    return Row(
        clause=clause,
        stated=Stated.YES if citations else Stated.DRAFT if planned else Stated.NO,
        citations=tuple(citations or planned),
        operated=state,
        facts=tuple(_unique(fact for result in found for fact in result.facts)),
        findings=tuple(entry for entry in judged if entry.finding.topic in clause.topics),
        checks=tuple(check for check in registry.all() if check.topic in clause.topics),
    )


def _shown(clause: Clause) -> bool:
    """Explanatory clauses carry nothing to state or operate."""
    return clause.counting is not Severity.INFO


def _unique(items: Any) -> list[Any]:
    seen: list[Any] = []
    for item in items:
        if item not in seen:
            seen.append(item)
    return seen


def _weight(judged: JudgedFinding) -> tuple[bool, int, str, str]:
    order = (Severity.MUST, Severity.SHOULD, Severity.INFO)
    return (
        judged.acceptance is not None,
        order.index(judged.finding.severity),
        judged.finding.code,
        judged.finding.subject.label,
    )
