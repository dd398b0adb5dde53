"""From 100,000 rows to a list of findings a person can read: gaps are counted in SQL and grouped when they are many.

Up to ``SINGLE`` devices with the same gap are named one by one. More of them become one finding per institution (for
devices placed at institutions) or per kind, with the count and one example. Two queries, whatever the ledger's size.
"""

from __future__ import annotations

import uuid
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from django.db.models import Case, Count, F, Min, Q, UUIDField, Value, When

from kitei.engine.checks.model import Basis, Finding, Severity, Subject
from kitei.foundation.text import Message
from kitei.registers.equipment.queries import yes_no

SINGLE = 20
_COLUMNS = ("of_id", "code", "name", "confirmed_on", "support_until")


@dataclass(frozen=True)
class Gap:
    """One kind of gap: rows that meet ``when`` have it. ``single`` says it of one row, ``group`` of many.

    ``single`` gets the row's values with its ``label``; ``group`` gets the group's name, the count and an example.
    """

    code: str
    topic: str
    severity: Severity
    basis: Basis
    when: Q
    single: Callable[[Mapping[str, Any]], Message]
    group: Callable[[Mapping[str, Any]], Message]
    next_step: Message


@dataclass(frozen=True)
class Labels:
    """What groups are called: kind id and institution id -> (code, name)."""

    kinds: Mapping[uuid.UUID, tuple[str, str]]
    institutions: Mapping[uuid.UUID, tuple[str, str]]

    def subject(self, kind: uuid.UUID, site: uuid.UUID | None) -> Subject:
        """Return the institution when the devices stand at one, else their kind."""
        if site is not None:
            return Subject("institution", str(site), " ".join(self.institutions.get(site, ("", ""))).strip())
        return Subject("equipment-kind", str(kind), " ".join(self.kinds.get(kind, ("", ""))).strip())


@dataclass(frozen=True)
class Tally:
    """What the ledger's rows add up to: the extra counts asked for, devices per gap, and the findings."""

    counts: Mapping[str, int]
    gaps: Mapping[str, int]
    findings: tuple[Finding, ...]


def tally(rows: Any, *, gaps: Sequence[Gap], counts: Mapping[str, Q], labels: Callable[[], Labels]) -> Tally:
    """Count ``counts`` and ``gaps`` over ``rows`` and make the findings. ``labels`` is called only if groups need names."""
    site = Case(When(placement="institution", then=F("institution_id")), default=Value(None), output_field=UUIDField())
    sums: dict[str, Any] = {f"count_{name}": Count("pk", filter=condition) for name, condition in counts.items()}
    for index, gap in enumerate(gaps):
        sums[f"gap_{index}"] = Count("pk", filter=gap.when)
        sums[f"example_{index}"] = Min("code", filter=gap.when)
    groups = list(rows.annotate(site=site).values("kind_id", "site").annotate(**sums))
    totals = {index: sum(group[f"gap_{index}"] for group in groups) for index in range(len(gaps))}
    few = [index for index, total in totals.items() if 0 < total <= SINGLE]
    many = [index for index, total in totals.items() if total > SINGLE]
    findings = list(_singles(rows, gaps, few))
    if many:
        names = labels()
        for index in many:
            findings.extend(_groups(groups, index, gaps[index], names))
    return Tally(
        counts={name: sum(group[f"count_{name}"] for group in groups) for name in counts},
        gaps={gap.code: totals[index] for index, gap in enumerate(gaps)},
        findings=tuple(findings),
    )


def _singles(rows: Any, gaps: Sequence[Gap], few: Sequence[int]) -> Iterable[Finding]:
    if not few:
        return
    anyone = Q()
    for index in few:
        anyone |= gaps[index].when
    marked = rows.filter(anyone).annotate(**{f"has_{index}": yes_no(gaps[index].when) for index in few})
    found = list(marked.order_by("code").values(*_COLUMNS, *(f"has_{index}" for index in few)))
    for index in few:
        gap = gaps[index]
        for row in found:
            if row[f"has_{index}"]:
                label = f"{row['code']} {row['name']}"
                yield _finding(gap, Subject("equipment", str(row["of_id"]), label), gap.single({**row, "label": label}))


def _groups(groups: Iterable[Mapping[str, Any]], index: int, gap: Gap, labels: Labels) -> Iterable[Finding]:
    merged: dict[Subject, tuple[int, str]] = {}
    for group in groups:
        if group[f"gap_{index}"]:
            subject = labels.subject(group["kind_id"], group["site"])
            count, example = merged.get(subject, (0, group[f"example_{index}"]))
            merged[subject] = (count + group[f"gap_{index}"], min(example, group[f"example_{index}"]))
    for subject, (count, example) in sorted(merged.items(), key=lambda item: (item[0].kind, item[0].label)):
        yield _finding(gap, subject, gap.group({"group": subject.label, "count": count, "example": example}))


def _finding(gap: Gap, subject: Subject, message: Message) -> Finding:
    return Finding(gap.code, gap.severity, gap.topic, gap.basis, subject, message, gap.next_step)
