"""List pages of the risks room (navigation: リスク対応)."""

from __future__ import annotations

from typing import Any

from django.utils.translation import gettext as translate
from django.utils.translation import gettext_lazy as _

from kitei.foundation.ui.lists import Cell, ListColumn, ListFilter, ListSpec, Section, Tag, register, section
from kitei.registers.base.listing import equals, label, named, options, search
from kitei.registers.people.columns import ROLE_CHOICES
from kitei.registers.risks import queries
from kitei.registers.risks.columns import ADOPTED, CYCLES, LEVELS, MEASURE_KINDS, NEEDED, RESPONSES, THREATS

section(Section("risks", _("リスク対応"), "list", 70, args=("risk",)))


def _codes(values: list[str]) -> Cell:
    return "、".join(values)


def _needed(row: Any) -> Cell:
    if row.operation_needed in {"needed", "not-needed"}:
        return label(NEEDED, row.operation_needed)
    return Tag(translate("未定"), "warn") if row.adopted == "adopted" else None


def _adopted(row: Any) -> Cell:
    return Tag(label(ADOPTED, row.adopted), "ok" if row.adopted == "adopted" else "note")


register(
    ListSpec(
        key="risk",
        title=_("リスク"),
        section="risks",
        sheet="risk",
        order=10,
        query=queries.risks,
        search=search("code", "title", "flow"),
        columns=(
            ListColumn("code", _("リスク番号"), lambda row: row.code, sort="code"),
            ListColumn("title", _("リスク"), lambda row: row.title, sort="title"),
            ListColumn("service", _("サービス"), named("service", "service"), priority=3),
            ListColumn("threat", _("脅威"), lambda row: label(THREATS, row.threat), priority=3),
            ListColumn("impact", _("影響度"), lambda row: row.impact, numeric=True, priority=3),
            ListColumn("likelihood", _("顕在化率"), lambda row: row.likelihood, numeric=True, priority=3),
            ListColumn("level", _("リスクレベル"), lambda row: row.level, priority=2),
            ListColumn("response", _("リスク対応"), lambda row: label(RESPONSES, row.response), priority=2),
            ListColumn("assessed_on", _("評価日"), lambda row: row.assessed_on, priority=2),
        ),
        filters=(
            ListFilter("level", _("リスクレベル"), options(LEVELS), equals("level")),
            ListFilter("threat", _("脅威"), options(THREATS), equals("threat")),
            ListFilter("response", _("リスク対応"), options(RESPONSES), equals("response")),
        ),
        lead=_("情報流ごとに見つけたリスクと、その大きさ、対応の方針です。"),
        empty=_("まだリスクがありません。シート「リスク」を記入して取り込んでください。"),
    )
)
register(
    ListSpec(
        key="measure",
        title=_("対策"),
        section="risks",
        sheet="measure",
        order=20,
        query=queries.measures,
        search=search("code", "name", "article"),
        columns=(
            ListColumn("code", _("対策番号"), lambda row: row.code, sort="code"),
            ListColumn("name", _("対策"), lambda row: row.name, sort="name"),
            ListColumn("kind", _("対策の種類"), lambda row: label(MEASURE_KINDS, row.kind), priority=3),
            ListColumn("risks", _("リスク番号"), lambda row: _codes(row.risks), priority=3),
            ListColumn("adopted", _("採否"), _adopted, priority=2),
            ListColumn("needed", _("運用要否"), _needed),
            ListColumn("procedures", _("運用手順"), lambda row: _codes(row.procedures), priority=2),
            ListColumn("article", _("条"), lambda row: row.article, priority=3),
        ),
        filters=(
            ListFilter("adopted", _("採否"), options(ADOPTED), equals("adopted")),
            ListFilter("needed", _("運用要否"), options(NEEDED), equals("operation_needed")),
            ListFilter("kind", _("対策の種類"), options(MEASURE_KINDS), equals("kind")),
        ),
        lead=_("リスクへの対策と、運用が要るかどうか、要るときの運用手順です。"),
        empty=_("まだ対策がありません。シート「対策」を記入して取り込んでください。"),
    )
)
register(
    ListSpec(
        key="procedure",
        title=_("運用手順"),
        section="risks",
        sheet="procedure",
        order=30,
        query=queries.procedures,
        search=search("code", "name", "steps"),
        columns=(
            ListColumn("code", _("手順番号"), lambda row: row.code, sort="code"),
            ListColumn("name", _("手順名"), lambda row: row.name, sort="name"),
            ListColumn("document", _("手順書"), named("document", "document"), priority=2),
            ListColumn("version", _("版"), lambda row: row.version, priority=3),
            ListColumn("owner_role", _("担当する役割"), lambda row: label(ROLE_CHOICES, row.owner_role), priority=2),
            ListColumn("cycle", _("周期"), lambda row: label(CYCLES, row.cycle), priority=2),
            ListColumn("last_done_on", _("最終実施日"), lambda row: row.last_done_on, priority=2),
        ),
        filters=(
            ListFilter("cycle", _("周期"), options(CYCLES), equals("cycle")),
            ListFilter("owner_role", _("担当する役割"), options(ROLE_CHOICES), equals("owner_role")),
        ),
        lead=_("対策を運用する手順と、担当する役割、周期、最後に行った日です。"),
        empty=_("まだ運用手順がありません。シート「運用手順」を記入して取り込んでください。"),
    )
)
