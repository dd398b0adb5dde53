from __future__ import annotations

import datetime as dt
from contextlib import suppress

import pytest
from django.utils.translation import override
from hypothesis import given
from hypothesis import strategies as st

from kitei.foundation.dates.japanese import (
    EARLIEST,
    ERAS,
    LATEST,
    DateError,
    add_months,
    era_of,
    era_year,
    fiscal_year,
    format_date,
    format_fiscal_year,
    format_period,
    format_years_months,
    months_between,
    parse_date,
    years_months,
)

_DAY = dt.date(2026, 11, 22)
_DAYS = st.dates(EARLIEST, LATEST)


@pytest.mark.parametrize(
    "typed",
    [
        *("2026-11-22", "2026/11/22", "2026.11.22", "2026年11月22日", "20261122", 20261122, 20261122.0),
        *("R8.11.22", "r08/11/22", "R8-11-22", "R.8.11.22", "令和8年11月22日", "令8.11.22", "㋿８年１１月２２日"),
        *(
            "２０２６／１１／２２",
            "２０２６－１１－２２",
            " 令和 8 年 11 月 22 日 ",
            "2026年\u300011月22日（日）",
            "令和8年11月22日日曜日",
        ),
        *(
            "2026年11⽉22⽇",
            "2026-11-22 00:00:00",
            "2026-11-22T00:00",
            "\ufeff2026−11−22",
            _DAY,
            dt.datetime(2026, 11, 22, 9, 0),  # noqa: DTZ001 -- a sheet's cell has no zone
        ),
    ],
)
def test_every_usual_way_of_typing_a_day(typed):
    assert parse_date(typed) == _DAY


@pytest.mark.parametrize(
    ("typed", "day"),
    [
        ("令和元年5月1日", dt.date(2019, 5, 1)),
        ("令和1年5月1日", dt.date(2019, 5, 1)),
        ("平成31年4月30日", dt.date(2019, 4, 30)),
        ("H31.4.30(火)", dt.date(2019, 4, 30)),
        ("平成元年1月8日", dt.date(1989, 1, 8)),
        ("S64.1.7", dt.date(1989, 1, 7)),
        ("昭和元年12月25日", dt.date(1926, 12, 25)),
        ("T15/12/24", dt.date(1926, 12, 24)),
        ("大正元年7月30日", dt.date(1912, 7, 30)),
        ("M45.7.29", dt.date(1912, 7, 29)),
        ("明治6年1月1日", dt.date(1873, 1, 1)),
        ("2024/2/29", dt.date(2024, 2, 29)),
    ],
)
def test_eras_begin_and_end_on_their_day(typed, day):
    assert parse_date(typed) == day


