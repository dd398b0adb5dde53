"""The risks room: measures that are decided, have procedures and are operated in their cycle; annex 13."""

from __future__ import annotations

import datetime as dt

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from kitei.engine.checks.model import Basis, CheckContext, Operated, Provision, Severity, registry
from kitei.foundation import clock
from kitei.foundation.sheets.table import Nature, Rendering
from kitei.foundation.ui import lists
from kitei.registers.documents.models import Document
from kitei.registers.risks import annexes, operations, queries
from kitei.registers.risks.checks import CYCLE_NAMES, KIND_NAMES, PERIODS
from kitei.registers.risks.columns import CYCLES, MEASURE_KINDS, THREATS
from kitei.registers.risks.models import MeasureState
from kitei.trust.access import rule
from kitei.trust.auditlog.models import Event

DAY = dt.date(2026, 11, 22)


@pytest.fixture
def tester(sakura):
    return rule.Actor(kind="cli", id="tester", organization=sakura)


@pytest.fixture
def manual(sakura):
    return Document.objects.create(organization=sakura, code="DOC-07")


def put_procedures(tester, rows):
    return operations.procedures.put(actor=tester, organization=tester.organization, rows=rows)


def put_measures(tester, rows):
    return operations.measures.put(actor=tester, organization=tester.organization, rows=rows)


def put_risks(tester, rows, **options):
    return operations.risks.put(actor=tester, organization=tester.organization, rows=rows, **options)


def procedure(**values):
    return {
        "name": "アカウント棚卸手順",
        "document": "DOC-07",
        "version": "第2版",
        "owner_role": "system-administrator",
        "cycle": "monthly",
        "last_done_on": dt.date(2026, 11, 5),
        **values,
    }


def measure(**values):
    return {
        "name": "アカウントの棚卸",
        "kind": "operational",
        "risks": ("R-01",),
        "adopted": "adopted",
        "operation_needed": "needed",
        "procedures": ("P-01",),
        "article": "第38条",
        **values,
    }


def risk(**values):
    return {
        "title": "退職者のアカウントによる閲覧",
        "threat": "misuse",
        "impact": 4,
        "likelihood": 3,
        "level": "A",
        "response": "reduce",
        "assessed_on": dt.date(2026, 6, 1),
        **values,
    }


def run(code, organization, day=DAY, **provisions):
    return registry.checks[code].run(CheckContext(organization, day, {**registry.defaults, **provisions}))


def codes(result):
    return sorted(finding.code for finding in result.findings)


# Writing


def test_put_keeps_lists_of_codes_and_appends_events(tester, manual):
    put_procedures(tester, {"P-01": procedure()})
    touched = put_measures(tester, {"M-01": measure(risks=("R-01", "R-02"))})
    assert MeasureState.objects.get().risks == ["R-01", "R-02"]
    assert Event.objects.get(name="measure:put").object_id == str(touched["M-01"])
    assert operations.measures.existing(organization=tester.organization, keys=None)["M-01"]["risks"] == (
        "R-01",
        "R-02",
    )


def test_a_member_without_an_office_may_read_but_not_write(tester, sakura):
    put_risks(tester, {"R-01": risk()})
    sato = rule.Actor(kind="member", id="sato", organization=sakura)
    for register in (operations.risks, operations.measures, operations.procedures):
        with pytest.raises(rule.Refused):
            register.put(actor=sato, organization=sakura, rows={"X-01": {}})
    assert queries.risks(actor=sato, day=DAY).get().code == "R-01"


def test_another_company_sees_and_counts_nothing(tester, tsubaki):
    put_measures(tester, {"M-01": measure(operation_needed="")})
    put_risks(tester, {"R-01": risk()})
    stranger = rule.Actor(kind="cli", id="tester", organization=tsubaki)
    assert not queries.measures(actor=stranger, day=DAY).exists()
    assert run("risks.operation", tsubaki).state is Operated.NOT_STARTED
    assert run("risks.assessment", tsubaki).state is Operated.NOT_STARTED


def test_the_eleven_representative_threats_can_be_chosen():
    assert len(THREATS) == 12
    assert THREATS[-1].value == "other"


def test_findings_call_cycles_and_kinds_what_the_sheets_call_them():
    for choices, names in ((CYCLES, CYCLE_NAMES), (MEASURE_KINDS, KIND_NAMES)):
        assert {choice.value: choice.ja for choice in choices} == {
            key: name.msgid for key, name in names.items() if key
        }


# オ


def test_operation_holds_when_every_measure_is_decided_and_done(tester, sakura, manual):
    put_procedures(tester, {"P-01": procedure()})
    put_measures(
        tester,
        {
            "M-01": measure(),
            "M-02": measure(operation_needed="not-needed", reason="設計で組み込み済みのため。", procedures=()),
            "M-03": measure(adopted="rejected", operation_needed="", procedures=()),
        },
    )
    result = run("risks.operation", sakura)
    assert (result.state, result.findings) == (Operated.YES, ())
    assert [str(fact) for fact in result.facts] == [
        "採用した対策2件中2件の運用要否を決定",
        "運用が要る対策1件中1件に運用手順",
        "使っている運用手順1件中1件を周期どおりに実施",
    ]


