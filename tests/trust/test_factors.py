"""Second factors: the ceremonies, who must have one, throttling, and what the log says of it."""

from __future__ import annotations

import datetime as dt
import json
import re

import pytest
from django.test import Client
from factor_hands import MAIL, PASSWORD, SECRET, code_now, events, second, sign_in, with_app
from hypothesis import given
from hypothesis import strategies as st

from kitei.foundation import clock, transactions
from kitei.foundation.text import UserError
from kitei.trust.access import factors as access_factors
from kitei.trust.access import rule
from kitei.trust.accounts import closing, factors, factors_sealing, factors_totp, factors_tries, operations, stepup
from kitei.trust.accounts.models import Factor, FactorTries, RecoveryCode

pytestmark = pytest.mark.django_db
RFC = [(59, "94287082"), (1111111109, "07081804"), (1234567890, "89005924"), (20000000000, "65353130")]
"""RFC 6238 appendix B, SHA-1; ours are the last six of the eight digits."""


@pytest.fixture(autouse=True)
def _officers_need_one(settings):
    settings.SECOND_FACTOR = "officers"


@pytest.fixture
def sato(member):
    return member("佐藤 恵子", "security-officer", mail=MAIL)[1]


def is_in(client):
    return "_auth_user_id" in client.session


# Codes


