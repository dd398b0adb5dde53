from __future__ import annotations

import dataclasses
import datetime as dt
import json
import uuid

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from kitei.foundation import clock, transactions
from kitei.registers.people.models import Department
from kitei.trust.access import operations, rule
from kitei.trust.access.models import Membership
from kitei.trust.access.operations import MembershipFacts
from kitei.trust.access.roles import AUDIT_OFFICER, EDITORS, OFFICERS, PRIVACY_OFFICER, ROLES
from kitei.trust.access.rule import Actor, Refused, Target
from kitei.trust.auditlog.models import Event, Opening

ADMIN = "system-administrator"
READING, WRITING = (rule.LIST, rule.VIEW), (rule.EDIT, rule.APPROVE, rule.MANAGE)


def allowed(actor, action, target, **options):
    return rule.decide(actor, action, target, **options).allowed


def hold(actor, role, starts_at, ends_at=None):
    return Membership.objects.create(
        organization=actor.organization,
        principal=actor.principal,
        role=role,
        starts_at=starts_at,
        ends_at=ends_at,
        source_kind="appointment",
        source_id=uuid.uuid4(),
        recorded_at=min(starts_at, clock.now()),
    )


def test_members_read_and_officers_write(sakura, member):
    target = Target("document", organization=sakura)
    hanako, _ = member("佐藤花子")
    taro, _ = member("鈴木太郎", ADMIN)
    for action in READING:
        assert allowed(hanako, action, target)
        assert allowed(taro, action, target)
    for action in (*WRITING, rule.DOWNLOAD, rule.PRINT):
        assert not allowed(hanako, action, target)
        assert allowed(taro, action, target)


def test_the_auditor_takes_out_but_does_not_change_what_he_audits(sakura, member):
    auditor, _ = member("高橋監査", AUDIT_OFFICER.code)
    target = Target("document", organization=sakura)
    assert allowed(auditor, rule.DOWNLOAD, target)
    assert allowed(auditor, rule.PRINT, target)
    for action in WRITING:
        assert not allowed(auditor, action, target)


@pytest.mark.parametrize("action", rule.ACTIONS)
def test_nothing_of_another_organization_is_allowed_to_anybody(sakura, tsubaki, member, action):
    officer, _ = member("鈴木太郎", *sorted(ROLES))
    target = Target("document", "1", organization=tsubaki)
    for actor in (officer, Actor("cli", "root", sakura), Actor("worker", "1", sakura)):
        decision = rule.decide(actor, action, target)
        assert (decision.allowed, decision.reasons) == (False, ("other-organization",))


@pytest.mark.parametrize("action", rule.ACTIONS)
@pytest.mark.parametrize("kind", ["guest", "stranger", ""])
def test_who_is_no_member_is_refused(sakura, action, kind):
    assert not allowed(Actor(kind, "x", sakura), action, Target("document", organization=sakura))


def test_a_closed_account_is_refused_even_with_an_office(sakura, member):
    officer, _ = member("鈴木太郎", ADMIN)
    closed = Actor("member", officer.id, sakura, officer.label, officer.principal, active=False)
    assert not allowed(closed, rule.VIEW, Target("document", organization=sakura))


def test_an_office_begins_and_ends_at_midnight_of_tokyo(sakura, member):
    actor, _ = member("鈴木太郎")
    first, last = clock.start_of(dt.date(2026, 4, 1)), clock.start_of(dt.date(2026, 10, 1))
    hold(actor, ADMIN, first, last)
    second = dt.timedelta(seconds=1)
    target = Target("document", organization=sakura)
    assert not allowed(actor, rule.EDIT, target, at=first - second)
    assert allowed(actor, rule.EDIT, target, at=first)
    assert allowed(actor, rule.EDIT, target, at=last - second)
    assert not allowed(actor, rule.EDIT, target, at=last)
    with clock.at(dt.datetime(2026, 3, 31, 15, 0, tzinfo=dt.UTC)):
        assert allowed(actor, rule.EDIT, target)
    with clock.at(dt.datetime(2026, 3, 31, 14, 59, tzinfo=dt.UTC)):
        assert not allowed(actor, rule.EDIT, target)


