"""What the worker does for this room: keep the newest run of the checks fresh.

A run is stored after changes and at 00:05 JST (new day, new deadlines).
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

KIND = "checks.run"
DAILY = dt.time(0, 5)


def plan_runs() -> None:
    """Ask for a run wherever something was recorded since the last one, or a new day began (after 00:05 JST)."""
    local = clock.now().astimezone(clock.TOKYO)
    for organization in Organization.objects.all():
        last = (
            Run.objects.filter(organization=organization)
            .order_by("-finished_at", "-id")
            .values_list("day", "seen_event")
            .first()
        )
        new_day = last is not None and last[0] < local.date() and local.time() >= DAILY
        waiting = Job.objects.filter(organization=organization, kind=KIND, done_at__isnull=True, dead_at__isnull=True)
        if waiting.exists():
            continue  # also one that failed and waits for its next attempt: asking each time would pile them up
        if last is None or new_day or last[1] != runner.newest_event(organization=organization):
            transactions.durable(lambda organization=organization: queue.ask(organization=organization, kind=KIND))  # type: ignore[misc]


def run_checks(job: Job) -> None:
    """Run the checks of the job's organization for today, and forget old jobs. Running twice is harmless."""
    coverage.run_and_store(organization=job.organization)
    queue.sweep()


queue.handler(KIND, run_checks)
