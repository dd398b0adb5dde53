"""The first workbook of a new company: it appoints the very officers whose right to import the rule asks for."""

from __future__ import annotations

import datetime as dt
import io

import openpyxl
import pytest

from kitei.foundation.sheets.grid import AttachedFile, Grid, Workbook
from kitei.foundation.sheets.headers import SheetMapping
from kitei.foundation.text import UserError
from kitei.registers.people.models import Appointment, Member
from kitei.trust.access import rule
from kitei.trust.access.rule import Actor, Refused, Target
from kitei.trust.accounts.models import User
from kitei.web import exchange

MAIL = "hanako@sakura.example"
STAFF = Grid("構成員", [["社員番号", "姓", "名", "メールアドレス"], ["0002", "緑川", "花子", MAIL]])
OFFICES = Grid(
    "任命", [["任命番号", "役割", "社員番号", "発令日"], ["A-01", "情報セキュリティ責任者", "0002", "R8.4.1"]]
)
PROCEDURES = Grid("運用手順", [["手順番号", "手順名"], ["P-1", "バックアップの取得"]])


@pytest.fixture
def administrator(member):
    """花子, who ran init: an administrator whose account is no member of the register yet."""
    actor, user = member("緑川花子", mail=MAIL)
    User.objects.filter(pk=user.pk).update(is_administrator=True, principal=None)
    return Actor("member", actor.id, actor.organization, "緑川花子", None, administrator=True)


def plan(actor, *grids, files=None):
    book = Workbook(file="台帳.xlsx", sheets=grids, files=files or {})
    return exchange.plan(actor=actor, organization=actor.organization, path=None, workbook=book)


def test_the_first_administrator_imports_the_officers_and_what_comes_after_them(administrator, sakura):
    found = plan(administrator, STAFF, OFFICES, PROCEDURES)
    exchange.apply(actor=administrator, organization=sakura, plan=found)
    assert Appointment.objects.get(organization=sakura).role == "security-officer"
    assert plan(Actor("cli", "operator", sakura), PROCEDURES).counts["unchanged"] == 1


def test_the_permit_ends_with_the_import(administrator, sakura):
    """Now an officer can log in: the administrator's first-set-up right is over for the next act."""
    found = plan(administrator, STAFF, OFFICES)
    exchange.apply(actor=administrator, organization=sakura, plan=found)
    with pytest.raises(Refused):
        plan(administrator, PROCEDURES)


def test_whoever_may_not_import_is_refused_before_the_first_row(member, operator, sakura):
    taro, _user = member("鈴木太郎")
    found = plan(operator, STAFF)
    with pytest.raises(Refused):
        exchange.apply(actor=taro, organization=sakura, plan=found)
    assert not Member.objects.filter(organization=sakura).exists()


def test_a_permit_holds_for_its_action_and_organization_only(member, tsubaki, sakura):
    actor, _user = member("高橋誠", "system-administrator")
    permitted = rule.decided_once(actor, rule.EDIT, Target("register", organization=sakura))
    bare = Actor("member", actor.id, sakura, permits=permitted.permits)
    assert rule.decide(bare, rule.EDIT, Target("document", organization=sakura)).allowed
    assert not rule.decide(bare, rule.APPROVE, Target("document", organization=sakura)).allowed
    assert not rule.decide(bare, rule.EDIT, Target("document", organization=tsubaki)).allowed


def test_another_companys_workbook_is_refused(operator):
    company = Grid("会社", [["会社コード", "会社名"], ["tsubaki", "椿メディカル株式会社"]])
    found = plan(operator, company)
    assert not found.ok
    assert "「sakura」です" in found.errors[0].render()


def test_an_attachment_of_an_unchanged_row_is_not_called_unused(operator, sakura):
    head = ["文書番号", "名称", "種類", "版", "施行日", "保管先", "ファイル名"]
    papers = Grid("文書", [head, ["D-1", "教育記録", "証跡", "1", dt.date(2026, 6, 15), "Kitei", "教育.txt"]])
    content = "教育の記録".encode()
    files = {"教育.txt": AttachedFile("教育.txt", len(content), lambda: content)}
    exchange.apply(actor=operator, organization=sakura, plan=plan(operator, papers, files=files))
    again = plan(operator, papers, files=files)
    assert again.counts["unchanged"] == 1
    assert ["行に変わりがない" in note.render() for note in again.notes if "教育.txt" in note.render()] == [True]


def test_a_csv_nobody_recognises_is_told_about_its_name_not_its_sheets(operator):
    book = Workbook(file="一覧.csv", sheets=[Grid("一覧", [["番号", "機器名"], ["1", "サーバ"]])])
    found = exchange.plan(actor=operator, organization=operator.organization, path=None, workbook=book)
    assert "ファイルの名前" in found.errors[0].render()


@pytest.mark.parametrize("old", ["医療機関等コード", "医療機関コード", "医療機関番号"])
def test_devices_name_institutions_as_the_other_sheets_do(operator, old):
    sheet = Grid(
        "機器", [["管理番号", "区分コード", "名称", "設置先区分", old], ["GW-1", "GW", "画像GW", "医療機関等", "M-404"]]
    )
    errors = [error.render() for error in plan(operator, sheet).errors]
    assert any("M-404" in error for error in errors)


def test_the_template_names_numbers_alike_on_every_sheet():
    stream = io.BytesIO()
    exchange.write_template(stream)
    headers = [cell.value for cell in openpyxl.load_workbook(stream)["機器"][3]]
    assert {"医療機関番号", "委託先番号", "サービス番号"} <= set(headers)


def test_a_plan_with_errors_is_never_applied(operator, sakura):
    found = plan(operator, Grid("構成員", [["社員番号", "姓", "名"], ["0001", "髙橋", ""]]))
    with pytest.raises(UserError):
        exchange.apply(actor=operator, organization=sakura, plan=found)


def test_a_company_that_maps_its_own_sheet_still_imports_what_kitei_exported(operator, sakura):
    mappings = {"department": SheetMapping(sheet="組織図", columns={"code": "記号", "name": "名"})}

    def planned(grid):
        book = Workbook(file="台帳.xlsx", sheets=[grid])
        return exchange.plan(actor=operator, organization=sakura, path=None, workbook=book, mappings=mappings)

    own = planned(Grid("組織図", [["記号", "名"], ["D01", "技術部"]]))
    ours = planned(Grid("部署", [["部署コード", "部署名"], ["D02", "管理部"]]))
    assert [row.key for row in own.sheets["department"].added] == ["D01"]
    assert [row.key for row in ours.sheets["department"].added] == ["D02"]
