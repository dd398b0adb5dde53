"""Headers, cookies and what may be sent, seen from outside (issue 4 part 5; ASVS 5.0 V3, V5, V6, V13)."""

from __future__ import annotations

import io
import re
import runpy
import zipfile
from email.message import EmailMessage
from html.parser import HTMLParser
from pathlib import Path

import openpyxl
import pytest
from django.contrib.auth.decorators import login_not_required
from django.core.files.storage import storages
from django.core.files.uploadedfile import SimpleUploadedFile
from django.http import HttpResponse
from django.test import Client
from django.urls import URLPattern, get_resolver, path, reverse

from kitei import urls as house
from kitei.foundation import transactions
from kitei.foundation.files.models import StoredFile
from kitei.foundation.sheets import spec
from kitei.registers.documents import operations as documents
from kitei.registers.documents.models import DocumentState

pytestmark = pytest.mark.one_database

SETTINGS = Path(house.__file__).with_name("settings.py")
MAIL, PASSWORD = "sato@sakura.example", "tsukushi-no-michi-2026"
PAGE_POLICY = {
    "default-src": "'none'",
    "script-src": "'self'",
    "style-src": "'self'",
    "img-src": "'self'",
    "font-src": "'self'",
    "connect-src": "'self'",
    "form-action": "'self'",
    "frame-ancestors": "'none'",
    "base-uri": "'none'",
    "object-src": "'none'",
}
FILE_POLICY = {
    "default-src": "'none'",
    "form-action": "'none'",
    "frame-ancestors": "'none'",
    "base-uri": "'none'",
    "object-src": "'none'",
    "sandbox": "",
}


@login_not_required
def fall(request):
    raise RuntimeError("swordfish")


@login_not_required
def send(request):
    return HttpResponse(b"<script>1</script>", content_type=request.GET["as"])


urlpatterns = [*house.urlpatterns, path("fall", fall), path("send", send)]
handler400, handler403, handler404, handler500 = house.handler400, house.handler403, house.handler404, house.handler500
HERE = pytest.mark.urls(__name__)


def policy(answer):
    rules = (rule.strip().partition(" ") for rule in answer["Content-Security-Policy"].split(";"))
    return {name: value for name, _, value in rules}


def assert_hardened(answer):
    kind = answer["Content-Type"].partition(";")[0]
    attached = answer.get("Content-Disposition", "").startswith("attachment")
    assert policy(answer) == (PAGE_POLICY if kind == "text/html" and not attached else FILE_POLICY)
    assert answer["X-Content-Type-Options"] == "nosniff"
    assert answer["X-Frame-Options"] == "DENY"
    assert answer["Referrer-Policy"] == "same-origin"
    assert answer["Cross-Origin-Opener-Policy"] == answer["Cross-Origin-Resource-Policy"] == "same-origin"
    assert "camera=()" in answer["Permissions-Policy"]
    assert "Access-Control-Allow-Origin" not in answer.headers


class Inline(HTMLParser):
    """Collects what a policy without inline forbids."""

    def __init__(self):
        super().__init__()
        self.found = []

    def handle_starttag(self, tag, attrs):
        given = dict(attrs)
        if tag in {"style", "base", "object", "embed", "iframe"} or (tag == "script" and not given.get("src")):
            self.found.append(tag)
        for name, value in attrs:
            if (
                name == "style"
                or name.startswith("on")
                or re.match(r"\s*(javascript|data):", value or "", re.IGNORECASE)
            ):
                self.found.append(f"{tag} {name}")
            if name in {"src", "action", "formaction"} and re.match(r"(https?:)?//", value or ""):
                self.found.append(f"{tag} {name}={value}")


def plain_routes(patterns, prefix=""):
    """Return every address without a variable part."""
    for pattern in patterns:
        route = prefix + str(pattern.pattern)
        if not isinstance(pattern, URLPattern):
            yield from plain_routes(pattern.url_patterns, route)
        elif "<" not in route and "(" not in route:
            yield "/" + route.replace("^", "").replace("$", "")


@pytest.fixture
def sato(member):
    return member("佐藤 恵子", "security-officer", mail=MAIL, password=PASSWORD)[1]


