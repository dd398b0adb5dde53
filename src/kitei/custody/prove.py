"""Proving what was restored: rows against the log's entries, the log against itself, files against their hashes."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

from django.utils.translation import get_language

from kitei.custody import make
from kitei.foundation.files import store as file_store
from kitei.foundation.text import Message, UserError
from kitei.trust.auditlog import tree
from kitei.trust.auditlog.models import Event, Log
from kitei.trust.auditlog.sequencer import newest_head
from kitei.trust.auditlog.store import FolderStore, Store
from kitei_verify import logdir, tiles
from kitei_verify.errors import VerifyError
from kitei_verify.merkle import CompactRange, leaf_hash
from kitei_verify.tiles import ENTRIES, WIDTH


def log_faults(log: Log, folder: Path) -> list[Message]:
    """Return what is wrong with a log: its folder by the auditor's own verifier, then row by row against the database."""
    head = newest_head(log)
    if head is None:
        return []
    result = logdir.verify(folder)
    if not result.ok:
        return [_fault(log, fault) for fault in result.faults[:3]]
    if result.size < head.size:
        return [_differs(log, result.size)]
    return row_faults(log, FolderStore(folder), head.size, bytes(head.root))


def row_faults(log: Log, store: Store, size: int, root: bytes) -> list[Message]:
    """Compare the first ``size`` entries of the log with the rows, byte for byte, and the root they make."""
    whole = CompactRange()
    for index in range(-(-size // WIDTH)):
        start, end = index * WIDTH, min(size, (index + 1) * WIDTH)
        path = tiles.tile_path(ENTRIES, index, end - start)
        try:
            entries = tiles.decode_bundle(tree.read_tile(store, ENTRIES, index, end - start), where=path)
        except (tree.TileError, VerifyError):
            return [
                Message(
                    "操作記録「%(origin)s」の %(path)s がないか、壊れています。", {"origin": log.origin, "path": path}
                )
            ]
        rows = rows_of(log, start, end)
        hashes = [leaf_hash(entry) for entry in entries[: end - start]]
        if [payload for payload, _ in rows] != entries[: end - start] or [stored for _, stored in rows] != hashes:
            return [_differs(log, start)]
        whole.extend(hashes)
    return [] if whole.root() == root else [_differs(log, size)]


def rows_of(log: Log, start: int, end: int) -> list[tuple[bytes, bytes]]:
    """Return (payload, leaf hash) of the events at the places [start, end) of the log's tree."""
    rows = Event.objects.filter(
        organization=log.organization_id, leaf_index__gte=log.base + start, leaf_index__lt=log.base + end
    ).order_by("leaf_index")
    return [(bytes(payload), bytes(stored)) for payload, stored in rows.values_list("payload", "leaf_hash")]


def range_of_rows(log: Log, size: int) -> CompactRange:
    """Return the compact range of the first ``size`` rows of the log; ProofError when there are fewer."""
    whole = CompactRange()
    for start in range(0, size, 16 * WIDTH):
        whole.extend([leaf_hash(payload) for payload, _ in rows_of(log, start, min(size, start + 16 * WIDTH))])
    return whole


def file_faults() -> Iterator[Message]:
    """Give a sentence for every file the rows mention that is missing or not what was stored."""
    for digest in make.digests():
        try:
            file_store.read(digest)
        except UserError as error:
            yield error.message


def _differs(log: Log, place: int) -> Message:
    return Message(
        "操作記録「%(origin)s」の %(place)s 件目から先が、データベースの記録と合いません。",
        {"origin": log.origin, "place": place},
    )


def _fault(log: Log, fault: VerifyError) -> Message:
    japanese = (get_language() or "ja").startswith("ja")
    return Message(
        "操作記録「%(origin)s」: %(where)s %(what)s",
        {"origin": log.origin, "where": fault.where, "what": fault.ja if japanese else fault.what},
    )
