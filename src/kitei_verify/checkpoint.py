"""Checkpoints (c2sp.org/tlog-checkpoint): the signed head of a log."""

from __future__ import annotations

import base64
import re
from dataclasses import dataclass

from kitei_verify import note
from kitei_verify.errors import FormatError
from kitei_verify.merkle import EMPTY_ROOT, HASH_BYTES

MAX_OWN = 10_000
"""Longest head in a folder beside the published one: without the lines of witnesses."""
_SIZE = re.compile(r"(0|[1-9]\d{0,18})\Z", re.ASCII)


@dataclass(frozen=True)
class Checkpoint:
    """Origin (which log), size (leaves), root (32 bytes). Kitei writes no extension lines; read ones are kept."""

    origin: str
    size: int
    root: bytes
    extensions: tuple[str, ...] = ()

    def text(self) -> str:
        """Return the note text that is signed."""
        lines = [self.origin, str(self.size), base64.b64encode(self.root).decode(), *self.extensions]
        return "".join(f"{line}\n" for line in lines)


def parse(data: bytes, *, where: str) -> tuple[Checkpoint, note.Note]:
    """Read a checkpoint with its signatures; FormatError. No signature is verified here."""
    signed = note.parse(data, where=where)
    return parse_text(signed.text, where=where), signed


def parse_text(text: str, *, where: str) -> Checkpoint:
    """Read a checkpoint's note text; FormatError unless it has its one form."""
    lines = text.removesuffix("\n").split("\n")
    if len(lines) < 3 or not all(lines):  # noqa: PLR2004  origin, size, root
        raise FormatError(where, "a checkpoint has three lines", "チェックポイントは3行からなります")
    root = note.decode64(lines[2], where=where)
    if not _SIZE.match(lines[1]) or len(root) != HASH_BYTES:
        raise FormatError(where, "size or root hash has the wrong form", "件数又はハッシュの形が正しくありません")
    size = int(lines[1])
    if size == 0 and root != EMPTY_ROOT:
        raise FormatError(where, "an empty tree has one root only", "空の記録のハッシュが正しくありません")
    return Checkpoint(lines[0], size, root, tuple(lines[3:]))


def sign(checkpoint: Checkpoint, *signers: note.Signer) -> bytes:
    """Return the signed note of ``checkpoint``."""
    text = checkpoint.text()
    return note.Note(text, tuple(signer.sign(text) for signer in signers)).encode()
