"""閲覧できる理由・できない理由: the rows that decided, and for a refusal what came nearest (design §5).

Asks the same facts as ``rule.decide`` and never decides by itself: the decision it shows is the rule's.
"""

from __future__ import annotations

import datetime as dt
from dataclasses import dataclass

from django.db.models import Q

from kitei.foundation import clock
from kitei.trust.access.models import Deny, Entry, FolderLink, Grant, Membership
from kitei.trust.access.rule import Actor, Decision, Target, as_uuid, decide, principals, register_of
from kitei.trust.access.standard import GUARDED, STANDARDS, Standard

NEAREST = 5
"""How many near misses are shown; more would hide the nearest."""


@dataclass(frozen=True)
class Miss:
    """A row that would have permitted, and the one thing that keeps it from it.

    ``why``: ``ended``, ``not-begun``, ``withdrawn``, ``classification``, ``role-ended``, ``role-not-begun``.
    """

    why: str
    entry: Entry | None = None
    membership: Membership | None = None
    standard: Standard | None = None
    at: dt.datetime | None = None


@dataclass(frozen=True)
class Explanation:
    """A decision with the rows behind it: denies and grants that fit, memberships and standard rights, near misses."""

    decision: Decision
    denies: tuple[Deny, ...]
    grants: tuple[Grant, ...]
    memberships: tuple[Membership, ...]
    standards: tuple[Standard, ...]
    misses: tuple[Miss, ...]


def explain(actor: Actor, action: str, target: Target, *, at: dt.datetime | None = None) -> Explanation:
    """Explain the decision on one act at an instant; a constant number of queries, whatever the number of rows."""
    at = at or clock.now()
    decision = decide(actor, action, target, at=at)
    ids = [reason.partition(":")[2] for reason in decision.reasons if reason.startswith(("deny:", "grant:"))]
    holding = [reason.partition(":")[2] for reason in decision.reasons if reason.startswith("membership:")]
    who, register = principals(actor, at=at), register_of(target.kind)
    denies = (
        tuple(Deny.objects.filter(organization=actor.organization, id__in=ids).select_related("folder")) if ids else ()
    )
    grants = (
        tuple(Grant.objects.filter(organization=actor.organization, id__in=ids).select_related("folder")) if ids else ()
    )
    memberships = tuple(Membership.objects.filter(organization=actor.organization, id__in=holding)) if holding else ()
    standards = tuple(
        right
        for right in STANDARDS
        if decision.allowed
        and right.principal in who
        and right.fits(action, register)
        and right.highest >= target.classification
    )
    misses = () if decision.allowed or denies else _misses(actor, action, target, at)
    return Explanation(decision, denies, grants, memberships, standards, misses)


def _misses(actor: Actor, action: str, target: Target, at: dt.datetime) -> tuple[Miss, ...]:
    found = [*_missed_grants(actor, action, target, at), *_missed_roles(actor, action, target, at)]
    found.sort(key=lambda miss: abs((miss.at or at) - at))
    return tuple(found[:NEAREST])


def _missed_grants(actor: Actor, action: str, target: Target, at: dt.datetime) -> list[Miss]:
    """Grants to whoever the actor ever was, on this object, that fail by their time, withdrawal or classification."""
    register = register_of(target.kind)
    scope = Q(scope_kind="register", register=register)
    if register not in GUARDED:
        scope |= Q(scope_kind="all")
    if target.folder is not None:
        above = FolderLink.objects.filter(descendant=target.folder).values("ancestor")
        scope |= Q(scope_kind="folder", folder__in=above)
    identity = as_uuid(target.id)
    if identity is not None:
        scope |= Q(scope_kind="object", register=register, object_id=identity)
    whom = Q()
    for kind, code in principals(actor, at=at):
        whom |= Q(principal_kind=kind, principal_id=code)
    rows = Grant.objects.filter(whom, scope, organization=actor.organization, action=action).select_related("folder")
    misses = []
    for row in rows.order_by("-recorded_at")[: 4 * NEAREST]:
        faults = _time_faults(row, at)
        if row.highest < target.classification:
            faults.append(("classification", at))
        if len(faults) == 1:
            misses.append(Miss(faults[0][0], entry=row, at=faults[0][1]))
    return misses


def _time_faults(row: Entry | Membership, at: dt.datetime) -> list[tuple[str, dt.datetime]]:
    """Return why a row is not in force, and since or until when; a near miss has one such reason only."""
    faults = []
    if row.voided_at is not None and row.voided_at <= at:
        faults.append(("withdrawn", row.voided_at))
    if row.ends_at is not None and row.ends_at <= at:
        faults.append(("ended", row.ends_at))
    begins = max(row.starts_at, row.recorded_at)
    if begins > at:
        faults.append(("not-begun", begins))
    return faults


def _missed_roles(actor: Actor, action: str, target: Target, at: dt.datetime) -> list[Miss]:
    """Standard rights of roles the actor held before or will hold, and those that end below the classification."""
    register = register_of(target.kind)
    rights = {
        right.principal[1]: right
        for right in STANDARDS
        if right.principal[0] == "role" and right.fits(action, register) and right.highest >= target.classification
    }
    who = principals(actor, at=at)
    misses = [
        Miss("classification", standard=right, at=at)
        for right in STANDARDS
        if right.principal in who and right.fits(action, register)
    ][:1]
    if actor.principal is None or not rights:
        return misses
    rows = Membership.objects.filter(
        organization=actor.organization, principal=actor.principal, kind="role", role__in=sorted(rights)
    ).order_by("-starts_at")
    for row in rows[: 4 * NEAREST]:
        faults = _time_faults(row, at)
        if len(faults) == 1:
            why = {"ended": "role-ended", "not-begun": "role-not-begun"}.get(faults[0][0], faults[0][0])
            misses.append(Miss(why, membership=row, standard=rights[row.role], at=faults[0][1]))
    return misses
