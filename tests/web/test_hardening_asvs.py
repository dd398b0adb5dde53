"""Small proofs for lines of docs/reference/asvs.md that no other test shows."""

from __future__ import annotations

import ast
import json
import logging
import os
import re
import subprocess
import sys
import uuid
from pathlib import Path

import pytest
from django.core import mail
from django.test import Client

from kitei import settings as ours
from kitei.foundation import transactions
from kitei.foundation.files import store
from kitei.foundation.files.models import StoredFile
from kitei.foundation.mail import outbox
from kitei.foundation.text import UserError
from kitei.registers.documents import operations as documents
from kitei.registers.documents.models import DocumentState
from kitei.web import limits

pytestmark = pytest.mark.one_database

SOURCE = Path(ours.__file__).parent
MAIL, PASSWORD = "sato@sakura.example", "tsukushi-no-michi-2026"
ASKED = (
    "CONTENT_SECURITY_POLICY", "SESSION_COOKIE_SECURE", "CSRF_COOKIE_SECURE", "SESSION_COOKIE_NAME", "CSRF_COOKIE_NAME",
    "MESSAGE_COOKIE_NAME", "LANGUAGE_COOKIE_NAME", "DEVICE_COOKIE_NAME", "SECURE_HSTS_SECONDS",
    "SECURE_HSTS_INCLUDE_SUBDOMAINS", "DEBUG", "PASSWORD_HASHERS",
)  # fmt: skip


@pytest.fixture
def sato(member):
    return member("佐藤 恵子", "security-officer", mail=MAIL, password=PASSWORD)[1]


def log_in(client):
    return client.post("/login", {"username": MAIL, "password": PASSWORD})


@pytest.mark.parametrize(
    "path", ["/login", "/registers/document/", "/no/such/page", "/api/v1/me", "/static/kitei/mark.svg"]
)
def test_every_answer_tells_the_browser_what_it_may_not(client, sato, path):
    client.force_login(sato)
    answer = client.get(path, headers={"origin": "https://evil.example"})

    policy = answer["Content-Security-Policy"]
    assert "frame-ancestors 'none'" in policy
    assert "base-uri 'none'" in policy
    assert "default-src 'none'" in policy
    assert "unsafe" not in policy
    assert answer["X-Content-Type-Options"] == "nosniff"
    assert answer["Referrer-Policy"] == "same-origin"
    assert not [name for name in answer.headers if name.lower().startswith("access-control-")]
    if answer.streaming:
        b"".join(answer.streaming_content)  # closes the file
    if not path.startswith("/static/"):
        assert answer["Cache-Control"] == "no-store"
    assert re.search(r"charset=utf-8|application/json|image/svg", answer["Content-Type"])


@pytest.mark.parametrize("path", ["/login", "/", "/api/v1/me", "/registers/document/"])
def test_a_trace_is_not_answered(client, sato, path):
    client.force_login(sato)
    answer = client.trace(path, headers={"x-told": "swordfish"})
    assert answer.status_code in {302, 404, 405}
    assert b"swordfish" not in answer.content


@pytest.mark.parametrize(
    "path",
    [
        "/static/",
        "/static/kitei/",
        "/static/../settings.py",
        "/.git/config",
        "/files/",
        "/media/",
        "/admin/",
        "/__debug__/",
        "/api/v1/docs",
        "/api/v1/openapi.json",
    ],
)
def test_neither_folders_nor_descriptions_are_shown(client, sato, path):
    client.force_login(sato)
    assert client.get(path).status_code == 404


def test_a_log_in_begins_with_a_new_key_and_the_key_ends_with_it(client, sato):
    session = client.session
    session["planted"] = "by somebody else"
    session.save()
    planted = session.session_key

    answer = log_in(client)

    cookie = answer.cookies["kitei_session"]
    assert cookie.value != planted
    assert re.fullmatch(r"[a-z0-9]{32}", cookie.value), "32 of 36 letters: 165 bits"
    assert cookie["httponly"]
    assert cookie["samesite"] == "Lax"
    client.post("/logout")
    for key in (cookie.value, planted):
        other = Client()
        other.cookies["kitei_session"] = key
        assert other.get("/registers/document/").status_code == 302, "the log-in page"


