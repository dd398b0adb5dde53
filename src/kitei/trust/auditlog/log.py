"""Appending to the log: in the transaction of the act, stored once as canonical bytes (design §5 "Events").

Operations call ``append``; a face that is about to show or hand out something calls ``record`` first (log before reveal).
"""

from __future__ import annotations

import datetime as dt
import hashlib
import json
import secrets
import unicodedata
import uuid
from collections.abc import Iterable, Mapping
from contextvars import ContextVar
from dataclasses import dataclass, field
from typing import Any

from django.db import DatabaseError

from kitei.foundation import clock, transactions
from kitei.foundation.tenancy.ids import uuid7
from kitei.trust.auditlog.models import Event, Opening
from kitei.trust.auditlog.rows import insert
from kitei.trust.auditlog.vocabulary import OUTCOMES, EventName
from kitei_verify import canonical

VERSION = 1


class UnrecordedError(Exception):
    """The log cannot be written, so what was to be recorded does not happen and is not shown."""


@dataclass(frozen=True)
class RequestContext:
    """What a face knows about where an act came from: request id, session (a digest), strength of log-in, face.

    ``strength`` is ``password``, ``one-time-code``, ``console`` or ``worker``; empty for who is not known.
    """

    request_id: str = ""
    session: str = ""
    strength: str = ""
    face: str = ""


_context: ContextVar[RequestContext | None] = ContextVar("kitei_request_context", default=None)


def set_context(context: RequestContext | None) -> None:
    """Tell the log about the running request or command; None forgets it."""
    _context.set(context)


def context() -> RequestContext:
    """Return what the log knows about the running request or command; empty fields when nobody told."""
    return _context.get() or RequestContext()


def for_process(face: str) -> RequestContext:
    """Return the context of a command (``cli``) or of one round of the ``worker``: an id of its own instead of a request's."""
    return RequestContext(request_id=secrets.token_hex(8), strength={"cli": "console"}.get(face, face), face=face)


def session_digest(key: str | None) -> str:
    """Return how events name a session: 64 bits of its key's digest, which open no session."""
    return hashlib.sha256(key.encode()).hexdigest()[:16] if key else ""


_policy = ""


def set_policy(version: str) -> None:
    """Tell the log which version of the access rule decides in this process; the rule does, when it is loaded."""
    global _policy  # noqa: PLW0603  one rule a process
    _policy = version


@dataclass(frozen=True)
class Act:
    """What is to be appended. ``data`` holds ids and numbers only; free text goes to ``private`` as commitments.

    ``actor`` and ``object`` are (kind, id); ``outcome`` is one of ``vocabulary.OUTCOMES``; ``decision`` is what the
    access rule answered (``Decision.recorded``): whether it allows, and the deciding rows. Acts that differ only in
    their object may share these mappings.
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

    Raises NotCanonicalError for a payload that has no canonical form (or is above 16 KiB: see ``by_digest``), ValueError
    for words that no room declared, UnrecordedError when the log cannot be written; then the act itself must not happen
    either.
    """
    transactions.require()
    moment = clock.now()
    where = context()
    rows: list[Event] = []
    openings: list[Opening] = []
    for act in acts:
        _check(act)
        event_id = uuid7()
        commitments = {}
        for name, given in act.private.items():
            value = _storable(given)
            salt, digest = canonical.commit(name, value)
            commitments[name] = digest
            openings.append(
                Opening(
                    organization=organization,
                    event_id=event_id,
                    field=name,
                    salt=salt,
                    value=value,
                )
            )
        payload = _payload(organization, act, event_id, moment, where, commitments)
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
    try:
        insert(Event, rows)
        if openings:
            insert(Opening, openings)
    except DatabaseError as error:
        if transactions.is_retryable(error):
            raise
        raise UnrecordedError(str(error)) from error
    return rows


def record(*, organization: Any, act: Act) -> Event:
    """Append one act and commit it before returning: what a face calls before it shows or hands out anything.

    Inside an open transaction the event commits with that. UnrecordedError when it cannot be committed: show nothing.
    """
    try:
        return transactions.durable_or_join(lambda: append(organization=organization, act=act))
    except DatabaseError as error:
        raise UnrecordedError(str(error)) from error


def by_digest(value: bytes | str | Mapping[str, Any] | list[Any]) -> dict[str, Any]:
    """Return how an event names a value that is too large for it: SHA-256 and length of its bytes.

    Text counts as NFC in UTF-8; mappings and lists as JSON with sorted keys and no spaces.
    """
    if isinstance(value, str):
        data = _storable(value).encode()
    elif isinstance(value, bytes):
        data = value
    else:
        data = json.dumps(value, ensure_ascii=False, sort_keys=True, separators=(",", ":"), allow_nan=False).encode()
    return {"sha256": hashlib.sha256(data).hexdigest(), "bytes": len(data)}


def _check(act: Act) -> None:
    name = act.name
    if act.outcome not in OUTCOMES:
        raise ValueError(f"{name} is appended with the unknown outcome {act.outcome!r}")
    if name.fields is not None and not act.data.keys() <= name.fields:
        raise ValueError(f"{name} does not declare {sorted(act.data.keys() - name.fields)}")
    if act.private and name.private_fields is not None and not act.private.keys() <= name.private_fields:
        raise ValueError(f"{name} does not declare {sorted(act.private.keys() - name.private_fields)}")
    if name.decided and not act.decision:
        raise ValueError(f"{name} does not say which decision allowed it")


def _storable(text: str) -> str:
    """Return text as every database keeps it and every verifier reads it: NFC, no NUL, no half characters."""
    return unicodedata.normalize("NFC", text.replace("\x00", "").encode("utf-8", "replace").decode())


def _payload(
    organization: Any,
    act: Act,
    event_id: uuid.UUID,
    moment: dt.datetime,
    where: RequestContext,
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
        "request": where.request_id,
        "session": where.session,
        "strength": where.strength,
        "face": where.face,
        "policy": _policy if act.decision else "",
        "data": dict(act.data),
        "decision": dict(act.decision),
        "commitments": commitments,
    }
    return payload | {key: value for key, value in optional.items() if value}
