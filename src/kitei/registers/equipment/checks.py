"""Operating checks of the equipment room: rows エ-1 and エ-2 of the seed page, and support that ends (japan.md §3 art. 33)."""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping
from typing import Any

from django.db.models import Q

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
from kitei.foundation.text import Message
from kitei.registers.equipment import queries
from kitei.registers.equipment.gaps import Gap, Labels, Tally, tally

MONTHS_A, MONTHS_B = "equipment.confirm-months-a", "equipment.confirm-months-b"
SUPPORT_DAYS = "equipment.support-warn-days"
RESPONSIBILITY, LOCATION, VULNERABILITY = "equipment.responsibility", "equipment.location", "equipment.vulnerability"

registry.recommend(
    Provision(MONTHS_A, 6, "か月"),
    Provision(MONTHS_B, 12, "か月"),
    Provision(SUPPORT_DAYS, 180, "日"),
)

_KEPT = ~Q(state="disposed")
_EMPTY = Message("機器の登録がありません。")


def _labels(context: CheckContext) -> Labels:
    kinds = queries.kind_states(organization=context.organization, day=context.day)
    return Labels(
        kinds={key: (row.code, row.name) for key, row in kinds.items()},
        institutions=queries.institution_labels(organization=context.organization, day=context.day),
    )


def _responsibility_gaps(day: dt.date) -> tuple[Gap, ...]:
    undecided = queries.UNDECIDED
    return (
        Gap(
            code="equipment.no-responsible",
            topic=RESPONSIBILITY,
            severity=Severity.MUST,
            basis=Basis.GUIDELINE,
            when=_KEPT & Q(responsible__in=undecided),
            single=lambda row: Message("機器「%(label)s」の管理責任が決まっていません。", {"label": row["label"]}),
            group=lambda group: Message(
                "「%(group)s」の機器%(count)s台（%(example)sなど）の管理責任が決まっていません。", group
            ),
            next_step=Message("シート「機器」の「管理責任」に、当社、医療機関等、委託先のどれかを記入してください。"),
        ),
        Gap(
            code="equipment.no-vulnerability-responsible",
            topic=RESPONSIBILITY,
            severity=Severity.MUST,
            basis=Basis.GUIDELINE,
            when=_KEPT & Q(vulnerability__in=undecided),
            single=lambda row: Message(
                "機器「%(label)s」の脆弱性管理の責任が決まっていません。", {"label": row["label"]}
            ),
            group=lambda group: Message(
                "「%(group)s」の機器%(count)s台（%(example)sなど）の脆弱性管理の責任が決まっていません。", group
            ),
            next_step=Message(
                "シート「機器」の「脆弱性管理の責任」に、当社、医療機関等、委託先のどれかを記入してください。"
            ),
        ),
        Gap(
            code="equipment.not-agreed",
            topic=RESPONSIBILITY,
            severity=Severity.MUST,
            basis=Basis.GUIDELINE,
            when=_KEPT
            & Q(placement="institution")
            & (Q(clause="", agreement__isnull=True) | Q(agreed_on__isnull=True) | Q(agreed_on__gt=day)),
            single=lambda row: Message(
                "医療機関等に設置した機器「%(label)s」について、責任の所在を合意した文書又は条と、合意日の記録がそろっていません。",
                {"label": row["label"]},
            ),
            group=lambda group: Message(
                "「%(group)s」に設置した機器%(count)s台（%(example)sなど）について、責任の所在を合意した文書又は条と、合意日の記録がそろっていません。",
                group,
            ),
            next_step=Message(
                "医療機関等と合意し、シート「機器」の「合意文書の条」又は「合意文書の文書番号」と「合意日」を記入してください。"
            ),
        ),
        Gap(
            code="equipment.no-erasure-certificate",
            topic=RESPONSIBILITY,
            severity=Severity.SHOULD,
            basis=Basis.RECOMMENDATION,
            when=Q(state="disposed", medical_data=True, erasure_certificate=""),
            single=lambda row: Message(
                "医療情報を保存していた廃棄済の機器「%(label)s」に、消去証明書番号がありません。",
                {"label": row["label"]},
            ),
            group=lambda group: Message(
                "「%(group)s」の、医療情報を保存していた廃棄済の機器%(count)s台（%(example)sなど）に、消去証明書番号がありません。",
                group,
            ),
            next_step=Message("消去の証明書を受け取り、シート「機器」の「消去証明書番号」を記入してください。"),
        ),
    )


