"""別表8 from the registers of suppliers. Cells are Japanese: annexes are part of the regulation's text."""

from __future__ import annotations

import datetime as dt
from typing import Any

from kitei.foundation.dates.japanese import format_date
from kitei.foundation.sheets.table import Rendering, Table, TableColumn
from kitei.registers.suppliers import queries
from kitei.registers.suppliers.columns import ANSWERABLE, CATEGORIES, CONFIRMED_HOW, ONWARD
from kitei.registers.suppliers.models import SupplierOrganisationState, SupplierState

_CATEGORIES = {choice.value: choice.ja for choice in CATEGORIES}
_ONWARD = {choice.value: choice.ja for choice in ONWARD}
_HOW = {choice.value: choice.ja for choice in CONFIRMED_HOW}


def suppliers(*, organization: Any, day: dt.date, rendering: Rendering) -> tuple[Table, ...]:
    """別表8: 第1表 再委託先 and 第2表 their organisation, as of ``day``. Two queries.

    The disclosure rendering holds sub-contractors and clouds only, gives the officer's title instead of the name, and
    no contacts.
    """
    rows = list(queries.dealt_with(organization=organization, day=day).select_related("parent").order_by("code"))
    records = queries.organisation_of(organization=organization, day=day)
    names = {row.of_id: row.name for row in rows}
    internal = rendering is Rendering.INTERNAL
    shown = [row for row in rows if internal or row.category in ANSWERABLE]
    answerable = [row for row in shown if row.category in ANSWERABLE]
    return (
        _first(shown, names, internal=internal, era=organization.era_dates),
        _second(answerable, records, internal=internal, era=organization.era_dates),
    )


def _first(rows: list[SupplierState], names: dict[Any, str], *, internal: bool, era: bool) -> Table:
    cells = []
    for row in rows:
        work = f"{row.work}（{names.get(row.parent_id, row.parent.code)}の再委託先）" if row.parent else row.work
        certified = row.certification
        if certified and row.certification_until:
            certified = f"{certified}（{format_date(row.certification_until, era=era)}まで）"
        common = (
            row.name,
            _CATEGORIES.get(row.category, row.category),
            work,
            row.data,
            row.country or "未登録",
            _ONWARD.get(row.onward, "未確認"),
        )
        until = format_date(row.contract_until, era=era) if row.contract_until else "定めなし"
        evaluated = format_date(row.evaluated_on, era=era) if row.evaluated_on else "未評価"
        cells.append((*common, until, evaluated, certified or "なし") if internal else (*common, certified or "なし"))
    columns: tuple[TableColumn, ...] = (
        TableColumn("名称", 2.0),
        TableColumn("区分", 1.5),
        TableColumn("業務", 1.8),
        TableColumn("取り扱う情報", 1.6),
        TableColumn("所在国", 0.9),
        TableColumn("再々委託", 0.9, "center"),
    )
    if internal:
        columns = (*columns, TableColumn("契約期限", 1.4), TableColumn("評価日", 1.4))
    return Table((*columns, TableColumn("認証", 1.8)), tuple(cells), caption="第1表　再委託先", sources=("委託先",))


def _given(contact: str) -> str:
    """Contact data are private and never frozen by value (design §2.7): the annex says only whether they are recorded."""
    return "登録あり" if contact else "登録なし"


def _second(rows: list[SupplierState], records: Any, *, internal: bool, era: bool) -> Table:
    cells = []
    for row in rows:
        record: SupplierOrganisationState | None = records.get(row.of_id)
        if record is None:
            cells.append((row.name, "未登録", "", "", "未確認", "") if internal else (row.name, "未登録", "未確認", ""))
            continue
        confirmed = format_date(record.confirmed_on, era=era) if record.confirmed_on else "未確認"
        how = _HOW.get(record.confirmed_how, "")
        if internal:
            officer = f"{record.officer_title} {record.officer}".strip() or "未登録"
            cells.append((row.name, officer, _given(record.contact), _given(record.emergency_contact), confirmed, how))
        else:
            title = record.officer_title or ("責任者（氏名の記載省略）" if record.officer else "未登録")
            cells.append((row.name, title, confirmed, how))
    columns: tuple[TableColumn, ...] = (
        TableColumn("名称", 2.0),
        TableColumn("責任者" if internal else "責任者の役職", 2.0),
    )
    if internal:
        columns = (*columns, TableColumn("連絡先", 2.0), TableColumn("緊急連絡先", 2.0))
    return Table(
        (*columns, TableColumn("確認日", 1.4), TableColumn("確認方法", 1.0)),
        tuple(cells),
        caption="第2表　再委託先の体制",
        sources=("委託先", "委託先の体制"),
    )
