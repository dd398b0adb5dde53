"""別表9 機器台帳集計 and 別表10 責任分界表. Cells are Japanese: annexes are part of the regulation's text.

The disclosure rendering names no institution, document or place and gives counts in bands (japan.md §3 "Two renderings").
"""

from __future__ import annotations

import datetime as dt
import uuid
from collections.abc import Iterable, Mapping
from typing import Any

from django.db.models import Count, Q

from kitei.engine.checks.model import registry
from kitei.foundation.dates.japanese import format_date
from kitei.foundation.sheets.table import Rendering, Table, TableColumn
from kitei.registers.equipment import queries
from kitei.registers.equipment.checks import MONTHS_A, MONTHS_B
from kitei.registers.equipment.columns import PLACEMENTS, RESPONSIBLE
from kitei.registers.equipment.models import EquipmentKindState

NOT_DECIDED = "未定"
NOT_WRITTEN = "記載なし"
_PLACEMENTS = {choice.value: (index, choice.ja) for index, choice in enumerate(PLACEMENTS)}
_PARTIES = {choice.value: choice.ja for choice in RESPONSIBLE}
_BANDS = ((10, "10未満"), (50, "10以上50未満"), (100, "50以上100未満"), (500, "100以上500未満"))


def band(count: int) -> str:
    """Return the band a count falls into, as a disclosure prints it."""
    return next((name for limit, name in _BANDS if count < limit), "500以上")


def ledger_summary(
    *, organization: Any, day: dt.date, rendering: Rendering, months_a: int | None = None, months_b: int | None = None
) -> tuple[Table, ...]:
    """別表9: devices not disposed of by kind and placement, with how many were located in time. Two queries.

    ``months_a`` and ``months_b`` are the intervals of 所在確認 in force; without them Kitei's recommendation is used.
    """
    months_a = registry.defaults[MONTHS_A].value if months_a is None else months_a
    months_b = registry.defaults[MONTHS_B].value if months_b is None else months_b
    kinds = queries.kind_states(organization=organization, day=day)
    rows = queries.with_located(
        queries.ledger(organization=organization, day=day).exclude(state="disposed"),
        organization=organization,
        day=day,
        months_a=months_a,
        months_b=months_b,
    )
    groups = rows.values("kind_id", "placement").annotate(total=Count("pk"), found=Count("pk", filter=Q(located=True)))
    shown = rendering is Rendering.INTERNAL
    cells = [
        (
            kinds[group["kind_id"]].name if group["kind_id"] in kinds else "",
            (kinds[group["kind_id"]].management if group["kind_id"] in kinds else "") or NOT_WRITTEN,
            _PLACEMENTS.get(group["placement"], (0, group["placement"]))[1],
            f"{group['total']:,}" if shown else band(group["total"]),
            f"{group['found']:,}／{group['total']:,}" if shown else _whole(group["found"], group["total"]),
        )
        for group in sorted(
            groups, key=lambda group: (_order(kinds, group["kind_id"]), _PLACEMENTS.get(group["placement"], (0, ""))[0])
        )
    ]
    columns = (
        TableColumn("機器区分", 1.8),
        TableColumn("管理方法", 3.2),
        TableColumn("設置先区分", 1.3),
        TableColumn("台数", 1.1, "right" if shown else "left"),
        TableColumn("所在確認（確認済／対象）" if shown else "所在確認", 1.4, "right" if shown else "left"),
    )
    note = (
        f"廃棄済の機器を除く。所在確認は、{months_a}か月（医療情報を保存する機器、医療機関等に設置した機器など）又は"
        f"{months_b}か月（その他の機器）以内に所在を確かめた台数による。"
    )
    return (Table(columns, tuple(cells), note=note, sources=("機器区分", "機器")),)


def responsibility(*, organization: Any, day: dt.date, rendering: Rendering) -> tuple[Table, ...]:
    """別表10 behind its written 第1表: 第2表 who answers by kind, 第3表 what holds at institutions; both 現況. Three queries."""
    kinds = queries.kind_states(organization=organization, day=day)
    groups = list(
        queries.ledger(organization=organization, day=day)
        .exclude(state="disposed")
        .filter(placement="institution")
        .values("institution_id", "kind_id", "responsible", "vulnerability", "clause", "agreement__code", "agreed_on")
        .annotate(total=Count("pk"))
    )
    if rendering is Rendering.DISCLOSURE:
        return (_standard(kinds), _by_kind(kinds, groups, day))
    institutions = queries.institution_labels(organization=organization, day=day)
    return (_standard(kinds), _by_institution(kinds, institutions, groups, day, era=organization.era_dates))


