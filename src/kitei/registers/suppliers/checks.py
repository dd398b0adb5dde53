"""Operating check of the suppliers room: row イ-7 of the seed page (if the company sub-contracts)."""

from __future__ import annotations

from typing import Any

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
from kitei.foundation.dates.japanese import add_months, months_between
from kitei.foundation.text import Message
from kitei.registers.suppliers import queries
from kitei.registers.suppliers.columns import ANSWERABLE

ORGANISATION = "suppliers.organisation"

registry.recommend(Provision("suppliers.confirm-months", 12, "か月"))

_RECORD = Message("委託先に責任者と連絡先を確認し、シート「委託先の体制」に確認日を記録してください。")


def _organisation(context: CheckContext) -> Result:
    """イ-7: who answers at every sub-contractor and cloud is known and was confirmed in time.

    Of a cloud that gives no answer, published material will do; a sub-contractor has to be asked.
    """
    limit = context.provisions["suppliers.confirm-months"]
    everyone = queries.dealt_with(organization=context.organization, day=context.day).filter(category__in=ANSWERABLE)
    rows = queries.with_organisation(everyone, day=context.day, since=add_months(context.day, -limit.value))
    known = Q(asked=True) | Q(category="cloud", confirmed=True)
    lapsed = Q(contract_until__lt=context.day)
    counts = rows.aggregate(all=Count("id"), known=Count("id", filter=known), lapsed=Count("id", filter=lapsed))
    if not counts["all"]:
        return Result(Operated.NOT_STARTED, (Message("再委託先・クラウドの登録がありません。"),))
    doubtful = (
        ~known
        | lapsed
        | Q(certification_until__lt=context.day)
        | Q(onward="unknown")
        | Q(onward="")
        | Q(onward="some", has_onward=False)
    )
    findings: list[Finding] = []
    for row in rows.filter(doubtful).order_by("code"):
        findings.extend(_gaps(context, row, limit))
    fact = Message(
        "%(all)s社中%(known)s社の体制を%(months)sか月以内に確認",
        {"all": counts["all"], "known": counts["known"], "months": limit.value},
    )
    whole = counts["known"] == counts["all"] and not counts["lapsed"]
    state = Operated.YES if whole else Operated.PARTIAL if counts["known"] else Operated.NO
    return Result(state, (fact,), tuple(findings))


def _gaps(context: CheckContext, row: Any, limit: Provision) -> list[Finding]:
    """Return the findings on one supplier; ``row`` carries the annotations of ``queries.with_organisation``."""
    subject = Subject("supplier", str(row.of_id), f"{row.code} {row.name}")
    found: list[Finding] = []

    def add(
        code: str, message: Message, step: Message, severity: Severity = Severity.MUST, basis: Basis = Basis.GUIDELINE
    ) -> None:
        found.append(Finding(code, severity, ORGANISATION, basis, subject, message, step))

    names = {"name": row.name}
    if not row.recorded:
        add("suppliers.no-organisation", Message("「%(name)s」の責任者と連絡先が登録されていません。", names), _RECORD)
    elif not row.complete:
        add(
            "suppliers.incomplete-organisation",
            Message("「%(name)s」の体制に、責任者か連絡先が欠けています。", names),
            Message("シート「委託先の体制」の責任者と連絡先を両方記入してください。"),
        )
    elif not row.confirmed:
        add("suppliers.unconfirmed-organisation", _unconfirmed(context, row, limit), _RECORD, basis=limit.basis)
    elif not row.asked and row.category != "cloud":
        add(
            "suppliers.published-only",
            Message("「%(name)s」の体制を公開資料だけで確認しています。", names),
            Message(
                "再委託先には、リンク、電話、書面、訪問のいずれかで直接確認し、シート「委託先の体制」に記録してください。"
            ),
        )
    if row.contract_until and row.contract_until < context.day:
        add(
            "suppliers.contract-expired",
            Message("「%(name)s」との契約は%(day)sに期限が切れました。", {**names, "day": row.contract_until}),
            Message("契約を更新してシート「委託先」の契約期限を直すか、取引終了日を記入してください。"),
        )
    if row.certification_until and row.certification_until < context.day:
        add(
            "suppliers.certification-expired",
            Message("「%(name)s」の認証は%(day)sに有効期限が切れました。", {**names, "day": row.certification_until}),
            Message("更新された認証を確認し、シート「委託先」に新しい有効期限を記入してください。"),
            Severity.SHOULD,
            Basis.RECOMMENDATION,
        )
    if row.onward in {"", "unknown"}:
        add(
            "suppliers.onward-unknown",
            Message("「%(name)s」がさらに再委託しているか、確認していません。", names),
            Message("委託先に確認し、シート「委託先」の「再々委託」に「なし」か「あり」を記入してください。"),
            Severity.SHOULD,
        )
    elif row.onward == "some" and not row.has_onward:
        add(
            "suppliers.onward-unlisted",
            Message("「%(name)s」の再々委託先が登録されていません。", names),
            Message(
                "再々委託先をシート「委託先」に登録し、「委託元の委託先番号」に「%(code)s」を記入してください。",
                {"code": row.code},
            ),
            Severity.SHOULD,
        )
    return found


def _unconfirmed(context: CheckContext, row: Any, limit: Provision) -> Message:
    if row.confirmed_on is None:
        return Message("「%(name)s」の体制をまだ確認していません。", {"name": row.name})
    past = {"name": row.name, "past": months_between(row.confirmed_on, context.day), "months": limit.value}
    if limit.basis is Basis.REGULATION:
        return Message("「%(name)s」の体制を%(past)sか月以上確認していません（規程では%(months)sか月ごと）。", past)
    return Message("「%(name)s」の体制を%(past)sか月以上確認していません（推奨は%(months)sか月ごと）。", past)


registry.register(
    Check(
        code=ORGANISATION,
        topic=ORGANISATION,
        method=Method(
            facts=Message("取引中の再委託先・クラウドごとの、責任者と連絡先、確認日、確認方法、再々委託、契約期限"),
            threshold=Message(
                "どの委託先も責任者と連絡先を規程の月数以内に確認し、契約が期限内であること。公開資料での確認はクラウド利用に限る"
            ),
            basis=Basis.REGULATION,
            provisions=("suppliers.confirm-months",),
        ),
        run=_organisation,
    )
)
