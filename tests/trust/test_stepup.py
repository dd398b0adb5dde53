"""Step-up: exports, approvals and the management of accounts and factors ask for a fresh proof."""

from __future__ import annotations

import datetime as dt

import pytest
from factor_hands import MAIL, PASSWORD, code_now, events, second, sign_in, with_app

from kitei.foundation import clock
from kitei.trust.accounts import factors_tries, stepup
from kitei.trust.auditlog.models import Event

pytestmark = pytest.mark.django_db


@pytest.fixture(autouse=True)
def _officers_need_one(settings):
    settings.SECOND_FACTOR = "officers"


@pytest.fixture
def sato(member):
    return member("佐藤 恵子", "security-officer", mail=MAIL)[1]


# Step-up


@pytest.fixture
def inside(sato, client):
    with_app(sato)
    sign_in(client)
    second(client, code_now())
    return client


def later(minutes):
    return clock.at(clock.now() + dt.timedelta(minutes=minutes))


def test_an_export_asks_again_after_a_quarter_of_an_hour(inside):
    with later(15):
        assert inside.get("/registers/member/export.csv").status_code == 200
    with later(15.1):
        answer = inside.get("/registers/member/export.csv?q=a")
        assert answer["Location"] == "/confirm?next=%2Fregisters%2Fmember%2Fexport.csv%3Fq%3Da"
        assert inside.get("/registers/member/").status_code == 200, "reading goes on"
        wrong = inside.post("/confirm", {"way": "password", "password": "x", "next": "/"})
        assert wrong.status_code == 422
        before = inside.session.session_key
        right = inside.post(
            "/confirm", {"way": "password", "password": PASSWORD, "next": "/registers/member/export.csv?q=a"}
        )
        assert inside.session.session_key != before, "a key from before the proof opens nothing after it"
        assert right["Location"] == "/registers/member/export.csv?q=a"
        assert inside.get("/registers/member/export.csv").status_code == 200
    told = events("session:step-up")
    assert [(event["outcome"], event["data"]) for event in told] == [
        ("refused", {"by": "password", "reason": "credentials"}),
        ("ok", {"by": "password"}),
    ]


@pytest.mark.parametrize(
    "address", ["/regulation/adopt/", "/findings/accept/", "/log/export/", "/import/export/", "/account/factors/totp/"]
)
def test_every_act_of_the_list_asks(inside, address):
    with later(16):
        assert inside.get(address)["Location"].startswith("/confirm")


def test_every_name_of_the_list_is_a_route():
    from django.urls import URLPattern, get_resolver

    def names(patterns):
        for pattern in patterns:
            yield from [pattern.name] if isinstance(pattern, URLPattern) else names(pattern.url_patterns)

    known = set(names(get_resolver().url_patterns))
    assert set(stepup.ASKED) | stepup.OWN_FACTORS | stepup.WITHOUT_FACTOR <= known


def test_what_was_posted_too_late_is_not_done_and_one_is_told(inside):
    with later(16):
        answer = inside.post(
            "/findings/accept/", {"reason": "x"}, headers={"referer": "http://testserver/findings/accept/?finding=a"}
        )
        assert answer["Location"] == "/confirm?next=%2Ffindings%2Faccept%2F%3Ffinding%3Da"
        page = inside.get(answer["Location"]).content.decode()
        assert "まだ実行していません" in page
    assert not Event.objects.filter(name__startswith="finding:").exists()


@pytest.mark.parametrize(
    "address", ["https://evil.example/", "//evil.example", "/\\evil.example", "javascript:alert(1)", ""]
)
def test_one_is_never_led_to_others(inside, address):
    answer = inside.post("/confirm", {"way": "password", "password": PASSWORD, "next": address})
    assert answer["Location"] == "/"


def test_guessing_the_pass_word_of_an_open_session_is_throttled(inside):
    for _ in range(factors_tries.LIMIT):
        inside.post("/confirm", {"way": "password", "password": "x", "next": "/"})
    assert inside.post("/confirm", {"way": "password", "password": PASSWORD, "next": "/"}).status_code == 429
    assert events("session:step-up")[-1]["data"] == {"by": "password", "reason": "locked-out"}
