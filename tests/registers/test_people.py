"""People: who holds an office on a day, whether they are able enough, and what follows for access and annexes."""

from __future__ import annotations

import datetime as dt

import pytest

from kitei.engine.checks.model import CheckContext, Operated, Provision, Severity, registry
from kitei.foundation import clock
from kitei.foundation.sheets.spec import Changes
from kitei.foundation.sheets.table import Rendering
from kitei.registers.people import annexes, operations, queries, standing
from kitei.registers.people.ability import abilities
from kitei.registers.people.models import Appointment
from kitei.trust.access import rule
from kitei.trust.access.models import Membership
from kitei.trust.auditlog.models import Event

pytestmark = pytest.mark.django_db
DAY = dt.date(2026, 11, 22)


@pytest.fixture
def suzuki(sakura, operator):
    """鈴木 健一, with the company since 2010."""
    operations.members.put(
        actor=operator,
        organization=sakura,
        rows={
            "0001": {
                "code": "0001",
                "family_name": "鈴木",
                "given_name": "健一",
                "family_kana": "スズキ",
                "joined_on": dt.date(2010, 4, 1),
            },
            "0002": {"code": "0002", "family_name": "髙橋", "given_name": "誠", "joined_on": dt.date(2012, 4, 1)},
        },
    )


def appoint(actor, organization, code, role="system-administrator", member="0001", **facts):
    values = {
        "code": code,
        "role": role,
        "member": member,
        "valid_from": dt.date(2020, 4, 1),
        "article": "第15条",
        **facts,
    }
    operations.appoint_many(actor=actor, organization=organization, rows={code: values})


def certify(actor, organization, **facts):
    values = {
        "code": "Q1",
        "member": "0001",
        "kind": "riss",
        "number": "012345",
        "acquired_on": dt.date(2018, 4, 1),
        **facts,
    }
    operations.qualifications.put(actor=actor, organization=organization, rows={"Q1": values})


def practise(actor, organization, code="E1", **facts):
    values = {"code": code, "member": "0001", "work": "security", "started_on": dt.date(2015, 4, 1), **facts}
    operations.experiences.put(actor=actor, organization=organization, rows={code: values})


def run(code, organization, day=DAY, **values):
    provisions = {
        **registry.defaults,
        **{key: Provision(key, value, article="第10条") for key, value in values.items()},
    }
    return registry.checks[code].run(CheckContext(organization, day, provisions))


def codes(result):
    return sorted(finding.code for finding in result.findings)


def met(organization, day=DAY, years=5):
    holder = queries.holders(organization=organization, day=day, roles=["system-administrator"])[0]
    return abilities(organization=organization, day=day, member_ids=[holder.member], years=years)[holder.member]


class TestHolding:
    def test_an_office_is_held_from_the_day_of_appointment_to_the_last_day(self, sakura, operator, suzuki):
        appoint(
            operator, sakura, "A1", valid_from=dt.date(2024, 4, 1), last_day=dt.date(2025, 3, 31), end_kind="resigned"
        )
        named = {
            day: [holder.name for holder in queries.holders(organization=sakura, day=day)]
            for day in (dt.date(2024, 3, 31), dt.date(2024, 4, 1), dt.date(2025, 3, 31), dt.date(2025, 4, 1))
        }
        assert list(named.values()) == [[], ["鈴木 健一"], ["鈴木 健一"], []]

    def test_a_correction_voids_the_wrong_row_and_keeps_it(self, sakura, operator, suzuki):
        appoint(operator, sakura, "A1", role="chief-officer", member="0001")
        appoint(operator, sakura, "A1", role="chief-officer", member="0002")
        assert [holder.name for holder in queries.holders(organization=sakura, day=DAY)] == ["髙橋 誠"]
        assert Appointment.objects.filter(code="A1", voided_at__isnull=False).count() == 1

    def test_another_organization_holds_nothing_here(self, sakura, tsubaki, operator, suzuki):
        appoint(operator, sakura, "A1")
        assert queries.holders(organization=tsubaki, day=DAY) == []

    def test_each_appointment_is_an_event_with_ids_only(self, sakura, operator, suzuki):
        appoint(operator, sakura, "A1")
        event = Event.objects.get(name="appointment:put")
        assert "鈴木" not in bytes(event.payload).decode()
        assert event.object_id == str(Appointment.objects.get().id)

    def test_an_import_of_what_is_known_gives_the_same_values_back(self, sakura, operator, suzuki):
        appoint(operator, sakura, "A1", last_day=dt.date(2025, 3, 31), end_kind="dismissed", appointed_by="代表取締役")
        before = operations.appointments_existing(organization=sakura, keys=None)
        operations.appointments_apply(
            actor=operator, organization=sakura, changes=Changes(added=[], changed=[("A1", before["A1"], before["A1"])])
        )
        assert operations.appointments_existing(organization=sakura, keys={"A1"}) == before


