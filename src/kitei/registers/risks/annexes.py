"""別表13 リスク対応・運用手順対応表. Cells are Japanese: annexes are part of the regulation's text."""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping
from typing import Any

from kitei.foundation.dates.japanese import format_date
from kitei.foundation.sheets.table import Nature, Rendering, Table, TableColumn
from kitei.registers.people import queries as people
from kitei.registers.risks import queries
from kitei.registers.risks.columns import CYCLES, NEEDED
from kitei.registers.risks.models import MeasureState, ProcedureState, RiskState

NOT_WRITTEN = "記載なし"
_CYCLES = {choice.value: choice.ja for choice in CYCLES}
_NEEDED = {choice.value: choice.ja for choice in NEEDED}


def measures(*, organization: Any, day: dt.date, rendering: Rendering) -> tuple[Table, ...]:
    """別表13: every adopted measure with its risks, 運用要否, article and procedures; one row a procedure.

    All but the last column change by revision only (規範); the day it was last done is a fact. The disclosure rendering
    keeps the risks' numbers and leaves out what they are and how grave; a 規範 column it keeps reads the same in both
    renderings, so that a disclosure can be made of the rows an edition froze. Five queries.
    """
    risks = queries.all_risks(organization=organization, day=day)
    procedures = queries.all_procedures(organization=organization, day=day)
    titles = people.titles(organization=organization, day=day)
    internal = rendering is Rendering.INTERNAL
    rows: list[tuple[str, ...]] = []
    for measure in queries.all_measures(organization=organization, day=day):
        if measure.adopted != "adopted":
            continue
        used: list[ProcedureState | None] = [procedures[code] for code in measure.procedures if code in procedures]
        for procedure in used or [None]:
            named = (_risks(measure, risks),) if internal else ()
            rows.append(
                (
                    "、".join(measure.risks),
                    *named,
                    f"{measure.code} {measure.name}",
                    _NEEDED.get(measure.operation_needed, "未定"),
                    _place(measure, procedure),
                    _CYCLES.get(procedure.cycle, NOT_WRITTEN) if procedure else "",
                    titles.get(procedure.owner_role, NOT_WRITTEN) if procedure else "",
                    _done(procedure, day, era=organization.era_dates),
                )
            )
    headers: list[tuple[str, float]] = [("リスク番号", 1.1)]
    if internal:
        headers.append(("リスク", 2.4))
    headers += [("対策", 2.4), ("運用要否", 0.9), ("条・手順番号（版）", 2.2), ("周期", 1.0), ("担当", 1.6)]
    columns = (
        *(TableColumn(header, width, nature=Nature.PROVISION) for header, width in headers),
        TableColumn("最終実施日", 1.5),
    )
    note = "採用した対策を掲げる。" + ("リスクの括弧内は、リスクレベルを示す。" if internal else "")
    return (Table(columns, tuple(rows), note=note, sources=("リスク", "対策", "運用手順")),)


def _risks(measure: MeasureState, risks: Mapping[str, RiskState]) -> str:
    found = (risks[code] for code in measure.risks if code in risks)
    return "、".join(f"{risk.title}（{risk.level}）" if risk.level else risk.title for risk in found)


def _place(measure: MeasureState, procedure: ProcedureState | None) -> str:
    named = ""
    if procedure is not None:
        named = f"{procedure.code}（{procedure.version}）" if procedure.version else procedure.code
    elif measure.operation_needed == "needed":
        named = "手順なし"
    return " ".join(part for part in (measure.article, named) if part)


def _done(procedure: ProcedureState | None, day: dt.date, *, era: bool) -> str:
    if procedure is None:
        return ""
    if procedure.last_done_on and procedure.last_done_on <= day:
        return format_date(procedure.last_done_on, era=era)
    return "実施なし" if procedure.cycle != "as-needed" else ""
