"""What each address records, in which order, and that nothing is shown when the log cannot be written (design §5)."""

from __future__ import annotations

import io
import json
import re
import uuid

import openpyxl
import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from django.db import DatabaseError, connection
from django.http import HttpResponse
from django.test import Client
from django.urls import path

from kitei import urls as house
from kitei.foundation import clock, transactions
from kitei.foundation.tenancy.ids import uuid7
from kitei.outcomes.regulation import operations as regulation
from kitei.registers.documents import operations as documents
from kitei.registers.documents import queries
from kitei.registers.documents.models import DocumentState
from kitei.registers.people import operations as people
from kitei.registers.people.models import Department, EmergencyContact, Member
from kitei.trust.access import rule, strangers
from kitei.trust.access.models import Folder, StrangerCount
from kitei.trust.accounts import operations as accounts
from kitei.trust.accounts.models import User
from kitei.trust.auditlog import events, log, logs, sequencer
from kitei.trust.auditlog.log import Act, append
from kitei.trust.auditlog.models import Event, Opening
from kitei.web.requests import actor_of
from web.access_matrix import CASES
from web.access_world import random_id

pytestmark = pytest.mark.django_db
TODAY = clock.today
PDF = b"%PDF-1.7 the contract itself"
CLAUSE = "mic-meti-1.1/5.1.6/i-2"


@pytest.fixture(autouse=True)
def _own_data(settings, tmp_path):
    settings.DATA = tmp_path
    strangers._pending.take()
    strangers._pending.written_at = 0.0


def quick(_tree, *, kinds, timestamp):
    return dict.fromkeys(kinds, b"%PDF-1.7 frozen")


def keep_document(operator, organization, level="internal"):
    values = {
        "code": "C-1", "title": "利用契約書", "kind": "contract", "version": "第1版", "kept_at": "kitei",
        "classification": level, "file_name": "契約書.pdf",
    }  # fmt: skip
    transactions.durable(
        lambda: documents.documents.put(
            actor=operator, organization=organization, rows={"C-1": values}, files={"契約書.pdf": lambda: PDF}
        )
    )
    return DocumentState.objects.get(code="C-1", organization=organization)


def hire(operator, organization):
    row = {"code": "0001", "family_name": "髙橋", "given_name": "誠", "joined_on": None}
    contact = {"code": "K-01", "order": 1, "member": "0001", "duty": "指揮", "phone": "09012345678"}

    def work():
        people.members.put(actor=operator, organization=organization, rows={"0001": row})
        people.contacts.put(actor=operator, organization=organization, rows={"K-01": contact})

    transactions.durable(work)


@pytest.fixture
def company(sakura, operator):
    """さくら with an edition in force, a member, a private contact, a document, and a log that was signed."""
    transactions.durable(lambda: logs.open_log(organization=sakura))
    transactions.durable(lambda: regulation.put_draft(actor=operator, organization=sakura))
    prepared = regulation.prepare_model(organization=sakura, effective_on=clock.today(), renderer=quick)
    transactions.durable(lambda: regulation.adopt(actor=operator, prepared=prepared))
    hire(operator, sakura)
    keep_document(operator, sakura)
    sequencer.run(organization=sakura)
    return sakura


def new_names(before):
    return list(Event.objects.exclude(id__in=before).order_by("id").values_list("name", flat=True))


def get(client, address):
    """Ask for an address; return the answer and the names of the events it made."""
    before = list(Event.objects.values_list("id", flat=True))
    answer = client.get(address)
    if answer.streaming:
        b"".join(answer.streaming_content)
    return answer, new_names(before)


def payload(event):
    return json.loads(bytes(event.payload))


# The things of this company that the addresses of the access matrix are made of; of all others there are none.
THINGS = {
    "clause": lambda: CLAUSE,
    "finding": lambda: "unknown",
    "document": lambda: DocumentState.objects.get().of_id,
    "state": lambda: DocumentState.objects.get().pk,
    "member": lambda: Member.objects.get().id,
    "folder": lambda: Folder.objects.get(parent=None).pk,
    "account": lambda: User.objects.first().pk,
    "event": lambda: str(first_event()),
    "edition": lambda: 1,
}


def route(case):
    """Return the address of a case here, and the names of the events that an officer's GET makes."""

    def address():
        return re.sub(
            r"{(\w+)}", lambda found: str(THINGS[found[1]]()) if found[1] in THINGS else random_id(found[1]), case.path
        )

    there = case.read and (set(case.things) <= THINGS.keys() or case.read.status == case.hidden)
    return address, list(case.read.records) if there else ["access:refuse"]


ROUTES = {case.name: route(case) for case in CASES}


def first_event():
    return Event.objects.filter(leaf_index__isnull=False).order_by("leaf_index").values_list("id", flat=True)[1]


def file_address(state):
    return f"/documents/{state.of_id}/files/{state.pk}/"


