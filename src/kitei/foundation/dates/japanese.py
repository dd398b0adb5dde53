"""Japanese calendar days: typed in any usual way, shown in the Western or the era calendar, counted in months and years.

An era belongs to a day, not to a year: 2019-04-30 is 平成31年, the next day 令和元年. Starts are those of the ordinances on
the change of era (令和: 平成31年政令第143号; 平成: 昭和64年政令第1号; 昭和, 大正: 改元詔書, which give the day of the change to the
new era). Days before 1873-01-01 (明治6年) were counted in the lunisolar calendar and are not handled.

Periods are half-open inside Kitei (``start <= day < until``) and inclusive for people.
"""

from __future__ import annotations

import datetime as dt
import re
import unicodedata
from calendar import monthrange
from dataclasses import dataclass
from itertools import pairwise
from typing import Final
from zoneinfo import ZoneInfo

from kitei.foundation.text import Message, UserError
from kitei.foundation.text.japanese import normalise

EARLIEST: Final = dt.date(1873, 1, 1)
# 9999/12/31 as "no end" would overflow at the first "+ 1 day"; nobody keeps a regulation that long.
LATEST: Final = dt.date(2999, 12, 31)

_TOKYO: Final = ZoneInfo("Asia/Tokyo")
_MONTHS_IN_YEAR: Final = 12
_FISCAL_YEAR_STARTS: Final = 4  # April
_WEEKDAYS: Final = "月火水木金土日"
_WEEKDAYS_EN: Final = ("Mon", "Tue", "Wed", "Thu", "Fri", "Sat", "Sun")
_MONTHS_EN: Final = (  # not strftime's %B, which follows the locale of the process
    *("January", "February", "March", "April", "May", "June"),
    *("July", "August", "September", "October", "November", "December"),
)


@dataclass(frozen=True)
class Era:
    """An era (元号): its ``name``, the ``letter`` it is abbreviated by, its first day and the year its 元年 is."""

    name: str
    letter: str
    start: dt.date
    first_year: int


ERAS: Final = (
    Era("令和", "R", dt.date(2019, 5, 1), 2019),
    Era("平成", "H", dt.date(1989, 1, 8), 1989),
    Era("昭和", "S", dt.date(1926, 12, 25), 1926),
    Era("大正", "T", dt.date(1912, 7, 30), 1912),
    Era("明治", "M", EARLIEST, 1868),
)
_BY_SIGN: Final = {sign: era for era in ERAS for sign in (era.name, era.name[0], era.letter)}
_LAST_DAY: Final = {earlier: later.start - dt.timedelta(days=1) for later, earlier in pairwise(ERAS)}

_HYPHENS: Final = str.maketrans(dict.fromkeys("‐‑‒–—―−ー", "-"))
_TEXT_SHOWN: Final = 40
_TEXT_READ: Final = 200
_LARGEST_NUMBER: Final = 10**12
_ERA: Final = "(?P<era>令和|平成|昭和|大正|明治|[令平昭大明RHSTM])\\.?(?P<era_year>元|[0-9]{1,3})"
_YEAR: Final = f"(?:{_ERA}|(?P<year>[0-9]{{4}}))"
_MONTH: Final = "(?P<month>[0-9]{1,2})"
_DAY: Final = "(?P<day>[0-9]{1,2})"
_SHAPES: Final = tuple(
    re.compile(shape)
    for shape in (
        f"{_YEAR}年{_MONTH}月(?:{_DAY}日)?",
        f"{_YEAR}(?P<sign>[-/.]){_MONTH}(?:(?P=sign){_DAY})?",
        "(?P<year>[0-9]{4})(?P<month>[0-9]{2})(?P<day>[0-9]{2})",
        f"{_MONTH}/{_DAY}",
        f"{_MONTH}月{_DAY}日",
    )
)
_MIDNIGHT: Final = re.compile("(?<=[0-9])[ T]+0{1,2}:00(?::00(?:\\.0+)?)?$")
_SPACE_INSIDE: Final = re.compile("(?<![0-9])\\s+|\\s+(?![0-9])")
_WEEKDAY: Final = re.compile(f"(?:\\(([{_WEEKDAYS}])(?:曜日?)?\\)|([{_WEEKDAYS}])曜日?)$")
_SERIAL: Final = re.compile("[0-9]{5}(?:\\.[0-9]+)?")


