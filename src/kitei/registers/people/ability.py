"""Is an administrator able enough? 資格等 かつ 実務 n 年 (seed page footnote 35; design §1 row イ-2).

Both halves are needed by default. The years come from the provision in force (``people.administrator-years``).
"""

from __future__ import annotations

import datetime as dt
import uuid
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

from kitei.foundation.dates.japanese import years_months
from kitei.foundation.text import Message
from kitei.registers.people import queries
from kitei.registers.people.columns import QUALIFICATION_KINDS, RECOGNISED_KINDS
from kitei.registers.people.models import ExperienceState, QualificationState

COUNTED_WORK = frozenset({"security"})
_KIND_NAMES = {choice.value: choice.ja for choice in QUALIFICATION_KINDS}


@dataclass(frozen=True)
class Ability:
    """How one person stands against the requirement on a day, with the reasons in sentences."""

    member: uuid.UUID
    met: bool
    reasons: tuple[Message, ...]
    qualification: QualificationState | None
    days_of_practice: int
    next_deadline: tuple[dt.date, str] | None
    """The nearest 更新申請期限 or 有効期限 ahead and which of the two it is (``renew`` or ``expiry``)."""


def qualification_name(row: QualificationState) -> str:
    """What the certificate is called."""
    return row.name or _KIND_NAMES.get(row.kind, row.kind)


def valid_on(row: QualificationState, day: dt.date) -> bool:
    """Whether the certificate was acquired by and has not expired on ``day`` (the last day counts)."""
    return not (row.acquired_on and row.acquired_on > day) and not (row.expires_on and row.expires_on < day)


def practice_days(rows: Iterable[ExperienceState], day: dt.date) -> int:
    """Return the days of counted practice up to ``day``; overlapping stretches count once."""
    spans = sorted(
        (row.started_on, min(row.ended_on + dt.timedelta(days=1) if row.ended_on else day, day))
        for row in rows
        if row.work in COUNTED_WORK and row.started_on <= day
    )
    total, reach = 0, dt.date.min
    for start, end in spans:
        begin = max(start, reach)
        if end > begin:
            total += (end - begin).days
        reach = max(reach, end)
    return total


def abilities(
    *, organization: Any, day: dt.date, member_ids: Iterable[uuid.UUID], years: int
) -> dict[uuid.UUID, Ability]:
    """Judge each member as of ``day``. Two queries for all of them."""
    ids = list(dict.fromkeys(member_ids))
    certificates: dict[uuid.UUID, list[QualificationState]] = {key: [] for key in ids}
    for row in queries.qualifications_of(organization=organization, day=day, member_ids=ids):
        certificates[row.member_id].append(row)
    practice: dict[uuid.UUID, list[ExperienceState]] = {key: [] for key in ids}
    for stretch in queries.experience_of(organization=organization, day=day, member_ids=ids):
        practice[stretch.member_id].append(stretch)
    return {key: _judge(key, certificates[key], practice[key], day, years) for key in ids}


def _judge(
    member: uuid.UUID, certificates: list[QualificationState], practice: list[ExperienceState], day: dt.date, years: int
) -> Ability:
    recognised = [row for row in certificates if row.kind in RECOGNISED_KINDS]
    valid = [row for row in recognised if valid_on(row, day)]
    best = max(valid, key=lambda row: row.expires_on or dt.date.max, default=None)
    days = practice_days(practice, day)
    enough = days >= _days_of_years(day, years)
    reasons = [_qualification_reason(best, recognised, day), _practice_reason(days, day, years, enough=enough)]
    return Ability(
        member=member,
        met=best is not None and enough,
        reasons=tuple(reasons),
        qualification=best,
        days_of_practice=days,
        next_deadline=_deadline(best, day),
    )


def _qualification_reason(
    best: QualificationState | None, recognised: list[QualificationState], day: dt.date
) -> Message:
    if best is not None:
        if best.expires_on:
            return Message(
                "資格: %(name)s（有効期限 %(day)s）", {"name": qualification_name(best), "day": best.expires_on}
            )
        return Message("資格: %(name)s（期限なし）", {"name": qualification_name(best)})
    if recognised:
        lapsed = max(recognised, key=lambda row: row.expires_on or dt.date.min)
        return Message(
            "資格: %(name)sは%(day)sに失効", {"name": qualification_name(lapsed), "day": lapsed.expires_on or day}
        )
    return Message("資格: 認める資格の登録がない")


def _practice_reason(days: int, day: dt.date, years: int, *, enough: bool) -> Message:
    full, months = years_months(day - dt.timedelta(days=days), day)
    facts = {"years": full, "months": months, "needed": years}
    if enough:
        return Message("実務: %(years)s年%(months)sか月（必要 %(needed)s年）", facts)
    # Which work counts is said only here: whoever registered years of other work would not understand 「0年」.
    return Message(
        "実務（情報セキュリティに係る技術的対策）: %(years)s年%(months)sか月で、必要な%(needed)s年に足りない", facts
    )


def _deadline(best: QualificationState | None, day: dt.date) -> tuple[dt.date, str] | None:
    if best is None:
        return None
    ahead = [
        (when, kind) for when, kind in ((best.renew_by, "renew"), (best.expires_on, "expiry")) if when and when >= day
    ]
    return min(ahead, default=None)


def _days_of_years(day: dt.date, years: int) -> int:
    """Days between ``day`` and the same day ``years`` earlier, so that leap days do not cost anybody a day."""
    try:
        start = day.replace(year=day.year - years)
    except ValueError:
        start = day.replace(year=day.year - years, day=28)
    return (day - start).days
