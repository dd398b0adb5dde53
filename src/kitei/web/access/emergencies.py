"""緊急閲覧: letting oneself in, and looking at who did."""

from __future__ import annotations

import uuid
from typing import Any

from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.urls import reverse
from django.utils.translation import gettext as _
from django.views.decorators.http import require_http_methods

from kitei.foundation import transactions
from kitei.foundation.text import UserError
from kitei.foundation.ui.lists import Link, Tag
from kitei.trust.access import emergencies, rule
from kitei.trust.access.models import BreakGlass
from kitei.web.access import names, queries
from kitei.web.access.forms import EmergencyForm, ReviewGlassForm
from kitei.web.access.pages import SECTION, may_see
from kitei.web.requests import actor_of

SHOWN = 200


@require_http_methods(["GET", "HEAD", "POST"])
def page(request: HttpRequest) -> HttpResponse:
    """Let oneself in; one's own emergencies; to officers everybody's."""
    actor = actor_of(request)
    organization = actor.organization
    rule.require(actor, rule.LIST, rule.Target("break-glass", organization=organization))
    form = EmergencyForm(request.POST if request.method == "POST" else None, organization=organization)
    if request.method == "POST" and form.is_valid():
        typed = form.cleaned_data
        number = typed["number"].strip()
        # Looked up before anything is known of the reader: a number nobody has takes the same way and says the same.
        meant = queries.document_id(organization, number)
        try:
            transactions.durable(
                lambda: emergencies.begin(
                    actor=actor, organization=organization, reason=typed["reason"], hours=typed["hours"], number=number,
                    folder=uuid.UUID(typed["folder"]) if typed["folder"] else None, object_id=meant if number else None,
                )
            )  # fmt: skip
        except UserError as error:
            form.add_error(None, str(error))
        else:
            messages.success(
                request,
                _(
                    "緊急閲覧を始めました。文書番号の文書があれば、文書の一覧から開けます。責任者に知らせ、後で確認を受けます。"
                ),
            )
            return redirect("access-emergency")
    own = list(emergencies.own(actor=actor)[:SHOWN])
    sees = may_see(actor)
    everyone = list(emergencies.listed(actor=actor)[:SHOWN]) if sees else []
    accounts = queries.account_names([row.account for row in everyone] + [row.reviewed_by for row in everyone])
    era = organization.era_dates
    context = {
        "section": SECTION,
        "here": "access-emergency",
        "form": form,
        "sees": sees,
        "own": {
            "columns": [_("期間"), _("範囲"), _("理由"), _("確認")],
            "lines": [
                [names.span(row.starts_at, row.ends_at, era=era), _place(row), row.reason, _outcome(row)] for row in own
            ],
        },
        "everyone": {
            "columns": [_("期間"), _("だれが"), _("範囲"), _("理由"), _("確認"), _("確かめた人")],
            "lines": [
                [
                    names.span(row.starts_at, row.ends_at, era=era),
                    accounts.get(str(row.account), ""),
                    _place(row),
                    row.reason,
                    _outcome(row)
                    if row.reviewed_at
                    else Link(_("確認する"), reverse("access-emergency-review", args=[row.pk])),
                    accounts.get(str(row.reviewed_by), ""),
                ]
                for row in everyone
            ],
        },
    }
    return render(request, "web/access/emergency.html", context, status=422 if form.errors else 200)


@require_http_methods(["GET", "HEAD", "POST"])
def review(request: HttpRequest, identity: uuid.UUID) -> HttpResponse:
    """Mark an emergency as looked at."""
    actor = actor_of(request)
    organization = actor.organization
    row = queries.emergency(actor=actor, identity=identity)
    form = ReviewGlassForm(request.POST if request.method == "POST" else None)
    if request.method == "POST" and form.is_valid():
        typed: dict[str, Any] = form.cleaned_data
        try:
            transactions.durable(
                lambda: emergencies.review(
                    actor=actor, organization=organization, identity=identity, outcome=typed["outcome"],
                    note=typed["note"], alone=typed["alone"],
                )
            )  # fmt: skip
        except UserError as error:
            form.add_error(None, str(error))
        else:
            messages.success(request, _("確認を登録しました。"))
            return redirect("access-emergency")
    context = {
        "section": SECTION,
        "here": "access-emergency",
        "form": form,
        "open": row.reviewed_at is None,
        "facts": [
            (_("だれが"), queries.account_names([row.account]).get(str(row.account), "")),
            (_("期間"), names.span(row.starts_at, row.ends_at, era=organization.era_dates)),
            (_("範囲"), _place(row)),
            (_("理由"), row.reason),
            (_("確認"), _outcome(row)),
            (_("確かめた内容"), row.note),
        ],
        "log_url": f"{reverse('log')}?actor={row.account}",
    }
    return render(request, "web/access/emergency_review.html", context, status=422 if form.errors else 200)


def _place(row: BreakGlass) -> str:
    if row.folder_id:
        return _("フォルダー「%(name)s」") % {"name": row.folder.name if row.folder else ""}
    return _("文書番号 %(number)s") % {"number": row.number}


def _outcome(row: BreakGlass) -> Tag:
    if row.reviewed_at is None:
        return Tag(_("未確認"), "warn")
    words = _("必要な閲覧だった") if row.outcome == "justified" else _("必要とは認められない")
    if row.alone:
        words = f"{words}・{_('単独実施（第三者確認なし）')}"
    return Tag(words, "ok" if row.outcome == "justified" else "ng")
