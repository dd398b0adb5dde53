"""The list filter in both shapes, the point check and a reference in plain Python agree (security.md §3.3)."""

from __future__ import annotations

import uuid

import pytest
from django.db.models import Count
from hypothesis import given
from rule_world import (
    ALL_WORLDS,
    GUARDED,
    HOUR,
    NOW,
    REGISTERS,
    THINGS,
    WORLDS,
    Fact,
    Ground,
    Holding,
    World,
    examples,
    reference,
)

from kitei.registers.documents.models import Document, DocumentState
from kitei.trust.access import rule
from kitei.trust.access.explain import explain
from kitei.trust.access.models import Membership

pytestmark = pytest.mark.django_db
FLAT = World(
    parents=(0, 0, 1, 3),
    documents=((0, 0), (1, 1), (2, 2), (3, 3), (4, 2), (4, 3)),
    holdings=(Holding(0, ("department", "S-01")), Holding(1, ("role", "system-administrator"))),
    facts=(
        Fact("grant", ("department", "S-01"), "view", ("folder", 1), highest=2),
        Fact("grant", ("member", str(uuid.UUID(int=1))), "view", ("document", 3)),
        Fact("deny", ("everyone", ""), "view", ("document", 1)),
    ),
)
"""The first person sees D-0 (社外秘 or below), D-3 (a grant on it) and D-4 (a grant on a folder above), not D-1 (denied)."""


@pytest.fixture
def ground(sakura, tsubaki):
    return Ground(sakura, tsubaki)


def check(ground, world):
    expected, registers = reference(world), reference(world, things=REGISTERS)
    with ground.holding(world) as placed:
        assert placed.lists("exists") == expected
        assert placed.lists("in") == expected
        assert placed.points(things=THINGS + REGISTERS) == expected | registers


@examples(25)
@given(world=WORLDS)
def test_every_shape_is_the_reference(world, ground):
    check(ground, world)


@pytest.mark.long
@pytest.mark.timeout(1800)
@examples(2000, shrunk=True)
@given(world=ALL_WORLDS)
def test_every_shape_is_the_reference_in_very_many_organizations(world, ground):
    check(ground, world)


@pytest.mark.parametrize("shape", ["exists", "in"])
def test_what_is_visible_can_be_used_like_any_list(shape, ground):
    every = DocumentState.objects.all()
    with ground.holding(FLAT) as placed:
        actor, second = placed.actor(0), placed.actor(1)
        rows = rule.visible(actor, every, shape=shape)

        def codes(found):
            return sorted(found.values_list("code", flat=True))

        assert codes(rows) == ["D-0", "D-3", "D-4"]
        assert rows.count() == 3
        assert rows.exists()
        assert [row.folder.name for row in rows.select_related("folder", "of").order_by("-code")[:2]] == ["F4", "F3"]
        assert codes(rows.filter(classification__gte=2).exclude(folder__name="F3")) == ["D-4"]
        assert list(rows.values_list("classification").annotate(Count("pk")).order_by("classification")) == [
            (0, 1), (2, 1), (3, 1),
        ]  # fmt: skip
        assert rows.aggregate(number=Count("folder", distinct=True))["number"] == 3
        # Inside another question the same tables get other names.
        assert codes(every.filter(pk__in=rows.values("pk"))) == ["D-0", "D-3", "D-4"]
        assert codes(every.filter(organization=placed.ground.here).exclude(pk__in=rows.values("pk"))) == [
            "D-1", "D-2", "D-5",
        ]  # fmt: skip
        assert codes(Document.objects.filter(states__in=rows)) == ["D-0", "D-3", "D-4"]
        assert codes(rows.filter(of__states__in=rows)) == ["D-0", "D-3", "D-4"]
        assert codes(rows & rule.visible(second, every, shape=shape)) == ["D-0", "D-3", "D-4"]
        assert codes(rule.visible(second, rows, shape=shape)) == ["D-0", "D-3", "D-4"]
        both = rows.filter(code="D-0").union(rule.visible(second, every, shape=shape).filter(code="D-5"))
        assert sorted(both.values_list("code", flat=True)) == ["D-0", "D-5"]
        assert codes(rule.visible(actor, every.none(), shape=shape)) == []


