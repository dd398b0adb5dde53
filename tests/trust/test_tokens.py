"""API tokens: shown once, kept as a digest, cut to reading, ended with their owner; wrong ones recorded, slowly."""

from __future__ import annotations

import datetime as dt
import json

import pytest
from django.test import Client

from kitei import cli
from kitei.foundation import clock, transactions
from kitei.foundation.text import UserError
from kitei.trust.access import rule
from kitei.trust.accounts import invitations, tokens
from kitei.trust.accounts.models import ApiToken, User
from kitei.trust.auditlog.models import Event
from kitei.web.accounts import operations

pytestmark = pytest.mark.django_db
BY = ("cli", "operator")
ALLOWED = {"allowed": True, "reasons": ["face:cli"]}


@pytest.fixture(autouse=True)
def _fresh_pace():
    tokens.pace.reset()


@pytest.fixture
def keiko(member):
    return member("佐藤 恵子", "security-officer")


@pytest.fixture
def taro(member):
    return member("鈴木 太郎")


def make(user, *, ttl="1h", **more):
    return transactions.durable(
        lambda: tokens.create(user=user, actor=BY, decision=ALLOWED, ttl=tokens.life(ttl), **more)
    )


def ask(secret, path="/api/v1/me"):
    return Client().get(path, headers={"authorization": f"Bearer {secret}"})


def refusals():
    rows = Event.objects.filter(name="token:refuse").order_by("id")
    return [json.loads(bytes(row.payload))["data"] for row in rows]


def test_a_token_opens_the_api_as_its_owner(taro):
    _token, secret = make(taro[1])
    answer = ask(secret)
    assert answer.status_code == 200
    assert answer.json()["name"] == "鈴木 太郎"
    assert answer.json()["actions"] == ["list", "view"]
    assert answer["Cache-Control"] == "no-store"
    assert ApiToken.objects.get().last_used_at == clock.now()


def test_the_token_itself_is_nowhere(taro):
    token, secret = make(taro[1], label="月次報告")
    kept = " ".join(str(value) for value in ApiToken.objects.filter(pk=token.pk).values_list()[0])
    assert secret not in kept
    assert secret.startswith(token.prefix)
    assert len(token.prefix) < 16
    told = b"".join(bytes(event.payload) for event in Event.objects.all())
    assert secret.encode() not in told
    assert token.prefix.encode() not in told
    assert "月次報告".encode() not in told


def test_a_wrong_token_is_refused_and_recorded(taro):
    _token, secret = make(taro[1])
    for wrong in (secret[:-1] + ("A" if secret[-1] != "A" else "B"), "kitei_", "", "ü" * 30, "x" * 500):
        answer = ask(wrong)
        assert answer.status_code == 401
        assert answer.json()["error"]["code"] == "unauthorised"
    assert refusals() == [{"reason": "unknown"}] * 5


def test_wrong_tokens_are_recorded_at_a_pace(taro):
    for _ in range(25):
        ask("kitei_nonsense")
    assert len(refusals()) == 20
    tokens.pace.began -= 61
    ask("kitei_nonsense")
    assert refusals()[-1] == {"reason": "unknown", "left_out": 5}


def test_an_expired_token_opens_nothing(taro):
    _token, secret = make(taro[1], ttl="30m")
    with clock.at(clock.now() + dt.timedelta(minutes=29)):
        assert ask(secret).status_code == 200
    with clock.at(clock.now() + dt.timedelta(minutes=30)):
        assert ask(secret).status_code == 401
    assert refusals() == [{"reason": "expired"}]


def test_a_token_ends_with_its_account(taro):
    _token, secret = make(taro[1])
    transactions.durable(lambda: invitations.stop(user=taro[1], actor=BY, decision=ALLOWED))
    assert ask(secret).status_code == 401
    transactions.durable(lambda: invitations.reopen(user=taro[1], actor=BY, decision=ALLOWED))
    assert ask(secret).status_code == 401, "what was ended stays ended"
    assert refusals() == [{"reason": "ended"}] * 2


def test_a_token_never_does_more_than_reading(keiko):
    actor, user = keiko
    assert rule.decide(actor, rule.EDIT, rule.Target("document", organization=user.organization)).allowed
    cut = rule.Actor(
        "member", str(user.pk), user.organization, principal=user.principal, only=frozenset({rule.LIST, rule.VIEW})
    )
    for action in rule.ACTIONS:
        decision = rule.decide(cut, action, rule.Target("document", organization=user.organization))
        assert decision.allowed is (action in {rule.LIST, rule.VIEW}), action


def test_a_wrong_header_is_not_healed_by_a_session(taro):
    client = Client()
    client.force_login(taro[1])
    assert client.get("/api/v1/me").status_code == 200
    assert client.get("/api/v1/me", headers={"authorization": "Bearer kitei_x"}).status_code == 401
    assert client.get("/api/v1/me", headers={"authorization": "Basic Zm9vOmJhcg=="}).status_code == 401


@pytest.mark.parametrize("text", ["", "1", "0h", "-1h", "1w", "400d", "1.5h", "９h", "999999d"])
def test_a_length_that_is_none_is_refused(text):
    with pytest.raises(UserError):
        tokens.life(text)


@pytest.mark.parametrize(("text", "length"), [("30m", 1800), ("1h", 3600), ("366d", 366 * 86400)])
def test_lengths(text, length):
    assert tokens.life(text).total_seconds() == length


def test_the_owner_makes_and_ends_a_token_on_the_own_page(taro):
    client = Client()
    client.force_login(taro[1])
    said = client.post("/account/", {"label": "月次報告の集計", "ttl": "30d"}).content.decode()
    token = ApiToken.objects.get()
    assert said.count("kitei_") >= 2  # the secret once, its beginning in the list
    secret = next(
        part
        for part in said.replace("<", " ").replace(">", " ").split()
        if len(part) > 40 and part.startswith("kitei_")
    )
    assert ask(secret).status_code == 200
    assert secret not in client.get("/account/").content.decode(), "shown once"
    client.post("/account/act/", {"do": "end-token", "id": str(token.pk)})
    assert ask(secret).status_code == 401


def test_an_editor_ends_anybodys_token_and_makes_none_for_others(taro, keiko, stranger):
    token, secret = make(taro[1])
    with pytest.raises(rule.Refused):
        transactions.durable(lambda: operations.create_token(actor=keiko[0], user=taro[1], ttl=dt.timedelta(hours=1)))
    with pytest.raises(rule.Refused):
        transactions.durable(lambda: operations.end_token(actor=taro[0], user=keiko[1], token=token.pk))
    transactions.durable(lambda: operations.end_token(actor=keiko[0], user=taro[1], token=token.pk))
    assert ask(secret).status_code == 401


def test_there_is_an_end_to_the_number_of_tokens(taro):
    for _ in range(tokens.MOST):
        make(taro[1])
    with pytest.raises(UserError, match="20"):
        make(taro[1])


def test_the_command_prints_a_token_once(taro, capsys, monkeypatch, settings):
    monkeypatch.setenv("KITEI_DATA", str(settings.DATA))
    user = User.objects.get(pk=taro[1].pk)
    assert cli.main(["token", "create", "--user", user.email, "--scope", "read", "--ttl", "1h"]) == 0
    secret = capsys.readouterr().out.splitlines()[0]
    assert ask(secret).status_code == 200
    assert json.loads(bytes(Event.objects.get(name="token:create").payload))["actor"][0] == "cli"
    assert cli.main(["token", "create", "--user", "佐々木 花", "--scope", "read"]) == 2
    assert cli.main(["token", "create", "--user", user.email, "--ttl", "2y"]) == 2
