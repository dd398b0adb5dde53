"""``python -m bench``: measures everything issue by issue and prints one Markdown table.

``python -m bench log`` measures the named parts only (pages, imports, processes, log), without the whole commands.
"""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path

ROOT = Path(__file__).parent.parent
KITEI = [sys.executable, "-m", "kitei.cli"]
DEMO = [*KITEI, "demo", "--no-serve", "--today", "2026-11-22", "--password", "bench"]
PARTS = ("pages", "imports", "processes", "log", "access")
ON_DEMO = {"pages", "imports", "processes"}


def environment(data: Path) -> dict[str, str]:
    return {
        **os.environ,
        "KITEI_DATA": str(data),
        "PYTHONPATH": str(ROOT / "src"),
        "DJANGO_SETTINGS_MODULE": "kitei.settings",
        "KITEI_LANG": "ja",
    }


def timed(command: list[str], data: Path, repeat: int = 3, allowed: tuple[int, ...] = (0,)) -> float:
    """Return the best wall time of a command in seconds."""
    best = float("inf")
    for _ in range(repeat):
        start = time.perf_counter()
        done = subprocess.run(command, env=environment(data), capture_output=True, check=False)
        assert done.returncode in allowed, done.stderr.decode()
        best = min(best, time.perf_counter() - start)
    return best


def commands(folder: Path, note: Callable[..., None]) -> None:
    """Time whole commands; the demo they load stays in ``folder`` for the other parts."""
    python = timed([sys.executable, "-c", "pass"], folder)
    help_ = timed([*KITEI, "--help"], folder)
    note("`kitei --help`", "≤ 0.6 s", f"{help_:.2f} s", f"{help_ / python:.1f} × bare Python")

    demo = folder / "demo"
    load = timed(DEMO, demo, repeat=1)
    note("demo loaded", "≤ 25 s", f"{load:.1f} s", f"{load / python:.0f} × bare Python")
    django = timed([sys.executable, "-c", "import django; django.setup()"], demo)
    check = timed([*KITEI, "check"], demo, allowed=(1,))
    note("`kitei check` on the demo", "≤ 2 s", f"{check:.2f} s", f"{check / django:.1f} × django.setup()")
    whole = timed([*KITEI, "build", "--out", str(folder / "out")], demo)
    note("`kitei build`, all formats", "≤ 6 s", f"{whole:.2f} s", f"{whole / django:.1f} × django.setup()")
    pdf = timed([*KITEI, "build", "--out", str(folder / "out"), "--format", "pdf"], demo)
    note("`kitei build --format pdf`", "≤ 2 s", f"{pdf:.2f} s", f"{pdf / django:.1f} × django.setup()")


def main(wanted: list[str]) -> None:
    assert set(wanted) <= set(PARTS), PARTS
    folder = Path(tempfile.mkdtemp(prefix="kitei-bench-"))
    rows: list[tuple[str, str, str, str]] = []

    def note(what: str, limit: str, measured: str, ratio: str = "") -> None:
        rows.append((what, limit, measured, ratio))
        print(f"{what}: {measured} (limit {limit}) {ratio}", flush=True)

    try:
        if not wanted:
            commands(folder, note)
        demo = folder / "demo"
        if not demo.exists() and ON_DEMO & set(wanted):
            timed(DEMO, demo, repeat=1)
        for part in wanted or PARTS:
            done = subprocess.run(
                [sys.executable, "-m", f"bench.{part}", str(demo), str(folder)],
                env={**environment(demo), "PYTHONPATH": f"{ROOT / 'src'}{os.pathsep}{ROOT}"},
                capture_output=True, text=True, check=False, cwd=ROOT,
            )  # fmt: skip
            assert done.returncode == 0, done.stderr
            for line in done.stdout.splitlines():
                if line.startswith("|"):
                    what, limit, measured, ratio = (cell.strip() for cell in line.strip("|").split("|"))
                    note(what, limit, measured, ratio)
    finally:
        shutil.rmtree(folder, ignore_errors=True)
    print("\n| what | limit | measured | ratio |\n|---|---|---|---|")
    for row in rows:
        print("| " + " | ".join(row) + " |")


if __name__ == "__main__":
    main(sys.argv[1:])
