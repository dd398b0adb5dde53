"""Kill a real ``kitei worker --once``, or let a call fail, at the n-th system call of a kind: strace does it.

The method is Tessera's (security.md §1.1): for every call that touches files, at every occurrence. Needs Linux and strace.
"""

from __future__ import annotations

import shutil
import signal
import sqlite3
import subprocess
import sys

CALLS = ("fdatasync", "fsync", "rename", "write", "openat", "unlink", "mkdir")
KILL, EIO = "signal=SIGKILL", "error=EIO"
KILLED = {-signal.SIGKILL, 128 + signal.SIGKILL}


class Missing(Exception):  # noqa: N818  named as the sentence it prints begins
    """strace is not there."""


def require():
    if shutil.which("strace") is None:
        raise Missing(
            "The fault matrix needs strace: install Debian's package strace (as root: apt-get install strace)."
        )


def worker(console, *strace):
    """Run the worker to its end, under strace when options are given; return exit code and what strace wrote."""
    record = console.data.parent / "strace.txt"
    record.unlink(missing_ok=True)
    line = [sys.executable, "-m", "kitei.cli", "worker", "--once"]
    if strace:
        line = ["strace", "-f", "-qq", "-o", str(record), *strace, *line]
    done = subprocess.run(
        line,
        env=console.environment(PYTHONDONTWRITEBYTECODE="1"),
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
    )
    if done.returncode and not strace:
        print(done.stderr)  # noqa: T201  pytest shows it when the test fails
    return done.returncode, record.read_text() if record.exists() else ""


def first_and_last(console, call):
    """Return (number of the first call of this kind that touches the data folder, number of the last one)."""
    _, text = worker(console, "-y", "-e", f"trace={call}")
    lines = [line for line in text.splitlines() if f" {call}(" in line]
    ours = [number for number, line in enumerate(lines, 1) if str(console.data) in line]
    return (ours[0], ours[-1]) if ours else (0, 0)


def inject(console, call, number, what):
    return worker(console, "-e", f"trace={call}", "-e", f"inject={call}:{what}:when={number}")[0]


def time_passes(console):
    """Let the lease of the one that was killed run out."""
    with sqlite3.connect(console.data / "kitei.sqlite3") as database:
        database.execute("UPDATE auditlog_log SET lease_until = NULL, lease_token = NULL")
    database.close()
