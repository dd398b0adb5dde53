"""The access pages through HTTP: what is closed stays closed everywhere, and what opens it says why."""

from __future__ import annotations

import datetime as dt
import re
import uuid

import pytest
from django.test import Client

from kitei.foundation import clock, transactions
from kitei.registers.documents import operations as documents
from kitei.registers.documents.models import DocumentState
from kitei.registers.people import operations as people
from kitei.registers.people.models import Department, Member
from kitei.trust.access import folders, grants
from kitei.trust.access.grants import Terms
from kitei.trust.access.models import AccessRequest, BreakGlass, Grant, Membership
from kitei.trust.accounts.models import User
from kitei.trust.auditlog.models import Event

pytestmark = pytest.mark.django_db
LEVELS = {"K-1": "public", "K-2": "internal", "K-3": "restricted", "K-4": "secret"}
PDF = b"%PDF-1.7 closed"


def document(code, level, folder="契約"):
    return {
        "code": code, "title": f"表題{code}", "kind": "contract", "version": "第1版", "kept_at": "kitei",
        "classification": level, "file_name": f"{code}.pdf", "folder": folder,
    }  # fmt: skip


@pytest.fixture
def company(sakura, operator):
    rows = {code: document(code, level) for code, level in LEVELS.items()}
    members = {
        "0001": {"code": "0001", "family_name": "田中", "given_name": "一郎", "department": "D1"},
        "0002": {"code": "0002", "family_name": "佐藤", "given_name": "恵子"},
        "0003": {"code": "0003", "family_name": "林", "given_name": "美咲"},
    }

    def work():
        people.departments.put(
            actor=operator, organization=sakura,
            rows={"D0": {"code": "D0", "name": "本部"}, "D1": {"code": "D1", "name": "開発部", "parent": "D0"}},
        )  # fmt: skip
        people.members.put(actor=operator, organization=sakura, rows=members)
        documents.documents.put(
            actor=operator, organization=sakura, rows=rows, files={f"{code}.pdf": lambda: PDF for code in rows}
        )

    transactions.durable(work)
    return sakura


@pytest.fixture
def person(company, member):
    """Return a function logging a registered member in, with roles."""

    def sign(code, name, *roles):
        found = Member.objects.get(code=code).pk
        _actor, user = member(name, *roles)
        Membership.objects.filter(principal=user.principal).update(principal=found)
        User.objects.filter(pk=user.pk).update(principal=found)
        client = Client()
        client.force_login(User.objects.get(pk=user.pk))
        return client

    return sign


def state(code):
    return DocumentState.objects.get(code=code, voided_at=None)


def page_of(code):
    return f"/registers/document/{state(code).of_id}/"


def file_of(code):
    return f"/documents/{state(code).of_id}/files/{state(code).pk}/"


def plain(answer):
    """The body without what differs with every answer."""
    text = answer.content.decode()
    return re.sub(r'name="csrfmiddlewaretoken" value="[^"]+"', "", text)


def terms(**more):
    base = {
        "principal": ("member", str(Member.objects.get(code="0001").pk)), "actions": ("list", "view", "download"),
        "scope": "folder", "folder": folder("契約"), "reason": "契約の担当",
    }  # fmt: skip
    return Terms(**{**base, **more})


def folder(name):
    from kitei.trust.access.models import Folder

    return Folder.objects.get(name=name).pk


def give(operator, organization, **more):
    return transactions.durable(lambda: grants.grant(actor=operator, organization=organization, terms=terms(**more)))


def listed(client):
    text = client.get("/registers/document/").content.decode()
    return {code for code in LEVELS if f"表題{code}" in text}


