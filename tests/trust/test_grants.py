"""Operations on rights: folders and their closure, the second person, bundles, emergencies, reviews."""

from __future__ import annotations

import datetime as dt
import json
import uuid

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from kitei.foundation import clock, transactions
from kitei.foundation.text import UserError
from kitei.trust.access import applications, emergencies, folders, grants, reviews, rule
from kitei.trust.access.grants import Terms
from kitei.trust.access.models import Deny, Folder, FolderLink, Grant, Membership
from kitei.trust.access.operations import root_folder
from kitei.trust.access.rule import Actor, Refused
from kitei.trust.auditlog.models import Event

pytestmark = pytest.mark.django_db
LAST = clock.start_of(dt.date(2026, 12, 31))


def do(function, **more):
    return transactions.durable(lambda: function(**more))


def terms(principal, **more):
    return Terms(**{"principal": principal, "actions": ("view",), "scope": "all", "reason": "担当", **more})


def names():
    return list(Event.objects.order_by("id").values_list("name", flat=True))


@pytest.fixture
def officer_actor(member):
    return member("佐藤 恵子", "security-officer")[0]


@pytest.fixture
def plain(member):
    return member("田中 一郎")[0]


# Folders


@settings(max_examples=25, deadline=None, suppress_health_check=list(HealthCheck))
@given(st.lists(st.tuples(st.booleans(), st.integers(0, 9), st.integers(0, 9)), min_size=1, max_size=14))
def test_the_closure_is_what_walking_the_parents_gives(sakura, operator, steps):
    with_rollback = transactions.transaction.atomic()
    with_rollback.__enter__()
    try:
        made = [root_folder(organization=sakura)]
        for number, (make, first, second) in enumerate(steps):
            one, other = made[first % len(made)], made[second % len(made)]
            try:
                if make:
                    made.append(
                        folders.make_folder(actor=operator, organization=sakura, name=f"F{number}", parent=one.pk)
                    )
                else:
                    folders.move_folder(actor=operator, organization=sakura, folder=one.pk, parent=other.pk)
            except UserError:
                pass
        parents = dict(Folder.objects.values_list("pk", "parent"))
        expected = set()
        for key in parents:
            above = key
            while above is not None:
                expected.add((above, key))
                above = parents[above]
        assert set(FolderLink.objects.values_list("ancestor", "descendant")) == expected
    finally:
        transactions.transaction.set_rollback(True)
        with_rollback.__exit__(None, None, None)


def test_folders_are_found_and_made_by_path(sakura, operator):
    found = do(
        folders.at_paths, actor=operator, organization=sakura, wanted=["契約／医療機関", "契約/委託先", "", "全体／契約"],
        decision={"allowed": True, "reasons": ["member"]},
    )  # fmt: skip
    paths = folders.paths(organization=sakura)
    assert [paths[found[path]] for path in ("契約／医療機関", "契約/委託先", "", "全体／契約")] == [
        "契約／医療機関", "契約／委託先", "全体", "契約",
    ]  # fmt: skip
    assert names() == ["folder:make"] * 3
    with pytest.raises(UserError):
        folders.names_of("／".join("あ" * 3 for _ in range(13)))


@pytest.mark.parametrize("name", ["", "  ", "あ／い", "長" * 121])
def test_a_folder_has_a_proper_name(sakura, operator, name):
    with pytest.raises(UserError):
        do(folders.make_folder, actor=operator, organization=sakura, name=name)


# Grants and denies


def test_only_who_manages_rights_gives_them(sakura, plain, member, officer_actor):
    auditor = member("吉田 翔太", "audit-officer")[0]
    asked = terms(("member", str(plain.principal)))
    for actor in (plain, auditor):
        for act in (grants.grant, grants.deny):
            with pytest.raises(Refused):
                do(act, actor=actor, organization=sakura, terms=asked)
    bundle = do(grants.grant, actor=officer_actor, organization=sakura, terms=asked)
    with pytest.raises(Refused):
        do(grants.withdraw, actor=auditor, organization=sakura, effect="grant", bundle=bundle, reason="x")
    assert names() == ["access:grant"]
    said = json.loads(bytes(Event.objects.get().payload))
    assert "担当" not in json.dumps(said, ensure_ascii=False)
    assert said["commitments"].keys() == {"reason"}


