"""Pages of second factors: at log-in, one's own list of factors, setting one up, taking one away, proving oneself again."""

from __future__ import annotations

import base64
import uuid
from typing import Any

import segno
from django.contrib import messages
from django.contrib.auth.decorators import login_not_required
from django.http import HttpRequest, HttpResponse, JsonResponse
from django.shortcuts import redirect, render
from django.utils.safestring import SafeString, mark_safe
from django.utils.translation import gettext as _
from django.views.decorators.debug import sensitive_post_parameters
from django.views.decorators.http import require_http_methods, require_POST, require_safe

from kitei.foundation import clock, transactions
from kitei.foundation.text import UserError
from kitei.trust.accounts import factors, factors_signin, factors_totp, sessions, stepup, webauthn
from kitei.trust.accounts.factors_forms import CodeForm, PasskeyForm, RecoveryForm, TotpForm
from kitei.trust.accounts.factors_sealing import SealBrokenError
from kitei.trust.accounts.models import User

_KEPT = "totp_setup"
_SECRET_LIFE = 1800


def member_of(request: HttpRequest) -> User:
    """Return who is logged in; RuntimeError on a page that strangers reach."""
    if not isinstance(request.user, User):
        raise TypeError("this page asked for an account, but nobody is logged in")
    return request.user


def why_not(reason: str) -> str:
    """Return what to say about a proof that did not hold."""
    if reason == "locked-out":
        return _(
            "確認の失敗が続いたため、しばらくの間この端末からの確認を止めています。15分ほど待ってから、もう一度試してください。"
        )
    return _("確認できませんでした。入力した内容を確かめてください。一度使ったコードは、もう使えません。")


# At log-in


@sensitive_post_parameters("code", "answer")
@login_not_required
@require_http_methods(["GET", "HEAD", "POST"])
def second(request: HttpRequest) -> HttpResponse:
    """Ask for the second factor of who has shown the first."""
    found = factors_signin.pending(request)
    if found is None:
        if request.method == "POST":
            messages.warning(request, _("時間が経ちすぎました。もう一度ログインしてください。"))
        return redirect("login")
    user, kept = found
    form, recovery = _typed(request)
    if request.method == "POST":
        way, reason = request.POST.get("way", ""), "second-factor"
        if way == factors.PASSKEY:
            reason = "" if _passkey_holds(request, user) else "passkey"
        else:
            asked = recovery if way == factors.RECOVERY else form
            if not asked.is_valid():
                return _second_page(request, user, form, recovery)
            reason = factors_signin.check(request, user, way=way, code=asked.cleaned_data["code"])
        if not reason:
            return factors_signin.finish(request, user, strength=f"{kept['by']}+{way or factors.TOTP}", to=kept["to"])
        factors_signin.record_failure(user, reason)
        (recovery if way == factors.RECOVERY else form).add_error(None, why_not(reason))
        if reason == "locked-out":
            return _second_page(request, user, form, recovery, status=429)
    return _second_page(request, user, form, recovery)


def _typed(request: HttpRequest) -> tuple[CodeForm, RecoveryForm]:
    way = request.POST.get("way", "") if request.method == "POST" else None
    form = CodeForm(request.POST if way is not None and way != factors.RECOVERY else None)
    recovery = RecoveryForm(request.POST if way == factors.RECOVERY else None, prefix=None, auto_id="id_recovery_%s")
    if way == factors.PASSKEY:
        form.fields["code"].required = False
    return form, recovery


def _second_page(
    request: HttpRequest, user: User, form: CodeForm, recovery: RecoveryForm, *, status: int = 422
) -> HttpResponse:
    wrong = form.errors or recovery.errors
    context = {
        "form": recovery if recovery.errors else form,
        "code": form,
        "recovery": recovery,
        **_ways(request, user),
    }
    return render(request, "accounts/second.html", context, status=status if wrong else 200)


def _ways(request: HttpRequest, user: User) -> dict[str, Any]:
    kinds = {factor.kind for factor in factors.of(user)}
    return {
        "has_totp": factors.TOTP in kinds,
        "has_passkey": factors.PASSKEY in kinds and webauthn.is_possible(request),
        "has_recovery": factors.codes_left(user) > 0,
    }


def passkey_holds(request: HttpRequest, user: User | None) -> User | None:
    """Return whose passkey answered the challenge of this session; None when it proves nothing."""
    answer = request.POST.get("answer", "")
    try:
        state = webauthn.take_state(request, "get")
    except UserError:
        return None
    factor = transactions.durable(lambda: webauthn.prove(request, state=state, answer=answer, user=user))
    return factor.user if factor is not None else None


def _passkey_holds(request: HttpRequest, user: User) -> bool:
    return passkey_holds(request, user) is not None


@login_not_required
@require_POST
def passkey_begin(request: HttpRequest) -> JsonResponse:
    """Return what the browser needs for proving a passkey: of who is logged in or half-way there, else any."""
    waiting = factors_signin.pending(request)
    user = request.user if isinstance(request.user, User) else None
    if user is None and waiting and request.GET.get("of") == "pending":
        user = waiting[0]
    return JsonResponse(webauthn.begin_proof(request, user))


