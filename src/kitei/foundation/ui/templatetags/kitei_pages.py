"""The sub-navigation of sections whose pages are no register lists."""

from __future__ import annotations

from typing import Any

from django import template
from django.urls import reverse

from kitei.foundation.ui import pages

register = template.Library()


@register.simple_tag(takes_context=True)
def section_pages(context: Any, section: str) -> list[dict[str, Any]]:
    """Return key, label and address of the section's pages; empty when there are fewer than two."""
    shell = context.get("shell")
    found = pages.of(section, shell.actor) if shell and shell.actor else []
    if len(found) < 2:  # noqa: PLR2004  one page needs no choice between pages
        return []
    return [{"key": page.key, "label": page.label, "url": reverse(page.url)} for page in found]
