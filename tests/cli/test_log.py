"""kitei log: list, show, proof, rotate-key."""

from __future__ import annotations

import json
import unicodedata

import pytest

from cli.console import MAIL


def wide(text):
    return sum(2 if unicodedata.east_asian_width(char) in "WFA" else 1 for char in text)


@pytest.fixture
def sequenced(kitei):
    kitei("worker", "--once")
    return kitei


def test_the_list_is_a_table_of_a_hundred_columns_and_reading_it_is_recorded(kitei):
    lines = kitei("log", "list").stdout.splitlines()
    assert "日時" in lines[0]
    assert any("組織を作成" in line for line in lines)
    assert any("コンソール: " in line for line in lines)
    assert max(map(wide, lines)) <= 110
    assert kitei.rows("SELECT COUNT(*) FROM auditlog_event WHERE name = 'log:list'") == [(1,)]
    english = kitei("log", "list", LANG="en_US.UTF-8").stdout
    assert "Organization created" in english


def test_filters_narrow_and_json_tells_ids(kitei):
    every = kitei.json("log", "list")
    assert {"id", "number", "at", "name", "label", "outcome", "actor", "object"} == set(every[0])
    made = kitei.json("log", "list", "--action", "organization:create")
    assert [entry["name"] for entry in made] == ["organization:create"]
    assert kitei.json("log", "list", "--action", "組織を作成")[0]["id"] == made[0]["id"]
    assert kitei.json("log", "list", "--actor", "コンソール", "--action", "organization")
    assert kitei.json("log", "list", "--outcome", "refused") == []
    assert kitei.json("log", "list", "--since", "令和8年11月23日") == []
    assert len(kitei.json("log", "list", "--limit", "2")) == 2
    assert kitei.json("log", "list", "--actor", MAIL) == []


@pytest.mark.parametrize(
    ("arguments", "told"),
    [
        (["list", "--action", "session:logn"], "session:login（ログイン）"),
        (["list", "--action", "ログアウ"], "session:logout"),
        (["list", "--action", "zzzzzz"], "session:login のように"),
        (["list", "--since", "2026/2/30"], "--since"),
        (["list", "--actor", "だれもいない"], "見つかりません"),
        (["list", "--limit", "0"], "--limit"),
        (["list", "5"], "付けられません"),
        (["show"], "指定してください"),
        (["show", "xyz"], "番号でもIDでもありません"),
        (["show", "999999"], "ありません"),
        (["proof", "0192f000-0000-7000-8000-000000000000"], "ありません"),
        (["show", "1", "--out", "x"], "--out"),
    ],
)
def test_what_is_wrong_is_said_in_one_sentence_and_exits_2(kitei, arguments, told):
    done = kitei("log", *arguments, code=2)
    assert told in done.stderr
    assert done.stderr.count("\n") == 1
    assert done.stdout == ""


def test_an_entry_and_its_proof_are_taken_by_number(sequenced, tmp_path):
    newest = next(entry for entry in sequenced.json("log", "list") if entry["number"] is not None)
    text = sequenced("log", "show", str(newest["number"])).stdout
    assert newest["id"] in text
    entry = sequenced.json("log", "show", newest["id"])
    assert entry["entry"]["id"] == newest["id"]
    file = tmp_path / "one.tlog-proof"
    said = sequenced("log", "proof", newest["id"], "--out", file).stdout
    assert str(file) in said
    assert file.read_bytes().startswith(b"c2sp.org/tlog-proof@v1\n")
    assert "フォルダー" in sequenced("log", "proof", newest["id"], "--out", tmp_path / "no" / "x", code=2).stderr
    assert sequenced.rows("SELECT name, COUNT(*) FROM auditlog_event WHERE name IN ('log:view', 'log:proof') GROUP BY name ORDER BY name") == [("log:proof", 1), ("log:view", 2)]  # fmt: skip


def test_a_pending_entry_has_no_proof_yet(kitei):
    first = kitei.json("log", "list")[-1]
    if first["number"] is not None:
        pytest.skip("init sequences already")
    assert "まだ" in kitei("log", "proof", first["id"], code=2).stderr


def test_the_key_is_rotated_and_the_new_one_told(sequenced):
    said = sequenced("log", "rotate-key").stdout
    key = said.splitlines()[-1]
    assert key.count("+") >= 2
    assert json.loads(sequenced.rows("SELECT payload FROM auditlog_event WHERE name = 'log:rotate-key'")[0][0])["data"]["new"] == key  # fmt: skip
