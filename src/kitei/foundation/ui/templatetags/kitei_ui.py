"""Template tags of the face."""

from __future__ import annotations

import datetime as dt
from collections.abc import Sequence
from typing import Any

from django import template
from django.urls import NoReverseMatch, reverse
from django.utils.html import format_html
from django.utils.safestring import SafeString
from django.utils.translation import get_language

from kitei.foundation.dates.japanese import format_period
from kitei.foundation.ui import cells, lists

register = template.Library()


def _era(context: Any) -> bool:
    shell = context.get("shell")
    return bool(shell and shell.organization and shell.organization.era_dates)


@register.simple_tag(takes_context=True)
def cell(context: Any, value: Any) -> SafeString:
    """Show a list cell: text, number, day, Link, Tag."""
    return cells.as_html(value, era=_era(context))


@register.simple_tag(takes_context=True)
def day(context: Any, value: dt.date | None, weekday: bool = False) -> str:  # noqa: FBT001, FBT002  template syntax
    """Show a day in the reader's language and the organization's calendar."""
    return "" if value is None else cells.date_text(value, era=_era(context), weekday=weekday)


@register.simple_tag(takes_context=True)
def period(context: Any, start: dt.date | None, until: dt.date | None) -> str:
    """Show a half-open period as people write it, with its last day."""
    if start is not None and until is not None and until <= start:
        return cells.date_text(start, era=_era(context))
    return format_period(start, until, era=_era(context), language=get_language() or "ja")


@register.simple_tag(takes_context=True)
def instant(context: Any, value: dt.datetime | None) -> str:
    """Show an instant as day and time in Tokyo."""
    return "" if value is None else cells.instant_text(value, era=_era(context))


@register.simple_tag
def tag(text: Any, tone: str) -> SafeString:
    """Show a status: ok, warn, ng or note, with sign and word."""
    return cells.tag_html(str(text), tone)


@register.simple_tag
def subpages(section: str) -> list[dict[str, Any]]:
    """Return the lists of a section as key, label and url; empty when there are fewer than two."""
    found = [spec for spec in lists.specs() if section and spec.section == section]
    if len(found) < 2:  # noqa: PLR2004  one page needs no choice between pages
        return []
    try:
        return [{"key": spec.key, "label": spec.title, "url": reverse("list", args=[spec.key])} for spec in found]
    except NoReverseMatch:
        return []


@register.simple_tag
def label_at(headers: Sequence[Any], index: int) -> SafeString:
    """Return the attribute that repeats a column's header at its cell, where tables become stacked rows."""
    return format_html(' data-label="{}"', headers[index] if index < len(headers) else "")
