"""The sequencer: order, borders, clocks, publishing."""

from __future__ import annotations

import contextlib
import datetime as dt

import pytest
from django.db import connection
from fault_store import Died, Disk, Faults, FaultStore
from log_world import NOON, add, parse_note
from sequencer_hands import all_heads_are_consistent

from kitei.foundation import clock, transactions
from kitei.foundation.text import UserError
from kitei.trust.auditlog import logs, proofs, sequencer
from kitei.trust.auditlog.models import Event
from kitei.trust.auditlog.store import FolderStore
from kitei_verify import checkpoint, merkle


@pytest.fixture(autouse=True)
def _own_folder(settings, tmp_path):
    settings.DATA = tmp_path


# --- order and borders


def test_nothing_happens_before_the_log_is_opened(world):
    world.add(3)
    assert world.run() == 0
    assert world.disk.names == {}


def test_the_opening_is_the_first_leaf_also_after_an_upgrade(world):
    """An installation from before the log had a tree: what was recorded until then follows in its order."""
    before = [event.id for event in Event.objects.order_by("id")]
    world.add(5)
    world.open()
    world.add(2)
    assert world.run() == 8
    order = list(Event.objects.order_by("leaf_index").values_list("id", "name"))
    assert order[0][1] == "log:open"
    assert [event for event, _ in order[1:]] == [*before, *world.acknowledged]
    world.check_finished()


def test_the_opening_is_the_first_leaf_also_when_more_is_pending_than_one_batch_takes(world, monkeypatch):
    monkeypatch.setattr(sequencer, "BATCH", 4)
    world.add(9)
    world.open()
    world.run()
    assert Event.objects.get(leaf_index=0).name == "log:open"
    world.check_finished()
    world.check()


@pytest.mark.parametrize("sizes", [(1, 255, 256, 257, 512), (256, 512), (2, 254, 700)])
def test_sizes_at_the_borders_of_tiles(world, sizes):
    world.open()
    before = 0
    for size in sizes:
        if size > max(before, 1):
            world.add(size - max(before, 1))
        assert world.run() == size - before
        before = size
        world.check()
        world.check_finished()
    assert world.run() == 0
    all_heads_are_consistent(world)
    assert not [path for path in world.disk.names if ".p/" in path and path.split(".p/")[0] in world.disk.names]


def test_a_limit_takes_no_more_and_publishes_what_it_took(small):
    small.open()
    small.add(9)
    assert [small.run(limit=4), small.run(limit=0), small.run(limit=4), small.run()] == [4, 0, 4, 2]
    small.check()
    small.check_finished()


def test_a_round_with_nothing_to_do_writes_nothing(small, django_assert_max_num_queries):
    small.open()
    small.add(3)
    small.run()
    small.begin()
    with django_assert_max_num_queries(5):
        assert small.run() == 0
    assert not [step for step in small.faults.steps if not step.startswith("read")]


def test_every_event_is_provable_in_one_file(small):
    small.open()
    small.add(11)
    small.run()
    for row in Event.objects.all():
        made = proofs.inclusion(row, store=FaultStore(small.disk))
        lines, signed = made.split(b"\n\n", 1)
        head = parse_note(signed)
        import base64

        path = [base64.b64decode(line) for line in lines.split(b"\n")[3:]]
        merkle.verify_inclusion(row.leaf_index, head.size, merkle.leaf_hash(bytes(row.payload)), path, head.root)
    small.add(1)
    with pytest.raises(UserError, match="まだ"):
        proofs.inclusion(Event.objects.get(leaf_index=None), store=FaultStore(small.disk))


def test_two_organizations_have_two_logs(small, tsubaki, monkeypatch):
    small.open()
    small.add(2)
    add(tsubaki, 4)
    small.run()
    assert Event.objects.filter(organization=tsubaki, leaf_index=None).count() == 4
    transactions.durable(lambda: logs.open_log(organization=tsubaki))
    other = FaultStore(Disk())
    assert sequencer.run(organization=tsubaki, store=other) == 5
    assert parse_note(other.read("checkpoint")).origin != parse_note(small.disk.names["checkpoint"]).origin
    small.check_finished()


# --- clocks


@pytest.mark.parametrize("jump", [dt.timedelta(hours=-30), dt.timedelta(days=400), dt.timedelta(seconds=-20)])
def test_the_clock_jumps_while_a_dead_sequencer_holds_the_lease(small, jump):
    small.open()
    small.add(3)
    small.begin(Faults(7))
    with contextlib.suppress(Died):
        small.run()
    assert small.log.lease_token is not None
    small.begin()
    small.now += jump
    for _ in range(8):
        small.now += dt.timedelta(seconds=8)
        small.run()
    small.check()
    small.check_finished()


def test_a_dead_sequencer_keeps_the_log_no_longer_than_its_lease(small):
    small.open()
    small.add(3)
    small.begin(Faults(7))
    with contextlib.suppress(Died):
        small.run()
    small.begin()
    with clock.at(small.now):
        assert sequencer.is_held(organization=small.organization)
    small.now += sequencer.LEASE - dt.timedelta(seconds=1)
    assert small.run() == 0
    small.now += dt.timedelta(seconds=2)
    small.run()
    small.check_finished()


def test_the_lock_of_the_folder_keeps_another_publisher_out(tmp_path):
    import threading

    store, other, order = FolderStore(tmp_path), FolderStore(tmp_path), []

    def second():
        with other.lock():
            order.append("second")

    with store.lock():
        thread = threading.Thread(target=second)
        thread.start()
        thread.join(0.1)
        order.append("first")
    thread.join()
    assert order == ["first", "second"]


def test_never_an_older_checkpoint_over_a_newer_one(small):
    """A sequencer sleeps at any step of publishing and wakes up after another one has published more."""
    small.open()
    small.add(3)
    small.run()
    small.begin()
    small.add(2)
    small.run()
    steps = len(small.faults.steps)
    for at in range(1, steps + 1):
        small.begin()
        small.add(2)
        sleeper = Sleeper(at, lambda: small_other(small), small.disk)
        small.begin(sleeper)
        with contextlib.suppress(sequencer.LostError):
            small.run()
        small.now += dt.timedelta(minutes=1)
        small.begin()
        small.run()
        small.check()
        small.check_finished()


def small_other(world):
    """The lease is over, another sequencer takes more and publishes."""
    held, world.faults = world.faults, Faults()
    world.now += dt.timedelta(minutes=1)
    world.add(3)
    world.run()
    world.faults = held


class Sleeper(Faults):
    """Sleeps once before step ``at``, outside the folder's lock (where another one would have to wait)."""

    def __init__(self, at, meanwhile, disk):
        super().__init__()
        self.sleep_at, self.meanwhile, self.disk = at, meanwhile, disk

    def step(self, name, effect):
        if len(self.steps) + 1 == self.sleep_at:
            if self.disk.held or not connection.atomic_blocks[-1]._from_testcase:
                self.sleep_at += 1
            else:
                self.steps.append("slept")
                self.meanwhile()
        return super().step(name, effect)


def test_the_checkpoint_of_the_published_head_is_one_note(small):
    small.open()
    small.add(5)
    small.run()
    head, signed = checkpoint.parse(small.disk.names["checkpoint"], where="checkpoint")
    assert len(signed.signatures) == 1
    assert small.now == NOON
    assert head.origin == small.log.origin
