"""Names of files that come from people: what is cleaned in silence, and what is refused because it deceives or breaks.

Path and surrounding blanks are taken off. Refused is what shows another name than it is (invisible characters, characters
that turn the direction of writing: ``規程\u202efdp.exe`` is read as 「規程exe.pdf」), and what Windows, where most files are
opened again, takes for a device, hides or cuts.
"""

from __future__ import annotations

import re
import unicodedata
from pathlib import PurePosixPath

from kitei.foundation.text.messages import Message, UserError

LONGEST = 200
_DEVICES = re.compile(r"(?:CON|PRN|AUX|NUL|COM[0-9¹²³]|LPT[0-9¹²³])(?:\..*)?", re.IGNORECASE | re.DOTALL)
_HIDDEN = frozenset({"Cc", "Cf", "Zl", "Zp"})


def clean(name: str) -> str:
    """Return the last part of a file name without control characters, at most 200 characters long."""
    base = PurePosixPath(name.replace("\\", "/")).name
    base = "".join(char for char in unicodedata.normalize("NFC", base) if unicodedata.category(char)[0] != "C").strip()
    return base[-LONGEST:].strip() or "file"


def is_plain(name: str) -> bool:
    """Tell whether every character of ``name`` shows and none turns the direction of writing."""
    return all(unicodedata.category(char) not in _HIDDEN for char in name)


def shown(name: str) -> str:
    """Return ``name`` as a message may show it: short, with ? for what does not show."""
    plain = "".join(char if char.isprintable() else "?" for char in name)
    return plain if len(plain) <= LONGEST else plain[: LONGEST // 2] + "…" + plain[-20:]


def check(name: str) -> None:
    """Raise UserError, saying what to do, unless a file may keep ``name``: a bare name, or a path inside a zip."""
    steps = unicodedata.normalize("NFC", name.replace("\\", "/")).split("/")
    base = steps[-1].strip()
    fault = _fault(base, steps)
    if fault is not None:
        raise UserError(fault)


def _fault(base: str, steps: list[str]) -> Message | None:
    named = {"name": shown(base)}
    if ".." in steps:
        return Message(
            "ファイルの名前「%(name)s」が、置き場所の外を指しています。名前を付け直してから選び直してください。", named
        )
    if len(base) > LONGEST:
        return Message(
            "ファイルの名前「%(name)s」が長すぎます（上限200字）。短い名前に変えてから選び直してください。", named
        )
    if not is_plain(base):
        return Message(
            "ファイルの名前「%(name)s」に、見えない文字か、並びの向きを変える文字が入っています。名前を付け直してから選び直してください。",
            named,
        )
    if _DEVICES.fullmatch(base) or base.startswith(".") or base.endswith("."):
        return Message(
            "ファイルの名前「%(name)s」は、Windowsなどで正しく扱えません（CONなどの予約された名前、点で始まる・終わる名前）。名前を付け直してから選び直してください。",
            named,
        )
    return None
