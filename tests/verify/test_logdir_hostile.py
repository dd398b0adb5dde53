"""The folder of a log: hostile files, a log that grows meanwhile, processes that cannot be started."""

from __future__ import annotations

import json
import os
import shutil
import sys
import tempfile
import time
from concurrent.futures.process import BrokenProcessPool
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from logdir_asking import codes, fault, since, verify
from small_log import ORIGIN, SmallLog, folder_files, signer, write

from kitei_verify import bundles, checkpoint, files, rebuild

# --- hostile folders


def test_a_declared_size_beyond_everything_ends_at_once(tmp_path, nine):
    files_ = nine.files()
    head = checkpoint.Checkpoint(ORIGIN, 10**18, bytes(32))
    write(tmp_path, files_ | {"checkpoint": checkpoint.sign(head, nine.key)})
    began = time.monotonic()
    assert fault(verify(tmp_path), "missing").where == "tile/entries/000"
    assert time.monotonic() - began < 1


@pytest.mark.skipif(sys.platform == "win32", reason="Windows has no pipes by name")
@pytest.mark.parametrize("path", ["checkpoint", "log.vkey", "tile/0/000.p/9", "tile/entries/000.p/9", "stamp/1.note"])
def test_links_pipes_and_folders_in_the_place_of_files_are_refused(tmp_path, nine, path):
    folder = nine.write(tmp_path / "log")
    data = folder / path
    outside = tmp_path / "outside"
    outside.write_bytes(data.read_bytes() if data.exists() else b"")
    data.parent.mkdir(exist_ok=True)
    for make in (
        lambda: data.symlink_to(outside),
        lambda: os.mkfifo(data),
        data.mkdir,
    ):
        if data.exists():
            data.unlink()
        make()
        began = time.monotonic()
        result = verify(folder)
        assert not result.ok or path.startswith("stamp")
        assert time.monotonic() - began < 2
        data.rmdir() if data.is_dir() and not data.is_symlink() else data.unlink()
        if path.startswith("stamp"):
            continue
    assert outside.exists()


def test_a_folder_that_is_a_link_is_not_entered(tmp_path, nine):
    folder = nine.write(tmp_path / "log")
    (folder / "tile").rename(tmp_path / "elsewhere")
    (folder / "tile").symlink_to(tmp_path / "elsewhere")
    assert fault(verify(folder), "kind").where == "tile"


def test_a_link_to_the_folder_itself_is_followed(tmp_path, nine):
    nine.write(tmp_path / "log")
    (tmp_path / "there").symlink_to(tmp_path / "log")
    verify(tmp_path / "there").require()


def test_folders_nested_without_end_and_names_without_number_are_one_fault(tmp_path, nine, monkeypatch):
    nine.write(tmp_path)
    deep = tmp_path.joinpath(*["a"] * 20)
    deep.mkdir(parents=True)
    assert fault(verify(tmp_path), "unknown").what == "folders nested too deep"
    shutil.rmtree(tmp_path / "a")
    monkeypatch.setattr(files, "MAX_NAMES", 5)
    write(tmp_path, {f"stamp/x{number}": b"" for number in range(6)})
    assert fault(verify(tmp_path), "size").where == "stamp"


def test_not_more_than_twenty_faults_are_collected(tmp_path, nine):
    write(nine.write(tmp_path), {f"junk{number}": b"" for number in range(50)})
    assert len(verify(tmp_path).faults) == bundles.MAX_FAULTS
    log = SmallLog.of(2)
    log.entries += [b"no event"] * 600
    shutil.rmtree(tmp_path)
    assert len(verify(log.write(tmp_path)).faults) == bundles.MAX_FAULTS


def test_files_longer_than_any_are_not_read_to_their_end(tmp_path, nine):
    nine.write(tmp_path)
    with (tmp_path / "checkpoint").open("r+b") as file:
        file.truncate(10**12)
    assert fault(verify(tmp_path), "size").where == "checkpoint"


def test_a_disk_that_fails_is_named(tmp_path, nine, monkeypatch):
    nine.write(tmp_path)
    monkeypatch.setattr(files.os, "read", lambda handle, count: (_ for _ in ()).throw(OSError(5, "Input/output error")))
    found = fault(verify(tmp_path), "unreadable")
    assert (found.where, found.what) == ("checkpoint", "cannot be read (Input/output error)")
    monkeypatch.undo()
    monkeypatch.setattr(files.os, "open", lambda path, flags: (_ for _ in ()).throw(OSError))
    assert fault(verify(tmp_path), "unreadable").what == "cannot be read (OSError)"
    monkeypatch.undo()
    monkeypatch.setattr(
        files.os, "scandir", lambda path: (_ for _ in ()).throw(PermissionError(13, "Permission denied"))
    )
    assert fault(verify(tmp_path), "unreadable").where == "."


def test_a_tile_that_cannot_be_read_is_named_and_the_rest_is_looked_at(tmp_path, monkeypatch):
    log = SmallLog.of(9)
    log.write(tmp_path)
    real = files.read

    def refuse(root, where, limit):
        if where == "tile/0/000.p/9":
            raise files.unreadable(where, PermissionError(13, "Permission denied"))
        return real(root, where, limit)

    monkeypatch.setattr(files, "read", refuse)
    assert [(one.code, one.where) for one in verify(tmp_path).faults] == [("unreadable", "tile/0/000.p/9")]


