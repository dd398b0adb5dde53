"""From pending events to a published, signed head (design §5 "Log").

Order, which is a safety property (security.md §1.3): commit the leaves' places → write tiles → read them again and
recompute the root → sign → record the head → publish it. Whatever dies in between, the next run goes on: everything after
the commit is a pure function of committed rows. Several sequencers may run; the lease keeps them from colliding, and the
compare-and-swap on (epoch) with the unique leaf index lets one win. A run claims ``leaf_index IS NULL``, never "id > last":
a transaction that commits late would be missed.
"""

from __future__ import annotations

import datetime as dt
import logging
import uuid
from typing import Any

from django.db import IntegrityError, connection
from django.db.models import Q

from kitei.foundation import clock, transactions
from kitei.foundation.text import Message, UserError
from kitei.trust.auditlog import anchors, events, rotation, tree
from kitei.trust.auditlog.logs import current, fault_of, folder_of, ref, set_fault
from kitei.trust.auditlog.models import Event, Head, Log
from kitei.trust.auditlog.rows import select
from kitei.trust.auditlog.store import FolderStore, Store
from kitei_verify import checkpoint
from kitei_verify.checkpoint import Checkpoint
from kitei_verify.errors import VerifyError
from kitei_verify.merkle import HASH_BYTES, CompactRange, leaf_hash

BATCH = 2_000
"""Leaves a transaction: short enough that other writers hardly wait on SQLite."""
PUBLISH_EVERY = 20_000
LEASE = dt.timedelta(seconds=15)
"""How long a sequencer that was killed keeps the others from the log; one that works longer only risks double work."""
_log = logging.getLogger(__name__)


class RolledBackError(UserError):
    """A head is known that the database does not extend: it was put back to an earlier state."""


class TamperedError(UserError):
    """A stored event is not what was recorded."""


class StoppedError(UserError):
    """The log was stopped before, for the reason the message gives; a person has to decide."""


class LostError(Exception):
    """Another sequencer was quicker; what this one did is rolled back."""


def run(*, organization: Any, store: Store | None = None, limit: int | None = None) -> int:
    """Give every pending event its place, publish the head that holds it, and return how many were taken.

    Returns 0 at once while another sequencer works. Raises RolledBackError or TamperedError (the log's ``fault`` is set
    then, and nothing is signed until a person decides: StoppedError from then on), UserError when the key is missing, OSError when the disk refuses.
    """
    log = current(organization)
    if log is None:
        return 0
    store = store or FolderStore(folder_of(log))
    if not _has_work(log, store):
        return 0
    stopped = fault_of(log)
    if stopped is not None:
        raise StoppedError(stopped)
    token = _take_lease(log)
    if token is None:
        return 0
    taken = 0
    try:
        rotation.settle_folder(log)
        _refuse_rolled_back(log, store)
        while limit is None or taken < limit:
            count = _claim(log, token, BATCH if limit is None else min(BATCH, limit - taken))
            taken += count
            if count < BATCH:
                break
            if taken % PUBLISH_EVERY == 0:
                finish(log, store)
        finish(log, store)
    except LostError:
        _log.info("another sequencer went on with %s", log.origin)
    except (RolledBackError, TamperedError) as error:
        set_fault(log, error.message)
        raise
    finally:
        transactions.durable(
            lambda: Log.objects.filter(pk=log.pk, lease_token=token).update(lease_token=None, lease_until=None)
        )
    return taken


def _has_work(log: Log, store: Store) -> bool:
    """Whether anything is pending, or a head is not published yet; reads only."""
    if Event.objects.filter(organization=log.organization_id, leaf_index__isnull=True).exists():
        return True
    head = newest_head(log)
    if head is None or head.size < log.size or rotation.under_way(log):
        return True
    published = _published(log, store)
    # Also when more was published than the database knows: then it was put back, and that must be said at once.
    return published is None or (published.origin, published.size, published.root) != (
        log.origin,
        head.size,
        bytes(head.root),
    )


def is_held(*, organization: Any) -> bool:
    """Whether there is work that waits for another sequencer, or for the lease of one that died; reads only."""
    log = current(organization)
    if log is None or log.fault or log.lease_until is None:
        return False
    now = clock.now()
    return now < log.lease_until <= now + 2 * LEASE and _has_work(log, FolderStore(folder_of(log)))


def _take_lease(log: Log) -> uuid.UUID | None:
    token, now = uuid.uuid4(), clock.now()
    free = Q(lease_until__isnull=True) | Q(lease_until__lte=now) | Q(lease_until__gt=now + 2 * LEASE)
    # A lease far in the future was given before the clock was set back: it must not stop the log for ever.
    won = transactions.durable(
        lambda: Log.objects.filter(free, pk=log.pk, closed_at__isnull=True).update(
            lease_token=token, lease_until=now + LEASE
        )
    )
    return token if won else None


