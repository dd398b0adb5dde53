from __future__ import annotations

import datetime as dt
import logging
import threading

import pytest
from django.db import connections

from kitei.foundation import clock, transactions
from kitei.foundation.jobs import queue
from kitei.foundation.jobs.models import Job

NOON = dt.datetime(2026, 11, 22, 3, 0, tzinfo=dt.UTC)


@pytest.fixture(autouse=True)
def handlers(monkeypatch):
    """The queue knows only the handlers of this test."""
    known = {}
    monkeypatch.setattr(queue, "_handlers", known)
    return known


@pytest.fixture
def done(handlers):
    """A kind of work that writes down what it was asked to do."""
    seen = []
    queue.handler("tidy", lambda job: seen.append(job.arguments.get("room")))
    return seen


def ask(organization, kind="tidy", **options):
    transactions.durable(lambda: queue.ask(organization=organization, kind=kind, **options))


def drain(now=NOON):
    count = 0
    while queue.run_one(now=now):
        count += 1
    return count


def test_what_is_asked_for_is_done_once(sakura, done):
    ask(sakura, arguments={"room": "書庫"})
    assert drain() == 1
    assert done == ["書庫"]
    assert drain() == 0
    assert Job.objects.get().done_at is not None


def test_asking_twice_waits_once(sakura, tsubaki, done):
    for organization, key in ((sakura, ""), (sakura, ""), (sakura, "別"), (tsubaki, "")):
        ask(organization, key=key)
    assert Job.objects.count() == 3


def test_asking_while_it_runs_waits_for_another_turn(sakura, handlers):
    runs = []

    def work(job):
        runs.append(job.id)
        if len(runs) == 1:
            ask(sakura)

    queue.handler("tidy", work)
    ask(sakura)
    assert drain() == 2
    assert len(set(runs)) == 2


def test_asking_is_undone_with_the_act_that_asked(sakura, done):
    def work():
        queue.ask(organization=sakura, kind="tidy")
        raise LookupError

    with pytest.raises(LookupError):
        transactions.durable(work)
    assert drain() == 0


def test_asking_outside_a_transaction_is_refused(committed_db, make_sakura):
    organization = make_sakura()
    with pytest.raises(RuntimeError, match="outside a transaction"):
        queue.ask(organization=organization, kind="tidy")


def test_the_longest_due_comes_first_and_the_future_waits(sakura, done):
    for room, minutes in (("後", -1), ("先", -60), ("未来", +1)):
        ask(sakura, key=room, arguments={"room": room}, due_at=NOON + dt.timedelta(minutes=minutes))
    assert drain() == 2
    assert done == ["先", "後"]
    assert drain(NOON + dt.timedelta(minutes=1)) == 1


def test_work_nobody_here_knows_is_left_for_another_worker(sakura, done):
    ask(sakura, kind="later-version")
    assert drain() == 0
    assert Job.objects.get().attempts == 0


def test_a_killed_worker_loses_nothing(sakura, done):
    ask(sakura, arguments={"room": "書庫"})
    held = queue.claim(now=NOON)
    assert held is not None
    assert queue.claim(now=NOON + queue.LEASE - dt.timedelta(seconds=1)) is None
    assert drain(NOON + queue.LEASE) == 1
    assert done == ["書庫"]


def test_a_worker_that_lost_its_lease_cannot_end_the_job(sakura, done):
    ask(sakura)
    slow = queue.claim(now=NOON)
    fast = queue.claim(now=NOON + queue.LEASE)
    assert (slow.id, fast.attempts) == (fast.id, 2)
    queue._finish(slow)
    assert Job.objects.get().done_at is None
    queue._finish(slow, error=ValueError("遅い"))
    assert Job.objects.get().error == ""
    queue._finish(fast)
    assert Job.objects.get().done_at is not None


def test_a_failing_job_is_tried_again_later_and_in_the_end_waits_for_a_person(sakura, handlers, caplog):
    tries = []

    def work(job):
        tries.append(job.attempts)
        raise OSError("書庫の鍵がない")

    queue.handler("tidy", work)
    ask(sakura)
    now = NOON
    with caplog.at_level(logging.CRITICAL):
        for _ in range(20):
            with clock.at(now):
                queue.run_one(now=now)
            now += dt.timedelta(hours=3)
    assert tries == list(range(1, queue.MAX_ATTEMPTS + 1))
    job = Job.objects.get()
    assert job.dead_at is not None
    assert job.done_at is None
    assert job.error == "OSError: 書庫の鍵がない"


def test_a_failed_job_waits_before_it_is_tried_again(sakura, handlers, caplog):
    queue.handler("tidy", lambda job: 1 / 0)
    ask(sakura)
    with caplog.at_level(logging.CRITICAL), clock.at(NOON):
        assert queue.run_one(now=NOON)
    assert queue.claim(now=NOON + dt.timedelta(seconds=29)) is None
    assert queue.claim(now=NOON + dt.timedelta(seconds=30)).attempts == 2


def test_a_job_that_kills_its_worker_does_not_kill_every_worker(sakura, done):
    ask(sakura)
    now = NOON
    for _ in range(queue.MAX_ATTEMPTS):
        assert queue.claim(now=now) is not None
        now += queue.LEASE
    assert queue.claim(now=now) is None
    assert Job.objects.get().dead_at == now


def test_of_many_workers_one_wins(committed_db, make_sakura, done):
    organization = make_sakura()
    for number in range(3):
        ask(organization, key=str(number))
    meet, won = threading.Barrier(6), []

    def claim():
        meet.wait(20)
        while (job := queue.claim(now=NOON + dt.timedelta(days=3650))) is not None:
            won.append(job.id)
        connections.close_all()

    threads = [threading.Thread(target=claim) for _ in range(6)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(60)
    assert len(won) == len(set(won)) == 3
    assert set(Job.objects.values_list("attempts", flat=True)) == {1}


def test_what_was_done_long_ago_is_forgotten_the_dead_are_kept(sakura, done):
    ask(sakura, key="done")
    drain()
    ask(sakura, key="dead")
    Job.objects.filter(key="dead").update(dead_at=NOON)
    queue.sweep(now=NOON + queue.KEEP_DONE)
    assert Job.objects.count() == 2
    queue.sweep(now=NOON + queue.KEEP_DONE + dt.timedelta(seconds=1))
    assert list(Job.objects.values_list("key", flat=True)) == ["dead"]
