"""The coverage matrix as an Excel workbook: requirement → article → facts → gaps."""

from __future__ import annotations

import io

from django.utils.translation import gettext as _

from kitei.foundation.dates.japanese import format_date
from kitei.foundation.sheets import writer
from kitei.foundation.sheets.table import Table, TableColumn
from kitei.foundation.text import Message
from kitei.outcomes.regulation import build
from kitei.outcomes.regulation.coverage import OPERATED_LABELS, SEVERITY_LABELS, STATED_LABELS, Coverage


def tables(picture: Coverage, *, head: str = "") -> list[Table]:
    """Return the requirements, then the findings, in the active language; ``head`` is the line about the log below them."""
    rows = [
        (
            row.clause.label,
            row.clause.statement,
            row.clause.level_label.render(),
            "" if row.clause.verified else _("要確認"),
            STATED_LABELS[row.stated].render(),
            "、".join(
                f"{citation.label}{f'（{citation.page}頁）' if citation.page else ''}" for citation in row.citations
            ),
            OPERATED_LABELS[row.operated].render(),
            "\n".join(fact.render() for fact in row.facts),
            "\n".join(judged.finding.message.render() for judged in row.findings),
            "\n".join(f"{check.method.facts.render()} / {check.method.threshold.render()}" for check in row.checks),
        )
        for row in picture.rows
    ]
    findings = [
        (
            SEVERITY_LABELS[judged.finding.severity].render(),
            judged.clause.label if judged.clause else "",
            judged.finding.code,
            judged.finding.subject.label,
            judged.finding.message.render(),
            judged.finding.next_step.render(),
            _("%(by)s、%(day)sまで: %(reason)s")
            % {
                "by": judged.acceptance.accepted_by,
                "day": format_date(judged.acceptance.until),
                "reason": judged.acceptance.reason,
            }
            if judged.acceptance
            else "",
        )
        for judged in picture.findings
    ]
    notice = "\n".join(line for line in (picture.guideline.notice.render(), head) if line)
    return [
        Table(_columns(_REQUIREMENT_COLUMNS), rows, caption=_("対照表"), note=notice),
        Table(_columns(_FINDING_COLUMNS), findings, caption=_("指摘")),
    ]


_REQUIREMENT_COLUMNS = (
    (Message("番号"), 8),
    (Message("要求事項（要約）"), 44),
    (Message("強さ"), 10),
    (Message("原文"), 8),
    (Message("規定"), 10),
    (Message("条"), 20),
    (Message("運用"), 10),
    (Message("運用の記録"), 44),
    (Message("指摘"), 44),
    (Message("判定のしかた"), 44),
)
_FINDING_COLUMNS = (
    (Message("重さ"), 8),
    (Message("番号"), 8),
    (Message("コード"), 30),
    (Message("対象"), 30),
    (Message("内容"), 60),
    (Message("次にすること"), 50),
    (Message("受容"), 30),
)


def _columns(columns: tuple[tuple[Message, float], ...]) -> tuple[TableColumn, ...]:
    return tuple(TableColumn(header.render(), width) for header, width in columns)


def workbook(picture: Coverage, *, head: str = "") -> bytes:
    """Return the matrix as xlsx bytes; ``head`` is the line about the newest head of the log (``heads.head_line``)."""
    stream = io.BytesIO()
    writer.write_table(stream, tables(picture, head=head), timestamp=build.stamp())
    return stream.getvalue()