class DateError(UserError):
    """A text that is no day; the message says exactly what is wrong with it."""


def parse_date(text: object, *, today: dt.date | None = None) -> dt.date:
    """Return the day that a person typed, or that a sheet's cell holds.

    Accepts dates and datetimes (an aware one as its day in Tokyo), ``2026-11-22``, ``2026/11/22``, ``2026.11.22``,
    ``2026年11月22日``, ``20261122``, ``令和8年11月22日``, ``令8.11.22``, ``R8/11/22`` and the other eras, 元年, full-width
    characters, white space, a weekday behind (which has to be right) and Excel's ``00:00:00``. ``11/22`` and
    ``11月22日`` are days of the current year and need ``today``. Excel's serial numbers are refused: a number alone does
    not say that it is a day.

    Raises:
        DateError: the text is no day from 1873-01-01 to 2999-12-31, or its era had ended or not begun on that day.
    """
    if isinstance(text, dt.date):
        return _in_range(_day(text))
    if isinstance(text, float) and text.is_integer():
        text = int(text)
    if isinstance(text, int) and abs(text) > _LARGEST_NUMBER:
        text = _LARGEST_NUMBER  # no day either, and Python refuses to write out numbers of more than 4300 digits
    typed = "" if text is None else str(text)[:_TEXT_READ]
    plain = unicodedata.normalize("NFKC", normalise(typed)).strip().upper().translate(_HYPHENS)
    plain, weekday = _weekday_cut(_SPACE_INSIDE.sub("", _MIDNIGHT.sub("", plain)))
    if not plain:
        raise DateError(Message("日付がありません。令和8年11月22日、2026-11-22 のように入力してください。"))
    for shape in _SHAPES:
        found = shape.fullmatch(plain)
        if found:
            day = _in_range(_built(found.groupdict(), plain, today))
            if weekday and _WEEKDAYS[day.weekday()] != weekday:
                right = format_date(day, weekday=True)
                raise DateError(
                    Message("曜日が日付と合いません。%(right)sです。日付か曜日を直してください。", {"right": right})
                )
            return day
    if _SERIAL.fullmatch(plain):
        raise DateError(
            Message(
                "日付ではなく数値です（%(text)s）。セルの書式を日付にするか、2026-11-22 のように入力してください。",
                {"text": plain},
            )
        )
    raise DateError(
        Message(
            "日付として読めません（%(text)s）。令和8年11月22日、2026-11-22 のように入力してください。",
            {"text": _shortened(typed)},
        )
    )


def era_of(day: dt.date) -> Era:
    """Return the era in force on ``day``.

    Raises:
        ValueError: ``day`` is before 1873-01-01.
    """
    for era in ERAS:
        if day >= era.start:
            return era
    raise ValueError(f"no era in the Gregorian calendar before {EARLIEST}: {day}")


def era_year(day: dt.date) -> str:
    """Return era and year of ``day`` without 年: ``令和8``, and ``令和元`` for the first year."""
    day = _day(day)
    era = era_of(day)
    number = day.year - era.first_year + 1
    return f"{era.name}{'元' if number == 1 else number}"


def format_date(day: dt.date, *, era: bool = False, weekday: bool = False, language: str = "ja") -> str:
    """Return ``day`` for a reader: ``2026年11月22日（日）``, ``令和8年11月22日``, in English ``Sun 22 November 2026``.

    An aware datetime is shown as its day in Tokyo. English has no eras; days before 1873 are shown in Western years.
    """
    day = _day(day)
    if not language.startswith("ja"):
        text = f"{day.day} {_MONTHS_EN[day.month - 1]} {day.year}"
        return f"{_WEEKDAYS_EN[day.weekday()]} {text}" if weekday else text
    year = era_year(day) if era and day >= EARLIEST else str(day.year)
    text = f"{year}年{day.month}月{day.day}日"
    return f"{text}（{_WEEKDAYS[day.weekday()]}）" if weekday else text


