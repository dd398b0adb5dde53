from __future__ import annotations

import datetime as dt
import warnings

import pytest
from hypothesis import given
from hypothesis import strategies as st

from kitei.foundation.dates.business import BusinessCalendar

_PLAIN = BusinessCalendar()
_DAYS = st.dates(dt.date(2015, 1, 1), dt.date(2035, 12, 31))


@pytest.mark.parametrize(
    ("day", "works"),
    [
        (dt.date(2026, 11, 20), True),  # Friday
        (dt.date(2026, 11, 21), False),  # Saturday
        (dt.date(2026, 11, 22), False),  # Sunday
        (dt.date(2026, 11, 23), False),  # 勤労感謝の日
        (dt.date(2026, 5, 6), False),  # 振替休日
        (dt.date(2026, 9, 22), False),  # 国民の休日
        (dt.date(2019, 5, 1), False),  # the accession, by a special act
        (dt.date(2026, 12, 28), True),
        (dt.date(2026, 12, 29), False),
        (dt.date(2025, 12, 31), False),
        (dt.date(2028, 1, 3), False),
        (dt.date(2028, 1, 4), True),
    ],
)
def test_weekends_holidays_and_year_end_are_closed(day, works):
    assert _PLAIN.is_business_day(day) is works


def test_a_company_adds_its_own_days_and_may_work_at_year_end():
    founding = dt.date(2026, 11, 24)
    company = BusinessCalendar(company_holidays=frozenset({founding}), year_end=False)
    assert not company.is_business_day(founding)
    assert company.is_business_day(dt.date(2026, 12, 29))
    assert not company.is_business_day(dt.date(2027, 1, 1))
    assert company.next_business_day(dt.date(2026, 11, 21)) == dt.date(2026, 11, 25)


def test_deadlines_move_to_the_nearest_business_day():
    saturday, tuesday, friday = dt.date(2026, 11, 21), dt.date(2026, 11, 24), dt.date(2026, 11, 20)
    assert _PLAIN.next_business_day(saturday) == tuesday
    assert _PLAIN.previous_business_day(saturday) == friday
    assert _PLAIN.next_business_day(friday) == _PLAIN.previous_business_day(friday) == friday
    assert _PLAIN.add_business_days(friday, 1) == tuesday
    assert _PLAIN.add_business_days(tuesday, -1) == friday
    assert _PLAIN.add_business_days(saturday, 0) == tuesday
    assert _PLAIN.add_business_days(dt.date(2026, 12, 28), 1) == dt.date(2027, 1, 4)
    assert _PLAIN.business_days_between(friday, dt.date(2026, 11, 25)) == 2
    assert _PLAIN.business_days_between(dt.date(2026, 11, 25), friday) == -2
    assert _PLAIN.business_days_between(friday, friday) == 0


@given(_DAYS, st.integers(-60, 60))
def test_adding_and_counting_business_days_agree(day, count):
    start = _PLAIN.next_business_day(day)
    end = _PLAIN.add_business_days(start, count)
    assert _PLAIN.is_business_day(end)
    assert _PLAIN.business_days_between(start, end) == count
    assert _PLAIN.add_business_days(end, -count) == start


@given(_DAYS)
def test_nothing_open_lies_between_a_day_and_its_neighbours(day):
    after, before = _PLAIN.next_business_day(day), _PLAIN.previous_business_day(day)
    assert before <= day <= after
    assert _PLAIN.business_days_between(before, after) == (before != after)


def test_a_calendar_without_business_days_is_an_error_and_no_endless_loop():
    start = dt.date(2026, 1, 1)
    closed = BusinessCalendar(company_holidays=frozenset(start + dt.timedelta(days=at) for at in range(800)))
    for search in (closed.next_business_day, closed.previous_business_day):
        with pytest.raises(ValueError, match="no business day"):
            search(dt.date(2027, 2, 1))
    with pytest.raises(ValueError, match="no business day"):
        closed.add_business_days(dt.date(2027, 2, 1), 1)


def test_the_ends_of_the_calendar_and_absurd_numbers_are_refused():
    with pytest.raises(ValueError, match="calendar ends"):
        _PLAIN.next_business_day(dt.date.max)
    with pytest.raises(ValueError, match="calendar ends"):
        _PLAIN.add_business_days(dt.date.min, -1)
    with pytest.raises(ValueError, match="too many"):
        _PLAIN.add_business_days(dt.date(2026, 11, 22), 10**9)
    with pytest.raises(ValueError, match="too long"):
        _PLAIN.business_days_between(dt.date.min, dt.date.max)
    assert BusinessCalendar(year_end=False).is_business_day(dt.date.max)


def test_holidays_are_known_without_warnings():
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        assert _PLAIN.business_days_between(dt.date(2026, 1, 1), dt.date(2027, 1, 1)) == 240
