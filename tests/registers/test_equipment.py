"""The equipment room: writing, checks エ-1 and エ-2 at their limits, lists, annexes 9 and 10."""

from __future__ import annotations

import datetime as dt

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext
from hypothesis import given
from hypothesis import strategies as st

from kitei.engine.checks.model import Basis, CheckContext, Operated, Provision, Severity, registry
from kitei.foundation import clock
from kitei.foundation.dates.japanese import add_months
from kitei.foundation.sheets import spec
from kitei.foundation.sheets.table import Nature, Rendering
from kitei.foundation.ui import lists
from kitei.registers.equipment import annexes, operations, queries
from kitei.registers.equipment.models import EquipmentKind, EquipmentState
from kitei.registers.equipment.sheets import check_equipment
from kitei.registers.institutions.models import Institution, InstitutionState
from kitei.trust.access import rule
from kitei.trust.auditlog.models import Event

DAY = dt.date(2026, 11, 22)


@pytest.fixture
def tester(sakura):
    return rule.Actor(kind="cli", id="tester", organization=sakura)


@pytest.fixture
def hospitals(sakura):
    for code, name in (("H01", "みなと総合病院"), ("H02", "青葉クリニック")):
        made = Institution.objects.create(organization=sakura, code=code)
        InstitutionState.objects.create(
            organization=sakura,
            of=made,
            code=code,
            name=name,
            kind="hospital",
            valid_from=dt.date(2020, 1, 1),
            recorded_at=clock.now(),
        )


@pytest.fixture
def kinds(sakura, tester, hospitals):
    return operations.kinds.put(
        actor=tester,
        organization=sakura,
        day=dt.date(2020, 1, 1),
        rows={
            "SV": kind("サーバ", tier="A", vulnerability_method="月例更新で対応する。"),
            "GW": kind("医療機関設置ゲートウェイ", tier="B", vulnerability="supplier"),
            "PC": kind("保守用PC", tier="B"),
        },
    )


def kind(name, **values):
    return {
        "name": name,
        "management": "台帳に登録し、持出しは管理者の承認を得る。",
        "tier": "B",
        "responsible": "own",
        "vulnerability": "own",
        **values,
    }


def device(**values):
    return {
        "kind": "PC",
        "name": "保守用ノートPC",
        "placement": "own",
        "responsible": "own",
        "vulnerability": "own",
        "medical_data": False,
        "state": "in-use",
        "confirmed_on": dt.date(2026, 11, 1),
        "confirmed_how": "sight",
        "confirmed_result": "matched",
        **values,
    }


def at_hospital(**values):
    return device(
        **{
            "kind": "GW",
            "name": "ゲートウェイ",
            "placement": "institution",
            "institution": "H01",
            "clause": "第8条",
            "agreed_on": dt.date(2026, 4, 1),
            "serial": "SN-778899",
            **values,
        }
    )


def put(tester, rows, **options):
    return operations.equipment.put(actor=tester, organization=tester.organization, rows=rows, **options)


def run(code, organization, day=DAY, **provisions):
    stated = {**registry.defaults, **provisions}
    return registry.checks[code].run(CheckContext(organization, day, stated))


def codes(result):
    return sorted(finding.code for finding in result.findings)


# Writing


def test_put_writes_a_state_and_an_event_for_each_device(tester, kinds):
    touched = put(tester, {"PC-001": device(introduced_on=dt.date(2024, 4, 1)), "GW-001": at_hospital()})
    assert EquipmentState.objects.get(code="PC-001").valid_from == dt.date(2024, 4, 1)
    assert EquipmentState.objects.get(code="GW-001").institution.code == "H01"
    events = Event.objects.filter(name="equipment:put")
    assert {event.object_id for event in events} == {str(key) for key in touched.values()}


def test_a_changed_place_keeps_the_old_place_for_the_days_before(tester, kinds):
    put(tester, {"PC-001": device(place="本社3階")}, day=dt.date(2026, 10, 1))
    put(tester, {"PC-001": device(place="本社5階")})
    assert queries.equipment(actor=tester, day=dt.date(2026, 11, 21)).get().place == "本社3階"
    assert queries.equipment(actor=tester, day=DAY).get().place == "本社5階"


