"""A file sent in a sandbox that allows nothing still arrives, and the pages keep working under their policy."""

from __future__ import annotations

import openpyxl


def test_a_workbook_in_a_sandbox_arrives_whole(demo, sign_in, tmp_path):
    page = sign_in(demo)
    page.goto("/import/")

    with page.expect_download() as download:
        page.locator("a[href='/import/template/']").click()

    book = tmp_path / "ひな形.xlsx"
    download.value.save_as(book)
    assert download.value.suggested_filename.endswith(".xlsx")
    assert "構成員" in openpyxl.load_workbook(book).sheetnames
    assert page.complaints == []


def test_a_list_opened_by_its_address_is_saved_under_its_japanese_name(demo, sign_in):
    page = sign_in(demo)
    page.goto("/registers/member/")

    with page.expect_download() as download:
        page.evaluate("location.href = '/registers/member/export.csv'")

    assert download.value.failure() is None
    assert download.value.suggested_filename.startswith("構成員")
