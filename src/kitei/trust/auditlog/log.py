"""Appending to the log: in the transaction of the act, stored once as canonical bytes (design §5 "Events")."""

from __future__ import annotations

import datetime as dt
import unicodedata
import uuid
from collections.abc import Iterable, Mapping
from contextvars import ContextVar
from dataclasses import dataclass, field
from typing import Any

from kitei.foundation import clock, transactions
from kitei.foundation.tenancy.ids import uuid7
from kitei.trust.auditlog import canonical
from kitei.trust.auditlog.models import Event, Opening
from kitei.trust.auditlog.vocabulary import EventName

VERSION = 1


@dataclass(frozen=True)
class RequestContext:
    """What a face knows about where an act came from: request id, session (a digest), strength of log-in, face."""

    request_id: str = ""
    session: str = ""
    strength: str = ""
    face: str = ""


_context: ContextVar[RequestContext | None] = ContextVar("kitei_request_context", default=None)


def set_context(context: RequestContext | None) -> None:
    """Tell the log about the running request or command; None forgets it."""
    _context.set(context)


@dataclass(frozen=True)
class Act:
    """What is to be appended. ``data`` holds ids and numbers only; free text goes to ``private`` as commitments.

    ``actor`` and ``object`` are (kind, id); ``outcome`` is ``ok`` or ``refused``; ``decision`` gives the deciding rows.
    """

    name: EventName
    actor: tuple[str, str]
    object: tuple[str, str]
    outcome: str = "ok"
    data: Mapping[str, Any] = field(default_factory=dict)
    private: Mapping[str, str] = field(default_factory=dict)
    decision: Mapping[str, Any] = field(default_factory=dict)


def append(*, organization: Any, act: Act) -> Event:
    """Append one act; see ``append_many``."""
    return append_many(organization=organization, acts=[act])[0]


def append_many(*, organization: Any, acts: Iterable[Act]) -> list[Event]:
    """Append acts in order, in bulk; joins the caller's transaction.

    Raises NotCanonicalError for a payload that has no canonical form; then the act itself must not happen either.
    """
    transactions.require()
    moment = clock.now()
    context = _context.get() or RequestContext()
    rows: list[Event] = []
    openings: list[Opening] = []
    for act in acts:
        event_id = uuid7()
        commitments = {}
        for name, value in act.private.items():
            salt, digest = canonical.commit(name, value)
            commitments[name] = digest
            openings.append(
                Opening(
                    organization=organization,
                    event_id=event_id,
                    field=name,
                    salt=salt,
                    value=unicodedata.normalize("NFC", value),
                )
            )
        payload = _payload(organization, act, event_id, moment, context, commitments)
        data = canonical.encode(payload)
        rows.append(
            Event(
                id=event_id,
                organization=organization,
                at=moment,
                name=act.name.name,
                outcome=act.outcome,
                actor_kind=act.actor[0],
                actor_id=act.actor[1],
                object_kind=act.object[0],
                object_id=act.object[1],
                payload=data,
                leaf_hash=canonical.leaf_hash(data),
            )
        )
    Event.objects.bulk_create(rows, batch_size=500)
    if openings:
        Opening.objects.bulk_create(openings, batch_size=500)
    return rows


def _payload(
    organization: Any,
    act: Act,
    event_id: uuid.UUID,
    moment: dt.datetime,
    context: RequestContext,
    commitments: dict[str, str],
) -> dict[str, Any]:
    payload: dict[str, Any] = {
        "v": VERSION,
        "id": str(event_id),
        "at": moment.strftime("%Y-%m-%dT%H:%M:%S.%fZ"),
        "org": organization.code,
        "name": act.name.name,
        "outcome": act.outcome,
        "actor": list(act.actor),
        "object": list(act.object),
    }
    optional = {
        "request": context.request_id,
        "session": context.session,
        "strength": context.strength,
        "face": context.face,
        "data": dict(act.data),
        "decision": dict(act.decision),
        "commitments": commitments,
    }
    return payload | {key: value for key, value in optional.items() if value}
