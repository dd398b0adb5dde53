"""Forms of the access pages."""

from __future__ import annotations

import datetime as dt
from typing import Any

from django import forms
from django.utils.translation import gettext as translate
from django.utils.translation import gettext_lazy as _

from kitei.foundation import clock
from kitei.foundation.dates.japanese import DateError, parse_date
from kitei.registers.people import queries as people
from kitei.trust.access import folders, rule
from kitei.trust.access.emergencies import HOURS, MOST_HOURS
from kitei.trust.access.grants import Terms
from kitei.trust.access.operations import ROOT_FOLDER
from kitei.trust.auditlog.vocabulary import kind_label
from kitei.web.access import names, queries

_DAY_HELP = _("令和9年3月31日、2027/3/31 のように書きます。")

_OWNER_HELP = _(
    "部署の名前か部署コードを書きます。その部署の人のうち、ここで「承認」を許可された人が、閲覧申請に回答できます。"
)


class DayField(forms.CharField):
    """A day in any Japanese spelling."""

    def __init__(self, **more: Any) -> None:
        more.setdefault("help_text", _DAY_HELP)
        super().__init__(max_length=40, widget=forms.TextInput(attrs={"autocomplete": "off"}), **more)

    def clean(self, value: Any) -> Any:
        """Return the day, None for nothing."""
        text = super().clean(value)
        if not text:
            return None
        try:
            return parse_date(text, today=clock.today())
        except DateError as error:
            raise forms.ValidationError(str(error)) from error


def reason_field(label: Any) -> forms.CharField:
    """Return a required field for free text."""
    return forms.CharField(label=label, max_length=500, widget=forms.Textarea(attrs={"rows": 3}))


def end_of(day: dt.date | None) -> dt.datetime | None:
    """Return the instant at which an inclusive last day ends."""
    return clock.start_of(day + dt.timedelta(days=1)) if day else None


def level_choices() -> list[tuple[int, str]]:
    """Classifications, the lowest first."""
    return [(value, str(label)) for value, label in names.LEVELS.items()]


def folder_choices(organization: Any, *, empty: bool = True) -> list[tuple[str, str]]:
    """Folders by path, 全体 first."""
    found = sorted(folders.paths(organization=organization).items(), key=lambda item: (item[1] != ROOT_FOLDER, item[1]))
    return ([("", translate("選んでください"))] if empty else []) + [(str(key), path) for key, path in found]


