"""What the tests of the sequencer share: small tiles, a process that can be killed at any step, and what must always hold.

The oracle is plain: the payloads in the order of their leaves, and RFC 6962 §2.1 written down as recursion. It uses none of
the product's tree code.
"""

from __future__ import annotations

import base64
import contextlib
import datetime as dt
import hashlib
import random
from pathlib import Path

from django.conf import settings
from django.db import transaction
from fault_store import Died, Disk, Faults, FaultStore

from kitei.foundation import clock, transactions
from kitei.trust.auditlog import events, keys, logs, sequencer, tree
from kitei.trust.auditlog.log import Act, append_many
from kitei.trust.auditlog.models import Event, Head, Log
from kitei_verify import checkpoint, note, tiles

HANAKO = ("member", "0192")
NOON = dt.datetime(2026, 11, 22, 3, tzinfo=dt.UTC)


def naive_root(entries):
    """RFC 6962 §2.1, word for word."""
    if not entries:
        return hashlib.sha256().digest()
    if len(entries) == 1:
        return hashlib.sha256(b"\x00" + entries[0]).digest()
    split = 1
    while split * 2 < len(entries):
        split *= 2
    return hashlib.sha256(b"\x01" + naive_root(entries[:split]) + naive_root(entries[split:])).digest()