def test_a_recorded_look_says_who_what_where_and_why(company, officer):
    get(officer, file_address(DocumentState.objects.get()))
    said = payload(Event.objects.get(name="document:view"))
    assert said["decision"] == {"allowed": True, "reasons": ["member"]}
    assert said["policy"] == rule.policy_version()
    assert said["strength"] == "password"
    assert re.fullmatch(r"[0-9a-f]{16}", said["session"])
    assert re.fullmatch(r"[0-9a-f]{16}", said["request"])
    assert said["face"] == "web"


def test_no_name_and_no_number_stands_in_any_event(company, officer, operator):
    for address, _expected in ROUTES.values():
        get(officer, address() if callable(address) else address)
    get(officer, "/registers/member/export.csv?q=髙橋")
    get(officer, "/registers/member/?q=09012345678")
    get(officer, "/findings/accept/?finding=takahashi-makoto")
    get(officer, "/nowhere/takahashi/09012345678/")
    everything = b"".join(bytes(event.payload) for event in Event.objects.all())
    for secret in ("髙橋", "誠", "09012345678", "契約書", "利用契約書", "takahashi", "佐藤"):
        assert secret.encode() not in everything, secret
    assert Opening.objects.filter(value__contains="takahashi").exists()


# Log before reveal


def test_the_event_is_committed_before_the_file_is_read(committed_db, make_sakura, monkeypatch, tmp_path):
    organization = make_sakura()
    operator = rule.Actor("cli", "operator", organization)
    state = keep_document(operator, organization)
    seen = []

    def reading(*, file):
        seen.append((connection.in_atomic_block, Event.objects.filter(name="document:view").count()))
        return PDF

    monkeypatch.setattr(queries, "read_file", reading)
    answer = signed_in(organization).get(file_address(state))
    assert b"".join(answer.streaming_content) == PDF
    assert seen == [(False, 1)]


def signed_in(organization, *, administrator=False):
    user = accounts.User(
        organization=organization, email="tanaka@sakura.example", name="田中 一郎", principal=uuid7(),
        is_administrator=administrator, created_at=clock.now(),
    )  # fmt: skip
    user.set_password("tsukushi-no-michi-2026")
    user.save()
    client = Client()
    transactions.durable(lambda: client.force_login(user))
    return client


def broken(*_args, **_more):
    raise DatabaseError("disk full")


def test_what_cannot_be_recorded_is_not_shown(company, officer, monkeypatch):
    recorded = {name: route[0] for name, route in ROUTES.items() if route[1] not in ([], ["access:refuse"])}
    addresses = {name: address() if callable(address) else address for name, address in recorded.items()}
    assert len(addresses) >= 10
    monkeypatch.setattr(log, "insert", broken)
    for language in ("ja", "en"):
        accounts.User.objects.update(language=language)
        for name, address in addresses.items():
            answer = officer.get(address)
            text = answer.content.decode()
            assert answer.status_code == 503, name
            assert answer["Retry-After"]
            assert not any(secret in text for secret in (PDF.decode(), "frozen", "髙橋", "第1条", "session:")), name
            assert "Content-Disposition" not in answer
            assert ("操作記録に書けないため、表示できません" in text) is (language == "ja"), name
            assert ("The log cannot be written" in text) is (language == "en"), name


def test_a_trigger_that_refuses_the_event_shuts_the_page_too(company, officer):
    if connection.vendor == "sqlite":
        sql = "CREATE TRIGGER full BEFORE INSERT ON auditlog_event BEGIN SELECT RAISE(ABORT, 'disk full'); END"
        connection.cursor().execute(sql)
    else:
        connection.cursor().execute(
            "CREATE FUNCTION full_disk() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN RAISE EXCEPTION 'disk full'; END $$"
        )
        connection.cursor().execute(
            "CREATE TRIGGER full_disk BEFORE INSERT ON auditlog_event FOR EACH ROW EXECUTE FUNCTION full_disk()"
        )
    answer = officer.get(file_address(DocumentState.objects.get()))
    assert answer.status_code == 503
    assert PDF not in answer.content


def test_without_the_log_nobody_logs_in(sakura, member, client, monkeypatch):
    member("佐藤 恵子", mail="sato@sakura.example", password="tsukushi-no-michi-2026")
    monkeypatch.setattr(log, "insert", broken)
    answer = client.post("/login", {"username": "sato@sakura.example", "password": "tsukushi-no-michi-2026"})
    assert answer.status_code == 503
    monkeypatch.undo()
    assert client.get("/").status_code == 302, "still a stranger"


def test_a_change_that_cannot_be_recorded_does_not_happen(company, officer, operator, monkeypatch):
    monkeypatch.setattr(log, "insert", broken)
    answer = officer.post("/language", {"language": "en"})
    assert answer.status_code == 503
    assert not accounts.User.objects.filter(language="en").exists()


# A refusal survives the rollback of its request


def half_done(request):
    actor = actor_of(request)
    Department.objects.create(organization=actor.organization, code="途中まで")
    rule.require(actor, rule.EDIT, rule.Target("department", organization=actor.organization))
    return HttpResponse("done")


urlpatterns = [*house.urlpatterns, path("half-done/", half_done)]
handler400, handler403, handler404, handler500 = house.handler400, house.handler403, house.handler404, house.handler500


