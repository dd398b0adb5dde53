from __future__ import annotations

import contextvars
import datetime as dt

import pytest

from kitei.foundation import clock

UTC = dt.UTC


def test_instants_are_aware_utc_and_days_are_those_of_tokyo():
    with clock.at(dt.datetime(2026, 3, 31, 15, 0, tzinfo=UTC)):
        assert clock.now() == dt.datetime(2026, 3, 31, 15, 0, tzinfo=UTC)
        assert clock.now().utcoffset() == dt.timedelta()
        assert clock.today() == dt.date(2026, 4, 1)
    with clock.at(dt.datetime(2026, 3, 31, 14, 59, 59, tzinfo=UTC)):
        assert clock.today() == dt.date(2026, 3, 31)


def test_a_day_begins_at_midnight_of_tokyo():
    assert clock.start_of(dt.date(2026, 4, 1)) == dt.datetime(2026, 3, 31, 15, 0, tzinfo=UTC)


def test_a_date_means_noon_and_blocks_may_be_nested():
    with clock.at(dt.date(2026, 4, 1)):
        assert clock.now() == dt.datetime(2026, 4, 1, 3, 0, tzinfo=UTC)
        with clock.at(dt.date(2030, 1, 1)):
            assert clock.today() == dt.date(2030, 1, 1)
        assert clock.today() == dt.date(2026, 4, 1)


def test_the_clock_is_set_back_after_an_error():
    before = clock.now()
    with pytest.raises(ZeroDivisionError), clock.at(dt.date(2001, 1, 1)):
        1 / 0  # noqa: B018  the error is the point
    assert clock.now() == before


def test_a_demo_shows_the_day_it_was_made_for_and_time_goes_on(monkeypatch):
    free = contextvars.Context()  # where nobody has fixed the clock
    monkeypatch.setenv("KITEI_TODAY", "2027-05-04")
    assert free.run(clock.today) == dt.date(2027, 5, 4)
    first = free.run(clock.now)
    assert free.run(clock.now) >= first
    monkeypatch.delenv("KITEI_TODAY")
    assert abs(free.run(clock.now) - dt.datetime.now(tz=UTC)) < dt.timedelta(minutes=1)
