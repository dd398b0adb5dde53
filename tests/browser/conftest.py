"""Real pages in Debian's Chromium: the demo provider, and a company that has just begun."""

from __future__ import annotations

import os
import re
import shutil
import sqlite3
from pathlib import Path

import pytest

from browser.driving import ARGUMENTS, CHROMIUM, WIDE, Complaints, fonts, kitei, log_in, serving
from cli.console import Console

HERE = Path(__file__).parent
LANGUAGES = ("ja", "en")


FIRST = (
    "test_every_page_is_in_order[ja]",
    "test_a_list_works_with_the_keyboard_alone",
    "test_from_init_to_an_edition_in_force",
    "test_every_page_is_in_order[en]",
)
"""A worker begins with two tests: one waits for the demo to be loaded, the other begins with what does not need it."""


def pytest_collection_modifyitems(items):
    """Let the longest tests begin first, and in different workers."""
    places = [place for place, item in enumerate(items) if item.path.parent == HERE]
    ours = [items[place] for place in places]
    ours.sort(key=lambda item: FIRST.index(item.name) if item.name in FIRST else len(FIRST))
    for place, item in zip(places, ours, strict=True):
        items[place] = item


@pytest.fixture(scope="session")
def sequenced(made_once, loaded):
    """The demo's data folder with its log signed; one officer reads Japanese, one English. Never to be changed."""

    def build(folder):
        data = folder / "data"
        shutil.copytree(loaded, data)
        kitei(data, "worker", "--once")
        connection = sqlite3.connect(data / "kitei.sqlite3")
        connection.execute("UPDATE accounts_user SET language = 'en' WHERE email = ?", [officers(data)["en"]])
        connection.commit()
        connection.close()

    return made_once("sequenced", build) / "data"


def officers(data):
    """Return the mail addresses of two officers: who reads Japanese, who reads English."""
    connection = sqlite3.connect(data / "kitei.sqlite3")
    found = connection.execute(
        "SELECT u.email, m.role FROM accounts_user u JOIN access_membership m ON m.principal = u.principal "
        "WHERE m.voided_at IS NULL AND m.ends_at IS NULL AND m.deputy = 0 AND m.role IN ('chief-officer', 'security-officer') ORDER BY m.role"
    ).fetchall()
    connection.close()
    return dict(zip(LANGUAGES, (mail for mail, _ in found), strict=True))


@pytest.fixture(scope="session")
def demo(tmp_path_factory, sequenced):
    """The demo provider. Two officers read it: one in Japanese, one in English."""
    data = tmp_path_factory.mktemp("demo") / "data"
    shutil.copytree(sequenced, data)
    for server in serving(data):
        server.accounts = officers(data)
        yield server


@pytest.fixture(scope="session")
def beginner(tmp_path_factory):
    """A company right after ``kitei init``; ``accounts`` holds its administrator's mail address and one-time code."""
    console = Console(tmp_path_factory.mktemp("beginner") / "data")
    said = console("init", "--name", "すみれ診療支援株式会社", "--admin", "mori@sumire.example").stdout
    code = re.search(r"(?:[A-Z2-9]{5}-){3}[A-Z2-9]{5}", said)[0]
    for server in serving(console.data):
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
