"""Writes docs/reference/events.md from the declared events. A test compares the two."""

from __future__ import annotations

import importlib
import os
import sys
from pathlib import Path

ROOT = Path(__file__).parent.parent
SOURCE = ROOT / "src" / "kitei"
PAGE = ROOT / "docs" / "reference" / "events.md"
HEAD = """# Events

Every act Kitei records, by its fixed name. Made by `python tools/reference.py`; a test compares this page with the source.

| Event | 日本語 | English |
|---|---|---|
"""


def events_page() -> str:
    """Return the page of all events declared so far."""
    from kitei.trust.auditlog import vocabulary  # noqa: PLC0415  after the path is set

    return HEAD + "".join(f"| `{event.name}` | {event.ja} | {event.en} |\n" for event in vocabulary.known().values())


def main() -> None:
    sys.path.insert(0, str(SOURCE.parent))
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "kitei.settings")
    import django  # noqa: PLC0415

    django.setup()
    for path in SOURCE.rglob("events.py"):
        importlib.import_module(".".join(("kitei", *path.relative_to(SOURCE).with_suffix("").parts)))
    PAGE.parent.mkdir(parents=True, exist_ok=True)
    PAGE.write_text(events_page(), encoding="utf-8")


if __name__ == "__main__":
    main()
