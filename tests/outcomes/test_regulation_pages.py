"""The regulation's pages: reading, selecting an article, downloads, editions, putting one into force."""

from __future__ import annotations

import datetime as dt
import io

import docx
import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from django.test import Client

from kitei.foundation import transactions
from kitei.foundation.sheets.spec import Changes, get
from kitei.outcomes.regulation import child, operations
from kitei.outcomes.regulation.models import Edition
from kitei.registers.people import operations as people
from kitei.trust.auditlog.models import Event

pytestmark = pytest.mark.django_db
TODAY = dt.date(2026, 11, 22)


@pytest.fixture(autouse=True)
def _own_cache(settings, tmp_path):
    settings.DATA = tmp_path


@pytest.fixture
def drafted(sakura, operator):
    transactions.durable(lambda: operations.put_draft(actor=operator, organization=sakura))
    return sakura


def quick(_tree, *, kinds, timestamp):
    return {"pdf": b"%PDF-1.7 frozen"} if "pdf" in kinds else {}


@pytest.fixture
def in_force(drafted, operator):
    prepared = operations.prepare_model(
        organization=drafted, effective_on=dt.date(2026, 4, 1), summary="制定", renderer=quick
    )
    return transactions.durable(lambda: operations.adopt(actor=operator, prepared=prepared))


def hire(operator, sakura, code="M001", family="髙橋"):
    row = {"code": code, "family_name": family, "given_name": "誠", "joined_on": dt.date(2015, 4, 1)}
    transactions.durable(lambda: people.members.put(actor=operator, organization=sakura, rows={code: row}))


def appoint(operator, sakura):
    hire(operator, sakura)
    row = {
        "code": "A1",
        "role": "chief-officer",
        "member": "M001",
        "valid_from": dt.date(2026, 5, 1),
        "article": "第15条",
    }
    transactions.durable(lambda: people.appoint_many(actor=operator, organization=sakura, rows={"A1": row}))


def word_file(text="第1条 目的"):
    stream = io.BytesIO()
    document = docx.Document()
    document.add_paragraph(text)
    document.save(stream)
    return stream.getvalue()


def list_own_articles(operator, sakura):
    rows = [
        {
            "code": "第3条",
            "position": 0,
            "caption": "責任者",
            "clauses": "イ-1、イ-2",
            "page": "2",
            "provision": "",
            "provision_value": None,
        },
        {
            "code": "第12条",
            "position": 0,
            "caption": "再委託",
            "clauses": "イ-7",
            "page": "5",
            "provision": "",
            "provision_value": None,
        },
    ]
    transactions.durable(
        lambda: get("own-article").apply(actor=operator, organization=sakura, changes=Changes(added=rows, changed=[]))
    )


class TestReading:
    def test_without_draft_or_edition_the_page_says_so(self, officer):
        assert "案もありません" in officer.get("/regulation/").content.decode()

    def test_a_draft_is_marked_as_one(self, officer, drafted):
        text = officer.get("/regulation/").content.decode()
        assert "まだ施行されていない案です" in text
        assert 'id="chief-officer"' in text
        assert "第8条" in text

    def test_articles_references_facts_and_annexes_stand_on_the_page(self, officer, in_force):
        text = officer.get("/regulation/").content.decode()
        assert '<a href="#annex-officers">別表4</a>' in text
        assert 'class="live" tabindex="0">さくら医療クラウド株式会社' in text
        assert 'id="annex-officers"' in text
        assert "施行後に変わりました" not in text

    def test_a_changed_annex_is_marked_and_the_frozen_state_can_be_seen(self, officer, in_force, operator, sakura):
        appoint(operator, sakura)
        text = officer.get("/regulation/").content.decode()
        assert "施行後に変わりました" in text
        assert "髙橋 誠" in text
        frozen = officer.get("/regulation/editions/1/").content.decode()
        assert "髙橋 誠" not in frozen
        assert "施行後に変わりました" not in frozen

    def test_a_selected_article_shows_requirements_facts_and_history(self, officer, in_force, operator, sakura):
        appoint(operator, sakura)
        page = officer.get("/regulation/?article=chief-officer")
        note = page.context["note"]
        assert [row.clause.label for row in note.rows] == ["イ-1"]
        assert [str(what) for _label, what in note.history] == ["制定のときから"]
        assert [annex.view.heading[:3] for annex in note.changed] == ["別表4"]
        assert "この条に対応する要求事項" in page.content.decode()

    def test_opening_an_edition_is_recorded_once_and_a_draft_is_not(self, officer, drafted, operator):
        officer.get("/regulation/")
        assert not Event.objects.filter(name="regulation:view").exists()
        prepared = operations.prepare_model(organization=drafted, effective_on=dt.date(2026, 4, 1), renderer=quick)
        transactions.durable(lambda: operations.adopt(actor=operator, prepared=prepared))
        officer.get("/regulation/?article=chief-officer")
        officer.get("/regulation/editions/1/")
        assert Event.objects.filter(name="regulation:view").count() == 2

    def test_an_unknown_article_selects_none(self, officer, in_force):
        page = officer.get("/regulation/?article=<script>")
        assert page.status_code == 200
        assert page.context["note"] is None

    def test_an_amended_article_shows_in_its_history(self, officer, in_force, operator, sakura):
        from kitei.outcomes.regulation.model_text import model_text

        changed = model_text().replace("重大な事案への対応を決定すること。", "重大な事案への対応を定めること。")
        assert changed != model_text()
        transactions.durable(lambda: operations.put_draft(actor=operator, organization=sakura, text=changed))
        prepared = operations.prepare_model(organization=sakura, effective_on=dt.date(2026, 10, 1), renderer=quick)
        transactions.durable(lambda: operations.adopt(actor=operator, prepared=prepared))
        history = officer.get("/regulation/?article=chief-officer").context["note"].history
        assert [(label, str(what)) for label, what in history] == [("第2版", "改正"), ("第1版", "制定のときから")]
        untouched = officer.get("/regulation/?article=privacy-officer").context["note"].history
        assert [label for label, _what in untouched] == ["第1版"]

    def test_before_its_day_an_edition_is_shown_as_waiting(self, officer, in_force):
        page = officer.get("/regulation/?as_of=2026-03-31")
        assert page.context["waiting"]
        assert "施行を待っている版" in page.content.decode()
        assert not officer.get("/regulation/?as_of=2026-04-01").context["waiting"]

    def test_an_edition_to_come_is_announced(self, officer, in_force, operator, sakura):
        prepared = operations.prepare_model(organization=sakura, effective_on=dt.date(2027, 4, 1), renderer=quick)
        transactions.durable(lambda: operations.adopt(actor=operator, prepared=prepared))
        text = officer.get("/regulation/").content.decode()
        assert "第2版が" in text
        assert "に施行されます" in text
        assert "第1版" in text


