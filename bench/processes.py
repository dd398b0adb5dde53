"""Memory of all ``kitei serve`` processes together, and the size of the installation."""

from __future__ import annotations

import os
import signal
import socket
import subprocess
import sys
import tempfile
import time
import tomllib
import urllib.request
from pathlib import Path

ROOT = Path(__file__).parent.parent


def main(data: Path) -> None:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    server = subprocess.Popen(
        [sys.executable, "-m", "kitei.cli", "serve", "--port", str(port)],
        env={**os.environ, "KITEI_DATA": str(data)},
        start_new_session=True,
    )
    try:
        for _ in range(100):
            time.sleep(0.1)
            try:
                urllib.request.urlopen(f"http://127.0.0.1:{port}/healthz", timeout=1)
                break
            except OSError:
                continue
        for _ in range(60):
            urllib.request.urlopen(f"http://127.0.0.1:{port}/login", timeout=5).read()
        total = sum(pss(pid) for pid in family(server.pid))
        print(f"| all `serve` processes | ≤ 350 MB PSS | {total / 1024:.0f} MB | {len(family(server.pid))} processes |")
    finally:
        os.killpg(server.pid, signal.SIGTERM)
        server.wait(20)
    install()


def family(pid: int) -> list[int]:
    children = Path(f"/proc/{pid}/task/{pid}/children").read_text().split()
    return [pid, *(member for child in children for member in family(int(child)))]


def pss(pid: int) -> int:
    for line in Path(f"/proc/{pid}/smaps_rollup").read_text().splitlines():
        if line.startswith("Pss:"):
            return int(line.split()[1])
    return 0


def install() -> None:
    """Install into a fresh environment the way ``make setup`` does and measure time and size."""
    with tempfile.TemporaryDirectory() as folder:
        environment = Path(folder) / "venv"
        subprocess.run([sys.executable, "-m", "venv", str(environment)], check=True)
        start = time.perf_counter()
        subprocess.run(
            [str(environment / "bin" / "python"), "-m", "pip", "install", "-q", "--disable-pip-version-check", "--require-hashes",
             "-r", str(ROOT / "requirements.lock")],
            check=True,
        )  # fmt: skip
        took = time.perf_counter() - start
        size = sum(path.lstat().st_size for path in environment.rglob("*") if path.is_file()) / 1e6
    direct = len(tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]["dependencies"])
    print(f"| install with pip | ≤ 500 MB, ≤ 90 s, ≤ 40 direct | {size:.0f} MB, {took:.0f} s, {direct} direct | |")


if __name__ == "__main__":
    main(Path(sys.argv[1]))
