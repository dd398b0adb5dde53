"""demo: a populated fictional provider, served on the loopback interface only."""

from __future__ import annotations

import argparse
import datetime as dt
import json
import os
import shutil
import subprocess
import sys
import time
from dataclasses import asdict, dataclass
from pathlib import Path

from django.conf import settings
from django.db import DatabaseError, connection, connections
from django.utils.translation import gettext as _

from kitei.commands.serving import refuse_taken_port, serve
from kitei.commands.setup import prepare_data
from kitei.demo import accounts
from kitei.demo.load import load
from kitei.foundation import clock, transactions
from kitei.foundation.dates.japanese import format_date, parse_date
from kitei.foundation.tenancy.models import Organization
from kitei.foundation.text import Message, UserError
from kitei.trust.accounts.demo import FILE as ACCOUNTS_FILE
from kitei.trust.accounts.demo import demo_accounts

STATE_FILE = "demo-state.json"
HOST = "127.0.0.1"
QUIET = "KITEI_DEMO_QUIET"
FORM = 1
"""Raised when the demo's content changes, so that an older demo is made anew."""


@dataclass(frozen=True)
class State:
    """What a finished demo was made for. Written last: without it a load did not come to its end."""

    form: int
    seed: int
    today: str


def demo(options: argparse.Namespace) -> int:
    """Load the demo unless it is there, say who can log in, and serve it."""
    if settings.PUBLIC_URL:
        raise UserError(Message("デモはこの機械の中だけで開きます。KITEI_PUBLIC_URL の設定を外してください。"))
    if not options.no_serve:
        refuse_taken_port(HOST, options.port)
    wanted = parse_date(options.today, today=clock.today()) if options.today else None
    _refuse_real()
    state = _finished()
    if state and (state.seed != options.seed or (wanted and state.today != wanted.isoformat())):
        state = None
    if state is None and not options.no_serve:
        # A child loads: what it needed of memory is given back before the demo is served for hours.
        _make_in_child(options)
        state = _finished()
        if state is None:
            return 1
    elif state is None:
        state = _make(wanted or clock.today(), options.seed, options.password or accounts.new_password())
    elif options.password and any(row.password != options.password for row in demo_accounts()):
        _change_password(options.password)
    os.environ["KITEI_TODAY"] = state.today
    _greet(state)
    if options.no_serve:
        return 0

    options.host = HOST
    return serve(options)


def _organizations() -> list[Organization]:
    """Return the organizations of this database; none before it was made."""
    if connection.vendor == "sqlite" and not Path(settings.DATABASES["default"]["NAME"]).exists():
        return []
    try:
        if Organization._meta.db_table not in connection.introspection.table_names():  # noqa: SLF001  Django's public way
            return []
        return list(Organization.objects.only("id", "code", "is_demo"))
    except DatabaseError as error:
        raise UserError(
            Message(
                "データの置き場所「%(path)s」のデータベースを読めません。別の --data を指定してください。",
                {"path": str(settings.DATA)},
            )
        ) from error


def _refuse_real() -> None:
    """The demo never stands beside a real organization."""
    if any(not row.is_demo for row in _organizations()):
        raise UserError(
            Message(
                "「%(path)s」には実際の組織のデータがあります。デモには別の --data を指定してください。",
                {"path": str(settings.DATA)},
            )
        )


def _finished() -> State | None:
    """Return what the demo that is there was made for; None when there is none, or its load was interrupted."""
    try:
        content = json.loads((settings.DATA / STATE_FILE).read_text(encoding="utf-8"))
        state = State(int(content["form"]), int(content["seed"]), dt.date.fromisoformat(content["today"]).isoformat())
    except (OSError, ValueError, KeyError, TypeError):
        return None
    return state if state.form == FORM and _organizations() and demo_accounts() else None


def _make(today: dt.date, seed: int, password: str) -> State:
    began = time.monotonic()
    _clear()
    prepare_data()
    print(_("デモ用の事業者を作っています…"), flush=True)
    load(today=today, seed=seed, password=password)
    accounts.write(password=password)
    state = State(FORM, seed, today.isoformat())
    accounts.write_private(settings.DATA / STATE_FILE, asdict(state))
    print(_("%(seconds)s秒でできました。") % {"seconds": f"{time.monotonic() - began:.1f}"})
    return state


def _make_in_child(options: argparse.Namespace) -> None:
    command = [sys.executable, "-m", "kitei.cli", "demo", "--no-serve", "--seed", str(options.seed)]
    for name, value in (("--today", options.today), ("--password", options.password)):
        if value:
            command += [name, value]
    subprocess.run(command, env={**os.environ, "KITEI_DATA": str(settings.DATA), QUIET: "1"}, check=False)


def _clear() -> None:
    """Take away an earlier or interrupted demo. Only files Kitei itself made go; nothing real is here (``_refuse_real``)."""
    (settings.DATA / STATE_FILE).unlink(missing_ok=True)
    (settings.DATA / ACCOUNTS_FILE).unlink(missing_ok=True)
    if not _organizations():
        return
    if connection.vendor != "sqlite":
        raise UserError(
            Message("データベースに前のデモが残っています。空のデータベースを用意してから、もう一度行ってください。")
        )
    connections.close_all()
    database = Path(settings.DATABASES["default"]["NAME"])
    for name in ("-wal", "-shm", ""):
        database.with_name(database.name + name).unlink(missing_ok=True)
    shutil.rmtree(settings.DATA / "files", ignore_errors=True)


def _change_password(password: str) -> None:
    organization = _organizations()[0]
    transactions.durable(lambda: accounts.set_password(organization=organization, password=password))
    accounts.write(password=password)


def _greet(state: State) -> None:
    """Say whose demo this is, for which day, and who can log in; a loading child leaves that to its parent."""
    if os.environ.get(QUIET):
        return
    day = dt.date.fromisoformat(state.today)
    print(
        _("さくら医療クラウド株式会社（架空）のデモです。基準日は%(day)sです。")
        % {"day": format_date(day, weekday=True)}
    )
    print(_("ログインできる人"))
    for row in demo_accounts():
        print(f"  {row.mail}  {row.password}  {row.name}（{row.role}）")
