"""The one access rule: list filter, point check and explanation from one definition (design §5).

This first form knows organizations and roles: signed-in members list and view, officers write and take out. Grants,
denies, folders and classifications join the same functions with the access issue; signatures are final.
"""

from __future__ import annotations

import datetime as dt
import hashlib
import json
import uuid
from dataclasses import dataclass, field, replace
from typing import Any, TypeVar

from django.contrib.auth.hashers import UNUSABLE_PASSWORD_PREFIX
from django.db.models import Q, QuerySet

from kitei.foundation import clock
from kitei.foundation.tenancy.models import Organization
from kitei.trust.access import events as _words  # noqa: F401  declares what the reasons below are called
from kitei.trust.access.models import Membership
from kitei.trust.access.roles import EDITORS, OFFICERS
from kitei.trust.accounts.models import User
from kitei.trust.auditlog import log

VERSION = 2
"""Raised when ``decide`` changes in a way the tables below do not show."""

LIST, VIEW, DOWNLOAD, PRINT, EDIT, APPROVE, MANAGE = "list", "view", "download", "print", "edit", "approve", "manage"
ACTIONS = (LIST, VIEW, DOWNLOAD, PRINT, EDIT, APPROVE, MANAGE)

_NEEDS: dict[str, frozenset[str]] = {
    DOWNLOAD: OFFICERS,
    PRINT: OFFICERS,
    EDIT: EDITORS,
    APPROVE: EDITORS,
    MANAGE: EDITORS,
}
_LOG_NEEDS: dict[str, frozenset[str]] = {LIST: OFFICERS, VIEW: OFFICERS}
"""操作記録 tells about everybody, so only officers read it. Its target is ``log``, its tables are those of ``auditlog``."""

Q_T = TypeVar("Q_T", bound=QuerySet[Any])


@dataclass(frozen=True)
class Actor:
    """Who acts: a ``member`` (account), ``cli`` (operating-system user), ``worker`` or ``guest``.

    ``id`` is the account's id, the user's name or a link's id; ``principal`` the register's member, if any. ``permits``
    are the actions already permitted for the act under way (``decided_once``), ``grounds`` why; elsewhere they are empty.
    """

    kind: str
    id: str
    organization: Organization
    label: str = ""
    principal: uuid.UUID | None = None
    administrator: bool = False
    active: bool = True
    permits: frozenset[str] = frozenset()
    grounds: tuple[str, ...] = ()

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

    @property
    def recorded(self) -> dict[str, Any]:
        """As events carry it (``Act.decision``); the policy version is added by the log."""
        return {"allowed": self.allowed, "reasons": list(self.reasons)}


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
        return Decision(allowed=True, reasons=("decided-at-start", *actor.grounds))
    if actor.kind in {"cli", "worker"}:
        # Whoever runs commands on the machine that holds the data could read the files themselves: allowed, recorded.
        return Decision(allowed=True, reasons=(f"face:{actor.kind}",))
    if actor.kind != "member" or not actor.active:
        return Decision(allowed=False, reasons=("no-active-account",))
    needs = _needs(action, target.kind)
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


def _needs(action: str, kind: str) -> frozenset[str] | None:
    """Return the roles of which one is needed; None when every member may."""
    if kind == "log" or kind.startswith("auditlog."):
        return _LOG_NEEDS.get(action) or _NEEDS.get(action)
    return _NEEDS.get(action)


def policy_version() -> str:
    """Return which rule decides: 16 hex digits of the SHA-256 of its tables and VERSION; events carry it as ``policy``."""
    tables = {
        "version": VERSION,
        "actions": list(ACTIONS),
        "needs": {action: sorted(roles) for action, roles in _NEEDS.items()},
        "log": {action: sorted(roles) for action, roles in _LOG_NEEDS.items()},
        "set-up": sorted(EDITORS),
    }
    return hashlib.sha256(json.dumps(tables, sort_keys=True, separators=(",", ":")).encode()).hexdigest()[:16]


log.set_policy(policy_version())


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
    decision = require(actor, action, target)
    return replace(actor, permits=actor.permits | {action}, grounds=decision.reasons)


def visible(actor: Actor, rows: Q_T, action: str = VIEW, *, at: dt.datetime | None = None) -> Q_T:
    """Keep the rows the actor may see: the list form of ``decide``. Rows need an ``organization`` column."""
    target = Target(rows.model._meta.label_lower, organization=actor.organization)  # noqa: SLF001  Django's public way to a model's name
    if not decide(actor, action, target, at=at).allowed:
        return rows.none()
    return rows.filter(organization=actor.organization)
