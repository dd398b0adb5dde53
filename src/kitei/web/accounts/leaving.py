"""Whoever left the company has no account any more: from 24:00 of the last day, on the next request, and daily."""

from __future__ import annotations

import datetime as dt

from kitei.foundation import clock, transactions
from kitei.foundation.jobs import queue
from kitei.foundation.jobs.models import Job
from kitei.trust.accounts import invitations
from kitei.trust.accounts.models import User
from kitei.web.accounts import queries

JOB = "accounts.leaving"
_DECISION = {"allowed": True, "reasons": ["follows:last-day"]}
_ACTOR = ("worker", "accounts")


def has_left(user: User) -> bool:
    """Whether the member an account stands for had the last day. One query; none for an account of no member."""
    return user.principal is not None and bool(queries.gone([user.principal]))


def close(*, user: User) -> bool:
    """Stop the account of somebody who left; joins the caller's transaction. False when it was stopped already."""
    return invitations.stop(user=user, actor=_ACTOR, decision=_DECISION)


def close_all(job: Job) -> None:
    """Stop every open account of the job's organization whose person left. Twice is harmless."""
    open_accounts = queries.open_accounts(job.organization)
    ids = list(open_accounts)
    for start in range(0, len(ids), 500):
        for principal in queries.gone(ids[start : start + 500]):
            transactions.durable(lambda user=open_accounts[principal]: close(user=user))  # type: ignore[misc]


_planned: list[dt.date] = []


def plan() -> None:
    """Ask once a day for ``close_all``; the worker calls it often, a process asks the database once a day."""
    today = clock.today()
    if _planned == [today]:
        return
    for organization in queries.organizations_without(job=JOB, since=clock.start_of(today)):
        transactions.durable(
            lambda organization=organization: queue.ask(organization=organization, kind=JOB, key=today.isoformat())  # type: ignore[misc]
        )
    _planned[:] = [today]


queue.handler(JOB, close_all)
