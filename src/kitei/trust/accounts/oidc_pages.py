"""Going to the OpenID provider and coming back."""

from __future__ import annotations

import logging

from django.conf import settings
from django.contrib import messages
from django.contrib.auth.decorators import login_not_required
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.urls import reverse
from django.utils.translation import gettext as _
from django.views.decorators.http import require_safe

from kitei.foundation import clock, transactions
from kitei.trust.accounts import factors_signin, oidc, stepup
from kitei.trust.accounts.models import User
from kitei.trust.accounts.stepup_pages import told

_KEPT = "oidc"
_log = logging.getLogger(__name__)


@login_not_required
@require_safe
def start(request: HttpRequest) -> HttpResponse:
    """Send the browser to the provider: to log in, or, logged in already, to prove oneself again."""
    if not oidc.is_configured():
        raise Http404
    home = settings.PUBLIC_URL or f"{request.scheme}://{request.get_host()}"
    purpose = "step-up" if isinstance(request.user, User) else "login"
    to = stepup.safe_next(request, request.GET.get("next", ""))
    try:
        address, kept = oidc.begin(redirect_uri=home + reverse("login-oidc-return"), to=to, purpose=purpose)
    except oidc.OidcError as error:
        return _failed(request, error)
    request.session[_KEPT] = kept
    return redirect(address)


@login_not_required
@require_safe
def come_back(request: HttpRequest) -> HttpResponse:
    """Take the provider's answer: log in the account it belongs to, or note a fresh proof."""
    if not oidc.is_configured():
        raise Http404
    kept = request.session.pop(_KEPT, None)
    given = {
        name: request.GET.get(name, "")[:4000] for name in ("state", "code", "iss", "error") if name in request.GET
    }
    try:
        identity = oidc.finish(kept=kept, given=given)
    except oidc.OidcError as error:
        return _failed(request, error)
    user = transactions.durable(lambda: oidc.account_of(identity=identity))
    if kept["purpose"] == "step-up":
        return _proven_again(request, user, identity, kept["to"])
    if user is None:
        factors_signin.record_failure(None, "oidc-unknown")
        messages.warning(
            request,
            _(
                "この認証基盤のIDに結び付いたアカウントがないため、ログインできません。初めて使うときは、管理者に招待を依頼してください。"
            ),
        )
        return redirect("login")
    if identity.has_second_factor:
        return factors_signin.finish(request, user, strength="oidc+mfa", to=kept["to"])
    return factors_signin.begin(request, user, by="oidc", to=kept["to"])


def _proven_again(request: HttpRequest, user: User | None, identity: oidc.Identity, to: str) -> HttpResponse:
    me = request.user
    if not isinstance(me, User):
        return redirect("login")
    recent = 0 <= clock.device_time().timestamp() - identity.auth_time + oidc.LEEWAY_SECONDS <= oidc.LIFE_SECONDS
    if user is None or user.pk != me.pk or not recent or stepup.needs_factor(request, me):
        told(me, by="oidc", reason="oidc")
        messages.warning(request, _("認証基盤で本人であることを確かめられませんでした。もう一度試してください。"))
        return redirect("step-up")
    told(me, by="oidc")
    stepup.proven(request)
    return redirect(to)


def _failed(request: HttpRequest, error: oidc.OidcError) -> HttpResponse:
    _log.warning("log-in through the OpenID provider failed: %s", error)
    if isinstance(request.user, User):
        told(request.user, by="oidc", reason="oidc")
    else:
        factors_signin.record_failure(None, "oidc")
    messages.warning(
        request,
        _("認証基盤でのログインができませんでした。もう一度試してください。続くときは、管理者に知らせてください。"),
    )
    return redirect("step-up" if isinstance(request.user, User) else "login")
