"""閲覧申請 and 緊急閲覧 by hand: a member asks, an officer answers, and somebody lets himself in."""

from __future__ import annotations

import sqlite3

import pytest

from browser.driving import log_in
from browser.pages import check_page

MISSING = "/registers/document/0192f000-0000-7000-8000-000000000000/"


@pytest.fixture
def plain_mail(demo):
    """The mail address of somebody of the demo who can log in and holds no office; an account is opened if need be."""
    connection = sqlite3.connect(demo.data / "kitei.sqlite3")
    held = "SELECT principal FROM access_membership WHERE kind = 'role' AND voided_at IS NULL"
    found = connection.execute(
        f"SELECT email FROM accounts_user WHERE principal IS NOT NULL AND principal NOT IN ({held}) AND is_active = 1"  # noqa: S608  our own words
    ).fetchone()
    connection.close()
    if found is None:
        pytest.skip("the demo has no account without an office")
    return found[0]


def forget(page, *texts):
    page.complaints[:] = [said for said in page.complaints if not any(text in said for text in texts)]


def test_asking_and_answering(demo, sign_in, open_browser, plain_mail):
    asker = log_in(open_browser(demo), plain_mail)
    asker.goto(MISSING)
    forget(asker, "404")
    asker.fill("[name=wanted]", "見積もりの契約書")
    asker.fill("[name=reason]", "更新の検討")
    asker.fill("[name=until]", "2026/12/31")
    asker.locator("main form[action='/access/requests/new/'] button").click()
    asker.wait_for_url("**/access/requests/")
    assert "見積もりの契約書" in asker.inner_text("main")
    check_page(asker)

    officer = sign_in(demo)
    officer.goto("/access/requests/")
    officer.locator("main a[href*='/access/requests/']", has_text="回答する").first.click()
    check_page(officer)
    officer.fill("[name=answer]", "担当の部署が違います")
    officer.locator("button[name=refuse]").click()
    officer.wait_for_url("**/access/requests/")
    asker.reload()
    assert "担当の部署が違います" in asker.inner_text("main")
    assert asker.complaints == []


def test_letting_oneself_in_and_being_looked_at(demo, sign_in, open_browser, plain_mail):
    person = log_in(open_browser(demo), plain_mail)
    person.goto("/access/emergency/")
    check_page(person)
    person.fill("[name=number]", "Z-404")
    person.fill("[name=reason]", "夜間の障害対応")
    person.locator("main form button[type=submit]").first.click()
    person.wait_for_load_state()
    assert "緊急閲覧を始めました" in person.inner_text("main")
    assert "未確認" in person.inner_text("main")

    officer = sign_in(demo)
    officer.goto("/")
    officer.locator("a.notice, .notice a", has_text="確認していない緊急閲覧").click()
    officer.locator("main a", has_text="確認する").first.click()
    check_page(officer)
    officer.fill("[name=note]", "障害の記録と合う")
    officer.locator("main form button[type=submit]").last.click()
    officer.wait_for_url("**/access/emergency/")
    person.reload()
    assert "必要な閲覧だった" in person.inner_text("main")
    assert officer.complaints == person.complaints == []


def test_a_grant_is_looked_at_made_reviewed_and_withdrawn(demo, sign_in):
    page = sign_in(demo)
    page.goto("/access/entries/new/")
    check_page(page)
    page.select_option("[name=who]", "everyone:")
    page.fill("[name=reason]", "全社への公開")
    page.locator("main form button[type=submit]").last.click()
    page.wait_for_selector("#preview")
    check_page(page)
    page.locator("main form button[type=submit]").last.click()
    page.wait_for_url("**/access/folders/*/")
    check_page(page)
    page.goto("/access/review/")
    check_page(page)
    page.locator("main a", has_text="決める").first.click()
    check_page(page)
    page.goto("/access/")
    page.locator("main table a").first.click()
    page.locator("main a", has_text="取り消す").first.click()
    check_page(page)
    page.fill("[name=reason]", "公開をやめる")
    page.locator("main form button[type=submit]").last.click()
    page.wait_for_url("**/access/")
    assert page.complaints == []
