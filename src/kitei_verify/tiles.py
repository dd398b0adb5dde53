"""The layout of c2sp.org/tlog-tiles: where tiles and entry bundles stand, and what a bundle holds."""

from __future__ import annotations

import re
from collections.abc import Iterable

from kitei_verify.errors import FormatError

WIDTH = 256
HEIGHT = 8
MAX_LEVEL = 63
MAX_ENTRY = 65_535
ENTRIES = "entries"

_PATH = re.compile(r"tile/(entries|0|[1-9]\d?)((?:/x\d{3})*/\d{3})(?:\.p/([1-9]\d{0,2}))?\Z", re.ASCII)


def tile_path(level: int | str, index: int, width: int = WIDTH) -> str:
    """Return the path of the tile ``index`` at ``level`` (or ``"entries"``) with ``width`` hashes (256: a full one)."""
    parts = [f"{index % 1000:03d}"]
    while index >= 1000:  # noqa: PLR2004  three digits a path element
        index //= 1000
        parts.append(f"x{index % 1000:03d}")
    path = f"tile/{level}/{'/'.join(reversed(parts))}"
    return path if width == WIDTH else f"{path}.p/{width}"


def parse_path(path: str) -> tuple[int | str, int, int] | None:
    """Return (level or "entries", index, width) of a tile's path; None when it is none, or not in its one form."""
    match = _PATH.match(path)
    if match is None:
        return None
    level: int | str = match[1] if match[1] == ENTRIES else int(match[1])
    index = int(re.sub("[x/]", "", match[2]))
    width = int(match[3] or WIDTH)
    small = width <= WIDTH and (level == ENTRIES or int(level) <= MAX_LEVEL)
    return (level, index, width) if small and tile_path(level, index, width) == path else None


def widths(size: int) -> list[tuple[int, int, int]]:
    """Return (level, number of full tiles, width of the partial tile or 0) for each level of a tree of ``size``."""
    found, level = [], 0
    while size:
        found.append((level, size // WIDTH, size % WIDTH))
        size //= WIDTH
        level += 1
    return found


def encode_bundle(entries: Iterable[bytes]) -> bytes:
    """Return the entry bundle: each entry after its length as two bytes, big endian."""
    return b"".join(len(entry).to_bytes(2) + entry for entry in entries)


def decode_bundle(data: bytes, *, where: str) -> list[bytes]:
    """Return the entries of a bundle; FormatError when it ends inside one."""
    entries, place, end = [], 0, len(data)
    while place < end:
        start = place + 2
        place = start + int.from_bytes(data[place:start])
        if place > end or start > end:
            raise FormatError(where, "the bundle ends inside an entry", "まとまりが、記録の途中で終わっています")
        entries.append(data[start:place])
    return entries
