"""閲覧申請 is answered by who is responsible in the owning department; who asks learns nothing before the answer (issue 4)."""

from __future__ import annotations

import re

import pytest
from test_access_pages import (  # noqa: F401  company and person are fixtures
    ASKED,
    company,
    folder,
    page_of,
    person,
    plain,
    state,
    terms,
)

from kitei.foundation import clock, transactions
from kitei.foundation.mail import outbox
from kitei.foundation.text import UserError
from kitei.registers.people import operations as people
from kitei.registers.people.models import Department, Member
from kitei.trust.access import answerers, applications, folders, grants, rule
from kitei.trust.access.models import AccessRequest, Grant, Membership
from kitei.trust.access.rule import Refused
from kitei.trust.accounts.models import User
from kitei.trust.auditlog.models import Event

pytestmark = pytest.mark.django_db


@pytest.fixture
def head(company, person, operator):  # noqa: F811  fixtures
    """田中 of 開発部, which owns 契約 and lets him approve there up to 関係者限; 林 asks."""

    def work():
        place = folder("契約")
        folders.move_folder(
            actor=operator, organization=company, folder=place, parent=folders.root_folder(organization=company).pk,
            department="開発部",
        )  # fmt: skip
        allowed = terms(actions=("list", "view", "approve"), highest=2, reason="部長")
        return grants.grant(actor=operator, organization=company, terms=allowed)

    transactions.durable(work)
    return person("0001", "田中 一郎")


@pytest.fixture
def asker(head, person):  # noqa: F811  fixtures
    return person("0003", "林 美咲")


def ask(client, wanted):
    assert client.post("/access/requests/new/", {**ASKED, "wanted": wanted}).status_code == 302
    return AccessRequest.objects.order_by("-asked_at", "-id").first()


def actor_for(code, organization):
    user = User.objects.get(principal=Member.objects.get(code=code).pk)
    return rule.Actor("member", str(user.pk), organization, user.name, user.principal)


@pytest.mark.parametrize("wanted", ["K-3", "表題K-3"])
def test_the_owning_department_answers_for_the_document_asked_for(head, asker, company, wanted):  # noqa: F811
    row = ask(asker, wanted)
    assert "回答を待っている閲覧申請が1件" in head.get("/").content.decode()
    assert "回答する" in head.get("/access/requests/").content.decode()
    page = head.get(f"/access/requests/{row.pk}/").content.decode()
    assert "表題K-3" in page
    assert 'name="where"' not in page
    answer = {"until": "2026/12/31", "document": "K-4", "where": str(folder("契約")), "highest": "3"}
    assert head.post(f"/access/requests/{row.pk}/", answer).status_code == 302
    assert asker.get(page_of("K-3")).status_code == 200
    assert asker.get(page_of("K-4")).status_code == 404, "nothing but the document asked for"
    given = Grant.objects.filter(source_kind="request")
    assert set(given.values_list("scope_kind", "highest", "action")) == {("object", 2, "list"), ("object", 2, "view")}
    said = bytes(Event.objects.get(name="access-request:answer").payload)
    assert b'"owning-department:' in said
    assert head.get("/").content.decode().count("回答を待っている") == 0


def test_what_is_above_the_answerer_or_elsewhere_or_nothing_waits_for_who_manages(head, asker, person):  # noqa: F811
    rows = [ask(asker, wanted) for wanted in ("K-4", "Z-99", "なにか")]
    assert "回答する" not in head.get("/access/requests/").content.decode()
    for row in rows:
        assert head.get(f"/access/requests/{row.pk}/").status_code == 404
        assert head.post(f"/access/requests/{row.pk}/", {"refuse": "1", "answer": "不可"}).status_code == 404
    officer = person("0002", "佐藤 恵子", "security-officer")
    assert officer.get("/access/requests/").content.decode().count("回答する") == 3


def test_neither_department_nor_right_alone_lets_answer(head, asker, company, operator):  # noqa: F811
    row = ask(asker, "K-3")
    Grant.objects.filter(action="approve").update(voided_at=clock.now())
    assert head.get(f"/access/requests/{row.pk}/").status_code == 404
    Grant.objects.filter(action="approve").update(voided_at=None)
    assert head.get(f"/access/requests/{row.pk}/").status_code == 200
    leaves = {"0001": {"code": "0001", "family_name": "田中", "given_name": "一郎", "department": ""}}
    transactions.durable(lambda: people.members.put(actor=operator, organization=company, rows=leaves))
    assert head.get(f"/access/requests/{row.pk}/").status_code == 404, "who left the department answers no more"


