"""From the first proof to a session: who has a second factor is asked for it before there is one."""

from __future__ import annotations

import uuid
from typing import Any

from django.contrib.auth import login
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.utils.crypto import constant_time_compare

from kitei.foundation import clock, transactions
from kitei.trust.accounts import factors, factors_tries, operations, throttle
from kitei.trust.accounts.models import User

BACKEND = "django.contrib.auth.backends.ModelBackend"
WAIT_SECONDS = 600
_PENDING = "signing_in"


def begin(request: HttpRequest, user: User, *, by: str, to: str) -> HttpResponse:
    """Go on after a first proof (``password`` or ``oidc``): log in, or ask for the account's second factor."""
    if not factors.has_any(user):
        return finish(request, user, strength=by, to=to)
    # Nobody is logged in yet: the session holds who is about to be, and what their pass word was.
    request.session[_PENDING] = {
        "user": str(user.pk),
        "hash": user.get_session_auth_hash(),
        "by": by,
        "to": to,
        "at": clock.device_time().timestamp(),
    }
    return redirect("login-second")


def pending(request: HttpRequest) -> tuple[User, dict[str, Any]] | None:
    """Return who has shown the first proof in this session, and what is known of it; None when nobody or too long ago."""
    kept = request.session.get(_PENDING)
    if not kept or not 0 <= clock.device_time().timestamp() - kept["at"] <= WAIT_SECONDS:
        return None
    user = User.objects.select_related("organization").filter(pk=uuid.UUID(kept["user"]), is_active=True).first()
    if user is None or not constant_time_compare(kept["hash"], user.get_session_auth_hash()):
        return None
    return user, kept


def finish(request: HttpRequest, user: User, *, strength: str, to: str) -> HttpResponse:
    """Log in with what was proven, and go where the person wanted to go."""
    request.session.pop(_PENDING, None)
    request.kitei_strength = strength  # type: ignore[attr-defined]  # read by the signal that records the log-in
    login(request, user, backend=BACKEND)
    response = redirect(to)
    throttle.remember_device(request, response, user)
    return response


def check(request: HttpRequest, user: User, *, way: str, code: str) -> str:
    """Try a typed code (``way``: ``totp`` or ``recovery``). Return "" when it is right, else why not; failures are recorded.

    Reasons are ``locked-out`` (too many tries from here) and ``second-factor``.
    """
    if not factors_tries.spend(user=user, request=request, digits=way != factors.RECOVERY):
        return "locked-out"
    use = factors.use_recovery_code if way == factors.RECOVERY else factors.use_totp

    def work() -> bool:
        right = use(user=user, code=code)
        if right:
            factors_tries.clear(user=user, request=request)
        return right

    return "" if transactions.durable(work) else "second-factor"


def record_failure(user: User | None, reason: str) -> None:
    """Record a second proof that let nobody in."""
    operations.record_failed_login(user=user, typed="", reason=reason)