def responsibility(context: CheckContext) -> Result:
    """エ-1: who answers for every device, vulnerabilities included, agreed with institutions; every kind names its 管理方法."""
    day = context.day
    gaps = _responsibility_gaps(day)
    decided = _KEPT & ~Q(responsible__in=queries.UNDECIDED) & ~Q(vulnerability__in=queries.UNDECIDED)
    placed = _KEPT & Q(placement="institution")
    agreed = Q(agreed_on__lte=day) & (~Q(clause="") | Q(agreement__isnull=False))
    sums = tally(
        queries.ledger(organization=context.organization, day=day),
        gaps=gaps,
        counts={
            "kept": _KEPT,
            "decided": decided,
            "placed": placed,
            "agreed": placed & agreed,
            "fine": decided & (~Q(placement="institution") | agreed),
        },
        labels=lambda: _labels(context),
    )
    kinds = queries.kind_states(organization=context.organization, day=day)
    unmanaged = [row for row in kinds.values() if not row.management.strip()]
    findings = [*sums.findings, *(_no_management(row) for row in unmanaged)]
    if not sums.counts["kept"]:
        return Result(Operated.NOT_STARTED, (_EMPTY,), tuple(findings))
    counts = sums.counts
    facts = [
        Message(
            "%(all)s台中%(ok)s台の管理責任と脆弱性管理の責任が決まっている",
            {"all": counts["kept"], "ok": counts["decided"]},
        ),
        Message(
            "機器区分%(all)s件中%(ok)s件に管理方法の記載がある", {"all": len(kinds), "ok": len(kinds) - len(unmanaged)}
        ),
    ]
    if counts["placed"]:
        facts.insert(
            1,
            Message(
                "医療機関等に設置した%(all)s台中%(ok)s台について合意の記録がある",
                {"all": counts["placed"], "ok": counts["agreed"]},
            ),
        )
    return Result(_state(counts["fine"], findings), tuple(facts), tuple(findings))


def _no_management(row: Any) -> Finding:
    return Finding(
        "equipment.kind-without-management",
        Severity.MUST,
        RESPONSIBILITY,
        Basis.GUIDELINE,
        Subject("equipment-kind", str(row.of_id), f"{row.code} {row.name}"),
        Message("機器区分「%(name)s」に管理方法の記載がありません。", {"name": row.name}),
        Message("シート「機器区分」の「管理方法」に、登録、変更、点検、廃棄の方法を記入してください。"),
    )


def _unconfirmed(row: Mapping[str, Any]) -> Message:
    if row["confirmed_on"]:
        return Message(
            "機器「%(label)s」の所在を期限内に確認できていません（最終所在確認日 %(day)s）。",
            {"label": row["label"], "day": row["confirmed_on"]},
        )
    return Message("機器「%(label)s」の所在を一度も確認していません。", {"label": row["label"]})


