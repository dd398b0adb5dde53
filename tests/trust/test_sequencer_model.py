"""The sequencer against a plain list: everything that can happen to a log, in any order."""

from __future__ import annotations

import contextlib
import datetime as dt
import itertools
from pathlib import Path

import pytest
from django.db import transaction
from fault_store import Disk, Faults
from hypothesis import HealthCheck, event, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, precondition, rule, run_state_machine_as_test
from log_world import World, seeded, small_tiles, undone
from sequencer_hands import all_heads_are_consistent, spoil_tile

from kitei.foundation import clock, transactions
from kitei.foundation.text import UserError
from kitei.trust.auditlog import events, logs, rotation, sequencer
from kitei.trust.auditlog.models import Head


@pytest.fixture(autouse=True)
def _own_folder(settings, tmp_path):
    settings.DATA = tmp_path


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