def test_what_is_above_internal_is_nowhere_for_a_plain_member(company, person):
    client = person("0001", "田中 一郎")
    assert listed(client) == {"K-1", "K-2"}
    for address in ("/registers/document/?q=K-4", "/registers/document/?f.classification=secret"):
        text = client.get(address).content.decode()
        assert "表題K-4" not in text
        assert "表題K-3" not in text
    for code in ("K-3", "K-4"):
        assert client.get(page_of(code)).status_code == 404
        assert client.get(file_of(code)).status_code == 404
    assert client.get("/registers/document/export.csv").status_code == 404
    reasons = [bytes(event.payload) for event in Event.objects.filter(name="access:refuse")]
    assert sum(b'"needs-class:3"' in payload for payload in reasons) == 2, "the log holds the true reason"


def test_what_was_internal_before_does_not_open_what_is_secret_today(company, person, operator):
    with clock.at(dt.date(2026, 11, 24)):
        transactions.durable(
            lambda: documents.documents.put(
                actor=operator, organization=company, rows={"K-2": document("K-2", "secret")}
            )
        )
        client = person("0001", "田中 一郎")
        assert client.get(page_of_old := f"/registers/document/{Member.objects.first().pk}/").status_code == 404
        identity = DocumentState.objects.filter(code="K-2").first().of_id
        assert client.get(f"/registers/document/{identity}/").status_code == 404, page_of_old
        assert client.get(f"/registers/document/{identity}/?as_of=2026-11-22").status_code == 404
        assert "表題K-2" not in client.get("/registers/document/?as_of=2026-11-22").content.decode()
        old = DocumentState.objects.filter(code="K-2").order_by("valid_from").first()
        assert client.get(f"/documents/{identity}/files/{old.pk}/").status_code == 404


def test_missing_and_forbidden_are_the_same_page_with_the_same_form(company, person):
    client = person("0001", "田中 一郎")
    random = f"/registers/document/{uuid.uuid4()}/"
    answers = [client.get(address) for address in (page_of("K-4"), random, file_of("K-4"))]
    assert {answer.status_code for answer in answers} == {404}
    assert len({plain(answer) for answer in answers}) == 1
    assert "閲覧が必要な理由" in plain(answers[0])
    drop = {"X-Request-Id", "Set-Cookie"}
    headers = [{name: value for name, value in answer.items() if name not in drop} for answer in answers]
    assert headers[0].keys() == headers[1].keys()


def test_a_grant_opens_at_once_and_its_withdrawal_closes_at_once(company, person, operator):
    client = person("0001", "田中 一郎")
    bundle = give(operator, company, highest=2)
    assert listed(client) == {"K-1", "K-2", "K-3"}
    assert b"".join(client.get(file_of("K-3")).streaming_content) == PDF
    said = bytes(Event.objects.get(name="document:download").payload)
    assert b'"grant:' in said
    assert client.get(page_of("K-4")).status_code == 404, "above what was granted"
    transactions.durable(
        lambda: grants.withdraw(actor=operator, organization=company, effect="grant", bundle=bundle, reason="異動")
    )
    assert listed(client) == {"K-1", "K-2"}
    assert client.get(file_of("K-3")).status_code == 404


def test_a_department_and_the_one_above_it_are_principals(company, person, operator):
    client = person("0001", "田中 一郎")
    other = person("0003", "林 美咲")
    give(operator, company, principal=("department", str(Department.objects.get(code="D0").pk)))
    assert listed(client) == set(LEVELS)
    assert listed(other) == {"K-1", "K-2"}
    leaves = {"0001": {"code": "0001", "family_name": "田中", "given_name": "一郎", "department": ""}}
    transactions.durable(lambda: people.members.put(actor=operator, organization=company, rows=leaves))
    assert listed(client) == {"K-1", "K-2"}, "who leaves the department loses it with the next request"


def test_an_office_that_ends_closes_with_the_next_request(company, person):
    client = person("0002", "佐藤 恵子", "security-officer")
    assert client.get(page_of("K-4")).status_code == 200
    assert client.get("/access/").status_code == 200
    Membership.objects.filter(role="security-officer").update(ends_at=clock.now())
    # The session ends with the office, or what was open is closed: either way nothing is shown.
    assert client.get(page_of("K-4")).status_code in {302, 404}


