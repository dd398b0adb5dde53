"""閲覧申請: asked by anybody who is logged in, answered by who may (``answerers``). Nothing tells whether the thing exists."""

from __future__ import annotations

import datetime as dt
import uuid
from dataclasses import replace
from typing import Any

from django.db.models import QuerySet

from kitei.foundation import clock, transactions
from kitei.foundation.mail import outbox
from kitei.foundation.text import Message, UserError
from kitei.trust.access import answerers, events, grants, letters, rule, second
from kitei.trust.access.grants import Terms
from kitei.trust.access.models import AccessRequest
from kitei.trust.access.rule import Actor
from kitei.trust.auditlog.log import Act, append

LONGEST = dt.timedelta(days=366)
OPEN_AT_ONCE = 20
"""How many open requests one account may have; more would bury the others."""
LOOKED_AT = 200


def ask(*, actor: Actor, organization: Any, wanted: str, address: str, reason: str, until: dt.date) -> AccessRequest:
    """Send a request; joins the caller's transaction. The thing is not looked up.

    Refused for who has no active account here; UserError without a thing, a reason or a day within a year, or with too
    many open requests.
    """
    transactions.require()
    if actor.kind != "member" or not actor.active or actor.organization.pk != organization.pk:
        target = rule.Target("access-request", organization=organization)
        raise rule.Refused(actor, rule.EDIT, target, rule.Decision(allowed=False, reasons=("no-active-account",)))
    today = clock.today()
    if not wanted.strip() and not address.strip():
        raise UserError(Message("何を見たいかを書いてください。文書番号、名称、アドレスのどれでもかまいません。"))
    if not reason.strip():
        raise UserError(Message("閲覧が必要な理由を書いてください。"))
    if not today <= until <= today + LONGEST:
        raise UserError(Message("閲覧の期限は、今日から1年以内の日にしてください。"))
    if AccessRequest.objects.filter(organization=organization, account=actor.id, state="open").count() >= OPEN_AT_ONCE:
        raise UserError(Message("回答を待っている申請が多すぎます。回答があってから申請してください。"))
    row = AccessRequest.objects.create(
        organization=organization,
        account=uuid.UUID(actor.id),
        principal=actor.principal,
        wanted=wanted.strip()[:300],
        address=address.strip()[:300],
        reason=reason.strip()[:500],
        until=until,
        asked_at=clock.now(),
    )
    private = {"wanted": row.wanted, "address": row.address, "reason": row.reason}
    append(
        organization=organization,
        act=Act(
            events.REQUESTED,
            actor.ref,
            ("access-request", str(row.pk)),
            data={"until": until.isoformat()},
            private={name: text for name, text in private.items() if text},
            decision={"allowed": True, "reasons": ["own-request"]},
        ),
    )
    return row


def approve(
    *, actor: Actor, organization: Any, request_id: uuid.UUID, terms: Terms, answer: str = "", alone: bool = False
) -> AccessRequest:
    """Answer with a dated grant to the person who asked; joins the caller's transaction.

    ``terms`` say where, which actions, how high and until when; whom and why come from the request. Refused for who
    may not answer; UserError for an answered request, an account without a member, one's own request while others could,
    or more than a department's answerer may give (``answerers.within``).
    """
    decision, row = _open(actor, organization, request_id)
    if row.principal is None:
        raise UserError(
            Message(
                "このアカウントは、まだ構成員に結び付いていません。シート「構成員」にメールアドレスを登録してください。"
            )
        )
    answerers.within(actor, row, terms)
    mine = str(row.account) == actor.id
    whole = replace(terms, principal=("member", str(row.principal)), reason=row.reason)
    if whole.ends_at is None:
        raise UserError(Message("閲覧の期限を決めてください。"))
    if mine:
        second.ask_alone(actor=actor, organization=organization, alone=alone, reason=answer)
        whole = replace(whole, starts_at=clock.now() + second.DELAY)
    grants.write(
        effect="grant", actor=actor, organization=organization, terms=grants.settled(organization, whole),
        source=("request", row.pk), decision=decision,
    )  # fmt: skip
    if mine:
        starts = whole.starts_at.isoformat() if whole.starts_at else ""
        second.tell(
            actor=actor, organization=organization, act="request", bundle=str(row.pk), starts=starts, reason=answer,
            decision=decision.recorded,
        )  # fmt: skip
    return _answer(actor, organization, row, "approved", answer, decision, alone=mine)


def refuse(*, actor: Actor, organization: Any, request_id: uuid.UUID, answer: str) -> AccessRequest:
    """Answer with no, and why; joins the caller's transaction. Refused for who may not answer; UserError without a reason."""
    decision, row = _open(actor, organization, request_id)
    if not answer.strip():
        raise UserError(Message("閲覧を認めない理由を書いてください。申請した人に表示します。"))
    return _answer(actor, organization, row, "refused", answer, decision, alone=False)


def own(*, actor: Actor) -> QuerySet[AccessRequest]:
    """One's own requests, the newest first."""
    if actor.kind != "member":
        return AccessRequest.objects.none()
    rows = AccessRequest.objects.filter(organization=actor.organization, account=actor.id)
    return rows.order_by("-asked_at", "-id")


def waiting(*, actor: Actor) -> QuerySet[AccessRequest]:
    """Requests nobody has answered that the actor may answer, the oldest first.

    For a department's answerers only the ``LOOKED_AT`` oldest are looked at.
    """
    rows = AccessRequest.objects.filter(organization=actor.organization, state="open").order_by("asked_at", "id")
    if rule.decide(actor, rule.MANAGE, rule.Target("access", organization=actor.organization)).allowed:
        return rows
    ids = answerers.answerable(actor=actor, rows=rows.select_related("organization")[:LOOKED_AT])
    return rows.filter(pk__in=ids) if ids else AccessRequest.objects.none()


def _open(actor: Actor, organization: Any, request_id: uuid.UUID) -> tuple[rule.Decision, AccessRequest]:
    transactions.require()
    row = AccessRequest.objects.select_for_update().filter(organization=organization, pk=request_id).first()
    decision = (
        answerers.require(actor, row)
        if row is not None
        else rule.require(actor, rule.MANAGE, rule.Target("access", organization=organization))
    )
    if row is None or row.state != "open":
        raise UserError(Message("この申請には、もう回答があります。一覧で確かめてください。"))
    return decision, row


def _answer(
    actor: Actor,
    organization: Any,
    row: AccessRequest,
    state: str,
    answer: str,
    decision: rule.Decision,
    *,
    alone: bool,
) -> AccessRequest:
    row.state, row.answer, row.decided_at = state, answer.strip()[:500], clock.now()
    row.decided_by = uuid.UUID(actor.id) if actor.kind == "member" else None
    row.save(update_fields=["state", "answer", "decided_at", "decided_by"])
    append(
        organization=organization,
        act=Act(
            events.REQUEST_ANSWERED,
            actor.ref,
            ("access-request", str(row.pk)),
            data={"state": state, "bundle": str(row.pk) if state == "approved" else "", "alone": alone},
            private={"answer": row.answer} if row.answer else {},
            decision=decision.recorded,
        ),
    )
    if outbox.is_configured():
        outbox.post(organization=organization, kind=letters.ANSWERED, reference=str(row.pk))
    return row