def test_a_place_that_is_no_folder(tmp_path):
    assert fault(verify(tmp_path / "nothing"), "missing").what == "not a folder"
    (tmp_path / "file").write_bytes(b"")
    assert fault(verify(tmp_path / "file"), "missing")
    assert fault(verify(tmp_path), "missing").where == "checkpoint"


@given(data=st.data())
@settings(max_examples=60, deadline=None)
def test_whatever_stands_in_the_files_the_verifier_says_so_and_ends(data):
    """Rubbish in one or several files: faults, never an exception of another kind."""
    log = SmallLog.of(5)
    log.rotate(signer("second"))
    files_ = log.files() | {"stamp/3.note": log.signed(3, signer("first")), "stamp/3.tsr": b"0"}
    names = data.draw(st.lists(st.sampled_from(sorted(files_)), min_size=1, max_size=3, unique=True))
    for name in names:
        kept = files_[name]
        cut = data.draw(st.integers(0, len(kept)))
        files_[name] = kept[:cut] + data.draw(st.binary(max_size=40)) + kept[cut + data.draw(st.integers(0, 40)) :]
    with tempfile.TemporaryDirectory() as folder:
        result = verify(write(Path(folder) / "log", files_))
    assert not result.ok
    assert all(one.where and one.what and one.ja for one in result.faults)
    assert json.dumps(result.to_json())


# --- a log that grows meanwhile


def test_a_log_that_grows_while_it_is_verified_is_verified_anew(tmp_path, monkeypatch):
    SmallLog.of(9).write(tmp_path)
    real, runs = rebuild.first_missing, []

    def grow(root, size):
        runs.append(size)
        if len(runs) == 1:
            for path in (root / "tile/0/000.p/9", root / "tile/entries/000.p/9"):
                path.unlink()
            SmallLog.of(12).write(root)
        return real(root, size)

    monkeypatch.setattr(rebuild, "first_missing", grow)
    assert verify(tmp_path).require().size == 12
    assert runs == [9, 12]


def test_a_log_that_never_rests_is_given_up(tmp_path, monkeypatch):
    sizes = iter(range(10, 99))

    def grow(root, size):
        SmallLog.of(next(sizes)).write(root)
        return "tile/entries/000"

    SmallLog.of(9).write(tmp_path)
    monkeypatch.setattr(rebuild, "first_missing", grow)
    assert fault(verify(tmp_path), "missing")
    assert next(sizes) == 13


def test_a_checkpoint_that_goes_away_meanwhile_is_no_reason_to_begin_anew(tmp_path, monkeypatch, nine):
    nine.write(tmp_path)

    def spoil(root, size):
        (root / "checkpoint").unlink()
        (root / "checkpoint").mkdir()
        return "tile/entries/000"

    monkeypatch.setattr(rebuild, "first_missing", spoil)
    assert codes(verify(tmp_path)) == ["missing"]


# --- several processes


@pytest.fixture
def parallel(monkeypatch):
    monkeypatch.setattr(rebuild, "PARALLEL_FROM", 100)
    monkeypatch.setattr(rebuild, "CHUNK", 1)


def test_several_processes_find_the_same(tmp_path, parallel):
    log = SmallLog.of(3000)
    log.rotate(signer("second"))
    log.write(tmp_path)
    kept = [since(log, 1000, signer("first"))]
    one, two = (verify(tmp_path, keys=[signer("first").key], since=kept, jobs=jobs) for jobs in (1, 2))
    assert one.require().to_json() == two.require().to_json()
    data = (tmp_path / "tile/entries/004").read_bytes()
    (tmp_path / "tile/entries/004").write_bytes(data[:-2] + b"?}")
    one, two = (verify(tmp_path, jobs=jobs).faults[0] for jobs in (1, 2))
    assert (one.code, one.where, one.index) == ("tile", "tile/0/004", 1279)
    assert one.to_json() == two.to_json()


@pytest.mark.parametrize("when", [0, 3, 999])
def test_where_no_process_can_be_started_one_is_enough(tmp_path, parallel, monkeypatch, when):
    log = SmallLog.of(3000)

    class Failing:
        def __init__(self, *args, **kwargs):
            self.count = 0
            if when == 0:
                raise OSError("no more processes")

        def submit(self, call, job):
            self.count += 1
            if self.count > when:
                raise BrokenProcessPool

            class Done:
                def result(self):
                    return call(job)

            return Done()

        def shutdown(self, **kwargs):
            pass

    monkeypatch.setattr(rebuild, "ProcessPoolExecutor", Failing)
    result = verify(log.write(tmp_path), jobs=2).require()
    assert result.root == log.head().root


def test_the_files_helper_leaves_nothing_out(tmp_path, nine):
    """The tests above compare with what is really there."""
    assert folder_files(nine.write(tmp_path)) == nine.files()
    assert Path(tmp_path).is_dir()
