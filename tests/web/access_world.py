"""The world the access matrix is played in: さくら with one thing of every kind, five of its people, and an officer of 椿.

Built once for a module inside one transaction; every test runs in a savepoint of it and leaves it as it was.
"""

from __future__ import annotations

import datetime as dt
import io
import re
import secrets
import types
import uuid
from dataclasses import dataclass, field
from http.cookies import SimpleCookie
from pathlib import Path
from typing import Any

import openpyxl
from django.core.files.uploadedfile import SimpleUploadedFile
from django.test import Client
from django.test.client import ClientHandler

from kitei.foundation import clock, transactions
from kitei.foundation.tenancy.ids import uuid7
from kitei.foundation.tenancy.models import Organization
from kitei.outcomes.regulation import coverage
from kitei.outcomes.regulation import operations as regulation
from kitei.registers.documents import operations as documents
from kitei.registers.documents.models import DocumentState
from kitei.registers.people import operations as people
from kitei.registers.people.models import Member
from kitei.trust.access import applications, emergencies, grants, strangers
from kitei.trust.access.grants import Terms
from kitei.trust.access.models import Folder, Membership
from kitei.trust.access.rule import Actor
from kitei.trust.accounts import tokens
from kitei.trust.accounts.models import Factor, User
from kitei.trust.auditlog import logs, sequencer
from kitei.trust.auditlog.models import Event
from kitei.web import uploads

PLAIN, ENDED, AUDITOR, OFFICER, THEIRS = "plain", "ended", "auditor", "officer", "theirs"
PEOPLE = (PLAIN, ENDED, AUDITOR, OFFICER, THEIRS)
CLAUSE = "mic-meti-1.1/5.1.6/i-2"
PDF = b"%PDF-1.7 the contract itself"
PASSWORD = "tsukushi-no-michi-2026"
PHONE = "09012345678"
OWN_WORDS = ("さくら医療クラウド", "髙橋", "利用契約書", "sakura.example", PHONE)
"""What stands on pages of さくら and never on one that 椿 gets."""
CLOSED_WORDS = ("極秘契約書", "C-9")
"""What stands only where 極秘 is shown."""
_AGES_AGO = dt.date(2020, 4, 1)


def random_id(name: str) -> str:
    """Return an id of the right form that nothing has."""
    return {"edition": "99", "upload": secrets.token_urlsafe(32)}.get(name) or str(uuid.uuid4())


@dataclass
class World:
    """``ids`` are the things addresses are made of; a function is called each time."""

    folder: Path
    sakura: Any = None
    tsubaki: Any = None
    ids: dict[str, Any] = field(default_factory=dict)
    users: dict[str, User] = field(default_factory=dict)
    cookies: dict[str, SimpleCookie] = field(default_factory=dict)
    tokens: dict[str, str] = field(default_factory=dict)
    nowhere: dict[tuple[str, bool], Any] = field(default_factory=dict)
    handler: ClientHandler = field(default_factory=lambda: ClientHandler(enforce_csrf_checks=False))

    def __getitem__(self, name: str) -> str:
        found = self.ids[name]
        return found() if callable(found) else str(found)

    def client(self, person: str) -> Client:
        """Return a browser: somebody's, logged in, or a stranger's."""
        client = Client()
        client.handler = self.handler  # a new one would build all middleware anew
        if person in self.cookies:
            client.cookies = SimpleCookie(self.cookies[person].output(header="", sep=";"))
        return client

    def address(self, path: str, **other: str) -> str:
        """Fill a path with the world's things, or others."""
        return re.sub(r"{(\w+)}", lambda found: other.get(found[1]) or self[found[1]], path)

    def missing(self, path: str) -> str:
        """Fill a path with ids that nothing has."""
        return re.sub(r"{(\w+)}", lambda found: random_id(found[1]), path)

    def page(self, address: str, data: dict[str, Any] | None = None) -> str:
        """Return what the officer sees there, for forms that carry marks of the page before."""
        client = self.client(OFFICER)
        return (client.post(address, data) if data else client.get(address)).content.decode()

    def actor(self, person: str) -> Actor:
        user = self.users[person]
        return Actor("member", str(user.pk), user.organization, user.name, user.principal)


def build(folder: Path) -> World:
    """Make the world; inside a transaction and with the test's settings."""
    world = World(folder)
    world.sakura = _organization("sakura", "さくら医療クラウド株式会社")
    world.tsubaki = _organization("tsubaki", "椿メディカル株式会社")
    for organization in (world.sakura, world.tsubaki):
        _company(organization)
    world.users = {
        PLAIN: _account(world.sakura, "鈴木 太郎"),
        ENDED: _account(world.sakura, "林 美咲", "security-officer", ended=True),
        AUDITOR: _account(world.sakura, "高田 純", "audit-officer"),
        OFFICER: _account(world.sakura, "佐藤 恵子", "security-officer"),
        THEIRS: _account(world.tsubaki, "山口 望", "security-officer"),
        "subject": _account(world.sakura, "木村 直"),
    }
    _things(world)
    for person in PEOPLE:
        client = Client()
        client.force_login(world.users[person])
        world.cookies[person] = client.cookies
        world.tokens[person] = transactions.durable(
            lambda user=world.users[person]: tokens.create(
                user=user, actor=("cli", "operator"), decision={"allowed": True, "reasons": ["face:cli"]},
                ttl=dt.timedelta(hours=1),
            )
        )[1]  # fmt: skip
    world.ids["upload"] = lambda: _upload(world)
    for organization in (world.sakura, world.tsubaki):
        sequencer.run(organization=organization)
    found = Event.objects.filter(organization=world.sakura, leaf_index__isnull=False).order_by("leaf_index")
    world.ids["event"] = found.values_list("id", flat=True)[1]
    strangers._pending.take()
    return world


