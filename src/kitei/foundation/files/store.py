"""Content-addressed immutable files (SHA-256) on disk, or in S3 by ``KITEI_STORAGE_URL``.

Bytes are written under their digest before the row that mentions them commits: a crash in between leaves an unmentioned
file, never a mention without bytes. Nothing is ever overwritten here, and deleted only by ``discard``.
"""

from __future__ import annotations

import hashlib
import unicodedata
from pathlib import PurePosixPath
from typing import Any

from django.core.files.base import ContentFile
from django.core.files.storage import storages

from kitei.foundation import clock, transactions
from kitei.foundation.files.models import StoredFile
from kitei.foundation.text import Message, UserError

MAX_BYTES = 50 * 1024 * 1024

# What a person may store, by the first bytes of the content; the name's ending has to agree.
_SIGNATURES: tuple[tuple[bytes, frozenset[str]], ...] = (
    (b"%PDF-", frozenset({".pdf"})),
    (b"PK\x03\x04", frozenset({".docx", ".xlsx", ".pptx", ".zip", ".xlsm"})),
    (b"\x89PNG", frozenset({".png"})),
    (b"\xff\xd8\xff", frozenset({".jpg", ".jpeg"})),
    (b"\xd0\xcf\x11\xe0", frozenset({".doc", ".xls", ".ppt"})),
)
_PLAIN = frozenset({".txt", ".csv", ".md"})
# Written out, because what Python's mimetypes knows differs from machine to machine.
_OFFICE = "application/vnd.openxmlformats-officedocument."
_TYPES = {
    ".pdf": "application/pdf",
    ".docx": _OFFICE + "wordprocessingml.document",
    ".xlsx": _OFFICE + "spreadsheetml.sheet",
    ".pptx": _OFFICE + "presentationml.presentation",
    ".xlsm": "application/vnd.ms-excel.sheet.macroEnabled.12",
    ".doc": "application/msword",
    ".xls": "application/vnd.ms-excel",
    ".ppt": "application/vnd.ms-powerpoint",
    ".zip": "application/zip",
    ".png": "image/png",
    ".jpg": "image/jpeg",
    ".jpeg": "image/jpeg",
    ".txt": "text/plain",
    ".csv": "text/csv",
    ".md": "text/markdown",
    ".html": "text/html",
}


def clean_name(name: str) -> str:
    """Return the last part of a file name without control characters, at most 200 characters long."""
    base = PurePosixPath(name.replace("\\", "/")).name
    base = "".join(char for char in unicodedata.normalize("NFC", base) if unicodedata.category(char)[0] != "C").strip()
    return base[-200:].strip() or "file"


def put_bytes(*, organization: Any, content: bytes, name: str, made_here: bool = False) -> StoredFile:
    """Store ``content`` and return its row; joins the caller's transaction.

    Raises UserError when the file is empty, too large, or its content is not what its name says; what Kitei itself made
    (``made_here``) is not questioned.
    """
    transactions.require()
    name = clean_name(name)
    if not made_here:
        check_content(content=content, name=name)
    digest = hashlib.sha256(content).hexdigest()
    write(digest=digest, content=content)
    row = StoredFile(
        organization=organization,
        digest=digest,
        size=len(content),
        name=name,
        content_type=_TYPES.get(PurePosixPath(name).suffix.lower(), "application/octet-stream"),
        stored_at=clock.now(),
    )
    row.save(force_insert=True)
    return row


def check_content(*, content: bytes, name: str) -> None:
    """Raise UserError unless size and type of an upload are acceptable."""
    if not content:
        raise UserError(Message("ファイル「%(name)s」は空です。内容のあるファイルを選んでください。", {"name": name}))
    if len(content) > MAX_BYTES:
        raise UserError(
            Message("ファイル「%(name)s」は大きすぎます（上限50MB）。分割するか、小さくしてください。", {"name": name})
        )
    suffix = PurePosixPath(name).suffix.lower()
    for magic, suffixes in _SIGNATURES:
        if content.startswith(magic):
            if suffix in suffixes:
                return
            break
    else:
        if suffix in _PLAIN and b"\x00" not in content:
            return
    raise UserError(
        Message(
            "ファイル「%(name)s」の内容が、名前の種類と合いません。Word、Excel、PowerPoint、PDF、画像、テキストのいずれかにしてください。",
            {"name": name},
        )
    )


def write(*, digest: str, content: bytes) -> None:
    """Write bytes under their digest if they are not there yet."""
    storage = storages["files"]
    path = _path(digest)
    if not storage.exists(path):
        storage.save(path, ContentFile(content))


def read(digest: str) -> bytes:
    """Return the bytes of ``digest``; UserError when they are lost or no longer hash to it."""
    storage = storages["files"]
    try:
        with storage.open(_path(digest), "rb") as stream:
            content = stream.read()
    except OSError as error:
        raise UserError(
            Message("ファイルの本体が見つかりません。控えから戻してください（%(digest)s）。", {"digest": digest[:12]})
        ) from error
    if hashlib.sha256(content).hexdigest() != digest:
        raise UserError(
            Message(
                "ファイルの内容が保存時と一致しません。控えから戻してください（%(digest)s）。", {"digest": digest[:12]}
            )
        )
    return bytes(content)


def discard(*, row: StoredFile) -> None:
    """Forget a file nobody refers to any more, its bytes too unless another row mentions them; joins the transaction.

    For the erasure of a person only. The bytes go after the commit: a crash in between leaves an unmentioned file.
    """
    transactions.require()
    digest = row.digest
    row.delete()

    def remove() -> None:
        if not StoredFile.objects.filter(digest=digest).exists():
            storages["files"].delete(_path(digest))

    transactions.after_commit(remove)


def _path(digest: str) -> str:
    return f"{digest[:2]}/{digest[2:4]}/{digest}"
