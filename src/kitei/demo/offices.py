"""Offices, ten years of appointments, qualifications, experience, the call order and periodic activities."""

from __future__ import annotations

import datetime as dt
from typing import NamedTuple

from kitei.demo import members
from kitei.demo.moment import Book, Row, Then, listed
from kitei.foundation.dates.japanese import fiscal_year
from kitei.trust.access.roles import ROLES

Day = tuple[int, int, int]
ARTICLE, OLD_ARTICLE = "第15条", "旧規程第9条"
CODES = {
    "chief-officer": "CO",
    "security-officer": "SO",
    "system-administrator": "SA",
    "operations-supervisor": "OS",
    "privacy-officer": "PO",
    "audit-officer": "AU",
}
TITLES = {
    "chief-officer": (
        "管理責任者",
        "医療情報システム等の安全管理について最終の責任を負い、責任者を任命し、規程の改廃を承認する。",
    ),
    "security-officer": (
        "情報セキュリティ責任者",
        "安全管理措置を計画し、実施を指揮し、事案の対応を統括する。委員会の議長を務める。",
    ),
    "system-administrator": ("システム管理者", "システムの運用、機器の管理、脆弱性への対応及びバックアップを行う。"),
    "operations-supervisor": ("運用事務統括責任者", "台帳、文書、委託先及び緊急連絡網の管理に係る事務を統括する。"),
    "privacy-officer": (
        "個人情報保護責任者",
        "個人情報の取扱いを監督し、個人情報保護委員会への報告及び本人への対応を行う。",
    ),
    "audit-officer": ("監査責任者", "ほかの責任者から独立して内部監査を計画し、実施し、結果を管理責任者に報告する。"),
}


class Tenure(NamedTuple):
    """A stretch in one office, re-appointed every 1 April. ``until`` is the last day, ``end`` how it ended."""

    role: str
    member: str
    since: Day
    until: Day | None = None
    end: str = ""
    order: int = 0
    reason: str = ""
    recorded: Day | None = None
    """When it was put on record, if that was after it began (後日登録)."""


TENURES = (
    Tenure("chief-officer", "0015", (2016, 4, 1), (2018, 6, 29), "left"),
    Tenure("chief-officer", "0001", (2018, 6, 30)),
    Tenure("chief-officer", "0005", (2018, 6, 30), order=1, reason="代表取締役に次ぐ役員であるため"),
    Tenure("security-officer", "0017", (2016, 4, 1), (2022, 3, 31), "resigned"),
    Tenure("security-officer", "0002", (2022, 4, 1)),
    Tenure("security-officer", "0014", (2022, 4, 1), order=1),
    Tenure("security-officer", "0013", (2026, 8, 3), order=2, recorded=(2026, 10, 23)),
    Tenure("system-administrator", "0016", (2016, 4, 1), (2020, 11, 15), "dismissed"),
    Tenure("system-administrator", "0003", (2020, 11, 16)),
    Tenure("system-administrator", "0007", (2023, 4, 1)),
    Tenure("system-administrator", "0010", (2021, 4, 1), order=1),
    Tenure("operations-supervisor", "0019", (2016, 4, 1), (2022, 6, 30), "left"),
    Tenure("operations-supervisor", "0004", (2022, 7, 1)),
    Tenure("operations-supervisor", "0008", (2026, 8, 17), order=1, recorded=(2026, 10, 23)),
    Tenure("privacy-officer", "0005", (2016, 4, 1)),
    Tenure("privacy-officer", "0004", (2022, 7, 1), order=1, reason="個人情報の開示等の請求の窓口を総務部が担うため"),
    Tenure("audit-officer", "0018", (2016, 4, 1), (2024, 3, 31), "left"),
    Tenure("audit-officer", "0006", (2024, 4, 1)),
    Tenure("audit-officer", "0020", (2024, 4, 1), order=1),
)
_APRIL, _LAST_YEAR = 4, 2026
NOTICE = 14
"""Appointments are put on record this many days before they take effect."""


def _stretches(tenure: Tenure) -> list[tuple[Day, Day | None]]:
    """Cut a tenure into terms that end on 31 March (reference days)."""
    found: list[tuple[Day, Day | None]] = []
    start = tenure.since
    while True:
        year = start[0] + (1 if start[1] >= _APRIL else 0)
        end: Day = (year, 3, 31)
        if tenure.until is not None and tenure.until <= end:
            return [*found, (start, tenure.until)]
        if year > _LAST_YEAR:
            return [*found, (start, None)]
        found.append((start, end))
        start = (year, _APRIL, 1)


