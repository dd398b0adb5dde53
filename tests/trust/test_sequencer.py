"""The sequencer against a plain list: order, borders, clocks, tampering, databases that were put back."""

from __future__ import annotations

import contextlib
import datetime as dt
import itertools
from pathlib import Path

import pytest
from django.db import connection, transaction
from fault_store import Died, Disk, Faults, FaultStore
from hypothesis import HealthCheck, event, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, precondition, rule, run_state_machine_as_test
from log_world import NOON, Naive, World, add, parse_note, payloads, seeded, small_tiles, undone

from kitei.foundation import clock, transactions
from kitei.foundation.text import UserError
from kitei.trust.auditlog import events, keys, logs, proofs, rotation, sequencer, tree, triggers
from kitei.trust.auditlog.models import Event, Head, Log
from kitei.trust.auditlog.store import FolderStore
from kitei_verify import checkpoint, merkle, note


@pytest.fixture(autouse=True)
def _own_folder(settings, tmp_path):
    settings.DATA = tmp_path


@pytest.fixture
def world(sakura, monkeypatch):
    return World(monkeypatch, sakura)


@pytest.fixture
def small(world, monkeypatch):
    small_tiles(monkeypatch)
    return world


def all_heads_are_consistent(world):
    log = world.log
    naive, head = Naive(payloads(log)), sequencer.newest_head(log)
    reader = tree.TileReader(FaultStore(world.disk), head.size)
    for older in Head.objects.filter(log=log):
        proof = merkle.consistency_proof(older.size, head.size, reader.subtree)
        merkle.verify_consistency(older.size, head.size, bytes(older.root), bytes(head.root), proof)
    for place, entry in enumerate(naive.entries):
        proof = merkle.inclusion_proof(place, head.size, reader.subtree)
        merkle.verify_inclusion(place, head.size, merkle.leaf_hash(entry), proof, bytes(head.root))


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


# --- tampering


@contextlib.contextmanager
def lifted():
    with triggers.lifted():
        yield


def change(sql, *parameters):
    with lifted(), connection.cursor() as cursor:
        cursor.execute(sql, parameters)


def key_of(row):
    return row.id.hex if connection.vendor == "sqlite" else row.id


def refused(world, kind, named):
    """The next runs refuse, name what is wrong, raise the alarm once, and sign nothing."""
    signed, published = len(world.signed), dict(world.disk.names).get("checkpoint")
    with pytest.raises(kind, match=named):
        world.run()
    for _ in range(3):
        world.now += dt.timedelta(minutes=2)
        with pytest.raises(sequencer.StoppedError, match=named):
            world.run()
    assert Event.objects.filter(name=events.LOG_ALARM.name).count() == 1
    assert len(world.signed) == signed
    assert world.disk.names.get("checkpoint") == published
    assert logs.fault_of(world.log) is not None


def test_a_pending_event_that_was_changed_is_refused(small):
    small.open()
    small.add(3)
    small.run()
    small.add(3)
    row = Event.objects.get(id=small.acknowledged[4])
    change(
        "UPDATE auditlog_event SET payload = %s WHERE id = %s",
        bytes(row.payload).replace(b"0192", b"0193"),
        key_of(row),
    )
    refused(small, sequencer.TamperedError, str(row.id))


@pytest.mark.parametrize("hash_too", [False, True])
@pytest.mark.parametrize("place", [0, 5])
def test_a_placed_event_that_was_changed_is_refused_and_the_good_files_stay(small, place, hash_too):
    """Also when the file of its place is gone: what is wrong in the database is never written over what is right."""
    small.open()
    small.add(6)
    small.run()
    row = Event.objects.get(leaf_index=place)
    data = bytes(row.payload).replace(b'"v":1', b'"v":2')
    assert data != bytes(row.payload)
    change("UPDATE auditlog_event SET payload = %s WHERE id = %s", data, key_of(row))
    if hash_too:
        change("UPDATE auditlog_event SET leaf_hash = %s WHERE id = %s", merkle.leaf_hash(data), key_of(row))
    before = dict(small.disk.names)
    small.add(10)
    if place == 0:
        spoil_tile(small.disk, "tile/1/000.p/1")  # makes it write all again
        before.pop("tile/1/000.p/1")
    refused(small, sequencer.TamperedError, "操作記録" if hash_too else str(row.id))
    assert {path: small.disk.names.get(path) for path in before} == before


def spoil_tile(disk, path):
    data = disk.names[path]
    disk.names[path] = bytes([data[0] ^ 1]) + data[1:]


def test_an_event_that_is_gone_is_refused(small):
    small.open()
    small.add(6)
    small.run()
    small.add(1)
    change("DELETE FROM auditlog_event WHERE leaf_index = 5")
    refused(small, sequencer.TamperedError, "無くなった")


