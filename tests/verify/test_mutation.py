"""Changing the verifier's core one small thing at a time: its tests notice."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]


@pytest.mark.long
@pytest.mark.timeout(5400)
def test_nineteen_of_twenty_mutants_are_noticed():
    done = subprocess.run(
        [sys.executable, ROOT / "tools" / "mutate.py", "--jobs", "2", "--least", "95"],
        capture_output=True, text=True, check=False,
    )  # fmt: skip
    assert done.returncode == 0, done.stdout + done.stderr
