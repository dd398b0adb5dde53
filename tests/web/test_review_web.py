"""Regressions found by a strict reading of the faces."""

from __future__ import annotations

import argparse
import base64
import datetime as dt
import json
import threading
import time
import uuid
from pathlib import Path

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from django.db import connections

from kitei.commands import reading, who_acts
from kitei.foundation import clock, transactions
from kitei.foundation.sheets.grid import Grid, Workbook
from kitei.foundation.tenancy.models import Organization
from kitei.foundation.text import UserError
from kitei.registers.people import operations as people
from kitei.trust.access.rule import Actor, Refused
from kitei.trust.auditlog.log import set_context
from kitei.web import exchange

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("_own_context")]


@pytest.fixture
def _own_context():
    """Commands tell the log who acts for the whole process; the next test is another process."""
    yield
    set_context(None)


@pytest.fixture
def takahashi(client, member):
    """高橋, an officer, signed in."""
    _actor, user = member("高橋 誠", "chief-officer")
    client.force_login(user, backend="django.contrib.auth.backends.ModelBackend")
    return client


def token(*parts):
    return base64.urlsafe_b64encode(json.dumps(parts).encode()).rstrip(b"=").decode()


KEY = uuid.UUID(int=7).hex
FORGED = {
    "text for a day": token("s", "abc", KEY),
    "number for a day": token("i", 5, KEY),
    "day for a text": token("d", "2026-01-01", KEY),
    "huge number": token("i", 10**40, KEY),
    "NUL": token("s", "a\x00b", KEY),
    "deep": base64.urlsafe_b64encode(b"[" * 2200).rstrip(b"=").decode(),
}


@pytest.mark.parametrize("forged", FORGED.values(), ids=FORGED.keys())
@pytest.mark.parametrize(("key", "sort"), [("experience", "started_on"), ("experience", "code"), ("contact", "order")])
def test_a_place_that_cannot_be_in_the_list_is_no_fault_of_the_server(takahashi, key, sort, forged):
    assert takahashi.get(f"/registers/{key}/", {"sort": sort, "after": forged}).status_code == 200


@pytest.mark.parametrize("name", ["台" * 120 + ".csv", "帳" * 120, "𠮷" * 90 + ".xlsx"])
def test_a_long_japanese_file_name_can_be_uploaded(takahashi, settings, tmp_path, name):
    settings.DATA = tmp_path
    answer = takahashi.post("/import/", {"file": SimpleUploadedFile(name, b"a,b\n")})
    assert answer.status_code == 302
    (kept,) = [path for path in (tmp_path / "uploads").glob("*/*") if path.name != ".meta.json"]
    assert kept.suffix == ("." + name.partition(".")[2] if "." in name else "")


def options(**given):
    return argparse.Namespace(
        **{"org": None, "as_": None, "as_of": None, "format": "json", "role": "chief-officer", **given}
    )


@pytest.mark.parametrize("command", [reading.check, reading.who])
def test_reading_commands_act_with_the_rights_of_the_member_named(sakura, member, command):
    _actor, user = member("林 薫", "chief-officer", mail="hayashi@sakura.example")
    user.is_active = False
    user.save()
    with pytest.raises(Refused):
        command(options(as_="hayashi@sakura.example"))


def test_an_organization_is_found_by_its_code_among_many(sakura):
    for number in range(25):
        Organization.objects.create(code=f"clinic-{number}", name="診療所", created_at=clock.now())
    assert who_acts.organization(options(org="clinic-24")).code == "clinic-24"


def test_of_two_imports_of_one_row_at_once_the_second_is_refused(committed_db, make_sakura, monkeypatch):
    organization = make_sakura()
    actor = Actor("cli", "operator", organization)
    row = {"code": "D1", "name": "総務部"}
    transactions.durable(
        lambda: people.departments.put(
            actor=actor, organization=organization, rows={"D1": row}, day=dt.date(2026, 1, 1)
        )
    )

    def plan(name):
        grid = Grid(name="部署", rows=[["部署コード", "部署名"], ["D1", name]])
        return exchange.plan(
            actor=actor,
            organization=organization,
            path=Path("部署.xlsx"),
            workbook=Workbook(file="部署.xlsx", sheets=[grid]),
        )

    looked = exchange._refuse_stale

    def slowly(*given):
        looked(*given)
        time.sleep(0.3)  # long enough for the other one to look as well, if it may

    monkeypatch.setattr(exchange, "_refuse_stale", slowly)
    said = []

    def run(made):
        try:
            with clock.at(dt.date(2026, 11, 22)):
                exchange.apply(actor=actor, organization=organization, plan=made)
            said.append("done")
        except UserError:
            said.append("refused")
        finally:
            connections.close_all()

    threads = [threading.Thread(target=run, args=(plan(name),)) for name in ("管理部", "総務本部")]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sorted(said) == ["done", "refused"]
