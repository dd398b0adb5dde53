"""How often one token may ask: so many requests a minute, counted in the database for all processes together.

A request that only reads must not wait for the write lock each time, so a process takes the numbers out in portions (a
twentieth of the limit) and spends them by itself. What it does not spend is lost at the end of the minute: the limit is
never passed, at worst it is reached a portion early in each process.
"""

from __future__ import annotations

import datetime as dt
import math
import threading
from dataclasses import dataclass

from django.conf import settings
from django.db import DatabaseError

from kitei.foundation import clock, transactions
from kitei.trust.accounts import counting
from kitei.trust.accounts.models import User

SPAN = dt.timedelta(minutes=1)
_PORTIONS = 20
_KEPT = 1000


@dataclass
class _Portion:
    """What this process may still spend in the minute that began at ``since``."""

    since: dt.datetime
    left: int


class Slow(Exception):  # noqa: N818  it is an answer, named as people name it
    """Too many requests: ``seconds`` until the next one is answered; ``first`` of the minute that is refused."""

    def __init__(self, seconds: int, *, first: bool) -> None:
        super().__init__(f"wait {seconds} s")
        self.seconds = seconds
        self.first = first


_lock = threading.Lock()
_portions: dict[str, _Portion] = {}


def spend(*, user: User, key: str) -> None:
    """Count one request of ``key`` (a token, or the log-in of the pages) of an account; raise Slow when none is left."""
    now, name = clock.device_time(), f"api:{key}"
    with _lock:
        held = _portions.get(name)
        if held is not None and held.left and dt.timedelta() <= now - held.since < SPAN:
            held.left -= 1
            return
    limit: int = settings.API_PER_MINUTE
    portions = (max(1, limit // _PORTIONS), 1)

    def work() -> counting.Taken:
        return counting.take(user=user, name=name, limit=limit, span=SPAN, portions=portions)

    try:
        taken = transactions.durable_or_join(work)
    except DatabaseError:
        return  # nothing can be counted while nothing can be written; what has to be recorded is refused for that
    if not taken.number:
        raise Slow(max(1, math.ceil((taken.since + SPAN - now).total_seconds())), first=taken.first)
    with _lock:
        if len(_portions) > _KEPT:
            for old in [other for other, portion in _portions.items() if now - portion.since >= SPAN]:
                del _portions[old]
        held = _portions.get(name)
        left = held.left if held is not None and held.since == taken.since else 0
        _portions[name] = _Portion(taken.since, left + taken.number - 1)


def forget() -> None:
    """Forget what this process holds; for tests."""
    with _lock:
        _portions.clear()
