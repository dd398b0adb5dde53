"""Home: what is stated and what is operated, requirement by requirement; how each was judged; accepting a finding."""

from __future__ import annotations

import uuid
from collections.abc import Iterable, Mapping, Sequence
from typing import Any
from urllib.parse import quote

from django import forms
from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.urls import reverse
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy
from django.views.decorators.http import require_http_methods, require_POST, require_safe

from kitei.engine.checks import operations as checks
from kitei.engine.checks import runner
from kitei.engine.checks.model import Basis, Check, Finding, Operated, Provision
from kitei.foundation import clock, transactions
from kitei.foundation.dates.japanese import DateError, parse_date
from kitei.foundation.text import Message, UserError
from kitei.foundation.ui import lists
from kitei.foundation.ui.as_of import AsOf, as_of
from kitei.foundation.ui.lists import Section, section
from kitei.outcomes.guidelines.catalogue import Clause
from kitei.outcomes.regulation import coverage, presentation, publication, queries
from kitei.outcomes.regulation.coverage import SEVERITY_LABELS, Coverage, JudgedFinding, Row, Stated
from kitei.outcomes.regulation.queries import Citation
from kitei.trust.access import rule
from kitei.trust.auditlog.log import Act, record
from kitei.web import events, setup_page
from kitei.web.access import notices as access_notices
from kitei.web.accounts import alerts
from kitei.web.requests import actor_of

section(Section("home", gettext_lazy("ホーム"), "home", 10))

TODO_SHOWN = 6
FACTS_SHOWN = 3
LETTERS: dict[str, Message] = {
    "a": Message("（ア）基本方針"),
    "i": Message("（イ）提供に係る体制"),
    "u": Message("（ウ）契約書・マニュアル等の文書の管理"),
    "e": Message("（エ）機器等の管理責任と管理方法"),
    "o": Message("（オ）リスク対応策の運用手順"),
    "ka": Message("（カ）記録媒体の管理"),
    "ki": Message("（キ）患者等への説明と同意"),
    "ku": Message("（ク）監査"),
    "ke": Message("（ケ）苦情・質問の窓口"),
    "ko": Message("（コ）規程の見直しと教育"),
}
"""The letters under which the guideline's 5.1.6 orders what the regulation holds; in our words."""
OTHER_LETTER = Message("医療機関等への説明と合意")
BASES = {
    Basis.GUIDELINE: Message("ガイドライン"),
    Basis.REGULATION: Message("自社の規程"),
    Basis.RECOMMENDATION: Message("Kiteiの推奨"),
}


@require_safe
def page(request: HttpRequest) -> HttpResponse:
    """Show the state of the regulation as of the day: from the stored run today, computed for another day."""
    actor, day = actor_of(request), as_of(request)
    organization = actor.organization
    rule.require(actor, rule.LIST, rule.Target("regulation", organization=organization))
    picture = _picture(organization, day)
    edition = picture.edition if picture else queries.edition_in_force(organization=organization, day=day.day)
    # はじめの設定 leads until an edition is in force; afterwards it would only cost time.
    setup = setup_page.progress(actor=actor) if edition is None and day.is_today else None
    context: dict[str, Any] = {
        "section": "home",
        "picture": picture,
        "edition": edition,
        "setup": setup,
        "may_edit": _may(actor, rule.EDIT),
        "notices": access_notices.waiting(actor),
        "console_invitations": alerts.unseen(actor=actor) if _is_officer(actor) else [],
    }
    if picture is not None:
        readable = [one for one in access_notices.readable(actor, picture.findings) if one.acceptance is None]
        open_keys = {judged.finding.key for judged in picture.open_findings}
        open_findings = [one for one in readable if one.finding.key in open_keys]
        context |= {
            "groups": _groups(picture, day),
            "todo": [_finding(judged, picture, day) for judged in open_findings[:TODO_SHOWN]],
            "todo_count": len(open_findings),
            "should_count": len(readable) - len(open_findings),
            "idle_count": _idle(picture),
            "stale": day.is_today and runner.newest_event(organization=organization) != picture.seen_event,
            "old": day.is_today and picture.day != day.day,
        }
    return render(request, "web/home.html", context, status=422 if day.error else 200)