@pytest.mark.parametrize(
    "address", ["/access/", "/access/why/", "/access/reach/", "/access/review/", "/access/entries/new/"]
)
def test_the_pages_about_everybody_are_for_officers(company, person, address):
    assert person("0001", "田中 一郎").get(address).status_code == 404
    assert person("0002", "佐藤 恵子", "security-officer").get(address).status_code == 200


def test_an_auditor_reads_and_changes_nothing(company, person):
    client = person("0003", "林 美咲", "audit-officer")
    assert client.get("/access/").status_code == 200
    assert "フォルダーを作る" not in client.get("/access/").content.decode()
    assert client.post("/access/", {"name": "監査", "parent": folder("契約")}).status_code == 404
    assert client.get("/access/entries/new/").status_code == 404


def entry(**more):
    return {
        "effect": "grant", "who": "member:", "member": "0001", "actions": ["list", "view"],
        "where": f"folder:{folder('契約')}", "highest": "3", "reason": "契約の担当", **more,
    }  # fmt: skip


def test_granting_shows_who_gains_first_and_then_does_it(company, person):
    client = person("0002", "佐藤 恵子", "security-officer")
    person("0001", "田中 一郎")
    first = client.post("/access/entries/new/", entry())
    text = first.content.decode()
    assert "田中 一郎（0001）" in text
    assert not Grant.objects.exists(), "nothing yet"
    seen = re.search(r'name="seen" value="([^"]+)"', text)[1]
    changed = client.post("/access/entries/new/", entry(seen=seen, highest="2"))
    assert changed.status_code == 200
    assert not Grant.objects.exists(), "what was changed after the preview is looked at again"
    assert client.post("/access/entries/new/", entry(seen=seen)).status_code == 302
    assert Grant.objects.count() == 2
    page = client.get(f"/access/folders/{folder('契約')}/").content.decode()
    assert "田中 一郎（0001）" in page
    assert "標準" in page
    assert Event.objects.filter(name="access:grant").count() == 1


@pytest.mark.parametrize(
    ("change", "told"),
    [
        ({"member": "9999"}, "この社員番号の人がいません"),
        ({"where": "object:", "document": "Z-9"}, "この文書番号の文書がありません"),
        ({"ends": "2020/1/1"}, "終わりが、始まり又は今より前です"),
        ({"reason": ""}, "理由"),
    ],
)
def test_a_form_that_cannot_be_right_says_so(company, person, change, told):
    answer = person("0002", "佐藤 恵子", "security-officer").post("/access/entries/new/", entry(**change))
    assert answer.status_code == 422
    assert told in answer.content.decode()


def test_withdrawing_by_the_page(company, person, operator):
    bundle = give(operator, company)
    client = person("0002", "佐藤 恵子", "security-officer")
    address = f"/access/entries/grant/{bundle}/withdraw/"
    assert "契約の担当" in client.get(address).content.decode()
    assert client.post(address, {"reason": ""}).status_code == 422
    assert client.post(address, {"reason": "異動"}).status_code == 302
    assert client.get(address).status_code == 404


def test_why_names_the_row_that_decided_on_that_day(company, person, operator):
    person("0001", "田中 一郎")
    client = person("0002", "佐藤 恵子", "security-officer")
    asked = "/access/why/?document=K-4&member=0001&action=view"
    text = client.get(asked).content.decode()
    assert "できない" in text
    assert "閲覧区分が上限を超えています" in text
    give(operator, company, ends_at=clock.start_of(dt.date(2026, 11, 30)))
    assert "契約の担当" in client.get(asked).content.decode()
    with clock.at(dt.date(2026, 12, 15)):
        late = client.get(asked)
        if late.status_code == 302:  # the session ran out meanwhile
            client = person("0003", "林 美咲", "audit-officer")
            late = client.get(asked)
        assert "に終わりました" in late.content.decode()
        then = client.get(f"{asked}&day=2026/11/25").content.decode()
        assert "契約の担当" in then
        assert ">できる<" in then
        assert client.get("/access/why/?document=K-9&member=0001").status_code == 422