class TestAccessFollowsTheAppointment:
    @pytest.fixture
    def suzuki_signed_in(self, sakura, operator, suzuki):
        member = queries.models.Member.objects.get(code="0001")
        return rule.Actor("member", "u1", sakura, "鈴木 健一", member.id)

    def test_rights_begin_at_midnight_in_japan(self, sakura, operator, suzuki_signed_in):
        appoint(operator, sakura, "A1", valid_from=dt.date(2026, 12, 1))
        edge = dt.datetime(2026, 11, 30, 15, 0, tzinfo=dt.UTC)  # 2026-12-01 00:00 JST
        target = rule.Target("equipment", organization=sakura)
        assert not rule.decide(suzuki_signed_in, rule.EDIT, target, at=edge - dt.timedelta(microseconds=1)).allowed
        assert rule.decide(suzuki_signed_in, rule.EDIT, target, at=edge).allowed

    def test_rights_end_with_the_last_day(self, sakura, operator, suzuki_signed_in):
        appoint(operator, sakura, "A1", last_day=DAY)
        target = rule.Target("equipment", organization=sakura)
        midnight = clock.start_of(DAY + dt.timedelta(days=1))
        assert rule.decide(suzuki_signed_in, rule.EDIT, target, at=midnight - dt.timedelta(microseconds=1)).allowed
        assert not rule.decide(suzuki_signed_in, rule.EDIT, target, at=midnight).allowed

    def test_a_correction_takes_the_old_rights_away(self, sakura, operator, suzuki_signed_in):
        appoint(operator, sakura, "A1", member="0001")
        appoint(operator, sakura, "A1", member="0002")
        assert not rule.decide(suzuki_signed_in, rule.EDIT, rule.Target("equipment", organization=sakura)).allowed
        assert Membership.objects.filter(voided_at__isnull=True).count() == 1

    def test_leaving_the_company_ends_rights_and_coming_back_restores_them(self, sakura, operator, suzuki_signed_in):
        appoint(operator, sakura, "A1")
        target = rule.Target("equipment", organization=sakura)
        row = {"code": "0001", "family_name": "鈴木", "given_name": "健一", "joined_on": dt.date(2010, 4, 1)}
        midnight = clock.start_of(DAY + dt.timedelta(days=1))
        operations.members.put(actor=operator, organization=sakura, rows={"0001": {**row, "left_on": DAY}})
        assert rule.decide(suzuki_signed_in, rule.EDIT, target, at=midnight - dt.timedelta(microseconds=1)).allowed
        assert not rule.decide(suzuki_signed_in, rule.EDIT, target, at=midnight).allowed
        operations.members.put(actor=operator, organization=sakura, rows={"0001": row})
        assert rule.decide(suzuki_signed_in, rule.EDIT, target, at=midnight).allowed

    def test_an_appointment_of_somebody_who_left_gives_no_rights(self, sakura, operator, suzuki_signed_in):
        row = {"code": "0001", "family_name": "鈴木", "given_name": "健一", "left_on": dt.date(2020, 3, 31)}
        operations.members.put(actor=operator, organization=sakura, rows={"0001": row})
        appoint(operator, sakura, "A1", valid_from=dt.date(2020, 4, 1))
        assert not Membership.objects.exists()

    def test_writing_a_member_who_stays_changes_no_rights(self, sakura, operator, suzuki_signed_in):
        appoint(operator, sakura, "A1")
        before = list(Membership.objects.values_list("id", "voided_at"))
        row = {"code": "0001", "family_name": "鈴木", "given_name": "健一", "title": "部長"}
        operations.members.put(actor=operator, organization=sakura, rows={"0001": row})
        assert list(Membership.objects.values_list("id", "voided_at")) == before

    def test_an_ordinary_member_may_not_appoint(self, sakura, suzuki_signed_in):
        with pytest.raises(rule.Refused):
            appoint(suzuki_signed_in, sakura, "A1")
        assert not Appointment.objects.exists()


