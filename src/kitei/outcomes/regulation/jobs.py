"""What the worker does for this room: keep the newest run of the checks fresh.

A run is stored after changes (told by the log, so a transaction that commits late is not missed) and at 00:05 JST (new
day, new deadlines).
"""

from __future__ import annotations

import datetime as dt

from kitei.engine.checks import runner
from kitei.engine.checks.models import Run
from kitei.foundation import clock, transactions
from kitei.foundation.jobs import queue
from kitei.foundation.jobs.models import Job
from kitei.foundation.tenancy.models import Organization
from kitei.outcomes.regulation import coverage
from kitei.trust.auditlog.reactions import Recorded, react

KIND = "checks.run"
DAILY = dt.time(0, 5)


def plan_runs() -> None:
    """Ask for a run where there is none yet, or a new day began (after 00:05 JST); changes ask by themselves."""
    local = clock.now().astimezone(clock.TOKYO)
    for organization in Organization.objects.all():
        last = (
            Run.objects.filter(organization=organization).order_by("-finished_at", "-id").values_list("day", flat=True)
        ).first()
        if last is not None and (last >= local.date() or local.time() < DAILY):
            continue
        waiting = Job.objects.filter(organization=organization, kind=KIND, done_at__isnull=True, dead_at__isnull=True)
        if waiting.exists():
            continue  # also one that failed and waits for its next attempt: asking each time would pile them up
        transactions.durable(lambda organization=organization: queue.ask(organization=organization, kind=KIND))  # type: ignore[misc]


def ask_after_changes(events: list[Recorded]) -> None:
    """Ask for a run when something was recorded that may change what the checks find (a reaction to every event)."""
    if any(runner.is_change(recorded.event) for recorded in events):
        queue.ask(organization=events[0].event.organization, kind=KIND)


def run_checks(job: Job) -> None:
    """Run the checks of the job's organization for today, and forget old jobs. Running twice is harmless."""
    coverage.run_and_store(organization=job.organization)
    queue.sweep()


queue.handler(KIND, run_checks)
react("checks.run", None, ask_after_changes)
