"""Tiles against RFC 6962 written down as recursion, at the borders of tiles; and the folder that holds them."""

from __future__ import annotations

import os
from pathlib import Path

import pytest
from fault_store import Disk, FaultStore
from hypothesis import given
from hypothesis import strategies as st
from log_world import Naive, small_tiles

from kitei.trust.auditlog import tree
from kitei.trust.auditlog.store import FolderStore
from kitei_verify import merkle


def entries(count):
    return [b"entry %d" % number for number in range(count)]


def written(sizes, whole):
    """Write the trees one after the other; return the disk."""
    disk, before = Disk(), 0
    for size in sizes:
        tree.write_tiles(FaultStore(disk), before, size, lambda start, end: whole[start:end])
        assert tree.verify_written(FaultStore(disk), before, size) == Naive(whole).root(0, size)
        before = size
    return disk


@pytest.mark.parametrize("size", [1, 2, 255, 256, 257, 511, 512, 513, 1000])
def test_a_tree_written_at_once_has_exactly_its_tiles(size):
    whole = entries(size)
    assert written([size], whole).names == Naive(whole).tiles(size)


@pytest.mark.parametrize("sizes", [(1, 255, 256, 257, 512), (256, 512, 768), (200, 600), (255, 256), (257, 1024)])
def test_a_tree_that_grows_has_the_tiles_of_its_size(sizes):
    whole = entries(sizes[-1])
    disk = written(sizes, whole)
    wanted = Naive(whole).tiles(sizes[-1])
    assert {path: disk.names[path] for path in wanted} == wanted
    before = 0
    for size in sizes:
        tree.drop_partial(FaultStore(disk), before, size)
        before = size
    left = {path for path in disk.names if ".p/" in path}
    assert not {path for path in left if path.split(".p/")[0] in disk.names}, "a partial tile beside its full one"
    assert {path: disk.names[path] for path in wanted} == wanted


@pytest.mark.long
def test_tiles_of_level_two():
    whole = entries(65_536 + 257)
    disk = written([65_535, 65_536, 65_536 + 257], whole)
    wanted = Naive(whole).tiles(len(whole))
    assert "tile/2/000.p/1" in wanted
    assert {path: disk.names[path] for path in wanted} == wanted


@given(st.lists(st.integers(1, 40), min_size=1, max_size=6))
def test_any_growth_with_small_tiles(steps):
    with pytest.MonkeyPatch.context() as patched:
        small_tiles(patched)
        sizes = [sum(steps[: at + 1]) for at in range(len(steps))]
        whole = entries(sizes[-1])
        disk = written(sizes, whole)
        naive = Naive(whole)
        wanted = naive.tiles(sizes[-1])
        assert {path: disk.names[path] for path in wanted} == wanted
        reader = tree.TileReader(FaultStore(disk), sizes[-1])
        for index in {0, sizes[0] - 1, sizes[-1] - 1}:
            proof = merkle.inclusion_proof(index, sizes[-1], reader.subtree)
            leaf = merkle.leaf_hash(whole[index])
            merkle.verify_inclusion(index, sizes[-1], leaf, proof, naive.root(0, sizes[-1]))
            assert reader.entry(index) == whole[index]
        for size in sizes:
            proof = merkle.consistency_proof(size, sizes[-1], reader.subtree)
            merkle.verify_consistency(size, sizes[-1], naive.root(0, size), naive.root(0, sizes[-1]), proof)


def spoilt(data, how):
    if how == "gone":
        return None
    if how == "short":
        return data[:-1]
    if how == "long":
        return data + b"\0"
    return bytes([data[0] ^ 1]) + data[1:] if how == "first" else data[:-1] + bytes([data[-1] ^ 1])


@pytest.mark.parametrize("how", ["gone", "short", "long", "first", "last"])
def test_any_spoilt_file_of_what_was_written_is_found_before_signing(monkeypatch, how):
    small_tiles(monkeypatch)
    whole = entries(23)
    root = Naive(whole).root(0, 23)
    disk = written([9, 23], whole)
    new = written([23], whole)
    fresh = {path for path in new.names if path not in written([9], whole).names}
    assert len(fresh) > 8
    for path in fresh:
        kept, bad = disk.names[path], spoilt(disk.names[path], how)
        disk.names = {**disk.names, path: bad}
        if bad is None:
            del disk.names[path]
        try:
            found = tree.verify_written(FaultStore(disk), 9, 23) != root
        except tree.TileError:
            found = True
        assert found, path
        disk.names[path] = kept


