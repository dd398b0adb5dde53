"""Whether a restored log goes on, or ends and a new generation begins (design issue 3: backup and restore).

A log must never show two different trees under one name. After a restore it goes on only when somebody outside the backup
knows a head, and every head known is contained in what was restored. What was signed after the backup can be taken from
the log folder that is still there, if it is whole; otherwise those events are lost, and the new generation says so.
"""

from __future__ import annotations

import datetime as dt
import json
import re
import shutil
import uuid
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from kitei.custody import prove
from kitei.foundation import clock, transactions
from kitei.foundation.text import Message, UserError
from kitei.trust.auditlog import anchors, events, keys, logs, rotation, store, tree, triggers
from kitei.trust.auditlog.models import Event, Head, Log
from kitei.trust.auditlog.sequencer import newest_head
from kitei.trust.auditlog.store import FolderStore
from kitei_verify import checkpoint, logdir, merkle, note, tiles
from kitei_verify.checkpoint import Checkpoint
from kitei_verify.errors import VerifyError
from kitei_verify.merkle import EMPTY_ROOT, CompactRange, ProofError
from kitei_verify.tiles import ENTRIES, WIDTH

_BATCH = 8 * WIDTH


@dataclass(frozen=True)
class KnownHead:
    """A head somebody outside the backup knows. ``root`` is None when only the size is known; ``folder`` its log."""

    source: Message
    origin: str
    size: int
    root: bytes | None
    folder: Path | None = None


@dataclass
class Knowledge:
    """What is known of an organization's logs outside the backup, and who could not be asked."""

    heads: list[KnownHead] = field(default_factory=list)
    silent: list[Message] = field(default_factory=list)


def in_folders(root: Path, code: str) -> list[KnownHead]:
    """Return the heads of the organization's log folders that were in the target before the restore."""
    found = []
    for path in sorted([*root.glob(f"{code}/checkpoint"), *root.glob(f"{code}.g*/checkpoint")]):
        try:
            head, _ = checkpoint.parse(path.read_bytes(), where=path.parent.name)
        except VerifyError:
            continue
        source = Message("ここにあった操作記録（%(name)s）", {"name": path.parent.name})
        found.append(KnownHead(source, head.origin, head.size, head.root, path.parent))
    return found


def in_file(path: Path) -> KnownHead:
    """Return the head in a file that was kept outside; UserError when it is none."""
    try:
        head, _ = checkpoint.parse(path.read_bytes(), where=path.name)
    except VerifyError as error:
        raise UserError(
            Message("「%(file)s」はチェックポイントではありません。何も変えていません。", {"file": str(path)})
        ) from error
    return KnownHead(Message("外で預かったチェックポイント"), head.origin, head.size, head.root)


def from_witnesses(organization: Any, origin: str) -> Knowledge:
    """Ask the configured witnesses."""
    found = Knowledge()
    for known in anchors.newest_known(organization):
        source = Message("外部の立会者 %(name)s", {"name": known.source})
        if known.size is None:
            found.silent.append(source)
        elif known.size:
            # A forked head has the size of ours and another root: no root can ever be equal to this one.
            found.heads.append(KnownHead(source, origin, known.size, b"" if known.forked else known.root))
    return found


@dataclass
class Outcome:
    """What became of a log: the sentences for people, and whether a new generation has to begin.

    ``beyond`` is the newest generation anybody knows: its name is never used for another log.
    """

    lines: list[Message] = field(default_factory=list)
    reasons: list[Message] = field(default_factory=list)
    salvaged: int = 0
    lost: int = 0
    beyond: int = 0

    @property
    def ends(self) -> bool:
        """Whether the log cannot go on."""
        return bool(self.reasons)


Erase = Callable[[list[bytes]], None]
"""Carries out the erasures that these entries record, in a database that does not know them yet."""


