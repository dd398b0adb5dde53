"""A verification's outcome as lines for a person, or as JSON."""

from __future__ import annotations

import datetime as dt
import json
from typing import Any

from kitei_verify import note
from kitei_verify.errors import VerifyError
from kitei_verify.proof import Proven
from kitei_verify.result import FOLDER, Result
from kitei_verify.words import advice, say

_WIDE_BLANK = "\N{IDEOGRAPHIC SPACE}"


def to_json(result: Result | None, proven: Proven | None, fault: VerifyError | None) -> dict[str, Any]:
    """Return one object: ``ok``, ``log`` and ``proof`` (null when not asked for, or not reached)."""
    proof: dict[str, Any] | None = None
    if proven is not None:
        proof = {
            "ok": True,
            "index": proven.index,
            "origin": proven.head.origin,
            "size": proven.head.size,
            "root": proven.head.root.hex(),
            "key": str(proven.key),
            "event": proven.event,
            "disclosed": proven.disclosed,
            "cosigned": [{"name": name, "at": at.isoformat() if at else None} for name, at in proven.cosigned.items()],
        }
    elif fault is not None:
        proof = {"ok": False, "fault": fault.to_json()}
    return {
        "ok": fault is None and (result is None or result.ok),
        "log": result.to_json() if result else None,
        "proof": proof,
    }


def lines(result: Result | None, proven: Proven | None, fault: VerifyError | None, *, english: bool) -> list[str]:
    """Return what a person reads; the last line is the result."""
    said: list[str] = []
    if result is not None:
        said += _log(result, english=english)
    if proven is not None:
        said += _proof(proven, english=english)
    if fault is not None:
        said += _fault(fault, english=english)
    if fault is not None or (result is not None and not result.ok):
        verdict = "result-wrong"
    elif result is not None and result.key_source == FOLDER:
        verdict = "result-own"
    else:
        verdict = "result-ok"
    return [plain(line) for line in (*said, say(verdict, english=english))]


def plain(text: str) -> str:
    """Return text that a terminal only shows: what a log or a folder says must not move the cursor or look like a result."""
    return "".join(letter if letter.isprintable() or letter == _WIDE_BLANK else ascii(letter)[1:-1] for letter in text)


def _line(code: str, text: object, *, english: bool) -> str:
    return f"{say(code, english=english)}: {text}"


def _log(result: Result, *, english: bool) -> list[str]:
    def line(code: str, text: object) -> str:
        return _line(code, text, english=english)

    def words(code: str, **values: object) -> str:
        return say(code, english=english, **values)

    said = [line("log", result.where)]
    if result.checkpoint:
        said += [line("origin", result.origin), line("size", result.size), line("root", note.encode64(result.root))]
    if result.key is not None:
        said += [line("key", f"{result.key} ({words('key-' + result.key_source)})")]
    if result.continues is not None:
        said.append(line("generation", f"{result.generation} ({words('continues', **_head(result))})"))
    said.append(line("contents", words("contents-yes" if result.contents_checked else "contents-no")))
    said += [line("since", f"{head.size}:{note.encode64(head.root)}") for head in result.since]
    said += [line("cosigned", f"{seen.name} {_moment(seen.at)}") for seen in result.cosigned]
    if result.quorum:
        said.append(line("quorum", words("quorum-yes")))
    for stamp in result.stamps:
        text = words("stamp-of", size=stamp.size, at=_moment(stamp.at), authority=stamp.authority)
        said.append(line("stamp", text + ("" if stamp.checked else words("unchecked"))))
    said += [line("notice", notice.en if english else notice.ja) for notice in result.notices]
    for fault in result.faults:
        said += _fault(fault, english=english)
    if result.ok:
        said.append(line("keep", words("keep-text", size=result.size, root=note.encode64(result.root))))
    return said


def _head(result: Result) -> dict[str, object]:
    continues = result.continues
    return {"origin": continues.origin, "size": continues.size} if continues else {}


def _proof(proven: Proven, *, english: bool) -> list[str]:
    said = [
        _line("proof", say("proof-of", english=english, index=proven.index, size=proven.head.size), english=english),
        _line("origin", proven.head.origin, english=english),
        _line("key", proven.key, english=english),
    ]
    said += [_line("cosigned", f"{name} {_moment(at)}", english=english) for name, at in proven.cosigned.items()]
    said += [
        f"  {name}: {value if isinstance(value, str) else json.dumps(value, ensure_ascii=False)}"
        for name, value in proven.event.items()
        if name != "commitments"
    ]
    for name in proven.event.get("commitments", {}):
        if name in proven.disclosed:
            said.append(f"  {say('disclosed', english=english, name=name)}: {proven.disclosed[name]}")
        else:
            said.append(f"  {name}: {say('committed', english=english)}")
    return said


def _fault(fault: VerifyError, *, english: bool) -> list[str]:
    where = fault.where
    if fault.index is not None:
        where = say("entry", english=english, where=where, index=fault.index)
    return [
        _line("fault", f"{where}: {fault.what if english else fault.ja}", english=english),
        f"  {say('do', english=english)}{advice(fault.code, english=english)}",
    ]


def _moment(at: dt.datetime | None) -> str:
    return at.strftime("%Y-%m-%d %H:%M:%S UTC") if at else ""