def appointments(then: Then) -> list[Row]:
    """Return every appointment on record on the day, ended ones included."""
    rows: list[Row] = []
    numbers: dict[tuple[str, int], int] = {}
    for tenure in TENURES:
        if tenure.recorded and not then.known(then.on(*tenure.recorded)):
            continue
        for start, end in _stretches(tenure):
            begins = then.on(*start)
            term = then.on(start[0] + (1 if start[1] >= _APRIL else 0), 3, 31)
            year = fiscal_year(begins)
            number = numbers[tenure.role, year] = numbers.get((tenure.role, year), 0) + 1
            if not then.known(begins, NOTICE):
                continue
            last = then.on(*end) if end else None
            ended = last is not None and then.known(last, NOTICE)
            whole = end is None or end != tenure.until
            rows.append(
                {
                    "code": f"A{year}-{CODES[tenure.role]}{number}",
                    "role": tenure.role,
                    "member": tenure.member,
                    "deputy_order": tenure.order,
                    "valid_from": begins,
                    "term_until": term,
                    "last_day": last if ended else None,
                    "end_kind": ("expired" if whole else tenure.end) if ended else "",
                    "appointed_by": "取締役会" if tenure.role == "chief-officer" else "代表取締役",
                    "article": ARTICLE if begins >= then.on(2025, 4, 1) else OLD_ARTICLE,
                    "concurrent_reason": tenure.reason,
                    "evidence": letter_code(tenure) if start[0] == _LAST_YEAR and end is None else None,
                }
            )
    return rows


def letter_code(tenure: Tenure) -> str:
    """Return the document number of the appointment letter of a tenure that goes on."""
    return f"EVD-{CODES[tenure.role]}{tenure.order}{tenure.member[-2:]}"


def current() -> list[Tenure]:
    """Return the tenures that go on."""
    return [tenure for tenure in TENURES if tenure.until is None]


_QUALIFICATIONS: tuple[tuple[str, str, str, Day, Day | None, Day | None], ...] = (
    ("0003", "riss", "", (2024, 4, 1), (2027, 3, 31), (2027, 1, 30)),
    ("0003", "applied-it", "", (2016, 12, 16), None, None),
    ("0007", "hcit-senior", "", (2025, 4, 1), (2030, 3, 31), None),
    ("0007", "network-specialist", "", (2018, 12, 20), None, None),
    ("0010", "hcit", "", (2024, 4, 1), (2029, 3, 31), None),
    ("0002", "cism", "", (2025, 1, 1), (2027, 12, 31), None),
    ("0014", "riss", "", (2025, 10, 1), (2028, 9, 30), (2028, 8, 1)),
    ("0013", "isms-auditor", "", (2023, 6, 12), None, None),
    ("0006", "cisa", "", (2024, 1, 1), (2026, 12, 31), None),
    ("0006", "isms-auditor", "", (2019, 9, 20), None, None),
    ("0020", "isms-auditor", "", (2024, 2, 9), None, None),
    ("0004", "sg", "", (2019, 5, 22), None, None),
    ("0008", "sg", "", (2023, 11, 8), None, None),
    ("0005", "other", "個人情報保護士", (2020, 7, 31), None, None),
    ("0012", "hcit", "", (2022, 4, 1), (2027, 3, 31), None),
    ("0011", "hcit", "", (2023, 4, 1), (2028, 3, 31), None),
    ("0009", "applied-it", "", (2023, 6, 29), None, None),
    ("0022", "hcit", "", (2025, 4, 1), (2030, 3, 31), None),
    ("0027", "riss", "", (2025, 4, 1), (2028, 3, 31), (2028, 1, 31)),
    ("0033", "network-specialist", "", (2021, 12, 17), None, None),
    ("0040", "hcit", "", (2024, 4, 1), (2029, 3, 31), None),
    ("0045", "sg", "", (2024, 12, 4), None, None),
)
_EXPERIENCES: tuple[tuple[str, str, str, Day, Day | None], ...] = (
    ("0003", "operation", "当社 運用部", (2015, 4, 1), None),
    ("0003", "security", "当社 運用部（基盤の防御及び監視）", (2015, 10, 1), None),
    ("0007", "security", "当社 運用部（ネットワーク及び認証基盤）", (2017, 10, 1), None),
    ("0007", "medical", "当社 導入・保守部", (2017, 4, 1), (2020, 3, 31)),
    ("0010", "development", "当社 開発部", (2014, 4, 1), None),
    ("0010", "security", "当社 開発部（脆弱性対応）", (2019, 4, 1), None),
    ("0002", "security", "前職 システム会社", (2008, 4, 1), (2014, 6, 30)),
    ("0002", "security", "当社 情報セキュリティ室", (2014, 7, 1), None),
    ("0014", "security", "当社 情報セキュリティ室", (2018, 4, 1), None),
    ("0012", "medical", "当社 導入・保守部", (2014, 10, 1), None),
    ("0011", "medical", "当社 サポート部", (2015, 10, 1), None),
    ("0016", "operation", "当社 運用部", (2013, 7, 1), (2021, 9, 30)),
    ("0016", "security", "当社 運用部", (2014, 4, 1), (2020, 11, 15)),
    ("0022", "medical", "当社 導入・保守部", (2018, 4, 1), None),
    ("0027", "security", "当社 開発部（診断及び設計の点検）", (2021, 4, 1), None),
)
_CALLS = (
    ("0002", "指揮（対策本部の設置、医療機関等への第一報の承認）"),
    ("0014", "指揮の代行、事実の整理"),
    ("0003", "技術対応の統括"),
    ("0007", "ネットワーク及び認証の対応"),
    ("0010", "プログラムの対応"),
    ("0012", "医療機関等に設置した機器の対応"),
    ("0011", "医療機関等への連絡"),
    ("0004", "記録、社内連絡"),
    ("0005", "個人情報保護委員会への報告、本人への対応"),
    ("0001", "最終の判断、公表の承認"),
    ("0020", "取引先への連絡"),
    ("0013", "再発防止の検証"),
)
# number, kind, name, owner, last held, days between, document that proves it
ACTIVITIES: tuple[tuple[str, str, str, str, Day, int, str], ...] = (
    ("T-01", "committee", "情報セキュリティ委員会", "security-officer", (2026, 10, 16), 85, "REC-01"),
    (
        "T-02",
        "training",
        "全従業者教育（個人情報保護・情報セキュリティ）",
        "security-officer",
        (2026, 6, 19),
        350,
        "REC-02",
    ),
    ("T-03", "training", "採用・配属時の教育", "operations-supervisor", (2026, 10, 5), 182, "REC-03"),
    ("T-04", "drill", "事案対応訓練（ランサムウェア感染を想定）", "security-officer", (2026, 9, 4), 355, "REC-04"),
    ("T-05", "drill", "事業継続訓練（電子カルテの停止を想定）", "operations-supervisor", (2026, 2, 20), 360, "REC-05"),
    ("T-06", "log-review", "閲覧及び操作の記録の月次点検", "security-officer", (2026, 11, 5), 28, "REC-06"),
    ("T-07", "emergency-copy", "緊急時に必要な文書の写しの更新", "operations-supervisor", (2026, 11, 20), 28, "REC-07"),
    ("T-08", "audit", "内部監査", "audit-officer", (2026, 7, 29), 360, "REC-08"),
    ("T-09", "other", "長期休暇前の点検", "system-administrator", (2026, 8, 7), 120, "REC-09"),
    ("T-10", "other", "管理責任者への報告（マネジメントレビュー）", "security-officer", (2026, 9, 25), 360, "REC-10"),
)


