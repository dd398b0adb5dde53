"""Operating checks of the documents room: rows ア-4, ウ-1 and ウ-2 of the seed page."""

from __future__ import annotations

import datetime as dt

from django.db.models import Count, Q

from kitei.engine.checks.model import (
    Basis,
    Check,
    CheckContext,
    Finding,
    Method,
    Operated,
    Provision,
    Result,
    Severity,
    Subject,
    registry,
)
from kitei.foundation.dates.japanese import add_months
from kitei.foundation.text import Message
from kitei.registers.documents import queries
from kitei.registers.documents.models import Document, DocumentState
from kitei.trust.access.models import Classification

POLICIES = "documents.policies"
PROMPT_ACCESS = "documents.prompt-access"
ACCESS_RESTRICTION = "documents.access-restriction"

CONSULTED = ("contract", "regulation", "procedure", "manual")
"""Kinds that have to be at hand promptly (row ウ-1)."""
REVIEWED = ("regulation", "procedure", "manual")
"""Kinds whose content ages; a contract is renewed, not reviewed."""
AGREEMENTS = ("contract", "memo")

registry.recommend(Provision("documents.review-months", 12, "か月"))


def _subject(row: DocumentState) -> Subject:
    return Subject("document", str(row.of_id), f"{row.code} {row.title}")


def _policies(context: CheckContext) -> Result:
    """ア-4: a policy is in force, and it is known who approved it and since when it holds."""
    rows = queries.policies(organization=context.organization, day=context.day)
    if not rows:
        message = Message("施行中の基本方針がありません。")
        subject = Subject("document", "policy", "基本方針")
        step = Message(
            "情報セキュリティ等の基本方針を定め、シート「文書」に種類「基本方針」、施行日、承認者とともに登録してください。"
        )
        gap = Finding("documents.no-policy", Severity.MUST, POLICIES, Basis.GUIDELINE, subject, message, step)
        started = Document.objects.filter(organization=context.organization, states__kind="policy").exists()
        return Result(Operated.NO if started else Operated.NOT_STARTED, (message,), (gap,))
    facts, findings = [], []
    unnamed = queries.unnamed(organization=context.organization, rows=rows)
    for row in rows:
        names = {"title": row.title, "version": row.version}
        if row.in_force_from is None:
            message = Message("基本方針「%(title)s」の施行日が登録されていません。", names)
            step = Message("シート「文書」に施行日を記入してください。")
            findings.append(
                Finding(
                    "documents.policy-undated", Severity.MUST, POLICIES, Basis.GUIDELINE, _subject(row), message, step
                )
            )
        elif row.of_id in unnamed:
            # Facts are read by everybody, findings only by who may view the document they are about.
            facts.append(Message("名称を表示しない基本方針（%(day)s施行）", {"day": row.in_force_from}))
        else:
            facts.append(
                Message("「%(title)s」%(version)s（%(day)s施行）", {**names, "day": row.in_force_from})
                if not row.approved_by
                else Message(
                    "「%(title)s」%(version)s（%(day)s施行、承認 %(approver)s）",
                    {**names, "day": row.in_force_from, "approver": row.approved_by},
                )
            )
        if not row.approved_by:
            message = Message("基本方針「%(title)s」の承認者が登録されていません。", names)
            step = Message("承認を受け、シート「文書」に承認者を記入してください。")
            findings.append(
                Finding(
                    "documents.policy-unapproved",
                    Severity.MUST,
                    POLICIES,
                    Basis.GUIDELINE,
                    _subject(row),
                    message,
                    step,
                )
            )
    good = any(row.in_force_from and row.approved_by for row in rows)
    state = Operated.YES if not findings else Operated.PARTIAL if good else Operated.NO
    return Result(state, tuple(facts), tuple(findings))


def _prompt_access(context: CheckContext) -> Result:
    """ウ-1: for every contract, regulation, procedure and manual one knows owner, version and where it is."""
    limit = context.provisions["documents.review-months"]
    since = add_months(context.day, -limit.value)
    rows = (
        DocumentState.objects.filter(organization=context.organization, kind__in=CONSULTED)
        .as_of(context.day)
        .filter(Q(withdrawn_on__isnull=True) | Q(withdrawn_on__gt=context.day))
    )
    nowhere = Q(file__isnull=True, place="")
    incomplete = Q(department="") | Q(version="") | nowhere
    overdue = (
        Q(kind__in=REVIEWED)
        & (Q(reviewed_on__isnull=True) | Q(reviewed_on__lt=since))
        & (Q(in_force_from__isnull=True) | Q(in_force_from__lt=since))
    )
    counts = rows.aggregate(
        all=Count("id"), incomplete=Count("id", filter=incomplete), overdue=Count("id", filter=overdue)
    )
    if not counts["all"]:
        return Result(Operated.NOT_STARTED, (Message("契約書・規程・手順書・マニュアルの登録がありません。"),))
    findings: list[Finding] = []
    for row in rows.filter(incomplete | overdue).order_by("code"):
        findings.extend(_record_gaps(row))
        last = max(filter(None, (row.reviewed_on, row.in_force_from)), default=None)
        if row.kind in REVIEWED and (last is None or last < since):
            findings.append(_overdue(row, last, limit))
    good = counts["all"] - counts["incomplete"]
    facts = (
        Message(
            "契約書・規程・手順書・マニュアル%(all)s件のうち%(good)s件の主管部署・版・所在を登録",
            {"all": counts["all"], "good": good},
        ),
        Message(
            "%(months)sか月以内の見直しがない文書 %(count)s件", {"months": limit.value, "count": counts["overdue"]}
        ),
    )
    state = Operated.YES if not counts["incomplete"] else Operated.PARTIAL if good else Operated.NO
    return Result(state, facts, tuple(findings))