def _standard(kinds: Mapping[uuid.UUID, EquipmentKindState]) -> Table:
    columns = tuple(
        TableColumn(header, width)
        for header, width in (
            ("機器区分", 2.0),
            ("管理責任", 1.3),
            ("脆弱性管理の責任", 1.5),
            ("脆弱性への対応方法", 4.0),
        )
    )
    rows = tuple(
        (row.name, _party(row.responsible), _party(row.vulnerability), row.vulnerability_method or NOT_WRITTEN)
        for row in kinds.values()
    )
    return Table(columns, rows, caption="第2表　機器区分ごとの責任", sources=("機器区分",))


def _by_institution(
    kinds: Mapping[uuid.UUID, EquipmentKindState],
    institutions: Mapping[uuid.UUID, tuple[str, str]],
    groups: Iterable[Mapping[str, Any]],
    day: dt.date,
    *,
    era: bool,
) -> Table:
    nobody = ("", NOT_WRITTEN)
    ordered = sorted(
        groups,
        key=lambda group: (
            institutions.get(group["institution_id"], nobody)[0],
            _order(kinds, group["kind_id"]),
            group["responsible"],
            group["vulnerability"],
            group["agreement__code"] or "",
            group["clause"],
            group["agreed_on"] or dt.date.max,
        ),
    )
    rows = tuple(
        (
            institutions.get(group["institution_id"], nobody)[1],
            kinds[group["kind_id"]].name if group["kind_id"] in kinds else "",
            f"{group['total']:,}",
            _party(group["responsible"]),
            _party(group["vulnerability"]),
            " ".join(part for part in (group["agreement__code"], group["clause"]) if part) or NOT_WRITTEN,
            format_date(group["agreed_on"], era=era) if group["agreed_on"] and group["agreed_on"] <= day else "未合意",
        )
        for group in ordered
    )
    columns = (
        TableColumn("医療機関等", 2.4),
        TableColumn("機器区分", 1.8),
        TableColumn("台数", 0.7, "right"),
        TableColumn("管理責任", 1.2),
        TableColumn("脆弱性管理", 1.2),
        TableColumn("合意文書・条", 1.6),
        TableColumn("合意日", 1.5),
    )
    return Table(columns, rows, caption="第3表　医療機関等に設置した機器", sources=("機器", "医療機関等"))


def _by_kind(kinds: Mapping[uuid.UUID, EquipmentKindState], groups: Iterable[Mapping[str, Any]], day: dt.date) -> Table:
    """第3表 of the disclosure: no institution is named, so rows are merged over all of them."""
    merged: dict[tuple[str, str, str, str], list[Mapping[str, Any]]] = {}
    for group in groups:
        key = (
            _order(kinds, group["kind_id"]),
            kinds[group["kind_id"]].name if group["kind_id"] in kinds else "",
            _party(group["responsible"]),
            _party(group["vulnerability"]),
        )
        merged.setdefault(key, []).append(group)
    rows = []
    for key, parts in sorted(merged.items(), key=lambda item: item[0]):
        total = sum(part["total"] for part in parts)
        agreed = sum(part["total"] for part in parts if _agreed(part, day))
        rows.append(
            (
                *key[1:2],
                band(len({part["institution_id"] for part in parts})),
                band(total),
                *key[2:],
                _whole(agreed, total),
            )
        )
    columns = (
        TableColumn("機器区分", 2.0),
        TableColumn("設置先の数", 1.3),
        TableColumn("台数", 1.3),
        TableColumn("管理責任", 1.3),
        TableColumn("脆弱性管理", 1.3),
        TableColumn("合意", 1.1),
    )
    return Table(columns, tuple(rows), caption="第3表　医療機関等に設置した機器", sources=("機器", "医療機関等"))


def _agreed(group: Mapping[str, Any], day: dt.date) -> bool:
    written = bool(group["agreement__code"] or group["clause"])
    return written and group["agreed_on"] is not None and group["agreed_on"] <= day


def _whole(part: int, total: int) -> str:
    return "全部済" if part == total else "一部済" if part else "未了"


def _order(kinds: Mapping[uuid.UUID, EquipmentKindState], key: uuid.UUID) -> str:
    return kinds[key].code if key in kinds else ""


def _party(value: str) -> str:
    return _PARTIES.get(value) or NOT_DECIDED
