"""The folder of a log: what holds is said, what does not is named."""

from __future__ import annotations

import shutil

import pytest
from logdir_asking import codes, fault, notices, since, verify
from small_log import ORIGIN, SmallLog, event, signer, write

from kitei_verify import files, tiles

# --- what holds


@pytest.mark.parametrize("count", [0, 1, 2, 9, 255, 256, 257, 300, 512, 700])
def test_a_log_of_any_size_holds(tmp_path, count):
    log = SmallLog.of(count)
    result = verify(log.write(tmp_path), keys=[log.key.key]).require()
    head = log.head()
    assert (result.size, result.root, result.origin) == (count, head.root, ORIGIN)
    assert (result.key_source, result.key, result.notices) == ("outside", log.key.key, [])
    assert (result.ahead, result.contents_checked, result.generation, result.handovers) == (0, True, 1, 0)
    assert result.checkpoint == log.signed()


@pytest.fixture
def narrow(monkeypatch):
    """Tiles of four: a few entries make many levels."""
    monkeypatch.setattr(tiles, "WIDTH", 4)
    monkeypatch.setattr(tiles, "HEIGHT", 2)
    monkeypatch.setattr(tiles.tile_path, "__defaults__", (4,))


@pytest.mark.parametrize("count", [15, 16, 17, 64, 65, 70])
def test_tiles_of_many_levels(tmp_path, narrow, count):
    log = SmallLog.of(count)
    files_ = log.files()
    kept = [since(log, size) for size in range(count + 1)]
    assert len(verify(log.write(tmp_path), since=kept).require().since) == count + 1
    for path in [path for path in files_ if not path.startswith("tile/entries")]:
        (tmp_path / path).write_bytes(bytes(len(files_[path])))
        assert path in {one.where for one in verify(tmp_path).faults}
        (tmp_path / path).unlink()
        assert path in {one.where for one in verify(tmp_path).faults}
        (tmp_path / path).write_bytes(files_[path])
    ahead = SmallLog.of(count + 60)
    write(tmp_path, {path: data for path, data in ahead.files().items() if path.startswith("tile/")})
    assert verify(tmp_path).require().ahead == 60


@pytest.mark.long
def test_seventy_thousand_entries_have_three_levels_of_tiles(tmp_path):
    log = SmallLog.of(2)
    log.entries += [log.entries[1]] * 69_998
    write(tmp_path, log.files())
    assert verify(tmp_path, keys=[log.key.key]).require().size == 70_000
    assert verify(tmp_path, keys=[log.key.key], jobs=2, hashes_only=True).require().root == log.head().root
    last = tmp_path / "tile/2/000.p/1"
    last.write_bytes(bytes(32))
    assert fault(verify(tmp_path, hashes_only=True, jobs=2), "tile").where == "tile/2/000.p/1"


def test_without_a_key_from_outside_it_says_so(tmp_path, nine):
    result = verify(nine.write(tmp_path)).require()
    assert (result.key_source, notices(result)) == ("folder", {"folder-key"})


def test_a_key_of_somebody_else_is_a_fault(tmp_path, nine):
    result = verify(nine.write(tmp_path), keys=[signer("other").key])
    assert fault(result, "key").where == "log.vkey"
    both = verify(tmp_path, keys=[signer("other").key, nine.key.key])
    assert both.require().key_source == "outside"


def test_a_forger_with_a_key_of_his_own_is_found(tmp_path, nine):
    forger = SmallLog.of(9, key=signer("forger"))
    assert fault(verify(forger.write(tmp_path), keys=[nine.key.key]), "key")


def test_the_result_has_a_form_for_programs(tmp_path, nine):
    said = verify(nine.write(tmp_path)).to_json()
    assert (said["ok"], said["size"], said["root"], said["key"]) == (True, 9, nine.head().root.hex(), str(nine.key.key))
    assert said["notices"][0]["code"] == "folder-key"
    (tmp_path / "checkpoint").unlink()
    said = verify(tmp_path).to_json()
    assert (said["ok"], said["faults"][0]["code"], said["key"]) == (False, "missing", None)


# --- files


def test_every_file_that_is_taken_away_is_missed(tmp_path):
    log = SmallLog.of(300)
    log.rotate(signer("second"))
    everything = log.files()
    for path in everything:
        shutil.rmtree(tmp_path)
        write(tmp_path, {name: data for name, data in everything.items() if name != path})
        assert codes(verify(tmp_path)), path


