"""Event names of the institutions room."""

from kitei.trust.auditlog.vocabulary import declare

SERVICE_PUT = declare("service:put", "サービスを登録・変更", "Service recorded")
DATA_CLASS_PUT = declare("data-class:put", "データ区分を登録・変更", "Data class recorded")
INSTITUTION_PUT = declare("institution:put", "医療機関を登録・変更", "Institution recorded")
