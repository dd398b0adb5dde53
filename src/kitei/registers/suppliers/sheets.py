"""The suppliers room's sheets."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from kitei.foundation.sheets.spec import Problem, SheetSpec, register
from kitei.foundation.text import Message
from kitei.registers.suppliers.columns import SUPPLIER_ORGANISATIONS, SUPPLIERS
from kitei.registers.suppliers.operations import organisations, suppliers


def check_supplier(values: dict[str, Any]) -> Iterable[Problem]:
    """Rules inside one row of 「委託先」."""
    start, end = values.get("contract_from"), values.get("contract_until")
    if start and end and end < start:
        yield Problem("contract_until", Message("契約期限が契約開始日より前です。どちらかの日付を直してください。"))
    if values.get("parent") and values.get("parent") == values.get("code"):
        yield Problem("parent", Message("自分自身を委託元にはできません。委託元の番号を直すか、空けてください。"))


def check_organisation(values: dict[str, Any]) -> Iterable[Problem]:
    """Rules inside one row of 「委託先の体制」: a confirmation says how it was made."""
    if values.get("confirmed_on") and not values.get("confirmed_how"):
        yield Problem("confirmed_how", Message("確認日があるときは、確認方法を選んでください。"))


register(
    SheetSpec(
        key="supplier",
        ja="委託先",
        en="Suppliers",
        identity="code",
        columns=SUPPLIERS,
        existing=suppliers.existing,
        apply=suppliers.apply,
        order=120,
        check=check_supplier,
        intro_ja="再委託先、利用しているクラウド、その他の委託先を1行に1社書きます。再々委託先も書き、委託元を示します。",
        intro_en="One supplier a row: sub-contractors, clouds that are used, others; onward sub-contractors too.",
    )
)
register(
    SheetSpec(
        key="supplier-organisation",
        ja="委託先の体制",
        en="Suppliers' organisation",
        identity="code",
        columns=SUPPLIER_ORGANISATIONS,
        existing=organisations.existing,
        apply=organisations.apply,
        order=125,
        check=check_organisation,
        intro_ja="委託先ごとに、責任者と連絡先、いつどのように確認したかを書きます。",
        intro_en="For each supplier: who answers, how to reach them, when and how that was confirmed.",
    )
)
