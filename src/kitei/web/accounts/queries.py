"""Every read of the accounts room.

What takes an actor is restricted to the actor. The rest restricts nothing: its callers asked the rule, or nobody asks
(letters, the daily job, the look at each request whether its account still counts).
"""

from __future__ import annotations

import datetime as dt
import uuid
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

from django.db.models import Count, Q

from kitei.foundation import clock
from kitei.foundation.jobs.models import Job
from kitei.foundation.mail.models import Letter
from kitei.foundation.tenancy.models import Organization
from kitei.foundation.text import Message
from kitei.foundation.text.japanese import normalise
from kitei.foundation.ui import keyset
from kitei.foundation.ui.lists import Tag
from kitei.registers.people import queries as people
from kitei.registers.people.models import MemberState
from kitei.trust.access import rule
from kitei.trust.access.models import Grant, Membership
from kitei.trust.accounts import invitations
from kitei.trust.accounts.events import CONSOLE_SEEN
from kitei.trust.accounts.models import Factor, OneTimeCode, User
from kitei.trust.accounts.ways_in import can_log_in, has_way_in
from kitei.trust.auditlog import events
from kitei.trust.auditlog.models import Event

KIND = "account"
OPEN, WAITING, STOPPED = "open", "waiting", "stopped"
STATES = {OPEN: Message("有効"), WAITING: Message("招待中"), STOPPED: Message("停止")}
_TONES = {OPEN: "ok", WAITING: "note", STOPPED: "warn"}


@dataclass(frozen=True)
class Standing:
    """One account and how it stands: ``code`` is the one that can still be used, ``letter`` what carries it."""

    user: User
    state: str
    code: OneTimeCode | None
    letter: Letter | None
    factors: int

    @property
    def tag(self) -> Tag:
        """Its state in a word; an invitation nobody can use any more says so."""
        if self.state == WAITING and self.code is None:
            return Tag(Message("招待の期限切れ").render(), "warn")
        return Tag(STATES[self.state].render(), _TONES[self.state])

    @property
    def mail(self) -> Tag | None:
        """What became of the letter with the code; None when none was asked for."""
        if self.letter is None:
            return None
        if self.letter.sent_at:
            return Tag(Message("メール送信済み").render(), "ok")
        if self.letter.failed_at:
            return Tag(Message("メールを送れませんでした").render(), "ng")
        if self.letter.error:
            return Tag(Message("メールを再送中").render(), "warn")
        return Tag(Message("メール送信待ち").render(), "note")


def target(actor: rule.Actor, identity: str = "") -> rule.Target:
    """Return the accounts, or one of them, as what the access rule decides about."""
    return rule.Target(KIND, identity, actor.organization)


def find(*, actor: rule.Actor, identity: uuid.UUID, action: str = rule.VIEW) -> User:
    """Return an account of the actor's organization; Refused alike when there is none and when it may not be seen."""
    wanted = target(actor, str(identity))
    rule.require(actor, action, wanted)
    user = User.objects.select_related("organization").filter(pk=identity, organization=actor.organization).first()
    if user is None:
        raise rule.Refused(actor, action, wanted, rule.Decision(allowed=False, reasons=("no-visible-row",)))
    return user


def page(*, actor: rule.Actor, text: str, state: str, after: str, before: str) -> keyset.Page:
    """Return one page of accounts by name; Refused for who may not list them. Names are searched as stored and folded."""
    rule.require(actor, rule.LIST, target(actor))
    rows = User.objects.filter(organization=actor.organization).select_related("organization")
    wanted = normalise(text[:200]).strip()
    if wanted:
        rows = rows.filter(Q(name__icontains=wanted) | Q(email__icontains=wanted))
    if state == STOPPED:
        rows = rows.filter(is_active=False)
    elif state in {OPEN, WAITING}:
        rows = rows.filter(~has_way_in() if state == WAITING else has_way_in(), is_active=True)
    return keyset.page(rows, field="name", descending=False, after=after, before=before)


def standings(*, actor: rule.Actor, users: list[User]) -> list[Standing]:
    """Say how accounts stand. Four queries."""
    numbers = dict(
        Factor.objects.filter(user__in=users)
        .order_by()
        .values("user")
        .annotate(many=Count("pk"))
        .values_list("user", "many")
    )
    codes = invitations.open_codes(user.pk for user in users)
    letters = invitations.letters(actor.organization, codes.values())
    inside = {user.pk for user in can_log_in(actor.organization).filter(pk__in=[user.pk for user in users])}
    return [
        _standing(user, codes.get(user.pk), letters, numbers.get(user.pk, 0), way_in=user.pk in inside)
        for user in users
    ]


def _standing(
    user: User, code: OneTimeCode | None, letters: dict[str, Letter], factors: int, *, way_in: bool
) -> Standing:
    state = STOPPED if not user.is_active else OPEN if way_in else WAITING
    return Standing(user, state, code, letters.get(str(code.pk)) if code else None, factors)