@require_safe
def changes(request: HttpRequest) -> HttpResponse:
    """The fragment 「施行後に変わったこと」: drawing every annex takes longer than home may."""
    actor, day = actor_of(request), as_of(request)
    organization = actor.organization
    rule.require(actor, rule.LIST, rule.Target("regulation", organization=organization))
    edition = queries.edition_in_force(organization=organization, day=day.day)
    found: list[dict[str, Any]] = []
    if edition is not None:
        published = publication.current(organization=organization, day=day.day)
        then = publication.frozen(organization=organization, edition=edition) if published.changed else None
        before = {annex.id: annex for annex in then.annexes} if then else {}
        found = [
            {
                "label": f"{annex.label} {annex.title}",
                "url": f"{_with(reverse('regulation'), day.query)}#{presentation.anchor_of(annex.id)}",
                "what": presentation.annex_change(before[annex.id], annex),
            }
            for annex in published.changed
        ]
    return render(request, "web/parts/changes.html", {"changes": found, "edition": edition})


@require_safe
def requirement(request: HttpRequest, clause: str) -> HttpResponse:
    """Show 判定のしかた of one requirement: facts, thresholds and their basis, findings with the next step."""
    actor, day = actor_of(request), as_of(request)
    organization = actor.organization
    target = rule.Target("clause", clause[:80], organization)
    decision = rule.require(actor, rule.VIEW, target)
    picture = _picture(organization, day) or coverage.at(organization=organization, day=day.day)
    row = next((row for row in picture.rows if row.clause.id == clause), None)
    if row is None:
        raise rule.Refused(
            actor, rule.VIEW, target, rule.Decision(allowed=False, reasons=("no-such-clause",), roles=decision.roles)
        )
    context = {
        "section": "home",
        "picture": picture,
        "row": row,
        "state": presentation.state_of(row),
        "stated": coverage.STATED_LABELS[row.stated],
        "citations": _citations(row.citations, day),
        "checks": [_check(check, picture, day) for check in row.checks],
        "findings": [
            _finding(judged, picture, day)
            for judged in access_notices.readable(actor, presentation.shown_findings(row.findings))
        ],
        "may_accept": _may(actor, rule.APPROVE),
    }
    return render(request, "web/requirement.html", context, status=422 if day.error else 200)


@require_safe
def findings(request: HttpRequest) -> HttpResponse:
    """List every finding: what needs doing first, what was accepted last."""
    actor, day = actor_of(request), as_of(request)
    organization = actor.organization
    rule.require(actor, rule.LIST, rule.Target("finding", organization=organization))
    picture = _picture(organization, day) or coverage.at(organization=organization, day=day.day)
    readable = access_notices.readable(actor, picture.findings)
    open_keys = {judged.finding.key for judged in picture.open_findings}
    must = [_finding(judged, picture, day) for judged in access_notices.readable(actor, picture.open_findings)]
    accepted = [_finding(judged, picture, day) for judged in readable if judged.acceptance is not None]
    others = [
        _finding(judged, picture, day)
        for judged in readable
        if judged.acceptance is None and judged.finding.key not in open_keys
    ]
    context = {
        "section": "home",
        "picture": picture,
        "must_count": len(must),
        "parts": [
            (_("要対応"), _("必須の要求事項の不足です。"), must),
            (_("そのほか"), _("推奨の事項と、まだ始めていない事項の不足です。"), others),
            (_("受容中"), _("理由と期限を決めて受け入れているものです。期限の翌日に、要対応へ戻ります。"), accepted),
        ],
        "idle_count": _idle(picture),
        "may_accept": _may(actor, rule.APPROVE),
    }
    return render(request, "web/findings.html", context, status=422 if day.error else 200)


