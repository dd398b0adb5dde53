"""The vocabulary of events: ``subject:action`` names with Japanese and English labels, declared by each room.

An event of an undeclared name cannot be appended, so the reference page made from this registry is complete.
"""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class EventName:
    """One kind of act: ``subject:action``, what a person calls it, and what the act was done to."""

    name: str
    ja: str
    en: str

    def __str__(self) -> str:
        return self.name


_known: dict[str, EventName] = {}


def declare(name: str, ja: str, en: str) -> EventName:
    """Declare an event name; ValueError when it is taken or not of the form ``subject:action``."""
    subject, _, action = name.partition(":")
    if not subject or not action or not name.isascii():
        raise ValueError(f"event name {name!r} is not subject:action")
    event = EventName(name, ja, en)
    if _known.setdefault(name, event) != event:
        raise ValueError(f"event {name} is declared twice")
    return event


def known() -> dict[str, EventName]:
    """Return all declared events by name."""
    return dict(sorted(_known.items()))
