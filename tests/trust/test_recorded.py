"""What the log says and what it never says: its words, its limits, decisions, refusals that survive, strangers counted."""

from __future__ import annotations

import ast
import datetime as dt
import importlib
import json
import uuid

import pytest
from django.db import DatabaseError, connection
from django.utils import translation

from house.floors import SOURCE
from kitei.engine.checks import operations as checks
from kitei.foundation import clock, transactions
from kitei.registers.people import operations as people
from kitei.trust.access import operations as access
from kitei.trust.access import rule, strangers
from kitei.trust.access.models import Membership, StrangerCount
from kitei.trust.access.operations import MembershipFacts
from kitei.trust.auditlog import events, log, vocabulary
from kitei.trust.auditlog.log import Act, append, append_many, by_digest
from kitei.trust.auditlog.models import Event, Opening
from kitei_verify import canonical

HANAKO = ("member", "0192")
YES = {"allowed": True, "reasons": ["member"]}
# Declared for a room that is not written yet. Nothing may stay here when issue 3 is closed.
AWAITED: set[str] = set()


def every_module():
    for path in sorted(SOURCE.rglob("events.py")):
        yield path, importlib.import_module(".".join(("kitei", *path.relative_to(SOURCE).with_suffix("").parts)))


def put(act, organization):
    return transactions.durable(lambda: append(organization=organization, act=act))


def payload(event):
    return json.loads(bytes(event.payload))


# The vocabulary


def test_every_word_of_the_log_has_both_labels():
    names = {name for _path, module in every_module() for name in vars(module)}
    assert "LOGIN" in names
    words = [*vocabulary.known().values(), *vocabulary.OUTCOMES.values(), *vocabulary.kinds().values()]
    words += vocabulary.reasons().values()
    words += [field for event in vocabulary.known().values() for field in (*(event.data or ()), *event.private)]
    for word in words:
        assert word.ja.strip(), word
        assert not word.ja.isascii(), word
        assert word.en.strip(), word
        assert word.en.isascii(), word
    for event in vocabulary.known().values():
        assert event.when[0], f"{event} does not say when it is recorded"
        assert event.when[1].isascii(), event
        assert event.when[1], event


def test_every_declared_event_is_used_somewhere():
    constants = [
        (name, value.name)
        for _path, module in every_module()
        for name, value in vars(module).items()
        if isinstance(value, vocabulary.EventName)
    ]
    used = set()
    for path in SOURCE.rglob("*.py"):
        if path.name == "events.py":
            continue
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            if isinstance(node, ast.Attribute):
                used.add(node.attr)
            elif isinstance(node, ast.Name):
                used.add(node.id)
            elif isinstance(node, ast.ImportFrom):
                used |= {alias.name for alias in node.names}
    idle = {event for constant, event in constants if constant not in used}
    assert idle <= AWAITED, "declared and used nowhere"
    assert {event for _constant, event in constants} == set(vocabulary.known())


def test_labels_come_in_the_readers_language_and_unknown_words_stay():
    assert vocabulary.event_label("session:login") == "ログイン"
    assert vocabulary.event_label("document:put", "failed") == "文書を登録・変更（失敗）"
    assert vocabulary.kind_label("member") == "構成員"
    assert vocabulary.reason_label("needs:audit-officer") == "必要な役割：監査責任者"
    assert vocabulary.reason_label("face:cli") == "コンソールの利用者であるため"
    with translation.override("en"):
        assert vocabulary.event_label("session:login") == "Logged in"
        assert vocabulary.outcome_label("refused") == "Refused"
        assert vocabulary.reason_label("needs:audit-officer") == "Office needed: Audit officer"
        assert vocabulary.reason_label("follows:appointment") == "Follows from an appointment"
        assert vocabulary.kind_label("document") == "Document"
    for word in ("no-such-word", "no-such:word"):
        assert vocabulary.reason_label(word) == vocabulary.kind_label(word) == vocabulary.event_label(word) == word
    assert events.LOGIN_FAILED.field_label("reason") == "理由"
    assert events.LOGIN.full("ok") == "session:login"
    assert events.LOGIN.full("failed") == "session:login:failed"


