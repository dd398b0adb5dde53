"""Departments as principals: a member's place in the company becomes dated memberships, of the departments above as well."""

from __future__ import annotations

import datetime as dt
import uuid
from collections import defaultdict
from collections.abc import Iterable
from typing import Any

from kitei.foundation import clock, transactions
from kitei.registers.people.models import DepartmentState, MemberState
from kitei.trust.access import operations as access
from kitei.trust.access import rule
from kitei.trust.access.models import Membership

Stretch = tuple[dt.date, dt.date | None]
Nesting = dict[uuid.UUID, list[tuple[uuid.UUID, Stretch]]]
_Held = tuple[str, dt.datetime, dt.datetime | None]
DEEPEST = 12
"""How many departments above are followed; a circle of departments ends here too."""


def nesting(*, organization: Any) -> Nesting:
    """Return department -> the departments it stood below, with the days. One query."""
    found: Nesting = defaultdict(list)
    rows = DepartmentState.objects.filter(organization=organization, voided_at__isnull=True, parent__isnull=False)
    for row in rows.order_by("valid_from", "id"):
        found[row.of_id].append((row.parent_id, (row.valid_from, row.valid_until)))
    return dict(found)


def renew_all(*, actor: rule.Actor, organization: Any) -> None:
    """Bring every member's memberships in line; joins the caller's transaction."""
    rows = MemberState.objects.filter(organization=organization, voided_at__isnull=True, department__isnull=False)
    ids = list(rows.values_list("of_id", flat=True).distinct())
    renew(actor=actor, organization=organization, member_ids=ids)


def renew(*, actor: rule.Actor, organization: Any, member_ids: Iterable[uuid.UUID]) -> None:
    """Bring the members' department memberships in line with the register; joins the caller's transaction.

    What differs is replaced, so writing members who stay where they are records nothing. A place ends with the last day
    with the company (退職日).
    """
    transactions.require()
    above = nesting(organization=organization)
    ids = list(member_ids)
    for start in range(0, len(ids), 500):
        part = ids[start : start + 500]
        wanted = _wanted(organization, part, above)
        held, sources = _held(organization, part)
        changed = [key for key in part if set(wanted[key]) != held[key]]
        access.replace_memberships(
            actor=actor,
            organization=organization,
            source_kind="department",
            void_sources=sorted({source for key in changed for source in sources[key]}),
            facts=[
                access.MembershipFacts(
                    principal=key, role=department, starts_at=starts, ends_at=ends, deputy=False, source_id=source,
                    kind="department",
                )
                for key in changed
                for (department, starts, ends), source in wanted[key].items()
            ],
        )  # fmt: skip


def _wanted(organization: Any, member_ids: list[uuid.UUID], above: Nesting) -> dict[uuid.UUID, dict[_Held, uuid.UUID]]:
    rows = MemberState.objects.filter(organization=organization, of_id__in=member_ids, voided_at__isnull=True)
    states = list(rows.order_by("valid_from", "recorded_at"))
    # The latest state's last day counts for all of them: it was not known before.
    left = {row.of_id: row.left_on for row in states}
    found: dict[uuid.UUID, dict[_Held, uuid.UUID]] = defaultdict(dict)
    for row in states:
        if row.department_id is None:
            continue
        gone = left[row.of_id] + dt.timedelta(days=1) if left[row.of_id] else None
        whole = _cut((row.valid_from, row.valid_until), (dt.date.min, gone))
        if whole is None:
            continue
        for department, (start, until) in _chain(row.department_id, whole, above):
            fact = (str(department), clock.start_of(start), clock.start_of(until) if until else None)
            found[row.of_id].setdefault(fact, row.pk)
    return found


def _chain(department: uuid.UUID, days: Stretch, above: Nesting, depth: int = 0) -> list[tuple[uuid.UUID, Stretch]]:
    found = [(department, days)]
    if depth < DEEPEST:
        for parent, stretch in above.get(department, ()):
            both = _cut(days, stretch)
            if both is not None:
                found += _chain(parent, both, above, depth + 1)
    return found


def _cut(one: Stretch, other: Stretch) -> Stretch | None:
    start = max(one[0], other[0])
    until = min((end for end in (one[1], other[1]) if end is not None), default=None)
    return None if until is not None and until <= start else (start, until)


def _held(
    organization: Any, member_ids: list[uuid.UUID]
) -> tuple[dict[uuid.UUID, set[_Held]], dict[uuid.UUID, set[uuid.UUID]]]:
    facts: dict[uuid.UUID, set[_Held]] = defaultdict(set)
    sources: dict[uuid.UUID, set[uuid.UUID]] = defaultdict(set)
    rows = Membership.objects.filter(
        organization=organization, principal__in=member_ids, kind="department", voided_at__isnull=True
    )
    for row in rows:
        facts[row.principal].add((row.role, row.starts_at, row.ends_at))
        sources[row.principal].add(row.source_id)
    return facts, sources
