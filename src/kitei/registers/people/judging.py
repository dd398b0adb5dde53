"""How the people room judges: one function per check, from its registers and the provisions in force."""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable

from kitei.engine.checks.model import (
    Basis,
    CheckContext,
    Finding,
    Operated,
    Provision,
    Result,
    Severity,
    Subject,
)
from kitei.foundation import clock
from kitei.foundation.dates.japanese import add_months
from kitei.foundation.text import Message
from kitei.registers.people import queries
from kitei.registers.people.ability import Ability, abilities
from kitei.registers.people.models import Appointment
from kitei.registers.people.queries import Holder
from kitei.trust.access.roles import (
    AUDIT_OFFICER,
    SECURITY_OFFICER,
    SYSTEM_ADMINISTRATOR,
    Role,
)
from kitei.trust.auditlog.models import Event

SHEET = Message("シート「任命」に任命を登録してください。")


def office(role: Role) -> Callable[[CheckContext], Result]:
    """Return the check function "this office is held": exactly one holder for a single role, at least one otherwise."""

    def run(context: CheckContext) -> Result:
        return _held(context, role)

    return run


def _role_subject(role: Role, title: str) -> Subject:
    return Subject("office", role.code, title)


def _held(context: CheckContext, role: Role) -> Result:
    found = queries.holders(organization=context.organization, day=context.day, roles=[role.code])
    title = queries.titles(organization=context.organization, day=context.day)[role.code]
    holders = [holder for holder in found if holder.deputy_order == 0]
    facts = tuple(Message("%(name)s（%(day)s任命）", {"name": holder.name, "day": holder.since}) for holder in holders)
    findings = []
    subject = _role_subject(role, title)
    if not holders:
        acting = found[0].name if found else ""
        message = (
            Message("%(title)sが空席です。代行は%(acting)sです。", {"title": title, "acting": acting})
            if acting
            else Message("%(title)sが空席です。", {"title": title})
        )
        findings.append(_finding("people.vacant-office", role.topic, subject, message, SHEET))
        return Result(Operated.NO if _ever_held(context, role) else Operated.NOT_STARTED, (message,), tuple(findings))
    if role.single and len(holders) > 1:
        findings.append(
            _finding(
                "people.two-holders",
                role.topic,
                subject,
                Message(
                    "%(title)sが同じ日に%(count)s人います。1人だけが就く役割です。",
                    {"title": title, "count": len(holders)},
                ),
                Message("前任の任命に終了日を記入してください。"),
            )
        )
    findings.extend(_holder_findings(context, role, title, holders))
    weakest = Operated.PARTIAL if any(finding.severity is Severity.MUST for finding in findings) else Operated.YES
    return Result(weakest, facts, tuple(findings))


def _holder_findings(context: CheckContext, role: Role, title: str, holders: list[Holder]) -> list[Finding]:
    findings = []
    for holder in holders:
        subject = Subject("appointment", str(holder.appointment), f"{title} {holder.name}")
        if not holder.employed:
            findings.append(
                _finding(
                    "people.left-holder",
                    role.topic,
                    subject,
                    Message(
                        "%(title)sの%(name)sは退職していますが、任命が終わっていません。",
                        {"title": title, "name": holder.name},
                    ),
                    Message("任命に終了日を記入し、後任を任命してください。"),
                )
            )
        if holder.term_until and holder.term_until < context.day:
            findings.append(
                _finding(
                    "people.term-over",
                    role.topic,
                    subject,
                    Message(
                        "%(title)sの%(name)sの任期は%(day)sに満了しました。",
                        {"title": title, "name": holder.name, "day": holder.term_until},
                    ),
                    Message("再任するか、後任を任命してください。"),
                )
            )
    return findings


def _ever_held(context: CheckContext, role: Role) -> bool:
    return Appointment.objects.filter(organization=context.organization, role=role.code).exists()


def administrators(context: CheckContext) -> Result:
    """イ-2: every holder has a recognised qualification that is valid and the years of practice (footnote 35)."""
    base = _held(context, SYSTEM_ADMINISTRATOR)
    holders = [
        holder
        for holder in queries.holders(
            organization=context.organization, day=context.day, roles=[SYSTEM_ADMINISTRATOR.code]
        )
        if holder.deputy_order == 0
    ]
    if not holders:
        return base
    years = context.provisions["people.administrator-years"]
    warn = context.provisions["people.qualification-warn-days"]
    judged = abilities(
        organization=context.organization,
        day=context.day,
        member_ids=[holder.member for holder in holders],
        years=years.value,
    )
    facts, findings = [], list(base.findings)
    for holder in holders:
        ability = judged[holder.member]
        parts = {"name": holder.name, "first": ability.reasons[0], "second": ability.reasons[1]}
        facts.append(Message("%(name)s（%(first)s、%(second)s）", parts))
        subject = Subject("member", str(holder.member), holder.name)
        if not ability.met:
            findings.append(
                _finding(
                    "people.administrator-unqualified",
                    SYSTEM_ADMINISTRATOR.topic,
                    subject,
                    Message("システム管理者の%(name)sは要件を満たしていません（%(first)s、%(second)s）。", parts),
                    Message("資格と実務経験を登録するか、要件を満たす人を任命してください。"),
                    basis=years.basis,
                )
            )
        findings.extend(_deadline_findings(holder, ability, subject, context.day, warn))
    unmet = sum(1 for ability in judged.values() if not ability.met)
    state = (
        Operated.NO
        if unmet == len(judged)
        else Operated.PARTIAL
        if unmet or base.state is not Operated.YES
        else Operated.YES
    )
    return Result(state, tuple(facts), tuple(findings))


