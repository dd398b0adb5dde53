"""Who gains and loses by a grant or a deny: exact for everybody, asked once per standing, for every register."""

from __future__ import annotations

import uuid

import pytest

from kitei.foundation import clock, transactions
from kitei.foundation.tenancy.ids import uuid7
from kitei.registers.documents import operations as documents
from kitei.registers.documents.models import DocumentState
from kitei.registers.people import operations as people
from kitei.registers.people.models import DepartmentState
from kitei.trust.access import grants, previews, rule
from kitei.trust.access.grants import Terms
from kitei.trust.access.models import Folder, Membership
from kitei.trust.access.rule import Actor, Refused
from kitei.trust.accounts.models import User

pytestmark = pytest.mark.django_db
SALES = str(uuid.uuid4())
CODES = {"K-1": "internal", "K-2": "restricted", "K-3": "secret"}


def registers():
    return {
        "document": DocumentState.objects.as_of(clock.today()),
        "department": DepartmentState.objects.as_of(clock.today()),
        "log": None,
    }


@pytest.fixture
def company(sakura, operator):
    """Forty people with accounts: thirty-five in 営業部, one of them an officer, and three documents in a folder."""

    def work():
        documents.documents.put(
            actor=operator, organization=sakura,
            rows={
                code: {
                    "code": code, "title": code, "kind": "contract", "kept_at": "paper", "place": "書庫",
                    "classification": level, "folder": "契約",
                }
                for code, level in CODES.items()
            },
        )  # fmt: skip
        people.departments.put(actor=operator, organization=sakura, rows={"D1": {"code": "D1", "name": "営業部"}})

    transactions.durable(work)
    keys = [uuid7() for _ in range(40)]
    User.objects.bulk_create(
        User(
            organization=sakura, email=f"{key}@sakura.example", name="", principal=key, created_at=clock.now(),
            password="md5$x$y",
        )
        for key in keys
    )  # fmt: skip
    held = [(key, "department", SALES) for key in keys[:35]] + [(keys[0], "role", "security-officer")]
    Membership.objects.bulk_create(
        Membership(
            organization=sakura, principal=key, kind=kind, role=code, starts_at=clock.now(), source_kind="x",
            source_id=uuid7(), recorded_at=clock.now(),
        )
        for key, kind, code in held
    )  # fmt: skip
    return sakura, keys


def terms(principal, **more):
    base = {"actions": ("list", "view"), "scope": "folder", "folder": Folder.objects.get(name="契約").pk}
    return Terms(**{"principal": principal, "reason": "担当", **base, **more})


def look(operator, organization, asked, effect="grant"):
    return previews.preview(
        actor=operator, organization=organization, terms=asked, effect=effect, registers=registers()
    )


def seen(organization, key):
    actor = Actor("member", "", organization, principal=key)
    return rule.visible(actor, DocumentState.objects.as_of(clock.today()), rule.VIEW).count()


def test_everybody_is_counted_and_the_first_thirty_are_named(company, operator, django_assert_max_num_queries):
    organization, _keys = company
    with django_assert_max_num_queries(40):
        found = look(operator, organization, terms(("department", SALES)))
    assert (found.people, found.changed, len(found.effects), found.others) == (35, 34, 30, 4), "the officer sees all"
    assert {dict(one.registers)["document"] for one in found.effects} == {2}


@pytest.mark.parametrize("effect", ["grant", "deny"])
@pytest.mark.parametrize("principal", [("everyone", ""), ("department", SALES), ("role", "security-officer")])
def test_the_preview_says_what_then_happens(company, operator, effect, principal):
    organization, keys = company
    mine = Terms(("member", str(keys[3])), ("view",), "register", "担当", register="document")
    theirs = Terms(("member", str(keys[4])), ("view",), "folder", "異動", folder=terms(principal).folder)

    def before():
        grants.grant(actor=operator, organization=organization, terms=mine)
        grants.deny(actor=operator, organization=organization, terms=theirs)

    transactions.durable(before)
    asked = terms(principal, highest=2)
    found = look(operator, organization, asked, effect)
    then = {key: seen(organization, key) for key in keys}
    act = grants.grant if effect == "grant" else grants.deny
    transactions.durable(lambda: act(actor=operator, organization=organization, terms=asked))
    differences = {key: abs(seen(organization, key) - then[key]) for key in keys}
    assert found.changed == sum(1 for number in differences.values() if number)
    assert all(differences[one.principal] == one.rows for one in found.effects)
    if not found.others:
        assert sorted(one.rows for one in found.effects) == sorted(filter(None, differences.values()))


def test_other_registers_are_looked_at_too(company, operator):
    organization, keys = company
    person = ("member", str(keys[39]))
    whole = look(operator, organization, terms(person, scope="register", register="department", folder=None), "deny")
    assert [dict(one.registers) for one in whole.effects] == [{"department": 1}]
    every = look(operator, organization, terms(person, scope="all", folder=None, actions=("edit",)))
    assert (every.action, [dict(one.registers) for one in every.effects]) == (
        "edit",
        [{"document": 3, "department": 1}],
    )
    log = look(operator, organization, terms(person, scope="register", register="log", folder=None))
    assert [dict(one.registers) for one in log.effects] == [{"log": 1}]
    officer = ("member", str(keys[0]))
    assert look(operator, organization, terms(officer, scope="register", register="log", folder=None)).changed == 0
    assert look(operator, organization, terms(person, scope="all", folder=None)).effects[0].registers == {
        "document": 2
    }, "全体 does not reach 操作記録, and lists are open already"


def test_who_may_not_give_rights_sees_no_preview(company, member):
    organization, _keys = company
    with pytest.raises(Refused):
        look(member("田中 一郎")[0], organization, terms(("everyone", "")))