@pytest.mark.parametrize(
    ("typed", "message"),
    [
        ("2026/2/30", "2026年2月は28日までです。"),
        ("令和8年2月29日", "令和8年2月は28日までです。"),
        ("令和元年6月31日", "令和元年6月は30日までです。"),
        ("令和8年13月", "月は1から12までです（13）。"),
        ("20261322", "月は1から12までです（13）。"),
        ("2026/4/0", "2026年4月の日は1から30までです（0）。"),
        ("2026年11月", "日がありません（2026年11月）。令和8年11月22日、2026-11-22 のように日まで入力してください。"),
        ("平成31年5月1日", "平成は2019年4月30日までです。令和元年5月1日と入力してください。"),
        ("令和元年4月30日", "令和は2019年5月1日からです。平成31年4月30日と入力してください。"),
        ("昭和64年1月8日", "昭和は1989年1月7日までです。平成元年1月8日と入力してください。"),
        ("令和0年5月1日", "令和の年は元年（1年）からです。"),
        ("11/22", "年がありません（11/22）。令和8年11月22日、2026-11-22 のように年から入力してください。"),
        ("2026年11月22日（月）", "曜日が日付と合いません。2026年11月22日（日）です。日付か曜日を直してください。"),
        (
            "9999/12/31",
            "1873年1月1日から2999年12月31日までの日付を入力してください。期限がないときは空欄にしてください。",
        ),
        (
            "明治5年12月2日",
            "1873年1月1日から2999年12月31日までの日付を入力してください。期限がないときは空欄にしてください。",
        ),
        ("46348", "日付ではなく数値です（46348）。セルの書式を日付にするか、2026-11-22 のように入力してください。"),
        (46348.5, "日付ではなく数値です（46348.5）。セルの書式を日付にするか、2026-11-22 のように入力してください。"),
        ("", "日付がありません。令和8年11月22日、2026-11-22 のように入力してください。"),
        (None, "日付がありません。令和8年11月22日、2026-11-22 のように入力してください。"),
        ("未定", "日付として読めません（未定）。令和8年11月22日、2026-11-22 のように入力してください。"),
        ("26/11/22", "日付として読めません（26/11/22）。令和8年11月22日、2026-11-22 のように入力してください。"),
        ("2026/11-22", "日付として読めません（2026/11-22）。令和8年11月22日、2026-11-22 のように入力してください。"),
        ("2026 1 122", "日付として読めません（2026 1 122）。令和8年11月22日、2026-11-22 のように入力してください。"),
    ],
)
def test_the_refusal_says_exactly_what_is_wrong(typed, message):
    with override("ja"), pytest.raises(DateError) as refused:
        parse_date(typed)
    with override("ja"):
        assert refused.value.message.render() == message


def test_month_and_day_alone_are_of_the_current_year():
    assert parse_date("11/22", today=dt.date(2026, 1, 5)) == _DAY
    assert parse_date("１１月２２日（日）", today=dt.date(2026, 12, 31)) == _DAY
    with pytest.raises(DateError, match="日までです"):
        parse_date("2/29", today=_DAY)


def test_the_day_of_an_instant_is_the_one_in_tokyo():
    eve = dt.datetime(2019, 4, 30, 15, 30, tzinfo=dt.UTC)
    assert parse_date(eve) == dt.date(2019, 5, 1)
    assert format_date(eve, era=True) == "令和元年5月1日"
    assert fiscal_year(dt.datetime(2026, 3, 31, 15, 0, tzinfo=dt.UTC)) == 2026


@given(
    st.one_of(
        st.text(max_size=30),
        st.text("0123456789年月日令和平成元RH./- 　（日）", max_size=14),
        st.integers(),
        st.floats(),
    )
)
def test_any_cell_is_a_day_or_a_date_error(cell):
    # DateError is the only exception let through; a broken placeholder in its message would raise while rendering.
    with suppress(DateError):
        try:
            assert EARLIEST <= parse_date(cell, today=_DAY) <= LATEST
        except DateError as refused:
            refused.message.render()
            raise


def test_a_number_too_long_to_write_is_refused_like_any_other():
    with pytest.raises(DateError):
        parse_date(10**5000)


@given(_DAYS, st.booleans(), st.booleans())
def test_what_is_shown_is_read_back(day, era, weekday):
    assert parse_date(format_date(day, era=era, weekday=weekday)) == day
    assert parse_date(day.isoformat()) == day


@pytest.mark.parametrize("era", ERAS, ids=lambda era: era.letter)
@pytest.mark.parametrize("offset", [-1, 0, 1])
def test_every_day_around_a_change_of_era_is_read_back(era, offset):
    day = max(EARLIEST, era.start + dt.timedelta(days=offset))
    assert parse_date(format_date(day, era=True)) == day
    assert (era_of(day) is era) == (day >= era.start)


def test_days_are_shown_in_both_languages():
    assert format_date(_DAY) == "2026年11月22日"
    assert format_date(_DAY, era=True, weekday=True) == "令和8年11月22日（日）"
    assert format_date(dt.date(2019, 12, 31), era=True) == "令和元年12月31日"
    assert format_date(_DAY, language="en") == "22 November 2026"
    assert format_date(_DAY, weekday=True, era=True, language="en") == "Sun 22 November 2026"
    assert format_date(dt.date(1600, 10, 21), era=True) == "1600年10月21日"
    assert era_year(dt.date(2019, 4, 30)) == "平成31"
    with pytest.raises(ValueError, match="no era"):
        era_of(dt.date(1872, 12, 31))


