"""Pages of a section of the navigation that are no register lists, each declared by its own room (design §8)."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any


@dataclass(frozen=True)
class Page:
    """One page: ``section`` is the navigation entry it stands under, ``url`` a URL name, ``shown`` who sees the link."""

    section: str
    key: str
    label: Any
    url: str
    order: int
    shown: Callable[[Any], bool] | None = None


_registry: dict[str, Page] = {}


def register(page: Page) -> Page:
    """Make a page known."""
    _registry[page.key] = page
    return page


def of(section: str, actor: Any) -> list[Page]:
    """Return the pages of a section that this reader can open, in order."""
    found = (page for page in _registry.values() if page.section == section)
    return [page for page in sorted(found, key=lambda page: page.order) if page.shown is None or page.shown(actor)]