def test_reach_counts_by_classification(company, person):
    person("0001", "田中 一郎")
    client = person("0002", "佐藤 恵子", "security-officer")
    text = client.get("/access/reach/?member=0001").content.decode()
    assert "表題K-2" in text
    assert "表題K-3" not in text
    assert client.get("/access/reach/?member=9999").status_code == 422


ASKED = {"reason": "監査の準備", "until": "2026/12/31"}


def test_a_request_goes_through_and_opens_for_its_days(company, person):
    asker, officer = person("0001", "田中 一郎"), person("0002", "佐藤 恵子", "security-officer")
    where = f"http://testserver{page_of('K-3')}"
    assert asker.post("/access/requests/new/", ASKED, headers={"referer": where}).status_code == 302
    row = AccessRequest.objects.get()
    assert (row.address, row.state) == (page_of("K-3"), "open")
    assert "回答待ち" in asker.get("/access/requests/").content.decode()
    assert "回答を待っている閲覧申請が1件" in officer.get("/").content.decode()
    page = officer.get(f"/access/requests/{row.pk}/").content.decode()
    assert "表題K-3" in page
    answer = {"document": "K-3", "highest": "2", "until": "2026/12/31"}
    assert officer.post(f"/access/requests/{row.pk}/", answer).status_code == 302
    assert asker.get(page_of("K-3")).status_code == 200
    assert asker.get(page_of("K-4")).status_code == 404
    assert set(Grant.objects.values_list("source_kind", "source_id")) == {("request", row.pk)}
    assert officer.post(f"/access/requests/{row.pk}/", answer).status_code == 422, "answered once"
    names = set(Event.objects.values_list("name", flat=True))
    assert {"access-request:ask", "access-request:answer", "access:grant"} <= names


def test_asking_for_what_is_not_there_looks_the_same(company, person):
    client = person("0001", "田中 一郎")
    for wanted in ("K-4", "Z-99"):
        answer = client.post("/access/requests/new/", {**ASKED, "wanted": wanted}, follow=True)
        assert answer.status_code == 200
        assert "申請を送りました" in answer.content.decode()
    assert AccessRequest.objects.count() == 2
    assert client.post("/access/requests/new/", {"wanted": "K-4"}).status_code == 422
    late = {**ASKED, "wanted": "K-4", "until": "2029/1/1"}
    assert client.post("/access/requests/new/", late).status_code == 422


def test_a_refused_request_says_why_to_the_asker_only(company, person):
    asker, officer = person("0001", "田中 一郎"), person("0002", "佐藤 恵子", "security-officer")
    other = person("0003", "林 美咲")
    asker.post("/access/requests/new/", {**ASKED, "wanted": "K-4"})
    row = AccessRequest.objects.get()
    assert other.get(f"/access/requests/{row.pk}/").status_code == 404
    assert officer.post(f"/access/requests/{row.pk}/", {"refuse": "1", "highest": "2"}).status_code == 422
    said = {"refuse": "1", "highest": "2", "answer": "担当が違います"}
    assert officer.post(f"/access/requests/{row.pk}/", said).status_code == 302
    assert "担当が違います" in asker.get("/access/requests/").content.decode()
    assert "担当が違います" not in other.get("/access/requests/").content.decode()
    assert not Grant.objects.exists()


