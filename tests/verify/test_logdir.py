"""The folder of a log: what holds is said, what does not is named."""

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
from cryptography import x509
from cryptography.hazmat.primitives import serialization
from hypothesis import given, settings
from hypothesis import strategies as st
from small_log import ORIGIN, SmallLog, again, event, folder_files, signer, stamp_files, witness, write

from kitei_verify import bundles, checkpoint, files, heads, logdir, note, policy, rebuild, stamps, tiles
from kitei_verify.errors import VerifyError
from trust.small_authority import SmallAuthority, der, integer, octets, oid, sequence, set_of

WITNESSES = [witness("w.hospital.example"), witness("w.parent.example")]


@pytest.fixture
def nine():
    return SmallLog.of(9)


def verify(folder, **kwargs):
    kwargs.setdefault("jobs", 1)
    return logdir.verify(folder, **kwargs)


def codes(result):
    return [fault.code for fault in result.faults]


def fault(result, code):
    """The one fault of this code; the log is wrong."""
    assert not result.ok
    found = [one for one in result.faults if one.code == code]
    assert found, result.faults
    with pytest.raises(VerifyError):
        result.require()
    return found[0]


def notices(result):
    return {notice.code for notice in result.notices}


def policy_of(log, *, quorum):
    lines = [f"log {log.key.key}", *(f"witness w{n} {one.key}" for n, one in enumerate(WITNESSES))]
    lines += [f"group all all {' '.join(f'w{n}' for n in range(len(WITNESSES)))}", f"quorum {quorum}", ""]
    return policy.parse("\n".join(lines).encode())


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


# --- what entries say


def test_an_entry_that_is_no_event_is_named_with_its_leaf(tmp_path):
    log = SmallLog.of(300)
    log.entries[270] = again(log.entries[270], colour="red")
    found = fault(verify(log.write(tmp_path)), "format")
    assert (found.where, found.index, found.what) == ("tile/entries/001.p/44", 270, "field 'colour' is not known")
    assert verify(tmp_path, hashes_only=True).require().contents_checked is False


def test_an_opening_left_by_a_generation_that_got_no_leaf_is_an_ordinary_entry(tmp_path):
    log = SmallLog.of(9)
    log.entries[5] = event(5, "log:open", data={"origin": "kitei/other/g2", "generation": 2})
    assert verify(log.write(tmp_path)).ok


def test_an_event_of_another_organization_is_a_fault(tmp_path):
    log = SmallLog.of(9)
    log.entries[5] = event(5, org="neighbour")
    assert fault(verify(log.write(tmp_path)), "format").index == 5


def test_the_log_is_opened_first_and_once(tmp_path):
    log = SmallLog.of(9)
    log.entries[5] = log.entries[0]
    assert fault(verify(log.write(tmp_path)), "open").index == 5
    log = SmallLog.of(9)
    log.entries[0] = event(0)
    shutil.rmtree(tmp_path)
    assert fault(verify(log.write(tmp_path)), "open").index == 0


@pytest.mark.parametrize(
    "data",
    [
        {"origin": None}, {"origin": 3}, {"generation": None}, {"generation": 0}, {"generation": True},
        {"generation": "1"}, {"vkey": None}, {"vkey": "x"}, {"generation": 2}, {"generation": 2, "continues": []},
        {"generation": 2, "continues": {"origin": 1, "size": 1, "root": "00" * 32}},
        {"generation": 2, "continues": {"origin": "o", "size": -1, "root": "00" * 32}},
        {"generation": 2, "continues": {"origin": "o", "size": True, "root": "00" * 32}},
        {"generation": 2, "continues": {"origin": "o", "size": 1, "root": 5}},
        {"generation": 2, "continues": {"origin": "o", "size": 1, "root": "zz"}},
        {"generation": 2, "continues": {"origin": "o", "size": 1, "root": "00"}},
        {"generation": 2, "continues": {"origin": "o", "size": 1, "root": "AA" * 32}},
    ],
)  # fmt: skip
def test_the_first_entry_says_which_log_this_is(tmp_path, data):
    log = SmallLog()
    log.open(**data)
    assert fault(verify(log.write(tmp_path)), "format").index in {0, None}


