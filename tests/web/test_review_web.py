"""Regressions found by a strict reading of the faces."""

from __future__ import annotations

import argparse
import base64
import json
import uuid

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile

from kitei.commands import reading, who_acts
from kitei.foundation import clock
from kitei.foundation.tenancy.models import Organization
from kitei.trust.access.rule import Refused

pytestmark = pytest.mark.django_db


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
