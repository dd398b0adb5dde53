"""Every write of the equipment room: ``kinds.put`` and ``equipment.put``, also used by import and demo."""

from __future__ import annotations

from kitei.registers.base.register import Register
from kitei.registers.documents.models import Document
from kitei.registers.equipment import columns, events, models
from kitei.registers.institutions.models import Institution, Service
from kitei.registers.people.models import Member
from kitei.registers.suppliers.models import Supplier

kinds = Register(
    kind="equipment-kind",
    identity=models.EquipmentKind,
    state=models.EquipmentKindState,
    columns=columns.KINDS,
    event=events.KIND_PUT,
)
equipment = Register(
    kind="equipment",
    identity=models.Equipment,
    state=models.EquipmentState,
    columns=columns.EQUIPMENT,
    event=events.EQUIPMENT_PUT,
    refers={
        "kind": models.EquipmentKind,
        "institution": Institution,
        "supplier": Supplier,
        "service": Service,
        "custodian": Member,
        "agreement": Document,
    },
    starts="introduced_on",
)
