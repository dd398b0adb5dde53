"""How often one person may do what is costly, closed doors, and who is believed about where a request comes from."""

from __future__ import annotations

import json
import runpy
import uuid
from pathlib import Path

import pytest
from django.http import HttpResponse
from django.test import Client, RequestFactory
from django.urls import NoReverseMatch, reverse

from kitei import urls as house
from kitei.foundation import transactions
from kitei.settings_error import ConfigurationError
from kitei.trust.accounts import operations as accounts
from kitei.trust.accounts.models import FactorTries
from kitei.trust.auditlog.models import Event
from kitei.web import limits
from kitei.web.middleware import ProxyMiddleware

SETTINGS = Path(house.__file__).with_name("settings.py")
MAIL, PASSWORD = "sato@sakura.example", "tsukushi-no-michi-2026"


@pytest.fixture
def sato(member):
    return member("佐藤 恵子", "security-officer", mail=MAIL, password=PASSWORD)[1]


def address_of(name):
    """Return the address of a route, with a made-up thing where it wants one."""
    for given in ([], ["nothing"], [uuid.UUID(int=1)], ["nothing", "csv"], [uuid.UUID(int=1), uuid.UUID(int=2)]):
        try:
            return reverse(name, args=given)
        except NoReverseMatch:
            continue
    raise AssertionError(name)


class TestLimits:
    @pytest.mark.parametrize("name", sorted(limits.LIMITS))
    def test_a_person_who_asks_too_often_waits_and_nobody_else_does(self, name, browser, monkeypatch):
        found = limits.LIMITS[name]
        small = limits.Limit(found.group, 2, found.span, found.methods)
        monkeypatch.setitem(limits.LIMITS, name, small)
        tanaka, kato = browser("田中 真由美"), browser("加藤 健")
        method, address = found.methods[0].lower(), address_of(name)

        first = [getattr(tanaka, method)(address).status_code for _ in range(2)]
        later = [getattr(tanaka, method)(address) for _ in range(3)]

        assert 429 not in first
        for answer in later:
            assert answer.status_code == 429
            assert 0 < int(answer["Retry-After"]) <= found.span.total_seconds()
            assert "待ってから" in answer.content.decode()
            assert "'none'" in answer["Content-Security-Policy"]
        assert getattr(kato, method)(address).status_code != 429
        events = [json.loads(bytes(event.payload)) for event in Event.objects.filter(name="access:refuse")]
        assert sum("too-often" in json.dumps(event) for event in events) == 1
        FactorTries.objects.update(since=FactorTries.objects.first().since - found.span)
        assert getattr(tanaka, method)(address).status_code != 429

    def test_other_methods_of_the_same_address_are_not_counted(self, browser, monkeypatch):
        monkeypatch.setitem(limits.LIMITS, "access-ask", limits.Limit("ask", 1, limits.DAY, limits.WRITING))
        tanaka = browser("田中 真由美")

        assert {tanaka.get(reverse("access-ask")).status_code for _ in range(3)} == {200}

    @pytest.mark.parametrize("mail", [MAIL, "nobody@sakura.example"])
    def test_guessed_one_time_codes_close_the_door_for_this_name_from_here(self, client, sato, mail):
        given = {
            "email": mail,
            "code": "AAAAA-AAAAA-AAAAA-AAAAA",
            "password": "asagao-no-niwa-26",
            "again": "asagao-no-niwa-26",
        }
        seen = [client.post("/start", given).status_code for _ in range(9)]
        code = transactions.durable(lambda: accounts.issue_code(user=sato))
        right = given | {"email": MAIL, "code": code}
        closed = client.post("/start", given)

        assert seen[:7] == [422] * 7
        assert seen[8] == closed.status_code == 429
        assert closed["Retry-After"] == "900"
        assert Client(REMOTE_ADDR="198.51.100.7").post("/start", right).status_code == 302

    def test_a_closed_log_in_says_when_to_come_back(self, client, sato):
        answers = [client.post("/login", {"username": MAIL, "password": "wrong"}) for _ in range(9)]

        assert answers[-1].status_code == 429
        assert answers[-1]["Retry-After"] == "900"


def seen_by(settings, *, trusted, remote, **headers):
    settings.TRUSTED_PROXIES = trusted
    request = RequestFactory().get(
        "/", REMOTE_ADDR=remote, **{f"HTTP_{name}": value for name, value in headers.items()}
    )
    ProxyMiddleware(lambda _request: HttpResponse())(request)
    return request.META["REMOTE_ADDR"], request.scheme


