"""Grants and denies: made and withdrawn. One form makes one *bundle* of rows, one an action."""

from __future__ import annotations

import datetime as dt
import uuid
from dataclasses import dataclass, replace
from typing import Any

from django.db.models import Q, QuerySet

from kitei.foundation import clock, transactions
from kitei.foundation.tenancy.ids import uuid7
from kitei.foundation.text import Message, UserError
from kitei.trust.access import events, in_force, rule, second
from kitei.trust.access.models import Classification, Deny, Entry, Folder, Grant, Membership, PrincipalKind, ScopeKind
from kitei.trust.access.rule import Actor, Decision
from kitei.trust.accounts.models import User
from kitei.trust.auditlog.log import Act, append

MODELS: dict[str, type[Entry]] = {"grant": Grant, "deny": Deny}


@dataclass(frozen=True)
class Terms:
    """What is granted or denied: to whom, which actions, where, how high, from when until when (instants), why."""

    principal: tuple[str, str]
    actions: tuple[str, ...]
    scope: str
    reason: str
    register: str = ""
    folder: uuid.UUID | None = None
    object_id: uuid.UUID | None = None
    highest: int = Classification.SECRET
    starts_at: dt.datetime | None = None
    ends_at: dt.datetime | None = None

    @property
    def place(self) -> list[str]:
        """The scope as events carry it."""
        names = {"folder": str(self.folder or ""), "register": self.register, "object": str(self.object_id or "")}
        return [
            self.scope,
            *([self.register] if self.scope == "object" else []),
            *filter(None, [names.get(self.scope)]),
        ]


def grant(*, actor: Actor, organization: Any, terms: Terms, alone: bool = False) -> uuid.UUID:
    """Grant what ``terms`` say; joins the caller's transaction. Return the bundle's id.

    Refused without MANAGE on 閲覧権限; UserError for terms that say nothing, or that give rights to oneself while
    somebody else could. With nobody else, ``alone`` and a reason let it pass: it begins 24 hours later, with a notice.
    """
    decision = _require(actor, organization)
    checked = settled(organization, terms)
    mine = concerns(actor, checked.principal)
    if mine:
        second.ask_alone(actor=actor, organization=organization, alone=alone, reason=terms.reason)
        checked = replace(checked, starts_at=max(checked.starts_at or clock.now(), clock.now() + second.DELAY))
        _order(checked)
    bundle = uuid7()
    write(
        effect="grant", actor=actor, organization=organization, terms=checked, source=("alone" if mine else "manual", bundle),
        decision=decision,
    )  # fmt: skip
    if mine:
        starts = checked.starts_at.isoformat() if checked.starts_at else ""
        second.tell(
            actor=actor, organization=organization, act="grant", bundle=str(bundle), starts=starts,
            reason=terms.reason, decision=decision.recorded,
        )  # fmt: skip
    return bundle


def deny(*, actor: Actor, organization: Any, terms: Terms) -> uuid.UUID:
    """Deny what ``terms`` say, whatever is granted; joins the caller's transaction. Return the bundle's id.

    Refused without MANAGE on 閲覧権限; UserError for terms that say nothing, or that would leave nobody to manage rights.
    """
    decision = _require(actor, organization)
    checked = settled(organization, terms)
    if checked.scope == "register" and checked.register == "access" and rule.MANAGE in checked.actions:
        raise UserError(Message("閲覧権限の管理は禁止できません。だれも権限を直せなくなります。任命を変えてください。"))
    bundle = uuid7()
    write(
        effect="deny", actor=actor, organization=organization, terms=checked, source=("manual", bundle),
        decision=decision,
    )  # fmt: skip
    return bundle


def withdraw(
    *, actor: Actor, organization: Any, effect: str, bundle: uuid.UUID, reason: str, alone: bool = False
) -> int:
    """Withdraw a bundle's rows that still hold; joins the caller's transaction. Return how many.

    Takes effect with the next request. Refused without MANAGE; UserError without a reason, when nothing is left to
    withdraw, or when somebody takes away a deny about himself while others could.
    """
    decision = _require(actor, organization)
    if not reason.strip():
        raise UserError(Message("取り消す理由を書いてください。"))
    rows = list(in_bundle(MODELS[effect], organization, bundle).filter(voided_at__isnull=True).order_by("id"))
    if not rows:
        raise UserError(Message("この許可・禁止は、もう取り消されています。一覧で確かめてください。"))
    mine = effect == "deny" and any(concerns(actor, (row.principal_kind, row.principal_id)) for row in rows)
    if mine:
        second.ask_alone(actor=actor, organization=organization, alone=alone, reason=reason)
    void(actor=actor, organization=organization, effect=effect, rows=rows, reason=reason, decision=decision, alone=mine)
    if mine:
        second.tell(
            actor=actor, organization=organization, act="withdraw", bundle=str(bundle), starts="", reason=reason,
            decision=decision.recorded,
        )  # fmt: skip
    return len(rows)


def members_of(*, organization: Any, principal: tuple[str, str]) -> list[uuid.UUID]:
    """Return the members a principal stands for now; for 全員 those who can log in."""
    kind, code = principal
    if kind == "member":
        return [uuid.UUID(code)]
    if kind == "everyone":
        users = User.objects.filter(organization=organization, is_active=True, principal__isnull=False)
        return [key for key in users.order_by("principal").values_list("principal", flat=True) if key]
    rows = in_force.holding(Membership.objects.filter(organization=organization, kind=kind, role=code))
    return list(rows.order_by("principal").values_list("principal", flat=True).distinct())


