"""閲覧できる理由・できない理由, and この人が閲覧できるもの, as of any moment."""

from __future__ import annotations

import datetime as dt
from typing import Any
from urllib.parse import urlencode

from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.urls import reverse
from django.utils.translation import gettext as _
from django.views.decorators.http import require_safe

from kitei.foundation import clock
from kitei.foundation.ui.cells import instant_text
from kitei.foundation.ui.lists import Link
from kitei.registers.documents.models import DocumentState
from kitei.registers.people.models import MemberState
from kitei.trust.access import rule
from kitei.trust.access.explain import Explanation, Miss, explain
from kitei.trust.access.standard import Standard
from kitei.trust.auditlog.vocabulary import reason_label
from kitei.web.access import evidence, names, queries
from kitei.web.access.forms import WhyForm
from kitei.web.access.names import Names
from kitei.web.access.pages import SECTION, may_manage, target
from kitei.web.requests import actor_of

SHOWN = 100
CHOICES = 20
"""How many people or documents a search offers."""


@require_safe
def page(request: HttpRequest) -> HttpResponse:
    """Explain the decision on one document and one person at one moment."""
    actor = actor_of(request)
    organization = actor.organization
    rule.require(actor, rule.VIEW, target(actor))
    asked = request.GET.get("document") and request.GET.get("member")
    form = WhyForm(request.GET) if asked else WhyForm(initial=_initial(organization, request))
    context: dict[str, Any] = {"section": SECTION, "here": "access-why", "form": form}
    if asked and form.is_valid():
        typed = form.cleaned_data
        moment = form.moment() or clock.now()
        day = moment.astimezone(clock.TOKYO).date()
        member, members = _meant_member(organization, typed["member"])
        document, documents = _meant_document(organization, typed["document"], day)
        if member is None and not members:
            form.add_error("member", _("この社員番号・氏名の人がいません。構成員の一覧で確かめてください。"))
        if document is None and not documents:
            form.add_error("document", _("この文書番号・名称の文書がありません。文書の一覧で確かめてください。"))
        if member is not None and document is not None:
            action = typed["action"] or rule.VIEW
            who, thing = standing_for(member, at=moment if form.moment() else None), rule.target_of(document)
            found = explain(who, action, thing, at=moment)
            context |= _answer(actor, found, member, document, action, moment)
            accounts = [user.pk for user in queries.accounts_of(member)]
            context["acts"] = evidence.acts(
                actor=actor, accounts=accounts, document=document.of_id, day=day, era=organization.era_dates
            )
        elif not form.errors:
            context["choices"] = _choices(request, member=members, document=documents)
    return render(request, "web/access/why.html", context, status=422 if form.errors else 200)


@require_safe
def reach(request: HttpRequest) -> HttpResponse:
    """List the documents one person could view at one moment, and how many of each classification."""
    actor = actor_of(request)
    organization = actor.organization
    rule.require(actor, rule.VIEW, target(actor))
    asked = request.GET.get("member")
    data = {**request.GET.dict(), "document": "-"} if asked else None
    form = WhyForm(data)
    for unused in ("document", "action"):
        form.fields[unused].required = False
    context: dict[str, Any] = {"section": SECTION, "here": "access-reach", "form": form}
    if asked and form.is_valid():
        moment = form.moment() or clock.now()
        day = moment.astimezone(clock.TOKYO).date()
        member = queries.member_numbered(organization, form.cleaned_data["member"])
        if member is None:
            form.add_error("member", _("この社員番号の人がいません。構成員の一覧で確かめてください。"))
        else:
            context |= _reached(organization, member, moment, day, past=form.moment() is not None)
    return render(request, "web/access/reach.html", context, status=422 if form.errors else 200)


def standing_for(member: MemberState, *, at: dt.datetime | None = None) -> rule.Actor:
    """Return a member as the rule sees the member's own requests, with the account as it stood at a past moment.

    Without an account nothing is open.
    """
    user = queries.account_of(member)
    usable = bool(user and (user.is_active if at is None else queries.account_open(user, at)))
    return rule.Actor(
        "member",
        str(user.pk) if user else "",
        member.organization,
        member.full_name,
        member.of_id,
        administrator=bool(user and user.is_administrator),
        active=usable,
    )


def _meant_member(organization: Any, text: str) -> tuple[MemberState | None, list[MemberState]]:
    """Return the one member that is meant, by number, id or name; else those to choose from."""
    found = queries.member_numbered(organization, text)
    near = [] if found else queries.search_members(organization, text, most=CHOICES)
    return (near[0], []) if len(near) == 1 else (found, near)


def _meant_document(organization: Any, text: str, day: dt.date) -> tuple[DocumentState | None, list[DocumentState]]:
    """Return the one document that is meant, by number, id or title, as it was on the day; else those to choose from."""
    found = queries.document_at(organization, text, day)
    near = [] if found else queries.search_documents(organization, text, most=CHOICES)
    if len(near) == 1:
        return queries.document_at(organization, str(near[0].of_id), day), []
    return found, near


