from __future__ import annotations

import datetime as dt
import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from kitei.engine.checks import operations, runner
from kitei.engine.checks.model import (
    Basis,
    Check,
    CheckContext,
    Finding,
    Method,
    Operated,
    Provision,
    Registry,
    Result,
    Severity,
    Subject,
)
from kitei.engine.checks.models import Acceptance, Run
from kitei.engine.checks.packing import pack, unpack
from kitei.foundation import clock, transactions
from kitei.foundation.text import Message, UserError
from kitei.trust.access.rule import Refused
from kitei.trust.auditlog.models import Event

DAY = dt.date(2026, 11, 22)
MESSAGES = st.builds(
    Message,
    st.sampled_from(["%(office)sが空席です。", "期限は%(day)sです。"]),
    st.fixed_dictionaries({}, optional={"office": st.text(max_size=8), "day": st.dates(), "count": st.integers(0, 99)}),
)
FINDINGS = st.builds(
    Finding,
    code=st.sampled_from(["people.vacant-office", "equipment.lost"]),
    severity=st.sampled_from(Severity),
    topic=st.just("people.observance"),
    basis=st.sampled_from(Basis),
    subject=st.builds(Subject, st.just("member"), st.text(max_size=12), st.text(max_size=12)),
    message=MESSAGES,
    next_step=MESSAGES,
)
RESULTS = st.dictionaries(
    st.sampled_from(["a.one", "a.two", "b.one"]),
    st.builds(
        Result,
        st.sampled_from(Operated),
        st.lists(MESSAGES, max_size=3).map(tuple),
        st.lists(FINDINGS, max_size=3).map(tuple),
    ),
)
METHOD = Method(Message("事実"), Message("しきい値"), Basis.GUIDELINE)


def finding(code="people.vacant-office", subject="chief-officer", severity=Severity.MUST):
    return Finding(
        code,
        severity,
        "people.observance",
        Basis.GUIDELINE,
        Subject("office", subject, subject),
        Message("空席です。"),
        Message("任命してください。"),
    )


@pytest.fixture
def registry(monkeypatch):
    """A registry of this test only."""
    known = Registry()
    monkeypatch.setattr(runner, "registry", known)
    return known


def check(code, topic, result):
    return Check(code, topic, METHOD, lambda context: result)


@given(RESULTS)
def test_a_stored_run_reads_back_as_it_was(results):
    assert unpack(json.loads(json.dumps(pack(results)))) == results


def test_a_check_code_is_taken_once():
    registry = Registry()
    first = check("a.one", "t", Result(Operated.YES))
    assert registry.register(first) is first
    registry.register(first)
    with pytest.raises(ValueError, match="twice"):
        registry.register(check("a.one", "t", Result(Operated.NO)))


def test_checks_see_the_day_the_organization_and_the_provisions_in_force(sakura, registry):
    seen = []

    def look(context: CheckContext):
        seen.append((context.organization, context.day, {key: row.value for key, row in context.provisions.items()}))
        return Result(Operated.YES)

    registry.recommend(Provision("people.years", 3, "年"), Provision("equipment.days", 365, "日"))
    registry.register(Check("a.one", "t", METHOD, look))
    results = runner.run_checks(
        organization=sakura, day=DAY, provisions={"people.years": Provision("people.years", 5, "年", "第10条")}
    )
    assert results == {"a.one": Result(Operated.YES)}
    assert seen == [(sakura, DAY, {"people.years": 5, "equipment.days": 365})]


def test_a_provision_without_an_article_is_only_a_recommendation():
    assert Provision("k", 3).basis is Basis.RECOMMENDATION
    assert Provision("k", 3, "年", "第10条").basis is Basis.REGULATION


@pytest.mark.parametrize(
    ("states", "whole"),
    [
        ([Operated.YES, Operated.PARTIAL], Operated.PARTIAL),
        ([Operated.NO, Operated.YES], Operated.NO),
        ([Operated.NOT_APPLICABLE, Operated.YES], Operated.YES),
        ([Operated.NOT_APPLICABLE], Operated.NOT_APPLICABLE),
        ([Operated.YES, Operated.NOT_STARTED], Operated.PARTIAL),
        ([Operated.NO, Operated.NOT_STARTED], Operated.NO),
        ([Operated.NOT_APPLICABLE, Operated.NOT_STARTED], Operated.NOT_STARTED),
    ],
)
def test_a_topic_is_as_good_as_its_weakest_check_that_began(registry, states, whole):
    results = {}
    for number, state in enumerate(states):
        code = f"a.{number}"
        results[code] = Result(state, (Message("事実"),), (finding(subject=str(number)),))
        registry.register(check(code, "people.observance", results[code]))
    merged = runner.by_topic(results)["people.observance"]
    assert merged.state is whole
    assert runner.combined(states) is whole
    assert len(merged.facts) == len(merged.findings) == len(states)


