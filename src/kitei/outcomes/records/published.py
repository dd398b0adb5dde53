"""What the log publishes for outsiders: the newest checkpoint, the key it is signed with, the program that verifies."""

from __future__ import annotations

from kitei.trust.auditlog import heads, logs
from kitei.trust.auditlog.models import Log
from kitei.trust.auditlog.store import FolderStore


def key_text(log: Log) -> str:
    """Return the verifier key of the log as published, one line; empty while nothing was published."""
    found = FolderStore(logs.folder_of(log)).read("log.vkey")
    return found.decode().strip() if found else ""


def checkpoint(log: Log) -> bytes | None:
    """Return the newest checkpoint as published, with the witnesses' lines; None while nothing was signed."""
    found = FolderStore(logs.folder_of(log)).read("checkpoint")
    if found is None:
        head = heads.newest(log.organization)
        return bytes(head.note) if head else None
    return found


def verifier() -> bytes:
    """Return the auditor's program as one file that any Python with the package cryptography runs."""
    from kitei_verify.pack import build  # noqa: PLC0415  read only when somebody takes it

    return build()
