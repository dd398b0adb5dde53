"""Every write of the people room. All join the caller's transaction, ask the access rule and append events."""

from __future__ import annotations

import datetime as dt
import uuid
from collections.abc import Collection, Iterable, Mapping
from typing import Any

from django.db.models import Q

from kitei.foundation import clock, transactions
from kitei.foundation.sheets.spec import Changes
from kitei.foundation.tenancy.models import Organization
from kitei.registers.base.register import Register
from kitei.registers.documents.models import Document
from kitei.registers.people import belonging, columns, events, models
from kitei.trust.access import operations as access
from kitei.trust.access import rule
from kitei.trust.accounts.models import User
from kitei.trust.auditlog.log import Act, append, append_many


class MemberRegister(Register):
    """The register of members: an account with a member's mail address stands for that member."""

    def put(
        self,
        *,
        actor: rule.Actor,
        organization: Any,
        rows: Mapping[str, Mapping[str, Any]],
        day: dt.date | None = None,
        imported: bool = False,
    ) -> dict[str, uuid.UUID]:
        """Write members as ``Register.put`` does, then link accounts by mail address."""
        touched = super().put(actor=actor, organization=organization, rows=rows, day=day, imported=imported)
        _renew_rights(actor=actor, organization=organization, member_ids=list(touched.values()))
        belonging.renew(actor=actor, organization=organization, member_ids=list(touched.values()))
        link_accounts(actor=actor, organization=organization)
        return touched


class DepartmentRegister(Register):
    """The register of departments: who belongs to one belongs to the one above it as well."""

    def put(
        self,
        *,
        actor: rule.Actor,
        organization: Any,
        rows: Mapping[str, Mapping[str, Any]],
        day: dt.date | None = None,
        imported: bool = False,
    ) -> dict[str, uuid.UUID]:
        """Write departments as ``Register.put`` does; when one moves, its members' memberships follow."""
        before = belonging.nesting(organization=organization)
        touched = super().put(actor=actor, organization=organization, rows=rows, day=day, imported=imported)
        if belonging.nesting(organization=organization) != before:
            belonging.renew_all(actor=actor, organization=organization)
        return touched


def _renew_rights(*, actor: rule.Actor, organization: Any, member_ids: list[uuid.UUID]) -> None:
    """Bring the rights of members in line with their last day: 退職 ends access at 24:00 of it (design §4).

    Only what differs is replaced, so writing members who neither leave nor come back records nothing here.
    """
    for start in range(0, len(member_ids), 500):
        rows = models.Appointment.objects.filter(
            organization=organization, member_id__in=member_ids[start : start + 500], voided_at__isnull=True
        )
        wanted = _rights(organization=organization, appointments=rows)
        held = access.ends_by_source(organization=organization, source_ids=list(wanted))
        changed = [key for key, fact in wanted.items() if (fact.ends_at if fact else _NONE) != held.get(key, _NONE)]
        access.replace_memberships(
            actor=actor,
            organization=organization,
            source_kind="appointment",
            void_sources=[key for key in changed if key in held],
            facts=[fact for key in changed if (fact := wanted[key]) is not None],
        )


def link_accounts(*, actor: rule.Actor, organization: Any) -> None:
    """Let every account without a member stand for the one member that has its mail address; joins the transaction.

    An address that several members have says nothing about whose the account is: then it stands for nobody.
    """
    transactions.require()
    for user in User.objects.filter(organization=organization, principal__isnull=True):
        owners = list(
            models.MemberState.objects.filter(organization=organization, email__iexact=user.email)
            .as_of(clock.today())
            .values_list("of_id", flat=True)[:2]
        )
        found = owners[0] if len(owners) == 1 else None
        if found is not None and not User.objects.filter(principal=found).exists():
            User.objects.filter(pk=user.pk).update(principal=found)
            append(
                organization=organization,
                act=Act(
                    events.ACCOUNT_LINKED,
                    ("worker", "people"),
                    ("account", str(user.id)),
                    data={"member": str(found)},
                    decision={"allowed": True, "reasons": ["face:worker"]},
                ),
            )


