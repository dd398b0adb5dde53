"""Services, the data they handle, and the institutions they are provided to (row ア-3)."""

from __future__ import annotations

from django.db import models

from kitei.foundation.dates.dated import Identity, State
from kitei.registers.documents.models import Document


class Service(Identity):
    """医療情報システム等: a service the company provides."""

    class Meta:
        constraints = [models.UniqueConstraint(fields=["organization", "code"], name="institutions_service_code")]


class ServiceState(State):
    """How a service is provided, where its data is stored, and who answers for security updates.

    ``position`` is the company's own (委託を受けた者 or 自ら取り扱う者). ``ended_on`` is the last day of the service.
    """

    of = models.ForeignKey(Service, on_delete=models.PROTECT, related_name="states")
    name = models.CharField(max_length=120)
    form = models.CharField(max_length=20)
    position = models.CharField(max_length=20)
    storage_country = models.CharField(max_length=60, blank=True)
    storage_place = models.CharField(max_length=200, blank=True)
    update_responsibility = models.CharField(max_length=20, blank=True)
    update_clause = models.CharField(max_length=120, blank=True)
    started_on = models.DateField(null=True)
    ended_on = models.DateField(null=True)

    class Meta:
        indexes = [
            models.Index(fields=["organization", "code"]),
            models.Index(fields=["organization", "name"]),
            models.Index(fields=["of", "valid_from"]),
        ]


class DataClass(Identity):
    """データ区分: one kind of information a service handles."""

    class Meta:
        constraints = [models.UniqueConstraint(fields=["organization", "code"], name="institutions_data_class_code")]


class DataClassState(State):
    """Whose information it is and how it is protected; the deceased are included unless a reason says otherwise."""

    of = models.ForeignKey(DataClass, on_delete=models.PROTECT, related_name="states")
    service = models.ForeignKey(Service, on_delete=models.PROTECT, related_name="+")
    name = models.CharField(max_length=120)
    patient_data = models.BooleanField(default=True)
    includes_deceased = models.CharField(max_length=20, default="included")
    excluded_reason = models.TextField(blank=True)
    measures = models.TextField(blank=True)
    deceased_measures = models.CharField(max_length=20, default="same")

    class Meta:
        indexes = [models.Index(fields=["organization", "code"])]


class Institution(Identity):
    """医療機関等: a customer that entrusts or uses a service."""

    class Meta:
        constraints = [models.UniqueConstraint(fields=["organization", "code"], name="institutions_institution_code")]


class InstitutionState(State):
    """Who an institution is, what it uses, its contract, and which edition of the regulation it was shown.

    ``services`` lists service codes. ``contract_until`` is the last day of the contract.
    """

    of = models.ForeignKey(Institution, on_delete=models.PROTECT, related_name="states")
    name = models.CharField(max_length=200)
    kana = models.CharField(max_length=200, blank=True)
    institution_code = models.CharField(max_length=10, blank=True)
    kind = models.CharField(max_length=20)
    address = models.CharField(max_length=300, blank=True)
    contact_department = models.CharField(max_length=120, blank=True)
    contact_name = models.CharField(max_length=120, blank=True)
    services = models.JSONField(default=list, blank=True)
    contract = models.ForeignKey(Document, null=True, on_delete=models.PROTECT, related_name="+")
    contract_from = models.DateField(null=True)
    contract_until = models.DateField(null=True)
    edition_shown = models.CharField(max_length=60, blank=True)
    shown_on = models.DateField(null=True)
    agreed_on = models.DateField(null=True)

    class Meta:
        indexes = [models.Index(fields=["organization", "code"]), models.Index(fields=["organization", "name"])]