def test_a_voided_membership_counts_no_more(sakura, member):
    actor, _ = member("鈴木太郎")
    row = hold(actor, ADMIN, clock.start_of(dt.date(2026, 4, 1)))
    Membership.objects.filter(id=row.id).update(voided_at=clock.now())
    assert rule.roles_of(actor) == {}
    assert not allowed(actor, rule.EDIT, Target("document", organization=sakura))


def test_a_past_decision_counts_what_was_known_then(sakura, member):
    actor, _ = member("鈴木太郎")
    may, told, withdrawn = (clock.start_of(dt.date(2026, month, 1)) for month in (5, 7, 9))
    row = hold(actor, ADMIN, clock.start_of(dt.date(2026, 4, 1)))
    Membership.objects.filter(id=row.id).update(recorded_at=told, voided_at=withdrawn)
    target = Target("document", organization=sakura)
    assert not allowed(actor, rule.EDIT, target, at=may), "registered late: nobody knew yet"
    assert allowed(actor, rule.EDIT, target, at=told)
    assert allowed(actor, rule.EDIT, target, at=withdrawn - dt.timedelta(seconds=1))
    assert not allowed(actor, rule.EDIT, target, at=withdrawn)


def test_a_membership_counts_only_in_its_own_organization(sakura, tsubaki, member):
    actor, _ = member("鈴木太郎", ADMIN)
    elsewhere = Actor("member", actor.id, tsubaki, actor.label, actor.principal)
    assert rule.roles_of(elsewhere) == {}
    assert not allowed(elsewhere, rule.EDIT, Target("document", organization=tsubaki))


def test_the_first_administrator_sets_kitei_up_until_an_office_is_held(sakura, tsubaki, member):
    _, user = member("最初の管理者")
    first = Actor("member", str(user.id), sakura, user.name, None, administrator=True)
    target = Target("document", organization=sakura)
    assert rule.decide(first, rule.EDIT, target).reasons == ("first-set-up",)
    plain = Actor("member", str(user.id), sakura, user.name, None)
    assert not allowed(plain, rule.EDIT, target)
    member("鈴木太郎", ADMIN)
    assert not allowed(first, rule.EDIT, target)


def test_an_officer_who_cannot_log_in_yet_does_not_end_the_set_up(sakura, member):
    _, user = member("最初の管理者")
    first = Actor("member", str(user.id), sakura, user.name, None, administrator=True)
    _, officer = member("鈴木太郎", ADMIN)
    officer.set_unusable_password()
    officer.save()
    assert allowed(first, rule.EDIT, Target("document", organization=sakura))
    officer.set_password("tsukushi-no-michi-2026")
    officer.save()
    assert not allowed(first, rule.EDIT, Target("document", organization=sakura))


def test_what_was_decided_at_the_start_holds_for_that_act_and_organization_only(sakura, tsubaki, member):
    actor, _ = member("佐藤花子")
    carried = dataclasses.replace(actor, permits=frozenset({rule.EDIT}))
    assert allowed(carried, rule.EDIT, Target("document", organization=sakura))
    assert not allowed(carried, rule.APPROVE, Target("document", organization=sakura))
    assert not allowed(carried, rule.EDIT, Target("document", organization=tsubaki))


def test_a_decision_names_what_decided_it(sakura, member):
    actor, _ = member("鈴木太郎", ADMIN, PRIVACY_OFFICER.code)
    rows = {row.role: row.id for row in Membership.objects.all()}
    decision = rule.decide(actor, rule.EDIT, Target("document", organization=sakura))
    assert set(decision.reasons) == {f"membership:{key}" for key in rows.values()}
    assert decision.roles == {ADMIN, PRIVACY_OFFICER.code}
    nobody, _ = member("佐藤花子")
    refusal = rule.decide(nobody, rule.EDIT, Target("document", organization=sakura))
    assert refusal.reasons == ("no-role", *(f"needs:{role}" for role in sorted(EDITORS)))


def test_an_unknown_action_is_a_mistake_not_a_permission(sakura):
    with pytest.raises(ValueError, match="unknown action"):
        rule.decide(Actor("cli", "root", sakura), "borrow", Target("document", organization=sakura))


