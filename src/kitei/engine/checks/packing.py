"""Results to JSON and back, so that a run made by the worker reads the same on every page and in both languages."""

from __future__ import annotations

from typing import Any

from kitei.engine.checks.model import Basis, Finding, Operated, Result, Severity, Subject
from kitei.foundation.text import Message


def pack(results: dict[str, Result]) -> dict[str, Any]:
    """Return a JSON-ready form of check code -> result."""
    return {
        code: {
            "state": result.state.value,
            "facts": [fact.to_json() for fact in result.facts],
            "findings": [_pack_finding(finding) for finding in result.findings],
        }
        for code, result in results.items()
    }


def unpack(data: dict[str, Any]) -> dict[str, Result]:
    """Read what ``pack`` wrote, in the order of a run: PostgreSQL keeps the keys of JSON in an order of its own."""
    return {
        code: Result(
            Operated(entry["state"]),
            tuple(Message.from_json(fact) for fact in entry["facts"]),
            tuple(_unpack_finding(finding) for finding in entry["findings"]),
        )
        for code, entry in sorted(data.items())
    }


def _pack_finding(finding: Finding) -> dict[str, Any]:
    return {
        "code": finding.code,
        "severity": finding.severity.value,
        "topic": finding.topic,
        "basis": finding.basis.value,
        "subject": [finding.subject.kind, finding.subject.id, finding.subject.label],
        "message": finding.message.to_json(),
        "next_step": finding.next_step.to_json(),
    }


def _unpack_finding(data: dict[str, Any]) -> Finding:
    return Finding(
        code=data["code"],
        severity=Severity(data["severity"]),
        topic=data["topic"],
        basis=Basis(data["basis"]),
        subject=Subject(*data["subject"]),
        message=Message.from_json(data["message"]),
        next_step=Message.from_json(data["next_step"]),
    )