def test_what_existing_reads_can_be_put_again_without_a_difference(tester, sakura, kinds):
    put(tester, {"GW-001": at_hospital(support_until=dt.date(2028, 3, 31))})
    before = operations.equipment.existing(organization=sakura, keys=None)
    put(tester, before)
    assert operations.equipment.existing(organization=sakura, keys=None) == before
    assert before["GW-001"]["institution"] == "H01"


def test_a_member_without_an_office_may_list_but_not_write(tester, sakura, kinds):
    put(tester, {"PC-001": device()})
    sato = rule.Actor(kind="member", id="sato", organization=sakura)
    with pytest.raises(rule.Refused):
        put(sato, {"PC-002": device()})
    assert not EquipmentState.objects.filter(code="PC-002").exists()
    assert queries.equipment(actor=sato, day=DAY).count() == 1


def test_another_company_sees_and_counts_nothing(tester, tsubaki, kinds):
    put(tester, {"PC-001": device(responsible="")})
    stranger = rule.Actor(kind="cli", id="tester", organization=tsubaki)
    assert not queries.equipment(actor=stranger, day=DAY).exists()
    assert run("equipment.responsibility", tsubaki).state is Operated.NOT_STARTED
    with pytest.raises(rule.Refused):
        operations.equipment.put(actor=stranger, organization=tester.organization, rows={"PC-001": device()})


@pytest.mark.parametrize(
    ("values", "column"),
    [
        ({"placement": "institution", "institution": ""}, "institution"),
        ({"state": "disposed", "disposed_on": None}, "disposed_on"),
        ({"introduced_on": dt.date(2026, 5, 2), "disposed_on": dt.date(2026, 5, 1)}, "disposed_on"),
        ({"confirmed_result": "matched", "confirmed_on": None}, "confirmed_on"),
    ],
)
def test_a_row_that_contradicts_itself_names_the_column_to_mend(values, column):
    assert [problem.column for problem in check_equipment(device(**values))] == [column]


def test_a_sound_row_has_no_problem():
    assert list(check_equipment(device(introduced_on=DAY, disposed_on=DAY, state="disposed"))) == []
    assert list(check_equipment(at_hospital())) == []


def test_sheets_refer_only_to_sheets_before_them():
    for key in ("equipment-kind", "equipment", "procedure", "risk", "measure"):
        sheet = spec.get(key)
        for column in sheet.columns:
            if column.refers:
                assert spec.get(column.refers).order < sheet.order


# エ-1


def test_responsibility_is_not_started_without_devices(sakura):
    assert run("equipment.responsibility", sakura).state is Operated.NOT_STARTED
    assert run("equipment.location", sakura).state is Operated.NOT_STARTED
    assert run("equipment.vulnerability", sakura).state is Operated.NOT_STARTED


def test_responsibility_holds_when_everything_is_decided_and_agreed(tester, sakura, kinds):
    put(tester, {"PC-001": device(), "GW-001": at_hospital(agreed_on=DAY)})
    result = run("equipment.responsibility", sakura)
    assert (result.state, result.findings) == (Operated.YES, ())
    assert str(result.facts[0]) == "2台中2台の管理責任と脆弱性管理の責任が決まっている"
    assert str(result.facts[1]) == "医療機関等に設置した1台中1台について合意の記録がある"


def test_each_gap_of_responsibility_is_found_at_its_device(tester, sakura, kinds):
    touched = put(
        tester,
        {
            "PC-001": device(),
            "PC-002": device(responsible="undecided"),
            "PC-003": device(vulnerability=""),
            "GW-001": at_hospital(clause=""),
            "GW-002": at_hospital(agreed_on=None),
            "GW-003": at_hospital(agreed_on=DAY + dt.timedelta(days=1)),
            "PC-009": device(state="disposed", disposed_on=DAY, responsible="", medical_data=True),
        },
    )
    result = run("equipment.responsibility", sakura)
    assert result.state is Operated.PARTIAL
    found = {(finding.code, finding.subject.label.split()[0]) for finding in result.findings}
    assert found == {
        ("equipment.no-responsible", "PC-002"),
        ("equipment.no-vulnerability-responsible", "PC-003"),
        ("equipment.not-agreed", "GW-001"),
        ("equipment.not-agreed", "GW-002"),
        ("equipment.not-agreed", "GW-003"),
        ("equipment.no-erasure-certificate", "PC-009"),
    }
    undecided = next(finding for finding in result.findings if finding.code == "equipment.no-responsible")
    assert undecided.subject.id == str(touched["PC-002"])
    assert undecided.severity is Severity.MUST
    assert str(undecided.message) == "機器「PC-002 保守用ノートPC」の管理責任が決まっていません。"


