"""Counting what an account does, in the database for all processes together: so many in each span of time."""

from __future__ import annotations

import datetime as dt
from collections.abc import Sequence
from dataclasses import dataclass

from django.db.models import F

from kitei.foundation import clock, transactions
from kitei.trust.accounts.models import FactorTries, User


@dataclass(frozen=True)
class Taken:
    """What was left: ``number`` taken (0: none was left), since when the span runs; ``first``: the first 0 of the span."""

    number: int
    since: dt.datetime
    first: bool


def take(*, user: User, name: str, limit: int, span: dt.timedelta, portions: Sequence[int] = (1,)) -> Taken:
    """Take the first of the ``portions`` that is left of ``limit`` in this span; joins the caller's transaction.

    Taking is one UPDATE with its condition, so nobody gains by asking in parallel.
    """
    transactions.require()
    now = clock.device_time()
    rows = FactorTries.objects.filter(user=user, origin=name)
    rows.filter(since__lte=now - span).update(count=0, since=now)
    if not rows.exists():
        # Another request may make the row in the same moment: then both count on that one.
        row = FactorTries(organization_id=user.organization_id, user=user, origin=name, since=now)
        FactorTries.objects.bulk_create([row], ignore_conflicts=True)
    number = next(
        (many for many in portions if rows.filter(count__lte=limit - many).update(count=F("count") + many)), 0
    )
    first = not number and bool(rows.filter(count=limit).update(count=F("count") + 1))
    return Taken(number, rows.values_list("since", flat=True).get(), first)
