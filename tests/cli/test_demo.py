"""``kitei demo``: the same provider for the same seed and day, with the planted gaps and nothing else."""

import json
import os
import stat
import subprocess
import sys
import time
from collections import Counter
from pathlib import Path

import pytest
from python_calamine import CalamineWorkbook

from kitei.demo.planted import PLANTED
from kitei.trust.access.roles import ROLES

TODAY = "2026-11-22"
SRC = Path(__file__).parents[2] / "src"
WORKBOOK = "台帳.xlsx"


def kitei(data, *arguments, today=TODAY, **more):
    """Run one command in a process of its own."""
    left_out = ("KITEI_DATABASE_URL", "KITEI_PUBLIC_URL", "DJANGO_SETTINGS_MODULE")
    environment = {key: value for key, value in os.environ.items() if key not in left_out}
    environment |= {"KITEI_DATA": str(data), "PYTHONPATH": str(SRC), "LANG": "C.UTF-8", "KITEI_LANG": "ja"} | more
    if today:
        environment["KITEI_TODAY"] = today
    return subprocess.run(
        [sys.executable, "-m", "kitei.cli", *map(str, arguments)],
        env=environment,
        capture_output=True,
        text=True,
        check=False,
    )


def load(data, *arguments):
    return kitei(data, "demo", "--no-serve", "--today", TODAY, "--password", "sakura", *arguments, today=None)


def findings(data):
    return json.loads(kitei(data, "check", "--format", "json").stdout)


def cells(path):
    book = CalamineWorkbook.from_path(path)
    return {name: book.get_sheet_by_name(name).to_python() for name in book.sheet_names}


@pytest.fixture(scope="module")
def demo(tmp_path_factory):
    """A loaded demo; the time is printed, not judged (bench does that)."""
    data = tmp_path_factory.mktemp("demo")
    began = time.monotonic()
    done = load(data)
    sys.stderr.write(f"\nkitei demo --no-serve: {time.monotonic() - began:.1f} s\n")
    assert done.returncode == 0, done.stderr
    return data


def test_check_finds_every_planted_gap_and_no_other(demo):
    done = kitei(demo, "check", "--format", "json")
    assert done.returncode == 1
    found = json.loads(done.stdout)["findings"]
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
    done = kitei(demo, "who", role, "--format", "json")
    answer = json.loads(done.stdout)
    assert done.returncode == 0
    assert answer["holder"]
    assert answer["requirement"]["met"]


def test_the_history_names_the_holder_of_a_day_long_ago(demo):
    asked = {}
    for day in ("2016-11-22", "2020-11-15", "2020-11-16"):
        answer = json.loads(kitei(demo, "who", "system-administrator", "--as-of", day, "--format", "json").stdout)
        asked[day] = answer["holder"]["name"]
    assert asked == {"2016-11-22": "林 正樹", "2020-11-15": "林 正樹", "2020-11-16": "鈴木 健一"}


def test_a_deputy_put_on_record_late_is_marked(demo):
    answer = json.loads(kitei(demo, "who", "security-officer", "--format", "json").stdout)
    assert answer["appointment"]["recorded_late"] is False
    script = (
        "import django; django.setup();"
        "from kitei.registers.people.models import Appointment as A;"
        "print(sorted(a.role for a in A.objects.filter(valid_until=None, deputy_order__gt=0) if a.recorded_late))"
    )
    done = subprocess.run(
        [sys.executable, "-c", script],
        env={**os.environ, "KITEI_DATA": str(demo), "PYTHONPATH": str(SRC), "DJANGO_SETTINGS_MODULE": "kitei.settings"},
        capture_output=True,
        text=True,
        check=True,
    )
    assert done.stdout.strip() == "['operations-supervisor', 'security-officer']"


def test_it_has_the_size_it_was_asked_to_have(demo, tmp_path):
    assert kitei(demo, "export", tmp_path / WORKBOOK).returncode == 0
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
    kitei(demo, "export", tmp_path / WORKBOOK)
    done = kitei(demo, "import", tmp_path / WORKBOOK)
    assert done.returncode == 0, done.stdout
    assert "誤り" not in done.stdout
    assert all("追加 0、変更 0" in line for line in done.stdout.splitlines())


def test_a_second_load_with_the_same_seed_and_day_is_equal(demo, tmp_path):
    other = tmp_path / "other"
    assert load(other).returncode == 0
    for data, name in ((demo, "first.xlsx"), (other, "second.xlsx")):
        kitei(data, "export", tmp_path / name)
    assert cells(tmp_path / "first.xlsx") == cells(tmp_path / "second.xlsx")
    assert without_ids(findings(demo)) == without_ids(findings(other))
    assert digests(demo) == digests(other)


@pytest.mark.long
def test_another_seed_and_day_give_other_people_and_the_same_gaps(demo, tmp_path):
    day = "2024-02-29"
    done = kitei(tmp_path, "demo", "--no-serve", "--today", day, "--seed", "2", today=None)
    assert done.returncode == 0, done.stderr
    found = json.loads(kitei(tmp_path, "check", "--format", "json", today=day).stdout)["findings"]
    assert Counter(entry["code"] for entry in found) == Counter({gap.code: gap.number for gap in PLANTED})
    for data, name in ((demo, "first.xlsx"), (tmp_path, "second.xlsx")):
        kitei(data, "export", tmp_path / name)
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


def test_started_again_it_keeps_what_is_there_and_takes_a_new_password(demo):
    before = (demo / "kitei.sqlite3").stat().st_ino
    again = kitei(demo, "demo", "--no-serve", "--password", "another", today=None)
    assert again.returncode == 0
    assert "another" in again.stdout
    assert "秒でできました" not in again.stdout
    assert (demo / "kitei.sqlite3").stat().st_ino == before
    accounts = demo / "demo-accounts.json"
    assert {row["password"] for row in json.loads(accounts.read_text())} == {"another"}
    assert stat.S_IMODE(accounts.stat().st_mode) == 0o600


def test_an_interrupted_load_is_made_anew(tmp_path):
    child = subprocess.Popen(
        [sys.executable, "-m", "kitei.cli", "demo", "--no-serve", "--today", TODAY],
        env={**os.environ, "KITEI_DATA": str(tmp_path), "PYTHONPATH": str(SRC)},
        stdout=subprocess.DEVNULL,
    )
    deadline = time.monotonic() + 60
    while not (tmp_path / "files").exists() and child.poll() is None and time.monotonic() < deadline:
        time.sleep(0.05)
    child.kill()
    child.wait()
    assert not (tmp_path / "demo-state.json").exists()
    done = load(tmp_path)
    assert done.returncode == 0, done.stderr
    assert len(findings(tmp_path)["findings"]) == sum(gap.number for gap in PLANTED)


def test_a_real_organization_is_never_touched(tmp_path):
    made = kitei(tmp_path, "init", "--name", "青空医療情報株式会社", "--admin", "honda@aozora.example", today=None)
    assert made.returncode == 0, made.stderr
    refused = load(tmp_path)
    assert refused.returncode == 2
    assert "実際の組織" in refused.stderr
    assert len(refused.stderr.splitlines()) == 1
    assert not (tmp_path / "demo-state.json").exists()


def test_it_is_never_opened_under_a_public_address(tmp_path):
    refused = kitei(tmp_path, "demo", "--no-serve", today=None, KITEI_PUBLIC_URL="https://kitei.sakura-iryo.example")
    assert refused.returncode == 2
    assert "KITEI_PUBLIC_URL" in refused.stderr
    assert not (tmp_path / "kitei.sqlite3").exists()
