"""Installs a lock file and Kitei itself into this environment, from the package registry the machine is set up with.

Uses uv when the machine has it (faster), pip otherwise. Hashes are required either way.
"""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).parent.parent


def main(lock: str) -> None:
    uv = shutil.which("uv")
    if uv:
        base = [uv, "pip", "install", "--quiet", "--python", sys.executable]
    else:
        base = [sys.executable, "-m", "pip", "install", "--quiet", "--disable-pip-version-check"]
    environment = {**os.environ, "VIRTUAL_ENV": str(Path(sys.executable).parent.parent)}
    subprocess.run([*base, "--require-hashes", "-r", str(ROOT / lock)], check=True, env=environment)
    # Kitei itself is installed as a link to this checkout, without its dependencies: the lock has brought them.
    subprocess.run([*base, "--no-deps", "-e", str(ROOT)], check=True, env=environment)


if __name__ == "__main__":
    main(sys.argv[1])
