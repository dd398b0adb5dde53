"""The suppliers room: who answers at every sub-contractor, confirmed in time (イ-7)."""

from __future__ import annotations

import datetime as dt
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from kitei.engine.checks.model import Basis, CheckContext, Operated, Provision, Severity, registry
from kitei.foundation import clock
from kitei.foundation.dates.japanese import add_months
from kitei.foundation.sheets.spec import get
from kitei.foundation.sheets.table import Rendering
from kitei.foundation.tenancy.models import Organization
from kitei.foundation.ui import lists
from kitei.registers.suppliers import annexes, queries
from kitei.registers.suppliers.operations import organisations, suppliers
from kitei.registers.suppliers.sheets import check_organisation, check_supplier
from kitei.trust.access import rule
from kitei.trust.auditlog.models import Event

pytestmark = pytest.mark.django_db

DAY = dt.date(2026, 11, 22)
YESTERDAY = DAY - dt.timedelta(1)


@pytest.fixture(autouse=True)
def _today():
    with clock.at(DAY):
        yield


@pytest.fixture
def sakura() -> Organization:
    return Organization.objects.create(code="sakura", name="さくら医療クラウド株式会社", created_at=clock.now())


@pytest.fixture
def takahashi(sakura: Organization) -> rule.Actor:
    return rule.Actor(kind="cli", id="takahashi", organization=sakura)


def supplier(**facts: Any) -> dict[str, Any]:
    return {
        "name": "北斗データ",
        "category": "medical",
        "work": "データセンターの運用",
        "data": "診療録",
        "onward": "none",
        "services": (),
        "contract_from": dt.date(2020, 4, 1),
    } | facts


def organisation(**facts: Any) -> dict[str, Any]:
    return {
        "supplier": "V-01",
        "officer_title": "情報管理責任者",
        "officer": "佐々木 純",
        "contact": "011-000-0000",
        "emergency_contact": "080-0000-0000",
        "confirmed_on": DAY,
        "confirmed_how": "letter",
        "confirmed_by": "高橋",
    } | facts


def put(actor: rule.Actor, rows: dict[str, dict[str, Any]], records: dict[str, dict[str, Any]] | None = None) -> None:
    suppliers.put(actor=actor, organization=actor.organization, rows=rows)
    organisations.put(actor=actor, organization=actor.organization, rows=records or {})


def run(organization: Organization, day: dt.date = DAY, limit: Provision | None = None) -> Any:
    provisions = {**registry.defaults, **({limit.key: limit} if limit else {})}
    return registry.checks["suppliers.organisation"].run(CheckContext(organization, day, provisions))


def codes(result: Any) -> list[str]:
    return [finding.code for finding in result.findings]


# --- recording


def test_what_is_written_is_read_back_and_an_onward_supplier_may_come_before_its_parent(sakura, takahashi):
    rows = {"V-00": supplier(name="孫請", parent="V-01"), "V-01": supplier(onward="some", services=("S-01",))}
    put(takahashi, rows, {"VO-01": organisation()})
    found = suppliers.existing(organization=sakura, keys=None)
    assert found["V-00"]["parent"] == "V-01"
    assert found["V-01"]["services"] == ("S-01",)
    assert set(found["V-01"]) == {column.key for column in get("supplier").columns}
    record = organisations.existing(organization=sakura, keys=["VO-01"])["VO-01"]
    assert {key: record[key] for key in organisation()} == organisation()
    put(takahashi, found)
    assert suppliers.existing(organization=sakura, keys=None) == found


def test_events_hold_neither_names_nor_numbers(takahashi):
    put(takahashi, {"V-01": supplier()}, {"VO-01": organisation()})
    payloads = b"".join(bytes(event.payload) for event in Event.objects.all()).decode()
    assert "佐々木" not in payloads
    assert "080-0000" not in payloads
    assert Event.objects.filter(name="supplier-organisation:put").count() == 1


def test_a_member_without_an_office_may_not_write(sakura):
    visitor = rule.Actor(kind="member", id="ito", organization=sakura)
    with pytest.raises(rule.Refused):
        put(visitor, {"V-01": supplier()})


@pytest.mark.parametrize(
    ("check", "values", "column"),
    [
        (check_supplier, {"contract_from": DAY, "contract_until": YESTERDAY}, "contract_until"),
        (check_supplier, {"code": "V-01", "parent": "V-01"}, "parent"),
        (check_organisation, {"confirmed_on": DAY, "confirmed_how": ""}, "confirmed_how"),
    ],
)
def test_the_sheets_name_the_column_to_mend(check, values, column):
    assert [problem.column for problem in check(values)] == [column]


