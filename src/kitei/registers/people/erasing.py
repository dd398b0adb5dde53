"""Carrying out an erasure in the people room: which columns of which rows are overwritten (docs/decisions/0013-erasure.md).

``erasure`` decides what is due; here it is done, for an erasure of today and for one repeated after a restore.
"""

from __future__ import annotations

import datetime as dt
import uuid
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Protocol

from django.db.models import Q, QuerySet

from kitei.foundation import clock
from kitei.foundation.text import Message
from kitei.registers.people import models, naming
from kitei.trust.accounts import closing
from kitei.trust.accounts.models import User
from kitei.trust.auditlog import erasure as auditlog
from kitei.trust.auditlog.erasure import ERASED


@dataclass(frozen=True)
class Line:
    """One kind of data of a person: how many places, and for what stays, why and until which day (None: for good)."""

    what: Message
    count: int
    why: Message | None = None
    until: dt.date | None = None
    places: tuple[str, ...] = ()


class Keeper(Protocol):
    """A room above that keeps names by value in rows that are not simply text, such as frozen editions."""

    def plan(
        self, *, organization: Any, person: naming.Person, years: int, before: dt.date
    ) -> tuple[list[Line], list[Line]]:
        """Return what goes (it ceased to hold before ``before``) and what stays."""

    def erase(self, *, organization: Any, person: naming.Person, before: dt.date) -> int:
        """Erase what goes and return how many rows; joins the caller's transaction."""


keepers: list[Keeper] = []
"""Rooms above add theirs when they are loaded (imports go down only)."""


def apply(*, organization: Any, data: Mapping[str, Any], recorded_by: dt.datetime | None) -> dict[str, int]:
    """Erase the groups of ``data`` and return counts; of rows recorded not later than ``recorded_by`` if it is given."""
    member, groups = uuid.UUID(data["member"]), set(data["groups"])
    accounts = User.objects.filter(Q(id__in=data["accounts"]) & Q(organization=organization))
    person, _shared = known_as(organization, member)
    counts: dict[str, int] = {}

    def rows(model: Any, **wanted: Any) -> QuerySet[Any]:
        chosen: QuerySet[Any] = model.objects.filter(organization=organization, **wanted)
        return chosen.filter(recorded_at__lte=recorded_by) if recorded_by is not None else chosen

    # What is found by the person's names and numbers goes first, while the rows that hold them still do.
    if "openings" in groups:
        before = dt.datetime.fromisoformat(data["openings_before"])
        acts = auditlog.openings_of(organization=organization, ids=[str(member), *data["accounts"]], before=before)
        named = auditlog.openings_naming(organization=organization, pattern=person.sure, before=before)
        counts["openings"] = auditlog.clear_openings(rows=acts, ids=named)
    if "copies" in groups:
        day = dt.date.fromisoformat(data["copies_before"])
        counts["copies"] = sum(keeper.erase(organization=organization, person=person, before=day) for keeper in keepers)
    if {"names", "contacts"} & groups:
        texts = person if "names" in groups else person.without_names()
        sure = [
            place
            for place in naming.mentions(organization=organization, person=texts, before=recorded_by)
            if place.sure
        ]
        for place in sure:
            naming.erase(place)
        counts["texts"] = len(sure)
    if "contacts" in groups:
        contacts = rows(models.EmergencyContactState, member_id=member)
        counts["contacts"] = contacts.exclude(phone="").update(phone="")
        counts["places"] = _close(contacts)
        counts["mails"] = rows(models.MemberState, of_id=member).exclude(email="").update(email="")
    if "account" in groups:
        counts["accounts"] = sum(closing.close(user=user) for user in accounts)
    if "names" in groups:
        code = models.Member.objects.values_list("code", flat=True).get(id=member)
        counts["names"] = (
            rows(models.MemberState, of_id=member)
            .exclude(family_name=ERASED)
            .update(family_name=ERASED, given_name=code, family_kana="", given_kana="", title="", email="")
        )
        certificates = rows(models.QualificationState, member_id=member)
        counts["numbers"] = certificates.exclude(number="").update(number="")
        counts["certificates"] = certificates.exclude(name__in=("", ERASED)).update(name=ERASED)
        counts["practice"] = rows(models.ExperienceState, member_id=member).exclude(place="").update(place="")
    if "identity" in groups:
        counts["identities"] = sum(closing.erase(user=user) for user in accounts)
    return counts


def _close(contacts: QuerySet[Any]) -> int:
    today = clock.today()
    planned = open_contacts(contacts, today).filter(valid_from__gte=today).update(voided_at=clock.now())
    return planned + open_contacts(contacts, today).update(valid_until=today)


def open_contacts(contacts: QuerySet[Any], day: dt.date) -> QuerySet[Any]:
    """Keep the entries of the call order that hold on ``day`` or later."""
    return contacts.filter(Q(valid_until__isnull=True) | Q(valid_until__gt=day), voided_at__isnull=True)


def accounts_of(member: uuid.UUID) -> list[User]:
    """Return the accounts that stand for the member."""
    return list(User.objects.filter(principal=member))


def known_as(organization: Any, member: uuid.UUID) -> tuple[naming.Person, naming.Person]:
    """Return what the registers know the person by, in rows of every time: what is the person's alone, and what is shared.

    A name that another member has too, or that is part of another's, and an address or number several use, say nothing
    about who is meant.
    """
    mine, others = _values(organization, member, mine=True), _values(organization, member, mine=False)
    joined = {"".join(pair) for pair in others[0]}
    shared_names = {pair for pair in mine[0] if any("".join(pair) in other for other in joined)}
    shared = naming.person(names=shared_names, mails=mine[1] & others[1], phones=mine[2] & others[2])
    alone = naming.person(names=mine[0] - shared_names, mails=mine[1] - others[1], phones=mine[2] - others[2])
    return alone, shared


def _values(organization: Any, member: uuid.UUID, *, mine: bool) -> tuple[set[tuple[str, str]], set[str], set[str]]:
    """Return names, mail addresses and telephones of the member, or of everybody else."""

    def chosen(rows: QuerySet[Any], column: str) -> QuerySet[Any]:
        rows = rows.filter(organization=organization)
        return rows.filter(**{column: member}) if mine else rows.exclude(**{column: member})

    names: set[tuple[str, str]] = set()
    mails: set[str] = set()
    states = chosen(models.MemberState.objects.all(), "of_id")
    for family, given, family_kana, given_kana, mail in states.values_list(
        "family_name", "given_name", "family_kana", "given_kana", "email"
    ):
        names |= {(family, given), (family_kana, given_kana)}
        mails.add(mail.lower())
    for name, mail in chosen(User.objects.all(), "principal").values_list("name", "email"):
        family, _, given = name.replace("\u3000", " ").partition(" ")
        names.add((family, given))
        mails.add(mail.lower())
    phones = chosen(models.EmergencyContactState.objects.all(), "member_id").values_list("phone", flat=True)
    return {pair for pair in names if any(pair)}, mails - {""}, {phone for phone in phones if phone}