def format_period(
    start: dt.date | None, until_exclusive: dt.date | None, *, era: bool = False, language: str = "ja"
) -> str:
    """Return the half-open period as people write it: ``2026年4月1日～2027年3月31日``, open ``2026年4月1日～``.

    A period of one day is that day; one open at both ends is ``～`` (English ``any time``).

    Raises:
        ValueError: the period is empty or runs backwards.
    """
    if start is not None and until_exclusive is not None and until_exclusive <= start:
        raise ValueError(f"empty period: {start} until {until_exclusive}")
    last = None if until_exclusive is None else until_exclusive - dt.timedelta(days=1)
    first_text = "" if start is None else format_date(start, era=era, language=language)
    last_text = "" if last is None else format_date(last, era=era, language=language)
    if first_text == last_text and first_text:
        return first_text
    if language.startswith("ja"):
        return f"{first_text}～{last_text}"
    if first_text and last_text:
        return f"{first_text} – {last_text}"
    if first_text:
        return f"from {first_text}"
    return f"until {last_text}" if last_text else "any time"


def fiscal_year(day: dt.date) -> int:
    """Return the 年度 (April to March) of ``day`` as the year in which it began."""
    day = _day(day)
    return day.year if day.month >= _FISCAL_YEAR_STARTS else day.year - 1


def format_fiscal_year(year: int, *, era: bool = False, language: str = "ja") -> str:
    """Return a 年度 for a reader: ``2026年度``, ``令和8年度``, in English ``FY2026``.

    The era is that of 1 May: the ministries agreed that the whole of 2019年度 is 令和元年度, and no other era began in April.
    """
    if not language.startswith("ja"):
        return f"FY{year}"
    middle = dt.date(year, 5, 1)
    return f"{era_year(middle) if era and middle >= EARLIEST else year}年度"


def add_months(day: dt.date, months: int) -> dt.date:
    """Return the same day ``months`` later (earlier when negative); the last day of the month where there is none."""
    day = _day(day)
    years, month = divmod(day.year * _MONTHS_IN_YEAR + day.month - 1 + months, _MONTHS_IN_YEAR)
    if not dt.MINYEAR <= years <= dt.MAXYEAR:
        raise ValueError(f"{day} and {months} months is outside the calendar")
    return dt.date(years, month + 1, min(day.day, monthrange(years, month + 1)[1]))


def months_between(start: dt.date, end: dt.date) -> int:
    """Return the full months from ``start`` to ``end``: the largest n with ``add_months(start, n) <= end``.

    Negative, and counted from ``end``, when ``end`` is before ``start``.
    """
    start, end = _day(start), _day(end)
    if end < start:
        return -months_between(end, start)
    months = (end.year - start.year) * _MONTHS_IN_YEAR + end.month - start.month
    return months if add_months(start, months) <= end else months - 1


def years_months(start: dt.date, until_exclusive: dt.date) -> tuple[int, int]:
    """Return the full years and months of a half-open period: 2015-04-01 until 2026-08-01 is (11, 4), 「11年4か月」.

    Raises:
        ValueError: the period runs backwards.
    """
    if until_exclusive < start:
        raise ValueError(f"period runs backwards: {start} until {until_exclusive}")
    return divmod(months_between(start, until_exclusive), _MONTHS_IN_YEAR)


def format_years_months(start: dt.date, until_exclusive: dt.date, *, language: str = "ja") -> str:
    """Return the length of a half-open period for a reader: ``11年4か月``, ``4か月``, ``11年``, in English ``11 years 4 months``.

    Less than a month is ``1か月未満``.
    """
    years, months = years_months(start, until_exclusive)
    if language.startswith("ja"):
        return (f"{years}年" if years else "") + (f"{months}か月" if months else "") or "1か月未満"
    parts = [
        f"{count} {word}{'' if count == 1 else 's'}" for count, word in ((years, "year"), (months, "month")) if count
    ]
    return " ".join(parts) or "less than a month"


