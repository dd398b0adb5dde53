"""The reading API: what it says, to whom, in which shape; the same for missing and forbidden; its description is kept."""

from __future__ import annotations

import datetime as dt
import json
from pathlib import Path

import pytest
import schemathesis
from django.core.signals import request_finished, request_started
from django.core.wsgi import get_wsgi_application
from django.db import close_old_connections
from django.test import Client
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from schemathesis import GenerationMode
from schemathesis.checks import not_a_server_error
from schemathesis.specs.openapi.checks import (
    content_type_conformance,
    response_headers_conformance,
    response_schema_conformance,
    status_code_conformance,
)

from kitei.foundation import clock, transactions
from kitei.registers.documents import operations as documents
from kitei.registers.documents.models import Document, DocumentState
from kitei.trust.access.models import Classification, Membership
from kitei.trust.accounts import tokens
from kitei.trust.accounts.models import FactorTries
from kitei.trust.auditlog import log
from kitei.trust.auditlog.models import Event
from kitei.web.api import pace, views

CHECKS = [
    not_a_server_error, status_code_conformance, content_type_conformance, response_schema_conformance, response_headers_conformance,
]  # fmt: skip
DESCRIPTION = Path(__file__).parents[2] / "docs" / "reference" / "openapi.json"
ALLOWED = {"allowed": True, "reasons": ["face:cli"]}
NOWHERE = "0192f000-0000-7000-8000-000000000000"
PATHS = ("/me", "/who/chief-officer", "/findings", "/documents", f"/documents/{NOWHERE}", "/log")


@pytest.fixture(autouse=True)
def _fresh_pace():
    tokens.pace.reset()
    pace.forget()


def token_of(user, **more):
    facts = {"ttl": dt.timedelta(hours=1), **more}
    return transactions.durable(lambda: tokens.create(user=user, actor=("cli", "operator"), decision=ALLOWED, **facts))[
        1
    ]


def ask(secret, path, **query):
    return Client().get(f"/api/v1{path}", query, headers={"authorization": f"Bearer {secret}"})


def keep(operator, organization, number, level):
    values = {
        "code": f"C-{number:03}", "title": f"利用契約書 {number}", "kind": "contract", "version": "第1版", "kept_at": "paper", "place": "棚",
        "classification": level,
    }  # fmt: skip
    transactions.durable(
        lambda: documents.documents.put(actor=operator, organization=organization, rows={values["code"]: values})
    )
    return Document.objects.get(organization=organization, code=values["code"])


@pytest.fixture
def officer_token(member):
    return token_of(member("佐藤 恵子", "security-officer")[1])


@pytest.fixture
def plain_token(member):
    return token_of(member("鈴木 太郎")[1])


@pytest.mark.django_db
def test_the_description_is_the_committed_one():
    assert DESCRIPTION.read_text(encoding="utf-8") == views.description(), "write views.description() to docs/reference"


@pytest.mark.django_db
@pytest.mark.parametrize("path", [*PATHS, "/nothing-here", "/"])
def test_nobody_gets_an_answer_without_a_token_or_a_log_in(sakura, path):
    answer = Client().get(f"/api/v1{path}")
    assert answer.status_code == 401
    assert answer.json()["error"]["code"] == "unauthorised"
    assert answer["WWW-Authenticate"].startswith("Bearer")
    assert answer["Cache-Control"] == "no-store"


@pytest.mark.django_db
@pytest.mark.parametrize(
    ("path", "officer", "plain"),
    [("/me", 200, 200), ("/who/chief-officer", 200, 200), ("/who/cook", 404, 404), ("/findings", 200, 200), ("/documents", 200, 200),
     (f"/documents/{NOWHERE}", 404, 404), ("/documents/not-an-id", 404, 404), ("/log", 200, 404), ("/nothing-here", 404, 404)],
)  # fmt: skip
def test_who_gets_what(officer_token, plain_token, path, officer, plain):
    for secret, status in ((officer_token, officer), (plain_token, plain)):
        answer = ask(secret, path)
        assert answer.status_code == status
        assert answer["Cache-Control"] == "no-store"
        assert status == 200 or answer.json()["error"]["code"] == "not-found"


@pytest.mark.django_db
def test_missing_forbidden_and_anothers_are_the_same(sakura, tsubaki, operator, stranger, plain_token, officer_token):
    forbidden = keep(operator, sakura, 1, "secret")
    theirs = keep(stranger, tsubaki, 2, "public")
    answers = [ask(plain_token, f"/documents/{identity}") for identity in (NOWHERE, forbidden.pk, theirs.pk)]
    assert {answer.status_code for answer in answers} == {404}
    assert len({answer.content for answer in answers}) == 1
    assert ask(officer_token, f"/documents/{forbidden.pk}").json()["code"] == "C-001"
    refusals = Event.objects.filter(name="access:refuse")
    assert refusals.count() == 3
    assert json.loads(bytes(refusals.first().payload))["face"] == "api"
    assert json.loads(bytes(refusals.first().payload))["strength"] == "token"