def _choices(
    request: HttpRequest, *, member: list[MemberState], document: list[DocumentState]
) -> list[tuple[str, list[Link]]]:
    """Return links that put one of the rows found in the place of what was typed."""

    def link(field: str, row: Any, label: str) -> Link:
        return Link(label, f"{reverse('access-why')}?{urlencode({**request.GET.dict(), field: row.code})}")

    found = []
    if member:
        found.append((_("どの人ですか"), [link("member", row, f"{row.code} {row.full_name}") for row in member]))
    if document:
        found.append((_("どの文書ですか"), [link("document", row, f"{row.code} {row.title}") for row in document]))
    return found


def _initial(organization: Any, request: HttpRequest) -> dict[str, str]:
    document = request.GET.get("document", "")
    state = queries.document_at(organization, document, clock.today()) if document else None
    return {"document": state.code if state else "", "member": request.GET.get("member", "")[:60], "action": "view"}


def _answer(
    actor: rule.Actor,
    found: Explanation,
    member: MemberState,
    document: DocumentState,
    action: str,
    moment: dt.datetime,
) -> dict[str, Any]:
    organization = actor.organization
    missed = [miss.entry for miss in found.misses if miss.entry is not None]
    deciding = [*found.denies, *found.grants]
    words = Names(organization, [*deciding, *missed])
    era, manages = organization.era_dates, may_manage(actor)
    lines = [(_("禁止"), _entry(words, row)) for row in found.denies]
    lines += [(_("標準の権限"), _standard(words, right)) for right in found.standards]
    lines += [
        (_("役割・所属"), _("%(what)s（%(period)s）") % {
            "what": words.principal(row.kind, row.role), "period": names.span(row.starts_at, row.ends_at, era=era),
        })
        for row in found.memberships
    ]  # fmt: skip
    lines += [(_("許可"), _entry(words, row)) for row in found.grants]
    if not lines:
        lines = [(_("判定"), reason_label(reason)) for reason in found.decision.reasons]
    return {
        "allowed": found.decision.allowed,
        "who": f"{member.full_name}（{member.code}）",
        "what": f"{document.code} {document.title}",
        "level": names.level(document.classification),
        "folder": words.paths.get(document.folder_id, ""),
        "action": str(names.ACTIONS[action]),
        "moment": moment,
        "lines": lines,
        "columns": evidence.entry_columns(),
        "entries": evidence.entry_lines(words, deciding, era=era, manages=manages),
        "misses": [_miss(words, miss, era=era) for miss in found.misses],
        "reach_url": f"{reverse('access-reach')}?member={member.code}",
    }


def _entry(words: Names, row: Any) -> str:
    return _("%(who)sに、%(where)sで、%(level)sまで（%(period)s、%(source)s）%(reason)s") % {
        "who": words.principal(row.principal_kind, row.principal_id),
        "where": words.place(row),
        "level": names.level(row.highest),
        "period": words.period(row),
        "source": names.SOURCES.get(row.source_kind, row.source_kind),
        "reason": f" {row.reason}" if row.reason else "",
    }


def _standard(words: Names, right: Standard) -> str:
    return _("%(who)sは、%(level)sまで%(actions)sができる") % {
        "who": words.principal(*right.principal),
        "level": names.level(right.highest),
        "actions": names.actions(right.actions),
    }


def _miss(words: Names, miss: Miss, *, era: bool) -> str:
    if miss.entry is not None:
        what = _entry(words, miss.entry)
    elif miss.membership is not None:
        what = words.principal(miss.membership.kind, miss.membership.role)
    else:
        what = _standard(words, miss.standard) if miss.standard else ""
    when = instant_text(miss.at, era=era) if miss.at else ""
    match miss.why:
        case "classification":
            return _("閲覧区分が上限を超えています: %(what)s") % {"what": what}
        case "withdrawn":
            return _("%(when)sに取り消されました: %(what)s") % {"when": when, "what": what}
        case "ended" | "role-ended":
            return _("%(when)sに終わりました: %(what)s") % {"when": when, "what": what}
        case _:
            return _("%(when)sに始まります: %(what)s") % {"when": when, "what": what}


def _reached(
    organization: Any, member: MemberState, moment: dt.datetime, day: dt.date, *, past: bool
) -> dict[str, Any]:
    seen, every, listed = queries.reached(
        who=standing_for(member, at=moment if past else None), organization=organization, day=day, at=moment, most=SHOWN
    )
    return {
        "who": f"{member.full_name}（{member.code}）",
        "moment": moment,
        "counts": {
            "columns": [_("閲覧区分"), _("閲覧できる文書"), _("文書の総数")],
            "lines": [[names.level(value), seen.get(value, 0), every.get(value, 0)] for value in names.LEVELS],
        },
        "total": sum(seen.values()),
        "shown": SHOWN,
        "columns": [_("文書番号"), _("名称"), _("フォルダー"), _("閲覧区分"), _("理由")],
        "lines": [
            [
                Link(row.code, reverse("list-row", args=["document", row.of_id])),
                row.title,
                row.folder.name,
                names.level(row.classification),
                Link(_("理由"), f"{reverse('access-why')}?document={row.of_id}&member={member.of_id}"),
            ]
            for row in listed
        ],
    }
