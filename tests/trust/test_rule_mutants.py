"""Changing the access rule one small thing at a time: the worlds notice, in the program and in its SQL."""

from __future__ import annotations

import ast
import re
import sys
from contextlib import contextmanager
from pathlib import Path
from types import ModuleType

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext
from rule_world import HOUR, NOW, REGISTERS, THINGS, Ground, allowed, crowded, groups, missing, reference, standing

from kitei.trust import access
from kitei.trust.access import rule
from kitei.trust.auditlog import log

FOLDER = Path(rule.__file__).parent
SOURCES = [path for path in (FOLDER / "in_force.py", FOLDER / "rule.py") if path.exists()]
"""In the order of their imports."""

CHANGES = [
    ("<=", "<"), (">=", ">"), (r"(?<=\w) > ", " >= "), (r"(?<=\w) < ", " <= "), (" == ", " != "), (" != ", " == "),
    ("__lte=", "__lt="), ("__gte=", "__gt="), ("__gt=", "__gte="), ("__isnull=True", "__isnull=False"),
    (" IS NULL", " IS NOT NULL"), (" IS NOT NULL", " IS NULL"), (" AND ", " OR "), (" OR ", " AND "), (r"\bNOT ", ""),
    (" and ", " or "), (" or ", " and "), (r"\bnot (?!in\b)", ""), (" not in ", " in "),
    ("'object'", "'folder'"), ("'folder'", "'object'"), ("'all', ", ""), (", 'register'", ""), ("1 = 1", "1 = 0"),
    ("1 = 0", "1 = 1"), (r"\bmax\(", "min("), ('"deny"', '"grant"'), ('"grant"', '"deny"'), ("default=-1", "default=0"),
    (r"\.SECRET", ".PUBLIC"), (r"\.PUBLIC", ".SECRET"), ("ancestor", "descendant"), ("descendant", "ancestor"),
    (r"at or clock\.now\(\)", "clock.now()"), ("allowed=False", "allowed=True"), ("allowed=True", "allowed=False"),
    (r"return rows\.none\(\)", "return rows"), ("organization=actor.organization, ", ""),
]  # fmt: skip
OUTSIDE = {
    "policy_version",
    "undenied",
    "decided_once",
    "require",
    "roles_of",
    "recorded",
    "ref",
    "target_of",
    "Refused",
}
"""What the worlds do not ask; other tests do."""


def quiet_lines(tree):
    """Return the lines of docstrings and of what is not asked."""
    found = set()
    for node in ast.walk(tree):
        text = isinstance(node, ast.Expr) and isinstance(node.value, ast.Constant)
        if text or getattr(node, "name", "") in OUTSIDE or isinstance(node, ast.Import | ast.ImportFrom):
            found |= set(range(node.lineno, node.end_lineno + 1))
    return found


def mutants(path):
    """Yield (where, changed source) for every small change."""
    source = path.read_text(encoding="utf-8")
    quiet, lines = quiet_lines(ast.parse(source)), source.splitlines(keepends=True)
    for number, line in enumerate(lines, 1):
        if number in quiet or line.lstrip().startswith("#"):
            continue
        code = line.split("  #")[0]
        for pattern, other in CHANGES:
            for match in re.finditer(pattern, code):
                changed = line[: match.start()] + other + line[match.end() :]
                if "from __future__" in line or changed == line:
                    continue
                yield (
                    f"{path.name}:{number} {changed.strip()}",
                    "".join([*lines[: number - 1], changed, *lines[number:]]),
                )


@contextmanager
def loaded(path, source):
    """Load the rule anew with the changed file; afterwards everything is as before."""
    kept = {name: sys.modules[name] for name in (f"{access.__name__}.{one.stem}" for one in SOURCES)}
    try:
        for one in SOURCES:
            name = f"{access.__name__}.{one.stem}"
            module = ModuleType(name)
            module.__file__ = str(one)
            sys.modules[name] = module
            setattr(access, one.stem, module)
            text = source if one == path else one.read_text(encoding="utf-8")
            exec(compile(text, str(one), "exec"), module.__dict__)  # noqa: S102  the mutant
        yield module
    finally:
        for name, module in kept.items():
            sys.modules[name] = module
            setattr(access, name.rpartition(".")[2], module)
        log.set_policy(rule.policy_version())


def edges(placed, mutant):
    """Return whether the answers that ask no grant are as they should be (test_rule_shapes.py has them by name)."""
    first, document = placed.target(("document", 0), rule=mutant), ("document", 0)
    elsewhere = mutant.Target("document", first.id, placed.ground.there, first.folder, first.classification)
    console = mutant.Actor("cli", "root", placed.ground.here)

    def may(actor, target=first):
        return mutant.decide(actor, "view", target).allowed

    def seat(**more):
        return placed.actor(1, rule=mutant, **more)

    right = allowed(placed.world, 1, "view", document)
    refused = [
        mutant.decide(placed.actor(0, rule=mutant), "manage", placed.target(thing, rule=mutant)) for thing in THINGS
    ]
    told = [
        decision.reasons == missing(placed.world, 0, "manage", thing)
        for thing, decision in zip(THINGS, refused, strict=True)
        if not decision.allowed and not decision.reasons[0].startswith("deny:")
    ]
    right_of = standing(groups(placed.world, 1), "view", "document", placed.world.documents[0][1])
    decision = mutant.decide(seat(), "view", first)
    request = seat()
    mutant.decide(request, "view", first, at=NOW - 1000 * HOUR)
    with CaptureQueriesContext(connection) as asked:
        remembered = [may(request), may(request)] == [right, right]
    return (
        all(told)
        and remembered
        and (not decision.allowed or ("member" in decision.reasons) == (("everyone", "") in right_of))
        and len(asked) <= 4  # the second time only what is about the object
        and may(seat(only=frozenset({"view"}))) == right
        and not may(seat(only=frozenset()))
        and may(seat(permits=frozenset({"view"})))
        and not may(seat(active=False))
        and not may(mutant.Actor("robot", "x", placed.ground.here))
        and may(console)
        and not may(console, elsewhere)
        and not may(seat(), elsewhere)
        and placed.lists(rule=mutant, at=NOW) == placed.lists("in", rule=mutant)
    )


def noticed(ground, mutant, seeds):
    """Whether some world shows that it is not the rule."""
    try:
        for seed in seeds:
            world = crowded(seed)
            expected, registers = reference(world), reference(world, things=REGISTERS)
            with ground.holding(world) as placed:
                if placed.lists("exists", rule=mutant) != expected or placed.lists("in", rule=mutant) != expected:
                    return True
                if not edges(placed, mutant):
                    return True
                if placed.points(rule=mutant, things=THINGS + REGISTERS) != expected | registers:
                    return True
            with ground.holding(world, clock_at=9) as placed:
                if placed.points(rule=mutant, at=NOW + HOUR) != reference(world, at=1):
                    return True
    except Exception:  # noqa: BLE001  whatever a mutant does
        return True
    return False


@pytest.mark.long
@pytest.mark.timeout(1800)
@pytest.mark.django_db
def test_nineteen_of_twenty_changes_of_the_rule_are_noticed(sakura, tsubaki):
    ground, survivors, number = Ground(sakura, tsubaki), [], 0
    for path in SOURCES:
        for where, source in mutants(path):
            number += 1
            try:
                with loaded(path, source) as mutant:
                    if not noticed(ground, mutant, range(25)):
                        survivors.append(where)
            except Exception:  # noqa: BLE001, S112  it does not even load
                continue
    assert number > 100
    assert len(survivors) <= number / 20, "\n".join([f"{len(survivors)} of {number}", *survivors])
