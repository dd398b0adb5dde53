"""Granting and denying with a look at who gains and loses first; withdrawing."""

from __future__ import annotations

import hashlib
import uuid
from collections.abc import Mapping
from typing import Any

from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.utils.translation import gettext as _
from django.views.decorators.http import require_http_methods

from kitei.foundation import transactions
from kitei.foundation.text import UserError
from kitei.trust.access import grants, previews, rule
from kitei.trust.access.grants import Terms
from kitei.trust.access.reviews import bundled
from kitei.trust.auditlog.vocabulary import kind_label
from kitei.web.access import names, queries
from kitei.web.access.forms import EntryForm, WithdrawForm
from kitei.web.access.names import Names
from kitei.web.access.pages import SECTION, target
from kitei.web.requests import actor_of


@require_http_methods(["GET", "HEAD", "POST"])
def new(request: HttpRequest) -> HttpResponse:
    """Grant or deny in two steps: what it would change, then the act itself."""
    actor = actor_of(request)
    organization = actor.organization
    rule.require(actor, rule.MANAGE, target(actor))
    initial = {"where": f"folder:{request.GET.get('folder', '')}", "effect": "grant"}
    form = EntryForm(request.POST if request.method == "POST" else None, organization=organization, initial=initial)
    context: dict[str, Any] = {"section": SECTION, "here": "access-folders", "form": form}
    if request.method == "POST" and form.is_valid():
        terms, effect = form.terms(), form.cleaned_data["effect"]
        seen = _digest(effect, terms)
        try:
            if request.POST.get("seen") == seen:
                alone = form.cleaned_data["alone"]
                transactions.durable(lambda: _act(actor, organization, effect, terms, alone=alone))
                messages.success(request, _("登録しました。次の操作から効きます。"))
                return redirect("access-folder", folder=terms.folder) if terms.folder else redirect("access-folders")
            context |= _preview(actor, organization, effect, terms) | {"seen": seen}
        except UserError as error:
            form.add_error(None, str(error))
    return render(request, "web/access/new.html", context, status=422 if form.errors else 200)


@require_http_methods(["GET", "HEAD", "POST"])
def withdraw(request: HttpRequest, effect: str, bundle: uuid.UUID) -> HttpResponse:
    """Withdraw what was granted or denied together."""
    actor = actor_of(request)
    organization = actor.organization
    rows = queries.entries(actor=actor, effect=effect, bundle=bundle)
    form = WithdrawForm(request.POST if request.method == "POST" else None)
    if request.method == "POST" and form.is_valid():
        typed = form.cleaned_data
        try:
            transactions.durable(
                lambda: grants.withdraw(
                    actor=actor, organization=organization, effect=effect, bundle=bundle, reason=typed["reason"],
                    alone=typed["alone"],
                )
            )  # fmt: skip
        except UserError as error:
            form.add_error(None, str(error))
        else:
            messages.success(request, _("取り消しました。次の操作から効きます。"))
            return redirect("access-folders")
    words, group = Names(organization, rows), bundled(rows)[0]
    context = {
        "section": SECTION,
        "here": "access-folders",
        "form": form,
        "facts": [
            (_("だれに"), words.principal(group.first.principal_kind, group.first.principal_id)),
            (_("種類"), _("禁止") if effect == "deny" else _("許可")),
            (_("操作"), names.actions(group.actions)),
            (_("閲覧区分の上限"), names.level(group.first.highest)),
            (_("どこに"), words.place(group.first)),
            (_("期間"), words.period(group.first)),
            (_("理由"), group.first.reason),
        ],
    }
    return render(request, "web/access/withdraw.html", context, status=422 if form.errors else 200)


def _act(actor: rule.Actor, organization: Any, effect: str, terms: Terms, *, alone: bool) -> None:
    if effect == "deny":
        grants.deny(actor=actor, organization=organization, terms=terms)
    else:
        grants.grant(actor=actor, organization=organization, terms=terms, alone=alone)


def _preview(actor: rule.Actor, organization: Any, effect: str, terms: Terms) -> dict[str, Any]:
    registers = queries.registers_today(organization=organization)
    found = previews.preview(actor=actor, organization=organization, terms=terms, effect=effect, registers=registers)
    words = Names(organization, members=[one.principal for one in found.effects])
    heading = _("新しくできること（%(action)s）") if effect == "grant" else _("できなくなること（%(action)s）")
    return {
        "preview": found,
        "gains": effect == "grant",
        "columns": [_("構成員"), heading % {"action": str(names.ACTIONS[found.action])}],
        "lines": [[words.member(one.principal), _amounts(one.registers, registers)] for one in found.effects],
    }


def _amounts(found: Mapping[str, int], registers: Mapping[str, Any]) -> str:
    """Say how many rows of which registers; a register without rows is only named."""
    return _("、").join(
        kind_label(register)
        if registers[register] is None
        else _("%(register)s %(count)s件") % {"register": kind_label(register), "count": f"{count:,}"}
        for register, count in found.items()
    )


def _digest(effect: str, terms: Terms) -> str:
    """What a preview was about: a form that was changed after it is looked at again."""
    return hashlib.sha256(repr((effect, terms)).encode()).hexdigest()[:32]
