"""Closing an account for good, and erasing whom it named. Joins the caller's transaction; the caller appends the event."""

from __future__ import annotations

from axes.models import AccessAttempt, AccessFailureLog, AccessLog
from django.db.models import Q

from kitei.foundation import clock, transactions
from kitei.trust.accounts import factors
from kitei.trust.accounts.models import AccountSession, ApiToken, OneTimeCode, User
from kitei.trust.auditlog.erasure import ERASED

_NOBODY = "erased.invalid"  # RFC 2606: no mail ever arrives there


def is_open(user: User) -> bool:
    """Whether somebody could log in to the account, or be let in again by it."""
    return user.is_active or user.is_administrator or user.has_usable_password()


def close(*, user: User) -> bool:
    """Let nobody log in with the account any more: sessions end, codes are gone. False when it was closed already."""
    transactions.require()
    was_open = is_open(user)
    user.is_active = user.is_administrator = False
    user.set_unusable_password()
    user.save(update_fields=["is_active", "is_administrator", "password"])
    OneTimeCode.objects.filter(user=user).delete()
    factors.forget(user=user, identities=True)
    # A token's label is free text; the log keeps what it was called as a commitment.
    ApiToken.objects.filter(user=user).delete()
    AccountSession.objects.filter(user=user, ended_at__isnull=True).update(ended_at=clock.now(), ended_by="left")
    # Counters of failed log-ins are no record (the log is); they hold the address in clear.
    for model in (AccessAttempt, AccessFailureLog, AccessLog):
        # A device that logged in before is counted under the address, a space and its mark (throttle).
        mine = Q(username__iexact=user.email) | Q(username__istartswith=f"{user.email} ")
        model.objects.filter(mine).delete()
    return was_open


def is_erased(user: User) -> bool:
    """Whether the account no longer says whose it was."""
    return user.name == ERASED


def erase(*, user: User) -> bool:
    """Take name and mail address out of a closed account; its id stays what the log refers to. False if done already."""
    transactions.require()
    if is_erased(user):
        return False
    user.name = ERASED
    user.email = f"{user.id}@{_NOBODY}"
    user.save(update_fields=["name", "email"])
    return True
