"""List pages of the people room (navigation: 体制)."""

from __future__ import annotations

import datetime as dt
from typing import Any

from django.utils.translation import gettext as translate
from django.utils.translation import gettext_lazy as _

from kitei.foundation.ui.lists import Cell, ListColumn, ListFilter, ListSpec, Section, Tag, register, section
from kitei.registers.base.listing import dated, equals, label, named, options, search
from kitei.registers.people import models
from kitei.registers.people.ability import qualification_name
from kitei.registers.people.columns import ACTIVITY_KINDS, EMPLOYMENT, QUALIFICATION_KINDS, ROLE_CHOICES, WORK_KINDS
from kitei.trust.access import rule

section(Section("people", _("体制"), "list", 40, args=("member",)))


register(
    ListSpec(
        key="member",
        title=_("構成員"),
        section="people",
        sheet="member",
        order=10,
        query=dated(models.MemberState, "department"),
        search=search("code", "family_name", "given_name", "family_kana", "given_kana", "title"),
        columns=(
            ListColumn("code", _("社員番号"), lambda row: row.code, sort="code"),
            ListColumn("name", _("氏名"), lambda row: row.full_name),
            ListColumn(
                "kana",
                _("フリガナ"),
                lambda row: f"{row.family_kana} {row.given_kana}".strip(),
                sort="family_kana",
                priority=3,
            ),
            ListColumn("department", _("部署"), named("department", "department"), priority=2),
            ListColumn("title", _("役職"), lambda row: row.title, priority=2),
            ListColumn("employment", _("雇用区分"), lambda row: label(EMPLOYMENT, row.employment), priority=3),
            ListColumn("joined_on", _("入社日"), lambda row: row.joined_on, priority=3),
            ListColumn("left_on", _("退職日"), lambda row: row.left_on, priority=3),
        ),
        filters=(ListFilter("employment", _("雇用区分"), options(EMPLOYMENT), equals("employment")),),
        lead=_("役員、従業者、派遣、出向の人です。"),
        empty=_("まだ構成員がいません。シート「構成員」を記入して取り込んでください。"),
    )
)
register(
    ListSpec(
        key="department",
        title=_("部署"),
        section="people",
        sheet="department",
        order=15,
        query=dated(models.DepartmentState, "parent"),
        search=search("code", "name"),
        columns=(
            ListColumn("code", _("部署コード"), lambda row: row.code, sort="code"),
            ListColumn("name", _("部署名"), lambda row: row.name),
            ListColumn("parent", _("上位部署"), named("department", "parent"), priority=2),
        ),
        empty=_("まだ部署がありません。シート「部署」を記入して取り込んでください。"),
    )
)
register(
    ListSpec(
        key="office",
        title=_("役割"),
        section="people",
        sheet="office",
        order=18,
        query=dated(models.OfficeState),
        search=search("code", "title", "duties"),
        columns=(
            ListColumn("title", _("社内での呼び方"), lambda row: row.title),
            ListColumn("code", _("役割"), lambda row: label(ROLE_CHOICES, row.code), sort="code"),
            ListColumn("duties", _("職務"), lambda row: row.duties, priority=2),
        ),
        empty=_("役割の社内での呼び方が登録されていません。シート「役割」を記入して取り込んでください。"),
    )
)


def _appointments(*, actor: rule.Actor, day: dt.date) -> Any:
    return rule.visible(actor, models.Appointment.objects.as_of(day), rule.LIST).select_related("member", "evidence")


def _standing(row: Any) -> Cell:
    if row.deputy_order:
        return translate("代行%(order)s") % {"order": row.deputy_order}
    return translate("本人")


def _marks(row: Any) -> Cell:
    if row.imported:
        return Tag(translate("取込"), "note")
    if row.recorded_late:
        return Tag(translate("後日登録"), "note")
    return None


