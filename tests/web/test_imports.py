"""Import with preview, column mapping, template and export."""

from __future__ import annotations

import datetime as dt
import io
import zipfile

import openpyxl
import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from django.test import Client

from kitei.foundation import clock, transactions
from kitei.foundation.sheets.models import SavedMapping
from kitei.registers.people import operations as people
from kitei.registers.people.models import MemberState
from kitei.trust.auditlog.models import Event

pytestmark = pytest.mark.django_db
HEADERS = ["社員番号", "姓", "名", "入社日"]
NOON = dt.datetime(2026, 11, 22, 3, 0, tzinfo=dt.UTC)


@pytest.fixture(autouse=True)
def _own_uploads(settings, tmp_path):
    settings.DATA = tmp_path


def workbook(*rows, sheet="構成員", headers=HEADERS, before=()):
    book = openpyxl.Workbook()
    page = book.active
    page.title = sheet
    for row in (*before, headers, *rows):
        page.append(row)
    stream = io.BytesIO()
    book.save(stream)
    return stream.getvalue()


def upload(client, content, name="台帳.xlsx"):
    return client.post("/import/", {"file": SimpleUploadedFile(name, content)})


def preview(client, content, name="台帳.xlsx"):
    answer = upload(client, content, name)
    assert answer.status_code == 302, answer.content.decode()[:500]
    return answer.url, client.get(answer.url)


def seen(page):
    return page.context["seen"]


def hire(operator, sakura, family="髙橋"):
    row = {"code": "M001", "family_name": family, "given_name": "誠", "joined_on": dt.date(2015, 4, 1)}
    transactions.durable(lambda: people.members.put(actor=operator, organization=sakura, rows={"M001": row}))


class TestPreview:
    def test_it_shows_row_by_row_and_saves_nothing(self, officer, operator, sakura):
        hire(operator, sakura)
        _url, page = preview(
            officer, workbook(["M001", "高梨", "誠", "2015/4/1"], ["M002", "渡邉", "由美", "令和2年4月1日"])
        )
        text = page.content.decode()
        assert page.context["counts"] == {"added": 1, "changed": 1, "unchanged": 0, "errors": 0}
        assert "<del>髙橋</del> → <ins>高梨</ins>" in text
        assert "M002" in text
        assert MemberState.objects.count() == 1

    def test_then_the_same_file_is_imported_and_forgotten(self, officer, sakura, tmp_path):
        url, page = preview(officer, workbook(["M002", "渡邉", "由美", "R2.4.1"]))
        assert officer.post(f"{url}apply/", {"seen": seen(page)}).status_code == 302
        assert MemberState.objects.get(organization=sakura).family_name == "渡邉"
        assert Event.objects.filter(name="register:import").count() == 1
        assert not list((tmp_path / "uploads").iterdir())
        assert officer.get(url).status_code == 410

    def test_what_is_already_so_offers_nothing_to_import(self, officer, operator, sakura):
        hire(operator, sakura)
        _url, page = preview(officer, workbook(["M001", "髙橋", "誠", "2015/4/1"]))
        assert "取り込むものはありません" in page.content.decode()

    @pytest.mark.parametrize(
        ("row", "told"),
        [
            (["M002", "渡邉", "由美", "2026/2/30"], "D"),
            (["M002", "渡邉", "由美", "令和8年13月1日"], "D"),
            (["M002", "", "由美", "2020/4/1"], "必ず入力する項目"),
            (["", "渡邉", "由美", "2020/4/1"], "A"),
        ],
    )
    def test_errors_name_sheet_row_and_column_and_nothing_can_be_imported(self, officer, row, told):
        url, page = preview(officer, workbook(row))
        text = page.content.decode()
        issue = page.context["plan"].errors[0]
        assert (issue.sheet, issue.row) == ("構成員", 2)
        assert told in text
        assert "取り込む</button>" not in text
        assert officer.post(f"{url}apply/", {"seen": seen(page)}).status_code == 409
        assert not MemberState.objects.exists()

    def test_a_register_changed_after_the_preview_is_not_overwritten(self, officer, operator, sakura):
        hire(operator, sakura)
        url, page = preview(officer, workbook(["M001", "高梨", "誠", "2015/4/1"]))
        hire(operator, sakura, family="高野")
        answer = officer.post(f"{url}apply/", {"seen": seen(page)})
        assert answer.status_code == 409
        assert "確認のあとに台帳が変わりました" in answer.content.decode()
        assert "<del>高野</del>" in answer.content.decode()
        current = MemberState.objects.filter(organization=sakura).as_of(dt.date(2026, 11, 22)).get()
        assert current.family_name == "高野"

    def test_after_an_hour_the_file_is_gone(self, officer):
        url, _page = preview(officer, workbook(["M002", "渡邉", "由美", "2020/4/1"]))
        for minutes in (25, 50):  # whoever does nothing for half an hour is logged out
            with clock.at(NOON + dt.timedelta(minutes=minutes)):
                assert officer.get("/").status_code == 200
        with clock.at(NOON + dt.timedelta(hours=1, seconds=1)):
            answer = officer.get(url)
        assert answer.status_code == 410
        assert "1時間" in answer.content.decode()

    def test_somebody_else_does_not_get_the_file(self, officer, browser, tsubaki):
        url, page = preview(officer, workbook(["M002", "渡邉", "由美", "2020/4/1"]))
        for other in (
            browser("髙橋 誠", "chief-officer"),
            browser("椿 花子", "security-officer", organization=tsubaki),
        ):
            assert other.get(url).status_code == 410
            assert other.post(f"{url}apply/", {"seen": seen(page)}).status_code == 410
        assert not MemberState.objects.exists()

    @pytest.mark.parametrize("token", ["x", "..", "a" * 43, "%2e%2e%2f%2e%2e%2fsecret-key"])
    def test_an_invented_name_finds_no_file(self, officer, token):
        assert officer.get(f"/import/{token}/").status_code in {404, 410}


