"""Every read of the suppliers room, restricted to the actor, and the plain answers checks and annexes are made of."""

from __future__ import annotations

import datetime as dt
import uuid
from collections.abc import Mapping
from typing import Any

from django.db.models import CharField, DateField, Exists, OuterRef, Q, QuerySet, Subquery, Value
from django.db.models.functions import Coalesce

from kitei.registers.suppliers.models import SupplierOrganisationState, SupplierState
from kitei.trust.access import rule


def suppliers(*, actor: rule.Actor, day: dt.date) -> QuerySet[SupplierState]:
    """Suppliers as of ``day`` with ``confirmed_on``, the last confirmation of their organisation, and ``listed_on``."""
    rows: QuerySet[SupplierState] = rule.visible(actor, SupplierState.objects.as_of(day), rule.LIST)
    return rows.select_related("of", "contract", "parent").annotate(
        listed_on=Value(day, output_field=DateField()), confirmed_on=_last_confirmation(day)
    )


def organisations(*, actor: rule.Actor, day: dt.date) -> QuerySet[SupplierOrganisationState]:
    """Organisation records as of ``day`` with ``supplier_name``."""
    rows: QuerySet[SupplierOrganisationState] = rule.visible(
        actor, SupplierOrganisationState.objects.as_of(day), rule.LIST
    )
    name = SupplierState.objects.filter(of_id=OuterRef("supplier_id")).as_of(day).values("name")[:1]
    return rows.select_related("of", "supplier").annotate(
        supplier_name=Coalesce(Subquery(name), Value(""), output_field=CharField())
    )


def dealt_with(*, organization: Any, day: dt.date) -> QuerySet[SupplierState]:
    """Suppliers the company deals with on ``day``: begun and not ended. A contract that ran out does not end it."""
    begun = Q(contract_from__isnull=True) | Q(contract_from__lte=day)
    going = Q(ended_on__isnull=True) | Q(ended_on__gte=day)
    return SupplierState.objects.filter(organization=organization).as_of(day).filter(begun & going)


def with_organisation(rows: QuerySet[SupplierState], *, day: dt.date, since: dt.date) -> QuerySet[SupplierState]:
    """Annotate suppliers with what is known of their organisation as of ``day``.

    ``recorded``: there is a record; ``complete``: one names an officer and a contact; ``confirmed``: such a one was
    confirmed on or after ``since`` and by then; ``asked``: so confirmed, and not from published material only;
    ``confirmed_on``: the last confirmation of a complete one; ``has_onward``: another supplier names this one as the one it works for.
    """
    records = SupplierOrganisationState.objects.filter(supplier_id=OuterRef("of_id")).as_of(day)
    complete = records.exclude(officer="", officer_title="").exclude(contact="")
    confirmed = complete.filter(confirmed_on__gte=since, confirmed_on__lte=day)
    return rows.annotate(
        recorded=Exists(records),
        complete=Exists(complete),
        confirmed=Exists(confirmed),
        asked=Exists(confirmed.exclude(confirmed_how="published")),
        confirmed_on=Subquery(
            complete.filter(confirmed_on__lte=day).order_by("-confirmed_on").values("confirmed_on")[:1]
        ),
        has_onward=Exists(SupplierState.objects.filter(parent_id=OuterRef("of_id")).as_of(day)),
    )


def organisation_of(*, organization: Any, day: dt.date) -> Mapping[uuid.UUID, SupplierOrganisationState]:
    """Return supplier id -> the record of its organisation that was confirmed last, as of ``day``."""
    rows = SupplierOrganisationState.objects.filter(organization=organization).as_of(day).order_by("code")
    found: dict[uuid.UUID, SupplierOrganisationState] = {}
    for row in rows:
        known = found.get(row.supplier_id)
        if known is None or (row.confirmed_on or dt.date.min) > (known.confirmed_on or dt.date.min):
            found[row.supplier_id] = row
    return found


def _last_confirmation(day: dt.date) -> Subquery:
    rows = SupplierOrganisationState.objects.filter(supplier_id=OuterRef("of_id"), confirmed_on__lte=day).as_of(day)
    return Subquery(rows.order_by("-confirmed_on").values("confirmed_on")[:1])