@pytest.fixture(autouse=True)
def _own_data(settings, tmp_path):
    settings.DATA = tmp_path


def kept():
    return [path for path in Path(storages["files"].location).rglob("*") if path.is_file()]


class TestHeaders:
    def test_every_address_answers_with_them_and_its_page_holds_nothing_inline(self, officer, client):
        routes = sorted(set(plain_routes(get_resolver().url_patterns)) - {"/regulation/download/"})
        assert len(routes) > 25
        for route in routes:
            for who in (officer, client):
                answer = who.get(route)
                assert_hardened(answer)
                assert answer["Cache-Control"] == "no-store", route
                if answer["Content-Type"].startswith("text/html") and not answer.streaming:
                    page = Inline()
                    page.feed(answer.content.decode())
                    assert page.found == [], route

    @HERE
    @pytest.mark.parametrize(
        ("address", "more", "status"),
        [
            ("/login", {"headers": {"host": "evil.example"}}, 400),
            ("/no/such/page", {}, 404),
            ("/fall", {}, 500),
            ("/static/no-such.css", {}, 404),
            ("/api/v1/me", {}, 401),
            ("/healthz", {}, 200),
            ("/registers/member/", {}, 302),
        ],
    )
    def test_so_do_errors_and_machines(self, client, sakura, address, more, status):
        client.raise_request_exception = False
        answer = client.get(address, **more)

        assert answer.status_code == status
        assert_hardened(answer)
        assert answer["Cache-Control"] == "no-store"

    def test_so_do_a_form_without_its_mark_and_what_is_too_large(self, sakura):
        strict = Client(enforce_csrf_checks=True)
        huge = strict.post("/login", b"x", "application/octet-stream", CONTENT_LENGTH=str(2**30))

        for status, answer in ((403, strict.post("/login", {})), (413, huge)):
            assert answer.status_code == status
            assert_hardened(answer)

    def test_static_files_may_be_kept_and_carry_them_too(self, client):
        found = min(Path(house.__file__).parent.rglob("static/**/*.css"))
        answer = client.get("/static/" + found.as_posix().partition("/static/")[2])

        assert answer.status_code == 200
        assert b"{" in b"".join(answer.streaming_content)
        assert answer["Content-Type"].startswith("text/css")
        assert_hardened(answer)
        assert "public" in answer["Cache-Control"]

    @HERE
    @pytest.mark.parametrize(
        "kind",
        ["image/svg+xml", "application/xhtml+xml", "text/xml", "application/pdf", "text/javascript", "text/markdown"],
    )
    def test_what_a_browser_could_run_never_opens_in_our_origin(self, client, sakura, kind):
        answer = client.get("/send", {"as": kind})

        assert answer["Content-Disposition"] == "attachment"
        assert_hardened(answer)

    @pytest.mark.parametrize(
        ("classification", "name"),
        [("public", "契約書.pdf"), ("internal", '見積 "A";.pdf'), ("secret", "利用契約書（第2版）.pdf")],
    )
    def test_a_document_of_every_classification_is_an_attachment_nobody_keeps(
        self, officer, operator, sakura, classification, name
    ):
        values = {
            "code": "C-1", "title": "利用契約書", "kind": "contract", "version": "第1版", "kept_at": "kitei",
            "classification": classification, "file_name": name,
        }  # fmt: skip
        transactions.durable(
            lambda: documents.documents.put(
                actor=operator, organization=sakura, rows={"C-1": values}, files={name: lambda: b"%PDF-1.7 x"}
            )
        )
        state = DocumentState.objects.get(code="C-1")

        answer = officer.get(reverse("document-file", args=[state.of_id, state.pk]))

        assert b"".join(answer.streaming_content) == b"%PDF-1.7 x"
        assert answer["Content-Type"] == "application/pdf"
        assert answer["Cache-Control"] == "no-store"
        assert_hardened(answer)
        # RFC 6266 with RFC 8187: ASCII only on the wire, one name, no way out of the quotes.
        assert answer["Content-Disposition"].isascii()
        message = EmailMessage()
        message["Content-Disposition"] = answer["Content-Disposition"]
        assert message.get_filename() == name

    def test_over_https_browsers_are_told_to_stay_there(self, client, db, settings):
        assert "Strict-Transport-Security" not in client.get("/login").headers
        settings.SECURE_HSTS_SECONDS = 31536000

        for address in ("/login", "/no/such/page", "/healthz"):
            assert client.get(address)["Strict-Transport-Security"] == "max-age=31536000; includeSubDomains"


