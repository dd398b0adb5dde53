"""The worlds of the rule's tests find faults: each fault a rule can have is made, and every way of asking shows it.

A fault is made in the rows, not in the code: a rule that forgets denies on folders answers as the right rule does when those
denies are not there. So the faults stay the same, however the rule is written.
"""

from __future__ import annotations

import pytest
from rule_world import (
    ACTIONS,
    GROUPS,
    INSTANT,
    LINK,
    Ground,
    Holding,
    crowded,
    place_of,
    reference,
)


def facts(change):
    """Return a fault in which every fact is read as what ``change`` makes of it (None: not at all, a list: also so)."""

    def fault(world):
        found = []
        for fact in world.facts:
            other = change(world, fact)
            found += other if isinstance(other, list) else [] if other is None else [other]
        return world.but(facts=tuple(found))

    return fault


def holdings(change):
    return lambda world: world.but(holdings=tuple(change(holding) for holding in world.holdings))


def but(row, **changed):
    return type(row)(**{**vars(row), **changed})


def forgotten(effect, *scopes):
    return facts(lambda _, fact: None if fact.effect == effect and fact.scope[0] in scopes else fact)


def later(row):
    """Read "from" as "after"."""
    return but(row, starts=row.starts + INSTANT)


def longer(row):
    """Read "before" as "until"."""
    return row if row.ends is None else but(row, ends=row.ends + INSTANT)


def low_denies(world, fact):
    """Obey a deny up to its highest classification only, as if it were a grant."""
    if fact.effect == "deny" and fact.scope[0] == "document" and fact.highest < place_of(world, fact.scope)[1]:
        return None
    return fact


def another_kind(holding):
    kind, code = holding.group
    return but(holding, group=("department" if kind == "supplier" else kind, code))