class TestDownloading:
    def test_a_frozen_edition_gives_its_stored_bytes_and_is_recorded(self, officer, in_force):
        answer = officer.get("/regulation/download/pdf/?edition=1")
        assert answer.content == b"%PDF-1.7 frozen"
        event = Event.objects.filter(name="regulation:download").get()
        assert event.outcome == "ok"

    def test_a_live_document_is_made_in_a_child_and_then_cached(self, officer, in_force, tmp_path):
        first = officer.get("/regulation/download/html/")
        assert first.status_code == 200
        assert "第8条" in first.content.decode()
        assert len(list((tmp_path / "cache" / "renderings").glob("*.html"))) == 1
        assert officer.get("/regulation/download/html/").content == first.content
        assert Event.objects.filter(name="regulation:download").count() == 2

    def test_the_disclosure_rendering_holds_no_names(self, officer, in_force, operator, sakura):
        appoint(operator, sakura)
        internal = officer.get("/regulation/download/html/").content.decode()
        disclosed = officer.get("/regulation/download/html/?rendering=disclosure")
        assert "髙橋" in internal
        assert "髙橋" not in disclosed.content.decode()
        assert "%E9%96%8B%E7%A4%BA%E7%89%88" in disclosed["Content-Disposition"]

    def test_a_failing_child_is_told_and_leaves_no_record(self, officer, in_force, monkeypatch):
        monkeypatch.setattr(child.sys, "executable", "/bin/false")
        answer = officer.get("/regulation/download/pdf/")
        assert answer.status_code == 422
        assert "文書を作れませんでした" in answer.content.decode()
        assert not Event.objects.filter(name="regulation:download").exists()

    @pytest.mark.parametrize(
        "address",
        [
            "exe/",
            "pdf/?rendering=secret",
            "pdf/?edition=9",
            "pdf/?edition=²",
            "pdf/?edition=abc",
            "pdf/?edition=99999999999",
        ],
    )
    def test_what_does_not_exist_is_the_one_404_page(self, officer, in_force, address):
        assert officer.get(f"/regulation/download/{address}").status_code == 404

    def test_another_organizations_edition_is_not_found(self, browser, in_force, tsubaki):
        neighbour = browser("椿 花子", "security-officer", organization=tsubaki)
        assert neighbour.get("/regulation/download/pdf/?edition=1").status_code == 404
        assert neighbour.get("/regulation/editions/1/").status_code == 404
        assert "第1版" not in neighbour.get("/regulation/editions/").content.decode()


