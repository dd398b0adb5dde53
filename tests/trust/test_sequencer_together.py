"""Several sequencers and writers at once, each with a connection of its own: one wins, none is lost, no place is empty."""

from __future__ import annotations

import contextlib
import threading
import time

import pytest
from django.db import connection, connections
from django.db.utils import InterfaceError, OperationalError
from log_world import HANAKO, Naive, add, check_published, parse_note, payloads

from kitei.foundation import clock, transactions
from kitei.trust.auditlog import events, logs, rotation, sequencer
from kitei.trust.auditlog.log import Act, append_many
from kitei.trust.auditlog.models import Event, Head, Log
from kitei.trust.auditlog.store import FolderStore, folder
from kitei_verify import logdir


@pytest.fixture
def sakura(committed_db, make_sakura, settings, tmp_path):
    settings.DATA = tmp_path
    organization = make_sakura()
    transactions.durable(lambda: logs.open_log(organization=organization))
    return organization


class Crowd:
    """Threads that run until they are done; what they raise fails the test."""

    def __init__(self):
        self.errors, self.threads, self.over = [], [], threading.Event()

    def start(self, work, *given):
        def main():
            try:
                work(*given)
            except BaseException as error:  # noqa: BLE001  told to the test
                self.errors.append(error)
            finally:
                connections.close_all()

        self.threads.append(threading.Thread(target=main))
        self.threads[-1].start()

    def end(self):
        for thread in self.threads:
            thread.join(60)
            assert not thread.is_alive()
        if self.errors:
            raise self.errors[0]


def sequencing(organization, over, counts=None):
    """One worker: again and again, until told, and once more."""
    while True:
        last = over.is_set()
        taken = sequencer.run(organization=organization)
        if counts is not None:
            counts.append(taken)
        if last:
            return
        time.sleep(0.002)


def whole(organization, acknowledged):
    """Nothing lost, nothing twice, no gap, every head a prefix, the files verify."""
    for _ in range(3):
        sequencer.run(organization=organization)
    log = logs.current(organization)
    naive = Naive(payloads(log))
    assert not Event.objects.filter(leaf_index=None).exists()
    placed = set(Event.objects.values_list("id", flat=True))
    assert set(acknowledged) <= placed
    assert len(naive.entries) == log.size
    for head in Head.objects.filter(log=log):
        assert bytes(head.root) == naive.root(0, head.size)
    store = FolderStore(folder(organization.code))
    assert parse_note(store.read("checkpoint")).size == log.size
    root = folder(organization.code)
    files = {str(path.relative_to(root)): path.read_bytes() for path in root.rglob("*") if path.is_file()}
    check_published(log, files, naive)
    logdir.verify(root, jobs=1).require()
    assert not list(root.rglob("*.tmp"))


@pytest.mark.parametrize("count", [2, 4])
def test_several_sequencers_while_others_write(sakura, count):
    crowd, writers, acknowledged, counts = Crowd(), Crowd(), [], []
    guard = threading.Lock()

    def writing(number):
        for turn in range(12):
            found = add(sakura, 1 + (turn * number) % 5)
            with guard:
                acknowledged.extend(found)

    for _ in range(count):
        crowd.start(sequencing, sakura, crowd.over, counts)
    for number in range(1, 4):
        writers.start(writing, number)
    writers.end()
    crowd.over.set()
    crowd.end()
    whole(sakura, acknowledged)
    assert sum(counts) <= len(acknowledged) + 1, "a place was given twice"


@pytest.mark.long
@pytest.mark.parametrize("seed", range(6))
def test_several_sequencers_without_any_lease(sakura, monkeypatch, seed):
    """The lease only saves work: without it correctness rests on compare-and-swap and the unique place."""
    no_lease(monkeypatch)
    test_several_sequencers_while_others_write(sakura, 4)


def no_lease(monkeypatch):
    """Everybody believes to hold the lease; nobody is stopped by another one's."""
    token = sequencer.uuid.uuid4()

    def take(log):
        transactions.durable(lambda: Log.objects.filter(pk=log.pk).update(lease_token=token))
        return token

    monkeypatch.setattr(sequencer, "_take_lease", take)
    real = sequencer._claim_now

    def claim(log, _token, batch):
        Log.objects.filter(pk=log.pk, lease_token=None).update(lease_token=token)
        return real(log, token, batch)

    monkeypatch.setattr(sequencer, "_claim_now", claim)


def test_a_few_without_any_lease(sakura, monkeypatch):
    no_lease(monkeypatch)
    test_several_sequencers_while_others_write(sakura, 3)


