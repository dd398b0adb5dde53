"""What the address of a list says (search, filters, order, columns, place) and how it narrows the list's query."""

from __future__ import annotations

import datetime as dt
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any
from urllib.parse import urlencode

from django.http import QueryDict

from kitei.foundation.text.japanese import fold, normalise
from kitei.foundation.ui.lists import ListColumn, ListSpec

Options = Mapping[str, Sequence[tuple[str, Any]]]
FILTER_PREFIX = "f."
_LONGEST_SEARCH = 200


@dataclass(frozen=True)
class Wish:
    """What a reader asked of a list. ``columns`` empty: all; ``sort`` is a column key, ``-`` before it reverses."""

    q: str = ""
    filters: Mapping[str, str] = field(default_factory=dict)
    sort: str = ""
    columns: tuple[str, ...] = ()
    after: str = ""
    before: str = ""

    @property
    def narrowed(self) -> bool:
        """Whether search or filters leave rows out."""
        return bool(self.q or self.filters)

    def query(self, as_of: str = "", **changes: Any) -> str:
        """Return the address query of this wish with ``changes``; ``as_of`` is ``AsOf.query``. Paging starts anew unless given."""
        wish = replace(self, after="", before="")
        wish = replace(wish, **changes)
        pairs: list[tuple[str, str]] = [("q", wish.q)] if wish.q else []
        pairs += [(FILTER_PREFIX + key, value) for key, value in wish.filters.items()]
        if wish.sort:
            pairs.append(("sort", wish.sort))
        if wish.columns:
            pairs.append(("cols", ",".join(wish.columns)))
        if wish.after:
            pairs.append(("after", wish.after))
        if wish.before:
            pairs.append(("before", wish.before))
        text = urlencode(pairs, safe=",.-")
        return "&".join(part for part in (text, as_of) if part)


def read(spec: ListSpec, query: QueryDict) -> Wish:
    """Read the address; names of columns and filters the list does not have are dropped."""
    keys = [column.key for column in spec.columns]
    chosen = {key for text in query.getlist("cols") for key in text.split(",")}
    columns = tuple(key for key in keys if key in chosen)
    filters = {
        item.key: value
        for item in spec.filters
        if (value := query.get(FILTER_PREFIX + item.key, "").replace("\x00", "").strip())
    }
    sort = query.get("sort", "")
    if not any(column.sort and column.key == sort.removeprefix("-") for column in spec.columns):
        sort = ""
    return Wish(
        # PostgreSQL refuses NUL in text; normalise() takes it out together with other control characters.
        q=normalise(query.get("q", "")[:_LONGEST_SEARCH]).strip(),
        filters=filters,
        sort=sort,
        columns=() if len(columns) == len(keys) else columns,
        after=query.get("after", ""),
        before=query.get("before", ""),
    )


def options(spec: ListSpec, *, actor: Any, day: dt.date, keys: Collection[str] | None = None) -> Options:
    """Return the options of the filters (of those in ``keys``): they may be rows of a register, so they are read once."""
    return {
        item.key: [(str(value), label) for value, label in item.options(actor, day)]
        for item in spec.filters
        if keys is None or item.key in keys
    }


def narrow(spec: ListSpec, rows: Any, wish: Wish, known: Options) -> Any:
    """Apply search and filters. A filter value that is no option narrows to nothing rather than being ignored."""
    for item in spec.filters:
        value = wish.filters.get(item.key)
        if value is None:
            continue
        rows = item.apply(rows, value) if any(value == option for option, _label in known[item.key]) else rows.none()
    if wish.q:
        # Registers keep what was typed (髙), readers type either form: both are looked for.
        found = spec.search(wish.q)
        folded = fold(wish.q)
        if folded and folded != wish.q:
            found |= spec.search(folded)
        rows = rows.filter(found)
    return rows


def order(spec: ListSpec, wish: Wish) -> tuple[str, bool]:
    """Return (model field, descending) of the wish, else of the list's own order."""
    for column in spec.columns:
        if wish.sort and column.key == wish.sort.removeprefix("-"):
            return column.sort, wish.sort.startswith("-")
    return spec.default_sort.removeprefix("-"), spec.default_sort.startswith("-")


def columns(spec: ListSpec, wish: Wish) -> Sequence[ListColumn]:
    """Return the columns shown."""
    if not wish.columns:
        return [column for column in spec.columns if not column.optional]
    return [column for column in spec.columns if column.key in wish.columns]