def test_a_log_opened_as_another_is_a_fault(tmp_path):
    log = SmallLog()
    log.open(origin="kitei/another")
    assert fault(verify(log.write(tmp_path)), "origin").where == "checkpoint"


def test_a_later_generation_names_what_it_continues(tmp_path):
    before = SmallLog.of(9).head()
    log = SmallLog(origin=f"{ORIGIN}/g2", key=signer("g2", f"{ORIGIN}/g2"))
    log.open(generation=2, continues={"origin": ORIGIN, "size": 9, "root": before.root.hex()})
    result = verify(log.write(tmp_path)).require()
    assert (result.generation, result.continues) == (2, before)
    assert result.to_json()["continues"] == {"origin": ORIGIN, "size": 9, "root": before.root.hex()}
    since = heads.parse_since(SmallLog.of(5).signed(), where="kept")
    assert "ended log" in fault(verify(tmp_path, since=[since]), "origin").what


def test_a_bundle_with_another_number_of_entries_is_a_fault(tmp_path, nine):
    write(nine.write(tmp_path), {"tile/entries/000.p/9": tiles.encode_bundle(nine.entries[:8])})
    assert fault(verify(tmp_path), "format").what == "holds 8 entries, not 9"


def test_a_log_that_is_not_kiteis(tmp_path):
    """No log.vkey, no log:open, lines of its own in the checkpoint: by its hashes, with a key from outside."""
    log = SmallLog(
        entries=[b"one", b'two "log:rotate-key"', b'{"name":"log:rotate-key"}', b'{"x":"log:rotate-key"}'],
        key=signer("x"),
    )
    all_files = log.files()
    del all_files["log.vkey"]
    head = log.head()
    extended = checkpoint.Checkpoint(head.origin, head.size, head.root, ("extension",))
    all_files["checkpoint"] = checkpoint.sign(extended, log.key)
    write(tmp_path, all_files)
    assert verify(tmp_path, hashes_only=True, keys=[log.key.key]).require().key_source == "outside"
    assert fault(verify(tmp_path, hashes_only=True), "missing").where == "log.vkey"
    assert fault(verify(tmp_path, hashes_only=True, keys=[signer("y").key]), "missing")
    assert fault(verify(tmp_path, keys=[log.key.key]), "format").what == "more lines than Kitei writes"


# --- checkpoint and key


def test_a_checkpoint_nobody_signed_is_a_fault(tmp_path, nine):
    write(nine.write(tmp_path), {"checkpoint": nine.signed(None, signer("other"))})
    assert fault(verify(tmp_path), "signature").what == "not signed by this log's key"


def test_a_key_file_that_is_none(tmp_path, nine):
    nine.write(tmp_path)
    for data in (b"", b"x\n", str(nine.key.key).encode(), f"{nine.key.key}\n\n".encode(), b"\xff\n"):
        (tmp_path / "log.vkey").write_bytes(data)
        assert fault(verify(tmp_path), "format").where == "log.vkey"
    (tmp_path / "log.vkey").write_bytes(f"{signer('other').key}\n".encode())
    assert fault(verify(tmp_path), "key").where == "log.vkey"


def test_the_keys_name_is_the_logs(tmp_path):
    log = SmallLog(key=signer("x", "another/name"))
    log.open()
    log.entries[0] = event(0, "log:open", data={"origin": ORIGIN, "generation": 1, "vkey": str(log.key.key)})
    assert fault(verify(log.write(tmp_path)), "key")


def test_signatures_of_unknown_keys_are_passed_over_and_that_is_said(tmp_path, nine):
    nine.write(tmp_path, cosigned=[(WITNESSES[0], 5)])
    result = verify(tmp_path, keys=[nine.key.key]).require()
    assert (notices(result), result.cosigned) == ({"unknown-signatures"}, [])
    assert "w.hospital.example" in result.notices[0].en


# --- witnesses


def test_witnesses_of_a_policy_are_counted(tmp_path, nine):
    nine.write(tmp_path, cosigned=[(WITNESSES[0], 1_795_000_000)])
    result = verify(tmp_path, policy=policy_of(nine, quorum="w0")).require()
    assert (result.quorum, result.key_source, result.notices) == (True, "outside", [])
    assert [(one.name, one.at.year) for one in result.cosigned] == [("w.hospital.example", 2026)]
    result = verify(tmp_path, policy=policy_of(nine, quorum="all"))
    assert (fault(result, "quorum").where, result.quorum) == ("checkpoint", False)
    assert verify(tmp_path, policy=policy_of(nine, quorum="none")).require().quorum is None
    nine.write(tmp_path, cosigned=[(one, 1_795_000_000) for one in WITNESSES])
    said = verify(tmp_path, policy=policy_of(nine, quorum="all")).require().to_json()
    assert said["cosigned"][0] == {"name": "w.hospital.example", "at": "2026-11-18T11:06:40+00:00"}