def decide(*, log: Log, known: Knowledge, whole: bool, erase: Erase) -> Outcome:
    """Judge whether ``log``, as restored, goes on; takes what is missing from an old folder when that is whole.

    ``whole`` tells whether the restored log was proven. ``erase`` is called before the rows of later entries come back:
    once the database holds the event of an erasure, nobody would carry it out again. Opens its own transactions.
    """
    outcome = Outcome(beyond=max((_generation(log.origin, head.origin) for head in known.heads), default=0))
    if not whole:
        outcome.reasons.append(Message("戻した操作記録が、検証に通りませんでした。"))
        return outcome
    newest_first = sorted(known.heads, key=lambda head: head.size, reverse=True)
    folders = [(head.folder, head) for head in newest_first if head.folder is not None and head.origin == log.origin]
    for folder, head in folders:
        if head.size > log.size and not outcome.salvaged:
            outcome.salvaged = _salvage(log, folder, erase)
            log.refresh_from_db()
    if not _has_key(log):
        outcome.reasons.append(Message("署名する鍵が控えにもここにもありません。"))
    sure = max((head.size for head in known.heads if head.origin == log.origin and head.root is not None), default=None)
    for head in newest_first:
        _weigh(log, head, sure, outcome)
    for source in known.silent:
        outcome.lines.append(Message("%(source)sには、たずねることができませんでした。", {"source": source}))
    if sure is None and not outcome.reasons:
        outcome.reasons.append(Message("控えの後に署名されたものがないことは、確かめられませんでした。"))
    return outcome


def _weigh(log: Log, head: KnownHead, sure: int | None, outcome: Outcome) -> None:
    """Add what one known head says; ``sure`` is the size of the newest one whose root is known."""
    facts = {"source": head.source, "origin": head.origin, "size": head.size}
    if head.origin != log.origin:
        if _generation(log.origin, head.origin) > log.generation:
            outcome.reasons.append(Message("%(source)sに、控えより後に始まった記録「%(origin)s」があります。", facts))
        return
    if head.root is None:
        # Only a size: a witness that knows no more than a head that was proven says nothing against it.
        contained = sure is not None and head.size <= sure
    else:
        contained = _contains(log, head.size, head.root)
        if contained:
            outcome.lines.append(Message("%(source)sの%(size)s件が、戻した記録に含まれることを確かめました。", facts))
    if not contained:
        outcome.lost = max(outcome.lost, head.size - _signed(log))
        outcome.reasons.append(_not_contained(head, log))


def _not_contained(head: KnownHead, log: Log) -> Message:
    return Message(
        "%(source)sは%(size)s件の記録を知っていますが、戻した記録（%(own)s件）はそれを含みません。",
        {"source": head.source, "size": head.size, "own": _signed(log)},
    )


def _generation(own: str, other: str) -> int:
    """Return the generation of ``other`` when it is a log of the same line as ``own``, 0 otherwise."""
    first = own.rpartition("/g")[0] if re.search(r"/g\d+\Z", own) else own
    if other == first:
        return 1
    number = other.removeprefix(f"{first}/g")
    return int(number) if other.startswith(f"{first}/g") and number.isdigit() else 0


def _signed(log: Log) -> int:
    head = newest_head(log)
    return head.size if head else 0


def _has_key(log: Log) -> bool:
    """Whether the key that signed the newest head is here (before the first head: any key of this log's name)."""
    try:
        present = keys.signer(log.organization.code, log.generation)
        head = newest_head(log)
        if head is None:
            return present.name == log.origin
        rotation.newest_key(log, head)
    except (UserError, VerifyError):
        return False
    return True


def _contains(log: Log, size: int, root: bytes) -> bool:
    """Whether the restored tree begins with the tree of this size and root."""
    if size > log.size:
        return False
    try:
        found = prove.range_of_rows(log, size)
    except ProofError:
        return False
    return found.size == size and found.root() == root


def _salvage(log: Log, folder: Path, erase: Erase) -> int:
    """Take the events that were signed after the backup from the old log folder; return how many, 0 when it is not whole.

    The folder takes the place of the restored one. Rows are made from the entries' own bytes; what opened their
    commitments is gone, and the registers stay as of the backup.
    """
    result = logdir.verify(folder)
    if not result.ok or result.origin != log.origin or result.size <= log.size:
        return 0
    reader = tree.TileReader(FolderStore(folder), result.size)
    if _range(reader, log.size).root() != (bytes(log.root) if log.size else EMPTY_ROOT):
        return 0
    head, signed = checkpoint.parse(result.checkpoint, where="checkpoint")
    own = note.Note(signed.text, tuple(line for line in signed.signatures if line.name == head.origin))
    starts = range(log.size - log.size % WIDTH, head.size, _BATCH)
    erased: list[bytes] = []
    for start in starts:
        entries = _entries(FolderStore(folder), start, min(start + _BATCH, head.size), head.size)
        erased += [entry for entry in entries if json.loads(entry)["name"] == events.PERSON_ERASED.name]
    erase(erased)
    for start in starts:
        entries = _entries(FolderStore(folder), start, min(start + _BATCH, head.size), head.size)
        skip = max(log.size - start, 0)
        transactions.durable(
            lambda first=start + skip, taken=entries[skip:]: _insert(log, first, taken)  # type: ignore[misc]
        )
    transactions.durable(lambda: _advance(log, head, own, _range(reader, head.size)))
    here = store.folder(log.organization.code)
    shutil.rmtree(here, ignore_errors=True)
    shutil.copytree(folder, here, ignore=shutil.ignore_patterns(".*"))
    return head.size - log.size


