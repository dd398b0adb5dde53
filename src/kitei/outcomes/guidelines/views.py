"""The guideline's requirements as Kitei knows them, and comparing them with the published text."""

from __future__ import annotations

from typing import Any

from django import forms
from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy
from django.views.decorators.http import require_http_methods, require_safe

from kitei.engine.checks.model import Severity
from kitei.foundation import transactions
from kitei.foundation.text import Message, UserError
from kitei.foundation.ui.pages import Page, register
from kitei.outcomes.guidelines import catalogue, review
from kitei.outcomes.guidelines.catalogue import CONFIDENCES, LEVELS, Clause, Edition
from kitei.outcomes.guidelines.edition import Provenance
from kitei.trust.access import rule
from kitei.trust.access.requests import actor_of

register(Page("regulation", "guideline", gettext_lazy("ガイドライン"), "guideline", 40))

COUNTING = {
    Severity.MUST: Message("必須"),
    Severity.SHOULD: Message("推奨"),
    Severity.INFO: Message("参考（数えない）"),
}


class FilterForm(forms.Form):
    """What the catalogue is narrowed by."""

    edition = forms.ChoiceField(label=gettext_lazy("版"), required=False)
    section = forms.ChoiceField(label=gettext_lazy("節"), required=False)
    level = forms.ChoiceField(
        label=gettext_lazy("強さ"),
        required=False,
        choices=[("", gettext_lazy("すべて")), *((severity.value, label) for severity, label in COUNTING.items())],
    )
    provenance = forms.ChoiceField(
        label=gettext_lazy("原文"),
        required=False,
        choices=[("", gettext_lazy("すべて")), ("verified", gettext_lazy("確認済")), ("open", gettext_lazy("要確認"))],
    )

    def __init__(self, *args: Any, editions: tuple[Edition, ...], shown: Edition, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        _offer(self, "edition", [(edition.id, str(edition.name)) for edition in editions])
        numbers = dict.fromkeys(clause.section for clause in shown.clauses)
        _offer(self, "section", [("", _("すべて")), *((number, _heading(shown, number)) for number in numbers)])


class ReviewForm(forms.Form):
    """What a person found beside the page of the published text."""

    page = forms.CharField(
        label=gettext_lazy("照合した頁"),
        max_length=40,
        help_text=gettext_lazy("公表されたPDFの頁を、PDF 41頁（印字35頁）のように書きます。"),
        widget=forms.TextInput(attrs={"autocomplete": "off"}),
        error_messages={"required": gettext_lazy("照合した頁を書いてください。")},
    )
    level = forms.ChoiceField(label=gettext_lazy("義務の強さ"), required=False)
    statement_ja = forms.CharField(
        label=gettext_lazy("要約（日本語）"),
        required=False,
        max_length=4000,
        widget=forms.Textarea(attrs={"rows": 4, "lang": "ja"}),
        help_text=gettext_lazy("原文の写しではなく、自分の言葉で書きます。違いがなければ、そのままにします。"),
    )
    statement_en = forms.CharField(
        label=gettext_lazy("要約（英語）"),
        required=False,
        max_length=4000,
        widget=forms.Textarea(attrs={"rows": 4, "lang": "en"}),
    )

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        _offer(self, "level", [(key, f"{label}（{COUNTING[severity]}）") for key, (severity, label) in LEVELS.items()])


@require_safe
def catalogue_page(request: HttpRequest) -> HttpResponse:
    """List the requirements of an edition with provenance, level and page."""
    actor = actor_of(request)
    organization = actor.organization
    rule.require(actor, rule.LIST, rule.Target("clause", organization=organization))
    every = catalogue.editions()
    own = organization.guideline_edition
    wanted = request.GET.get("edition") or own
    shown = next((edition for edition in every if edition.id == wanted), None) or catalogue.load(own)
    shown = review.reviewed(organization=organization, edition=shown)
    form = FilterForm(request.GET, editions=every, shown=shown)
    form.is_valid()  # a value that is no choice narrows nothing
    chosen = form.cleaned_data
    clauses = [clause for clause in shown.clauses if _fits(clause, chosen)]
    done = review.reviews(organization=organization, edition=shown.id)
    context = {
        "section": "regulation",
        "here": "guideline",
        "edition": shown,
        "measured": shown.id == own,
        "own_notice": catalogue.load(own).notice,
        "form": form,
        "groups": _by_section(shown, clauses, done),
        "count": len(clauses),
        "narrowed": any(chosen.get(key) for key in ("section", "level", "provenance")),
        "verified": sum(1 for clause in shown.clauses if clause.verified),
    }
    return render(request, "guidelines/catalogue.html", context)


@require_http_methods(["GET", "HEAD", "POST"])
def clause_page(request: HttpRequest, clause: str) -> HttpResponse:
    """Show one requirement; officers confirm or correct it beside the page of the published text."""
    actor = actor_of(request)
    organization = actor.organization
    target = rule.Target("clause", clause[:80], organization)
    action = rule.APPROVE if request.method == "POST" else rule.VIEW
    rule.require(actor, action, target)
    found = _find(clause)
    if found is None:
        raise rule.Refused(actor, action, target, rule.Decision(allowed=False, reasons=("no-such-clause",)))
    edition = review.reviewed(organization=organization, edition=found)
    shown, shipped = edition.clause(clause), found.clause(clause)
    form = ReviewForm(
        request.POST if request.method == "POST" else None,
        initial={
            "page": str(shown.page_label or ""),
            "level": shown.level,
            "statement_ja": shown.statement_ja,
            "statement_en": shown.statement_en,
        },
    )
    if request.method == "POST" and form.is_valid():
        typed = form.cleaned_data
        try:
            transactions.durable(
                lambda: review.review_clause(
                    actor=actor, organization=organization, edition=edition.id, clause=clause, **typed
                )
            )
        except UserError as error:
            form.add_error(None, str(error))
        else:
            messages.success(request, _("%(label)sの照合を記録しました。") % {"label": shown.label})
            return redirect("guideline-clause", clause)
    context = {
        "section": "regulation",
        "here": "guideline",
        "edition": edition,
        "clause": shown,
        "shipped": shipped,
        "counting": COUNTING[shown.counting],
        "confidence": CONFIDENCES.get(shown.confidence or ""),
        "heading": _heading(edition, shown.section),
        "review": review.reviews(organization=organization, edition=edition.id).get(clause),
        "sources": _sources(edition, shown),
        "may_review": action == rule.APPROVE or rule.decide(actor, rule.APPROVE, target).allowed,
        "form": form,
    }
    return render(request, "guidelines/clause.html", context, status=422 if form.errors else 200)


def _offer(form: forms.Form, name: str, choices: list[tuple[str, str]]) -> None:
    """Set what a choice field offers: it depends on data and language of the request."""
    field = form.fields[name]
    if not isinstance(field, forms.ChoiceField):
        raise TypeError(f"{name} offers no choices")
    field.choices = choices


def _find(clause: str) -> Edition | None:
    return next(
        (edition for edition in catalogue.editions() if any(each.id == clause for each in edition.clauses)), None
    )


def _fits(clause: Clause, chosen: dict[str, Any]) -> bool:
    return (
        (not chosen.get("section") or clause.section == chosen["section"])
        and (not chosen.get("level") or clause.counting.value == chosen["level"])
        and (not chosen.get("provenance") or clause.verified == (chosen["provenance"] == Provenance.VERIFIED.value))
    )


def _by_section(edition: Edition, clauses: list[Clause], done: dict[str, Any]) -> list[dict[str, Any]]:
    grouped: dict[str, list[dict[str, Any]]] = {}
    for clause in clauses:
        entry = {"clause": clause, "counting": COUNTING[clause.counting], "review": done.get(clause.id)}
        grouped.setdefault(clause.section, []).append(entry)
    return [{"heading": _heading(edition, number), "rows": rows} for number, rows in grouped.items()]


def _heading(edition: Edition, number: str) -> str:
    heading = edition.heading(number)
    return f"{number} {heading.title}" if heading else number


def _sources(edition: Edition, clause: Clause) -> list[str]:
    """Return the names of the sources a clause's words rest on."""
    keys = {part.strip().partition("/")[0] for part in clause.source.split(",")}
    return [source.name for source in edition.sources if source.key in keys]