@pytest.mark.parametrize(
    "wrong",
    [
        {"actions": ()},
        {"actions": ("read",)},
        {"reason": " "},
        {"principal": ("member", "")},
        {"principal": ("member", "sato")},
        {"principal": ("everyone", "x")},
        {"scope": "folder"},
        {"scope": "object", "register": "document"},
        {"scope": "register"},
        {"highest": 9},
        {"ends_at": clock.start_of(dt.date(2020, 1, 1))},
    ],
)
def test_terms_that_say_nothing_are_not_taken(sakura, operator, wrong):
    whole = {"principal": ("everyone", ""), **wrong}
    with pytest.raises(UserError):
        do(grants.grant, actor=operator, organization=sakura, terms=terms(**whole))
    assert not Grant.objects.exists()


def test_another_organizations_folder_is_no_place(sakura, operator, tsubaki, stranger):
    theirs = do(folders.make_folder, actor=stranger, organization=tsubaki, name="他社")
    with pytest.raises(UserError):
        do(
            grants.grant, actor=operator, organization=sakura,
            terms=terms(("everyone", ""), scope="folder", folder=theirs.pk),
        )  # fmt: skip
    with pytest.raises(Refused):
        do(grants.grant, actor=operator, organization=tsubaki, terms=terms(("everyone", "")))


def test_nobody_gives_rights_to_himself_while_another_could(sakura, officer_actor, member):
    member("鈴木 太郎", "system-administrator")
    for principal in (("member", str(officer_actor.principal)), ("role", "security-officer")):
        with pytest.raises(UserError, match="自分にかかわる"):
            do(grants.grant, actor=officer_actor, organization=sakura, terms=terms(principal), alone=True)
    assert do(grants.grant, actor=officer_actor, organization=sakura, terms=terms(("everyone", "")))


def test_alone_it_is_allowed_knowingly_a_day_later_and_told(sakura, officer_actor):
    mine = terms(("member", str(officer_actor.principal)))
    with pytest.raises(UserError, match="単独実施"):
        do(grants.grant, actor=officer_actor, organization=sakura, terms=mine)
    do(grants.grant, actor=officer_actor, organization=sakura, terms=mine, alone=True)
    row = Grant.objects.get()
    assert (row.source_kind, row.starts_at) == ("alone", clock.now() + dt.timedelta(hours=24))
    assert names() == ["access:grant", "access:alone"]
    soon = terms(mine.principal, ends_at=clock.now() + dt.timedelta(hours=3))
    with pytest.raises(UserError, match="終わりが"):
        do(grants.grant, actor=officer_actor, organization=sakura, terms=soon, alone=True)


def test_a_deny_about_oneself_is_not_lifted_by_oneself(sakura, officer_actor, operator, member):
    member("鈴木 太郎", "system-administrator")
    bundle = do(grants.deny, actor=operator, organization=sakura, terms=terms(("member", str(officer_actor.principal))))
    lift = {"organization": sakura, "effect": "deny", "bundle": bundle, "reason": "不要"}
    with pytest.raises(UserError, match="自分にかかわる"):
        do(grants.withdraw, actor=officer_actor, **lift)
    assert do(grants.withdraw, actor=operator, **lift) == 1
    with pytest.raises(UserError, match="もう取り消されています"):
        do(grants.withdraw, actor=operator, **lift)
    assert Deny.objects.get().voided_at


def test_rights_to_manage_rights_cannot_be_denied_to_everybody(sakura, operator):
    with pytest.raises(UserError):
        do(
            grants.deny, actor=operator, organization=sakura,
            terms=terms(("everyone", ""), actions=("manage",), scope="register", register="access"),
        )  # fmt: skip


