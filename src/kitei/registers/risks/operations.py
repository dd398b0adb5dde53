"""Every write of the risks room: ``procedures.put``, ``risks.put`` and ``measures.put``."""

from __future__ import annotations

from kitei.registers.base.register import Register
from kitei.registers.documents.models import Document
from kitei.registers.institutions.models import Service
from kitei.registers.risks import columns, events, models

procedures = Register(
    kind="procedure",
    identity=models.Procedure,
    state=models.ProcedureState,
    columns=columns.PROCEDURES,
    event=events.PROCEDURE_PUT,
    refers={"document": Document, "evidence": Document},
)
risks = Register(
    kind="risk",
    identity=models.Risk,
    state=models.RiskState,
    columns=columns.RISKS,
    event=events.RISK_PUT,
    refers={"service": Service},
)
measures = Register(
    kind="measure",
    identity=models.Measure,
    state=models.MeasureState,
    columns=columns.MEASURES,
    event=events.MEASURE_PUT,
)
