"""The verifier as one file: ``python kitei-verify.pyz`` runs wherever Python and the package cryptography are installed."""

from __future__ import annotations

import importlib.resources
import io
import zipfile

_MAIN = """from kitei_verify.__main__ import main

if __name__ == "__main__":
    raise SystemExit(main())
"""
_SHEBANG = b"#!/usr/bin/env python3\n"
_EPOCH = (1980, 1, 1, 0, 0, 0)


def build() -> bytes:
    """Return the archive. The same sources give the same bytes on every machine: names sorted, no times, not compressed."""
    package = importlib.resources.files("kitei_verify")
    sources = {
        f"kitei_verify/{item.name}": item.read_bytes() for item in package.iterdir() if item.name.endswith(".py")
    }
    sources["__main__.py"] = _MAIN.encode()
    packed = io.BytesIO()
    packed.write(_SHEBANG)
    with zipfile.ZipFile(packed, "a", zipfile.ZIP_STORED) as archive:
        for name in sorted(sources):
            entry = zipfile.ZipInfo(name, _EPOCH)
            entry.create_system = 3  # the same on Windows
            entry.external_attr = 0o644 << 16
            # Line ends as in the repository, also from a checkout that changed them.
            archive.writestr(entry, sources[name].replace(b"\r\n", b"\n"))
    return packed.getvalue()
