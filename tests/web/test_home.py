"""Home, 判定のしかた, findings and accepting them, はじめの設定."""

from __future__ import annotations

import datetime as dt

import pytest
from django.urls import reverse

from kitei.engine.checks.models import Acceptance, Run
from kitei.foundation import transactions
from kitei.foundation.sheets import spec
from kitei.outcomes.regulation import coverage, operations
from kitei.trust.auditlog.models import Event

pytestmark = pytest.mark.django_db


def quick(_tree, *, kinds, timestamp):
    """Documents are proven elsewhere; here an edition is only needed."""
    return {kind: b"%PDF-1.7" for kind in kinds if kind == "pdf"}


def in_force(operator, sakura, day=dt.date(2026, 4, 1)):
    transactions.durable(lambda: operations.put_draft(actor=operator, organization=sakura))
    prepared = operations.prepare_model(organization=sakura, effective_on=day, renderer=quick)
    return transactions.durable(lambda: operations.adopt(actor=operator, prepared=prepared))


def test_before_the_first_run_home_leads_through_the_set_up(officer):
    page = officer.get("/").content.decode()
    assert "はじめの設定" in page
    assert "運用の確認は、まだ行われていません" in page
    assert "要対応" not in page


def test_not_started_is_not_something_to_do(officer, sakura):
    coverage.run_and_store(organization=sakura)
    page = officer.get("/")
    assert page.context["todo_count"] == 0
    assert "未着手" in page.content.decode()


def test_home_shows_articles_facts_and_the_time_of_the_run(officer, operator, sakura):
    in_force(operator, sakura)
    coverage.run_and_store(organization=sakura)
    page = officer.get("/")
    text = page.content.decode()
    assert "（イ）提供に係る体制" in text
    assert f'href="{reverse("regulation")}?article=chief-officer#chief-officer"' in text
    assert "12:00 に確認" in text
    assert page.context["picture"].stated_count == len(
        [row for row in page.context["picture"].counted if row.citations]
    )
    assert "第1.1版（旧版。現行は第2.0版、原文未確認）" in text
    assert text.index("（ア）基本方針") < text.index("（イ）提供に係る体制") < text.index("医療機関等への説明と合意")


def test_home_asks_few_questions(officer, operator, sakura, django_assert_max_num_queries):
    in_force(operator, sakura)
    coverage.run_and_store(organization=sakura)
    # Four stand before every page since log-ins can be ended: the log-in with its organization, its person's last day,
    # the second factor, and at most once a minute that it was used. One more for officers: console alerts.
    with django_assert_max_num_queries(16):
        assert officer.get("/").status_code == 200


def test_another_day_is_computed(officer, operator, sakura):
    in_force(operator, sakura, dt.date(2026, 4, 1))
    before = officer.get("/?as_of=2026-03-31")
    after = officer.get("/?as_of=令和8年4月1日")
    assert before.context["picture"].edition is None
    assert after.context["picture"].edition.label == "第1版"
    assert not Run.objects.exists()
    assert "に計算" in after.content.decode()


def test_a_mistyped_day_is_told_and_today_is_shown(officer):
    page = officer.get("/?as_of=2026/2/30")
    assert page.status_code == 422
    assert "2月30日" in page.content.decode() or "2/30" in page.content.decode()


def test_the_way_of_judging_names_facts_threshold_and_basis(officer, operator, sakura):
    in_force(operator, sakura)
    text = officer.get("/requirements/mic-meti-1.1/5.1.6/i-7/").content.decode()
    assert "判定の基準" in text
    assert "第19条第2項" in text
    assert "自社の規程" in text


def test_without_an_edition_the_basis_is_kiteis_recommendation(officer, sakura):
    assert "Kiteiの推奨" in officer.get("/requirements/mic-meti-1.1/5.1.6/i-7/").content.decode()


def test_an_unknown_requirement_is_the_one_404_page(officer):
    assert officer.get("/requirements/mic-meti-1.1/5.1.6/z-9/").status_code == 404


def a_finding(sakura):
    return next(judged for judged in coverage.at(organization=sakura, day=dt.date(2026, 11, 22)).findings).finding.key


