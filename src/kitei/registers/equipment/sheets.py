"""The equipment room's sheets."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from kitei.foundation.sheets.spec import Problem, SheetSpec, register
from kitei.foundation.text import Message
from kitei.registers.equipment import operations
from kitei.registers.equipment.columns import EQUIPMENT, KINDS


def check_equipment(values: dict[str, Any]) -> Iterable[Problem]:
    """Rules of one device: an institution where it stands at one, a day of disposal, and days that follow each other."""
    if values.get("placement") == "institution" and not values.get("institution"):
        yield Problem(
            "institution",
            Message(
                "設置先区分が医療機関等なのに、医療機関番号がありません。設置した医療機関等の番号を書いてください。"
            ),
        )
    disposed, introduced = values.get("disposed_on"), values.get("introduced_on")
    if values.get("state") == "disposed" and not disposed:
        yield Problem("disposed_on", Message("状態が廃棄済なのに、廃棄日がありません。廃棄した日を書いてください。"))
    if disposed and introduced and disposed < introduced:
        yield Problem("disposed_on", Message("廃棄日が導入日より前です。どちらかの日付を直してください。"))
    if values.get("confirmed_result") and not values.get("confirmed_on"):
        yield Problem(
            "confirmed_on", Message("確認結果があるのに、最終所在確認日がありません。確認した日を書いてください。")
        )


register(
    SheetSpec(
        key="equipment-kind",
        ja="機器区分",
        en="Equipment kinds",
        identity="code",
        columns=KINDS,
        existing=operations.kinds.existing,
        apply=operations.kinds.apply,
        order=130,
        intro_ja="機器の区分を1行に1つ書きます。区分ごとに、管理方法と標準の責任の所在を決めます。",
        intro_en="One kind of equipment a row, with how it is managed and who is normally responsible.",
    )
)
register(
    SheetSpec(
        key="equipment",
        ja="機器",
        en="Equipment",
        identity="code",
        columns=EQUIPMENT,
        existing=operations.equipment.existing,
        apply=operations.equipment.apply,
        order=135,
        check=check_equipment,
        intro_ja="機器を1行に1台書きます。廃棄した機器も消さずに、状態と廃棄日を書いてください。",
        intro_en="One device a row. Disposed ones stay, with their state and the day of disposal.",
        aliases=("機器台帳",),
    )
)
