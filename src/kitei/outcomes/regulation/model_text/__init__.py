"""The model regulation Kitei offers as a start: one text in several files, read in the order of their names."""

from __future__ import annotations

from importlib import resources


def model_text() -> str:
    """Return the whole model text in the format of ``source.py``."""
    folder = resources.files(__name__)
    parts = sorted((part for part in folder.iterdir() if part.name.endswith(".kitei")), key=lambda part: part.name)
    return "\n".join(part.read_text(encoding="utf-8") for part in parts)