def test_every_role_has_both_titles_and_one_may_not_edit():
    assert {AUDIT_OFFICER.code} == OFFICERS - EDITORS
    assert all(role.ja and role.en and role.topic for role in ROLES.values())


@settings(max_examples=40, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    kind=st.sampled_from(["member", "cli", "worker", "guest"]),
    roles=st.sets(st.sampled_from(sorted(ROLES))),
    action=st.sampled_from(rule.ACTIONS),
    active=st.booleans(),
    mine=st.booleans(),
)
def test_what_a_list_shows_is_what_the_point_check_allows(sakura, tsubaki, kind, roles, action, active, mine):
    Department.objects.all().delete()
    Membership.objects.all().delete()
    for organization in (sakura, tsubaki):
        Department.objects.create(organization=organization, code=organization.code)
    home = sakura if mine else tsubaki
    actor = Actor(kind, "x", home, "", uuid.uuid4(), active=active)
    for role in roles:
        hold(actor, role, clock.start_of(dt.date(2020, 4, 1)))
    shown = set(rule.visible(actor, Department.objects.all(), action))
    reached = {
        row
        for row in Department.objects.select_related("organization")
        if allowed(actor, action, Target("people.department", str(row.id), organization=row.organization))
    }
    assert shown == reached


def test_a_refusal_is_recorded_though_what_it_stopped_is_undone(sakura, member):
    actor, _ = member("佐藤花子")
    target = Target("document", "42", organization=sakura)

    def work():
        Department.objects.create(organization=sakura, code="途中まで")
        rule.require(actor, rule.EDIT, target)

    with pytest.raises(Refused) as refused:
        transactions.durable(work)
    operations.record_refusal(refused=refused.value, path="/registers/document/?q=秘密")
    assert not Department.objects.filter(code="途中まで").exists()
    event = Event.objects.get()
    payload = json.loads(bytes(event.payload))
    assert (event.name, event.outcome, payload["object"], payload["data"]) == (
        "access:refuse",
        "refused",
        ["document", "42"],
        {"action": "edit"},
    )
    assert payload["decision"]["allowed"] is False
    assert "秘密" not in bytes(event.payload).decode()
    assert Opening.objects.get().value == "/registers/document/?q=秘密"


def test_require_answers_with_the_decision_or_refuses(sakura, member):
    officer, _ = member("鈴木太郎", ADMIN)
    nobody, _ = member("佐藤花子")
    target = Target("document", organization=sakura)
    assert rule.require(officer, rule.EDIT, target).allowed
    with pytest.raises(Refused) as refused:
        rule.require(nobody, rule.EDIT, target)
    assert (refused.value.actor, refused.value.action, refused.value.target) == (nobody, "edit", target)


def test_memberships_follow_their_sources(sakura, member, operator):
    actor, _ = member("鈴木太郎")
    old, new = uuid.uuid4(), uuid.uuid4()
    start = clock.start_of(dt.date(2026, 4, 1))

    def replace(void, facts):
        transactions.durable(
            lambda: operations.replace_memberships(
                actor=operator, organization=sakura, source_kind="appointment", void_sources=void, facts=facts
            )
        )

    replace([], [MembershipFacts(actor.principal, ADMIN, start, None, deputy=False, source_id=old)])
    assert set(rule.roles_of(actor)) == {ADMIN}
    replace([old], [MembershipFacts(actor.principal, PRIVACY_OFFICER.code, start, None, deputy=False, source_id=new)])
    assert set(rule.roles_of(actor)) == {PRIVACY_OFFICER.code}
    assert Membership.objects.count() == 2, "the withdrawn one stays, voided"
    assert Event.objects.filter(name="membership:change").count() == 2


def test_an_organization_has_one_root_folder(sakura, tsubaki):
    first = transactions.durable(lambda: operations.root_folder(organization=sakura))
    assert transactions.durable(lambda: operations.root_folder(organization=sakura)) == first
    assert transactions.durable(lambda: operations.root_folder(organization=tsubaki)) != first
