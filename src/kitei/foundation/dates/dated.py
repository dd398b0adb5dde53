"""Dated rows (design §4): what can differ by day stands in rows with ``valid_from`` and ``valid_until``.

Days are Asia/Tokyo, intervals half-open. Nothing that was in force is overwritten: a change closes one row and opens the
next, a correction voids the wrong row and adds a right one.
"""

from __future__ import annotations

import datetime as dt
import uuid
from collections.abc import Iterable, Mapping
from typing import Any, ClassVar, TypeVar

from django.db import models
from django.db.models import Q

from kitei.foundation import clock, transactions
from kitei.foundation.tenancy.ids import uuid7
from kitei.foundation.tenancy.models import Row


def in_force(day: dt.date, prefix: str = "") -> Q:
    """The one predicate of "as of ``day``": not voided, from <= day < until. ``prefix`` is a relation path with ``__``."""
    return Q(**{f"{prefix}voided_at__isnull": True, f"{prefix}valid_from__lte": day}) & (
        Q(**{f"{prefix}valid_until__isnull": True}) | Q(**{f"{prefix}valid_until__gt": day})
    )


class DatedQuerySet(models.QuerySet[Any]):
    """Query set of dated rows."""

    def as_of(self, day: dt.date) -> DatedQuerySet:
        """Keep the rows in force on ``day``, by what is known now."""
        return self.filter(in_force(day))


class Dated(Row):
    """A row that holds from ``valid_from`` until before ``valid_until`` (None: open), as recorded at ``recorded_at``."""

    valid_from = models.DateField()
    valid_until = models.DateField(null=True, blank=True)
    recorded_at = models.DateTimeField()
    voided_at = models.DateTimeField(null=True, blank=True)
    imported = models.BooleanField(default=False)

    objects: ClassVar[models.Manager[Any]] = DatedQuerySet.as_manager()

    class Meta:
        abstract = True

    @property
    def recorded_late(self) -> bool:
        """後日登録: recorded on a later day than it took effect."""
        return self.recorded_at.astimezone(clock.TOKYO).date() > self.valid_from


class Identity(Row):
    """Who or what a register knows: never deleted. ``code`` is the company's own number, unique in the organization."""

    code = models.CharField(max_length=60)

    objects: ClassVar[models.Manager[Any]] = models.Manager()

    class Meta:
        abstract = True


class State(Dated):
    """What is true of an identity for some days. Subclasses add ``of`` (the identity) and the facts.

    ``code`` repeats the identity's so that a list sorts and pages on one index.
    """

    code = models.CharField(max_length=60)

    class Meta:
        abstract = True


S = TypeVar("S", bound=State)


def put_many(
    *,
    identity: type[Identity],
    state: type[S],
    organization: Any,
    rows: Mapping[str, Mapping[str, Any]],
    starts: str | None = None,
    day: dt.date | None = None,
    imported: bool = False,
) -> dict[str, uuid.UUID]:
    """Bring each code's state to the given facts as of ``day`` and return code -> identity id of all touched rows.

    New codes get an identity; their first state begins on the natural start day in fact ``starts`` if there is one that
    is not later than ``day`` (so a machine introduced in 2019 is seen as of 2020), else on ``day``. Known codes get their
    current state closed at ``day`` and a new one opened. The new state holds from ``day`` on, without end: states that
    began on ``day`` or later, planned ones included, are voided and stay only as record of what was believed.
    Joins the caller's transaction; a few queries for each 500 rows.
    """
    transactions.require()
    day = day or clock.today()
    moment = clock.now()
    codes = list(rows)
    known: dict[str, uuid.UUID] = {}
    for chunk in _chunks(codes):
        known.update(identity.objects.filter(organization=organization, code__in=chunk).values_list("code", "id"))
    fresh = [identity(id=uuid7(), organization=organization, code=code) for code in codes if code not in known]
    # Two writers may bring the same new code, or change the same row, at once: the identities are the lock (SQLite has the
    # one write lock already), so that never two states of one identity are in force.
    identity.objects.bulk_create(fresh, batch_size=500, ignore_conflicts=True)
    known = {}
    for chunk in _chunks(sorted(codes)):
        held = identity.objects.select_for_update().filter(organization=organization, code__in=chunk).order_by("code")
        known.update(held.values_list("code", "id"))
    begun: set[uuid.UUID] = set()
    if starts:
        # An identity may stand without any state: another row of the same file refers to it and made it.
        for chunk in _chunks(list(known.values())):
            begun.update(
                state.objects.filter(Q(of_id__in=chunk), organization=organization).values_list("of_id", flat=True)
            )
    for chunk in _chunks(list(known.values())):
        states_of: models.QuerySet[Any] = state.objects.filter(
            Q(of_id__in=chunk), organization=organization, voided_at__isnull=True
        )
        current = states_of.filter(Q(valid_until__isnull=True) | Q(valid_until__gt=day))
        current.filter(valid_from__gte=day).update(voided_at=moment)
        current.filter(valid_from__lt=day).update(valid_until=day)
    states = []
    for code, facts in rows.items():
        begin = day
        if starts and known[code] not in begun and facts.get(starts) is not None:
            begin = min(facts[starts], day)
        states.append(
            state(
                organization=organization,
                of_id=known[code],
                code=code,
                valid_from=begin,
                recorded_at=moment,
                imported=imported,
                **facts,
            )
        )
    state.objects.bulk_create(states, batch_size=500)
    return known


def _chunks(items: list[Any], size: int = 500) -> Iterable[list[Any]]:
    # SQLite allows 999 parameters a statement by default; 500 leaves room for the others.
    for start in range(0, len(items), size):
        yield items[start : start + size]


__all__ = ["Dated", "DatedQuerySet", "Identity", "State", "in_force", "put_many"]
