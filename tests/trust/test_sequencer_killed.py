"""A real worker process on a real data folder, killed: at random moments, and (long) at every system call."""

from __future__ import annotations

import shutil
import signal
import sqlite3
import subprocess
import sys
import time

import pytest
import strace_matrix
from log_world import seeded

from cli.console import Console
from kitei_verify import logdir

ALL = None


@pytest.fixture
def kitei(initialised, tmp_path):
    shutil.copytree(initialised, tmp_path / "data")
    return Console(tmp_path / "data")


def rows(console, sql):
    database = sqlite3.connect(console.data / "kitei.sqlite3", timeout=30)
    try:
        return database.execute(sql).fetchall()
    finally:
        database.close()


def code(console):
    return rows(console, "SELECT code FROM tenancy_organization")[0][0]


def whole(console, acknowledged=()):
    """Everything acknowledged has its place, without a gap; the folder verifies; every head ever recorded is in it."""
    held = dict(rows(console, "SELECT id, leaf_index FROM auditlog_event"))
    assert set(acknowledged) <= set(held)
    assert None not in held.values()
    assert sorted(held.values()) == list(range(len(held)))
    found = logdir.verify(console.data / "log" / code(console), jobs=1)
    found.require()
    (size,) = rows(console, "SELECT MAX(size) FROM auditlog_head")[0]
    assert size == len(held)
    assert rows(console, "SELECT fault FROM auditlog_log") == [("",)]


WRITER = """
import sys
import kitei.cli, os
os.environ.setdefault("DJANGO_SETTINGS_MODULE", "kitei.settings")
import django; django.setup()
from kitei.foundation import transactions
from kitei.foundation.tenancy.models import Organization
from kitei.trust.auditlog import events
from kitei.trust.auditlog.log import Act, append_many
organization = Organization.objects.get()
acts = [Act(events.LOGOUT, ("member", "0192"), ("account", str(n))) for n in range(int(sys.argv[1]))]
for turn in range(int(sys.argv[2])):
    made = transactions.durable(lambda: append_many(organization=organization, acts=acts))
    print("\\n".join(row.id.hex for row in made), flush=True)
"""


def writing(console, each, turns):
    return subprocess.Popen(
        [sys.executable, "-c", WRITER, str(each), str(turns)],
        env=console.environment(),
        stdout=subprocess.PIPE,
        text=True,
    )


def kill_rounds(console, rounds, rng, longest):
    writer = writing(console, 7, 25 * rounds)
    for _ in range(rounds):
        child = subprocess.Popen(
            [sys.executable, "-m", "kitei.cli", "worker"],
            env=console.environment(),
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
        )
        time.sleep(0.9 + rng.random() * longest)
        child.send_signal(signal.SIGKILL)
        child.wait()
        strace_matrix.time_passes(console)
    acknowledged = writer.communicate(timeout=120)[0].split()
    assert writer.returncode == 0
    assert len(acknowledged) == 7 * 25 * rounds
    assert strace_matrix.worker(console)[0] == 0
    whole(console, acknowledged)


def test_killed_at_a_random_moment_while_another_writes(kitei):
    kill_rounds(kitei, 1, seeded(3), 0.5)


@pytest.mark.long
@pytest.mark.timeout(900)
@pytest.mark.parametrize("seed", range(5))
def test_killed_at_many_random_moments_while_another_writes(kitei, seed):
    kill_rounds(kitei, 12, seeded(seed), 1.5)


def trial(prepared, folder, call, number, what):
    """One copy of the folder, one fault, then a worker as if nothing had been; everything must be there."""
    shutil.copytree(prepared, folder / "data")
    console = Console(folder / "data")
    before = {row[0] for row in rows(console, "SELECT hex(id) FROM auditlog_event")}
    exit_code = strace_matrix.inject(console, call, number, what)
    after = {row[0] for row in rows(console, "SELECT hex(id) FROM auditlog_event")}
    assert before <= after
    strace_matrix.time_passes(console)
    assert strace_matrix.worker(console)[0] == 0
    whole(console)
    shutil.rmtree(folder / "data")
    return exit_code


def matrix(prepared, folder, call, what, most):
    """Go through the calls of one kind that fall into the worker's own work; at most ``most`` of them, evenly spread."""
    strace_matrix.require()
    writer = writing(Console(prepared), 300, 1)
    writer.communicate(timeout=60)
    shutil.copytree(prepared, folder / "data")
    first, last = strace_matrix.first_and_last(Console(folder / "data"), call)
    shutil.rmtree(folder / "data")
    if not first:
        assert call in {"unlink", "rename", "mkdir", "fdatasync"}, "the worker never makes this call"
        return 0
    numbers = range(first, last + 1)
    if most and len(numbers) > most:
        numbers = sorted(seeded(1).sample(numbers, most))
    killed = sum(trial(prepared, folder, call, number, what) in strace_matrix.KILLED for number in numbers)
    assert killed or what != strace_matrix.KILL, "strace killed nothing: the matrix proves nothing"
    return killed


@pytest.mark.long
@pytest.mark.timeout(3000)
@pytest.mark.parametrize("what", [strace_matrix.KILL, strace_matrix.EIO])
@pytest.mark.parametrize("call", strace_matrix.CALLS)
def test_a_fault_at_every_system_call(initialised, tmp_path, call, what):
    copy = tmp_path / "origin" / "data"
    shutil.copytree(initialised, copy)
    matrix(copy, tmp_path, call, what, 25)