def test_each_gap_of_operation_is_found(tester, sakura, manual):
    put_procedures(
        tester,
        {
            "P-01": procedure(),
            "P-02": procedure(document="", owner_role="", name="復元試験手順"),
            "P-03": procedure(last_done_on=None),
            "P-99": procedure(document="", last_done_on=None),  # no measure needs it
        },
    )
    touched = put_measures(
        tester,
        {
            "M-01": measure(),
            "M-02": measure(operation_needed="undecided"),
            "M-03": measure(operation_needed="", procedures=()),
            "M-04": measure(procedures=()),
            "M-05": measure(procedures=("P-01", "P-77")),
            "M-06": measure(operation_needed="not-needed", procedures=(), reason=" "),
            "M-07": measure(procedures=("P-02",)),
            "M-08": measure(procedures=("P-03",)),
        },
    )
    result = run("risks.operation", sakura)
    assert result.state is Operated.PARTIAL
    found = {(finding.code, finding.subject.label.split()[0]): finding for finding in result.findings}
    assert set(found) == {
        ("risks.undecided", "M-02"),
        ("risks.undecided", "M-03"),
        ("risks.no-procedure", "M-04"),
        ("risks.unknown-procedure", "M-05"),
        ("risks.no-reason", "M-06"),
        ("risks.procedure-incomplete", "P-02"),
        ("risks.procedure-overdue", "P-03"),
    }
    assert found["risks.no-procedure", "M-04"].subject.id == str(touched["M-04"])
    assert found["risks.no-reason", "M-06"].severity is Severity.SHOULD
    lacking = str(found["risks.procedure-incomplete", "P-02"].message)
    assert lacking == "運用手順「P-02 復元試験手順」に、次の欄の記入がありません：手順書の文書番号、担当する役割。"


def test_a_procedure_that_began_later_is_no_procedure_before(tester, sakura, manual):
    put_measures(tester, {"M-01": measure()})
    with clock.at(DAY + dt.timedelta(days=3)):
        put_procedures(tester, {"P-01": procedure()})
    assert codes(run("risks.operation", sakura)) == ["risks.no-procedure"]
    assert codes(run("risks.operation", sakura, day=DAY + dt.timedelta(days=3))) == []


def test_nothing_in_order_means_not_operated(tester, sakura):
    put_measures(tester, {"M-01": measure(operation_needed=""), "M-02": measure()})
    assert run("risks.operation", sakura).state is Operated.NO


def test_measures_under_consideration_are_not_a_beginning(tester, sakura):
    put_measures(tester, {"M-01": measure(adopted="considered")})
    assert run("risks.operation", sakura).state is Operated.NOT_STARTED


@pytest.mark.parametrize("cycle", sorted(PERIODS))
def test_a_procedure_is_in_time_until_cycle_and_grace_have_passed(tester, sakura, manual, cycle):
    last = DAY - dt.timedelta(days=sum(PERIODS[cycle]))
    put_procedures(tester, {"P-01": procedure(cycle=cycle, last_done_on=last)})
    put_measures(tester, {"M-01": measure()})
    assert codes(run("risks.operation", sakura)) == []
    late = run("risks.operation", sakura, day=DAY + dt.timedelta(days=1))
    assert codes(late) == ["risks.procedure-overdue"]
    assert late.findings[0].basis is Basis.REGULATION


def test_what_is_done_as_needed_is_never_late(tester, sakura, manual):
    assert {choice.value for choice in CYCLES} - {"as-needed"} == set(PERIODS)
    put_procedures(tester, {"P-01": procedure(cycle="as-needed", last_done_on=None)})
    put_measures(tester, {"M-01": measure()})
    assert codes(run("risks.operation", sakura)) == []


def test_twenty_measures_are_named_and_twenty_one_are_counted(tester, sakura):
    put_measures(tester, {f"M-{number:02}": measure(operation_needed="") for number in range(20)})
    assert len(run("risks.operation", sakura).findings) == 20
    put_measures(tester, {"M-20": measure(operation_needed="", kind="physical")})
    result = run("risks.operation", sakura)
    assert [finding.subject.label for finding in result.findings] == ["運用", "物理"]
    assert len({finding.key for finding in result.findings}) == 2
    assert str(result.findings[0].message) == "採用した「運用」の対策20件（M-00など）の運用要否が決まっていません。"


@pytest.mark.parametrize("code", ["risks.operation", "risks.assessment"])
def test_a_check_asks_as_many_questions_of_200_rows_as_of_10(tester, sakura, manual, code):
    def asked(count):
        put_procedures(tester, {f"P-{number:03}": procedure(last_done_on=None) for number in range(count)})
        put_measures(tester, {f"M-{number:03}": measure(procedures=(f"P-{number:03}",)) for number in range(count)})
        put_risks(tester, {f"R-{number:03}": risk(assessed_on=None) for number in range(count)})
        with CaptureQueriesContext(connection) as captured:
            run(code, sakura)
        return len(captured)

    ten = asked(10)
    assert ten <= 2
    assert asked(200) == ten


