"""Import of 10,000 devices: dry run, apply, peak memory, and what eight readers notice meanwhile."""

from __future__ import annotations

import os
import resource
import shutil
import subprocess
import sys
import threading
import time
from pathlib import Path

import django

ROWS = 10_000


def main(folder: Path) -> None:
    django.setup()
    from django.db import connections

    from kitei.foundation import clock
    from kitei.foundation.sheets import spec, writer
    from kitei.registers.equipment.models import EquipmentState

    path = folder / "devices.xlsx"
    sheet = spec.get("equipment")
    kind = EquipmentState.objects.select_related("kind").first().kind.code
    base = {column.key: column.default for column in sheet.columns}
    rows = [
        {
            **base,
            "code": f"NEW-{number:05d}",
            "kind": kind,
            "name": f"端末 {number}",
            "placement": "own",
            "state": "in-use",
            "responsible": "own",
            "vulnerability": "own",
        }
        for number in range(ROWS)
    ]
    with path.open("wb") as stream:
        writer.write_export(stream, [sheet], rows=lambda _sheet: rows, timestamp=clock.now())
    baseline = raw_insert(folder)
    start = time.perf_counter()
    run(["import", str(path)])
    dry = time.perf_counter() - start
    print(f"| import of {ROWS:,} devices, dry run | ≤ 6 s | {dry:.1f} s | {dry / baseline:.0f} × raw executemany |")

    waits: list[float] = []
    errors: list[str] = []
    stop = threading.Event()

    def read() -> None:
        while not stop.is_set():
            began = time.perf_counter()
            try:
                list(EquipmentState.objects.order_by("code").values_list("code", "name")[:50])
            except Exception as error:  # noqa: BLE001  what a reader would see is what is measured
                errors.append(str(error))
            waits.append(time.perf_counter() - began)
            time.sleep(0.01)
        connections.close_all()

    readers = [threading.Thread(target=read) for _ in range(8)]
    for reader in readers:
        reader.start()
    start = time.perf_counter()
    run(["import", str(path), "--apply"])
    took = time.perf_counter() - start
    stop.set()
    for reader in readers:
        reader.join()
    peak = resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss / 1024
    print(
        f"| the same, apply | ≤ 15 s, ≤ 400 MB | {took:.1f} s, {peak:.0f} MB | {took / baseline:.0f} × raw executemany |"
    )
    print(
        f"| 8 readers meanwhile | 0 errors, wait ≤ 4 s | {len(errors)} errors, longest {max(waits):.2f} s | {len(waits)} reads |"
    )


def run(arguments: list[str]) -> None:
    done = subprocess.run([sys.executable, "-m", "kitei.cli", *arguments], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout[-2000:] + done.stderr


def raw_insert(folder: Path) -> float:
    """Time a plain sqlite3 executemany of as many rows of the same width: what the disk and SQLite themselves need."""
    import sqlite3

    database = sqlite3.connect(folder / "raw.sqlite3")
    database.execute("PRAGMA journal_mode=WAL")
    database.execute(f"CREATE TABLE raw ({', '.join(f'c{n}' for n in range(30))})")
    rows = [tuple(f"{number}-{column}" for column in range(30)) for number in range(ROWS)]
    start = time.perf_counter()
    with database:
        database.executemany(f"INSERT INTO raw VALUES ({', '.join('?' * 30)})", rows)
    database.close()
    return time.perf_counter() - start


if __name__ == "__main__":
    copy = Path(sys.argv[2]) / "imports"
    shutil.copytree(sys.argv[1], copy)
    os.environ["KITEI_DATA"] = str(copy)
    main(copy)
