"""A plain table on its way to paper: an annex, an export, a matrix.

Cells are finished Japanese text (register data and regulation text are not translated, design §6).
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from enum import StrEnum


class Nature(StrEnum):
    """Whether text changes by revision only or follows the registers (design §2.2)."""

    PROVISION = "provision"  # 規範: part of the approved text
    FACT = "fact"  # 現況: drawn from registers, re-rendered without approval


class Rendering(StrEnum):
    """Who a document is made for."""

    INTERNAL = "internal"  # 社内版
    DISCLOSURE = "disclosure"  # 開示版: names become roles, private numbers and serials are dropped


@dataclass(frozen=True)
class TableColumn:
    """One column: its header, its share of the width (relative), alignment ``left|center|right``, and its nature."""

    header: str
    width: float = 1.0
    align: str = "left"
    nature: Nature = Nature.FACT


@dataclass(frozen=True)
class Table:
    """Rows of finished text under headers. ``caption`` is e.g. 「第1表　認める資格」; ``note`` stands below the table."""

    columns: Sequence[TableColumn]
    rows: Sequence[Sequence[str]]
    caption: str = ""
    note: str = ""
    empty: str = "該当なし"
    sources: Sequence[str] = field(default_factory=tuple)
