"""What a grant or a deny would change, before it is recorded: who gains or loses how much. Changes nothing.

People with the same standing to the rule (the same roles, departments and entries of their own) see the same rows. So one
of each standing is asked, in SQL, and the answer counts for all of them: exact for any number of people.
"""

from __future__ import annotations

import uuid
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from django.db.models import QuerySet

from kitei.trust.access import in_force, rule
from kitei.trust.access.grants import Terms, members_of, settled
from kitei.trust.access.in_force import Principal
from kitei.trust.access.models import Deny, Entry, Grant, Membership, Protected
from kitei.trust.access.rule import Actor
from kitei.trust.access.standard import STANDARDS

NAMED = 30
"""How many people a preview names; the others are counted, exactly."""


@dataclass(frozen=True)
class Effect:
    """One member's gain or loss: register -> number of its rows, where there is a change; 1 for a register without rows."""

    principal: uuid.UUID
    registers: Mapping[str, int]

    @property
    def rows(self) -> int:
        """How many objects in all."""
        return sum(self.registers.values())


@dataclass(frozen=True)
class Preview:
    """Who gains (or loses, for a deny) how much of ``action``.

    ``effects`` are the first ``NAMED`` people with a change; ``changed`` counts all of them, ``people`` whom the terms are
    about.
    """

    action: str
    effects: tuple[Effect, ...]
    changed: int
    people: int

    @property
    def others(self) -> int:
        """How many people with a change are not among ``effects``."""
        return self.changed - len(self.effects)


def preview(
    *, actor: Actor, organization: Any, terms: Terms, effect: str, registers: Mapping[str, QuerySet[Any] | None]
) -> Preview:
    """Return whose rows of ``registers`` the terms would change, for the first of viewing, listing, or what is granted.

    ``registers`` gives today's rows by register; None for one that has no rows to count (操作記録). Refused without
    MANAGE; UserError for terms that say nothing.
    """
    rule.require(actor, rule.MANAGE, rule.Target("access", organization=organization))
    checked = settled(organization, terms)
    action = next((one for one in (rule.VIEW, rule.LIST) if one in checked.actions), checked.actions[0])
    people = members_of(organization=organization, principal=checked.principal)
    groups: dict[frozenset[Principal], list[uuid.UUID]] = {}
    for person, standing in _standings(organization, people, action).items():
        groups.setdefault(standing, []).append(person)
    changes: dict[uuid.UUID, Mapping[str, int]] = {}
    for alike in groups.values():
        who = Actor("member", "", organization, principal=alike[0], memo={})
        changed = _changed(who, checked, effect, action, registers)
        if changed:
            changes.update(dict.fromkeys(alike, changed))
    named = [Effect(person, changes[person]) for person in people if person in changes][:NAMED]
    return Preview(action, tuple(named), len(changes), len(people))


def _changed(
    who: Actor, terms: Terms, effect: str, action: str, registers: Mapping[str, QuerySet[Any] | None]
) -> dict[str, int]:
    """Return register -> how many rows change for one person."""
    found: dict[str, int] = {}
    for register, rows in registers.items():
        if terms.register not in {"", register} or (terms.scope == "folder" and not _in_folders(rows)):
            continue
        if rows is None:
            number = _whole(who, terms, effect, action, register)
        else:
            number = _rows(who, terms, effect, action, scoped(rows.filter(organization=who.organization), terms))
        if number:
            found[register] = number
    return found


def _rows(who: Actor, terms: Terms, effect: str, action: str, reached: QuerySet[Any]) -> int:
    if effect == "deny":
        return rule.visible(who, reached, action, shape="in").count()
    low = reached.filter(classification__lte=terms.highest) if _in_folders(reached) else reached
    # Whatever is not denied shows after a grant of all of it; what showed before is not gained.
    return rule.undenied(who, low, action).count() - rule.visible(who, low, action, shape="in").count()


def _whole(who: Actor, terms: Terms, effect: str, action: str, register: str) -> int:
    """Return 1 when a register without rows opens or closes. It has to be named: 全体 does not reach it."""
    if terms.scope != "register":
        return 0
    decision = rule.decide(who, action, rule.Target(register, organization=who.organization))
    if effect == "deny":
        return int(decision.allowed)
    return int(not decision.allowed and not any(reason.startswith("deny:") for reason in decision.reasons))


def scoped(rows: QuerySet[Any], terms: Terms) -> QuerySet[Any]:
    """Keep the rows of a register that the terms reach, whatever their classification."""
    register = rule.register_of(rows.model._meta.label_lower)  # noqa: SLF001  Django's public way to a model's name
    match terms.scope:
        case "all":
            return rows
        case "folder":
            return rows.filter(folder__above__ancestor=terms.folder) if _in_folders(rows) else rows.none()
        case _ if terms.register != register:
            return rows.none()
        case "object":
            return rows.filter(of_id=terms.object_id)
        case _:
            return rows


def _in_folders(rows: QuerySet[Any] | None) -> bool:
    return rows is not None and issubclass(rows.model, Protected)


def _standings(organization: Any, people: list[uuid.UUID], action: str) -> dict[uuid.UUID, frozenset[Principal]]:
    """Return member -> those of the member's principals that any standard right or entry in force names. Three queries."""
    told: set[Principal] = {right.principal for right in STANDARDS}
    models: tuple[type[Entry], ...] = (Grant, Deny)
    for model in models:
        rows = model._default_manager.filter(organization=organization, action=action)  # noqa: SLF001  of either model
        told |= set(in_force.holding(rows).order_by().values_list("principal_kind", "principal_id").distinct())
    found: dict[uuid.UUID, set[Principal]] = {person: {("member", str(person))} & told for person in people}
    held = in_force.holding(Membership.objects.filter(organization=organization))
    if len(people) == 1:
        held = held.filter(principal=people[0])
    for person, kind, code in held.order_by().values_list("principal", "kind", "role"):
        if person in found and (kind, code) in told:
            found[person].add((kind, code))
    return {person: frozenset(standing) for person, standing in found.items()}