@given(st.lists(st.sampled_from(Operated), max_size=5))
def test_the_order_of_checks_does_not_matter_and_a_gap_is_never_hidden(states):
    whole = runner.combined(states)
    assert runner.combined(list(reversed(states))) is whole
    if Operated.NO in states:
        assert whole is Operated.NO
    if whole is Operated.YES:
        assert set(states) <= {Operated.YES, Operated.NOT_APPLICABLE}


def test_a_run_stored_before_a_check_was_renamed_is_still_readable(registry):
    assert runner.by_topic({"gone.check": Result(Operated.NO)}) == {}


def store(organization, results, at=None):
    with clock.at(at or clock.now()):
        return transactions.durable(lambda: runner.store_run(organization=organization, day=DAY, results=results))


def test_home_reads_the_latest_run_of_its_own_organization(sakura, tsubaki):
    assert runner.latest_run(organization=sakura) is None
    store(sakura, {"a.one": Result(Operated.NO)}, dt.datetime(2026, 11, 22, 1, tzinfo=dt.UTC))
    newest = store(sakura, {"a.one": Result(Operated.YES)}, dt.datetime(2026, 11, 22, 2, tzinfo=dt.UTC))
    store(tsubaki, {"a.one": Result(Operated.PARTIAL)}, dt.datetime(2026, 11, 22, 3, tzinfo=dt.UTC))
    run, results = runner.latest_run(organization=sakura)
    assert (run.id, results) == (newest.id, {"a.one": Result(Operated.YES)})


def test_old_runs_are_forgotten_the_newest_are_kept(sakura, tsubaki, monkeypatch):
    monkeypatch.setattr(runner, "KEEP_RUNS", 3)
    store(tsubaki, {})
    kept = [store(sakura, {}, dt.datetime(2026, 11, 22, hour, tzinfo=dt.UTC)).id for hour in range(6)]
    assert (
        list(Run.objects.filter(organization=sakura).order_by("finished_at").values_list("id", flat=True)) == kept[3:]
    )
    assert Run.objects.filter(organization=tsubaki).count() == 1


def accept(actor, organization, **more):
    facts = {"finding": finding().key, "reason": "後任の選定中のため", "until": DAY + dt.timedelta(days=30), **more}
    return transactions.durable(lambda: operations.accept_finding(actor=actor, organization=organization, **facts))


def test_an_accepted_finding_stays_accepted_until_its_day_and_returns_after_it(sakura, member):
    officer, _ = member("鈴木太郎", "chief-officer")
    row = accept(officer, sakura)
    until = row.until
    assert runner.acceptances(organization=sakura, day=until) == {finding().key: row}
    assert runner.acceptances(organization=sakura, day=until + dt.timedelta(days=1)) == {}
    assert row.accepted_by == "鈴木太郎"


def test_an_acceptance_is_recorded_and_its_reason_only_committed_to(sakura, member):
    officer, _ = member("鈴木太郎", "chief-officer")
    accept(officer, sakura)
    event = Event.objects.get(name="finding:accept")
    assert "後任" not in bytes(event.payload).decode()


@pytest.mark.parametrize(
    "more",
    [
        {"reason": "  "},
        {"until": DAY - dt.timedelta(days=1)},
        {"until": DAY + operations.LONGEST + dt.timedelta(days=1)},
    ],
    ids=["no-reason", "past", "too-long"],
)
def test_an_acceptance_needs_a_reason_and_a_day_within_a_year(sakura, member, more):
    officer, _ = member("鈴木太郎", "chief-officer")
    with pytest.raises(UserError):
        accept(officer, sakura, **more)
    assert not Acceptance.objects.exists()
    assert not Event.objects.exists()


@pytest.mark.parametrize("until", [DAY, DAY + operations.LONGEST], ids=["today", "a year"])
def test_the_first_and_the_last_day_an_acceptance_may_end_on(sakura, member, until):
    officer, _ = member("鈴木太郎", "chief-officer")
    assert accept(officer, sakura, until=until).until == until


@pytest.mark.parametrize("role", [None, "audit-officer"])
def test_who_may_not_approve_may_not_accept(sakura, member, role):
    actor, _ = member("佐藤花子", *([role] if role else []))
    with pytest.raises(Refused):
        accept(actor, sakura)
    assert not Acceptance.objects.exists()


def test_views_and_log_ins_do_not_make_a_run_stale(sakura, operator):
    from kitei.trust.auditlog import events, vocabulary
    from kitei.trust.auditlog.log import Act, append

    def record(name, outcome="ok"):
        decision = {"allowed": outcome == "ok", "reasons": ["face:cli"]}
        act = Act(name, operator.ref, ("document", "1"), outcome=outcome, decision=decision)
        return transactions.durable(lambda: append(organization=sakura, act=act)).id

    assert runner.newest_event(organization=sakura) is None
    changed = record(events.MEMBERSHIP_CHANGED)
    record(events.LOGIN)
    record(events.REFUSED, "refused")
    for name in ("document:view", "document:download"):
        record(vocabulary.known().get(name) or vocabulary.EventName(name, "閲覧", "Viewed"))
    assert runner.newest_event(organization=sakura) == changed
