"""One entry bundle after the other: leaf hashes, the level-0 tile beside it, and what the entries say.

Runs in worker processes too, so it imports neither cryptography nor anything else that takes long to start.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, NamedTuple

from kitei_verify import event, files, merkle, tiles
from kitei_verify.errors import FormatError, VerifyError

MAX_FAULTS = 20
"""So many faults are collected; who has that many needs no longer list."""
_LIMIT = tiles.WIDTH * (tiles.MAX_ENTRY + 2)
_ROTATE = f'"{event.ROTATE}"'.encode()
_LONGEST_KEYS = 1000


class Own(NamedTuple):
    """A change of the log's key, as the log itself records it: the leaf, and both verifier keys as text."""

    leaf: int
    old: str
    new: str


@dataclass(frozen=True)
class Job:
    """Bundles [first, last) of the tree of ``extent`` leaves in ``root``, of which the checkpoint covers ``size``.

    ``cuts`` are sizes within these bundles at which a root is wanted. ``content`` asks for events, all of ``org``; ``origin`` is the
    log's, so that it is opened once.
    """

    root: Path
    first: int
    last: int
    size: int
    extent: int
    cuts: frozenset[int]
    content: bool
    org: str | None
    origin: str | None = None


@dataclass
class Bundle:
    """What one bundle came to: its root when it is full, its leaf hashes when they are needed, and changes of the key."""

    root: bytes | None
    leaves: list[bytes]
    own: list[Own] = field(default_factory=list)


@dataclass
class Done:
    """The bundles of a job in order, as far as they could be read, and the faults found."""

    bundles: list[Bundle]
    faults: list[VerifyError]
    whole: bool = True


