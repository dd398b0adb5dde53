"""Guessing is slow, locks nobody else out, and tells nothing; one's own pass word is changed with the current one."""

from __future__ import annotations

import json

import pytest
from axes.models import AccessAttempt
from django.contrib.auth import hashers
from django.test import Client

from kitei.foundation import clock, transactions
from kitei.trust.accounts import closing, factors_pages, factors_tries, stepup, throttle
from kitei.trust.accounts.models import AccountSession, OneTimeCode, User
from kitei.trust.auditlog.models import Event

pytestmark = pytest.mark.django_db
MAIL, PASSWORD, NEW = "sato@sakura.example", "tsukushi-no-michi-2026", "kawa-no-nagare-wo-kiku"
OFFICE, HOME, ATTACKER = "192.0.2.1", "198.51.100.7", "203.0.113.9"


@pytest.fixture
def sato(member):
    return member("佐藤 恵子", "security-officer", mail=MAIL, password=PASSWORD)[1]


def log_in(client, mail=MAIL, password=PASSWORD, **more):
    return client.post("/login", {"username": mail, "password": password}, **more)


def is_in(client):
    return "_auth_user_id" in client.session


def guess(client, times, **more):
    return [log_in(client, password=f"guess-{number}", **more).status_code for number in range(times)]


# Lock-out


def test_a_hundred_guesses_from_elsewhere_never_lock_the_owner_out(sato):
    tried = [
        code
        for number in range(10)
        for code in guess(Client(REMOTE_ADDR=f"203.0.113.{number}", HTTP_USER_AGENT=f"bot/{number % 3}"), 10)
    ]
    assert len(tried) == 100
    assert tried.count(429) == 30, "of ten guesses from one address seven are looked at; the eighth closes the door"
    owner = Client(REMOTE_ADDR=HOME)
    log_in(owner)
    assert is_in(owner)


def test_a_known_device_is_let_in_from_the_very_address_of_the_attacker(sato):
    own = Client(REMOTE_ADDR=OFFICE)
    log_in(own)
    own.post("/logout")
    assert guess(Client(REMOTE_ADDR=OFFICE), 9)[-1] == 429
    stranger = Client(REMOTE_ADDR=OFFICE)
    assert log_in(stranger).status_code == 429, "not even with the right pass word"
    log_in(own)
    assert is_in(own), "the browser that logged in before is counted apart"


def test_a_known_device_guesses_no_more_than_others(sato):
    own = Client(REMOTE_ADDR=OFFICE)
    log_in(own)
    own.post("/logout")
    assert guess(own, 9)[-1] == 429
    assert log_in(own).status_code == 429
    other = Client(REMOTE_ADDR=OFFICE)
    log_in(other)
    assert is_in(other), "and what it did counts against nobody else"


def test_a_device_is_known_for_its_own_accounts_only_and_cannot_be_made_up(sato, member):
    member("森 楓", mail="mori@sakura.example", password=PASSWORD)
    mori = Client(REMOTE_ADDR=OFFICE)
    log_in(mori, "mori@sakura.example")
    mori.post("/logout")
    guess(Client(REMOTE_ADDR=OFFICE), 9)
    assert log_in(mori).status_code == 429, "mori's computer is a stranger to Sato's account"
    forger = Client(REMOTE_ADDR=OFFICE)
    for made_up in ("0" * 16 + "-" + "0" * 64, "x", "." * 500, mori.cookies["kitei_device"].value + "0"):
        forger.cookies["kitei_device"] = made_up
        assert log_in(forger).status_code == 429, made_up


def test_the_mark_of_a_device_names_nobody_and_lasts_on_a_shared_computer(sato, member):
    member("森 楓", mail="mori@sakura.example", password=PASSWORD)
    shared = Client(REMOTE_ADDR=OFFICE)
    for mail in (MAIL, "mori@sakura.example"):
        log_in(shared, mail)
        shared.post("/logout")
    cookie = shared.cookies["kitei_device"]
    assert cookie["httponly"]
    assert cookie["samesite"] == "Lax"
    assert "sato" not in cookie.value
    assert str(sato.pk) not in cookie.value
    guess(Client(REMOTE_ADDR=OFFICE), 9)
    log_in(shared)
    assert is_in(shared)


def test_the_door_opens_again_and_a_passkey_was_never_shut(sato, monkeypatch):
    client = Client(REMOTE_ADDR=ATTACKER)
    guess(client, 9)
    monkeypatch.setattr(factors_pages, "passkey_holds", lambda _request, _user: sato)
    passkey = Client(REMOTE_ADDR=ATTACKER)
    passkey.post("/login/passkey", {"answer": "{}"})
    assert is_in(passkey)
    with_time = AccessAttempt.objects.all()
    with_time.update(attempt_time=with_time[0].attempt_time - clock.dt.timedelta(minutes=16))
    log_in(client)
    assert is_in(client)


def test_addresses_of_one_ipv6_network_share_a_count(sato):
    for number in range(8):
        log_in(Client(REMOTE_ADDR=f"2001:db8:0:1::{number + 1}"), password="guess")
    assert log_in(Client(REMOTE_ADDR="2001:db8:0:1::ffff")).status_code == 429
    assert log_in(Client(REMOTE_ADDR="2001:db8:0:2::1")).status_code == 302


