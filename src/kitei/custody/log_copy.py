"""A log's files as of one signed head: exactly the plain C2SP log of that size, whatever is written meanwhile.

The head comes from the database's snapshot. Tiles are durable before a head is recorded, full ones never change, and a
partial one that was removed since is the beginning of its full one: so the copy is whole and agrees with the rows.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass

from kitei.foundation.text import Message
from kitei.trust.auditlog import tree
from kitei.trust.auditlog.store import Store
from kitei_verify import checkpoint, note, tiles
from kitei_verify.errors import VerifyError
from kitei_verify.tiles import ENTRIES, WIDTH, tile_path

_STAMP = re.compile(r"(0|[1-9]\d{0,18})\.(note|tsr)\Z", re.ASCII)
Add = Callable[[str, bytes], None]


@dataclass(frozen=True)
class SignedHead:
    """A head as the database recorded it."""

    origin: str
    size: int
    root: bytes
    note: bytes


def copy(store: Store, head: SignedHead, keys: list[bytes], add: Add) -> list[Message]:
    """Hand every file of the log at ``head`` to ``add`` and return what is missing or cannot be read.

    ``keys`` are the contents of ``log.vkey`` from before and after the snapshot: a key may have been changed meanwhile.
    """
    add("checkpoint", _checkpoint(store, head))
    key = next((data for data in keys if _signed_by(data, head)), None)
    faults = []
    if key is None:
        faults.append(_missing(head, "log.vkey"))
    else:
        add("log.vkey", key)
    for level, full, partial in tiles.widths(head.size):
        kinds: tuple[int | str, ...] = (level, ENTRIES) if level == 0 else (level,)
        for index in range(full + bool(partial)):
            width = WIDTH if index < full else partial
            for kind in kinds:
                try:
                    add(tile_path(kind, index, width), _tile(store, kind, index, width))
                except (tree.TileError, VerifyError):
                    faults.append(_missing(head, tile_path(kind, index, width)))
    _copy_outside(store, head, add)
    return faults


def _tile(store: Store, kind: int | str, index: int, width: int) -> bytes:
    data = tree.read_tile(store, kind, index, width)
    if kind == ENTRIES:
        bundle = tiles.decode_bundle(data, where=tile_path(kind, index, width))
        if len(bundle) < width:
            raise tree.TileError(tile_path(kind, index, width))
        data = tiles.encode_bundle(bundle[:width])
    return data


def _checkpoint(store: Store, head: SignedHead) -> bytes:
    """Return the published note when it is of the same head (it carries cosignatures), else the recorded one."""
    data = store.read("checkpoint")
    if data is not None:
        try:
            found, _ = checkpoint.parse(data, where="checkpoint")
        except VerifyError:
            return head.note
        if (found.origin, found.size, found.root) == (head.origin, head.size, head.root):
            return data
    return head.note


def _signed_by(key: bytes, head: SignedHead) -> bool:
    try:
        _, signed = checkpoint.parse(head.note, where="head")
        verifier = note.parse_key(key.decode().removesuffix("\n"))
        return note.verify(signed, verifier, where="head") is not None
    except (VerifyError, UnicodeDecodeError):
        return False


def _copy_outside(store: Store, head: SignedHead, add: Add) -> None:
    """Copy hand-overs and time stamps of heads up to this one."""
    for name in store.siblings("handover"):
        data = store.read(f"handover/{name}")
        if data is not None and _size(data) <= head.size:
            add(f"handover/{name}", data)
    names = set(store.siblings("stamp"))
    for name in sorted(names):
        match = _STAMP.match(name)
        if match is None or int(match[1]) > head.size or not {f"{match[1]}.note", f"{match[1]}.tsr"} <= names:
            continue
        data = store.read(f"stamp/{name}")
        if data is not None:
            add(f"stamp/{name}", data)


def _size(data: bytes) -> int:
    """Return the size a note speaks of; one that cannot be read is copied all the same, for the verifier to name."""
    try:
        return checkpoint.parse(data, where="handover")[0].size
    except VerifyError:
        return 0


def _missing(head: SignedHead, path: str) -> Message:
    return Message("操作記録「%(origin)s」の %(path)s がないか、壊れています。", {"origin": head.origin, "path": path})
