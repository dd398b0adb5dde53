"""Where the files of a log stand: atomic writes, durable only after ``sync``.

The sequencer knows this protocol only, so tests can let every single call fail or die (docs/architecture.md).
"""

from __future__ import annotations

import os
import secrets
import sys
from collections.abc import Iterator
from contextlib import AbstractContextManager, contextmanager
from pathlib import Path
from typing import ClassVar, Protocol

from django.conf import settings

LOCK = ".lock"


class Store(Protocol):
    """Files by their path relative to the log's folder. Raises OSError when the disk refuses."""

    def read(self, path: str) -> bytes | None:
        """Return the bytes, None when there is no such file."""

    def write(self, path: str, data: bytes) -> None:
        """Put ``data`` there, whole or not at all, its bytes durable; the name is durable after ``sync``."""

    def sync(self) -> None:
        """Make every name written or removed so far durable."""

    def remove(self, path: str) -> None:
        """Take a file away; nothing when there is none."""

    def siblings(self, folder: str) -> list[str]:
        """Return the names in one folder (not below); empty when there is no such folder."""

    def lock(self) -> AbstractContextManager[None]:
        """Hold the folder against other publishers inside the block."""


class FolderStore:
    """A directory. Files are written aside, fsynced, and renamed; folders are readable by their owner only."""

    _settled: ClassVar[set[Path]] = set()
    """Folders whose own names this process has made durable. One that was found there may come from a process that was
    killed before it did."""

    def __init__(self, root: Path) -> None:
        self.root = root
        self._dirty: set[Path] = set()
        self._unsettled: set[Path] = set()

    def read(self, path: str) -> bytes | None:
        """See ``Store``."""
        try:
            return (self.root / path).read_bytes()
        except (FileNotFoundError, NotADirectoryError):
            return None

    def write(self, path: str, data: bytes) -> None:
        """See ``Store``."""
        target = self.root / path
        self._make(target.parent)
        # Two containers may have equal process numbers, two threads have: nobody else must write into this file.
        aside = target.with_name(f".{target.name}.{os.getpid()}-{secrets.token_hex(4)}.tmp")
        handle = os.open(aside, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
        try:
            with os.fdopen(handle, "wb") as file:
                file.write(data)
                file.flush()
                os.fsync(file.fileno())
            aside.replace(target)
        except BaseException:
            aside.unlink(missing_ok=True)
            raise
        self._dirty.add(target.parent)

    def sync(self) -> None:
        """See ``Store``."""
        for folder in list(self._dirty):
            if sys.platform != "win32" and folder.is_dir():  # Windows has no handle on a directory to flush
                try:
                    handle = os.open(folder, os.O_RDONLY)
                except PermissionError:
                    if folder == self.root.parent:
                        continue  # above the data folder, which somebody else made
                    raise
                try:
                    os.fsync(handle)
                finally:
                    os.close(handle)
            self._dirty.discard(folder)  # only now: after an error the next call tries again
        self._dirty.clear()
        self._settled.update(self._unsettled)
        self._unsettled.clear()

    def remove(self, path: str) -> None:
        """See ``Store``; an emptied folder of partial tiles goes with its last one."""
        target = self.root / path
        target.unlink(missing_ok=True)
        self._dirty.add(target.parent)
        if target.parent.name.endswith(".p"):
            try:
                target.parent.rmdir()
            except OSError:
                return  # another partial tile is still there
            self._dirty.add(target.parent.parent)

    def siblings(self, folder: str) -> list[str]:
        """See ``Store``; files being written aside are left out."""
        try:
            return sorted(entry.name for entry in (self.root / folder).iterdir() if not entry.name.startswith("."))
        except (FileNotFoundError, NotADirectoryError):
            return []

    @contextmanager
    def lock(self) -> Iterator[None]:
        """See ``Store``. The operating system lets go of it when the process dies."""
        self._make(self.root)
        handle = os.open(self.root / LOCK, os.O_RDWR | os.O_CREAT, 0o600)
        try:
            _lock_file(handle)
            yield
        finally:
            os.close(handle)

    def _make(self, folder: Path) -> None:
        there = folder.is_dir()
        inside = self.root in folder.parents
        if there and (folder in self._settled or folder in self._unsettled or not (inside or folder == self.root)):
            return
        if inside or not there:
            self._make(folder.parent)
        if not there:
            folder.mkdir(mode=0o700, exist_ok=True)
        self._dirty.add(folder.parent)
        self._unsettled.add(folder)


def _lock_file(handle: int) -> None:
    if sys.platform == "win32":
        import msvcrt  # noqa: PLC0415  only there

        msvcrt.locking(handle, msvcrt.LK_LOCK, 1)
    else:
        import fcntl  # noqa: PLC0415  only there

        fcntl.flock(handle, fcntl.LOCK_EX)


def folder(code: str, generation: int | None = None) -> Path:
    """Return where the log of organization ``code`` stands; with ``generation`` that of an ended one."""
    name = code if generation is None else f"{code}.g{generation}"
    return Path(settings.DATA) / "log" / name
