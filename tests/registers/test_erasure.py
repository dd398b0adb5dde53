"""Erasing a person: what goes when, what stays, and that nothing of it comes back."""

from __future__ import annotations

import datetime as dt
import json

import pytest
from django.db import connection

from kitei.engine.checks import operations as checks
from kitei.engine.checks.model import Provision
from kitei.engine.checks.models import Acceptance, Run
from kitei.foundation import clock, transactions
from kitei.foundation.text import UserError
from kitei.outcomes.regulation import erasure as editions
from kitei.outcomes.regulation.models import Edition, EditionKind
from kitei.registers.people import erasing, erasure, naming, operations, queries
from kitei.registers.people.models import Appointment, EmergencyContactState, MemberState, QualificationState
from kitei.trust.access import rule
from kitei.trust.access.rule import Actor
from kitei.trust.accounts import operations as accounts
from kitei.trust.accounts.models import OneTimeCode, User
from kitei.trust.auditlog import erasure as auditlog
from kitei.trust.auditlog import events
from kitei.trust.auditlog.log import Act, append
from kitei.trust.auditlog.models import Event, Opening
from kitei_verify import canonical

pytestmark = pytest.mark.django_db
MAIL = "hanako.takasaki@sakura.example"
PRIVATE = ("髙﨑", "花子", "タカサキ", "ハナコ", MAIL, "090-1234-5678", "SC-778899", "あおば病院情報室")
JOINED, APPOINTED, LEFT = dt.date(2012, 4, 1), dt.date(2014, 4, 1), dt.date(2019, 3, 31)
SOON, LATE = dt.date(2020, 6, 1), dt.date(2024, 4, 1)
"""Some time after she left, and the day after five years."""


@pytest.fixture(autouse=True)
def data_folder(settings, tmp_path):
    settings.DATA = tmp_path
    return tmp_path


def put_member(actor, organization, **facts):
    values = {
        "code": "0012",
        "family_name": "髙﨑",
        "given_name": "花子",
        "family_kana": "タカサキ",
        "given_kana": "ハナコ",
        "title": "部長",
        "email": MAIL,
        "joined_on": JOINED,
        **facts,
    }
    operations.members.put(actor=actor, organization=organization, rows={values["code"]: values})


def appoint(actor, organization, **facts):
    values = {"code": "A-1", "role": "chief-officer", "member": "0012", "valid_from": APPOINTED, "article": "第7条"}
    operations.appoint_many(actor=actor, organization=organization, rows={"A-1": {**values, **facts}})


@pytest.fixture
def hanako(sakura, operator):
    """髙﨑 花子: chief officer 2014–2019 with everything a person leaves in the registers, gone since 31 March 2019."""
    with clock.at(JOINED):
        put_member(operator, sakura)
        put_member(
            operator, sakura, code="0020", family_name="高橋", given_name="誠", family_kana="", given_kana="", email=""
        )
        user = accounts.create_user(actor=("cli", "op"), organization=sakura, email=MAIL, name="髙﨑 花子")
        operations.link_accounts(actor=operator, organization=sakura)
        accounts.issue_code(user=user)
        accounts.create_user(
            actor=("cli", "op"), organization=sakura, email="root@sakura.example", name="管理", is_administrator=True
        )
    with clock.at(APPOINTED):
        appoint(operator, sakura)
        operations.qualifications.put(
            actor=operator,
            organization=sakura,
            rows={"Q-1": {"code": "Q-1", "member": "0012", "kind": "riss", "number": "SC-778899"}},
        )
        operations.experiences.put(
            actor=operator,
            organization=sakura,
            rows={
                "E-1": {
                    "code": "E-1", "member": "0012", "work": "security", "place": "あおば病院情報室",
                    "started_on": JOINED,
                }
            },
        )  # fmt: skip
        operations.contacts.put(
            actor=operator,
            organization=sakura,
            rows={"K-1": {"code": "K-1", "order": 1, "member": "0012", "phone": "090-1234-5678"}},
        )
        actor = Actor("member", str(user.id), sakura, "髙﨑 花子", User.objects.get(pk=user.pk).principal)
        checks.accept_finding(
            actor=actor,
            organization=sakura,
            finding="people.drill",
            reason="髙﨑花子が確認した（090-1234-5678）",
            until=APPOINTED,
        )
        Run.objects.create(
            organization=sakura,
            day=APPOINTED,
            finished_at=clock.now(),
            results={"x": {"message": ["髙﨑 花子は在籍しています"]}},
        )
    with clock.at(LEFT):
        appoint(operator, sakura, last_day=LEFT, end_kind="left")
        put_member(operator, sakura, left_on=LEFT)
    return user


def planned(actor, organization, day, code="0012", **provisions):
    values = {key.replace("_", "."): value for key, value in provisions.items()}
    return erasure.plan(actor=actor, organization=organization, code=code, today=day, provisions=values)


def carry_out(actor, organization, day, code="0012"):
    with clock.at(day):
        made = transactions.durable_or_join(
            lambda: erasure.erase(actor=actor, plan=planned(actor, organization, day, code))
        )
        auditlog.complete_list(organization)
    return made


def dump():
    """Every value of every table as readable text."""
    found = []
    with connection.cursor() as cursor:
        for table in connection.introspection.table_names(cursor):
            cursor.execute(f'SELECT * FROM "{table}"')  # noqa: S608  the database's own names
            for row in cursor.fetchall():
                for value in row:
                    text = (
                        bytes(value).decode("utf-8", "replace") if isinstance(value, bytes | memoryview) else str(value)
                    )
                    if "\\u" in text:
                        text = json.dumps(json.loads(text), ensure_ascii=False)
                    found.append((table, text))
    return found


