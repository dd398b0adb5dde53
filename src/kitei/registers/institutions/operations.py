"""Every write of the institutions room. All join the caller's transaction, ask the access rule and append events."""

from __future__ import annotations

from kitei.registers.base.register import Register
from kitei.registers.documents.models import Document
from kitei.registers.institutions import columns, events, models

services = Register(
    kind="service",
    identity=models.Service,
    state=models.ServiceState,
    columns=columns.SERVICES,
    event=events.SERVICE_PUT,
    starts="started_on",
)
data_classes = Register(
    kind="data-class",
    identity=models.DataClass,
    state=models.DataClassState,
    columns=columns.DATA_CLASSES,
    event=events.DATA_CLASS_PUT,
    refers={"service": models.Service},
)
institutions = Register(
    kind="institution",
    identity=models.Institution,
    state=models.InstitutionState,
    columns=columns.INSTITUTIONS,
    event=events.INSTITUTION_PUT,
    refers={"contract": Document},
    starts="contract_from",
)