class TestBadFiles:
    @pytest.mark.parametrize(
        ("name", "content"),
        [
            ("台帳.xlsx", b"PK\x03\x04 broken"),
            ("台帳.pdf", b"%PDF-1.7"),
            ("台帳.xls", bytes.fromhex("d0cf11e0a1b11ae1") + b"\0" * 600),
            ("台帳.xlsx", b"not a workbook"),
        ],
    )
    def test_a_file_that_cannot_be_read_is_told(self, officer, name, content):
        _url, page = preview(officer, content, name)
        assert page.status_code == 422
        assert "取り込めませんでした" in page.content.decode()

    def test_no_file_and_an_empty_file_are_told(self, officer):
        assert "ファイルを選んでください" in officer.post("/import/", {}).content.decode()
        answer = upload(officer, b"")
        assert answer.status_code == 422
        assert "空です" in answer.content.decode()

    def test_a_zip_bomb_is_refused_before_it_is_unpacked(self, officer):
        stream = io.BytesIO()
        with zipfile.ZipFile(stream, "w", zipfile.ZIP_DEFLATED) as packed:
            packed.writestr("[Content_Types].xml", b"<Types/>")
            packed.writestr("xl/worksheets/sheet1.xml", b" " * 60_000_000)
        _url, page = preview(officer, stream.getvalue())
        assert page.status_code == 422

    def test_a_file_above_the_limit_is_refused(self, officer, monkeypatch):
        monkeypatch.setattr("kitei.web.imports._LIMIT", 100)
        answer = upload(officer, workbook(["M002", "渡邉", "由美", "2020/4/1"]))
        assert answer.status_code == 422
        assert "大きすぎます" in answer.content.decode()


