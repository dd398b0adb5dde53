"""Erasing a person: what goes when, what stays, and that nothing of it comes back."""

from __future__ import annotations

import datetime as dt
import json

import pytest
from erasure_hands import (
    APPOINTED,
    LATE,
    LEFT,
    PRIVATE,
    SOON,
    appoint,
    carry_out,
    dump,
    left_over,
    planned,
    put_member,
    words,
)

from kitei.engine.checks.model import Provision
from kitei.engine.checks.models import Acceptance
from kitei.foundation import clock, transactions
from kitei.foundation.text import UserError
from kitei.registers.people import erasing, erasure, naming, operations, queries
from kitei.registers.people.models import Appointment, EmergencyContactState, MemberState, QualificationState
from kitei.trust.access import rule
from kitei.trust.accounts.models import OneTimeCode, User
from kitei.trust.auditlog import erasure as auditlog
from kitei.trust.auditlog import events
from kitei.trust.auditlog.log import Act, append
from kitei.trust.auditlog.models import Event, Opening
from kitei_verify import canonical

pytestmark = pytest.mark.django_db


@pytest.fixture(autouse=True)
def data_folder(settings, tmp_path):
    settings.DATA = tmp_path
    return tmp_path


class TestRefusals:
    def test_an_unknown_code_is_said(self, sakura, operator):
        with pytest.raises(UserError, match="9999"):
            planned(operator, sakura, LATE, "9999")

    def test_somebody_of_another_organization_is_unknown(self, sakura, tsubaki, stranger, hanako):
        with pytest.raises(UserError, match="0012"):
            planned(stranger, tsubaki, LATE)

    def test_while_the_office_runs_nothing_goes(self, sakura, operator, hanako):
        with clock.at(dt.date(2019, 3, 1)):
            found = planned(operator, sakura, dt.date(2019, 3, 31))
            assert [refused.params["code"] for refused in found.refusals] == ["A-1", "0012"]
            assert found.groups == frozenset()
            before = dump()
            with pytest.raises(UserError, match="終わっていない"):
                transactions.durable_or_join(lambda: erasure.erase(actor=operator, plan=found))
        assert dump() == before

    def test_a_deputy_and_a_coming_office_count_too(self, sakura, operator, hanako):
        with clock.at(LEFT):
            appoint(operator, sakura, code="A-1", deputy_order=1, valid_from=dt.date(2030, 4, 1))
        assert planned(operator, sakura, LATE).refusals

    def test_nobody_is_erased_on_the_last_day(self, sakura, operator, hanako):
        assert planned(operator, sakura, LEFT).refusals
        with clock.at(LEFT + dt.timedelta(days=1)):
            assert not planned(operator, sakura, LEFT + dt.timedelta(days=1)).refusals

    def test_the_last_administrator_stays(self, sakura, operator, hanako):
        User.objects.filter(pk=hanako.pk).update(is_administrator=True)
        User.objects.filter(email="root@sakura.example").update(is_active=False)
        with clock.at(LATE), pytest.raises(UserError, match="最後の管理者"):
            transactions.durable_or_join(lambda: erasure.erase(actor=operator, plan=planned(operator, sakura, LATE)))

    def test_who_may_not_manage_may_not_even_look(self, sakura, member, hanako):
        somebody, _ = member("林 一")
        with pytest.raises(rule.Refused):
            planned(somebody, sakura, LATE)

    def test_a_plan_that_has_become_wrong_is_not_carried_out(self, sakura, operator, hanako):
        with clock.at(LATE):
            found = planned(operator, sakura, LATE)
            put_member(operator, sakura, left_on=None)  # she came back between looking and doing
            with pytest.raises(UserError, match="在籍"):
                transactions.durable_or_join(lambda: erasure.erase(actor=operator, plan=found))


