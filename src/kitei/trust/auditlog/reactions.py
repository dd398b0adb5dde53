"""Reactions: what upper rooms do when something was recorded, without lower rooms calling upward (design §3).

An upper room registers a function for event names. The worker hands it the events that have their place, in batches in
the order of the log, from where its cursor stands. At least once: the function and the cursor's step share one transaction, so what it
writes to this database happens once; what it does outside has to be idempotent by the event's id.
"""

from __future__ import annotations

import datetime as dt
import json
import logging
import traceback
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from functools import cached_property
from typing import Any

from kitei.foundation import clock, transactions
from kitei.trust.auditlog.logs import current
from kitei.trust.auditlog.models import Cursor, Event
from kitei.trust.auditlog.vocabulary import EventName

BATCH = 500
FIRST_WAIT = dt.timedelta(seconds=5)
LONGEST_WAIT = dt.timedelta(hours=1)
_log = logging.getLogger(__name__)


@dataclass(frozen=True)
class Recorded:
    """A sequenced event as reactions see it: the row's columns, and the payload when somebody asks."""

    event: Event

    @cached_property
    def payload(self) -> dict[str, Any]:
        """What was recorded (docs/reference/events.md)."""
        read: dict[str, Any] = json.loads(bytes(self.event.payload))
        return read


Function = Callable[[list[Recorded]], None]


@dataclass(frozen=True)
class Reaction:
    """A registered reaction: a stable name (its cursor hangs on it), of which events (None: all), what to do."""

    name: str
    names: frozenset[str] | None
    function: Function


_known: dict[str, Reaction] = {}


def react(name: str, event_names: Iterable[EventName] | None, function: Function) -> None:
    """Register ``function`` for events of these names, None for all; ValueError when the name is taken by another."""
    names = None if event_names is None else frozenset(event.name for event in event_names)
    reaction = Reaction(name, names, function)
    if _known.setdefault(name, reaction) != reaction:
        raise ValueError(f"reaction {name} is registered twice")


def run(*, organization: Any) -> int:
    """Hand every reaction the events it has not seen, up to ``BATCH`` at a time; return how many were handed over.

    A reaction that fails waits (longer each time) and keeps its place; the others go on.
    """
    log = current(organization)
    if log is None:
        return 0
    end = log.base + log.size
    return sum(_run_one(organization, reaction, end) for reaction in _known.values())


def _run_one(organization: Any, reaction: Reaction, end: int) -> int:
    cursor = Cursor.objects.filter(organization=organization, reaction=reaction.name).first()
    if cursor is None:
        cursor = transactions.durable(
            lambda: Cursor.objects.get_or_create(organization=organization, reaction=reaction.name)[0]
        )
    now = clock.now()
    # A moment further away than any wait was set before the clock was put back: it must not hold for that long.
    if cursor.retry_at is not None and now < cursor.retry_at <= now + LONGEST_WAIT:
        return 0
    seen = 0
    while cursor.position < end:
        rows = Event.objects.filter(organization=organization, leaf_index__gte=cursor.position, leaf_index__lt=end)
        if reaction.names is not None:
            rows = rows.filter(name__in=reaction.names)
        events = list(rows.order_by("leaf_index")[:BATCH])
        # A full batch may not be all: then the cursor stops behind its last event, otherwise behind all that were looked at.
        after = (events[-1].leaf_index or 0) + 1 if len(events) == BATCH else end
        if not _hand_over(cursor, reaction, events, after):
            break
        cursor.position = after
        seen += len(events)
    return seen


def _hand_over(cursor: Cursor, reaction: Reaction, events: list[Event], after: int) -> bool:
    """Run the function on a batch and step past it in one transaction; False when it failed or another worker did it."""

    def work() -> bool:
        held = Cursor.objects.filter(pk=cursor.pk, position=cursor.position)
        if not held.update(position=after, attempts=0, retry_at=None, error=""):
            return False
        if events:
            reaction.function([Recorded(event) for event in events])
        return True

    try:
        return transactions.durable(work)
    except Exception as error:  # noqa: BLE001  a reaction's fault is recorded, the others go on
        wait = min(FIRST_WAIT * 2 ** min(cursor.attempts, 10), LONGEST_WAIT)
        # Neither NUL nor half characters can be stored on PostgreSQL, or written to every stderr.
        trace = _writable("".join(traceback.format_exception(error)))
        text = _writable(f"{type(error).__name__}: {error}")[:500]
        first = events[0].id if events else "-"
        _log.warning("reaction %s failed from event %s on: %s\n%s", reaction.name, first, text, trace)
        held = Cursor.objects.filter(pk=cursor.pk, position=cursor.position)
        transactions.durable(lambda: held.update(attempts=cursor.attempts + 1, retry_at=clock.now() + wait, error=text))
        return False


def _writable(text: str) -> str:
    return text.replace("\x00", "").encode("utf-8", "replace").decode()