def test_right_rows_have_no_problem():
    assert list(check_supplier({"code": "V-02", "parent": "V-01", "contract_from": DAY, "contract_until": DAY})) == []
    assert list(check_organisation({"confirmed_on": None, "confirmed_how": ""})) == []


# --- イ-7


def test_it_is_not_started_without_a_sub_contractor(sakura, takahashi):
    assert run(sakura).state is Operated.NOT_STARTED
    put(takahashi, {"V-01": supplier(category="other", onward="unknown")})
    result = run(sakura)
    assert (result.state, result.findings) == (Operated.NOT_STARTED, ())


def test_confirmed_in_time_is_operated(sakura, takahashi, django_assert_max_num_queries):
    put(takahashi, {"V-01": supplier(contract_until=DAY, certification_until=DAY)}, {"VO-01": organisation()})
    with django_assert_max_num_queries(2):
        result = run(sakura)
    assert (result.state, result.findings) == (Operated.YES, ())
    assert result.facts[0].render() == "1社中1社の体制を12か月以内に確認"


@pytest.mark.parametrize(
    ("record", "code"),
    [
        (None, "suppliers.no-organisation"),
        (organisation(contact=""), "suppliers.incomplete-organisation"),
        (organisation(officer="", officer_title=""), "suppliers.incomplete-organisation"),
        (organisation(confirmed_on=None), "suppliers.unconfirmed-organisation"),
        (organisation(confirmed_on=dt.date(2025, 11, 21)), "suppliers.unconfirmed-organisation"),
        (organisation(confirmed_how="published"), "suppliers.published-only"),
    ],
)
def test_each_way_of_not_knowing_the_organisation_is_a_must_finding(sakura, takahashi, record, code):
    put(takahashi, {"V-01": supplier()}, {"VO-01": record} if record else {})
    result = run(sakura)
    assert (result.state, codes(result)) == (Operated.NO, [code])
    assert result.findings[0].severity is Severity.MUST
    assert result.findings[0].subject.label == "V-01 北斗データ"


@pytest.mark.parametrize(
    "record",
    [organisation(confirmed_on=dt.date(2025, 11, 22)), organisation(officer=""), organisation(officer_title="")],
)
def test_twelve_months_to_the_day_and_a_title_or_a_name_are_enough(sakura, takahashi, record):
    put(takahashi, {"V-01": supplier()}, {"VO-01": record})
    assert run(sakura).state is Operated.YES


def test_the_message_says_for_how_long_and_by_what_rule(sakura, takahashi):
    put(takahashi, {"V-01": supplier()}, {"VO-01": organisation(confirmed_on=dt.date(2025, 10, 20))})
    [finding] = run(sakura).findings
    assert finding.message.render() == "「北斗データ」の体制を13か月以上確認していません（推奨は12か月ごと）。"
    limit = Provision("suppliers.confirm-months", 6, "か月", "第22条")
    [finding] = run(sakura, limit=limit).findings
    assert finding.basis is Basis.REGULATION
    assert "規程では6か月ごと" in finding.message.render()


def test_published_material_will_do_for_a_cloud(sakura, takahashi):
    put(takahashi, {"V-01": supplier(category="cloud")}, {"VO-01": organisation(confirmed_how="published")})
    assert run(sakura).state is Operated.YES


def test_the_best_of_several_records_counts(sakura, takahashi):
    records = {
        "VO-01": organisation(confirmed_on=dt.date(2020, 1, 1)),
        "VO-02": organisation(),
        "VO-03": organisation(contact=""),
    }
    put(takahashi, {"V-01": supplier()}, records)
    assert run(sakura).state is Operated.YES


def test_an_expired_contract_is_a_must_and_the_rest_are_should_findings(sakura, takahashi):
    facts = {"contract_until": YESTERDAY, "certification_until": YESTERDAY, "onward": "unknown"}
    put(takahashi, {"V-01": supplier(**facts)}, {"VO-01": organisation()})
    result = run(sakura)
    assert result.state is Operated.PARTIAL
    assert [(finding.code, finding.severity) for finding in result.findings] == [
        ("suppliers.contract-expired", Severity.MUST),
        ("suppliers.certification-expired", Severity.SHOULD),
        ("suppliers.onward-unknown", Severity.SHOULD),
    ]


def test_onward_sub_contracting_names_the_onward_supplier(sakura, takahashi):
    put(takahashi, {"V-01": supplier(onward="some")}, {"VO-01": organisation()})
    result = run(sakura)
    assert (result.state, codes(result)) == (Operated.YES, ["suppliers.onward-unlisted"])
    put(takahashi, {"V-02": supplier(name="孫請", parent="V-01")}, {"VO-02": organisation(supplier="V-02")})
    assert run(sakura).findings == ()


