"""Every read of the documents room, restricted to the actor, and the plain answers checks and annexes are made of."""

from __future__ import annotations

import datetime as dt
import uuid
from collections.abc import Iterable
from typing import Any

from django.db.models import DateField, QuerySet, Value

from kitei.foundation import clock
from kitei.foundation.files import store
from kitei.foundation.files.models import StoredFile
from kitei.foundation.text import Message, UserError
from kitei.registers.documents import events
from kitei.registers.documents.models import DocumentState
from kitei.trust.access import rule
from kitei.trust.access.models import Classification
from kitei.trust.auditlog.log import Act, record

_EVENTS = {rule.VIEW: events.DOCUMENT_VIEWED, rule.DOWNLOAD: events.DOCUMENT_DOWNLOADED}


def documents(*, actor: rule.Actor, day: dt.date) -> QuerySet[DocumentState]:
    """Documents as of ``day``; each row knows the day it is listed for (``listed_on``)."""
    rows: QuerySet[DocumentState] = rule.visible(actor, DocumentState.objects.as_of(day), rule.LIST)
    if day != clock.today():
        rows = rows.exclude(of_id__in=_hidden_today(actor))
    return rows.select_related("of", "file", "folder").annotate(listed_on=Value(day, output_field=DateField()))


def document(*, actor: rule.Actor, code: str, day: dt.date) -> DocumentState | None:
    """The document numbered ``code`` as of ``day``; None when there is none or the actor may not view it."""
    rows = rule.visible(actor, DocumentState.objects.filter(code=code).as_of(day), rule.VIEW)
    return rows.exclude(of_id__in=_hidden_today(actor, code=code)).select_related("of", "file").first()


def document_by_id(*, actor: rule.Actor, document_id: uuid.UUID, day: dt.date) -> DocumentState | None:
    """A document by its id as of ``day``; None when there is none or the actor may not view it."""
    rows = rule.visible(actor, DocumentState.objects.filter(of_id=document_id).as_of(day), rule.VIEW)
    return rows.exclude(of_id__in=_hidden_today(actor, of_id=document_id)).select_related("of", "file").first()


def versions(*, actor: rule.Actor, document_id: uuid.UUID) -> list[DocumentState]:
    """Every recorded version of a document that was not withdrawn as wrong, newest first."""
    rows = DocumentState.objects.filter(of_id=document_id, voided_at__isnull=True)
    rows = rows.exclude(of_id__in=_hidden_today(actor, of_id=document_id))
    return list(rule.visible(actor, rows, rule.VIEW).select_related("of", "file").order_by("-valid_from"))


def version(*, actor: rule.Actor, document_id: uuid.UUID, state_id: uuid.UUID) -> DocumentState | None:
    """One recorded version of a document; None when there is none or the actor may not view it."""
    rows = DocumentState.objects.filter(pk=state_id, of_id=document_id, voided_at__isnull=True)
    rows = rows.exclude(of_id__in=_hidden_today(actor, of_id=document_id))
    return rule.visible(actor, rows, rule.VIEW).select_related("of", "file", "organization").first()


def _hidden_today(actor: rule.Actor, **narrow: Any) -> Any:
    """Return the documents whose state of today may not be viewed: what they were on another day does not open them."""
    today = DocumentState.objects.filter(organization=actor.organization, **narrow).as_of(clock.today())
    return today.exclude(pk__in=rule.visible(actor, today, rule.VIEW, shape="in").values("pk")).values("of_id")


def current(*, organization: Any, document_id: uuid.UUID, state_id: uuid.UUID | None = None) -> DocumentState | None:
    """One document's state for asking the rule about it: of today, else the latest; or the named version. Not restricted."""
    rows = DocumentState.objects.filter(organization=organization, of_id=document_id, voided_at__isnull=True)
    if state_id is not None:
        return rows.filter(pk=state_id).select_related("of", "folder", "organization").first()
    ordered = list(rows.select_related("of", "folder", "organization").order_by("valid_from", "recorded_at"))
    begun = [row for row in ordered if row.valid_from <= clock.today()]
    return begun[-1] if begun else ordered[0] if ordered else None