@pytest.mark.django_db
def test_documents_come_page_by_page_and_only_those_one_may_list(sakura, operator, plain_token, officer_token):
    for number in range(60):
        keep(operator, sakura, number, "secret" if number % 2 else "internal")
    assert DocumentState.objects.filter(classification=Classification.SECRET).count() == 30
    seen, after = [], ""
    while True:
        page = ask(officer_token, "/documents", after=after).json()
        seen += [row["code"] for row in page["documents"]]
        after = page["next"]
        if after is None:
            break
    assert seen == [f"C-{number:03}" for number in range(60)]
    plain = ask(plain_token, "/documents").json()["documents"]
    assert [row["code"] for row in plain] == seen[::2]


@pytest.mark.django_db
def test_the_day_asked_about_counts(sakura, operator, plain_token):
    kept = keep(operator, sakura, 1, "internal")
    before = (clock.today() - dt.timedelta(days=1)).isoformat()
    assert ask(plain_token, "/documents", as_of=before).json()["documents"] == []
    assert ask(plain_token, f"/documents/{kept.pk}", as_of=before).status_code == 404
    assert ask(plain_token, "/who/chief-officer", as_of="2020-04-01").json()["as_of"] == "2020-04-01"
    wrong = ask(plain_token, "/findings", as_of="2026-02-30")
    assert wrong.status_code == 422
    assert wrong.json()["error"]["code"] == "invalid"


@pytest.mark.django_db
def test_an_earlier_day_opens_nothing_that_is_closed_today(sakura, operator, plain_token, officer_token):
    with clock.at(clock.now() - dt.timedelta(days=10)):
        kept = keep(operator, sakura, 1, "internal")
    keep(operator, sakura, 1, "secret")
    earlier = (clock.today() - dt.timedelta(days=5)).isoformat()
    assert ask(officer_token, f"/documents/{kept.pk}", as_of=earlier).json()["classification"] == 1
    assert ask(plain_token, f"/documents/{kept.pk}", as_of=earlier).status_code == 404
    assert ask(plain_token, "/documents", as_of=earlier).json()["documents"] == []


@pytest.mark.django_db
def test_reading_the_log_is_recorded_first_and_not_answered_when_it_cannot_be(officer_token, monkeypatch):
    assert "session" in ask(officer_token, "/log").content.decode() or Event.objects.exists()
    assert Event.objects.filter(name="log:list").count() == 1

    def broken(*_given, **_named):
        raise log.UnrecordedError("disk full")

    monkeypatch.setattr("kitei.outcomes.records.operations.record", broken)
    answer = ask(officer_token, "/log")
    assert answer.status_code == 503
    assert answer.json()["error"]["code"] == "unrecorded"


@pytest.mark.django_db
def test_rights_that_end_end_for_the_token_too(member):
    _actor, user = member("佐藤 恵子", "security-officer")
    secret = token_of(user)
    assert ask(secret, "/log").status_code == 200
    Membership.objects.filter(principal=user.principal).update(ends_at=clock.now())
    assert ask(secret, "/log").status_code == 404
    assert ask(secret, "/me").json()["roles"] == []


@pytest.mark.django_db
def test_a_log_in_of_the_pages_reads_too_and_nothing_is_written(browser):
    client = browser("鈴木 太郎")
    assert client.get("/api/v1/me").json()["via"] == "session"
    for method in ("post", "put", "patch", "delete"):
        assert getattr(client, method)("/api/v1/documents").status_code == 405


@pytest.mark.django_db
@pytest.mark.parametrize("method", ["POST", "PUT", "PATCH", "DELETE", "OPTIONS", "TRACE"])
def test_a_method_the_api_does_not_take_is_answered_in_its_own_shape(plain_token, method):
    for path in PATHS:
        answer = Client().generic(method, f"/api/v1{path}", headers={"authorization": f"Bearer {plain_token}"})
        assert (answer.status_code, answer["Allow"]) == (405, "GET, HEAD")
        assert answer["Content-Type"] == "application/json"
        assert answer.json()["error"]["code"] == "method-not-allowed"
        assert answer["Cache-Control"] == "no-store"
    said = [json.loads(bytes(event.payload)) for event in Event.objects.filter(name="access:refuse")]
    assert [entry["decision"]["reasons"] for entry in said] == [["wrong-method"]] * len(PATHS)
    stranger = Client().generic(method, "/api/v1/documents")
    assert stranger.status_code == 401, "who is not known learns nothing else"
    assert Event.objects.filter(name="access:refuse").count() == len(PATHS)


@pytest.mark.django_db
def test_head_answers_and_records_as_get_without_the_body(officer_token):
    answer = Client().head("/api/v1/log", headers={"authorization": f"Bearer {officer_token}"})
    assert (answer.status_code, answer.content) == (200, b"")
    assert Event.objects.filter(name="log:list").count() == 1