class EntryForm(forms.Form):
    """A grant or a deny: to whom, what, where, how high, how long, why."""

    effect = forms.ChoiceField(
        label=_("種類"), choices=[("grant", _("許可する")), ("deny", _("禁止する（許可より強い）"))]
    )
    who = forms.ChoiceField(label=_("だれに"), choices=[])
    member = forms.CharField(
        label=_("社員番号"), required=False, max_length=60, help_text=_("「構成員の一人」を選んだときに書きます。")
    )
    actions = forms.MultipleChoiceField(
        label=_("操作"), choices=[], widget=forms.CheckboxSelectMultiple, initial=["list", "view"]
    )
    where = forms.ChoiceField(label=_("どこに"), choices=[])
    document = forms.CharField(
        label=_("文書番号"), required=False, max_length=60, help_text=_("「文書の1件」を選んだときに書きます。")
    )
    highest = forms.TypedChoiceField(
        label=_("閲覧区分の上限"), coerce=int, choices=[], initial=1, help_text=_("禁止は、すべての区分に効きます。")
    )
    starts = DayField(label=_("いつから"), required=False, help_text=_("空けると、いまから。"))
    ends = DayField(label=_("いつまで"), required=False, help_text=_("この日まで。空けると期限なし。"))
    reason = reason_field(_("理由"))
    alone = forms.BooleanField(
        label=_("単独実施（第三者確認なし）で行う"),
        required=False,
        help_text=_("自分への許可で、ほかに決められる人がいないときだけ。24時間後に始まり、知らせが残ります。"),
    )

    def __init__(self, *args: Any, organization: Any, **more: Any) -> None:
        super().__init__(*args, **more)
        self.organization = organization
        titles = people.titles(organization=organization, day=clock.today())
        self.fields["who"].choices = [  # type: ignore[attr-defined]  # a choice field
            ("member:", translate("構成員の一人")),
            ("everyone:", translate("構成員の全員")),
            *((f"role:{code}", title) for code, title in titles.items()),
            *(
                (f"department:{row.of_id}", translate("部署 %(name)s") % {"name": row.name})
                for row in queries.departments(organization=organization)
            ),
        ]
        self.fields["where"].choices = [  # type: ignore[attr-defined]  # a choice field
            *((f"folder:{key}", path) for key, path in folder_choices(organization, empty=False)),
            ("object:", translate("文書の1件")),
            *(
                (f"register:{key}", translate("台帳「%(name)s」の全体") % {"name": kind_label(key)})
                for key in queries.registers_today(organization=organization)
            ),
            ("all:", translate("台帳の全体")),
        ]
        self.fields["actions"].choices = [(code, str(label)) for code, label in names.ACTIONS.items()]  # type: ignore[attr-defined]  # a choice field
        self.fields["highest"].choices = level_choices()  # type: ignore[attr-defined]  # a choice field

    def clean(self) -> dict[str, Any]:
        """Find the member and the document by their numbers."""
        found: dict[str, Any] = super().clean() or {}
        if found.get("who") == "member:":
            row = queries.member_numbered(self.organization, found.get("member", ""))
            if row is None:
                self.add_error("member", translate("この社員番号の人がいません。構成員の一覧で確かめてください。"))
            else:
                found["who"] = f"member:{row.of_id}"
        if found.get("where") == "object:":
            state = queries.document_at(self.organization, found.get("document", ""), clock.today())
            if state is None:
                self.add_error("document", translate("この文書番号の文書がありません。文書の一覧で確かめてください。"))
            else:
                found["object"] = state.of_id
        return found

    def terms(self) -> Terms:
        """Return what was typed as terms."""
        typed = self.cleaned_data
        kind, _colon, code = typed["who"].partition(":")
        scope, _colon, key = typed["where"].partition(":")
        return Terms(
            principal=(kind, code),
            actions=tuple(typed["actions"]),
            scope=scope,
            reason=typed["reason"],
            register="document" if scope == "object" else key if scope == "register" else "",
            folder=rule.as_uuid(key) if scope == "folder" else None,
            object_id=typed.get("object"),
            highest=typed["highest"],
            starts_at=clock.start_of(typed["starts"]) if typed["starts"] else None,
            ends_at=end_of(typed["ends"]),
        )


class FolderForm(forms.Form):
    """A new folder."""

    name = forms.CharField(label=_("名前"), max_length=120)
    parent = forms.ChoiceField(label=_("上のフォルダー"), choices=[])
    department = forms.CharField(label=_("主管部署"), required=False, max_length=120, help_text=_OWNER_HELP)

    def __init__(self, *args: Any, organization: Any, **more: Any) -> None:
        super().__init__(*args, **more)
        self.fields["parent"].choices = folder_choices(organization, empty=False)  # type: ignore[attr-defined]  # a choice field


class MoveForm(forms.Form):
    """Where a folder stands and who owns it."""

    parent = forms.ChoiceField(label=_("上のフォルダー"), choices=[])
    department = forms.CharField(label=_("主管部署"), required=False, max_length=120, help_text=_OWNER_HELP)

    def __init__(self, *args: Any, organization: Any, **more: Any) -> None:
        super().__init__(*args, **more)
        self.fields["parent"].choices = folder_choices(organization, empty=False)  # type: ignore[attr-defined]  # a choice field


class WithdrawForm(forms.Form):
    """Why a grant or deny ends."""

    reason = reason_field(_("取り消す理由"))
    alone = forms.BooleanField(
        label=_("単独実施（第三者確認なし）で行う"),
        required=False,
        help_text=_("自分への禁止を取り消すときで、ほかに決められる人がいないときだけ。"),
    )


class AskForm(forms.Form):
    """閲覧申請. The same on every page that was not found."""

    wanted = forms.CharField(
        label=_("見たいもの"),
        required=False,
        max_length=300,
        help_text=_("文書番号、名称など。空けると、いま開こうとしたアドレスを送ります。"),
    )
    reason = reason_field(_("閲覧が必要な理由"))
    until = DayField(label=_("いつまで必要か"))