@pytest.mark.parametrize(("at", "eight"), RFC)
def test_codes_are_those_of_the_standard(at, eight):
    assert factors_totp.code_at(SECRET, at // 30) == eight[-6:]
    assert factors_totp.step_of(SECRET, f" {eight[-6:-3]} {eight[-3:]}", at=at) == at // 30


@given(st.integers(-5, 5), st.integers(0, 2_000_000_000))
def test_a_code_counts_one_step_either_side_and_no_further(off, at):
    step = at // 30 + 10
    found = factors_totp.step_of(SECRET, factors_totp.code_at(SECRET, step + off), at=step * 30)
    assert (found is not None) or abs(off) > 1
    if abs(off) > 1 and found is not None:  # two steps may share a code by chance
        assert factors_totp.code_at(SECRET, found) == factors_totp.code_at(SECRET, step + off)


@pytest.mark.parametrize("typed", ["", "12345", "1234567", "abcdef", "１２３", "-12345", "12 34 5"])
def test_what_is_no_code_is_wrong(typed):
    assert factors_totp.step_of(SECRET, typed, at=59) is None


def test_digits_of_a_japanese_keyboard_are_taken():
    assert factors_totp.step_of(SECRET, "２８７０８２", at=59) == 1


@given(st.binary(max_size=64), st.text(max_size=20), st.text(max_size=20))
def test_a_sealed_secret_opens_for_its_owner_only(secret, owner, other):
    sealed = factors_sealing.seal(secret, purpose="totp", about=owner)
    assert factors_sealing.unseal(sealed, purpose="totp", about=owner) == secret
    if other != owner:
        with pytest.raises(factors_sealing.SealBrokenError):
            factors_sealing.unseal(sealed, purpose="totp", about=other)
    with pytest.raises(factors_sealing.SealBrokenError):
        factors_sealing.unseal(sealed, purpose="other", about=owner)


def test_another_secret_key_opens_nothing(sato, settings):
    with_app(sato)
    settings.SECRET_KEY = "another"
    assert not transactions.durable_or_join(lambda: factors.use_totp(user=sato, code=code_now()))


# Log-in


def test_the_pass_word_alone_logs_nobody_in_who_has_a_factor(sato, client):
    with_app(sato)
    assert sign_in(client, to="/registers/member/")["Location"] == "/login/second"
    assert not is_in(client)
    assert client.get("/").status_code == 302
    answer = second(client, code_now())
    assert (answer["Location"], is_in(client)) == ("/registers/member/", True)
    assert events("session:login")[-1]["strength"] == "password+totp"
    client.get("/registers/member/export.csv")
    assert events("register:export")[-1]["strength"] == "password+totp"


def test_a_code_is_good_once(sato, client):
    with_app(sato)
    sign_in(client)
    code = code_now()
    second(client, code)
    thief = Client()
    sign_in(thief)
    answer = second(thief, code)
    assert (answer.status_code, is_in(thief)) == (422, False)
    assert second(thief, code_now(later=30))["Location"] == "/", "the next one is"


def test_an_older_code_than_the_last_one_is_refused(sato):
    with_app(sato)
    use = lambda code: transactions.durable_or_join(lambda: factors.use_totp(user=sato, code=code))  # noqa: E731  three calls
    assert use(code_now(later=30))
    assert not use(code_now())


def test_a_wrong_code_is_said_recorded_and_counted(sato, client):
    with_app(sato)
    sign_in(client)
    answer = second(client, "000000" if code_now() != "000000" else "111111")
    assert answer.status_code == 422
    assert "確認できませんでした" in answer.content.decode()
    assert events("session:login-failed")[-1]["data"] == {"reason": "second-factor"}


def test_too_many_wrong_codes_shut_this_address_and_no_other(sato, client):
    with_app(sato)
    sign_in(client)
    wrong = "000000" if code_now() != "000000" else "111111"
    for _ in range(factors_tries.LIMIT):
        second(client, wrong)
    answer = second(client, code_now())
    assert answer.status_code == 429
    assert "15分" in answer.content.decode()
    assert not is_in(client)
    assert events("session:login-failed")[-1]["data"] == {"reason": "locked-out"}
    again = Client()  # another session of the same address gains nothing
    sign_in(again)
    second(again, code_now())
    assert not is_in(again)
    owner = Client(REMOTE_ADDR="192.0.2.7")
    sign_in(owner)
    second(owner, code_now())
    assert is_in(owner), "nobody locks the owner out"
    with clock.at(clock.now() + factors_tries.SPAN):
        sign_in(client)
        second(client, code_now())
    assert is_in(client)


def test_single_addresses_of_one_ipv6_household_share_a_count(sato):
    with_app(sato)
    for number in range(factors_tries.LIMIT):
        client = Client(REMOTE_ADDR=f"2001:db8::{number + 1}")
        sign_in(client)
        second(client, "x")
    last = Client(REMOTE_ADDR="2001:db8::ffff")
    sign_in(last)
    second(last, code_now())
    assert not is_in(last)
    assert not FactorTries.objects.filter(origin__contains="2001").exists(), "no address in clear"


def test_many_addresses_share_the_accounts_limit_and_recovery_codes_go_on(sato, monkeypatch):
    with_app(sato)
    codes = transactions.durable_or_join(lambda: factors.make_recovery_codes(user=sato))
    monkeypatch.setattr(factors_tries, "ACCOUNT_LIMIT", 5)
    for number in range(6):
        client = Client(REMOTE_ADDR=f"192.0.2.{number}")
        sign_in(client)
        second(client, "x")
    owner = Client(REMOTE_ADDR="198.51.100.1")
    sign_in(owner)
    second(owner, code_now())
    assert not is_in(owner)
    second(owner, codes[0], way="recovery")
    assert is_in(owner)


def test_who_has_not_shown_the_pass_word_gets_no_page_for_codes(sato, client):
    with_app(sato)
    assert client.get("/login/second")["Location"] == "/login"
    assert second(client, code_now())["Location"] == "/login"


def test_the_first_proof_does_not_outlive_ten_minutes_or_a_new_pass_word(sato, client):
    with_app(sato)
    sign_in(client)
    with clock.at(clock.now() + dt.timedelta(minutes=11)):
        second(client, code_now())
    assert not is_in(client)
    sign_in(client)
    sato.set_password("atarashii-kotoba-2026")
    sato.save()
    second(client, code_now())
    assert not is_in(client)


def test_a_stopped_account_does_not_get_past_the_second_page(sato, client):
    with_app(sato)
    sign_in(client)
    type(sato).objects.update(is_active=False)
    second(client, code_now())
    assert not is_in(client)


# Recovery codes


def test_ten_codes_each_good_once_and_only_hashed(sato, client):
    with_app(sato)
    codes = transactions.durable_or_join(lambda: factors.make_recovery_codes(user=sato))
    assert len(set(codes)) == 10
    assert all(re.fullmatch(r"([A-Z2-9]{4}-){3}[A-Z2-9]{4}", code) for code in codes)
    kept = " ".join(RecoveryCode.objects.values_list("digest", flat=True))
    assert not any(code.replace("-", "").lower() in kept for code in codes)
    sign_in(client)
    assert second(client, f" {codes[3].lower()} ", way="recovery")["Location"] == "/"
    assert events("factor:use-recovery")[-1]["data"] == {"left": 9}
    assert client.session[stepup.STRENGTH] == "password+recovery"
    again = Client()
    sign_in(again)
    assert second(again, codes[3], way="recovery").status_code == 422
    assert not any(code in json.dumps(events(name)) for code in codes for name in ("factor:add", "factor:use-recovery"))


def test_new_codes_end_the_old_ones_and_no_one_elses(sato, member):
    mori = member("森 楓", mail="mori@sakura.example")[1]
    make = lambda user: transactions.durable_or_join(lambda: factors.make_recovery_codes(user=user))  # noqa: E731  three calls
    old, others = make(sato), make(mori)
    make(sato)
    use = lambda code: transactions.durable_or_join(lambda: factors.use_recovery_code(user=sato, code=code))  # noqa: E731
    assert not use(old[0])
    assert not use(others[0])


# Who must have one


def test_an_officer_without_a_factor_reaches_nothing_but_the_set_up(sato, client):
    sign_in(client)
    for address in ("/", "/registers/member/", "/log/", "/regulation/adopt/", "/account/"):
        assert client.get(address)["Location"] == "/account/factors/", address
    assert client.post("/language", {"language": "en"})["Location"] == "/"
    page = client.get("/account/factors/")
    assert page.status_code == 200
    assert client.get("/account/factors/totp/").status_code == 200


def test_setting_an_app_up_opens_the_rest_and_shows_codes_once(sato, client):
    sign_in(client)
    page = client.get("/account/factors/totp/").content.decode()
    secret = re.search(r'<code id="secret">([A-Z2-7 ]+)</code>', page)[1].replace(" ", "")
    import base64

    raw = base64.b32decode(secret + "=" * (-len(secret) % 8))
    assert "<svg" in page
    assert "style=" not in page.partition("<svg")[2].partition("</svg>")[0], "the CSP forbids it"
    wrong = client.post("/account/factors/totp/", {"code": "12345", "name": ""})
    assert wrong.status_code == 422
    assert secret[:4] in wrong.content.decode(), "the same secret is shown again"
    answer = client.post("/account/factors/totp/", {"code": code_now(raw), "name": "会社の携帯"})
    assert len(re.findall(r"<li><code>(?:[A-Z2-9]{4}-){3}[A-Z2-9]{4}</code>", answer.content.decode())) == 10
    assert client.get("/").status_code == 200
    assert client.session[stepup.STRENGTH] == "password+totp"
    assert [event["data"]["kind"] for event in events("factor:add")] == ["totp", "recovery"]
    assert raw not in bytes(Factor.objects.get().data)
    thief = Client()
    sign_in(thief)
    assert second(thief, code_now(raw)).status_code == 422, "the code of the set-up is used up"


def test_a_member_may_and_need_not(member, client):
    member("田中 一郎", mail="tanaka@sakura.example")
    sign_in(client, "tanaka@sakura.example")
    assert client.get("/").status_code == 200
    assert client.get("/account/factors/").status_code == 200


def test_everybody_must_when_the_setting_says_so(member, client, settings):
    settings.SECOND_FACTOR = "everyone"
    member("田中 一郎", mail="tanaka@sakura.example")
    sign_in(client, "tanaka@sakura.example")
    assert client.get("/")["Location"] == "/account/factors/"


def test_the_first_administrator_sets_up_without(sakura, client):
    user = operations.User(
        organization=sakura, email="mori@sakura.example", name="森 楓", is_administrator=True, created_at=clock.now()
    )
    user.set_password(PASSWORD)
    user.save()
    sign_in(client, "mori@sakura.example")
    assert client.get("/").status_code == 200


def test_a_session_from_before_the_factor_has_to_show_it(sato, client, settings):
    settings.SECOND_FACTOR = "nobody"
    sign_in(client)
    with_app(sato)
    settings.SECOND_FACTOR = "officers"
    assert client.get("/")["Location"] == "/confirm?next=%2F"
    assert client.get("/account/factors/totp/")["Location"].startswith("/confirm"), "nor may it add one of its own"
    assert client.post("/confirm", {"way": "password", "password": PASSWORD, "next": "/"}).status_code == 302
    assert client.get("/").status_code == 302, "the pass word proves nothing new"
    assert client.post("/confirm", {"way": "totp", "code": code_now(), "next": "/"})["Location"] == "/"
    assert client.get("/").status_code == 200
    assert client.session[stepup.STRENGTH] == "password+totp"


def test_the_last_factor_of_an_officer_stays(sato, client):
    first = with_app(sato)
    sign_in(client)
    second(client, code_now())
    answer = client.post(f"/account/factors/{first.id}/remove/", follow=True)
    assert "少なくとも一つ" in answer.content.decode()
    other = with_app(sato, b"another secret 12345")
    assert client.post(f"/account/factors/{first.id}/remove/").status_code == 302
    assert list(Factor.objects.all()) == [other]
    assert events("factor:remove")[-1]["data"] == {"kind": "totp", "factor": str(first.id)}


def test_a_member_may_remove_the_last_and_the_codes_go_too(member, client):
    user = member("田中 一郎", mail="tanaka@sakura.example")[1]
    first = with_app(user)
    transactions.durable_or_join(lambda: factors.make_recovery_codes(user=user))
    transactions.durable_or_join(lambda: factors.remove(user=user, identity=first.id))
    assert not Factor.objects.exists()
    assert not RecoveryCode.objects.exists()


def test_nobody_removes_the_factor_of_another(sato, member):
    user = member("田中 一郎", mail="tanaka@sakura.example")[1]
    theirs = with_app(sato)
    with pytest.raises(UserError):
        transactions.durable_or_join(lambda: factors.remove(user=user, identity=theirs.id))
    assert Factor.objects.count() == 1


# Lost devices


def test_an_editor_resets_the_factors_of_another_and_that_is_recorded(sato, member):
    lost = member("田中 一郎", mail="tanaka@sakura.example")[1]
    with_app(lost)
    editor = rule.Actor("member", str(sato.pk), sato.organization, principal=sato.principal)
    transactions.durable_or_join(lambda: access_factors.reset_factors(actor=editor, identity=lost.pk))
    assert not Factor.objects.exists()
    told = events("factor:reset")[-1]
    assert (told["actor"], told["object"]) == (["member", str(sato.pk)], ["account", str(lost.pk)])
    assert told["decision"]["allowed"]
    with pytest.raises(UserError):
        transactions.durable_or_join(lambda: access_factors.reset_factors(actor=editor, identity=sato.pk))


def test_neither_an_auditor_nor_a_member_nor_a_neighbour_resets(sato, member, tsubaki):
    with_app(sato)
    people = [
        member("監査 太郎", "audit-officer")[0],
        member("田中 一郎")[0],
        member("椿 花子", "chief-officer", organization=tsubaki)[0],
    ]
    for actor in people:
        with pytest.raises((rule.Refused, UserError)):
            transactions.durable_or_join(
                lambda actor=actor: access_factors.reset_factors(actor=actor, identity=sato.pk)
            )
    assert Factor.objects.count() == 1


def test_the_page_of_a_reset_is_for_editors_and_ends_the_sessions(sato, member, client, browser):
    with_app(sato)
    sign_in(client)
    second(client, code_now())
    boss = member("髙橋 誠", "chief-officer", mail="takahashi@sakura.example")[1]
    with_app(boss, b"a secret of the chief")
    office = Client(REMOTE_ADDR="192.0.2.9")
    sign_in(office, "takahashi@sakura.example")
    second(office, code_now(b"a secret of the chief"))
    address = f"/accounts/{sato.pk}/factors/"
    assert "佐藤 恵子" in office.get(address).content.decode()
    assert office.post(address).status_code == 302
    assert not Factor.objects.filter(user=sato).exists()
    assert client.get("/").status_code == 302, "the finder of the lost device is out"
    assert browser("田中 一郎").get(address).status_code == 404


def test_the_console_helps_who_lost_everything(sato, operator):
    with_app(sato)
    transactions.durable_or_join(
        lambda: operations.invite_administrator(actor=operator.ref, organization=sato.organization, email=MAIL)
    )
    assert not Factor.objects.exists()
    assert events("factor:reset")[-1]["actor"] == ["cli", "operator"]


def test_a_closed_account_keeps_no_factor(sato):
    with_app(sato)
    transactions.durable_or_join(lambda: closing.close(user=sato))
    assert not Factor.objects.exists()


# Passkeys that are none


def test_a_false_passkey_answer_lets_nobody_in_and_breaks_nothing(sato, client):
    for answer in ("", "{}", "[]", "null", "x" * 70_000, '{"id":"AA","rawId":"AA","type":"public-key","response":{}}'):
        begun = client.post("/login/passkey/begin").json()
        assert begun["publicKey"]["userVerification"] == "required"
        assert client.post("/login/passkey", {"answer": answer})["Location"] == "/login"
        assert not is_in(client)
    assert {event["data"]["reason"] for event in events("session:login-failed")} == {"passkey"}


def test_an_answer_without_a_challenge_is_refused(client, sakura):
    assert client.post("/login/passkey", {"answer": "{}"})["Location"] == "/login"


def test_passkeys_are_not_offered_where_browsers_have_none(client, sakura):
    client.get("/login")
    assert "パスキーでログイン" not in client.get("/login", headers={"host": "127.0.0.1"}).content.decode()
    assert "パスキーでログイン" in client.get("/login", headers={"host": "localhost"}).content.decode()