def test_a_place_that_is_taken_already_stops_the_log(small):
    """The last defence: the unique leaf index. It must not look like another sequencer for ever."""
    small.open()
    small.add(6)
    small.run()
    change("UPDATE auditlog_log SET size = 3")
    small.add(1)
    with pytest.raises((sequencer.TamperedError, sequencer.RolledBackError, merkle.ProofError)):
        small.run()


def test_a_tree_row_that_was_changed_is_never_signed(small):
    small.open()
    small.add(6)
    small.run()
    small.add(1)
    frontier = bytes(Log.objects.get().frontier)
    change("UPDATE auditlog_log SET frontier = %s", bytes([frontier[0] ^ 1]) + frontier[1:])
    refused(small, sequencer.TamperedError, "操作記録")


@pytest.mark.parametrize("field", ["note", "root"])
def test_a_recorded_head_that_was_changed_is_never_published(small, field):
    small.open()
    small.add(6)
    small.run()
    published = small.disk.names.pop("checkpoint")
    value = bytearray(getattr(Head.objects.get(), field))
    value[-5] ^= 1
    change(f"UPDATE auditlog_head SET {field} = %s", bytes(value))  # noqa: S608  one of two constants
    with pytest.raises(UserError):
        small.run()
    assert small.disk.names.get("checkpoint") in {None, published}


# --- files that are spoilt or gone


@pytest.mark.parametrize("how", ["gone", "bit", "empty"])
def test_spoilt_files_are_healed_from_the_rows_or_nothing_is_signed(small, how):
    """Every file of a published log in turn."""
    small.open()
    small.add(21)
    small.run()
    for path in [*small.disk.names]:
        with small.trial(), undone():
            if how == "gone":
                del small.disk.names[path]
            elif how == "empty":
                small.disk.names[path] = b""
            else:
                spoil_tile(small.disk, path)
            bad = dict(small.disk.names)
            signed = len(small.signed)
            small.add(4)
            try:
                small.run()
            except UserError:
                # Only a checkpoint that says something else is refused: it may be the only trace of what was lost.
                assert path == "checkpoint"
                assert len(small.signed) == signed
                continue
            right = Naive(payloads(small.log)).tiles(26)
            touched = {name for name in right if small.disk.names.get(name) != bad.get(name)}
            for name in touched | {name for name in right if name != path}:
                assert small.disk.names[name] == right[name], name
            for made in small.signed[signed:]:
                head = parse_note(made)
                assert head.root == Naive(payloads(small.log)).root(0, head.size)


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


# --- a database that was put back


def test_a_database_that_was_put_back_is_refused_at_once_and_a_new_log_names_what_was_known(small):
    small.open()
    small.add(4)
    small.run()
    point = transaction.savepoint()
    small.add(3)
    small.run()
    published = small.disk.names["checkpoint"]
    transaction.savepoint_rollback(point)
    small.acknowledged = small.acknowledged[:4]
    signed = len(small.signed)
    with pytest.raises(sequencer.RolledBackError, match="8件"):
        small.run()  # although nothing is pending
    small.add(5)
    with pytest.raises(sequencer.StoppedError):
        small.run()
    assert len(small.signed) == signed
    assert small.disk.names["checkpoint"] == published
    with clock.at(small.now):
        transactions.durable(lambda: logs.restart(organization=small.organization))
    ended, small.disk = small.disk, Disk()
    small.run()
    small.check()
    small.check_finished()
    first = Event.objects.get(leaf_index=small.log.base)
    data = __import__("json").loads(bytes(first.payload))["data"]
    assert data["generation"] == 2
    assert data["continues"]["size"] == 5
    assert data["continues"]["origin"] == parse_note(ended.names["checkpoint"]).origin
    # The events the ended log could not take any more stand in the new one.
    assert not Event.objects.filter(leaf_index=None).exists()


def test_a_database_that_was_put_back_and_grew_to_the_very_same_size_is_refused(small):
    small.open()
    small.add(4)
    small.run()
    point = transaction.savepoint()
    small.add(3)
    small.run()
    transaction.savepoint_rollback(point)
    small.add(3)
    signed = len(small.signed)
    with pytest.raises(sequencer.RolledBackError):
        small.run()
    assert len(small.signed) == signed