class AcceptForm(forms.Form):
    """Why a gap is accepted, and until when."""

    finding = forms.CharField(widget=forms.HiddenInput, max_length=200)
    reason = forms.CharField(
        label=gettext_lazy("受容する理由"),
        max_length=2000,
        widget=forms.Textarea(attrs={"rows": 4}),
        help_text=gettext_lazy("なぜ今は直さなくてよいのか、代わりに何をしているかを書きます。"),
        error_messages={"required": gettext_lazy("受容する理由を書いてください。")},
    )
    until = forms.CharField(
        label=gettext_lazy("期限"),
        max_length=40,
        widget=forms.TextInput(attrs={"autocomplete": "off"}),
        help_text=gettext_lazy("この日まで受容します。1年以内の日を、令和9年3月31日、2027/3/31 のように書きます。"),
        error_messages={"required": gettext_lazy("期限を入力してください。")},
    )

    def clean_until(self) -> Any:
        """Read the day in any Japanese spelling."""
        try:
            return parse_date(self.cleaned_data["until"], today=clock.today())
        except DateError as error:
            raise forms.ValidationError(str(error)) from error


@require_http_methods(["GET", "HEAD", "POST"])
def accept(request: HttpRequest) -> HttpResponse:
    """Accept a finding of today with reason and end."""
    actor = actor_of(request)
    organization = actor.organization
    key = (request.POST if request.method == "POST" else request.GET).get("finding", "")[:200]
    target = rule.Target("finding", key[:80], organization)
    rule.require(actor, rule.APPROVE, target)
    today = AsOf(clock.today(), clock.today())
    picture = coverage.current(organization=organization) or coverage.at(organization=organization, day=today.day)
    judged = next((judged for judged in picture.findings if judged.finding.key == key), None)
    if judged is None:
        raise UserError(Message("この指摘は、もうありません。一覧で確かめてください。"))
    form = AcceptForm(request.POST if request.method == "POST" else None, initial={"finding": key})
    if request.method == "POST" and form.is_valid():
        typed = form.cleaned_data
        try:
            transactions.durable(
                lambda: checks.accept_finding(
                    actor=actor, organization=organization, finding=key, reason=typed["reason"], until=typed["until"]
                )
            )
        except UserError as error:
            form.add_error(None, str(error))
        else:
            messages.success(request, _("受容を登録しました。期限の翌日に、要対応へ戻ります。"))
            return redirect(_requirement_url(judged.clause, picture, today) or reverse("findings"))
    context = {"section": "home", "form": form, "item": _finding(judged, picture, today)}
    return render(request, "web/accept.html", context, status=422 if form.errors else 200)


@require_POST
def run_now(request: HttpRequest) -> HttpResponse:
    """Run the checks now instead of waiting for the worker."""
    actor = actor_of(request)
    decision = rule.require(actor, rule.EDIT, rule.Target("regulation", organization=actor.organization))
    act = Act(events.CHECKED, actor.ref, ("regulation", ""), decision=decision.recorded)
    record(organization=actor.organization, act=act)
    coverage.run_and_store(organization=actor.organization)
    messages.success(request, _("いまの台帳で確認しました。"))
    return redirect("home")


def _is_officer(actor: rule.Actor) -> bool:
    return rule.decide(actor, rule.LIST, rule.Target("account", organization=actor.organization)).allowed


def _picture(organization: Any, day: AsOf) -> Coverage | None:
    return (
        coverage.current(organization=organization)
        if day.is_today
        else coverage.at(organization=organization, day=day.day)
    )


def _idle(picture: Coverage) -> int:
    """How many counted requirements nobody has begun: their gaps are no 要対応 yet, but they are not in order either."""
    return sum(1 for row in picture.counted if row.checks and row.operated is Operated.NOT_STARTED)


def _may(actor: rule.Actor, action: str) -> bool:
    return rule.decide(actor, action, rule.Target("regulation", organization=actor.organization)).allowed


def _groups(picture: Coverage, day: AsOf) -> list[dict[str, Any]]:
    """Return the rows by letter in the guideline's order, the exchange with institutions last."""
    by_letter: dict[str, list[Row]] = {}
    for row in picture.rows:
        by_letter.setdefault(row.clause.letter if row.clause.letter in LETTERS else "", []).append(row)
    order: Sequence[str] = (*LETTERS, "")
    return [
        {"heading": LETTERS.get(letter, OTHER_LETTER), "rows": [_row(row, day) for row in by_letter[letter]]}
        for letter in order
        if letter in by_letter
    ]


