"""A small provider for the measurements of the log: an organization with its log, a member, a document with a file.

Made without the demo, so that it stands on SQLite and on PostgreSQL within seconds.
"""

from __future__ import annotations

import hashlib
import os
import statistics
import time
import uuid
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import django
from django.conf import settings

MAIL = "sato@bench.example"


def start() -> Any:
    """Start Django on ``KITEI_DATA`` and return the organization; made, with everything, when there is none."""
    Path(os.environ["KITEI_DATA"]).mkdir(parents=True, exist_ok=True)
    django.setup()
    settings.ALLOWED_HOSTS = [*settings.ALLOWED_HOSTS, "testserver"]
    from django.db import connection

    from kitei.foundation.tenancy.models import Organization

    if not connection.introspection.table_names():
        _make()
    return Organization.objects.get()


def _make() -> None:
    from kitei.commands.setup import prepare_data
    from kitei.foundation import clock, transactions
    from kitei.foundation.files import store
    from kitei.foundation.tenancy.ids import uuid7
    from kitei.foundation.tenancy.models import Organization
    from kitei.registers.documents.models import Document, DocumentState
    from kitei.trust.access.models import Classification, Folder
    from kitei.trust.accounts.models import User
    from kitei.trust.auditlog import logs

    prepare_data()

    def work() -> None:
        organization = Organization.objects.create(code="bench", name="さくら医療クラウド", created_at=clock.now())
        logs.open_log(organization=organization)
        User.objects.create(
            organization=organization,
            email=MAIL,
            name="佐藤 恵子",
            principal=uuid7(),
            created_at=clock.now(),
        )
        file = store.put_bytes(organization=organization, content=b"%PDF-" + bytes(20_000), name="規程.pdf")
        DocumentState.objects.create(
            organization=organization,
            of=Document.objects.create(organization=organization, code="D-1"),
            code="D-1",
            title="運用管理規程",
            kind="policy",
            kept_at="kitei",
            file=file,
            file_name=file.name,
            folder=Folder.objects.create(organization=organization, name="全体"),
            classification=Classification.INTERNAL,
            valid_from=clock.today(),
            recorded_at=clock.now(),
        )

    transactions.durable(work)


def view() -> tuple[str, str]:
    """Return the address of the document's file, and the session cookie of the member who may open it."""
    from django.test import Client
    from django.urls import reverse

    from kitei.registers.documents.models import DocumentState
    from kitei.trust.accounts.models import User

    state = DocumentState.objects.get()
    client = Client()
    client.force_login(User.objects.get(email=MAIL))
    return reverse("document-file", args=[state.of_id, state.pk]), client.cookies[settings.SESSION_COOKIE_NAME].value


def client(cookie: str) -> Any:
    """Return a test client that is signed in."""
    from django.test import Client

    made = Client()
    made.cookies[settings.SESSION_COOKIE_NAME] = cookie
    return made


def act(number: int = 0) -> Any:
    """Return an act as opening a document is recorded: about 400 bytes with what the request adds."""
    from kitei.trust.auditlog import vocabulary
    from kitei.trust.auditlog.log import Act

    name = vocabulary.known().get("bench:view") or vocabulary.declare("bench:view", "計測", "Bench", any_data=True)
    return Act(
        name,
        ("member", str(uuid.UUID(int=number % 50 << 64 | 7 << 76))),
        ("document", str(uuid.UUID(int=number << 80 | 7 << 76))),
        data={"state": str(uuid.UUID(int=number)), "digest": hashlib.sha256(b"%d" % number).hexdigest()},
        decision={"allowed": True, "reasons": ["member"]},
    )


def request_context() -> None:
    """Tell the log about a request, as the middleware does."""
    from kitei.trust.auditlog.log import RequestContext, set_context

    set_context(RequestContext("0123456789abcdef", "fedcba9876543210", "password", "web"))


@contextmanager
def unaudited() -> Iterator[None]:
    """Let views answer without recording: the transaction that would commit their event does not happen."""
    from kitei.foundation import transactions

    kept = transactions.durable, transactions.durable_or_join
    transactions.durable = transactions.durable_or_join = lambda *_work, **_more: None
    try:
        yield
    finally:
        transactions.durable, transactions.durable_or_join = kept


def alternate(repeat: int, *calls: Callable[[], Any]) -> list[float]:
    """Run the calls by turns and return the median seconds of each: what disturbs the machine disturbs all alike."""
    times: list[list[float]] = [[] for _ in calls]
    for turn in range(repeat + 10):
        for call, found in zip(calls, times, strict=True):
            began = time.perf_counter()
            call()
            if turn >= 10:
                found.append(time.perf_counter() - began)
    return [statistics.median(found) for found in times]


def rank(values: list[float], share: float) -> float:
    """Return the value that ``share`` of the values do not exceed."""
    ordered = sorted(values)
    return ordered[min(len(ordered) - 1, int(share * len(ordered)))]
