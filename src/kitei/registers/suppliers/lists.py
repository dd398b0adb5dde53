"""List pages of the suppliers room (navigation: 体制)."""

from __future__ import annotations

from typing import Any

from django.utils.translation import gettext as translate
from django.utils.translation import gettext_lazy as _

from kitei.foundation.ui.lists import Cell, ListColumn, ListFilter, ListSpec, Tag, register
from kitei.registers.base.listing import equals, label, named, options, search
from kitei.registers.suppliers import queries
from kitei.registers.suppliers.columns import ANSWERABLE, CATEGORIES, CONFIRMED_HOW, ONWARD


def _contract(row: Any) -> Cell:
    if row.ended_on and row.ended_on < row.listed_on:
        return Tag(translate("取引終了"), "note")
    if row.contract_until and row.contract_until < row.listed_on:
        return Tag(translate("契約期限切れ"), "ng")
    if row.contract is None:
        return Tag(translate("契約書なし"), "warn")
    return Tag(translate("契約中"), "ok")


def _onward(row: Any) -> Cell:
    shown = label(ONWARD, row.onward)
    return Tag(shown, "warn") if row.onward == "unknown" else shown


def _confirmed(row: Any) -> Cell:
    if row.confirmed_on:
        return row.confirmed_on  # type: ignore[no-any-return]  # an annotation of the query
    return Tag(translate("未確認"), "warn") if row.category in ANSWERABLE else ""


def _record_confirmed(row: Any) -> Cell:
    return row.confirmed_on or Tag(translate("未確認"), "warn")


register(
    ListSpec(
        key="supplier",
        title=_("委託先"),
        section="people",
        sheet="supplier",
        order=120,
        query=queries.suppliers,
        search=search("code", "name", "kana", "work", "data"),
        columns=(
            ListColumn("code", _("委託先番号"), lambda row: row.code, sort="code"),
            ListColumn("name", _("名称"), lambda row: row.name, sort="name"),
            ListColumn("category", _("区分"), lambda row: label(CATEGORIES, row.category), priority=2),
            ListColumn("work", _("業務"), lambda row: row.work, priority=3),
            ListColumn("confirmed_on", _("体制の確認日"), _confirmed, priority=2),
            ListColumn("contract", _("契約"), _contract, priority=2),
            ListColumn("contract_until", _("契約期限"), lambda row: row.contract_until, priority=4),
            ListColumn("onward", _("再々委託"), _onward, priority=3),
            ListColumn("parent", _("委託元"), named("supplier", "parent"), priority=4),
            ListColumn("certification_until", _("認証の有効期限"), lambda row: row.certification_until, priority=4),
        ),
        filters=(
            ListFilter("category", _("区分"), options(CATEGORIES), equals("category")),
            ListFilter("onward", _("再々委託"), options(ONWARD), equals("onward")),
        ),
        lead=_("再委託先、利用しているクラウド、その他の委託先です。"),
        empty=_("まだ委託先がありません。シート「委託先」を記入して取り込んでください。"),
    )
)
register(
    ListSpec(
        key="supplier-organisation",
        title=_("委託先の体制"),
        section="people",
        sheet="supplier-organisation",
        order=125,
        query=queries.organisations,
        search=search("code", "supplier__code", "officer", "officer_title"),
        columns=(
            ListColumn("code", _("体制番号"), lambda row: row.code, sort="code"),
            ListColumn("supplier", _("委託先"), lambda row: f"{row.supplier.code} {row.supplier_name}".strip()),
            ListColumn("officer", _("責任者"), lambda row: f"{row.officer_title} {row.officer}".strip(), priority=2),
            ListColumn("confirmed_on", _("確認日"), _record_confirmed, priority=2),
            ListColumn("confirmed_how", _("確認方法"), lambda row: label(CONFIRMED_HOW, row.confirmed_how), priority=3),
            ListColumn("confirmed_by", _("確認者"), lambda row: row.confirmed_by, priority=3),
        ),
        filters=(ListFilter("confirmed_how", _("確認方法"), options(CONFIRMED_HOW), equals("confirmed_how")),),
        hidden=("contact", "emergency_contact"),
        empty=_("まだ委託先の体制がありません。シート「委託先の体制」を記入して取り込んでください。"),
    )
)