class TestProxies:
    @pytest.mark.parametrize(
        ("trusted", "remote", "forwarded", "address"),
        [
            (["10.0.0.0/8"], "10.0.0.1", "198.51.100.1:51234", "198.51.100.1"),
            (["10.0.0.0/8"], "10.0.0.1", "[2001:db8::7]:443", "2001:db8::7"),
            (["10.0.0.0/8"], "10.0.0.1", "[2001:db8::7]", "2001:db8::7"),
            (["127.0.0.1"], "::ffff:127.0.0.1", "198.51.100.1", "198.51.100.1"),
            (["127.0.0.1"], "127.0.0.1", "::ffff:198.51.100.1", "198.51.100.1"),
            ([], "::ffff:198.51.100.1", "203.0.113.5", "198.51.100.1"),
            (["127.0.0.1"], "127.0.0.1", "203.0.113.5, unknown", "127.0.0.1"),
            (["127.0.0.1"], "127.0.0.1", "127.0.0.1, 127.0.0.1", "127.0.0.1"),
            (["127.0.0.1"], "127.0.0.1", "203.0.113.5, 198.51.100.1, 127.0.0.1", "198.51.100.1"),
            (["127.0.0.1"], "", "203.0.113.5", ""),
        ],
    )
    def test_the_reader_is_the_last_address_no_trusted_proxy_has(self, settings, trusted, remote, forwarded, address):
        assert seen_by(settings, trusted=trusted, remote=remote, X_FORWARDED_FOR=forwarded)[0] == address

    @pytest.mark.parametrize(
        "header", ["FORWARDED", "X_REAL_IP", "CLIENT_IP", "TRUE_CLIENT_IP", "X_CLUSTER_CLIENT_IP", "CF_CONNECTING_IP"]
    )
    def test_other_headers_are_never_believed(self, settings, header):
        given = {header: "for=203.0.113.5" if header == "FORWARDED" else "203.0.113.5"}

        assert seen_by(settings, trusted=["127.0.0.1"], remote="127.0.0.1", **given)[0] == "127.0.0.1"

    def test_a_stranger_cannot_say_https(self, settings):
        assert seen_by(settings, trusted=["10.0.0.1"], remote="198.51.100.1", X_FORWARDED_PROTO="https")[1] == "http"
        assert seen_by(settings, trusted=["10.0.0.1"], remote="10.0.0.1", X_FORWARDED_PROTO="https, http")[1] == "http"

    def test_writing_another_address_each_time_opens_no_closed_door(self, sato):
        client = Client(REMOTE_ADDR="198.51.100.9")
        given = {"username": MAIL, "password": "wrong"}
        seen = [
            client.post("/login", given, headers={"x-forwarded-for": f"203.0.113.{number}"}).status_code
            for number in range(9)
        ]

        assert seen[-1] == 429

    def test_behind_a_trusted_proxy_each_reader_is_counted_alone(self, sato, settings):
        settings.TRUSTED_PROXIES = ["127.0.0.1"]
        client = Client()
        given = {"username": MAIL, "password": "wrong"}
        for number in range(9):
            # What the reader writes stands in front of what the proxy adds.
            last = client.post("/login", given, headers={"x-forwarded-for": f"203.0.113.{number}, 198.51.100.1"})

        assert last.status_code == 429
        right = {"username": MAIL, "password": PASSWORD}
        assert client.post("/login", right, headers={"x-forwarded-for": "198.51.100.2"}).status_code == 302

    @pytest.mark.parametrize(
        "headers",
        [
            {"host": "evil.example"},
            {"host": "testserver@evil.example"},
            {"host": "evil.example", "x-forwarded-host": "testserver"},
        ],
    )
    def test_another_host_is_no_host(self, client, db, settings, headers):
        settings.TRUSTED_PROXIES = ["127.0.0.1"]
        assert client.get("/login", headers=headers).status_code == 400

    def test_the_forwarded_host_is_never_read(self, client, sato, settings):
        settings.TRUSTED_PROXIES = ["127.0.0.1"]
        answer = client.get("/registers/member/", headers={"x-forwarded-host": "evil.example"})

        assert answer.status_code == 302
        assert "evil" not in answer["Location"]

    def test_the_host_is_the_one_of_the_public_address(self, monkeypatch):
        monkeypatch.setenv("KITEI_PUBLIC_URL", "https://kitei.sakura.example")
        made = runpy.run_path(str(SETTINGS))

        assert made["ALLOWED_HOSTS"] == ["kitei.sakura.example", "localhost", "127.0.0.1"]

    @pytest.mark.parametrize("names", ["0.0.0.0/0", "127.0.0.1,::/0", "proxy.example.jp", "10.0.0.1/8", "*"])
    def test_everybody_is_no_proxy(self, monkeypatch, names):
        monkeypatch.setenv("KITEI_TRUSTED_PROXIES", names)
        with pytest.raises(ConfigurationError, match="KITEI_TRUSTED_PROXIES"):
            runpy.run_path(str(SETTINGS))