def in_force(*, organization: Any, day: dt.date, kind: str) -> list[DocumentState]:
    """Documents of one kind whose version was in force on ``day``, by what is known now, each with that version.

    A version counts from its 施行日 even when it was recorded later, and until the next version's 施行日 even when that
    one is recorded already. A version without 施行日 counts from the day it was recorded for. One query.
    """
    asked = DocumentState.objects.filter(organization=organization, kind=kind, voided_at__isnull=True).values("of_id")
    rows = DocumentState.objects.filter(
        organization=organization, of_id__in=asked, voided_at__isnull=True
    ).select_related("of", "file")
    best: dict[uuid.UUID, DocumentState] = {}
    for row in rows.order_by("valid_from", "recorded_at"):
        if _begins(row) > day:
            continue
        known = best.get(row.of_id)
        if known is None or _begins(row) >= _begins(known):
            best[row.of_id] = row
    found = [row for row in best.values() if row.kind == kind and not (row.withdrawn_on and row.withdrawn_on <= day)]
    return sorted(found, key=lambda row: row.code)


def policies(*, organization: Any, day: dt.date) -> list[DocumentState]:
    """情報セキュリティ等の基本方針 in force on ``day`` (row ア-4)."""
    return in_force(organization=organization, day=day, kind="policy")


def digests(*, organization: Any, day: dt.date, document_ids: list[uuid.UUID]) -> dict[uuid.UUID, str]:
    """Document id -> SHA-256 (hex) of the file its state on ``day`` keeps here; documents without a file are left out."""
    rows = DocumentState.objects.filter(organization=organization, of_id__in=document_ids, file__isnull=False).as_of(
        day
    )
    return dict(rows.values_list("of_id", "file__digest"))


def closed_numbers(*, actor: rule.Actor, action: str) -> set[str]:
    """Return the numbers of the documents with which the actor may not do ``action``, by today's state.

    A document that has no state today counts by those it has. For what goes by number: import and export. Two queries.
    """
    rows = DocumentState.objects.filter(organization=actor.organization, voided_at__isnull=True)
    today = DocumentState.objects.filter(organization=actor.organization).as_of(clock.today())
    closed = rows.exclude(pk__in=rule.visible(actor, rows, action, shape="in").values("pk"))
    gone = closed.exclude(of_id__in=today.values("of_id"))
    found = closed.filter(pk__in=today.values("pk")).order_by().values_list("code", flat=True)
    return {*found, *gone.order_by().values_list("code", flat=True)}


def unnamed(*, organization: Any, rows: Iterable[DocumentState]) -> set[uuid.UUID]:
    """Return the ids of those documents whose titles are for the entitled only: 関係者限 or 極秘 in ``rows`` or today.

    What everybody reads (annexes, facts of checks) must not name them. One query.
    """
    above = Classification.RESTRICTED
    today = DocumentState.objects.filter(organization=organization, classification__gte=above).as_of(clock.today())
    return {row.of_id for row in rows if row.classification >= above} | set(today.values_list("of_id", flat=True))


def open_file(*, actor: rule.Actor, state: DocumentState, action: str = rule.DOWNLOAD) -> StoredFile:
    """Return the file of a document's version: the one way to its bytes (``read_file``).

    The event is committed before this returns (in a caller's transaction: with it), so a face calls it before it sends
    the first byte. ``action`` is DOWNLOAD or VIEW (preview). Raises Refused, UserError when no file is kept here,
    or UnrecordedError: what cannot be recorded is not shown.
    """
    name = _EVENTS[action]
    decision = rule.require(actor, action, rule.target_of(state))
    file = state.file
    if file is None:
        raise UserError(
            Message(
                "文書「%(code)s」のファイルはKiteiにありません。保管場所「%(place)s」で確認してください。",
                {"code": state.code, "place": state.place or "－"},
            )
        )
    act = Act(
        name,
        actor.ref,
        ("document", str(state.of_id)),
        data={"state": str(state.pk), "digest": file.digest},
        decision=decision.recorded,
    )
    record(organization=actor.organization, act=act)
    return file


def read_file(*, file: StoredFile) -> bytes:
    """Return the bytes of a file that ``open_file`` gave; UserError when they are lost or damaged."""
    return store.read(file.digest)


def _begins(row: DocumentState) -> dt.date:
    return row.in_force_from or row.valid_from