OBJECTS = ("document", "equipmentkind", "log")
FAULTS = {
    "denies on folders are forgotten": forgotten("deny", "folder"),
    "denies on objects are forgotten": forgotten("deny", *OBJECTS),
    "denies on registers are forgotten": forgotten("deny", "register"),
    "denies on everything are forgotten": forgotten("deny", "all"),
    "grants on folders are forgotten": forgotten("grant", "folder"),
    "grants on objects are forgotten": forgotten("grant", *OBJECTS),
    "grants on registers are forgotten": forgotten("grant", "register"),
    "grants on everything are forgotten": forgotten("grant", "all"),
    "a grant opens every classification": facts(lambda _, fact: but(fact, highest=3)),
    "a grant stops one classification too early": facts(
        lambda _, fact: but(fact, highest=fact.highest - 1) if fact.effect == "grant" and fact.highest else fact
    ),
    "a deny looks at the classification": facts(low_denies),
    "a grant begins after its first instant": facts(lambda _, fact: later(fact) if fact.effect == "grant" else fact),
    "a deny begins after its first instant": facts(lambda _, fact: later(fact) if fact.effect == "deny" else fact),
    "a grant still holds at the instant it ends": facts(
        lambda _, fact: longer(fact) if fact.effect == "grant" else fact
    ),
    "a deny still holds at the instant it ends": facts(lambda _, fact: longer(fact) if fact.effect == "deny" else fact),
    "a grant holds before it begins": facts(
        lambda _, fact: but(fact, starts=min(fact.starts, -1)) if fact.effect == "grant" else fact
    ),
    "a grant never ends": facts(lambda _, fact: but(fact, ends=None) if fact.effect == "grant" else fact),
    "a deny never ends": facts(lambda _, fact: but(fact, ends=None) if fact.effect == "deny" else fact),
    "a withdrawn grant holds": facts(lambda _, fact: but(fact, voided=False) if fact.effect == "grant" else fact),
    "a lifted deny holds": facts(lambda _, fact: but(fact, voided=False) if fact.effect == "deny" else fact),
    "another organization's grants count": facts(
        lambda _, fact: but(fact, foreign=False) if fact.effect == "grant" else fact
    ),
    "another organization's denies count": facts(
        lambda _, fact: but(fact, foreign=False) if fact.effect == "deny" else fact
    ),
    "one action stands for another": facts(
        lambda _, fact: [but(fact, action=action) for action in ACTIONS] if fact.effect == "grant" else fact
    ),
    "everything includes the guarded registers": facts(
        lambda _, fact: [fact, but(fact, scope=("register", "log"))] if fact.scope == ("all", None) else fact
    ),
    "an object's id counts in every register": facts(
        lambda _, fact: (
            [but(fact, scope=(kind, fact.scope[1])) for kind in OBJECTS if (kind, fact.scope[1]) != ("log", 1)]
            if fact.scope[0] in OBJECTS and fact.scope[1] < 2
            else fact
        )
    ),
    "a guest is one of everyone": facts(
        lambda _, fact: [fact, but(fact, principal=("guest", LINK))] if fact.principal[0] == "everyone" else fact
    ),
    "a guest is the member with his id": facts(
        lambda _, fact: [fact, but(fact, principal=("guest", LINK))] if fact.principal == ("member", LINK) else fact
    ),
    "a member is the guest with his id": facts(
        lambda _, fact: [fact, but(fact, principal=("member", LINK))] if fact.principal[0] == "guest" else fact
    ),
    "a grant to one is for everyone": facts(
        lambda _, fact: but(fact, principal=("everyone", "")) if fact.principal[0] == "member" else fact
    ),
    "a supplier is the department with its code": holdings(another_kind),
    "a membership begins after its first instant": holdings(later),
    "a membership still holds at the instant it ends": holdings(longer),
    "a membership holds before it begins": holdings(lambda one: but(one, starts=min(one.starts, -1))),
    "an ended membership holds": holdings(lambda one: but(one, ends=None)),
    "a voided membership holds": holdings(lambda one: but(one, voided=False)),
    "another organization's memberships count": holdings(lambda one: but(one, foreign=False)),
    "memberships are forgotten": lambda world: world.but(holdings=()),
    "everybody is of every group": lambda world: world.but(
        holdings=tuple(Holding(person, group) for person in range(3) for group in GROUPS)
    ),
    "folders do not hold what is below": lambda world: world.but(parents=(None,) * len(world.parents)),
    "folders hold one floor only": lambda world: world.but(
        parents=tuple(above if above in {0, None} else None for above in world.parents)
    ),
    "社外秘 is read as 関係者限": lambda world: world.but(
        documents=tuple((folder, 2 if level == 1 else level) for folder, level in world.documents)
    ),
    "極秘 is read as 関係者限": lambda world: world.but(
        documents=tuple((folder, min(level, 2)) for folder, level in world.documents)
    ),
    "an account that cannot log in counts as an officer's": lambda world: world.but(account="works"),
    "the first administrator keeps his rights": lambda world: world.but(account="none"),
    "anybody may set Kitei up": lambda world: world.but(first=True),
}
SEEDS = range(25)
"""As many as the quick run of test_rule_shapes.py has."""


def test_so_many_worlds_as_one_run_has_show_every_fault():
    worlds = [crowded(seed) for seed in SEEDS]
    right = [reference(world) for world in worlds]
    shown = {
        name: sum(reference(fault(world)) != known for world, known in zip(worlds, right, strict=True))
        for name, fault in FAULTS.items()
    }
    assert len(FAULTS) > 40
    assert min(shown.values()) >= 1, shown


@pytest.mark.long
@pytest.mark.django_db
@pytest.mark.parametrize("name", FAULTS)
def test_every_way_of_asking_shows_the_fault(name, sakura, tsubaki):
    world = next(world for world in map(crowded, SEEDS) if reference(FAULTS[name](world)) != reference(world))
    with Ground(sakura, tsubaki).holding(FAULTS[name](world)) as placed:
        for answers in (placed.lists("exists"), placed.lists("in"), placed.points()):
            assert answers != reference(world)
