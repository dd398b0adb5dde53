"""List pages of the equipment room (navigation: 機器). Every sort and filter has an index that ends in the list order."""

from __future__ import annotations

import datetime as dt
from typing import Any

from django.utils.translation import gettext as translate
from django.utils.translation import gettext_lazy as _

from kitei.foundation.ui.lists import Cell, ListColumn, ListFilter, ListSpec, Section, Tag, register, section
from kitei.registers.base.listing import equals, label, named, options, refers_to, search
from kitei.registers.equipment import queries
from kitei.registers.equipment.columns import CONFIRMED_RESULTS, PARTIES, PLACEMENTS, RESPONSIBLE, STATES
from kitei.trust.access import rule

section(Section("equipment", _("機器"), "list", 60, args=("equipment",)))

_TONES = {"matched": "ok", "moved": "warn", "missing": "ng", "pending": "note"}


def _kind_options(actor: rule.Actor, day: dt.date) -> list[tuple[str, Any]]:
    rows = queries.kinds(actor=actor, day=day).order_by("code")
    return [(str(row.of_id), f"{row.code} {row.name}") for row in rows]


def _institution_options(actor: rule.Actor, day: dt.date) -> list[tuple[str, Any]]:
    if not rule.decide(actor, rule.LIST, rule.Target("institution", organization=actor.organization)).allowed:
        return []
    rows = queries.institution_labels(organization=actor.organization, day=day)
    return [(str(key), f"{code} {name}") for key, (code, name) in rows.items()]


def _result(row: Any) -> Cell:
    if row.confirmed_result:
        return Tag(label(CONFIRMED_RESULTS, row.confirmed_result), _TONES.get(row.confirmed_result, "note"))
    return None if row.confirmed_on else Tag(translate("未確認"), "warn")


def _party(value: str) -> Cell:
    if value in queries.UNDECIDED:
        return Tag(translate("未定"), "warn")
    return label(RESPONSIBLE, value)


def _management(row: Any) -> Cell:
    return row.management or Tag(translate("記載なし"), "warn")


register(
    ListSpec(
        key="equipment",
        title=_("機器"),
        section="equipment",
        sheet="equipment",
        order=10,
        query=queries.equipment,
        search=search("code", "name", "model", "serial", "place"),
        columns=(
            ListColumn("code", _("管理番号"), lambda row: row.code, sort="code"),
            ListColumn("name", _("名称"), lambda row: row.name, sort="name"),
            ListColumn("kind", _("機器区分"), lambda row: row.kind_name or row.kind.code, priority=2),
            ListColumn("placement", _("設置先区分"), lambda row: label(PLACEMENTS, row.placement), optional=True),
            ListColumn(
                "institution",
                _("医療機関等"),
                named("institution", "institution"),
                priority=3,
            ),
            ListColumn("place", _("設置場所"), lambda row: row.place, priority=3),
            ListColumn("responsible", _("管理責任"), lambda row: _party(row.responsible), priority=2),
            ListColumn("vulnerability", _("脆弱性管理"), lambda row: _party(row.vulnerability), priority=3),
            ListColumn("confirmed_on", _("最終所在確認日"), lambda row: row.confirmed_on, priority=2),
            ListColumn("result", _("確認結果"), _result),
            ListColumn("state", _("状態"), lambda row: label(STATES, row.state), optional=True),
        ),
        filters=(
            ListFilter("kind", _("機器区分"), _kind_options, refers_to("kind")),
            ListFilter("placement", _("設置先区分"), options(PLACEMENTS), equals("placement")),
            ListFilter("institution", _("医療機関等"), _institution_options, refers_to("institution")),
            ListFilter("result", _("確認結果"), options(CONFIRMED_RESULTS), equals("confirmed_result")),
            ListFilter("state", _("状態"), options(STATES), equals("state")),
        ),
        lead=_("機器の設置先、責任の所在、最後に所在を確認した日です。廃棄した機器も残ります。"),
        empty=_("まだ機器がありません。シート「機器」を記入して取り込んでください。"),
    )
)
register(
    ListSpec(
        key="equipment-kind",
        title=_("機器区分"),
        section="equipment",
        sheet="equipment-kind",
        order=20,
        query=queries.kinds,
        search=search("code", "name", "management"),
        columns=(
            ListColumn("code", _("区分コード"), lambda row: row.code, sort="code"),
            ListColumn("name", _("機器区分"), lambda row: row.name),
            ListColumn("management", _("管理方法"), _management),
            ListColumn("tier", _("所在確認の区分"), lambda row: row.tier, priority=2),
            ListColumn("responsible", _("標準の管理責任"), lambda row: label(PARTIES, row.responsible), priority=2),
            ListColumn(
                "vulnerability", _("標準の脆弱性管理の責任"), lambda row: label(PARTIES, row.vulnerability), priority=3
            ),
        ),
        lead=_("機器の区分ごとの管理方法と、標準の責任の所在です。"),
        empty=_("まだ機器区分がありません。シート「機器区分」を記入して取り込んでください。"),
    )
)
