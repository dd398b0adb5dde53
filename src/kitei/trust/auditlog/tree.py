"""The tiles of a log: writing them, reading them, and computing the root from what really stands there.

Everything written is a pure function of the entries, so writing again after a crash does no harm. Layout:
c2sp.org/tlog-tiles; hashes: RFC 6962 §2.1.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import lru_cache

from kitei.trust.auditlog.store import Store
from kitei_verify import merkle, tiles
from kitei_verify.errors import VerifyError
from kitei_verify.merkle import HASH_BYTES, CompactRange, leaf_hash
from kitei_verify.tiles import ENTRIES, WIDTH, tile_path

Entries = Callable[[int, int], list[bytes]]
"""Gives the entries [start, end) of the tree."""


class TileError(Exception):
    """A tile that must stand there is missing or is not what its entries make it."""


def write_tiles(store: Store, old: int, new: int, entries: Entries) -> None:
    """Write every bundle and tile that a tree of ``new`` leaves has and one of ``old`` has not.

    The tiles of ``old`` must stand (its head was signed after they were verified); TileError when one is missing.
    """
    known: dict[int, bytes] = {}  # roots of the full tiles of the level below, as far as just written
    for index in range(old // WIDTH, -(-new // WIDTH)):
        start, end = index * WIDTH, min(new, (index + 1) * WIDTH)
        bundle = entries(start, end)
        hashes = [leaf_hash(entry) for entry in bundle]
        store.write(tile_path(ENTRIES, index, end - start), tiles.encode_bundle(bundle))
        store.write(tile_path(0, index, end - start), b"".join(hashes))
        if end - start == WIDTH:
            known[index] = _root(hashes)
    level = 1
    while new >> (tiles.HEIGHT * level):
        known = _write_level(store, level, old >> (tiles.HEIGHT * level), new >> (tiles.HEIGHT * level), known)
        level += 1


def _write_level(store: Store, level: int, old: int, new: int, below: dict[int, bytes]) -> dict[int, bytes]:
    known = {}
    for index in range(old // WIDTH, -(-new // WIDTH)):
        start, end = index * WIDTH, min(new, (index + 1) * WIDTH)
        if end <= old:
            continue  # nothing was added at this level
        held = max(old, start) - start
        hashes = _split(read_tile(store, level, index, held)) if held else []
        hashes += [below[place] for place in range(start + held, end)]
        store.write(tile_path(level, index, end - start), b"".join(hashes))
        if end - start == WIDTH:
            known[index] = _root(hashes)
    return known


def read_tile(store: Store, level: int | str, index: int, width: int) -> bytes:
    """Return the first ``width`` hashes of a tile (of entries: the bundle), from the partial tile or the full one.

    Raises TileError when neither stands there or its length is wrong.
    """
    data = store.read(tile_path(level, index, width))
    if data is None and width < WIDTH:
        data = store.read(tile_path(level, index))
        data = data[: width * HASH_BYTES] if data is not None and level != ENTRIES else data
    if data is None or (level != ENTRIES and len(data) != width * HASH_BYTES):
        raise TileError(tile_path(level, index, width))
    return data


def root_from_tiles(store: Store, size: int) -> bytes:
    """Return the root of a tree of ``size`` leaves from the tiles at its right edge; TileError when one is missing."""
    whole = CompactRange()
    for level, index, width in reversed(tiles.widths(size)):
        if width:
            for subtree in _split(read_tile(store, level, index, width)):
                whole.add_subtree(tiles.HEIGHT * level, subtree)
    return whole.root()


def verify_written(store: Store, old: int, new: int) -> bytes:
    """Read again what was written between ``old`` and ``new`` and return the root it makes; TileError when it is wrong.

    Goes from the entries' bytes upwards, as an outsider would, before a head is signed: a tile spoiled on its way to the
    disk must never get under a signature (Certificate Transparency's Yeti 2022 ended by one such bit).
    """
    full: dict[int, bytes] = {}
    for index in range(old // WIDTH, -(-new // WIDTH)):
        width = min(new - index * WIDTH, WIDTH)
        path = tile_path(ENTRIES, index, width)
        try:
            bundle = tiles.decode_bundle(read_tile(store, ENTRIES, index, width), where=path)
        except VerifyError as error:
            raise TileError(path) from error
        hashes = [leaf_hash(entry) for entry in bundle]
        if len(hashes) != width or b"".join(hashes) != read_tile(store, 0, index, width):
            raise TileError(tile_path(0, index, width))
        if width == WIDTH:
            full[index] = _root(hashes)
    level = 1
    while full:
        above: dict[int, bytes] = {}
        for index in sorted({place // WIDTH for place in full}):
            width = min((new >> (tiles.HEIGHT * level)) - index * WIDTH, WIDTH)
            hashes = _split(read_tile(store, level, index, width))
            wrong = [place for place, root in full.items() if place // WIDTH == index and hashes[place % WIDTH] != root]
            if wrong:
                raise TileError(tile_path(level, index, width))
            if width == WIDTH:
                above[index] = _root(hashes)
        full, level = above, level + 1
    return root_from_tiles(store, new)


def drop_partial(store: Store, old: int, new: int) -> None:
    """Remove the partial tiles whose full tile has come between ``old`` and ``new`` (allowed by tlog-tiles)."""
    for level, _, _ in tiles.widths(new):
        before, after = old >> (tiles.HEIGHT * level), new >> (tiles.HEIGHT * level)
        for index in range(before // WIDTH, after // WIDTH):
            for kind in (level, ENTRIES) if level == 0 else (level,):
                base = f"{tile_path(kind, index)}.p"
                for name in store.siblings(base):
                    store.remove(f"{base}/{name}")


class TileReader:
    """Hashes and entries of a published tree of ``size`` leaves, for proofs. Tiles read once are kept."""

    def __init__(self, store: Store, size: int) -> None:
        self.size = size
        self._read = lru_cache(maxsize=64)(lambda level, index, width: read_tile(store, level, index, width))

    def subtree(self, level: int, index: int) -> bytes:
        """Return the hash of the complete subtree (level, index), see ``merkle``; TileError."""
        tile_level, height = divmod(level, tiles.HEIGHT)
        first = index << height
        tile, place = divmod(first, WIDTH)
        width = min((self.size >> (tiles.HEIGHT * tile_level)) - tile * WIDTH, WIDTH)
        hashes = _split(self._read(tile_level, tile, width))[place : place + (1 << height)]
        if len(hashes) != 1 << height:
            raise TileError(tile_path(tile_level, tile, width))
        return _root(hashes)

    def entry(self, index: int) -> bytes:
        """Return entry ``index``; TileError."""
        tile, place = divmod(index, WIDTH)
        width = min(self.size - tile * WIDTH, WIDTH)
        path = tile_path(ENTRIES, tile, width)
        try:
            return tiles.decode_bundle(self._read(ENTRIES, tile, width), where=path)[place]
        except (VerifyError, IndexError) as error:
            raise TileError(path) from error


def _split(data: bytes) -> list[bytes]:
    return [data[place : place + HASH_BYTES] for place in range(0, len(data), HASH_BYTES)]


def _root(hashes: list[bytes]) -> bytes:
    while len(hashes) > 1:
        hashes = merkle.parents(hashes)
    return hashes[0]
