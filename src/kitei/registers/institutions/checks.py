"""Operating checks of the institutions room: row ア-3 of the seed page, and what a service owes its institutions."""

from __future__ import annotations

from django.db.models import Count, Q

from kitei.engine.checks.model import (
    Basis,
    Check,
    CheckContext,
    Finding,
    Method,
    Operated,
    Result,
    Severity,
    Subject,
    registry,
)
from kitei.foundation.text import Message
from kitei.registers.documents import queries as documents
from kitei.registers.institutions import queries
from kitei.registers.institutions.columns import JAPAN
from kitei.registers.institutions.models import DataClassState, InstitutionState, ServiceState

DECEASED_DATA = "institutions.deceased-data"
JURISDICTION = "equipment.jurisdiction"
UPDATES = "institutions.role-sharing"
AGREEMENT = "institutions.risk-agreement"
WRITTEN = "disclosure.written"
PLAIN = "disclosure.plain"

NO_SERVICE = Message("提供中のサービスの登録がありません。")


def _deceased_data(context: CheckContext) -> Result:
    """ア-3: patient data includes the deceased with no fewer measures; leaving them out needs a reason."""
    rows = queries.patient_data(organization=context.organization, day=context.day)
    unreasoned = Q(includes_deceased="excluded", excluded_reason="")
    weaker = Q(includes_deceased="included", deceased_measures="different")
    unsaid = Q(measures="")
    counts = rows.aggregate(
        all=Count("id"),
        included=Count("id", filter=Q(includes_deceased="included", deceased_measures="same")),
        excused=Count("id", filter=Q(includes_deceased="excluded") & ~Q(excluded_reason="")),
        gaps=Count("id", filter=unreasoned | weaker),
    )
    if not counts["all"]:
        return Result(Operated.NOT_STARTED, (Message("患者の情報のデータ区分の登録がありません。"),))
    findings: list[Finding] = []
    for row in rows.filter(unreasoned | weaker | unsaid).order_by("code"):
        findings.extend(_deceased_gaps(row))
    facts = [
        Message(
            "患者の情報%(all)s区分のうち%(included)s区分が、死者の情報を同じ措置で含む",
            {"all": counts["all"], "included": counts["included"]},
        )
    ]
    if counts["excused"]:
        facts.append(Message("理由を示して死者の情報を含まない区分 %(count)s件", {"count": counts["excused"]}))
    good = counts["all"] - counts["gaps"]
    state = Operated.YES if not counts["gaps"] else Operated.PARTIAL if good else Operated.NO
    return Result(state, tuple(facts), tuple(findings))


def _deceased_gaps(row: DataClassState) -> list[Finding]:
    subject = Subject("data-class", str(row.of_id), f"{row.code} {row.name}")
    names = {"name": row.name}
    found: list[tuple[str, Severity, Message, Message]] = []
    if row.includes_deceased == "excluded" and not row.excluded_reason:
        found.append(
            (
                "institutions.deceased-excluded",
                Severity.MUST,
                Message("「%(name)s」は死者の情報を含まないとしていますが、理由がありません。", names),
                Message("シート「データ区分」に理由を記入するか、「含む」に直してください。"),
            )
        )
    if row.includes_deceased == "included" and row.deceased_measures == "different":
        found.append(
            (
                "institutions.deceased-measures-differ",
                Severity.MUST,
                Message("「%(name)s」の死者の情報に、生存者の情報と異なる措置をとっています。", names),
                Message("保存している間は同じ安全管理措置をとり、シート「データ区分」を「同じ」に直してください。"),
            )
        )
    if not row.measures:
        found.append(
            (
                "institutions.measures-unsaid",
                Severity.SHOULD,
                Message("「%(name)s」の安全管理措置が登録されていません。", names),
                Message("シート「データ区分」に安全管理措置を記入してください。"),
            )
        )
    return [
        Finding(code, severity, DECEASED_DATA, Basis.GUIDELINE, subject, message, step)
        for code, severity, message, step in found
    ]


