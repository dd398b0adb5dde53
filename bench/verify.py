"""Verifying a large log: `make_log` writes one of Kitei's form without the product, `measure` verifies it in a process of its own."""

from __future__ import annotations

import hashlib
import json
import shutil
import subprocess
import sys
import tempfile
import uuid
from pathlib import Path

from kitei_verify import checkpoint, merkle, note, tiles

ORIGIN = "kitei/bench/main"
SEED = hashlib.sha256(b"kitei bench").digest()


def entry(index: int, signer: note.Signer) -> bytes:
    """Return one event of some 400 bytes; the first one opens the log."""
    digest = hashlib.sha256(index.to_bytes(8)).hexdigest()
    payload = {
        "v": 1,
        "id": str(uuid.UUID(digest[:32])),
        "at": f"2026-11-22T{index // 3600 % 24:02d}:{index // 60 % 60:02d}:{index % 60:02d}.{index % 1000000:06d}Z",
        "org": "main",
        "name": "document:view",
        "outcome": "ok" if index % 50 else "refused",
        "actor": ["member", str(uuid.UUID(digest[16:48]))],
        "object": ["document", str(uuid.UUID(digest[32:]))],
        "request": digest[:16],
        "session": digest[16:32],
        "strength": "password+totp",
        "face": "web",
        "decision": {"grant": digest[:12]},
    }
    if index == 0:
        payload |= {
            "name": "log:open",
            "outcome": "ok",
            "data": {"origin": ORIGIN, "generation": 1, "vkey": str(signer.key)},
        }
    return json.dumps(payload, ensure_ascii=False, sort_keys=True, separators=(",", ":")).encode()


def make_log(folder: Path, count: int) -> note.VerifierKey:
    """Write a log of ``count`` events (``folder`` must not exist) and return its key. A million takes half a minute."""
    signer = note.Signer(ORIGIN, SEED)
    rows: list[list[bytes]] = []
    indexes: list[int] = []
    tree = merkle.CompactRange()

    def write(path: str, data: bytes) -> None:
        target = folder / path
        target.parent.mkdir(parents=True, exist_ok=True)
        target.write_bytes(data)

    def push(level: int, node: bytes) -> None:
        if level == len(rows):
            rows.append([])
            indexes.append(0)
        rows[level].append(node)
        if len(rows[level]) == tiles.WIDTH:
            full, rows[level] = rows[level], []
            write(tiles.tile_path(level, indexes[level]), b"".join(full))
            indexes[level] += 1
            push(level + 1, merkle.subtree_root(full))

    for first in range(0, count, tiles.WIDTH):
        entries = [entry(index, signer) for index in range(first, min(first + tiles.WIDTH, count))]
        write(tiles.tile_path(tiles.ENTRIES, first // tiles.WIDTH, len(entries)), tiles.encode_bundle(entries))
        leaves = [merkle.leaf_hash(one) for one in entries]
        tree.extend(leaves)
        for leaf in leaves:
            push(0, leaf)
    for level, row in enumerate(rows):
        if row:
            write(tiles.tile_path(level, indexes[level], len(row)), b"".join(row))
    write("checkpoint", checkpoint.sign(checkpoint.Checkpoint(ORIGIN, count, tree.root()), signer))
    write("log.vkey", f"{signer.key}\n".encode())
    return signer.key


_CHILD = """
import pathlib, resource, sys, time
from kitei_verify import logdir, note
if __name__ == "__main__":
    began = time.perf_counter()
    result = logdir.verify(pathlib.Path(sys.argv[1]), keys=[note.parse_key(sys.argv[2])],
                           hashes_only=sys.argv[3] == "hashes", jobs=int(sys.argv[4]) or None).require()
    seconds = time.perf_counter() - began
    own = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    child = resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss
    print(seconds, own, child, result.size)
"""


def verify(folder: Path, key: note.VerifierKey, *, mode: str, jobs: int = 0) -> tuple[float, float]:
    """Verify in a new process; return (seconds, MiB at most of all its processes). ``mode``: hashes or contents."""
    import os

    workers = (jobs or os.cpu_count() or 1) if jobs != 1 else 0
    with tempfile.NamedTemporaryFile("w", suffix=".py") as script:
        script.write(_CHILD)
        script.flush()
        source = str(Path(note.__file__).parents[1])
        done = subprocess.run(
            [sys.executable, script.name, str(folder), str(key), mode, str(jobs)],
            capture_output=True,
            text=True,
            check=True,
            env={**os.environ, "PYTHONPATH": source},
        )
    seconds, own, child, _ = done.stdout.split()
    return float(seconds), (int(own) + workers * int(child)) / 1024


def measure(count: int = 1_000_000) -> list[dict[str, object]]:
    """Make a log of ``count`` events in a temporary folder, verify it both ways, and return the figures."""
    folder = Path(tempfile.mkdtemp(prefix="kitei-bench-verify-")) / "log"
    try:
        key = make_log(folder, count)
        figures = []
        for mode in ("hashes", "contents"):
            runs = [verify(folder, key, mode=mode) for _ in range(2)]
            seconds, memory = min(runs)[0], max(memory for _, memory in runs)
            figures.append({"what": f"verify {mode}", "events": count, "seconds": seconds, "MiB": memory})
        return figures
    finally:
        shutil.rmtree(folder.parent)


if __name__ == "__main__":
    for figure in measure(int(sys.argv[1]) if len(sys.argv) > 1 else 1_000_000):
        print(figure)
