"""Every read of the risks room: lists restricted to the actor, and the rows checks and annexes are made of."""

from __future__ import annotations

import datetime as dt
from typing import Any

from django.db.models import QuerySet

from kitei.registers.risks.models import MeasureState, ProcedureState, RiskState
from kitei.trust.access import rule


def risks(*, actor: rule.Actor, day: dt.date) -> QuerySet[RiskState]:
    """Risks as of ``day`` with their service."""
    return rule.visible(actor, RiskState.objects.as_of(day), rule.LIST).select_related("of", "service")


def measures(*, actor: rule.Actor, day: dt.date) -> QuerySet[MeasureState]:
    """Measures as of ``day``; risks and procedures are lists of codes on the row."""
    return rule.visible(actor, MeasureState.objects.as_of(day), rule.LIST).select_related("of")


def procedures(*, actor: rule.Actor, day: dt.date) -> QuerySet[ProcedureState]:
    """Procedures as of ``day`` with their document."""
    return rule.visible(actor, ProcedureState.objects.as_of(day), rule.LIST).select_related(
        "of", "document", "evidence"
    )


def all_measures(*, organization: Any, day: dt.date) -> list[MeasureState]:
    """Every measure of the organization as of ``day``, by code."""
    return list(MeasureState.objects.filter(organization=organization).as_of(day).order_by("code"))


def all_risks(*, organization: Any, day: dt.date) -> dict[str, RiskState]:
    """Code -> risk as of ``day``, by code."""
    return {row.code: row for row in RiskState.objects.filter(organization=organization).as_of(day).order_by("code")}


def all_procedures(*, organization: Any, day: dt.date) -> dict[str, ProcedureState]:
    """Code -> procedure as of ``day`` with its document, by code."""
    rows = (
        ProcedureState.objects.filter(organization=organization).as_of(day).select_related("document").order_by("code")
    )
    return {row.code: row for row in rows}