@pytest.mark.django_db
@pytest.mark.parametrize("limit", [3, 100])
def test_a_token_that_asks_too_often_waits_until_the_minute_is_over(sakura, member, settings, limit):
    settings.API_PER_MINUTE = limit
    user = member("鈴木 太郎")[1]
    hasty, other = token_of(user), token_of(user)
    start = clock.now()
    assert [ask(hasty, "/me").status_code for _ in range(limit)] == [200] * limit
    with clock.at(start + dt.timedelta(seconds=18)):
        for path in ("/me", "/documents", "/nothing-here"):
            answer = ask(hasty, path)
            assert (answer.status_code, answer["Retry-After"]) == (429, "42")
            assert answer.json()["error"]["code"] == "too-many-requests"
        assert ask(other, "/me").status_code == 200, "each token by itself"
    with clock.at(start + dt.timedelta(seconds=60)):
        assert ask(hasty, "/me").status_code == 200
    refused = [json.loads(bytes(event.payload)) for event in Event.objects.filter(name="token:refuse")]
    assert [entry["data"] for entry in refused] == [{"reason": "too-many"}], "once a minute, not once a request"


@pytest.mark.django_db
def test_processes_together_never_pass_the_limit(sakura, member, settings):
    """Each process holds a portion of its own; a new process is one that forgot."""
    settings.API_PER_MINUTE = 60
    secret = token_of(member("鈴木 太郎")[1])
    well = 0
    for _ in range(70):
        pace.forget()
        well += ask(secret, "/me").status_code == 200
    assert 0 < well <= 60
    assert FactorTries.objects.get(origin__startswith="api:").count >= 60


@pytest.mark.django_db
def test_a_log_in_of_the_pages_is_counted_too(browser, settings):
    settings.API_PER_MINUTE = 2
    client = browser("鈴木 太郎")
    assert [client.get("/api/v1/me").status_code for _ in range(3)] == [200, 200, 429]
    assert client.get("/").status_code == 200, "the pages are not"


@pytest.fixture
def _kept_connection():
    """Requests of a bare WSGI server close the connection, and with it the test's transaction; Django's client does the same as here."""
    for signal in (request_started, request_finished):
        signal.disconnect(close_old_connections)
    yield
    for signal in (request_started, request_finished):
        signal.connect(close_old_connections)


CALLS = schemathesis.openapi.from_dict(views.api.get_openapi_schema(path_prefix="/api/v1/"))


@pytest.fixture
def closed(sakura, operator):
    """A contract nobody but officers may know of, and a finding that names it: it has no owning department."""
    values = {
        "code": "ZQ-7731", "title": "買収交渉の覚書", "kind": "contract", "version": "第1版", "kept_at": "paper",
        "place": "会長室の金庫", "classification": "secret",
    }  # fmt: skip
    transactions.durable(lambda: documents.documents.put(actor=operator, organization=sakura, rows={"ZQ-7731": values}))
    return Document.objects.get(organization=sakura, code="ZQ-7731")


@pytest.mark.django_db
@pytest.mark.usefixtures("_kept_connection")
@pytest.mark.parametrize(
    "operation", [found.ok() for found in CALLS.get_all_operations()], ids=lambda found: found.label
)
def test_generated_calls_give_nobody_more_than_the_description_and_their_rights_say(
    operation, closed, officer_token, plain_token
):
    """The same valid and invalid calls by two people: answers as described, and none of the first one's bytes for the second.

    Half of the calls for one document ask for the closed one.
    """
    application = get_wsgi_application()
    marks = [
        mark.encode() for mark in ("ZQ-7731", "買収交渉の覚書", "会長室の金庫", str(closed.pk), str(closed.pk.hex))
    ]

    @settings(max_examples=12, deadline=None, database=None, suppress_health_check=list(HealthCheck))
    @given(
        case=operation.as_strategy(generation_mode=GenerationMode.POSITIVE)
        | operation.as_strategy(generation_mode=GenerationMode.NEGATIVE),
        there=st.booleans(),
    )
    def call(case, there):
        if there and "document" in (case.path_parameters or {}):
            case.path_parameters["document"] = str(closed.pk)
        for secret in (officer_token, plain_token):
            answer = case.call(app=application, headers={"Authorization": f"Bearer {secret}"})
            case.validate_response(answer, checks=CHECKS)
            assert answer.headers["cache-control"] == ["no-store"]
            if secret == plain_token:
                told = [mark for mark in marks if mark in answer.content or mark.decode() in unescaped(answer.content)]
                assert told == []
                assert case.path != "/log" or answer.status_code in {404, 422}

    call()


def unescaped(content):
    return json.dumps(json.loads(content), ensure_ascii=False) if content else ""


@pytest.mark.django_db
def test_the_first_of_the_two_does_see_what_the_second_must_not(closed, officer_token, plain_token):
    """Else the test above would prove nothing."""
    for path in ("/documents", f"/documents/{closed.pk}", "/findings"):
        assert "ZQ-7731" in ask(officer_token, path).content.decode(), path
        assert "ZQ-7731" not in ask(plain_token, path).content.decode(), path
