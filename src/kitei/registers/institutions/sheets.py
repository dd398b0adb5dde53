"""The institutions room's sheets."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from kitei.foundation.sheets.spec import Problem, SheetSpec, register
from kitei.foundation.text import Message
from kitei.registers.institutions.columns import DATA_CLASSES, INSTITUTIONS, SERVICES
from kitei.registers.institutions.operations import data_classes, institutions, services


def check_service(values: dict[str, Any]) -> Iterable[Problem]:
    """Rules inside one row of 「サービス」."""
    start, end = values.get("started_on"), values.get("ended_on")
    if start and end and end < start:
        yield Problem("ended_on", Message("提供終了日が提供開始日より前です。どちらかの日付を直してください。"))


def check_data_class(values: dict[str, Any]) -> Iterable[Problem]:
    """Rules inside one row of 「データ区分」: leaving out the deceased needs a reason (row ア-3)."""
    if values.get("includes_deceased") == "excluded" and not values.get("excluded_reason"):
        yield Problem(
            "excluded_reason",
            Message("死者の情報を「含まない」とするときは理由が要ります。理由を書くか、「含む」にしてください。"),
        )


def check_institution(values: dict[str, Any]) -> Iterable[Problem]:
    """Rules inside one row of 「医療機関」."""
    start, end = values.get("contract_from"), values.get("contract_until")
    if start and end and end < start:
        yield Problem("contract_until", Message("契約終了日が契約開始日より前です。どちらかの日付を直してください。"))
    if values.get("shown_on") and not values.get("edition_shown"):
        yield Problem("edition_shown", Message("提示日があるときは、提示した規程の版を書いてください。"))
    if values.get("agreed_on") and values.get("shown_on") and values["agreed_on"] < values["shown_on"]:
        yield Problem("agreed_on", Message("合意日が提示日より前です。どちらかの日付を直してください。"))


register(
    SheetSpec(
        key="service",
        ja="サービス",
        en="Services",
        identity="code",
        columns=SERVICES,
        existing=services.existing,
        apply=services.apply,
        order=100,
        check=check_service,
        intro_ja="提供している医療情報システム等を1行に1つ書きます。",
        intro_en="One provided service a row.",
    )
)
register(
    SheetSpec(
        key="data-class",
        ja="データ区分",
        en="Data classes",
        identity="code",
        columns=DATA_CLASSES,
        existing=data_classes.existing,
        apply=data_classes.apply,
        order=105,
        check=check_data_class,
        intro_ja="サービスごとに取り扱う情報を1行に1つ書きます。死者の情報は、書かなければ「含む」「同じ」になります。",
        intro_en="One kind of information of a service a row. The deceased are included with the same measures unless you say otherwise.",
    )
)
register(
    SheetSpec(
        key="institution",
        ja="医療機関",
        en="Institutions",
        identity="code",
        columns=INSTITUTIONS,
        existing=institutions.existing,
        apply=institutions.apply,
        order=110,
        check=check_institution,
        intro_ja="サービスを提供している医療機関等を1行に1つ書きます。契約が終わったものも消さずに、契約終了日を書いてください。",
        intro_en="One institution a row. Ended ones stay, with the last day of their contract.",
    )
)
