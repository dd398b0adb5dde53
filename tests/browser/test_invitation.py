"""From the editor's invitation to the invited person's own page, in two windows of a real browser."""

from __future__ import annotations

import re

import pytest

from browser.driving import PASSWORD, log_in
from browser.pages import check_page

NEW_PASSWORD = "kawa-no-nagare-wo-kiku-2026"


@pytest.mark.parametrize("language", ["ja", "en"])
def test_a_member_is_invited_on_paper_and_gets_in(demo, sign_in, open_browser, language):
    page = sign_in(demo, language)
    page.goto("/accounts/")
    check_page(page)
    page.locator("main a[href='/accounts/invite/']").click()
    check_page(page)
    people = page.locator("[name=member] option")
    chosen = people.nth(1).get_attribute("value")
    name = people.nth(1).inner_text().split("（")[0]
    page.select_option("[name=member]", chosen)
    mail = f"invited-{language}@sakura.example"
    page.fill("[name=email]", mail)
    page.select_option("[name=way]", "paper")
    page.locator("main form button[type=submit]").click()
    page.wait_for_load_state()
    check_page(page)
    code = re.search(r"(?:[A-Z2-9]{5}-){3}[A-Z2-9]{5}", page.inner_text("main"))[0]

    other = open_browser(demo, language)
    other.goto(f"/start#email={mail}&code={code}")
    assert other.input_value("[name=code]") == code, "the link fills the form in"
    assert "#" not in other.url, "and leaves no code in the address"
    other.fill("[name=password]", NEW_PASSWORD)
    other.fill("[name=again]", NEW_PASSWORD)
    other.locator("[data-show-passwords]").click()
    assert other.get_attribute("[name=password]", "type") == "text"
    check_page(other)
    other.locator("main form button[type=submit]").click()
    other.wait_for_url("**/login")
    log_in(other, mail, NEW_PASSWORD)
    other.goto("/account/")
    assert name in other.inner_text("main")
    check_page(other)
    other.fill("[name=label]", "集計")
    other.locator("main form button[type=submit]").last.click()
    other.wait_for_load_state()
    assert re.search(r"kitei_[\w-]{40,}", other.inner_text("main"))
    check_page(other)

    page.goto("/accounts/?q=invited-" + language)
    page.locator("main tbody a").first.click()
    check_page(page)
    page.locator("button[value=stop]").click()
    page.wait_for_load_state()
    other.goto("/")
    assert "/login" in other.url, "the stop takes effect on the next request"
    assert PASSWORD != NEW_PASSWORD
