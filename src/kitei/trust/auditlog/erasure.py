"""Erasure against an append-only log (security.md §1.4): openings go, leaves stay; and the list kept outside.

``DATA/erasures/<CODE>.jsonl`` holds one line for every erasure: the payload of its ``person:erase`` event, byte for byte
canonical JSON with ids and counts only. So the list can be made anew from the log, a restore can erase again from the
list, and a line can be checked against its leaf. A line is written after the erasure has committed: a crash in between
leaves an event without a line, which ``complete_list`` mends, and never a line about something that was not erased.
"""

from __future__ import annotations

import datetime as dt
import json
import os
import re
import uuid
from collections.abc import Collection, Iterator
from pathlib import Path
from typing import Any

from django.conf import settings
from django.db import connection
from django.db.models import Q, QuerySet

from kitei.foundation import transactions
from kitei.foundation.text import Message, UserError
from kitei.trust.auditlog.events import PERSON_ERASED
from kitei.trust.auditlog.models import Event, Opening

ERASED = "（消去済み）"
"""Stands where personal data stood. Register data is Japanese only, so it is not translated."""

GROUPS = frozenset({"contacts", "account", "names", "openings", "identity", "copies"})
"""What an erasure may consist of (see ``registers/people/erasure``)."""


def openings_of(
    *, organization: Any, ids: Collection[str], before: dt.datetime | None = None, since: dt.datetime | None = None
) -> QuerySet[Opening]:
    """Return what opens commitments of events that one of ``ids`` (member, accounts) did or that were done to it.

    Only of events earlier than ``before``, or not earlier than ``since``.
    """
    acts = Event.objects.filter(organization=organization).filter(Q(actor_id__in=ids) | Q(object_id__in=ids))
    return Opening.objects.filter(organization=organization, event_id__in=_between(acts, before, since).values("id"))


def openings_naming(
    *,
    organization: Any,
    pattern: re.Pattern[str] | None,
    before: dt.datetime | None = None,
    since: dt.datetime | None = None,
) -> list[uuid.UUID]:
    """Return the ids of openings in whose text ``pattern`` is found: what others wrote about a person."""
    if pattern is None:
        return []
    acts = _between(Event.objects.filter(organization=organization), before, since)
    rows = Opening.objects.filter(organization=organization, event_id__in=acts.values("id"))
    return [key for key, value in rows.values_list("id", "value").iterator(chunk_size=2000) if pattern.search(value)]


def clear_openings(*, rows: QuerySet[Opening] | None = None, ids: Collection[uuid.UUID] = ()) -> int:
    """Delete openings, value and salt, and return how many; joins the caller's transaction. Leaves stay as they are.

    Without the salt nobody can tell any more what was committed to, not even by guessing.
    """
    transactions.require()
    gone = rows.delete()[0] if rows is not None else 0
    listed = list(ids)
    for start in range(0, len(listed), 500):
        gone += Opening.objects.filter(id__in=listed[start : start + 500]).delete()[0]
    return gone


def opened(event: Event) -> dict[str, str | None]:
    """Return field -> text of the event's commitments; None for one whose opening was erased (消去済み)."""
    payload = json.loads(bytes(event.payload))
    values = dict(Opening.objects.filter(event_id=event.id).values_list("field", "value"))
    return {field: values.get(field) for field in payload.get("commitments", {})}


def _between(events: QuerySet[Event], before: dt.datetime | None, since: dt.datetime | None) -> QuerySet[Event]:
    if before is not None:
        events = events.filter(at__lt=before)
    return events.filter(at__gte=since) if since is not None else events


def list_path(organization: Any) -> Path:
    """Return where the organization's list of erasures stands, outside the database."""
    return Path(settings.DATA) / "erasures" / f"{organization.code}.jsonl"