def test_every_reason_that_the_source_gives_has_a_label():
    given = set()
    for path in SOURCE.rglob("*.py"):
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            if isinstance(node, ast.keyword) and node.arg == "reasons":
                given |= {item.value for item in ast.walk(node.value) if isinstance(item, ast.Constant) and item.value}
    # What a permit of a standard right says is not written next to "reasons": the rule puts it together.
    given |= {"member", "membership:1", "grant:1", "deny:1"}
    assert {"no-role", "no-visible-row", "classification", "needs-class:"} <= given
    for reason in given:
        assert vocabulary.reason_label(str(reason)) != str(reason), reason


@pytest.mark.parametrize(
    ("more", "told"),
    [
        ({"outcome": "okay"}, "unknown outcome"),
        ({"data": {"mail": "x"}}, "does not declare"),
        ({"private": {"mail": "x"}}, "does not declare"),
        ({"decision": {}}, "which decision"),
    ],
)
def test_what_no_room_declared_is_not_appended(sakura, more, told):
    act = Act(
        **{"name": events.ADMINISTRATOR_INVITED, "actor": HANAKO, "object": ("account", "1"), "decision": YES, **more}
    )
    with pytest.raises(ValueError, match=told):
        put(act, sakura)
    assert not Event.objects.exists()


# Limits and commitments


def test_a_large_value_is_given_by_its_digest(sakura):
    long = "長い文" * 10_000
    found = by_digest(long)
    assert found == by_digest(long.encode())
    assert found["bytes"] == 90_000
    assert by_digest({"b": 1, "a": [2]}) == by_digest(b'{"a":[2],"b":1}')
    name = vocabulary.EventName("test:large", "大きなもの", "Something large", data=None, decided=False)
    put(Act(name, HANAKO, ("account", "1"), data={"text": found}), sakura)
    with pytest.raises(canonical.NotCanonicalError, match="by digest"):
        put(Act(name, HANAKO, ("account", "1"), data={"text": long}), sakura)


def test_no_length_of_typing_makes_an_event_too_large(sakura, member, operator):
    actor, _ = member("佐藤 花子")
    target = rule.Target("finding", "高" * 50_000, sakura)
    refused = rule.Refused(actor, rule.APPROVE, target, rule.decide(actor, rule.APPROVE, target))
    assert access.record_refusal(refused=refused, path="/" + "あ" * 50_000)
    acceptance = {"finding": "people.x:member:" + "長" * 180, "reason": "理" * 50_000, "until": clock.today()}
    transactions.durable(lambda: checks.accept_finding(actor=operator, organization=sakura, **acceptance))
    assert [event.name for event in Event.objects.order_by("id")] == ["access:refuse", "finding:accept"]
    assert all(len(bytes(event.payload)) < 2000 for event in Event.objects.all())


@pytest.mark.parametrize("typed", ["nul\x00byte", "half \ud800 character", "か\u3099"])
def test_text_that_a_database_or_a_verifier_could_not_keep_is_made_fit_before_it_is_committed_to(sakura, typed):
    put(
        Act(events.LOGIN_FAILED, ("stranger", ""), ("account", ""), outcome="refused", private={"typed": typed}), sakura
    )
    opening, said = Opening.objects.get(), payload(Event.objects.get())["commitments"]["typed"]
    assert canonical.commit("typed", opening.value, bytes(opening.salt))[1] == said


@pytest.mark.parametrize(
    "typed", ["sato-taro", "sato@sakura.example", "09012345678", "people.x:member:0192", "yamada/hanako"]
)
def test_what_was_typed_instead_of_an_id_is_not_in_the_event(sakura, member, typed):
    actor, _ = member("佐藤 花子")
    target = rule.Target("finding", typed, sakura)
    access.record_refusal(refused=rule.Refused(actor, rule.VIEW, target, rule.decide(actor, rule.APPROVE, target)))
    assert typed.encode() not in bytes(Event.objects.get().payload)
    assert Opening.objects.get().value == typed


