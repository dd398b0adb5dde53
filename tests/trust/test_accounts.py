from __future__ import annotations

import datetime as dt
import json

import pytest
from django.contrib.auth import authenticate
from django.test import RequestFactory

from kitei.foundation import clock, transactions
from kitei.foundation.text import UserError
from kitei.trust.accounts import operations
from kitei.trust.accounts.models import OneTimeCode, User
from kitei.trust.auditlog.models import Event, Opening

MAIL = "hanako@sakura.example"
GOOD = "mizu-no-oto-matsuri-2026"
BY = ("cli", "operator")


def create(organization, **more):
    facts = {"actor": BY, "organization": organization, "email": MAIL, "name": "佐藤花子", **more}
    return transactions.durable(lambda: operations.create_user(**facts))


def issue(user):
    return transactions.durable(lambda: operations.issue_code(user=user))


def redeem(code, *, email=MAIL, password=GOOD):
    return transactions.durable(lambda: operations.redeem_code(email=email, code=code, password=password))


def log_in(email, password):
    return authenticate(RequestFactory().post("/login"), username=email, password=password)


def test_a_new_account_cannot_log_in_before_its_code_is_redeemed(sakura):
    user = create(sakura)
    assert not user.has_usable_password()
    assert log_in(MAIL, GOOD) is None
    redeem(issue(user))
    assert log_in(MAIL, GOOD) == user
    assert log_in(MAIL.upper(), GOOD) == user, "the case of a mail address does not matter"


def test_a_code_works_once(sakura):
    code = issue(create(sakura))
    redeem(code)
    with pytest.raises(UserError, match="新しいコード"):
        redeem(code, password=GOOD + "-b")
    assert log_in(MAIL, GOOD)


def test_a_code_may_be_typed_as_people_type(sakura):
    code = issue(create(sakura))
    redeem(code.lower().replace("-", " "))


def test_a_code_expires(sakura):
    code = issue(create(sakura))
    with clock.at(clock.now() + operations.CODE_LIFE), pytest.raises(UserError):
        redeem(code)
    with clock.at(clock.now() + operations.CODE_LIFE - dt.timedelta(seconds=1)):
        redeem(code)


@pytest.mark.parametrize("wrong", ["", "AAAAA-AAAAA-AAAAA-AAAAA"])
def test_a_wrong_code_opens_nothing(sakura, wrong):
    issue(create(sakura))
    with pytest.raises(UserError):
        redeem(wrong)
    assert OneTimeCode.objects.get().used_at is None


def test_a_code_opens_only_the_account_it_was_issued_for(sakura):
    code = issue(create(sakura))
    create(sakura, email="taro@sakura.example", name="鈴木太郎")
    with pytest.raises(UserError):
        redeem(code, email="taro@sakura.example")
    redeem(code)


def test_a_code_of_a_closed_account_opens_nothing(sakura):
    user = create(sakura)
    code = issue(user)
    User.objects.filter(id=user.id).update(is_active=False)
    with pytest.raises(UserError):
        redeem(code)


def test_only_the_digest_of_a_code_is_kept_and_codes_are_easy_to_read(sakura):
    user = create(sakura)
    code = issue(user)
    assert code not in OneTimeCode.objects.get().digest
    assert not set(code.replace("-", "")) & set("IO01")
    assert len(code.replace("-", "")) == 20
    assert issue(user) != code


@pytest.mark.parametrize("weak", ["", "mijikai", "123456789987654321", "hanako@sakura.example", "1q2w3e4r5t6y7u8i"])
def test_a_weak_password_is_refused_and_the_code_stays(sakura, weak):
    code = issue(create(sakura))
    with pytest.raises(UserError):
        redeem(code, password=weak)
    redeem(code)


@pytest.mark.parametrize("email", [MAIL, MAIL.upper()])
def test_a_mail_address_has_one_account(sakura, tsubaki, email):
    create(sakura)
    with pytest.raises(UserError, match="すでにあります"):
        create(tsubaki, email=email)


@pytest.mark.parametrize("email", ["", "hanako", "hanako@", "花子@sakura example"])
def test_a_bad_mail_address_is_refused(sakura, email):
    with pytest.raises(UserError, match="形になっていません"):
        create(sakura, email=email)
    assert not User.objects.exists()


def test_what_happens_to_an_account_is_recorded_without_its_name_or_secrets(sakura):
    user = create(sakura)
    code = issue(user)
    redeem(code)
    names = list(Event.objects.order_by("id").values_list("name", flat=True))
    assert names == ["account:create", "account:issue-code", "account:set-password"]
    everything = b"".join(bytes(event.payload) for event in Event.objects.all()).decode()
    for secret in (MAIL, "佐藤", code, GOOD, user.password):
        assert secret not in everything


def test_a_failed_log_in_is_recorded_with_what_was_typed_only_as_a_commitment(sakura):
    user = create(sakura)
    log_in(MAIL, "wrong")
    log_in("Himitsu-no-kotoba-99", "wrong")
    known, unknown = Event.objects.filter(name="session:login-failed").order_by("id")
    assert (known.object_id, known.outcome) == (str(user.id), "refused")
    assert unknown.object_id == ""
    assert "Himitsu" not in bytes(unknown.payload).decode()
    assert Opening.objects.get(event_id=unknown.id).value == "Himitsu-no-kotoba-99"
    assert "wrong" not in json.dumps([opening.value for opening in Opening.objects.all()])


def test_log_in_and_out_are_recorded(sakura, client):
    user = create(sakura)
    redeem(issue(user))
    client.login(request=RequestFactory().post("/login"), username=MAIL, password=GOOD)
    client.logout()
    names = Event.objects.order_by("id").values_list("name", flat=True)
    assert [name for name in names if name.startswith("session:")] == ["session:login", "session:logout"]


def test_a_language_is_kept_and_recorded_once(sakura):
    user = create(sakura)
    for _ in range(2):
        transactions.durable(lambda: operations.set_language(user=user, language="en"))
    assert User.objects.get().language == "en"
    assert Event.objects.filter(name="account:set-language").count() == 1