class TestWhileRetentionRuns:
    def test_the_plan_tells_what_stays_until_when_and_why(self, sakura, operator, hanako):
        with clock.at(SOON):
            found = planned(operator, sakura, SOON)
        assert found.groups == {"contacts", "account", "openings"}
        assert {line.until for line in found.stays} == {dt.date(2024, 3, 31)}
        assert "氏名" in words(found.stays)
        assert "5年（Kiteiの推奨）" in str(found.stays[0].why)

    def test_contacts_and_log_in_go_and_the_name_stays(self, sakura, operator, hanako):
        made = carry_out(operator, sakura, SOON)
        user = User.objects.get(pk=hanako.pk)
        assert not user.is_active
        assert not user.has_usable_password()
        assert not OneTimeCode.objects.filter(user=user).exists()
        assert set(EmergencyContactState.objects.values_list("phone", flat=True)) == {""}
        assert queries.contacts(organization=sakura, day=SOON) == []
        assert left_over("090-1234-5678") == []
        assert set(MemberState.objects.filter(code="0012").values_list("email", flat=True)) == {""}
        assert queries.holders(organization=sakura, day=dt.date(2015, 1, 1))[0].name == "髙﨑 花子"
        assert user.name == "髙﨑 花子"
        assert json.loads(bytes(made.payload))["data"]["counts"]["accounts"] == 1

    def test_the_years_come_from_the_edition_in_force(self, sakura, operator, hanako):
        values = {"people.retention-years": Provision("people.retention-years", 1, "年", "第32条")}
        with clock.at(SOON):
            found = erasure.plan(actor=operator, organization=sakura, code="0012", today=SOON, provisions=values)
        assert "names" in found.groups

    @pytest.mark.parametrize(("day", "due"), [(dt.date(2024, 3, 31), False), (dt.date(2024, 4, 1), True)])
    def test_the_last_day_of_retention_still_counts(self, sakura, operator, hanako, day, due):
        with clock.at(day):
            assert ("names" in planned(operator, sakura, day).groups) is due

    def test_young_entries_of_the_log_stay_open_and_keep_the_name(self, sakura, operator, hanako):
        with clock.at(dt.date(2022, 5, 1)):
            append(
                organization=sakura,
                act=Act(
                    events.REFUSED,
                    ("cli", "op"),
                    ("finding", "1"),
                    private={"object": "前任の髙﨑 花子に聞いた"},
                    decision={"allowed": False, "reasons": ["no-role"]},
                ),
            )
        with clock.at(LATE):
            found = planned(operator, sakura, LATE)
        assert "names" not in found.groups
        assert {line.until for line in found.stays} == {dt.date(2027, 5, 1)}
        carry_out(operator, sakura, LATE)
        assert list(Opening.objects.values_list("field", flat=True)) == ["object"]
        assert carry_out(operator, sakura, dt.date(2027, 5, 2)) is not None
        assert left_over(*PRIVATE) == []


class TestAfterRetention:
    def test_nothing_of_the_person_is_left_in_any_table(self, sakura, operator, hanako):
        assert {table for table, _ in left_over(*PRIVATE)} > {"people_memberstate", "auditlog_opening", "checks_run"}
        carry_out(operator, sakura, LATE)
        assert left_over(*PRIVATE) == []

    def test_who_held_the_office_is_answered_by_code(self, sakura, operator, hanako):
        carry_out(operator, sakura, LATE)
        holder = queries.holders(organization=sakura, day=dt.date(2015, 1, 1))[0]
        assert (holder.name, holder.member_code, holder.since) == ("（消去済み） 0012", "0012", APPOINTED)
        assert Appointment.objects.filter(member__code="0012", voided_at__isnull=True).count() == 1
        assert QualificationState.objects.get().kind == "riss"

    def test_others_keep_what_is_theirs(self, sakura, operator, hanako):
        before = MemberState.objects.get(code="0020")
        carry_out(operator, sakura, LATE)
        assert vars(MemberState.objects.get(code="0020"))["family_name"] == before.family_name
        assert Acceptance.objects.get().accepted_by == auditlog.ERASED

    def test_an_export_can_still_be_imported(self, sakura, operator, hanako):
        carry_out(operator, sakura, LATE)
        row = operations.members.existing(organization=sakura, keys=["0012"])["0012"]
        assert all(row[column.key] for column in operations.members.columns if column.required)

    def test_leaves_stay_and_a_commitment_can_no_longer_be_opened(self, sakura, operator, hanako):
        event = Event.objects.get(name="finding:accept")
        assert auditlog.opened(event)["reason"].startswith("髙﨑花子")
        carry_out(operator, sakura, LATE)
        after = Event.objects.get(name="finding:accept")
        assert bytes(after.leaf_hash) == bytes(event.leaf_hash) == canonical.leaf_hash(bytes(after.payload))
        assert auditlog.opened(after) == {"finding": None, "reason": None}

    def test_twice_is_once(self, sakura, operator, hanako):
        carry_out(operator, sakura, LATE)
        before = dump()
        assert carry_out(operator, sakura, LATE) is None
        assert dump() == before
        assert len(auditlog.read_list(sakura)) == 1

    def test_a_stale_plan_carried_out_again_records_nothing(self, sakura, operator, hanako):
        with clock.at(LATE):
            found = planned(operator, sakura, LATE)
            assert erasure.erase(actor=operator, plan=found) is not None
            assert erasure.erase(actor=operator, plan=found) is None
        assert Event.objects.filter(name="person:erase").count() == 1

    def test_the_event_names_nobody(self, sakura, operator, hanako):
        made = carry_out(operator, sakura, LATE)
        payload = json.loads(bytes(made.payload))
        assert payload["data"]["groups"] == ["account", "contacts", "identity", "names", "openings"]
        assert payload["data"]["member"] == str(MemberState.objects.filter(code="0012")[0].of_id)
        assert not [text for text in PRIVATE if text in bytes(made.payload).decode()]