class TestCookies:
    @pytest.fixture
    def over_https(self, monkeypatch, settings):
        monkeypatch.setenv("KITEI_PUBLIC_URL", "https://kitei.sakura.example")
        made = runpy.run_path(str(SETTINGS))
        for name in made:
            if re.match(r"(SESSION|CSRF|SECURE|LANGUAGE|DEVICE)_(COOKIE|HSTS)", name):
                setattr(settings, name, made[name])
        return made

    def test_each_belongs_to_this_host_over_https_alone(self, over_https, client, sato, settings, monkeypatch):
        monkeypatch.setattr("kitei.trust.accounts.views.LANGUAGE_COOKIE", settings.LANGUAGE_COOKIE_NAME)
        client.get("/login", secure=True)
        client.post("/login", {"username": MAIL, "password": PASSWORD}, secure=True)
        client.post("/language", {"language": "en"}, secure=True)

        assert {"__Host-kitei_session", "__Host-kitei_csrf", "__Host-kitei_language"} <= set(client.cookies)
        for name, cookie in client.cookies.items():
            assert name.startswith("__Host-"), name
            assert cookie["secure"], name
            assert cookie["httponly"], name
            assert cookie["samesite"] == "Lax", name
            assert (cookie["path"], cookie["domain"]) == ("/", ""), name
        assert over_https["MESSAGE_COOKIE_NAME"] == "__Host-kitei_messages"

    def test_without_https_the_names_are_plain_and_scripts_still_cannot_read_them(self, client, sato):
        client.get("/login")
        client.post("/login", {"username": MAIL, "password": PASSWORD})

        assert {"kitei_session", "kitei_csrf"} <= set(client.cookies)
        assert all(cookie["httponly"] and cookie["samesite"] == "Lax" for cookie in client.cookies.values())

    def test_the_session_changes_with_log_in_and_the_old_one_is_gone_with_log_out(self, client, sato):
        client.post("/login", {"username": MAIL, "password": PASSWORD})
        stolen = Client()
        stolen.cookies["kitei_session"] = client.cookies["kitei_session"].value
        assert stolen.get("/registers/member/").status_code == 200
        client.post("/logout")

        assert stolen.get("/registers/member/").status_code == 302


def workbook(rows, headers, sheet):
    book = openpyxl.Workbook()
    book.active.title = sheet
    for row in (headers, *rows):
        book.active.append(row)
    stream = io.BytesIO()
    book.save(stream)
    return stream.getvalue()