class TestAbility:
    def test_qualification_and_years_together_meet_the_requirement(self, sakura, operator, suzuki):
        appoint(operator, sakura, "A1")
        certify(operator, sakura, expires_on=dt.date(2027, 3, 31))
        practise(operator, sakura)
        assert met(sakura).met

    @pytest.mark.parametrize(("certified", "practised"), [(True, False), (False, True), (False, False)])
    def test_one_half_alone_is_not_enough(self, sakura, operator, suzuki, certified, practised):
        appoint(operator, sakura, "A1")
        if certified:
            certify(operator, sakura)
        if practised:
            practise(operator, sakura)
        assert not met(sakura).met

    def test_the_last_day_of_validity_still_counts(self, sakura, operator, suzuki):
        appoint(operator, sakura, "A1")
        certify(operator, sakura, expires_on=DAY)
        practise(operator, sakura)
        assert met(sakura).met
        assert not met(sakura, day=DAY + dt.timedelta(days=1)).met

    def test_exactly_the_years_are_enough_and_a_day_less_is_not(self, sakura, operator, suzuki):
        appoint(operator, sakura, "A1")
        certify(operator, sakura)
        practise(operator, sakura, started_on=dt.date(2021, 11, 22))
        assert met(sakura).met
        assert not met(sakura, day=DAY - dt.timedelta(days=1)).met

    def test_overlapping_stretches_count_once(self, sakura, operator, suzuki):
        appoint(operator, sakura, "A1")
        practise(operator, sakura, "E1", started_on=dt.date(2020, 4, 1), ended_on=dt.date(2021, 3, 31))
        practise(operator, sakura, "E2", started_on=dt.date(2020, 10, 1), ended_on=dt.date(2021, 3, 31))
        assert met(sakura).days_of_practice == 365

    def test_other_work_does_not_count(self, sakura, operator, suzuki):
        appoint(operator, sakura, "A1")
        practise(operator, sakura, work="development")
        assert met(sakura).days_of_practice == 0

    def test_who_answers_false_for_a_qualification_without_the_years(self, sakura, operator, suzuki):
        appoint(operator, sakura, "A1")
        certify(operator, sakura)
        practise(operator, sakura, started_on=dt.date(2025, 4, 1))
        answer = standing.standing(organization=sakura, role="system-administrator", day=DAY, provisions={}).to_json()
        assert answer["requirement"]["met"] is False
        assert answer["holder"] == {"id": "0001", "name": "鈴木 健一"}

    def test_the_years_come_from_the_provision_in_force(self, sakura, operator, suzuki):
        appoint(operator, sakura, "A1")
        certify(operator, sakura)
        practise(operator, sakura, started_on=dt.date(2023, 4, 1))
        assert "people.administrator-unqualified" in codes(run("people.administrator-ability", sakura))
        assert "people.administrator-unqualified" not in codes(
            run("people.administrator-ability", sakura, **{"people.administrator-years": 3})
        )