def test_a_cosignature_of_no_possible_time_is_a_fault(tmp_path, nine):
    nine.write(tmp_path, cosigned=[(WITNESSES[0], 2**63)])
    assert fault(verify(tmp_path, policy=policy_of(nine, quorum="w0")), "signature").what.endswith("no possible time")


def test_a_wrong_cosignature_of_a_known_witness_is_a_fault(tmp_path, nine):
    nine.write(tmp_path, cosigned=[(WITNESSES[0], 5)])
    line = WITNESSES[0].sign("other text\n", at=5).line()
    write(tmp_path, {"checkpoint": nine.signed() + line.encode()})
    assert fault(verify(tmp_path, policy=policy_of(nine, quorum="none")), "signature")


# --- heads kept outside


def since(log, size, *signers):
    return heads.parse_since(log.signed(size, *signers), where="kept")


def test_an_earlier_head_is_extended(tmp_path):
    log = SmallLog.of(700)
    log.write(tmp_path)
    kept = [since(log, size) for size in (0, 1, 5, 255, 256, 257, 511, 512, 513, 699, 700)]
    result = verify(tmp_path, keys=[log.key.key], since=kept).require()
    assert [head.size for head in result.since] == [one.head.size for one in kept]


def test_a_rewritten_log_does_not_extend_an_earlier_head(tmp_path, nine):
    other = SmallLog.of(12)
    other.entries[3] = event(99)
    other.write(tmp_path)
    verify(tmp_path, since=[since(nine, 3)]).require()
    found = fault(verify(tmp_path, since=[since(nine, 9)]), "root")
    assert (found.where, nine.head().root.hex() in found.what) == ("kept", True)


def test_a_log_that_was_put_back_does_not_reach_a_later_head(tmp_path, nine):
    nine.write(tmp_path)
    found = fault(verify(tmp_path, since=[since(SmallLog.of(12), None)]), "beyond")
    assert found.what == "a head of 12 entries; this log has 9: entries are gone"


def test_a_head_kept_outside_is_of_this_log_and_signed_by_it(tmp_path, nine):
    nine.write(tmp_path)
    found = fault(verify(tmp_path, since=[since(nine, 5, signer("other"))]), "signature")
    assert (found.where, found.what) == ("kept", "not signed by this log")
    changed = note.Note(nine.head(5).text(), (nine.key.sign("other\n"),)).encode()
    assert fault(verify(tmp_path, since=[heads.parse_since(changed, where="kept")]), "signature")
    other = SmallLog.of(5, origin="other", key=signer("o", "other"))
    assert fault(verify(tmp_path, since=[since(other, 5)]), "origin").what == "a head of other"


def test_a_head_may_be_kept_as_two_numbers(tmp_path, nine):
    nine.write(tmp_path)
    root = nine.head(5).root
    for text in (f"5:{root.hex()}", f"5:{note.encode64(root)}\n"):
        verify(tmp_path, since=[heads.parse_since(text.encode(), where="--since")]).require()
    assert fault(verify(tmp_path, since=[heads.parse_since(f"6:{root.hex()}".encode(), where="x")]), "root")
    for text in (
        b"5",
        b"05:" + b"0" * 64,
        b"5:" + b"A" * 43 + b"B",
        b"\xff",
        b"5:" + b"0" * 63,
        b"5:" + b"A" * 42 + b"B=",
    ):
        with pytest.raises(VerifyError):
            heads.parse_since(text, where="x")


# --- changes of the key


@pytest.fixture
def rotated():
    log = SmallLog.of(5)
    log.rotate(signer("second"))
    log.entries += [event(number) for number in range(6, 300)]
    log.rotate(signer("third"))
    log.entries += [event(number) for number in range(301, 310)]
    return log