def test_the_forms_mark_is_not_for_scripts_and_log_out_stands_on_every_page(client, sato):
    csrf = client.get("/login").cookies["kitei_csrf"]
    assert csrf["httponly"]
    assert csrf["samesite"] == "Lax"
    client.force_login(sato)
    for path in ("/", "/registers/document/", "/account/", "/no/such/page"):
        assert 'action="/logout"' in client.get(path).content.decode(), path


@pytest.mark.parametrize("path", ["/login", "/start"])
def test_pass_words_are_hidden_and_left_to_the_browsers_keeper(client, db, path):
    page = client.get(path).content.decode()
    fields = re.findall(r"<input[^>]*name=\"(?:password|again)\"[^>]*>", page)
    assert fields
    for field in fields:
        assert 'type="password"' in field
        assert re.search(r'autocomplete="(current|new)-password"', field)
        assert int(re.search(r'maxlength="(\d+)"', field)[1]) >= 64
    assert "onpaste" not in page


def read_settings(**environment):
    code = f"import json; from kitei import settings as s; print(json.dumps({{n: getattr(s, n) for n in {ASKED}}}))"
    said = subprocess.run(
        [sys.executable, "-c", code],
        env={**os.environ, "PYTHONPATH": str(SOURCE.parent), **environment},
        capture_output=True,
        check=True,
        text=True,
    )
    return json.loads(said.stdout)


def test_with_https_cookies_and_the_browser_stay_there():
    made = read_settings(KITEI_PUBLIC_URL="https://kitei.sakura.example")

    assert made["SESSION_COOKIE_SECURE"] is made["CSRF_COOKIE_SECURE"] is True
    assert [name for name in ASKED if name.endswith("_NAME") and not made[name].startswith("__Host-")] == []
    assert made["SECURE_HSTS_SECONDS"] >= 31_536_000
    assert made["SECURE_HSTS_INCLUDE_SUBDOMAINS"] is True
    assert made["DEBUG"] is False
    assert made["PASSWORD_HASHERS"] == ["django.contrib.auth.hashers.Argon2PasswordHasher"]
    assert made["CONTENT_SECURITY_POLICY"]["DIRECTIVES"]["default-src"] == ["'none'"]


@pytest.mark.django_db
def test_a_file_goes_out_under_a_name_that_ends_no_header(sakura, operator, member, client):
    name = '契約"; filename="evil.html.pdf'
    values = {"code": "C-1", "title": "契約書", "kind": "contract", "version": "第1版", "kept_at": "kitei"}
    row = {"C-1": {**values, "classification": "internal", "file_name": name}}
    transactions.durable_or_join(
        lambda: documents.documents.put(
            actor=operator, organization=sakura, rows=row, files={name: lambda: b"%PDF-1.7 contract"}
        )
    )
    StoredFile.objects.update(name=f"{name}\r\nSet-Cookie: a=b.pdf")  # an upload under such a name is refused
    state = DocumentState.objects.get(code="C-1")
    client.force_login(member("田中 一郎")[1])

    answer = client.get(f"/documents/{state.of_id}/files/{state.pk}/")

    said = answer["Content-Disposition"]
    assert said.startswith("attachment; filename*=utf-8''")
    assert not set(said) & set('"\r\n')
    assert "Set-Cookie" not in answer.headers


@pytest.mark.parametrize("name", ["図.svg", "図.png", "図.txt.html"])
def test_a_drawing_that_could_hold_scripts_is_not_taken(name):
    with pytest.raises(UserError):
        store.check_content(
            content=b'<svg xmlns="http://www.w3.org/2000/svg"><script>alert(1)</script></svg>', name=name
        )


def test_a_letter_gets_no_header_of_its_subject_or_address(settings):
    settings.EMAIL_BACKEND = "django.core.mail.backends.locmem.EmailBackend"
    outbox._send(uuid.uuid4(), outbox.Text(to=MAIL, subject="招待\r\nBcc: evil@example.jp", body="本文"))

    sent = mail.outbox[0].message()
    assert sent["Bcc"] is None
    assert sent["To"] == MAIL
    with pytest.raises(ValueError, match=r"newline|Header"):
        outbox._send(uuid.uuid4(), outbox.Text(to=f"{MAIL}\r\nBcc: evil@example.jp", subject="招待", body="本文"))


