"""権限の棚卸: every grant in force, when it was last used, and what was decided about it: keep, change or remove."""

from __future__ import annotations

import datetime as dt
import json
import uuid
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from django.db.models import Max, Q

from kitei.foundation import clock, transactions
from kitei.foundation.tenancy.ids import uuid7
from kitei.foundation.text import Message, UserError
from kitei.trust.access import events, grants, rule
from kitei.trust.access.grants import Terms
from kitei.trust.access.models import Entry, Grant, GrantReview
from kitei.trust.access.rule import Actor
from kitei.trust.auditlog.log import Act, append
from kitei.trust.auditlog.models import Event

UNUSED = dt.timedelta(days=90)
USES = ("document:view", "document:download")
"""Events whose decision names the grants that permitted them."""
MOST_USES = 50_000
OUTCOMES = ("keep", "change", "remove")


@dataclass(frozen=True)
class Bundle:
    """Rows that were made together and differ only in the action."""

    id: uuid.UUID
    entries: tuple[Any, ...]

    @property
    def first(self) -> Any:
        """Any of the rows: all say the same but the action."""
        return self.entries[0]

    @property
    def actions(self) -> tuple[str, ...]:
        """The actions in the usual order."""
        held = {entry.action for entry in self.entries}
        return tuple(action for action in rule.ACTIONS if action in held)


@dataclass(frozen=True)
class Item:
    """One line of the review. ``used_at`` is None when the log of the last 90 days names none of its rows."""

    bundle: Bundle
    used_at: dt.datetime | None
    reviewed_at: dt.datetime | None
    proposed: bool


def bundled(rows: Sequence[Entry]) -> list[Bundle]:
    """Put rows that were made together together, in the order of the first of each."""
    found: dict[uuid.UUID, list[Entry]] = {}
    for row in rows:
        found.setdefault(row.source_id or row.id, []).append(row)
    return [Bundle(key, tuple(entries)) for key, entries in found.items()]


def items(*, actor: Actor, limit: int = 500) -> tuple[list[Item], bool]:
    """Return the grants in force for the review, proposals first, and whether there are more. Needs VIEW on 閲覧権限.

    Four queries. ``proposed``: permits viewing, is older than 90 days and was not used in the last 90 days.
    """
    organization = actor.organization
    rule.require(actor, rule.VIEW, rule.Target("access", organization=organization))
    now = clock.now()
    rows = list(
        Grant.objects.filter(
            Q(ends_at__isnull=True) | Q(ends_at__gt=now), organization=organization, voided_at__isnull=True
        )
        .exclude(source_kind="break-glass")
        .select_related("folder")
        .order_by("recorded_at", "id")[: limit * len(rule.ACTIONS) + 1]
    )
    found = bundled(rows)
    used, complete = last_uses(organization=organization, since=now - UNUSED)
    reviews = GrantReview.objects.filter(organization=organization, bundle__in=[bundle.id for bundle in found[:limit]])
    reviewed = dict(reviews.order_by().values_list("bundle").annotate(last=Max("reviewed_at")))
    lines = []
    for bundle in found[:limit]:
        uses = [used[str(entry.id)] for entry in bundle.entries if str(entry.id) in used]
        last = max(uses, default=None)
        readable = bool({rule.VIEW, rule.DOWNLOAD} & set(bundle.actions))
        old = bundle.first.starts_at <= now - UNUSED
        lines.append(Item(bundle, last, reviewed.get(bundle.id), complete and readable and old and last is None))
    lines.sort(key=lambda item: not item.proposed)
    return lines, len(found) > limit


def last_uses(*, organization: Any, since: dt.datetime) -> tuple[dict[str, dt.datetime], bool]:
    """Return grant id -> when the log last names it since an instant, and whether the log was read to that instant.

    One query over the index by name, the newest ``MOST_USES`` events of each name.
    """
    found: dict[str, dt.datetime] = {}
    complete = True
    for name in USES:
        rows = (
            Event.objects.filter(organization=organization, name=name, at__gte=since)
            .order_by("-at")
            .values_list("at", "payload")[: MOST_USES + 1]
        )
        read = 0
        for at, payload in rows.iterator(chunk_size=2000):
            read += 1
            if read > MOST_USES:
                complete = False
                break
            if b'"grant:' not in bytes(payload):
                continue
            for reason in json.loads(bytes(payload))["decision"]["reasons"]:
                if reason.startswith("grant:"):
                    key = reason.removeprefix("grant:")
                    found[key] = max(found.get(key, at), at)
    return found, complete


def review(
    *,
    actor: Actor,
    organization: Any,
    bundle: uuid.UUID,
    outcome: str,
    note: str = "",
    highest: int | None = None,
    ends_at: dt.datetime | None = None,
) -> GrantReview:
    """Decide about a bundle of grants: keep it, change its end or highest classification, or remove it; joins.

    A change withdraws the rows and makes new ones, so the past stays as it was. Refused without MANAGE; UserError when
    nothing is left of it, for one's own grant kept or changed by oneself, or for a change or removal without a reason.
    """
    transactions.require()
    decision = rule.require(actor, rule.MANAGE, rule.Target("access", organization=organization))
    rows = list(grants.in_bundle(Grant, organization, bundle).filter(voided_at__isnull=True).order_by("id"))
    if not rows:
        raise UserError(Message("この許可・禁止は、もう取り消されています。一覧で確かめてください。"))
    if outcome not in OUTCOMES:
        raise UserError(Message("継続、変更、取消のどれかを選んでください。"))
    if outcome != "keep" and not note.strip():
        raise UserError(Message("変更又は取消の理由を書いてください。"))
    first = rows[0]
    if outcome != "remove" and grants.concerns(actor, (first.principal_kind, first.principal_id)):
        raise UserError(Message("自分の権限の棚卸は、ほかの責任者に依頼してください。"))
    replaced = ""
    if outcome != "keep":
        grants.void(
            actor=actor,
            organization=organization,
            effect="grant",
            rows=rows,
            reason=note,
            decision=decision,
            alone=False,
        )
    if outcome == "change":
        key = uuid7()
        terms = Terms(
            principal=(first.principal_kind, first.principal_id),
            actions=tuple(row.action for row in rows),
            scope=first.scope_kind,
            reason=first.reason or note,
            register=first.register,
            folder=first.folder_id,
            object_id=first.object_id,
            highest=first.highest if highest is None else highest,
            starts_at=max(first.starts_at, clock.now()),
            ends_at=ends_at if ends_at is not None else first.ends_at,
        )
        grants.write(
            effect="grant", actor=actor, organization=organization, terms=grants.settled(organization, terms),
            source=("review", key), decision=decision,
        )  # fmt: skip
        replaced = str(key)
    row = GrantReview.objects.create(
        organization=organization,
        bundle=bundle,
        outcome=outcome,
        reviewed_at=clock.now(),
        reviewed_by=uuid.UUID(actor.id) if actor.kind == "member" else None,
        note=note.strip()[:500],
    )
    append(
        organization=organization,
        act=Act(
            events.GRANT_REVIEWED,
            actor.ref,
            ("grant", str(bundle)),
            data={"outcome": outcome, "bundle": str(bundle), "replaced": replaced},
            private={"note": row.note} if row.note else {},
            decision=decision.recorded,
        ),
    )
    return row
