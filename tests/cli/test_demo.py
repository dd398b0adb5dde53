"""``kitei demo``: the same provider for the same seed and day, with the planted gaps and nothing else."""

from __future__ import annotations

import json
import shutil
import stat
import subprocess
import sys
from collections import Counter
from pathlib import Path

import pytest
from python_calamine import CalamineWorkbook

from cli.console import DEMO_PASSWORD, TODAY, Console, wait_for
from kitei.demo.planted import PLANTED
from kitei.trust.access.roles import ROLES

WORKBOOK = "台帳.xlsx"


def findings(demo):
    return demo.json("check", code=1)


def cells(path):
    book = CalamineWorkbook.from_path(path)
    return {name: book.get_sheet_by_name(name).to_python() for name in book.sheet_names}


@pytest.fixture(scope="module")
def demo(tmp_path_factory, loaded):
    """A loaded demo, for tests that look at it."""
    folder = tmp_path_factory.mktemp("demo")
    shutil.copytree(loaded, folder / "data")
    return Console(folder / "data")


def test_check_finds_every_planted_gap_and_no_other(demo):
    found = findings(demo)["findings"]
    wanted = {(gap.code, gap.severity): gap.number for gap in PLANTED}
    assert Counter((entry["code"], entry["severity"]) for entry in found) == Counter(wanted)


def test_gaps_stand_under_every_letter_of_the_guideline_and_have_a_dozen_codes(demo):
    letters = dict(zip("aiueo", "アイウエオ", strict=True))
    where = {}
    for entry in findings(demo)["findings"]:
        section, _, letter = (entry["clause"] or "").rpartition("/")
        where.setdefault(
            entry["code"], letters.get(letter.partition("-")[0], "—") if section.endswith("5.1.6") else "—"
        )
    assert where == {gap.code: gap.letter for gap in PLANTED}
    assert set(where.values()) >= set(letters.values())
    assert len(PLANTED) >= 12


def test_most_requirements_are_stated_and_operated(demo):
    summary = findings(demo)["summary"]
    assert summary["stated"] > summary["requirements"] * 0.8
    assert summary["operated"] > summary["requirements"] * 0.6
    assert 6 <= summary["must"] <= 10
    assert summary["accepted"] == 1


@pytest.mark.parametrize("role", ROLES)
def test_every_office_has_a_holder_who_meets_the_requirement(demo, role):
    answer = demo.json("who", role)
    assert answer["holder"]
    assert answer["requirement"]["met"]


def test_the_history_names_the_holder_of_a_day_long_ago(demo):
    asked = {}
    for day in ("2016-11-22", "2020-11-15", "2020-11-16"):
        answer = demo.json("who", "system-administrator", "--as-of", day)
        asked[day] = answer["holder"]["name"]
    assert asked == {"2016-11-22": "林 正樹", "2020-11-15": "林 正樹", "2020-11-16": "鈴木 健一"}


def test_a_deputy_put_on_record_late_is_marked(demo):
    answer = demo.json("who", "security-officer")
    assert answer["appointment"]["recorded_late"] is False
    script = (
        "import django; django.setup();"
        "from kitei.registers.people.models import Appointment as A;"
        "print(sorted(a.role for a in A.objects.filter(valid_until=None, deputy_order__gt=0) if a.recorded_late))"
    )
    done = subprocess.run(
        [sys.executable, "-c", script],
        env=demo.environment(DJANGO_SETTINGS_MODULE="kitei.settings"),
        capture_output=True,
        text=True,
        check=True,
    )
    assert done.stdout.strip() == "['operations-supervisor', 'security-officer']"


def test_it_has_the_size_it_was_asked_to_have(demo, tmp_path):
    demo("export", tmp_path / WORKBOOK)
    book = cells(tmp_path / WORKBOOK)
    sizes = {
        name: len(book[name]) - 1
        for name in ("文書", "構成員", "医療機関", "サービス", "機器", "リスク", "対策", "運用手順")
    }
    assert sizes == {
        "文書": 120, "構成員": 60, "医療機関": 12, "サービス": 3, "機器": 400, "リスク": 40, "対策": 60, "運用手順": 45,
    }  # fmt: skip
    head, *devices = book["機器"]
    assert sum(row[head.index("設置先区分")] == "医療機関等" for row in devices) == 150
    head, *papers = book["文書"]
    endings = Counter(Path(row[head.index("ファイル名")]).suffix for row in papers)
    assert endings.keys() == {".pdf", ".docx", ".xlsx", ""}


