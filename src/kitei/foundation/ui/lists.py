"""How a register describes its list page (design §8 "Every table").

A room declares a ``ListSpec`` and registers it; address, search, filters, sorting, keyset paging, as-of, export and the
detail page are made from it by ``web/lists``; addresses are ``list``, ``list-row`` and ``list-export``. The query a spec returns is already restricted to the actor.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import Any

from django.db.models import Q


@dataclass(frozen=True)
class Link:
    """A cell that leads somewhere."""

    text: str
    url: str


@dataclass(frozen=True)
class Tag:
    """A status: ``tone`` is ok, warn, ng or note; the word always stands beside the sign."""

    text: str
    tone: str


@dataclass(frozen=True)
class Refer:
    """A cell that names a row of another list: its label as of the day, leading to its page.

    ``id`` is the identity's id (the foreign key), ``text`` its code, shown when the label is not to be had. Labels of one
    page are read together, one query a list.
    """

    key: str
    id: Any
    text: str


Cell = str | int | dt.date | Link | Tag | Refer | None
"""What a list column shows. Dates are formatted in the reader's language and era setting."""


@dataclass(frozen=True)
class ListColumn:
    """One column. ``cell`` gets a row of the query; ``sort`` is the model field it sorts by (indexed, never NULL)."""

    key: str
    header: Any
    cell: Callable[[Any], Cell]
    sort: str = ""
    numeric: bool = False
    optional: bool = False  # shown only when the reader chooses it
    priority: int = 1  # 1 is shown on a phone's first line, 2 below it, 3 only on wide screens, 4 on very wide ones


@dataclass(frozen=True)
class ListFilter:
    """One filter of the address line: ``options`` yields (value, label), ``apply`` narrows the query."""

    key: str
    label: Any
    options: Callable[[Any, dt.date], Sequence[tuple[str, Any]]]
    apply: Callable[[Any, str], Any]


@dataclass(frozen=True)
class ListSpec:
    """One list page.

    ``query(actor=…, day=…)`` returns dated state rows of the actor's organization in force on ``day``, with what the
    cells need already joined. ``search(text)`` returns the Q of a search for folded text. ``detail`` optionally returns
    further sections of the detail page as (heading, columns, rows) for one row.
    """

    key: str
    title: Any
    section: str
    query: Callable[..., Any]
    columns: Sequence[ListColumn]
    search: Callable[[str], Q]
    sheet: str
    filters: Sequence[ListFilter] = ()
    default_sort: str = "code"
    empty: Any = ""
    lead: Any = ""
    order: int = 100
    detail: Callable[..., Sequence[tuple[Any, Sequence[Any], Sequence[Sequence[Cell]]]]] | None = None
    recorded_view: Any = None
    hidden: Sequence[str] = field(default_factory=tuple)
    """Sheet columns the detail page and the list export leave out (private telephone numbers)."""
    label: Callable[[Any], str] | None = None
    """What a row is called in headings and where others refer to it; see ``label_of`` for the default."""


_registry: dict[str, ListSpec] = {}


def register(spec: ListSpec) -> ListSpec:
    """Make a list known; called while apps start."""
    _registry[spec.key] = spec
    return spec


def specs() -> list[ListSpec]:
    """Return all lists by section and order."""
    return sorted(_registry.values(), key=lambda spec: (spec.section, spec.order))


def get(key: str) -> ListSpec:
    """Return the list called ``key``; KeyError if there is none."""
    return _registry[key]


def label_of(spec: ListSpec, row: Any) -> str:
    """Return what ``row`` is called: the list's own ``label``, else the row's full name, title or name, else its code."""
    if spec.label is not None:
        return spec.label(row)
    for field_name in ("full_name", "name", "title"):
        value = getattr(row, field_name, "")
        if value:
            return str(value)
    return str(getattr(row, "code", row.pk))


def for_sheet(sheet: str) -> ListSpec | None:
    """Return the list that shows the rows of a sheet, or None if no page does."""
    return next((spec for spec in _registry.values() if spec.sheet == sheet), None)


@dataclass(frozen=True)
class Section:
    """An entry of the navigation, in the organisation's words. ``url`` is a URL name; ``badge`` counts what needs doing.

    ``shown`` tells who may open the page; without it everybody may.
    """

    key: str
    label: Any
    url: str
    order: int
    args: tuple[str, ...] = ()
    badge: Callable[[Any], tuple[int, Any] | None] | None = None
    shown: Callable[[Any], bool] | None = None


_sections: dict[str, Section] = {}


def section(entry: Section) -> Section:
    """Make a navigation entry known."""
    _sections[entry.key] = entry
    return entry


def sections() -> list[Section]:
    """Return the navigation in order."""
    return sorted(_sections.values(), key=lambda entry: entry.order)