def invitable(*, actor: rule.Actor) -> list[Any]:
    """Return the members of the register who are there today and have no account, by name in kana."""
    today = clock.today()
    taken = set(
        User.objects.filter(organization=actor.organization, principal__isnull=False).values_list(
            "principal", flat=True
        )
    )
    rows = people.members(actor=actor, day=today).order_by("family_kana", "given_kana", "code")
    return [row for row in rows if row.of_id not in taken and not (row.left_on and row.left_on < today)]


def has_account(*, member: uuid.UUID) -> bool:
    """Whether a member has an account, open or stopped."""
    return User.objects.filter(principal=member).exists()


def may_manage_beside(user: User) -> list[User]:
    """Return the accounts beside ``user`` that may have the right to manage: officers, administrators, named grantees."""
    held = Membership.objects.filter(organization=user.organization, kind="role", voided_at__isnull=True)
    named = Grant.objects.filter(
        organization=user.organization, action=rule.MANAGE, principal_kind="member", voided_at__isnull=True
    )
    holders = {str(found) for found in held.values_list("principal", flat=True)}
    wanted = holders | set(named.values_list("principal_id", flat=True))
    rows = can_log_in(user.organization).exclude(pk=user.pk).select_related("organization")
    return [row for row in rows if row.is_administrator or str(row.principal) in wanted]


def lost_office(*, user: User, since: dt.datetime) -> bool:
    """Whether the person held an office at some time since an instant that is not theirs any more (解任、任期の終わり).

    Told from the memberships themselves, so that an end that was entered beforehand works at its instant. One query.
    """
    if user.principal is None:
        return False
    now = clock.now()
    rows = Membership.objects.filter(
        Q(ends_at__isnull=True) | Q(ends_at__gt=since),
        Q(voided_at__isnull=True) | Q(voided_at__gt=since),
        organization=user.organization,
        principal=user.principal,
        kind="role",
        starts_at__lte=now,
    ).values_list("role", "ends_at", "voided_at")
    had = list(rows)
    held = {role for role, ends_at, voided_at in had if voided_at is None and (ends_at is None or ends_at > now)}
    return any(role not in held for role, _ends_at, _voided_at in had)


def latest_console_invitation(*, organization: Any) -> Event:
    """Return the last invitation of an administrator from the console; Event.DoesNotExist when there was none."""
    found: Event = Event.objects.filter(organization=organization, name=events.ADMINISTRATOR_INVITED.name).latest(
        "at", "id"
    )
    return found


def console_invitations(*, organization: Any, since: dt.datetime) -> list[Event]:
    """Return the last ten invitations of administrators from the console since an instant, the newest first."""
    rows = Event.objects.filter(organization=organization, name=events.ADMINISTRATOR_INVITED.name, at__gte=since)
    return list(rows.order_by("-at", "-id")[:10])


def seen_console_invitations(*, actor: rule.Actor) -> dict[str, dt.datetime]:
    """Return account id -> when the actor last confirmed having seen that the console invited it."""
    rows = Event.objects.filter(
        organization=actor.organization, name=CONSOLE_SEEN.name, actor_kind=actor.kind, actor_id=actor.id
    )
    return dict(rows.order_by("at").values_list("object_id", "at"))


def mails(ids: Iterable[Any]) -> dict[str, str]:
    """Return account id -> mail address."""
    return {str(key): mail for key, mail in User.objects.filter(pk__in=list(ids)).values_list("pk", "email")}


def event_and_reader(reference: str) -> tuple[Event | None, User | None]:
    """Return the event and the account, if still open, that a letter's reference ("event:account") names."""
    event, _colon, user = reference.partition(":")
    return Event.objects.filter(pk=event).first(), User.objects.filter(pk=user, is_active=True).first()


def gone(principals: Iterable[uuid.UUID]) -> set[uuid.UUID]:
    """Return those of the members whose last day is over."""
    today = clock.today()
    rows = MemberState.objects.filter(
        Q(valid_until__isnull=True) | Q(valid_until__gt=today),
        of_id__in=list(principals),
        valid_from__lte=today,
        voided_at__isnull=True,
        left_on__lt=today,
    )
    return set(rows.values_list("of_id", flat=True))


def open_accounts(organization: Any) -> dict[uuid.UUID, User]:
    """Return member id -> account, of the open accounts that stand for a member."""
    rows = User.objects.filter(organization=organization, is_active=True, principal__isnull=False)
    return {row.principal: row for row in rows.select_related("organization") if row.principal}


def organizations_without(*, job: str, since: dt.datetime) -> list[Organization]:
    """Return the organizations that have no job of a kind made since an instant."""
    asked = Job.objects.filter(kind=job, created_at__gte=since).values("organization")
    return list(Organization.objects.exclude(pk__in=asked).order_by("id"))
