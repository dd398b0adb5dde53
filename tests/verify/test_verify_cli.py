"""The command kitei-verify, and the one file it can be given away as."""

from __future__ import annotations

import json
import os
import runpy
import subprocess
import sys
import zipfile

import pytest
from small_log import SmallLog, event, signer, stamp_files, witness, write
from test_proof import LOG as OPENED_LOG
from test_proof import OPENED

from kitei_verify import __main__ as module
from kitei_verify import canonical, cli, heads, note, pack, report, words
from trust.small_authority import SmallAuthority


@pytest.fixture
def nine(tmp_path):
    log = SmallLog.of(9)
    log.write(tmp_path / "log")
    return log


@pytest.fixture
def run(tmp_path, capsys, monkeypatch):
    for name in ("KITEI_LANG", "LC_ALL", "LC_MESSAGES", "LANG"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.chdir(tmp_path)

    def call(*arguments, lang="en"):
        try:
            code = cli.main([*map(str, arguments), *(["--lang", lang] if lang else [])])
        except SystemExit as stop:
            code = stop.code
        said = capsys.readouterr()
        return code, said.out, said.err

    return call


# --- exit codes and languages


def test_a_log_that_holds_with_a_key_from_outside(run, nine):
    code, said, wrong = run("log", "--key", nine.key.key)
    assert (code, wrong) == (0, "")
    assert said.splitlines()[-1] == "RESULT: all holds"
    assert "(the key given from outside)" in said
    head = nine.head()
    assert f"keep this: 9:{note.encode64(head.root)}" in said


def test_a_log_that_holds_in_japanese(run, nine):
    code, said, _ = run("log", "--key", nine.key.key, lang="ja")
    assert code == 0
    assert said.splitlines()[-1] == "結果: 正しい"
    assert "件数: 9" in said


def test_a_key_from_the_folder_proves_nothing_and_that_is_said(run, nine):
    code, said, _ = run("log")
    assert code == 0
    assert "proves nothing to a third party" in said.splitlines()[-1]
    assert "第三者に対する証明にはなりません" in run("log", lang="ja")[1].splitlines()[-1]


@pytest.mark.parametrize("option", ["--key", "--since", "--policy"])
def test_what_is_inside_the_folder_does_not_vouch_for_it(run, nine, option):
    path = {"--key": "log/log.vkey", "--since": "log/checkpoint", "--policy": "log/tile/0/000.p/9"}[option]
    code, _, wrong = run("log", option, path)
    assert (code, "inside the folder" in wrong) == (2, True)


def test_a_changed_byte_is_named_with_what_to_do(run, nine, tmp_path):
    path = tmp_path / "log/tile/entries/000.p/9"
    path.write_bytes(path.read_bytes().replace(b'"d-3"', b'"d-4"'))
    code, said, _ = run("log")
    assert code == 1
    assert said.splitlines()[-1] == "RESULT: WRONG"
    assert "wrong: tile/0/000.p/9, entry 3 (counted from 0): element 3 is not what the entries give" in said
    assert "-> The log was altered or is damaged" in said
    assert "keep this" not in said
    code, said, _ = run("log", lang="ja")
    assert code == 1
    assert "tile/0/000.p/9 の3番目の記録（0から数える）" in said
    assert said.splitlines()[-1] == "結果: 誤りがあります"


def test_a_folder_of_which_nothing_is_known(run, nine, tmp_path):
    (tmp_path / "log/checkpoint").unlink()
    code, said, _ = run("log")
    assert (code, "origin" in said, "wrong: checkpoint: the file is missing" in said) == (1, False, True)


def test_the_same_for_programs(run, nine):
    code, said, _ = run("log", "--format", "json", "--key", nine.key.key)
    found = json.loads(said)
    assert (code, found["ok"], found["log"]["key_source"], found["proof"]) == (0, True, "outside", None)
    code, said, _ = run("log", "--format", "json", "--key", signer("other").key)
    found = json.loads(said)
    assert (code, found["ok"], found["log"]["faults"][0]["code"]) == (1, False, "key")


@pytest.mark.parametrize(
    ("arguments", "what"),
    [
        ([], "Nothing to verify"),
        (["nowhere"], "no folder 'nowhere'"),
        (["log", "--jobs", "-1"], "--jobs must be"),
        (["log", "--jobs", "65"], "--jobs must be"),
        (["log", "--jobs", "x"], "invalid int value"),
        (["log", "--unknown"], "unrecognized arguments"),
        (["log", "--format", "xml"], "invalid choice"),
        (["log", "--key", "nonsense"], "'nonsense' cannot be read"),
        (["log", "--key", "a+b+c"], "has the wrong form. --key"),
        (["log", "--key", "junk"], "has the wrong form. junk"),
        (["log", "--policy", "junk"], "has the wrong form. junk"),
        (["log", "--policy", "missing"], "'missing' cannot be read (No such file"),
        (["log", "--policy", "log2"], "'log2' cannot be read"),
        (["log", "--since", "junk"], "has the wrong form. junk"),
        (["log", "--since", "5:abc"], "has the wrong form. --since"),
        (["log", "--since", "large"], "'large' is too large"),
        (["log", "--tsa-root", "junk"], "no PEM certificate"),
        (["--proof", "proof"], "needs the verifier key"),
        (["--proof", "proof", "--key", "a+b+c", "--since", "5:x"], "are about the log's folder"),
        (["--proof", "missing", "--policy", "policy"], "'missing' cannot be read"),
    ],
)
def test_wrong_usage_ends_with_two(run, nine, tmp_path, arguments, what):
    (tmp_path / "junk").write_bytes(b"\xff junk\n")
    (tmp_path / "proof").write_bytes(b"x")
    (tmp_path / "policy").write_bytes(b"quorum none\n")
    (tmp_path / "log2").mkdir()
    with (tmp_path / "large").open("wb") as file:
        file.truncate(2_000_000)
    code, said, wrong = run(*arguments)
    assert (code, said) == (2, "")
    assert what in wrong
    code, said, wrong = run(*arguments, lang="ja")
    assert (code, said) == (2, "")
    assert any("\u3040" <= letter <= "\u30ff" for letter in wrong)


def test_help_in_both_languages(run, monkeypatch):
    assert "Verifies the folder" in run("--help")[1]
    code, said, _ = run("--help", lang="ja")
    assert (code, "使い方" in said, "改ざんされていないこと" in said) == (0, True, True)


@pytest.mark.parametrize(
    ("arguments", "environment", "english"),
    [
        ([], {}, False),
        ([], {"LANG": "en_US.UTF-8"}, True),
        ([], {"LANG": "ja_JP.UTF-8"}, False),
        ([], {"LANG": "C"}, False),
        ([], {"KITEI_LANG": "ja", "LANG": "en_US"}, False),
        ([], {"KITEI_LANG": "EN", "LANG": "ja_JP"}, True),
        ([], {"LC_ALL": "en", "LANG": "ja"}, True),
        (["--lang", "en"], {"LANG": "ja"}, True),
        (["--lang=en"], {}, True),
        (["--lang=ja"], {"LANG": "en"}, False),
        (["x", "--lang"], {"LANG": "en"}, True),
    ],
)
def test_the_language(monkeypatch, arguments, environment, english):
    for name in ("KITEI_LANG", "LC_ALL", "LC_MESSAGES", "LANG"):
        monkeypatch.delenv(name, raising=False)
    for name, value in environment.items():
        monkeypatch.setenv(name, value)
    assert cli._english(arguments) == english


def test_every_word_exists_in_both_languages_with_the_same_values():
    for table in (words._WORDS, words._ADVICE, {"x": words._ALTERED}):
        for ja, en in table.values():
            assert ja
            assert en
            places = [
                sorted(part.split("}")[0].removesuffix("!r") for part in text.split("{")[1:]) for text in (ja, en)
            ]
            assert set(places[0]) == set(places[1])
    assert words.advice("never heard of", english=True) == words._ALTERED[1]


# --- heads, keys, witnesses, stamps from outside


def test_keys_may_be_files_and_several(run, nine, tmp_path):
    (tmp_path / "kept.vkey").write_text(f"{nine.key.key}\n")
    assert run("log", "--key", "kept.vkey")[0] == 0
    assert run("log", "--key", signer("other").key, "--key", "kept.vkey")[0] == 0


def test_a_head_kept_earlier(run, nine, tmp_path):
    (tmp_path / "kept").write_bytes(nine.signed(5))
    code, said, _ = run("log", "--since", "kept", "--since", f"0:{nine.head(0).root.hex()}")
    assert (code, f"extends: 5:{note.encode64(nine.head(5).root)}" in said) == (0, True)
    (tmp_path / "kept").write_bytes(SmallLog.of(12).signed())
    code, said, _ = run("log", "--since", "kept")
    assert (code, "entries are gone" in said, "The log was put back" in said) == (1, True, True)


def test_everything_a_log_may_carry_is_shown(run, tmp_path):
    log = SmallLog(origin="o/g2", key=signer("first", "o/g2"))
    log.open(generation=2, continues={"origin": "o", "size": 3, "root": "ab" * 32})
    log.rotate(signer("second", "o/g2"))
    cosigner, authority = witness("w.example"), SmallAuthority()
    log.write(tmp_path / "log", cosigned=[(cosigner, 1_795_000_000)])
    write(tmp_path / "log", stamp_files(log, authority, 2))
    first = signer("first", "o/g2").key
    (tmp_path / "policy").write_text(f"log {first}\nwitness w {cosigner.key}\nquorum w\n")
    (tmp_path / "root.pem").write_bytes(authority.root)
    code, said, _ = run("log", "--policy", "policy", "--tsa-root", "root.pem")
    assert code == 0
    for text in (
        "generation: 2 (continues the first 3 entries of o)",
        "reached from the key given, through the handovers",
        "witness: w.example 2026-11-18 11:06:40 UTC",
        "policy: the policy's quorum is reached",
        "time stamp: of 2 entries, 2026-11-22 03:00:00 UTC, CN=Small TSA\n",
        "RESULT: all holds",
    ):
        assert text in said
    assert "authority not checked" in run("log")[1]
    assert "中身: 調べていない" in run("log", "--hashes-only", lang="ja")[1]


# --- proofs


@pytest.fixture
def proof_file(tmp_path):
    path = tmp_path / "one.tlog-proof"
    path.write_bytes(OPENED)
    return path


def test_a_proof_verifies_without_the_folder(run, proof_file):
    code, said, _ = run("--proof", proof_file, "--key", OPENED_LOG.key.key)
    assert code == 0
    for text in (
        "proof: entry 7 (counted from 0) of 13",
        "disclosed reason: 緊急のため",
        "file_name: not disclosed",
        "  name: document:view",
    ):
        assert text in said
    assert said.splitlines()[-1] == "RESULT: all holds"
    code, said, _ = run("--proof", proof_file, "--key", OPENED_LOG.key.key, "--format", "json")
    found = json.loads(said)
    assert (found["ok"], found["log"], found["proof"]["disclosed"]) == (True, None, {"reason": "緊急のため"})


def test_a_proof_of_another_log_is_wrong(run, proof_file, tmp_path):
    code, said, _ = run("--proof", proof_file, "--key", signer("other").key)
    assert (code, "signed by none of the keys given" in said) == (1, True)
    code, said, _ = run("--proof", proof_file, "--key", signer("other").key, "--format", "json")
    assert (code, json.loads(said)["proof"]["fault"]["code"]) == (1, "key")
    proof_file.write_bytes(b"junk")
    code, said, _ = run("--proof", proof_file, "--key", OPENED_LOG.key.key)
    assert (code, "does not begin with" in said) == (1, True)


def test_a_proof_beside_its_log(run, proof_file, tmp_path):
    OPENED_LOG.write(tmp_path / "log")
    code, said, _ = run("log", "--proof", proof_file)
    assert (code, "proves nothing" in said.splitlines()[-1]) == (0, True)
    assert run("log", "--proof", proof_file, "--key", OPENED_LOG.key.key)[1].splitlines()[-1] == "RESULT: all holds"
    other = SmallLog.of(20)
    write(tmp_path / "other", other.files())
    code, said, _ = run("other", "--proof", proof_file)
    assert (code, "the root of the first 13 entries" in said) == (1, True)


def test_an_old_key_verifies_a_proof_beside_the_log_whose_key_changed(run, tmp_path):
    log = SmallLog.of(9)
    log.rotate(signer("second"))
    log.write(tmp_path / "log")
    (tmp_path / "p").write_bytes(log.proof(3))
    assert run("log", "--proof", "p", "--key", signer("first").key)[0] == 0
    assert run("--proof", "p", "--key", signer("first").key)[0] == 1


def test_a_policy_asks_the_proofs_own_head_without_the_folder(run, tmp_path):
    log, cosigner = SmallLog.of(9), witness("w.example")
    (tmp_path / "policy").write_text(f"log {log.key.key}\nwitness w {cosigner.key}\nquorum w\n")
    (tmp_path / "p").write_bytes(log.proof(3))
    assert run("--proof", "p", "--policy", "policy")[0] == 1
    (tmp_path / "p").write_bytes(log.proof(3, cosigned=[(cosigner, 1_795_000_000)]))
    code, said, _ = run("--proof", "p", "--policy", "policy")
    assert (code, "witness: w.example 2026-11-18" in said) == (0, True)


# --- what the log says does not move the terminal


def test_control_characters_are_shown_and_not_obeyed(run, tmp_path):
    assert report.plain("a\x1b[2Jb\nRESULT\u202e \udc80　漢") == "a\\x1b[2Jb\\nRESULT\\u202e \\udc80　漢"
    salt = bytes(32)
    value = "x\n\x1b[1A結果: 正しい"
    log = SmallLog.of(1)
    log.entries.append(event(1, commitments={"reason": canonical.commit("reason", value, salt)[1]}))
    (tmp_path / "p").write_bytes(log.proof(1, openings={"reason": (salt, value)}))
    _, said, _ = run("--proof", "p", "--key", log.key.key)
    assert "\x1b" not in said
    assert "disclosed reason: x\\n\\x1b[1A結果: 正しい" in said


def test_names_that_are_no_text_are_shown(run, nine, tmp_path):
    if sys.platform == "win32":
        return
    with open(os.fsencode(tmp_path / "log") + b"/\xff\x1b", "wb"):  # noqa: PTH123  a name that is no text
        pass
    code, said, _ = run("log")
    assert (code, "wrong: \\udcff\\x1b: a file that belongs to no log" in said) == (1, True)


# --- the one file


def test_the_one_file_is_the_same_every_time_and_holds_the_package_alone():
    content = pack.build()
    assert content == pack.build()
    assert content.startswith(b"#!/usr/bin/env python3\n")
    import io

    with zipfile.ZipFile(io.BytesIO(content)) as archive:
        names = archive.namelist()
        assert {info.date_time for info in archive.infolist()} == {(1980, 1, 1, 0, 0, 0)}
        assert archive.testzip() is None
    assert names == sorted(names)
    assert {"__main__.py", "kitei_verify/__init__.py", "kitei_verify/logdir.py"} <= set(names)
    assert all(name == "__main__.py" or name.startswith("kitei_verify/") for name in names)


def test_the_one_file_runs_alone_also_in_several_processes(tmp_path):
    """A large enough log starts worker processes, which have to find the package inside the file."""
    log = SmallLog.of(2)
    log.entries += [log.entries[1]] * 21_000
    log.write(tmp_path / "log")
    program = tmp_path / "kitei-verify.pyz"
    program.write_bytes(pack.build())
    done = subprocess.run(
        [sys.executable, "-I", program, "log", "--key", str(log.key.key), "--lang", "en", "--jobs", "2"],
        capture_output=True,
        text=True,
        check=False,
        cwd=tmp_path,
    )
    assert (done.returncode, done.stderr) == (0, "")
    assert "entries: 21002" in done.stdout


def test_the_module_runs_too(nine, tmp_path):
    done = subprocess.run(
        [sys.executable, "-m", "kitei_verify", tmp_path / "log", "--lang", "en"],
        capture_output=True, text=True, check=False,
        env={**os.environ, "PYTHONPATH": os.pathsep.join(sys.path)},
    )  # fmt: skip
    assert (done.returncode, done.stderr) == (0, "")


def test_without_cryptography_one_sentence_says_so(tmp_path, monkeypatch, capsys):
    program = tmp_path / "kitei-verify.pyz"
    program.write_bytes(pack.build())
    done = subprocess.run(
        [sys.executable, "-S", "-I", program, tmp_path], capture_output=True, text=True, check=False
    )  # -S: without installed packages
    assert (done.returncode, done.stdout) == (2, "")
    assert "pip install cryptography" in done.stderr
    monkeypatch.setitem(sys.modules, "cryptography", None)
    assert module.main() == 2
    assert "cryptography がありません" in capsys.readouterr().err


def test_the_module_calls_the_command(monkeypatch, capsys):
    monkeypatch.setattr(sys, "argv", ["kitei-verify", "--lang", "en"])
    monkeypatch.delitem(sys.modules, "kitei_verify.__main__")
    with pytest.raises(SystemExit) as stop:
        runpy.run_module("kitei_verify", run_name="__main__")
    assert stop.value.code == 2
    assert "Nothing to verify" in capsys.readouterr().err
    assert heads.parse_since(b"0:" + b"0" * 64, where="x").signed is None
