"""The log is a plain C2SP log: a checker that is not Kitei's accepts it, and refuses what ours refuses."""

from __future__ import annotations

import json
import random
import subprocess
import sys
from pathlib import Path

import pytest
from plain_checker import check, check_proof
from small_log import SmallLog, folder_files, signer, witness, write


@pytest.mark.parametrize("count", [1, 9, 256, 700])
def test_a_plain_checker_accepts_the_log(tmp_path, count):
    log = SmallLog.of(count)
    log.write(tmp_path, cosigned=[(witness("w.example"), 5)])
    assert check(tmp_path, str(log.key.key)) == log.entries
    for index in {0, count // 2, count - 1}:
        check_proof(log.proof(index), log.entries[index], str(log.key.key))
    assert all(json.loads(entry)["v"] == 1 for entry in log.entries)


def test_a_plain_checker_follows_a_log_whose_key_changed(tmp_path):
    log = SmallLog.of(9)
    log.rotate(signer("second"))
    log.write(tmp_path)
    assert len(check(tmp_path, str(signer("second").key))) == 10
    with pytest.raises(AssertionError):
        check(tmp_path, str(signer("first").key))


def refuses(folder, key):
    try:
        check(folder, key)
    except Exception:  # noqa: BLE001  whatever a plain program stumbles over
        return True
    return False


def test_a_plain_checker_refuses_changed_tiles(tmp_path):
    """It would find nothing either if it looked at nothing."""
    log = SmallLog.of(300)
    chance = random.Random(6962)  # noqa: S311  places to change
    for path, data in folder_files(log.write(tmp_path)).items():
        if path == "log.vkey":
            continue
        for place in chance.sample(range(len(data) - 1), 5):
            changed = bytearray(data)
            changed[place] ^= 1 << chance.randrange(8)
            write(tmp_path, {path: bytes(changed)})
            assert refuses(tmp_path, str(log.key.key)), (path, place)
        write(tmp_path, {path: data})
    check(tmp_path, str(log.key.key))


def test_the_plain_checker_is_a_program_of_its_own(tmp_path):
    log = SmallLog.of(9)
    log.write(tmp_path)
    program = Path(__file__).with_name("plain_checker.py")
    done = subprocess.run(
        [sys.executable, "-I", program, tmp_path, str(log.key.key)], capture_output=True, text=True, check=True
    )
    assert done.stdout == "9 entries hold\n"
