"""Log-ins, failures and log-outs go to the log (design §5 "Recorded")."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

from django.contrib.auth.signals import user_logged_in, user_logged_out, user_login_failed
from django.dispatch import receiver

from kitei.foundation import clock
from kitei.trust.accounts import operations, stepup
from kitei.trust.accounts.models import User
from kitei.trust.auditlog import events, log
from kitei.trust.auditlog.log import Act, UnrecordedError


@receiver(user_logged_in, dispatch_uid="kitei.accounts.login")
def _logged_in(sender: Any, request: Any, user: User, **kwargs: Any) -> None:
    session = getattr(request, "session", None)
    strength = getattr(request, "kitei_strength", "password")
    if session is not None:
        session[stepup.STRENGTH], session[stepup.PROVEN] = strength, clock.device_time().timestamp()
    if session is not None and log.context().face:
        # From here on the request is that person's: its context said "nobody" until now.
        log.set_context(replace(log.context(), session=log.session_digest(session.session_key), strength=strength))
    act = Act(events.LOGIN, ("member", str(user.id)), ("account", str(user.id)))
    try:
        log.record(organization=user.organization, act=act)
    except UnrecordedError:
        if session is not None:
            session.flush()  # a log-in that cannot be recorded is none
        raise


@receiver(user_logged_out, dispatch_uid="kitei.accounts.logout")
def _logged_out(sender: Any, request: Any, user: User | None, **kwargs: Any) -> None:
    if user is not None:
        act = Act(events.LOGOUT, ("member", str(user.id)), ("account", str(user.id)))
        log.record(organization=user.organization, act=act)


@receiver(user_login_failed, dispatch_uid="kitei.accounts.failed")
def _failed(sender: Any, credentials: dict[str, Any], request: Any = None, **kwargs: Any) -> None:
    typed = str(credentials.get("username") or credentials.get("email") or "")
    user = operations.typed_by(typed)
    # Axes marks the failure that closes the door, and every attempt at the closed one.
    locked = getattr(request, "axes_locked_out", False)
    operations.record_failed_login(user=user, typed=typed, reason="locked-out" if locked else "credentials")
