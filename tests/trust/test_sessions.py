"""Log-ins on devices: what ends them, what they show, and that nobody ends another's without the right."""

from __future__ import annotations

import datetime as dt
import json
import uuid

import pytest
from django.contrib.sessions.models import Session
from django.test import Client

from kitei.foundation import clock, transactions
from kitei.registers.people import operations as people
from kitei.trust.access.models import Membership
from kitei.trust.accounts import operations, sessions
from kitei.trust.accounts.models import AccountSession, User
from kitei.trust.auditlog.models import Event
from kitei.web.accounts import leaving

pytestmark = pytest.mark.django_db
CHROME = (
    "Mozilla/5.0 (Windows NT 10.0; Win64; x64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/130.0.0.0 Safari/537.36"
)
FIREFOX = "Mozilla/5.0 (X11; Linux x86_64; rv:128.0) Gecko/20100101 Firefox/128.0"


def sign_in(user, agent=CHROME):
    client = Client(headers={"user-agent": agent})
    client.force_login(user)
    AccountSession.objects.filter(user=user, browser="").update(browser=sessions.kind_of_browser(agent))
    return client


def is_in(client):
    return client.get("/account/").status_code == 200


def whys():
    rows = Event.objects.filter(name="session:end").order_by("id")
    return [json.loads(bytes(row.payload))["data"]["why"] for row in rows]


@pytest.fixture
def keiko(member):
    return member("佐藤 恵子", "security-officer")[1]


@pytest.fixture
def taro(member):
    return member("鈴木 太郎")[1]


@pytest.mark.parametrize(
    ("agent", "kind"),
    [
        (CHROME, "Chrome / Windows"),
        (FIREFOX, "Firefox / Linux"),
        (CHROME + " Edg/130.0", "Edge / Windows"),
        ("Mozilla/5.0 (iPhone; CPU iPhone OS 17_0 like Mac OS X) Version/17.0 Safari/604.1", "Safari / iPhone"),
        ("curl/8.0", ""),
    ],
)
def test_a_browser_is_named_coarsely(agent, kind):
    assert sessions.kind_of_browser(agent) == kind


def test_everybody_sees_the_own_devices_and_which_one_this_is(taro):
    here, _there = sign_in(taro), sign_in(taro, FIREFOX)
    said = here.get("/account/").content.decode()
    assert said.count("この端末") == 1
    assert "Chrome / Windows" in said
    assert "Firefox / Linux" in said


def test_one_other_device_is_ended_and_this_one_goes_on(taro):
    here, there = sign_in(taro), sign_in(taro, FIREFOX)
    other = AccountSession.objects.get(browser__startswith="Firefox")
    here.post("/account/act/", {"do": "end-session", "id": str(other.pk)})
    assert is_in(here)
    assert not is_in(there)
    assert whys() == ["revoked"]


def test_all_other_devices_are_ended(taro):
    here, there, third = sign_in(taro), sign_in(taro, FIREFOX), sign_in(taro, FIREFOX)
    here.post("/account/act/", {"do": "end-others"})
    assert [is_in(client) for client in (here, there, third)] == [True, False, False]


def test_nobody_ends_the_log_in_of_somebody_else(taro, keiko):
    sign_in(keiko)
    login = AccountSession.objects.get(user=keiko)
    client = sign_in(taro)
    client.post("/account/act/", {"do": "end-session", "id": str(login.pk)})
    login.refresh_from_db()
    assert login.ended_at is None
    assert client.post(f"/accounts/{keiko.pk}/act/", {"do": "end-session", "id": str(login.pk)}).status_code == 404
    login.refresh_from_db()
    assert login.ended_at is None


def test_an_editor_ends_anybodys_log_in(taro, keiko):
    theirs, editor = sign_in(taro), sign_in(keiko)
    login = AccountSession.objects.get(user=taro)
    page = editor.get(f"/accounts/{taro.pk}/")
    assert "Chrome / Windows" in page.content.decode()
    editor.post(f"/accounts/{taro.pk}/act/", {"do": "end-session", "id": str(login.pk)})
    assert not is_in(theirs)


