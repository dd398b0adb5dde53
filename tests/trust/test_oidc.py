"""Log-in through a real OpenID provider on this machine: who gets in, who does not, and what a false token is worth."""

from __future__ import annotations

import json
import urllib.request
from urllib.parse import parse_qs, urlsplit

import jwt
import pytest
from cryptography.hazmat.primitives.asymmetric import rsa
from django.test import Client

from kitei.foundation import transactions
from kitei.trust.accounts import factors, oidc, operations, stepup
from kitei.trust.accounts.models import OidcIdentity, OneTimeCode, User
from kitei.trust.auditlog.models import Event
from trust.small_provider import CLIENT, SECRET, provider

pytestmark = pytest.mark.django_db
MAIL = "sato@sakura.example"


@pytest.fixture
def small(settings):
    with provider() as found:
        settings.OIDC_ISSUER, settings.OIDC_CLIENT_ID, settings.OIDC_CLIENT_SECRET = found.issuer, CLIENT, SECRET
        oidc._provider.clear()
        oidc._keys.clear()
        yield found


@pytest.fixture
def invited(sakura, operator):
    """佐藤 has been invited and never logged in."""
    user = transactions.durable_or_join(
        lambda: operations.create_user(actor=operator.ref, organization=sakura, email=MAIL, name="佐藤 恵子")
    )
    operations.issue_code(user=user)
    return user


class NoRedirect(urllib.request.HTTPRedirectHandler):
    def redirect_request(self, *_args):
        return None


def leave(client, to="/changes/"):
    """Press the button; return where Kitei sends the browser."""
    return client.get(f"/login/oidc?next={to}")["Location"]


def agree(address):
    """What the browser does at the provider, over a real socket; return the address it is sent back to."""
    try:
        urllib.request.build_opener(NoRedirect).open(address, timeout=10)
    except urllib.error.HTTPError as answer:
        with answer:
            return answer.headers["Location"]
    raise AssertionError("the provider sent nobody back")


def log_in(client):
    back = urlsplit(agree(leave(client)))
    return client.get(f"{back.path}?{back.query}")


def is_in(client):
    return "_auth_user_id" in client.session


def failures():
    return [
        json.loads(bytes(row.payload))["data"]["reason"] for row in Event.objects.filter(name="session:login-failed")
    ]


def test_an_invited_person_is_linked_once_and_then_known_by_the_subject(small, invited, client):
    answer = log_in(client)
    assert (answer.status_code, answer["Location"], is_in(client)) == (302, "/changes/", True)
    assert client.session[stepup.STRENGTH] == "oidc"
    assert OidcIdentity.objects.get().subject == "4711"
    assert not OneTimeCode.objects.filter(used_at__isnull=True).exists(), "the invitation is used up"
    small.claims |= {"email": "married@sakura.example", "email_verified": False}
    other = Client()
    log_in(other)
    assert other.session["_auth_user_id"] == str(invited.pk), "the subject counts, not the address"
    assert Event.objects.filter(name="factor:link-oidc").count() == 1
    assert json.loads(bytes(Event.objects.filter(name="session:login").last().payload))["strength"] == "oidc"


def test_state_nonce_and_pkce_are_sent_and_differ_each_time(small, client):
    first, second = (parse_qs(urlsplit(leave(client)).query) for _ in range(2))
    for name in ("state", "nonce", "code_challenge"):
        assert len(first[name][0]) >= 32
        assert first[name] != second[name]
    assert first["code_challenge_method"] == ["S256"]
    assert first["response_type"] == ["code"]


@pytest.mark.parametrize(
    "claims",
    [
        {"email_verified": False},
        {"email_verified": "true"},
        {"email": "nobody@sakura.example"},
    ],
)
def test_an_address_not_verified_or_not_known_lets_nobody_in_and_makes_no_account(small, invited, client, claims):
    small.claims |= claims
    assert log_in(client)["Location"] == "/login"
    assert not is_in(client)
    assert User.objects.count() == 1
    assert failures() == ["oidc-unknown"]


def test_who_was_not_invited_is_not_linked(small, member, client):
    member("佐藤 恵子", mail=MAIL)
    log_in(client)
    assert not is_in(client)
    assert not OidcIdentity.objects.exists()


def test_a_second_subject_with_the_same_address_is_not_linked(small, invited, client):
    log_in(client)
    operations.issue_code(user=invited)
    small.claims["sub"] = "4712"
    other = Client()
    log_in(other)
    assert not is_in(other)


def test_a_stopped_account_stays_out(small, invited, client):
    log_in(client)
    User.objects.update(is_active=False)
    other = Client()
    log_in(other)
    assert not is_in(other)


FALSE = {
    "another issuer": {"iss": "https://evil.example"},
    "another audience": {"aud": "other"},
    "made for another client": {"aud": ["kitei", "other"], "azp": "other"},
    "several without azp": {"aud": ["kitei", "other"]},
    "another nonce": {"nonce": "n"},
    "no subject": {"sub": ""},
    "expired": {"exp": 1_700_000_000},
    "from the future": {"iat": 4_000_000_000},
}


