"""Operating checks of the risks room: row オ of the seed page, and the age of the risk assessment."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

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
from kitei.registers.risks import queries
from kitei.registers.risks.models import MeasureState, ProcedureState, RiskState

OPERATION, ASSESSMENT = "risks.operation", "risks.assessment"
ASSESSMENT_MONTHS = "risks.assessment-months"
SINGLE = 20
"""More rows than this with one gap become one finding per kind of measure (cycle, for procedures) with the count."""

PERIODS: dict[str, tuple[int, int]] = {
    "daily": (1, 6),
    "weekly": (7, 3),
    "monthly": (31, 7),
    "quarterly": (92, 14),
    "half-yearly": (184, 30),
    "yearly": (366, 30),
}
"""Cycle -> (its longest length, grace) in days. The cycle is the regulation's (別表13); the grace is Kitei's: it bridges
long holidays and records that come in late."""

registry.recommend(Provision(ASSESSMENT_MONTHS, 12, "か月"))

CYCLE_NAMES = {
    "daily": Message("毎日"),
    "weekly": Message("週1回"),
    "monthly": Message("月1回"),
    "quarterly": Message("四半期1回"),
    "half-yearly": Message("半年1回"),
    "yearly": Message("年1回"),
    "as-needed": Message("随時"),
    "": Message("記載なし"),
}
KIND_NAMES = {
    "technical": Message("技術"),
    "operational": Message("運用"),
    "organisational": Message("組織"),
    "physical": Message("物理"),
    "": Message("種類の記載なし"),
}


def in_time(row: ProcedureState, day: dt.date) -> bool:
    """Whether a procedure was done recently enough for its cycle and grace; 随時 is always in time."""
    period = PERIODS.get(row.cycle)
    if period is None:
        return True
    return row.last_done_on is not None and row.last_done_on <= day and (day - row.last_done_on).days <= sum(period)


def lacks(row: ProcedureState) -> list[Message]:
    """What a procedure needs and does not have: its document, an owner role, a cycle."""
    return [
        name
        for value, name in (
            (row.document_id, Message("手順書の文書番号")),
            (row.owner_role, Message("担当する役割")),
            (row.cycle, Message("周期")),
        )
        if not value
    ]


def operation(context: CheckContext) -> Result:
    """オ: adopted measure → decided 運用要否 → procedure → owner and cycle → done in time."""
    rows = queries.all_measures(organization=context.organization, day=context.day)
    if not rows:
        return Result(Operated.NOT_STARTED, (Message("対策の登録がありません。"),))
    known = queries.all_procedures(organization=context.organization, day=context.day)
    adopted = [row for row in rows if row.adopted == "adopted"]
    undecided = [row for row in adopted if row.operation_needed not in {"needed", "not-needed"}]
    needed = [row for row in adopted if row.operation_needed == "needed"]
    without = [row for row in needed if not any(code in known for code in row.procedures)]
    dangling = [row for row in needed if row not in without and any(code not in known for code in row.procedures)]
    unreasoned = [row for row in adopted if row.operation_needed == "not-needed" and not row.reason.strip()]
    used = [known[code] for code in sorted({code for row in needed for code in row.procedures if code in known})]
    incomplete = [row for row in used if lacks(row)]
    overdue = [row for row in used if not in_time(row, context.day)]
    findings = [
        *_undecided(undecided),
        *_without(without),
        *_dangling(dangling),
        *_unreasoned(unreasoned),
        *_incomplete(incomplete),
        *_overdue(overdue),
    ]
    bad = {row.code for row in (*undecided, *without, *dangling)}
    late = {row.code for row in (*incomplete, *overdue)}
    fine = sum(
        1
        for row in adopted
        if row.code not in bad and not (row.operation_needed == "needed" and late & set(row.procedures))
    )
    facts = [
        Message(
            "採用した対策%(all)s件中%(ok)s件の運用要否を決定",
            {"all": len(adopted), "ok": len(adopted) - len(undecided)},
        )
    ]
    if needed:
        facts.append(
            Message(
                "運用が要る対策%(all)s件中%(ok)s件に運用手順", {"all": len(needed), "ok": len(needed) - len(without)}
            )
        )
    if used:
        facts.append(
            Message(
                "使っている運用手順%(all)s件中%(ok)s件を周期どおりに実施",
                {"all": len(used), "ok": len(used) - len(overdue)},
            )
        )
    if not adopted:
        # Measures that are all under consideration are a beginning, not an operation.
        return Result(Operated.NOT_STARTED, tuple(facts), tuple(findings))
    must = any(finding.severity is Severity.MUST for finding in findings)
    state = Operated.YES if not must else Operated.PARTIAL if fine else Operated.NO
    return Result(state, tuple(facts), tuple(findings))


def _undecided(rows: Sequence[MeasureState]) -> Iterable[Finding]:
    return _measures(
        rows,
        code="risks.undecided",
        single=lambda row: Message("採用した対策「%(label)s」の運用要否が決まっていません。", {"label": _label(row)}),
        group=lambda facts: Message(
            "採用した「%(group)s」の対策%(count)s件（%(example)sなど）の運用要否が決まっていません。", facts
        ),
        step=Message("シート「対策」の「運用要否」に、要か不要を記入してください。"),
    )


def _without(rows: Sequence[MeasureState]) -> Iterable[Finding]:
    return _measures(
        rows,
        code="risks.no-procedure",
        single=lambda row: Message("運用が要る対策「%(label)s」に運用手順がありません。", {"label": _label(row)}),
        group=lambda facts: Message(
            "運用が要る「%(group)s」の対策%(count)s件（%(example)sなど）に運用手順がありません。", facts
        ),
        step=Message("手順をシート「運用手順」に登録し、シート「対策」の「運用手順の手順番号」に記入してください。"),
    )


def _dangling(rows: Sequence[MeasureState]) -> Iterable[Finding]:
    return _measures(
        rows,
        code="risks.unknown-procedure",
        single=lambda row: Message("対策「%(label)s」が、登録のない運用手順を挙げています。", {"label": _label(row)}),
        group=lambda facts: Message(
            "「%(group)s」の対策%(count)s件（%(example)sなど）が、登録のない運用手順を挙げています。", facts
        ),
        step=Message("手順番号を直すか、手順をシート「運用手順」に登録してください。"),
    )


def _unreasoned(rows: Sequence[MeasureState]) -> Iterable[Finding]:
    return _measures(
        rows,
        code="risks.no-reason",
        severity=Severity.SHOULD,
        basis=Basis.RECOMMENDATION,
        single=lambda row: Message(
            "対策「%(label)s」は運用が不要とされていますが、理由がありません。", {"label": _label(row)}
        ),
        group=lambda facts: Message(
            "運用が不要とされた「%(group)s」の対策%(count)s件（%(example)sなど）に、理由がありません。", facts
        ),
        step=Message("シート「対策」の「不要の理由」を記入してください。"),
    )


def _incomplete(rows: Sequence[ProcedureState]) -> Iterable[Finding]:
    return _procedures(
        rows,
        code="risks.procedure-incomplete",
        basis=Basis.GUIDELINE,
        single=_what_lacks,
        group=lambda facts: Message(
            "周期が「%(group)s」の運用手順%(count)s件（%(example)sなど）に、手順書、担当する役割又は周期がありません。",
            facts,
        ),
        step=Message("シート「運用手順」の空いている欄を記入してください。"),
    )


def _what_lacks(row: ProcedureState) -> Message:
    missing = lacks(row)
    listed = missing[0]
    for name in missing[1:]:
        listed = Message("%(first)s、%(second)s", {"first": listed, "second": name})
    return Message(
        "運用手順「%(label)s」に、次の欄の記入がありません：%(missing)s。", {"label": _label(row), "missing": listed}
    )


def _overdue(rows: Sequence[ProcedureState]) -> Iterable[Finding]:
    return _procedures(
        rows,
        code="risks.procedure-overdue",
        basis=Basis.REGULATION,
        single=_how_late,
        group=lambda facts: Message(
            "周期が「%(group)s」の運用手順%(count)s件（%(example)sなど）を、周期どおりに実施した記録がありません。",
            facts,
        ),
        step=Message("手順を実施し、シート「運用手順」に最終実施日と証跡の文書番号を記入してください。"),
    )


def _how_late(row: ProcedureState) -> Message:
    facts = {"label": _label(row), "cycle": _cycle(row.cycle), "day": row.last_done_on}
    if row.last_done_on is None:
        return Message("運用手順「%(label)s」（%(cycle)s）を実施した記録がありません。", facts)
    return Message("運用手順「%(label)s」（%(cycle)s）の期限が過ぎています（最終実施日 %(day)s）。", facts)


def _measures(rows: Sequence[MeasureState], **said: Any) -> Iterable[Finding]:
    return _findings(rows, "measure", lambda row: (row.kind, KIND_NAMES.get(row.kind, KIND_NAMES[""])), **said)


def _procedures(rows: Sequence[ProcedureState], **said: Any) -> Iterable[Finding]:
    return _findings(rows, "procedure", lambda row: (row.cycle, _cycle(row.cycle)), **said)


def _findings(
    rows: Sequence[Any],
    sheet: str,
    group_of: Any,
    *,
    code: str,
    single: Any,
    group: Any,
    step: Message,
    topic: str = OPERATION,
    severity: Severity = Severity.MUST,
    basis: Basis = Basis.GUIDELINE,
) -> Iterable[Finding]:
    """Yield one finding a row, or one per group with the count when there are more than ``SINGLE`` rows."""
    if len(rows) <= SINGLE:
        for row in rows:
            yield Finding(code, severity, topic, basis, Subject(sheet, str(row.of_id), _label(row)), single(row), step)
        return
    names: dict[str, Message] = {}
    groups: dict[str, list[str]] = {}
    for row in rows:
        key, names[key] = group_of(row)
        groups.setdefault(key, []).append(row.code)
    for key, codes in sorted(groups.items()):
        name = names[key]
        facts: Mapping[str, Any] = {"group": name, "count": len(codes), "example": min(codes)}
        yield Finding(code, severity, topic, basis, Subject(sheet, f"group:{key}", name.msgid), group(facts), step)


def _label(row: Any) -> str:
    name = row.title if isinstance(row, RiskState) else row.name
    return f"{row.code} {name}"


def _cycle(value: str) -> Message:
    return CYCLE_NAMES.get(value, CYCLE_NAMES[""])


def assessment(context: CheckContext) -> Result:
    """Article 42 of the model text: every risk was assessed within the regulation's months."""
    limit = context.provisions[ASSESSMENT_MONTHS]
    rows = list(queries.all_risks(organization=context.organization, day=context.day).values())
    if not rows:
        return Result(Operated.NOT_STARTED, (Message("リスクの登録がありません。"),))
    old = [row for row in rows if not _assessed(row, context.day, limit.value)]
    days = [row.assessed_on for row in rows if row.assessed_on and row.assessed_on <= context.day]
    facts = [
        Message(
            "リスク%(all)s件中%(ok)s件を%(months)sか月以内に評価",
            {"all": len(rows), "ok": len(rows) - len(old), "months": limit.value},
        )
    ]
    if days:
        facts.append(Message("最後の評価 %(day)s", {"day": max(days)}))
    findings = _findings(
        old,
        "risk",
        lambda _row: ("assessment", Message("リスクアセスメント")),
        code="risks.unassessed",
        topic=ASSESSMENT,
        basis=limit.basis,
        single=lambda row: Message(
            "リスク「%(label)s」を%(months)sか月以内に評価した記録がありません。",
            {"label": _label(row), "months": limit.value},
        ),
        group=lambda facts: Message(
            "リスク%(count)s件（%(example)sなど）を%(months)sか月以内に評価した記録がありません。",
            {**facts, "months": limit.value},
        ),
        step=Message("リスクアセスメントを行い、シート「リスク」の「評価日」を記入してください。"),
    )
    state = Operated.YES if not old else Operated.PARTIAL if len(old) < len(rows) else Operated.NO
    return Result(state, tuple(facts), tuple(findings))


def _assessed(row: RiskState, day: dt.date, months: int) -> bool:
    return row.assessed_on is not None and row.assessed_on <= day and add_months(row.assessed_on, months) >= day


registry.register(
    Check(
        code="risks.operation",
        topic=OPERATION,
        method=Method(
            facts=Message("採用した対策ごとの運用要否、運用手順、手順の担当する役割と周期、最終実施日"),
            threshold=Message(
                "採用した対策の運用要否がすべて決まり、要のものには手順書、担当、周期のある運用手順があり、最終実施日から周期と猶予（毎日6日、週3日、月7日、四半期14日、半年と年30日）を過ぎていないこと"
            ),
            basis=Basis.REGULATION,
        ),
        run=operation,
    )
)
registry.register(
    Check(
        code="risks.assessment",
        topic=ASSESSMENT,
        method=Method(
            facts=Message("リスクごとの評価日"),
            threshold=Message("すべてのリスクを規程の月数以内に評価していること"),
            basis=Basis.REGULATION,
            provisions=(ASSESSMENT_MONTHS,),
        ),
        run=assessment,
    )
)
