"""Whose turn it is: when each outsider was asked last, what came of it, and how long to wait before asking again."""

from __future__ import annotations

import datetime as dt
import json
import logging

from django.conf import settings
from django.db.models import F
from django.db.models.functions import Coalesce, Greatest

from kitei.foundation import transactions
from kitei.foundation.text import Message
from kitei.trust.auditlog.models import Anchor, AnchorState, Log

FIRST_WAIT, LONGEST_WAIT = dt.timedelta(minutes=1), dt.timedelta(hours=1)
_log = logging.getLogger(__name__)


def state_of(log: Log, kind: str, name: str) -> AnchorState | None:
    """Return how it stands with an outsider; None when it was never asked."""
    return AnchorState.objects.filter(log=log, kind=kind, name=name).first()


def rested(state: AnchorState | None, moment: dt.datetime) -> bool:
    """Whether an outsider that fails may be asked again: after a minute, and each time after twice as long, up to an hour.

    The wait is as long as it has been failing when it was last asked, which doubles it without counting. A clock that was
    set back does not count as waiting.
    """
    if state is None or moment < state.asked_at:
        return True
    failing = state.asked_at - state.failing_since if state.failing_since else FIRST_WAIT
    return moment >= state.asked_at + min(max(failing, FIRST_WAIT), LONGEST_WAIT)


def witness_due(state: AnchorState | None, size: int, moment: dt.datetime) -> bool:
    """Whether a witness lacks the head and its turn has come.

    Turns begin for all witnesses together, so that they cosign the same head and a quorum comes about.
    """
    if state is None:
        return True
    if state.size >= size:
        return False
    if state.failing_since:
        return rested(state, moment)
    every = settings.WITNESS_SECONDS
    return moment.timestamp() // every != state.asked_at.timestamp() // every


def claim(log: Log, kind: str, name: str, state: AnchorState | None, moment: dt.datetime) -> bool:
    """Take the turn of asking; False when another worker took it first."""

    def work() -> bool:
        if state is not None:
            return bool(AnchorState.objects.filter(pk=state.pk, asked_at=state.asked_at).update(asked_at=moment))
        _, made = AnchorState.objects.get_or_create(
            log=log, kind=kind, name=name, defaults={"organization_id": log.organization_id, "asked_at": moment}
        )
        return made

    return transactions.durable(work)


def keep(log: Log, kind: str, name: str, size: int, at: dt.datetime, evidence: bytes) -> None:
    """Keep what verified; what came first for a head stays."""

    def work() -> None:
        Anchor.objects.get_or_create(
            log=log,
            kind=kind,
            name=name,
            size=size,
            defaults={"organization_id": log.organization_id, "made_at": at, "evidence": evidence},
        )
        AnchorState.objects.filter(log=log, kind=kind, name=name).update(
            size=Greatest(F("size"), size), failing_since=None, error=""
        )

    transactions.durable(work)


def failed(log: Log, kind: str, name: str, moment: dt.datetime, message: Message) -> None:
    """Write down why an outsider gave nothing that counts; it fails since the first time in a row."""
    packed = json.dumps(message.to_json(), ensure_ascii=False)
    _log.warning("%s: %s %s: %s", log.origin, kind, name, message)
    transactions.durable(
        lambda: AnchorState.objects.filter(log=log, kind=kind, name=name).update(
            failing_since=Coalesce("failing_since", moment), error=packed
        )
    )
