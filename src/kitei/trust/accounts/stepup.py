"""How surely a session is whose it is: the strength of its log-in, and how long ago the last proof was.

``ASKED`` is the one list of what asks for a fresh proof (issue 4 part 4): approving, managing, and taking registers out.
"""

from __future__ import annotations

import datetime as dt
from dataclasses import replace
from typing import Any
from urllib.parse import urlencode

from django.contrib import messages
from django.contrib.auth import SESSION_KEY
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.urls import reverse
from django.utils.http import url_has_allowed_host_and_scheme
from django.utils.translation import gettext as _

from kitei.foundation import clock
from kitei.foundation.ui.referer import came_from
from kitei.trust.accounts import factors
from kitei.trust.accounts.models import User
from kitei.trust.auditlog import log

FRESH = dt.timedelta(minutes=15)
STRENGTH, PROVEN = "strength", "proven_at"
_SAFE = frozenset({"GET", "HEAD"})
_ANY = frozenset({"GET", "HEAD", "POST"})
_POST = frozenset({"POST"})

ASKED: dict[str, frozenset[str]] = {
    # approve
    "regulation-adopt": _ANY,
    "finding-accept": _ANY,
    "guideline-clause": _POST,
    "import-apply": _POST,
    # registers and the log taken out
    "list-export": _SAFE,
    "export-all": _SAFE,
    "log-export": _SAFE,
    # one's own factors
    "factor-totp": _ANY,
    "factor-passkey": _ANY,
    "factor-passkey-begin": _POST,
    "factor-recovery": _POST,
    "factor-remove": _POST,
    # accounts of others, rights
    "factor-reset": _ANY,
    "account-invite": _ANY,
    "account-act": _POST,
    "own-password": _ANY,
    "own-account": _POST,  # makes an API token
    "own-account-act": _POST,
    "access-folders": _POST,
    "access-folder": _POST,
    "access-new": _ANY,
    "access-withdraw": _ANY,
    "access-answer": _ANY,
    "access-emergency": _POST,
    "access-emergency-review": _ANY,
    "access-review": _ANY,
}
"""Route name -> methods. GET is in it where a form is opened, so that the proof comes before anything is typed.

What depends on the object asks for itself, with ``demand``: files above 社外秘, what the log keeps as commitments.
"""
OWN_FACTORS = frozenset(
    {"factors", "factor-totp", "factor-passkey", "factor-passkey-begin", "factor-recovery", "factor-remove"}
)
WITHOUT_FACTOR = frozenset(
    {"logout", "login", "set-language", "health", "step-up", "passkey-begin", "login-oidc", "login-oidc-return"}
)
"""What a session can open that still lacks the second factor its holder must have."""


def strength(request: HttpRequest) -> str:
    """Return how the holder of this session proved who they are; empty without a session."""
    found: str = request.session.get(STRENGTH, "password") if request.user.is_authenticated else ""
    return found


def is_strong(text: str) -> bool:
    """Whether a strength stands for two factors: ``passkey``, or two joined by ``+``."""
    return text == factors.PASSKEY or "+" in text


def fresh(request: HttpRequest) -> bool:
    """Whether the last proof in this session is at most fifteen minutes old."""
    at: float = request.session.get(PROVEN, 0.0)
    return 0 <= clock.device_time().timestamp() - at <= FRESH.total_seconds()


def proven(request: HttpRequest, *, by: str = "") -> None:
    """Note a proof just made; ``by`` a factor (``totp``, ``passkey``, ``recovery``) also raises a session of one factor."""
    request.session.cycle_key()  # what knew the key before the proof does not know it after (ASVS 7.2.4)
    request.session[PROVEN] = clock.device_time().timestamp()
    now = strength(request)
    if by and not is_strong(now):
        request.session[STRENGTH] = f"{now}+{by}"
        if log.context().face:
            log.set_context(replace(log.context(), strength=f"{now}+{by}"))


def needs_factor(request: HttpRequest, user: User) -> bool:
    """Whether only a second factor counts as proof here: the account has one, and this session has not shown it."""
    return not is_strong(strength(request)) and factors.has_any(user)


class StaleError(Exception):
    """A proof is asked for before this act; ``GateMiddleware`` answers with the page that asks."""


def demand(request: HttpRequest) -> None:
    """Ask for a fresh proof before an act whose route alone does not tell; StaleError when the last one is too old.

    Called after the rule permitted the act: who may not do it must not learn from the question that there is something.
    Tokens and links have no proofs to show: they get this far only with what they may do.
    """
    if SESSION_KEY in request.session and not fresh(request):
        raise StaleError


def safe_next(request: HttpRequest, given: str) -> str:
    """Return where to go back to: an address of ours, else home."""
    ours = url_has_allowed_host_and_scheme(given, allowed_hosts=None) and given.startswith("/")
    return given if ours else reverse("home")


class GateMiddleware:
    """Lead those who must have a second factor to it, and ask for a fresh proof before the acts of ``ASKED``.

    Only sessions of people pass here: tokens and links have their own limits.
    """

    def __init__(self, get_response: Any) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> Any:
        """Pass on: the routes are known in ``process_view``."""
        return self.get_response(request)

    def process_view(self, request: HttpRequest, *_view: Any) -> HttpResponse | None:
        """Answer in the view's place when a proof is missing."""
        user = request.user
        name = (request.resolver_match.url_name or "") if request.resolver_match else ""
        if not isinstance(user, User) or SESSION_KEY not in request.session or name in WITHOUT_FACTOR:
            return None
        if not is_strong(strength(request)):
            if factors.has_any(user):
                if name in OWN_FACTORS or factors.is_required(user):
                    return ask(request)
            elif name not in OWN_FACTORS and factors.is_required(user):
                return redirect("factors")
        if request.method in ASKED.get(name, ()) and not fresh(request):
            return ask(request)
        return None

    def process_exception(self, request: HttpRequest, exception: Exception) -> HttpResponse | None:
        """Ask for the proof a view demanded."""
        return ask(request) if isinstance(exception, StaleError) else None


def ask(request: HttpRequest) -> HttpResponse:
    """Lead to the page that asks for a proof, and from there back. What was posted is not kept: the page says so."""
    back = request.get_full_path()
    if request.method not in _SAFE:
        back = came_from(request) or reverse("home")
        messages.warning(
            request,
            _(
                "本人であることを確かめてから15分が過ぎたため、まだ実行していません。確かめたあと、元の画面でもう一度行ってください。"
            ),
        )
    return redirect(f"{reverse('step-up')}?{urlencode({'next': back})}")
