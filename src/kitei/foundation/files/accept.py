"""The one rule for files that come from people and are kept: name, size, and what the content really is.

A file is kept only when its content is what its name says, and of a kind people write documents in. Content decides: an
Office file is opened as the zip it is and must hold the body its ending promises; an old Office file must hold the stream
of its program; text must be text. Refused besides are macros (Kitei hands a kept file on to colleagues, and macros run on
their machines), what unpacks to too much, archives inside archives, and a picture or PDF that is a zip as well. Nothing is
unpacked to find that out but the first bytes of a zip's entries. There is no virus scanner here (docs/operate/proxy.md).

Files an import only *reads* (``foundation.sheets.reader``) may hold macros: they are neither run nor kept.
"""

from __future__ import annotations

import io
import re
import zipfile
from dataclasses import dataclass
from pathlib import PurePosixPath

from kitei.foundation.sheets.grid import Limits
from kitei.foundation.sheets.packed import Packed
from kitei.foundation.text import Message, UserError, file_names

MAX_BYTES = 50 * 1024 * 1024
_OFFICE = "application/vnd.openxmlformats-officedocument."
_ZIP, _PDF, _PNG, _JPEG = b"PK\x03\x04", b"%PDF-", b"\x89PNG\r\n\x1a\n", b"\xff\xd8\xff"
_OLE = bytes.fromhex("d0cf11e0a1b11ae1")
_CHARSETS = ("utf-8", "cp932", "euc_jp", "iso2022_jp")
_MARKS = {b"\xff\xfe": "utf-16", b"\xfe\xff": "utf-16"}
_CONTROLS = re.compile(r"[\x00-\x08\x0b\x0e-\x1f\x7f]")
# Zips by nature that may lie in a zip beside other documents.
_DOCUMENTS = (".docx", ".xlsx", ".pptx", ".odt", ".ods", ".odp", ".vsdx", ".xdw", ".epub")
_ARCHIVES = (".zip", ".7z", ".rar", ".lzh", ".gz", ".tgz", ".tar", ".bz2", ".xz", ".cab", ".iso", ".jar")
_PROGRAMS = (
    ".exe", ".com", ".scr", ".pif", ".dll", ".msi", ".bat", ".cmd", ".ps1", ".vbs", ".vbe", ".js", ".jse", ".wsf", ".hta",
    ".lnk", ".reg", ".docm", ".xlsm", ".xlsb", ".pptm",
)  # fmt: skip


@dataclass(frozen=True)
class Kind:
    """What a name's ending promises: the MIME type it is sent with, how its content begins, what it must hold."""

    mime: str
    magic: bytes = b""
    holds: tuple[str, ...] = ()


KINDS: dict[str, Kind] = {
    ".pdf": Kind("application/pdf", _PDF),
    ".docx": Kind(_OFFICE + "wordprocessingml.document", _ZIP, ("word/document.xml",)),
    ".xlsx": Kind(_OFFICE + "spreadsheetml.sheet", _ZIP, ("xl/workbook.xml",)),
    ".pptx": Kind(_OFFICE + "presentationml.presentation", _ZIP, ("ppt/presentation.xml",)),
    ".doc": Kind("application/msword", _OLE, ("WordDocument",)),
    ".xls": Kind("application/vnd.ms-excel", _OLE, ("Workbook", "Book")),
    ".ppt": Kind("application/vnd.ms-powerpoint", _OLE, ("PowerPoint Document",)),
    ".zip": Kind("application/zip", _ZIP),
    ".png": Kind("image/png", _PNG),
    ".jpg": Kind("image/jpeg", _JPEG),
    ".jpeg": Kind("image/jpeg", _JPEG),
    ".txt": Kind("text/plain"),
    ".csv": Kind("text/csv"),
    ".md": Kind("text/markdown"),
}
"""By ending. Written out, because what Python's mimetypes knows differs from machine to machine."""


