"""権限の棚卸: keep, change or remove each grant, unused ones proposed."""

from __future__ import annotations

import uuid
from typing import Any

from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.urls import reverse
from django.utils.translation import gettext as _
from django.views.decorators.http import require_http_methods, require_safe

from kitei.foundation import transactions
from kitei.foundation.text import UserError
from kitei.foundation.ui.cells import instant_text
from kitei.foundation.ui.lists import Link, Tag
from kitei.trust.access import reviews, rule
from kitei.trust.access.reviews import bundled
from kitei.web.access import names, queries
from kitei.web.access.forms import ReviewForm, end_of
from kitei.web.access.names import Names
from kitei.web.access.pages import SECTION, may_manage, target
from kitei.web.requests import actor_of


@require_safe
def page(request: HttpRequest) -> HttpResponse:
    """List the grants in force: last use, last review, proposals first."""
    actor = actor_of(request)
    rule.require(actor, rule.VIEW, target(actor))
    found, more = reviews.items(actor=actor)
    words = Names(actor.organization, [row for item in found for row in item.bundle.entries])
    era, manages = actor.organization.era_dates, may_manage(actor)
    columns = [_("だれに"), _("操作"), _("閲覧区分の上限"), _("どこに"), _("期間"), _("最後の利用"), _("最後の棚卸")]
    lines = []
    for item in found:
        row = item.bundle.first
        last = instant_text(item.used_at, era=era) if item.used_at else _("90日間なし")
        line: list[Any] = [
            words.principal(row.principal_kind, row.principal_id),
            names.actions(item.bundle.actions),
            names.level(row.highest),
            words.place(row),
            words.period(row),
            Tag(_("90日間なし（取消の候補）"), "warn") if item.proposed else last,
            instant_text(item.reviewed_at, era=era) if item.reviewed_at else _("まだ"),
        ]
        if manages:
            line.append(Link(_("決める"), reverse("access-review", args=[item.bundle.id])))
        lines.append(line)
    context = {
        "section": SECTION,
        "here": "access-reviews",
        "columns": [*columns, *([_("決定")] if manages else [])],
        "lines": lines,
        "more": more,
        "proposed": sum(1 for item in found if item.proposed),
    }
    return render(request, "web/access/reviews.html", context)


@require_http_methods(["GET", "HEAD", "POST"])
def decide(request: HttpRequest, bundle: uuid.UUID) -> HttpResponse:
    """Decide about one bundle."""
    actor = actor_of(request)
    organization = actor.organization
    rows = queries.entries(actor=actor, effect="grant", bundle=bundle)
    form = ReviewForm(request.POST if request.method == "POST" else None)
    if request.method == "POST" and form.is_valid():
        typed = form.cleaned_data
        try:
            transactions.durable(
                lambda: reviews.review(
                    actor=actor, organization=organization, bundle=bundle, outcome=typed["outcome"], note=typed["note"],
                    highest=typed["highest"], ends_at=end_of(typed["ends"]),
                )
            )  # fmt: skip
        except UserError as error:
            form.add_error(None, str(error))
        else:
            messages.success(request, _("棚卸の決定を登録しました。"))
            return redirect("access-reviews")
    words, group = Names(organization, rows), bundled(rows)[0]
    context = {
        "section": SECTION,
        "here": "access-reviews",
        "form": form,
        "facts": [
            (_("だれに"), words.principal(group.first.principal_kind, group.first.principal_id)),
            (_("操作"), names.actions(group.actions)),
            (_("閲覧区分の上限"), names.level(group.first.highest)),
            (_("どこに"), words.place(group.first)),
            (_("期間"), words.period(group.first)),
            (_("理由"), group.first.reason),
        ],
    }
    return render(request, "web/access/review.html", context, status=422 if form.errors else 200)
