"""Rows of a list as HTML. A page has 50 × 10 cells: a template asks twelve questions a cell, this asks them a column."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

from django.utils.html import format_html, strip_tags
from django.utils.safestring import SafeString, mark_safe

from kitei.foundation.ui import cells
from kitei.foundation.ui.lists import ListColumn

_NOTHING = "—"


def renderer(columns: Sequence[ListColumn], *, era: bool) -> Callable[[str, Sequence[Any]], SafeString]:
    """Return a function (address of the row's page, values) -> cells of the row; the first one leads to the page."""
    opening = [
        format_html(
            '<td role="cell" class="{}" data-label="{}">',
            f"p{column.priority} right" if column.numeric else f"p{column.priority}",
            column.header,
        )
        for column in columns
    ]
    head = mark_safe(f'<th scope="row" role="rowheader" class="p1{" right" if columns[0].numeric else ""}">')  # noqa: S308  constant

    def row(url: str, values: Sequence[Any]) -> SafeString:
        first = strip_tags(cells.as_html(values[0], era=era))
        parts = [format_html('{}<a href="{}" data-open>{}</a></th>', head, url, mark_safe(first or _NOTHING))]  # noqa: S308  escaped by as_html
        for start, value in zip(opening[1:], values[1:], strict=True):
            parts += (start, cells.as_html(value, era=era), mark_safe("</td>"))
        return mark_safe("".join(parts))  # noqa: S308  every part is safe

    return row
