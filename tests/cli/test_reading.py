"""help, check, who, build: commands that read."""

from __future__ import annotations

import os
import re
import subprocess
import sys

import pytest

from cli.console import Console

COMMANDS = [
    "demo",
    "init",
    "adopt",
    "serve",
    "worker",
    "upgrade",
    "check",
    "build",
    "import",
    "export",
    "who",
    "doctor",
]


def cpu_seconds(run):
    before = os.times()
    run()
    after = os.times()
    return after.children_user + after.children_system - before.children_user - before.children_system


def test_help_is_quick(fresh):
    # Processor time, not the clock on the wall: this machine may be busy with other things.
    cold = Console(fresh.data, cold=True)
    best = min(cpu_seconds(lambda: cold("--help")) for _ in range(3))
    assert best <= 0.6


@pytest.mark.parametrize(
    ("arguments", "code", "environment"),
    [
        (["check"], 1, {}),
        (["doctor"], 2, {"KITEI_PUBLIC_URL": "kitei.example.jp"}),
        (["who", "chief-officer"], 2, {"KITEI_DATA": "/nonexistent/kitei-data", "LANG": "en_US.UTF-8"}),
    ],
    ids=["findings", "settings", "nothing there"],
)
def test_a_command_that_starts_warm_says_what_a_cold_one_says(kitei, arguments, code, environment):
    """Most of these tests start commands as cli/warm.py does; here is why they may."""
    cold, warm = (Console(kitei.data, cold=cold)(*arguments, code=code, **environment) for cold in (True, False))
    assert (cold.stdout, cold.stderr) == (warm.stdout, warm.stderr)


@pytest.mark.parametrize("command", COMMANDS)
def test_every_command_explains_itself_in_both_languages(fresh, command):
    japanese = fresh(command, "--help").stdout
    english = fresh(command, "--help", LANG="en_US.UTF-8").stdout
    assert re.search(r"[ぁ-ん]", japanese)
    own = english.replace("ヘルプ", "")
    assert not re.search(r"[ぁ-んァ-ヶ一-龠]", own), own
    assert not fresh.data.exists()


def test_without_a_command_help_is_shown_and_nothing_done(fresh):
    assert all(name in fresh(code=2).stdout for name in COMMANDS)
    assert not fresh.data.exists()


def test_the_version_is_that_of_the_package(fresh):
    import tomllib
    from pathlib import Path

    version = tomllib.loads((Path(__file__).parents[2] / "pyproject.toml").read_text())["project"]["version"]
    assert fresh("--version").stdout.strip() == version


@pytest.mark.parametrize(
    "arguments",
    [
        ["frobnicate"],
        ["check", "--format", "xml"],
        ["init"],
        ["adopt"],
        ["check", "--as-of", "2026/2/30"],
        ["check", "--as-of", "令和8年13月1日"],
        ["who"],
        ["who", "cook"],
        ["export"],
        ["export", "a.txt"],
        ["build", "--format", "odt"],
        ["import", "missing.xlsx"],
        ["check", "--org", "tsubaki"],
        ["adopt", "--effective", "2026/2/30"],
    ],
    ids=" ".join,
)
def test_wrong_usage_is_one_sentence_in_either_language_and_exit_2(kitei, tmp_path, arguments):
    before = kitei.rows("SELECT COUNT(*) FROM auditlog_event")
    # Each sentence in one of the two languages; that none lacks the other is the catalogue's test.
    japanese = len(" ".join(arguments)) % 2 == 1
    done = kitei(*arguments, code=2, cwd=tmp_path, LANG="ja_JP.UTF-8" if japanese else "en_US.UTF-8")
    assert done.stdout == ""
    assert 1 <= len(done.stderr.strip().splitlines()) <= 2, done.stderr
    assert bool(re.search(r"[ぁ-ん]", done.stderr)) is japanese, done.stderr
    assert kitei.rows("SELECT COUNT(*) FROM auditlog_event") == before


