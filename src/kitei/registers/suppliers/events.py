"""Event names of the suppliers room."""

from kitei.trust.auditlog.vocabulary import declare

SUPPLIER_PUT = declare("supplier:put", "委託先を登録・変更", "Supplier recorded")
SUPPLIER_ORGANISATION_PUT = declare(
    "supplier-organisation:put", "委託先の体制を登録・変更", "Supplier's organisation recorded"
)
