"""The page アカウント (officers) and the page of one's own log-ins and tokens (everybody)."""

from __future__ import annotations

import uuid
from collections.abc import Callable
from typing import Any
from urllib.parse import urlencode

from django import forms
from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.urls import reverse
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy
from django.views.decorators.http import require_http_methods, require_POST, require_safe

from kitei.foundation import transactions
from kitei.foundation.mail import outbox
from kitei.foundation.text import UserError
from kitei.foundation.ui.lists import Section, section
from kitei.trust.access import rule
from kitei.trust.access.requests import actor_of
from kitei.trust.accounts import invitations, sessions, tokens
from kitei.trust.accounts.models import User
from kitei.web.accounts import alerts, queries
from kitei.web.accounts import operations as accounts


def _may(actor: rule.Actor, action: str) -> bool:
    return rule.decide(actor, action, queries.target(actor)).allowed


section(Section("accounts", gettext_lazy("アカウント"), "accounts", 90, shown=lambda actor: _may(actor, rule.LIST)))


@require_safe
def page(request: HttpRequest) -> HttpResponse:
    """List the accounts."""
    actor = actor_of(request)
    text, state = request.GET.get("q", ""), request.GET.get("state", "")
    found = queries.page(
        actor=actor, text=text, state=state, after=request.GET.get("after", ""), before=request.GET.get("before", "")
    )
    kept = {name: value for name, value in (("q", text), ("state", state)) if value}

    def turned(name: str, token: str | None) -> str:
        return f"{reverse('accounts')}?{urlencode(kept | {name: token})}" if token else ""

    context = {
        "section": "accounts",
        "rows": queries.standings(actor=actor, users=found.rows),
        "q": text,
        "state": state,
        "states": list(queries.STATES.items()),
        "narrowed": bool(kept),
        "before_url": turned("before", found.before),
        "after_url": turned("after", found.after),
        "may_manage": _may(actor, rule.MANAGE),
    }
    return render(request, "web/accounts/list.html", context)


class InviteForm(forms.Form):
    """Whom to invite, where to, and how the code gets there."""

    member = forms.ChoiceField(
        label=gettext_lazy("招待する人"),
        help_text=gettext_lazy("構成員の台帳にいて、アカウントのない人です。"),
        error_messages={
            "required": gettext_lazy("招待する人を選んでください。"),
            "invalid_choice": gettext_lazy("招待する人を選び直してください。"),
        },
    )
    email = forms.EmailField(
        label=gettext_lazy("メールアドレス"),
        required=False,
        max_length=254,
        help_text=gettext_lazy("空欄なら、構成員の台帳のメールアドレスを使います。ログインにも使います。"),
        widget=forms.EmailInput(attrs={"autocomplete": "off"}),
        error_messages={
            "invalid": gettext_lazy("メールアドレスの形になっていません。name@example.jp のように入力してください。")
        },
    )
    language = forms.ChoiceField(
        label=gettext_lazy("メールと画面の言語"), choices=[("ja", "日本語"), ("en", "English")], initial="ja"
    )
    way = forms.ChoiceField(label=gettext_lazy("コードの渡し方"), error_messages={})

    def __init__(self, *given: Any, members: list[Any], **named: Any) -> None:
        super().__init__(*given, **named)
        self._mails = {str(row.of_id): row.email for row in members}
        self.fields["member"].choices = [  # type: ignore[attr-defined]
            ("", _("選んでください")),
            *((str(row.of_id), f"{row.full_name}（{row.code}）") for row in members),
        ]
        self.fields["way"].choices = _ways()  # type: ignore[attr-defined]

    def clean(self) -> dict[str, Any]:
        """The register's address stands in for one that was not typed."""
        values = super().clean() or {}
        if "email" in values and not values["email"] and values.get("member"):
            values["email"] = self._mails.get(values["member"], "")
            if not values["email"]:
                self.add_error("email", _("台帳にメールアドレスがありません。入力してください。"))
        return values


def _ways() -> list[tuple[str, Any]]:
    paper = (invitations.PAPER, _("コードを印刷して手渡す"))
    return [(invitations.MAIL, _("メールで送る")), paper] if outbox.is_configured() else [paper]


@require_http_methods(["GET", "HEAD", "POST"])
def invite(request: HttpRequest) -> HttpResponse:
    """Invite a member of the register."""
    actor = actor_of(request)
    rule.require(actor, rule.MANAGE, queries.target(actor))
    form = InviteForm(request.POST or None, members=queries.invitable(actor=actor))
    if request.method == "POST" and form.is_valid():
        typed = form.cleaned_data
        try:
            user, code = transactions.durable(
                lambda: accounts.invite_member(
                    actor=actor,
                    member=uuid.UUID(typed["member"]),
                    email=typed["email"],
                    language=typed["language"],
                    way=typed["way"],
                )
            )
        except UserError as error:
            form.add_error(None, str(error))
        else:
            if code:
                return _code_page(request, user, code)
            messages.success(request, _("招待のメールを送ります。届かないときは、このページから送り直せます。"))
            return redirect("account", user.pk)
    context = {"section": "accounts", "form": form, "can_mail": outbox.is_configured()}
    return render(request, "web/accounts/invite.html", context, status=422 if form.errors else 200)


def _code_page(request: HttpRequest, user: User, code: str) -> HttpResponse:
    found = queries.standings(actor=actor_of(request), users=[user])[0]
    home = f"{request.scheme}://{request.get_host()}"
    context = {
        "section": "accounts",
        "user": user,
        "code": code,
        "until": found.code,
        "url": invitations.start_url(home=home),
    }
    return render(request, "web/accounts/code.html", context)


