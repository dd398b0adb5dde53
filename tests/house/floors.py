"""Where a module stands in the house: read from the import contracts, so that the order is written once."""

from __future__ import annotations

import tomllib
from pathlib import Path

ROOT = Path(__file__).parents[2]
SOURCE = ROOT / "src" / "kitei"
# Django's own rooms and our libraries lie below everything.
GROUND = (-1, -1)


def order():
    """Return container -> names from the top down."""
    contracts = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["tool"]["importlinter"][
        "contracts"
    ]
    return {
        contract["containers"][0]: [layer.strip("()") for layer in contract["layers"]]
        for contract in contracts
        if contract["type"] == "layers"
    }


def height(module):
    """Return (floor, room) of a dotted name; the larger, the higher. ValueError for a place no contract knows."""
    parts = module.split(".")
    if parts[0] != "kitei":
        return GROUND
    floors = order()
    names = floors["kitei"]
    floor = len(names) - names.index(parts[1])
    rooms = floors.get(f"kitei.{parts[1]}")
    if rooms is None or len(parts) < 3:
        return (floor, 0)
    return (floor, len(rooms) - rooms.index(parts[2]))


def height_of_file(path):
    """Return the height of a file below src/kitei."""
    return height(".".join(("kitei", *path.relative_to(SOURCE).parts[:-1])))