def _claim(log: Log, token: uuid.UUID, batch: int) -> int:
    """Give up to ``batch`` pending events their places in one transaction; return how many."""
    epoch = Log.objects.values_list("epoch", flat=True).get(pk=log.pk)
    try:
        return transactions.durable(lambda: _claim_now(log, token, batch))
    except IntegrityError as error:
        # The unique leaf index is the last defence against two sequencers at once; if nobody else went on, it is no race.
        if Log.objects.filter(pk=log.pk, epoch=epoch, lease_token=token, closed_at__isnull=True).exists():
            raise TamperedError(
                Message(
                    "操作記録「%(origin)s」の次の番号が、もう使われています。順番を付けるのを止めました。",
                    {"origin": log.origin},
                )
            ) from error
        raise LostError from error


def _claim_now(log: Log, token: uuid.UUID, batch: int) -> int:
    state = Log.objects.get(pk=log.pk)
    if state.lease_token != token or state.closed_at is not None:
        raise LostError
    rows = _pending(log, "TRUE", [], batch)
    if state.size == 0:
        # The first leaf says which log this is, whatever was recorded before the log was opened.
        first = _pending(log, "name = %s AND object_id = %s", [events.LOG_OPENED.name, ref(log)[1]], 1)
        rows = [*first, *(row for row in rows if row[0] not in {row[0] for row in first})][:batch]
    if not rows:
        return 0
    for event, payload, stored in rows:
        if leaf_hash(bytes(payload)) != bytes(stored):
            raise TamperedError(
                Message(
                    "操作記録 %(id)s の内容が、記録したときと違います。順番を付けるのを止めました。",
                    {"id": str(uuid.UUID(str(event)))},
                )
            )
    start = state.base + state.size
    _place([row[0] for row in rows], start)
    frontier = compact(state)
    frontier.extend([bytes(row[2]) for row in rows])
    # PostgreSQL waits here for a transaction that ends the log just now, and looks at the conditions again afterwards.
    mine = Log.objects.filter(pk=log.pk, lease_token=token, closed_at__isnull=True)
    won = mine.filter(epoch=state.epoch, size=state.size).update(
        size=frontier.size,
        root=frontier.root(),
        frontier=b"".join(frontier.hashes),
        epoch=state.epoch + 1,
        lease_until=clock.now() + LEASE,
    )
    if not won:
        raise LostError
    return len(rows)


def _pending(log: Log, condition: str, parameters: list[Any], count: int) -> list[tuple[Any, Any, Any]]:
    """Return (id as the database gives it, payload, leaf hash) of up to ``count`` pending events in the order of their ids."""
    where = f"organization_id = %s AND leaf_index IS NULL AND {condition} ORDER BY id LIMIT %s"
    return select(where, [log.organization_id, *parameters, count], "id", "payload", "leaf_hash")


def _place(ids: list[Any], start: int) -> None:
    """Set the leaf index of each event, once; LostError when somebody set one before."""
    with connection.cursor() as cursor:
        if connection.vendor == "postgresql":
            cursor.execute(
                "UPDATE auditlog_event SET leaf_index = placed.place FROM unnest(%s::uuid[], %s::bigint[]) "
                "AS placed (event, place) WHERE auditlog_event.id = placed.event AND leaf_index IS NULL",
                # As text: psycopg takes longer to write an array of UUIDs than PostgreSQL to read it.
                [f"{{{','.join(map(str, ids))}}}", f"{{{','.join(map(str, range(start, start + len(ids))))}}}"],
            )
        else:
            cursor.executemany(
                "UPDATE auditlog_event SET leaf_index = %s WHERE id = %s AND leaf_index IS NULL",
                [(start + offset, event) for offset, event in enumerate(ids)],
            )
        if cursor.rowcount != len(ids):
            raise LostError


def compact(log: Log) -> CompactRange:
    """Return the compact range a log's row holds."""
    data = bytes(log.frontier)
    return CompactRange(log.size, [data[place : place + HASH_BYTES] for place in range(0, len(data), HASH_BYTES)])


def finish(log: Log, store: Store) -> None:
    """Bring files, head and publication up to what is committed; harmless to repeat."""
    state = Log.objects.select_related("organization").get(pk=log.pk)
    head = newest_head(log)
    signed = head.size if head else 0
    if state.closed_at is not None:
        raise LostError
    if state.size > signed:
        _write_and_verify(state, store, signed)
    # One at a time from here on: a sequencer that slept must neither sign with a key that another one has replaced
    # meanwhile, nor publish into the folder of the log that followed.
    with store.lock():
        if Log.objects.filter(pk=log.pk, closed_at__isnull=False).exists():
            raise LostError
        if head is not None:
            rotation.hand_over(state, head, store)  # a rotation that died half way
        if state.size > signed:
            rotation.require_key(state, head)
            head = _sign_and_record(state)
            rotation.hand_over(state, head, store)
        _publish_newest(log, store)
    if state.size > signed:
        tree.drop_partial(store, signed, state.size)
        store.sync()


