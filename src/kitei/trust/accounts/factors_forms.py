"""Forms of second factors."""

from __future__ import annotations

from django import forms
from django.utils.translation import gettext_lazy as _

_DIGITS = {"autocomplete": "one-time-code", "inputmode": "numeric", "spellcheck": "false"}


class CodeForm(forms.Form):
    """The six digits an authenticator app shows."""

    code = forms.CharField(
        label=_("認証アプリのコード"),
        max_length=20,
        help_text=_("認証アプリに今表示されている6桁の数字です。"),
        widget=forms.TextInput(attrs=_DIGITS),
        error_messages={"required": _("認証アプリのコードを入力してください。")},
    )


class RecoveryForm(forms.Form):
    """One of the printed codes."""

    code = forms.CharField(
        label=_("回復コード"),
        max_length=60,
        help_text=_("控えておいた、ABCD-EFGH-JKLM-NPQR のような16文字です。1個につき1回だけ使えます。"),
        widget=forms.TextInput(attrs={"autocomplete": "off", "autocapitalize": "characters", "spellcheck": "false"}),
        error_messages={"required": _("回復コードを入力してください。")},
    )


class PasswordForm(forms.Form):
    """One's own pass word, asked for again."""

    password = forms.CharField(
        label=_("パスワード"),
        strip=False,
        max_length=256,
        widget=forms.PasswordInput(attrs={"autocomplete": "current-password"}),
        error_messages={"required": _("パスワードを入力してください。")},
    )


class TotpForm(CodeForm):
    """Setting an authenticator app up: what it is called, and a code to show that it works."""

    name = forms.CharField(
        label=_("端末の名前"),
        max_length=60,
        required=False,
        help_text=_("あとで見分けるための名前です（例：会社の携帯電話）。"),
    )
    field_order = ("code", "name")


class PasskeyForm(forms.Form):
    """What a passkey is called; the browser's answer is added by webauthn.js."""

    name = forms.CharField(
        label=_("端末の名前"),
        max_length=60,
        required=False,
        help_text=_("あとで見分けるための名前です（例：会社の携帯電話）。"),
    )
