"""Business days: what is left of the calendar without weekends, national holidays, year end and the company's own days.

National holidays come from jpholiday, which knows the acts and special acts up to the present and computes later years by
the rules of the Act on National Holidays (国民の祝日に関する法律), the equinoxes by approximation. A holiday that a later
special act moves is wrong until jpholiday is updated or the company lists it.
"""

from __future__ import annotations

import datetime as dt
from dataclasses import dataclass
from typing import Final

import jpholiday

_SATURDAY: Final = 5
_YEAR_END: Final = frozenset({(12, 29), (12, 30), (12, 31), (1, 1), (1, 2), (1, 3)})
_ONE: Final = dt.timedelta(days=1)
# A company closed for more than a year on end has no business day to move a deadline to.
_LONGEST_CLOSURE: Final = 366
_MOST_DAYS: Final = 100_000


@dataclass(frozen=True)
class BusinessCalendar:
    """The business days of one company.

    ``company_holidays`` are its own closed days; ``year_end`` closes 29 December to 3 January, as the ministries do
    (行政機関の休日に関する法律 art. 1). Every search is bounded: ``ValueError`` when there is no business day for 366 days or
    the calendar ends.
    """

    company_holidays: frozenset[dt.date] = frozenset()
    year_end: bool = True

    def is_business_day(self, day: dt.date) -> bool:
        """Tell whether the company works on ``day``."""
        if day.weekday() >= _SATURDAY or day in self.company_holidays:
            return False
        if self.year_end and (day.month, day.day) in _YEAR_END:
            return False
        # jpholiday remembers each day (0.2 ms for a new one) and looks at the day after, which the last day has not.
        return day == dt.date.max or not jpholiday.is_holiday(day)

    def next_business_day(self, day: dt.date) -> dt.date:
        """Return ``day`` if it is a business day, else the first one after it."""
        return self._search(day, _ONE)

    def previous_business_day(self, day: dt.date) -> dt.date:
        """Return ``day`` if it is a business day, else the last one before it."""
        return self._search(day, -_ONE)

    def add_business_days(self, day: dt.date, count: int) -> dt.date:
        """Return the ``count``-th business day after ``day`` (before it when negative); ``day`` itself is not counted (初日不算入).

        With 0: ``next_business_day(day)``.
        """
        if abs(count) > _MOST_DAYS:
            raise ValueError(f"too many business days: {count}")
        if count == 0:
            return self.next_business_day(day)
        step = _ONE if count > 0 else -_ONE
        for _ in range(abs(count)):
            day = self._search(_moved(day, step), step)
        return day

    def business_days_between(self, start: dt.date, until_exclusive: dt.date) -> int:
        """Return the number of business days with ``start <= day < until_exclusive``; negative when it runs backwards."""
        if until_exclusive < start:
            return -self.business_days_between(until_exclusive, start)
        length = (until_exclusive - start).days
        if length > _MOST_DAYS:
            raise ValueError(f"period too long: {start} until {until_exclusive}")
        return sum(self.is_business_day(start + dt.timedelta(days=at)) for at in range(length))

    def _search(self, day: dt.date, step: dt.timedelta) -> dt.date:
        for _ in range(_LONGEST_CLOSURE + 1):
            if self.is_business_day(day):
                return day
            day = _moved(day, step)
        raise ValueError(f"no business day within {_LONGEST_CLOSURE} days of {day}")


def _moved(day: dt.date, step: dt.timedelta) -> dt.date:
    try:
        return day + step
    except OverflowError:
        raise ValueError(f"the calendar ends at {day}") from None