@pytest.mark.parametrize(("minutes", "counts"), [(29, True), (31, False)])
def test_a_log_in_that_is_not_used_ends_after_half_an_hour(taro, minutes, counts):
    client = sign_in(taro)
    AccountSession.objects.update(last_used_at=clock.now() - dt.timedelta(minutes=minutes))
    assert is_in(client) is counts


@pytest.mark.parametrize(("hours", "counts"), [(11, True), (12, False)])
def test_a_log_in_ends_after_twelve_hours_however_busy(taro, hours, counts):
    client = sign_in(taro)
    AccountSession.objects.update(since=clock.now() - dt.timedelta(hours=hours))
    assert is_in(client) is counts


def test_use_is_noted_once_a_minute(taro):
    client = sign_in(taro)
    before = clock.now() - dt.timedelta(minutes=5)
    AccountSession.objects.update(last_used_at=before)
    is_in(client)
    assert AccountSession.objects.get().last_used_at > before


def test_a_new_password_ends_every_log_in(taro):
    client = sign_in(taro)
    transactions.durable(
        lambda: operations.set_password(user=taro, password="hoshizora-wo-aruku-2027", actor=("member", str(taro.pk)))
    )
    assert not is_in(client)
    assert whys() == ["password"]


def test_logging_out_ends_the_log_in(taro):
    client = sign_in(taro)
    client.post("/logout")
    assert AccountSession.objects.get().ended_by == "logout"


def test_a_dismissed_officer_is_out_on_the_next_request(keiko):
    client = sign_in(keiko)
    assert is_in(client)
    Membership.objects.filter(principal=keiko.principal).update(ends_at=clock.now())
    assert not is_in(client)
    assert whys() == ["dismissed"]
    assert is_in(sign_in(keiko)), "the account itself stays: the person is still there"


def test_one_more_office_ends_nothing(taro):
    client = sign_in(taro)
    assert is_in(client)
    Membership.objects.create(
        organization=taro.organization, principal=taro.principal, role="privacy-officer", starts_at=clock.now(),
        source_kind="appointment", source_id=uuid.uuid4(), recorded_at=clock.now(),
    )  # fmt: skip
    assert is_in(client)
    assert is_in(client)


def hire(operator, organization, user, left_on):
    row = {"code": "0009", "family_name": "鈴木", "given_name": "太郎", "joined_on": None, "left_on": left_on}
    transactions.durable(lambda: people.members.put(actor=operator, organization=organization, rows={"0009": row}))
    member = people.models.Member.objects.get(code="0009")
    User.objects.filter(pk=user.pk).update(principal=member.pk)
    user.refresh_from_db()


@pytest.mark.parametrize(("days", "counts"), [(-1, False), (0, True)])
def test_access_ends_after_the_last_day(taro, operator, sakura, days, counts):
    client = sign_in(taro)
    hire(operator, sakura, taro, clock.today() + dt.timedelta(days=days))
    assert is_in(client) is counts
    assert User.objects.get(pk=taro.pk).is_active is counts


def test_the_daily_job_stops_accounts_of_who_left_without_a_request(taro, keiko, operator, sakura):
    hire(operator, sakura, taro, clock.today() - dt.timedelta(days=1))

    class Due:
        organization = sakura

    leaving.close_all(Due())
    leaving.close_all(Due())
    assert not User.objects.get(pk=taro.pk).is_active
    assert User.objects.get(pk=keiko.pk).is_active
    assert Event.objects.filter(name="account:stop").count() == 1


def test_old_sessions_are_cleared(taro):
    sign_in(taro)
    AccountSession.objects.update(last_used_at=clock.now() - dt.timedelta(days=31))
    Session.objects.update(expire_date=clock.now() - dt.timedelta(days=1))
    sessions.sweep()
    sessions.sweep()
    assert not AccountSession.objects.exists()
    assert not Session.objects.exists()


def test_a_session_without_a_log_in_of_ours_opens_nothing(taro):
    client = sign_in(taro)
    session = client.session
    del session[sessions.KEY]
    session.save()
    assert not is_in(client)
