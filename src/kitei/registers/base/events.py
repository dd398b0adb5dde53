"""How registers declare the events of their rows."""

from __future__ import annotations

from kitei.trust.auditlog.events import PUT_DATA, PUT_WHEN
from kitei.trust.auditlog.vocabulary import EventName, Text, declare, declare_kind


def declare_put(name: str, ja: str, en: str, *, kind: Text) -> EventName:
    """Declare ``<kind>:put``, one event a row, and what a row of that kind is called."""
    declare_kind(name.partition(":")[0], *kind)
    return declare(name, ja, en, when=PUT_WHEN, data=PUT_DATA)