departments = DepartmentRegister(
    kind="department",
    identity=models.Department,
    state=models.DepartmentState,
    columns=columns.DEPARTMENTS,
    event=events.DEPARTMENT_PUT,
    refers={"parent": models.Department},
)
members = MemberRegister(
    kind="member",
    identity=models.Member,
    state=models.MemberState,
    columns=columns.MEMBERS,
    event=events.MEMBER_PUT,
    refers={"department": models.Department},
    starts="joined_on",
)
offices = Register(
    kind="office", identity=models.Office, state=models.OfficeState, columns=columns.OFFICES, event=events.OFFICE_PUT
)
qualifications = Register(
    kind="qualification",
    identity=models.Qualification,
    state=models.QualificationState,
    columns=columns.QUALIFICATIONS,
    event=events.QUALIFICATION_PUT,
    refers={"member": models.Member, "evidence": Document},
    starts="acquired_on",
)
experiences = Register(
    kind="experience",
    identity=models.Experience,
    state=models.ExperienceState,
    columns=columns.EXPERIENCES,
    event=events.EXPERIENCE_PUT,
    refers={"member": models.Member, "evidence": Document},
    starts="started_on",
)
contacts = Register(
    kind="contact",
    identity=models.EmergencyContact,
    state=models.EmergencyContactState,
    columns=columns.CONTACTS,
    event=events.CONTACT_PUT,
    refers={"member": models.Member},
    starts="confirmed_on",
)
activities = Register(
    kind="activity",
    identity=models.Activity,
    state=models.ActivityState,
    columns=columns.ACTIVITIES,
    event=events.ACTIVITY_PUT,
    refers={"evidence": Document},
    starts="last_held_on",
)

_COMPANY_FIELDS = ("name", "corporate_number", "address", "regulation_title", "document_number", "era_dates")


def company_existing(*, organization: Organization, keys: Collection[str] | None) -> dict[str, dict[str, Any]]:
    """Return the one row of sheet 会社."""
    row = Organization.objects.get(pk=organization.pk)
    if keys is not None and row.code not in keys:
        return {}
    return {row.code: {"code": row.code, **{name: getattr(row, name) for name in _COMPANY_FIELDS}}}


def company_apply(*, actor: rule.Actor, organization: Organization, changes: Changes) -> None:
    """Write the company's details; the code itself never changes, so a new row is refused by ``check_all`` of the sheet."""
    transactions.require()
    decision = rule.require(actor, rule.EDIT, rule.Target("company", organization=organization)).recorded
    for _key, _before, after in changes.changed:
        Organization.objects.filter(pk=organization.pk).update(**{name: after[name] for name in _COMPANY_FIELDS})
        act = Act(events.COMPANY_PUT, actor.ref, ("company", organization.code), decision=decision)
        append(organization=organization, act=act)


def appointments_existing(*, organization: Any, keys: Collection[str] | None) -> dict[str, dict[str, Any]]:
    """Return code -> values of every appointment that was not voided, ended ones included."""
    rows = models.Appointment.objects.filter(organization=organization, voided_at__isnull=True)
    if keys is not None:
        rows = rows.filter(code__in=sorted(keys))
    found = {}
    for row in rows.order_by("code").values(
        "code", "role", "member__code", "deputy_order", "valid_from", "valid_until", "term_until", "end_kind",
        "appointed_by", "article", "concurrent_reason", "evidence__code",
    ):  # fmt: skip
        until = row.pop("valid_until")
        row["member"], row["evidence"] = row.pop("member__code"), row.pop("evidence__code")
        row["last_day"] = until - dt.timedelta(days=1) if until else None
        found[row["code"]] = {column.key: row[column.key] for column in columns.APPOINTMENTS}
    return found


def appointments_apply(*, actor: rule.Actor, organization: Any, changes: Changes) -> None:
    """Write an import's appointments; a changed one voids the old row."""
    rows = {values["code"]: values for values in changes.added}
    rows.update({key: after for key, _before, after in changes.changed})
    appoint_many(actor=actor, organization=organization, rows=rows, imported=True)


