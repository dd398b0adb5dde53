"""閲覧申請: asking, one's own requests and their answers, and answering."""

from __future__ import annotations

import datetime as dt
import uuid
from dataclasses import replace
from typing import Any

from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.urls import reverse
from django.utils.translation import gettext as _
from django.views.decorators.http import require_http_methods, require_safe

from kitei.foundation import clock, transactions
from kitei.foundation.text import Message, UserError
from kitei.foundation.ui.cells import instant_text
from kitei.foundation.ui.lists import Link, Tag
from kitei.foundation.ui.referer import came_from
from kitei.registers.documents.models import DocumentState
from kitei.trust.access import applications, rule
from kitei.trust.access.grants import Terms
from kitei.trust.access.models import AccessRequest
from kitei.web.access import queries
from kitei.web.access.forms import AnswerForm, AskForm, end_of
from kitei.web.access.pages import SECTION, may_manage
from kitei.web.requests import actor_of

SHOWN = 200
STATES = {
    "open": (Message("回答待ち"), "note"),
    "approved": (Message("承認"), "ok"),
    "refused": (Message("認められませんでした"), "ng"),
}


@require_http_methods(["GET", "HEAD", "POST"])
def ask(request: HttpRequest) -> HttpResponse:
    """Send a request; the address is the page one came from."""
    actor = actor_of(request)
    form = AskForm(request.POST if request.method == "POST" else None)
    before = request.POST.get("address", "") if request.method == "POST" else ""
    before = before or came_from(request)
    address = "" if before.startswith(reverse("access-ask")) else before[:300]
    if request.method == "POST" and form.is_valid():
        typed = form.cleaned_data
        try:
            transactions.durable(
                lambda: applications.ask(
                    actor=actor, organization=actor.organization, wanted=typed["wanted"], address=address,
                    reason=typed["reason"], until=typed["until"],
                )
            )  # fmt: skip
        except UserError as error:
            form.add_error(None, str(error))
        else:
            messages.success(request, _("申請を送りました。回答はこのページに表示します。"))
            return redirect("access-requests")
    context = {"section": SECTION, "here": "access-requests", "form": form, "address": address}
    return render(request, "web/access/ask.html", context, status=422 if form.errors else 200)


@require_safe
def listing(request: HttpRequest) -> HttpResponse:
    """Show one's own requests, and to who may answer those that wait."""
    actor = actor_of(request)
    rule.require(actor, rule.LIST, rule.Target("access-request", organization=actor.organization))
    mine = list(applications.own(actor=actor)[:SHOWN])
    waiting = list(applications.waiting(actor=actor)[:SHOWN])
    era = actor.organization.era_dates
    accounts = queries.account_names(row.account for row in waiting)
    context = {
        "section": SECTION,
        "here": "access-requests",
        "mine": {
            "columns": [_("申請した日時"), _("見たいもの"), _("理由"), _("いつまで"), _("状態"), _("回答")],
            "lines": [
                [instant_text(row.asked_at, era=era), _thing(row), row.reason, row.until, _state(row), row.answer]
                for row in mine
            ],
        },
        "manages": may_manage(actor) or bool(waiting),
        "waiting": {
            "columns": [_("申請した日時"), _("申請した人"), _("見たいもの"), _("理由"), _("いつまで"), _("回答")],
            "lines": [
                [
                    instant_text(row.asked_at, era=era),
                    accounts.get(str(row.account), ""),
                    _thing(row),
                    row.reason,
                    row.until,
                    Link(_("回答する"), reverse("access-answer", args=[row.pk])),
                ]
                for row in waiting
            ],
        },
    }
    return render(request, "web/access/requests.html", context)


@require_http_methods(["GET", "HEAD", "POST"])
def answer(request: HttpRequest, identity: uuid.UUID) -> HttpResponse:
    """Approve a request as a dated grant, or refuse it with a reason."""
    actor = actor_of(request)
    organization = actor.organization
    row = queries.request(actor=actor, identity=identity)
    manages = may_manage(actor)
    meant = queries.meant(row)
    initial: dict[str, Any] = {"until": row.until.isoformat(), "highest": 2}
    if meant is not None:
        initial |= {"document": meant.code, "highest": meant.classification}
    form = AnswerForm(
        request.POST if request.method == "POST" else None, organization=organization, initial=initial, whole=manages
    )
    if request.method == "POST" and form.is_valid():
        try:
            if "refuse" in request.POST:
                transactions.durable(
                    lambda: applications.refuse(
                        actor=actor, organization=organization, request_id=row.pk, answer=form.cleaned_data["answer"]
                    )
                )
            else:
                terms = _terms(organization, form.cleaned_data) if manages else _one(meant, form.cleaned_data)
                transactions.durable(
                    lambda: applications.approve(
                        actor=actor, organization=organization, request_id=row.pk, terms=terms,
                        answer=form.cleaned_data["answer"], alone=form.cleaned_data.get("alone", False),
                    )
                )  # fmt: skip
        except UserError as error:
            form.add_error(None, str(error))
        else:
            messages.success(request, _("回答しました。申請した人の「閲覧申請」に表示されます。"))
            return redirect("access-requests")
    context = {
        "section": SECTION,
        "here": "access-requests",
        "form": form,
        "row": row,
        "open": row.state == "open",
        "state": _state(row),
        "facts": [
            (_("申請した人"), queries.account_names([row.account]).get(str(row.account), "")),
            (_("見たいもの"), row.wanted),
            (_("アドレス"), row.address),
            (_("理由"), row.reason),
            (_("いつまで"), row.until),
            (_("当てはまる文書"), f"{meant.code} {meant.title}" if meant else ""),
        ],
    }
    return render(request, "web/access/answer.html", context, status=422 if form.errors else 200)


def _terms(organization: Any, typed: dict[str, Any]) -> Terms:
    actions = (rule.LIST, rule.VIEW, *((rule.DOWNLOAD,) if typed["download"] else ()))
    ends: dt.datetime | None = end_of(typed["until"])
    terms = Terms(("member", ""), actions, "folder", "", highest=typed["highest"], ends_at=ends)
    if typed["where"]:
        return replace(terms, folder=uuid.UUID(typed["where"]))
    state = queries.document_at(organization, typed["document"], clock.today()) if typed["document"] else None
    if state is None:
        raise UserError(Message("この文書番号の文書がありません。文書番号を直すか、フォルダーを選んでください。"))
    return replace(terms, scope="object", register="document", object_id=state.of_id)


def _one(meant: DocumentState | None, typed: dict[str, Any]) -> Terms:
    """Return what a department's answerer gives: the document asked for, by its classification, and nothing else."""
    if meant is None:
        raise UserError(Message("この申請に当てはまる文書がありません。責任者に依頼してください。"))
    actions = (rule.LIST, rule.VIEW, *((rule.DOWNLOAD,) if typed["download"] else ()))
    return Terms(
        ("member", ""), actions, "object", "", register="document", object_id=meant.of_id,
        highest=meant.classification, ends_at=end_of(typed["until"]),
    )  # fmt: skip


def _thing(row: AccessRequest) -> str:
    return row.wanted or row.address


def _state(row: AccessRequest) -> Tag:
    words, tone = STATES[row.state]
    return Tag(str(words), tone)
