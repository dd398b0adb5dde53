"""Opening a document's file: recorded before the first byte, refused like a random address."""

from __future__ import annotations

import uuid

import pytest
from django.db import transaction

from kitei.registers.documents import operations
from kitei.registers.documents.models import DocumentState
from kitei.trust.auditlog.models import Event

pytestmark = pytest.mark.django_db
PDF = b"%PDF-1.7 contract"


def put(actor, organization, code="C-1", classification="internal"):
    values = {
        "code": code, "title": "利用契約書", "kind": "contract", "version": "第1版", "kept_at": "kitei",
        "classification": classification, "file_name": "契約書.pdf",
    }  # fmt: skip
    with transaction.atomic():
        operations.documents.put(
            actor=actor, organization=organization, rows={code: values}, files={"契約書.pdf": lambda: PDF}
        )
    return DocumentState.objects.get(code=code, organization=organization)


def address(state):
    return f"/documents/{state.of_id}/files/{state.pk}/"


@pytest.fixture
def signed_in(client, member):
    def sign(name, *roles):
        _actor, user = member(name, *roles)
        client.force_login(user)
        return client

    return sign


def test_a_member_opens_what_is_internal_and_it_is_recorded(sakura, operator, signed_in):
    state = put(operator, sakura)
    response = signed_in("田中 一郎").get(address(state))
    assert b"".join(response.streaming_content) == PDF
    assert response["Content-Disposition"].startswith("attachment")
    assert Event.objects.filter(name="document:view", object_id=str(state.of_id)).count() == 1


@pytest.mark.parametrize("level", ["restricted", "secret"])
def test_what_is_above_internal_is_for_officers(sakura, operator, signed_in, level):
    state = put(operator, sakura, classification=level)
    assert signed_in("田中 一郎").get(address(state)).status_code == 404
    assert Event.objects.filter(name="access:refuse").count() == 1
    assert signed_in("佐藤 恵子", "security-officer").get(address(state)).status_code == 200


def test_another_organizations_and_an_unknown_file_look_alike(sakura, stranger, tsubaki, signed_in):
    theirs = put(stranger, tsubaki)
    client = signed_in("佐藤 恵子", "security-officer")
    answers = [client.get(path) for path in (address(theirs), f"/documents/{uuid.uuid4()}/files/{uuid.uuid4()}/")]
    assert [answer.status_code for answer in answers] == [404, 404]


def test_a_stranger_is_asked_to_log_in(client, sakura, operator):
    assert client.get(address(put(operator, sakura))).status_code == 302


def test_the_page_of_the_document_leads_to_its_file(sakura, operator, signed_in):
    state = put(operator, sakura)
    page = signed_in("田中 一郎").get(f"/registers/document/{state.of_id}/").content.decode()
    assert address(state) in page