class Naive:
    """Roots of ranges of one list of entries, remembered."""

    def __init__(self, entries):
        self.entries = entries
        self._known = {}
        self._tiles = {}

    def root(self, start, end):
        if end - start < 2:
            return naive_root(self.entries[start:end])
        found = self._known.get((start, end))
        if found is None:
            split = 1
            while split * 2 < end - start:
                split *= 2
            found = hashlib.sha256(b"\x01" + self.root(start, start + split) + self.root(start + split, end)).digest()
            self._known[start, end] = found
        return found

    def tiles(self, size):
        """Return the files a tree of ``size`` leaves must have (tlog-tiles), by path; a partial one by its full path too."""
        if size in self._tiles:
            return self._tiles[size]
        width, found = tiles.WIDTH, self._tiles.setdefault(size, {})
        level, span = 0, 1
        while size // span:
            hashes = size // span
            for index in range(-(-hashes // width)):
                count = min(width, hashes - index * width)
                first = index * width
                data = b"".join(self.root((first + at) * span, (first + at + 1) * span) for at in range(count))
                found[tiles.tile_path(level, index, count)] = data
                if level == 0:
                    bundle = self.entries[first : first + count]
                    coded = b"".join(len(entry).to_bytes(2, "big") + entry for entry in bundle)
                    found[tiles.tile_path("entries", index, count)] = coded
            level, span = level + 1, span * width
        return found


def small_tiles(monkeypatch, height=2):
    """Make tiles 2^height wide, so that a few events make trees of many levels."""
    width = 1 << height
    for module, name, value in (
        (tiles, "WIDTH", width), (tiles, "HEIGHT", height), (tree, "WIDTH", width),
        (tiles.tile_path, "__defaults__", (width,)),
    ):  # fmt: skip
        monkeypatch.setattr(module, name, value)


def add(organization, count, *, name=events.LOGOUT):
    """Record ``count`` events in one transaction; return their ids once they are acknowledged."""
    acts = [Act(name, HANAKO, ("account", str(number))) for number in range(count)]
    return [event.id for event in transactions.durable(lambda: append_many(organization=organization, acts=acts))]


def payloads(log):
    """Return the entries of a log's tree, in order; asserts that no place is empty or held twice."""
    end = Log.objects.filter(organization=log.organization_id, generation__gt=log.generation).order_by("generation")
    held = Event.objects.filter(organization=log.organization_id, leaf_index__gte=log.base)
    following = end.first()
    if following is not None:
        held = held.filter(leaf_index__lt=following.base)
    rows = list(held.order_by("leaf_index").values_list("leaf_index", "payload"))
    assert [place for place, _ in rows] == list(range(log.base, log.base + len(rows))), "the order has a gap"
    return [bytes(payload) for _, payload in rows]


class World:
    """One organization with its log on a disk, through any number of processes that die."""

    def __init__(self, monkeypatch, organization):
        self.organization = organization
        self.disk = Disk()
        self.faults = Faults()
        self.acknowledged = []
        self.signed: list[bytes] = []
        self.now = NOON
        self._patch(monkeypatch)
        self.restarts = 0

    def _patch(self, monkeypatch):
        durable, sign = transactions.durable, checkpoint.sign
        take_over, create = keys.take_over, keys.create

        def signing(head, *signers):
            made = sign(head, *signers)
            self.signed.append(made)
            return made

        monkeypatch.setattr(
            transactions, "durable", lambda work, **more: self.faults.step("durable", lambda: durable(work, **more))
        )
        monkeypatch.setattr(checkpoint, "sign", signing)
        for name, real in (("take_over", take_over), ("create", create)):

            def stepping(*given, _name=name, _real=real, **more):
                return self.faults.step(_name, lambda: _real(*given, **more))

            monkeypatch.setattr(keys, name, stepping)

    def begin(self, faults=None):
        """Start a process."""
        self.faults = faults or Faults()

    @contextlib.contextmanager
    def dying(self):
        """A block in which the process may die; then a new one stands, a minute later."""
        try:
            yield
        except Died:
            self.restarts += 1
        self.now += dt.timedelta(minutes=1)

    @contextlib.contextmanager
    def trial(self):
        """A block after which disk, keys and memory are what they were before (the database: see ``undone``)."""
        folder = Path(settings.DATA) / "keys"
        secret = {file: file.read_bytes() for file in folder.glob("*")}
        held = (self.disk, [*self.acknowledged], [*self.signed], self.now)
        self.disk = self.disk.copy()
        try:
            yield
        finally:
            self.disk, self.acknowledged, self.signed, self.now = held
            for file in [*folder.glob("*"), *folder.glob(".*")]:
                file.unlink()
            for file, data in secret.items():
                file.write_bytes(data)

    def add(self, count):
        with clock.at(self.now):
            self.acknowledged += add(self.organization, count)

    def open(self):
        with clock.at(self.now):
            transactions.durable(lambda: logs.open_log(organization=self.organization))

    def run(self, **more):
        with clock.at(self.now):
            return sequencer.run(organization=self.organization, store=FaultStore(self.disk, self.faults), **more)

    @property
    def log(self):
        return logs.current(self.organization)

    def power_cut(self, rng, share=0.5):
        """Cut the power: any subset of what was not synced is lost."""
        self.disk = _after(self.disk, self.disk.survivors(lambda _path: rng.random() < share))

    # --- what must hold

    def check_power_cuts(self, rng):
        """Whatever a power cut left now: a surviving checkpoint was recorded, and all its tiles survive and are right."""
        log = self.log
        if log is None:
            return
        naive = Naive(payloads(log))
        keeps = [
            lambda _path: False,
            lambda _path: True,
            lambda path: path == "checkpoint",
            *[lambda _path: rng.random() < 0.5] * 3,
        ]
        seen = []
        for keep in keeps:
            files = self.disk.survivors(keep)
            if files not in seen:
                seen.append(files)
                check_published(log, files, naive)

    def check(self):
        """Nothing acknowledged is lost; every head ever signed or published is a prefix; no two notes of one size."""
        log = self.log
        if log is None:
            return
        naive = Naive(payloads(log))
        kept = set(Event.objects.filter(organization=self.organization).values_list("id", flat=True))
        assert set(self.acknowledged) <= kept, "an acknowledged event is lost"
        assert log.size == len(naive.entries)
        for made in [*self.signed, *self.disk.published]:
            head = parse_note(made)
            if head.origin == log.origin:
                assert head.size <= len(naive.entries)
                assert head.root == naive.root(0, head.size), f"a head of {head.size} is not a prefix"
        texts = {}
        recorded = [bytes(head.note) for head in Head.objects.filter(log=log)]
        for made in [*recorded, *self.disk.published]:
            head = parse_note(made)
            if head.origin == log.origin:
                assert texts.setdefault(head.size, made) == made, f"two notes for {head.size}"
        sizes = [parse_note(made).size for made in self.disk.published if parse_note(made).origin == log.origin]
        assert sizes == sorted(sizes), "an older checkpoint was published over a newer one"
        if log.size:
            assert naive.entries[0] == bytes(Event.objects.get(name="log:open", object_id=logs.ref(log)[1]).payload)
        check_published(log, self.disk.names, naive)

    def check_finished(self):
        """Everything recorded is signed and published."""
        log = self.log
        assert not Event.objects.filter(organization=self.organization, leaf_index=None).exists()
        assert parse_note(self.disk.names["checkpoint"]).size == log.size == sequencer.newest_head(log).size
        assert log.lease_token is None
        assert not log.fault
        key = self.disk.names["log.vkey"].decode().removesuffix("\n")
        signed = checkpoint.parse(self.disk.names["checkpoint"], where="checkpoint")[1]
        assert note.verify(signed, note.parse_key(key), where="checkpoint") is not None


class _UndoneError(Exception):
    pass


@contextlib.contextmanager
def undone():
    """A block whose changes of the database are undone; inside it ``durable`` works as in a test."""
    block = transaction.atomic()
    block._from_testcase = True
    try:
        with block:
            yield
            raise _UndoneError  # noqa: TRY301  a block has no other way to undo itself
    except _UndoneError:
        pass


def _after(disk, files):
    made = Disk(files)
    made.published = disk.published
    return made


def parse_note(data):
    lines = data.decode().split("\n")
    return checkpoint.Checkpoint(lines[0], int(lines[1]), base64.b64decode(lines[2]))


def check_published(log, files, naive):
    """A checkpoint that stands in ``files`` was recorded before, and every one of its tiles is there and right."""
    data = files.get("checkpoint")
    if data is None:
        return
    head = parse_note(data)
    assert head.origin == log.origin
    row = Head.objects.filter(log=log, size=head.size).first()
    assert row is not None, "a checkpoint is published that was not recorded"
    assert bytes(row.note) == data
    assert head.root == naive.root(0, head.size)
    width = tiles.WIDTH
    for path, wanted in naive.tiles(head.size).items():
        found = files.get(path)
        if found is None and ".p/" in path:  # a full tile may have come in its place
            full = files.get(path.split(".p/")[0])
            found = full[: len(wanted)] if full is not None else None
        assert found == wanted, f"the tile {path} of the published head is missing or wrong ({width} wide)"


def seeded(seed):
    """Return random numbers that are the same in every run of this seed."""
    return random.Random(seed)  # noqa: S311  not a secret