def _range(reader: tree.TileReader, size: int) -> CompactRange:
    return CompactRange(size, [reader.subtree(level, index) for level, index in merkle.subtrees(0, size)])


def _entries(files: FolderStore, start: int, end: int, size: int) -> list[bytes]:
    found: list[bytes] = []
    for index in range(start // WIDTH, -(-end // WIDTH)):
        width = min(size - index * WIDTH, WIDTH)
        path = tiles.tile_path(ENTRIES, index, width)
        found += tiles.decode_bundle(tree.read_tile(files, ENTRIES, index, width), where=path)[:width]
    return found


def _insert(log: Log, first: int, entries: list[bytes]) -> None:
    """Make the rows of these entries; those that were pending in the backup get their places."""
    rows = []
    for offset, data in enumerate(entries):
        payload = json.loads(data)
        rows.append(
            Event(
                id=uuid.UUID(payload["id"]),
                organization_id=log.organization_id,
                at=dt.datetime.fromisoformat(payload["at"]),
                name=payload["name"],
                outcome=payload["outcome"],
                actor_kind=payload["actor"][0],
                actor_id=payload["actor"][1],
                object_kind=payload["object"][0],
                object_id=payload["object"][1],
                payload=data,
                leaf_hash=merkle.leaf_hash(data),
                leaf_index=log.base + first + offset,
            )
        )
    pending = set(
        Event.objects.filter(id__in=[row.id for row in rows], leaf_index__isnull=True).values_list("id", flat=True)
    )
    for row in rows:
        if row.id in pending:
            Event.objects.filter(id=row.id).update(leaf_index=row.leaf_index)
    Event.objects.bulk_create([row for row in rows if row.id not in pending], batch_size=500)


def _advance(log: Log, head: Checkpoint, signed: note.Note, frontier: CompactRange) -> None:
    Log.objects.filter(pk=log.pk).update(
        size=head.size, root=head.root, frontier=b"".join(frontier.hashes), epoch=log.epoch + 1
    )
    Head.objects.create(
        organization_id=log.organization_id,
        log=log,
        size=head.size,
        root=head.root,
        note=signed.encode(),
        signed_at=clock.now(),
    )


def begin_anew(log: Log, *, beyond: int = 0) -> Log:
    """End ``log`` at its newest signed head and open the next generation, whose first leaf names that head.

    The names of generations up to ``beyond``, lost with what was not restored, are never given to another log.
    """
    head = newest_head(log)
    size, root = (head.size, bytes(head.root)) if head else (0, EMPTY_ROOT)
    frontier = prove.range_of_rows(log, size)

    def work() -> Log:
        if log.size > size:
            _unplace(log, size, root, frontier)
        _pass_over(log, beyond)
        return logs.open_log(
            organization=log.organization, continues={"origin": log.origin, "size": size, "root": root.hex()}
        )

    # Placed events under no signature that came back are pending again, and the new log takes them in.
    with triggers.lifted():
        return transactions.durable(work)


def _pass_over(log: Log, beyond: int) -> None:
    """Enter the lost generations as ended logs without entries."""
    first = Log.objects.filter(organization=log.organization_id).order_by("generation")[0].origin
    for generation in range(log.generation + 1, beyond + 1):
        Log.objects.create(
            organization_id=log.organization_id,
            generation=generation,
            origin=f"{first}/g{generation}",
            base=log.base + log.size,
            root=EMPTY_ROOT,
            opened_at=clock.now(),
            closed_at=clock.now(),
        )


def _unplace(log: Log, size: int, root: bytes, frontier: CompactRange) -> None:
    Event.objects.filter(organization=log.organization_id, leaf_index__gte=log.base + size).update(leaf_index=None)
    Log.objects.filter(pk=log.pk).update(size=size, root=root, frontier=b"".join(frontier.hashes), epoch=log.epoch + 1)
