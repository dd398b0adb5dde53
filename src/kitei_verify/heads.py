"""Heads of a log that come from elsewhere: kept outside, or cosigned by witnesses."""

from __future__ import annotations

import datetime as dt
import re
from dataclasses import dataclass

from kitei_verify import checkpoint, note
from kitei_verify.errors import FormatError, VerifyError
from kitei_verify.policy import Policy

_SHORT = re.compile(r"(0|[1-9]\d{0,18}):([0-9a-f]{64}|[A-Za-z0-9+/]{43}=)", re.ASCII)
_HEX = 64


@dataclass(frozen=True)
class Since:
    """A head kept outside: where it came from, and the head; ``signed`` is its note when it has signatures."""

    where: str
    head: checkpoint.Checkpoint
    signed: note.Note | None = None


def parse_since(text: bytes, *, where: str) -> Since:
    """Read a head kept outside: a signed checkpoint, or ``SIZE:ROOT`` as outputs print them (base64 or hex); FormatError."""
    match = _SHORT.fullmatch(text.decode("ascii", "replace").strip())
    if match is not None:
        root = bytes.fromhex(match[2]) if len(match[2]) == _HEX else note.decode64(match[2], where=where)
        return Since(where, checkpoint.Checkpoint("", int(match[1]), root))
    try:
        head, signed = checkpoint.parse(text, where=where)
    except FormatError as error:
        raise FormatError(
            where,
            f"neither a checkpoint ({error.what}) nor SIZE:ROOT",
            f"チェックポイント（{error.ja}）でも、件数:ハッシュ でもありません",
        ) from error
    return Since(where, head, signed)


def cosigners(
    signed: note.Note, policy: Policy, *, where: str
) -> tuple[dict[note.VerifierKey, dt.datetime | None], set[tuple[str, bytes]]]:
    """Return the policy's witnesses that signed, with their time, and (name, id) of lines nobody here knows.

    VerifyError when a line of a known witness is wrong, or its time is none.
    """
    seen: dict[note.VerifierKey, dt.datetime | None] = {}
    unknown = {(line.name, line.key_id) for line in signed.signatures}
    for key in policy.witnesses.values():
        at = note.verify(signed, key, where=where)
        if at is None:
            continue
        try:
            seen[key] = dt.datetime.fromtimestamp(at, dt.UTC)
        except (OverflowError, ValueError, OSError) as error:
            raise VerifyError(
                "signature", where, f"{key.name}: no possible time", f"{key.name} の時刻がありえません"
            ) from error
        unknown.discard((key.name, key.key_id))
    return seen, unknown
