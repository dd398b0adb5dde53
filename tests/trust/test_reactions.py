"""Reactions: in the order of the log, at least once, once for what they write to the database; a failing one waits alone."""

from __future__ import annotations

import contextlib
import datetime as dt
import os
import threading

import pytest
from django.db import connections
from django.db.utils import OperationalError
from log_world import NOON, add

from kitei.foundation import clock, transactions
from kitei.trust.auditlog import events, logs, reactions, sequencer
from kitei.trust.auditlog.models import Cursor, Opening


@pytest.fixture(autouse=True)
def _alone(monkeypatch, settings, tmp_path):
    monkeypatch.setattr(reactions, "_known", {})
    monkeypatch.setattr(reactions, "BATCH", 4)
    settings.DATA = tmp_path


@pytest.fixture
def log(sakura):
    transactions.durable(lambda: logs.open_log(organization=sakura))
    sequencer.run(organization=sakura)
    return sakura


def sequence(organization, count, **more):
    found = add(organization, count, **more)
    sequencer.run(organization=organization)
    return found


def go(organization, seconds=0):
    with clock.at(NOON + dt.timedelta(seconds=seconds)):
        return reactions.run(organization=organization)


class Seen(list):
    """What was handed over. Where transactions are repeated on purpose, a repeated batch counts once."""

    def extend(self, found):
        repeated = bool(os.environ.get("KITEI_TEST_FAIL_EVERY"))
        super().extend(each for each in found if not (repeated and each in self))


def collect(name, names=(events.LOGOUT,)):
    seen = Seen()
    reactions.react(name, names, lambda batch: seen.extend(each.event.id for each in batch))
    return seen


def test_in_order_and_only_what_was_asked_for(log):
    seen, everything = collect("case"), collect("all", None)
    other = sequence(log, 2, name=events.LOGIN)
    ids = sequence(log, 11)
    assert go(log) == 11 + 14
    assert seen == ids
    assert everything[1:] == [*other, *ids]
    assert go(log) == 0
    assert len(seen) == 11


def test_what_is_not_sequenced_yet_waits(log):
    seen = collect("case")
    ids = add(log, 3)
    assert go(log) == 0
    sequencer.run(organization=log)
    go(log)
    assert seen == ids


def test_a_new_reaction_starts_with_the_first_event(log):
    first = collect("first")
    ids = sequence(log, 9)
    go(log)
    second = collect("second")
    go(log)
    assert first == second == ids


def test_the_payload_is_there_when_asked_for(log):
    seen = Seen()
    reactions.react("case", [events.LOGOUT], lambda batch: seen.extend(each.payload["name"] for each in batch))
    sequence(log, 1)
    go(log)
    assert seen == ["session:logout"]


def test_a_failing_one_waits_longer_each_time_and_does_not_hold_up_the_others(log):
    calls = []

    def failing(batch):
        calls.append([each.event.id for each in batch])
        raise ValueError("no \x00 luck \ud800")

    reactions.react("broken", [events.LOGOUT], failing)
    seen = collect("good")
    ids = sequence(log, 6)
    for moment, tries in ((0, 1), (4, 1), (6, 2), (12, 2), (17, 3)):
        go(log, moment)
        assert len(calls) == tries, moment
    assert seen == ids
    assert all(call == ids[:4] for call in calls), "it keeps its place"
    held = Cursor.objects.get(reaction="broken")
    assert (held.attempts, held.error) == (3, "ValueError: no  luck ?")
    assert held.retry_at > NOON + dt.timedelta(seconds=17 + 15)


def test_the_longest_wait_is_an_hour_also_when_the_clock_is_put_back(log):
    broken = [True]
    seen = Seen()

    def work(batch):
        if broken:
            raise ValueError("broken")
        seen.extend(each.event.id for each in batch)

    reactions.react("case", [events.LOGOUT], work)
    ids = sequence(log, 1)
    moment = 0
    for _ in range(15):
        go(log, moment)
        held = Cursor.objects.get()
        assert held.retry_at <= NOON + dt.timedelta(seconds=moment) + reactions.LONGEST_WAIT
        moment += 3601
    broken.clear()
    go(log, -100_000)  # the clock is put back by a day
    assert seen == ids
    assert Cursor.objects.get().attempts == 0


def test_what_it_wrote_is_undone_with_it(log):
    """Exactly once for the database, however often it fails half way."""
    fails = [1, 2, 3]

    def work(batch):
        for each in batch:
            Opening.objects.create(
                organization_id=each.event.organization_id, event_id=each.event.id, field="x", salt=b"", value=""
            )
        if fails:
            fails.pop()
            raise ValueError("half way")

    reactions.react("case", [events.LOGOUT], work)
    ids = sequence(log, 10)
    for moment in range(0, 300, 100):
        go(log, moment)
        assert not Opening.objects.exists()
    go(log, 1000)
    assert sorted(Opening.objects.values_list("event_id", flat=True)) == sorted(ids)


@pytest.mark.parametrize("after", [False, True])
def test_a_database_that_goes_away_at_any_step(log, monkeypatch, after):
    durable = transactions.durable
    ids = sequence(log, 9)
    for at in range(1, 12):
        taken = []

        def failing(work, at=at, taken=taken, **more):
            taken.append(1)
            if len(taken) == at and not after:
                raise OperationalError("connection lost")
            result = durable(work, **more)
            if len(taken) == at and after:
                raise OperationalError("connection lost")
            return result

        wrote = []
        reactions._known.clear()
        reactions.react(
            f"case {at}", [events.LOGOUT], lambda batch, wrote=wrote: wrote.extend(e.event.id for e in batch)
        )
        with monkeypatch.context() as patched:
            patched.setattr(transactions, "durable", failing)
            with contextlib.suppress(OperationalError):
                go(log)
        go(log, 7200)
        assert list(dict.fromkeys(wrote)) == ids, "each at least once, in order"
        assert Cursor.objects.get(reaction=f"case {at}").position == 10


def test_one_name_belongs_to_one_reaction():
    collect("case")
    with pytest.raises(ValueError, match="twice"):
        collect("case")


def test_it_goes_on_over_the_next_generation_of_the_log(log):
    seen = collect("case")
    ids = sequence(log, 3)
    go(log)
    transactions.durable(lambda: logs.restart(organization=log))
    ids += sequence(log, 3)
    go(log)
    assert seen == ids


def test_two_workers_hand_over_each_event_once(committed_db, make_sakura):
    sakura = make_sakura()
    transactions.durable(lambda: logs.open_log(organization=sakura))
    ids = sequence(sakura, 60)

    def work(batch):
        for each in batch:  # the unique opening would refuse a second time
            Opening.objects.create(
                organization_id=each.event.organization_id, event_id=each.event.id, field="x", salt=b"", value=""
            )

    reactions.react("case", [events.LOGOUT], work)
    errors = []

    def worker():
        try:
            for _ in range(30):
                go(sakura)
        except BaseException as error:  # noqa: BLE001  told to the test
            errors.append(error)
        finally:
            connections.close_all()

    threads = [threading.Thread(target=worker) for _ in range(2)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    for moment in range(10):
        go(sakura, 4000 * (moment + 1))
    assert errors == []
    assert Opening.objects.count() == len(ids)
    assert Cursor.objects.get().position == 61
