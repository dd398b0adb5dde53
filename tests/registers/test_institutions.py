"""The institutions room: the deceased are included by default, and who was shown what (ア-3)."""

from __future__ import annotations

import datetime as dt
from typing import Any

import pytest

from kitei.engine.checks.model import CheckContext, Operated, Severity, registry
from kitei.foundation import clock
from kitei.foundation.sheets.spec import get
from kitei.foundation.sheets.table import Rendering
from kitei.foundation.tenancy.models import Organization
from kitei.foundation.ui import lists
from kitei.registers.institutions import annexes, operations
from kitei.registers.institutions.sheets import check_data_class, check_institution, check_service
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


def service(**facts: Any) -> dict[str, Any]:
    return {
        "name": "さくら電子カルテ",
        "form": "saas",
        "position": "entrusted",
        "storage_place": "東日本",
        "update_responsibility": "company",
        "update_clause": "契約書第12条",
    } | facts


def data(**facts: Any) -> dict[str, Any]:
    return {"service": "S-01", "name": "診療録", "measures": "暗号化"} | facts


def institution(**facts: Any) -> dict[str, Any]:
    return {"name": "みなと総合病院", "kind": "hospital", "services": ("S-01",)} | facts


def put(register: Any, actor: rule.Actor, rows: dict[str, dict[str, Any]], day: dt.date | None = None) -> None:
    register.put(actor=actor, organization=actor.organization, rows=rows, day=day)


def run(code: str, organization: Organization, day: dt.date = DAY) -> Any:
    return registry.checks[code].run(CheckContext(organization, day, registry.defaults))


def codes(result: Any) -> list[str]:
    return [finding.code for finding in result.findings]


@pytest.fixture
def services(takahashi: rule.Actor) -> None:
    put(operations.services, takahashi, {"S-01": service(), "S-02": service(name="画像連携")})


# --- recording


@pytest.mark.parametrize(
    ("register", "rows"),
    [
        (operations.services, {"S-09": service(storage_country="")}),
        (operations.data_classes, {"DC-01": data(patient_data=False)}),
        (operations.institutions, {"M-001": institution(services=("S-01", "S-02"), shown_on=DAY)}),
    ],
)
def test_what_is_written_is_read_back_and_writing_it_again_changes_nothing(sakura, takahashi, services, register, rows):
    put(register, takahashi, rows)
    before = register.existing(organization=sakura, keys=list(rows))
    [(code, values)] = before.items()
    assert set(values) == {column.key for column in get(register.kind).columns}
    assert {key: values[key] for key in rows[code]} == rows[code]
    put(register, takahashi, before)
    assert register.existing(organization=sakura, keys=list(rows)) == before
    assert Event.objects.filter(name=f"{register.kind}:put", object_kind=register.kind).count() >= 2


def test_a_data_class_that_says_nothing_includes_the_deceased_with_the_same_measures(sakura, takahashi, services):
    put(operations.data_classes, takahashi, {"DC-01": data()})
    values = operations.data_classes.existing(organization=sakura, keys=None)["DC-01"]
    assert (values["patient_data"], values["includes_deceased"], values["deceased_measures"]) == (
        True,
        "included",
        "same",
    )


def test_a_member_without_an_office_may_not_write(sakura):
    visitor = rule.Actor(kind="member", id="ito", organization=sakura)
    for register, rows in (
        (operations.services, {"S-01": service()}),
        (operations.institutions, {"M-1": institution()}),
    ):
        with pytest.raises(rule.Refused):
            put(register, visitor, rows)


@pytest.mark.parametrize(
    ("check", "values", "column"),
    [
        (check_service, {"started_on": DAY, "ended_on": YESTERDAY}, "ended_on"),
        (check_data_class, {"includes_deceased": "excluded", "excluded_reason": ""}, "excluded_reason"),
        (check_institution, {"contract_from": DAY, "contract_until": YESTERDAY}, "contract_until"),
        (check_institution, {"shown_on": DAY, "edition_shown": ""}, "edition_shown"),
        (check_institution, {"shown_on": DAY, "edition_shown": "第1版", "agreed_on": YESTERDAY}, "agreed_on"),
    ],
)
def test_the_sheets_name_the_column_to_mend(check, values, column):
    assert [problem.column for problem in check(values)] == [column]


