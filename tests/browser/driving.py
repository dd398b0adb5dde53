"""A running Kitei, a window of Chromium on it, and a person logging in."""

from __future__ import annotations

import os
import signal
import socket
import subprocess
import sys
import time
import urllib.request
from dataclasses import dataclass, field
from importlib.util import find_spec
from pathlib import Path

from cli.console import DEMO_PASSWORD as PASSWORD
from cli.console import SOURCE, TODAY

CHROMIUM = "/usr/bin/chromium"
WIDE, PHONE = {"width": 1280, "height": 900}, {"width": 390, "height": 844}

ARGUMENTS = [
    "--no-sandbox",
    "--disable-gpu",
    "--disable-background-networking",
    "--disable-component-update",
    "--no-first-run",
]


def run_kitei(data, *arguments, **environment):
    kept = {name: value for name, value in os.environ.items() if not name.startswith(("KITEI_", "PG"))}
    kept |= {
        "PYTHONPATH": str(SOURCE),
        "KITEI_DATA": str(data),
        "KITEI_TODAY": TODAY,
        "LANG": "ja_JP.UTF-8",
        **environment,
    }
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
                with urllib.request.urlopen(f"{server.url}/healthz", timeout=5):  # noqa: S310  our own server
                    break
            except OSError:
                assert process.poll() is None, (data.parent / f"{data.name}.log").read_text()
                time.sleep(0.1)
        yield server
    finally:
        process.send_signal(signal.SIGTERM)
        process.wait(30)


def fonts(folder):
    """Write a font configuration that knows our packages' Japanese fonts, so that a bare machine shows no empty boxes."""
    packages = [Path(find_spec(name).origin).parent for name in ("pylopdf_fonts_jp", "noto_cjk_sans_jp_bold")]
    places = "".join(f"<dir>{place}</dir>" for place in (*packages, "/usr/share/fonts"))
    path = folder / "fonts.conf"
    path.write_text(
        '<?xml version="1.0"?><!DOCTYPE fontconfig SYSTEM "fonts.dtd">'
        f"<fontconfig>{places}<cachedir>{folder / 'cache'}</cachedir></fontconfig>"
    )
    return path


class Complaints(list):
    """What a page's console said: errors, refused resources (CSP), uncaught exceptions."""

    def listen(self, page):
        page.on(
            "console",
            lambda message: message.type in {"error", "warning"} and self.append(f"{page.url}: {message.text}"),
        )
        page.on("pageerror", lambda error: self.append(f"{page.url}: {error}"))
        return page


def log_in(page, mail, password=PASSWORD):
    """Log in by hand, as a person would."""
    page.goto("/login")
    form = page.locator("main form").first
    form.locator("[name=username]").fill(mail)
    form.locator("[name=password]").fill(password)
    form.locator("button[type=submit]").click()
    page.wait_for_url(lambda url: not url.endswith("/login"))
    return page


def submit(page, button):
    """Press a button and wait for the page it asks for, also when that is the same address again.

    A click alone returns before the answer has come; what is read then may be the old page, or between the two.
    """
    with page.expect_navigation():
        button.click()