# Requests


def ask(actor, organization, **more):
    asked = {"wanted": "K-1", "address": "", "reason": "監査", "until": dt.date(2026, 12, 1)}
    return do(applications.ask, actor=actor, organization=organization, **{**asked, **more})


@pytest.mark.parametrize(
    "wrong",
    [
        {"wanted": " "},
        {"reason": ""},
        {"until": dt.date(2026, 11, 21)},
        {"until": dt.date(2027, 11, 24)},
    ],
)
def test_a_request_says_what_why_and_until_when(sakura, plain, wrong):
    with pytest.raises(UserError):
        ask(plain, sakura, **wrong)
    assert ask(plain, sakura, until=clock.today()).state == "open"


def test_requests_are_for_people_and_not_without_end(sakura, plain, operator, tsubaki):
    with pytest.raises(Refused):
        ask(operator, sakura)
    with pytest.raises(Refused):
        ask(plain, tsubaki)
    for _ in range(applications.OPEN_AT_ONCE):
        ask(plain, sakura)
    with pytest.raises(UserError, match="多すぎます"):
        ask(plain, sakura)


def test_nobody_answers_ones_own_request_while_another_could(sakura, officer_actor, member):
    other = member("鈴木 太郎", "system-administrator")[0]
    row = ask(officer_actor, sakura)
    answer = {
        "organization": sakura,
        "request_id": row.pk,
        "terms": terms(("member", ""), ends_at=LAST),
        "answer": "可",
    }
    with pytest.raises(UserError, match="自分にかかわる"):
        do(applications.approve, actor=officer_actor, alone=True, **answer)
    do(applications.approve, actor=other, **answer)
    assert Grant.objects.get().principal_id == str(officer_actor.principal)


def test_an_approval_has_an_end(sakura, officer_actor, plain):
    row = ask(plain, sakura)
    with pytest.raises(UserError, match="期限"):
        do(
            applications.approve, actor=officer_actor, organization=sakura, request_id=row.pk,
            terms=terms(("member", "")),
        )  # fmt: skip
    assert not Grant.objects.exists()


# Emergencies


@pytest.mark.parametrize("hours", [0, 9, -1])
def test_an_emergency_has_one_to_eight_hours(sakura, plain, hours):
    with pytest.raises(UserError):
        do(emergencies.begin, actor=plain, organization=sakura, reason="障害", number="K-1", hours=hours)


def test_only_people_with_an_open_account_break_the_glass(sakura, plain, operator, tsubaki):
    closed = Actor("member", plain.id, sakura, principal=plain.principal, active=False)
    nobody = Actor("member", plain.id, sakura, principal=None)
    for actor in (operator, closed, nobody):
        with pytest.raises(Refused):
            do(emergencies.begin, actor=actor, organization=sakura, reason="障害", number="K-1")
    with pytest.raises(Refused):
        do(emergencies.begin, actor=plain, organization=tsubaki, reason="障害", number="K-1")


def test_an_emergency_ends_by_itself_and_a_deny_still_wins(sakura, plain, operator):
    place = do(folders.make_folder, actor=operator, organization=sakura, name="契約")
    target = rule.Target("document", str(uuid.uuid4()), sakura, place.pk, 3)
    row = do(emergencies.begin, actor=plain, organization=sakura, reason="障害", folder=place.pk, hours=8)
    assert rule.decide(plain, rule.DOWNLOAD, target).allowed
    assert not rule.decide(plain, rule.EDIT, target).allowed
    assert not rule.decide(plain, rule.VIEW, target, at=row.ends_at).allowed, "at the end it is over"
    assert rule.decide(plain, rule.VIEW, target, at=row.ends_at - dt.timedelta(seconds=1)).allowed
    do(
        grants.deny, actor=operator, organization=sakura,
        terms=terms(("member", str(plain.principal)), actions=("view",), scope="folder", folder=place.pk),
    )  # fmt: skip
    assert not rule.decide(plain, rule.VIEW, target).allowed
    assert names()[:3] == ["folder:make", "access:grant", "access:break-glass"]


