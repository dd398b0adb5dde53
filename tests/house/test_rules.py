"""The rules that need the syntax tree: each is tried on snippets of its own, then on the source."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

from house.floors import ROOT

AST_GREP = str(Path(sys.executable).parent / "ast-grep")
RULES = sorted(path.stem for path in (ROOT / "dev" / "ast-grep" / "rules").glob("*.yml"))


def run(*arguments):
    return subprocess.run([AST_GREP, *arguments], cwd=ROOT, capture_output=True, text=True, check=False)


@pytest.mark.parametrize("rule", RULES)
def test_a_rule_tells_its_own_valid_and_invalid_snippets_apart(rule):
    assert (ROOT / "dev" / "ast-grep" / "tests" / f"{rule}-test.yml").exists(), "every rule has snippets"
    done = run("test", "--skip-snapshot-tests", "--filter", f"^{rule}$")
    assert done.returncode == 0, done.stdout + done.stderr


def test_the_source_keeps_the_rules():
    done = run("scan", "--error=unused-suppression", "src")
    assert done.returncode == 0, done.stdout + done.stderr
