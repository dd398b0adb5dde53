"""Event names of the institutions room."""

from kitei.registers.base.events import declare_put

SERVICE_PUT = declare_put("service:put", "サービスを登録・変更", "Service recorded", kind=("サービス", "Service"))
DATA_CLASS_PUT = declare_put(
    "data-class:put", "データ区分を登録・変更", "Data class recorded", kind=("データ区分", "Data class")
)
INSTITUTION_PUT = declare_put(
    "institution:put", "医療機関を登録・変更", "Institution recorded", kind=("医療機関", "Institution")
)