def _service(row: ServiceState) -> Subject:
    return Subject("service", str(row.of_id), f"{row.code} {row.name}")


def _jurisdiction(context: CheckContext) -> Result:
    """Information is stored within the reach of Japanese law, or it is known that it is not."""
    rows = queries.provided(organization=context.organization, day=context.day)
    if not rows:
        return Result(Operated.NOT_STARTED, (NO_SERVICE,))
    findings = []
    for row in rows:
        if row.storage_country in JAPAN:
            continue
        names = {"name": row.name, "country": row.storage_country}
        if row.storage_country:
            code, message = (
                "institutions.stored-abroad",
                Message("「%(name)s」の情報を%(country)sに保存しています。", names),
            )
            step = Message("国内法の執行が及ぶ場所に移すか、医療機関等との合意と、リスク対応を記録してください。")
        else:
            code, message = "institutions.storage-unknown", Message("「%(name)s」の保存国が登録されていません。", names)
            step = Message("シート「サービス」に保存国を記入してください。")
        findings.append(Finding(code, Severity.SHOULD, JURISDICTION, Basis.GUIDELINE, _service(row), message, step))
    inside = len(rows) - len(findings)
    fact = Message("%(all)sサービスのうち%(inside)sサービスの情報を日本に保存", {"all": len(rows), "inside": inside})
    return Result(_share(inside, len(rows)), (fact,), tuple(findings))


def _updates(context: CheckContext) -> Result:
    """For every service it is settled, and agreed in the contract, who answers for security updates."""
    rows = queries.provided(organization=context.organization, day=context.day)
    if not rows:
        return Result(Operated.NOT_STARTED, (NO_SERVICE,))
    findings = []
    for row in rows:
        if not row.update_responsibility:
            code, message = (
                "institutions.update-responsibility-open",
                Message("「%(name)s」のセキュリティ更新の責任が決まっていません。", {"name": row.name}),
            )
            step = Message("医療機関等と責任を取り決め、シート「サービス」に記入してください。")
        elif not row.update_clause:
            code, message = (
                "institutions.update-clause-missing",
                Message(
                    "「%(name)s」のセキュリティ更新の責任を定めた契約の条が登録されていません。", {"name": row.name}
                ),
            )
            step = Message("契約の条を確かめ、シート「サービス」に記入してください。")
        else:
            continue
        findings.append(Finding(code, Severity.SHOULD, UPDATES, Basis.RECOMMENDATION, _service(row), message, step))
    settled = len(rows) - len(findings)
    fact = Message(
        "%(all)sサービスのうち%(settled)sサービスのセキュリティ更新責任を契約の条で定めている",
        {"all": len(rows), "settled": settled},
    )
    return Result(_share(settled, len(rows)), (fact,), tuple(findings))


def _agreement(context: CheckContext) -> Result:
    """Every institution under contract was shown the regulation and agreed."""
    rows = queries.under_contract(organization=context.organization, day=context.day)
    shown = Q(shown_on__lte=context.day) & ~Q(edition_shown="")
    agreed = shown & Q(agreed_on__lte=context.day)
    counts = rows.aggregate(all=Count("id"), shown=Count("id", filter=shown), agreed=Count("id", filter=agreed))
    if not counts["all"]:
        return Result(Operated.NOT_STARTED, (Message("契約中の医療機関の登録がありません。"),))
    findings = [_agreement_gap(context, row) for row in rows.exclude(agreed).order_by("code")]
    fact = Message("契約中の%(all)s医療機関のうち、規程を提示%(shown)s件、合意%(agreed)s件", counts)
    return Result(_share(counts["agreed"], counts["all"]), (fact,), tuple(findings))