def test_right_rows_have_no_problem():
    assert list(check_service({"started_on": DAY, "ended_on": DAY})) == []
    assert list(check_data_class({"includes_deceased": "excluded", "excluded_reason": "匿名加工済み"})) == []
    assert list(check_institution({"shown_on": DAY, "edition_shown": "第1版", "agreed_on": DAY})) == []


# --- ア-3


def test_deceased_data_is_not_started_without_patient_data(sakura, takahashi, services):
    assert run("institutions.deceased-data", sakura).state is Operated.NOT_STARTED
    put(operations.data_classes, takahashi, {"DC-01": data(patient_data=False, deceased_measures="different")})
    assert run("institutions.deceased-data", sakura).state is Operated.NOT_STARTED


def test_deceased_data_finds_what_is_left_out_and_what_is_protected_less(
    sakura, takahashi, services, django_assert_max_num_queries
):
    put(
        operations.data_classes,
        takahashi,
        {
            "DC-01": data(),
            "DC-02": data(name="画像", includes_deceased="excluded"),
            "DC-03": data(name="問診", deceased_measures="different"),
            "DC-04": data(name="統計", includes_deceased="excluded", excluded_reason="匿名加工済みのため"),
            "DC-05": data(name="予約", measures=""),
        },
    )
    with django_assert_max_num_queries(2):
        result = run("institutions.deceased-data", sakura)
    assert result.state is Operated.PARTIAL
    assert [(finding.subject.label, finding.code, finding.severity) for finding in result.findings] == [
        ("DC-02 画像", "institutions.deceased-excluded", Severity.MUST),
        ("DC-03 問診", "institutions.deceased-measures-differ", Severity.MUST),
        ("DC-05 予約", "institutions.measures-unsaid", Severity.SHOULD),
    ]
    assert "5区分のうち2区分" in result.facts[0].render()
    assert "1件" in result.facts[1].render()


def test_deceased_data_is_operated_when_nothing_is_left_out_without_reason(sakura, takahashi, services):
    put(operations.data_classes, takahashi, {"DC-01": data(includes_deceased="excluded")})
    assert run("institutions.deceased-data", sakura).state is Operated.NO
    put(operations.data_classes, takahashi, {"DC-01": data()})
    result = run("institutions.deceased-data", sakura)
    assert (result.state, result.findings) == (Operated.YES, ())


def test_data_of_a_service_counts_until_its_last_day(sakura, takahashi, services):
    put(operations.services, takahashi, {"S-02": service(name="画像連携", ended_on=DAY)})
    put(operations.data_classes, takahashi, {"DC-01": data(service="S-02", deceased_measures="different")})
    assert run("institutions.deceased-data", sakura).state is Operated.NO
    assert run("institutions.deceased-data", sakura, DAY + dt.timedelta(1)).state is Operated.NOT_STARTED


# --- further checks


def test_storage_abroad_or_unknown_is_found(sakura, takahashi, services):
    assert run("equipment.jurisdiction", sakura).state is Operated.YES
    put(
        operations.services,
        takahashi,
        {"S-01": service(storage_country="アイルランド"), "S-03": service(storage_country="国内")},
    )
    result = run("equipment.jurisdiction", sakura)
    assert (result.state, codes(result)) == (Operated.PARTIAL, ["institutions.stored-abroad"])
    assert "アイルランド" in result.findings[0].message.render()


def test_open_responsibility_for_updates_is_found(sakura, takahashi, services):
    put(operations.services, takahashi, {"S-01": service(update_responsibility=""), "S-02": service(update_clause="")})
    result = run("institutions.role-sharing", sakura)
    assert result.state is Operated.NO
    assert codes(result) == ["institutions.update-responsibility-open", "institutions.update-clause-missing"]


def test_services_checks_are_not_started_without_a_service_on_that_day(sakura, takahashi):
    put(operations.services, takahashi, {"S-01": service(ended_on=YESTERDAY)})
    for code in ("equipment.jurisdiction", "institutions.role-sharing"):
        assert run(code, sakura).state is Operated.NOT_STARTED


