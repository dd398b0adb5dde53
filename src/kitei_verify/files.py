"""Reading a log's folder without being led out of it: regular files only, of bounded size, no symbolic links."""

from __future__ import annotations

import itertools
import os
import stat
from collections.abc import Iterator
from pathlib import Path

from kitei_verify.errors import VerifyError

MAX_DEPTH = 12
MAX_NAMES = 200_000
"""Most names one folder may hold: tiles never exceed some 2,000, stamps once an hour take 20 years."""
_FLAGS = os.O_RDONLY | getattr(os, "O_NOFOLLOW", 0) | getattr(os, "O_NONBLOCK", 0) | getattr(os, "O_BINARY", 0)
_CHUNK = 1 << 20


def missing(where: str) -> VerifyError:
    """Return the fault that a file is not there."""
    return VerifyError("missing", where, "the file is missing", "ファイルがありません")


def unreadable(where: str, error: OSError) -> VerifyError:
    """Return the fault that a file is there and cannot be read."""
    reason = error.strerror or type(error).__name__
    return VerifyError("unreadable", where, f"cannot be read ({reason})", f"読めません（{reason}）")


def strange(where: str) -> VerifyError:
    """Return the fault that something is neither a file nor a folder."""
    return VerifyError(
        "kind", where, "neither a plain file nor a folder", "ふつうのファイルでもフォルダーでもありません"
    )


def read(root: Path, where: str, limit: int) -> bytes | None:
    """Return the bytes of the file ``where`` in ``root``; None when it is missing; VerifyError when longer than ``limit``.

    A symbolic link, device or pipe is refused without waiting for it.
    """
    try:
        handle = os.open(root / where, _FLAGS)
    except (FileNotFoundError, NotADirectoryError):
        return None
    except OSError as error:
        raise unreadable(where, error) from error
    try:
        if not stat.S_ISREG(os.fstat(handle).st_mode):
            raise strange(where)
        # One byte more than allowed tells a file that is too long, also one that grows meanwhile.
        parts, wanted = [], limit + 1
        while wanted > 0 and (part := os.read(handle, min(wanted, _CHUNK))):
            parts.append(part)
            wanted -= len(part)
    except OSError as error:
        raise unreadable(where, error) from error
    finally:
        os.close(handle)
    if wanted <= 0:
        raise VerifyError("size", where, f"longer than {limit} bytes", f"{limit}バイトを超えています")
    return parts[0] if len(parts) == 1 else b"".join(parts)


def need(root: Path, where: str, limit: int) -> bytes:
    """Return the bytes of a file that has to be there; VerifyError."""
    data = read(root, where, limit)
    if data is None:
        raise missing(where)
    return data


def exists(root: Path, where: str) -> bool:
    """Whether something stands at ``where``; nothing is followed or opened."""
    return os.path.lexists(root / where)


def names(root: Path, where: str) -> list[str]:
    """Return the names in the folder ``where``, sorted; none when it is missing or no folder."""
    try:
        with os.scandir(root / where) as found:
            return sorted(entry.name for entry in itertools.islice(found, MAX_NAMES))
    except OSError:
        return []


def walk(root: Path, where: str = "", depth: int = 0) -> Iterator[str | VerifyError]:
    """Yield the path of every file below ``root``, with "/" between the parts, and every fault on the way.

    Links, devices and pipes are faults; folders nested deeper than any log's are one fault and are not entered.
    """
    try:
        with os.scandir(root / where) as entries:
            found = sorted(itertools.islice(entries, MAX_NAMES + 1), key=lambda entry: entry.name)
    except OSError as error:
        yield unreadable(where or ".", error)
        return
    if len(found) > MAX_NAMES:
        yield VerifyError("size", where or ".", f"more than {MAX_NAMES} names", f"名前が{MAX_NAMES}を超えています")
        return
    for entry in found:
        path = f"{where}/{entry.name}" if where else entry.name
        if entry.is_symlink() or not (entry.is_file(follow_symlinks=False) or entry.is_dir(follow_symlinks=False)):
            yield strange(path)
        elif entry.is_file(follow_symlinks=False):
            yield path
        elif depth >= MAX_DEPTH:
            yield VerifyError("unknown", path, "folders nested too deep", "フォルダーが深すぎます")
        else:
            yield from walk(root, path, depth + 1)
