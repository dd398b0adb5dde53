"""The one access rule: list filter, point check and explanation from one definition (design §5).

Order: organization → deny → grant → refuse. Facts are rows with instants, so any past decision can be made again. The
standard rights (``standard``) are grants that stand in the program. Two SQL shapes of the list filter give the same rows:
EXISTS stops early and serves pages and point checks, IN serves counts (security.md §3.1).
"""

from __future__ import annotations

import datetime as dt
import hashlib
import json
import uuid
from dataclasses import dataclass, field, replace
from typing import Any, TypeVar

from django.db.models import QuerySet

from kitei.foundation import clock
from kitei.foundation.tenancy.models import Organization
from kitei.trust.access import events as _words  # noqa: F401  declares what the reasons below are called
from kitei.trust.access import in_force
from kitei.trust.access.in_force import Asked, Permitted, Principal, Shape
from kitei.trust.access.models import Classification, Membership, Protected
from kitei.trust.access.roles import EDITORS
from kitei.trust.access.standard import (
    ACTIONS,
    APPROVE,
    DOWNLOAD,
    EDIT,
    GUARDED,
    LIST,
    MANAGE,
    PRINT,
    STANDARDS,
    VIEW,
    Standard,
)
from kitei.trust.accounts.ways_in import can_log_in
from kitei.trust.auditlog import log

__all__ = [
    "ACTIONS", "APPROVE", "DOWNLOAD", "EDIT", "LIST", "MANAGE", "PRINT", "VIEW",
    "Actor", "Decision", "Refused", "Target", "decide", "decided_once", "policy_version", "principals", "register_of",
    "require", "roles_of", "target_of", "undenied", "visible",
]  # fmt: skip

VERSION = 4
"""Raised when ``decide`` changes in a way the tables do not show."""

_SAME = {"emergencycontact": "contact"}
"""What a table calls otherwise than the register's pages."""

Q_T = TypeVar("Q_T", bound=QuerySet[Any])


@dataclass(frozen=True)
class Actor:
    """Who acts: a ``member`` (account), ``cli`` (operating-system user), ``worker`` or ``guest``.

    ``id`` is the account's id, the user's name or a link's id; ``principal`` the register's member, if any. ``permits``
    are the actions already permitted for the act under way (``decided_once``), ``grounds`` why; elsewhere they are empty.
    ``memo`` is set for the length of one web request, so that its many questions read the memberships once.
    ``only`` are the actions an API token is cut to; None: all its owner may do.
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
    memo: dict[str, Any] | None = field(default=None, compare=False, repr=False)
    only: frozenset[str] | None = None

    @property
    def ref(self) -> tuple[str, str]:
        """(kind, id) as events carry it."""
        return (self.kind, self.id)


@dataclass(frozen=True)
class Target:
    """What is acted on: a register (``kind`` only) or one object (``id`` too) of an organization.

    A protected object also has its folder and classification (``target_of``); without them it counts as 公開 and stands
    in no folder, so its register decides.
    """

    kind: str
    id: str = ""
    organization: Organization | None = None
    folder: uuid.UUID | None = None
    classification: int = Classification.PUBLIC


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


def register_of(kind: str) -> str:
    """Return the register a target's or a model's kind belongs to: ``documents.documentstate`` → ``document``.

    One name for a register whoever names it, a page (``data-class``) or a table (``institutions.dataclassstate``).
    """
    app, _, model = kind.rpartition(".")
    name = model.removesuffix("state").replace("-", "")
    return "log" if app == "auditlog" else _SAME.get(name, name)


def target_of(row: Any, *, kind: str = "") -> Target:
    """Return a protected row as a target, with its folder, classification and the identity's id."""
    model = type(row)
    return Target(
        kind or register_of(model._meta.label_lower),  # noqa: SLF001  Django's public way to a model's name
        str(getattr(row, _object_path(model))),
        row.organization,
        row.folder_id,
        row.classification,
    )