def test_the_folder_of_the_ended_log_stays_whole(sakura, settings):
    transactions.durable(lambda: logs.open_log(organization=sakura))
    add(sakura, 300)
    sequencer.run(organization=sakura)
    here = Path(settings.DATA) / "log" / "sakura"

    def files(folder):
        return {
            str(path.relative_to(folder)): path.read_bytes()
            for path in folder.rglob("*")
            if path.is_file() and not path.name.startswith(".")
        }

    before = files(here)
    (here / "checkpoint").write_bytes(b"spoilt")  # even then
    transactions.durable(lambda: logs.restart(organization=sakura))
    add(sakura, 3)
    sequencer.run(organization=sakura)
    assert files(here.with_name("sakura.g1")) == {**before, "checkpoint": b"spoilt"}
    assert parse_note((here / "checkpoint").read_bytes()).origin.endswith("/g2")
    assert parse_note((here / "checkpoint").read_bytes()).size == 4
    assert sequencer.run(organization=sakura) == 0


def test_a_sequencer_of_the_ended_log_that_wakes_up_touches_nothing(small):
    small.open()
    small.add(9)
    sleeping = small.log
    transactions.durable(lambda: logs.restart(organization=small.organization))
    small.run()
    before = dict(small.disk.names)
    small.add(3)
    store = FaultStore(small.disk)
    with pytest.raises(sequencer.LostError):
        sequencer.finish(sleeping, store)
    sequencer.publish_file(sleeping, store)
    with pytest.raises(sequencer.LostError):
        sequencer._claim(sleeping, sleeping.lease_token, 5)
    assert small.disk.names == before


# --- the key


def test_without_its_key_nothing_is_signed_and_with_it_everything(small):
    small.open()
    small.add(3)
    file = keys.path("sakura")
    kept = file.read_bytes()
    file.unlink()
    with pytest.raises(UserError, match=r"sakura\.skey"):
        small.run()
    assert small.signed == []
    file.write_bytes(kept)
    small.run()
    small.check_finished()
    small.check()


def test_a_key_of_another_log_is_refused(small):
    small.open()
    small.add(3)
    small.run()
    keys.path("sakura").write_text(note.Signer("kitei/other/sakura", bytes(32)).encode() + "\n")
    small.add(1)
    with pytest.raises(UserError):
        small.run()
    assert parse_note(small.disk.names["checkpoint"]).size == 4


def test_a_key_file_of_another_log_is_not_taken_for_a_new_one(sakura, settings):
    keys.create("sakura", "kitei/elsewhere/sakura")
    with pytest.raises(UserError, match="elsewhere"):
        transactions.durable(lambda: logs.open_log(organization=sakura))
    assert not Log.objects.exists()


# --- a model: a plain list