def _organization(code: str, name: str) -> Any:
    return Organization.objects.create(code=code, name=name, created_at=clock.now())


def _company(organization: Any) -> None:
    operator = Actor("cli", "operator", organization, "cli:operator")
    ours = organization.code == "sakura"
    transactions.durable(lambda: logs.open_log(organization=organization))

    def work() -> None:
        people.members.put(
            actor=operator, organization=organization,
            rows={"0001": {"code": "0001", "family_name": "髙橋" if ours else "渡辺", "given_name": "誠"}},
        )  # fmt: skip
        people.contacts.put(
            actor=operator, organization=organization,
            rows={"K-01": {"code": "K-01", "order": 1, "member": "0001", "duty": "指揮", "phone": PHONE if ours else "0311112222"}},
        )  # fmt: skip
        rows = {
            code: {
                "code": code, "title": title if ours else "椿の書類", "kind": "contract", "version": "第1版",
                "kept_at": "kitei", "classification": level, "file_name": f"{code}.pdf", "folder": "契約",
            }
            for code, title, level in (("C-1", "利用契約書", "internal"), ("C-9", "極秘契約書", "secret"))
        }  # fmt: skip
        documents.documents.put(
            actor=operator, organization=organization, rows=rows, files={f"{code}.pdf": lambda: PDF for code in rows}
        )

    transactions.durable(work)
    if ours:
        transactions.durable(lambda: regulation.put_draft(actor=operator, organization=organization))
        prepared = regulation.prepare_model(organization=organization, effective_on=clock.today(), renderer=_quick)
        transactions.durable(lambda: regulation.adopt(actor=operator, prepared=prepared))


def _quick(_tree: Any, *, kinds: Any, timestamp: Any) -> dict[str, bytes]:
    return dict.fromkeys(kinds, b"%PDF-1.7 frozen")


def _account(organization: Any, name: str, *roles: str, ended: bool = False) -> User:
    user = User(
        organization=organization, email=f"{uuid.uuid4().hex[:8]}@{organization.code}.example", name=name,
        principal=uuid7(), created_at=clock.now(),
    )  # fmt: skip
    user.set_password(PASSWORD)
    user.save()
    for role in roles:
        Membership.objects.create(
            organization=organization, principal=user.principal, role=role, starts_at=clock.start_of(_AGES_AGO),
            ends_at=clock.start_of(clock.today()) if ended else None, source_kind="appointment", source_id=uuid7(),
            recorded_at=clock.now(),
        )  # fmt: skip
    return user


def _things(world: World) -> None:
    organization = world.sakura
    operator = Actor("cli", "operator", organization, "cli:operator")
    states = DocumentState.objects.filter(organization=organization)
    opened, closed = states.get(code="C-1"), states.get(code="C-9")
    place = Folder.objects.get(organization=organization, name="契約")
    terms = Terms(
        principal=("role", "privacy-officer"), actions=("list", "view"), scope="folder", folder=place.pk, reason="契約の担当"
    )  # fmt: skip
    asker = world.actor(PLAIN)
    request = transactions.durable(
        lambda: applications.ask(
            actor=asker, organization=organization, wanted="C-9", address="", reason="監査の準備",
            until=dt.date(2026, 12, 31),
        )
    )  # fmt: skip
    glass = transactions.durable(
        lambda: emergencies.begin(actor=asker, organization=organization, reason="障害の対応", number="Z-0")
    )
    factor = Factor.objects.create(
        organization=organization, user=world.users["subject"], kind="totp", data=b"", created_at=clock.now()
    )
    picture = coverage.at(organization=organization, day=clock.today())
    world.ids |= {
        "clause": CLAUSE,
        "document": opened.of_id,
        "state": opened.pk,
        "closed": closed.of_id,
        "closed_state": closed.pk,
        "member": Member.objects.get(organization=organization).pk,
        "folder": place.pk,
        "root": Folder.objects.get(organization=organization, parent=None).pk,
        "grant": transactions.durable(lambda: grants.grant(actor=operator, organization=organization, terms=terms)),
        "request": request.pk,
        "glass": glass.pk,
        "factor": factor.pk,
        "account": world.users["subject"].pk,
        "edition": 1,
        "finding": picture.open_findings[0].finding.key,
    }


def workbook() -> SimpleUploadedFile:
    """Return a workbook that changes one private contact."""
    book = openpyxl.Workbook()
    book.active.title = "緊急連絡先"
    book.active.append(["連絡先番号", "連絡順", "社員番号", "緊急時の役目", "電話番号"])
    book.active.append(["K-01", 1, "0001", "指揮", "08099990000"])
    stream = io.BytesIO()
    book.save(stream)
    return SimpleUploadedFile("連絡先.xlsx", stream.getvalue())


def _upload(world: World) -> str:
    """Keep a file of the officer's session, as the import page does."""
    session = types.SimpleNamespace(session_key=world.cookies[OFFICER]["kitei_session"].value)
    request: Any = types.SimpleNamespace(session=session)
    return uploads.keep(
        actor=world.actor(OFFICER), request=request, name="連絡先.xlsx", chunks=[workbook().read()]
    )  # fmt: skip