# Decisions


def test_an_event_says_what_allowed_it_and_which_rule_decided(sakura, member):
    actor, _ = member("鈴木 太郎", "system-administrator")
    rows = {f"D{number}": {"code": f"D{number}", "name": "開発部"} for number in range(3)}
    transactions.durable(lambda: people.departments.put(actor=actor, organization=sakura, rows=rows))
    held = Membership.objects.get()
    for event in Event.objects.all():
        said = payload(event)
        assert said["decision"] == {"allowed": True, "reasons": [f"membership:{held.id}"]}
        assert said["policy"] == rule.policy_version()
        canonical.encode(said)


def test_what_was_decided_at_the_start_says_why(sakura, member):
    actor, _ = member("鈴木 太郎", "system-administrator")
    editor = rule.decided_once(actor, rule.EDIT, rule.Target("register", organization=sakura))
    decision = rule.require(editor, rule.EDIT, rule.Target("department", organization=sakura))
    assert decision.reasons == ("decided-at-start", f"membership:{Membership.objects.get().id}")


def test_the_policy_version_follows_the_tables(monkeypatch):
    before = rule.policy_version()
    assert len(before) == 16
    assert before == rule.policy_version()
    monkeypatch.setattr(rule, "STANDARDS", rule.STANDARDS[1:])
    assert rule.policy_version() != before
    monkeypatch.undo()
    monkeypatch.setattr(rule, "VERSION", rule.VERSION + 1)
    assert rule.policy_version() != before


@pytest.mark.parametrize("action", [rule.LIST, rule.VIEW, rule.DOWNLOAD])
def test_only_officers_and_the_console_read_the_log(sakura, tsubaki, member, operator, action):
    ordinary, _ = member("田中 一郎")
    auditor, _ = member("吉田 翔太", "audit-officer")
    target = rule.Target("log", organization=sakura)
    assert not rule.decide(ordinary, action, target).allowed
    assert rule.decide(auditor, action, target).allowed
    assert rule.decide(operator, action, target).allowed
    assert not rule.decide(auditor, action, rule.Target("log", organization=tsubaki)).allowed
    put(Act(events.LOGIN, HANAKO, ("account", "1")), sakura)
    assert not rule.visible(ordinary, Event.objects.all(), rule.LIST).exists()
    assert rule.visible(auditor, Event.objects.all(), rule.LIST).exists()
    assert rule.decide(ordinary, rule.VIEW, rule.Target("department", organization=sakura)).allowed


def test_rights_that_go_are_recorded_like_rights_that_come(sakura, member, operator):
    actor, _ = member("鈴木 太郎")
    source = uuid.uuid4()
    start = clock.start_of(dt.date(2026, 4, 1))
    facts = [MembershipFacts(actor.principal, "privacy-officer", start, None, deputy=False, source_id=source)]

    def replace(void, found):
        transactions.durable(
            lambda: access.replace_memberships(
                actor=operator, organization=sakura, source_kind="appointment", void_sources=void, facts=found
            )
        )

    replace([], facts)
    replace([source], [])
    replace([source], [])  # gone already: nothing happens, nothing is said
    names = list(Event.objects.order_by("id").values_list("name", flat=True))
    assert names == ["membership:change", "membership:withdraw"]
    assert payload(Event.objects.last())["decision"]["reasons"] == ["follows:appointment"]


def test_ten_thousand_rows_decide_once_and_stay_bulk(sakura, django_assert_max_num_queries):
    acts = [Act(people.events.DEPARTMENT_PUT, HANAKO, ("department", str(i)), decision=YES) for i in range(2000)]
    with django_assert_max_num_queries(12):
        transactions.durable(lambda: append_many(organization=sakura, acts=acts))