def test_a_supplier_counts_until_the_last_day_of_dealing_with_it(sakura, takahashi):
    put(takahashi, {"V-01": supplier(ended_on=DAY)})
    assert run(sakura).state is Operated.NO
    assert run(sakura, DAY + dt.timedelta(1)).state is Operated.NOT_STARTED


def test_the_past_is_judged_by_what_was_recorded_for_it(sakura, takahashi):
    put(takahashi, {"V-01": supplier()}, {"VO-01": organisation()})
    assert run(sakura, YESTERDAY).state is Operated.NO
    assert run(sakura, dt.date(2020, 3, 31)).state is Operated.NOT_STARTED


@settings(max_examples=25, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(days=st.integers(0, 800), months=st.integers(1, 24))
def test_confirmed_and_found_exclude_each_other(sakura, takahashi, days, months):
    confirmed = DAY - dt.timedelta(days)
    put(takahashi, {"V-01": supplier()}, {"VO-01": organisation(confirmed_on=confirmed)})
    result = run(sakura, limit=Provision("suppliers.confirm-months", months, "か月"))
    in_time = confirmed >= add_months(DAY, -months)
    assert (result.state is Operated.YES) == in_time
    assert (result.findings == ()) == in_time


# --- annex and lists


@pytest.fixture
def filled(takahashi) -> None:
    put(
        takahashi,
        {
            "V-01": supplier(
                certification="ISMS", certification_until=dt.date(2027, 3, 31), evaluated_on=DAY, onward="some"
            ),
            "V-02": supplier(name="孫請", parent="V-01"),
            "V-03": supplier(name="清掃社", category="other", data=""),
        },
        {"VO-01": organisation()},
    )


def test_annex_8_inside_the_company(sakura, filled):
    first, second = annexes.suppliers(organization=sakura, day=DAY, rendering=Rendering.INTERNAL)
    assert [row[0] for row in first.rows] == ["北斗データ", "孫請", "清掃社"]
    assert first.rows[1][2] == "データセンターの運用（北斗データの再委託先）"
    assert first.rows[0][-1] == "ISMS（令和9年3月31日まで）"
    assert second.rows[0][1:4] == ("情報管理責任者 佐々木 純", "登録あり", "登録あり")
    assert second.rows[1][1] == "未登録"
    for table in (first, second):
        assert all(len(row) == len(table.columns) for row in table.rows)


def test_annex_8_disclosed_names_offices_and_no_contacts(sakura, filled):
    tables = annexes.suppliers(organization=sakura, day=DAY, rendering=Rendering.DISCLOSURE)
    text = "".join("".join(row) for table in tables for row in table.rows)
    for private in ("佐々木", "000-0000", "080", "清掃社"):
        assert private not in text
    assert "情報管理責任者" in text
    for table in tables:
        assert all(len(row) == len(table.columns) for row in table.rows)


def test_a_name_without_a_title_is_not_disclosed(sakura, takahashi):
    put(takahashi, {"V-01": supplier()}, {"VO-01": organisation(officer_title="")})
    _first, second = annexes.suppliers(organization=sakura, day=DAY, rendering=Rendering.DISCLOSURE)
    assert second.rows[0][1] == "責任者（氏名の記載省略）"


def test_the_list_shows_contract_and_confirmation(takahashi, filled, django_assert_num_queries):
    put(takahashi, {"V-04": supplier(name="期限切れ社", contract_until=YESTERDAY)})
    spec = lists.get("supplier")
    with django_assert_num_queries(1):
        rows = {
            row.code: {column.key: column.cell(row) for column in spec.columns}
            for row in spec.query(actor=takahashi, day=DAY)
        }
    assert rows["V-01"]["confirmed_on"] == DAY
    assert rows["V-02"]["confirmed_on"].tone == "warn"
    assert rows["V-03"]["confirmed_on"] == ""
    assert rows["V-04"]["contract"].tone == "ng"
    assert rows["V-02"]["parent"].text == "V-01"


def test_contacts_stay_off_the_list_and_rows_inside_the_organization(takahashi, filled):
    spec = lists.get("supplier-organisation")
    [row] = spec.query(actor=takahashi, day=DAY)
    shown = [str(column.cell(row)) for column in spec.columns]
    assert "V-01 北斗データ" in shown
    assert not any("000-0000" in text for text in shown)
    assert {"contact", "emergency_contact"} <= set(spec.hidden)
    other = Organization.objects.create(code="umi", name="海辺システム株式会社", created_at=clock.now())
    stranger = rule.Actor(kind="cli", id="nakamura", organization=other)
    assert not queries.suppliers(actor=stranger, day=DAY).exists()
    assert not queries.organisations(actor=stranger, day=DAY).exists()
