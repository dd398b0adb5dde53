"""Erasing a person: a restore of an older copy, and the editions of the regulation that name the person."""

from __future__ import annotations

import datetime as dt
import json

import pytest
from erasure_hands import (
    LATE,
    PRIVATE,
    carry_out,
    left_over,
    planned,
    put_member,
    restored_from,
    words,
)

from kitei.engine.checks.models import Acceptance, Run
from kitei.foundation import clock
from kitei.foundation.text import UserError
from kitei.outcomes.regulation import erasure as editions
from kitei.outcomes.regulation.models import Edition, EditionKind
from kitei.registers.people import erasure
from kitei.registers.people.models import EmergencyContactState, MemberState, QualificationState
from kitei.trust.accounts.models import User
from kitei.trust.auditlog import erasure as auditlog
from kitei.trust.auditlog.models import Event, Opening

pytestmark = pytest.mark.django_db


@pytest.fixture(autouse=True)
def data_folder(settings, tmp_path):
    settings.DATA = tmp_path
    return tmp_path


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
