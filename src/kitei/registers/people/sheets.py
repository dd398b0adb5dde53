"""The people room's sheets."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping
from typing import Any

from kitei.foundation.sheets.spec import Problem, SheetSpec, register
from kitei.foundation.text import Message
from kitei.registers.people import operations as people
from kitei.registers.people.columns import (
    ACTIVITIES,
    APPOINTMENTS,
    COMPANY,
    CONTACTS,
    DEPARTMENTS,
    EXPERIENCES,
    MEMBERS,
    OFFICES,
    QUALIFICATIONS,
)


def _ordered(first: str, second: str, message: Message) -> Any:
    """Return a row rule: the day in ``second`` is not before the day in ``first``."""

    def check(values: dict[str, Any]) -> Iterable[Problem]:
        start, end = values.get(first), values.get(second)
        if start and end and end < start:
            yield Problem(second, message)

    return check


def _same_company(
    organization: Any, rows: Mapping[str, dict[str, Any]], _touched: Collection[str]
) -> Iterable[tuple[str, Problem]]:
    """Yield a problem for another company's code: its workbook must not overwrite ours, and the code never changes."""
    for key, values in rows.items():
        if values["code"] != organization.code:
            message = Message(
                "この会社のコードは「%(code)s」です。会社コードを直すか、別の会社のファイルでないか確かめてください。",
                {"code": organization.code},
            )
            yield key, Problem("code", message)


register(
    SheetSpec(
        key="company",
        ja="会社",
        en="Company",
        identity="code",
        columns=COMPANY,
        existing=people.company_existing,
        apply=people.company_apply,
        order=10,
        single=True,
        check_all=_same_company,
        intro_ja="会社の名称などを1行で書きます。",
        intro_en="One row with the company's name and settings.",
    )
)
register(
    SheetSpec(
        key="department",
        ja="部署",
        en="Departments",
        identity="code",
        columns=DEPARTMENTS,
        existing=people.departments.existing,
        apply=people.departments.apply,
        order=30,
        intro_ja="部署を1行に1つ書きます。",
        intro_en="One department a row.",
    )
)
register(
    SheetSpec(
        key="member",
        ja="構成員",
        en="Members",
        identity="code",
        columns=MEMBERS,
        existing=people.members.existing,
        apply=people.members.apply,
        order=40,
        check=_ordered("joined_on", "left_on", Message("退職日が入社日より前です。どちらかの日付を直してください。")),
        intro_ja="役員、従業者、派遣、出向の人を1行に1人書きます。氏名の漢字はそのままの字体で書いてください。",
        intro_en="One person a row: officers, employees, temporary and seconded staff.",
    )
)
register(
    SheetSpec(
        key="office",
        ja="役割",
        en="Roles",
        identity="code",
        columns=OFFICES,
        existing=people.offices.existing,
        apply=people.offices.apply,
        order=50,
        intro_ja="各役割を社内で何と呼ぶか、何を担うかを書きます。",
        intro_en="The company's own titles and duties of the roles.",
    )
)
register(
    SheetSpec(
        key="appointment",
        ja="任命",
        en="Appointments",
        identity="code",
        columns=APPOINTMENTS,
        existing=people.appointments_existing,
        apply=people.appointments_apply,
        order=60,
        check=_ordered("valid_from", "last_day", Message("終了日が発令日より前です。どちらかの日付を直してください。")),
        intro_ja="任命を1行に1件書きます。終わった任命も消さずに、終了日と終了の区分を書いてください。",
        intro_en="One appointment a row. Ended ones stay, with their last day and how they ended.",
    )
)
register(
    SheetSpec(
        key="qualification",
        ja="資格",
        en="Qualifications",
        identity="code",
        columns=QUALIFICATIONS,
        existing=people.qualifications.existing,
        apply=people.qualifications.apply,
        order=70,
        check=_ordered(
            "acquired_on", "expires_on", Message("有効期限が取得日より前です。どちらかの日付を直してください。")
        ),
        intro_ja="資格を1行に1件書きます。更新申請期限は、有効期限と別に書きます。",
        intro_en="One certificate a row; the renewal deadline is separate from the expiry.",
    )
)
register(
    SheetSpec(
        key="experience",
        ja="実務経験",
        en="Experience",
        identity="code",
        columns=EXPERIENCES,
        existing=people.experiences.existing,
        apply=people.experiences.apply,
        order=80,
        check=_ordered("started_on", "ended_on", Message("終了日が開始日より前です。どちらかの日付を直してください。")),
        intro_ja="実務経験を1行に1期間書きます。続いているものは終了日を空けます。",
        intro_en="One stretch of practice a row; leave the end empty while it goes on.",
    )
)
register(
    SheetSpec(
        key="contact",
        ja="緊急連絡先",
        en="Emergency contacts",
        identity="code",
        columns=CONTACTS,
        existing=people.contacts.existing,
        apply=people.contacts.apply,
        order=90,
        intro_ja="緊急のときに連絡する順に書きます。電話番号は本人が確認した日と一緒に書きます。",
        intro_en="In the order of calling; with the day the person confirmed the number.",
    )
)
register(
    SheetSpec(
        key="activity",
        ja="定期活動",
        en="Periodic activities",
        identity="code",
        columns=ACTIVITIES,
        existing=people.activities.existing,
        apply=people.activities.apply,
        order=95,
        intro_ja="委員会、教育、訓練、操作記録の点検など、定期に行うことと最後に行った日を書きます。",
        intro_en="Committee, training, drills, review of access records: when each was last held.",
    )
)