def test_an_emergency_opens_at_once_tells_officers_and_is_reviewed_by_another(company, person):
    client, officer = person("0001", "田中 一郎"), person("0002", "佐藤 恵子", "security-officer")
    asked = {"number": "K-4", "hours": "1", "reason": "夜間の障害対応"}
    known = client.post("/access/emergency/", asked, follow=True)
    assert b"".join(client.get(file_of("K-4")).streaming_content) == PDF
    unknown = client.post("/access/emergency/", {**asked, "number": "Z-99"}, follow=True)
    message = "緊急閲覧を始めました"
    assert message in known.content.decode()
    assert message in unknown.content.decode()
    assert BreakGlass.objects.count() == 2
    assert "確認していない緊急閲覧が2件" in officer.get("/").content.decode()
    assert "確認していない緊急閲覧" not in client.get("/").content.decode()
    row = BreakGlass.objects.get(number="K-4")
    review = f"/access/emergency/{row.pk}/"
    assert client.get(review).status_code == 404
    assert officer.post(review, {"outcome": "justified", "note": ""}).status_code == 422
    assert officer.post(review, {"outcome": "justified", "note": "障害の記録と合う"}).status_code == 302
    assert "確認していない緊急閲覧が1件" in officer.get("/").content.decode()
    with clock.at(clock.now() + dt.timedelta(hours=1)):
        assert client.get(page_of("K-4")).status_code in {302, 404}, "the hour is over"


def test_an_emergency_that_says_too_little_is_not_begun(company, person):
    client = person("0001", "田中 一郎")
    for asked in (
        {"number": "K-4", "hours": "9", "reason": "障害"},
        {"number": "K-4", "hours": "1", "reason": ""},
        {"number": "", "hours": "1", "reason": "障害"},
        {"number": "K-4", "folder": str(folder("契約")), "hours": "1", "reason": "障害"},
    ):
        assert client.post("/access/emergency/", asked).status_code == 422
    assert not BreakGlass.objects.exists()


def test_the_review_proposes_what_nobody_used(company, person, operator):
    start = clock.now() - dt.timedelta(days=100)
    used = give(operator, company, starts_at=start)
    idle = give(operator, company, starts_at=start, principal=("member", str(Member.objects.get(code="0003").pk)))
    reader = person("0001", "田中 一郎")
    b"".join(reader.get(file_of("K-3")).streaming_content)
    client = person("0002", "佐藤 恵子", "security-officer")
    text = client.get("/access/review/").content.decode()
    assert "90日間使われていない許可が1件" in text
    assert client.post(f"/access/review/{idle}/", {"outcome": "remove", "note": "使っていない"}).status_code == 302
    assert (
        client.post(f"/access/review/{used}/", {"outcome": "change", "highest": "2", "note": "下げる"}).status_code
        == 302
    )
    assert listed(reader) == {"K-1", "K-2", "K-3"}
    assert client.post(f"/access/review/{used}/", {"outcome": "keep"}).status_code == 404, "replaced by another"
    assert Event.objects.filter(name="access:review").count() == 2


def test_folders_are_made_and_moved_by_the_page(company, person):
    client = person("0002", "佐藤 恵子", "security-officer")
    made = client.post("/access/", {"name": "医療機関", "parent": folder("契約"), "department": "営業部"})
    assert made.status_code == 302
    assert "営業部" in client.get("/access/").content.decode()
    inside = client.post(f"/access/folders/{folder('契約')}/", {"parent": folder("医療機関"), "department": ""})
    assert inside.status_code == 422
    assert client.post("/access/", {"name": "医療機関", "parent": folder("契約")}).status_code == 422
    assert client.get(f"/access/folders/{uuid.uuid4()}/").status_code == 404


def test_another_organizations_rights_are_not_there(company, person, tsubaki, stranger):
    transactions.durable(lambda: folders.make_folder(actor=stranger, organization=tsubaki, name="他社"))
    client = person("0002", "佐藤 恵子", "security-officer")
    assert "他社" not in client.get("/access/").content.decode()
    assert client.get(f"/access/folders/{folder('他社')}/").status_code == 404
