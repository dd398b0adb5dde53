"""Days of the demo. Everything is written for one reference day and moved to the day the demo is made for."""

from __future__ import annotations

import datetime as dt
import random
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from kitei.foundation.dates.japanese import fiscal_year, format_date, format_fiscal_year

REFERENCE = dt.date(2026, 11, 22)
"""The day the dates in this package are written for; ``Then.on`` moves them by the distance to the demo's own day."""

Row = dict[str, Any]
Rows = dict[str, Row]
"""One sheet: the key of a row -> its values by column; columns left out are empty."""
Book = dict[str, Rows]
"""All sheets by their key."""


@dataclass(frozen=True)
class Then:
    """The provider as it stood on ``day``, in a demo made for ``today``. Values drawn by chance depend on ``seed`` only."""

    today: dt.date
    day: dt.date
    seed: int

    def on(self, year: int, month: int, day: int) -> dt.date:
        """Return the day that lies as far from ``today`` as the given one does from the reference day."""
        return dt.date(year, month, day) + (self.today - REFERENCE)

    def known(self, when: dt.date, ahead: int = 0) -> bool:
        """Whether what happens on ``when`` was on record on this day (``ahead`` days before, if announced earlier)."""
        return when <= self.day + dt.timedelta(days=ahead)

    def last(self, final: dt.date, every: int) -> dt.date:
        """Return the last time by this day of something done every so many days, and on ``final`` for the last time."""
        while final > self.day:
            final -= dt.timedelta(days=every)
        return final

    def chance(self, *name: object) -> random.Random:
        """Return a source of chance of its own for one thing, so that adding one row never changes another."""
        return random.Random(f"{self.seed}/{'/'.join(map(str, name))}")  # noqa: S311  a demo wants repeatable chance

    def written(self, when: dt.date) -> str:
        """Return a day as a Japanese company writes it on paper: 令和8年4月1日."""
        return format_date(when, era=True)

    def business_year(self, when: dt.date) -> str:
        """Return 「令和8年度」 for a day."""
        return format_fiscal_year(fiscal_year(when), era=True)


def listed(rows: list[Row], key: str = "code") -> Rows:
    """Return rows by their key; ValueError for a key that comes twice."""
    found = {row[key]: row for row in rows}
    if len(found) != len(rows):
        raise ValueError("a row of the demo comes twice")
    return found


def merged(*books: Mapping[str, Rows]) -> Book:
    """Return several books as one."""
    return {sheet: rows for book in books for sheet, rows in book.items()}
