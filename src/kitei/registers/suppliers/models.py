"""Suppliers and their organisation (row イ-7)."""

from __future__ import annotations

from django.db import models

from kitei.foundation.dates.dated import Identity, State
from kitei.registers.documents.models import Document


class Supplier(Identity):
    """委託先: a sub-contractor, a cloud that is used, or another supplier; also 再々委託先."""

    class Meta:
        constraints = [models.UniqueConstraint(fields=["organization", "code"], name="suppliers_supplier_code")]


class SupplierState(State):
    """What a supplier does for which services, under which contract, and whether it sub-contracts onward.

    ``services`` lists service codes. ``parent`` is the supplier it works for (再々委託先). ``contract_until`` and
    ``ended_on`` are last days; a supplier is dealt with until ``ended_on``, also when its contract has run out.
    """

    of = models.ForeignKey(Supplier, on_delete=models.PROTECT, related_name="states")
    name = models.CharField(max_length=200)
    kana = models.CharField(max_length=200, blank=True)
    category = models.CharField(max_length=20)
    work = models.CharField(max_length=200, blank=True)
    services = models.JSONField(default=list, blank=True)
    data = models.CharField(max_length=300, blank=True)
    country = models.CharField(max_length=60, blank=True)
    contract = models.ForeignKey(Document, null=True, on_delete=models.PROTECT, related_name="+")
    contract_from = models.DateField(null=True)
    contract_until = models.DateField(null=True)
    certification = models.CharField(max_length=200, blank=True)
    certification_until = models.DateField(null=True)
    evaluated_on = models.DateField(null=True)
    onward = models.CharField(max_length=20, default="unknown")
    parent = models.ForeignKey(Supplier, null=True, on_delete=models.PROTECT, related_name="+")
    ended_on = models.DateField(null=True)

    class Meta:
        indexes = [
            models.Index(fields=["organization", "code"]),
            models.Index(fields=["organization", "name"]),
            models.Index(fields=["of", "valid_from"]),
        ]


class SupplierOrganisation(Identity):
    """委託先の体制: one record of a supplier's responsible person and contact."""

    class Meta:
        constraints = [models.UniqueConstraint(fields=["organization", "code"], name="suppliers_organisation_code")]


class SupplierOrganisationState(State):
    """Who answers at the supplier, how to reach them, and when and how that was confirmed.

    The contacts are shown inside the company only; the disclosure rendering gives the office.
    """

    of = models.ForeignKey(SupplierOrganisation, on_delete=models.PROTECT, related_name="states")
    supplier = models.ForeignKey(Supplier, on_delete=models.PROTECT, related_name="+")
    officer_title = models.CharField(max_length=120, blank=True)
    officer = models.CharField(max_length=120, blank=True)
    contact = models.CharField(max_length=200, blank=True)
    emergency_contact = models.CharField(max_length=200, blank=True)
    confirmed_on = models.DateField(null=True)
    confirmed_how = models.CharField(max_length=20, blank=True)
    confirmed_by = models.CharField(max_length=120, blank=True)

    class Meta:
        indexes = [models.Index(fields=["organization", "code"]), models.Index(fields=["supplier", "valid_from"])]
