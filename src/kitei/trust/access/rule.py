"""The one access rule: list filter, point check and explanation from one definition (design §5).

This first form knows organizations and roles: signed-in members list and view, officers write and take out. Grants,
denies, folders and classifications join the same functions with the access issue; signatures are final.
"""

from __future__ import annotations

import datetime as dt
import uuid
from dataclasses import dataclass, field, replace
from typing import Any, TypeVar

from django.contrib.auth.hashers import UNUSABLE_PASSWORD_PREFIX
from django.db.models import Q, QuerySet

from kitei.foundation import clock
from kitei.foundation.tenancy.models import Organization
from kitei.trust.access.models import Membership
from kitei.trust.access.roles import EDITORS, OFFICERS
from kitei.trust.accounts.models import User

LIST, VIEW, DOWNLOAD, PRINT, EDIT, APPROVE, MANAGE = "list", "view", "download", "print", "edit", "approve", "manage"
ACTIONS = (LIST, VIEW, DOWNLOAD, PRINT, EDIT, APPROVE, MANAGE)

_NEEDS: dict[str, frozenset[str]] = {
    DOWNLOAD: OFFICERS,
    PRINT: OFFICERS,
    EDIT: EDITORS,
    APPROVE: EDITORS,
    MANAGE: EDITORS,
}

Q_T = TypeVar("Q_T", bound=QuerySet[Any])


@dataclass(frozen=True)
class Actor:
    """Who acts: a ``member`` (account), ``cli`` (operating-system user), ``worker`` or ``guest``.

    ``id`` is the account's id, the user's name or a link's id; ``principal`` the register's member, if any. ``permits``
    are the actions already permitted for the act under way (``decided_once``); elsewhere it is empty.
    """

    kind: str
    id: str
    organization: Organization
    label: str = ""
    principal: uuid.UUID | None = None
    administrator: bool = False
    active: bool = True
    permits: frozenset[str] = frozenset()

    @property
    def ref(self) -> tuple[str, str]:
        """(kind, id) as events carry it."""
        return (self.kind, self.id)


@dataclass(frozen=True)
class Target:
    """What is acted on: a register (``kind`` only) or one object (``id`` too) of an organization."""

    kind: str
    id: str = ""
    organization: Organization | None = None


@dataclass(frozen=True)
class Decision:
    """The answer and its grounds: ids of deciding rows for a permit, codes of what is missing for a refusal."""

    allowed: bool
    reasons: tuple[str, ...]
    roles: frozenset[str] = field(default_factory=frozenset)


class Refused(Exception):  # noqa: N818  it is an answer, named as people name it
    """The rule says no. Faces turn it into the one 404 page and record it after the rollback."""

    def __init__(self, actor: Actor, action: str, target: Target, decision: Decision) -> None:
        super().__init__(f"{actor.kind} may not {action} {target.kind}")
        self.actor = actor
        self.action = action
        self.target = target
        self.decision = decision


def roles_of(actor: Actor, *, at: dt.datetime | None = None) -> dict[str, uuid.UUID]:
    """Return the roles the actor holds at an instant: role code -> membership id. One query; nothing is cached."""
    if actor.principal is None:
        return {}
    at = at or clock.now()
    rows = (
        Membership.objects.filter(
            organization=actor.organization, principal=actor.principal, voided_at__isnull=True, starts_at__lte=at
        )
        .filter(Q(ends_at__isnull=True) | Q(ends_at__gt=at))
        .order_by("starts_at")
        .values_list("role", "id")
    )
    return dict(rows)


def decide(actor: Actor, action: str, target: Target, *, at: dt.datetime | None = None) -> Decision:
    """Decide one act and say why. Order: organization, then role, else refuse."""
    if action not in ACTIONS:
        raise ValueError(f"unknown action {action}")
    if target.organization is not None and target.organization.pk != actor.organization.pk:
        return Decision(allowed=False, reasons=("other-organization",))
    if action in actor.permits:
        return Decision(allowed=True, reasons=("decided-at-start",))
    if actor.kind in {"cli", "worker"}:
        # Whoever runs commands on the machine that holds the data could read the files themselves: allowed, recorded.
        return Decision(allowed=True, reasons=(f"face:{actor.kind}",))
    if actor.kind != "member" or not actor.active:
        return Decision(allowed=False, reasons=("no-active-account",))
    needs = _NEEDS.get(action)
    if needs is None:
        return Decision(allowed=True, reasons=("member",))
    held = roles_of(actor, at=at)
    deciding = sorted(held.keys() & needs)
    if deciding:
        return Decision(
            allowed=True, reasons=tuple(f"membership:{held[role]}" for role in deciding), roles=frozenset(deciding)
        )
    if actor.administrator and not _officer_with_account(actor.organization, at or clock.now()):
        # While no officer can log in, the first administrator sets Kitei up.
        return Decision(allowed=True, reasons=("first-set-up",))
    return Decision(allowed=False, reasons=("no-role", *(f"needs:{role}" for role in sorted(needs))))


def _officer_with_account(organization: Organization, at: dt.datetime) -> bool:
    """Whether anybody who can log in holds an office that may write."""
    accounts = (
        User.objects.filter(organization=organization, is_active=True, principal__isnull=False)
        # An account whose one-time code was never used has no pass word: nobody can log in with it yet.
        .exclude(password__startswith=UNUSABLE_PASSWORD_PREFIX)
        .values("principal")
    )
    return (
        Membership.objects.filter(
            organization=organization,
            role__in=sorted(EDITORS),
            principal__in=accounts,
            voided_at__isnull=True,
            starts_at__lte=at,
        )
        .filter(Q(ends_at__isnull=True) | Q(ends_at__gt=at))
        .exists()
    )


def require(actor: Actor, action: str, target: Target, *, at: dt.datetime | None = None) -> Decision:
    """Return the decision when it permits; raise Refused otherwise."""
    decision = decide(actor, action, target, at=at)
    if not decision.allowed:
        raise Refused(actor, action, target, decision)
    return decision


def decided_once(actor: Actor, action: str, target: Target) -> Actor:
    """Decide now, and return the actor with that permit, for one act that itself changes who may do what.

    An import writes appointments before devices: without this the first administrator, or an officer who hands over the
    office in the same workbook, would lose the right half-way and the whole import with it. Raises Refused. The actor
    returned must not outlive the act.
    """
    require(actor, action, target)
    return replace(actor, permits=actor.permits | {action})


def visible(actor: Actor, rows: Q_T, action: str = VIEW, *, at: dt.datetime | None = None) -> Q_T:
    """Keep the rows the actor may see: the list form of ``decide``. Rows need an ``organization`` column."""
    target = Target(rows.model._meta.label_lower, organization=actor.organization)  # noqa: SLF001  Django's public way to a model's name
    if not decide(actor, action, target, at=at).allowed:
        return rows.none()
    return rows.filter(organization=actor.organization)
