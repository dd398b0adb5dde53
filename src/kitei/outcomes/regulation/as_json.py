"""What the checks found, as programs read it: one shape for the command and the API."""

from __future__ import annotations

from typing import Any

from kitei.engine.checks.model import Severity
from kitei.outcomes.regulation.coverage import Coverage, JudgedFinding


def of(picture: Coverage) -> dict[str, Any]:
    """Return the contract of ``kitei check --format json`` and of the API (design §7)."""
    counts = dict.fromkeys((severity.value for severity in Severity), 0)
    for judged in picture.findings:
        counts[judged.finding.severity.value] += 1
    return {
        "as_of": picture.day.isoformat(),
        "findings": [_finding_json(judged) for judged in picture.findings],
        "summary": {
            **counts,
            "accepted": sum(1 for judged in picture.findings if judged.acceptance),
            "requirements": len(picture.counted),
            "stated": picture.stated_count,
            "operated": picture.operated_count,
            "unverified": len(picture.uncounted),
            "guideline": picture.guideline.id,
            "edition": picture.edition.label if picture.edition else None,
        },
    }


def _finding_json(judged: JudgedFinding) -> dict[str, Any]:
    finding = judged.finding
    entry: dict[str, Any] = {
        "code": finding.code,
        "severity": finding.severity.value,
        "clause": judged.clause.id if judged.clause else None,
        "basis": finding.basis.value,
        "subject": {"type": finding.subject.kind, "id": finding.subject.id, "label": finding.subject.label},
        "message": finding.message.render(),
        "next_step": finding.next_step.render(),
    }
    if judged.acceptance:
        entry["accepted"] = {
            "by": judged.acceptance.accepted_by,
            "until": judged.acceptance.until.isoformat(),
            "reason": judged.acceptance.reason,
        }
    return entry