def test_no_device_in_order_means_not_operated(tester, sakura, kinds):
    put(tester, {"PC-001": device(responsible="", vulnerability="")})
    assert run("equipment.responsibility", sakura).state is Operated.NO


def test_a_kind_that_does_not_say_how_it_is_managed_is_found(tester, sakura, kinds):
    operations.kinds.put(actor=tester, organization=sakura, rows={"PC": kind("保守用PC", management="  ")})
    put(tester, {"PC-001": device()})
    result = run("equipment.responsibility", sakura)
    assert codes(result) == ["equipment.kind-without-management"]
    assert result.findings[0].subject.label == "PC 保守用PC"
    assert result.state is Operated.PARTIAL


# エ-2


@pytest.mark.parametrize(
    ("values", "last_day"),
    [
        ({}, dt.date(2027, 2, 28)),  # B: 12 months after 28 February 2026
        ({"medical_data": True}, dt.date(2026, 8, 28)),
        ({"kind": "SV", "medical_data": None}, dt.date(2026, 8, 28)),  # the kind's tier
        ({"placement": "institution", "institution": "H01"}, dt.date(2026, 8, 28)),
    ],
)
def test_a_location_counts_until_the_last_day_of_its_interval(tester, sakura, kinds, values, last_day):
    put(tester, {"PC-001": device(confirmed_on=dt.date(2026, 2, 28), **values)}, day=dt.date(2026, 3, 1))
    assert "equipment.unconfirmed" not in codes(run("equipment.location", sakura, day=last_day))
    late = run("equipment.location", sakura, day=last_day + dt.timedelta(days=1))
    assert codes(late) == ["equipment.unconfirmed"]
    assert late.state is Operated.NO


def test_the_regulations_interval_is_used_and_is_the_basis(tester, sakura, kinds):
    put(tester, {"PC-001": device(confirmed_on=dt.date(2026, 8, 21)), "PC-002": device()})
    stated = {
        "equipment.confirm-months-a": Provision("equipment.confirm-months-a", 3, "か月", "第25条"),
        "equipment.confirm-months-b": Provision("equipment.confirm-months-b", 3, "か月", "第25条"),
    }
    result = run("equipment.location", sakura, **stated)
    assert codes(result) == ["equipment.unconfirmed"]
    assert result.findings[0].basis is Basis.REGULATION
    assert run("equipment.location", sakura).findings == ()


def test_results_of_a_search_decide_what_is_said(tester, sakura, kinds):
    put(
        tester,
        {
            "PC-001": device(),
            "PC-002": device(confirmed_result="missing"),
            "PC-003": device(confirmed_result="moved"),
            "PC-004": device(confirmed_result="pending"),
            "PC-005": device(confirmed_on=None, confirmed_result=""),
            "PC-006": device(confirmed_result=""),
            "PC-007": device(confirmed_on=DAY + dt.timedelta(days=1)),
            "PC-008": device(state="disposed", disposed_on=DAY, confirmed_on=None, confirmed_result=""),
        },
    )
    result = run("equipment.location", sakura)
    found = {(finding.code, finding.subject.label.split()[0]) for finding in result.findings}
    assert found == {
        ("equipment.missing", "PC-002"),
        ("equipment.moved", "PC-003"),
        ("equipment.unconfirmed", "PC-004"),
        ("equipment.unconfirmed", "PC-005"),
        ("equipment.unconfirmed", "PC-007"),
    }
    assert str(result.facts[0]) == "7台中3台の所在を確認"
    never = next(finding for finding in result.findings if finding.subject.label.startswith("PC-005"))
    assert str(never.message) == "機器「PC-005 保守用ノートPC」の所在を一度も確認していません。"


@given(st.dates(dt.date(2000, 1, 1), dt.date(2060, 12, 31)), st.integers(1, 36))
def test_the_oldest_allowed_day_is_the_first_whose_months_have_not_run_out(day, months):
    oldest = queries.oldest_allowed(day, months)
    assert add_months(oldest, months) >= day
    assert add_months(oldest - dt.timedelta(days=1), months) < day


