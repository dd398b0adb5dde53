"""Writing memberships and refusals. ``flush_strangers`` and ``count_stranger`` live in ``strangers``."""

from __future__ import annotations

import datetime as dt
import logging
import re
import uuid
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

from kitei.foundation import clock, transactions
from kitei.foundation.tenancy.models import Organization
from kitei.trust.access.models import Folder, FolderLink, Membership
from kitei.trust.access.rule import Actor, Decision, Refused
from kitei.trust.access.strangers import count_stranger
from kitei.trust.access.strangers import flush as flush_strangers
from kitei.trust.auditlog import events
from kitei.trust.auditlog.log import Act, append_many, record

__all__ = [
    "MembershipFacts",
    "count_stranger",
    "ends_by_source",
    "flush_strangers",
    "record_refusal",
    "record_turned_away",
    "replace_memberships",
    "root_folder",
]

ROOT_FOLDER = "全体"
_UUID = r"[0-9a-f]{8}-(?:[0-9a-f]{4}-){3}[0-9a-f]{12}"
_CLAUSE = r"[a-z]+(?:-[a-z]+)*-[0-9.]{1,8}/[0-9.]{1,12}/[a-z]{1,3}-[0-9]{1,3}"
_PLAIN_ID = re.compile(rf"(?:{_UUID}|{_CLAUSE}|[0-9]{{1,5}}|draft|all|)\Z")
"""What is an id and no words: anything else in an address or a form may be a name or a telephone number."""
_log = logging.getLogger(__name__)


@dataclass(frozen=True)
class MembershipFacts:
    """What an appointment or a place in a department says about access: who belongs where from when until when (instants).

    ``role`` is the role's code, or for ``kind`` "department" the department's id.
    """

    principal: uuid.UUID
    role: str
    starts_at: dt.datetime
    ends_at: dt.datetime | None
    deputy: bool
    source_id: uuid.UUID
    kind: str = "role"


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
    voided: list[Membership] = []
    for start in range(0, len(gone), 500):
        held = Membership.objects.filter(
            organization=organization, source_id__in=gone[start : start + 500], voided_at__isnull=True
        )
        voided += held.order_by("id")
        held.update(voided_at=now)
    rows = [
        Membership(
            organization=organization,
            principal=fact.principal,
            kind=fact.kind,
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
    # Nobody decides about rights as such: they follow from a row whose own event says who was allowed to write it.
    decision = {"allowed": True, "reasons": [f"follows:{source_kind}"]}
    append_many(
        organization=organization,
        acts=[
            Act(
                name,
                actor.ref,
                ("member", str(row.principal)),
                data={"kind": row.kind, "role": row.role, "membership": str(row.id), "source": str(row.source_id)},
                decision=decision,
            )
            for name, found in ((events.MEMBERSHIP_WITHDRAWN, voided), (events.MEMBERSHIP_CHANGED, rows))
            for row in found
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
    folder, made = Folder.objects.get_or_create(organization=organization, parent=None, name=ROOT_FOLDER)
    if made:
        FolderLink.objects.create(organization=organization, ancestor=folder, descendant=folder)
    return folder


def record_refusal(*, refused: Refused, path: str = "") -> bool:
    """Append the refusal event in a transaction of its own: it survives the rollback of what was refused.

    What was asked for may be typed text (an address, a form): what does not look like an id is committed to like any
    other free text, because it may be a name and may have no canonical form. A refusal stands even when it cannot be
    written down: then that goes to the program's own messages, and False is returned.
    """
    target = refused.target
    plain = _PLAIN_ID.match(target.id) is not None
    return _record_refusal(
        actor=refused.actor,
        target=(target.kind, target.id if plain else ""),
        data={"action": refused.action},
        decision=refused.decision,
        private={"path": path, "object": "" if plain else target.id},
    )


def record_turned_away(*, actor: Actor, reason: str, action: str, route: str, status: int, path: str) -> bool:
    """Append that a signed-in person asked for an address that holds nothing for them, or asked in a way it does not take.

    ``route`` names the page in the program, if the address belongs to one; the address itself is committed to. As with
    ``record_refusal`` the answer does not depend on it: False when it could not be written.
    """
    data = {"action": action, "route": route, "status": status}
    return _record_refusal(
        actor=actor,
        target=("address", ""),
        data={name: value for name, value in data.items() if value},
        decision=Decision(allowed=False, reasons=(reason,)),
        private={"path": path},
    )


def _record_refusal(
    *, actor: Actor, target: tuple[str, str], data: dict[str, Any], decision: Decision, private: dict[str, str]
) -> bool:
    act = Act(
        events.REFUSED,
        actor.ref,
        target,
        outcome="refused",
        data=data,
        decision=decision.recorded,
        private={name: text for name, text in private.items() if text},
    )
    try:
        record(organization=actor.organization, act=act)
    except Exception as error:  # noqa: BLE001  whatever broke the log must not turn a refusal into a page
        # Kind and action tell nothing about a person; the lines after the first of a database's error may.
        reason = (str(error).splitlines() or [type(error).__name__])[0]
        _log.error("a refusal could not be recorded: %s %s: %s", data.get("action", ""), target[0], reason)
        return False
    return True
