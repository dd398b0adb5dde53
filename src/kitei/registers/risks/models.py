"""Risks, the measures against them, and the procedures by which measures are operated (row オ of the seed page)."""

from __future__ import annotations

from django.db import models

from kitei.foundation.dates.dated import Identity, State
from kitei.registers.documents.models import Document
from kitei.registers.institutions.models import Service


class Procedure(Identity):
    """運用手順."""

    class Meta:
        constraints = [models.UniqueConstraint(fields=["organization", "code"], name="risks_procedure_code")]


class ProcedureState(State):
    """The document that holds the procedure, who performs it how often, and when it was last done."""

    of = models.ForeignKey(Procedure, on_delete=models.PROTECT, related_name="states")
    name = models.CharField(max_length=120)
    document = models.ForeignKey(Document, null=True, on_delete=models.PROTECT, related_name="+")
    version = models.CharField(max_length=40, blank=True)
    owner_role = models.CharField(max_length=40, blank=True)
    cycle = models.CharField(max_length=20, blank=True)
    last_done_on = models.DateField(null=True)
    evidence = models.ForeignKey(Document, null=True, on_delete=models.PROTECT, related_name="+")
    steps = models.TextField(blank=True)

    class Meta:
        indexes = [models.Index(fields=["organization", "code"]), models.Index(fields=["organization", "name"])]


class Risk(Identity):
    """リスク: one threat to one information flow."""

    class Meta:
        constraints = [models.UniqueConstraint(fields=["organization", "code"], name="risks_risk_code")]


class RiskState(State):
    """How grave and how likely a risk is, how it is answered, and what remains and who accepted that."""

    of = models.ForeignKey(Risk, on_delete=models.PROTECT, related_name="states")
    title = models.CharField(max_length=200)
    service = models.ForeignKey(Service, null=True, on_delete=models.PROTECT, related_name="+")
    flow = models.CharField(max_length=200, blank=True)
    threat = models.CharField(max_length=30, blank=True)
    impact = models.PositiveSmallIntegerField(null=True)
    likelihood = models.PositiveSmallIntegerField(null=True)
    level = models.CharField(max_length=1, blank=True)
    response = models.CharField(max_length=20, blank=True)
    residual = models.TextField(blank=True)
    accepted_by = models.CharField(max_length=120, blank=True)
    assessed_on = models.DateField(null=True)

    class Meta:
        indexes = [models.Index(fields=["organization", "code"]), models.Index(fields=["organization", "title"])]


class Measure(Identity):
    """対策."""

    class Meta:
        constraints = [models.UniqueConstraint(fields=["organization", "code"], name="risks_measure_code")]


class MeasureState(State):
    """Which risks a measure answers, whether it is adopted and needs operating, and by which procedures.

    ``risks`` and ``procedures`` are lists of codes of their sheets.
    """

    of = models.ForeignKey(Measure, on_delete=models.PROTECT, related_name="states")
    name = models.CharField(max_length=200)
    kind = models.CharField(max_length=20, blank=True)
    risks = models.JSONField(default=list)
    adopted = models.CharField(max_length=20)
    operation_needed = models.CharField(max_length=20, blank=True)
    reason = models.TextField(blank=True)
    procedures = models.JSONField(default=list)
    article = models.CharField(max_length=60, blank=True)

    class Meta:
        indexes = [models.Index(fields=["organization", "code"]), models.Index(fields=["organization", "name"])]
