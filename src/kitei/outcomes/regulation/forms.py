"""The form that puts an edition into force."""

from __future__ import annotations

from typing import Any

from django import forms
from django.utils.translation import gettext_lazy as _

from kitei.foundation import clock
from kitei.foundation.dates.japanese import DateError, parse_date
from kitei.foundation.files.store import MAX_BYTES

MODEL, OWN = "model", "own"


class AdoptForm(forms.Form):
    """What takes effect, when, and who approved it."""

    source = forms.ChoiceField(
        label=_("施行する規程"),
        choices=((MODEL, _("Kiteiの案（ひな形に基づく本文）")), (OWN, _("自社の規程（WordかPDFをアップロード）"))),
        widget=forms.RadioSelect,
        error_messages={"required": _("どちらの規程を施行するか選んでください。")},
    )
    file = forms.FileField(
        label=_("自社の規程のファイル"),
        required=False,
        help_text=_(
            "自社の規程を施行するときに選びます。Word（.docx）かPDF、50MBまで。条の一覧は、先に台帳のシート「現行規程」で取り込みます。"
        ),
        widget=forms.ClearableFileInput(attrs={"accept": ".docx,.pdf"}),
        error_messages={"empty": _("ファイルが空です。内容のあるファイルを選んでください。")},
    )
    effective_on = forms.CharField(
        label=_("施行日"),
        max_length=40,
        help_text=_("令和9年4月1日、2027/4/1、R9.4.1 のどの書き方でも読めます。今日より前の日も書けます。"),
        widget=forms.TextInput(attrs={"autocomplete": "off"}),
        error_messages={"required": _("施行日を入力してください。")},
    )
    label = forms.CharField(
        label=_("版の名前"), max_length=40, required=False, widget=forms.TextInput(attrs={"autocomplete": "off"})
    )
    summary = forms.CharField(
        label=_("改訂内容"),
        max_length=300,
        required=False,
        help_text=_("改訂履歴に載ります。例: 再委託先の確認の周期を見直した。"),
    )
    approved_by = forms.CharField(
        label=_("承認者"),
        max_length=120,
        required=False,
        help_text=_("承認した人の役職と氏名。紙や別のシステムで決裁したときは、決裁番号も書けます。"),
    )

    def clean_effective_on(self) -> Any:
        """Read the day in any Japanese spelling."""
        try:
            return parse_date(self.cleaned_data["effective_on"], today=clock.today())
        except DateError as error:
            raise forms.ValidationError(str(error)) from error

    def clean(self) -> dict[str, Any]:
        """An own regulation needs its file, of a size that is accepted."""
        values = super().clean() or {}
        upload = values.get("file")
        if values.get("source") == OWN and not upload and "file" not in self.errors:
            self.add_error("file", _("自社の規程のファイルを選んでください。"))
        if upload and upload.size > MAX_BYTES:
            self.add_error("file", _("ファイルが大きすぎます（上限50MB）。画像を小さくするなどしてください。"))
        return values