class TestNames:
    @pytest.mark.parametrize(
        ("text", "left"),
        [
            ("林一が確認した", "（消去済み）が確認した"),
            ("林　一様", "（消去済み）様"),
            ("担当:林 一、森", "担当:（消去済み）、森"),
            ("小林一が確認", "小林一が確認"),
            ("林一郎が確認", "林一郎が確認"),
            ("一林", "一林"),
        ],
    )
    def test_only_a_whole_name_is_replaced(self, text, left):
        person = naming.person(names={("林", "一")}, mails=set(), phones=set())
        assert naming.redact(text, person)[0] == left

    @pytest.mark.parametrize(
        ("text", "left"),
        [
            ("tel 09012345678", "tel （消去済み）"),
            ("090-1234-5678へ", "（消去済み）へ"),
            ("1090-1234-5678", "1090-1234-5678"),
            ("a@b.jp。", "（消去済み）。"),
            ("aa@b.jp", "aa@b.jp"),
            ("a@b.jp.example", "a@b.jp.example"),
        ],
    )
    def test_numbers_and_addresses(self, text, left):
        person = naming.person(names=set(), mails={"a@b.jp"}, phones={"090-1234-5678"})
        assert naming.redact(text, person)[0] == left

    def test_json_keeps_its_shape(self):
        person = naming.person(names={("林", "一")}, mails=set(), phones=set())
        assert naming.redact({"a": ["林 一", 3, None]}, person) == ({"a": ["（消去済み）", 3, None]}, 1)

    def test_a_namesakes_name_is_left_alone_and_told(self, sakura, operator, hanako):
        with clock.at(SOON):
            put_member(operator, sakura, code="0030", email="other@sakura.example")  # another 髙﨑 花子
        with clock.at(LATE):
            found = planned(operator, sakura, LATE)
        carry_out(operator, sakura, LATE)
        assert [place for line in found.never for place in line.places if place.startswith("checks.acceptance")]
        assert Acceptance.objects.get().accepted_by == "髙﨑 花子"
        assert MemberState.objects.filter(code="0030", family_name="髙﨑").exists()
        assert not MemberState.objects.filter(code="0012", family_name="髙﨑").exists()


class TestList:
    def test_a_line_is_the_payload_of_the_event(self, sakura, operator, hanako, data_folder):
        made = carry_out(operator, sakura, SOON)
        path = data_folder / "erasures" / "sakura.jsonl"
        assert path.read_bytes() == bytes(made.payload) + b"\n"
        assert path.stat().st_mode & 0o077 == 0

    def test_a_crash_before_the_line_is_mended(self, sakura, operator, hanako, data_folder):
        with clock.at(SOON):
            erasure.erase(actor=operator, plan=planned(operator, sakura, SOON))
        assert auditlog.read_list(sakura) == []
        assert auditlog.complete_list(sakura) == 1
        assert auditlog.complete_list(sakura) == 0
        assert len(auditlog.read_list(sakura)) == 1

    def test_a_torn_last_line_is_written_anew(self, sakura, operator, hanako, data_folder):
        carry_out(operator, sakura, SOON)
        carry_out(operator, sakura, LATE)
        path = auditlog.list_path(sakura)
        whole = path.read_bytes()
        path.write_bytes(whole[:-30])
        assert len(auditlog.read_list(sakura)) == 1
        assert auditlog.complete_list(sakura) == 1
        assert path.read_bytes() == whole

    def test_a_line_that_is_none_is_said(self, sakura, operator, hanako):
        carry_out(operator, sakura, SOON)
        path = auditlog.list_path(sakura)
        path.write_bytes(b'{"id": 3}\n' + path.read_bytes())
        with pytest.raises(UserError, match="1行目"):
            auditlog.complete_list(sakura)


def test_every_keeper_says_what_it_keeps():
    assert all(hasattr(keeper, "plan") and hasattr(keeper, "erase") for keeper in erasing.keepers)
