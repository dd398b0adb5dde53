"""Content-addressed immutable files (SHA-256) on disk, or in S3 by ``KITEI_STORAGE_URL``.

Bytes are written under their digest before the row that mentions them commits: a crash in between leaves an unmentioned
file, never a mention without bytes. Nothing is ever overwritten here, and deleted only by ``discard``.
"""

from __future__ import annotations

import hashlib
from pathlib import PurePosixPath
from typing import Any

from django.core.files.base import ContentFile
from django.core.files.storage import storages

from kitei.foundation import clock, transactions
from kitei.foundation.files import accept
from kitei.foundation.files.models import StoredFile
from kitei.foundation.text import Message, UserError, file_names

MAX_BYTES = accept.MAX_BYTES
clean_name = file_names.clean
# What Kitei itself makes and keeps, besides the kinds people may bring.
_MADE_HERE = {".html": "text/html"} | {suffix: kind.mime for suffix, kind in accept.KINDS.items()}


def put_bytes(*, organization: Any, content: bytes, name: str, made_here: bool = False) -> StoredFile:
    """Store ``content`` and return its row; joins the caller's transaction.

    Raises UserError when the file may not be kept (``accept``); what Kitei itself made (``made_here``) is not questioned.
    """
    transactions.require()
    if made_here:
        mime = _MADE_HERE.get(PurePosixPath(name).suffix.lower(), "application/octet-stream")
    else:
        mime = check_content(content=content, name=name)
    digest = hashlib.sha256(content).hexdigest()
    write(digest=digest, content=content)
    row = StoredFile(
        organization=organization,
        digest=digest,
        size=len(content),
        name=file_names.clean(name),
        content_type=mime,
        stored_at=clock.now(),
    )
    row.save(force_insert=True)
    return row


def check_content(*, content: bytes, name: str) -> str:
    """Return the MIME type of an upload; UserError unless name, size and content are acceptable (``accept``)."""
    return accept.check(content=content, name=name)


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
