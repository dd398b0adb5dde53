"""Write dist/kitei-verify.pyz: the auditor's verifier as one file. The same sources give the same bytes."""

from __future__ import annotations

import hashlib
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
sys.path.insert(0, str(ROOT / "src"))


def main() -> int:
    from kitei_verify import pack  # noqa: PLC0415  after the path is set

    target = ROOT / "dist" / "kitei-verify.pyz"
    target.parent.mkdir(exist_ok=True)
    content = pack.build()
    target.write_bytes(content)
    target.chmod(0o755)
    print(f"{target.relative_to(ROOT)}  {len(content)} bytes  sha256 {hashlib.sha256(content).hexdigest()}")
    return 0


if __name__ == "__main__":
    raise SystemExit(main())
