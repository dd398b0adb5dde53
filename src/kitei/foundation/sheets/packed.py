"""Zip files from outside: sizes are checked before and while unpacking, never believed.

A zip's directory may lie about sizes. Each part is therefore unpacked here in pieces, and a part that yields another
number of bytes than announced is refused before any other library sees the file.
"""

from __future__ import annotations

import io
import posixpath
import struct
import unicodedata
import zipfile
import zlib
from collections.abc import Iterator
from dataclasses import dataclass

from kitei.foundation.sheets.grid import Limits
from kitei.foundation.text import Message, UserError, file_names

_PIECE = 1024 * 1024
_LOCAL_HEADER = struct.Struct("<4s22xHH")
_ENCRYPTED = 0x1
_UTF8 = 0x800


def damaged(file: str) -> UserError:
    """Return the refusal of a file that cannot be read to its end."""
    return UserError(
        Message(
            "「%(file)s」は壊れているため、読み取れません。Excelなどで開けることを確かめ、保存し直してから選び直してください。",
            {"file": file},
        )
    )


def _bomb(file: str) -> UserError:
    return UserError(
        Message(
            "「%(file)s」は、展開すると大きくなりすぎるため、安全のため読み取りませんでした。不要なシート、書式、添付ファイルを減らすか、いくつかに分けてください。",
            {"file": file},
        )
    )


@dataclass(frozen=True)
class Part:
    """One file inside the zip: its safe ``name``, unpacked ``size`` in bytes, and the directory entry."""

    name: str
    size: int
    info: zipfile.ZipInfo


class Packed:
    """An opened zip whose announced sizes are inside the limits. ``data`` is the whole file, already limited in size."""

    def __init__(self, data: bytes, *, file: str, limits: Limits) -> None:
        self.file = file
        self._data = data
        self._limits = limits
        self.parts = {part.name: part for part in self._directory()}

    def _directory(self) -> Iterator[Part]:
        try:
            with zipfile.ZipFile(io.BytesIO(self._data)) as archive:
                infos = archive.infolist()
        except (zipfile.BadZipFile, struct.error, ValueError, NotImplementedError, OverflowError) as fault:
            raise damaged(self.file) from fault
        limits = self._limits
        if len(infos) > limits.entries:
            raise UserError(
                Message(
                    "「%(file)s」に入っているファイルの数が、上限の%(limit)s件を超えています。いくつかのzipに分けてください。",
                    {"file": self.file, "limit": f"{limits.entries:,}"},
                )
            )
        if sum(info.file_size for info in infos) > limits.unpacked_bytes:
            raise _bomb(self.file)
        seen: set[str] = set()
        for info in infos:
            if info.is_dir():
                continue
            if info.flag_bits & _ENCRYPTED:
                raise UserError(
                    Message(
                        "「%(file)s」にはパスワードがかかっています。パスワードを外して保存し直してから選び直してください。",
                        {"file": self.file},
                    )
                )
            if info.file_size > limits.ratio_from and info.file_size > limits.ratio * max(info.compress_size, 1):
                raise _bomb(self.file)
            name = self._safe_name(info)
            if name in seen:
                raise damaged(self.file)
            seen.add(name)
            yield Part(name=name, size=info.file_size, info=info)

    def _safe_name(self, info: zipfile.ZipInfo) -> str:
        raw = info.filename
        if not info.flag_bits & _UTF8:
            raw = _local_name(raw)
        name = unicodedata.normalize("NFC", raw.replace("\\", "/"))
        steps = name.split("/")
        absolute = name.startswith("/") or (len(steps[0]) == 2 and steps[0][1] == ":")  # noqa: PLR2004 - a drive, C:
        if absolute or ".." in steps or not name or not file_names.is_plain(name):
            raise UserError(
                Message(
                    "「%(file)s」の中に、置き場所を外れる名前か、見えない文字を含む名前のファイル「%(name)s」があります。名前を付け直して、zipを作り直してください。",
                    {"file": self.file, "name": file_names.shown(name)},
                )
            )
        return posixpath.normpath(name)

    def head(self, part: Part, size: int = 8) -> bytes:
        """Return the first ``size`` bytes of ``part``, unpacking no more than them; fewer when it is damaged there."""
        start = part.info.header_offset
        try:
            magic, name_length, extra_length = _LOCAL_HEADER.unpack_from(self._data, start)
        except struct.error as fault:
            raise damaged(self.file) from fault
        begin = start + _LOCAL_HEADER.size + name_length + extra_length
        packed = self._data[begin : begin + min(part.info.compress_size, _PIECE)]
        if magic != b"PK\x03\x04":
            raise damaged(self.file)
        if part.info.compress_type == zipfile.ZIP_STORED:
            return packed[:size]
        try:
            return zlib.decompressobj(-zlib.MAX_WBITS).decompress(packed, size)
        except zlib.error as fault:
            raise damaged(self.file) from fault

    def stream(self, part: Part) -> Iterator[bytes]:
        """Yield the unpacked content in pieces of at most 1 MiB; UserError when it is not what the directory says."""
        info = part.info
        start = info.header_offset
        try:
            magic, name_length, extra_length = _LOCAL_HEADER.unpack_from(self._data, start)
        except struct.error as fault:
            raise damaged(self.file) from fault
        if magic != b"PK\x03\x04":
            raise damaged(self.file)
        begin = start + _LOCAL_HEADER.size + name_length + extra_length
        packed = memoryview(self._data)[begin : begin + info.compress_size]
        if len(packed) != info.compress_size:
            raise damaged(self.file)
        pieces = _stored(packed) if info.compress_type == zipfile.ZIP_STORED else _inflated(packed)
        if info.compress_type not in {zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED}:
            raise damaged(self.file)
        total, checksum = 0, 0
        try:
            for piece in pieces:
                total += len(piece)
                if total > info.file_size:  # the directory announced less
                    raise damaged(self.file)
                checksum = zlib.crc32(piece, checksum)
                yield piece
        except (zlib.error, EOFError) as fault:
            raise damaged(self.file) from fault
        if total != info.file_size or checksum != info.CRC:
            raise damaged(self.file)

    def read(self, part: Part) -> bytes:
        """Return the whole unpacked content of ``part``."""
        return b"".join(self.stream(part))


def _local_name(raw: str) -> str:
    """Undo zipfile's reading of a name as cp437: Windows writes cp932 there, macOS UTF-8."""
    try:
        stored = raw.encode("cp437")
    except UnicodeEncodeError:
        return raw
    for encoding in ("utf-8", "cp932"):
        try:
            return stored.decode(encoding)
        except UnicodeDecodeError:
            continue
    return raw


def _stored(packed: memoryview) -> Iterator[bytes]:
    for start in range(0, len(packed), _PIECE):
        yield bytes(packed[start : start + _PIECE])


def _inflated(packed: memoryview) -> Iterator[bytes]:
    inflater = zlib.decompressobj(-zlib.MAX_WBITS)
    for start in range(0, len(packed), _PIECE):
        rest: bytes | memoryview = packed[start : start + _PIECE]
        while rest and not inflater.eof:
            piece = inflater.decompress(rest, _PIECE)
            if piece:
                yield piece
            rest = inflater.unconsumed_tail
        if inflater.eof and (inflater.unused_data or start + _PIECE < len(packed)):
            raise EOFError
    tail = inflater.flush()
    if tail:
        yield tail
    if not inflater.eof:
        raise EOFError
