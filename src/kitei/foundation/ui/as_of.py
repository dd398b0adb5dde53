"""The as-of date of a page (design §4, §8): ``?as_of=`` in any Japanese spelling, today when it is not given."""

from __future__ import annotations

import datetime as dt
from dataclasses import dataclass

from django.http import HttpRequest

from kitei.foundation import clock
from kitei.foundation.dates.japanese import DateError, parse_date

PARAMETER = "as_of"
_KEPT = "_kitei_as_of"


@dataclass(frozen=True)
class AsOf:
    """``day`` is what the page shows. After a mistyped date it is today, ``typed`` and ``error`` go back to the field."""

    day: dt.date
    today: dt.date
    typed: str = ""
    error: str = ""

    @property
    def is_today(self) -> bool:
        """Whether the page shows the present."""
        return self.day == self.today

    @property
    def query(self) -> str:
        """``as_of=2024-04-01`` for links to other pages; empty for today."""
        return "" if self.is_today else f"{PARAMETER}={self.day.isoformat()}"


def as_of(request: HttpRequest) -> AsOf:
    """Return the request's as-of date; read once a request, so the shell and the page never differ."""
    found = getattr(request, _KEPT, None)
    if found is None:
        found = _read(request)
        setattr(request, _KEPT, found)
    return found


def _read(request: HttpRequest) -> AsOf:
    today = clock.today()
    typed = request.GET.get(PARAMETER, "").strip()
    if not typed:
        return AsOf(today, today)
    try:
        return AsOf(parse_date(typed, today=today), today, typed)
    except DateError as error:
        return AsOf(today, today, typed, str(error))