def principals(actor: Actor, *, at: dt.datetime | None = None) -> dict[Principal, str]:
    """Return who the actor is to grants and denies at an instant: (kind, id) -> the membership it follows from, or ''.

    One query; kept only in the memo of a web request.
    """
    if at is None and actor.memo is not None and "principals" in actor.memo:
        known: dict[Principal, str] = actor.memo["principals"]
        return known
    if actor.kind == "guest":
        return {("guest", actor.id): ""}
    found: dict[Principal, str] = {("everyone", ""): ""}
    if actor.principal is not None:
        found["member", str(actor.principal)] = ""
        rows = Membership.objects.filter(organization=actor.organization, principal=actor.principal)
        for kind, code, identity in in_force.holding(rows, at).order_by("starts_at").values_list("kind", "role", "id"):
            found[kind, code] = str(identity)
    if at is None and actor.memo is not None:
        actor.memo["principals"] = found
    return found


def roles_of(actor: Actor, *, at: dt.datetime | None = None) -> dict[str, uuid.UUID]:
    """Return the roles the actor holds at an instant: role code -> membership id."""
    if actor.principal is None:
        return {}
    return {code: uuid.UUID(row) for (kind, code), row in principals(actor, at=at).items() if kind == "role"}


def policy_version() -> str:
    """Return which rule decides: 16 hex digits of the SHA-256 of its tables and VERSION; events carry it as ``policy``."""
    rights = [
        [right.code, list(right.principal), sorted(right.actions), right.highest, sorted(right.registers)]
        for right in STANDARDS
    ]
    tables = {"version": VERSION, "actions": list(ACTIONS), "standard": rights, "guarded": sorted(GUARDED)}
    return hashlib.sha256(json.dumps(tables, sort_keys=True, separators=(",", ":")).encode()).hexdigest()[:16]


log.set_policy(policy_version())


def _before_entries(actor: Actor, action: str, target: Target) -> Decision | None:
    """Return the decision when no grant or deny is asked."""
    if action not in ACTIONS:
        raise ValueError(f"unknown action {action}")
    if target.organization is not None and target.organization.pk != actor.organization.pk:
        return Decision(allowed=False, reasons=("other-organization",))
    if actor.only is not None and action not in actor.only:
        return Decision(allowed=False, reasons=("token-scope",))
    if action in actor.permits:
        return Decision(allowed=True, reasons=("decided-at-start", *actor.grounds))
    if actor.kind in {"cli", "worker"}:
        # Whoever runs commands on the machine that holds the data could read the files themselves: allowed, recorded.
        return Decision(allowed=True, reasons=(f"face:{actor.kind}",))
    if actor.kind not in {"member", "guest"} or not actor.active:
        return Decision(allowed=False, reasons=("no-active-account",))
    return None


def decide(actor: Actor, action: str, target: Target, *, at: dt.datetime | None = None) -> Decision:
    """Decide one act and say why. Order: organization, deny, grant (standard rights first), else refuse."""
    decided = _before_entries(actor, action, target)
    if decided is not None:
        return decided
    who, register = principals(actor, at=at), register_of(target.kind)
    denied, granted = _entries(actor, who, action, target, at)
    if denied:
        return Decision(allowed=False, reasons=tuple(f"deny:{row}" for row in denied))
    standards = [right for right in STANDARDS if right.principal in who and right.fits(action, register)]
    reasons, roles = _standard_reasons([right for right in standards if right.highest >= target.classification], who)
    reasons += tuple(f"grant:{row}" for row, highest in granted if highest >= target.classification)
    if reasons:
        return Decision(allowed=True, reasons=reasons, roles=roles)
    if _first_set_up(actor, at):
        return Decision(allowed=True, reasons=("first-set-up",))
    if standards or granted:
        return Decision(allowed=False, reasons=("classification", f"needs-class:{target.classification}"))
    needed = sorted(
        right.principal[1] for right in STANDARDS if right.principal[0] == "role" and right.fits(action, register)
    )
    return Decision(allowed=False, reasons=("no-role", *(f"needs:{role}" for role in needed)))


def _standard_reasons(rights: list[Standard], who: dict[Principal, str]) -> tuple[tuple[str, ...], frozenset[str]]:
    """Return the reasons of standard rights (the membership, or that one is a member) and the deciding roles."""
    if any(right.principal[0] == "everyone" for right in rights):
        return ("member",), frozenset()
    return (
        tuple(f"membership:{who[right.principal]}" for right in rights),
        frozenset(right.principal[1] for right in rights),
    )


def _first_set_up(actor: Actor, at: dt.datetime | None) -> bool:
    """While no officer can log in, the first administrator sets Kitei up."""
    return actor.administrator and not _officer_with_account(actor.organization, at or clock.now())


