"""別表1 from the registers of services and data classes. Cells are Japanese: annexes belong to the regulation's text."""

from __future__ import annotations

import datetime as dt
from typing import Any

from kitei.foundation.sheets.table import Rendering, Table, TableColumn
from kitei.registers.institutions import queries
from kitei.registers.institutions.columns import FORMS, POSITIONS, RESPONSIBILITIES
from kitei.registers.institutions.models import DataClassState, ServiceState

_FORMS = {choice.value: choice.ja for choice in FORMS}
_POSITIONS = {choice.value: choice.ja for choice in POSITIONS}
_RESPONSIBILITIES = {choice.value: choice.ja for choice in RESPONSIBILITIES}


def services(*, organization: Any, day: dt.date, rendering: Rendering) -> tuple[Table, ...]:
    """別表1 対象サービス: services provided on ``day`` with the information they handle. Two queries.

    The disclosure rendering leaves out the company's own service numbers and the clauses of its contracts.
    """
    data = queries.data_of_services(organization=organization, day=day)
    internal = rendering is Rendering.INTERNAL
    rows = []
    for row in queries.provided(organization=organization, day=day):
        cells = (
            row.name,
            _FORMS.get(row.form, row.form),
            _POSITIONS.get(row.position, row.position),
            _handled(data.get(row.of_id, [])),
            "・".join(part for part in (row.storage_country, row.storage_place) if part) or "未登録",
            _updates(row, clause=internal),
        )
        rows.append((row.code, *cells) if internal else cells)
    columns: tuple[TableColumn, ...] = (
        TableColumn("サービス名", 2.0),
        TableColumn("提供形態", 1.4),
        TableColumn("当社の立場", 1.4),
        TableColumn("取り扱う情報", 3.0),
        TableColumn("保存国・場所", 1.8),
        TableColumn("セキュリティ更新責任", 1.6),
    )
    if internal:
        columns = (TableColumn("番号", 0.8), *columns)
    return (
        Table(
            columns,
            tuple(rows),
            note="取り扱う情報には、特に記載がない限り、死者の情報を含む。",
            sources=("サービス", "データ区分"),
        ),
    )


def _handled(classes: list[DataClassState]) -> str:
    return "\n".join(_named(row) for row in classes) or "未登録"


def _named(row: DataClassState) -> str:
    if not row.patient_data:
        return f"{row.name}（患者の情報でない）"
    return (
        f"{row.name}（死者の情報を含む）"
        if row.includes_deceased == "included"
        else f"{row.name}（死者の情報を含まない）"
    )


def _updates(row: ServiceState, *, clause: bool) -> str:
    name = _RESPONSIBILITIES.get(row.update_responsibility, "")
    if not name:
        return "未定"
    return f"{name}（{row.update_clause}）" if clause and row.update_clause else name
