"""What is wrong, and where: every failure of a verification is one of these."""

from __future__ import annotations

from typing import Any


class VerifyError(Exception):
    """Something does not verify. ``where`` names the file (relative to the log's folder) or the input, ``what`` the fault.

    ``code`` is stable and short, so that programs can tell faults apart; ``ja`` is the sentence for a Japanese reader.
    ``index`` is the leaf (from 0) when one entry is at fault.
    """

    def __init__(self, code: str, where: str, what: str, ja: str, index: int | None = None) -> None:
        super().__init__(f"{where}: {what}" if index is None else f"{where}: entry {index}: {what}")
        self.code = code
        self.where = where
        self.what = what
        self.ja = ja
        self.index = index

    def __reduce__(self) -> tuple[Any, ...]:
        # Faults travel from worker processes; an exception's own way of pickling knows its message only.
        return VerifyError, (self.code, self.where, self.what, self.ja, self.index)

    def to_json(self) -> dict[str, Any]:
        """Return a JSON-ready form."""
        found: dict[str, Any] = {"code": self.code, "where": self.where, "what": self.what, "ja": self.ja}
        return found if self.index is None else {**found, "index": self.index}


class FormatError(VerifyError):
    """Bytes do not have the one form their format allows."""

    def __init__(self, where: str, what: str, ja: str, index: int | None = None) -> None:
        super().__init__("format", where, what, ja, index)
