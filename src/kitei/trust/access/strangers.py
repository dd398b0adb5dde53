"""Counting what people without log-in ask for in vain (design §5): one event an hour, no addresses, cheap in a flood.

A process keeps its count in memory and writes it down at most once a second, so a flood costs one small transaction a
second and process. What a killed process had not written yet (at most a second's worth, and what came after its last
write) is lost; nothing else depends on it.
"""

from __future__ import annotations

import datetime as dt
import logging
import threading
import time
from functools import partial

from django.db import DatabaseError
from django.db.models import F

from kitei.foundation import clock, transactions
from kitei.foundation.tenancy.models import Organization
from kitei.trust.access.models import StrangerCount
from kitei.trust.auditlog import events
from kitei.trust.auditlog.log import Act, append

HOUR = dt.timedelta(hours=1)
WRITE_SECONDS = 1.0
_log = logging.getLogger(__name__)


class _Pending:
    """What this process counted and did not write down yet."""

    def __init__(self) -> None:
        self.lock = threading.Lock()
        self.count = 0
        self.written_at = 0.0

    def due(self) -> bool:
        return self.count > 0 and time.monotonic() - self.written_at >= WRITE_SECONDS

    def take(self) -> int:
        """Return the count and start again from none; only one thread gets it."""
        with self.lock:
            taken, self.count = self.count, 0
            self.written_at = time.monotonic()
            return taken

    def add(self, number: int) -> None:
        with self.lock:
            self.count += number


_pending = _Pending()


def count_stranger() -> None:
    """Count one unknown address asked for without log-in. Never fails: a page that is not there needs no database."""
    _pending.add(1)
    write_due()


def write_due() -> None:
    """Write the count down when a second has passed since the last time; costs nothing otherwise."""
    if not _pending.due():
        return
    taken = _pending.take()
    if not taken:
        return
    try:
        transactions.durable_or_join(lambda: _add(taken))
    except DatabaseError as error:
        _pending.add(taken)
        _log.warning("unknown addresses could not be counted: %s", type(error).__name__)


def flush() -> int:
    """Turn the counts of past hours into one event each; return how many. The worker calls it; several may."""
    taken = _pending.take()
    if taken:
        transactions.durable_or_join(lambda: _add(taken))
    this_hour = _hour()
    waiting = StrangerCount.objects.filter(hour__lt=this_hour).select_related("organization").order_by("hour")
    told = 0
    for row in waiting:
        told += transactions.durable_or_join(partial(_tell, row))
    return told


def _add(number: int) -> None:
    organization = Organization.objects.order_by("id").only("id").first()
    if organization is None:
        return
    rows = StrangerCount.objects.filter(organization=organization, hour=_hour())
    if not rows.update(count=F("count") + number):
        # Another process may make the row in the same moment: then this one adds to it.
        StrangerCount.objects.bulk_create(
            [StrangerCount(organization=organization, hour=_hour())], ignore_conflicts=True
        )
        rows.update(count=F("count") + number)


def _tell(row: StrangerCount) -> int:
    # Compare-and-swap: of several workers one deletes the row, and only with the count that it tells.
    if not StrangerCount.objects.filter(pk=row.pk, count=row.count).delete()[0]:
        return 0
    append(
        organization=row.organization,
        act=Act(
            events.STRANGERS,
            ("stranger", ""),
            ("address", ""),
            outcome="refused",
            data={"count": row.count, "from": row.hour.isoformat(), "until": (row.hour + HOUR).isoformat()},
        ),
    )
    return 1


def _hour() -> dt.datetime:
    return clock.now().replace(minute=0, second=0, microsecond=0)
