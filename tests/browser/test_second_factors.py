"""Passkey and authenticator app in a real browser: Chromium's virtual authenticator holds the key."""

from __future__ import annotations

import base64
import re
import time
from types import SimpleNamespace

import pytest

from browser.driving import PASSWORD, kitei, log_in, serving
from browser.pages import check_page
from kitei.trust.accounts import factors_totp

MAIL = "mori@sumire.example"
AUTHENTICATOR = {
    "protocol": "ctap2",
    "transport": "internal",
    "hasResidentKey": True,
    "hasUserVerification": True,
    "isUserVerified": True,
    "automaticPresenceSimulation": True,
}


@pytest.fixture(scope="module")
def house(tmp_path_factory):
    """A company right after ``kitei init``, opened as localhost: browsers make no passkeys for an IP address."""
    data = tmp_path_factory.mktemp("factors") / "data"
    said = kitei(data, "init", "--name", "すみれ診療支援株式会社", "--admin", MAIL)
    code = re.search(r"(?:[A-Z2-9]{5}-){3}[A-Z2-9]{5}", said)[0]
    for server in serving(data):
        yield SimpleNamespace(url=server.url.replace("127.0.0.1", "localhost"), code=code)


def press(page, text):
    page.locator("main").get_by_role("button", name=text).click()


def log_out(page):
    page.locator("header form[action='/logout'] button").click()
    page.wait_for_url("**/login")


def test_a_passkey_and_an_app_are_set_up_and_used(house, open_browser):  # noqa: PLR0915  one journey, each step needs the one before
    page = open_browser(house)
    devices = page.context.new_cdp_session(page)
    devices.send("WebAuthn.enable")
    device = devices.send("WebAuthn.addVirtualAuthenticator", {"options": AUTHENTICATOR})["authenticatorId"]

    page.goto("/start")
    for name, value in {"email": MAIL, "code": house.code, "password": PASSWORD, "again": PASSWORD}.items():
        page.fill(f"[name={name}]", value)
    page.locator("main form button[type=submit]").click()
    page.wait_for_url("**/login")
    check_page(page)
    log_in(page, MAIL)

    page.goto("/account/factors/")
    check_page(page)
    page.locator("main").get_by_role("link", name="パスキーを追加").click()
    check_page(page)
    page.fill("[name=name]", "会社のノートパソコン")
    press(page, "パスキーを作る")
    page.wait_for_selector("ol.codes li")
    codes = page.locator("ol.codes code").all_inner_texts()
    assert len(codes) == 10
    check_page(page)
    page.goto("/account/factors/")
    assert "会社のノートパソコン" in page.inner_text("main")
    check_page(page)

    log_out(page)
    press(page, "パスキーでログイン")
    page.wait_for_url(lambda url: not url.endswith("/login"))
    assert page.locator("header form[action='/logout']").count() == 1, "the passkey alone is enough"

    page.goto("/account/factors/totp/")
    secret = base64.b32decode(page.inner_text("#secret").replace(" ", ""))
    check_page(page)
    page.fill("[name=code]", "1")
    with page.expect_navigation():
        press(page, "確かめて追加")
    page.complaints[:] = [said for said in page.complaints if "422" not in said]
    check_page(page)
    page.fill("[name=code]", factors_totp.code_at(secret, int(time.time()) // 30))
    press(page, "確かめて追加")
    page.wait_for_url("**/account/factors/")
    log_out(page)

    # Pass word, then either device.
    page.goto("/login")
    page.fill("[name=username]", MAIL)
    page.fill("[name=password]", PASSWORD)
    page.locator("main form button[type=submit]").first.click()
    page.wait_for_url("**/login/second")
    check_page(page)
    page.fill("#id_code", factors_totp.code_at(secret, int(time.time()) // 30 + 1))
    page.locator("main form").filter(has=page.locator("#id_code")).locator("button").click()
    page.wait_for_url(lambda url: "/login" not in url)
    page.goto("/confirm?next=/account/factors/")
    check_page(page)
    press(page, "パスキーで確かめる")
    page.wait_for_url("**/account/factors/")
    log_out(page)

    # A device whose holder does not verify himself proves nothing, and the page says so.
    devices.send("WebAuthn.setUserVerified", {"authenticatorId": device, "isUserVerified": False})
    page.goto("/login")
    press(page, "パスキーでログイン")
    page.wait_for_selector("[data-passkey-error]:not([hidden])")
    assert page.url.endswith("/login")
    check_page(page)

    # A lost device: one of the codes, in English.
    page.locator("header [name=language]").first.click()
    page.goto("/login")
    check_page(page)
    page.fill("[name=username]", MAIL)
    page.fill("[name=password]", PASSWORD)
    page.locator("main form button[type=submit]").first.click()
    page.wait_for_url("**/login/second")
    page.locator("main summary").click()
    check_page(page)
    page.fill("#id_recovery_code", codes[0])
    page.locator("main details button").click()
    page.wait_for_url(lambda url: "/login" not in url)
    page.goto("/account/factors/")
    check_page(page)