def _write_and_verify(state: Log, store: Store, signed: int) -> None:
    """Write the tiles and prove that what stands there makes the committed root; once more from the first entry if not."""

    def entries(start: int, end: int) -> list[bytes]:
        where = "organization_id = %s AND leaf_index >= %s AND leaf_index < %s ORDER BY leaf_index"
        parameters = [state.organization_id, state.base + start, state.base + end]
        found = []
        for event, data, stored in select(where, parameters, "id", "payload", "leaf_hash"):
            payload = bytes(data)
            if leaf_hash(payload) != bytes(stored):
                raise TamperedError(
                    Message(
                        "操作記録 %(id)s の内容が、記録したときと違います。署名を止めました。",
                        {"id": str(uuid.UUID(str(event)))},
                    )
                )
            found.append(payload)
        if len(found) != end - start:
            raise TamperedError(
                Message(
                    "操作記録の %(start)s 番から %(end)s 番までに、無くなったものがあります。署名を止めました。",
                    {"start": state.base + start, "end": state.base + end - 1},
                )
            )
        return found

    for again, old in enumerate((signed, 0)):
        if again and _overtaken(state):
            raise LostError  # by somebody who removed partial tiles that were full meanwhile
        if again and _root_of_rows(state.size, entries) != bytes(state.root):
            break  # the rows are what is wrong: they must not be written over files that are right
        try:
            tree.write_tiles(store, old, state.size, entries)
            store.sync()
            if tree.verify_written(store, old, state.size) == bytes(state.root):
                return
        except tree.TileError as error:
            _log.warning("tile %s of %s is missing or spoiled; writing all again", error, state.origin)
    raise TamperedError(
        Message(
            "操作記録「%(origin)s」のファイルが、データベースの記録と合いません。署名を止めました。",
            {"origin": state.origin},
        )
    )


def _root_of_rows(size: int, entries: tree.Entries) -> bytes:
    whole = CompactRange()
    for start in range(0, size, BATCH):
        whole.extend([leaf_hash(entry) for entry in entries(start, min(start + BATCH, size))])
    return whole.root()


def _sign_and_record(state: Log) -> Head:
    head = Checkpoint(state.origin, state.size, bytes(state.root))
    note = checkpoint.sign(head, *rotation.signers(state))

    def record() -> Head:
        if _overtaken(state):
            raise LostError
        return Head.objects.create(
            organization_id=state.organization_id,
            log=state,
            size=state.size,
            root=head.root,
            note=note,
            signed_at=clock.now(),
        )

    try:
        return transactions.durable(record)
    except IntegrityError as error:
        raise LostError from error


def _overtaken(state: Log) -> bool:
    newest = newest_head(state)
    return newest is not None and newest.size >= state.size


def newest_head(log: Log) -> Head | None:
    """Return the newest signed head, None before the first."""
    return Head.objects.filter(log=log).order_by("-size").first()


def publish_file(log: Log, store: Store) -> None:
    """Put the newest head, with the cosignatures it has, and the verifier key where everybody reads them.

    Never an older head over a newer one, also when a paused sequencer wakes up: read and replaced under the folder's lock.
    """
    with store.lock():
        if not Log.objects.filter(pk=log.pk, closed_at__isnull=False).exists():
            _publish_newest(log, store)


def _publish_newest(log: Log, store: Store) -> None:
    log = Log.objects.select_related("organization").get(pk=log.pk)  # as it stands: which keys its tree names
    head = newest_head(log)
    if head is None:
        return
    published = _published(log, store)
    if published is not None and published.size > head.size:
        return
    note = anchors.attach(bytes(head.note), anchors.cosignatures(log, head.size))
    key = f"{rotation.newest_key(log, head)}\n".encode()
    # The checkpoint is last, and durable after the key: while it lags behind the newest head, the next run comes here again.
    for path, data in (("log.vkey", key), ("checkpoint", note)):
        if store.read(path) != data:
            store.write(path, data)
            store.sync()


def _published(log: Log, store: Store) -> Checkpoint | None:
    """Return the published checkpoint; None when there is none, or none that can be read (it is published anew then)."""
    data = store.read("checkpoint")
    if data is None:
        return None
    try:
        found, _ = checkpoint.parse(data, where="checkpoint")
    except VerifyError as error:
        _log.warning("%s: %s; publishing it again", log.origin, error)
        return None
    return found


def _refuse_rolled_back(log: Log, store: Store) -> None:
    """Raise RolledBackError when the folder shows a head that the database never recorded."""
    published = _published(log, store)
    if published is None:
        return
    head = Head.objects.filter(log=log, size=published.size).first()
    if published.origin == log.origin and head is not None and bytes(head.root) == published.root:
        return
    raise RolledBackError(
        Message(
            "操作記録「%(origin)s」は、%(size)s件まで署名して公開されていますが、データベースにはその記録がありません。"
            "データベースが古い状態に戻されています。kitei restore の手順（docs/operate/backup.md）に従うか、"
            "kitei log restart で、失われた記録を明記して新しい記録を始めてください。",
            {"origin": published.origin, "size": published.size},
        )
    )
