"""Log-in, log-out, the first pass word by a one-time code, and the reader's language."""

from __future__ import annotations

from typing import Any

from axes.handlers.proxy import AxesProxyHandler
from axes.helpers import get_lockout_response
from django.conf import settings
from django.contrib import messages
from django.contrib.auth.decorators import login_not_required
from django.contrib.auth.views import LoginView
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.utils.decorators import method_decorator
from django.utils.translation import gettext as _
from django.views.decorators.debug import sensitive_post_parameters
from django.views.decorators.http import require_http_methods, require_POST

from kitei.foundation import transactions
from kitei.foundation.text import UserError
from kitei.foundation.ui.referer import came_from
from kitei.trust.accounts import factors_signin, oidc, operations, webauthn
from kitei.trust.accounts.demo import demo_accounts
from kitei.trust.accounts.forms import CodeForm, LoginForm

LANGUAGE_COOKIE = settings.LANGUAGE_COOKIE_NAME
_YEAR = 365 * 24 * 60 * 60


@method_decorator(login_not_required, name="dispatch")
class Login(LoginView):
    """The log-in page. Who is logged in already goes on to where they wanted to go."""

    template_name = "accounts/login.html"
    authentication_form = LoginForm
    redirect_authenticated_user = True

    def get_context_data(self, **kwargs: Any) -> dict[str, Any]:
        """Add the demo's accounts."""
        return super().get_context_data(
            **kwargs,
            demo_accounts=demo_accounts(),
            passkeys_possible=webauthn.is_possible(self.request),
            oidc=oidc.is_configured(),
        )

    def form_valid(self, form: Any) -> HttpResponse:
        """The pass word is right: log in, or ask for the second factor of who has one."""
        return factors_signin.begin(self.request, form.get_user(), by="password", to=self.get_success_url())

    def form_invalid(self, form: Any) -> HttpResponse:
        """Answer 422: nothing was done, the errors stand on the page."""
        response = super().form_invalid(form)
        response.status_code = 422
        return response


@sensitive_post_parameters("password", "again", "code")
@login_not_required
@require_http_methods(["GET", "HEAD", "POST"])
def start_with_code(request: HttpRequest) -> HttpResponse:
    """Set the pass word of one's account with the code the administrator handed over."""
    # Tries are counted like pass words: by the name typed and the address one comes from, in one counter with log-in.
    if request.method == "POST" and not AxesProxyHandler.is_allowed(request):
        typed_mail = request.POST.get("email", "")
        known = operations.typed_by(typed_mail)
        operations.record_failed_login(user=known, typed=typed_mail, reason="locked-out")
        closed: HttpResponse = get_lockout_response(request)
        return closed
    form = CodeForm(request.POST or None)
    if request.method == "POST" and form.is_valid():
        typed = form.cleaned_data
        try:
            transactions.durable(
                lambda: operations.redeem_code(email=typed["email"], code=typed["code"], password=typed["password"])
            )
        except operations.WrongCodeError as error:
            operations.record_failed_code(error=error, typed=typed["email"])
            AxesProxyHandler.user_login_failed(start_with_code, {"username": typed["email"]}, request)
            form.add_error(None, str(error))
        except UserError as error:
            form.add_error(None, str(error))
        else:
            messages.success(request, _("パスワードを設定しました。新しいパスワードでログインしてください。"))
            return redirect("login")
    return render(request, "accounts/code.html", {"form": form}, status=422 if form.errors else 200)


@login_not_required
@require_POST
def set_language(request: HttpRequest) -> HttpResponse:
    """Switch the language, here and on the account, and return to the page one came from."""
    language = request.POST.get("language", "")
    # The address comes from the Referer, so that pages that must look alike (404) hold no address in a hidden field.
    response = redirect(came_from(request) or "/")
    if language not in dict(settings.LANGUAGES):
        return response
    user = request.user
    if user.is_authenticated:
        transactions.durable(lambda: operations.set_language(user=user, language=language))
    response.set_cookie(
        LANGUAGE_COOKIE, language, max_age=_YEAR, secure=settings.SESSION_COOKIE_SECURE, httponly=True, samesite="Lax"
    )
    return response