def _deadline_findings(
    holder: Holder, ability: Ability, subject: Subject, day: dt.date, warn: Provision
) -> list[Finding]:
    if ability.next_deadline is None:
        return []
    when, kind = ability.next_deadline
    left = (when - day).days
    if left > warn.value:
        return []
    facts = {"name": holder.name, "day": when, "left": left}
    if kind == "renew":
        message = Message("%(name)sの資格の更新申請期限が%(day)sに来ます（あと%(left)s日）。", facts)
        step = Message("必要な講習を終え、期限までに更新を申請してください。")
    else:
        message = Message("%(name)sの資格が%(day)sに失効します（あと%(left)s日）。", facts)
        step = Message("更新を終えて新しい有効期限を登録するか、後任の準備をしてください。")
    return [
        _finding(
            "people.qualification-deadline",
            SYSTEM_ADMINISTRATOR.topic,
            subject,
            message,
            step,
            severity=Severity.SHOULD,
            basis=warn.basis,
        )
    ]


def appointment_rules(context: CheckContext) -> Result:
    """イ-5: appointments in force cite the article that rules them."""
    found = queries.holders(organization=context.organization, day=context.day)
    if not found:
        return Result(Operated.NOT_STARTED, (Message("任命の登録がありません。"),))
    cited = sum(1 for holder in found if holder.article)
    fact = Message("有効な任命%(all)s件のうち%(cited)s件が根拠条を示す", {"all": len(found), "cited": cited})
    missing = [
        _finding(
            "people.no-article",
            "people.appointment-rules",
            Subject("appointment", str(holder.appointment), f"{holder.code} {holder.name}"),
            Message("任命%(code)s（%(name)s）に根拠条がありません。", {"code": holder.code, "name": holder.name}),
            Message("シート「任命」の「根拠条」に、任命の手続を定めた条を記入してください。"),
            severity=Severity.SHOULD,
        )
        for holder in found
        if not holder.article
    ]
    state = Operated.YES if cited == len(found) else Operated.PARTIAL if cited else Operated.NO
    return Result(state, (fact,), tuple(missing))


def emergency(context: CheckContext) -> Result:
    """イ-6: a contact tree whose numbers were confirmed in time, and a drill in time."""
    limit = context.provisions["people.emergency-confirm-days"]
    rows = queries.contacts(organization=context.organization, day=context.day)
    if not rows:
        finding = _finding(
            "people.no-contact-tree",
            "people.emergency",
            Subject("contact", "", "緊急連絡網"),
            Message("緊急連絡網に登録がありません。"),
            Message("シート「緊急連絡先」に連絡順、氏名、電話番号、本人確認日を登録してください。"),
        )
        return Result(Operated.NOT_STARTED, (finding.message,), (finding,))
    people = queries.names(
        organization=context.organization, day=context.day, member_ids=[row.member_id for row in rows]
    )
    oldest = context.day - dt.timedelta(days=limit.value)
    findings = []
    for row in rows:
        person = people.get(row.member_id)
        name = person.full_name if person else row.code
        # A day still to come is a slip of the pen, not a confirmation.
        if row.confirmed_on is None or not oldest <= row.confirmed_on <= context.day:
            findings.append(
                _finding(
                    "people.contact-unconfirmed",
                    "people.emergency",
                    Subject("contact", str(row.of_id), f"{row.code} {name}"),
                    Message(
                        "緊急連絡先%(code)s（%(name)s）を%(days)s日以上確認していません。",
                        {"code": row.code, "name": name, "days": limit.value},
                    ),
                    Message("本人に番号を確認し、本人確認日を記録してください。"),
                    basis=limit.basis,
                )
            )
    confirmed = len(rows) - len(findings)
    facts = [
        Message(
            "緊急連絡網%(all)s人のうち%(ok)s人を%(days)s日以内に確認",
            {"all": len(rows), "ok": confirmed, "days": limit.value},
        )
    ]
    drill_facts, drill_findings = _held_in_time(
        context, "drill", "people.drill-months", "people.emergency", "people.drill-overdue"
    )
    findings.extend(drill_findings)
    state = Operated.YES if not findings else Operated.PARTIAL
    return Result(state, (*facts, *drill_facts), tuple(findings))


