"""The one file of a backup: a plain tar that ``tar tf`` lists, in which no byte can change unnoticed.

Members in order: ``kitei-backup`` (the format's number), the parts, ``manifest.json``, ``seal``. The manifest holds length
and SHA-256 of every part; ``seal`` holds the SHA-256 of every byte before it and is itself compared byte for byte. That
finds damage, not forgery: who can write the file can seal it again. Forgery is what the signed log in it is for.
"""

from __future__ import annotations

import hashlib
import json
import os
import sys
import tarfile
import time
import uuid
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any, BinaryIO, Self

from kitei.foundation.text import Message, UserError

FORMAT = 1
MARK = "kitei-backup"
MANIFEST = "manifest.json"
SEAL = "seal"
BLOCK = 512
_CHUNK = 1024 * 1024
_STALE = 3600.0


def _member(name: str, size: int) -> bytes:
    header = tarfile.TarInfo(name)
    header.size = size
    header.mode = 0o600
    return header.tobuf(tarfile.USTAR_FORMAT)


def _padding(size: int) -> bytes:
    return bytes(-size % BLOCK)


def _seal(digest: str) -> bytes:
    """Return the last bytes of the file: the member ``seal`` and the two empty blocks that end a tar."""
    content = f"{digest}\n".encode()
    return _member(SEAL, len(content)) + content + _padding(len(content)) + bytes(2 * BLOCK)


_SEAL_BYTES = len(_seal("0" * 64))


class Writer:
    """Adds parts; ``finish`` adds manifest and seal. Made by ``writing``."""

    def __init__(self, stream: BinaryIO) -> None:
        self._stream = stream
        self._sha = hashlib.sha256()
        self.parts: dict[str, tuple[str, int]] = {}
        self.bytes = 0
        self._put(MARK, f"{FORMAT}\n".encode())

    def add(self, name: str, data: bytes) -> None:
        """Add one part; its name is unique. Raises OSError when the disk refuses."""
        if name in self.parts:
            raise ValueError(f"part {name} is there already")
        self.parts[name] = (hashlib.sha256(data).hexdigest(), len(data))
        self._put(name, data)

    def finish(self, manifest: dict[str, Any]) -> str:
        """Write manifest and seal and return the SHA-256 of the whole file (hex)."""
        whole = {"format": FORMAT, **manifest, "parts": {name: list(facts) for name, facts in self.parts.items()}}
        self._put(MANIFEST, json.dumps(whole, ensure_ascii=False, indent=1).encode())
        self._write(_seal(self._sha.hexdigest()))
        self._stream.flush()
        os.fsync(self._stream.fileno())
        return self._sha.hexdigest()

    def _put(self, name: str, data: bytes) -> None:
        self._write(_member(name, len(data)))
        self._write(data)
        self._write(_padding(len(data)))

    def _write(self, data: bytes) -> None:
        self._stream.write(data)
        self._sha.update(data)
        self.bytes += len(data)