@sensitive_post_parameters("answer")
@login_not_required
@require_POST
def passkey_login(request: HttpRequest) -> HttpResponse:
    """Log in with a passkey alone: device and PIN or biometrics are both factors."""
    user = passkey_holds(request, None)
    if user is None or not user.is_active:
        factors_signin.record_failure(user, "passkey")
        messages.warning(
            request,
            _("パスキーでログインできませんでした。登録した端末か確かめるか、パスワードでログインしてください。"),
        )
        return redirect("login")
    to = stepup.safe_next(request, request.POST.get("next", ""))
    return factors_signin.finish(request, user, strength=factors.PASSKEY, to=to)


# One's own factors


@require_safe
def own(request: HttpRequest) -> HttpResponse:
    """List one's factors."""
    user = member_of(request)
    return render(
        request,
        "accounts/factors.html",
        {
            "factors": factors.of(user),
            "codes_left": factors.codes_left(user),
            "required": factors.is_required(user),
            "passkeys_possible": webauthn.is_possible(request),
        },
    )


@sensitive_post_parameters("code")
@require_http_methods(["GET", "HEAD", "POST"])
def totp(request: HttpRequest) -> HttpResponse:
    """Set an authenticator app up: show the secret once, take a code as proof that it arrived."""
    user = member_of(request)
    secret = _secret_of(request, user)
    form = TotpForm(request.POST or None)
    if request.method == "POST" and form.is_valid():
        typed = form.cleaned_data

        def work() -> None:
            factors.add_totp(user=user, secret=secret, code=typed["code"], name=typed["name"])
            _end_others(request, user)

        try:
            transactions.durable(work)
        except UserError as error:
            form.add_error("code", str(error))
        else:
            request.session.pop(_KEPT, None)
            return _added(request, user, by=factors.TOTP)
    context = {"form": form, "readable": factors_totp.readable(secret), "picture": _picture(secret, user)}
    return render(request, "accounts/factor_totp.html", context, status=422 if form.errors else 200)


def _secret_of(request: HttpRequest, user: User) -> bytes:
    """Return the secret being set up in this session, sealed there; a new one when there is none or it is old."""
    kept, now = request.session.get(_KEPT), clock.device_time().timestamp()
    if kept and 0 <= now - kept["at"] <= _SECRET_LIFE:
        try:
            return factors.open_secret(user, base64.b64decode(kept["sealed"]))
        except SealBrokenError:
            pass
    secret = factors_totp.new_secret()
    request.session[_KEPT] = {"sealed": base64.b64encode(factors.seal_secret(user, secret)).decode(), "at": now}
    return secret


def _picture(secret: bytes, user: User) -> SafeString:
    address = factors_totp.address(secret, account=user.email, issuer="Kitei")
    drawn = segno.make(address, error="m").svg_inline(scale=5, border=4, omitsize=False)
    return mark_safe(drawn)  # noqa: S308  made by segno from our own address, holds paths only


@require_POST
def passkey_add_begin(request: HttpRequest) -> JsonResponse:
    """Return what the browser needs for making a passkey."""
    return JsonResponse(webauthn.begin_registration(request, member_of(request)))


@sensitive_post_parameters("answer")
@require_http_methods(["GET", "HEAD", "POST"])
def passkey_add(request: HttpRequest) -> HttpResponse:
    """Register a passkey."""
    user = member_of(request)
    form = PasskeyForm(request.POST or None) if request.method == "POST" else PasskeyForm()
    if request.method == "POST" and form.is_valid():
        name, answer = form.cleaned_data["name"], request.POST.get("answer", "")

        def work(state: dict[str, Any]) -> None:
            webauthn.keep(request, user, state=state, answer=answer, name=name)
            _end_others(request, user)

        try:
            state = webauthn.take_state(request, "create")
            transactions.durable(lambda: work(state))
        except UserError as error:
            form.add_error(None, str(error))
        else:
            return _added(request, user, by=factors.PASSKEY)
    context = {"form": form, "passkeys_possible": webauthn.is_possible(request)}
    return render(request, "accounts/factor_passkey.html", context, status=422 if form.errors else 200)


def _end_others(request: HttpRequest, user: User) -> None:
    # Another log-in may be the thief's: a change of factors leaves only this one (ASVS 7.4.3).
    sessions.end_others(
        user=user,
        actor=("member", str(user.pk)),
        why="factors",
        decision={"allowed": True, "reasons": ["own-account"]},
        keep=sessions.current(request.session),
    )


def _added(request: HttpRequest, user: User, *, by: str) -> HttpResponse:
    stepup.proven(request, by=by)
    messages.success(request, _("本人確認の手段を追加しました。"))
    return redirect("factors") if factors.codes_left(user) else _codes(request, user)


@require_POST
def recovery(request: HttpRequest) -> HttpResponse:
    """Make new recovery codes and show them: the only time."""
    user = member_of(request)
    if not factors.has_any(user):
        messages.warning(request, _("先に、パスキーか認証アプリを追加してください。"))
        return redirect("factors")
    return _codes(request, user)


def _codes(request: HttpRequest, user: User) -> HttpResponse:
    codes = transactions.durable(lambda: factors.make_recovery_codes(user=user))
    return render(request, "accounts/recovery.html", {"codes": codes, "made_on": clock.today()})


@require_POST
def remove(request: HttpRequest, identity: uuid.UUID) -> HttpResponse:
    """Take one of one's factors away."""
    user = member_of(request)

    def work() -> None:
        factors.remove(user=user, identity=identity)
        _end_others(request, user)

    try:
        transactions.durable(work)
    except UserError as error:
        messages.warning(request, str(error))
    else:
        messages.success(request, _("本人確認の手段を外しました。"))
    return redirect("factors")
