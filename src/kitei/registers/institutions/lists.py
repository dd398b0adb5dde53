"""List pages of the institutions room (navigation: 体制)."""

from __future__ import annotations

from typing import Any

from django.utils.translation import gettext as translate
from django.utils.translation import gettext_lazy as _

from kitei.foundation.ui.lists import Cell, ListColumn, ListFilter, ListSpec, Tag, register
from kitei.registers.base.listing import equals, label, named, options, search
from kitei.registers.institutions import queries
from kitei.registers.institutions.columns import (
    DECEASED,
    DECEASED_MEASURES,
    FORMS,
    INSTITUTION_KINDS,
    JAPAN,
    POSITIONS,
    RESPONSIBILITIES,
)


def _country(row: Any) -> Cell:
    if not row.storage_country:
        return Tag(translate("未登録"), "warn")
    return str(row.storage_country) if row.storage_country in JAPAN else Tag(row.storage_country, "warn")


def _service_standing(row: Any) -> Cell:
    if row.ended_on and row.ended_on < row.listed_on:
        return Tag(translate("提供終了"), "note")
    if row.started_on and row.started_on > row.listed_on:
        return Tag(translate("提供前"), "note")
    return Tag(translate("提供中"), "ok")


def _updates(row: Any) -> Cell:
    return label(RESPONSIBILITIES, row.update_responsibility) or Tag(translate("未定"), "warn")


def _deceased(row: Any) -> Cell:
    if not row.patient_data:
        return translate("患者の情報でない")
    if row.includes_deceased == "included":
        return Tag(label(DECEASED, row.includes_deceased), "ok")
    return Tag(label(DECEASED, row.includes_deceased), "note" if row.excluded_reason else "ng")


def _measures(row: Any) -> Cell:
    shown = label(DECEASED_MEASURES, row.deceased_measures)
    return shown if row.deceased_measures == "same" else Tag(shown, "ng")


def _agreement(row: Any) -> Cell:
    if row.contract_until and row.contract_until < row.listed_on:
        return Tag(translate("契約終了"), "note")
    if row.agreed_on:
        return Tag(translate("合意済"), "ok")
    if row.shown_on:
        return Tag(translate("提示済"), "warn")
    return Tag(translate("未提示"), "warn")


register(
    ListSpec(
        key="service",
        title=_("サービス"),
        section="people",
        sheet="service",
        order=100,
        query=queries.services,
        search=search("code", "name", "storage_place"),
        columns=(
            ListColumn("code", _("サービス番号"), lambda row: row.code, sort="code"),
            ListColumn("name", _("サービス名"), lambda row: row.name, sort="name"),
            ListColumn("standing", _("状態"), _service_standing, priority=2),
            ListColumn("form", _("提供形態"), lambda row: label(FORMS, row.form), priority=2),
            ListColumn("position", _("当社の立場"), lambda row: label(POSITIONS, row.position), priority=3),
            ListColumn("storage_country", _("保存国"), _country, priority=2),
            ListColumn("storage_place", _("保存場所"), lambda row: row.storage_place, priority=3),
            ListColumn("update_responsibility", _("セキュリティ更新責任"), _updates, priority=3),
        ),
        filters=(ListFilter("form", _("提供形態"), options(FORMS), equals("form")),),
        empty=_("まだサービスがありません。シート「サービス」を記入して取り込んでください。"),
    )
)
register(
    ListSpec(
        key="data-class",
        title=_("データ区分"),
        section="people",
        sheet="data-class",
        order=105,
        query=queries.data_classes,
        search=search("code", "name", "measures", "service__code"),
        columns=(
            ListColumn("code", _("データ区分番号"), lambda row: row.code, sort="code"),
            ListColumn("name", _("情報の種類"), lambda row: row.name),
            ListColumn(
                "service", _("サービス"), lambda row: f"{row.service.code} {row.service_name}".strip(), priority=2
            ),
            ListColumn("includes_deceased", _("死者の情報"), _deceased, priority=2),
            ListColumn("deceased_measures", _("死者の情報の措置"), _measures, priority=3),
            ListColumn("measures", _("安全管理措置"), lambda row: row.measures, priority=3),
        ),
        filters=(ListFilter("includes_deceased", _("死者の情報"), options(DECEASED), equals("includes_deceased")),),
        lead=_("サービスごとに取り扱う情報です。死者の情報は、理由がない限り含めます。"),
        empty=_("まだデータ区分がありません。シート「データ区分」を記入して取り込んでください。"),
    )
)
register(
    ListSpec(
        key="institution",
        title=_("医療機関"),
        section="people",
        sheet="institution",
        order=110,
        query=queries.institutions,
        search=search("code", "name", "kana", "institution_code", "address"),
        columns=(
            ListColumn("code", _("医療機関番号"), lambda row: row.code, sort="code"),
            ListColumn("name", _("名称"), lambda row: row.name, sort="name"),
            ListColumn("kind", _("種別"), lambda row: label(INSTITUTION_KINDS, row.kind), priority=2),
            ListColumn("agreement", _("規程の提示・合意"), _agreement, priority=2),
            ListColumn("edition_shown", _("提示した規程の版"), lambda row: row.edition_shown, priority=3),
            ListColumn("services", _("利用サービス"), lambda row: "、".join(row.services), priority=3),
            ListColumn("contract", _("契約書"), named("document", "contract"), priority=3),
            ListColumn("contract_until", _("契約終了日"), lambda row: row.contract_until, priority=3),
        ),
        filters=(ListFilter("kind", _("種別"), options(INSTITUTION_KINDS), equals("kind")),),
        hidden=("contact_name",),
        empty=_("まだ医療機関がありません。シート「医療機関」を記入して取り込んでください。"),
    )
)
