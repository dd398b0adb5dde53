"""The folder of a log: what entries say, checkpoints, witnesses, heads kept outside, changes of the key."""

from __future__ import annotations

import shutil

import pytest
from logdir_asking import WITNESSES, fault, notices, policy_of, since, verify
from small_log import ORIGIN, SmallLog, again, event, signer, write

from kitei_verify import checkpoint, heads, note, tiles
from kitei_verify.errors import VerifyError

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