class LogModel(RuleBasedStateMachine):
    """Everything that can happen to a log, in any order, against the list of what was acknowledged."""

    organization = None

    def __init__(self):
        super().__init__()
        self.stack = contextlib.ExitStack()
        self.patched = self.stack.enter_context(pytest.MonkeyPatch.context())
        small_tiles(self.patched)
        self.patched.setattr(sequencer, "BATCH", 3)
        self.patched.setattr(sequencer, "PUBLISH_EVERY", 6)
        folder = Path(self.folder) / str(next(self.numbers))
        folder.mkdir()
        from django.conf import settings as configured

        self.patched.setattr(configured, "DATA", folder)
        self.stack.enter_context(undone())
        self.world = World(self.patched, self.organization)
        self.world.open()
        self.rng = seeded(0)
        self.ended = []
        self.point = None
        self.spoilt = False
        self.stopped = False

    def teardown(self):
        try:
            if not self.stopped:
                self.world.begin()
                self.world.now += dt.timedelta(minutes=5)
                if not self.spoilt:
                    self.world.run()
                    self.world.check()
                    self.world.check_finished()
                    all_heads_are_consistent(self.world)
        finally:
            self.stack.close()

    @invariant()
    def nothing_is_lost_and_nothing_bad_is_shown(self):
        if not self.spoilt:
            self.world.check_power_cuts(self.rng)
            self.world.check()

    @rule(count=st.integers(1, 9))
    def append(self, count):
        self.world.begin()
        self.world.add(count)

    @rule(count=st.integers(1, 3))
    def append_and_roll_back(self, count):
        class RefusedError(Exception):
            pass

        def work():
            from log_world import HANAKO

            from kitei.trust.auditlog.log import Act, append_many

            append_many(
                organization=self.organization, acts=[Act(events.LOGOUT, HANAKO, ("account", "rolled"))] * count
            )
            raise RefusedError

        with pytest.raises(RefusedError):
            transactions.durable(work)

    def go(self, **more):
        try:
            self.world.run(**more)
        except sequencer.StoppedError:
            assert self.stopped

    @rule(limit=st.sampled_from([None, None, 0, 1, 2, 5]))
    @precondition(lambda self: not self.spoilt)
    def sequence(self, limit):
        self.world.begin()
        self.go(limit=limit)

    @rule(at=st.integers(1, 70), cut=st.booleans(), share=st.sampled_from([0.0, 0.5, 1.0]))
    @precondition(lambda self: not self.spoilt)
    def die(self, at, cut, share):
        self.world.begin(Faults(at))
        with self.world.dying():
            self.go()
        event(f"died: {self.world.faults.dead}")
        self.world.begin()
        if cut and self.point is None:
            self.world.power_cut(self.rng, share)

    @rule(at=st.integers(1, 70), after=st.booleans())
    @precondition(lambda self: not self.spoilt)
    def disk_refuses(self, at, after):
        self.world.begin(Faults(at, error=lambda: OSError(28, "No space left"), after=after))
        with contextlib.suppress(OSError):
            self.go()
        self.world.begin()
        self.world.now += dt.timedelta(minutes=1)  # when the lease could not be given back

    @rule(hours=st.integers(-50, 50))
    def clock_jumps(self, hours):
        self.world.now += dt.timedelta(hours=hours)

    @rule()
    @precondition(lambda self: not self.stopped and self.point is None)
    def rotate_key(self):
        self.world.begin()
        with clock.at(self.world.now), contextlib.suppress(UserError):
            transactions.durable(lambda: rotation.rotate(actor_ref=("cli", "root"), organization=self.organization))

    @rule()
    @precondition(lambda self: self.point is None)
    def restart(self):
        self.world.begin()
        with clock.at(self.world.now):
            transactions.durable(lambda: logs.restart(organization=self.organization))
        self.ended.append(self.world.disk)
        self.world.disk = Disk()
        self.stopped = self.spoilt = False

    @rule(which=st.integers(0, 10**6), how=st.sampled_from(["gone", "bit", "empty"]))
    @precondition(lambda self: not self.stopped and not self.spoilt and self.world.disk.names)
    def spoil(self, which, how):
        """A file is spoilt: the next run may heal it or refuse, but never signs what is wrong."""
        self.world.begin()
        names = sorted(self.world.disk.names)
        path = names[which % len(names)]
        kept = self.world.disk.names[path]
        if how == "gone":
            del self.world.disk.names[path]
        elif how == "empty":
            self.world.disk.names[path] = b""
        else:
            spoil_tile(self.world.disk, path)
        bad = self.world.disk.names.get(path)
        try:
            self.world.run()
        except UserError:
            assert path == "checkpoint"
            self.stopped = self.spoilt = True
            return
        if self.world.disk.names.get(path) == bad:
            event("not touched")
            if bad is None:
                self.world.disk.names.pop(path, None)
            self.world.disk.names[path] = kept  # somebody puts the good file back
        self.world.disk = _settled(self.world.disk)

    @rule()
    @precondition(lambda self: not self.stopped and self.point is None and not self.spoilt)
    def snapshot(self):
        self.world.begin()
        self.point = (
            transaction.savepoint(),
            [*self.world.acknowledged],
            len(self.world.signed),
            self.world.disk.names,
        )

    @rule()
    @precondition(lambda self: self.point is not None and not self.spoilt)
    def put_the_database_back(self):
        """Whoever saw a head that is not in the database any more must never be shown another one of that size."""
        point, acknowledged, signed, _ = self.point
        self.point = None
        self.world.begin()
        transaction.savepoint_rollback(point)
        self.world.acknowledged = acknowledged
        # Heads that were signed since, and never shown, are gone with the database.
        shown = set(self.world.disk.published)
        self.world.signed = self.world.signed[:signed] + [made for made in self.world.signed[signed:] if made in shown]
        data = self.world.disk.names.get("checkpoint")
        known = data is None or Head.objects.filter(log=self.world.log, note=data).exists()
        before = len(self.world.signed)
        self.world.now += dt.timedelta(minutes=5)
        if known:
            self.world.run()
            return
        with pytest.raises(sequencer.RolledBackError):
            self.world.run()
        assert len(self.world.signed) == before
        assert self.world.disk.names["checkpoint"] == data
        self.stopped = self.spoilt = True


def _settled(disk):
    made = disk.copy()
    made.lasting, made.open = dict(made.names), []
    return made


def model(sakura, folder, **more):
    LogModel.organization, LogModel.folder, LogModel.numbers = sakura, folder, itertools.count()
    run_state_machine_as_test(
        LogModel,
        settings=settings(deadline=None, suppress_health_check=list(HealthCheck), database=None, **more),
    )


def test_the_model(sakura, tmp_path):
    model(sakura, tmp_path, max_examples=12, stateful_step_count=15, derandomize=True)


@pytest.mark.long
@pytest.mark.timeout(1500)
def test_the_model_long(sakura, tmp_path):
    model(sakura, tmp_path, max_examples=60, stateful_step_count=30)


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
