"""One row of a register on its page: its facts as of the day, and everything that has been true of it."""

from __future__ import annotations

import datetime as dt
import uuid
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from django.utils.translation import get_language, gettext

from kitei.foundation import clock
from kitei.foundation.sheets import spec as sheets
from kitei.foundation.sheets.spec import Column, Kind
from kitei.foundation.ui import lists
from kitei.foundation.ui.lists import ListSpec, Refer, Tag
from kitei.trust.access import rule
from kitei.trust.access.models import Protected


@dataclass(frozen=True)
class Fact:
    """A column's name in the reader's language and its value."""

    label: str
    value: Any


@dataclass(frozen=True)
class Stretch:
    """One line of the history: from when until before when, what was different from before, how it was recorded."""

    start: dt.date
    until: dt.date | None
    current: bool
    changes: Sequence[tuple[str, Any, Any]]
    first: bool
    recorded_at: dt.datetime
    marks: Sequence[Tag]


def target(spec: ListSpec, *, actor: rule.Actor, identity: uuid.UUID) -> rule.Target:
    """Return what the rule is asked about: a protected row with folder and classification as they are today.

    Today's state decides for all days shown: what a document was before it became 極秘 does not open it.
    """
    model = spec.query(actor=actor, day=clock.today()).model
    if issubclass(model, Protected):
        rows = model.objects.filter(organization=actor.organization, of_id=identity, voided_at__isnull=True)
        found = list(rows.order_by("valid_from", "recorded_at"))
        if found:
            return rule.target_of(pick(found, clock.today())[0], kind=spec.key)
    return rule.Target(spec.key, str(identity), actor.organization)


def states(spec: ListSpec, *, actor: rule.Actor, day: dt.date, identity: uuid.UUID) -> list[Any]:
    """Return every state of an identity that was not voided, by day; empty when there is none the actor may see."""
    model = spec.query(actor=actor, day=day).model
    found = model.objects.filter(voided_at__isnull=True)
    names = {field.name for field in model._meta.get_fields()}  # noqa: SLF001  Django's public way to a model's fields
    found = found.filter(of_id=identity) if "of" in names else found.filter(pk=identity)
    sheet = sheets.get(spec.sheet)
    joined = [column.key for column in sheet.columns if column.kind is Kind.REF and column.key in names]
    joined += ["folder"] if issubclass(model, Protected) else []
    return list(rule.visible(actor, found.select_related(*joined), rule.VIEW).order_by("valid_from", "recorded_at"))


def pick(rows: Sequence[Any], day: dt.date) -> tuple[Any, bool]:
    """Return the state to show and whether it is in force on ``day``: the one in force, else the last before, else the first."""
    for row in rows:
        if row.valid_from <= day and (row.valid_until is None or day < row.valid_until):
            return row, True
    before = [row for row in rows if row.valid_from <= day]
    return (before[-1] if before else rows[0]), False


def facts(spec: ListSpec, row: Any) -> list[Fact]:
    """Return the row's values by the sheet's columns; hidden ones only say whether something is recorded."""
    return [Fact(name(column), value_of(spec, column, row)) for column in sheets.get(spec.sheet).columns]


def history(spec: ListSpec, rows: Sequence[Any], *, day: dt.date) -> list[Stretch]:
    """Return the history, the latest first."""
    columns = [
        column for column in sheets.get(spec.sheet).columns if column.key not in {"code", "last_day", "valid_from"}
    ]
    found = []
    previous: Any = None
    for row in rows:
        changes = []
        if previous is not None:
            for column in columns:
                before, now = _raw(column, previous), _raw(column, row)
                if before != now:
                    changes.append((name(column), value_of(spec, column, previous), value_of(spec, column, row)))
        marks = []
        if row.imported:
            marks.append(Tag(gettext("取込"), "note"))
        elif row.recorded_late:
            marks.append(Tag(gettext("後日登録"), "note"))
        found.append(
            Stretch(
                start=row.valid_from,
                until=row.valid_until,
                current=row.valid_from <= day and (row.valid_until is None or day < row.valid_until),
                changes=changes,
                first=previous is None,
                recorded_at=row.recorded_at,
                marks=marks,
            )
        )
        previous = row
    return found[::-1]


def name(column: Column) -> str:
    """Return a column's name in the reader's language."""
    return column.en if (get_language() or "ja").startswith("en") else column.ja


def value_of(spec: ListSpec, column: Column, row: Any) -> Any:
    """Return a column's value as a cell."""
    value = _raw(column, row)
    if column.key in spec.hidden:
        return gettext("登録あり（この画面には表示しません）") if value else gettext("登録なし")
    if value in (None, "", []):
        return None
    match column.kind:
        case Kind.CHOICE:
            english = (get_language() or "ja").startswith("en")
            return next(
                ((choice.en if english else choice.ja) for choice in column.choices if choice.value == value), value
            )
        case Kind.REF:
            target = lists.for_sheet(column.refers)
            code = str(getattr(getattr(row, column.key), "code", value))
            return Refer(target.key, value, code) if target else code
        case Kind.REFS:
            return gettext("、").join(str(item) for item in value)
        case Kind.FILE:
            return str(getattr(row, "file_name", "") or getattr(value, "name", value))
        case _:
            return value


def _raw(column: Column, row: Any) -> Any:
    if column.key == "folder" and hasattr(row, "folder_id"):
        return row.folder.name
    if column.kind is Kind.REF and hasattr(row, f"{column.key}_id"):
        return getattr(row, f"{column.key}_id")
    if column.key == "last_day" and not hasattr(row, "last_day"):
        # Sheets write the inclusive last day where rows keep the half-open end (design §4).
        return row.valid_until - dt.timedelta(days=1) if row.valid_until else None
    return getattr(row, column.key, None)
