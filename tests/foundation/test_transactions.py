from __future__ import annotations

import threading
import time

import pytest
from django.db import connection, connections
from django.db.utils import IntegrityError, OperationalError
from psycopg.errors import SerializationFailure

from kitei.foundation import clock, transactions
from kitei.foundation.tenancy.models import Organization


def make(code):
    return Organization.objects.create(code=code, name=code, created_at=clock.now())


def codes():
    return set(Organization.objects.values_list("code", flat=True))


def in_thread(work):
    """Run ``work`` on a connection of its own and return its result; raise what it raises."""
    answer = {}

    def target():
        try:
            answer["value"] = work()
        except BaseException as error:  # noqa: BLE001  passed on to the thread that asked
            answer["error"] = error
        finally:
            connections.close_all()

    thread = threading.Thread(target=target)
    thread.start()
    thread.join(30)
    assert not thread.is_alive()
    if "error" in answer:
        raise answer["error"]
    return answer["value"]


@pytest.fixture
def no_waiting(monkeypatch):
    monkeypatch.setattr(transactions.time, "sleep", lambda seconds: None)


def serialization_failure():
    error = OperationalError("could not serialize access")
    error.__cause__ = SerializationFailure("could not serialize access")
    return error


def test_durable_work_is_committed_and_its_result_returned(db):
    assert transactions.durable(lambda: make("ume").code) == "ume"
    assert "ume" in codes()


def test_a_failure_undoes_everything(db):
    def work():
        make("ume")
        raise LookupError("無い")

    with pytest.raises(LookupError):
        transactions.durable(work)
    assert "ume" not in codes()


def test_a_serialization_failure_is_tried_again_from_a_clean_state(db, no_waiting):
    tries = []

    def work():
        tries.append(codes())
        make("ume")
        if len(tries) < 4:
            raise serialization_failure()
        return "done"

    assert transactions.durable(work) == "done"
    assert tries == [tries[0]] * 4, "each try begins without what the failed one wrote"
    assert "ume" in codes()


def test_trying_again_ends_after_the_given_attempts(db, no_waiting):
    tries = []

    def work():
        tries.append(1)
        raise serialization_failure()

    with pytest.raises(OperationalError):
        transactions.durable(work, attempts=3)
    assert len(tries) == 3


@pytest.mark.parametrize(
    "error", [IntegrityError("duplicate"), OperationalError("disk I/O error"), ValueError("wrong")]
)
def test_other_errors_are_not_tried_again(db, no_waiting, error):
    tries = []

    def work():
        tries.append(1)
        raise error

    with pytest.raises(type(error)):
        transactions.durable(work)
    assert len(tries) == 1


def test_an_operation_refuses_to_run_outside_a_transaction(committed_db):
    with pytest.raises(RuntimeError, match="outside a transaction"):
        transactions.require()
    transactions.durable(transactions.require)


def test_a_face_inside_a_face_is_a_mistake(committed_db):
    with pytest.raises(RuntimeError, match="durable"):
        transactions.durable(lambda: transactions.durable(lambda: None))


def test_durable_or_join_joins_and_opens(committed_db):
    def work():
        transactions.durable_or_join(lambda: make("ume"))
        raise LookupError

    with pytest.raises(LookupError):
        transactions.durable(work)
    assert codes() == set()
    transactions.durable_or_join(lambda: make("ume"))
    assert codes() == {"ume"}


def test_a_snapshot_sees_one_moment_though_another_connection_writes(committed_db):
    transactions.durable(lambda: make("ume"))
    with transactions.snapshot():
        before = codes()
        in_thread(lambda: transactions.durable(lambda: make("momo")))
        assert codes() == before == {"ume"}
    assert codes() == {"ume", "momo"}


def test_a_snapshot_neither_waits_for_a_writer_nor_makes_one_wait(committed_db):
    transactions.durable(lambda: make("ume"))
    writing, read = threading.Event(), threading.Event()

    def write():
        make("momo")
        writing.set()
        assert read.wait(20), "the reader waited for the writer"

    thread = threading.Thread(target=lambda: (transactions.durable(write), connections.close_all()))
    thread.start()
    try:
        assert writing.wait(20)
        began = time.monotonic()
        with transactions.snapshot():
            assert codes() == {"ume"}
        assert time.monotonic() - began < 5
    finally:
        read.set()
        thread.join(30)
    assert codes() == {"ume", "momo"}


def test_a_snapshot_leaves_later_writes_as_they_were(committed_db):
    with transactions.snapshot():
        codes()
    transactions.durable(lambda: make("ume"))
    if connection.vendor == "sqlite":
        assert connection.transaction_mode == "IMMEDIATE"
        with transactions.snapshot():
            assert connection.in_atomic_block


def test_a_snapshot_inside_a_transaction_joins_it(db):
    def work():
        make("ume")
        with transactions.snapshot():
            return codes()

    assert "ume" in transactions.durable(work)


def test_two_writers_wait_for_each_other_and_both_succeed(committed_db):
    row = transactions.durable(lambda: make("ume"))

    def add():
        def work():
            mine = Organization.objects.get(pk=row.pk)
            time.sleep(0.05)
            if not Organization.objects.filter(pk=row.pk, name=mine.name).update(name=mine.name + "+"):
                raise serialization_failure()

        transactions.durable(work, attempts=12)

    threads = [threading.Thread(target=lambda: (add(), connections.close_all())) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(60)
    assert Organization.objects.get(pk=row.pk).name == "ume++++"


@pytest.mark.parametrize(
    ("error", "again"),
    [
        (serialization_failure(), True),
        (OperationalError("database is locked"), True),
        (OperationalError("no such table: x"), False),
        (IntegrityError("UNIQUE constraint failed"), False),
    ],
)
def test_which_errors_ask_for_another_try(error, again):
    assert transactions.is_retryable(error) is again


def test_injected_failures_really_make_every_third_transaction_repeat(db, no_waiting):
    from injected import InjectedFailures

    injected = InjectedFailures(every=3)
    durable = injected.around(getattr(transactions.durable, "__wrapped__", transactions.durable))
    runs = []
    for number in range(9):
        assert durable(lambda number=number: runs.append(number) or number) == number
    assert runs == [0, 1, 2, 2, 3, 4, 5, 5, 6, 7, 8, 8]
    assert injected.failed == 3