# Support


@pytest.mark.parametrize(
    ("ends", "code"),
    [
        (DAY - dt.timedelta(days=1), "equipment.support-ended"),
        (DAY, "equipment.support-ending"),
        (DAY + dt.timedelta(days=180), "equipment.support-ending"),
        (DAY + dt.timedelta(days=181), None),
    ],
)
def test_the_end_of_support_is_told_from_180_days_before(tester, sakura, kinds, ends, code):
    put(tester, {"PC-001": device(support_until=ends)})
    result = run("equipment.vulnerability", sakura)
    assert codes(result) == ([code] if code else [])
    assert result.state is (Operated.NO if code == "equipment.support-ended" else Operated.YES)
    assert all(finding.severity is Severity.SHOULD for finding in result.findings)


# Many devices


def test_twenty_devices_are_named_and_twenty_one_are_counted(tester, sakura, kinds):
    put(tester, {f"PC-{number:03}": device(responsible="") for number in range(1, 21)})
    assert len(run("equipment.responsibility", sakura).findings) == 20
    put(tester, {"GW-001": at_hospital(responsible="")})
    result = run("equipment.responsibility", sakura)
    assert [(finding.subject.kind, finding.subject.label) for finding in result.findings] == [
        ("equipment-kind", "PC 保守用PC"),
        ("institution", "H01 みなと総合病院"),
    ]
    assert result.findings[0].subject.id == str(EquipmentKind.objects.get(code="PC").id)
    assert str(result.findings[0].message) == "「PC 保守用PC」の機器20台（PC-001など）の管理責任が決まっていません。"


@pytest.mark.parametrize("code", ["equipment.responsibility", "equipment.location", "equipment.vulnerability"])
def test_a_check_asks_as_many_questions_of_200_devices_as_of_10(tester, sakura, kinds, code):
    gaps = {
        "responsible": "",
        "vulnerability": "",
        "confirmed_result": "missing",
        "support_until": DAY - dt.timedelta(days=1),
    }

    def asked(prefix, count, **values):
        put(tester, {f"{prefix}-{number:03}": device(**values) for number in range(count)})
        with CaptureQueriesContext(connection) as captured:
            run(code, sakura)
        return len(captured)

    ten = asked("PC", 10, **gaps)
    assert asked("PD", 190) == ten
    assert asked("PE", 190, **gaps) <= ten + 1
    assert ten <= 3


# List


def test_the_list_reads_a_page_in_one_query_and_shows_what_was_found(tester, kinds, django_assert_num_queries):
    put(tester, {f"PC-{number:03}": device() for number in range(30)})
    put(
        tester,
        {
            "GW-001": at_hospital(confirmed_result="missing"),
            "PC-900": device(confirmed_on=None, confirmed_result="", vulnerability=""),
        },
    )
    page = lists.get("equipment")
    with django_assert_num_queries(1):
        rows = list(page.query(actor=tester, day=DAY).order_by("code")[:50])
        cells = {row.code: {column.key: column.cell(row) for column in page.columns} for row in rows}
    assert cells["GW-001"]["kind"] == "医療機関設置ゲートウェイ"
    assert cells["GW-001"]["institution"].text == "H01"
    assert (cells["GW-001"]["result"].text, cells["GW-001"]["result"].tone) == ("所在不明", "ng")
    assert (cells["PC-900"]["result"].text, cells["PC-900"]["vulnerability"].text) == ("未確認", "未定")


def test_filters_narrow_the_list_and_a_bad_value_finds_nothing(tester, kinds):
    put(tester, {"PC-001": device(), "GW-001": at_hospital(), "PC-002": device(state="spare")})
    page = lists.get("equipment")
    filters = {one.key: one for one in page.filters}
    rows = page.query(actor=tester, day=DAY).order_by("code")

    def narrowed(key, value):
        return [row.code for row in filters[key].apply(rows, value)]

    chosen = {label: value for value, label in filters["kind"].options(tester, DAY)}
    assert narrowed("kind", chosen["GW 医療機関設置ゲートウェイ"]) == ["GW-001"]
    assert narrowed("kind", "nonsense") == []
    hospital = {label: value for value, label in filters["institution"].options(tester, DAY)}
    assert narrowed("institution", hospital["H01 みなと総合病院"]) == ["GW-001"]
    assert narrowed("state", "spare") == ["PC-002"]
    assert [row.code for row in rows.filter(page.search("ゲート"))] == ["GW-001"]