@pytest.mark.parametrize(("name", "source"), [("first", "handover"), ("second", "handover"), ("third", "outside")])
def test_an_older_key_leads_to_the_present_one(tmp_path, rotated, name, source):
    rotated.write(tmp_path)
    result = verify(tmp_path, keys=[signer(name).key]).require()
    assert (result.key_source, result.key, result.handovers) == (source, signer("third").key, 2)
    assert result.keys == [signer(one).key for one in ("first", "second", "third")]
    verify(tmp_path, keys=[signer(name).key], hashes_only=True).require()


def test_an_earlier_head_signed_by_an_earlier_key_is_extended(tmp_path, rotated):
    rotated.write(tmp_path)
    for size, name in ((4, "first"), (200, "second"), (305, "third")):
        verify(tmp_path, keys=[signer("first").key], since=[since(rotated, size, signer(name))]).require()
    assert fault(verify(tmp_path, since=[since(rotated, 4, signer("nobody"))]), "signature")


def test_a_handover_is_signed_by_both(tmp_path, rotated):
    size = checkpoint.parse(rotated.handovers[0], where="h")[0].size
    for signers in ([signer("first")], [signer("second")], [signer("first"), signer("other")], [signer("other")]):
        write(rotated.write(tmp_path), {"handover/0001": rotated.signed(size, *signers)})
        assert fault(verify(tmp_path), "handover").where == "handover/0001"
    broken = note.Note(rotated.head(size).text(), (signer("first").sign("x\n"), signer("second").sign("x\n"))).encode()
    write(tmp_path, {"handover/0001": broken})
    assert fault(verify(tmp_path), "handover")


def test_a_handover_holds_the_event_that_names_the_new_key(tmp_path, rotated):
    early = rotated.signed(4, signer("first"), signer("second"))
    write(rotated.write(tmp_path), {"handover/0001": early})
    assert fault(verify(tmp_path), "handover").where == "handover/0001"


def test_a_handover_is_a_head_of_this_log(tmp_path, rotated):
    other = SmallLog.of(5)
    other.entries[2] = event(99)
    other.rotate(signer("second"))
    write(rotated.write(tmp_path), {"handover/0001": other.handovers[0]})
    assert fault(verify(tmp_path), "root").where == "handover/0001"
    foreign = SmallLog.of(5, origin="o", key=signer("o", "o"))
    write(tmp_path, {"handover/0001": foreign.signed()})
    assert fault(verify(tmp_path), "origin").where == "handover/0001"


def test_handovers_are_numbered_without_a_gap(tmp_path, rotated):
    rotated.write(tmp_path)
    (tmp_path / "handover/0001").rename(tmp_path / "handover/0003")
    assert fault(verify(tmp_path), "format").what == "not the expected name 0001"
    (tmp_path / "handover/0003").unlink()
    (tmp_path / "handover/0002").rename(tmp_path / "handover/0001")
    assert fault(verify(tmp_path), "handover")


def test_the_folders_key_is_the_last_of_the_chain(tmp_path, rotated):
    write(rotated.write(tmp_path), {"log.vkey": f"{signer('second').key}\n".encode()})
    assert fault(verify(tmp_path), "key").where == "log.vkey"
    # The old key, stolen after it was changed, signs no more.
    write(rotated.write(tmp_path), {"checkpoint": rotated.signed(None, signer("first"))})
    assert fault(verify(tmp_path, keys=[signer("first").key]), "signature").where == "checkpoint"


def test_events_about_keys_that_make_no_sense_lead_nowhere(tmp_path):
    log = SmallLog.of(3)
    for data in (
        None,
        {"new": 1, "old": "x"},
        {"new": "x", "old": 1},
        {"new": "x" * 999, "old": "y" * 999},
        {"new": "a", "old": "b"},
    ):
        log.entries.append(event(len(log.entries), "log:rotate-key", data=data))
    same = str(log.key.key)
    log.entries.append(event(8, "log:rotate-key", data={"new": same, "old": same}))
    verify(log.write(tmp_path)).require()
    write(tmp_path, {"handover/0001": log.signed(None, log.key)})
    for hashes_only in (False, True):
        assert fault(verify(tmp_path, hashes_only=hashes_only), "handover").where == "handover/0001"