class TestPuttingIntoForce:
    def test_the_draft_is_put_into_force(self, officer, drafted, monkeypatch):
        monkeypatch.setattr(child, "render_many", quick)
        answer = officer.post(
            "/regulation/adopt/",
            {
                "source": "model",
                "effective_on": "令和8年11月1日",
                "label": "",
                "summary": "制定",
                "approved_by": "代表取締役 髙橋 誠",
            },
        )
        assert answer.status_code == 302
        edition = Edition.objects.get()
        assert (edition.label, edition.effective_on, edition.approved_by) == (
            "第1版",
            dt.date(2026, 11, 1),
            "代表取締役 髙橋 誠",
        )
        assert edition.adopted_by == "佐藤 恵子"

    def test_a_company_keeps_its_own_regulation(self, officer, sakura, operator):
        list_own_articles(operator, sakura)
        upload = SimpleUploadedFile("運用管理規程.docx", word_file())
        answer = officer.post(
            "/regulation/adopt/", {"source": "own", "effective_on": "2026/11/1", "label": "第4.1版", "file": upload}
        )
        assert answer.status_code == 302
        page = officer.get("/regulation/")
        assert [article.label for article in page.context["shown"].articles] == ["第3条", "第12条"]
        assert "原本をダウンロード" in page.content.decode()
        original = officer.get("/regulation/download/original/")
        assert original.content == word_file() or original.content[:2] == b"PK"
        assert "%E9%81%8B%E7%94%A8" in original["Content-Disposition"]
        note = officer.get("/regulation/?article=own-第12条").context["note"]
        assert [row.clause.label for row in note.rows] == ["イ-7"]

    @pytest.mark.parametrize(
        ("given", "told"),
        [
            ({"source": "model", "effective_on": "2026/2/30"}, "2月"),
            ({"source": "model", "effective_on": ""}, "施行日を入力してください"),
            ({"effective_on": "2026/11/1"}, "どちらの規程"),
            ({"source": "own", "effective_on": "2026/11/1"}, "ファイルを選んでください"),
        ],
    )
    def test_a_faulty_form_is_told_and_nothing_typed_is_lost(self, officer, drafted, given, told):
        answer = officer.post("/regulation/adopt/", {**given, "summary": "再委託先の確認の周期"})
        assert answer.status_code == 422
        assert told in answer.content.decode()
        assert "再委託先の確認の周期" in answer.content.decode()
        assert not Edition.objects.exists()

    def test_an_own_regulation_without_listed_articles_is_told(self, officer, drafted):
        upload = SimpleUploadedFile("規程.docx", word_file())
        answer = officer.post("/regulation/adopt/", {"source": "own", "effective_on": "2026/11/1", "file": upload})
        assert answer.status_code == 422
        assert "現行規程" in answer.content.decode()

    def test_a_file_that_is_not_what_it_says_is_told(self, officer, sakura, operator):
        list_own_articles(operator, sakura)
        upload = SimpleUploadedFile("規程.docx", b"MZ not a document")
        answer = officer.post("/regulation/adopt/", {"source": "own", "effective_on": "2026/11/1", "file": upload})
        assert answer.status_code == 422
        assert not Edition.objects.exists()

    def test_a_day_before_the_edition_in_force_is_told(self, officer, in_force, monkeypatch):
        monkeypatch.setattr(child, "render_many", quick)
        answer = officer.post("/regulation/adopt/", {"source": "model", "effective_on": "2026/3/1"})
        assert answer.status_code == 422
        assert Edition.objects.count() == 1

    def test_who_may_not_is_refused_with_the_404_page_and_recorded(self, browser, drafted):
        auditor = browser("小林 隆", "audit-officer")
        assert auditor.get("/regulation/adopt/").status_code == 404
        assert auditor.post("/regulation/adopt/", {"source": "model", "effective_on": "2026/11/1"}).status_code == 404
        assert "施行の登録" not in auditor.get("/regulation/").content.decode()
        assert Event.objects.filter(outcome="refused").count() == 2

    def test_a_form_without_its_mark_is_refused(self, member, drafted):
        _actor, user = member("佐藤 恵子", "security-officer")
        client = Client(enforce_csrf_checks=True)
        client.force_login(user)
        assert client.post("/regulation/adopt/", {"source": "model", "effective_on": "2026/11/1"}).status_code == 403


def test_the_child_refuses_what_no_document_can_hold(drafted, operator):
    from dataclasses import replace

    from kitei.foundation import clock
    from kitei.foundation.text import UserError
    from kitei.outcomes.regulation import publication

    tree = publication.current(organization=drafted, day=TODAY).tree
    faulty = replace(tree, title="規程\x07")
    with pytest.raises(UserError, match="制御文字"):
        child.render_many(faulty, kinds=("html",), timestamp=clock.now())


def test_the_page_in_english_leaves_the_text_japanese(officer, in_force):
    officer.post("/language", {"language": "en"})
    text = officer.get("/regulation/").content.decode()
    assert "Editions" in text
    assert "（管理責任者）" in text