def read_list(organization: Any) -> list[dict[str, Any]]:
    """Return the payloads of all listed erasures, oldest first; an unfinished last line (a crash) is no line.

    UserError when another line cannot be read: then the list was changed by something else than Kitei.
    """
    path = list_path(organization)
    data = path.read_bytes() if path.exists() else b""
    found = []
    for number, line in enumerate(data.split(b"\n")[:-1], start=1):
        try:
            found.append(_entry(line))
        except (ValueError, KeyError, TypeError) as error:
            raise UserError(
                Message(
                    "消去の一覧「%(path)s」の%(line)s行目を読めません。控えから戻すか、その行を除いて、もう一度行ってください（操作記録から補われます）。",
                    {"path": str(path), "line": number},
                )
            ) from error
    return found


def _entry(line: bytes) -> dict[str, Any]:
    """Read one line; ValueError, KeyError or TypeError unless it says all that erasing again needs."""
    entry: dict[str, Any] = json.loads(line)
    data = entry["data"]
    for text in (entry["id"], data["member"], *data["accounts"]):
        uuid.UUID(str(text))
    for text in (entry["at"], data["openings_before"]):
        dt.datetime.fromisoformat(text)
    dt.date.fromisoformat(data["copies_before"])
    if not set(data["groups"]) <= GROUPS:
        raise ValueError(f"unknown groups {data['groups']}")
    return entry


def complete_list(organization: Any) -> int:
    """Write a line for every recorded erasure that has none, durably, and return how many were missing.

    Idempotent; called after an erasure, and at the start of whatever relies on the list (backup, restore, worker). Not
    to be called inside a transaction: a line must not stand for something that may still be rolled back.
    """
    listed = {entry["id"] for entry in read_list(organization)}
    missing = [bytes(event.payload) for event in _erasures(organization) if str(event.id) not in listed]
    missing = [payload for payload in missing if "original" not in json.loads(payload)["data"]]
    if missing:
        _append(list_path(organization), missing)
    return len(missing)


def carried_out(organization: Any) -> set[str]:
    """Return the ids of the erasures this database knows: recorded in it, or carried out again after a restore."""
    found = set()
    for event in _erasures(organization):
        found |= {str(event.id), json.loads(bytes(event.payload))["data"].get("original", "")}
    return found - {""}


def _erasures(organization: Any) -> Iterator[Event]:
    yield from Event.objects.filter(organization=organization, name=PERSON_ERASED.name).order_by("at", "id")


def _append(path: Path, lines: list[bytes]) -> None:
    """Append whole lines behind the last whole line and see them on the disk."""
    path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
    descriptor = os.open(path, os.O_RDWR | os.O_CREAT | getattr(os, "O_BINARY", 0), 0o600)
    with os.fdopen(descriptor, "r+b") as file:
        whole = file.read().rfind(b"\n") + 1
        file.seek(whole)
        file.truncate()  # the beginning of a line that a crash cut off; complete_list has it again
        file.write(b"".join(line + b"\n" for line in lines))
        file.flush()
        os.fsync(file.fileno())
    if os.name == "posix":  # Windows cannot open folders, and makes their entries durable itself
        folder = os.open(path.parent, os.O_RDONLY)
        try:
            os.fsync(folder)
        finally:
            os.close(folder)


def leave_no_remains() -> None:
    """From now on this connection overwrites with zeros what it frees (SQLite); call before the erasing transaction."""
    if connection.vendor == "sqlite":
        with connection.cursor() as cursor:
            cursor.execute("PRAGMA secure_delete = ON")
            cursor.fetchall()


def flush_remains() -> bool:
    """Carry the write-ahead log into the database file and empty it (SQLite): older page images go. After the commit.

    False while another connection still reads an older state; then the next check point does it.
    """
    if connection.vendor != "sqlite":
        return True
    with connection.cursor() as cursor:
        cursor.execute("PRAGMA wal_checkpoint(TRUNCATE)")
        row = cursor.fetchone()
    return row is None or row[0] == 0
