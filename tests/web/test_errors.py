"""Error pages and what stands around every request."""

from __future__ import annotations

import json
import re

import pytest
from django.contrib.auth.decorators import login_not_required
from django.http import HttpResponse
from django.test import Client, RequestFactory
from django.urls import path

from kitei import urls as house
from kitei.foundation import transactions
from kitei.foundation.text import Message, UserError
from kitei.registers.people import operations as people
from kitei.trust.access import rule
from kitei.trust.auditlog.models import Event, Opening
from kitei.web.middleware import ProxyMiddleware
from kitei.web.requests import actor_of


def fall(request):
    raise RuntimeError("the pass word is swordfish")


def mend(request):
    raise UserError(Message("日付がありません。令和8年11月22日、2026-11-22 のように入力してください。"))


def refuse(request):
    actor = actor_of(request)

    def work():
        cli = rule.Actor("cli", "operator", actor.organization)
        people.departments.put(
            actor=cli, organization=actor.organization, rows={"D99": {"code": "D99", "name": "幻の部署"}}
        )
        rule.require(actor, rule.EDIT, rule.Target("department", organization=actor.organization))

    transactions.durable(work)
    return HttpResponse("done")


def address(request):
    return HttpResponse(f"{request.META['REMOTE_ADDR']} {request.scheme} {request.get_host()}")


urlpatterns = [
    *house.urlpatterns,
    path("fall", fall),
    path("open-fall", login_not_required(fall)),
    path("mend", mend),
    path("refuse/秘密の文書", refuse),
]
handler400, handler403, handler404, handler500 = house.handler400, house.handler403, house.handler404, house.handler500
HERE = pytest.mark.urls(__name__)


@pytest.fixture
def tanaka(member, client):
    client.force_login(member("田中 真由美")[1])
    return client


def body(answer):
    return re.sub(r'name="csrfmiddlewaretoken" value="[^"]+"', "", answer.content.decode())


def headers(answer):
    return {name: value for name, value in answer.headers.items() if name not in {"X-Request-Id", "Content-Length"}}


@HERE
def test_refused_and_unknown_are_the_same_answer(tanaka):
    refused, unknown = tanaka.get("/refuse/秘密の文書"), tanaka.get("/no/such/page")

    assert refused.status_code == unknown.status_code == 404
    assert "見つからないか、閲覧できません" in body(refused)
    assert body(refused) == body(unknown)
    assert headers(refused) == headers(unknown)


@HERE
def test_a_refusal_survives_the_rollback_of_what_was_refused(tanaka, sakura):
    tanaka.get("/refuse/秘密の文書")

    assert people.departments.existing(organization=sakura, keys=None) == {}
    event = Event.objects.get(name="access:refuse")
    payload = json.loads(bytes(event.payload))
    assert payload["face"] == "web"
    assert re.fullmatch(r"[0-9a-f]{16}", payload["request"])
    assert re.fullmatch(r"[0-9a-f]{16}", payload["session"])
    assert "refuse" in Opening.objects.get(event_id=event.id, field="path").value


@HERE
def test_an_unknown_address_is_the_same_page_without_account(client, db):
    answer = client.get("/no/such/page")

    assert answer.status_code == 404
    assert "見つからないか、閲覧できません" in body(answer)
    assert not Event.objects.exists()


@HERE
def test_a_mendable_error_says_what_to_do(tanaka):
    answer = tanaka.get("/mend", headers={"referer": "http://testserver/registers/member/"})

    assert answer.status_code == 422
    assert "のように入力してください" in body(answer)
    assert 'href="/registers/member/"' in body(answer)


@HERE
def test_a_fault_of_ours_shows_a_number_and_nothing_else(tanaka):
    tanaka.raise_request_exception = False
    answer = tanaka.get("/fall")

    assert answer.status_code == 500
    assert answer["X-Request-Id"] in body(answer)
    assert "swordfish" not in body(answer)
    assert "Traceback" not in body(answer)
    assert '<html lang="ja">' in body(answer)


@HERE
def test_a_fault_of_ours_speaks_the_readers_language(client, db):
    client.raise_request_exception = False
    client.cookies["kitei_language"] = "en"

    answer = client.get("/open-fall", headers={"accept-language": "ja"})

    assert answer.status_code == 500
    assert '<html lang="en">' in body(answer)


def test_a_form_without_protection_mark_is_turned_away(db):
    strict = Client(enforce_csrf_checks=True)

    answer = strict.post("/login", {"username": "sato@sakura.example", "password": "x"})

    assert answer.status_code == 403
    assert "送信を受け付けられませんでした" in body(answer)
    assert not Event.objects.exists()


def test_a_forged_host_is_a_bad_request(client, db):
    answer = client.get("/login", headers={"host": "evil.example"})

    assert answer.status_code == 400
    assert "読み取れない要求です" in body(answer)
    assert "evil.example" not in body(answer)


def test_health_is_told_to_anybody(client, db):
    answer = client.get("/healthz")

    assert (answer.status_code, answer.content) == (200, b"ok\n")


@pytest.mark.parametrize(
    ("trusted", "remote", "forwarded", "proto", "seen"),
    [
        ([], "203.0.113.9", "198.51.100.1", "https", "203.0.113.9 http"),
        (["127.0.0.1"], "127.0.0.1", "198.51.100.1", "https", "198.51.100.1 https"),
        (["127.0.0.1"], "203.0.113.9", "198.51.100.1", "https", "203.0.113.9 http"),
        # What the reader wrote in front of the proxy's own entry is not believed.
        (["127.0.0.1"], "127.0.0.1", "10.9.9.9, 198.51.100.1", "http", "198.51.100.1 http"),
        (["127.0.0.1", "10.0.0.0/8"], "127.0.0.1", "198.51.100.1, 10.1.1.1", "https", "198.51.100.1 https"),
        (["127.0.0.1"], "127.0.0.1", "nonsense", "gopher", "127.0.0.1 http"),
        (["::1"], "::1", "2001:db8::7", "https", "2001:db8::7 https"),
    ],
)
def test_forwarded_headers_are_believed_from_trusted_proxies_only(settings, trusted, remote, forwarded, proto, seen):
    settings.TRUSTED_PROXIES = trusted
    request = RequestFactory().get(
        "/",
        REMOTE_ADDR=remote,
        HTTP_HOST="testserver",
        HTTP_X_FORWARDED_FOR=forwarded,
        HTTP_X_FORWARDED_PROTO=proto,
        HTTP_X_FORWARDED_HOST="evil.example",
    )

    answer = ProxyMiddleware(address)(request)

    assert answer.content.decode() == f"{seen} testserver"


def test_a_body_beyond_any_import_is_refused_before_it_is_read(client):
    answer = client.post(
        "/login", data=b"x", content_type="application/octet-stream", CONTENT_LENGTH=str(200 * 1024 * 1024)
    )
    assert answer.status_code == 413
    assert "50MB" in answer.content.decode()
