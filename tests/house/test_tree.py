"""Rules about files: length, left-over markers, lock files, machine paths, dependencies."""

from __future__ import annotations

import re
import tomllib

import pytest

from house.floors import ROOT, SOURCE

LONGEST = 500
CODE = {".py", ".html", ".css", ".js", ".typ"}
TEXT = CODE | {".md", ".toml", ".yml", ".yaml", ".txt", ".json", ".kitei", ".lock", ".sh", ".cfg", ""}
# Written in two halves, so that this file does not hold what it looks for.
MARKERS = re.compile(r"\b(TO" + r"DO|FIX" + r"ME|XX" + r"X)\b")
MACHINE = re.compile(r"(?<![\w.~-])/(wo" + r"rk|ho" + r"me/\w+|ro" + r"ot)/")
REGISTRIES = re.compile(
    "|".join(
        name.replace(" ", "")
        for name in (
            r"py pi\.org",
            r"pythonhosted\. org",
            r"npmjs\. (?:com|org)",
            r"regis try\.(?:npm|yarn)",
            r"deb\.debian\. org",
        )
    )
)


def files_of(*places):
    """Return the files of the project: what a checkout holds, not what setup, tests and tools leave behind."""
    left = {"__pycache__", ".venv", "build", "dist", "out", "kitei-data", "static-root"}
    for place in places:
        base = ROOT / place
        for path in [base] if base.is_file() else sorted(base.rglob("*")):
            if (
                path.is_file()
                and not left & set(path.relative_to(ROOT).parts)
                and not any(p.endswith(".egg-info") for p in path.parts)
            ):
                yield path


EVERYTHING = [
    path
    for path in files_of(
        "src", "tests", "tools", "docs", "dev", "bench", ".ci",
        *(path.name for path in ROOT.iterdir() if path.is_file() and path.name != ".git"),  # git's, in a work tree
    )
    if path.suffix in TEXT
]  # fmt: skip
LOCKS = sorted(ROOT.glob("requirements*.lock"))


def holding(pattern, paths):
    return [
        f"{path.relative_to(ROOT)}:{number}: {line.strip()[:100]}"
        for path in paths
        for number, line in enumerate(path.read_text(encoding="utf-8").splitlines(), start=1)
        if pattern.search(line)
    ]


def test_no_source_file_is_longer_than_five_hundred_lines():
    long = {
        str(path.relative_to(ROOT)): length
        for path in files_of("src")
        if path.suffix in CODE and "migrations" not in path.parts
        if (length := len(path.read_text(encoding="utf-8").splitlines())) > LONGEST
    }
    assert long == {}


def test_no_marker_of_unfinished_work_is_left():
    assert (
        holding(
            MARKERS, [path for path in EVERYTHING if SOURCE in path.parents or path.parts[-2] in {"tools", "tests"}]
        )
        == []
    )


def test_no_path_of_a_machine_stands_in_any_file():
    assert holding(MACHINE, EVERYTHING) == []


def test_no_package_registry_is_named_in_any_file():
    assert holding(REGISTRIES, EVERYTHING) == []


@pytest.mark.parametrize("lock", LOCKS, ids=lambda lock: lock.name)
def test_lock_files_hold_exact_versions_and_hashes_and_no_address(lock):
    text = lock.read_text(encoding="utf-8")
    assert not re.search(r"https?://|--index-url|--find-links| @ ", text)
    entries = [line for line in text.splitlines() if re.match(r"[A-Za-z0-9]", line)]
    assert entries
    assert [line for line in entries if not re.match(r"[A-Za-z0-9._\[\],-]+==\S+ (?:;.* )?\\$", line)] == []
    assert all("--hash=sha256:" in block for block in re.split(r"\n(?=[A-Za-z0-9])", text.strip()) if "==" in block)


def test_direct_run_time_dependencies_are_at_most_forty_and_locked():
    project = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]
    direct = [re.split(r"[\[;~=<> ]", line)[0].lower() for line in project["dependencies"]]
    assert len(direct) <= 40
    locked = set(
        re.findall(r"^([A-Za-z0-9._-]+)(?:\[[^\]]*\])?==", (ROOT / "requirements.lock").read_text(), re.MULTILINE)
    )
    assert [name for name in direct if name not in {entry.lower() for entry in locked}] == []


def test_three_lock_files_are_there():
    assert [lock.name for lock in LOCKS] == ["requirements-dev.lock", "requirements-s3.lock", "requirements.lock"]


@pytest.mark.parametrize(
    ("pattern", "text"),
    [
        (MARKERS, "# TO" + "DO later"),
        (MACHINE, "open('/wo" + "rk/main/x')"),
        (MACHINE, "/ho" + "me/hanako/kitei"),
        (REGISTRIES, "https://py" + "pi.org/simple"),
    ],
)
def test_what_is_looked_for_would_be_found(pattern, text):
    assert pattern.search(text)


def test_words_that_only_look_alike_are_left_alone():
    assert not MARKERS.search("todo.css class='todo'")
    assert not MACHINE.search("src/network/x and https://example.jp/wo" + "rk/")