def book(then: Then) -> Book:
    """Return offices, appointments, qualifications, experience, contacts and activities as of the day."""
    offices = [{"code": role, "title": TITLES[role][0], "duties": TITLES[role][1]} for role in ROLES]
    qualifications: list[Row] = []
    for index, (member, kind, name, acquired, expires, renew) in enumerate(_QUALIFICATIONS, start=1):
        if then.known(then.on(*acquired)):
            qualifications.append(
                {
                    "code": f"Q-{index:03}",
                    "member": member,
                    "kind": kind,
                    "name": name,
                    "number": f"{then.chance('qualification', index).randrange(20_000, 99_999):06}",
                    "acquired_on": then.on(*acquired),
                    "expires_on": then.on(*expires) if expires else None,
                    "renew_by": then.on(*renew) if renew else None,
                    "evidence": f"EVD-Q{index:02}" if index in CERTIFICATES else None,
                }
            )
    experiences: list[Row] = [
        {
            "code": f"E-{index:03}",
            "member": member,
            "work": work,
            "place": place,
            "started_on": then.on(*started),
            "ended_on": then.on(*ended) if ended else None,
        }
        for index, (member, work, place, started, ended) in enumerate(_EXPERIENCES, start=1)
    ]
    contacts: list[Row] = []
    for order, (member, duty) in enumerate(_CALLS, start=1):
        chance = then.chance("contact", member)
        contacts.append(
            {
                "code": f"K-{order:02}",
                "order": order,
                "member": member,
                "duty": duty,
                "phone": f"090-0000-{chance.randrange(1000, 9999)}",
                "confirmed_on": then.last(then.on(2026, 10, 5) + dt.timedelta(days=chance.randrange(4)), 80),
            }
        )
    activities: list[Row] = [
        {
            "code": code,
            "kind": kind,
            "name": name,
            "owner_role": owner,
            "last_held_on": then.last(then.on(*held), every),
            "evidence": evidence,
        }
        for code, kind, name, owner, held, every, evidence in ACTIVITIES
    ]
    return {
        "office": listed(offices),
        "appointment": listed(appointments(then)),
        "qualification": listed(qualifications),
        "experience": listed(experiences),
        "contact": listed(contacts),
        "activity": listed(activities),
    }


CERTIFICATES = {1: "0003", 3: "0007", 6: "0002"}
"""Number of a qualification -> its holder, for those whose certificate is kept as a document."""


def holder_name(code: str) -> str:
    """Return the full name of a named member."""
    return next(members.full_name(person) for person in members.NAMED if person.code == code)
