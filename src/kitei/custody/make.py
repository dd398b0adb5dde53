"""Making a backup: one file with database, stored files, logs, erasures and, sealed, the keys.

Order: keys → snapshot of the database with the heads in it → the log of each head → files the rows mention → erasures.
Files are stored before the row that mentions them and never deleted, so every file of the snapshot is found later.
"""

from __future__ import annotations

import datetime as dt
import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from importlib.metadata import version
from pathlib import Path
from typing import Any

from django.conf import settings
from django.db import connection
from django.db.models import Max

from kitei.custody import log_copy, sealing, tables
from kitei.custody.container import Writer, writing
from kitei.custody.target import refuse_unfinished
from kitei.foundation import clock, transactions
from kitei.foundation.files import store as file_store
from kitei.foundation.files.models import StoredFile
from kitei.foundation.tenancy.models import Organization
from kitei.foundation.text import Message, UserError
from kitei.trust.auditlog import events
from kitei.trust.auditlog import store as log_store
from kitei.trust.auditlog.log import Act, append
from kitei.trust.auditlog.store import FolderStore

_NOT_HERE = ("log", "files", "keys", "erasures")
_PAGE = 500


@dataclass
class Made:
    """A backup that stands. ``faults`` say what could not be copied: such a backup is kept and named, never silent."""

    path: Path
    sha256: str = ""
    bytes: int = 0
    rows: int = 0
    files: int = 0
    logs: dict[str, int] = field(default_factory=dict)
    with_keys: bool = False
    faults: list[Message] = field(default_factory=list)


def make(*, target: Path, passphrase: str | None = None, with_files: bool = True) -> Made:
    """Write a backup to ``target``; the keys are in it only with a pass phrase.

    ``with_files=False`` leaves the stored files out, for a backup that stays beside them (``kitei upgrade``).

    Raises UserError (the file exists, nothing to back up, pass phrase too short), OSError when the disk refuses; then
    no file named ``target`` is there. Opens its own snapshot; call it outside a transaction.
    """
    refuse_unfinished()
    _check_place(target)
    if passphrase is not None:
        sealing.check_passphrase(passphrase)
    made = Made(target, with_keys=passphrase is not None)
    with writing(target) as writer:
        manifest: dict[str, Any] = {
            "kitei": version("kitei"),
            "made_at": clock.now().isoformat(),
            "vendor": connection.vendor,
            "install_id": _text(settings.DATA / "install-id"),
            "keys": made.with_keys,
        }
        if passphrase is not None:
            writer.add("keys.sealed", sealing.seal(_key_files(), passphrase))
        before = _published_keys()
        manifest |= _database(writer, made)
        for log in manifest["logs"]:
            _log(writer, log, before, made)
        manifest["files"] = _files(writer, made) if with_files else {"count": 0, "bytes": 0, "left_out": True}
        manifest["erasures"] = _erasures(writer)
        manifest["faults"] = [fault.to_json() for fault in made.faults]
        made.sha256, made.bytes = writer.finish(manifest), writer.bytes
    return made


def record(*, made: Made, actor_ref: tuple[str, str]) -> None:
    """Leave evidence in the log of every organization the backup holds; opens its own transaction."""

    def work() -> None:
        for organization in Organization.objects.order_by("id"):
            data = {
                "sha256": made.sha256,
                "bytes": made.bytes,
                "rows": made.rows,
                "files": made.files,
                "log": made.logs.get(organization.code, 0),
                "keys": made.with_keys,
                "faults": len(made.faults),
            }
            append(
                organization=organization,
                act=Act(events.BACKED_UP, actor_ref, ("backup", made.sha256[:16]), data=data),
            )

    transactions.durable(work)


def _check_place(target: Path) -> None:
    if not target.parent.is_dir():
        raise UserError(
            Message("フォルダー「%(path)s」がありません。先に作ってください。", {"path": str(target.parent)})
        )
    place = target.parent.resolve()
    for name in _NOT_HERE:
        inside = (settings.DATA / name).resolve()
        if place == inside or inside in place.parents:
            raise UserError(Message("控えは「%(path)s」の外に置いてください。", {"path": str(settings.DATA / name)}))


