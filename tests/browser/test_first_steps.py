"""From ``kitei init`` to an edition in force, by hand, as a new company does it (issue 2 "It has worked when")."""

from __future__ import annotations

import openpyxl
import pytest

from browser.driving import PASSWORD, log_in, submit
from browser.pages import check_page

SHEETS = {
    "部署": [["001", "開発部", None]],
    "構成員": [
        ["0012", "髙﨑", "花子", "タカサキ", "ハナコ", "001", "代表取締役", None, None, "2019/4/1", None],
        ["0013", "𠮷田", "次郎", "ヨシダ", "ジロウ", "001", None, None, None, "令和元年10月1日", None],
    ],
    "任命": [["N-1", "管理責任者", "0012", 0, "2024/4/1", None, None, None, "取締役会", None, None, None]],
}
HEADER_ROW = 3


def fill(path, sheets):
    """Write rows below the header of the template, as a person would in Excel."""
    book = openpyxl.load_workbook(path)
    for title, rows in sheets.items():
        sheet = book[title]
        for number, row in enumerate(rows, start=HEADER_ROW + 1):
            for column, value in enumerate(row, start=1):
                if value is not None:
                    sheet.cell(number, column, value)
    book.save(path)


def upload(page, path):
    page.goto("/import/")
    page.set_input_files("input[type=file]", path)
    page.locator("main form button[type=submit]").first.click()
    page.wait_for_url("**/import/*/")


def without(page, *texts):
    """Forget what Chromium says of a status that was wanted."""
    page.complaints[:] = [said for said in page.complaints if not any(text in said for text in texts)]


def test_from_init_to_an_edition_in_force(beginner, open_browser, tmp_path):
    page = open_browser(beginner)

    page.goto("/start")
    page.fill("[name=email]", beginner.accounts["mail"])
    page.fill("[name=code]", beginner.accounts["code"])
    for name in ("password", "again"):
        page.fill(f"[name={name}]", PASSWORD)
    page.locator("main form button[type=submit]").click()
    page.wait_for_url("**/login")
    log_in(page, beginner.accounts["mail"])
    check_page(page)

    page.goto("/setup/")
    check_page(page)
    steps = page.locator("ol.steps li").count()
    assert steps >= 4

    page.goto("/import/")
    with page.expect_download() as download:
        page.locator("main a[href='/import/template/']").first.click()
    book = tmp_path / "台帳.xlsx"
    download.value.save_as(book)

    fill(book, SHEETS | {"任命": [["N-1", "料理長", "0012", 0, "2026/2/30", *[None] * 7]]})
    upload(page, book)
    said = page.inner_text("main")
    for words in ("任命", "料理長", "2026年2月"):
        assert words in said
    check_page(page)
    assert page.locator("form[action$='/apply/']").count() == 0, "with errors nothing can be imported"

    fill(book, SHEETS)
    upload(page, book)
    assert "髙﨑" in page.inner_text("main")
    check_page(page)
    submit(page, page.locator("form[action$='/apply/'] button"))
    check_page(page)

    page.goto("/registers/member/")
    assert "髙﨑" in page.inner_text("main")
    assert "𠮷田" in page.inner_text("main")

    page.goto("/regulation/adopt/")
    check_page(page)
    page.locator("[name=source]").first.check()
    page.fill("[name=effective_on]", "令和8年11月22日")
    page.fill("[name=approved_by]", "代表取締役 髙﨑 花子")
    page.locator("form.sheet-form button[type=submit]").click()
    page.wait_for_url(lambda url: not url.endswith("/adopt/"), timeout=60_000)
    check_page(page)

    page.goto("/regulation/")
    assert "髙﨑" in page.inner_text("main"), "the annex is filled from the register"
    check_page(page)
    page.goto("/")
    check_page(page)
    assert page.locator("ol.steps").count() == 0 or page.locator("ol.steps li.done").count() > 1


def test_a_wrong_adoption_says_what_to_mend(demo, sign_in):
    page = sign_in(demo)
    page.goto("/regulation/adopt/")
    page.locator("[name=source]").first.check()
    page.fill("[name=effective_on]", "2026/2/30")
    submit(page, page.locator("form.sheet-form button[type=submit]"))
    assert "2026年2月" in page.inner_text("main")
    without(page, "422")
    check_page(page)


@pytest.mark.parametrize("language", ["ja", "en"])
def test_an_excel_file_of_the_companys_own_is_mapped(demo, sign_in, tmp_path, language):
    path = tmp_path / "社員名簿.xlsx"
    book = openpyxl.Workbook()
    sheet = book.active
    sheet.title = "名簿"
    for row in (["社内名簿（秘）"], ["番号", "みょうじ", "なまえ"], ["9001", "森", "楓"]):
        sheet.append(row)
    book.save(path)
    page = sign_in(demo, language)
    upload(page, path)
    check_page(page)
    choose = page.locator("form[action$='/choose/']").first
    choose.locator("select").select_option("member")
    choose.locator("button").click()
    page.wait_for_url("**/map/member/**")
    check_page(page)


def test_a_finding_is_accepted_with_a_reason_and_stays_listed(demo, sign_in):
    page = sign_in(demo)
    page.goto("/findings/")
    link = page.locator("main a[href*='/findings/accept/']").first
    link.click()
    page.wait_for_url("**/findings/accept/**")
    check_page(page)
    submit(page, page.locator("main form button[type=submit]"))
    assert page.locator("[role=alert]").count() >= 1, "a reason is needed"
    without(page, "422")
    check_page(page)
    page.fill("[name=reason]", "後任の選定中のため。役員会で承認済み（第12号）。")
    page.fill("[name=until]", "2027-03-31")
    page.locator("main form button[type=submit]").click()
    page.wait_for_url(lambda url: "accept" not in url)
    page.goto("/findings/")
    assert "後任の選定中" in page.inner_text("main")
