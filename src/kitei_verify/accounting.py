"""Every file in a log's folder has a meaning: one that has none is a fault."""

from __future__ import annotations

import re
from pathlib import Path

from kitei_verify import files, tiles
from kitei_verify.errors import VerifyError

MAX_FAULTS = 20
_FIXED = frozenset({"checkpoint", "log.vkey", ".lock"})
"""``.lock`` is what writers of the log hold; nothing stands in it that means anything."""
_NUMBERED = re.compile(r"handover/\d{4}|stamp/(0|[1-9]\d{0,18})\.(note|tsr)", re.ASCII)


def account(root: Path, *, upto: int, faults: list[VerifyError]) -> int:
    """Add a fault for every file that a log of ``upto`` entries does not have; return the number of unfinished files.

    Unfinished are those whose name begins with a dot: whoever writes the log makes them and renames them when complete.
    """
    unfinished = 0
    for path in files.walk(root):
        if len(faults) >= MAX_FAULTS:
            break
        if isinstance(path, VerifyError):
            faults.append(path)
        elif path in _FIXED:
            continue
        elif any(part.startswith(".") for part in path.split("/")):
            unfinished += 1
        elif not _NUMBERED.fullmatch(path) and not _is_tile(path, upto):
            faults.append(VerifyError("unknown", path, "a file that belongs to no log", "ログにないはずのファイルです"))
    return unfinished


def _is_tile(path: str, upto: int) -> bool:
    parsed = tiles.parse_path(path)
    if parsed is None:
        return False
    level, index, width = parsed
    covered = upto if isinstance(level, str) else upto >> (tiles.HEIGHT * level)
    return index * tiles.WIDTH + width <= covered
