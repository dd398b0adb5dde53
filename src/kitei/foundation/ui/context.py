"""What every page's frame shows: organization, reader, language, navigation, as-of date. Nothing is read until shown."""

from __future__ import annotations

from collections.abc import Sequence
from functools import cached_property
from typing import Any

from django.http import HttpRequest
from django.urls import NoReverseMatch, reverse
from django.utils.translation import get_language

from kitei.foundation.ui import lists
from kitei.foundation.ui.as_of import PARAMETER, AsOf, as_of

LANGUAGES = (("ja", "日本語"), ("en", "English"))
SHORTCUTS = {
    "home": "h",
    "duties": "t",
    "regulation": "r",
    "people": "p",
    "documents": "d",
    "equipment": "e",
    "risks": "k",
    "incidents": "c",
    "log": "l",
    "import": "i",
}
"""Second key after ``g`` by section."""
_PLACE = frozenset({PARAMETER, "after", "before"})


class Shell:
    """The frame of one request's page. ``request.actor`` is set by the web room; anonymous pages have none."""

    def __init__(self, request: HttpRequest) -> None:
        self._request = request

    @property
    def actor(self) -> Any:
        """Who reads, or None."""
        return getattr(self._request, "actor", None)

    @property
    def organization(self) -> Any:
        """The reader's organization, or None."""
        return self.actor.organization if self.actor else None

    @cached_property
    def offices(self) -> Sequence[str]:
        """Titles of the offices the reader holds, in the company's words."""
        return tuple(getattr(self._request, "offices", ()))

    @property
    def language(self) -> str:
        """Language of the page, for ``<html lang>``."""
        return "en" if (get_language() or "ja").startswith("en") else "ja"

    @property
    def other_languages(self) -> list[tuple[str, str]]:
        """Languages one can switch to."""
        return [item for item in LANGUAGES if item[0] != self.language]

    @cached_property
    def as_of(self) -> AsOf:
        """The day the page shows."""
        return as_of(self._request)

    @property
    def kept_query(self) -> list[tuple[str, str]]:
        """What the address holds besides the as-of date: goes along as hidden fields when the date is changed."""
        return [
            (key, value)
            for key, values in self._request.GET.lists()
            if key not in _PLACE
            for value in values
            if isinstance(value, str)
        ]

    @property
    def path(self) -> str:
        """The page's own address without its query."""
        return self._request.path

    @cached_property
    def sections(self) -> list[dict[str, Any]]:
        """The navigation. It holds only pages that exist (design §8): an entry without a page is left out."""
        if self.actor is None:
            return []
        found = []
        query = f"?{self.as_of.query}" if self.as_of.query else ""
        for entry in lists.sections():
            try:
                url = reverse(entry.url, args=entry.args)
            except NoReverseMatch:
                continue
            if entry.shown is not None and not entry.shown(self.actor):
                continue
            badge = entry.badge(self.actor) if entry.badge else None
            found.append(
                {
                    "key": entry.key,
                    "label": entry.label,
                    "url": url + query,
                    "shortcut": SHORTCUTS.get(entry.key, ""),
                    "badge": {"count": badge[0], "label": badge[1]} if badge and badge[0] else None,
                }
            )
        return found


def shell(request: HttpRequest) -> dict[str, Any]:
    """Context processor: ``shell`` in every template."""
    return {"shell": Shell(request)}
