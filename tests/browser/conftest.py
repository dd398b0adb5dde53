"""Real pages in Debian's Chromium: the demo provider, and a company that has just begun."""

from __future__ import annotations

import os
import re
import sqlite3

import pytest

from browser.driving import ARGUMENTS, CHROMIUM, PASSWORD, TODAY, WIDE, Complaints, fonts, kitei, log_in, serving


@pytest.fixture(scope="session")
def demo(tmp_path_factory):
    """The demo provider. Two officers read it: one in Japanese, one in English."""
    data = tmp_path_factory.mktemp("demo") / "data"
    kitei(data, "demo", "--no-serve", "--today", TODAY, "--password", PASSWORD)
    kitei(data, "worker", "--once")
    connection = sqlite3.connect(data / "kitei.sqlite3")
    officers = connection.execute(
        "SELECT u.email, m.role FROM accounts_user u JOIN access_membership m ON m.principal = u.principal "
        "WHERE m.voided_at IS NULL AND m.ends_at IS NULL AND m.deputy = 0 AND m.role IN ('chief-officer', 'security-officer') ORDER BY m.role"
    ).fetchall()
    ja, en = officers[0][0], officers[1][0]
    connection.execute("UPDATE accounts_user SET language = 'en' WHERE email = ?", [en])
    connection.commit()
    connection.close()
    for server in serving(data):
        server.accounts = {"ja": ja, "en": en}
        yield server


@pytest.fixture(scope="session")
def beginner(tmp_path_factory):
    """A company right after ``kitei init``; ``accounts`` holds its administrator's mail address and one-time code."""
    data = tmp_path_factory.mktemp("beginner") / "data"
    said = kitei(data, "init", "--name", "すみれ診療支援株式会社", "--admin", "mori@sumire.example")
    code = re.search(r"(?:[A-Z2-9]{5}-){3}[A-Z2-9]{5}", said)[0]
    for server in serving(data):
        server.accounts = {"mail": "mori@sumire.example", "code": code}
        yield server


@pytest.fixture(scope="session")
def chromium(tmp_path_factory):
    from playwright.sync_api import sync_playwright

    environment = {**os.environ, "FONTCONFIG_FILE": str(fonts(tmp_path_factory.mktemp("fonts")))}
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=CHROMIUM, args=ARGUMENTS, env=environment)
        yield browser
        browser.close()


@pytest.fixture
def open_browser(chromium):
    """Return a function opening a page in a window of its own; complaints of its console are on ``page.complaints``."""
    contexts = []

    def open_page(server, language="ja"):
        context = chromium.new_context(base_url=server.url, locale=language, viewport=WIDE, timezone_id="Asia/Tokyo")
        contexts.append(context)
        page = context.new_page()
        page.complaints = Complaints()
        return page.complaints.listen(page)

    yield open_page
    for context in contexts:
        context.close()


@pytest.fixture
def sign_in(open_browser):
    """Return a function giving a page on which the demo's officer of a language is logged in."""

    def sign(server, language="ja"):
        return log_in(open_browser(server, language), server.accounts[language])

    return sign