# Refusals


def test_a_refusal_stands_though_the_log_is_broken(sakura, member, monkeypatch, caplog):
    actor, _ = member("佐藤 花子")
    target = rule.Target("document", str(uuid.uuid4()), sakura)
    refused = rule.Refused(actor, rule.VIEW, target, rule.Decision(allowed=False, reasons=("no-visible-row",)))

    def full(*_args, **_more):
        raise DatabaseError("disk full")

    monkeypatch.setattr(log, "insert", full)
    assert access.record_refusal(refused=refused, path="/documents/秘密/") is False
    assert "a refusal could not be recorded: view document" in caplog.text
    assert "秘密" not in caplog.text


def test_what_cannot_be_recorded_raises_and_undoes_the_act(sakura, monkeypatch):
    def full(*_args, **_more):
        raise DatabaseError("disk full")

    monkeypatch.setattr(log, "insert", full)
    with pytest.raises(log.UnrecordedError):
        log.record(organization=sakura, act=Act(events.LOGIN, HANAKO, ("account", "1")))


# Strangers


@pytest.fixture(autouse=True)
def _nothing_counted():
    strangers._pending.take()
    strangers._pending.written_at = 0.0
    yield
    strangers._pending.take()


def count(number=1):
    for _ in range(number):
        strangers.count_stranger()


def test_strangers_are_one_event_an_hour_without_addresses(sakura, tsubaki):
    with clock.at(dt.datetime(2026, 11, 22, 3, 20, tzinfo=dt.UTC)):
        count(5)
        assert access.flush_strangers() == 0, "the hour is not over"
    with clock.at(dt.datetime(2026, 11, 22, 4, 1, tzinfo=dt.UTC)):
        assert access.flush_strangers() == 1
        assert access.flush_strangers() == 0
    event = Event.objects.get()
    said = payload(event)
    assert (event.name, event.organization, said["actor"]) == ("access:strangers", sakura, ["stranger", ""])
    assert said["data"] == {
        "count": 5,
        "from": "2026-11-22T03:00:00+00:00",
        "until": "2026-11-22T04:00:00+00:00",
    }
    assert not StrangerCount.objects.exists()


def test_a_flood_of_strangers_costs_hardly_any_writing(sakura, django_assert_max_num_queries):
    with django_assert_max_num_queries(12):
        count(2000)
    access.flush_strangers()
    assert StrangerCount.objects.get().count == 2000


def test_a_count_that_moved_meanwhile_is_told_once_and_whole(sakura, monkeypatch):
    with clock.at(dt.datetime(2026, 11, 22, 3, 20, tzinfo=dt.UTC)):
        count(3)
        access.flush_strangers()
    row = StrangerCount.objects.get()
    assert row.count == 3
    StrangerCount.objects.update(count=4)
    assert strangers._tell(row) == 0, "another worker's count: looked at again next time"
    with clock.at(dt.datetime(2026, 11, 22, 5, 0, tzinfo=dt.UTC)):
        assert access.flush_strangers() == 1
    assert payload(Event.objects.get())["data"]["count"] == 4


def test_counting_never_fails(sakura, monkeypatch, caplog):
    def away(_number):
        raise DatabaseError("gone")

    monkeypatch.setattr(strangers, "_add", away)
    count()
    assert "could not be counted" in caplog.text
    monkeypatch.undo()
    access.flush_strangers()
    assert StrangerCount.objects.get().count == 1


def test_without_an_organization_strangers_are_nobodys(db):
    count()
    assert access.flush_strangers() == 0
    assert not StrangerCount.objects.exists()


def test_two_counters_of_one_hour_share_a_row(committed_db, make_sakura):
    make_sakura()
    transactions.durable(lambda: strangers._add(2))
    transactions.durable(lambda: strangers._add(3))
    assert StrangerCount.objects.get().count == 5
    assert connection.in_atomic_block is False
