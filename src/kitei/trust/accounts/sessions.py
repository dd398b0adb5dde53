"""Log-ins on devices: which are open, how long they last, and what ends them (NIST SP 800-63B-4 §2.2.3, ASVS V7).

Django's session holds the id of an ``AccountSession``; every request asks for that row, so a session that was ended opens
nothing on the next request. Functions with ``user`` as a keyword join the caller's transaction.
"""

from __future__ import annotations

import datetime as dt
import re
import uuid
from collections.abc import Collection, Mapping
from typing import Any

from django.contrib.auth.signals import user_logged_in, user_logged_out
from django.contrib.sessions.models import Session
from django.db import DatabaseError
from django.dispatch import receiver

from kitei.foundation import clock, transactions
from kitei.foundation.jobs import queue
from kitei.foundation.jobs.models import Job
from kitei.foundation.tenancy.models import Organization
from kitei.trust.accounts.events import SESSION_ENDED
from kitei.trust.accounts.models import AccountSession, User
from kitei.trust.auditlog.log import Act, append_many

KEY = "kitei-session"
IDLE = dt.timedelta(minutes=30)
LONGEST = dt.timedelta(hours=12)
KEEP_ENDED = dt.timedelta(days=30)
SWEEP = "accounts.sweep"
_TOUCH = dt.timedelta(minutes=1)
# Most specific first: Edge and Opera call themselves Chrome, Chrome calls itself Safari.
_BROWSERS = (("Edg", "Edge"), ("OPR/", "Opera"), ("Firefox/", "Firefox"), ("Chrome/", "Chrome"), ("Safari/", "Safari"))
_SYSTEMS = (
    ("iPhone", "iPhone"), ("iPad", "iPad"), ("Android", "Android"), ("Windows", "Windows"), ("Mac OS X", "macOS"), ("Linux", "Linux"),
)  # fmt: skip


def kind_of_browser(agent: str) -> str:
    """Return browser and system in two words, coarse on purpose: enough to recognise one's own, nothing to track by."""
    browser = next((name for mark, name in _BROWSERS if mark in agent), "")
    system = next((name for mark, name in _SYSTEMS if re.search(rf"\b{mark}", agent)), "")
    return " / ".join(part for part in (browser, system) if part)


@receiver(user_logged_in, dispatch_uid="kitei.accounts.session.begin")
def _begin(sender: Any, request: Any, user: User, **kwargs: Any) -> None:
    session = getattr(request, "session", None)
    if session is None:
        return
    before = _id(session)
    now = clock.now()
    row = AccountSession(
        organization=user.organization,
        user=user,
        since=now,
        last_used_at=now,
        browser=kind_of_browser(getattr(request, "META", {}).get("HTTP_USER_AGENT", "")),
    )

    def work() -> None:
        if before is not None:  # logged in once more on the same device: the old log-in goes on in the new one
            _close(AccountSession.objects.filter(pk=before), "replaced", now)
        row.save(force_insert=True)
        User.objects.filter(pk=user.pk).update(last_login=now)  # Django's own receiver asks another clock

    transactions.durable_or_join(work)
    session[KEY] = str(row.pk)


@receiver(user_logged_out, dispatch_uid="kitei.accounts.session.end")
def _logged_out(sender: Any, request: Any, user: User | None, **kwargs: Any) -> None:
    identity = _id(getattr(request, "session", {}))
    if identity is not None:
        rows = AccountSession.objects.filter(pk=identity)
        transactions.durable_or_join(lambda: _close(rows, "logout", clock.now()))


def current(session: Mapping[str, Any]) -> uuid.UUID | None:
    """Return the id of the log-in that a Django session belongs to."""
    return _id(session)


def find(session: Mapping[str, Any], user: User) -> AccountSession | None:
    """Return the open log-in of a Django session; None when it was ended, is idle for 30 minutes or 12 hours old."""
    identity = _id(session)
    if identity is None:
        return None
    rows = AccountSession.objects.filter(pk=identity, user=user, ended_at__isnull=True).select_related("organization")
    row = rows.first()
    if row is None or not is_fresh(row):
        return None
    if row.organization_id == user.organization_id:
        user.organization = row.organization  # every request needs it: spares a query of its own
    return row


