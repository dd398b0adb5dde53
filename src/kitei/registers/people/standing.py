"""「○月○日のシステム管理者は誰で、要件を満たしていたか」 in one answer."""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from django.utils.translation import gettext as _

from kitei.engine.checks.model import Provision, registry
from kitei.foundation.dates.japanese import format_date
from kitei.foundation.text import Message
from kitei.registers.people import queries
from kitei.registers.people.ability import abilities
from kitei.registers.people.queries import Holder
from kitei.trust.access.roles import SYSTEM_ADMINISTRATOR


@dataclass(frozen=True)
class Standing:
    """Who is in an office on a day. ``met`` is False when vacant or when a holder lacks what the role requires."""

    role: str
    title: str
    day: dt.date
    holders: tuple[Holder, ...]
    deputies: tuple[Holder, ...]
    met: bool
    reasons: tuple[Message, ...]

    @property
    def acting(self) -> Holder | None:
        """The first deputy, who acts while the office is vacant."""
        return self.deputies[0] if self.deputies and not self.holders else None

    def to_json(self) -> dict[str, Any]:
        """Return the contract of ``kitei who --format json`` (design §7)."""
        first = self.holders[0] if self.holders else None
        named = first or self.acting
        return {
            "role": self.role,
            "as_of": self.day.isoformat(),
            "holders": [_person(holder) for holder in self.holders],
            "holder": _person(first) if first else None,
            "acting": _person(self.acting) if self.acting else None,
            "appointment": {
                "number": named.code,
                "from": named.since.isoformat(),
                "until": (named.until - dt.timedelta(days=1)).isoformat() if named.until else None,
                "appointed_by": named.appointed_by or None,
                "article": named.article or None,
                "recorded_late": named.recorded_late,
            }
            if named
            else {},
            "requirement": {"met": self.met, "reasons": [reason.render() for reason in self.reasons]},
        }

    def lines(self) -> list[str]:
        """Return the answer as lines of text."""
        shown = [_("%(title)s（%(day)s）") % {"title": self.title, "day": format_date(self.day)}]
        shown += [
            "  "
            + _("%(name)s（%(since)s任命、任命番号 %(code)s）")
            % {"name": holder.name, "since": format_date(holder.since), "code": holder.code}
            for holder in self.holders
        ]
        if not self.holders:
            shown.append("  " + _("空席"))
        shown += [
            "  " + _("代行%(order)s %(name)s") % {"order": holder.deputy_order, "name": holder.name}
            for holder in self.deputies
        ]
        shown.append(_("要件: 満たす") if self.met else _("要件: 満たさない"))
        shown += [f"  {reason.render()}" for reason in self.reasons]
        return shown


def standing(*, organization: Any, role: str, day: dt.date, provisions: Mapping[str, Provision]) -> Standing:
    """Answer for one role and day; the years of practice come from the provisions in force that day."""
    found = queries.holders(organization=organization, day=day, roles=[role])
    holders = tuple(holder for holder in found if holder.deputy_order == 0)
    deputies = tuple(holder for holder in found if holder.deputy_order > 0)
    title = queries.titles(organization=organization, day=day)[role]
    met, reasons = _requirement(organization, role, day, holders, {**registry.defaults, **provisions})
    return Standing(role, title, day, holders, deputies, met, reasons)


def _requirement(
    organization: Any, role: str, day: dt.date, holders: tuple[Holder, ...], provisions: Mapping[str, Provision]
) -> tuple[bool, tuple[Message, ...]]:
    if not holders:
        return False, (Message("空席です。"),)
    gone = tuple(
        Message("%(name)sは在籍していません。", {"name": holder.name}) for holder in holders if not holder.employed
    )
    if role != SYSTEM_ADMINISTRATOR.code:
        return not gone, gone or (Message("任命されている人が在籍しています。"),)
    judged = abilities(
        organization=organization,
        day=day,
        member_ids=[holder.member for holder in holders],
        years=provisions["people.administrator-years"].value,
    )
    reasons = tuple(
        Message("%(name)s — %(reason)s", {"name": holder.name, "reason": reason})
        for holder in holders
        for reason in judged[holder.member].reasons
    )
    return not gone and all(ability.met for ability in judged.values()), (*gone, *reasons)


def _person(holder: Holder) -> dict[str, str]:
    return {"id": holder.member_code, "name": holder.name}
