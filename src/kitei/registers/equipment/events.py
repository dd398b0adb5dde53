"""Event names of the equipment room."""

from kitei.registers.base.events import declare_put

KIND_PUT = declare_put(
    "equipment-kind:put", "機器区分を登録・変更", "Equipment kind recorded", kind=("機器区分", "Equipment kind")
)
EQUIPMENT_PUT = declare_put("equipment:put", "機器を登録・変更", "Equipment recorded", kind=("機器", "Equipment"))