def _location_gaps(basis: Basis) -> tuple[Gap, ...]:
    return (
        Gap(
            code="equipment.unconfirmed",
            topic=LOCATION,
            severity=Severity.MUST,
            basis=basis,
            when=_KEPT & Q(located=False) & ~Q(confirmed_result="missing"),
            single=_unconfirmed,
            group=lambda group: Message(
                "「%(group)s」の機器%(count)s台（%(example)sなど）の所在を期限内に確認できていません。", group
            ),
            next_step=Message("所在を確認し、シート「機器」に最終所在確認日、確認方法、確認結果を記入してください。"),
        ),
        Gap(
            code="equipment.missing",
            topic=LOCATION,
            severity=Severity.MUST,
            basis=Basis.GUIDELINE,
            when=_KEPT & Q(confirmed_result="missing"),
            single=lambda row: Message("機器「%(label)s」は所在不明です。", {"label": row["label"]}),
            group=lambda group: Message("「%(group)s」の機器%(count)s台（%(example)sなど）が所在不明です。", group),
            next_step=Message(
                "探して結果を記録してください。見つからないときは、紛失として管理責任者に報告してください。"
            ),
        ),
        Gap(
            code="equipment.moved",
            topic=LOCATION,
            severity=Severity.SHOULD,
            basis=Basis.RECOMMENDATION,
            when=_KEPT & Q(located=True, confirmed_result="moved"),
            single=lambda row: Message(
                "機器「%(label)s」は台帳と違う場所にあります（場所相違）。", {"label": row["label"]}
            ),
            group=lambda group: Message(
                "「%(group)s」の機器%(count)s台（%(example)sなど）が台帳と違う場所にあります（場所相違）。", group
            ),
            next_step=Message("移した理由を確かめ、シート「機器」の設置先区分と設置場所を直してください。"),
        ),
    )


def location(context: CheckContext) -> Result:
    """エ-2: every device that was not disposed of was located within the months of its tier."""
    months_a, months_b = context.provisions[MONTHS_A], context.provisions[MONTHS_B]
    # One finding speaks of both tiers, so it rests on the regulation only when the regulation states both.
    basis = months_a.basis if months_a.basis is months_b.basis else Basis.RECOMMENDATION
    rows = queries.with_located(
        queries.ledger(organization=context.organization, day=context.day),
        organization=context.organization,
        day=context.day,
        months_a=months_a.value,
        months_b=months_b.value,
    )
    sums = tally(
        rows,
        gaps=_location_gaps(basis),
        counts={
            "kept": _KEPT,
            "located": _KEPT & Q(located=True),
            "kept_a": _KEPT & Q(important=True),
            "located_a": _KEPT & Q(important=True, located=True),
        },
        labels=lambda: _labels(context),
    )
    counts = sums.counts
    if not counts["kept"]:
        return Result(Operated.NOT_STARTED, (_EMPTY,), ())
    facts = [Message("%(all)s台中%(ok)s台の所在を確認", {"all": counts["kept"], "ok": counts["located"]})]
    for name, months, kept, found in (
        ("A", months_a.value, counts["kept_a"], counts["located_a"]),
        ("B", months_b.value, counts["kept"] - counts["kept_a"], counts["located"] - counts["located_a"]),
    ):
        if kept:
            facts.append(
                Message(
                    "区分%(tier)s（%(months)sか月以内）%(all)s台中%(ok)s台",
                    {"tier": name, "months": months, "all": kept, "ok": found},
                )
            )
    facts.extend(_result_facts(sums))
    return Result(_state(counts["located"], sums.findings), tuple(facts), sums.findings)


def _result_facts(sums: Tally) -> list[Message]:
    facts = []
    if sums.gaps["equipment.missing"]:
        facts.append(Message("所在不明 %(count)s台", {"count": sums.gaps["equipment.missing"]}))
    if sums.gaps["equipment.moved"]:
        facts.append(Message("場所相違 %(count)s台", {"count": sums.gaps["equipment.moved"]}))
    return facts


