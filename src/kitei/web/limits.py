"""How often one person may do what is costly or reaches other people. One table; the answer is 429 with Retry-After.

Counted per account, so that nobody's haste stops anybody else. Guessed proofs are counted elsewhere, per account *and*
address: pass words and one-time codes by django-axes, second factors and step-up in ``trust/accounts/factors_tries.py``;
requests of the API in ``web/api/pace.py``. Limits for whole networks belong to the proxy (docs/operate/proxy.md): here they
would let one machine of an office shut out the others.
"""

from __future__ import annotations

import datetime as dt
import math
from dataclasses import dataclass

from django.db import DatabaseError
from django.http import HttpRequest

from kitei.foundation import clock, transactions
from kitei.trust.accounts import counting
from kitei.trust.accounts.models import User

MINUTE, HOUR, DAY = dt.timedelta(minutes=1), dt.timedelta(hours=1), dt.timedelta(days=1)
READING, WRITING = ("GET", "HEAD"), ("POST",)


@dataclass(frozen=True)
class Limit:
    """``count`` requests by ``methods`` in each ``span``, for all addresses of one ``group`` together."""

    group: str
    count: int
    span: dt.timedelta
    methods: tuple[str, ...]


TAKING_OUT = Limit("export", 30, MINUTE, READING)
INVITING = Limit("invite", 100, DAY, WRITING)
LIMITS: dict[str, Limit] = {
    # Documents set by a child process take seconds of a whole core.
    "regulation-download": Limit("render", 20, MINUTE, READING),
    "list-export": TAKING_OUT,
    "export-all": TAKING_OUT,
    "import-template": TAKING_OUT,
    "log-export": TAKING_OUT,
    # An auditor opens one document after another; a program that empties the shelves is faster.
    "document-file": Limit("open", 60, MINUTE, READING),
    "import": Limit("import", 30, HOUR, WRITING),
    "checks-run": Limit("checks", 10, MINUTE, WRITING),
    "account-invite": INVITING,
    "account-act": INVITING,
    "access-ask": Limit("ask", 30, DAY, WRITING),
}
"""The limits by the name of the address."""


class TooOftenError(Exception):
    """``seconds`` until the next request of this kind is answered; ``first``: the first one refused in this span."""

    def __init__(self, seconds: int, *, first: bool) -> None:
        super().__init__(f"wait {seconds} s")
        self.seconds = seconds
        self.first = first


def check(request: HttpRequest) -> None:
    """Count a request that has found its address; TooOftenError when its person has none left. Strangers pass."""
    found = LIMITS.get((request.resolver_match.url_name or "") if request.resolver_match else "")
    user = request.user
    if found is None or request.method not in found.methods or not isinstance(user, User):
        return
    spend(user=user, limit=found)


def spend(*, user: User, limit: Limit) -> None:
    """Count one act of an account; TooOftenError when none is left in this span."""

    def work() -> counting.Taken:
        return counting.take(user=user, name=f"act:{limit.group}", limit=limit.count, span=limit.span)

    try:
        taken = transactions.durable_or_join(work)
    except DatabaseError:
        return  # what has to be recorded is refused for its own reason while nothing can be written
    if not taken.number:
        left = taken.since + limit.span - clock.device_time()
        raise TooOftenError(max(1, math.ceil(left.total_seconds())), first=taken.first)