def _database(writer: Writer, made: Made) -> dict[str, Any]:
    """Write every table in one snapshot and return what the manifest says of it."""
    migrations = tables.applied()
    models = tables.models_at(migrations) if migrations else []
    by_label = {tables.label(model): model for model in models}
    organization = by_label.get("tenancy.organization")
    if organization is None:
        raise UserError(Message("組織がまだありません。先に kitei init を行ってください。"))
    found: dict[str, Any] = {}
    with transactions.snapshot():
        organizations = list(organization.objects.order_by("id").values("id", "code", "name"))
        codes = {row["id"]: row["code"] for row in organizations}
        logs = _heads(by_label, codes)
        last = by_label["auditlog.event"].objects.aggregate(last=Max("at"))["last"]
        for model in models:
            name, count = tables.label(model), 0
            parts: list[str] = []
            for data, rows in tables.dump(model):
                parts.append(f"db/{name}/{len(parts):06d}.jsonl.gz")
                writer.add(parts[-1], data)
                count += rows
            found[name] = {"columns": tables.columns(model), "rows": count, "parts": parts}
            made.rows += count
    return {
        "organizations": [{"code": row["code"], "name": row["name"]} for row in organizations],
        "migrations": migrations,
        "tables": found,
        "logs": logs,
        "last_event_at": last.astimezone(dt.UTC).isoformat() if last else None,
    }


def _heads(by_label: dict[str, Any], codes: dict[Any, str]) -> list[dict[str, Any]]:
    """Return each log with its newest signed head; empty for a database from before there were logs."""
    if "auditlog.log" not in by_label:
        return []
    found = []
    for log in by_label["auditlog.log"].objects.order_by("organization_id", "generation"):
        head = by_label["auditlog.head"].objects.filter(log_id=log.id).order_by("-size").first()
        code = codes[log.organization_id]
        found.append(
            {
                "code": code,
                "generation": log.generation,
                "origin": log.origin,
                "open": log.closed_at is None,
                "folder": code if log.closed_at is None else f"{code}.g{log.generation}",
                "placed": log.size,
                "size": head.size if head else 0,
                "root": bytes(head.root).hex() if head else None,
                "note": bytes(head.note).decode() if head else None,
            }
        )
    return found


def _published_keys() -> dict[str, bytes]:
    root = Path(settings.DATA) / "log"
    return {path.parent.name: path.read_bytes() for path in root.glob("*/log.vkey")}


def _log(writer: Writer, log: dict[str, Any], before: dict[str, bytes], made: Made) -> None:
    if log["open"]:
        made.logs[log["code"]] = log["size"]
    if not log["size"]:
        return
    root = log_store.folder(log["code"], None if log["open"] else log["generation"])
    if not log["open"] and not root.is_dir():
        root = log_store.folder(log["code"])  # ended, but its folder was not put aside yet
    store = FolderStore(root)
    after = store.read("log.vkey")
    head = log_copy.SignedHead(log["origin"], log["size"], bytes.fromhex(log["root"]), log["note"].encode())
    keys = [key for key in (before.get(root.name), after) if key is not None]
    made.faults += log_copy.copy(store, head, keys, lambda path, data: writer.add(f"log/{log['folder']}/{path}", data))


def digests() -> Iterator[str]:
    """Give the digest of every file the rows mention, each once, in order."""
    last = ""
    while True:
        rows = StoredFile.objects.filter(digest__gt=last).order_by("digest").values_list("digest", flat=True).distinct()
        page = list(rows[:_PAGE])
        yield from page
        if len(page) < _PAGE:
            return
        last = page[-1]


def part_of(digest: str) -> str:
    """Return the name of the part that holds a stored file."""
    return f"files/{digest[:2]}/{digest[2:4]}/{digest}"


def _files(writer: Writer, made: Made) -> dict[str, Any]:
    total, missing = 0, []
    for digest in digests():
        try:
            content = file_store.read(digest)
        except UserError as error:
            made.faults.append(error.message)
            missing.append(digest)
            continue
        writer.add(part_of(digest), content)
        made.files += 1
        total += len(content)
    return {"count": made.files, "bytes": total, "missing": missing}


def _erasures(writer: Writer) -> list[str]:
    names = []
    for path in sorted((Path(settings.DATA) / "erasures").glob("*.jsonl")):
        writer.add(f"erasures/{path.name}", path.read_bytes())
        names.append(path.name)
    return names


_KEY_NAME = re.compile(r"[a-z0-9-]{1,40}(?:\.g\d{1,5})?(?:\.next)?\.skey\Z", re.ASCII)


def is_key_name(name: str) -> bool:
    """Tell whether a file of ``DATA/keys`` is a log's private key."""
    return _KEY_NAME.match(name) is not None


def _key_files() -> dict[str, bytes]:
    found = {}
    secret = settings.DATA / "secret-key"
    if secret.exists():
        found["secret-key"] = secret.read_bytes()
    folder = Path(settings.DATA) / "keys"
    for path in sorted(folder.glob("*.skey")):
        if is_key_name(path.name):
            found[f"keys/{path.name}"] = path.read_bytes()
    return found


def _text(path: Path) -> str | None:
    return path.read_text().strip() if path.exists() else None
