"""The one file: whole or not there, and no byte of it changes unnoticed."""

from __future__ import annotations

import errno
import os
import stat
import tarfile

import pytest

from kitei.custody.container import MARK, Reader, writing
from kitei.foundation.text import UserError

PARTS = {"db/a.b/000000.jsonl.gz": b"rows" * 50, "files/ab/cd/abcd": bytes(range(256)) * 3, "log/main/checkpoint": b""}


def write(path, parts=PARTS):
    with writing(path) as writer:
        for name, data in parts.items():
            writer.add(name, data)
        return writer.finish({"made_at": "2026-11-22T03:00:00+00:00"})


@pytest.fixture
def made(tmp_path):
    path = tmp_path / "控え.kitei-backup"
    write(path)
    return path


def test_what_was_written_is_read(tmp_path):
    path = tmp_path / "b"
    digest = write(path)
    with Reader(path) as backup:
        assert backup.sha256 == digest
        assert backup.bytes == path.stat().st_size
        assert {name: backup.read(name) for name in backup.manifest["parts"]} == PARTS
        assert backup.names(lambda name: name.startswith("files/")) == ["files/ab/cd/abcd"]
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    assert [entry.name for entry in tmp_path.iterdir()] == ["b"]


def test_it_is_a_tar_like_any_other(made):
    with tarfile.open(made) as tar:
        assert tar.getnames() == [MARK, *PARTS, "manifest.json", "seal"]
        assert tar.extractfile("files/ab/cd/abcd").read() == PARTS["files/ab/cd/abcd"]


def test_every_changed_byte_is_found(made):
    whole = made.read_bytes()
    # Every fifth byte reaches each kind of place: headers, contents, padding, manifest, seal, the closing blocks.
    for place in [*range(0, len(whole), 5), len(whole) - 1]:
        made.write_bytes(whole[:place] + bytes([whole[place] ^ 1]) + whole[place + 1 :])
        with pytest.raises(UserError):
            Reader(made)
    made.write_bytes(whole)
    Reader(made).__exit__()


@pytest.mark.parametrize(
    "change",
    [lambda b: b[:-1], lambda b: b + b"\0", lambda b: b[: len(b) // 2], lambda b: b"", lambda b: b"PK\3\4" + b[4:]],
)
def test_a_file_that_is_no_whole_backup_is_refused(made, change):
    made.write_bytes(change(made.read_bytes()))
    with pytest.raises(UserError):
        Reader(made)


def test_a_sealed_file_whose_manifest_lies_is_refused(tmp_path, monkeypatch):
    from kitei.custody import container

    path = tmp_path / "b"
    with container.writing(path) as writer:
        writer.add("db/a", b"rows")
        writer.parts["db/a"] = ("0" * 64, 4)
        writer.finish({})
    with pytest.raises(UserError, match="壊れています"):
        Reader(path)


def test_nothing_is_overwritten(made):
    before = made.read_bytes()
    with pytest.raises(UserError, match="すでにあります"):
        write(made)
    assert made.read_bytes() == before


def test_a_name_taken_meanwhile_is_not_overwritten(tmp_path):
    path = tmp_path / "b"

    def work():
        with writing(path) as writer:
            path.write_bytes(b"another's")
            writer.finish({})

    with pytest.raises(UserError, match="すでにあります"):
        work()
    assert path.read_bytes() == b"another's"


@pytest.mark.parametrize("room", [0, 700, 3000])
def test_a_full_disk_leaves_nothing(tmp_path, room):
    def work():
        with writing(tmp_path / "b") as writer:
            through = writer._write

            def full(data):
                if writer.bytes + len(data) > room:
                    raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))
                through(data)

            writer._write = full
            writer.add("db/a", b"rows" * 2000)
            writer.finish({})

    with pytest.raises(OSError, match="No space"):
        work()
    assert list(tmp_path.iterdir()) == []


def test_what_a_killed_backup_left_goes_with_the_next_one(tmp_path):
    stale, fresh = tmp_path / "b.0123abcd.part", tmp_path / "b.89abcdef.part"
    for path in (stale, fresh):
        path.write_bytes(b"half")
    os.utime(stale, (0, 0))
    write(tmp_path / "b")
    assert sorted(entry.name for entry in tmp_path.iterdir()) == ["b", fresh.name]


def test_a_newer_format_is_named(tmp_path, monkeypatch):
    monkeypatch.setattr("kitei.custody.container.FORMAT", 2)
    write(tmp_path / "b")
    monkeypatch.undo()
    with pytest.raises(UserError, match="新しい版"):
        Reader(tmp_path / "b")
