"""Equipment (row エ of the seed page): what there is, where it stands, who answers for it, when it was last seen."""

from __future__ import annotations

from django.db import models

from kitei.foundation.dates.dated import Identity, State
from kitei.registers.documents.models import Document
from kitei.registers.institutions.models import Institution, Service
from kitei.registers.people.models import Member
from kitei.registers.suppliers.models import Supplier


class EquipmentKind(Identity):
    """機器区分: a kind of device that is managed in one way."""

    class Meta:
        constraints = [models.UniqueConstraint(fields=["organization", "code"], name="equipment_kind_code")]


class EquipmentKindState(State):
    """How devices of the kind are managed (管理方法), how often they are looked for, and who normally answers for them."""

    of = models.ForeignKey(EquipmentKind, on_delete=models.PROTECT, related_name="states")
    name = models.CharField(max_length=120)
    management = models.TextField(blank=True)
    tier = models.CharField(max_length=1)
    vulnerability_method = models.TextField(blank=True)
    responsible = models.CharField(max_length=20, blank=True)
    vulnerability = models.CharField(max_length=20, blank=True)

    class Meta:
        indexes = [models.Index(fields=["organization", "code"])]


class Equipment(Identity):
    """機器: one device or cloud resource; its 管理番号 is on its label."""

    class Meta:
        constraints = [models.UniqueConstraint(fields=["organization", "code"], name="equipment_code")]


class EquipmentState(State):
    """Where a device stands, who is responsible for it, how it was last located and in which state it is.

    The ledger may hold 100,000 rows: every filter of the list page has an index that ends in ``code``, the order of the
    list, and foreign keys that nothing looks up by carry none.
    """

    of = models.ForeignKey(Equipment, on_delete=models.PROTECT, related_name="states")
    kind = models.ForeignKey(EquipmentKind, on_delete=models.PROTECT, related_name="+", db_index=False)
    name = models.CharField(max_length=120)
    model = models.CharField(max_length=120, blank=True)
    serial = models.CharField(max_length=120, blank=True)
    placement = models.CharField(max_length=20)
    institution = models.ForeignKey(Institution, null=True, on_delete=models.PROTECT, related_name="+", db_index=False)
    supplier = models.ForeignKey(Supplier, null=True, on_delete=models.PROTECT, related_name="+", db_index=False)
    place = models.CharField(max_length=200, blank=True)
    service = models.ForeignKey(Service, null=True, on_delete=models.PROTECT, related_name="+", db_index=False)
    owner = models.CharField(max_length=20, blank=True)
    custodian = models.ForeignKey(Member, null=True, on_delete=models.PROTECT, related_name="+", db_index=False)
    responsible = models.CharField(max_length=20, blank=True)
    vulnerability = models.CharField(max_length=20, blank=True)
    clause = models.CharField(max_length=60, blank=True)
    agreement = models.ForeignKey(Document, null=True, on_delete=models.PROTECT, related_name="+", db_index=False)
    agreed_on = models.DateField(null=True)
    medical_data = models.BooleanField(null=True)
    os = models.CharField(max_length=120, blank=True)
    support_until = models.DateField(null=True)
    introduced_on = models.DateField(null=True)
    confirmed_on = models.DateField(null=True)
    confirmed_how = models.CharField(max_length=20, blank=True)
    confirmed_result = models.CharField(max_length=20, blank=True)
    state = models.CharField(max_length=20)
    disposed_on = models.DateField(null=True)
    erasure_certificate = models.CharField(max_length=60, blank=True)

    class Meta:
        indexes = [
            models.Index(fields=["organization", "code"]),
            models.Index(fields=["organization", "name", "code"]),
            models.Index(fields=["organization", "kind", "code"]),
            models.Index(fields=["organization", "placement", "code"]),
            models.Index(fields=["organization", "institution", "code"]),
            models.Index(fields=["organization", "state", "code"]),
            models.Index(fields=["organization", "confirmed_result", "code"]),
        ]
