"""Reading the log is itself an act: each reading is recorded before anything of it is shown (design §5)."""

from __future__ import annotations

import uuid
from typing import Any

from kitei.outcomes.records.filters import Wish
from kitei.trust.access import rule
from kitei.trust.access.rule import Actor, Decision, Target
from kitei.trust.auditlog import events
from kitei.trust.auditlog.log import Act, record
from kitei.trust.auditlog.models import Event
from kitei.trust.auditlog.vocabulary import EventName

KIND = "log"


def target(actor: Actor, identity: str = "") -> Target:
    """Return the log, or one entry of it, as what the access rule decides about."""
    return Target(KIND, identity, actor.organization)


def record_list(*, actor: Actor, wish: Wish, decision: Decision) -> None:
    """Record one reading of the list; a further page is a further reading."""
    _record(actor, events.LOG_LISTED, wish, decision, {"further": True} if wish.after or wish.before else {})


def record_export(*, actor: Actor, wish: Wish, decision: Decision, head: dict[str, Any]) -> Event:
    """Record that the log leaves the house as a file; ``head`` is the size and root the file prints."""
    return _record(actor, events.LOG_EXPORTED, wish, decision, head)


def record_view(*, actor: Actor, event: Event, decision: Decision, opened: bool) -> None:
    """Record the reading of one entry; ``opened`` when also what its commitments hide is shown."""
    _record_one(actor, events.LOG_VIEWED, event, decision, {"opened": opened})


def record_proof(*, actor: Actor, event: Event, decision: Decision, opened: bool) -> None:
    """Record that the proof of one entry is handed out, ``opened`` with what its commitments hide."""
    _record_one(actor, events.LOG_PROVEN, event, decision, {"opened": opened})


def refused(actor: Actor, identity: uuid.UUID | int, action: str = rule.VIEW) -> rule.Refused:
    """Return the answer for an entry that is not there: the one for what may not be read."""
    return rule.Refused(
        actor, action, target(actor, str(identity)), Decision(allowed=False, reasons=("no-visible-row",))
    )


def _record(actor: Actor, name: EventName, wish: Wish, decision: Decision, more: dict[str, Any]) -> Event:
    act = Act(
        name,
        actor.ref,
        (KIND, ""),
        data=wish.plain | more,
        # What was typed may be a name or a mail address.
        private={"query": wish.typed} if wish.typed else {},
        decision=decision.recorded,
    )
    return record(organization=actor.organization, act=act)


def _record_one(actor: Actor, name: EventName, event: Event, decision: Decision, data: dict[str, Any]) -> None:
    act = Act(name, actor.ref, (KIND, str(event.pk)), data=data, decision=decision.recorded)
    record(organization=actor.organization, act=act)
