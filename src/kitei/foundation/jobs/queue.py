"""Ask for background work, claim it, run it.

Claiming is compare-and-swap on the lease (after healthchecks' way of claiming work): it needs no SKIP LOCKED and behaves
alike on SQLite and PostgreSQL. Every job runs at least once, so handlers are idempotent.
"""

from __future__ import annotations

import datetime as dt
import logging
import uuid
from collections.abc import Callable
from typing import Any

from django.db.models import Q

from kitei.foundation import clock, transactions
from kitei.foundation.jobs.models import Job

LEASE = dt.timedelta(minutes=5)
MAX_ATTEMPTS = 5
KEEP_DONE = dt.timedelta(days=30)

Handler = Callable[[Job], None]
_handlers: dict[str, Handler] = {}
_log = logging.getLogger(__name__)


def handler(kind: str, function: Handler) -> Handler:
    """Register what runs for ``kind``; the handler opens its own transactions."""
    _handlers[kind] = function
    return function


def ask(
    *,
    organization: Any,
    kind: str,
    key: str = "",
    arguments: dict[str, Any] | None = None,
    due_at: dt.datetime | None = None,
) -> None:
    """Ask for a job; joins the caller's transaction. While an equal one waits unclaimed, this adds nothing."""
    transactions.require()
    Job.objects.bulk_create(
        [
            Job(
                organization=organization,
                kind=kind,
                key=key,
                arguments=arguments or {},
                due_at=due_at or clock.now(),
                created_at=clock.now(),
            )
        ],
        ignore_conflicts=True,
    )


def claim(*, now: dt.datetime | None = None) -> Job | None:
    """Take the job that is due longest and hold it for ``LEASE``; None when nothing is due.

    Two workers may read the same candidate; only the one whose UPDATE still finds the lease as read gets it.
    """
    now = now or clock.now()
    free = Q(lease_until__isnull=True) | Q(lease_until__lte=now)
    while True:
        job = (
            Job.objects.filter(
                free, done_at__isnull=True, dead_at__isnull=True, due_at__lte=now, kind__in=list(_handlers)
            )
            .order_by("due_at", "id")
            .first()
        )
        if job is None:
            return None
        if job.attempts >= MAX_ATTEMPTS:
            _bury(job, now)
            continue
        token = uuid.uuid4()
        won = transactions.durable(
            lambda job=job, token=token: Job.objects.filter(
                id=job.id, lease_token=job.lease_token, done_at__isnull=True
            ).update(  # type: ignore[misc]
                lease_token=token, lease_until=now + LEASE, attempts=job.attempts + 1
            )
        )
        if won:
            job.refresh_from_db()
            return job


def _bury(job: Job, now: dt.datetime) -> None:
    # Its last lease ran out: it took its worker along (memory, a kill), every time. It must not take the next one.
    held = Job.objects.filter(id=job.id, lease_token=job.lease_token, done_at__isnull=True)
    error = f"the worker ended {job.attempts} times while it ran this job; {job.error}"[:500]
    transactions.durable(lambda: held.update(dead_at=now, lease_until=None, error=error))


def run_one(*, now: dt.datetime | None = None) -> bool:
    """Claim and run one due job. Return False when nothing was due."""
    job = claim(now=now)
    if job is None:
        return False
    try:
        _handlers[job.kind](job)
    except Exception as error:  # noqa: BLE001  a job's fault is recorded, the worker goes on
        _log.warning(
            "job %s %s failed (attempt %s): %s", job.kind, job.id, job.attempts, type(error).__name__, exc_info=True
        )
        _finish(job, error=error)
    else:
        _finish(job)
    return True


def _finish(job: Job, *, error: Exception | None = None) -> None:
    now = clock.now()
    held = Job.objects.filter(id=job.id, lease_token=job.lease_token)
    if error is None:
        transactions.durable(lambda: held.update(done_at=now, lease_until=None))
        return
    text = f"{type(error).__name__}: {error}"[:500]
    if job.attempts >= MAX_ATTEMPTS:
        transactions.durable(lambda: held.update(dead_at=now, lease_until=None, error=text))
        return
    wait = dt.timedelta(seconds=30 * 4 ** (job.attempts - 1))
    # The token stays: while it is set the row is no longer "waiting unclaimed", so a new ask is not swallowed.
    transactions.durable(lambda: held.update(lease_until=now + wait, error=text))


def sweep(*, now: dt.datetime | None = None) -> None:
    """Forget jobs done more than ``KEEP_DONE`` ago."""
    now = now or clock.now()
    transactions.durable(lambda: Job.objects.filter(done_at__lt=now - KEEP_DONE).delete())