def test_importing_what_export_wrote_changes_nothing(demo, tmp_path):
    demo("export", tmp_path / WORKBOOK)
    said = demo("import", tmp_path / WORKBOOK).stdout
    assert "誤り" not in said
    assert all("追加 0、変更 0" in line for line in said.splitlines())


def test_an_interrupted_load_is_made_anew_and_equals_the_other_with_its_seed_and_day(demo, tmp_path):
    other = Console(tmp_path / "data")
    child = other.start("demo", "--no-serve", "--today", TODAY)
    wait_for(lambda: (other.data / "files").exists() or child.poll() is not None, 60)
    child.kill()
    child.wait()
    assert other.count("tenancy_organization") == 1
    assert not (other.data / "demo-state.json").exists()

    other("demo", "--no-serve", "--today", TODAY, "--password", DEMO_PASSWORD, KITEI_TODAY="")
    for console, name in ((demo, "first.xlsx"), (other, "second.xlsx")):
        console("export", tmp_path / name)
    assert cells(tmp_path / "first.xlsx") == cells(tmp_path / "second.xlsx")
    assert without_ids(findings(demo)) == without_ids(findings(other))
    assert digests(demo.data) == digests(other.data)


@pytest.mark.long
def test_another_seed_and_day_give_other_people_and_the_same_gaps(demo, tmp_path):
    day = "2024-02-29"
    other = Console(tmp_path / "data")
    other("demo", "--no-serve", "--today", day, "--seed", "2", KITEI_TODAY="")
    found = json.loads(other("check", "--format", "json", code=1, KITEI_TODAY=day).stdout)["findings"]
    assert Counter(entry["code"] for entry in found) == Counter({gap.code: gap.number for gap in PLANTED})
    for console, name in ((demo, "first.xlsx"), (other, "second.xlsx")):
        console("export", tmp_path / name)
    first, second = (cells(tmp_path / name)["構成員"] for name in ("first.xlsx", "second.xlsx"))
    assert len(first) == len(second)
    assert first != second


def without_ids(answer):
    for entry in answer["findings"]:
        entry["subject"].pop("id")
    return answer


def digests(data):
    """The names in the file store are the contents' digests: documents and editions alike."""
    return sorted(path.name for path in (data / "files").rglob("*") if path.is_file())


def test_started_again_it_keeps_what_is_there_and_takes_a_new_password(loaded, tmp_path):
    shutil.copytree(loaded, tmp_path / "data")
    demo = Console(tmp_path / "data")
    before = (demo.data / "kitei.sqlite3").stat().st_ino
    said = demo("demo", "--no-serve", "--password", "another", KITEI_TODAY="").stdout
    assert "another" in said
    assert "秒でできました" not in said
    assert (demo.data / "kitei.sqlite3").stat().st_ino == before
    accounts = demo.data / "demo-accounts.json"
    assert {row["password"] for row in json.loads(accounts.read_text())} == {"another"}
    assert stat.S_IMODE(accounts.stat().st_mode) == 0o600


def test_a_real_organization_is_never_touched(kitei):
    refused = kitei("demo", "--no-serve", "--today", TODAY, code=2)
    assert "実際の組織" in refused.stderr
    assert len(refused.stderr.splitlines()) == 1
    assert not (kitei.data / "demo-state.json").exists()
    assert kitei.rows("SELECT is_demo FROM tenancy_organization") == [(0,)]


def test_it_is_never_opened_under_a_public_address(fresh):
    refused = fresh("demo", "--no-serve", code=2, KITEI_PUBLIC_URL="https://kitei.sakura-iryo.example")
    assert "KITEI_PUBLIC_URL" in refused.stderr
    assert not (fresh.data / "kitei.sqlite3").exists()