def test_a_deny_and_a_name_two_departments_bear_close_it(head, asker, company, operator):  # noqa: F811
    row = ask(asker, "K-3")
    again = {"D9": {"code": "D9", "name": "開発部"}}
    transactions.durable(lambda: people.departments.put(actor=operator, organization=company, rows=again))
    assert head.get(f"/access/requests/{row.pk}/").status_code == 404, "whose folder it is cannot be said"
    renamed = {"D9": {"code": "D9", "name": "営業部"}}
    transactions.durable(lambda: people.departments.put(actor=operator, organization=company, rows=renamed))
    assert head.get(f"/access/requests/{row.pk}/").status_code == 200
    transactions.durable(
        lambda: grants.deny(
            actor=operator, organization=company, terms=terms(actions=("approve",), principal=("everyone", ""))
        )
    )
    assert head.get(f"/access/requests/{row.pk}/").status_code == 404


def test_nobody_answers_his_own(head, person, company):  # noqa: F811
    person("0002", "佐藤 恵子", "security-officer")
    row = ask(head, "K-3")
    assert "回答する" not in head.get("/access/requests/").content.decode()
    answer = head.post(f"/access/requests/{row.pk}/", {"until": "2026/12/31", "answer": "可"})
    assert answer.status_code == 422
    assert "自分では決められません" in answer.content.decode()


def test_an_operation_gives_no_more_than_the_answerer_may(head, asker, company):  # noqa: F811
    row = ask(asker, "K-3")
    actor = actor_for("0001", company)
    ends = clock.start_of(clock.today().replace(month=12))
    for wrong in (
        {"scope": "folder", "highest": 3},
        {"scope": "folder", "actions": ("view", "download"), "highest": 2},
        {"scope": "object", "register": "document", "object_id": state("K-4").of_id, "folder": None},
        {"scope": "all", "folder": None},
    ):
        with pytest.raises(UserError, match="主管部署の責任者として"):
            transactions.durable(
                lambda wrong=wrong: applications.approve(
                    actor=actor, organization=company, request_id=row.pk,
                    terms=terms(**{"actions": ("view",), "ends_at": ends, **wrong}),
                )
            )  # fmt: skip
    assert not Grant.objects.filter(source_kind="request").exists()
    other = actor_for("0003", company)
    with pytest.raises(Refused):
        transactions.durable(
            lambda: applications.refuse(actor=other, organization=company, request_id=row.pk, answer="可")
        )


def test_who_asks_sees_the_same_whatever_there_is(head, asker):
    pages = []
    for wanted in ("K-3", "K-4", "Z-99"):
        answer = asker.post("/access/requests/new/", {**ASKED, "wanted": wanted}, follow=True)
        pages.append(re.sub(r"K-3|K-4|Z-99", "…", plain(answer)))
        AccessRequest.objects.all().delete()
    assert len(set(pages)) == 1


def test_the_letter_about_an_answer_is_the_same_for_yes_and_no(head, asker, company, settings, mailoutbox):  # noqa: F811
    from kitei.foundation.jobs.models import Job

    settings.EMAIL_BACKEND = "django.core.mail.backends.locmem.EmailBackend"
    rows = [ask(asker, "K-3"), ask(asker, "K-2")]
    assert not Job.objects.filter(kind=outbox.KIND).exists(), "asking sends nothing: that could tell"
    head.post(f"/access/requests/{rows[0].pk}/", {"until": "2026/12/31"})
    head.post(f"/access/requests/{rows[1].pk}/", {"refuse": "1", "answer": "担当外"})
    for job in Job.objects.filter(kind=outbox.KIND):
        outbox.deliver(job)
    assert len(mailoutbox) == 2
    assert mailoutbox[0].body == mailoutbox[1].body
    assert mailoutbox[0].subject == mailoutbox[1].subject
    assert "K-" not in mailoutbox[0].body


def test_without_a_registers_room_only_who_manages_answers(head, asker, company, monkeypatch):  # noqa: F811
    row = ask(asker, "K-3")
    row.refresh_from_db()
    monkeypatch.setattr(answerers, "_known", [])
    assert not answerers.may_answer(actor_for("0001", company), row).allowed


def test_a_department_is_found_by_name_or_code_and_owns_what_lies_below(head, company, operator):  # noqa: F811
    from kitei.web.access import queries

    own = str(Department.objects.get(code="D1").pk)
    assert queries.department_ids(company, ["開発部", "D1", "D0", "ない部"]) == {
        "開発部": own, "D1": own, "D0": str(Department.objects.get(code="D0").pk),
    }  # fmt: skip
    below = transactions.durable(
        lambda: folders.make_folder(actor=operator, organization=company, name="下", parent=folder("契約"))
    )
    assert answerers.owners(organization=company, folder=below.pk) == {own}
    assert Membership.objects.filter(kind="department", role=own).exists()