@pytest.mark.skipif(connection.vendor != "sqlite", reason="reads SQLite's plan")
def test_a_page_of_the_list_comes_from_an_index_in_order(tester, kinds):
    plain = EquipmentState.objects.filter(organization=tester.organization).as_of(DAY)
    narrowed = (plain.filter(kind_id=kinds["PC"]), plain.filter(placement="own"), plain.filter(state="in-use"))
    for rows in (queries.equipment(actor=tester, day=DAY), *narrowed):
        assert "USE TEMP B-TREE FOR ORDER BY" not in rows.order_by("code")[:50].explain()


# Annexes


@pytest.fixture
def stocked(tester, kinds):
    put(
        tester,
        {
            **{f"PC-{number:03}": device() for number in range(11)},
            "PC-900": device(confirmed_on=None, confirmed_result=""),
            "PC-901": device(state="disposed", disposed_on=DAY),
            "GW-001": at_hospital(vulnerability="supplier"),
            "GW-002": at_hospital(vulnerability="supplier"),
            "GW-003": at_hospital(institution="H02", clause="", agreed_on=None, responsible=""),
        },
    )


def text(tables):
    return "\n".join(" | ".join(row) for table in tables for row in table.rows)


def test_annex_9_counts_by_kind_and_placement(sakura, stocked):
    (table,) = annexes.ledger_summary(organization=sakura, day=DAY, rendering=Rendering.INTERNAL)
    assert [(row[0], row[2], row[3], row[4]) for row in table.rows] == [
        ("医療機関設置ゲートウェイ", "医療機関等", "3", "3／3"),
        ("保守用PC", "自社", "12", "11／12"),
    ]
    assert table.rows[0][1].startswith("台帳に登録し")
    assert "SN-778899" not in text([table])
    assert len(table.columns) == len(table.rows[0])


def test_annex_9_for_disclosure_gives_bands(sakura, stocked):
    (table,) = annexes.ledger_summary(organization=sakura, day=DAY, rendering=Rendering.DISCLOSURE)
    assert [row[3:] for row in table.rows] == [("10未満", "全部済"), ("10以上50未満", "一部済")]


def test_annex_9_follows_the_interval_given(sakura, stocked):
    (table,) = annexes.ledger_summary(
        organization=sakura, day=dt.date(2027, 2, 1), rendering=Rendering.INTERNAL, months_a=2, months_b=2
    )
    assert [row[4] for row in table.rows] == ["0／3", "0／12"]
    assert "2か月" in table.note


def test_annex_10_shows_kinds_and_institutions_as_facts_because_a_register_never_rewrites_a_provision(sakura, stocked):
    standard, placed = annexes.responsibility(organization=sakura, day=DAY, rendering=Rendering.INTERNAL)
    assert {column.nature for table in (standard, placed) for column in table.columns} == {Nature.FACT}
    assert ("サーバ", "当社", "当社", "月例更新で対応する。") in standard.rows
    assert placed.rows == (
        ("みなと総合病院", "医療機関設置ゲートウェイ", "2", "当社", "委託先", "第8条", "令和8年4月1日"),
        ("青葉クリニック", "医療機関設置ゲートウェイ", "1", "未定", "当社", "記載なし", "未合意"),
    )


def test_annex_10_for_disclosure_names_no_institution(sakura, stocked):
    standard, placed = annexes.responsibility(organization=sakura, day=DAY, rendering=Rendering.DISCLOSURE)
    assert "みなと" not in text([standard, placed])
    assert "第8条" not in text([placed])
    assert placed.rows == (
        ("医療機関設置ゲートウェイ", "10未満", "10未満", "当社", "委託先", "全部済"),
        ("医療機関設置ゲートウェイ", "10未満", "10未満", "未定", "当社", "未了"),
    )
    assert all(len(row) == len(placed.columns) for row in placed.rows)


@pytest.mark.parametrize(
    ("count", "name"),
    [(9, "10未満"), (10, "10以上50未満"), (49, "10以上50未満"), (50, "50以上100未満"), (500, "500以上")],
)
def test_bands_begin_at_their_lower_number(count, name):
    assert annexes.band(count) == name
