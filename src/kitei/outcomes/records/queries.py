"""Every read of the log's page, restricted to the actor's organization: pages by keyset, one event, how the log stands.

The caller asks ``rule.require`` first: who may read one entry may read them all (design §5).
"""

from __future__ import annotations

import datetime as dt
import uuid
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any

from django.db.models import BooleanField, Q, QuerySet, Value
from django.db.models.expressions import RawSQL
from django.db.models.functions import Coalesce, Concat

from kitei.foundation import clock
from kitei.foundation.text import Message
from kitei.foundation.ui import keyset
from kitei.outcomes.records import filters, people
from kitei.outcomes.records.filters import Wish
from kitei.trust.access import rule
from kitei.trust.auditlog import heads, logs, vocabulary
from kitei.trust.auditlog.models import Event, Head, Log, Opening

PAGE = keyset.PAGE
COUNTED = 1000
CHUNK = 500
_MOST_BRANCHES = 12
_FEW = 10_000
# Written out, not as a parameter: only so the partial index on what was refused or failed is used.
_NOT_OK = "NOT (auditlog_event.outcome = 'ok')"


def page(*, actor: rule.Actor, wish: Wish) -> keyset.Page:
    """Return one page of events, newest first, without their payloads. One query a person and kind of act asked for."""
    start = keyset.read_token(wish.before) or keyset.read_token(wish.after)
    if start is not None and not (isinstance(start[0], dt.datetime) and start[0].tzinfo):
        start = None
    backward = bool(wish.before) and start is not None
    found: list[Event] = []
    for rows in _branches(actor.organization, wish):
        ordered = _ordered(rows.defer("payload", "leaf_hash"), falling=not backward)
        if start is not None:
            ordered = _beyond(ordered, start, falling=not backward)
        found += ordered[: PAGE + 1]
    found.sort(key=lambda event: (event.at, event.pk), reverse=not backward)
    more = len(found) > PAGE
    found = found[:PAGE]
    if backward:
        found.reverse()
    if not found:
        return keyset.Page([], None, None)
    before = keyset.make_token(found[0].at, found[0].pk) if (more if backward else start is not None) else None
    after = keyset.make_token(found[-1].at, found[-1].pk) if backward or more else None
    return keyset.Page(found, before, after)


def newest(*, actor: rule.Actor, wish: Wish, limit: int) -> list[Event]:
    """Return the newest wished events, at most ``limit``, without their payloads."""
    found: list[Event] = []
    for rows in _branches(actor.organization, wish):
        found += _ordered(rows.defer("payload", "leaf_hash"), falling=True)[:limit]
    found.sort(key=lambda event: (event.at, event.pk), reverse=True)
    return found[:limit]


def walk(*, actor: rule.Actor, wish: Wish, last: Event) -> Iterator[list[Event]]:
    """Yield the wished events not later than ``last``, without it, the oldest first, in chunks: memory holds one chunk."""
    branches = [rows.filter(at__lte=last.at).exclude(pk=last.pk) for rows in _branches(actor.organization, wish)]
    start: tuple[Any, uuid.UUID] | None = None
    while True:
        found: list[Event] = []
        for rows in branches:
            narrowed = rows if start is None else _beyond(rows, start, falling=False)
            found += _ordered(narrowed, falling=False)[:CHUNK]
        found.sort(key=lambda event: (event.at, event.pk))
        found = found[:CHUNK]
        if not found:
            return
        yield found
        start = (found[-1].at, found[-1].pk)


def find(*, actor: rule.Actor, number: int | uuid.UUID) -> Event | None:
    """Return one event by its id or its number; None when the actor's organization has none."""
    condition = Q(pk=number) if isinstance(number, uuid.UUID) else Q(leaf_index=number)
    return Event.objects.filter(condition, organization=actor.organization).first()


def openings(*, actor: rule.Actor, event: Event) -> dict[str, Opening]:
    """Return what opens the event's commitments, by field; an erased one is missing."""
    rows = Opening.objects.filter(organization=actor.organization, event_id=event.pk)
    return {row.field: row for row in rows}


@dataclass(frozen=True)
class Standing:
    """How the log stands: ``sequenced`` events have a number, ``pending`` wait (counted to ``COUNTED``, then ``many``)."""

    log: Log | None
    head: Head | None
    sequenced: int
    pending: int
    many: bool
    fault: Message | None

    @property
    def total(self) -> int:
        """Recorded events, the waiting ones included as far as they were counted."""
        return self.sequenced + self.pending