def _day(value: dt.date) -> dt.date:
    """Return the calendar day of a date or datetime; the day of an instant is the one in Tokyo."""
    if isinstance(value, dt.datetime):
        return (value.astimezone(_TOKYO) if value.tzinfo else value).date()
    return value


def _weekday_cut(text: str) -> tuple[str, str]:
    found = _WEEKDAY.search(text)
    if not found:
        return text, ""
    return text[: found.start()], found.group(1) or found.group(2)


def _shortened(text: str) -> str:
    visible = "".join(char if char.isprintable() else " " for char in text).strip()
    return visible if len(visible) <= _TEXT_SHOWN else visible[: _TEXT_SHOWN - 1] + "…"


def _built(parts: dict[str, str | None], text: str, today: dt.date | None) -> dt.date:
    """Return the day of the parts of a matched shape, or say which part is wrong."""
    era, era_number, year = _year_of(parts, text, today)
    month = int(parts["month"] or 0)
    if not 1 <= month <= _MONTHS_IN_YEAR:
        raise DateError(Message("月は1から12までです（%(month)s）。", {"month": month}))
    typed_day = parts.get("day")
    if typed_day is None:
        raise DateError(
            Message(
                "日がありません（%(text)s）。令和8年11月22日、2026-11-22 のように日まで入力してください。",
                {"text": text},
            )
        )
    if not EARLIEST.year <= year <= LATEST.year:
        raise _out_of_range()
    day = int(typed_day)
    days = monthrange(year, month)[1]
    if not 1 <= day <= days:
        label = Message("%(year)s年%(month)s月", {"year": year, "month": month})
        if era:
            label = Message("%(era)s%(year)s年%(month)s月", {"era": era.name, "year": era_number, "month": month})
        if day < 1:
            raise DateError(
                Message("%(month)sの日は1から%(days)sまでです（%(day)s）。", {"month": label, "days": days, "day": day})
            )
        raise DateError(Message("%(month)sは%(days)s日までです。", {"month": label, "days": days}))
    built = dt.date(year, month, day)
    if era:
        _refuse_outside(era, built)
    return built


def _year_of(parts: dict[str, str | None], text: str, today: dt.date | None) -> tuple[Era | None, str, int]:
    """Return the era that was typed, its year as typed, and the Western year."""
    sign = parts.get("era")
    if sign:
        era = _BY_SIGN[sign]
        number = 1 if parts["era_year"] == "元" else int(parts["era_year"] or 0)
        if number < 1:
            raise DateError(Message("%(era)sの年は元年（1年）からです。", {"era": era.name}))
        return era, "元" if number == 1 else str(number), era.first_year + number - 1
    if parts.get("year"):
        return None, "", int(parts["year"] or 0)
    if today is None:
        raise DateError(
            Message(
                "年がありません（%(text)s）。令和8年11月22日、2026-11-22 のように年から入力してください。",
                {"text": text},
            )
        )
    return None, "", today.year


def _refuse_outside(era: Era, day: dt.date) -> None:
    """Refuse a day on which the era had ended or not begun, and say how the day is written."""
    if day >= EARLIEST and era_of(day) is not era:
        right = format_date(day, era=True)
        last = _LAST_DAY.get(era)
        if last and day > last:
            raise DateError(
                Message(
                    "%(era)sは%(last)sまでです。%(right)sと入力してください。",
                    {"era": era.name, "last": last, "right": right},
                )
            )
        raise DateError(
            Message(
                "%(era)sは%(first)sからです。%(right)sと入力してください。",
                {"era": era.name, "first": era.start, "right": right},
            )
        )


def _in_range(day: dt.date) -> dt.date:
    if not EARLIEST <= day <= LATEST:
        raise _out_of_range()
    return day


def _out_of_range() -> DateError:
    return DateError(
        Message(
            "%(first)sから%(last)sまでの日付を入力してください。期限がないときは空欄にしてください。",
            {"first": EARLIEST, "last": LATEST},
        )
    )
