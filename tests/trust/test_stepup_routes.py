"""Which routes ask for a fresh proof: every route of the installation is placed, so a new one cannot be forgotten."""

from __future__ import annotations

import inspect
import re
import uuid

import pytest
from django.test import Client
from django.urls import URLPattern, get_resolver

from kitei.foundation import clock, transactions
from kitei.registers.documents import operations as documents
from kitei.registers.documents.models import DocumentState
from kitei.trust.accounts import stepup, tokens
from kitei.trust.auditlog.models import Event

READING = "reads, or changes nothing that is approved, managed or taken out"
DAILY = "register work: edit, which step-up does not cover"
BEFORE = "log-in, log-out, set-up of a session"
PUBLIC = "tells nothing about anybody, so that outsiders can verify"
TOKEN = "reads only: a token is cut to list and view"
NOT_ASKED = {
    "home": READING, "home-changes": READING, "requirement": READING, "findings": READING, "setup": READING, "health": READING,
    "list": READING, "list-row": READING, "guideline": READING, "regulation": READING, "regulation-editions": READING,
    "regulation-edition": READING, "log": READING, "accounts": READING, "account": READING, "access-why": READING,
    "access-reach": READING, "access-requests": READING, "access-reviews": READING, "factors": READING,
    "access-ask": "asks others for access", "console-seen": "confirms a notice", "set-language": READING,
    "regulation-download": "the regulation is for every member to have",
    "import": DAILY, "import-template": "an empty form", "import-preview": DAILY, "import-choose": DAILY, "import-mapping": DAILY,
    "checks-run": DAILY,
    "login": BEFORE, "login-second": BEFORE, "login-passkey": BEFORE, "passkey-begin": BEFORE, "login-oidc": BEFORE,
    "login-oidc-return": BEFORE, "step-up": BEFORE, "logout": BEFORE, "start-with-code": BEFORE,
    "log-checkpoint": PUBLIC, "log-key": PUBLIC, "log-verifier": PUBLIC,
    **dict.fromkeys(
        ("api-me", "api-who", "api-findings", "api-documents", "api-document", "api-log", "api-unknown"), TOKEN
    ),
}  # fmt: skip
BY_OBJECT = {"document-file", "log-event", "log-proof"}
"""Ask for themselves, for some objects only."""
SERIOUS = re.compile(r"rule\.require\([^)]*rule\.(APPROVE|MANAGE|DOWNLOAD)|(APPROVE|MANAGE) if request\.method")


def routes(patterns=None):
    for pattern in patterns or get_resolver().url_patterns:
        if isinstance(pattern, URLPattern):
            yield pattern
        else:
            yield from routes(pattern.url_patterns)


def test_every_route_is_placed():
    placed = [*stepup.ASKED, *NOT_ASKED, *BY_OBJECT]
    assert len(placed) == len(set(placed)), "in one place only"
    assert {route.name for route in routes()} == set(placed)


def test_no_view_that_requires_a_serious_action_is_left_out():
    serious = {}
    for route in routes():
        text = inspect.getsource(inspect.unwrap(route.callback))
        if SERIOUS.search(text):
            serious[route.name] = text
    assert {"account-invite", "regulation-adopt", "access-new", "log-export", "document-file"} <= set(serious)
    assert set(serious) <= set(stepup.ASKED) | BY_OBJECT
    assert all("stepup.demand(request)" in serious[name] for name in BY_OBJECT)


def keep(operator, organization, level):
    """Return the address of a document's file of that class."""
    values = {
        "code": f"C-{level}", "title": "利用契約書", "kind": "contract", "version": "第1版", "kept_at": "kitei",
        "classification": level, "file_name": "契約書.pdf",
    }  # fmt: skip
    transactions.durable(
        lambda: documents.documents.put(
            actor=operator,
            organization=organization,
            rows={values["code"]: values},
            files={"契約書.pdf": lambda: b"%PDF-1.7"},
        )
    )
    state = DocumentState.objects.get(code=values["code"])
    return f"/documents/{state.of_id}/files/{state.pk}/"


@pytest.mark.django_db
def test_files_above_internal_ask_and_the_others_do_not(sakura, operator, browser):
    found = {level: keep(operator, sakura, level) for level in ("public", "internal", "restricted", "secret")}
    officer, reader = browser("佐藤 恵子", "security-officer"), browser("鈴木 太郎")
    with clock.at(clock.now() + stepup.FRESH * 1.1):
        asked = {level: officer.get(address).status_code == 302 for level, address in found.items()}
        assert asked == {"public": False, "internal": False, "restricted": True, "secret": True}
        assert not Event.objects.filter(name="document:download").exists(), "nothing was handed out"
        assert officer.get(found["secret"])["Location"].startswith("/confirm?next=%2Fdocuments%2F")
        nowhere = f"/documents/{uuid.uuid4()}/files/{uuid.uuid4()}/"
        answers = [reader.get(address).status_code for address in (found["secret"], nowhere)]
        assert answers == [404, 404], "who may not is not asked: that would tell that there is something"
    assert officer.get(found["secret"]).status_code == 200


@pytest.mark.django_db
def test_what_the_log_hides_asks_before_it_is_opened(officer):
    officer.get("/registers/member/export.csv?q=a")
    event = Event.objects.get(name="register:export")
    with clock.at(clock.now() + stepup.FRESH * 1.1):
        assert officer.get(f"/log/events/{event.pk}/").status_code == 200
        assert officer.get(f"/log/events/{event.pk}/?open=1").status_code == 302
        assert officer.get(f"/log/events/{event.pk}/proof/?open=1")["Location"].startswith("/confirm")


@pytest.mark.django_db
@pytest.mark.parametrize(
    "address", ["/access/", "/access/emergency/", "/guideline/clause/mic-meti-1.1/5.1.6/i-2/", "/account/"]
)
def test_pages_that_show_and_act_ask_when_they_act(officer, address):
    with clock.at(clock.now() + stepup.FRESH * 1.1):
        assert officer.get(address).status_code == 200
        assert officer.post(address, {})["Location"].startswith("/confirm")


@pytest.mark.django_db
def test_a_token_opens_no_page_and_does_no_act(member):
    user = member("佐藤 恵子", "security-officer")[1]
    decision = {"allowed": True, "reasons": ["face:cli"]}
    secret = transactions.durable(
        lambda: tokens.create(user=user, actor=("cli", "operator"), decision=decision, ttl=tokens.life("1h"))
    )[1]
    client = Client(headers={"authorization": f"Bearer {secret}"})
    assert client.get("/api/v1/me").status_code == 200
    for address in (
        "/regulation/adopt/",
        "/registers/member/export.csv",
        "/import/export/",
        "/log/export/",
        "/access/entries/new/",
    ):
        for answer in (client.get(address), client.post(address)):
            assert answer["Location"].startswith("/login"), "a token is no log-in"
    assert client.post("/api/v1/me").status_code == 405