def standing(*, actor: rule.Actor) -> Standing:
    """Say how the open log of the actor's organization stands. Three queries, none grows with the log."""
    organization = actor.organization
    log = logs.current(organization)
    waiting = Event.objects.filter(organization=organization, leaf_index__isnull=True)
    pending = waiting.order_by().values("pk")[: COUNTED + 1].count()
    return Standing(
        log=log,
        head=heads.newest(organization),
        sequenced=log.base + log.size if log else 0,
        pending=min(pending, COUNTED),
        many=pending > COUNTED,
        fault=logs.fault_of(log) if log else None,
    )


def _branches(organization: Any, wish: Wish) -> list[QuerySet[Event]]:
    """Return queries whose results together are what is wished.

    One person and one kind of act each, because only then an index gives the rows in the order of the page: of several
    at once the database would sort everything they ever did. Measured with 200,000 events on SQLite, which has no
    statistics to choose by.
    """
    names: Sequence[str] = filters.names_of(wish.name) if wish.name else []
    actors = people.matching(organization, wish.who) if wish.who else []
    if wish.who and not actors:
        return []
    every = Event.objects.filter(organization=organization)
    failed = wish.outcome not in {"", vocabulary.OK}
    if failed and _few(every.filter(_not_ok())):
        # Little was refused: the index on that alone finds it in the order of the page, whoever and whatever it was.
        return [_residual(_narrowed(every, wish), actors, names)]
    if wish.kind and not actors and not names and _few(every.filter(object_kind=wish.kind, **_object(wish))):
        # In the order of time the database might read the whole log for the few rows of a rare object; it walks no index
        # on time when the time is an expression.
        return [_narrowed(every.alias(when=Coalesce("at", "at")), wish)]
    rows = _narrowed(every, wish)
    if max(1, len(actors)) * max(1, len(names)) > _MOST_BRANCHES:
        return [_residual(rows, actors, names)]
    by_actor = [rows.filter(actor_kind=kind, actor_id=key) for kind, key in actors] or [rows]
    return [part.filter(name=name) for part in by_actor for name in names] if names else by_actor


def _narrowed(rows: QuerySet[Event], wish: Wish) -> QuerySet[Event]:
    """Apply everything but people and kinds of acts."""
    moment = _moment(rows)
    if wish.first_day:
        rows = rows.filter(**{f"{moment}__gte": clock.start_of(wish.first_day)})
    if wish.last_day and wish.last_day < dt.date.max:
        rows = rows.filter(**{f"{moment}__lt": clock.start_of(wish.last_day + dt.timedelta(days=1))})
    if wish.outcome:
        rows = rows.filter(outcome=wish.outcome)
        rows = rows if wish.outcome == vocabulary.OK else rows.filter(_not_ok())
    if wish.kind:
        rows = rows.filter(object_kind=wish.kind)
    if wish.number:
        number = filters.number_of(wish.number)
        rows = rows.filter(pk=number) if isinstance(number, uuid.UUID) else rows.filter(leaf_index=number)
    return rows.filter(**_object(wish))


def _residual(rows: Any, actors: Sequence[tuple[str, str]], names: Sequence[str]) -> QuerySet[Event]:
    """Narrow by people and kinds of acts without letting the database choose the index on them."""
    found: QuerySet[Event] = rows
    if actors:
        # The separator cannot stand in a kind, so a pair has one spelling.
        found = found.alias(who=Concat("actor_kind", Value(":"), "actor_id"))
        found = found.filter(who__in=[f"{kind}:{key}" for kind, key in actors])
    if names:
        found = found.alias(what=Concat("name", Value(""))).filter(what__in=names)
    return found


def _not_ok() -> RawSQL:
    return RawSQL(_NOT_OK, [], output_field=BooleanField())  # noqa: S611  a constant


def _few(rows: QuerySet[Event]) -> bool:
    """Tell whether so few rows are meant that sorting them costs nothing; counting stops there."""
    return rows.order_by().values("pk")[: _FEW + 1].count() <= _FEW


def _object(wish: Wish) -> dict[str, str]:
    return {"object_id": wish.object} if wish.object else {}


def _moment(rows: QuerySet[Event]) -> str:
    return "when" if "when" in rows.query.annotations else "at"


def _ordered(rows: QuerySet[Event], *, falling: bool) -> QuerySet[Event]:
    moment = _moment(rows)
    return rows.order_by(f"-{moment}", "-pk") if falling else rows.order_by(moment, "pk")


def _beyond(rows: QuerySet[Event], start: tuple[Any, uuid.UUID], *, falling: bool) -> QuerySet[Event]:
    at, key = start
    moment, side = _moment(rows), "lt" if falling else "gt"
    # The outer comparison lets the database enter the index at the right place.
    return rows.filter(Q(**{f"{moment}__{side}e": at}) & (Q(**{f"{moment}__{side}": at}) | Q(**{f"pk__{side}": key})))
