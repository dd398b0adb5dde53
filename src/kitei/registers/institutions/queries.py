"""Every read of the institutions room, restricted to the actor, and the plain answers checks and annexes are made of."""

from __future__ import annotations

import datetime as dt
import uuid
from collections.abc import Mapping
from typing import Any

from django.db.models import CharField, DateField, OuterRef, Q, QuerySet, Subquery, Value
from django.db.models.functions import Coalesce

from kitei.registers.institutions.models import DataClassState, InstitutionState, ServiceState
from kitei.trust.access import rule


def running(day: dt.date, start: str, end: str) -> Q:
    """The predicate "runs on ``day``" of two day fields that may be empty; both days count."""
    return (Q(**{f"{start}__isnull": True}) | Q(**{f"{start}__lte": day})) & (
        Q(**{f"{end}__isnull": True}) | Q(**{f"{end}__gte": day})
    )


def services(*, actor: rule.Actor, day: dt.date) -> QuerySet[ServiceState]:
    """Services as of ``day``; each row knows the day it is listed for (``listed_on``)."""
    rows: QuerySet[ServiceState] = rule.visible(actor, ServiceState.objects.as_of(day), rule.LIST)
    return rows.select_related("of").annotate(listed_on=Value(day, output_field=DateField()))


def data_classes(*, actor: rule.Actor, day: dt.date) -> QuerySet[DataClassState]:
    """Data classes as of ``day`` with ``service_name``."""
    rows: QuerySet[DataClassState] = rule.visible(actor, DataClassState.objects.as_of(day), rule.LIST)
    return rows.select_related("of", "service").annotate(service_name=service_name("service_id", day))


def institutions(*, actor: rule.Actor, day: dt.date) -> QuerySet[InstitutionState]:
    """Institutions as of ``day`` with their contract; each row knows the day it is listed for (``listed_on``)."""
    rows: QuerySet[InstitutionState] = rule.visible(actor, InstitutionState.objects.as_of(day), rule.LIST)
    return rows.select_related("of", "contract").annotate(listed_on=Value(day, output_field=DateField()))


def service_name(reference: str, day: dt.date) -> Coalesce:
    """An annotation: the name as of ``day`` of the service that field ``reference`` points to, or an empty text."""
    name = ServiceState.objects.filter(of_id=OuterRef(reference)).as_of(day).values("name")[:1]
    return Coalesce(Subquery(name), Value(""), output_field=CharField())


def service_names(*, organization: Any, day: dt.date) -> dict[str, str]:
    """Return service code -> name as of ``day``, ended services included."""
    return dict(ServiceState.objects.filter(organization=organization).as_of(day).values_list("code", "name"))


def provided(*, organization: Any, day: dt.date) -> list[ServiceState]:
    """Services provided on ``day``, by code."""
    rows = (
        ServiceState.objects.filter(organization=organization).as_of(day).filter(running(day, "started_on", "ended_on"))
    )
    return list(rows.order_by("code"))


def data_of_services(*, organization: Any, day: dt.date) -> Mapping[uuid.UUID, list[DataClassState]]:
    """Return service id -> its data classes as of ``day``, by code."""
    found: dict[uuid.UUID, list[DataClassState]] = {}
    for row in DataClassState.objects.filter(organization=organization).as_of(day).order_by("code"):
        found.setdefault(row.service_id, []).append(row)
    return found


def patient_data(*, organization: Any, day: dt.date) -> QuerySet[DataClassState]:
    """Data classes of patients as of ``day``, but for those of services that had ended by then."""
    ended = ServiceState.objects.filter(organization=organization).as_of(day).filter(ended_on__lt=day).values("of_id")
    return (
        DataClassState.objects.filter(organization=organization, patient_data=True)
        .as_of(day)
        .exclude(service_id__in=ended)
    )


def under_contract(*, organization: Any, day: dt.date) -> QuerySet[InstitutionState]:
    """Institutions whose contract runs on ``day`` (or has no days recorded)."""
    rows = InstitutionState.objects.filter(organization=organization).as_of(day)
    return rows.filter(running(day, "contract_from", "contract_until"))
