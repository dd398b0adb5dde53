from __future__ import annotations

import threading
import time
import uuid

from kitei.foundation.tenancy import ids
from kitei.foundation.tenancy.ids import uuid7


def test_an_id_is_a_uuid_of_version_seven_that_tells_its_time():
    before = time.time_ns() // 1_000_000
    made = uuid7()
    assert (made.version, made.variant) == (7, uuid.RFC_4122)
    assert before <= made.int >> 80 <= time.time_ns() // 1_000_000 + 100
    assert uuid.UUID(str(made)) == made


def test_ids_of_one_process_rise_strictly():
    made = [uuid7() for _ in range(20_000)]
    assert made == sorted(set(made))
    assert [str(one) for one in made] == sorted(str(one) for one in made)


def test_ids_of_several_threads_never_meet():
    made: list[list[uuid.UUID]] = [[] for _ in range(4)]
    threads = [threading.Thread(target=lambda mine=mine: mine.extend(uuid7() for _ in range(3000))) for mine in made]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert all(mine == sorted(mine) for mine in made)
    assert len({one for mine in made for one in mine}) == 12_000


def test_a_clock_that_steps_back_does_not_turn_the_order(monkeypatch):
    first = uuid7()
    monkeypatch.setattr(ids.time, "time_ns", lambda: 1_000_000_000_000_000_000)
    second = uuid7()
    assert second > first


def test_the_counter_runs_over_into_the_next_millisecond(monkeypatch):
    monkeypatch.setattr(ids, "_last", 0)
    monkeypatch.setattr(ids.time, "time_ns", lambda: 1_800_000_000_000_000_000)
    made = [uuid7() for _ in range(5000)]
    assert made == sorted(set(made))
    assert (made[-1].int >> 80) - (made[0].int >> 80) == 1
