"""The page that asks for a fresh proof, and leads back to where one was."""

from __future__ import annotations

from typing import Any

from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.views.decorators.debug import sensitive_post_parameters
from django.views.decorators.http import require_http_methods

from kitei.trust.accounts import factors, factors_signin, factors_tries, oidc, stepup, webauthn
from kitei.trust.accounts.demo import demo_accounts
from kitei.trust.accounts.events import STEPPED_UP
from kitei.trust.accounts.factors_forms import CodeForm, PasswordForm, RecoveryForm
from kitei.trust.accounts.factors_pages import member_of, passkey_holds, why_not
from kitei.trust.accounts.models import User
from kitei.trust.auditlog.log import Act, record

PASSWORD = "password"  # noqa: S105  the name of a way, no secret


@sensitive_post_parameters("code", "password", "answer")
@require_http_methods(["GET", "HEAD", "POST"])
def page(request: HttpRequest) -> HttpResponse:
    """Ask for pass word or factor; of a session that lacks the account's second factor, for that one."""
    user = member_of(request)
    back = stepup.safe_next(request, request.POST.get("next", "") or request.GET.get("next", ""))
    needs_factor = stepup.needs_factor(request, user)
    ways = _ways(request, user, needs_factor=needs_factor)
    forms: dict[str, Any] = {
        factors.TOTP: CodeForm(auto_id="id_totp_%s"),
        factors.RECOVERY: RecoveryForm(auto_id="id_recovery_%s"),
        PASSWORD: PasswordForm(auto_id="id_password_%s"),
    }
    wrong, reason = None, ""
    if request.method == "POST":
        way = request.POST.get("way", "")
        if way not in ways:
            return redirect(request.get_full_path())
        wrong = form = type(forms.get(way, forms[factors.TOTP]))(request.POST, auto_id=f"id_{way}_%s")
        forms[way] = form
        if way == factors.PASSKEY:
            form.fields["code"].required = False
        if form.is_valid():
            reason = _try(request, user, way, form.cleaned_data)
            told(user, by=way, reason=reason)
            if not reason:
                stepup.proven(request, by="" if way == PASSWORD else way)
                return redirect(back)
            form.add_error(None, why_not(reason))
    context = {
        "form": wrong,
        "forms": forms,
        "ways": ways,
        "next": back,
        "needs_factor": needs_factor,
        "demo_password": _demo_password(user),
    }
    refused = 429 if reason == "locked-out" else 422
    status = refused if wrong is not None and wrong.errors else 200
    return render(request, "accounts/step_up.html", context, status=status)


def told(user: User, *, by: str, reason: str = "") -> None:
    """Record a proof, or one that did not hold."""
    data = {"by": by, "reason": reason} if reason else {"by": by}
    act = Act(
        STEPPED_UP,
        ("member", str(user.id)),
        ("account", str(user.id)),
        outcome="refused" if reason else "ok",
        data=data,
    )
    record(organization=user.organization, act=act)


def _ways(request: HttpRequest, user: User, *, needs_factor: bool) -> set[str]:
    ways = {factor.kind for factor in factors.of(user)}
    if not webauthn.is_possible(request):
        ways.discard(factors.PASSKEY)
    if needs_factor:
        return ways | ({factors.RECOVERY} if factors.codes_left(user) else set())
    if user.has_usable_password():
        ways.add(PASSWORD)
    if oidc.is_configured() and oidc.is_linked(user):
        ways.add("oidc")
    return ways


def _try(request: HttpRequest, user: User, way: str, typed: dict[str, Any]) -> str:
    """Return "" when the proof holds, else why not."""
    if way == factors.PASSKEY:
        return "" if passkey_holds(request, user) else "passkey"
    if way != PASSWORD:
        return factors_signin.check(request, user, way=way, code=typed["code"])
    if not factors_tries.spend(user=user, request=request):
        return "locked-out"
    if not user.check_password(typed["password"]):
        return "credentials"
    factors_tries.forget(user=user, request=request)
    return ""


def _demo_password(user: User) -> str:
    """Return the pass word that a demo shows on its log-in page anyway."""
    if not user.organization.is_demo:
        return ""
    return next((account.password for account in demo_accounts() if account.mail == user.email), "")
