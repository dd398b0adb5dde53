"""A sentence for a person, kept apart from the language it is shown in.

Findings, import errors and operation errors are made once, stored, and read later by somebody with another language.
They therefore carry the Japanese msgid and its parameters and are rendered at the last moment. The string extractor of
the English catalogue looks for ``Message("…")``, so the first argument is always a literal.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from django.utils.translation import get_language, gettext

_TYPE = "$"


@dataclass(frozen=True)
class Message:
    """One translatable sentence: Japanese ``msgid`` with ``%(name)s`` places and their ``params``.

    A parameter is a str, int, date, None or another Message. Dates are shown in the reader's language.
    """

    msgid: str
    params: Mapping[str, Any] = field(default_factory=dict)

    def render(self) -> str:
        """Return the sentence in the active language."""
        text = gettext(self.msgid) if self.msgid else ""
        if not self.params:
            return text
        return text % {name: _shown(value) for name, value in self.params.items()}

    __str__ = render

    def to_json(self) -> dict[str, Any]:
        """Return a JSON-ready form that ``from_json`` reads back to an equal message."""
        return {"msgid": self.msgid, "params": {name: _packed(value) for name, value in self.params.items()}}

    @classmethod
    def from_json(cls, data: Mapping[str, Any]) -> Message:
        """Read what ``to_json`` wrote."""
        return cls(data["msgid"], {name: _unpacked(value) for name, value in data.get("params", {}).items()})


class UserError(Exception):
    """Something a person can mend: the message says what happened and what to do; nothing was changed."""

    def __init__(self, message: Message) -> None:
        super().__init__(message.msgid)
        self.message = message

    def __str__(self) -> str:
        return self.message.render()


def _shown(value: Any) -> Any:
    if isinstance(value, Message):
        return value.render()
    if isinstance(value, dt.date) and not isinstance(value, dt.datetime):
        if (get_language() or "ja").startswith("ja"):
            return f"{value.year}年{value.month}月{value.day}日"
        return f"{value.day} {value:%B} {value.year}"
    return value


def _packed(value: Any) -> Any:
    if isinstance(value, Message):
        return {_TYPE: "message", **value.to_json()}
    if isinstance(value, dt.date):
        return {_TYPE: "date", "value": value.isoformat()}
    return value


def _unpacked(value: Any) -> Any:
    if isinstance(value, Mapping) and value.get(_TYPE) == "message":
        return Message.from_json(value)
    if isinstance(value, Mapping) and value.get(_TYPE) == "date":
        return dt.date.fromisoformat(value["value"])
    return value