@pytest.mark.urls(__name__)
def test_a_refusal_is_there_although_the_whole_request_was_rolled_back(committed_db, make_sakura, monkeypatch):
    """Security.md §1.3, trap 1: with a transaction around every view the refusal must not go with it."""
    organization = make_sakura()
    client = signed_in(organization)
    monkeypatch.setitem(connection.settings_dict, "ATOMIC_REQUESTS", True)
    answer = client.get("/half-done/")
    assert answer.status_code == 404
    assert not Department.objects.exists(), "the request was rolled back"
    connection.close()
    event = Event.objects.get(name="access:refuse")
    assert payload(event)["decision"]["reasons"][0] == "no-role"


@pytest.mark.urls(__name__)
def test_a_refusal_that_cannot_be_recorded_is_one_still(sakura, browser, monkeypatch, caplog):
    client = browser("田中 一郎")
    monkeypatch.setattr(log, "insert", broken)
    assert client.get("/half-done/").status_code == 404
    assert client.get("/nowhere/").status_code == 404
    assert caplog.text.count("a refusal could not be recorded") == 2


# Who is turned away


def refusals():
    return [payload(event) for event in Event.objects.filter(name="access:refuse").order_by("id")]


def test_asking_for_what_is_not_there_or_not_so_is_a_refusal(company, browser, stranger, tsubaki):
    client = browser("田中 一郎")
    theirs = keep_document(stranger, tsubaki)
    for address in (file_address(theirs), "/regulation/editions/99/", "/registers/nowhere/", "/nowhere/", "/logout"):
        client.get(address)
    strict = Client(enforce_csrf_checks=True)
    strict.cookies = client.cookies
    assert strict.post("/language", {"language": "en"}).status_code == 403
    said = refusals()
    assert [entry["decision"]["reasons"] for entry in said] == [
        ["no-visible-row"], ["no-visible-row"], ["not-found"], ["not-found"], ["wrong-method"], ["csrf"],
    ]  # fmt: skip
    assert [entry["data"].get("status") for entry in said] == [None, None, 404, 404, 405, 403]
    assert [entry["data"].get("route") for entry in said][2:] == ["list", None, "logout", "set-language"]
    assert {entry["org"] for entry in said} == {"sakura"}
    assert all("path" in entry["commitments"] for entry in said)


def test_what_a_browser_asks_for_by_itself_is_no_refusal(sakura, browser):
    client = browser("田中 一郎")
    for address in ("/favicon.ico", "/apple-touch-icon-precomposed.png", "/robots.txt", "/.well-known/security.txt"):
        assert client.get(address).status_code == 404
    assert not refusals()


def test_strangers_are_counted_not_recorded(sakura, client):
    for address in ("/nowhere/", "/wp-login.php", "/registers/member/", "/login"):
        client.get(address)
    Client(enforce_csrf_checks=True).post("/login", {})
    assert not Event.objects.exists()
    strangers.flush()
    assert StrangerCount.objects.get().count == 2


# Private contacts


def preview(client, phone):
    book = openpyxl.Workbook()
    book.active.title = "緊急連絡先"
    book.active.append(["連絡先番号", "連絡順", "社員番号", "緊急時の役目", "電話番号"])
    book.active.append(["K-01", 1, "0001", "指揮", phone])
    stream = io.BytesIO()
    book.save(stream)
    answer = client.post("/import/", {"file": SimpleUploadedFile("連絡先.xlsx", stream.getvalue())})
    return get(client, answer.url)


def test_the_preview_of_an_import_that_shows_a_number_is_recorded(company, officer):
    assert EmergencyContact.objects.count() == 1
    answer, made = preview(officer, "08099990000")
    assert "09012345678" in answer.content.decode(), "the value before the change"
    assert made == ["contact:view"]
    assert payload(Event.objects.get(name="contact:view"))["data"] == {"columns": ["contact.phone"], "rows": 1}


def test_a_preview_that_shows_no_number_records_nothing(company, officer):
    answer, made = preview(officer, "09012345678")
    assert "09012345678" not in answer.content.decode()
    assert made == []


def test_the_preview_shows_no_number_when_the_log_cannot_be_written(company, officer, monkeypatch):
    monkeypatch.setattr(log, "insert", broken)
    answer, made = preview(officer, "08099990000")
    assert (answer.status_code, made) == (503, [])
    assert "09012345678" not in answer.content.decode()
    monkeypatch.undo()


def test_the_export_of_everything_names_the_private_columns(company, officer):
    get(officer, "/import/export/")
    assert "contact.phone" in payload(Event.objects.get(name="register:export-all"))["data"]["contacts"]


def test_another_organizations_log_is_not_touched(company, tsubaki, officer):
    transactions.durable(
        lambda: append(organization=tsubaki, act=Act(events.LOGIN, ("member", str(uuid.uuid4())), ("account", "1")))
    )
    get(officer, "/nowhere/")
    assert Event.objects.filter(organization=tsubaki).count() == 1