def test_accepting_a_finding_records_who_why_and_until(officer, sakura):
    key = a_finding(sakura)
    answer = officer.post(
        "/findings/accept/", {"finding": key, "reason": "後任を選考中のため", "until": "令和9年1月31日"}
    )
    assert answer.status_code == 302
    row = Acceptance.objects.get()
    assert (row.finding, row.until, row.accepted_by) == (key, dt.date(2027, 1, 31), "佐藤 恵子")
    assert "後任を選考中のため" in officer.get("/findings/").content.decode()


@pytest.mark.parametrize(
    ("reason", "until", "told"),
    [
        ("", "2027/1/31", "受容する理由を書いてください"),
        ("後任を選考中のため", "2027/2/30", "2027年2月"),
        ("後任を選考中のため", "2029/1/31", "1年以内"),
        ("後任を選考中のため", "2026/11/21", "1年以内"),
    ],
)
def test_a_faulty_acceptance_is_told_and_nothing_typed_is_lost(officer, sakura, reason, until, told):
    answer = officer.post("/findings/accept/", {"finding": a_finding(sakura), "reason": reason, "until": until})
    assert answer.status_code == 422
    assert told in answer.content.decode()
    assert until in answer.content.decode()
    assert not Acceptance.objects.exists()


def test_an_ordinary_member_reads_but_may_not_accept_or_run(browser, sakura, operator):
    in_force(operator, sakura)
    coverage.run_and_store(organization=sakura)
    ordinary = browser("吉田 翔太", "audit-officer")
    page = ordinary.get("/").content.decode()
    assert "いま確認し直す" not in page
    refused = ordinary.post("/findings/accept/", {"finding": "x", "reason": "y", "until": "2027/1/1"})
    assert (refused.status_code, ordinary.post("/checks/run/").status_code) == (404, 404)
    assert refused.content.count(b"<h1>") == 1
    assert Event.objects.filter(outcome="refused").count() == 2


def test_another_organizations_run_is_never_shown(browser, sakura, tsubaki, operator):
    in_force(operator, sakura)
    coverage.run_and_store(organization=sakura)
    neighbour = browser("椿 花子", "security-officer", organization=tsubaki)
    page = neighbour.get("/")
    assert page.context["picture"] is None
    assert page.context["edition"] is None


def test_run_now_stores_a_run(officer, sakura):
    assert officer.post("/checks/run/").status_code == 302
    assert Run.objects.get().organization == sakura


def test_the_fragment_names_the_annexes_that_changed(officer, operator, sakura):
    in_force(operator, sakura)
    assert "変わったものはありません" in officer.get("/changes/").content.decode()
    values = {"code": "S01", "name": "さくらカルテ"}
    columns = spec.get("service").columns
    row = {
        column.key: values.get(column.key, column.default if column.default is not None else "") for column in columns
    }
    for column in columns:
        if column.choices and not row[column.key]:
            row[column.key] = column.choices[0].value
        if column.kind == "date" and not row[column.key]:
            row[column.key] = dt.date(2020, 4, 1) if column.required else None
        if column.kind == "ref" and not row[column.key]:
            row[column.key] = None
    transactions.durable(
        lambda: spec.get("service").apply(
            actor=operator, organization=sakura, changes=spec.Changes(added=[row], changed=[])
        )
    )
    text = officer.get("/changes/").content.decode()
    assert "別表1" in text


def test_the_checklist_follows_the_registers(officer, operator, sakura):
    steps = {step.key: step.state for step in officer.get("/setup/").context["setup"].steps}
    assert set(steps.values()) == {"not-yet"}
    in_force(operator, sakura)
    steps = {step.key: step.state for step in officer.get("/setup/").context["setup"].steps}
    assert (steps["adopt"], steps["text"], steps["member"]) == ("done", "done", "not-yet")


def test_home_in_english(officer, operator, sakura):
    in_force(operator, sakura)
    coverage.run_and_store(organization=sakura)
    officer.post("/language", {"language": "en"})
    text = officer.get("/").content.decode()
    assert 'lang="en"' in text
    assert "State of the regulation and its operation" in text
