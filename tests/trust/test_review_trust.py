"""Regressions found by a strict reading of the trust floor."""

from __future__ import annotations

import dataclasses

import pytest
from django.db import DatabaseError, connection, transaction

from kitei.foundation.text import UserError
from kitei.trust.access import rule
from kitei.trust.access.operations import record_refusal
from kitei.trust.accounts import operations as accounts
from kitei.trust.auditlog import events
from kitei.trust.auditlog.log import Act, append
from kitei.trust.auditlog.models import Event, Opening

pytestmark = pytest.mark.django_db


@pytest.mark.parametrize("typed", ["高橋 誠 090-1111-2222", "か\u3099", "nul\x00", "x" * 81])
def test_a_refusal_holds_typed_text_as_a_commitment_only(sakura, operator, typed):
    target = rule.Target("finding", typed, sakura)
    refused = rule.Refused(operator, rule.APPROVE, target, rule.Decision(allowed=False, reasons=("no-role",)))
    record_refusal(refused=refused)
    event = Event.objects.get()
    assert event.object_id == ""
    assert typed.encode() not in bytes(event.payload)
    assert b'"commitments":{"object"' in bytes(event.payload)
    assert Opening.objects.get().field == "object"


def test_a_refusal_names_an_id_in_clear(sakura, operator):
    target = rule.Target("clause", "mic-meti-1.1/5.1.6/i-2", sakura)
    record_refusal(
        refused=rule.Refused(operator, rule.VIEW, target, rule.Decision(allowed=False, reasons=("no-role",)))
    )
    assert Event.objects.get().object_id == "mic-meti-1.1/5.1.6/i-2"
    assert not Opening.objects.exists()


@pytest.mark.skipif("connection.vendor != 'sqlite'", reason="INSERT OR REPLACE is SQLite's")
def test_the_log_cannot_be_rewritten_by_insert_or_replace(sakura):
    append(organization=sakura, act=Act(events.LOGIN, ("member", "a"), ("account", "a")))
    columns = [field.column for field in Event._meta.concrete_fields]
    forged = ["'session:logout'" if column == "name" else column for column in columns]
    with pytest.raises(DatabaseError, match="append-only"), transaction.atomic(), connection.cursor() as cursor:
        cursor.execute(
            f"INSERT OR REPLACE INTO auditlog_event ({','.join(columns)}) SELECT {','.join(forged)} FROM auditlog_event"  # noqa: S608  names of columns
        )
    assert Event.objects.get().name == "session:login"


def test_only_the_newest_code_works_and_setting_a_pass_word_ends_all(sakura):
    hayashi = accounts.create_user(actor=("cli", "op"), organization=sakura, email="hayashi@sakura.example", name="林")
    lost = accounts.issue_code(user=hayashi)
    found = accounts.issue_code(user=hayashi)
    with pytest.raises(UserError):
        accounts.redeem_code(email=hayashi.email, code=lost, password="tsukushi-no-michi-2026")
    accounts.redeem_code(email=hayashi.email, code=found, password="tsukushi-no-michi-2026")
    for code in (lost, found):
        with pytest.raises(UserError):
            accounts.redeem_code(email=hayashi.email, code=code, password="sumire-no-hatake-2026")


def test_an_officer_who_cannot_log_in_yet_does_not_shut_the_first_administrator_out(sakura, member):
    first, _user = member("初代管理者")
    first = dataclasses.replace(first, administrator=True)
    _actor, officer = member("高橋 誠", "chief-officer")
    target = rule.Target("document", organization=sakura)
    assert not rule.decide(first, rule.EDIT, target).allowed
    officer.set_unusable_password()
    officer.save()
    assert rule.decide(first, rule.EDIT, target).reasons == ("first-set-up",)


@pytest.mark.parametrize("path", ["//evil.example/x", "/\\evil.example/x"])
def test_switching_the_language_never_leads_to_another_host(client, sakura, path):
    answer = client.post("/language", {"language": "en"}, headers={"referer": f"http://testserver{path}"})
    assert answer["Location"] == "/"


def test_switching_the_language_leads_back(client, sakura):
    answer = client.post("/language", {"language": "en"}, headers={"referer": "http://testserver/registers/risk/?q=a"})
    assert answer["Location"] == "/registers/risk/?q=a"


def test_refusals_are_recorded_whatever_the_address(client, sakura, member):
    _actor, user = member("高橋 誠")
    client.force_login(user, backend="django.contrib.auth.backends.ModelBackend")
    assert client.get("/requirements/か%E3%82%99/").status_code == 404
    assert client.get("/findings/accept/", {"finding": "高橋 誠"}).status_code == 404
    assert Event.objects.filter(name="access:refuse").count() == 2