def concerns(actor: Actor, principal: tuple[str, str]) -> bool:
    """Whether a right of ``principal`` is one's own. What everybody gets is no favour to oneself."""
    return principal[0] != "everyone" and principal in rule.principals(actor)


def in_bundle(model: type[Entry], organization: Any, bundle: uuid.UUID) -> QuerySet[Any]:
    """Return the rows made together; a row from before bundles is its own."""
    rows: QuerySet[Any] = model._default_manager.filter(  # noqa: SLF001  of either model
        Q(source_id=bundle) | Q(source_id__isnull=True, id=bundle), organization=organization
    )
    return rows


def write(
    *, effect: str, actor: Actor, organization: Any, terms: Terms, source: tuple[str, uuid.UUID], decision: Decision
) -> list[uuid.UUID]:
    """Write one row an action and, for what a person decided by hand, one event. For operations that asked already."""
    transactions.require()
    now = clock.now()
    model = MODELS[effect]
    rows = [
        model(
            organization=organization,
            principal_kind=terms.principal[0],
            principal_id=terms.principal[1],
            action=action,
            scope_kind=terms.scope,
            register=terms.register,
            folder_id=terms.folder,
            object_id=terms.object_id,
            highest=terms.highest,
            starts_at=terms.starts_at or now,
            ends_at=terms.ends_at,
            recorded_at=now,
            recorded_by=f"{actor.kind}:{actor.id}"[:100],
            reason=terms.reason.strip(),
            source_kind=source[0],
            source_id=source[1],
        )
        for action in terms.actions
    ]
    model._default_manager.bulk_create(rows)  # noqa: SLF001  of either model
    append(
        organization=organization,
        act=Act(
            events.GRANTED if effect == "grant" else events.DENIED,
            actor.ref,
            (effect, str(source[1])),
            data={
                "bundle": str(source[1]),
                "entries": [str(row.id) for row in rows],
                "principal": list(terms.principal),
                "scope": terms.place,
                "actions": list(terms.actions),
                "highest": int(terms.highest),
                "from": (terms.starts_at or now).isoformat(),
                "until": terms.ends_at.isoformat() if terms.ends_at else "",
                "source": source[0],
                "alone": source[0] == "alone",
            },
            private={"reason": terms.reason.strip()} if terms.reason.strip() else {},
            decision=decision.recorded,
        ),
    )
    return [row.id for row in rows]


def void(
    *, actor: Actor, organization: Any, effect: str, rows: list[Any], reason: str, decision: Decision, alone: bool
) -> None:
    """Void rows with one event. For operations that asked already."""
    ids = [row.id for row in rows]
    MODELS[effect]._default_manager.filter(id__in=ids, voided_at__isnull=True).update(voided_at=clock.now())  # noqa: SLF001  of either model
    append(
        organization=organization,
        act=Act(
            events.ENTRY_WITHDRAWN,
            actor.ref,
            (effect, str(rows[0].source_id or rows[0].id)),
            data={
                "effect": effect,
                "bundle": str(rows[0].source_id or rows[0].id),
                "entries": [str(key) for key in ids],
                "alone": alone,
            },
            private={"reason": reason.strip()},
            decision=decision.recorded,
        ),
    )


def _require(actor: Actor, organization: Any) -> Decision:
    transactions.require()
    return rule.require(actor, rule.MANAGE, rule.Target("access", organization=organization))


def settled(organization: Any, terms: Terms) -> Terms:
    """Return the terms without what does not belong to their scope; UserError when they say nothing."""
    kind, code = terms.principal
    if kind not in PrincipalKind.values or terms.scope not in ScopeKind.values:
        raise UserError(Message("だれに、どこに、のどちらかが決まっていません。選び直してください。"))
    if (kind == "everyone") == bool(code):
        raise UserError(Message("だれの権限かを選んでください。"))
    if kind == "member" and rule.as_uuid(code) is None:
        raise UserError(Message("だれの権限かを選んでください。"))
    actions = tuple(action for action in rule.ACTIONS if action in terms.actions)
    if not actions or set(terms.actions) - set(rule.ACTIONS):
        raise UserError(Message("操作を1つ以上選んでください。"))
    if not terms.reason.strip():
        raise UserError(Message("理由を書いてください。"))
    if terms.highest not in Classification.values:
        raise UserError(Message("閲覧区分の上限を選んでください。"))
    scope = terms.scope
    if scope == "folder" and (
        terms.folder is None or not Folder.objects.filter(organization=organization, pk=terms.folder).exists()
    ):
        raise UserError(Message("フォルダーを選んでください。"))
    if scope in {"register", "object"} and not terms.register:
        raise UserError(Message("台帳を選んでください。"))
    if scope == "object" and terms.object_id is None:
        raise UserError(Message("対象の文書を選んでください。"))
    found = replace(
        terms,
        actions=actions,
        reason=terms.reason.strip()[:500],
        register=terms.register if scope in {"register", "object"} else "",
        folder=terms.folder if scope == "folder" else None,
        object_id=terms.object_id if scope == "object" else None,
    )
    _order(found)
    return found


def _order(terms: Terms) -> None:
    starts = terms.starts_at or clock.now()
    if terms.ends_at is not None and terms.ends_at <= max(starts, clock.now()):
        raise UserError(Message("終わりが、始まり又は今より前です。期間を直してください。"))