def _officer_with_account(organization: Organization, at: dt.datetime) -> bool:
    """Whether anybody who can log in holds an office that may write."""
    rows = Membership.objects.filter(
        organization=organization,
        kind="role",
        role__in=sorted(EDITORS),
        principal__in=can_log_in(organization).filter(principal__isnull=False).values("principal"),
    )
    return in_force.holding(rows, at).exists()


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


def _asked(actor: Actor, who: dict[Principal, str], action: str, at: dt.datetime | None) -> Asked:
    return Asked(actor.organization.pk, tuple(who), at or clock.now(), action)


def _wide_entries(actor: Actor, who: dict[Principal, str], at: dt.datetime | None) -> list[in_force.Wide]:
    """Return the grants and denies in force on whole registers, for every action: one query, kept in a request's memo."""
    if at is None and actor.memo is not None and "wide" in actor.memo:
        known: list[in_force.Wide] = actor.memo["wide"]
        return known
    found = in_force.wide(_asked(actor, who, "", at))
    if at is None and actor.memo is not None:
        actor.memo["wide"] = found
    return found


def _entries(
    actor: Actor, who: dict[Principal, str], action: str, target: Target, at: dt.datetime | None
) -> tuple[list[uuid.UUID], list[tuple[uuid.UUID, int]]]:
    """Return the denies that fit and the grants that fit but for the classification."""
    register = register_of(target.kind)
    rows = [
        (entry.effect, entry.id, entry.highest)
        for entry in _wide_entries(actor, who, at)
        if entry.fits(action, register)
    ]
    rows += in_force.narrow(_asked(actor, who, action, at), register, as_uuid(target.id), target.folder)
    rows.sort(key=lambda row: str(row[1]))
    return (
        [entry for effect, entry, _ in rows if effect == "deny"],
        [(entry, highest) for effect, entry, highest in rows if effect == "grant"],
    )


def as_uuid(text: str) -> uuid.UUID | None:
    """Return the id of an object, None for what is no id (a register, a clause, typed text)."""
    try:
        return uuid.UUID(text)
    except ValueError:
        return None


def _object_path(model: type[Any]) -> str:
    """Return the column that names the object a row is about: the identity of a dated row, else the row itself."""
    return "of_id" if any(field.name == "of" for field in model._meta.fields) else "id"  # noqa: SLF001


def visible(
    actor: Actor, rows: Q_T, action: str = VIEW, *, at: dt.datetime | None = None, shape: Shape = "exists"
) -> Q_T:
    """Keep the rows for which ``decide`` would permit the action. Rows need an ``organization`` column.

    ``shape`` "exists" is quick for pages and points, "in" for counts; both give the same rows.
    """
    register = register_of(rows.model._meta.label_lower)  # noqa: SLF001  Django's public way to a model's name
    target = Target(register, organization=actor.organization)
    rows = rows.filter(organization=actor.organization)
    decided = _before_entries(actor, action, target)
    if decided is not None:
        return rows if decided.allowed else rows.none()
    who = principals(actor, at=at)
    cap = max(
        (right.highest for right in STANDARDS if right.principal in who and right.fits(action, register)), default=-1
    )
    wide = [entry for entry in _wide_entries(actor, who, at) if entry.fits(action, register)]
    if any(entry.effect == "deny" for entry in wide):
        return rows.none()
    cap = max([cap, *(entry.highest for entry in wide)])
    if _first_set_up(actor, at):
        cap = Classification.SECRET
    return _permitted(rows, _asked(actor, who, action, at), register, cap, shape)


def undenied(actor: Actor, rows: Q_T, action: str = VIEW) -> Q_T:
    """Keep the rows that no deny keeps from the actor: what a grant of everything would show, for previews of grants."""
    register = register_of(rows.model._meta.label_lower)  # noqa: SLF001  Django's public way to a model's name
    rows = rows.filter(organization=actor.organization)
    who = principals(actor)
    wide = (entry for entry in _wide_entries(actor, who, None) if entry.fits(action, register))
    if any(entry.effect == "deny" for entry in wide):
        return rows.none()
    return _permitted(rows, _asked(actor, who, action, None), register, Classification.SECRET, "in")


def _permitted(rows: Q_T, asked: Asked, register: str, cap: int, shape: Shape) -> Q_T:
    path, protected = _object_path(rows.model), issubclass(rows.model, Protected)
    return rows.filter(Permitted(asked, register, cap, object_path=path, protected=protected, shape=shape))
