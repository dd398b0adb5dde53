"""Writing memberships and refusals."""

from __future__ import annotations

import datetime as dt
import re
import uuid
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

from kitei.foundation import clock, transactions
from kitei.foundation.tenancy.models import Organization
from kitei.trust.access.models import Folder, Membership
from kitei.trust.access.rule import Actor, Refused
from kitei.trust.auditlog import events
from kitei.trust.auditlog.log import Act, append, append_many

ROOT_FOLDER = "全体"
_PLAIN_ID = re.compile(r"[A-Za-z0-9._:/-]{0,80}\Z")


@dataclass(frozen=True)
class MembershipFacts:
    """What an appointment says about access: who holds which role from when until when (instants)."""

    principal: uuid.UUID
    role: str
    starts_at: dt.datetime
    ends_at: dt.datetime | None
    deputy: bool
    source_id: uuid.UUID


def replace_memberships(
    *,
    actor: Actor,
    organization: Any,
    source_kind: str,
    void_sources: Iterable[uuid.UUID],
    facts: Iterable[MembershipFacts],
) -> None:
    """Void the memberships of withdrawn sources and add those of new ones; joins the caller's transaction."""
    transactions.require()
    now = clock.now()
    gone = list(void_sources)
    for start in range(0, len(gone), 500):
        Membership.objects.filter(
            organization=organization, source_id__in=gone[start : start + 500], voided_at__isnull=True
        ).update(voided_at=now)
    rows = [
        Membership(
            organization=organization,
            principal=fact.principal,
            role=fact.role,
            starts_at=fact.starts_at,
            ends_at=fact.ends_at,
            deputy=fact.deputy,
            source_kind=source_kind,
            source_id=fact.source_id,
            recorded_at=now,
        )
        for fact in facts
    ]
    Membership.objects.bulk_create(rows, batch_size=500)
    append_many(
        organization=organization,
        acts=[
            Act(
                events.MEMBERSHIP_CHANGED,
                actor.ref,
                ("member", str(row.principal)),
                data={"role": row.role, "membership": str(row.id), "source": str(row.source_id)},
            )
            for row in rows
        ],
    )


def ends_by_source(*, organization: Any, source_ids: list[uuid.UUID]) -> dict[uuid.UUID, dt.datetime | None]:
    """Return source id -> when its membership ends (None: open), for the sources that have one."""
    found: dict[uuid.UUID, dt.datetime | None] = {}
    for start in range(0, len(source_ids), 500):
        rows = Membership.objects.filter(
            organization=organization, source_id__in=source_ids[start : start + 500], voided_at__isnull=True
        )
        found.update(rows.values_list("source_id", "ends_at"))
    return found


def root_folder(*, organization: Organization) -> Folder:
    """Return the organization's root folder, made on first use; joins the caller's transaction."""
    folder, _ = Folder.objects.get_or_create(organization=organization, parent=None, name=ROOT_FOLDER)
    return folder


def record_refusal(*, refused: Refused, path: str = "") -> None:
    """Append the refusal event in a transaction of its own: it survives the rollback of what was refused.

    What was asked for may be typed text (an address, a form): what does not look like an id is committed to like any
    other free text, because it may be a name and may have no canonical form.
    """
    actor, target = refused.actor, refused.target
    plain = _PLAIN_ID.match(target.id) is not None
    private = {"path": path, "object": "" if plain else target.id.replace("\x00", "")}

    def work() -> None:
        append(
            organization=actor.organization,
            act=Act(
                events.REFUSED,
                actor.ref,
                (target.kind, target.id if plain else ""),
                outcome="refused",
                data={"action": refused.action},
                decision={"allowed": False, "reasons": list(refused.decision.reasons)},
                private={name: text for name, text in private.items() if text},
            ),
        )

    transactions.durable_or_join(work)