register(
    ListSpec(
        key="appointment",
        title=_("任命"),
        section="people",
        sheet="appointment",
        order=20,
        query=_appointments,
        search=search("code", "member__code", "appointed_by", "article"),
        columns=(
            ListColumn("code", _("任命番号"), lambda row: row.code, sort="code"),
            ListColumn("role", _("役割"), lambda row: label(ROLE_CHOICES, row.role), sort="role"),
            ListColumn("member", _("氏名"), named("member", "member")),
            ListColumn("standing", _("区分"), _standing, priority=2),
            ListColumn("valid_from", _("発令日"), lambda row: row.valid_from, sort="valid_from", priority=2),
            ListColumn("term_until", _("任期満了日"), lambda row: row.term_until, priority=3),
            ListColumn("article", _("根拠条"), lambda row: row.article, priority=3),
            ListColumn("marks", _("登録"), _marks, priority=3),
        ),
        filters=(ListFilter("role", _("役割"), options(ROLE_CHOICES), equals("role")),),
        lead=_("基準日に有効な任命です。終わった任命は、基準日を変えると見られます。"),
        empty=_("基準日に有効な任命がありません。シート「任命」を記入して取り込んでください。"),
    )
)
register(
    ListSpec(
        key="qualification",
        title=_("資格"),
        section="people",
        sheet="qualification",
        order=30,
        query=dated(models.QualificationState, "member"),
        search=search("code", "member__code", "name", "number"),
        columns=(
            ListColumn("code", _("資格管理番号"), lambda row: row.code, sort="code"),
            ListColumn("member", _("氏名"), named("member", "member")),
            ListColumn("kind", _("資格"), qualification_name),
            ListColumn("number", _("登録番号"), lambda row: row.number, priority=2),
            ListColumn("renew_by", _("更新申請期限"), lambda row: row.renew_by, priority=2),
            ListColumn("expires_on", _("有効期限"), lambda row: row.expires_on, priority=2),
        ),
        filters=(ListFilter("kind", _("資格"), options(QUALIFICATION_KINDS), equals("kind")),),
        empty=_("まだ資格の登録がありません。シート「資格」を記入して取り込んでください。"),
    )
)
register(
    ListSpec(
        key="experience",
        title=_("実務経験"),
        section="people",
        sheet="experience",
        order=40,
        query=dated(models.ExperienceState, "member"),
        search=search("code", "member__code", "place"),
        columns=(
            ListColumn("code", _("経験番号"), lambda row: row.code, sort="code"),
            ListColumn("member", _("氏名"), named("member", "member")),
            ListColumn("work", _("業務の種類"), lambda row: label(WORK_KINDS, row.work)),
            ListColumn("place", _("従事先"), lambda row: row.place, priority=3),
            ListColumn("started_on", _("開始日"), lambda row: row.started_on, sort="started_on", priority=2),
            ListColumn("ended_on", _("終了日"), lambda row: row.ended_on, priority=2),
        ),
        empty=_("まだ実務経験の登録がありません。シート「実務経験」を記入して取り込んでください。"),
    )
)
register(
    ListSpec(
        key="contact",
        title=_("緊急連絡先"),
        section="people",
        sheet="contact",
        order=50,
        query=dated(models.EmergencyContactState, "member"),
        search=search("code", "member__code", "duty"),
        default_sort="order",
        hidden=("phone",),
        columns=(
            ListColumn("order", _("連絡順"), lambda row: row.order, sort="order", numeric=True),
            ListColumn("member", _("氏名"), named("member", "member")),
            ListColumn("duty", _("緊急時の役目"), lambda row: row.duty),
            ListColumn(
                "phone",
                _("電話番号"),
                lambda row: translate("登録あり") if row.phone else translate("登録なし"),
                priority=2,
            ),
            ListColumn("confirmed_on", _("本人確認日"), lambda row: row.confirmed_on, priority=2),
        ),
        lead=_("電話番号は私的な情報なので、一覧には出しません。"),
        empty=_("まだ緊急連絡先がありません。シート「緊急連絡先」を記入して取り込んでください。"),
    )
)
register(
    ListSpec(
        key="activity",
        title=_("定期活動"),
        section="people",
        sheet="activity",
        order=60,
        query=dated(models.ActivityState),
        search=search("code", "name"),
        columns=(
            ListColumn("code", _("活動番号"), lambda row: row.code, sort="code"),
            ListColumn("name", _("名称"), lambda row: row.name),
            ListColumn("kind", _("種類"), lambda row: label(ACTIVITY_KINDS, row.kind), priority=2),
            ListColumn("owner_role", _("担当する役割"), lambda row: label(ROLE_CHOICES, row.owner_role), priority=3),
            ListColumn("last_held_on", _("最終実施日"), lambda row: row.last_held_on, priority=2),
        ),
        empty=_("まだ定期活動がありません。委員会、教育、訓練などをシート「定期活動」に記入して取り込んでください。"),
    )
)
