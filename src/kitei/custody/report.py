"""What a restore found, kept as messages so that it can be printed in any language, also by another process."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

from kitei.foundation.text import Message


@dataclass
class Report:
    """``lines`` say what came back, until when, and what is lost; ``faults`` what is wrong. Whole only without faults."""

    lines: list[Message] = field(default_factory=list)
    faults: list[Message] = field(default_factory=list)
    facts: dict[str, Any] = field(default_factory=dict)

    def say(self, message: Message) -> None:
        """Add a line."""
        self.lines.append(message)

    def blame(self, message: Message) -> None:
        """Add a fault."""
        self.faults.append(message)

    def to_json(self) -> dict[str, Any]:
        """Return a JSON-ready form that ``from_json`` reads back."""
        return {
            "lines": [line.to_json() for line in self.lines],
            "faults": [fault.to_json() for fault in self.faults],
            "facts": self.facts,
        }

    @classmethod
    def from_json(cls, data: dict[str, Any]) -> Report:
        """Read what ``to_json`` wrote."""
        return cls(
            [Message.from_json(line) for line in data["lines"]],
            [Message.from_json(fault) for fault in data["faults"]],
            data["facts"],
        )
