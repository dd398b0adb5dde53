"""The page of the ASVS names every requirement once, and nothing that is not there."""

from __future__ import annotations

import ast
import re
from collections import Counter
from functools import lru_cache

import pytest

from house.floors import ROOT

PAGE, SUMMARY = ROOT / "docs" / "reference" / "asvs.md", ROOT / "docs" / "security.md"
STATES = ("met", "gap", "not applicable")
SECTIONS = {
    1: """
        1.2:1,2,3,4,5 1.3:1,2 1.5:1 2.1:1 2.2:1,2 2.3:1 3.2:1,2 3.3:1 3.4:1,2 3.5:1,2,3 4.1:1 4.4:1 5.2:1,2 5.3:1,2
        6.1:1 6.2:1,2,3,4,5,6,7,8 6.3:1,2 6.4:1,2 7.2:1,2,3,4 7.4:1,2 8.1:1 8.2:1,2 8.3:1 9.1:1,2,3 9.2:1
        10.4:1,2,3,4,5 11.3:1,2 11.4:1 12.1:1 12.2:1,2 13.4:1 14.2:1 14.3:1 15.1:1 15.2:1 15.3:1
    """,
    2: """
        1.1:1,2 1.2:6,7,8,9 1.3:3,4,5,6,7,8,9,10,11 1.4:1,2,3 1.5:2 2.1:2,3 2.2:3 2.3:2,3,4 2.4:1 3.3:2,3,4
        3.4:3,4,5,6 3.5:4,5 3.7:1,2 4.1:2,3 4.2:1 4.3:1,2 4.4:2,3,4 5.1:1 5.2:3 5.4:1,2,3 6.1:2,3 6.2:9,10,11,12
        6.3:3,4 6.4:3,4 6.5:1,2,3,4,5 6.6:1,2,3 6.8:1,2,3,4 7.1:1,2,3 7.3:1,2 7.4:3,4,5 7.5:1,2 7.6:1,2 8.1:2 8.2:3
        8.4:1 9.2:2,3,4 10.1:1,2 10.2:1,2 10.3:1,2,3,4 10.4:6,7,8,9,10,11 10.5:1,2,3,4,5 10.6:1,2 10.7:1,2,3
        11.1:1,2 11.2:1,2,3 11.3:3 11.4:2,3,4 11.5:1 11.6:1 12.1:2,3 12.3:1,2,3,4 13.1:1 13.2:1,2,3,4,5 13.3:1,2
        13.4:2,3,4,5 14.1:1,2 14.2:2,3,4 14.3:2,3 15.1:2,3 15.2:2,3 15.3:2,3,4,5,6,7 16.1:1 16.2:1,2,3,4,5
        16.3:1,2,3,4 16.4:1,2,3 16.5:1,2,3 17.1:1 17.2:1,2,3,4 17.3:1,2
    """,
    3: """
        8.1:3,4 8.2:4 8.3:2,3 8.4:2 16.5:4
    """,
}
"""ASVS 5.0.0: level -> chapter.section:requirements. All of levels 1 and 2; of level 3 those of V8 and V16."""
LEVELS = {
    f"{section}.{number}": level
    for level, text in SECTIONS.items()
    for section, _, numbers in (entry.partition(":") for entry in text.split())
    for number in numbers.split(",")
}
ID = re.compile(r"\d{1,2}\.\d{1,2}\.\d{1,2}")


def rows_of(text):
    """Every line of a table that begins with a requirement: (id, level, words, state, where)."""
    for line in text.splitlines():
        cells = [cell.strip() for cell in re.split(r"(?<!\\)\|", line)[1:-1]]
        if cells and re.match(r"\d", cells[0]):
            yield tuple(cells)


@pytest.fixture(scope="module")
def rows():
    found = list(rows_of(PAGE.read_text(encoding="utf-8")))
    assert len(found) > 200
    return found


@lru_cache
def functions_of(path):
    tree = ast.parse((ROOT / path).read_text(encoding="utf-8"))
    return {node.name for node in ast.walk(tree) if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef)}


def fault(row):
    """What is wrong with a row; empty when nothing is."""
    if len(row) != 5:
        return "not five cells"
    identity, level, words, state, where = row
    if not ID.fullmatch(identity) or identity not in LEVELS:
        return "no requirement of ours"
    if level != str(LEVELS[identity]):
        return f"its level is {LEVELS[identity]}"
    if not words or len(words) > 160:
        return "in a few words"
    kind, _, why = state.partition(":")
    if kind not in STATES:
        return "without a state"
    if (kind == "met") == bool(why.strip()):
        return "a gap says what, what does not apply says why, what is met says it in its words"
    named = re.findall(r"`([^`]+)`", where)
    if kind == "met" and not named:
        return "met, and nothing shows it"
    return next((f"there is no {name}" for name in named if not exists(name)), "")


def exists(name):
    """Whether a file, or ``file::function``, is there."""
    path, _, function = name.partition("::")
    if not (ROOT / path).is_file():
        return False
    return not function or (
        path.startswith("tests/") and function.startswith("test_") and function in functions_of(path)
    )


def test_every_line_has_a_state_and_names_what_is_there(rows):
    assert [(row[0], said) for row in rows if (said := fault(row))] == []


def test_every_requirement_stands_there_once_and_in_order(rows):
    named = [row[0] for row in rows]
    assert [name for name, times in Counter(named).items() if times > 1] == []
    assert sorted(LEVELS.keys() - set(named)) == []
    assert named == sorted(named, key=lambda name: tuple(map(int, name.split("."))))


def test_level_two_is_complete():
    counts = Counter(LEVELS.values())
    assert (counts[1], counts[2]) == (70, 183)
    assert {name.partition(".")[0] for name, level in LEVELS.items() if level == 3} == {"8", "16"}


def test_the_numbers_of_the_security_page_are_those_of_the_table(rows):
    counted = Counter((row[3].partition(":")[0], row[1]) for row in rows)
    text = SUMMARY.read_text(encoding="utf-8")
    for state in STATES:
        told = re.search(rf"^\| {state} \| (\d+) \| (\d+) \| (\d+) \| (\d+) \|$", text, re.MULTILINE)
        assert told, f"no line for {state}"
        by_level = [counted[state, level] for level in "123"]
        assert [int(number) for number in told.groups()] == [*by_level, sum(by_level)], state


def test_the_security_page_lists_every_gap_and_no_other(rows):
    text = SUMMARY.read_text(encoding="utf-8")
    listed = re.search(r"^### Gaps\n(.*?)(?=^#|\Z)", text, re.MULTILINE | re.DOTALL)
    told = re.findall(ID, listed[1])
    assert sorted(told) == sorted(row[0] for row in rows if row[3].startswith("gap"))


@pytest.mark.parametrize(
    ("row", "said"),
    [
        (("1.2.1", "1", "Escape", "met", "`tests/web/test_login.py::test_nowhere`"), "there is no"),
        (("1.2.1", "1", "Escape", "met", "`tests/web/test_nothing.py`"), "there is no"),
        (("1.2.1", "1", "Escape", "met", "–"), "nothing shows"),
        (("1.2.1", "1", "Escape", "", "–"), "without a state"),
        (("1.2.1", "1", "Escape", "gap", "–"), "says what"),
        (("1.2.1", "2", "Escape", "gap: all", "–"), "its level"),
        (("1.2.99", "1", "Escape", "gap: all", "–"), "no requirement"),
        (("V1.2.1", "1", "Escape", "gap: all", "–"), "no requirement"),
    ],
)
def test_a_faulty_line_is_found(row, said):
    assert said in fault(row)