def _held_in_time(
    context: CheckContext, kind: str, provision_key: str, topic: str, code: str, severity: Severity = Severity.MUST
) -> tuple[list[Message], list[Finding]]:
    """Facts and findings on periodic activities of one kind: each held within the provision's months."""
    limit = context.provisions[provision_key]
    rows = queries.activities(organization=context.organization, day=context.day, kind=kind)
    facts, findings = [], []
    for row in rows:
        held = row.last_held_on if row.last_held_on and row.last_held_on <= context.day else None
        if held is not None:
            facts.append(Message("%(name)s %(day)s実施", {"name": row.name, "day": held}))
        if held is None or add_months(held, limit.value) < context.day:
            findings.append(
                _finding(
                    code,
                    topic,
                    Subject("activity", str(row.of_id), row.name),
                    Message(
                        "「%(name)s」を%(months)sか月以内に行った記録がありません。",
                        {"name": row.name, "months": limit.value},
                    ),
                    Message("実施して、シート「定期活動」に最終実施日と証跡を記録してください。"),
                    severity=severity,
                    basis=limit.basis,
                )
            )
    if not rows:
        kind_name = _KIND_LABELS[kind]
        findings.append(
            _finding(
                code,
                topic,
                Subject("activity", kind, kind_name.msgid),
                Message("「%(name)s」の登録がありません。", {"name": kind_name}),
                Message("シート「定期活動」に登録してください。"),
                severity=severity,
                basis=limit.basis,
            )
        )
    return facts, findings


_KIND_LABELS = {
    "committee": Message("委員会"),
    "training": Message("教育"),
    "drill": Message("訓練"),
    "log-review": Message("操作記録の点検"),
}


def observance(context: CheckContext) -> Result:
    """ア-5: an officer in charge, a committee that meets, training that is held."""
    office = _held(context, SECURITY_OFFICER)
    facts, findings = list(office.facts), list(office.findings)
    for kind, key, code in (
        ("committee", "people.committee-months", "people.committee-overdue"),
        ("training", "people.training-months", "people.training-overdue"),
    ):
        more, gaps = _held_in_time(context, kind, key, "people.observance", code)
        facts.extend(more)
        findings.extend(gaps)
    activities = queries.activities(organization=context.organization, day=context.day)
    if office.state is Operated.NOT_STARTED and not activities:
        return Result(Operated.NOT_STARTED, tuple(facts), tuple(findings))
    state = Operated.PARTIAL if any(finding.severity is Severity.MUST for finding in findings) else Operated.YES
    return Result(state, tuple(facts), tuple(findings))


def detection(context: CheckContext) -> Result:
    """ウ-3: refusals are recorded by the product; the company reviews the record within its cycle."""
    since = clock.start_of(add_months(context.day, -1))
    until = clock.start_of(context.day + dt.timedelta(days=1))
    refused = Event.objects.filter(
        organization=context.organization, outcome="refused", at__gte=since, at__lt=until
    ).count()
    facts = [Message("最近1か月の閲覧・操作の拒否 %(count)s件を記録", {"count": refused})]
    more, findings = _held_in_time(
        context,
        "log-review",
        "documents.log-review-months",
        "documents.detection",
        "documents.log-review-overdue",
        Severity.SHOULD,
    )
    reviews = queries.activities(organization=context.organization, day=context.day, kind="log-review")
    state = Operated.YES if not findings else Operated.PARTIAL if reviews else Operated.NOT_STARTED
    return Result(state, (*facts, *more), tuple(findings))


def audit(context: CheckContext) -> Result:
    """ク: an audit officer who holds none of the offices he audits (japan.md §4: the hardest rule of separation)."""
    base = _held(context, AUDIT_OFFICER)
    everyone = queries.holders(organization=context.organization, day=context.day)
    audited = {
        holder.member: holder.role
        for holder in everyone
        if holder.role != AUDIT_OFFICER.code and holder.deputy_order == 0
    }
    findings = list(base.findings)
    titles = queries.titles(organization=context.organization, day=context.day)
    findings.extend(
        _finding(
            "people.auditor-not-independent",
            AUDIT_OFFICER.topic,
            Subject("appointment", str(holder.appointment), f"{titles[AUDIT_OFFICER.code]} {holder.name}"),
            Message(
                "監査責任者の%(name)sは%(other)sを兼ねています。監査の独立を保てません。",
                {"name": holder.name, "other": titles[audited[holder.member]]},
            ),
            Message(
                "どちらかの役割をほかの人に任命してください。やむを得ないときは、理由を記録し外部の人の監査を受けてください。"
            ),
            basis=Basis.RECOMMENDATION,
        )
        for holder in everyone
        if holder.role == AUDIT_OFFICER.code and holder.member in audited
    )
    state = base.state if len(findings) == len(base.findings) else Operated.PARTIAL
    return Result(state, base.facts, tuple(findings))


def _finding(
    code: str,
    topic: str,
    subject: Subject,
    message: Message,
    next_step: Message,
    *,
    severity: Severity = Severity.MUST,
    basis: Basis = Basis.GUIDELINE,
) -> Finding:
    return Finding(code, severity, topic, basis, subject, message, next_step)
