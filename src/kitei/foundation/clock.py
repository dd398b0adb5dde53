"""The one clock. Everything that needs the time asks here, so tests, the demo and replays can set it.

Instants are aware UTC datetimes; days are dates in Asia/Tokyo (design §3 "One clock", §4).
"""

from __future__ import annotations

import datetime as dt
import os
from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from zoneinfo import ZoneInfo

TOKYO = ZoneInfo("Asia/Tokyo")

_fixed: ContextVar[dt.datetime | None] = ContextVar("kitei_fixed_time", default=None)


def now() -> dt.datetime:
    """Return the current instant (aware, UTC)."""
    fixed = _fixed.get()
    if fixed is not None:
        return fixed
    stamp = dt.datetime.now(tz=dt.UTC)
    # A demo shows the day it was made for (`--today`): the date is moved, the time of day goes on.
    demo_day = os.environ.get("KITEI_TODAY")
    if demo_day:
        local = stamp.astimezone(TOKYO)
        moved = dt.datetime.combine(dt.date.fromisoformat(demo_day), local.timetz())
        return moved.astimezone(dt.UTC)
    return stamp


def device_time() -> dt.datetime:
    """Return the instant that other machines agree on (aware, UTC): what codes and tokens of others are measured against.

    The day of a demo does not move it; a test's fixed clock does.
    """
    return _fixed.get() or dt.datetime.now(tz=dt.UTC)


def today() -> dt.date:
    """Return the current day in Asia/Tokyo."""
    return now().astimezone(TOKYO).date()


def start_of(day: dt.date) -> dt.datetime:
    """Return 00:00 JST of ``day`` as an instant: when what is valid from that day takes effect."""
    return dt.datetime.combine(day, dt.time(), tzinfo=TOKYO).astimezone(dt.UTC)


@contextmanager
def at(instant: dt.datetime | dt.date) -> Iterator[None]:
    """Fix the clock inside the block; a date means noon JST of that day."""
    if not isinstance(instant, dt.datetime):
        instant = dt.datetime.combine(instant, dt.time(12), tzinfo=TOKYO)
    token = _fixed.set(instant.astimezone(dt.UTC))
    try:
        yield
    finally:
        _fixed.reset(token)
