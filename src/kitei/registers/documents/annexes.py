"""別表3 from the register of documents. Cells are Japanese: annexes are part of the regulation's text."""

from __future__ import annotations

import datetime as dt
import uuid
from collections import Counter
from typing import Any

from django.db.models import Q

from kitei.foundation.sheets.table import Rendering, Table, TableColumn
from kitei.registers.documents import queries
from kitei.registers.documents.columns import CLASSIFICATIONS, DOCUMENT_KINDS, KEPT_AT, LEVEL_NAMES
from kitei.registers.documents.models import DocumentState

COUNTED = ("record", "evidence")
"""Kinds that grow every week: the annex gives their number, the ledger lists them."""

UNNAMED = "閲覧区分が関係者限以上の文書は、名称の記載を省略し、文書の台帳で管理する。"

_KINDS = {choice.value: choice.ja for choice in DOCUMENT_KINDS}
_LEVELS = {choice.value: choice.ja for choice in CLASSIFICATIONS}
_KEPT = {choice.value: choice.ja for choice in KEPT_AT}


def document_ledger(*, organization: Any, day: dt.date, rendering: Rendering) -> tuple[Table, ...]:
    """別表3 管理対象文書: the documents that hold as of ``day``.

    Titles of 関係者限 and 極秘 documents never enter the regulation (decision 0014): everybody in the company reads it, and
    its file is one for all. The internal rendering gives their number, kind, department and classification; the
    disclosure rendering leaves out where documents are kept, and counts those documents by kind. Two queries.
    """
    rows = list(
        DocumentState.objects.filter(organization=organization)
        .as_of(day)
        .filter(Q(withdrawn_on__isnull=True) | Q(withdrawn_on__gt=day))
        .order_by("code")
    )
    counted = Counter(row.kind for row in rows if row.kind in COUNTED)
    listed = [row for row in rows if row.kind not in COUNTED]
    note = ""
    if counted:
        parts = "及び".join(f"{_KINDS[kind]}{counted[kind]}件" for kind in COUNTED if counted[kind])
        note = f"このほか、{parts}を文書の台帳で管理する。"
    unnamed = queries.unnamed(organization=organization, rows=listed)
    if rendering is Rendering.INTERNAL:
        kept_back = UNNAMED if any(row.of_id in unnamed for row in listed) else ""
        return (_internal(listed, note + kept_back, unnamed),)
    return _disclosure(listed, note, unnamed)


def _internal(rows: list[DocumentState], note: str, unnamed: set[uuid.UUID]) -> Table:
    return Table(
        (
            TableColumn("文書番号", 1.3),
            TableColumn("名称", 3.2),
            TableColumn("版", 0.9),
            TableColumn("主管部署", 1.4),
            TableColumn("保管場所", 2.2),
            TableColumn("閲覧区分", 1.1),
            TableColumn("保存年数", 0.9, "right"),
        ),
        tuple(
            (row.code, f"{_KINDS[row.kind]}（名称の記載省略）", "－", row.department, "－", _level(row), "－")
            if row.of_id in unnamed
            else (row.code, row.title, row.version, row.department, _place(row), _level(row), _years(row))
            for row in rows
        ),
        note=note,
        sources=("文書",),
    )


def _disclosure(rows: list[DocumentState], note: str, unnamed: set[uuid.UUID]) -> tuple[Table, ...]:
    shown = [row for row in rows if row.of_id not in unnamed]
    hidden = Counter(row.kind for row in rows if row.of_id in unnamed)
    first = Table(
        (
            TableColumn("文書番号", 1.3),
            TableColumn("名称", 3.6),
            TableColumn("版", 1.0),
            TableColumn("主管部署", 1.6),
            TableColumn("閲覧区分", 1.2),
            TableColumn("保存年数", 1.0, "right"),
        ),
        tuple((row.code, row.title, row.version, row.department, _level(row), _years(row)) for row in shown),
        note=note,
        sources=("文書",),
    )
    if not hidden:
        return (first,)
    second = Table(
        (TableColumn("種類", 3), TableColumn("件数", 1, "right")),
        tuple((_KINDS[kind], f"{hidden[kind]}件") for kind in _KINDS if hidden[kind]),
        caption="名称の記載を省略した文書（閲覧区分が関係者限以上のもの）",
        sources=("文書",),
    )
    return (first, second)


def _place(row: DocumentState) -> str:
    kept = _KEPT.get(row.kept_at, row.kept_at)
    return f"{kept}（{row.place}）" if row.place else kept


def _level(row: DocumentState) -> str:
    return _LEVELS[LEVEL_NAMES[row.classification]]


def _years(row: DocumentState) -> str:
    return f"{row.retention_years}年" if row.retention_years is not None else "－"