def test_a_missing_tile_is_named(monkeypatch):
    small_tiles(monkeypatch)
    disk = written([23], entries(23))
    del disk.names["tile/1/000"]
    with pytest.raises(tree.TileError, match="tile/1/000"):
        tree.TileReader(FaultStore(disk), 23).subtree(2, 1)
    del disk.names["tile/entries/002"]
    with pytest.raises(tree.TileError, match="tile/entries/002"):
        tree.TileReader(FaultStore(disk), 23).entry(8)


# --- the folder


class Calls:
    """What the folder asked of the system, in order."""

    def __init__(self, monkeypatch):
        self.made = []
        fsync, replace = os.fsync, os.replace

        def recording_fsync(handle):
            self.made.append(("fsync", str(Path(f"/proc/self/fd/{handle}").readlink())))
            fsync(handle)

        def recording_replace(source, target, **more):
            self.made.append(("rename", str(source), str(target)))
            replace(source, target, **more)

        monkeypatch.setattr(os, "fsync", recording_fsync)
        monkeypatch.setattr(os, "replace", recording_replace)


def test_a_file_is_durable_before_it_has_its_name_and_its_name_after_sync(tmp_path, monkeypatch):
    calls = Calls(monkeypatch)
    store = FolderStore(tmp_path / "log" / "sakura")
    store.write("tile/0/000.p/3", b"abc")
    (kind, aside), renamed = calls.made
    assert kind == "fsync"
    assert renamed == ("rename", aside, str(tmp_path / "log/sakura/tile/0/000.p/3"))
    calls.made.clear()
    store.sync()
    folders = {path.removeprefix(str(tmp_path)) for _, path in calls.made}
    # Every folder that was made has its own name in a folder that has to be synced too.
    wanted = {"/log/sakura/tile/0/000.p", "/log/sakura/tile/0", "/log/sakura/tile", "/log/sakura", "/log", ""}
    assert folders == wanted
    calls.made.clear()
    store.sync()
    assert calls.made == []
    store.write("tile/0/000.p/4", b"abcd")
    calls.made.clear()
    store.sync()
    assert [path for _, path in calls.made] == [str(tmp_path / "log/sakura/tile/0/000.p")]


def test_a_folder_left_by_a_process_that_was_killed_is_made_durable(tmp_path, monkeypatch):
    (tmp_path / "log/sakura/tile/0").mkdir(parents=True)
    calls = Calls(monkeypatch)
    store = FolderStore(tmp_path / "log" / "sakura")
    store.write("tile/0/000", b"abc")
    store.sync()
    folders = {path for kind, path, *_ in calls.made if kind == "fsync"}
    assert {str(tmp_path / f"log/sakura{part}") for part in ("", "/tile", "/tile/0")} <= folders


def test_a_sync_that_failed_is_done_again(tmp_path, monkeypatch):
    store = FolderStore(tmp_path)
    store.write("checkpoint", b"abc")
    with monkeypatch.context() as patched:

        def refusing(_handle):
            raise OSError(5, "Input/output error")

        patched.setattr(os, "fsync", refusing)
        with pytest.raises(OSError, match="Input/output"):
            store.sync()
    calls = Calls(monkeypatch)
    store.sync()
    assert ("fsync", str(tmp_path)) in calls.made


def test_a_write_that_fails_leaves_what_was_there(tmp_path, monkeypatch):
    store = FolderStore(tmp_path)
    store.write("checkpoint", b"abc")

    def refusing(_handle):
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(os, "fsync", refusing)
    with pytest.raises(OSError, match="No space"):
        store.write("checkpoint", b"defg")
    assert store.read("checkpoint") == b"abc"
    assert [path.name for path in tmp_path.iterdir()] == ["checkpoint"]


def test_files_and_folders_are_for_their_owner_only(tmp_path):
    store = FolderStore(tmp_path / "log" / "sakura")
    store.write("tile/0/000", b"abc")
    for path in (tmp_path / "log").rglob("*"):
        assert path.stat().st_mode & 0o077 == 0, path
    assert store.read("tile/0") is None if os.name == "nt" else store.read("tile/0/000/x") is None
    assert store.siblings("tile/entries") == []


def test_removing_takes_the_emptied_folder_of_partial_tiles_along(tmp_path):
    store = FolderStore(tmp_path)
    store.write("tile/0/000.p/3", b"abc")
    store.write("tile/0/000.p/4", b"abc")
    store.remove("tile/0/000.p/3")
    assert store.siblings("tile/0/000.p") == ["4"]
    store.remove("tile/0/000.p/4")
    assert store.siblings("tile/0") == []
    store.remove("tile/0/000.p/4")
    store.sync()
