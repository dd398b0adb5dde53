"""Nothing tells about what one may not see: every address, every export, as a member without the right (issue 4)."""

from __future__ import annotations

import io
import re
import zipfile

import openpyxl
import pytest
import test_recorded_pages as recorded
from django.core.files.uploadedfile import SimpleUploadedFile
from django.test import Client

from kitei.engine.checks.model import Severity
from kitei.foundation import clock, transactions
from kitei.foundation.sheets import spec
from kitei.foundation.ui import lists
from kitei.outcomes.regulation import coverage
from kitei.registers.documents import operations as documents
from kitei.registers.documents.models import DocumentState
from kitei.registers.people import operations as people
from kitei.registers.people.models import Member
from kitei.registers.suppliers import operations as suppliers
from kitei.registers.suppliers.models import SupplierState
from kitei.trust.access import applications, emergencies, grants, rule
from kitei.trust.access.grants import Terms
from kitei.trust.access.models import Classification
from kitei.web import exchange, limits

pytestmark = pytest.mark.django_db
company = recorded.company
_own_data = recorded._own_data

TITLE, NUMBER, PLACE = "買収交渉の覚書", "ZQ-7731", "会長室の金庫"
OPEN_TITLE = "公開してよい手順"
REGULATION = {"regulation", "regulation-download"}
"""別表3 lists restricted documents by number, kind, department and classification, never by title (decision 0014)."""


def hidden(**more):
    return {
        "code": NUMBER, "title": TITLE, "kind": "policy", "version": "", "kept_at": "paper", "place": PLACE,
        "classification": "secret", "in_force_from": clock.today(), "folder": "役員", **more,
    }  # fmt: skip


def supplier(**more):
    return {"code": "V-01", "name": "青葉保守", "category": "maintenance", "contract": NUMBER, **more}


@pytest.fixture(autouse=True)
def _unhurried(monkeypatch):
    """The walk asks faster than a person may."""
    monkeypatch.setattr(limits, "LIMITS", {})


@pytest.fixture
def world(company, operator, member):
    """The company, with a secret document that every register and somebody else's request refer to."""
    other = member("高田 健", "security-officer")[0]

    def work():
        documents.documents.put(
            actor=operator, organization=company,
            rows={
                NUMBER: hidden(),
                "ZQ-1": hidden(code="ZQ-1", title=OPEN_TITLE, kind="manual", classification="internal", place="書庫"),
                # Contracts without 主管部署 are findings that name the document.
                f"{NUMBER}-2": hidden(code=f"{NUMBER}-2", title=f"{TITLE}2", kind="contract", place=""),
            },
        )  # fmt: skip
        suppliers.suppliers.put(actor=operator, organization=company, rows={"V-01": supplier()})
        people.qualifications.put(
            actor=operator, organization=company,
            rows={"Q-1": {"code": "Q-1", "member": "0001", "kind": "other", "name": "監査人", "evidence": NUMBER}},
        )  # fmt: skip
        people.appoint_many(
            actor=operator, organization=company,
            rows={
                "A-1": {
                    "code": "A-1", "role": "privacy-officer", "member": "0001", "valid_from": clock.today(),
                    "evidence": NUMBER,
                }
            },
        )  # fmt: skip
        grants.grant(
            actor=operator, organization=company,
            terms=Terms(
                ("member", str(other.principal)), ("view",), "object", f"{TITLE}の担当", register="document",
                object_id=DocumentState.objects.get(code=NUMBER).of_id,
            ),
        )  # fmt: skip
        applications.ask(
            actor=other, organization=company, wanted=NUMBER, address="", reason=TITLE, until=clock.today()
        )
        emergencies.begin(actor=other, organization=company, reason=TITLE, number=NUMBER)

    transactions.durable(work)
    coverage.run_and_store(organization=company)
    return company


def secret_id():
    return DocumentState.objects.get(code=NUMBER).of_id