def _record_gaps(row: DocumentState) -> list[Finding]:
    names = {"title": row.title}
    gaps: list[tuple[str, Message, Message]] = []
    if row.file_id is None and not row.place:
        gaps.append(
            (
                "documents.no-place",
                Message("「%(title)s」のファイルも保管場所も登録されていません。", names),
                Message("ファイルを取り込むか、シート「文書」に保管場所・原本の所在を記入してください。"),
            )
        )
    if not row.department:
        gaps.append(
            (
                "documents.no-department",
                Message("「%(title)s」の主管部署が登録されていません。", names),
                Message("シート「文書」に主管部署を記入してください。"),
            )
        )
    if not row.version:
        gaps.append(
            (
                "documents.no-version",
                Message("「%(title)s」の版が登録されていません。", names),
                Message("シート「文書」に版を記入してください。契約書は「原契約」などと書きます。"),
            )
        )
    return [
        Finding(code, Severity.MUST, PROMPT_ACCESS, Basis.GUIDELINE, _subject(row), message, step)
        for code, message, step in gaps
    ]


def _overdue(row: DocumentState, last: dt.date | None, limit: Provision) -> Finding:
    names = {"title": row.title, "months": limit.value, "day": last}
    message = (
        Message("「%(title)s」を%(months)sか月以内に見直していません（最後は%(day)s）。", names)
        if last
        else Message("「%(title)s」を%(months)sか月以内に見直した記録がありません。", names)
    )
    step = Message("内容を見直し、シート「文書」に最終見直し日を記入してください。")
    return Finding(
        "documents.review-overdue", Severity.SHOULD, PROMPT_ACCESS, limit.basis, _subject(row), message, step
    )


def _access_restriction(context: CheckContext) -> Result:
    """ウ-2: the access rule stands before every document, and each is classified fittingly."""
    rows = DocumentState.objects.filter(organization=context.organization).as_of(context.day)
    counts = dict(rows.order_by().values_list("classification").annotate(count=Count("id")))
    if not counts:
        return Result(Operated.NOT_STARTED, (Message("文書の登録がありません。"),))
    open_agreements = rows.filter(kind__in=AGREEMENTS, classification=Classification.PUBLIC).order_by("code")
    findings = tuple(
        Finding(
            "documents.public-contract",
            Severity.MUST,
            ACCESS_RESTRICTION,
            Basis.GUIDELINE,
            _subject(row),
            Message("契約の文書「%(title)s」の閲覧区分が「公開」です。", {"title": row.title}),
            Message(
                "シート「文書」の閲覧区分を「社外秘」以上にしてください。公開してよい文書であれば、種類を直してください。"
            ),
        )
        for row in open_agreements
    )
    facts = (
        Message("閲覧・ダウンロード・変更は、権限を確かめてから許可し、拒否を記録（Kiteiの機能）"),
        Message(
            "閲覧区分: 公開%(public)s件、社外秘%(internal)s件、関係者限%(restricted)s件、極秘%(secret)s件",
            {level.name.lower(): counts.get(int(level), 0) for level in Classification},
        ),
    )
    return Result(Operated.PARTIAL if findings else Operated.YES, facts, findings)


registry.register(
    Check(
        code=POLICIES,
        topic=POLICIES,
        method=Method(
            facts=Message("その日に施行中の基本方針と、その施行日、承認者"),
            threshold=Message("1つ以上が施行中で、どれにも施行日と承認者があること"),
            basis=Basis.GUIDELINE,
        ),
        run=_policies,
    )
)
registry.register(
    Check(
        code=PROMPT_ACCESS,
        topic=PROMPT_ACCESS,
        method=Method(
            facts=Message("契約書・規程・手順書・マニュアルごとの主管部署、版、ファイル又は保管場所、最終見直し日"),
            threshold=Message(
                "どれにも主管部署、版、ファイル又は保管場所があること。規程・手順書・マニュアルは規程の月数以内に見直していること（推奨）"
            ),
            basis=Basis.GUIDELINE,
            provisions=("documents.review-months",),
        ),
        run=_prompt_access,
    )
)
registry.register(
    Check(
        code=ACCESS_RESTRICTION,
        topic=ACCESS_RESTRICTION,
        method=Method(
            facts=Message("文書ごとの閲覧区分と、Kiteiのアクセス制限"),
            threshold=Message("すべての文書に閲覧区分があり、契約の文書が「公開」でないこと"),
            basis=Basis.GUIDELINE,
        ),
        run=_access_restriction,
    )
)