def test_a_change_of_the_key_that_is_not_finished_is_no_fault(tmp_path):
    """Killed between the steps: the handover stands, then the new log.vkey, and the checkpoint is still the old one."""
    log = SmallLog.of(5)
    before = log.files()
    log.rotate(signer("second"))
    steps = log.files()
    ahead = {path: data for path, data in steps.items() if path.startswith("tile/")}
    write(tmp_path, before | ahead | {"handover/0001": steps["handover/0001"]})
    result = verify(tmp_path, keys=[signer("first").key]).require()
    assert (notices(result), result.key_source, result.size) == ({"ahead", "handover"}, "outside", 5)
    write(tmp_path, {"log.vkey": steps["log.vkey"]})
    verify(tmp_path, keys=[signer("first").key]).require()
    write(tmp_path, {"log.vkey": f"{signer('third').key}\n".encode()})
    assert fault(verify(tmp_path), "key")
    write(tmp_path, {"log.vkey": steps["log.vkey"], "handover/0002": steps["handover/0001"]})
    assert not verify(tmp_path).ok


# --- time stamps


@pytest.fixture(scope="module")
def authority():
    return SmallAuthority()


def roots_of(authority):
    return x509.load_pem_x509_certificates(authority.root)


def test_time_stamps_are_verified_to_the_authority(tmp_path, rotated, authority):
    rotated.write(tmp_path)
    log = SmallLog(entries=rotated.entries)
    write(tmp_path, stamp_files(log, authority, 4) | stamp_files(log, authority, 256))
    result = verify(tmp_path, tsa_roots=roots_of(authority)).require()
    assert [(one.size, one.checked, one.authority) for one in result.stamps] == [
        (256, True, "CN=Small TSA"),
        (4, True, "CN=Small TSA"),
    ]
    assert result.to_json()["stamps"][0]["at"] == "2026-11-22T03:00:00+00:00"
    result = verify(tmp_path).require()
    assert ("no-authority" in notices(result), result.stamps[0].checked) == (True, False)
    found = fault(verify(tmp_path, tsa_roots=roots_of(SmallAuthority())), "stamp")
    assert found.where == "stamp/256.tsr"


def test_a_time_stamp_is_over_this_head(tmp_path, nine, authority):
    made = stamp_files(nine, authority, 5)
    write(nine.write(tmp_path), made | {"stamp/5.tsr": stamp_files(nine, authority, 6)["stamp/6.tsr"]})
    assert fault(verify(tmp_path), "stamp").where == "stamp/5.tsr"
    refused = SmallAuthority()
    refused.answer.status = 2
    for response in (
        b"",
        b"0",
        b"\x30\x00",
        made["stamp/5.tsr"][:-1],
        made["stamp/5.tsr"] + b"\0",
        refused.stamp(b""),
    ):
        write(tmp_path, made | {"stamp/5.tsr": response})
        assert fault(verify(tmp_path), "format").where == "stamp/5.tsr"


def test_a_stamped_head_is_a_head_of_this_log(tmp_path, nine, authority):
    nine.write(tmp_path)
    other = SmallLog.of(9)
    other.entries[2] = event(77)
    for name, made, code in (
        ("5", stamp_files(other, authority, 5), "root"),
        ("6", stamp_files(nine, authority, 5), "format"),
        ("12", stamp_files(SmallLog.of(12), authority, 12), "beyond"),
        ("5", stamp_files(SmallLog.of(9, key=signer("other")), authority, 5), "root"),
        ("5", stamp_files(SmallLog(entries=nine.entries, key=signer("other")), authority, 5), "signature"),
        ("5", stamp_files(SmallLog(entries=nine.entries, origin="o"), authority, 5), "origin"),
    ):
        pair = list(made.values())
        write(tmp_path, {f"stamp/{name}.note": pair[0], f"stamp/{name}.tsr": pair[1]})
        assert fault(verify(tmp_path), code).where == f"stamp/{name}.note"
        shutil.rmtree(tmp_path / "stamp")