@pytest.mark.parametrize(
    "command",
    [["check"], ["export", "x.xlsx"], ["adopt", "--effective", "2026/12/1"], ["serve"], ["worker", "--once"]],
    ids=lambda c: c[0],
)
def test_before_init_every_command_says_what_to_do_first(fresh, tmp_path, command):
    said = fresh(*command, code=2, cwd=tmp_path)
    assert "kitei init" in said.stderr
    assert sorted(path.name for path in tmp_path.iterdir()) in ([], ["data"])


@pytest.mark.parametrize("role", ["chief-officer", "system-administrator"])
def test_a_vacant_office_is_an_answer(kitei, role):
    answer = kitei.json("who", role)
    assert (answer["role"], answer["as_of"], answer["holders"], answer["holder"], answer["acting"]) == (
        role,
        "2026-11-22",
        [],
        None,
        None,
    )
    assert answer["requirement"]["met"] is False
    assert answer["requirement"]["reasons"]


def test_who_answers_for_the_asked_day(kitei, officers):
    kitei("import", officers, "--apply")
    answer = kitei.json("who", "chief-officer")
    assert set(answer) >= {"role", "as_of", "holders", "holder", "acting", "appointment", "requirement"}
    assert answer["holders"] == [answer["holder"]]
    assert "髙﨑" in answer["holder"]["name"]
    assert "髙﨑" in kitei("who", "chief-officer").stdout
    assert "髙﨑" in kitei("who", "chief-officer", "--as-of", "2024-04-01").stdout
    vacant = kitei("who", "chief-officer", "--as-of", "R6.3.31", "--format", "json").stdout
    assert '"holder": null' in vacant


def test_check_finds_must_gaps_in_an_empty_company(kitei):
    answer = kitei.json("check", code=1)
    assert set(answer) == {"as_of", "findings", "summary"}
    assert answer["as_of"] == "2026-11-22"
    assert len(answer["findings"]) > 3
    for finding in answer["findings"]:
        assert set(finding) == {"code", "severity", "clause", "basis", "subject", "message", "next_step"}
        assert finding["severity"] in {"must", "should", "info"}
        assert finding["basis"] in {"guideline", "regulation", "recommendation"}
        assert finding["clause"] is None or re.fullmatch(r"mic-meti-1\.1/[\d.]+/[a-z]+-\d+", finding["clause"])
        assert set(finding["subject"]) == {"type", "id", "label"}
        assert finding["message"].endswith("。")
        assert finding["next_step"].endswith("。")
    counted = {
        name: sum(1 for finding in answer["findings"] if finding["severity"] == name)
        for name in ("must", "should", "info")
    }
    assert {name: answer["summary"][name] for name in counted} == counted


def test_check_says_the_same_as_a_table(kitei):
    japanese = kitei("check", code=1).stdout
    findings = kitei.json("check", code=1)["findings"]
    assert all(finding["message"] in japanese for finding in findings)
    assert "現行は第2.0版" in japanese
    assert japanese.count("→") == len(findings)


@pytest.mark.parametrize("formats", ["html", "docx, pdf ,html"])
def test_build_writes_what_was_asked_for_and_the_matrix(kitei, tmp_path, formats):
    out = tmp_path / "deep" / "out"
    said = kitei("build", "--out", out, "--format", formats).stdout.split()
    wanted = {f".{name.strip()}" for name in formats.split(",")} | {".xlsx"}
    files = sorted(out.iterdir())
    assert {path.suffix for path in files} == wanted
    assert sorted(said) == sorted(map(str, files))
    magic = {".docx": b"PK", ".xlsx": b"PK", ".pdf": b"%PDF-", ".html": b"<!DOCTYPE html>"}
    assert all(path.read_bytes().startswith(magic[path.suffix]) for path in files)


def test_a_terminal_of_another_encoding_is_no_reason_to_fail(kitei):
    done = subprocess.run(
        [sys.executable, "-m", "kitei.cli", "who", "chief-officer"],
        env=kitei.environment(PYTHONIOENCODING="ascii"),
        capture_output=True,
        check=False,
        timeout=60,
    )
    assert done.returncode == 0, done.stderr