def test_half_open_periods_are_shown_inclusive():
    april, next_april = dt.date(2026, 4, 1), dt.date(2027, 4, 1)
    assert format_period(april, next_april) == "2026年4月1日～2027年3月31日"
    assert format_period(april, next_april, era=True) == "令和8年4月1日～令和9年3月31日"
    assert format_period(april, None) == "2026年4月1日～"
    assert format_period(None, next_april) == "～2027年3月31日"
    assert format_period(None, None) == "～"
    assert format_period(april, dt.date(2026, 4, 2)) == "2026年4月1日"
    assert format_period(april, next_april, language="en") == "1 April 2026 – 31 March 2027"
    assert format_period(april, None, language="en") == "from 1 April 2026"
    assert format_period(None, next_april, language="en") == "until 31 March 2027"
    assert format_period(None, None, language="en") == "any time"
    with pytest.raises(ValueError, match="empty period"):
        format_period(april, april)


@pytest.mark.parametrize(
    ("day", "year"), [(dt.date(2026, 3, 31), 2025), (dt.date(2026, 4, 1), 2026), (dt.date(2027, 1, 1), 2026)]
)
def test_fiscal_year_begins_in_april(day, year):
    assert fiscal_year(day) == year


def test_fiscal_years_are_shown():
    assert format_fiscal_year(2026) == "2026年度"
    assert format_fiscal_year(2026, era=True) == "令和8年度"
    assert format_fiscal_year(2019, era=True) == "令和元年度"
    assert format_fiscal_year(2018, era=True) == "平成30年度"
    assert format_fiscal_year(1870, era=True) == "1870年度"
    assert format_fiscal_year(2026, language="en") == "FY2026"


def test_months_end_on_the_last_day_where_the_day_is_missing():
    assert add_months(dt.date(2026, 1, 31), 1) == dt.date(2026, 2, 28)
    assert add_months(dt.date(2024, 2, 29), 12) == dt.date(2025, 2, 28)
    assert add_months(dt.date(2026, 3, 31), -1) == dt.date(2026, 2, 28)
    assert add_months(dt.date(2026, 12, 1), 1) == dt.date(2027, 1, 1)
    with pytest.raises(ValueError, match="outside the calendar"):
        add_months(dt.date(9999, 12, 1), 1)


@given(_DAYS, st.integers(-1200, 1200))
def test_adding_months_keeps_the_day_or_clamps_it(day, months):
    moved = add_months(day, months)
    assert (moved.year * 12 + moved.month) - (day.year * 12 + day.month) == months
    assert moved.day == day.day or (moved.day < day.day and (moved + dt.timedelta(days=1)).day == 1)


@given(_DAYS, _DAYS)
def test_months_between_is_the_most_that_fit(one, other):
    start, end = sorted((one, other))
    months = months_between(start, end)
    assert add_months(start, months) <= end < add_months(start, months + 1)
    assert months_between(end, start) == -months


def test_length_of_service_is_in_years_and_months():
    assert years_months(dt.date(2015, 4, 1), dt.date(2026, 8, 1)) == (11, 4)
    assert years_months(dt.date(2015, 4, 1), dt.date(2026, 7, 31)) == (11, 3)
    assert format_years_months(dt.date(2015, 4, 1), dt.date(2026, 8, 1)) == "11年4か月"
    assert format_years_months(dt.date(2025, 8, 1), dt.date(2026, 8, 1)) == "1年"
    assert format_years_months(dt.date(2026, 7, 20), dt.date(2026, 8, 1)) == "1か月未満"
    assert format_years_months(dt.date(2015, 4, 1), dt.date(2026, 5, 1), language="en") == "11 years 1 month"
    assert format_years_months(_DAY, _DAY, language="en") == "less than a month"
    with pytest.raises(ValueError, match="backwards"):
        years_months(_DAY, dt.date(2026, 1, 1))
