"""Event names of the risks room."""

from kitei.trust.auditlog.vocabulary import declare

PROCEDURE_PUT = declare("procedure:put", "運用手順を登録・変更", "Procedure recorded")
RISK_PUT = declare("risk:put", "リスクを登録・変更", "Risk recorded")
MEASURE_PUT = declare("measure:put", "対策を登録・変更", "Measure recorded")
