"""The page on which somebody changes the own pass word: the current one is asked for, whatever was proven before."""

from __future__ import annotations

from django.contrib import messages
from django.contrib.auth import update_session_auth_hash
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.utils.translation import gettext as _
from django.views.decorators.debug import sensitive_post_parameters
from django.views.decorators.http import require_http_methods

from kitei.foundation import transactions
from kitei.foundation.text import UserError
from kitei.trust.accounts import factors_tries, operations, sessions
from kitei.trust.accounts.factors_pages import member_of, why_not
from kitei.trust.accounts.forms import OwnPasswordForm
from kitei.trust.accounts.models import User
from kitei.trust.accounts.stepup_pages import PASSWORD, told


@sensitive_post_parameters("current", "password", "again")
@require_http_methods(["GET", "HEAD", "POST"])
def own(request: HttpRequest) -> HttpResponse:
    """Change one's pass word; the other devices are logged out, this one stays."""
    user = member_of(request)
    if not user.has_usable_password():
        messages.warning(request, _("このアカウントは、パスワードを使わずにログインしています。"))
        return redirect("own-account")
    form = OwnPasswordForm(request.POST or None)
    refused = 422
    if request.method == "POST" and form.is_valid():
        reason = _tried(request, user, form.cleaned_data["current"])
        if reason:
            told(user, by=PASSWORD, reason=reason)
            said = _("今のパスワードが違います。確かめてから、もう一度入力してください。")
            refused = 429 if reason == "locked-out" else 422
            form.add_error("current", why_not(reason) if reason == "locked-out" else said)
        elif _changed(request, user, form):
            messages.success(request, _("パスワードを変更しました。ほかの端末のログインは終わりました。"))
            return redirect("own-account")
    return render(request, "accounts/password.html", {"form": form}, status=refused if form.errors else 200)


def _tried(request: HttpRequest, user: User, current: str) -> str:
    """Return "" when the current pass word is right, else why not. Counted like every other proof."""
    if not factors_tries.spend(user=user, request=request):
        return "locked-out"
    if not user.check_password(current):
        return "credentials"
    factors_tries.forget(user=user, request=request)
    return ""


def _changed(request: HttpRequest, user: User, form: OwnPasswordForm) -> bool:
    here = sessions.current(request.session)
    try:
        transactions.durable(
            lambda: operations.change_password(user=user, password=form.cleaned_data["password"], keep=here)
        )
    except UserError as error:
        form.add_error("password", str(error))
        return False
    update_session_auth_hash(request, user)  # this session goes on, under a new key
    return True
