"""Event names of the risks room."""

from kitei.registers.base.events import declare_put

PROCEDURE_PUT = declare_put(
    "procedure:put", "運用手順を登録・変更", "Procedure recorded", kind=("運用手順", "Procedure")
)
RISK_PUT = declare_put("risk:put", "リスクを登録・変更", "Risk recorded", kind=("リスク", "Risk"))
MEASURE_PUT = declare_put("measure:put", "対策を登録・変更", "Measure recorded", kind=("対策", "Measure"))
