"""Files uploaded for an import, kept between the preview and 「取り込む」: bound to account and session, for one hour."""

from __future__ import annotations

import hashlib
import json
import re
import secrets
import shutil
from collections.abc import Iterable
from pathlib import Path
from typing import Any

from django.conf import settings
from django.http import HttpRequest

from kitei.foundation import clock
from kitei.foundation.files.store import clean_name
from kitei.trust.access.rule import Actor

SECONDS = 3600
_TOKEN = re.compile(r"[A-Za-z0-9_-]{43}\Z")
_META = ".meta.json"
_NAME_BYTES = 200
_LONGEST_SUFFIX = 10


def keep(*, actor: Actor, request: HttpRequest, name: str, chunks: Iterable[bytes]) -> str:
    """Store an upload under a random name and return it. What is older than an hour goes."""
    sweep()
    token = secrets.token_urlsafe(32)
    folder = _root() / token
    folder.mkdir(parents=True, mode=0o700)
    path = folder / _on_disk(clean_name(name).lstrip(".") or "file")
    with path.open("xb") as stream:
        path.chmod(0o600)
        for chunk in chunks:
            stream.write(chunk)
    meta = {"owner": _owner(actor, request), "name": path.name, "until": clock.now().timestamp() + SECONDS}
    (folder / _META).write_text(json.dumps(meta), encoding="utf-8")
    return token


def find(*, actor: Actor, request: HttpRequest, token: str) -> Path | None:
    """Return the file of ``token``; None when it is unknown, too old, or somebody else's."""
    if not _TOKEN.match(token):
        return None
    folder = _root() / token
    try:
        meta: dict[str, Any] = json.loads((folder / _META).read_text(encoding="utf-8"))
    except (OSError, ValueError):
        return None
    if meta["until"] < clock.now().timestamp() or not secrets.compare_digest(meta["owner"], _owner(actor, request)):
        return None
    path: Path = folder / meta["name"]
    return path if path.is_file() else None


def drop(token: str) -> None:
    """Forget an upload."""
    if _TOKEN.match(token):
        shutil.rmtree(_root() / token, ignore_errors=True)


def sweep() -> None:
    """Forget what is too old."""
    for folder in _root().glob("*"):
        try:
            until = json.loads((folder / _META).read_text(encoding="utf-8"))["until"]
        except (OSError, ValueError, KeyError):
            until = folder.stat().st_mtime + SECONDS if folder.exists() else 0.0
        if until < clock.now().timestamp():
            shutil.rmtree(folder, ignore_errors=True)


def _on_disk(name: str) -> str:
    """Return the name cut to what a file system takes: 255 bytes, of which a Japanese character needs three."""
    stem, dot, suffix = name.rpartition(".") if "." in name[-_LONGEST_SUFFIX:] else (name, "", "")
    ending = dot + suffix
    room = _NAME_BYTES - len(ending.encode())
    return stem.encode()[:room].decode(errors="ignore") + ending


def _root() -> Path:
    root = Path(settings.DATA) / "uploads"
    root.mkdir(parents=True, exist_ok=True, mode=0o700)
    return root


def _owner(actor: Actor, request: HttpRequest) -> str:
    text = f"{actor.organization.pk}/{actor.id}/{request.session.session_key or ''}"
    return hashlib.sha256(text.encode()).hexdigest()
