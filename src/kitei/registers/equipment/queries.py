"""Every read of the equipment room: lists restricted to the actor, and the counts checks and annexes are made of."""

from __future__ import annotations

import datetime as dt
import uuid
from typing import Any

from django.db.models import BooleanField, Case, OuterRef, Q, QuerySet, Subquery, Value, When

from kitei.foundation.dates.japanese import add_months
from kitei.registers.equipment.models import EquipmentKindState, EquipmentState
from kitei.registers.institutions.models import InstitutionState
from kitei.trust.access import rule

UNDECIDED = ("", "undecided")


def kinds(*, actor: rule.Actor, day: dt.date) -> QuerySet[EquipmentKindState]:
    """Kinds of equipment as of ``day``."""
    return rule.visible(actor, EquipmentKindState.objects.as_of(day), rule.LIST).select_related("of")


def equipment(*, actor: rule.Actor, day: dt.date) -> Any:
    """Devices as of ``day`` with ``kind_name`` and the institution they stand at: what a list shows, no query per row."""
    named = EquipmentKindState.objects.as_of(day).filter(of_id=OuterRef("kind_id")).order_by().values("name")[:1]
    rows = rule.visible(actor, EquipmentState.objects.as_of(day), rule.LIST)
    return rows.select_related("kind", "institution").annotate(kind_name=Subquery(named))


def ledger(*, organization: Any, day: dt.date) -> Any:
    """All devices of the organization as of ``day``, disposed ones included, for counting."""
    return EquipmentState.objects.filter(organization=organization).as_of(day).order_by()


def kind_states(*, organization: Any, day: dt.date) -> dict[uuid.UUID, EquipmentKindState]:
    """Return kind id -> its state as of ``day``, by code."""
    rows = EquipmentKindState.objects.filter(organization=organization).as_of(day).order_by("code")
    return {row.of_id: row for row in rows}


def institution_labels(*, organization: Any, day: dt.date) -> dict[uuid.UUID, tuple[str, str]]:
    """Return institution id -> (code, name) as of ``day``."""
    rows = InstitutionState.objects.filter(organization=organization).as_of(day).order_by("code")
    return {key: (code, name) for key, code, name in rows.values_list("of_id", "code", "name")}


def oldest_allowed(day: dt.date, months: int) -> dt.date:
    """Return the earliest day from which ``months`` have not run out on ``day``.

    Months end on the same day of the month, or on its last day where there is none (民法143条2項), so what was done on
    28 February with six months runs out on 28 August and is too old on the 31st.
    """
    start = add_months(day, -months)
    return start if add_months(start, months) >= day else start + dt.timedelta(days=1)


def tier_a(*, organization: Any, day: dt.date) -> Q:
    """Devices that are looked for at the shorter interval: the kind's tier, medical data, or placed at an institution."""
    important = (
        EquipmentKindState.objects.filter(organization=organization, tier="A").as_of(day).order_by().values("of_id")
    )
    return Q(kind_id__in=important) | Q(medical_data=True) | Q(placement="institution")


def with_located(rows: Any, *, organization: Any, day: dt.date, months_a: int, months_b: int) -> Any:
    """Annotate ``important`` (tier A) and ``located``: confirmed within the tier's months and not 所在不明 or 保留.

    A confirmation without a recorded result counts as found: many ledgers keep the day only.
    """
    in_time = (
        Q(important=True, confirmed_on__gte=oldest_allowed(day, months_a))
        | Q(important=False, confirmed_on__gte=oldest_allowed(day, months_b))
    ) & Q(confirmed_on__lte=day)
    return (
        rows.annotate(important=yes_no(tier_a(organization=organization, day=day)))
        .annotate(in_time=yes_no(in_time))
        .annotate(located=yes_no(Q(in_time=True) & Q(confirmed_result__in=("", "matched", "moved"))))
    )


def yes_no(condition: Q) -> Case:
    """Return the condition as a column that is never NULL, so that it can be negated safely."""
    return Case(When(condition, then=Value(True)), default=Value(False), output_field=BooleanField())
