"""Who can log in at all, and what ends at once when an office ends: the session, the access, the tokens."""

from __future__ import annotations

import datetime as dt
import json

import pytest
from django.test import Client

from kitei.foundation import clock, transactions
from kitei.foundation.tenancy.ids import uuid7
from kitei.trust.access import rule, second
from kitei.trust.access.models import Membership
from kitei.trust.accounts import tokens
from kitei.trust.accounts.models import AccountSession, Factor, OidcIdentity
from kitei.trust.accounts.ways_in import can_log_in, has_way
from kitei.trust.auditlog.models import Event
from kitei.web.accounts import operations, queries

pytestmark = pytest.mark.django_db
ALLOWED = {"allowed": True, "reasons": ["face:cli"]}
ISSUER = "https://login.example.jp"


def without_password(user):
    user.set_unusable_password()
    user.save()
    return user


def passkey(user, kind="passkey"):
    Factor.objects.create(
        organization=user.organization, user=user, kind=kind, data=b"", lookup=uuid7().hex, created_at=clock.now()
    )


def pin(user, issuer=ISSUER):
    OidcIdentity.objects.create(
        organization=user.organization, user=user, issuer=issuer, subject=uuid7().hex, linked_at=clock.now()
    )


# Ways in


def test_a_pass_word_a_passkey_or_a_pinned_subject_is_a_way_in(member, sakura, tsubaki, settings):
    settings.OIDC_ISSUER = ISSUER
    by_password = member("佐藤 恵子")[1]
    by_passkey, by_provider, by_old_provider, by_app, invited = (
        without_password(member(name)[1]) for name in ("森 楓", "髙橋 誠", "田中 一郎", "鈴木 太郎", "吉田 次郎")
    )
    stopped = member("山口 春")[1]
    type(stopped).objects.filter(pk=stopped.pk).update(is_active=False)
    member("椿 花子", organization=tsubaki)
    passkey(by_passkey)
    passkey(by_app, "totp")
    pin(by_provider)
    pin(by_old_provider, "https://former.example.jp")
    assert set(can_log_in(sakura)) == {by_password, by_passkey, by_provider}
    assert not has_way(invited)
    settings.OIDC_ISSUER = ""
    assert set(can_log_in(sakura)) == {by_password, by_passkey}, "a provider that is set no more lets nobody in"


def test_pages_and_the_second_person_know_who_logs_in_without_a_pass_word(member, sakura, settings):
    settings.OIDC_ISSUER = ISSUER
    sato = member("佐藤 恵子", "security-officer")
    mori = member("森 楓", "chief-officer")
    without_password(mori[1])
    standing = lambda: queries.standings(actor=sato[0], users=[mori[1]])[0].state  # noqa: E731  asked twice
    found = lambda state: {  # noqa: E731
        row.name for row in queries.page(actor=sato[0], text="", state=state, after="", before="").rows
    }
    assert (standing(), found("waiting"), found("open")) == ("waiting", {"森 楓"}, {"佐藤 恵子"})
    assert not second.others(actor=sato[0], organization=sakura)
    pin(mori[1])
    assert (standing(), found("waiting"), found("open")) == ("open", set(), {"佐藤 恵子", "森 楓"})
    assert second.others(actor=sato[0], organization=sakura)
    console = rule.Actor("cli", "operator", sakura, "cli:operator")
    assert transactions.durable(lambda: operations.stop(actor=console, user=sato[1])), "mori can manage"


# Dismissal


@pytest.fixture
def keiko(member):
    return member("佐藤 恵子", "security-officer", mail="keiko@sakura.example")[1]


def token_of(user):
    return transactions.durable(
        lambda: tokens.create(user=user, actor=("cli", "operator"), decision=ALLOWED, ttl=tokens.life("30d"))
    )[1]


def ask(secret):
    return Client().get("/api/v1/log", headers={"authorization": f"Bearer {secret}"})


def said(name, key="why"):
    return [json.loads(bytes(row.payload))["data"][key] for row in Event.objects.filter(name=name).order_by("id")]


def log_in(user):
    client = Client()
    client.post("/login", {"username": user.email, "password": "tsukushi-no-michi-2026"})
    return client


def test_a_dismissed_officer_is_out_everywhere_on_the_next_request(keiko):
    tokens.pace.reset()
    client, secret = log_in(keiko), token_of(keiko)
    assert (client.get("/accounts/").status_code, ask(secret).status_code) == (200, 200)
    with clock.at(clock.now() + dt.timedelta(minutes=1)):
        Membership.objects.update(ends_at=clock.now())
        answer = client.get("/accounts/")
        assert answer["Location"] == "/login?next=/accounts/"
        assert said("session:end") == ["dismissed"]
        assert ask(secret).status_code == 401
        assert said("token:refuse", "reason") == ["dismissed"]
        assert Event.objects.filter(name="token:end").count() == 1
        assert ask(secret).status_code == 401
        again = log_in(keiko)
        assert again.get("/account/").status_code == 200, "the person is still a member"
        assert again.get("/accounts/").status_code == 404, "without the office"
        assert ask(token_of(keiko)).status_code == 404, "a new token reads no more than its owner"


def test_a_dismissal_before_the_first_page_ends_the_log_in_too(keiko):
    client = log_in(keiko)
    assert AccountSession.objects.get().roles == "security-officer"
    Membership.objects.update(ends_at=clock.now())
    assert client.get("/account/").status_code == 302


def test_an_end_entered_beforehand_works_at_its_instant_without_any_job(keiko):
    tokens.pace.reset()
    end = clock.start_of(clock.today() + dt.timedelta(days=1))
    with clock.at(end - dt.timedelta(minutes=10)):
        client, secret = log_in(keiko), token_of(keiko)
        Membership.objects.update(ends_at=end)
    with clock.at(end - dt.timedelta(seconds=1)):
        assert (client.get("/accounts/").status_code, ask(secret).status_code) == (200, 200)
    with clock.at(end):
        assert (client.get("/accounts/").status_code, ask(secret).status_code) == (302, 401)
        assert log_in(keiko).get("/accounts/").status_code == 404


def test_a_voided_appointment_ends_both(keiko):
    tokens.pace.reset()
    client, secret = log_in(keiko), token_of(keiko)
    with clock.at(clock.now() + dt.timedelta(minutes=1)):
        Membership.objects.update(voided_at=clock.now())
        assert (client.get("/account/").status_code, ask(secret).status_code) == (302, 401)


def test_a_renewed_term_and_one_more_office_end_nothing(keiko):
    tokens.pace.reset()
    client, secret = log_in(keiko), token_of(keiko)
    with clock.at(clock.now() + dt.timedelta(minutes=1)):
        Membership.objects.update(ends_at=clock.now())
        for role in ("security-officer", "privacy-officer"):
            Membership.objects.create(
                organization=keiko.organization, principal=keiko.principal, role=role, starts_at=clock.now(),
                source_kind="appointment", source_id=uuid7(), recorded_at=clock.now(),
            )  # fmt: skip
        assert (client.get("/accounts/").status_code, ask(secret).status_code) == (200, 200)


def test_an_office_that_ended_before_the_token_was_made_is_no_matter(keiko):
    tokens.pace.reset()
    Membership.objects.update(ends_at=clock.now() - dt.timedelta(days=1))
    assert Client().get("/api/v1/me", headers={"authorization": f"Bearer {token_of(keiko)}"}).status_code == 200