def _row(row: Row, day: AsOf) -> dict[str, Any]:
    return {
        "clause": row.clause,
        "url": _with(reverse("requirement", args=[row.clause.id]), day.query),
        "citations": _citations(row.citations[:FACTS_SHOWN], day),
        "more_citations": max(0, len(row.citations) - FACTS_SHOWN),
        "draft": row.stated is Stated.DRAFT,
        "unstated": row.stated is Stated.NO,
        "facts": row.facts[:FACTS_SHOWN],
        "more_facts": max(0, len(row.facts) - FACTS_SHOWN),
        "state": presentation.state_of(row),
        "should": row.clause.counting.value == "should",
        "recommended": presentation.recommended(row) if row.operated is Operated.YES else 0,
        "accepted": sum(1 for judged in row.findings if judged.acceptance is not None),
    }


def _citations(found: Iterable[Citation], day: AsOf) -> list[dict[str, Any]]:
    return [
        {
            "label": citation.label,
            "caption": citation.caption,
            "page": citation.page,
            "url": f"{reverse('regulation')}?article={quote(citation.article)}{'&' + day.query if day.query else ''}#{presentation.anchor_of(citation.article)}",
        }
        for citation in found
    ]


def _finding(judged: JudgedFinding, picture: Coverage, day: AsOf) -> dict[str, Any]:
    """Return what a page shows of a finding: words, where to mend it, what it cites."""
    finding, clause = judged.finding, judged.clause
    row = next((row for row in picture.rows if finding.topic in row.clause.topics), None)
    return {
        "key": finding.key,
        "message": finding.message,
        "next_step": finding.next_step,
        "subject": finding.subject.label,
        "url": subject_url(finding, day),
        "severity": SEVERITY_LABELS[finding.severity],
        "tone": {"must": "ng", "should": "warn"}.get(finding.severity.value, "note"),
        "basis": BASES[finding.basis],
        "clause": clause,
        "clause_url": _requirement_url(clause, picture, day),
        "citation": _citations(row.citations[:1], day)[0] if row and row.citations else None,
        "acceptance": judged.acceptance,
    }


def subject_url(finding: Finding, day: AsOf) -> str:
    """Return the address of the register row a finding is about, else of its list; empty when no page shows it."""
    spec = lists.for_sheet(finding.subject.kind)
    if spec is None:
        return ""
    try:
        identity = uuid.UUID(finding.subject.id)
    except ValueError:
        return _with(reverse("list", args=[spec.key]), day.query)
    return _with(reverse("list-row", args=[spec.key, identity]), day.query)


def _requirement_url(clause: Clause | None, picture: Coverage, day: AsOf) -> str:
    """Return the address of 判定のしかた; empty for a requirement outside the regulation's section."""
    if clause is None or all(row.clause.id != clause.id for row in picture.rows):
        return ""
    return _with(reverse("requirement", args=[clause.id]), day.query)


def _check(check: Check, picture: Coverage, day: AsOf) -> dict[str, Any]:
    """Return 判定のしかた of one check: facts needed, threshold, its values and where each comes from."""
    return {
        "code": check.code,
        "facts": check.method.facts,
        "threshold": check.method.threshold,
        "basis": BASES[check.method.basis],
        "provisions": [_provision(key, picture.provisions, day) for key in check.method.provisions],
    }


def _provision(key: str, values: Mapping[str, Provision], day: AsOf) -> dict[str, Any]:
    found = values.get(key)
    return {
        "key": key,
        "value": f"{found.value}{found.unit}" if found else "",
        "article": found.article if found else "",
        "basis": BASES[found.basis] if found else BASES[Basis.RECOMMENDATION],
        "url": _with(reverse("regulation"), day.query),
    }


def _with(url: str, query: str) -> str:
    return f"{url}?{query}" if query else url
