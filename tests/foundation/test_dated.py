from __future__ import annotations

import datetime as dt
import threading

import pytest
from django.db import connections
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from kitei.foundation import clock, transactions
from kitei.foundation.dates.dated import in_force, put_many
from kitei.foundation.tenancy.models import Organization
from kitei.registers.people.models import Department, DepartmentState, Member, MemberState

DAY = dt.date(2026, 11, 22)


def put(organization, rows, day=DAY, **options):
    return transactions.durable(
        lambda: put_many(
            identity=Department,
            state=DepartmentState,
            organization=organization,
            rows={code: {"name": name} for code, name in rows.items()},
            day=day,
            **options,
        )
    )


def named(organization, day):
    return dict(DepartmentState.objects.filter(organization=organization).as_of(day).values_list("code", "name"))


def days(first, count):
    return [first + dt.timedelta(days=step) for step in range(count)]


def test_a_row_holds_from_its_first_day_until_before_its_last(sakura):
    put(sakura, {"D1": "開発部"}, dt.date(2026, 4, 1))
    put(sakura, {"D1": "開発本部"}, dt.date(2026, 10, 1))
    assert named(sakura, dt.date(2026, 3, 31)) == {}
    assert named(sakura, dt.date(2026, 4, 1)) == {"D1": "開発部"}
    assert named(sakura, dt.date(2026, 9, 30)) == {"D1": "開発部"}
    assert named(sakura, dt.date(2026, 10, 1)) == {"D1": "開発本部"}
    assert named(sakura, dt.date(2099, 1, 1)) == {"D1": "開発本部"}
    assert Department.objects.filter(organization=sakura).count() == 1


def test_a_change_on_the_same_day_voids_what_it_replaces_and_keeps_it(sakura):
    put(sakura, {"D1": "開発部"})
    put(sakura, {"D1": "開発本部"})
    assert named(sakura, DAY) == {"D1": "開発本部"}
    rows = DepartmentState.objects.filter(organization=sakura).order_by("id")
    assert [(row.name, row.voided_at is None) for row in rows] == [("開発部", False), ("開発本部", True)]


def test_a_correction_back_in_time_leaves_the_days_before_it_alone(sakura):
    put(sakura, {"D1": "総務部"}, dt.date(2026, 1, 1))
    put(sakura, {"D1": "管理部"}, dt.date(2026, 9, 1))
    put(sakura, {"D1": "総務本部"}, dt.date(2026, 6, 1))
    assert named(sakura, dt.date(2026, 5, 31)) == {"D1": "総務部"}
    assert named(sakura, dt.date(2026, 6, 1)) == {"D1": "総務本部"}
    assert named(sakura, dt.date(2026, 9, 1)) == {"D1": "総務本部"}
    assert DepartmentState.objects.filter(organization=sakura, name="管理部", voided_at__isnull=False).exists()


def test_a_row_recorded_after_its_effect_says_so(sakura):
    put(sakura, {"D1": "開発部"}, DAY - dt.timedelta(days=1))
    put(sakura, {"D2": "品質部"}, DAY)
    late = {row.code: row.recorded_late for row in DepartmentState.objects.filter(organization=sakura)}
    assert late == {"D1": True, "D2": False}


def test_a_late_evening_in_utc_is_already_the_next_day_in_tokyo(sakura):
    with clock.at(dt.datetime(2026, 3, 31, 15, 30, tzinfo=dt.UTC)):
        put(sakura, {"D1": "開発部"}, clock.today())
    row = DepartmentState.objects.get(organization=sakura)
    assert row.valid_from == dt.date(2026, 4, 1)
    assert not row.recorded_late


def member(organization, joined, day=DAY, **more):
    facts = {"family_name": "佐藤", "given_name": "花子", "joined_on": joined, **more}
    return transactions.durable(
        lambda: put_many(
            identity=Member,
            state=MemberState,
            organization=organization,
            rows={"M1": facts},
            starts="joined_on",
            day=day,
        )
    )


