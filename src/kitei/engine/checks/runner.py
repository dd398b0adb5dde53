"""Running every check for a day, and keeping the runs home reads."""

from __future__ import annotations

import datetime as dt
from collections.abc import Collection, Mapping
from typing import Any

from kitei.engine.checks.model import CheckContext, Operated, Provision, Result, registry
from kitei.engine.checks.models import Acceptance, Run
from kitei.engine.checks.packing import pack, unpack
from kitei.foundation import clock, transactions
from kitei.trust.auditlog import vocabulary
from kitei.trust.auditlog.models import Event

KEEP_RUNS = 400
_ORDER = [Operated.YES, Operated.PARTIAL, Operated.NO]  # best first


def run_checks(*, organization: Any, day: dt.date, provisions: Mapping[str, Provision]) -> dict[str, Result]:
    """Run all checks as of ``day`` from one consistent read and return check code -> result.

    ``provisions`` are those the edition in force states; recommended values stand in for the others.
    """
    context = CheckContext(organization=organization, day=day, provisions={**registry.defaults, **provisions})
    with transactions.snapshot():
        return {check.code: check.run(context) for check in registry.all()}


def store_run(*, organization: Any, day: dt.date, results: Mapping[str, Result], seen_event: Any = None) -> Run:
    """Keep a run; joins the caller's transaction. The oldest beyond ``KEEP_RUNS`` are forgotten."""
    transactions.require()
    run = Run.objects.create(
        organization=organization, day=day, finished_at=clock.now(), seen_event=seen_event, results=pack(dict(results))
    )
    old = (
        Run.objects.filter(organization=organization)
        .order_by("-finished_at", "-id")
        .values_list("id", flat=True)[KEEP_RUNS : KEEP_RUNS + 50]
    )
    Run.objects.filter(id__in=list(old)).delete()
    return run


def latest_run(*, organization: Any) -> tuple[Run, dict[str, Result]] | None:
    """Return the newest stored run and its results; None before the first."""
    run = Run.objects.filter(organization=organization).order_by("-finished_at", "-id").first()
    return (run, unpack(run.results)) if run else None


def is_change(event: Event) -> bool:
    """Tell whether an event may change what the checks find: looks, log-ins, refusals and the log's own do not."""
    return event.outcome == "ok" and event.name not in vocabulary.unchanging()


def newest_event(*, organization: Any) -> Any:
    """Return the id of the newest recorded change, None if there is none: what a page compares its run with."""
    rows = Event.objects.filter(organization=organization, outcome="ok").exclude(name__in=vocabulary.unchanging())
    return rows.order_by("-id").values_list("id", flat=True).first()


def by_topic(results: Mapping[str, Result]) -> dict[str, Result]:
    """Merge results by topic: states ``combined``, all facts, all findings (those of other topics go to theirs)."""
    merged: dict[str, Result] = {}
    for code, result in results.items():
        check = registry.checks.get(code)
        if check is None:  # a run stored before a check was renamed
            continue
        before = merged.get(check.topic)
        state = result.state if before is None else combined((before.state, result.state))
        facts = (*(before.facts if before else ()), *result.facts)
        findings = (*(before.findings if before else ()), *result.findings)
        merged[check.topic] = Result(state, facts, findings)
    return merged


def combined(states: Collection[Operated]) -> Operated:
    """Return the state of a whole from those of its parts; 未着手 without any.

    The weakest counts. But a whole of which some parts have begun is not 未着手: it has gaps, and 未着手 would hide them.
    """
    begun = [state for state in states if state in {Operated.YES, Operated.PARTIAL, Operated.NO}]
    idle = Operated.NOT_STARTED in states
    if begun:
        return max(*begun, Operated.PARTIAL if idle else Operated.YES, key=_ORDER.index)
    return Operated.NOT_STARTED if idle or not states else Operated.NOT_APPLICABLE


def acceptances(*, organization: Any, day: dt.date) -> dict[str, Acceptance]:
    """Return finding key -> the acceptance that holds on ``day``: from the day it was given until its last day."""
    rows = Acceptance.objects.filter(
        organization=organization,
        withdrawn_at__isnull=True,
        accepted_at__lt=clock.start_of(day + dt.timedelta(days=1)),
        until__gte=day,
    ).order_by("accepted_at", "id")
    return {row.finding: row for row in rows}