# Assessment


def test_an_assessment_counts_until_its_last_day(tester, sakura):
    put_risks(tester, {"R-01": risk(assessed_on=dt.date(2025, 11, 22))}, day=dt.date(2026, 1, 1))
    assert run("risks.assessment", sakura).state is Operated.YES
    late = run("risks.assessment", sakura, day=DAY + dt.timedelta(days=1))
    assert (late.state, codes(late)) == (Operated.NO, ["risks.unassessed"])
    assert late.findings[0].basis is Basis.RECOMMENDATION


def test_the_regulations_months_are_used(tester, sakura):
    put_risks(tester, {"R-01": risk(), "R-02": risk(assessed_on=None)})
    assert codes(run("risks.assessment", sakura)) == ["risks.unassessed"]
    stated = {"risks.assessment-months": Provision("risks.assessment-months", 3, "か月", "第36条")}
    result = run("risks.assessment", sakura, **stated)
    assert result.state is Operated.NO
    assert {finding.basis for finding in result.findings} == {Basis.REGULATION}


def test_a_whole_assessment_that_is_old_is_one_finding(tester, sakura):
    put_risks(tester, {f"R-{number:02}": risk(assessed_on=None) for number in range(21)})
    result = run("risks.assessment", sakura)
    assert [str(finding.message) for finding in result.findings] == [
        "リスク21件（R-00など）を12か月以内に評価した記録がありません。"
    ]


# List and annex


def test_lists_show_what_is_undecided(tester, manual, django_assert_num_queries):
    put_procedures(tester, {"P-01": procedure()})
    put_measures(tester, {"M-01": measure(), "M-02": measure(operation_needed="")})
    put_risks(tester, {"R-01": risk()})
    shown = {}
    for key in ("risk", "measure", "procedure"):
        page = lists.get(key)
        with django_assert_num_queries(1):
            rows = list(page.query(actor=tester, day=DAY).order_by("code"))
            shown[key] = [{column.key: column.cell(row) for column in page.columns} for row in rows]
    assert shown["risk"][0]["threat"] == "権限外の閲覧・操作"
    assert shown["measure"][0]["needed"] == "要"
    assert shown["measure"][1]["needed"].text == "未定"
    assert (shown["procedure"][0]["document"].text, shown["procedure"][0]["cycle"]) == ("DOC-07", "月1回")


@pytest.fixture
def planned(tester, manual):
    put_procedures(
        tester, {"P-01": procedure(), "P-02": procedure(cycle="yearly", last_done_on=None, version="", owner_role="")}
    )
    put_risks(tester, {"R-01": risk(), "R-02": risk(title="ランサムウェアによる停止", threat="ransomware", level="S")})
    put_measures(
        tester,
        {
            "M-01": measure(risks=("R-01", "R-02"), procedures=("P-01", "P-02")),
            "M-02": measure(
                name="通信の暗号化",
                operation_needed="not-needed",
                reason="設計による。",
                procedures=(),
                article="第40条",
            ),
            "M-03": measure(name="媒体の棚卸", procedures=("P-77",), article=""),
            "M-04": measure(adopted="rejected"),
        },
    )


def test_annex_13_leads_from_risk_to_procedure(sakura, planned):
    (table,) = annexes.measures(organization=sakura, day=DAY, rendering=Rendering.INTERNAL)
    assert [column.nature for column in table.columns] == [Nature.PROVISION] * 7 + [Nature.FACT]
    titles = "退職者のアカウントによる閲覧（A）"
    assert table.rows == (
        (
            "R-01、R-02",
            f"{titles}、ランサムウェアによる停止（S）",
            "M-01 アカウントの棚卸",
            "要",
            "第38条 P-01（第2版）",
            "月1回",
            "システム管理者",
            "令和8年11月5日",
        ),
        (
            "R-01、R-02",
            f"{titles}、ランサムウェアによる停止（S）",
            "M-01 アカウントの棚卸",
            "要",
            "第38条 P-02",
            "年1回",
            "記載なし",
            "実施なし",
        ),
        ("R-01", titles, "M-02 通信の暗号化", "不要", "第40条", "", "", ""),
        ("R-01", titles, "M-03 媒体の棚卸", "要", "手順なし", "", "", ""),
    )


def test_annex_13_for_disclosure_leaves_out_what_the_risks_are(sakura, planned):
    (table,) = annexes.measures(organization=sakura, day=DAY, rendering=Rendering.DISCLOSURE)
    everything = "\n".join(cell for row in table.rows for cell in row)
    assert "（S）" not in everything
    assert "ランサムウェア" not in everything
    assert table.rows[0][:2] == ("R-01、R-02", "M-01 アカウントの棚卸")
    assert all(len(row) == len(table.columns) for row in table.rows)


def test_annex_13_says_so_when_there_is_nothing(sakura):
    (table,) = annexes.measures(organization=sakura, day=DAY, rendering=Rendering.INTERNAL)
    assert (table.rows, table.empty) == ((), "該当なし")