@require_safe
def one(request: HttpRequest, identity: uuid.UUID) -> HttpResponse:
    """Show one account: how it stands, its log-ins and tokens, what can be done."""
    actor = actor_of(request)
    user = queries.find(actor=actor, identity=identity)
    context = {
        "section": "accounts",
        "account": user,
        "standing": queries.standings(actor=actor, users=[user])[0],
        "logins": sessions.listed(user=user),
        "tokens": tokens.listed(user=user),
        "may_manage": _may(actor, rule.MANAGE),
        "own": str(user.pk) == actor.id,
        "can_mail": outbox.is_configured(),
    }
    return render(request, "web/accounts/one.html", context)


@require_POST
def act(request: HttpRequest, identity: uuid.UUID) -> HttpResponse:
    """Do one thing to an account: ``do`` names it."""
    actor = actor_of(request)
    user = queries.find(actor=actor, identity=identity, action=rule.MANAGE)
    do = request.POST.get("do", "")
    if do in {"mail", "paper"}:
        code = transactions.durable(lambda: accounts.invite_again(actor=actor, user=user, way=do))
        if code:
            return _code_page(request, user, code)
        messages.success(request, _("招待のメールを送ります。前のコードは使えなくなりました。"))
        return redirect("account", user.pk)
    works: dict[str, tuple[Callable[[], Any], str]] = {
        "withdraw": (lambda: accounts.withdraw(actor=actor, user=user), _("招待を取り消しました。")),
        "stop": (
            lambda: accounts.stop(actor=actor, user=user),
            _("アカウントを停止しました。ログイン中の端末とトークンも終わりました。"),
        ),
        "reopen": (lambda: accounts.reopen(actor=actor, user=user), _("アカウントを再開しました。")),
        "end-session": (
            lambda: accounts.end_session(actor=actor, user=user, login=_number(request)),
            _("端末のログインを終了しました。"),
        ),
        "end-token": (
            lambda: accounts.end_token(actor=actor, user=user, token=_number(request)),
            _("トークンを無効にしました。"),
        ),
    }
    if do in works:
        work, said = works[do]
        if transactions.durable(work):
            messages.success(request, said)
    return redirect("account", user.pk)


@require_POST
def console_seen(request: HttpRequest) -> HttpResponse:
    """Confirm having seen that the console invited an administrator: home says it no more to this reader."""
    actor = actor_of(request)
    account = request.POST.get("account", "")[:40]
    if transactions.durable(lambda: alerts.confirm(actor=actor, account=account)):
        messages.success(request, _("確認したことを、操作記録に残しました。"))
    return redirect("home")


def _number(request: HttpRequest) -> uuid.UUID:
    """Return the id a button sends; one that is none of ours finds nothing."""
    try:
        return uuid.UUID(request.POST.get("id", ""))
    except ValueError:
        return uuid.UUID(int=0)


class TokenForm(forms.Form):
    """What the token is for and how long it opens something."""

    label = forms.CharField(
        label=gettext_lazy("用途"),
        max_length=60,
        help_text=gettext_lazy("どのプログラムで使うかを書きます。例: 月次報告の集計"),
        error_messages={"required": gettext_lazy("用途を入力してください。")},
    )
    ttl = forms.ChoiceField(
        label=gettext_lazy("期限"),
        choices=[
            ("1h", gettext_lazy("1時間")),
            ("1d", gettext_lazy("1日")),
            ("30d", gettext_lazy("30日")),
            ("90d", gettext_lazy("90日")),
            ("365d", gettext_lazy("1年")),
        ],
        initial="30d",
    )


@require_http_methods(["GET", "HEAD", "POST"])
def own(request: HttpRequest) -> HttpResponse:
    """Show one's own log-ins and tokens; a POST makes a token, which is shown once, on this answer only."""
    actor = actor_of(request)
    user = _self(request)
    secret = ""
    form = TokenForm(request.POST or None)
    if request.method == "POST" and form.is_valid():
        typed = form.cleaned_data
        try:
            _made, secret = transactions.durable(
                lambda: accounts.create_token(
                    actor=actor, user=user, ttl=tokens.life(typed["ttl"]), label=typed["label"]
                )
            )
        except UserError as error:
            form.add_error(None, str(error))
        else:
            form = TokenForm()
    context = {
        "form": form,
        "secret": secret,
        "logins": sessions.listed(user=user),
        "here": sessions.current(request.session),
        "has_password": user.has_usable_password(),
        "tokens": tokens.listed(user=user),
    }
    return render(request, "web/accounts/own.html", context, status=422 if form.errors else 200)


@require_POST
def own_act(request: HttpRequest) -> HttpResponse:
    """End one of one's own log-ins, all others, or a token."""
    actor, user = actor_of(request), _self(request)
    do, here = request.POST.get("do", ""), sessions.current(request.session)
    if do == "end-session":
        done = transactions.durable(lambda: accounts.end_session(actor=actor, user=user, login=_number(request)))
        said = _("端末のログインを終了しました。")
    elif do == "end-others":
        done = transactions.durable(lambda: accounts.end_other_sessions(actor=actor, user=user, keep=here))
        said = _("ほかの端末のログインをすべて終了しました。")
    elif do == "end-token":
        done = transactions.durable(lambda: accounts.end_token(actor=actor, user=user, token=_number(request)))
        said = _("トークンを無効にしました。")
    else:
        return redirect("own-account")
    if done:
        messages.success(request, said)
    return redirect("own-account")


def _self(request: HttpRequest) -> User:
    user = request.user
    if not isinstance(user, User):
        raise TypeError("this page asked for one's own account, but nobody is logged in")
    return user