class TestChecks:
    def test_nobody_ever_appointed_is_not_begun(self, sakura):
        assert run("people.chief-officer", sakura).state is Operated.NOT_STARTED

    def test_a_vacancy_names_the_deputy_who_acts(self, sakura, operator, suzuki):
        appoint(operator, sakura, "A1", role="chief-officer", last_day=dt.date(2026, 10, 31))
        appoint(operator, sakura, "A2", role="chief-officer", member="0002", deputy_order=1)
        result = run("people.chief-officer", sakura)
        assert result.state is Operated.NO
        assert "髙橋 誠" in result.findings[0].message.render()

    def test_two_holders_of_a_single_office_are_found_and_two_administrators_are_not(self, sakura, operator, suzuki):
        for role in ("privacy-officer", "system-administrator"):
            appoint(operator, sakura, f"{role}-1", role=role, member="0001")
            appoint(operator, sakura, f"{role}-2", role=role, member="0002")
        assert "people.two-holders" in codes(run("people.privacy-officer", sakura))
        assert "people.two-holders" not in codes(run("people.administrator-ability", sakura))

    def test_a_holder_who_left_is_found_on_the_day_after(self, sakura, operator, suzuki):
        operations.members.put(
            actor=operator,
            organization=sakura,
            rows={"0001": {"code": "0001", "family_name": "鈴木", "given_name": "健一", "left_on": DAY}},
        )
        appoint(operator, sakura, "A1", role="chief-officer")
        assert codes(run("people.chief-officer", sakura)) == []
        assert codes(run("people.chief-officer", sakura, day=DAY + dt.timedelta(days=1))) == ["people.left-holder"]

    def test_an_auditor_who_is_audited_is_found(self, sakura, operator, suzuki):
        appoint(operator, sakura, "A1", role="audit-officer")
        assert codes(run("audit.internal", sakura)) == []
        appoint(operator, sakura, "A2", role="system-administrator")
        assert codes(run("audit.internal", sakura)) == ["people.auditor-not-independent"]

    def test_a_contact_is_due_after_the_provision_and_not_on_it(self, sakura, operator, suzuki):
        rows = {
            "K1": {
                "code": "K1",
                "order": 1,
                "member": "0001",
                "phone": "090-0000-0000",
                "confirmed_on": DAY - dt.timedelta(days=90),
            }
        }
        operations.contacts.put(actor=operator, organization=sakura, rows=rows)
        drill = {"T1": {"code": "T1", "kind": "drill", "name": "復旧訓練", "last_held_on": DAY}}
        operations.activities.put(actor=operator, organization=sakura, rows=drill)
        assert run("people.emergency", sakura).state is Operated.YES
        assert codes(run("people.emergency", sakura, day=DAY + dt.timedelta(days=1))) == ["people.contact-unconfirmed"]

    def test_the_renewal_deadline_is_told_apart_from_the_expiry(self, sakura, operator, suzuki):
        appoint(operator, sakura, "A1")
        practise(operator, sakura)
        certify(operator, sakura, renew_by=dt.date(2027, 1, 30), expires_on=dt.date(2027, 3, 31))
        finding = next(finding for finding in run("people.administrator-ability", sakura).findings)
        assert finding.code == "people.qualification-deadline"
        assert finding.severity is Severity.SHOULD
        assert "更新申請期限が2027年1月30日に来ます（あと69日）" in finding.message.render()

    def test_detection_counts_refusals_and_asks_for_the_review(self, sakura, operator, member):
        from kitei.trust.access.operations import record_refusal

        tanaka, _user = member("田中 一郎")
        with pytest.raises(rule.Refused) as refused:
            rule.require(tanaka, rule.EDIT, rule.Target("equipment", organization=sakura))
        record_refusal(refused=refused.value)
        result = run("documents.detection", sakura)
        assert "1件" in result.facts[0].render()
        assert codes(result) == ["documents.log-review-overdue"]
        assert result.findings[0].severity is Severity.SHOULD


class TestAnnexes:
    def test_officers_are_named_inside_and_not_in_the_disclosure(self, sakura, operator, suzuki):
        appoint(operator, sakura, "A1", role="chief-officer")
        inside = annexes.officers(organization=sakura, day=DAY, rendering=Rendering.INTERNAL)
        outside = annexes.officers(organization=sakura, day=DAY, rendering=Rendering.DISCLOSURE)
        assert any("鈴木 健一" in row for row in inside[0].rows)
        assert not any("鈴木" in cell for row in outside[0].rows for cell in row)

    def test_telephone_numbers_are_never_printed(self, sakura, operator, suzuki):
        rows = {"K1": {"code": "K1", "order": 1, "member": "0001", "phone": "090-1111-2222", "confirmed_on": DAY}}
        operations.contacts.put(actor=operator, organization=sakura, rows=rows)
        for rendering in Rendering:
            table = annexes.emergency(organization=sakura, day=DAY, rendering=rendering)[0]
            assert not any("1111" in cell for row in table.rows for cell in row)

    def test_an_annex_of_a_past_day_names_who_was_in_office_then(self, sakura, operator, suzuki):
        appoint(operator, sakura, "A1", role="chief-officer", member="0001", last_day=dt.date(2024, 3, 31))
        appoint(operator, sakura, "A2", role="chief-officer", member="0002", valid_from=dt.date(2024, 4, 1))
        named = [
            annexes.officers(organization=sakura, day=day, rendering=Rendering.INTERNAL)[0].rows[0][1]
            for day in (dt.date(2024, 3, 31), dt.date(2024, 4, 1))
        ]
        assert named == ["鈴木 健一", "髙橋 誠"]


def test_the_number_of_queries_does_not_grow_with_the_people(sakura, operator, django_assert_max_num_queries):
    people = {
        f"{n:04d}": {
            "code": f"{n:04d}",
            "family_name": "山田",
            "given_name": f"{n}号",
            "joined_on": dt.date(2015, 4, 1),
        }
        for n in range(120)
    }
    operations.members.put(actor=operator, organization=sakura, rows=people)
    operations.appoint_many(
        actor=operator,
        organization=sakura,
        rows={
            f"A{n}": {
                "code": f"A{n}",
                "role": "system-administrator",
                "member": f"{n:04d}",
                "valid_from": dt.date(2020, 4, 1),
            }
            for n in range(120)
        },
    )
    with django_assert_max_num_queries(14):
        run("people.administrator-ability", sakura)