def test_every_file_that_is_cut_short_emptied_or_longer_is_named(tmp_path):
    log = SmallLog.of(300)
    log.rotate(signer("second"))
    write(tmp_path, log.files())
    for path, data in log.files().items():
        for changed in (data[:-1], b"", data[: len(data) // 2], data + b"\0", data + b"\n", data * 2):
            (tmp_path / path).write_bytes(changed)
            result = verify(tmp_path)
            assert path in {one.where for one in result.faults}, (path, result.faults)
        (tmp_path / path).write_bytes(data)
    verify(tmp_path).require()


def test_every_file_under_another_name_is_found(tmp_path):
    log = SmallLog.of(300)
    log.rotate(signer("second"))
    write(tmp_path, log.files())
    for path in log.files():
        for name in (f"{path}.bak", f"{path}x"):
            (tmp_path / path).rename(tmp_path / name)
            result = verify(tmp_path)
            assert not result.ok
            (tmp_path / name).rename(tmp_path / path)


@pytest.mark.parametrize(
    "path",
    [
        "checkpoint.old", "notes.txt", "tile/0/001", "tile/0/000.p/10", "tile/0/000.p/256", "tile/entries/000",
        "tile/entries/000.p/x", "tile/1/000.p/1", "tile/9/000", "tile/0/x000/000", "handover/1", "handover/00001",
        "stamp/9.txt", "stamp/09.note", "keys/sakura.skey", "tile/entries/x001/000",
    ],
)  # fmt: skip
def test_a_file_that_belongs_to_no_log_is_named(tmp_path, nine, path):
    write(nine.write(tmp_path), {path: b"x"})
    result = verify(tmp_path)
    if path == "tile/entries/000":  # reads as entries ahead of the checkpoint, and is none
        assert fault(result, "format").where == path
    else:
        assert fault(result, "unknown").where == path


def test_unfinished_files_are_not_looked_at_and_that_is_said(tmp_path, nine):
    write(nine.write(tmp_path), {".checkpoint.12.tmp": b"x", "tile/0/.000.5.tmp": b"", ".lock": b"", ".x/y": b""})
    result = verify(tmp_path).require()
    assert next(notice.en for notice in result.notices if notice.code == "ignored").startswith("3 unfinished")
    for name in (".checkpoint.12.tmp", "tile/0/.000.5.tmp", ".x/y"):
        (tmp_path / name).unlink()
    assert "ignored" not in notices(verify(tmp_path))


def test_partial_tiles_of_earlier_heads_have_to_be_beginnings(tmp_path, nine):
    early = {path: data for path, data in SmallLog.of(5).files().items() if path.startswith("tile/")}
    write(nine.write(tmp_path), early)
    verify(tmp_path).require()
    for path, data in early.items():
        (tmp_path / path).write_bytes(data[:-1] + b"?")
        assert fault(verify(tmp_path), "tile").where == path
        (tmp_path / path).write_bytes(data)


def test_a_wrong_tile_says_which_element(tmp_path, nine):
    nine.write(tmp_path)
    data = bytearray((tmp_path / "tile/0/000.p/9").read_bytes())
    data[32 * 6 + 3] ^= 1
    (tmp_path / "tile/0/000.p/9").write_bytes(data)
    found = fault(verify(tmp_path), "tile")
    assert (found.index, found.what) == (6, "element 6 is not what the entries give")


def test_a_partial_tile_may_go_once_the_full_one_stands(tmp_path):
    """A tree of 300, of which the checkpoint covers 200: the full tile of 256 serves for it (c2sp.org/tlog-tiles)."""
    log = SmallLog.of(300)
    write(tmp_path, log.files())
    (tmp_path / "checkpoint").write_bytes(log.signed(200))
    result = verify(tmp_path).require()
    assert (result.size, result.ahead, notices(result)) == (200, 100, {"ahead", "folder-key"})


def test_a_tile_that_goes_while_it_is_read_is_no_fault(tmp_path, monkeypatch):
    log = SmallLog.of(300)
    write(log.write(tmp_path), {"tile/0/000.p/7": log.files()["tile/0/000"][: 7 * 32]})
    real = files.read
    monkeypatch.setattr(
        files, "read", lambda root, where, limit: None if where.endswith(".p/7") else real(root, where, limit)
    )
    verify(tmp_path).require()


# --- ahead of the checkpoint: written and not yet signed for


def test_entries_ahead_of_the_checkpoint_are_told_apart(tmp_path):
    log = SmallLog.of(12)
    write(tmp_path, SmallLog.of(9).files() | {p: d for p, d in log.files().items() if p.startswith("tile/entries")})
    result = verify(tmp_path).require()
    assert (result.size, result.ahead) == (9, 3)
    write(tmp_path, {p: d for p, d in log.files().items() if p.startswith("tile/")})
    assert verify(tmp_path).require().ahead == 3


@pytest.mark.parametrize("count", [10, 255, 256, 257, 600])
def test_entries_ahead_may_fill_bundles(tmp_path, count):
    log = SmallLog.of(count)
    tile_files = {p: d for p, d in log.files().items() if p.startswith("tile/")}
    write(tmp_path, SmallLog.of(9).files() | tile_files)
    assert verify(tmp_path).require().ahead == count - 9
    (tmp_path / "tile/0/000.p/9").unlink()
    if count < 256:
        assert fault(verify(tmp_path), "missing").where == "tile/0/000.p/9"
    else:
        verify(tmp_path).require()


def test_entries_ahead_that_contradict_the_checkpoint_are_a_fault(tmp_path):
    other = SmallLog.of(12)
    other.entries[4] = event(77)
    write(tmp_path, SmallLog.of(9).files() | {p: d for p, d in other.files().items() if p.startswith("tile/")})
    result = verify(tmp_path)
    assert {"tile", "root"} <= set(codes(result))
    assert fault(result, "tile").where == "tile/entries/000.p/9"