def run(job: Job) -> Done:
    """Verify the bundles of ``job``; the first one that cannot be read ends it (``whole`` is False)."""
    done = Done([], [])
    cut = {size // tiles.WIDTH for size in job.cuts}
    for index in range(job.first, job.last):
        try:
            done.bundles.append(_bundle(job, index, done.faults, keep=index in cut))
        except VerifyError as fault:
            done.faults.append(fault)
            done.whole = False
            break
        if len(done.faults) >= MAX_FAULTS:
            done.whole = False
            break
    return done


def _bundle(job: Job, index: int, faults: list[VerifyError], *, keep: bool) -> Bundle:
    start = index * tiles.WIDTH
    width = min(tiles.WIDTH, job.extent - start)
    where = tiles.tile_path(tiles.ENTRIES, index, width)
    data = files.need(job.root, where, _LIMIT)
    entries = tiles.decode_bundle(data, where=where)
    if len(entries) != width:
        raise FormatError(
            where, f"holds {len(entries)} entries, not {width}", f"{width}件ではなく{len(entries)}件あります"
        )
    leaves = [merkle.leaf_hash(entry) for entry in entries]
    needed = min(width, max(job.size - start, 0))
    ends = [0]
    for entry in entries:
        ends.append(ends[-1] + 2 + len(entry))
    faults += check_files(job.root, tiles.ENTRIES, index, data, ends, needed, known=width)
    faults += check_files(job.root, 0, index, b"".join(leaves), range(0, 32 * width + 1, 32), needed)
    bundle = Bundle(
        merkle.subtree_root(leaves) if width == tiles.WIDTH else None, leaves if keep or width < tiles.WIDTH else []
    )
    if job.content:
        bundle.own = _contents(job, where, start, entries, faults)
    elif _ROTATE in data:
        bundle.own = _own(where, start, entries)
    return bundle


def check_files(
    root: Path, level: int | str, index: int, content: bytes, ends: Sequence[int], needed: int, *, known: int = 0
) -> list[VerifyError]:
    """Compare every stored form of one tile with what it has to hold.

    ``content`` is the tile as far as the log goes, ``ends[w]`` the length of its first ``w`` elements; ``needed`` is
    how many elements the checkpoint covers. The file of that width has to be there, or the full one (c2sp.org/tlog-tiles
    lets partial tiles go once the full one stands); partial ones of other widths have to be beginnings of ``content``.
    The file of width ``known`` is where the content was read from.
    """
    faults: list[VerifyError] = []
    whole = tiles.tile_path(level, index)
    stands = {known}
    for stored in _widths(root, whole, len(ends) - 1):
        where = tiles.tile_path(level, index, stored)
        try:
            data = content if stored == known else files.read(root, where, ends[stored])
        except VerifyError as fault:
            faults.append(fault)
            stands.add(stored)
            continue
        if data is not None:  # a partial tile may go at any moment, once the full one stands
            stands.add(stored)
            if data != content[: ends[stored]]:
                faults.append(_differs(level, index, where, data, content, ends, stored))
    if needed and needed not in stands and tiles.WIDTH not in stands:
        faults.append(files.missing(tiles.tile_path(level, index, needed)))
    return faults


def _widths(root: Path, whole: str, width: int) -> list[int]:
    """Return the widths in which the tile ``whole`` is stored, up to ``width``; who walks the folder reports others."""
    found = []
    for name in files.names(root, whole + ".p"):
        parsed = tiles.parse_path(f"{whole}.p/{name}")
        if parsed is not None and parsed[2] <= width:
            found.append(parsed[2])
    if width == tiles.WIDTH and files.exists(root, whole):
        found.append(width)
    return found


def _differs(
    level: int | str, index: int, where: str, data: bytes, content: bytes, ends: Sequence[int], stored: int
) -> VerifyError:
    """Say which element differs first."""
    place = next(
        place
        for place in range(stored)
        if data[ends[place] : ends[place + 1]] != content[ends[place] : ends[place + 1]]
    )
    leaf = index * tiles.WIDTH + place if level in {0, tiles.ENTRIES} else None
    return VerifyError(
        "tile",
        where,
        f"element {place} is not what the entries give",
        f"{place}番目が、記録から計算したものと違います",
        leaf,
    )


def _contents(job: Job, where: str, start: int, entries: list[bytes], faults: list[VerifyError]) -> list[Own]:
    """Check what the entries say; return what the log says about itself."""
    own = []
    for index, entry in enumerate(entries, start):
        try:
            payload = _event(entry, job, where, index)
            if payload["name"] == event.ROTATE:
                own += _rotation(index, payload)
        except VerifyError as fault:
            faults.append(fault)
            if len(faults) >= MAX_FAULTS:
                break
    return own


def _event(entry: bytes, job: Job, where: str, index: int) -> dict[str, Any]:
    payload = event.check(entry, where=where, index=index)
    if job.org is not None and payload["org"] != job.org:
        raise FormatError(where, "an event of another organization", "別の組織の記録が入っています", index)
    # A generation that was ended before it got its first leaf leaves its opening to the one that follows.
    opens = payload["name"] == event.OPEN and payload.get("data", {}).get("origin") == job.origin
    if opens != (index == 0):
        said = f"{event.OPEN} stands first, and only there"
        raise VerifyError("open", where, said, f"{event.OPEN} は先頭に1つだけあります", index)
    return payload


def _own(where: str, start: int, entries: list[bytes]) -> list[Own]:
    """Find changes of the key where contents are not checked; what cannot be read is somebody else's entry."""
    own: list[Own] = []
    for index, entry in enumerate(entries, start):
        if _ROTATE not in entry:
            continue
        try:
            payload = event.parse_json(entry, where=where)
        except VerifyError:
            continue
        if payload.get("name") == event.ROTATE:
            own += _rotation(index, payload)
    return own


def _rotation(index: int, payload: dict[str, Any]) -> list[Own]:
    data = payload.get("data")
    if not isinstance(data, dict):
        return []
    old, new = data.get("old"), data.get("new")
    if not isinstance(old, str) or not isinstance(new, str) or len(old) + len(new) > _LONGEST_KEYS:
        return []
    return [Own(index, old, new)]
