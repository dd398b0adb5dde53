"""The logs themselves: which one is open, opening one, ending one, and what stops one."""

from __future__ import annotations

import json
import logging
import secrets
from pathlib import Path
from typing import Any

from django.conf import settings
from django.db.models import Max

from kitei.foundation import clock, transactions
from kitei.foundation.text import Message
from kitei.trust.auditlog import events, keys, store
from kitei.trust.auditlog.log import Act, append
from kitei.trust.auditlog.models import Event, Log
from kitei_verify.merkle import EMPTY_ROOT

WORKER = ("worker", "sequencer")
_log = logging.getLogger(__name__)


def current(organization: Any) -> Log | None:
    """Return the organization's open log; None before the first is opened."""
    return Log.objects.select_related("organization").filter(organization=organization, closed_at__isnull=True).first()


def folder_of(log: Log) -> Path:
    """Return the folder of an open log, or of an ended one."""
    return store.folder(log.organization.code, log.generation if log.closed_at else None)


def first_origin(code: str) -> str:
    """Return the origin of a new organization's log: ``KITEI_LOG_ORIGIN``, else ``kitei/<random install id>/<CODE>``."""
    named: str = getattr(settings, "LOG_ORIGIN", "")
    if not named:
        return f"kitei/{_install_id()}/{code}"
    # The setting names one log; a second organization of the same installation needs a name of its own.
    return f"{named}/{code}" if Log.objects.filter(origin=named).exists() else named


def _install_id() -> str:
    folder = store.FolderStore(Path(settings.DATA))
    with folder.lock():
        found = (folder.read("install-id") or b"").decode().strip()
        if not found:  # also when a crash left it empty: origins are made of it
            found = secrets.token_hex(8)
            folder.write("install-id", f"{found}\n".encode())
            folder.sync()
    return found


def open_log(*, organization: Any, continues: dict[str, Any] | None = None) -> Log:
    """Open the organization's log, or its next generation, and append the event that is its first leaf.

    ``continues`` names the head that was restored (``origin``, ``size``, ``root`` as hex): the open log is ended, and the
    new one begins where the restored events end. Joins the caller's transaction; the key's file is made here too, which
    may happen twice without harm.
    """
    transactions.require()
    before = Log.objects.filter(organization=organization).order_by("generation")
    generation = len(before) + 1
    origin = first_origin(organization.code) if not before else f"{before[0].origin}/g{generation}"
    before.filter(closed_at__isnull=True).update(closed_at=clock.now(), lease_token=None, lease_until=None)
    last = Event.objects.filter(organization=organization).aggregate(last=Max("leaf_index"))["last"]
    key = keys.create(organization.code, origin, generation)
    log = Log.objects.create(
        organization=organization,
        generation=generation,
        origin=origin,
        base=0 if last is None else last + 1,
        root=EMPTY_ROOT,
        opened_at=clock.now(),
    )
    data = {"origin": origin, "generation": generation, "vkey": str(key)}
    if continues:
        data["continues"] = {name: continues[name] for name in ("origin", "size", "root")}
    append(organization=organization, act=Act(events.LOG_OPENED, WORKER, ref(log), data=data))
    return log


def ref(log: Log) -> tuple[str, str]:
    """Return the log as the object of an event."""
    return ("log", f"{log.organization.code}.g{log.generation}")


def fault_of(log: Log) -> Message | None:
    """Return why nothing is signed any more; None when all is well."""
    return Message.from_json(json.loads(log.fault)) if log.fault else None


def restart(*, organization: Any) -> Log:
    """End the log that cannot be continued and begin the next generation; its first leaf names the head it follows.

    For a database that was put back, or a lost key. Joins the caller's transaction.
    """
    log = current(organization)
    if log is None:
        return open_log(organization=organization)
    # What the database still knows of the ended log: the reader compares it with the head that was published.
    head = log.heads.order_by("-size").first()
    known = {
        "origin": log.origin,
        "size": head.size if head else 0,
        "root": (bytes(head.root) if head else EMPTY_ROOT).hex(),
    }
    return open_log(organization=organization, continues=known)


def set_fault(log: Log, message: Message) -> None:
    """Stop the log with a sentence for those who must decide, and record the alarm; nothing when it is stopped already."""

    def work() -> None:
        won = Log.objects.filter(pk=log.pk, fault="").update(fault=json.dumps(message.to_json()))
        if won:
            append(
                organization=log.organization, act=Act(events.LOG_ALARM, WORKER, ref(log), data={"origin": log.origin})
            )

    _log.error("%s: %s", log.origin, message)
    transactions.durable(work)
