"""緊急閲覧 (break-glass, design §5): one lets oneself in at once, for hours, with a reason; another officer looks at it."""

from __future__ import annotations

import datetime as dt
import uuid
from typing import Any

from django.db.models import QuerySet

from kitei.foundation import clock, transactions
from kitei.foundation.mail import outbox
from kitei.foundation.text import Message, UserError
from kitei.trust.access import events, grants, letters, rule, second
from kitei.trust.access.grants import Terms
from kitei.trust.access.models import BreakGlass, Classification, Folder
from kitei.trust.access.rule import Actor, Decision, Refused, Target
from kitei.trust.auditlog.log import Act, append

HOURS, MOST_HOURS = 1, 8
ACTIONS = (rule.LIST, rule.VIEW, rule.DOWNLOAD)
OUTCOMES = ("justified", "unjustified")


def begin(
    *,
    actor: Actor,
    organization: Any,
    reason: str,
    hours: int = HOURS,
    folder: uuid.UUID | None = None,
    number: str = "",
    object_id: uuid.UUID | None = None,
) -> BreakGlass:
    """Let oneself in for ``hours``: to a folder, or to the document of a typed ``number``; joins the transaction.

    ``object_id`` is the document that has the number, None when none has: then nothing is granted, and nothing says so.
    A deny still wins. Officers are told by mail and on their home page. Refused without an active account that stands
    for a member; UserError without a reason or a place, or for other hours than 1 to 8.
    """
    transactions.require()
    if (
        actor.kind != "member"
        or not actor.active
        or actor.principal is None
        or actor.organization.pk != organization.pk
    ):
        target = Target("break-glass", organization=organization)
        raise Refused(actor, rule.VIEW, target, Decision(allowed=False, reasons=("no-active-account",)))
    if not reason.strip():
        raise UserError(Message("緊急に閲覧する理由を書いてください。"))
    if not 1 <= hours <= MOST_HOURS:
        raise UserError(Message("時間は、1時間から%(most)s時間までにしてください。", {"most": MOST_HOURS}))
    if bool(folder) == bool(number.strip()):
        raise UserError(Message("文書番号を書くか、フォルダーを選ぶか、どちらか一つにしてください。"))
    if folder and not Folder.objects.filter(organization=organization, pk=folder).exists():
        raise UserError(Message("フォルダーを選んでください。"))
    now = clock.now()
    row = BreakGlass.objects.create(
        organization=organization,
        account=uuid.UUID(actor.id),
        principal=actor.principal,
        folder_id=folder,
        number=number.strip()[:60],
        reason=reason.strip()[:500],
        starts_at=now,
        ends_at=now + dt.timedelta(hours=hours),
    )
    decision = Decision(allowed=True, reasons=("break-glass",))
    terms = Terms(
        principal=("member", str(actor.principal)),
        actions=ACTIONS,
        scope="folder" if folder else "object",
        reason=row.reason,
        register="" if folder else "document",
        folder=folder,
        object_id=object_id,
        highest=Classification.SECRET,
        starts_at=now,
        ends_at=row.ends_at,
    )
    made: list[uuid.UUID] = []
    if folder or object_id:
        made = grants.write(
            effect="grant", actor=actor, organization=organization, terms=terms, source=("break-glass", row.pk),
            decision=decision,
        )  # fmt: skip
    append(
        organization=organization,
        act=Act(
            events.GLASS_BROKEN,
            actor.ref,
            ("break-glass", str(row.pk)),
            data={
                "scope": terms.place,
                "entries": [str(key) for key in made],
                "until": row.ends_at.isoformat(),
            },
            private={"reason": row.reason, **({"number": row.number} if row.number else {})},
            decision=decision.recorded,
        ),
    )
    if outbox.is_configured():
        for user in letters.officers(organization=organization, without=row.account):
            outbox.post(organization=organization, kind=letters.BREAK_GLASS, reference=f"{row.pk}:{user.pk}")
    return row


def review(
    *, actor: Actor, organization: Any, identity: uuid.UUID, outcome: str, note: str, alone: bool = False
) -> BreakGlass:
    """Mark an emergency as looked at; joins the caller's transaction. Every officer may, the auditor too.

    Refused without VIEW on 閲覧権限; UserError for one's own while another officer could, without a note, or when done.
    """
    transactions.require()
    decision = rule.require(actor, rule.VIEW, Target("access", organization=organization))
    row = BreakGlass.objects.select_for_update().filter(organization=organization, pk=identity).first()
    if row is None or row.reviewed_at is not None:
        raise UserError(Message("この緊急閲覧は、もう確認されています。一覧で確かめてください。"))
    if outcome not in OUTCOMES or not note.strip():
        raise UserError(Message("確認の結果を選び、確かめた内容を書いてください。"))
    mine = str(row.account) == actor.id
    if mine:
        second.ask_alone(actor=actor, organization=organization, alone=alone, reason=note, reviewers=True)
        if clock.now() < row.ends_at + second.DELAY:
            raise UserError(Message("一人で確認するときは、緊急閲覧が終わってから24時間後に行ってください。"))
    row.reviewed_at, row.outcome, row.note, row.alone = clock.now(), outcome, note.strip()[:500], mine
    row.reviewed_by = uuid.UUID(actor.id) if actor.kind == "member" else None
    row.save(update_fields=["reviewed_at", "outcome", "note", "alone", "reviewed_by"])
    append(
        organization=organization,
        act=Act(
            events.GLASS_REVIEWED,
            actor.ref,
            ("break-glass", str(row.pk)),
            data={"outcome": outcome, "alone": mine},
            private={"note": row.note},
            decision=decision.recorded,
        ),
    )
    if mine:
        second.tell(
            actor=actor, organization=organization, act="review", bundle=str(row.pk), starts="", reason=row.note,
            decision=decision.recorded,
        )  # fmt: skip
    return row


def own(*, actor: Actor) -> QuerySet[BreakGlass]:
    """One's own emergencies, the newest first."""
    if actor.kind != "member":
        return BreakGlass.objects.none()
    rows = BreakGlass.objects.filter(organization=actor.organization, account=actor.id)
    return rows.select_related("folder").order_by("-starts_at", "-id")


def listed(*, actor: Actor, unreviewed: bool = False) -> QuerySet[BreakGlass]:
    """Everybody's emergencies, the newest first; none for who may not see 閲覧権限."""
    if not rule.decide(actor, rule.VIEW, Target("access", organization=actor.organization)).allowed:
        return BreakGlass.objects.none()
    rows = BreakGlass.objects.filter(organization=actor.organization).select_related("folder")
    return (rows.filter(reviewed_at__isnull=True) if unreviewed else rows).order_by("-starts_at", "-id")