def test_an_address_begins_no_line_of_its_own_in_the_servers_log(client, db, caplog):
    with caplog.at_level(logging.WARNING):
        client.get("/no%0A2026-11-22 00:00:00 ERROR forged")

    assert caplog.messages
    assert not [line for line in caplog.messages if "\n" in line]


def calls_of(tree):
    for node in ast.walk(tree):
        if isinstance(node, ast.Call):
            yield ast.unparse(node.func), {word.arg: ast.unparse(word.value) for word in node.keywords}


FORBIDDEN = re.compile(
    r"(?:eval|exec|compile|__import__|os\.system|os\.popen|(?:pickle|marshal|shelve|yaml)\..*|hashlib\.md5)\Z"
)


def test_the_source_runs_no_text_and_revives_no_objects():
    assert FORBIDDEN.match("pickle.loads")
    files = list(SOURCE.rglob("*.py"))
    assert len(files) > 100
    for path in files:
        for name, words in calls_of(ast.parse(path.read_text(encoding="utf-8"))):
            assert not FORBIDDEN.match(name), f"{path.name}: {name}"
            assert words.get("shell") in {None, "False"}, f"{path.name}: {name}"
            assert words.get("verify_signature") is None, f"{path.name}: {name}"


def test_weak_digests_stand_where_a_standard_asks_for_them_only():
    found = {
        path.name for path in SOURCE.rglob("*.py") if re.search(r"\bsha1\b|\bmd5\b", path.read_text(encoding="utf-8"))
    }
    assert found == {"factors_totp.py"}, "RFC 6238"


def test_of_a_parameter_given_twice_one_counts_everywhere(client, sato):
    client.force_login(sato)
    answer = client.post(
        "/login?next=/registers/member/&next=https://evil.example/", {"next": ["https://evil.example/"]}
    )
    assert answer["Location"] == "/"
    page = client.get("/registers/document/?q=first&q=second").content.decode()
    searched = re.findall(r'<input[^>]*type="search"[^>]*value="([^"]*)"', page)
    assert searched == ["second"]


def test_no_form_takes_fields_nobody_named():
    for path in SOURCE.rglob("*.py"):
        assert not re.search(r"ModelForm|modelform|ModelSchema|fields = \W__all__", path.read_text(encoding="utf-8")), (
            path
        )


def test_our_scripts_keep_nothing_in_the_browser_and_write_no_markup():
    scripts = [path for path in SOURCE.rglob("*.js") if "min" not in path.name]
    assert scripts
    for path in scripts:
        text = path.read_text(encoding="utf-8")
        found = re.findall(
            r"innerHTML|outerHTML|insertAdjacentHTML|document\.write|localStorage|sessionStorage|indexedDB|document\.cookie"
            r"|postMessage|\beval\(|new Function|WebSocket|RTCPeerConnection",
            text,
        )
        assert found == [], path.name


def test_templates_hold_no_script_of_their_own():
    pages = list(SOURCE.rglob("templates/**/*.html"))
    assert len(pages) > 30
    forbidden = re.compile(r"<script(?![^>]*\bsrc=)[^>]*>|\son[a-z]+=\"|javascript:|\|safe\b|autoescape off")
    for path in pages:
        text = path.read_text(encoding="utf-8")
        assert not forbidden.search(text), path
        # The regulation as one file is downloaded and has its style in itself.
        assert "export" in path.parts or ' style="' not in text, path


def test_what_is_taken_out_too_often_is_refused_for_a_while(client, sato, monkeypatch):
    monkeypatch.setitem(limits.LIMITS, "list-export", limits.Limit("export", 2, limits.MINUTE, limits.READING))
    client.force_login(sato)
    ask = "/registers/document/export.csv"

    assert [client.get(ask).status_code for _ in range(3)] == [200, 200, 429]
    assert 0 < int(client.get(ask)["Retry-After"]) <= 60
    assert limits.LIMITS["export-all"].count <= 100, "the real limits are of this order"


def test_changing_the_pass_word_asks_for_the_one_in_use(client, sato):
    log_in(client)
    given = {"current": "not-the-one-in-use", "password": "asagao-no-niwa-2026", "again": "asagao-no-niwa-2026"}

    assert client.post("/account/password/", given).status_code == 422
    assert client.post("/account/password/", {**given, "current": PASSWORD}).status_code == 302

    sato.refresh_from_db()
    assert sato.check_password("asagao-no-niwa-2026")