def test_ones_own_emergency_is_reviewed_by_another_or_alone_a_day_later(sakura, officer_actor, member):
    row = do(emergencies.begin, actor=officer_actor, organization=sakura, reason="障害", number="K-1")
    done = {"organization": sakura, "identity": row.pk, "outcome": "justified", "note": "記録と合う"}
    with pytest.raises(UserError, match="24時間"):
        do(emergencies.review, actor=officer_actor, alone=True, **done)
    auditor = member("吉田 翔太", "audit-officer")[0]
    with pytest.raises(UserError, match="自分にかかわる"):
        do(emergencies.review, actor=officer_actor, alone=True, **done)
    do(emergencies.review, actor=auditor, **done)
    with pytest.raises(UserError, match="もう確認"):
        do(emergencies.review, actor=auditor, **done)


def test_officers_get_a_letter_that_names_no_document(sakura, plain, officer_actor, settings, mailoutbox):
    from kitei.foundation.jobs.models import Job
    from kitei.foundation.mail import outbox

    settings.EMAIL_BACKEND = "django.core.mail.backends.locmem.EmailBackend"
    do(emergencies.begin, actor=plain, organization=sakura, reason="夜間の障害", number="K-77")
    for job in Job.objects.filter(kind=outbox.KIND):
        outbox.deliver(job)
    assert len(mailoutbox) == 1
    assert "田中 一郎" in mailoutbox[0].body
    assert "K-77" not in mailoutbox[0].body
    assert "夜間の障害" not in mailoutbox[0].body


# Reviews


def test_a_review_keeps_changes_and_removes(sakura, operator, plain):
    bundle = do(
        grants.grant, actor=operator, organization=sakura,
        terms=terms(("member", str(plain.principal)), actions=("list", "view")),
    )  # fmt: skip
    do(reviews.review, actor=operator, organization=sakura, bundle=bundle, outcome="keep")
    assert Grant.objects.filter(voided_at=None).count() == 2
    with pytest.raises(UserError, match="理由"):
        do(reviews.review, actor=operator, organization=sakura, bundle=bundle, outcome="remove")
    do(reviews.review, actor=operator, organization=sakura, bundle=bundle, outcome="change", note="下げる", highest=1)
    left = Grant.objects.filter(voided_at=None)
    assert set(left.values_list("highest", "source_kind")) == {(1, "review")}
    new = left.first().source_id
    do(reviews.review, actor=operator, organization=sakura, bundle=new, outcome="remove", note="異動")
    assert not Grant.objects.filter(voided_at=None).exists()
    assert Grant.objects.count() == 4, "nothing is deleted"


def test_ones_own_grant_is_not_kept_by_oneself(sakura, operator, officer_actor):
    bundle = do(
        grants.grant, actor=operator, organization=sakura, terms=terms(("member", str(officer_actor.principal)))
    )
    with pytest.raises(UserError, match="ほかの責任者"):
        do(reviews.review, actor=officer_actor, organization=sakura, bundle=bundle, outcome="keep")
    do(
        reviews.review, actor=officer_actor, organization=sakura, bundle=bundle, outcome="remove", note="もう要らない"
    )  # one may always give up a right


def test_memberships_of_other_kinds_give_no_role(sakura, plain):
    Membership.objects.create(
        organization=sakura, principal=plain.principal, kind="department", role="security-officer",
        starts_at=clock.start_of(dt.date(2020, 1, 1)), source_kind="department", source_id=uuid.uuid4(),
        recorded_at=clock.now(),
    )  # fmt: skip
    assert rule.roles_of(plain) == {}
    assert not rule.decide(plain, rule.EDIT, rule.Target("document", organization=sakura)).allowed
