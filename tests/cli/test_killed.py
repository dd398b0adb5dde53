"""kill -9 at any moment leaves all or nothing (issue 2 "Bad input")."""

from __future__ import annotations

import random
import signal
import time
from functools import cache

import pytest

from cli.console import DEPARTMENTS, MEMBERS, Console, wait_for

ROWS = 1500
FEW = [0]
MANY = [pytest.param(number, marks=pytest.mark.long) for number in range(1, 20)]


def moment(number, longest):
    """A moment of the command's life: the first in its middle, the others anywhere."""
    share = 0.45 if number == 0 else random.Random(number).random()  # noqa: S311  the same moments in every run
    return longest * share


INIT = ("init", "--name", "さくら", "--admin", "hanako@sakura.example")


@pytest.fixture(scope="module")
def init_seconds(tmp_path_factory):
    """Return how long ``init`` takes on this machine now; cold, with all migrations, or warm."""

    @cache
    def measure(cold):
        console = Console(tmp_path_factory.mktemp("timing") / "data", cold=cold)
        console("--help")
        began = time.monotonic()
        console(*INIT)
        return time.monotonic() - began

    return measure


def stands_or_is_made(console):
    """All or nothing: the organization never stands without its administrator, draft and code."""
    made = console.count("tenancy_organization")
    for table in ("accounts_user", "regulation_draft", "accounts_onetimecode"):
        assert console.count(table) == made
    console(*INIT, code=2 if made else 0)
    console("doctor")
    assert console.count("tenancy_organization") == 1
    assert [path.name for path in console.data.iterdir() if path.name.startswith(".secret")] == [] or made == 0


def test_init_among_its_migrations(fresh):
    process = Console(fresh.data, cold=True).start(*INIT)
    wait_for(lambda: fresh.count("sqlite_master") > 60 or process.poll() is not None, pause=0.02)
    process.kill()
    assert process.wait() == -signal.SIGKILL
    assert not fresh.count("tenancy_organization")
    stands_or_is_made(fresh)


@pytest.mark.parametrize("number", FEW + MANY)
def test_init(fresh, init_seconds, number):
    cold = number % 2 == 1
    Console(fresh.data, cold=cold).kill_after(moment(number, init_seconds(cold)), *INIT)
    stands_or_is_made(fresh)


@pytest.mark.parametrize("number", FEW + MANY)
def test_import(kitei, book, number):
    path = book(
        {
            DEPARTMENTS: [["001", "開発部", None]],
            MEMBERS: [[f"{row:05}", "佐藤", f"花子{row}", "001", "2019/4/1"] for row in range(ROWS)],
        }
    )
    before = kitei.count("auditlog_event")
    kitei.kill_after(moment(number, 3.0), "import", path, "--apply")
    written = kitei.count("people_memberstate")
    assert written in {0, ROWS}
    assert kitei.count("people_member") == written
    assert kitei.count("people_department") == (1 if written else 0)
    assert (kitei.count("auditlog_event") > before) == bool(written)
    kitei("import", path, "--apply")
    assert kitei.count("people_memberstate") == ROWS


@pytest.mark.parametrize("number", FEW + MANY)
def test_adopt(kitei, number):
    kitei.kill_after(moment(number, 3.5), "adopt", "--effective", "2026-12-01")
    adopted = kitei.count("regulation_edition")
    assert adopted in {0, 1}
    events = kitei.rows(
        "SELECT COUNT(*) FROM auditlog_event WHERE name LIKE 'regulation:adopt%' OR name LIKE 'edition:%'"
    )
    assert (events[0][0] > 0) == bool(adopted)
    if not adopted:
        kitei("adopt", "--effective", "2026-12-01")
    assert kitei.rows("SELECT label FROM regulation_edition") == [("第1版",)]
    kitei("doctor")


def test_export_leaves_no_half_file(kitei, tmp_path):
    target = tmp_path / "all.xlsx"
    kitei.kill_after(0.9, "export", target)
    if target.exists():
        import openpyxl

        openpyxl.load_workbook(target)
    kitei("export", target)
