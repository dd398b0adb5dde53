"""Drawing the regulation as of a day: the text, with the annexes filled from the registers."""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from typing import Any

from kitei.engine.checks.model import Provision, registry
from kitei.foundation import clock, transactions
from kitei.foundation.dates.japanese import format_date
from kitei.foundation.sheets.table import Nature, Rendering, Table
from kitei.outcomes.regulation import provisions as stated
from kitei.outcomes.regulation.compose import compose
from kitei.outcomes.regulation.model import ApprovalCell, HistoryRow, Regulation
from kitei.outcomes.regulation.models import Edition
from kitei.outcomes.regulation.source import Source, parse
from kitei.registers.documents import annexes as documents
from kitei.registers.equipment import annexes as equipment
from kitei.registers.institutions import annexes as institutions
from kitei.registers.people import annexes as people
from kitei.registers.risks import annexes as risks
from kitei.registers.suppliers import annexes as suppliers

Drawing = Callable[..., tuple[Table, ...]]

DRAWINGS: dict[str, Drawing] = {
    "services": institutions.services,
    "documents": documents.document_ledger,
    "officers": people.officers,
    "emergency": people.emergency,
    "suppliers": suppliers.suppliers,
    "responsibility": equipment.responsibility,
    "measures": risks.measures,
}
"""Annex id -> what draws its tables from the registers. 別表5 and 別表9 also need provisions and are drawn apart."""


def draw_annexes(
    *, organization: Any, day: dt.date, rendering: Rendering, provisions: Mapping[str, Provision]
) -> dict[str, tuple[Table, ...]]:
    """Draw every register annex as of ``day``, from one consistent read."""
    values = {key: provision.value for key, provision in {**registry.defaults, **provisions}.items()}
    years = values["people.administrator-years"]
    with transactions.snapshot():
        tables = {key: draw(organization=organization, day=day, rendering=rendering) for key, draw in DRAWINGS.items()}
        tables["equipment"] = equipment.ledger_summary(
            organization=organization,
            day=day,
            rendering=rendering,
            months_a=values["equipment.confirm-months-a"],
            months_b=values["equipment.confirm-months-b"],
        )
        tables["qualifications"] = people.qualifications(
            organization=organization, day=day, rendering=rendering, years=years
        )
    return tables


def build(
    *,
    organization: Any,
    text: str,
    day: dt.date,
    rendering: Rendering = Rendering.INTERNAL,
    edition: str = "",
    effective_on: dt.date | None = None,
    summary: str = "",
    approvals: tuple[ApprovalCell, ...] = (),
) -> Regulation:
    """Compose ``text`` (the model format) into a whole regulation of ``organization`` with its annexes as of ``day``.

    Without ``effective_on`` it is a draft (案). Raises UserError when the text is faulty.
    """
    source = parse(text)
    tables = draw_annexes(organization=organization, day=day, rendering=rendering, provisions=stated.read(source))
    return assemble(
        organization=organization,
        source=source,
        tables=tables,
        day=day,
        rendering=rendering,
        edition=edition,
        effective_on=effective_on,
        summary=summary,
        approvals=approvals,
    )


def assemble(
    *,
    organization: Any,
    source: Source,
    tables: Mapping[str, tuple[Table, ...]],
    day: dt.date,
    rendering: Rendering,
    edition: str,
    effective_on: dt.date | None,
    summary: str,
    approvals: tuple[ApprovalCell, ...],
) -> Regulation:
    """Put text, annexes, history and approvals together."""
    facts = {
        "organization.name": organization.name,
        # 附則 always carry the era date (japan.md §2.3).
        "edition.effective-on": format_date(effective_on, era=True) if effective_on else "令和　　年　　月　　日",
    }
    composed = compose(source, facts=facts, annexes=tables)
    past = Edition.objects.filter(organization=organization).order_by("number")
    history = [
        HistoryRow(row.label, row.effective_on, row.summary, row.approved_by) for row in past if row.label != edition
    ]
    label = edition or next_label(organization=organization)
    history.append(
        HistoryRow(
            edition=label if effective_on else f"{label}（案）",
            effective_on=effective_on,
            summary=summary or ("改定" if history else "制定"),
            approved_by=approvals[-1].name if approvals else "",
        )
    )
    return Regulation(
        title=organization.regulation_title,
        document_number=organization.document_number,
        edition=label,
        effective_on=effective_on,
        organization=organization.name,
        chapters=composed.chapters,
        supplements=composed.supplements,
        annexes=composed.annexes,
        history=tuple(history),
        approvals=approvals or (ApprovalCell("作成"), ApprovalCell("審査"), ApprovalCell("承認")),
        rendering=rendering,
        as_of=day,
        era_dates=organization.era_dates,
        draft=effective_on is None,
    )


def next_label(*, organization: Any) -> str:
    """Return the label the next edition gets: 「第3版」 after two."""
    last = (
        Edition.objects.filter(organization=organization).order_by("-number").values_list("number", flat=True).first()
    )
    return f"第{(last or 0) + 1}版"


def live(frozen: Regulation, *, organization: Any, provisions: Mapping[str, Provision], day: dt.date) -> Regulation:
    """Return a frozen edition with its fact annexes drawn anew as of ``day``: what the page shows after adoption."""
    tables = draw_annexes(organization=organization, day=day, rendering=frozen.rendering, provisions=provisions)
    annexes = []
    for annex in frozen.annexes:
        drawn = tables.get(annex.id.partition(":")[2])
        if drawn is None:
            annexes.append(annex)
            continue
        # Tables written in the text (規範) name no register as their source and stay as they were approved.
        written = tuple(table for table in annex.tables if not table.sources)
        approved = [table for table in annex.tables if table.sources]
        now = tuple(
            _facts_renewed(approved[place], table) if place < len(approved) else table
            for place, table in enumerate(drawn)
        )
        annexes.append(replace(annex, tables=(*written, *now)))
    return replace(frozen, annexes=tuple(annexes), as_of=day)


def _facts_renewed(approved: Table, drawn: Table) -> Table:
    """Return ``drawn``, but where columns are 規範 keep the approved rows and renew only their fact cells.

    A register may drift from a provision; it never rewrites one (design §2.2). Rows are matched by their provision
    cells; a row the registers no longer show keeps the facts it was approved with. ``drawn`` may leave out columns of
    ``approved`` (a disclosure of what was frozen as internal): columns are matched by their headers, and facts that only
    the approved internal rows hold are left empty.
    """
    headers = [column.header for column in approved.columns]
    fixed = [place for place, column in enumerate(drawn.columns) if column.nature is Nature.PROVISION]
    if not fixed or any(drawn.columns[place].header not in headers for place in fixed):
        return drawn
    source = [headers.index(column.header) if column.header in headers else None for column in drawn.columns]
    same = len(headers) == len(drawn.columns)
    facts = {tuple(row[place] for place in fixed): tuple(row) for row in drawn.rows}

    def renewed(row: Sequence[str]) -> tuple[str, ...]:
        then = tuple(row[at] if at is not None and (same or place in fixed) else "" for place, at in enumerate(source))
        return facts.get(tuple(then[place] for place in fixed), then)

    return replace(drawn, rows=tuple(renewed(row) for row in approved.rows))


def stamp() -> dt.datetime:
    """The time stamp documents carry: now, to the second."""
    return clock.now().replace(microsecond=0)
