"""What the log says of logging in."""

from __future__ import annotations

import json

import pytest

from kitei.foundation import clock, transactions
from kitei.trust.access import strangers
from kitei.trust.accounts import operations as accounts
from kitei.trust.accounts.models import OneTimeCode
from kitei.trust.auditlog.models import Event

pytestmark = pytest.mark.django_db


@pytest.fixture(autouse=True)
def _own_data(settings, tmp_path):
    settings.DATA = tmp_path
    strangers._pending.take()
    strangers._pending.written_at = 0.0


def payload(event):
    return json.loads(bytes(event.payload))


@pytest.mark.parametrize(
    ("change", "reason"),
    [
        ({"code": "AAAAA-AAAAA-AAAAA-AAAAA"}, "code"),
        ({"email": "nobody@sakura.example"}, "code"),
        ({"used": True}, "code-used"),
        ({"late": True}, "code-expired"),
    ],
)
def test_a_code_that_lets_nobody_in_is_recorded_with_the_reason_but_not_said(sakura, member, client, change, reason):
    _actor, user = member("林 美咲", mail="hayashi@sakura.example")
    code = transactions.durable(lambda: accounts.issue_code(user=user))
    if change.pop("used", False):
        OneTimeCode.objects.update(used_at=clock.now())
    if change.pop("late", False):
        OneTimeCode.objects.update(expires_at=clock.now())
    typed = {"email": user.email, "code": code, "password": "asagao-no-niwa-2026", "again": "asagao-no-niwa-2026"}
    answer = client.post("/start", {**typed, **change})
    assert answer.status_code == 422
    assert "コードの期限が切れています" in answer.content.decode()
    event = Event.objects.get(name="session:login-failed")
    assert payload(event)["data"] == {"reason": reason}
    assert event.outcome == "refused"
    assert user.email.encode() not in bytes(event.payload)


def test_a_weak_password_is_no_failed_code(sakura, member, client):
    _actor, user = member("林 美咲", mail="hayashi@sakura.example")
    code = transactions.durable(lambda: accounts.issue_code(user=user))
    client.post("/start", {"email": user.email, "code": code, "password": "short", "again": "short"})
    assert not Event.objects.filter(name="session:login-failed").exists()


def test_failures_say_when_the_door_was_closed(sakura, member, client):
    member("佐藤 恵子", mail="sato@sakura.example")
    for _ in range(9):
        client.post("/login", {"username": "sato@sakura.example", "password": "wrong"})
    reasons = [
        payload(event)["data"]["reason"] for event in Event.objects.filter(name="session:login-failed").order_by("id")
    ]
    assert reasons[:7] == ["credentials"] * 7
    assert reasons[-1] == "locked-out"


def test_a_log_in_carries_its_session_and_strength(sakura, member, client):
    member("佐藤 恵子", mail="sato@sakura.example", password="tsukushi-no-michi-2026")
    client.post("/login", {"username": "sato@sakura.example", "password": "tsukushi-no-michi-2026"})
    client.post("/logout")
    said = [payload(event) for event in Event.objects.order_by("id")]
    assert [entry["name"] for entry in said] == ["session:login", "session:logout"]
    assert said[0]["session"] == said[1]["session"]
    assert {entry["strength"] for entry in said} == {"password"}