def appoint_many(
    *, actor: rule.Actor, organization: Any, rows: Mapping[str, Mapping[str, Any]], imported: bool = False
) -> None:
    """Record appointments by code; an appointment already known under a code is voided and replaced (a correction).

    Access follows: each appointment's days become a membership from 00:00 JST of 発令日 (design §4). Joins the caller's
    transaction; Refused without the right to edit.
    """
    transactions.require()
    if not rows:
        return
    decision = rule.require(actor, rule.EDIT, rule.Target("appointment", organization=organization)).recorded
    now = clock.now()
    old = dict(
        models.Appointment.objects.filter(
            organization=organization, code__in=sorted(rows), voided_at__isnull=True
        ).values_list("code", "id")
    )
    models.Appointment.objects.filter(id__in=list(old.values())).update(voided_at=now)
    member_ids = dict(
        models.Member.objects.filter(
            organization=organization, code__in={values["member"] for values in rows.values()}
        ).values_list("code", "id")
    )
    document_ids = dict(
        Document.objects.filter(
            organization=organization,
            code__in={values["evidence"] for values in rows.values() if values.get("evidence")},
        ).values_list("code", "id")
    )
    made = [
        models.Appointment(
            organization=organization,
            code=code,
            role=values["role"],
            member_id=member_ids[values["member"]],
            deputy_order=values.get("deputy_order") or 0,
            valid_from=values["valid_from"],
            valid_until=_day_after(values.get("last_day")),
            term_until=values.get("term_until"),
            end_kind=values.get("end_kind") or "",
            appointed_by=values.get("appointed_by") or "",
            article=values.get("article") or "",
            concurrent_reason=values.get("concurrent_reason") or "",
            evidence_id=document_ids[values["evidence"]] if values.get("evidence") else None,
            recorded_at=now,
            imported=imported,
        )
        for code, values in rows.items()
    ]
    models.Appointment.objects.bulk_create(made, batch_size=500)
    append_many(
        organization=organization,
        acts=[
            Act(
                events.APPOINTED,
                actor.ref,
                ("appointment", str(row.id)),
                data={
                    "role": row.role,
                    "member": str(row.member_id),
                    "from": row.valid_from.isoformat(),
                    "until": row.valid_until.isoformat() if row.valid_until else "",
                    "replaces": str(old.get(row.code, "")),
                    "imported": imported,
                },
                decision=decision,
            )
            for row in made
        ],
    )
    wanted = _rights(organization=organization, appointments=made)
    access.replace_memberships(
        actor=actor,
        organization=organization,
        source_kind="appointment",
        void_sources=old.values(),
        facts=[fact for fact in wanted.values() if fact is not None],
    )


_NONE = object()
"""Stands for "no membership", which is not the same as a membership without an end."""


def _rights(
    *, organization: Any, appointments: Iterable[models.Appointment]
) -> dict[uuid.UUID, access.MembershipFacts | None]:
    """Return appointment id -> the rights it gives; None when the person had left before it began.

    Rights run from 00:00 JST of 発令日 to the end of the last day in office or with the company, whichever comes first.
    """
    rows = list(appointments)
    left = _last_days(organization=organization, member_ids={row.member_id for row in rows})
    found: dict[uuid.UUID, access.MembershipFacts | None] = {}
    for row in rows:
        ends = min((day for day in (row.valid_until, _day_after(left.get(row.member_id))) if day), default=None)
        found[row.id] = (
            None
            if ends is not None and ends <= row.valid_from
            else access.MembershipFacts(
                principal=row.member_id,
                role=row.role,
                starts_at=clock.start_of(row.valid_from),
                ends_at=clock.start_of(ends) if ends else None,
                deputy=row.deputy_order > 0,
                source_id=row.id,
            )
        )
    return found


def _last_days(*, organization: Any, member_ids: Iterable[uuid.UUID]) -> dict[uuid.UUID, dt.date]:
    """Return member id -> 退職日, as known now, of those who have one."""
    ids = list(member_ids)
    found: dict[uuid.UUID, dt.date] = {}
    for start in range(0, len(ids), 500):
        rows = models.MemberState.objects.filter(
            Q(valid_until__isnull=True) | Q(valid_until__gt=clock.today()),
            organization=organization,
            of_id__in=ids[start : start + 500],
            voided_at__isnull=True,
            left_on__isnull=False,
        )
        found.update(rows.values_list("of_id", "left_on"))
    return found


def _day_after(day: dt.date | None) -> dt.date | None:
    return day + dt.timedelta(days=1) if day else None
