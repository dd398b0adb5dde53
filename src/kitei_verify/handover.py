"""Changes of a log's key: who holds an older key can follow the log to the present one.

A key is changed by an event ``log:rotate-key`` in the log and a file ``handover/<NNNN>``: a checkpoint that holds the
event in its tree and is signed by the old key and by the new one.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from kitei_verify import bundles, checkpoint, files, note
from kitei_verify.errors import FormatError, VerifyError

FOLDER = "handover"


@dataclass(frozen=True)
class Handover:
    """One file: the head both keys signed."""

    where: str
    head: checkpoint.Checkpoint
    note: note.Note


def read(root: Path, *, origin: str) -> list[Handover]:
    """Read every handover in order; VerifyError. Signatures are verified by ``chain``, when the events are known."""
    found = []
    stored = [name for name in files.names(root, FOLDER) if not name.startswith(".")]
    for number, name in enumerate(stored, start=1):
        where = f"{FOLDER}/{name}"
        if name != f"{number:04d}":
            raise FormatError(where, f"not the expected name {number:04d}", f"名前が {number:04d} ではありません")
        head, signed = checkpoint.parse(files.need(root, where, checkpoint.MAX_OWN), where=where)
        if head.origin != origin:
            raise VerifyError("origin", where, "of another log", "別のログのものです")
        found.append(Handover(where, head, signed))
    return found


def chain(
    handovers: Sequence[Handover], rotations: Sequence[bundles.Own], *, first: note.VerifierKey | None
) -> list[note.VerifierKey]:
    """Return the keys in order, from the first to the present one; VerifyError naming the handover that does not hold.

    ``first`` is the key the log says it was opened with, when it says so.
    """
    keys = [] if first is None else [first]
    for handover in handovers:
        pair = next(
            (pair for own in rotations if (pair := _signed_by(handover, own, keys[-1] if keys else None))), None
        )
        if pair is None:
            raise VerifyError(
                "handover",
                handover.where,
                "no change of the key in the log that both keys signed",
                "新旧両方の鍵が署名した鍵の交代が、記録の中にありません",
            )
        keys += pair[len(keys) > 0 :]
    return keys


def _signed_by(handover: Handover, own: bundles.Own, old: note.VerifierKey | None) -> list[note.VerifierKey] | None:
    """Return (old key, new key) when the change ``own`` is in the handover's tree and both signed it."""
    if own.leaf >= handover.head.size or (old is not None and str(old) != own.old):
        return None
    try:
        pair = [note.parse_key(text, where=handover.where) for text in (own.old, own.new)]
        signed = all(
            key.kind == note.ED25519
            and key.name == handover.head.origin
            and note.verify(handover.note, key, where=handover.where) is not None
            for key in pair
        )
    except VerifyError:
        return None
    return pair if signed and pair[0] != pair[1] else None
