"""Throttling of proofs: so many tries for one account from one address, counted *before* the proof is looked at.

Whoever tries comes here only after the first proof (or with a session), and only their own address is shut: nobody without
the pass word locks anybody out. Six digits can also be guessed from many addresses, so their codes have a limit for the whole
account besides (SP 800-63B-4 §3.2.2: at most 100); passkeys and recovery codes go on then. Counting is one UPDATE with its
condition, so guessing in parallel gains nothing.
"""

from __future__ import annotations

import datetime as dt

from django.http import HttpRequest

from kitei.foundation import transactions
from kitei.trust.accounts import counting
from kitei.trust.accounts.factors_sealing import keyed_digest
from kitei.trust.accounts.models import FactorTries, User
from kitei.trust.accounts.throttle import counted_network

LIMIT = 8
SPAN = dt.timedelta(minutes=15)
ACCOUNT_LIMIT = 100
ACCOUNT_SPAN = dt.timedelta(days=1)
_ACCOUNT = "account"


def spend(*, user: User, request: HttpRequest, digits: bool = False) -> bool:
    """Count one try, committed before anything is compared; False when there is none left for now.

    ``digits``: the proof is a short code, which the whole account's limit counts too.
    """
    origin = _origin(request)

    def work() -> bool:
        here = _spend(user, origin, LIMIT, SPAN)
        return here and (not digits or _spend(user, _ACCOUNT, ACCOUNT_LIMIT, ACCOUNT_SPAN))

    return transactions.durable_or_join(work)


def _spend(user: User, origin: str, limit: int, span: dt.timedelta) -> bool:
    return counting.take(user=user, name=origin, limit=limit, span=span).number > 0


def clear(*, user: User, request: HttpRequest) -> None:
    """Forget the tries of this account from this address: the proof was right. Joins the caller's transaction."""
    FactorTries.objects.filter(user=user, origin__in=[_origin(request), _ACCOUNT]).delete()


def _origin(request: HttpRequest) -> str:
    """Return the reader's network as a keyed digest: addresses are not kept in clear."""
    return keyed_digest(counted_network(request) or "unknown", purpose="tries")


def forget(*, user: User, request: HttpRequest) -> None:
    """``clear`` in a transaction of its own, for faces."""
    transactions.durable_or_join(lambda: clear(user=user, request=request))