def addresses():
    """Every address of the table of recorded pages, those about a document about the secret one, and every register's."""
    own = {
        "document-file": lambda: f"/documents/{secret_id()}/files/{DocumentState.objects.get(code=NUMBER).pk}/",
        "api-document": lambda: f"/api/v1/documents/{secret_id()}",
        "access-why": f"/access/why/?document={NUMBER}&member=0001&action=view",
        "access-reach": "/access/reach/?member=0001",
        "regulation-download": "/regulation/download/html/",
        "list-row": lambda: f"/registers/member/{Member.objects.get(code='0001').pk}/",
        "logout": "/logout",
    }
    for name, (address, _expected) in recorded.ROUTES.items():
        found = own.get(name, address)
        yield name, found() if callable(found) else found
    for clause in coverage.current(organization=DocumentState.objects.first().organization).rows:
        yield "requirement", f"/requirements/{clause.clause.id}/"
    yield "home", "/?as_of=2026-11-21"
    yield "findings", "/findings/?as_of=2026-11-22"
    yield "regulation", "/regulation/?article=documents"
    yield "why", f"/access/why/?document={secret_id()}"
    yield "list", f"/registers/document/?q={NUMBER[:5]}"
    for each in lists.specs():
        for query in ("", "?as_of=2026-11-22", "?q=ZQ-77", "?q=買収"):
            yield "list", f"/registers/{each.key}/{query}"
        for form in ("csv", "xlsx"):
            yield "list-export", f"/registers/{each.key}/export.{form}"
        operator = rule.Actor("cli", "operator", DocumentState.objects.first().organization)
        for row in each.query(actor=operator, day=clock.today())[:5]:
            yield "list-row", f"/registers/{each.key}/{getattr(row, 'of_id', row.pk)}/"


def words(answer):
    """Return everything an answer holds as text, files inside a zip included, without what the reader typed."""
    content = b"".join(answer.streaming_content) if answer.streaming else answer.content
    if content[:2] == b"PK":
        with zipfile.ZipFile(io.BytesIO(content)) as packed:
            content = b"\n".join(packed.read(name) for name in packed.namelist())
    head = "\n".join(f"{name}: {value}" for name, value in answer.items())
    return f"{head}\n{content.decode(errors='replace')}"


def leaks(client, *, only=""):
    """Return the addresses that name the secret document, each with what they gave away; and how many answered well."""
    found, well = {}, 0
    for name, address in addresses():
        if only and not re.search(only, address):
            continue
        answer = client.get(address)
        text = words(answer)
        if NUMBER in address:  # what was typed comes back in forms
            text = text.replace(address, "").replace(f'value="{NUMBER}"', "")
        told = [mark for mark in (TITLE, PLACE) if mark in text]
        told += [NUMBER] if NUMBER in text and name not in REGULATION else []
        if told:
            found[address] = told
        well += answer.status_code == 200
    return found, well


def test_a_member_without_the_right_finds_it_nowhere(world, browser):
    found, well = leaks(browser("田中 一郎"))
    assert found == {}
    assert well > 60, "the walk is no walk of refusals"


def limited(operator, organization, member, *actions):
    """Return a member who may do a lot with everything, but up to 社外秘 only."""
    actor, user = member("中村 葵")
    terms = Terms(
        ("member", str(actor.principal)), actions or ("list", "view", "download", "print", "edit", "approve"), "all",
        "台帳の担当", highest=Classification.INTERNAL,
    )  # fmt: skip
    transactions.durable(lambda: grants.grant(actor=operator, organization=organization, terms=terms))
    client = Client()
    client.force_login(user)
    return actor, client


def test_who_edits_and_exports_up_to_internal_finds_it_nowhere(world, operator, member):
    """What the plain member's walk did not reach: exports and imports."""
    _actor, client = limited(operator, world, member)
    found, well = leaks(client, only=r"export|import|download|document/|findings|^/$")
    assert found == {}
    assert well > 30, "exports are among the answers"