def operated(response, *, certificates=True, signers=1, version=3, signer_version=1, algorithm=None):
    """Return a time stamp response with another outside: nothing of this is signed."""
    status, token = stamps._parts(response)
    kind, wrapped = stamps._parts(token)
    _, digests, content, held, signer_set = stamps._parts(stamps._parts(wrapped)[0])
    signer = stamps._parts(stamps._parts(signer_set)[0])
    signer[0] = integer(signer_version)
    signer[4] = algorithm or signer[4]
    kept = [held] if certificates is True else [der(0xA0, *certificates)] if certificates else []
    signed = [
        integer(version),
        digests,
        content,
        *kept,
        set_of(*[sequence(*signer)] * signers),
    ]
    return sequence(status, sequence(kind, der(0xA0, sequence(*signed))))


def test_what_a_time_stamp_does_not_sign_may_not_vary_either(tmp_path, nine, authority):
    files_ = stamp_files(nine, authority, 5)
    write(nine.write(tmp_path), files_)
    right = files_["stamp/5.tsr"]
    assert operated(right) == right
    sha384 = sequence(oid("1.2.840.10045.4.3.3"))
    for changed in (
        operated(right, signers=0),
        operated(right, version=1),
        operated(right, signer_version=3),
        operated(right, algorithm=sha384),
        operated(right, algorithm=sequence(oid("1.3.101.112"))),
    ):
        write(tmp_path, {"stamp/5.tsr": changed})
        assert fault(verify(tmp_path), "format").where == "stamp/5.tsr"
    others = [one.public_bytes(serialization.Encoding.DER) for one in roots_of(authority)]
    for certificates in ([], others):
        write(tmp_path, {"stamp/5.tsr": operated(right, certificates=certificates)})
        assert [one.authority for one in verify(tmp_path).require().stamps] == ["CN=Small Root"]
        assert fault(verify(tmp_path, tsa_roots=roots_of(authority)), "stamp")


@pytest.mark.parametrize(
    "data", [b"", b"\x30", b"\x30\x01", b"\x30\x00\x00", b"\x30\x82\x01", b"\x30\x84\xff\xff\xff\xff"]
)
def test_der_that_is_none(data):
    with pytest.raises(ValueError, match="DER"):
        stamps._body(data)
    if data != b"\x30\x00\x00":  # which is one value, and the first byte of another
        with pytest.raises(ValueError, match="DER"):
            stamps._parts(der(0x30, data or b"\x00"))


def test_long_and_short_lengths_of_der():
    assert stamps._body(b"\x04\x81\x80" + bytes(128)) == bytes(128)
    assert stamps._parts(sequence(octets(b"a"), octets(bytes(300)))) == [octets(b"a"), octets(bytes(300))]
    assert stamps._parts(sequence()) == []


def test_half_a_time_stamp_is_a_fault(tmp_path, nine, authority):
    made = stamp_files(nine, authority, 5)
    for path in made:
        write(nine.write(tmp_path), {path: made[path]})
        assert fault(verify(tmp_path), "missing").where == next(other for other in made if other != path)
        shutil.rmtree(tmp_path / "stamp")


def test_without_the_package_time_stamps_are_not_checked_and_that_is_said(tmp_path, nine, authority, monkeypatch):
    write(nine.write(tmp_path), stamp_files(nine, authority, 5) | stamp_files(nine, authority, 6))
    monkeypatch.setitem(sys.modules, "rfc3161_client", None)
    result = verify(tmp_path).require()
    assert ([n.code for n in result.notices].count("no-rfc3161"), result.stamps) == (1, [])


def test_a_stamped_head_that_changes_meanwhile_is_a_fault(tmp_path, nine, authority, monkeypatch):
    write(nine.write(tmp_path), stamp_files(nine, authority, 5))
    other = SmallLog.of(9)
    other.entries[2] = event(77)
    real = rebuild.rebuild

    def change(*args, **kwargs):
        write(tmp_path, {"stamp/5.note": other.signed(5)})
        return real(*args, **kwargs)

    monkeypatch.setattr(rebuild, "rebuild", change)
    assert fault(verify(tmp_path), "root").where == "stamp/5.note"


def test_many_wrong_time_stamps_end_at_twenty_faults(tmp_path, authority):
    log = SmallLog.of(40)
    made = stamp_files(log, authority, 5)["stamp/5.tsr"]
    files_ = {f"stamp/{n}.note": log.signed(n) for n in range(1, 40)} | {f"stamp/{n}.tsr": made for n in range(1, 40)}
    write(log.write(tmp_path), files_)
    assert codes(verify(tmp_path)) == ["stamp"] * bundles.MAX_FAULTS


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
