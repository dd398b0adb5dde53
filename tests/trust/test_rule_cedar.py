"""A second opinion: Cedar's engine decides the same random organizations as the rule does (issue 4; long).

The translation is a different reading of design §5: every standard right, grant and deny becomes one policy, denies are
``forbid``, instants are compared by Cedar itself (``context.now``, milliseconds from NOW), folders are the hierarchy of
entities. A membership is a group of its own with its own dates, because Cedar's groups have none.
"""

from __future__ import annotations

import cedarpy
import pytest
from hypothesis import given
from hypothesis import strategies as st
from rule_world import (
    ACTIONS,
    ADMINISTRATOR,
    ALL_WORLDS,
    EDITORS,
    FOLDERS,
    GUARDED,
    GUEST,
    LINK,
    PEOPLE,
    ROLES,
    SEATS,
    THINGS,
    Ground,
    examples,
)

pytestmark = [pytest.mark.long, pytest.mark.django_db]
HERE, THERE = 'Organization::"sakura"', 'Organization::"tsubaki"'


@pytest.fixture
def ground(sakura, tsubaki):
    return Ground(sakura, tsubaki)


def ticks(hours):
    return round(hours * 3_600_000)


def uid(kind, name):
    return {"type": kind, "id": str(name)}


def name_of(thing):
    return f"{thing[0]}-{thing[1]}"


def entities(world):
    """Return people and objects as Cedar's entities: folders below their parents, documents in folders."""
    found = []
    for seat in SEATS:
        held = [uid("Holding", n) for n, holding in enumerate(world.holdings) if holding.person == seat]
        attributes = {
            "organization": {"__entity": uid("Organization", "sakura")},
            "guest": seat == GUEST,
            "first": seat == ADMINISTRATOR and world.first,
            "name": LINK if seat == GUEST else str(PEOPLE[seat]),
        }
        found.append({"uid": uid("Person", seat), "attrs": attributes, "parents": held})
    for number in range(FOLDERS):
        parent = world.parents[number - 1] if number else None
        found.append({
            "uid": uid("Folder", number), "attrs": {}, "parents": [] if parent is None else [uid("Folder", parent)],
        })  # fmt: skip
    for thing in THINGS:
        folder, level = world.documents[thing[1]] if thing[0] == "document" else (None, 0)
        attributes = {
            "organization": {"__entity": uid("Organization", "sakura")}, "register": thing[0], "level": level,
            "guarded": thing[0] in GUARDED,
        }  # fmt: skip
        parents = [] if folder is None else [uid("Folder", folder)]
        found.append({"uid": uid("Object", name_of(thing)), "attrs": attributes, "parents": parents})
    return found


def in_time(row):
    """Return the condition that a row is of this organization and in force."""
    parts = [f"resource.organization == {THERE if row.foreign else HERE}", f"context.now >= {ticks(row.starts)}"]
    parts.append(f"context.now >= {ticks(row.recorded)}")
    ends = [end for end in (row.ends, 0 if row.voided else None) if end is not None]
    parts += [f"context.now < {ticks(end)}" for end in ends]
    return " && ".join(parts)


def belongs(world, group):
    """Return the condition that the one who asks is of a group now."""
    held = [
        f'(principal in Holding::"{number}" && {in_time(holding)})'
        for number, holding in enumerate(world.holdings)
        if holding.group == group
    ]
    return f"({' || '.join(held)})" if held else "false"


def about(world, principal):
    kind, code = principal
    if kind == "everyone":
        return "!principal.guest"
    if kind in {"member", "guest"}:
        return f'({"" if kind == "guest" else "!"}principal.guest && principal.name == "{code}")'
    return f"(!principal.guest && {belongs(world, principal)})"


def reaches(scope):
    kind, where = scope
    if kind == "all":
        return "!resource.guarded"
    if kind == "register":
        return f'resource.register == "{where}"'
    return f'resource in Folder::"{where}"' if kind == "folder" else f'resource == Object::"{name_of(scope)}"'


def policy(effect, action, conditions):
    return f'{effect}(principal, action == Action::"{action}", resource) when {{ {" && ".join(conditions)} }};'


def policies(world):
    """Return the text of all policies of a world."""
    texts = [
        "forbid(principal, action, resource) unless { principal.organization == resource.organization };",
        policy("permit", "view", ["!principal.guest", "!resource.guarded", "resource.level <= 1"]),
    ]
    for role in ROLES:
        texts += [
            policy("permit", action, [belongs(world, ("role", role))])
            for action in ("view", "download", *(["manage"] if role in EDITORS else []))
        ]
    # While no officer can log in: an editor's membership of the one person with an account that works.
    office = " || ".join(
        f"({in_time(holding)})"
        for holding in world.holdings
        if world.account == "works" and holding.person == 1 and holding.group[0] == "role"
        and holding.group[1] in EDITORS
    )  # fmt: skip
    texts.append(f"permit(principal, action, resource) when {{ principal.first && !({office or 'false'}) }};")
    for fact in world.facts:
        conditions = [about(world, fact.principal), reaches(fact.scope), f"({in_time(fact)})"]
        if fact.effect == "grant":
            conditions.append(f"resource.level <= {fact.highest}")
        texts.append(policy("permit" if fact.effect == "grant" else "forbid", fact.action, conditions))
    return "\n".join(texts)


def cedar(world, at):
    """Return everything that Cedar allows."""
    asked = [(seat, action, thing) for seat in SEATS for action in ACTIONS for thing in THINGS]
    requests = [
        {
            "principal": f'Person::"{seat}"', "action": f'Action::"{action}"', "resource": f'Object::"{name_of(thing)}"',
            "context": {"now": ticks(at)},
        }
        for seat, action, thing in asked
    ]  # fmt: skip
    answers = cedarpy.is_authorized_batch(requests, policies(world), entities(world))
    assert not [error for answer in answers for error in answer.diagnostics.errors]
    return {key for key, answer in zip(asked, answers, strict=True) if answer.allowed}


@pytest.mark.timeout(1800)
@examples(300, shrunk=True)
@given(world=ALL_WORLDS, at=st.sampled_from([0, 0, -1, 1]))
def test_cedar_decides_as_the_rule_does(world, at, ground):
    expected = cedar(world, at)
    with ground.holding(world, clock_at=at) as placed:
        assert placed.points() == expected
        assert placed.lists("exists") == expected
        assert placed.lists("in") == expected
