"""The whole tree again from its entries: every tile compared, the root at every size that is asked for.

Holds one row of at most 256 hashes a level and 32 bytes a wanted size, whatever the log's size.
"""

from __future__ import annotations

import multiprocessing
import os
from collections import deque
from collections.abc import Collection, Iterator, Sequence
from concurrent.futures import Future, ProcessPoolExecutor
from concurrent.futures.process import BrokenProcessPool
from dataclasses import dataclass, field
from pathlib import Path

from kitei_verify import bundles, files, tiles
from kitei_verify.errors import VerifyError
from kitei_verify.merkle import EMPTY_ROOT, CompactRange, subtree_root

CHUNK = 32
"""Bundles of one job: 8,192 entries, some milliseconds of work."""
PARALLEL_FROM = 20_000
"""Entries from which worker processes are worth their start."""
MAX_ROTATIONS = 9999


@dataclass
class Rebuilt:
    """What the entries give: roots by size (of the sizes asked for), changes of the key, faults; whether it came to its end."""

    roots: dict[int, bytes]
    rotations: list[bundles.Own] = field(default_factory=list)
    faults: list[VerifyError] = field(default_factory=list)
    whole: bool = True


def extent(root: Path, size: int) -> int:
    """Return how many entries stand in ``root``: at least ``size``; more when tiles were written and not yet signed for.

    Looks at what follows ``size`` only, and ends at the first bundle that is not there.
    """
    index, width = divmod(size, tiles.WIDTH)
    while files.exists(root, tiles.tile_path(tiles.ENTRIES, index)):
        index, width = index + 1, 0
    whole = tiles.tile_path(tiles.ENTRIES, index)
    for name in files.names(root, whole + ".p"):
        parsed = tiles.parse_path(f"{whole}.p/{name}")
        if parsed is not None:
            width = max(width, parsed[2])
    return index * tiles.WIDTH + width


def first_missing(root: Path, size: int) -> str | None:
    """Return the first full entry bundle that is not there, None when all are; ends at once however large ``size`` is."""
    for index in range(size // tiles.WIDTH):
        where = tiles.tile_path(tiles.ENTRIES, index)
        if not files.exists(root, where):
            return where
    return None


class _Rows:
    """The hashes of each level above the leaves, in tiles, each compared with its files when it is complete."""

    def __init__(self, root: Path, size: int, faults: list[VerifyError]) -> None:
        self.root, self.size, self.faults = root, size, faults
        self.rows: list[list[bytes]] = []
        self.index: list[int] = []

    def push(self, level: int, node: bytes) -> None:
        """Add the next hash of ``level`` (1: the first above the leaves' tiles)."""
        if len(self.rows) < level:
            self.rows.append([])
            self.index.append(0)
        row = self.rows[level - 1]
        row.append(node)
        if len(row) == tiles.WIDTH:
            self._compare(level, row)
            self.rows[level - 1] = []
            self.index[level - 1] += 1
            self.push(level + 1, subtree_root(row))

    def finish(self) -> None:
        """Compare the rows that are left."""
        for level, row in enumerate(self.rows, start=1):
            if row:
                self._compare(level, row)

    def _compare(self, level: int, row: list[bytes]) -> None:
        index = self.index[level - 1]
        covered = self.size >> (tiles.HEIGHT * level)
        needed = min(len(row), max(covered - index * tiles.WIDTH, 0))
        self.faults += bundles.check_files(
            self.root, level, index, b"".join(row), range(0, 32 * len(row) + 1, 32), needed
        )


def rebuild(
    root: Path,
    *,
    size: int,
    upto: int,
    wanted: Collection[int],
    content: bool,
    org: str | None,
    origin: str | None = None,
    jobs: int | None = None,
) -> Rebuilt:
    """Rebuild the tree of ``upto`` entries, of which the checkpoint covers ``size``; never raises VerifyError.

    ``wanted`` are sizes ≤ ``upto`` whose roots are to be known. ``jobs`` is the number of processes (None: the cores).
    """
    done = Rebuilt({0: EMPTY_ROOT})
    rows = _Rows(root, size, done.faults)
    tree = CompactRange()
    cuts = frozenset(cut for cut in wanted if 0 < cut <= upto)
    work = list_jobs(root, size=size, upto=upto, cuts=cuts, content=content, org=org, origin=origin)
    for result in _results(work, upto=upto, jobs=jobs):
        done.faults += result.faults
        for bundle in result.bundles:
            start = tree.size
            done.rotations += bundle.own[: MAX_ROTATIONS - len(done.rotations)]
            if bundle.leaves:
                _roots_within(tree, bundle.leaves, cuts, done.roots)
            if bundle.root is None:
                tree.extend(bundle.leaves)
            else:
                tree.add_subtree(tiles.HEIGHT, bundle.root)
                rows.push(1, bundle.root)
                if tree.size in cuts:
                    done.roots[tree.size] = tree.root()
            assert tree.size > start  # noqa: S101  a bundle is never empty, so the rebuild ends
        if not result.whole or len(done.faults) >= bundles.MAX_FAULTS:
            done.whole = False
            return done
    rows.finish()
    return done


def _roots_within(tree: CompactRange, leaves: Sequence[bytes], cuts: Collection[int], roots: dict[int, bytes]) -> None:
    """Note the root at every wanted size inside the bundle that begins where ``tree`` ends."""
    part, place = CompactRange(tree.size, tree.hashes), 0
    for cut in (tree.size + width for width in range(1, len(leaves) + 1)):
        if cut in cuts:
            part.extend(leaves[place : cut - tree.size])
            place = cut - tree.size
            roots[cut] = part.root()


def list_jobs(
    root: Path,
    *,
    size: int,
    upto: int,
    cuts: Collection[int],
    content: bool,
    org: str | None,
    origin: str | None = None,
) -> Iterator[bundles.Job]:
    """Yield the work in order, one job at a time: ``upto`` may be large."""
    count = -(-upto // tiles.WIDTH)
    ordered, place = sorted(cuts), 0
    for first in range(0, count, CHUNK):
        last = min(first + CHUNK, count)
        begin = place
        while place < len(ordered) and ordered[place] < last * tiles.WIDTH:
            place += 1
        within = frozenset(ordered[begin:place])
        yield bundles.Job(root, first, last, size, upto, within, content=content, org=org, origin=origin)


def _results(work: Iterator[bundles.Job], *, upto: int, jobs: int | None) -> Iterator[bundles.Done]:
    """Yield what the jobs come to, in order; in this process when that is quicker or no other can be started."""
    processes = jobs or os.cpu_count() or 1
    if processes > 1 and upto > PARALLEL_FROM:
        left: deque[bundles.Job] = deque()
        try:
            yield from _in_processes(work, processes, left)
        except (BrokenProcessPool, OSError):
            # No further process here (a small container, a killed worker): go on alone from the first job not yet answered.
            yield from map(bundles.run, left)
    yield from map(bundles.run, work)


def _in_processes(work: Iterator[bundles.Job], processes: int, left: deque[bundles.Job]) -> Iterator[bundles.Done]:
    # Spawned, not forked: the caller may hold threads and database connections.
    pool = ProcessPoolExecutor(processes, mp_context=multiprocessing.get_context("spawn"))
    waiting: deque[Future[bundles.Done]] = deque()
    try:
        for job in work:
            left.append(job)
            waiting.append(pool.submit(bundles.run, job))
            if len(waiting) > 2 * processes:
                done = waiting.popleft().result()
                left.popleft()
                yield done
        while waiting:
            done = waiting.popleft().result()
            left.popleft()
            yield done
    finally:
        pool.shutdown(cancel_futures=True)
