"""Every read of the people room, restricted to the actor, and the plain answers checks and annexes are made of."""

from __future__ import annotations

import datetime as dt
import uuid
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

from django.db.models import QuerySet

from kitei.registers.people import models
from kitei.trust.access import rule
from kitei.trust.access.roles import ROLES


def members(*, actor: rule.Actor, day: dt.date) -> QuerySet[models.MemberState]:
    """Members as of ``day`` with their department."""
    return rule.visible(actor, models.MemberState.objects.as_of(day), rule.LIST).select_related("of", "department")


def appointments(*, actor: rule.Actor, day: dt.date) -> QuerySet[models.Appointment]:
    """Appointments in force on ``day``."""
    return rule.visible(actor, models.Appointment.objects.as_of(day), rule.LIST).select_related("member", "evidence")


@dataclass(frozen=True)
class Holder:
    """Somebody in office on a day. ``deputy_order`` 0 is the holder; names are as of that day."""

    appointment: uuid.UUID
    code: str
    role: str
    member: uuid.UUID
    member_code: str
    name: str
    kana: str
    department: str
    title: str
    deputy_order: int
    since: dt.date
    until: dt.date | None
    term_until: dt.date | None
    appointed_by: str
    article: str
    concurrent_reason: str
    recorded_late: bool
    employed: bool


def names(*, organization: Any, day: dt.date, member_ids: Iterable[uuid.UUID]) -> dict[uuid.UUID, models.MemberState]:
    """Return the member states by member id as of ``day``; for a day outside a member's time, the nearest state."""
    ids = list(set(member_ids))
    found: dict[uuid.UUID, models.MemberState] = {}
    for start in range(0, len(ids), 500):
        rows = (
            models.MemberState.objects.filter(
                organization=organization, of_id__in=ids[start : start + 500], voided_at__isnull=True
            )
            .select_related("department")
            .order_by("valid_from")
        )
        for row in rows:
            if row.valid_from <= day or row.of_id not in found:
                found[row.of_id] = row
    return found


def holders(*, organization: Any, day: dt.date, roles: Iterable[str] | None = None) -> list[Holder]:
    """Return everybody in office on ``day``, by role and deputy order. Three queries."""
    wanted = list(roles) if roles is not None else list(ROLES)
    rows = list(
        models.Appointment.objects.filter(organization=organization, role__in=wanted)
        .as_of(day)
        .order_by("deputy_order", "valid_from", "code")
        .select_related("member")
    )
    people = names(organization=organization, day=day, member_ids=[row.member_id for row in rows])
    departments = department_names(organization=organization, day=day)
    found = [_holder(row, people.get(row.member_id), departments, day) for row in rows]
    place = {role: index for index, role in enumerate(wanted)}
    return sorted(found, key=lambda holder: (place[holder.role], holder.deputy_order, holder.since, holder.code))


def department_names(*, organization: Any, day: dt.date) -> dict[uuid.UUID, str]:
    """Return department id -> name as of ``day``."""
    return dict(
        models.DepartmentState.objects.filter(organization=organization).as_of(day).values_list("of_id", "name")
    )


def _holder(
    row: models.Appointment, person: models.MemberState | None, departments: dict[uuid.UUID, str], day: dt.date
) -> Holder:
    return Holder(
        appointment=row.id,
        code=row.code,
        role=row.role,
        member=row.member_id,
        member_code=row.member.code,
        name=person.full_name if person else row.member.code,
        kana=f"{person.family_kana} {person.given_kana}".strip() if person else "",
        department=departments.get(person.department_id, "") if person and person.department_id else "",
        title=person.title if person else "",
        deputy_order=row.deputy_order,
        since=row.valid_from,
        until=row.valid_until,
        term_until=row.term_until,
        appointed_by=row.appointed_by,
        article=row.article,
        concurrent_reason=row.concurrent_reason,
        recorded_late=row.recorded_late,
        employed=person is not None and not (person.left_on and person.left_on < day),
    )


def qualifications_of(
    *, organization: Any, day: dt.date, member_ids: Iterable[uuid.UUID]
) -> list[models.QualificationState]:
    """Qualifications known on ``day`` of the given members, expired ones included."""
    return list(
        models.QualificationState.objects.filter(organization=organization, member_id__in=list(member_ids))
        .as_of(day)
        .select_related("member", "evidence")
        .order_by("member__code", "code")
    )


def experience_of(*, organization: Any, day: dt.date, member_ids: Iterable[uuid.UUID]) -> list[models.ExperienceState]:
    """Stretches of practice of the given members that had begun by ``day``."""
    return list(
        models.ExperienceState.objects.filter(
            organization=organization, member_id__in=list(member_ids), started_on__lte=day
        )
        .as_of(day)
        .select_related("member", "evidence")
        .order_by("member__code", "started_on", "code")
    )


def contacts(*, organization: Any, day: dt.date) -> list[models.EmergencyContactState]:
    """The emergency call order as of ``day``."""
    return list(
        models.EmergencyContactState.objects.filter(organization=organization)
        .as_of(day)
        .select_related("member")
        .order_by("order", "code")
    )


def activities(*, organization: Any, day: dt.date, kind: str | None = None) -> list[models.ActivityState]:
    """Periodic activities as of ``day``, of one kind or all."""
    rows = models.ActivityState.objects.filter(organization=organization).as_of(day).select_related("of", "evidence")
    return list((rows.filter(kind=kind) if kind else rows).order_by("code"))


def titles(*, organization: Any, day: dt.date) -> dict[str, str]:
    """Role code -> the company's own title as of ``day``, falling back to the default title."""
    own = dict(models.OfficeState.objects.filter(organization=organization).as_of(day).values_list("code", "title"))
    return {code: own.get(code) or role.ja for code, role in ROLES.items()}