def test_every_attempt_at_a_closed_door_is_recorded(sato):
    guess(Client(REMOTE_ADDR=ATTACKER), 10)
    said = [
        json.loads(bytes(row.payload))["data"]["reason"]
        for row in Event.objects.filter(name="session:login-failed").order_by("id")
    ]
    assert len(said) == 10
    assert said[0] == "credentials"
    assert said[-1] == "locked-out"


def test_erasing_an_account_takes_the_counters_of_its_devices_too(sato):
    own = Client(REMOTE_ADDR=OFFICE)
    log_in(own)
    own.post("/logout")
    guess(own, 1)
    guess(Client(REMOTE_ADDR=OFFICE), 1)
    assert AccessAttempt.objects.count() == 2
    transactions.durable(lambda: closing.close(user=sato))
    assert not AccessAttempt.objects.exists()


# What a failure tells


@pytest.mark.parametrize("typed", ["guess-what-2026", "ｇｕｅｓｓ－ｗｈａｔ－２０２６"])
def test_known_unknown_stopped_and_invited_take_the_same_work_and_read_alike(sato, member, typed, monkeypatch):
    member("森 楓", mail="stopped@sakura.example")
    User.objects.filter(email="stopped@sakura.example").update(is_active=False)
    invited = member("吉田 次郎", mail="invited@sakura.example")[1]
    invited.set_unusable_password()
    invited.save()
    done = []
    hasher = type(hashers.get_hasher())
    encode = hasher.encode
    monkeypatch.setattr(hasher, "encode", lambda self, *given: done.append(1) or encode(self, *given))
    seen = set()
    for mail in (MAIL, "nobody@sakura.example", "stopped@sakura.example", "invited@sakura.example"):
        done.clear()
        answer = log_in(Client(), mail, typed)
        page = answer.content.decode().replace(mail, "")
        mark = page.partition('name="csrfmiddlewaretoken" value="')[2][:64]
        seen.add((answer.status_code, len(done), page.replace(mark, "")))
    assert len(seen) == 1
    assert next(iter(seen))[1] >= 1, "a hash is made for an address nobody has"


# Changing one's own pass word


@pytest.fixture
def inside(sato):
    client = Client(REMOTE_ADDR=OFFICE)
    log_in(client)
    return client


def change(client, current=PASSWORD, password=NEW, again=None):
    return client.post("/account/password/", {"current": current, "password": password, "again": again or password})


def test_a_new_pass_word_ends_the_other_devices_and_open_codes(inside, sato):
    there = Client()
    log_in(there)
    OneTimeCode.objects.create(
        organization=sato.organization, user=sato, digest="0" * 64, expires_at=clock.now() + clock.dt.timedelta(days=1)
    )
    assert change(inside)["Location"] == "/account/"
    assert inside.get("/account/").status_code == 200, "this device stays"
    assert there.get("/account/").status_code == 302
    assert OneTimeCode.objects.get().used_at is not None
    assert AccountSession.objects.filter(ended_by="password").count() == 1
    assert log_in(Client()).status_code == 422
    assert log_in(Client(), password=NEW).status_code == 302
    assert Event.objects.get(name="account:set-password").actor_id == str(sato.pk)


@pytest.mark.parametrize(
    ("given", "said"),
    [
        ({"current": "not-the-one-2026"}, "今のパスワードが違います"),
        ({"password": "mijikai"}, "15"),
        ({"password": "さくら医療クラウド2026年12月"}, "推測されやすい"),
        ({"again": "something-else-2026"}, "同じではありません"),
    ],
)
def test_a_change_that_cannot_be_says_why_and_changes_nothing(inside, given, said):
    answer = change(inside, **given)
    assert answer.status_code == 422
    assert said in answer.content.decode()
    assert not Event.objects.filter(name="account:set-password").exists()
    assert log_in(Client()).status_code == 302


def test_a_change_asks_for_a_fresh_proof_first(inside):
    with clock.at(clock.now() + stepup.FRESH * 1.1):
        assert inside.get("/account/password/")["Location"].startswith("/confirm")
        assert change(inside)["Location"].startswith("/confirm")
    assert not Event.objects.filter(name="account:set-password").exists()


def test_guessing_the_current_pass_word_is_slow_and_recorded(inside):
    for number in range(factors_tries.LIMIT):
        assert change(inside, current=f"guess-{number}").status_code == 422
    answer = change(inside)
    assert answer.status_code == 429
    assert "15分" in answer.content.decode()
    said = [
        json.loads(bytes(row.payload))["data"] for row in Event.objects.filter(name="session:step-up").order_by("id")
    ]
    assert said[0] == {"by": "password", "reason": "credentials"}
    assert said[-1] == {"by": "password", "reason": "locked-out"}


def test_who_has_no_pass_word_is_told_so(inside, sato):
    sato.set_unusable_password()
    sato.save()
    client = Client()
    client.force_login(sato)
    assert client.get("/account/password/")["Location"] == "/account/"
    assert "/account/password/" not in client.get("/account/").content.decode()


def test_fields_for_pass_words_let_managers_and_pasting_work(inside, client):
    for page in (inside.get("/account/password/"), client.get("/login"), client.get("/start")):
        text = page.content.decode()
        assert 'type="password"' in text
        assert 'autocomplete="off"' not in text
        assert "onpaste" not in text
        assert "data-show-passwords" in text
        assert 'maxlength="256"' in text


def test_counting_survives_strange_requests(rf):
    assert throttle.counted_network(rf.get("/", REMOTE_ADDR="unix:")) is None
    assert throttle.counted_name(rf.post("/login", {"username": "Ｓato@Sakura.example "})) == MAIL