class TestMapping:
    ROW = ("1001", "青木", "一郎", "2020/4/1", "パート社員")
    OWN = ("社員No", "みょうじ", "なまえ", "入社", "区分")

    def own(self):
        return workbook(self.ROW, sheet="社員名簿", headers=list(self.OWN), before=(["社員名簿"], []))

    def match(self, **more):
        return {
            "sheet": "社員名簿",
            "header_row": "3",
            "c-code": "社員No",
            "c-family_name": "みょうじ",
            "c-given_name": "なまえ",
            "c-joined_on": "入社",
            "c-employment": "区分",
            **more,
        }

    def test_a_sheet_of_ones_own_is_offered_for_mapping(self, officer):
        url, page = preview(officer, self.own())
        assert [other["name"] for other in page.context["others"]] == ["社員名簿"]
        chosen = officer.get(f"{url}choose/?sheet=社員名簿&key=member")
        assert chosen.status_code == 302
        text = officer.get(chosen.url + "&header_row=3").content.decode()
        assert "A列「社員No」" in text
        assert "例: 1001" in text

    def test_saved_it_is_used_from_then_on(self, officer, sakura):
        url, _page = preview(officer, self.own())
        looked = officer.post(f"{url}map/member/", self.match(step="look"))
        assert "「パート社員」" in looked.content.decode()
        assert not SavedMapping.objects.exists()
        option = next(line["options"] for line in looked.context["lines"] if line["key"] == "employment")[1]
        officer.post(f"{url}map/member/", self.match(**{"t-employment": "パート社員", "v-employment": option}))
        page = officer.get(url)
        assert page.context["plan"].ok, [issue.render() for issue in page.context["plan"].errors]
        assert officer.post(f"{url}apply/", {"seen": seen(page)}).status_code == 302
        assert MemberState.objects.get(organization=sakura).family_name == "青木"
        assert Event.objects.filter(name="sheet:map").exists()

    def test_a_mapping_without_the_identity_is_told_and_kept_on_the_page(self, officer):
        url, _page = preview(officer, self.own())
        answer = officer.post(f"{url}map/member/", {**self.match(), "c-code": "そんな見出しはない"})
        assert answer.status_code == 422
        assert "そんな見出しはない" in answer.content.decode()
        assert not SavedMapping.objects.exists()

    def test_an_unknown_register_is_not_found(self, officer):
        url, _page = preview(officer, self.own())
        assert officer.get(f"{url}map/nothing/").status_code == 404
        assert officer.get(f"{url}choose/?sheet=x&key=nothing").status_code == 404


class TestOut:
    def test_the_template_is_a_workbook_that_can_be_read(self, officer):
        answer = officer.get("/import/template/")
        assert answer.status_code == 200
        assert "構成員" in openpyxl.load_workbook(io.BytesIO(answer.content)).sheetnames

    def test_what_export_wrote_changes_nothing_when_imported(self, officer, operator, sakura):
        hire(operator, sakura)
        content = officer.get("/import/export/").content
        assert Event.objects.filter(name="register:export-all").count() == 1
        _url, page = preview(officer, content)
        counts = page.context["counts"]
        assert (counts["added"], counts["changed"], counts["errors"]) == (0, 0, 0)

    def test_an_ordinary_member_gets_the_404_page(self, browser):
        ordinary = browser("吉田 翔太")
        assert ordinary.get("/import/").status_code == 404
        assert ordinary.get("/import/export/").status_code == 404
        assert upload(ordinary, workbook(["M002", "渡邉", "由美", "2020/4/1"])).status_code == 404
        assert ordinary.get("/setup/").status_code == 200
        assert ordinary.get("/import/template/").status_code == 200
        assert Event.objects.filter(outcome="refused").count() == 3

    def test_a_form_without_its_mark_is_refused(self, member):
        _actor, user = member("佐藤 恵子", "security-officer")
        client = Client(enforce_csrf_checks=True)
        client.force_login(user)
        assert upload(client, workbook(["M002", "渡邉", "由美", "2020/4/1"])).status_code == 403

    def test_the_pages_in_english(self, officer):
        officer.post("/language", {"language": "en"})
        _url, page = preview(officer, workbook(["M002", "渡邉", "由美", "2020/4/1"]))
        assert "Import preview" in page.content.decode()
