"""The verifier's own tests reach every line and every branch of it."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).parents[2]
LEFT_OUT = {"__init__.py"}
"""A docstring only."""


def test_every_branch_of_the_verifier_is_reached(tmp_path):
    path = os.pathsep.join(str(ROOT / folder) for folder in ("src", "tests", "tests/verify"))
    environment = {**os.environ, "COVERAGE_FILE": str(tmp_path / "data"), "PYTHONPATH": path}
    environment.pop("KITEI_TEST_HOME", None)

    def coverage(*arguments):
        done = subprocess.run(
            [sys.executable, "-m", "coverage", *arguments],
            cwd=ROOT, env=environment, capture_output=True, text=True, check=False,
        )  # fmt: skip
        assert done.returncode == 0, done.stdout[-3000:] + done.stderr[-3000:]

    # The exhaustive ones add no branch; the rest take seconds under measurement. No Django: the verifier has none.
    left_out = (
        "not every_bit and not bits_of and not up_to_ and not plain and not several_processes and not rfc_8785 "
        "and not reached and not one_file_runs"
    )
    coverage(
        "run", "--branch", f"--source={ROOT / 'src/kitei_verify'}", "-m", "pytest", "tests/verify", "-q",
        "--noconftest", "-c", os.devnull, "--rootdir", str(ROOT), "-p", "no:django", "-p", "no:cacheprovider", "-p", "no:xdist", "-p", "few_examples", "-p", "log_fixtures",
        "-k", left_out, "-m", "not long", "--ignore=tests/verify/test_verify_command.py",
    )  # fmt: skip
    coverage("json", "-q", "-o", str(tmp_path / "report.json"))
    measured = json.loads((tmp_path / "report.json").read_text())["files"]
    names = {Path(name).name for name in measured}
    assert names >= {path.name for path in (ROOT / "src/kitei_verify").glob("*.py")} - LEFT_OUT
    missing = {
        Path(name).name: (found["missing_lines"], found["missing_branches"])
        for name, found in measured.items()
        if found["summary"]["percent_covered"] < 100
    }
    assert not missing, json.dumps(missing, indent=1)
