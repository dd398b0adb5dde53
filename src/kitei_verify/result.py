"""What a verification found: facts, notices and faults."""

from __future__ import annotations

import datetime as dt
from dataclasses import dataclass, field
from typing import Any

from kitei_verify.checkpoint import Checkpoint
from kitei_verify.errors import VerifyError
from kitei_verify.note import VerifierKey

OUTSIDE = "outside"
HANDOVER = "handover"
FOLDER = "folder"
"""Where the key came from: given from outside; an older or newer key given, linked by the log's handovers; the folder."""


@dataclass(frozen=True)
class Notice:
    """Something that is no fault and has to be known: a stable code and the sentence in both languages."""

    code: str
    en: str
    ja: str


@dataclass(frozen=True)
class Cosigned:
    """A witness saw this head: its name, and when (UTC) when it says so."""

    name: str
    at: dt.datetime | None


@dataclass(frozen=True)
class Stamp:
    """A time stamp on the head of ``size`` entries: when, by whom, and whether that authority was checked."""

    size: int
    at: dt.datetime
    authority: str
    checked: bool


@dataclass
class Result:
    """What holds for a log. Without faults everything said here is verified, from the key of ``key_source`` on.

    ``keys`` are the log's keys in order, ``key`` the present one. ``ahead`` counts entries after the checkpoint, which
    nobody has signed. ``since`` are the outside heads this log extends. ``quorum`` is None when no policy asked for one.
    """

    where: str
    origin: str = ""
    size: int = 0
    root: bytes = b""
    checkpoint: bytes = b""
    key: VerifierKey | None = None
    keys: list[VerifierKey] = field(default_factory=list)
    key_source: str = FOLDER
    generation: int = 1
    continues: Checkpoint | None = None
    ahead: int = 0
    contents_checked: bool = False
    handovers: int = 0
    since: list[Checkpoint] = field(default_factory=list)
    cosigned: list[Cosigned] = field(default_factory=list)
    quorum: bool | None = None
    stamps: list[Stamp] = field(default_factory=list)
    notices: list[Notice] = field(default_factory=list)
    faults: list[VerifyError] = field(default_factory=list)

    @property
    def ok(self) -> bool:
        """Whether no fault was found."""
        return not self.faults

    def require(self) -> Result:
        """Return this result; raise the first fault when there is one."""
        if self.faults:
            raise self.faults[0]
        return self

    def notice(self, code: str, en: str, ja: str) -> None:
        """Add something that has to be known."""
        self.notices.append(Notice(code, en, ja))

    def to_json(self) -> dict[str, Any]:
        """Return a JSON-ready form."""
        return {
            "ok": self.ok,
            "where": self.where,
            "origin": self.origin,
            "size": self.size,
            "root": self.root.hex(),
            "key": str(self.key) if self.key else None,
            "key_source": self.key_source,
            "generation": self.generation,
            "continues": _head(self.continues) if self.continues else None,
            "ahead": self.ahead,
            "contents_checked": self.contents_checked,
            "handovers": self.handovers,
            "since": [_head(head) for head in self.since],
            "cosigned": [{"name": line.name, "at": line.at.isoformat() if line.at else None} for line in self.cosigned],
            "quorum": self.quorum,
            "stamps": [
                {"size": stamp.size, "at": stamp.at.isoformat(), "authority": stamp.authority, "checked": stamp.checked}
                for stamp in self.stamps
            ],
            "notices": [{"code": notice.code, "en": notice.en, "ja": notice.ja} for notice in self.notices],
            "faults": [fault.to_json() for fault in self.faults],
        }


def _head(head: Checkpoint) -> dict[str, Any]:
    return {"origin": head.origin, "size": head.size, "root": head.root.hex()}
