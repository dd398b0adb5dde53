"""Real pages in Debian's Chromium: the demo provider, and a company that has just begun."""

from __future__ import annotations

import os
import re
import signal
import socket
import sqlite3
import subprocess
import sys
import time
import urllib.request
from dataclasses import dataclass, field
from pathlib import Path

import pytest
from browser_windows import WIDE

CHROMIUM = "/usr/bin/chromium"
SOURCE = Path(__file__).parents[2] / "src"
TODAY = "2026-11-22"
PASSWORD = "harunokaze-2026-fuji"  # noqa: S105  of fictional people in a database of this test

ARGUMENTS = ["--no-sandbox", "--disable-gpu", "--disable-background-networking", "--disable-component-update", "--no-first-run"]


def run_kitei(data, *arguments, **environment):
    kept = {name: value for name, value in os.environ.items() if not name.startswith(("KITEI_", "PG"))}
    kept |= {"PYTHONPATH": str(SOURCE), "KITEI_DATA": str(data), "KITEI_TODAY": TODAY, "LANG": "ja_JP.UTF-8", **environment}
    return [sys.executable, "-m", "kitei.cli", *map(str, arguments)], kept


def kitei(data, *arguments):
    command, environment = run_kitei(data, *arguments)
    return subprocess.run(command, env=environment, check=True, capture_output=True, text=True, timeout=120).stdout


@dataclass
class Server:
    """A running ``kitei serve`` on a data folder of its own."""

    data: Path
    url: str
    accounts: dict[str, str] = field(default_factory=dict)


def serving(data):
    """Serve ``data`` until the generator is closed."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    command, environment = run_kitei(data, "serve", "--port", port)
    with (data.parent / f"{data.name}.log").open("wb") as log:
        process = subprocess.Popen(command, env=environment, stdout=log, stderr=subprocess.STDOUT)
    server = Server(data, f"http://127.0.0.1:{port}")
    try:
        for _ in range(300):
            try:
                with urllib.request.urlopen(f"{server.url}/healthz", timeout=5):
                    break
            except OSError:
                assert process.poll() is None, (data.parent / f"{data.name}.log").read_text()
                time.sleep(0.1)
        yield server
    finally:
        process.send_signal(signal.SIGTERM)
        process.wait(30)


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
def chromium():
    from playwright.sync_api import sync_playwright

    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=CHROMIUM, args=ARGUMENTS)
        yield browser
        browser.close()


class Complaints(list):
    """What a page's console said: errors, refused resources (CSP), uncaught exceptions."""

    def listen(self, page):
        page.on("console", lambda message: message.type in {"error", "warning"} and self.append(f"{page.url}: {message.text}"))
        page.on("pageerror", lambda error: self.append(f"{page.url}: {error}"))
        return page


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


def log_in(page, mail, password=PASSWORD):
    """Log in by hand, as a person would."""
    page.goto("/login")
    form = page.locator("main form").first
    form.locator("[name=username]").fill(mail)
    form.locator("[name=password]").fill(password)
    form.locator("button[type=submit]").click()
    page.wait_for_url(lambda url: not url.endswith("/login"))
    return page


@pytest.fixture
def sign_in(open_browser):
    """Return a function giving a page on which the demo's officer of a language is logged in."""

    def sign(server, language="ja"):
        return log_in(open_browser(server, language), server.accounts[language])

    return sign
