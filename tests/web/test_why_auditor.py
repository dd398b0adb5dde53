"""なぜこの人はこの契約を読めたか、その日に: an auditor finds it on one page (issue 4, "It has worked when")."""

from __future__ import annotations

import datetime as dt
import json
import re

import pytest
from test_access_pages import (  # noqa: F401  company and person are fixtures
    company,
    file_of,
    give,
    page_of,
    person,
    state,
    terms,
)

from kitei.foundation import clock, transactions
from kitei.registers.people.models import Member
from kitei.trust.access import emergencies, grants, rule
from kitei.trust.accounts import invitations
from kitei.trust.accounts.models import User
from kitei.trust.auditlog.models import Event

pytestmark = pytest.mark.django_db
LATER = dt.date(2026, 12, 15)
ASKED = "/access/why/?document=K-3&member=0001&action=view"


def user_of(code):
    return User.objects.get(principal=Member.objects.get(code=code).pk)


@pytest.fixture
def past(company, person, operator):  # noqa: F811  fixtures
    """On 22 November 田中 was let into K-3 by 佐藤 and read it, was refused K-4; on the 30th the right was withdrawn."""
    officer = person("0002", "佐藤 恵子", "security-officer")
    actor = rule.Actor("member", str(user_of("0002").pk), company, principal=user_of("0002").principal)
    reader = person("0001", "田中 一郎")
    bundle = give(actor, company, highest=2)
    b"".join(reader.get(file_of("K-3")).streaming_content)
    reader.get(page_of("K-4"))
    with clock.at(dt.date(2026, 11, 30)):
        transactions.durable(
            lambda: grants.withdraw(actor=operator, organization=company, effect="grant", bundle=bundle, reason="異動")
        )
    return officer


@pytest.fixture
def look(past, person):  # noqa: F811  fixtures
    """Return a function opening a page as the auditor, weeks later."""
    with clock.at(LATER):
        client = person("0003", "林 美咲", "audit-officer")

    def opened(address):
        with clock.at(LATER):
            answer = client.get(address)
        assert answer.status_code == 200
        return answer.content.decode()

    return opened


def test_the_page_shows_the_grant_its_giver_and_what_was_read(look):
    text = look(f"{ASKED}&day=2026/11/22&time=12:00")
    assert ">できる<" in text, "as it was decided then, though the grant has been withdrawn since"
    assert "決め手になった許可・禁止" in text
    assert "契約の担当" in text
    assert "佐藤 恵子" in text, "who gave it"
    assert "文書を閲覧" in text or "ダウンロード" in text
    event = Event.objects.get(name="document:download")
    assert f"/log/events/{event.pk}/" in text
    assert "そのとき記録された理由" in text
    assert "許可：田中 一郎（0001）に" in text
    assert "に取消）" in text
    listed = Event.objects.filter(name="log:list")
    assert json.loads(bytes(listed.get().payload))["data"]["kind"] == "document", "reading the log is recorded"


def test_refusals_are_there_with_their_reason(look):
    text = look("/access/why/?document=K-4&member=0001&action=view&day=2026/11/22")
    refused = Event.objects.get(name="access:refuse", object_id=str(state("K-4").of_id))
    assert f"/log/events/{refused.pk}/" in text
    assert "閲覧区分が、許された上限を超えている" in text
    assert f"/log/events/{Event.objects.get(name='document:download').pk}/" not in text, "of this document only"


def test_acts_of_another_week_or_person_are_not_shown(look):
    for address in (f"{ASKED}&day=2026/12/10", "/access/why/?document=K-3&member=0002&action=view&day=2026/11/22"):
        assert f"/log/events/{Event.objects.get(name='document:download').pk}/" not in look(address)


def test_a_grant_still_in_force_is_shown_with_its_source(company, person, operator):  # noqa: F811
    reader = person("0001", "田中 一郎")
    actor = rule.Actor("member", str(user_of("0001").pk), company, principal=user_of("0001").principal)
    glass = transactions.durable(
        lambda: emergencies.begin(actor=actor, organization=company, reason="夜間の障害", number="K-3", object_id=state("K-3").of_id)
    )  # fmt: skip
    assert reader.get(page_of("K-3")).status_code == 200
    text = person("0002", "佐藤 恵子", "security-officer").get(ASKED).content.decode()
    assert ">できる<" in text
    assert "決め手になった許可・禁止" in text
    assert f"/access/emergency/{glass.pk}/" in text
    assert "夜間の障害" in text


def test_person_and_document_are_searched_in_the_one_form(company, person):  # noqa: F811
    client = person("0002", "佐藤 恵子", "security-officer")
    one = client.get("/access/why/?document=表題K-3&member=田中一郎&action=view").content.decode()
    assert "田中 一郎（0001）は、K-3 表題K-3" in one
    several = client.get("/access/why/?document=表題&member=田中&action=view").content.decode()
    assert "どの文書ですか" in several
    links = re.findall(r'href="(/access/why/[^"]*document=K-3[^"]*)"', several)
    assert "K-3 表題K-3" in client.get(links[0].replace("&amp;", "&")).content.decode()
    assert client.get("/access/why/?document=表題&member=だれでもない&action=view").status_code == 422


def test_who_left_since_is_judged_by_the_account_of_that_day(look, operator):
    with clock.at(dt.date(2026, 12, 1)):
        transactions.durable(
            lambda: invitations.stop(
                user=user_of("0001"), actor=operator.ref, decision={"allowed": True, "reasons": ["face:cli"]}
            )
        )
    before = look("/access/why/?document=K-1&member=0001&action=view&day=2026/11/25")
    assert ">できる<" in before
    after = look("/access/why/?document=K-1&member=0001&action=view&day=2026/12/10")
    assert ">できない<" in after


def test_who_may_see_rights_but_not_the_log_is_told_so(company, person, operator):  # noqa: F811
    client = person("0001", "田中 一郎")
    mine = terms(actions=("view",), scope="register", register="access", folder=None)
    transactions.durable(lambda: grants.grant(actor=operator, organization=company, terms=mine))
    text = client.get("/access/why/?document=K-3&member=0003&action=view").content.decode()
    assert "操作記録を閲覧する権限がありません" in text
    assert not Event.objects.filter(name="log:list").exists()
    log = terms(actions=("view",), scope="register", register="log", folder=None)
    transactions.durable(lambda: grants.grant(actor=operator, organization=company, terms=log))
    assert "この文書の操作記録をすべて見る" in client.get("/access/why/?document=K-3&member=0003").content.decode()


def test_without_any_right_the_page_is_not_there(company, person):  # noqa: F811
    assert person("0001", "田中 一郎").get(ASKED).status_code == 404