def _agreement_gap(context: CheckContext, row: InstitutionState) -> Finding:
    names = {"name": row.name, "edition": row.edition_shown}
    if row.edition_shown and row.shown_on and row.shown_on <= context.day:
        code, message = (
            "institutions.not-agreed",
            Message("「%(name)s」に規程の%(edition)sを提示しましたが、合意の記録がありません。", names),
        )
        step = Message("合意を得て、シート「医療機関」に合意日を記入してください。")
    else:
        code, message = "institutions.not-shown", Message("「%(name)s」に規程を提示した記録がありません。", names)
        step = Message("規程を提示し、シート「医療機関」に提示した版と提示日を記入してください。")
    subject = Subject("institution", str(row.of_id), f"{row.code} {row.name}")
    return Finding(code, Severity.SHOULD, AGREEMENT, Basis.GUIDELINE, subject, message, step)


def _written(context: CheckContext) -> Result:
    """Every institution under contract was given the documents: the day is recorded."""
    rows = queries.under_contract(organization=context.organization, day=context.day)
    counts = rows.aggregate(all=Count("id"), shown=Count("id", filter=Q(shown_on__lte=context.day)))
    if not counts["all"]:
        return Result(Operated.NOT_STARTED, (Message("契約中の医療機関の登録がありません。"),))
    fact = Message("契約中の%(all)s医療機関のうち%(shown)s件に文書を提示", counts)
    return Result(_share(counts["shown"], counts["all"]), (fact,))


def _plain(context: CheckContext) -> Result:
    """A disclosure document made for institutions is in force."""
    found = documents.in_force(organization=context.organization, day=context.day, kind="disclosure")
    if not found:
        return Result(Operated.NOT_STARTED, (Message("施行中の開示文書の登録がありません。"),))
    unnamed = documents.unnamed(organization=context.organization, rows=found)
    return Result(
        Operated.YES,
        tuple(
            Message("名称を表示しない開示文書")
            if row.of_id in unnamed
            else Message("開示文書「%(title)s」%(version)s", {"title": row.title, "version": row.version})
            for row in found[:3]
        ),
    )


def _share(good: int, total: int) -> Operated:
    return Operated.YES if good == total else Operated.PARTIAL if good else Operated.NO


registry.register(
    Check(
        code=DECEASED_DATA,
        topic=DECEASED_DATA,
        method=Method(
            facts=Message("患者の情報のデータ区分ごとの、死者の情報を含むか、その措置、含まない理由"),
            threshold=Message("どの区分も死者の情報を同じ措置で含むこと。含まないときは理由があること"),
            basis=Basis.GUIDELINE,
        ),
        run=_deceased_data,
    )
)
registry.register(
    Check(
        code=JURISDICTION,
        topic=JURISDICTION,
        method=Method(
            facts=Message("提供中のサービスごとの保存国"),
            threshold=Message("どのサービスも日本に保存していること"),
            basis=Basis.GUIDELINE,
        ),
        run=_jurisdiction,
    )
)
registry.register(
    Check(
        code=UPDATES,
        topic=UPDATES,
        method=Method(
            facts=Message("提供中のサービスごとのセキュリティ更新責任と契約の条"),
            threshold=Message("どのサービスも責任を負う者と契約の条が決まっていること"),
            basis=Basis.RECOMMENDATION,
        ),
        run=_updates,
    )
)
registry.register(
    Check(
        code=AGREEMENT,
        topic=AGREEMENT,
        method=Method(
            facts=Message("契約中の医療機関ごとの、提示した規程の版、提示日、合意日"),
            threshold=Message("どの医療機関にも規程を提示し、合意を得ていること"),
            basis=Basis.GUIDELINE,
        ),
        run=_agreement,
    )
)
registry.register(
    Check(
        code=WRITTEN,
        topic=WRITTEN,
        method=Method(
            facts=Message("契約中の医療機関ごとの、文書を提示した日"),
            threshold=Message("どの医療機関にも提示していること"),
            basis=Basis.GUIDELINE,
        ),
        run=_written,
    )
)
registry.register(
    Check(
        code=PLAIN,
        topic=PLAIN,
        method=Method(
            facts=Message("施行中の開示文書"),
            threshold=Message("1つ以上あること。分かりやすさはKiteiでは判定しません"),
            basis=Basis.RECOMMENDATION,
        ),
        run=_plain,
    )
)