def test_an_officer_finds_it(world, officer):
    """The walk can see: it is no test that passes because the marks are never shown."""
    shown = ("/registers/document/", "/import/export/", "/findings/", "/api/v1/documents", "/api/v1/findings")
    wanted = "|".join(f"^{address}$" for address in shown)
    found, _well = leaks(officer, only=f"{wanted}|^/regulation/$")
    assert set(found) == {*shown, "/regulation/"} - {"/regulation/"}
    text = officer.get("/regulation/").content.decode()
    assert NUMBER in text
    assert "名称の記載省略" in text


def exported(actor, organization, tmp_path):
    path = tmp_path / "台帳.xlsx"
    with path.open("wb") as stream:
        exchange.export(actor=actor, organization=organization, stream=stream)
    return path


def test_an_export_without_hidden_documents_comes_back_without_touching_them(world, operator, member, tmp_path):
    actor, _client = limited(operator, world, member)
    before = spec.get("document").existing(organization=world, keys=None)
    contracts = spec.get("supplier").existing(organization=world, keys=None)
    path = exported(actor, world, tmp_path)
    for who in (actor, operator):
        plan = exchange.plan(actor=who, organization=world, path=path)
        assert [issue.render() for issue in plan.errors] == []
        assert who is operator or plan.counts["changed"] == plan.counts["added"] == 0, "for the one who exported it"
    plan = exchange.plan(actor=actor, organization=world, path=path)
    exchange.apply(actor=actor, organization=world, plan=plan)
    assert spec.get("document").existing(organization=world, keys=None) == before
    assert spec.get("supplier").existing(organization=world, keys=None) == contracts
    whole = spec.get("document").existing(organization=world, keys=None)
    assert NUMBER in whole, "an officer's export holds it"


def sheet(title, *rows):
    book = openpyxl.Workbook()
    book.active.title = title
    for row in rows:
        book.active.append(row)
    stream = io.BytesIO()
    book.save(stream)
    return SimpleUploadedFile("台帳.xlsx", stream.getvalue())


def uploaded(client, *table):
    return client.get(client.post("/import/", {"file": sheet(*table)}).url)


def test_changing_a_row_keeps_the_reference_its_reader_could_not_see(world, operator, member, tmp_path):
    actor, _client = limited(operator, world, member)
    path = tmp_path / "委託先.xlsx"
    path.write_bytes(
        sheet("委託先", ["委託先番号", "名称", "契約書の文書番号"], ["V-01", "青葉保守サービス", ""]).read()
    )
    plan = exchange.plan(actor=actor, organization=world, path=path)
    assert plan.counts["changed"] == 1, [issue.render() for issue in plan.errors]
    exchange.apply(actor=actor, organization=world, plan=plan)
    row = SupplierState.objects.as_of(clock.today()).get(code="V-01")
    assert (row.name, row.contract.code) == ("青葉保守サービス", NUMBER)


def test_a_preview_shows_nothing_of_a_hidden_row_and_the_row_is_not_overwritten(world, operator, member):
    _actor, client = limited(operator, world, member)
    columns = ["文書番号", "名称", "種類", "保管先", "保管場所・原本の所在"]
    answer = uploaded(client, "文書", columns, [NUMBER, "別の文書", "手順書", "紙", "書庫"])
    text = answer.content.decode()
    assert answer.status_code == 200
    assert TITLE not in text
    assert PLACE not in text
    new = uploaded(client, "文書", columns, ["ZQ-7799", "別の文書", "手順書", "紙", "書庫"]).content.decode()
    assert ("追加" in text) is ("追加" in new) is True
    token = answer.request["PATH_INFO"]
    seen = re.search(r'name="seen" value="([^"]+)"', text)[1]
    refused = client.post(f"{token}apply/", {"seen": seen})
    assert refused.status_code == 409
    assert "は登録できません" in refused.content.decode()
    assert DocumentState.objects.filter(code=NUMBER).count() == 1
    assert DocumentState.objects.get(code=NUMBER).title == TITLE


def test_counts_of_findings_are_those_one_may_read(world, browser, officer):
    count = {name: client.get("/api/v1/findings").json()["summary"] for name, client in (
        ("plain", browser("田中 一郎")), ("officer", officer),
    )}  # fmt: skip
    assert count["plain"][Severity.MUST.value] < count["officer"][Severity.MUST.value]