@pytest.mark.parametrize("claims", FALSE.values(), ids=FALSE.keys())
def test_a_token_that_is_not_for_us_now_lets_nobody_in(small, invited, client, claims):
    small.claims |= claims
    log_in(client)
    assert not is_in(client)
    assert failures() == ["oidc"]


def test_a_token_signed_by_another_key_or_by_none_lets_nobody_in(small, invited, client):
    wrong = rsa.generate_private_key(public_exponent=65537, key_size=2048)
    signers = [
        lambda claims: jwt.encode(claims, wrong, algorithm="RS256", headers={"kid": "first"}),
        lambda claims: jwt.encode(claims, wrong, algorithm="RS256", headers={"kid": "unknown"}),
        lambda claims: jwt.encode(claims, None, algorithm="none"),
        lambda claims: jwt.encode(claims, SECRET.ljust(32, "x"), algorithm="HS256", headers={"kid": "first"}),
        lambda claims: "no.token.at-all",
    ]
    for sign in signers:
        small.sign = sign
        log_in(client)
        assert not is_in(client)
    assert failures() == ["oidc"] * len(signers)


def test_a_new_key_of_the_provider_is_fetched(small, invited, client, monkeypatch):
    log_in(client)
    small.key = rsa.generate_private_key(public_exponent=65537, key_size=2048)
    small.kid, small.published = "second", {"second": small.key}
    monkeypatch.setattr(oidc, "REFETCH_SECONDS", -1)
    other = Client()
    log_in(other)
    assert is_in(other)


def test_an_answer_comes_back_once_and_only_to_who_left(small, invited, client):
    back = urlsplit(agree(leave(client)))
    stranger = Client()
    stranger.get(f"{back.path}?{back.query}")
    assert not is_in(stranger)
    tampered = back.query.replace("state=", "state=x")
    client.get(f"{back.path}?{tampered}")
    assert not is_in(client), "a wrong state uses the journey up"
    client.get(f"{back.path}?{back.query}")
    assert not is_in(client)


def test_an_answer_that_names_another_issuer_never_hands_out_its_code(small, invited, client):
    back = urlsplit(agree(leave(client)))
    small.asked.clear()
    client.get(f"{back.path}?{back.query.split('&iss=')[0]}&iss=https%3A%2F%2Fevil.example")
    assert not is_in(client)
    assert "/realm/token" not in small.asked


def test_a_provider_that_calls_itself_otherwise_or_is_away_is_said_on_the_log_in_page(small, client, sakura):
    small.says_issuer = "https://other.example"
    answer = client.get("/login/oidc", follow=True)
    assert "認証基盤でのログインができませんでした" in answer.content.decode()
    small.says_issuer = small.issuer
    assert leave(client).startswith(small.issuer)


def test_without_a_provider_there_is_no_such_address(client, sakura):
    assert client.get("/login/oidc").status_code == 404
    assert client.get("/login/oidc/return").status_code == 404
    assert "認証基盤" not in client.get("/login").content.decode()


def test_a_second_factor_is_still_asked_unless_a_setting_believes_the_provider(small, invited, client, settings):
    log_in(client)
    secret = b"12345678901234567890"
    factors.Factor.objects.create(
        organization=invited.organization, user=invited, kind="totp", data=factors.seal_secret(invited, secret),
        created_at=invited.created_at,
    )  # fmt: skip
    small.claims["amr"] = ["pwd", "mfa"]
    other = Client()
    assert log_in(other)["Location"] == "/login/second"
    assert not is_in(other)
    settings.OIDC_SECOND_FACTOR = frozenset({"mfa"})
    assert log_in(other)["Location"] == "/changes/"
    assert other.session[stepup.STRENGTH] == "oidc+mfa"


def test_going_back_to_an_address_of_others_is_refused(small, invited, client):
    back = urlsplit(agree(leave(client, to="https://evil.example/")))
    assert client.get(f"{back.path}?{back.query}")["Location"] == "/"
    other = Client()
    back = urlsplit(agree(leave(other, to="//evil.example/")))
    assert other.get(f"{back.path}?{back.query}")["Location"] == "/"


def test_who_has_no_pass_word_proves_himself_at_the_provider(small, invited, client):
    log_in(client)
    session = client.session
    session[stepup.PROVEN] = 0.0
    session.save()
    assert "認証基盤で確かめる" in client.get("/confirm?next=/changes/").content.decode()
    address = leave(client)
    assert parse_qs(urlsplit(address).query)["prompt"] == ["login"]
    back = urlsplit(agree(address))
    assert client.get(f"{back.path}?{back.query}")["Location"] == "/changes/"
    assert client.session[stepup.PROVEN] > 0
    small.claims["auth_time"] = 1_700_000_000
    session = client.session
    session[stepup.PROVEN] = 0.0
    session.save()
    back = urlsplit(agree(leave(client)))
    client.get(f"{back.path}?{back.query}")
    assert client.session[stepup.PROVEN] == 0.0, "an old log-in there proves nothing now"
