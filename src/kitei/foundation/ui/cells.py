"""Values on a page and in a file: dates in the reader's language and the company's calendar, tags with sign and word."""

from __future__ import annotations

import datetime as dt
from functools import lru_cache
from typing import Any

from django.template.loader import get_template
from django.utils.html import conditional_escape, format_html
from django.utils.safestring import SafeString, mark_safe
from django.utils.translation import get_language, gettext

from kitei.foundation import clock
from kitei.foundation.dates.japanese import format_date
from kitei.foundation.ui.lists import Link, Refer, Tag

TONES = ("ok", "warn", "ng", "note")


def date_text(day: dt.date, *, era: bool = False, weekday: bool = False) -> str:
    """Return a day as this reader reads it."""
    return format_date(day, era=era, weekday=weekday, language=get_language() or "ja")


def instant_text(moment: dt.datetime, *, era: bool = False) -> str:
    """Return an instant as day and time of day in Tokyo."""
    local = moment.astimezone(clock.TOKYO)
    return f"{date_text(local.date(), era=era)} {local:%H:%M}"


def shown(value: Any, *, era: bool = False) -> str:
    """Return a cell as plain text in the reader's language."""
    match value:
        case None:
            return ""
        case bool():
            return gettext("はい") if value else gettext("いいえ")
        case dt.datetime():
            return instant_text(value, era=era)
        case dt.date():
            return date_text(value, era=era)
        case Link() | Tag() | Refer():
            return str(value.text)
        case _:
            return str(value)


def as_html(value: Any, *, era: bool = False) -> SafeString:
    """Return a cell as HTML. Text is escaped; line ends of long texts are kept by the style sheet."""
    if isinstance(value, str):  # most cells
        return conditional_escape(value)
    match value:
        case None:
            return mark_safe("")
        case Tag():
            return tag_html(str(value.text), value.tone)
        case Link():
            return format_html('<a href="{}">{}</a>', value.url, value.text)
        case dt.date():
            return format_html('<span class="num nowrap">{}</span>', shown(value, era=era))
        case int() if not isinstance(value, bool):
            return format_html('<span class="num">{}</span>', f"{value:,}")
        case _:
            return conditional_escape(shown(value, era=era))


@lru_cache(maxsize=512)
def tag_html(text: str, tone: str) -> SafeString:
    """Return a status: sign and word, so colour never stands alone. ValueError for an unknown tone."""
    if tone not in TONES:
        raise ValueError(f"unknown tone {tone}")
    return mark_safe(get_template("ui/parts/tag.html").render({"text": text, "tone": tone}).strip())  # noqa: S308  a template escapes