def test_who_commits_late_is_not_missed(sakura):
    """PostgreSQL: a transaction that recorded early commits after later ones were sequenced. SQLite: it holds the lock."""
    appended, go_on = threading.Event(), threading.Event()
    crowd, late = Crowd(), []

    def slow():
        def work():
            found = append_many(organization=sakura, acts=[Act(events.LOGOUT, HANAKO, ("account", "late"))] * 3)
            appended.set()
            assert go_on.wait(20)
            return [row.id for row in found]

        late.extend(transactions.durable(work))

    if connection.vendor == "sqlite":
        go_on.set()
    crowd.start(slow)
    assert appended.wait(20)
    early = add(sakura, 4)
    sequencer.run(organization=sakura)
    if connection.vendor == "postgresql":
        placed = set(Event.objects.filter(leaf_index__isnull=False).values_list("id", flat=True))
        assert set(early) <= placed
        assert len(placed) == 5
    go_on.set()
    crowd.end()
    whole(sakura, [*early, *late])
    if connection.vendor == "postgresql":
        order = list(Event.objects.order_by("leaf_index").values_list("id", flat=True))
        assert order[-3:] == late
        assert min(late) < min(early), "it recorded first"


def test_a_log_that_is_ended_while_a_sequencer_claims(sakura, monkeypatch):
    """Its claim must not take places that belong to the next generation, whoever comes first."""
    add(sakura, 5)
    crowd = Crowd()
    real, started = sequencer._place, threading.Event()

    def place(ids, start):
        if not started.is_set():
            started.set()
            if connection.vendor == "postgresql":
                time.sleep(0.3)  # the other transaction commits meanwhile
        real(ids, start)

    monkeypatch.setattr(sequencer, "_place", place)
    crowd.start(lambda: sequencer.run(organization=sakura))
    assert started.wait(20)
    transactions.durable(lambda: logs.restart(organization=sakura))
    crowd.end()
    add(sakura, 2)
    sequencer.run(organization=sakura)
    places = list(Event.objects.order_by("leaf_index").values_list("leaf_index", flat=True))
    assert places == list(range(len(places)))
    whole(sakura, [])


def test_keys_are_changed_while_others_sequence(sakura):
    crowd, acknowledged = Crowd(), []
    for _ in range(2):
        crowd.start(sequencing, sakura, crowd.over)
    for _ in range(4):
        acknowledged += add(sakura, 3)
        for _ in range(200):
            with contextlib.suppress(rotation.UserError):
                transactions.durable(lambda: rotation.rotate(actor_ref=("cli", "root"), organization=sakura))
                break
            time.sleep(0.01)
    crowd.over.set()
    crowd.end()
    whole(sakura, acknowledged)
    assert len(list((folder(sakura.code) / "handover").iterdir())) == 4


def only_postgresql():
    """Return whether what follows can happen at all: SQLite has no connections to end, and no deadlocks."""
    return connection.vendor == "postgresql"


@pytest.mark.parametrize("at", range(1, 9))
def test_the_database_ends_the_connection_in_the_middle(sakura, monkeypatch, at):
    """At the n-th transaction of a round. The next round, on a new connection, goes on."""
    acknowledged = add(sakura, 5)
    durable, count = transactions.durable, []

    def ended(work, **more):
        count.append(1)

        def once():
            result = work()
            if len(count) == at and only_postgresql():
                end_own_connection()
            return result

        return durable(once, **more)

    with monkeypatch.context() as patched:
        patched.setattr(transactions, "durable", ended)
        with contextlib.suppress(OperationalError, InterfaceError):
            sequencer.run(organization=sakura)
    connection.close_if_unusable_or_obsolete()
    with clock.at(clock.now() + 2 * sequencer.LEASE):
        acknowledged += add(sakura, 2)
        sequencer.run(organization=sakura)
        whole(sakura, acknowledged)


def end_own_connection():
    """End the connection of this thread from another one, as an administrator or a restart of the server does."""
    with connection.cursor() as cursor:
        cursor.execute("SELECT pg_backend_pid()")
        (mine,) = cursor.fetchone()

    def other():
        with connection.cursor() as cursor:
            cursor.execute("SELECT pg_terminate_backend(%s)", [mine])
        connections.close_all()

    thread = threading.Thread(target=other)
    thread.start()
    thread.join()


def test_a_deadlock_is_tried_again(sakura, monkeypatch):
    """What PostgreSQL answers to one of two that wait for each other: the claim is simply repeated."""
    from psycopg.errors import DeadlockDetected

    acknowledged = add(sakura, 3)
    real, count = sequencer._place, []

    def place(ids, start):
        count.append(1)
        real(ids, start)
        if len(count) <= 2:
            raise OperationalError("deadlock detected") from DeadlockDetected("deadlock detected")

    monkeypatch.setattr(sequencer, "_place", place)
    assert sequencer.run(organization=sakura) == 4
    assert len(count) == 3
    whole(sakura, acknowledged)


def test_the_worker_goes_on_with_the_other_logs_when_one_has_no_key(sakura, tsubaki):
    from kitei.commands import serving
    from kitei.foundation.text import UserError
    from kitei.trust.auditlog import keys

    transactions.durable(lambda: logs.open_log(organization=tsubaki))
    add(tsubaki, 3)
    keys.path("sakura").unlink()
    with pytest.raises(UserError, match=r"sakura\.skey"):
        serving._sequence()
    assert not Event.objects.filter(organization=tsubaki, leaf_index=None).exists()