def test_agreement_counts_institutions_under_contract_only(sakura, takahashi, services, django_assert_max_num_queries):
    assert run("institutions.risk-agreement", sakura).state is Operated.NOT_STARTED
    agreed = {"edition_shown": "第3版", "shown_on": YESTERDAY, "agreed_on": DAY}
    put(
        operations.institutions,
        takahashi,
        {
            "M-001": institution(**agreed, contract_until=DAY),
            "M-002": institution(name="うみべ診療所", kind="clinic", edition_shown="第3版", shown_on=YESTERDAY),
            "M-003": institution(name="やまて歯科", kind="dental"),
            "M-004": institution(name="閉院した医院", contract_until=YESTERDAY),
        },
    )
    with django_assert_max_num_queries(2):
        result = run("institutions.risk-agreement", sakura)
    assert result.state is Operated.PARTIAL
    assert [(finding.subject.label, finding.code) for finding in result.findings] == [
        ("M-002 うみべ診療所", "institutions.not-agreed"),
        ("M-003 やまて歯科", "institutions.not-shown"),
    ]


# --- annex and lists


def test_annex_1_says_what_each_service_handles(sakura, takahashi, services):
    put(operations.services, takahashi, {"S-02": service(name="終わったサービス", ended_on=YESTERDAY)})
    put(
        operations.data_classes,
        takahashi,
        {"DC-01": data(), "DC-02": data(name="統計", includes_deceased="excluded", excluded_reason="匿名")},
    )
    [table] = annexes.services(organization=sakura, day=DAY, rendering=Rendering.INTERNAL)
    assert list(table.rows) == [
        (
            "S-01",
            "さくら電子カルテ",
            "SaaS",
            "委託を受けた者",
            "診療録（死者の情報を含む）\n統計（死者の情報を含まない）",
            "日本・東日本",
            "当社（契約書第12条）",
        )
    ]
    assert len(table.columns) == 7
    [disclosed] = annexes.services(organization=sakura, day=DAY, rendering=Rendering.DISCLOSURE)
    assert disclosed.rows[0][0] == "さくら電子カルテ"
    assert disclosed.rows[0][-1] == "当社"
    assert len(disclosed.columns) == len(disclosed.rows[0]) == 6


@pytest.mark.parametrize(
    ("facts", "tone"),
    [
        ({"edition_shown": "第3版", "shown_on": YESTERDAY, "agreed_on": DAY}, "ok"),
        ({"edition_shown": "第3版", "shown_on": YESTERDAY}, "warn"),
        ({}, "warn"),
        ({"contract_until": YESTERDAY}, "note"),
    ],
)
def test_the_list_shows_how_far_the_agreement_has_come(takahashi, services, facts, tone):
    put(operations.institutions, takahashi, {"M-001": institution(**facts)})
    spec = lists.get("institution")
    [found] = spec.query(actor=takahashi, day=DAY)
    cells = {column.key: column.cell(found) for column in spec.columns}
    assert cells["agreement"].tone == tone
    assert cells["services"] == "S-01"


def test_the_lists_join_names_and_stay_inside_the_organization(takahashi, services, django_assert_num_queries):
    put(operations.data_classes, takahashi, {f"DC-{number}": data() for number in range(5)})
    spec = lists.get("data-class")
    with django_assert_num_queries(1):
        rows = list(spec.query(actor=takahashi, day=DAY))
        cells = [column.cell(row) for row in rows for column in spec.columns]
    assert "S-01 さくら電子カルテ" in cells
    other = Organization.objects.create(code="umi", name="海辺システム株式会社", created_at=clock.now())
    stranger = rule.Actor(kind="cli", id="nakamura", organization=other)
    for key in ("service", "data-class", "institution"):
        assert not lists.get(key).query(actor=stranger, day=DAY).exists()
    cells = [
        column.cell(row)
        for row in lists.get("service").query(actor=takahashi, day=DAY)
        for column in lists.get("service").columns
    ]
    assert "日本" in cells