def left_over(*texts):
    return sorted({(table, text) for table, value in dump() for text in texts if text in value})


def words(lines):
    return " / ".join(str(line.what) for line in lines)


def restored_from(rows):
    """Put the dumped rows of the person's tables back, as a restore of an older copy does."""
    for model, kept in rows.items():
        model.objects.all().delete()
        model.objects.bulk_create(kept)


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


class TestRestore:
    @pytest.fixture
    def erased_then_restored(self, sakura, operator, hanako):
        """A copy from before the erasure stands again; the list outside is newer than it."""
        models = (EmergencyContactState, MemberState, QualificationState, Acceptance, Run, Opening)
        copy = {model: list(model.objects.all()) for model in models}
        user = User.objects.get(pk=hanako.pk)
        savepoint = Event.objects.count()
        carry_out(operator, sakura, LATE)
        restored_from(copy)
        user.save()
        self._forget_events_after(savepoint)
        return user

    @staticmethod
    def _forget_events_after(count):
        from kitei.trust.auditlog import triggers

        with triggers.lifted():
            for event in Event.objects.order_by("id")[count:]:
                event.delete()

    def test_what_was_erased_is_erased_again(self, sakura, erased_then_restored):
        assert left_over("髙﨑", "090-1234-5678")
        with clock.at(dt.date(2024, 6, 1)):
            assert erasure.reapply(sakura) == 1
            assert erasure.reapply(sakura) == 0
        assert left_over(*PRIVATE) == []
        again = Event.objects.get(name="person:erase")
        assert json.loads(bytes(again.payload))["data"]["original"] == auditlog.read_list(sakura)[0]["id"]
        assert auditlog.complete_list(sakura) == 0

    def test_what_was_recorded_after_the_erasure_stays(self, sakura, operator, erased_then_restored):
        with clock.at(dt.date(2024, 5, 1)):
            put_member(operator, sakura, email="again@sakura.example", left_on=None)
        with clock.at(dt.date(2024, 6, 1)):
            erasure.reapply(sakura)
        newest = MemberState.objects.filter(code="0012", voided_at__isnull=True).order_by("recorded_at").last()
        assert (newest.family_name, newest.email) == ("髙﨑", "again@sakura.example")

    def test_an_erasure_the_copy_knows_is_not_repeated(self, sakura, operator, hanako):
        carry_out(operator, sakura, LATE)
        assert erasure.reapply(sakura) == 0

    def test_a_person_the_copy_does_not_know_is_passed_over(self, sakura, tsubaki, operator, hanako):
        carry_out(operator, sakura, LATE)
        auditlog.list_path(sakura).rename(auditlog.list_path(tsubaki))
        assert erasure.reapply(tsubaki) == 0


class TestEditions:
    def edition(self, organization, number, effective_on, name="髙﨑 花子"):
        return Edition.objects.create(
            organization=organization,
            number=number,
            label=f"第{number}版",
            kind=EditionKind.MODEL,
            title="規程",
            document_number="KT-001",
            effective_on=effective_on,
            as_of=effective_on,
            summary="",
            adopted_at=clock.now(),
            adopted_by=name,
            tree={"annexes": [["管理責任者", name]]},
            content_hash="0" * 64,
        )

    def test_an_edition_keeps_the_name_until_its_own_retention_ends(self, sakura, operator, hanako):
        self.edition(sakura, 1, dt.date(2014, 4, 1))
        self.edition(sakura, 2, dt.date(2016, 4, 1))
        self.edition(sakura, 3, dt.date(2022, 4, 1), name="高橋 誠")
        assert editions.keepers
        with clock.at(LATE):
            found = planned(operator, sakura, LATE)
        assert "規程の版「第1版」" in words(found.goes)
        kept = [line for line in found.stays if "第2版" in str(line.what)]
        assert [line.until for line in kept] == [dt.date(2027, 4, 1)]
        carry_out(operator, sakura, LATE)
        assert {table for table, _ in left_over(*PRIVATE)} == {"regulation_edition"}
        assert Edition.objects.get(number=1).tree == {"annexes": [["管理責任者", auditlog.ERASED]]}
        assert Edition.objects.get(number=2).adopted_by == "髙﨑 花子"

    def test_the_edition_in_force_has_no_last_day(self, sakura, operator, hanako):
        self.edition(sakura, 1, dt.date(2014, 4, 1))
        with clock.at(LATE):
            found = planned(operator, sakura, LATE)
        assert [line.until for line in found.stays] == [None]

    def test_files_made_of_a_redacted_edition_are_deleted(
        self, sakura, operator, hanako, django_capture_on_commit_callbacks
    ):
        from kitei.foundation.files import store
        from kitei.foundation.files.models import StoredFile

        row = self.edition(sakura, 1, dt.date(2014, 4, 1))
        self.edition(sakura, 2, dt.date(2016, 4, 1), name="高橋 誠")
        row.html = store.put_bytes(
            organization=sakura, content="髙﨑 花子".encode(), name="KT-001.html", made_here=True
        )
        row.save()
        digest = row.html.digest
        with django_capture_on_commit_callbacks(execute=True):
            carry_out(operator, sakura, LATE)
        assert not StoredFile.objects.exists()
        with pytest.raises(UserError):
            store.read(digest)


def test_every_keeper_says_what_it_keeps():
    assert all(hasattr(keeper, "plan") and hasattr(keeper, "erase") for keeper in erasing.keepers)
