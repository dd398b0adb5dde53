"""The pages of the regulation: reading it, taking it out, its editions, putting one into force."""

from __future__ import annotations

import re
from typing import Any
from urllib.parse import quote

from django.conf import settings
from django.contrib import messages
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy
from django.views.decorators.http import require_http_methods, require_safe

from kitei.foundation import clock, transactions
from kitei.foundation.files import store
from kitei.foundation.sheets.table import Rendering
from kitei.foundation.text import Message, UserError
from kitei.foundation.ui.as_of import as_of
from kitei.foundation.ui.lists import Section, section
from kitei.foundation.ui.pages import Page
from kitei.foundation.ui.pages import register as register_page
from kitei.outcomes.guidelines import review
from kitei.outcomes.regulation import build, child, coverage, operations, presentation, publication, queries
from kitei.outcomes.regulation.forms import MODEL, OWN, AdoptForm
from kitei.outcomes.regulation.models import Edition
from kitei.trust.access import rule
from kitei.trust.access.requests import actor_of

section(Section("regulation", gettext_lazy("規程"), "regulation", 30))

CONTENT_TYPES = {
    "docx": "application/vnd.openxmlformats-officedocument.wordprocessingml.document",
    "pdf": "application/pdf",
    "html": "text/html; charset=utf-8",
}
ORIGINAL = publication.ORIGINAL


@require_safe
def page(request: HttpRequest) -> HttpResponse:
    """Show the regulation in force on the as-of day, or the draft; ``?article=`` selects an article."""
    actor, day = actor_of(request), as_of(request)
    organization = actor.organization
    rule.require(actor, rule.VIEW, rule.Target("regulation", organization=organization))
    context: dict[str, Any] = {"section": "regulation", "here": "regulation", **_may(actor)}
    status = 422 if day.error else 200
    coming = queries.next_edition(organization=organization, day=day.day)
    found = queries.edition_in_force(organization=organization, day=day.day) or coming
    if found is None and queries.draft_text(organization=organization) is None:
        return render(request, "regulation/none.html", context, status=status)
    published = publication.current(organization=organization, day=day.day)
    picture = _picture(organization, day)
    guideline = picture.guideline if picture else review.edition_for(organization)
    edition = published.edition
    if published.tree is None:
        assert edition is not None  # noqa: S101  only own editions lack a tree
        shown = presentation.own_articles(edition, guideline=guideline, picture=picture)
    else:
        then = publication.frozen(organization=organization, edition=edition) if edition and published.changed else None
        shown = presentation.lay_out(published.tree, guideline=guideline, picture=picture, then=then)
    selected = shown.article(request.GET.get("article", ""))
    if selected is not None and picture is None:
        picture = coverage.at(organization=organization, day=day.day)
    note = None
    if selected is not None and picture is not None:
        history = presentation.history_of(
            selected.id, organization=organization, editions=queries.editions(organization=organization)
        )
        note = presentation.note(selected, shown=shown, picture=picture, history=history)
    context |= {
        "published": published,
        "edition": edition,
        "own": published.tree is None,
        "annex_kinds": (("docx", "Word"), ("pdf", "PDF"), ("html", "HTML")),
        "draft": edition is None,
        "live": True,
        "shown": shown,
        "note": note,
        "changed": [annex for annex in shown.annexes if annex.change is not None],
        "guideline": guideline,
        "waiting": edition is not None and edition.effective_on > day.day,
        "next_edition": coming if edition is not None and coming is not None and coming.pk != edition.pk else None,
    }
    if edition is not None:
        _record_view(actor, edition)
    return render(request, "regulation/page.html", context, status=status)


@require_safe
def edition(request: HttpRequest, number: int) -> HttpResponse:
    """Show an edition exactly as it was frozen."""
    actor = actor_of(request)
    organization = actor.organization
    rule.require(actor, rule.VIEW, rule.Target("regulation", organization=organization))
    found = _edition(actor, number)
    guideline = review.edition_for(organization)
    tree = publication.frozen(organization=organization, edition=found)
    shown = (
        presentation.lay_out(tree, guideline=guideline, picture=None, live=False)
        if tree
        else presentation.own_articles(found, guideline=guideline, picture=None)
    )
    context = {
        "section": "regulation",
        "here": "regulation-editions",
        "edition": found,
        "own": tree is None,
        "frozen": True,
        "live": False,
        "shown": shown,
        "guideline": guideline,
        "incorporated": found.incorporated,
        **_may(actor),
    }
    _record_view(actor, found)
    return render(request, "regulation/page.html", context)


@require_safe
def editions(request: HttpRequest) -> HttpResponse:
    """List every edition, newest first."""
    actor, day = actor_of(request), as_of(request)
    organization = actor.organization
    rule.require(actor, rule.LIST, rule.Target("regulation", organization=organization))
    found = queries.editions(organization=organization)
    in_force = queries.edition_in_force(organization=organization, day=day.day)
    context = {
        "section": "regulation",
        "here": "regulation-editions",
        "editions": found,
        "in_force": in_force,
        "has_draft": queries.draft_text(organization=organization) is not None,
        **_may(actor),
    }
    return render(request, "regulation/editions.html", context, status=422 if day.error else 200)


