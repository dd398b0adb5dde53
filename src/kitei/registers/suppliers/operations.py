"""Every write of the suppliers room. All join the caller's transaction, ask the access rule and append events."""

from __future__ import annotations

from kitei.registers.base.register import Register
from kitei.registers.documents.models import Document
from kitei.registers.suppliers import columns, events, models

suppliers = Register(
    kind="supplier",
    identity=models.Supplier,
    state=models.SupplierState,
    columns=columns.SUPPLIERS,
    event=events.SUPPLIER_PUT,
    refers={"contract": Document, "parent": models.Supplier},
    starts="contract_from",
)
organisations = Register(
    kind="supplier-organisation",
    identity=models.SupplierOrganisation,
    state=models.SupplierOrganisationState,
    columns=columns.SUPPLIER_ORGANISATIONS,
    event=events.SUPPLIER_ORGANISATION_PUT,
    refers={"supplier": models.Supplier},
    starts="confirmed_on",
)
