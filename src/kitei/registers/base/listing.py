"""Pieces that the registers' list pages are made of."""

from __future__ import annotations

import datetime as dt
import uuid
from collections.abc import Callable, Sequence
from typing import Any

from django.db.models import Q
from django.utils.translation import get_language

from kitei.foundation.dates.dated import State
from kitei.foundation.sheets.spec import Choice
from kitei.foundation.ui.lists import Cell, Refer
from kitei.trust.access import rule

Options = Callable[[Any, dt.date], Sequence[tuple[str, Any]]]


def dated(model: type[State], *joined: str) -> Callable[..., Any]:
    """Return the query of a register's states as of a day, restricted to the actor, with ``joined`` relations."""

    def query(*, actor: rule.Actor, day: dt.date) -> Any:
        return rule.visible(actor, model.objects.as_of(day), rule.LIST).select_related("of", *joined)

    return query


def named(key: str, field: str) -> Callable[[Any], Cell]:
    """Return a cell that names the row of list ``key`` which the reference ``field`` points to."""

    def cell(row: Any) -> Cell:
        target = getattr(row, field)
        return Refer(key, target.pk, target.code) if target is not None else ""

    return cell


def label(choices: Sequence[Choice], value: str) -> str:
    """Return what a stored choice is called in the reader's language; the value itself when it is unknown."""
    for choice in choices:
        if choice.value == value:
            return choice.en if (get_language() or "ja").startswith("en") else choice.ja
    return value


def options(choices: Sequence[Choice]) -> Options:
    """Return the options of a filter over a choice column."""

    def listed(_actor: rule.Actor, _day: dt.date) -> list[tuple[str, Any]]:
        return [(choice.value, label(choices, choice.value)) for choice in choices]

    return listed


def equals(field: str) -> Callable[[Any, str], Any]:
    """Return a filter that keeps the rows whose choice ``field`` is the chosen value."""

    def narrow(rows: Any, value: str) -> Any:
        return rows.filter(**{field: value})

    return narrow


def refers_to(field: str) -> Callable[[Any, str], Any]:
    """Return a filter that keeps the rows whose reference ``field`` is the chosen id; an id that is none keeps nothing.

    Comparing the key itself (no join) lets the index on (organization, field, code) give the rows in list order.
    """

    def narrow(rows: Any, value: str) -> Any:
        try:
            key = uuid.UUID(value)
        except ValueError:
            return rows.none()
        return rows.filter(**{f"{field}_id": key})

    return narrow


def search(*fields: str) -> Callable[[str], Q]:
    """Return the search over the given text fields."""

    def condition(text: str) -> Q:
        found = Q()
        for field in fields:
            found |= Q(**{f"{field}__icontains": text})
        return found

    return condition
