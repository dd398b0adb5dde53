"""The private keys that sign the heads of the logs: one file a log, readable by its owner only.

``DATA/keys/<CODE>.skey`` (``<CODE>.g2.skey`` for a second generation); ``.next`` while a rotation is under way.
"""

from __future__ import annotations

import os
import secrets
from pathlib import Path

from django.conf import settings

from kitei.foundation.text import Message, UserError
from kitei_verify.errors import FormatError
from kitei_verify.note import Signer, VerifierKey, parse_signer

SEED_BYTES = 32


def path(code: str, generation: int = 1, *, following: bool = False) -> Path:
    """Return the file of a log's key; with ``following`` that of the key it is to be replaced by."""
    part = "" if generation == 1 else f".g{generation}"
    return Path(settings.DATA) / "keys" / f"{code}{part}{'.next' if following else ''}.skey"


def create(code: str, origin: str, generation: int = 1, *, following: bool = False) -> VerifierKey:
    """Make the key if there is none and return its public half; of two processes the first one's key stands."""
    file = path(code, generation, following=following)
    if not file.exists():
        file.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        aside = file.with_name(f".{file.name}.{os.getpid()}-{secrets.token_hex(4)}.tmp")
        handle = os.open(aside, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
        try:
            with os.fdopen(handle, "w") as opened:
                opened.write(Signer(origin, os.urandom(SEED_BYTES)).encode() + "\n")
                opened.flush()
                os.fsync(opened.fileno())
            file.hardlink_to(aside)
        except FileExistsError:
            pass
        finally:
            aside.unlink(missing_ok=True)
        # The database is about to say which key signs: the file has to outlast a power cut before that does.
        _settle(file.parent)
        _settle(file.parent.parent)
    made = signer(code, generation, following=following)
    if made.name != origin:
        raise UserError(
            Message(
                "鍵のファイル keys/%(file)s は、別の操作記録「%(name)s」のものです。別の場所に移してから、もう一度行ってください。",
                {"file": file.name, "name": made.name},
            )
        )
    return made.key


def signer(code: str, generation: int = 1, *, following: bool = False) -> Signer:
    """Return the private key; UserError when the file is missing or is no key."""
    file = path(code, generation, following=following)
    try:
        return parse_signer(file.read_text().removesuffix("\n"), where=file.name)
    except FileNotFoundError as error:
        raise UserError(
            Message(
                "操作記録に署名する鍵（%(file)s）がありません。控えから戻すか、kitei log restart で新しい記録を始めてください。",
                {"file": f"keys/{file.name}"},
            )
        ) from error
    except (OSError, ValueError, FormatError) as error:
        raise UserError(
            Message(
                "操作記録に署名する鍵（%(file)s）を読めません。控えから戻してください。", {"file": f"keys/{file.name}"}
            )
        ) from error


def following(code: str, generation: int = 1) -> Signer | None:
    """Return the key a rotation under way leads to; None when there is no rotation."""
    return signer(code, generation, following=True) if path(code, generation, following=True).exists() else None


def take_over(code: str, generation: int = 1) -> None:
    """Let the following key take the place of the present one: the last step of a rotation."""
    target = path(code, generation)
    path(code, generation, following=True).replace(target)
    _settle(target.parent)


def _settle(folder: Path) -> None:
    """Make the names in a folder durable."""
    if os.name == "posix":
        handle = os.open(folder, os.O_RDONLY)
        try:
            os.fsync(handle)
        finally:
            os.close(handle)
