"""The vocabulary of the log: event names ``subject:action``, outcomes, kinds of objects, reasons; in Japanese and English.

Each room declares its own in its ``events.py``. An event of an undeclared name, outcome or data field cannot be appended,
so the reference page made from this registry is complete. Labels come in the language of the reader.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import cached_property

from django.utils.translation import get_language

Text = tuple[str, str]
"""Japanese and English."""


@dataclass(frozen=True)
class Labelled:
    """A fixed word of the log and what a person calls it."""

    name: str
    ja: str
    en: str

    @property
    def label(self) -> str:
        """What the reader calls it, in the active language."""
        return said((self.ja, self.en))


@dataclass(frozen=True)
class EventName(Labelled):
    """One kind of act: ``subject:action``, what a person calls it, when it is recorded, and what it carries.

    ``data`` are the fields that stand in the event in clear (ids, numbers, digests, days), ``private`` those of which only
    a salted commitment does; ``data`` None: its room has not said yet. ``decided``: the access rule was asked, and the
    event says what it answered. ``change``: what a check reads may differ afterwards.
    """

    when: Text = ("", "")
    data: tuple[Labelled, ...] | None = ()
    private: tuple[Labelled, ...] = ()
    decided: bool = True
    change: bool = True

    def __str__(self) -> str:
        return self.name

    def full(self, outcome: str) -> str:
        """Return ``subject:action``, with ``:outcome`` behind it unless that is ``ok``."""
        return self.name if outcome == OK else f"{self.name}:{outcome}"

    @cached_property
    def fields(self) -> frozenset[str] | None:
        """The names of the fields that may stand in clear; None when any may."""
        return None if self.data is None else frozenset(field.name for field in self.data)

    @cached_property
    def private_fields(self) -> frozenset[str] | None:
        """The names of the fields that are committed to; None when any may."""
        return None if self.data is None else frozenset(field.name for field in self.private)

    def field_label(self, field: str) -> str:
        """Return what a field of ``data`` or a commitment is called; the field itself when it is not declared."""
        found = {entry.name: entry for entry in (*(self.data or ()), *self.private)}.get(field)
        return found.label if found else field


OK, REFUSED, FAILED = "ok", "refused", "failed"
OUTCOMES: dict[str, Labelled] = {
    entry.name: entry
    for entry in (
        Labelled(OK, "実行", "Done"),
        Labelled(REFUSED, "拒否", "Refused"),
        Labelled(FAILED, "失敗", "Failed"),
    )
}

_known: dict[str, EventName] = {}
_kinds: dict[str, Labelled] = {}
_reasons: dict[str, Labelled] = {}
_values: dict[str, Callable[[str], Text]] = {}


def said(text: Text) -> str:
    """Return the text in the active language: English for readers of English, else Japanese."""
    return text[1] if (get_language() or "ja").startswith("en") else text[0]


def declare(
    name: str,
    ja: str,
    en: str,
    *,
    when: Text = ("", ""),
    data: Mapping[str, Text] | None = None,
    private: Mapping[str, Text] | None = None,
    any_data: bool = False,
    decided: bool = True,
    change: bool = True,
) -> EventName:
    """Declare an event name; see ``EventName``. ``any_data`` leaves open what it carries.

    ValueError when the name is taken or not of the form ``subject:action``.
    """
    subject, _, action = name.partition(":")
    if not subject or not action or not name.isascii():
        raise ValueError(f"event name {name!r} is not subject:action")
    clear = None if any_data else _fields(data)
    event = EventName(name, ja, en, when, clear, _fields(private), decided, change)
    if _known.setdefault(name, event) != event:
        raise ValueError(f"event {name} is declared twice")
    return event


def _fields(given: Mapping[str, Text] | None) -> tuple[Labelled, ...]:
    return tuple(Labelled(field, *text) for field, text in (given or {}).items())


def known() -> dict[str, EventName]:
    """Return all declared events by name."""
    return dict(sorted(_known.items()))


def unchanging() -> list[str]:
    """Return the names of the events after which every check says what it said before (views, log-ins, the log's own)."""
    return [name for name, event in _known.items() if not event.change]


def declare_kind(kind: str, ja: str, en: str) -> str:
    """Declare a kind of object or actor and return it; ValueError when it is declared otherwise already."""
    return _declare(_kinds, kind, ja, en)


def declare_reason(code: str, ja: str, en: str, *, value: Callable[[str], Text] | None = None) -> str:
    """Declare a reason of a decision and return its code.

    A reason like ``needs:<role>`` is declared as ``needs``; ``%s`` in its labels is what stands behind the colon, put
    into words by ``value``.
    """
    if value is not None:
        _values[code] = value
    return _declare(_reasons, code, ja, en)


def _declare(registry: dict[str, Labelled], name: str, ja: str, en: str) -> str:
    entry = Labelled(name, ja, en)
    if registry.setdefault(name, entry) != entry:
        raise ValueError(f"{name} is declared twice")
    return name


def kinds() -> dict[str, Labelled]:
    """Return all kinds of objects and actors."""
    return dict(sorted(_kinds.items()))


def reasons() -> dict[str, Labelled]:
    """Return all reasons of decisions."""
    return dict(sorted(_reasons.items()))


def event_label(name: str, outcome: str = OK) -> str:
    """Return what an event is called, with its outcome unless that is ``ok``; the name itself when it is not known."""
    event = _known.get(name)
    label = event.label if event else name
    return (
        label
        if outcome in {OK, ""} or (event and event.name == "access:refuse")
        else (f"{label}{said(('（', ' ('))}{outcome_label(outcome)}{said(('）', ')'))}")
    )


def outcome_label(outcome: str) -> str:
    """Return what an outcome is called."""
    found = OUTCOMES.get(outcome)
    return found.label if found else outcome


def kind_label(kind: str) -> str:
    """Return what a kind of object or actor is called; the kind itself when it is not known."""
    found = _kinds.get(kind)
    return found.label if found else kind


def reason_label(reason: str) -> str:
    """Return a reason of a decision in words; the reason itself when it is not known."""
    found, value = _reasons.get(reason), ""
    if found is None:
        code, _, value = reason.partition(":")
        found = _reasons.get(code)
    if found is None:
        return reason
    label = found.label
    if "%s" not in label:
        return label
    words = _values.get(found.name)
    return label.replace("%s", said(words(value)) if words else value)