@require_safe
def download(request: HttpRequest, kind: str) -> HttpResponse:
    """Hand out the regulation: allowed, made, recorded, and only then sent.

    With ``?edition=`` the files frozen with that edition; else the text in force with its annexes as of the day, set in
    a child process.
    """
    actor, day = actor_of(request), as_of(request)
    organization = actor.organization
    if kind not in {*CONTENT_TYPES, ORIGINAL}:
        raise Http404
    try:
        rendering = Rendering(request.GET.get("rendering", Rendering.INTERNAL.value))
    except ValueError as error:
        raise Http404 from error
    wanted = request.GET.get("edition", "")
    rule.require(actor, rule.VIEW, rule.Target("regulation", organization=organization))
    if wanted:
        if rendering is not Rendering.INTERNAL:
            raise Http404  # a frozen edition keeps its internal documents only
        found = _edition(actor, int(wanted) if re.fullmatch(r"[0-9]{1,5}", wanted) else 0)
        name, content = _frozen_file(found, kind)
        edition_id, rendering = str(found.id), Rendering.INTERNAL
    else:
        published = publication.current(organization=organization, day=day.day, rendering=rendering)
        edition_id = published.edition_id
        if kind == ORIGINAL:
            if published.edition is None:
                raise Http404
            name, content = _frozen_file(published.edition, ORIGINAL)
        else:
            name = publication.file_name(published, kind=kind)
            content = child.render(
                publication.tree_of(published),
                kind=kind,
                timestamp=build.stamp(),
                cache=settings.DATA / "cache" / "renderings",
            )
    operations.record_download(
        actor=actor, organization=organization, kind=kind, edition=edition_id, rendering=rendering
    )
    suffix = name.rpartition(".")[2].lower()
    response = HttpResponse(content, content_type=CONTENT_TYPES.get(suffix, "application/octet-stream"))
    response["Content-Disposition"] = f"attachment; filename=\"regulation.{suffix}\"; filename*=UTF-8''{quote(name)}"
    return response


@require_http_methods(["GET", "HEAD", "POST"])
def adopt(request: HttpRequest) -> HttpResponse:
    """Put the draft, or the company's own file, into force."""
    actor = actor_of(request)
    organization = actor.organization
    rule.require(actor, rule.APPROVE, rule.Target("regulation", organization=organization))
    listed = queries.own_articles(organization=organization, day=clock.today())
    form = AdoptForm(
        request.POST if request.method == "POST" else None,
        request.FILES if request.method == "POST" else None,
        initial={"source": OWN if listed else MODEL, "label": build.next_label(organization=organization)},
    )
    if request.method == "POST" and form.is_valid():
        try:
            made = _adopt(actor, form.cleaned_data)
        except UserError as error:
            form.add_error(None, str(error))
        else:
            messages.success(request, _("%(label)sの施行を登録しました。") % {"label": made.label})
            return redirect("regulation" if made.effective_on <= clock.today() else "regulation-editions")
    context = {
        "section": "regulation",
        "here": "regulation-adopt",
        "form": form,
        "listed": len(listed),
        "has_draft": queries.draft_text(organization=organization) is not None,
        "in_force": queries.edition_in_force(organization=organization, day=clock.today()),
        **_may(actor),
    }
    return render(request, "regulation/adopt.html", context, status=422 if form.errors else 200)


def _adopt(actor: rule.Actor, typed: dict[str, Any]) -> Edition:
    given = {key: typed[key] for key in ("effective_on", "label", "summary", "approved_by")}
    if typed["source"] == OWN:
        upload = typed["file"]
        prepared = operations.prepare_own(
            organization=actor.organization, file_name=upload.name, content=upload.read(), **given
        )
    else:
        prepared = operations.prepare_model(organization=actor.organization, renderer=child.render_many, **given)
    return transactions.durable(lambda: operations.adopt(actor=actor, prepared=prepared))


def _record_view(actor: rule.Actor, edition: Edition) -> None:
    """Record that an edition was opened, before anything of it is sent (design §5)."""
    operations.record_view(actor=actor, organization=actor.organization, edition=str(edition.pk))


def _frozen_file(edition: Edition, kind: str) -> tuple[str, bytes]:
    """Return (name, bytes) of a file frozen with an edition; a company's own text is given out as it was uploaded."""
    found = edition.original or getattr(edition, kind, None)
    if found is None:
        raise UserError(Message("この版に、この形式のファイルはありません。"))
    return found.name, store.read(found.digest)


def _edition(actor: rule.Actor, number: int) -> Edition:
    """Return the edition of the actor's organization; Refused when there is none, as for another organization's."""
    found = queries.edition(organization=actor.organization, number=number)
    if found is None:
        target = rule.Target("regulation", str(number), actor.organization)
        raise rule.Refused(actor, rule.VIEW, target, rule.Decision(allowed=False, reasons=("no-visible-row",)))
    return found


def _picture(organization: Any, day: Any) -> coverage.Coverage | None:
    """Return the stored picture for today, a computed one for another day; None before the first run."""
    return (
        coverage.current(organization=organization)
        if day.is_today
        else coverage.at(organization=organization, day=day.day)
    )


def _may(actor: rule.Actor) -> dict[str, Any]:
    """Tell the templates what this reader can do here."""
    return {"may_adopt": _may_adopt(actor), "formats": (("docx", "Word"), ("pdf", "PDF"), ("html", "HTML"))}


def _may_adopt(actor: rule.Actor) -> bool:
    return rule.decide(actor, rule.APPROVE, rule.Target("regulation", organization=actor.organization)).allowed


for _page in (
    Page("regulation", "regulation", gettext_lazy("規程"), "regulation", 10),
    Page("regulation", "regulation-editions", gettext_lazy("版の一覧"), "regulation-editions", 20),
    Page("regulation", "regulation-adopt", gettext_lazy("施行の登録"), "regulation-adopt", 30, _may_adopt),
):
    register_page(_page)