@contextmanager
def writing(target: Path) -> Iterator[Writer]:
    """Give a writer; ``target`` appears, readable by its owner only, when the block ends well, and never half.

    Raises UserError when ``target`` exists: a backup is never overwritten.
    """
    taken = UserError(Message("「%(file)s」はすでにあります。別の名前にしてください。", {"file": str(target)}))
    if target.exists():
        raise taken
    _forget_stale(target)
    part = target.with_name(f"{target.name}.{uuid.uuid4().hex[:8]}.part")
    try:
        with os.fdopen(os.open(part, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "wb") as stream:
            yield Writer(stream)
        try:
            target.hardlink_to(part)  # unlike a rename it never replaces a file that appeared meanwhile
        except FileExistsError:
            raise taken from None
        except OSError:  # a file system without hard links
            part.rename(target)
        sync_folder(target.parent)
    finally:
        part.unlink(missing_ok=True)


def _forget_stale(target: Path) -> None:
    """Remove what a killed backup of the same name left; one that is being written was touched a moment ago."""
    for old in target.parent.glob(f"{target.name}.????????.part"):
        with suppress(OSError):
            if time.time_ns() / 1e9 - old.stat().st_mtime > _STALE:
                old.unlink()


def sync_folder(folder: Path) -> None:
    """Make the names in ``folder`` durable (nothing to do on Windows)."""
    if sys.platform != "win32":
        handle = os.open(folder, os.O_RDONLY)
        try:
            os.fsync(handle)
        finally:
            os.close(handle)


class Reader:
    """A verified backup. Opening it reads the whole file twice and changes nothing; UserError names what is wrong."""

    def __init__(self, path: Path) -> None:
        self.path = path
        try:
            self._stream = path.open("rb")
        except FileNotFoundError as error:
            raise UserError(
                Message("控え「%(file)s」がありません。名前と場所を確かめてください。", {"file": str(path)})
            ) from error
        try:
            self.sha256, self.bytes = self._check_seal()
            self._places = self._index()
            self.manifest = self._read_manifest()
            for name in self.manifest["parts"]:
                self.read(name)
        except BaseException:
            self._stream.close()
            raise

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_exc: object) -> None:
        self._stream.close()

    def broken(self, what: str) -> UserError:
        """Return the error that says where the file is damaged."""
        return UserError(
            Message(
                "控え「%(file)s」は壊れています（%(what)s）。別の控えを使ってください。何も変えていません。",
                {"file": self.path.name, "what": what},
            )
        )

    def read(self, name: str) -> bytes:
        """Return a part's bytes, compared with the manifest once more."""
        start, size = self._places[name]
        self._stream.seek(start)
        data = self._stream.read(size)
        if [hashlib.sha256(data).hexdigest(), len(data)] != self.manifest["parts"][name]:
            raise self.broken(name)
        return data

    def names(self, accept: Callable[[str], bool]) -> list[str]:
        """Return the names of the parts that ``accept`` wants, in the order of the file."""
        return [name for name in self.manifest["parts"] if accept(name)]

    def _check_seal(self) -> tuple[str, int]:
        total = os.fstat(self._stream.fileno()).st_size
        left, sha = total - _SEAL_BYTES, hashlib.sha256()
        start = self._stream.read(len(MARK))
        if start != MARK.encode() or left <= 0:
            raise UserError(
                Message("「%(file)s」はKiteiの控えではないか、途中で切れています。", {"file": self.path.name})
            )
        self._stream.seek(0)
        while left:
            data = self._stream.read(min(left, _CHUNK))
            if not data:
                raise self.broken(SEAL)
            sha.update(data)
            left -= len(data)
        expected = _seal(sha.hexdigest())
        if self._stream.read() != expected:
            raise self.broken(SEAL)
        sha.update(expected)
        return sha.hexdigest(), total

    def _index(self) -> dict[str, tuple[int, int]]:
        self._stream.seek(0)
        places: dict[str, tuple[int, int]] = {}
        try:
            with tarfile.open(fileobj=self._stream, mode="r:") as tar:
                for member in tar:
                    if not member.isreg() or member.name in places:
                        raise self.broken(member.name)
                    places[member.name] = (member.offset_data, member.size)
        except tarfile.TarError as error:
            raise self.broken("tar") from error
        return places

    def _read_manifest(self) -> dict[str, Any]:
        try:
            start, size = self._places[MANIFEST]
            self._stream.seek(start)
            manifest: dict[str, Any] = json.loads(self._stream.read(size))
            wanted, version = [MARK, *manifest["parts"], MANIFEST, SEAL], manifest["format"]
        except (KeyError, TypeError, ValueError) as error:
            raise self.broken(MANIFEST) from error
        if version != FORMAT:
            raise UserError(
                Message(
                    "控え「%(file)s」の形式（%(format)s）を、このKiteiは読めません。新しい版のKiteiで行ってください。",
                    {"file": self.path.name, "format": str(version)},
                )
            )
        if list(self._places) != wanted:
            raise self.broken(MANIFEST)
        return manifest
