"""Event names of the equipment room."""

from kitei.trust.auditlog.vocabulary import declare

KIND_PUT = declare("equipment-kind:put", "機器区分を登録・変更", "Equipment kind recorded")
EQUIPMENT_PUT = declare("equipment:put", "機器を登録・変更", "Equipment recorded")