def packed(parts):
    stream = io.BytesIO()
    with zipfile.ZipFile(stream, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, content in parts.items():
            archive.writestr(name, content)
    return stream.getvalue()


def with_attachment(name, content):
    """Return an import zip: one document in the workbook, its file beside it."""
    sheet = spec.get("document")
    row = {
        "code": "C-1", "title": "利用契約書", "kind": "契約書", "version": "第1版", "kept_at": "Kitei", "file_name": name,
        "classification": "社外秘",
    }  # fmt: skip
    columns = [column for column in sheet.columns if column.key in row]
    book = workbook([[row[column.key] for column in columns]], [column.ja for column in columns], sheet.ja)
    return packed({"台帳.xlsx": book, name: content})


def upload(client, content, name, address="/import/", **more):
    return client.post(address, {"file": SimpleUploadedFile(name, content), **more}, follow=True)


class TestUploads:
    BOMB = {"[Content_Types].xml": b"<Types/>", "xl/workbook.xml": b" " * 40_000_000}

    @pytest.mark.parametrize(
        ("name", "content", "said"),
        [
            ("あ" * 297 + ".xlsx", b"x", "長すぎます"),
            ("CON.xlsx", b"x", "予約された"),
            ("台帳.xlsx", packed(BOMB), "大きくなりすぎ"),
            ("文書.zip", packed({"台帳.csv": b"a,b", "../../etc/cron.d/x": b"x"}), "置き場所を外れる"),
            ("文書.zip", packed({"台帳.csv": b"a,b", "規程\u202efdp.exe": b"x"}), "見えない文字"),
            ("台帳.xlsx", b"MZ\x90\x00" + b"\0" * 99, "壊れている"),
        ],
        ids=["long", "device", "bomb", "traversal", "bidi", "exe"],
    )
    def test_a_bad_import_is_told_and_nothing_stays(self, officer, settings, name, content, said):
        answer = upload(officer, content, name)

        assert answer.status_code == 422
        assert said in answer.content.decode()
        assert list((Path(settings.DATA) / "uploads").glob("*")) == []

    def test_a_path_in_front_of_a_name_is_taken_off(self, officer, settings):
        upload(officer, b"a,b\n1,2\n", "../../etc/台帳\u202e.csv")

        assert not (Path(settings.DATA) / "etc").exists()
        assert all("\u202e" not in found.name for found in Path(settings.DATA).rglob("*"))

    @pytest.mark.parametrize(
        ("name", "content", "said"),
        [
            ("契約書.pdf", b"MZ\x90\x00" + b"\0" * 99, "合いません"),
            ("契約書.docx", packed({"[Content_Types].xml": "<Types/>", "word/document.xml": "", "word/vbaProject.bin": "x"}), "マクロ"),
        ],
    )  # fmt: skip
    def test_a_bad_attachment_stops_its_whole_import(self, officer, name, content, said):
        answer = upload(officer, with_attachment(name, content), "文書.zip")
        page = answer.content.decode()
        assert answer.status_code == 200, page
        answer = officer.post(f"{answer.request['PATH_INFO']}apply/", {"seen": answer.context["seen"]})

        assert answer.status_code == 409
        assert said in answer.content.decode()
        assert not DocumentState.objects.exists()
        assert not StoredFile.objects.exists()
        assert kept() == []

    def test_a_good_attachment_is_kept(self, officer):
        answer = upload(officer, with_attachment("契約書.pdf", b"%PDF-1.7 x"), "文書.zip")
        officer.post(f"{answer.request['PATH_INFO']}apply/", {"seen": answer.context["seen"]})

        assert StoredFile.objects.get().content_type == "application/pdf"

    def test_an_own_regulation_must_be_what_its_name_says(self, officer):
        more = {"source": "own", "effective_on": "2026-12-01"}
        answer = upload(officer, packed(self.BOMB), "規程.docx", "/regulation/adopt/", **more)

        assert answer.status_code == 422
        assert "大きくなりすぎ" in answer.content.decode()
        assert kept() == []

    @pytest.mark.parametrize(
        "sent",
        [
            {"data": {f"f{number}": "x" for number in range(1001)}},
            {"data": {f"f{number}": SimpleUploadedFile("a.txt", b"x") for number in range(6)}},
            {"data": {"f": "x" * (5 * 1024 * 1024 + 1)}},
            {"data": "a=" + "x" * (5 * 1024 * 1024), "content_type": "application/x-www-form-urlencoded"},
            {"data": b"x", "content_type": "application/octet-stream", "CONTENT_LENGTH": str(61 * 1024 * 1024)},
            {"data": b"x", "content_type": "application/octet-stream", "CONTENT_LENGTH": "-1"},
        ],
        ids=["fields", "files", "field", "form", "body", "negative"],
    )
    @pytest.mark.parametrize(("language", "said"), [("ja", "大きすぎます"), ("en", "too large")])
    def test_too_much_at_once_is_answered_with_what_to_do(self, member, sent, language, said):
        _actor, user = member("佐藤 恵子", "security-officer")
        user.language = language
        user.save()
        client = Client(enforce_csrf_checks=True)
        client.force_login(user)
        client.get("/import/")
        client.cookies["kitei_language"] = language

        answer = client.post("/import/", **sent)

        assert answer.status_code == 413
        assert said in answer.content.decode()
        assert_hardened(answer)

    def test_a_stranger_sends_no_files_at_all(self, client, sakura):
        answer = client.post("/login", {"file": SimpleUploadedFile("a.pdf", b"x" * 1024 * 1024)})

        assert answer.status_code == 413
