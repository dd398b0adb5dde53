"""Offline proofs (c2sp.org/tlog-proof): one text file that shows an entry to be in a log, without the log.

Kitei's ``extra`` line is the base64 of canonical JSON: ``entry`` (the event as text) and, when something is disclosed,
``openings``: for a committed field the salt (hex) and the value. One file therefore verifies alone.
"""

from __future__ import annotations

import datetime as dt
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from kitei_verify import canonical, checkpoint, event, merkle, note
from kitei_verify.errors import FormatError, VerifyError
from kitei_verify.heads import cosigners
from kitei_verify.policy import Policy

HEADER = "c2sp.org/tlog-proof@v1"
MAX_BYTES = 1_000_000
MAX_EXTRA = 700_000
"""So that its base64 and the rest stay below ``MAX_BYTES``."""
_EXTRA = "extra "
_INDEX = re.compile(r"index (0|[1-9]\d{0,18})", re.ASCII)
_SALT = re.compile(rf"[0-9a-f]{{{2 * canonical.SALT_BYTES}}}", re.ASCII)


@dataclass(frozen=True)
class Proof:
    """Leaf ``index``, the hashes from its sibling up, the checkpoint as it was published, what the application added."""

    index: int
    hashes: tuple[bytes, ...]
    checkpoint: bytes
    extra: bytes | None = None

    def encode(self) -> bytes:
        """Return the proof's file."""
        lines = [HEADER]
        if self.extra is not None:
            lines.append(_EXTRA + note.encode64(self.extra))
        lines += [f"index {self.index}", *map(note.encode64, self.hashes), "", ""]
        return "\n".join(lines).encode() + self.checkpoint


@dataclass(frozen=True)
class Proven:
    """What a proof shows: the event, the disclosed values, the head it is in, and who signed that head."""

    index: int
    head: checkpoint.Checkpoint
    key: note.VerifierKey
    entry: bytes
    event: dict[str, Any]
    disclosed: dict[str, str] = field(default_factory=dict)
    cosigned: dict[str, dt.datetime | None] = field(default_factory=dict)


def parse(data: bytes, *, where: str = "proof") -> Proof:
    """Read a proof; FormatError unless it has its one form. Nothing is verified here."""
    if len(data) > MAX_BYTES:
        raise FormatError(where, f"longer than {MAX_BYTES} bytes", f"{MAX_BYTES}バイトを超えています")
    top, _, rest = data.partition(b"\n\n")
    try:
        lines = top.decode("ascii").split("\n")
    except UnicodeDecodeError as error:
        raise FormatError(where, "not a proof", "証明の形ではありません") from error
    if lines[0] != HEADER:
        raise FormatError(where, f"does not begin with {HEADER}", f"{HEADER} で始まっていません")
    extra = None
    if len(lines) > 1 and lines[1].startswith(_EXTRA):
        extra = note.decode64(lines.pop(1).removeprefix(_EXTRA), where=where)
    match = _INDEX.fullmatch(lines[1]) if len(lines) > 1 else None
    if match is None:
        raise FormatError(where, "no index line", "index の行がありません")
    if len(lines) - 2 > merkle.MAX_PROOF:
        raise FormatError(where, "too many hashes", "ハッシュが多すぎます")
    hashes = tuple(note.decode64(line, where=where) for line in lines[2:])
    if any(len(one) != merkle.HASH_BYTES for one in hashes):
        raise FormatError(where, "a hash has the wrong length", "ハッシュの長さが違います")
    checkpoint.parse(rest, where=where)
    return Proof(int(match[1]), hashes, rest, extra)


def make_extra(entry: bytes, openings: Mapping[str, tuple[bytes, str]] | None = None) -> bytes:
    """Return the ``extra`` of ``entry`` (canonical bytes of an event); ``openings`` gives (salt, value) by field."""
    payload: dict[str, Any] = {"entry": entry.decode()}
    if openings:
        payload["openings"] = {name: {"salt": salt.hex(), "value": value} for name, (salt, value) in openings.items()}
    return canonical.encode(payload, limit=MAX_EXTRA)


def verify(
    proof: Proof, *, keys: Sequence[note.VerifierKey], policy: Policy | None = None, where: str = "proof"
) -> Proven:
    """Verify everything a proof says, and return it; VerifyError.

    The checkpoint has to be signed by one of ``keys`` (or the policy's logs) under its own origin and, with a policy,
    by a quorum of its witnesses.
    """
    policy = policy or Policy()
    head, signed = checkpoint.parse(proof.checkpoint, where=where)
    known = [key for key in (*keys, *policy.logs) if key.kind == note.ED25519 and key.name == head.origin]
    by = [key for key in known if note.verify(signed, key, where=where) is not None]
    if not by:
        raise VerifyError(
            "key",
            where,
            f"the checkpoint of {head.origin} is signed by none of the keys given",
            f"{head.origin} のチェックポイントに、渡された鍵の署名がありません",
        )
    seen, _ = cosigners(signed, policy, where=where)
    if not policy.satisfied(seen):
        raise VerifyError("quorum", where, "too few witnesses signed", "立会者の署名が足りません")
    if proof.extra is None:
        raise FormatError(where, "the proof does not hold the entry", "証明の中に記録がありません")
    entry, openings = _parse_extra(proof.extra, where)
    try:
        merkle.verify_inclusion(proof.index, head.size, merkle.leaf_hash(entry), proof.hashes, head.root)
    except merkle.ProofError as error:
        raise VerifyError(
            "inclusion",
            where,
            f"the entry is not at {proof.index} of this log ({error})",
            "この記録は、このログのその場所にはありません",
        ) from error
    payload = event.check(entry, where=where, index=proof.index)
    return Proven(
        proof.index,
        head,
        by[0],
        entry,
        payload,
        _open(openings, payload.get("commitments", {}), where),
        {key.name: at for key, at in seen.items()},
    )


def _parse_extra(extra: bytes, where: str) -> tuple[bytes, dict[str, Any]]:
    payload = event.parse_json(extra, where=where, limit=MAX_EXTRA)
    openings = payload.get("openings", {})
    if (
        payload.keys() - {"openings"} != {"entry"}
        or not isinstance(payload["entry"], str)
        or not isinstance(openings, dict)
        or ("openings" in payload and not openings)
    ):
        raise FormatError(where, "extra is not Kitei's", "extra の内容がKiteiのものではありません")
    return payload["entry"].encode(), openings


def _open(openings: Mapping[str, Any], commitments: Mapping[str, str], where: str) -> dict[str, str]:
    """Return the disclosed values, each verified against its commitment."""
    disclosed = {}
    for name, said in openings.items():
        if (
            not isinstance(said, dict)
            or said.keys() != {"salt", "value"}
            or not isinstance(said["salt"], str)
            or not isinstance(said["value"], str)
            or _SALT.fullmatch(said["salt"]) is None
        ):
            raise FormatError(where, f"the opening of {name!r} has the wrong form", f"「{name}」の開示の形が違います")
        _, digest = canonical.commit(name, said["value"], bytes.fromhex(said["salt"]))
        if commitments.get(name) != digest:
            raise VerifyError(
                "opening",
                where,
                f"the value of {name!r} is not what the entry commits to",
                f"「{name}」の値は、記録された値ではありません",
            )
        disclosed[name] = said["value"]
    return disclosed