class AnswerForm(forms.Form):
    """The answer to a request. ``whole``: to who manages rights; a department answers for the document asked for only."""

    where = forms.ChoiceField(label=_("許可する範囲"), required=False, choices=[])
    document = forms.CharField(
        label=_("文書番号"), required=False, max_length=60, help_text=_("文書の1件を許可するとき。")
    )
    download = forms.BooleanField(label=_("ファイルの取り出しも許可する"), required=False)
    highest = forms.TypedChoiceField(label=_("閲覧区分の上限"), coerce=int, choices=[], initial=2)
    until = DayField(label=_("いつまで"), required=False)
    answer = forms.CharField(
        label=_("回答の理由"),
        required=False,
        max_length=500,
        widget=forms.Textarea(attrs={"rows": 3}),
        help_text=_("申請した人に表示します。認めないときは必ず書きます。"),
    )
    alone = forms.BooleanField(label=_("単独実施（第三者確認なし）で行う"), required=False)

    def __init__(self, *args: Any, organization: Any, whole: bool = True, **more: Any) -> None:
        super().__init__(*args, **more)
        if not whole:
            for unused in ("where", "document", "highest", "alone"):
                del self.fields[unused]
            return
        self.fields["where"].choices = [  # type: ignore[attr-defined]  # a choice field
            ("", translate("文書の1件")),
            *folder_choices(organization, empty=False),
        ]
        self.fields["highest"].choices = level_choices()  # type: ignore[attr-defined]  # a choice field


class EmergencyForm(forms.Form):
    """緊急閲覧."""

    number = forms.CharField(label=_("文書番号"), required=False, max_length=60)
    folder = forms.ChoiceField(label=_("フォルダー"), required=False, choices=[])
    hours = forms.TypedChoiceField(label=_("時間"), coerce=int, initial=HOURS, choices=[])
    reason = reason_field(_("緊急に閲覧する理由"))

    def __init__(self, *args: Any, organization: Any, **more: Any) -> None:
        super().__init__(*args, **more)
        self.fields["folder"].choices = folder_choices(organization)  # type: ignore[attr-defined]  # a choice field
        self.fields["hours"].choices = [  # type: ignore[attr-defined]  # a choice field
            (hours, translate("%(hours)s時間") % {"hours": hours}) for hours in range(1, MOST_HOURS + 1)
        ]


class ReviewGlassForm(forms.Form):
    """What an officer found about an emergency."""

    outcome = forms.ChoiceField(
        label=_("結果"), choices=[("justified", _("必要な閲覧だった")), ("unjustified", _("必要とは認められない"))]
    )
    note = reason_field(_("確かめた内容"))
    alone = forms.BooleanField(label=_("単独実施（第三者確認なし）で行う"), required=False)


class ReviewForm(forms.Form):
    """Keep, change or remove one bundle of grants."""

    outcome = forms.ChoiceField(
        label=_("決定"), choices=[("keep", _("継続")), ("change", _("変更")), ("remove", _("取消"))]
    )
    highest = forms.TypedChoiceField(
        label=_("閲覧区分の上限"), coerce=int, empty_value=None, required=False, choices=[], help_text=_("変更のとき。")
    )
    ends = DayField(label=_("いつまで"), required=False, help_text=_("変更のとき。空けると今の期限のまま。"))
    note = forms.CharField(
        label=_("理由"), required=False, max_length=500, widget=forms.Textarea(attrs={"rows": 3}),
        help_text=_("変更又は取消のときは必ず書きます。"),
    )  # fmt: skip

    def __init__(self, *args: Any, **more: Any) -> None:
        super().__init__(*args, **more)
        self.fields["highest"].choices = [("", translate("変えない")), *level_choices()]  # type: ignore[attr-defined]  # a choice field


class WhyForm(forms.Form):
    """Whom, what and when an explanation is about."""

    document = forms.CharField(label=_("文書番号"), max_length=200, help_text=_("名称の一部でも探せます。"))
    member = forms.CharField(label=_("社員番号"), max_length=60, help_text=_("氏名の一部でも探せます。"))
    action = forms.ChoiceField(label=_("操作"), choices=[], required=False)
    day = DayField(label=_("日"), required=False, help_text=_("空けると、いま。"))
    time = forms.TimeField(label=_("時刻"), required=False, help_text=_("10:30 のように書きます。空けると正午。"))

    def __init__(self, *args: Any, **more: Any) -> None:
        super().__init__(*args, **more)
        self.fields["action"].choices = [(code, str(label)) for code, label in names.ACTIONS.items()]  # type: ignore[attr-defined]  # a choice field

    def moment(self) -> dt.datetime | None:
        """Return the instant asked about, None for now."""
        day, time = self.cleaned_data.get("day"), self.cleaned_data.get("time")
        if day is None:
            return None
        return dt.datetime.combine(day, time or dt.time(12), tzinfo=clock.TOKYO).astimezone(dt.UTC)
