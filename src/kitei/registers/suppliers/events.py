"""Event names of the suppliers room."""

from kitei.registers.base.events import declare_put

SUPPLIER_PUT = declare_put("supplier:put", "委託先を登録・変更", "Supplier recorded", kind=("委託先", "Supplier"))
SUPPLIER_ORGANISATION_PUT = declare_put(
    "supplier-organisation:put",
    "委託先の体制を登録・変更",
    "Supplier's organisation recorded",
    kind=("委託先の体制", "Supplier's organisation"),
)