def test_undenied_leaves_out_what_is_denied_and_nothing_else(ground):
    with ground.holding(FLAT) as placed:
        found = rule.undenied(placed.actor(0), DocumentState.objects.all())
        assert sorted(found.values_list("code", flat=True)) == ["D-0", "D-2", "D-3", "D-4", "D-5"]
    denied = Fact("deny", ("everyone", ""), "view", ("all", None))
    with ground.holding(FLAT.but(facts=(denied,))) as placed:
        assert not rule.undenied(placed.actor(0), DocumentState.objects.all()).exists()


@pytest.mark.parametrize("effect", ["grant", "deny"])
def test_guarded_registers_are_not_reached_by_everything(effect, ground):
    every = Fact(effect, ("everyone", ""), "view", ("all", None))
    with ground.holding(FLAT.but(facts=(every,))) as placed:
        for register in sorted(GUARDED):
            allowed = [
                rule.decide(placed.actor(seat), "view", placed.target((register, None))).allowed for seat in (0, 1)
            ]
            assert allowed == [False, True]  # the second is an officer
        reached = rule.decide(placed.actor(0), "view", placed.target(("equipmentkind", None))).allowed
        assert reached == (effect == "grant")


def test_what_no_decision_may_open(ground, tsubaki):
    with ground.holding(FLAT) as placed:
        mine, officer = placed.target(("document", 0)), placed.actor(1)
        elsewhere = rule.Target(mine.kind, mine.id, tsubaki, mine.folder, mine.classification)
        for actor in (officer, rule.Actor("cli", "root", placed.ground.here)):
            assert rule.decide(actor, "view", mine).allowed
            assert rule.decide(actor, "view", elsewhere).reasons == ("other-organization",)
        for actor in (placed.actor(1, active=False), rule.Actor("robot", "x", placed.ground.here)):
            assert rule.decide(actor, "view", mine).reasons == ("no-active-account",)
            assert not rule.visible(actor, DocumentState.objects.all()).exists()
        with pytest.raises(ValueError, match="unknown action"):
            rule.decide(officer, "destroy", mine)


def test_how_many_questions_an_answer_costs(ground, django_assert_num_queries):
    crowd = FLAT.facts * 40
    for facts in (FLAT.facts, crowd):
        with ground.holding(FLAT.but(facts=facts)) as placed:
            alone, request = placed.actor(0, memo=None), placed.actor(0)
            document, folderless = placed.target(("document", 4)), placed.target(("document", None))
            with django_assert_num_queries(3):  # memberships, wide entries, entries on the object and its folders
                assert rule.decide(alone, "view", document).allowed
            with django_assert_num_queries(2):
                rule.decide(alone, "view", folderless)
            rule.decide(request, "view", document)
            with django_assert_num_queries(1):  # the rest stands in the memo of the request
                rule.decide(request, "download", document)
            with django_assert_num_queries(0):
                rule.decide(request, "view", folderless)
            for shape in ("exists", "in"):
                with django_assert_num_queries(3):
                    assert rule.visible(alone, DocumentState.objects.all(), shape=shape).count() == 3
                with django_assert_num_queries(1):
                    assert rule.visible(request, DocumentState.objects.all(), shape=shape).count() == 3
            for number in (4, 1, 5):  # granted, denied, refused with near misses
                with django_assert_num_queries(8, exact=False):
                    explain(alone, "view", placed.target(("document", number)))


def test_the_memo_of_one_request_is_not_asked_about_other_instants(ground):
    wide = Fact("grant", ("everyone", ""), "download", ("register", "document"))
    before = NOW - 1000 * HOUR
    with ground.holding(FLAT.but(facts=(*FLAT.facts, wide))) as placed:
        actor, document = placed.actor(0), placed.target(("document", 4))
        for action in ("view", "download"):
            assert not rule.decide(actor, action, document, at=before).allowed
            assert rule.decide(actor, action, document).allowed
            assert not rule.decide(actor, action, document, at=before).allowed
            assert rule.decide(actor, action, document).allowed
        Membership.objects.all().delete()
        assert rule.decide(actor, "view", document).allowed  # within the request
        assert not rule.decide(placed.actor(0), "view", document).allowed  # the next one
