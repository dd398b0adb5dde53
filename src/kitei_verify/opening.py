"""The first entry of every log of Kitei's: which log this is, its first key, and what it continues."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Any

from kitei_verify import checkpoint, event, files, note, tiles
from kitei_verify.errors import FormatError, VerifyError
from kitei_verify.merkle import HASH_BYTES


@dataclass(frozen=True)
class Opening:
    """What ``log:open`` says: the organization's code, the generation, the first key, the head that was restored."""

    org: str
    origin: str
    generation: int
    key: note.VerifierKey
    continues: checkpoint.Checkpoint | None


def read(root: Path, *, upto: int) -> Opening:
    """Read the first entry of a log with ``upto`` > 0 entries; VerifyError unless it opens a log."""
    where = tiles.tile_path(tiles.ENTRIES, 0, min(upto, tiles.WIDTH))
    data = files.need(root, where, tiles.WIDTH * (tiles.MAX_ENTRY + 2))
    payload = event.check(data[2 : 2 + int.from_bytes(data[:2])], where=where, index=0)
    if payload["name"] != event.OPEN:
        raise VerifyError(
            "open", where, f"the first entry is not {event.OPEN}", f"先頭の記録が {event.OPEN} ではありません", 0
        )
    wrong = FormatError(where, f"{event.OPEN} does not say which log this is", f"{event.OPEN} の内容が足りません", 0)
    said = payload.get("data", {})
    origin, generation, key = said.get("origin"), said.get("generation"), said.get("vkey")
    if not isinstance(origin, str) or type(generation) is not int or generation < 1 or not isinstance(key, str):
        raise wrong
    continues = None
    if generation > 1:
        continues = _head(said.get("continues"))
        if continues is None:
            raise wrong
    return Opening(payload["org"], origin, generation, note.parse_key(key, where=where), continues)


def _head(value: Any) -> checkpoint.Checkpoint | None:
    """Read {"origin", "size", "root" (hex)}; None when it is none."""
    if not isinstance(value, dict):
        return None
    origin, size, root = value.get("origin"), value.get("size"), value.get("root")
    if not isinstance(origin, str) or type(size) is not int or size < 0 or not isinstance(root, str):
        return None
    try:
        digest = bytes.fromhex(root)
    except ValueError:
        return None
    return checkpoint.Checkpoint(origin, size, digest) if len(digest) == HASH_BYTES and digest.hex() == root else None
