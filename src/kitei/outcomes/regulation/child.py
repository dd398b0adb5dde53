"""Rendering in a child process: a web thread never sets type (design §3), and a document that hangs is stopped.

``render`` keeps what it made under ``DATA/cache/renderings`` by the hash of what went in, so asking twice costs nothing.
The child reads one JSON request from its standard input and answers with a JSON head line and the files' bytes; it needs
no database. Run as ``python -m kitei.outcomes.regulation.child``.
"""

from __future__ import annotations

import contextlib
import datetime as dt
import json
import os
import subprocess
import sys
import tempfile
import threading
from collections.abc import Sequence
from importlib.metadata import version
from pathlib import Path
from typing import Any

from kitei.foundation.text import Message, UserError
from kitei.outcomes.regulation import packing
from kitei.outcomes.regulation.model import Regulation

KINDS = ("docx", "pdf", "html")
LIMIT_SECONDS = 90
KEEP = dt.timedelta(days=7)
_TWO_AT_ONCE = threading.BoundedSemaphore(2)
_TOO_LONG = Message(
    "文書の作成が%(seconds)s秒で終わらなかったため、やめました。しばらくしてから、もう一度行ってください。",
    {"seconds": LIMIT_SECONDS},
)
_FAILED = Message("文書を作れませんでした。管理者に、操作した時刻を伝えてください。")


def render(regulation: Regulation, *, kind: str, timestamp: dt.datetime, cache: Path) -> bytes:
    """Return the document, from the cache when the same tree was rendered before (then with that time stamp).

    ``cache`` is the folder kept files stand in. UserError when the text cannot be set, or it takes too long.
    """
    path = cache / f"{packing.content_hash(regulation)}-{version('kitei')}.{kind}"
    with contextlib.suppress(OSError):
        return path.read_bytes()
    content = render_many(regulation, kinds=(kind,), timestamp=timestamp)[kind]
    _keep(path, content)
    return content


def render_many(regulation: Regulation, *, kinds: Sequence[str], timestamp: dt.datetime) -> dict[str, bytes]:
    """Return kind -> document from one child process, without the cache. Raises as ``render``."""
    unknown = set(kinds) - set(KINDS)
    if unknown:
        raise ValueError(f"unknown kinds {unknown}")
    request = {"tree": packing.pack(regulation), "kinds": list(kinds), "timestamp": timestamp.isoformat()}
    with _TWO_AT_ONCE:
        try:
            done = subprocess.run(
                [sys.executable, "-m", "kitei.outcomes.regulation.child"],
                input=json.dumps(request, ensure_ascii=False).encode(),
                capture_output=True,
                timeout=LIMIT_SECONDS,
                check=False,
                env=_environment(),
            )
        except subprocess.TimeoutExpired as error:
            raise UserError(_TOO_LONG) from error
    head, _, body = done.stdout.partition(b"\n")
    try:
        answer = json.loads(head)
    except ValueError:
        answer = {}
    if "message" in answer:
        raise UserError(Message.from_json(answer["message"]))
    if done.returncode != 0 or list(answer.get("sizes", {})) != list(kinds):
        sys.stderr.write(done.stderr.decode(errors="replace")[-4000:])
        raise UserError(_FAILED)
    files, at = {}, 0
    for kind, size in answer["sizes"].items():
        files[kind] = body[at : at + size]
        at += size
    return files


def _environment() -> dict[str, str]:
    """The child gets what Python needs and nothing of the server's secrets (database password, keys)."""
    kept = {name: value for name, value in os.environ.items() if not name.startswith(("KITEI_", "AWS_"))}
    # Kitei may run from a source folder that only this process knows.
    kept["PYTHONPATH"] = os.pathsep.join(entry for entry in sys.path if entry)
    return kept


def _keep(path: Path, content: bytes) -> None:
    """Write a cached file whole or not at all, readable by its owner only; old ones go."""
    with contextlib.suppress(OSError):
        path.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
        oldest = path.parent.stat().st_mtime
        with tempfile.NamedTemporaryFile(dir=path.parent, delete=False) as stream:
            stream.write(content)
        Path(stream.name).replace(path)
        for kept in path.parent.iterdir():
            if oldest - kept.stat().st_mtime > KEEP.total_seconds():
                kept.unlink(missing_ok=True)


def main() -> int:
    """Answer one request from standard input."""
    from kitei.outcomes.regulation import render as renderers  # noqa: PLC0415  only the child loads the renderers

    request: dict[str, Any] = json.loads(sys.stdin.buffer.read())
    tree = packing.unpack(request["tree"])
    timestamp = dt.datetime.fromisoformat(request["timestamp"])
    makers = {"docx": renderers.docx, "pdf": renderers.pdf, "html": renderers.html}
    out = sys.stdout.buffer
    try:
        files = {kind: makers[kind](tree, timestamp=timestamp) for kind in request["kinds"]}
    except UserError as error:
        out.write(json.dumps({"message": error.message.to_json()}).encode() + b"\n")
        return 0
    out.write(json.dumps({"sizes": {kind: len(content) for kind, content in files.items()}}).encode() + b"\n")
    for content in files.values():
        out.write(content)
    return 0


if __name__ == "__main__":
    raise SystemExit(main())
