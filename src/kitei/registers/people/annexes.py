"""別表4, 別表5第2表, 別表7 from the people registers. Cells are Japanese: annexes are part of the regulation's text."""

from __future__ import annotations

import datetime as dt
from typing import Any

from kitei.foundation.dates.japanese import format_date, years_months
from kitei.foundation.sheets.table import Rendering, Table, TableColumn
from kitei.registers.people import queries
from kitei.registers.people.ability import abilities, qualification_name
from kitei.trust.access.roles import SYSTEM_ADMINISTRATOR

VACANT = "（空席）"
NOT_SHOWN = "（記載省略）"


def officers(*, organization: Any, day: dt.date, rendering: Rendering) -> tuple[Table, ...]:
    """別表4 責任者一覧: who holds each office as of ``day``; the disclosure rendering names offices, not persons."""
    era = organization.era_dates
    titles = queries.titles(organization=organization, day=day)
    found = queries.holders(organization=organization, day=day)
    rows: list[tuple[str, ...]] = []
    for role, title in titles.items():
        inside = [holder for holder in found if holder.role == role]
        if not inside:
            rows.append((title, VACANT, "", "", "", ""))
        for holder in inside:
            place = " ".join(part for part in (holder.department, holder.title) if part)
            rows.append(
                (
                    title if holder.deputy_order == 0 else f"{title}（代行{holder.deputy_order}）",
                    holder.name if rendering is Rendering.INTERNAL else NOT_SHOWN,
                    holder.kana if rendering is Rendering.INTERNAL else "",
                    place,
                    format_date(holder.since, era=era),
                    format_date(holder.term_until, era=era) if holder.term_until else "定めなし",
                )
            )
    columns = (
        TableColumn("役割", 2.2),
        TableColumn("氏名", 1.6),
        TableColumn("フリガナ", 1.8),
        TableColumn("所属・役職", 2.2),
        TableColumn("発令日", 1.8),
        TableColumn("任期満了日", 1.8),
    )
    if rendering is Rendering.DISCLOSURE:
        keep = (0, 3, 4, 5)
        return (
            Table(
                tuple(columns[i] for i in keep), tuple(tuple(row[i] for i in keep) for row in rows), sources=("任命",)
            ),
        )
    return (Table(columns, tuple(rows), sources=("任命", "構成員")),)


def qualifications(*, organization: Any, day: dt.date, rendering: Rendering, years: int) -> tuple[Table, ...]:
    """別表5第2表: qualification and practice of each system administrator as of ``day``."""
    era = organization.era_dates
    holders = queries.holders(organization=organization, day=day, roles=[SYSTEM_ADMINISTRATOR.code])
    judged = abilities(
        organization=organization, day=day, member_ids=[holder.member for holder in holders], years=years
    )
    rows = []
    for number, holder in enumerate(holders, start=1):
        ability = judged[holder.member]
        certificate = ability.qualification
        full, months = years_months(day - dt.timedelta(days=ability.days_of_practice), day)
        shown = rendering is Rendering.INTERNAL
        rows.append(
            (
                holder.name if shown else f"システム管理者{number}",
                qualification_name(certificate) if certificate else "なし",
                (certificate.number if shown else NOT_SHOWN) if certificate else "",
                format_date(certificate.expires_on, era=era)
                if certificate and certificate.expires_on
                else "期限なし"
                if certificate
                else "",
                f"{full}年{months}か月",
                "満たす" if ability.met else "満たさない",
            )
        )
    columns = (
        TableColumn("氏名", 1.6),
        TableColumn("資格", 2.4),
        TableColumn("登録番号", 1.4),
        TableColumn("有効期限", 1.8),
        TableColumn("実務経験", 1.2, "right"),
        TableColumn("要件", 1.0),
    )
    return (
        Table(columns, tuple(rows), caption="第2表　システム管理者の資格及び実務経験", sources=("資格", "実務経験")),
    )


def emergency(*, organization: Any, day: dt.date, rendering: Rendering) -> tuple[Table, ...]:
    """別表7 緊急連絡網: order and duty. Numbers are private contact data and are never printed here (design §2.7)."""
    era = organization.era_dates
    rows = queries.contacts(organization=organization, day=day)
    people = queries.names(organization=organization, day=day, member_ids=[row.member_id for row in rows])
    cells = []
    for row in rows:
        person = people.get(row.member_id)
        name = person.full_name if person else ""
        cells.append(
            (
                str(row.order),
                row.duty,
                name if rendering is Rendering.INTERNAL else NOT_SHOWN,
                ("登録あり" if row.phone else "登録なし"),
                format_date(row.confirmed_on, era=era) if row.confirmed_on else "未確認",
            )
        )
    columns = (
        TableColumn("連絡順", 0.8, "center"),
        TableColumn("緊急時の役目", 2.4),
        TableColumn("氏名", 1.8),
        TableColumn("電話番号", 1.2),
        TableColumn("本人確認日", 1.8),
    )
    return (
        Table(
            columns,
            tuple(cells),
            note="電話番号は私的な情報であるため、この表には記載せず、緊急連絡先の台帳で管理する。",
            sources=("緊急連絡先",),
        ),
    )