def _support_gaps(day: dt.date, warn: Provision) -> tuple[Gap, ...]:
    used = Q(state__in=("in-use", "spare", "repair"))
    return (
        Gap(
            code="equipment.support-ended",
            topic=VULNERABILITY,
            severity=Severity.SHOULD,
            basis=Basis.RECOMMENDATION,
            when=used & Q(support_until__lt=day),
            single=lambda row: Message(
                "機器「%(label)s」のサポートは%(day)sに終わりました。",
                {"label": row["label"], "day": row["support_until"]},
            ),
            group=lambda group: Message(
                "「%(group)s」の機器%(count)s台（%(example)sなど）のサポートが終わっています。", group
            ),
            next_step=Message("更新するか、使い続ける理由とほかの対策を記録してください。"),
        ),
        Gap(
            code="equipment.support-ending",
            topic=VULNERABILITY,
            severity=Severity.SHOULD,
            basis=warn.basis,
            when=used & Q(support_until__gte=day, support_until__lte=day + dt.timedelta(days=warn.value)),
            single=lambda row: Message(
                "機器「%(label)s」のサポートが%(day)sに終わります。",
                {"label": row["label"], "day": row["support_until"]},
            ),
            group=lambda group: Message(
                "「%(group)s」の機器%(count)s台（%(example)sなど）のサポートが間もなく終わります。", group
            ),
            next_step=Message("サポートが終わる前に更新の予定を決めてください。"),
        ),
    )


def vulnerability(context: CheckContext) -> Result:
    """Article 33 of the model text: no device in use runs on support that has ended."""
    warn = context.provisions[SUPPORT_DAYS]
    used = Q(state__in=("in-use", "spare", "repair"))
    sums = tally(
        queries.ledger(organization=context.organization, day=context.day),
        gaps=_support_gaps(context.day, warn),
        counts={
            "used": used,
            "unknown": used & Q(support_until__isnull=True),
            "ended": used & Q(support_until__lt=context.day),
        },
        labels=lambda: _labels(context),
    )
    counts = sums.counts
    if not counts["used"]:
        return Result(Operated.NOT_STARTED, (_EMPTY,), ())
    known = counts["used"] - counts["unknown"]
    facts = (
        Message("%(all)s台中%(ok)s台のサポート終了日を記録", {"all": counts["used"], "ok": known}),
        Message("サポートが終わった機器 %(count)s台", {"count": counts["ended"]}),
    )
    if not known:
        return Result(Operated.NOT_STARTED, facts, sums.findings)
    state = Operated.YES if not counts["ended"] else Operated.PARTIAL if counts["ended"] < known else Operated.NO
    return Result(state, facts, sums.findings)


def _state(fine: int, findings: Any) -> Operated:
    if not any(finding.severity is Severity.MUST for finding in findings):
        return Operated.YES
    return Operated.PARTIAL if fine else Operated.NO


registry.register(
    Check(
        code="equipment.responsibility",
        topic=RESPONSIBILITY,
        method=Method(
            facts=Message(
                "廃棄していない機器ごとの管理責任と脆弱性管理の責任、医療機関等に設置した機器の合意の記録、機器区分ごとの管理方法"
            ),
            threshold=Message(
                "すべての機器で責任の所在が決まり、医療機関等に設置したものは合意の文書又は条と合意日があり、すべての機器区分に管理方法があること"
            ),
            basis=Basis.GUIDELINE,
        ),
        run=responsibility,
    )
)
registry.register(
    Check(
        code="equipment.location",
        topic=LOCATION,
        method=Method(
            facts=Message("廃棄していない機器ごとの最終所在確認日と確認結果"),
            threshold=Message(
                "すべての機器の所在を、区分A（医療情報を保存するもの、医療機関等に設置したものなど）と区分Bのそれぞれについて規程の月数以内に確認し、所在不明の機器がないこと"
            ),
            basis=Basis.REGULATION,
            provisions=(MONTHS_A, MONTHS_B),
        ),
        run=location,
    )
)
registry.register(
    Check(
        code="equipment.vulnerability",
        topic=VULNERABILITY,
        method=Method(
            facts=Message("稼働、予備、修理中の機器ごとのサポート終了日"),
            threshold=Message("サポートが終わった機器がないこと。終わる日が近い機器は、決めた日数の前から知らせます"),
            basis=Basis.RECOMMENDATION,
            provisions=(SUPPORT_DAYS,),
        ),
        run=vulnerability,
    )
)
