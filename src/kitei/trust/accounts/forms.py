"""Forms of log-in and of the first pass word."""

from __future__ import annotations

from typing import Any

from django import forms
from django.contrib.auth.forms import AuthenticationForm
from django.utils.translation import gettext_lazy as _


class LoginForm(AuthenticationForm):
    """Mail address and pass word. One message for every failure: it does not tell which accounts exist."""

    error_messages = {
        "invalid_login": _("メールアドレスまたはパスワードが違います。確かめてから、もう一度入力してください。"),
        "inactive": _("メールアドレスまたはパスワードが違います。確かめてから、もう一度入力してください。"),
    }
    username = forms.EmailField(
        label=_("メールアドレス"),
        max_length=254,
        widget=forms.EmailInput(attrs={"autocomplete": "username", "inputmode": "email"}),
        error_messages={
            "required": _("メールアドレスを入力してください。"),
            "invalid": _("メールアドレスの形になっていません。name@example.jp のように入力してください。"),
        },
    )
    password = forms.CharField(
        label=_("パスワード"),
        strip=False,
        max_length=256,
        widget=forms.PasswordInput(attrs={"autocomplete": "current-password"}),
        error_messages={"required": _("パスワードを入力してください。")},
    )


class NewPasswordForm(forms.Form):
    """A pass word to be set, typed twice. Nothing keeps one from pasting."""

    password = forms.CharField(
        label=_("新しいパスワード"),
        strip=False,
        max_length=256,
        help_text=_("15文字以上。長い文でもかまいません。記号や数字を混ぜる必要はありません。"),
        widget=forms.PasswordInput(attrs={"autocomplete": "new-password"}),
        error_messages={"required": _("新しいパスワードを入力してください。")},
    )
    again = forms.CharField(
        label=_("新しいパスワード（もう一度）"),
        strip=False,
        max_length=256,
        widget=forms.PasswordInput(attrs={"autocomplete": "new-password"}),
        error_messages={"required": _("同じパスワードをもう一度入力してください。")},
    )

    def clean(self) -> dict[str, Any]:
        """Both pass words have to agree: nobody could log in with a mistyped one."""
        values = super().clean() or {}
        first, second = values.get("password"), values.get("again")
        if first and second and first != second:
            self.add_error("again", _("二つのパスワードが同じではありません。もう一度入力してください。"))
        return values


class CodeForm(NewPasswordForm):
    """Mail address, one-time code and the pass word to be set."""

    field_order = ("email", "code", "password", "again")
    email = forms.EmailField(
        label=_("メールアドレス"),
        max_length=254,
        widget=forms.EmailInput(attrs={"autocomplete": "username", "inputmode": "email"}),
        error_messages={
            "required": _("メールアドレスを入力してください。"),
            "invalid": _("メールアドレスの形になっていません。name@example.jp のように入力してください。"),
        },
    )
    code = forms.CharField(
        label=_("コード"),
        max_length=60,
        help_text=_("管理者から受け取った、ABCDE-FGHJK-LMNPQ-RSTUV のような20文字です。3日間、1回だけ使えます。"),
        widget=forms.TextInput(
            attrs={"autocomplete": "one-time-code", "autocapitalize": "characters", "spellcheck": "false"}
        ),
        error_messages={"required": _("コードを入力してください。")},
    )


class OwnPasswordForm(NewPasswordForm):
    """The pass word in use, and the one to come."""

    current = forms.CharField(
        label=_("今のパスワード"),
        strip=False,
        max_length=256,
        widget=forms.PasswordInput(attrs={"autocomplete": "current-password"}),
        error_messages={"required": _("今のパスワードを入力してください。")},
    )
    field_order = ("current", "password", "again")
