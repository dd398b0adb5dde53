"""Names in frozen editions: what stays until an edition's retention ends, and what is taken out then.

An edition is frozen by value and never changes, with one exception (docs/decisions/0013-erasure.md): when it has been out of
force for the years of the provision, the names of a person who is being erased are replaced in its stored text, and the
Word, PDF and HTML files made of it are deleted. Its recorded hash then no longer fits its text; the event of the erasure
says why.
"""

from __future__ import annotations

import datetime as dt
from typing import Any

from kitei.foundation.files import store
from kitei.foundation.text import Message
from kitei.outcomes.regulation.models import Edition
from kitei.registers.people import naming
from kitei.registers.people.erasing import Line, keepers

_TEXTS = ("tree", "source_text", "summary", "adopted_by", "approved_by", "articles", "incorporated")
_FILES = ("docx", "pdf", "html")


class Editions:
    """The keeper of names in frozen editions (``people.erasing.Keeper``)."""

    def plan(
        self, *, organization: Any, person: naming.Person, years: int, before: dt.date
    ) -> tuple[list[Line], list[Line]]:
        """Sort the editions that name ``person``: out of force since ``before`` or longer, and the others."""
        goes, stays = [], []
        for edition, ended in _editions(organization):
            if not _redacted(edition, person):
                continue
            what = Message("規程の版「%(label)s」にある氏名", {"label": edition.label})
            if ended is not None and ended <= before:
                goes.append(Line(what, 1))
            elif ended is None:
                why = Message("効力のある版は変えられないため。効力を失ってから%(years)s年残ります", {"years": years})
                stays.append(Line(what, 1, why))
            else:
                why = Message("凍結した版の保存期間%(years)s年", {"years": years})
                stays.append(Line(what, 1, why, _add_years(ended, years)))
        return goes, stays

    def erase(self, *, organization: Any, person: naming.Person, before: dt.date) -> int:
        """Redact the editions out of force since ``before`` or longer and return how many."""
        done = 0
        for edition, ended in _editions(organization):
            changed = _redacted(edition, person) if ended is not None and ended <= before else {}
            if not changed:
                continue
            files = [file for name in _FILES if (file := getattr(edition, name)) is not None]
            Edition.objects.filter(pk=edition.pk).update(**changed, **dict.fromkeys(_FILES))
            for file in files:
                store.discard(row=file)
            done += 1
        return done


def _editions(organization: Any) -> list[tuple[Edition, dt.date | None]]:
    """Return every edition with the day from which another was in force instead; None for the last."""
    rows = list(Edition.objects.filter(organization=organization).order_by("effective_on", "number"))
    ends: list[dt.date | None] = [row.effective_on for row in rows[1:]]
    return list(zip(rows, [*ends, None], strict=True)) if rows else []


def _redacted(edition: Edition, person: naming.Person) -> dict[str, Any]:
    """Return column -> new value of the columns that name the person."""
    found = {name: naming.redact(getattr(edition, name), person) for name in _TEXTS}
    return {name: new for name, (new, hits) in found.items() if hits}


def _add_years(day: dt.date, years: int) -> dt.date:
    try:
        return day.replace(year=day.year + years)
    except ValueError:  # 29 February
        return day.replace(year=day.year + years, day=28)


keepers.append(Editions())