def check(*, content: bytes, name: str) -> str:
    """Return the MIME type of an upload that may be kept under ``name``; UserError, saying what to do, otherwise."""
    file_names.check(name)
    name = file_names.clean(name)
    if not content:
        raise UserError(Message("ファイル「%(name)s」は空です。内容のあるファイルを選んでください。", {"name": name}))
    if len(content) > MAX_BYTES:
        raise UserError(
            Message("ファイル「%(name)s」は大きすぎます（上限50MB）。分割するか、小さくしてください。", {"name": name})
        )
    kind = _kind(content, name)
    if kind.magic == _ZIP:
        _check_zip(content, name, kind)
    elif kind.magic == _OLE:
        _check_old_office(content, name, kind)
    elif not kind.magic:
        _check_text(content, name)
    elif zipfile.is_zipfile(io.BytesIO(content)):
        raise _other(name)  # reads as two kinds: what one program shows, another unpacks
    return kind.mime


def _kind(content: bytes, name: str) -> Kind:
    """Return what the name promises; UserError when the content does not even begin like it."""
    suffix = PurePosixPath(name).suffix.lower()
    if suffix in {".docm", ".xlsm", ".pptm", ".xlsb"}:
        raise _macros(name)
    if content.startswith(_OLE) and "EncryptedPackage".encode("utf-16-le") in content:
        raise UserError(
            Message(
                "「%(file)s」にはパスワードがかかっています。パスワードを外して保存し直してから選び直してください。",
                {"file": name},
            )
        )
    kind = KINDS.get(suffix)
    if kind is None or not content.startswith(kind.magic):
        raise _other(name)
    return kind


def _check_zip(content: bytes, name: str, kind: Kind) -> None:
    packed = Packed(content, file=name, limits=Limits())
    if not kind.holds:
        if "[Content_Types].xml" in packed.parts:
            raise _other(name)  # an Office file under another name
        for inner, part in packed.parts.items():
            lower = inner.lower()
            if lower.endswith(_PROGRAMS) or packed.head(part)[:2] == b"MZ":
                raise UserError(
                    Message(
                        "「%(file)s」の中に、プログラム又はマクロを含むファイル「%(name)s」があります。取り除いて、zipを作り直してください。",
                        {"file": name, "name": file_names.shown(inner)},
                    )
                )
            if lower.endswith(_ARCHIVES) or (packed.head(part)[:4] == _ZIP and not lower.endswith(_DOCUMENTS)):
                raise UserError(
                    Message(
                        "「%(file)s」の中に、別の圧縮ファイル「%(name)s」があります。中のファイルを取り出して、1つのzipにまとめ直してください。",
                        {"file": name, "name": file_names.shown(inner)},
                    )
                )
        return
    if "[Content_Types].xml" not in packed.parts or not any(part in packed.parts for part in kind.holds):
        raise _other(name)
    if any(_is_macro(part.lower()) for part in packed.parts):
        raise _macros(name)


def _is_macro(part: str) -> bool:
    # Excel's macro sheets of before VBA run as well.
    return part.endswith("vbaproject.bin") or part.startswith(("xl/macrosheets/", "xl/dialogsheets/"))


def _check_old_office(content: bytes, name: str, kind: Kind) -> None:
    # The directory of a compound file names its streams in UTF-16; nothing of it is unpacked.
    if not any(stream.encode("utf-16-le") in content for stream in kind.holds):
        raise _other(name)
    if "_VBA_PROJECT".encode("utf-16-le") in content:
        raise _macros(name)


def _check_text(content: bytes, name: str) -> None:
    marked = _MARKS.get(content[:2])
    for charset in (marked,) if marked else _CHARSETS:
        try:
            text = content.decode(charset)
        except UnicodeDecodeError:
            continue
        if not _CONTROLS.search(text):
            return
    raise _other(name)


def _other(name: str) -> UserError:
    return UserError(
        Message(
            "ファイル「%(name)s」の内容が、名前の種類と合いません。Word、Excel、PowerPoint、PDF、画像、テキストのいずれかにしてください。",
            {"name": name},
        )
    )


def _macros(name: str) -> UserError:
    return UserError(
        Message(
            "ファイル「%(name)s」はマクロを含むか、含むことのできる形式のため、保管できません。マクロのない形式（.docx、.xlsx、.pptx、PDF）で保存し直してから選び直してください。",
            {"name": name},
        )
    )