@pytest.mark.parametrize(
    ("joined", "begins"),
    [(dt.date(2019, 4, 1), dt.date(2019, 4, 1)), (None, DAY), (dt.date(2027, 4, 1), DAY), (DAY, DAY)],
)
def test_a_new_row_begins_on_its_natural_day_but_never_in_the_future(sakura, joined, begins):
    member(sakura, joined)
    assert MemberState.objects.get(organization=sakura).valid_from == begins


def test_a_known_row_changes_from_the_day_it_is_changed(sakura):
    member(sakura, dt.date(2019, 4, 1), day=dt.date(2026, 1, 1))
    member(sakura, dt.date(2019, 4, 1), title="部長")
    found = MemberState.objects.filter(organization=sakura).order_by("valid_from")
    assert [(row.valid_from, row.valid_until, row.title) for row in found] == [
        (dt.date(2019, 4, 1), DAY, ""),
        (DAY, None, "部長"),
    ]


def test_organizations_do_not_touch_each_other(sakura, tsubaki):
    put(sakura, {"D1": "開発部"}, dt.date(2026, 4, 1))
    put(tsubaki, {"D1": "診療支援部"}, dt.date(2026, 5, 1))
    assert named(sakura, DAY) == {"D1": "開発部"}
    assert named(tsubaki, DAY) == {"D1": "診療支援部"}


def test_an_empty_change_changes_nothing(sakura):
    assert put(sakura, {}) == {}


def test_many_rows_are_written_in_few_queries(sakura, django_assert_max_num_queries):
    put(sakura, {f"D{number:04}": "旧" for number in range(600)}, dt.date(2026, 4, 1))
    with django_assert_max_num_queries(40):
        put(sakura, {f"D{number:04}": "新" for number in range(1200)})
    assert len(named(sakura, DAY)) == 1200
    assert set(named(sakura, DAY).values()) == {"新"}


def test_put_many_refuses_to_run_outside_a_transaction(committed_db):
    organization = Organization(code="ume", name="梅")
    with pytest.raises(RuntimeError, match="outside a transaction"):
        put_many(identity=Department, state=DepartmentState, organization=organization, rows={})


CODES = st.sampled_from(["D1", "D2", "D3"])
CHANGES = st.lists(
    st.tuples(
        st.integers(0, 12),
        st.dictionaries(CODES, st.sampled_from(["総務部", "開発部", "品質部", "営業部"]), min_size=1),
    ),
    min_size=1,
    max_size=8,
)


@settings(max_examples=40, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(changes=CHANGES)
def test_whatever_happens_one_state_is_in_force_and_no_row_is_lost(sakura, changes):
    first = dt.date(2026, 1, 1)
    DepartmentState.objects.filter(organization=sakura).delete()
    rows = 0
    # What a plain reading of the rule gives: from the day of the change on, whatever was said last.
    expected = {day: {} for day in days(first, 15)}
    for offset, values in changes:
        put(sakura, values, first + dt.timedelta(days=offset))
        rows += len(values)
        for day in days(first + dt.timedelta(days=offset), 15 - offset):
            expected[day].update(values)
    for day in days(first, 15):
        found = DepartmentState.objects.filter(organization=sakura).filter(in_force(day)).values_list("code", "name")
        assert len(found) == len(dict(found)), "two states of one identity are in force"
        assert dict(found) == expected[day]
    assert DepartmentState.objects.filter(organization=sakura).count() == rows, "history was lost"
    assert not DepartmentState.objects.filter(
        organization=sakura, valid_until__lte=first, voided_at__isnull=True
    ).exists()


def test_two_writers_of_one_row_never_leave_two_states_in_force(committed_db, make_sakura):
    organization = make_sakura()
    put(organization, {"D1": "開発部"}, dt.date(2026, 1, 1))
    meet = threading.Barrier(4)

    def write(name):
        with clock.at(DAY):
            meet.wait(20)
            put(organization, {"D1": name, "D2": name})
        connections.close_all()

    threads = [threading.Thread(target=write, args=(f"開発{number}部",)) for number in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(60)
    for code in ("D1", "D2"):
        assert DepartmentState.objects.filter(organization=organization, code=code).as_of(DAY).count() == 1
    assert DepartmentState.objects.filter(organization=organization).count() == 9, "no writer's row was lost"
