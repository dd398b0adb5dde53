"""はじめの設定: what a company does once, each with its state and the next step. 未着手 is not 要対応."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.urls import reverse
from django.utils.translation import gettext_lazy
from django.views.decorators.http import require_safe

from kitei.foundation import clock
from kitei.foundation.text import Message
from kitei.foundation.ui import lists
from kitei.foundation.ui.lists import Section, section
from kitei.foundation.ui.pages import Page, register
from kitei.outcomes.regulation import queries
from kitei.registers.people.queries import titles
from kitei.trust.access import rule
from kitei.trust.access.roles import ROLES
from kitei.web.requests import actor_of

DONE, PARTLY, NOT_YET = "done", "partly", "not-yet"
TAGS = {DONE: (Message("済"), "ok"), PARTLY: (Message("途中"), "warn"), NOT_YET: (Message("未着手"), "note")}

section(Section("import", gettext_lazy("取込・設定"), "setup", 95))
register(Page("import", "setup", gettext_lazy("はじめの設定"), "setup", 10))


@dataclass(frozen=True)
class Step:
    """One line of the checklist: its state, what is there, and where to go on."""

    key: str
    title: Message
    why: Message
    state: str
    fact: Message
    url: str
    action: Message

    @property
    def tag(self) -> tuple[Message, str]:
        """Word and tone of the state."""
        return TAGS[self.state]


@dataclass(frozen=True)
class Progress:
    """The whole checklist."""

    steps: tuple[Step, ...]

    @property
    def done(self) -> int:
        """How many steps are done."""
        return sum(1 for step in self.steps if step.state == DONE)

    @property
    def next(self) -> Step | None:
        """The first step that is not done."""
        return next((step for step in self.steps if step.state != DONE), None)


_FILL = Message("台帳を取り込む")
_SEE = Message("一覧を見る")


@require_safe
def page(request: HttpRequest) -> HttpResponse:
    """Show the checklist."""
    actor = actor_of(request)
    rule.require(actor, rule.LIST, rule.Target("register", organization=actor.organization))
    may_edit = rule.decide(actor, rule.EDIT, rule.Target("register", organization=actor.organization)).allowed
    context = {"section": "import", "here": "setup", "setup": progress(actor=actor), "may_edit": may_edit}
    return render(request, "web/setup.html", context)


def progress(*, actor: rule.Actor) -> Progress:
    """Return the checklist as it stands today."""
    organization, today = actor.organization, clock.today()
    filled = bool(organization.corporate_number or organization.address)
    held = set(_query("appointment", actor, today).values_list("role", flat=True)) & ROLES.keys()
    own = len(queries.own_articles(organization=organization, day=today))
    draft = queries.draft_text(organization=organization) is not None
    editions = queries.editions(organization=organization)
    in_force = queries.edition_in_force(organization=organization, day=today)
    vacant = [title for code, title in titles(organization=organization, day=today).items() if code not in held]
    return Progress(
        (
            Step(
                "company",
                Message("会社情報"),
                Message("規程と文書の見出しに使う、会社名・法人番号・所在地・文書番号です。"),
                DONE if filled else NOT_YET,
                Message("登録あり") if filled else Message("会社名だけ登録があります。"),
                reverse("import"),
                _FILL,
            ),
            _register(
                "member", Message("構成員"), Message("責任者や担当になる人です。"), actor, Message("%(count)s人")
            ),
            Step(
                "appointment",
                Message("任命"),
                Message("管理責任者など、規程が置く役割に就く人です。"),
                DONE if len(held) == len(ROLES) else PARTLY if held else NOT_YET,
                Message("空席: %(offices)s", {"offices": "、".join(vacant)})
                if vacant and held
                else Message("%(count)s役割", {"count": len(held)}),
                reverse("list", args=["appointment"]) if held else reverse("import"),
                _SEE if held else _FILL,
            ),
            _register(
                "document",
                Message("文書"),
                Message("契約書、規程、手順書、マニュアルです。ファイルはzipで一緒に取り込めます。"),
                actor,
                Message("%(count)s件"),
            ),
            _register(
                "equipment",
                Message("機器"),
                Message("責任と所在を管理する機器です。医療機関等に置いたものを含みます。"),
                actor,
                Message("%(count)s台"),
            ),
            _register(
                "risk", Message("リスク"), Message("リスクと対策、その運用手順です。"), actor, Message("%(count)s件")
            ),
            Step(
                "text",
                Message("規程の本文"),
                Message(
                    "Kiteiのひな形を使うか、自社の規程をそのまま使うかを選びます。自社の規程は、条の一覧をシート「現行規程」で取り込みます。"
                ),
                DONE if editions or own else PARTLY if draft else NOT_YET,
                _text_fact(own=own, newest=editions[0].label if editions else "", draft=draft),
                reverse("regulation"),
                Message("本文を読む"),
            ),
            Step(
                "adopt",
                Message("施行"),
                Message("施行日を決めて、規程を版として固定します。"),
                DONE if in_force else PARTLY if editions else NOT_YET,
                Message("%(label)s 施行中", {"label": in_force.label})
                if in_force
                else Message("%(label)s 施行待ち", {"label": editions[0].label})
                if editions
                else Message("なし"),
                reverse("regulation-editions") if in_force else reverse("regulation-adopt"),
                Message("版の一覧を見る") if in_force else Message("施行を登録する"),
            ),
        )
    )


def _text_fact(*, own: int, newest: str, draft: bool) -> Message:
    if own:
        return Message("自社の規程 %(count)s条", {"count": own})
    if newest:
        return Message("%(label)sまで施行済み", {"label": newest})
    return Message("ひな形の案があります。") if draft else Message("なし")


def _register(key: str, title: Message, why: Message, actor: rule.Actor, counted: Message) -> Step:
    number = _query(key, actor, clock.today()).count()
    fact = Message(counted.msgid, {"count": number}) if number else Message("登録なし")
    state, url, action = (DONE, reverse("list", args=[key]), _SEE) if number else (NOT_YET, reverse("import"), _FILL)
    return Step(key, title, why, state, fact, url, action)


def _query(key: str, actor: rule.Actor, day: Any) -> Any:
    return lists.get(key).query(actor=actor, day=day)