def is_fresh(row: AccountSession) -> bool:
    """Whether a log-in that nobody ended is young enough and in use."""
    now = clock.now()
    return now - row.last_used_at < IDLE and now - row.since < LONGEST


def touch(row: AccountSession, *, roles: Collection[str]) -> bool:
    """Note the use of a log-in, at most once a minute; False when its account lost an office since (解任、任期の終わり).

    Then the caller ends it: whoever is dismissed logs in anew, with the rights that are left.
    """
    known, held = set(filter(None, row.roles.split(","))), set(roles)
    if known - held:
        return False
    now = clock.now()
    if now - row.last_used_at < _TOUCH and known == held:
        return True
    rows = AccountSession.objects.filter(pk=row.pk, ended_at__isnull=True)
    try:
        transactions.durable_or_join(lambda: rows.update(last_used_at=now, roles=",".join(sorted(held))))
    except DatabaseError:
        # A page is not refused because the time of its use could not be noted.
        return True
    return True


def end(
    *, user: User, actor: tuple[str, str], why: str, decision: Mapping[str, Any], only: Collection[uuid.UUID] = ()
) -> int:
    """End log-ins of an account, all or ``only`` those; joins the caller's transaction; one ``session:end`` each.

    ``why`` is ``revoked``, ``password``, ``factors``, ``stopped``, ``left``, ``dismissed`` or ``expired``. Returns how many.
    """
    return _end(user, actor, why, decision, lambda rows: rows.filter(pk__in=list(only)) if only else rows)


def end_others(
    *, user: User, actor: tuple[str, str], why: str, decision: Mapping[str, Any], keep: uuid.UUID | None
) -> int:
    """End the log-ins of an account but the one to ``keep``; as ``end``."""
    return _end(user, actor, why, decision, lambda rows: rows.exclude(pk=keep) if keep else rows)


def _end(user: User, actor: tuple[str, str], why: str, decision: Mapping[str, Any], narrow: Any) -> int:
    transactions.require()
    rows = list(narrow(AccountSession.objects.filter(user=user, ended_at__isnull=True)))
    _close(AccountSession.objects.filter(pk__in=[row.pk for row in rows], ended_at__isnull=True), why, clock.now())
    acts = [
        Act(
            SESSION_ENDED,
            actor,
            ("account", str(user.pk)),
            data={"login": str(row.pk), "why": why},
            decision=decision,
        )
        for row in rows
    ]
    append_many(organization=user.organization, acts=acts)
    return len(rows)


def listed(*, user: User) -> list[AccountSession]:
    """Return the open log-ins of an account, the one used last first."""
    rows = AccountSession.objects.filter(user=user, ended_at__isnull=True).order_by("-last_used_at", "-since")
    return [row for row in rows if is_fresh(row)]


def _close(rows: Any, why: str, now: dt.datetime) -> None:
    rows.filter(ended_at__isnull=True).update(ended_at=now, ended_by=why)


def _id(session: Mapping[str, Any]) -> uuid.UUID | None:
    try:
        return uuid.UUID(str(session.get(KEY, "")))
    except ValueError:
        return None


_swept: list[dt.date] = []


def plan_sweep() -> None:
    """Ask once a day for old sessions to be cleared; the worker calls it often, a process asks the database once a day."""
    today = clock.today()
    if _swept == [today]:
        return
    organization = Organization.objects.order_by("id").first()
    if organization is None:
        return
    start = clock.start_of(today)
    if not Job.objects.filter(organization=organization, kind=SWEEP, created_at__gte=start).exists():
        transactions.durable_or_join(lambda: queue.ask(organization=organization, kind=SWEEP, key=today.isoformat()))
    _swept[:] = [today]


def sweep(job: Job | None = None) -> None:
    """Delete Django's expired sessions, and log-ins that ended or went stale 30 days ago. Twice is harmless."""
    now = clock.now()

    def work() -> None:
        Session.objects.filter(expire_date__lt=now).delete()
        AccountSession.objects.filter(last_used_at__lt=now - KEEP_ENDED).delete()

    transactions.durable_or_join(work)


queue.handler(SWEEP, sweep)
