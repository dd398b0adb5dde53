"""Offline proofs: one file shows one entry, and nothing else may be made of it."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st
from small_log import ORIGIN, SmallLog, event, signer, witness
from test_formats import mutated

from kitei_verify import canonical, merkle, note, policy, proof
from kitei_verify.errors import FormatError, VerifyError

SALT = bytes(range(32))
WITNESS = witness("w.example")


def opened_log():
    log = SmallLog.of(7)
    commitments = {name: canonical.commit(name, value, SALT)[1] for name, value in OPENINGS.items()}
    log.entries.append(event(7, commitments=commitments))
    log.entries += [event(number) for number in range(8, 13)]
    return log


OPENINGS = {"reason": "緊急のため", "file_name": "規程.docx"}
LOG = opened_log()
KEY = LOG.key.key
OPENED = LOG.proof(7, openings={"reason": (SALT, OPENINGS["reason"])})


def verify(data, **kwargs):
    kwargs.setdefault("keys", [KEY])
    return proof.verify(proof.parse(data, where="p"), where="p", **kwargs)


def wrong(code, data, **kwargs):
    with pytest.raises(VerifyError) as caught:
        verify(data, **kwargs)
    assert (caught.value.code, caught.value.where) == (code, "p")
    return caught.value


def changed(data, **fields):
    """Return a proof with other parts."""
    read = proof.parse(data)
    return proof.Proof(**{**vars(read), **fields}).encode()


@pytest.mark.parametrize("count", [1, 2, 9, 257])
def test_every_entry_of_a_log_has_a_proof(count):
    log = SmallLog.of(count)
    for index in {0, count // 2, count - 1}:
        data = log.proof(index)
        found = verify(data)
        assert (found.entry, found.index, found.head) == (log.entries[index], index, log.head())
        assert proof.parse(data).encode() == data
        assert found.event["v"] == 1


def test_a_proof_looks_as_the_specification_says():
    lines = LOG.proof(0).decode().split("\n")
    assert lines[0] == "c2sp.org/tlog-proof@v1"
    assert lines[1].startswith("extra ")
    assert lines[2] == "index 0"
    assert lines[7:9] == ["", ORIGIN]


def test_values_are_disclosed_one_by_one():
    found = verify(OPENED)
    assert found.disclosed == {"reason": "緊急のため"}
    assert set(found.event["commitments"]) == {"reason", "file_name"}
    both = LOG.proof(7, openings={name: (SALT, value) for name, value in OPENINGS.items()})
    assert verify(both).disclosed == OPENINGS
    assert verify(LOG.proof(7)).disclosed == {}


@pytest.mark.parametrize(
    "openings",
    [
        {"reason": (SALT, "別の理由")},
        {"reason": (bytes(32), "緊急のため")},
        {"file_name": (SALT, "緊急のため")},
        {"other": (SALT, "緊急のため")},
    ],
)
def test_a_value_that_was_not_recorded_is_refused(openings):
    wrong("opening", LOG.proof(7, openings=openings))
    assert "opening" in str(wrong("opening", LOG.proof(3, openings=openings)).code)


@pytest.mark.parametrize(
    "extra",
    [
        b"", b"x", b"[]", b"{}", b'{"entry":1}', b'{"entry":"x","more":1}', b'{"entry":"x","openings":[]}',
        b'{"entry":"x","openings":{}}', b'{"openings":{"a":1}}', b'{"entry": "x"}',
    ],
)  # fmt: skip
def test_an_extra_line_of_another_form_is_refused(extra):
    wrong("format", changed(OPENED, extra=extra))


@pytest.mark.parametrize(
    "said",
    [
        1, {}, {"salt": "ab" * 32}, {"salt": "ab" * 32, "value": 1}, {"salt": 1, "value": "x"},
        {"salt": "ab" * 31, "value": "x"}, {"salt": "AB" * 32, "value": "x"}, {"salt": "ab" * 32, "value": "x", "y": "z"},
    ],
)  # fmt: skip
def test_an_opening_of_another_form_is_refused(said):
    extra = canonical.encode({"entry": LOG.entries[7].decode(), "openings": {"reason": said}})
    wrong("format", changed(OPENED, extra=extra))


def test_a_proof_without_the_entry_shows_nothing():
    assert "does not hold the entry" in wrong("format", changed(OPENED, extra=None)).what


def test_another_entry_place_path_or_head_is_refused():
    read = proof.parse(OPENED)
    wrong("inclusion", changed(OPENED, extra=proof.make_extra(LOG.entries[6])))
    wrong("inclusion", changed(OPENED, index=6))
    wrong("inclusion", changed(OPENED, index=13))
    wrong("inclusion", changed(OPENED, hashes=read.hashes[1:]))
    wrong("inclusion", changed(OPENED, hashes=(*read.hashes, bytes(32))))
    wrong("inclusion", changed(OPENED, hashes=(bytes(32), *read.hashes[1:])))
    wrong("inclusion", changed(OPENED, checkpoint=LOG.signed(12)))


def test_an_entry_that_is_no_event_is_refused():
    log = SmallLog(entries=[b'{"x":1}'])
    assert "not known" in wrong("format", log.proof(0)).what


def test_the_head_is_signed_by_a_key_given():
    wrong("key", OPENED, keys=[])
    wrong("key", OPENED, keys=[signer("other").key])
    wrong("key", OPENED, keys=[witness(ORIGIN).key])
    wrong("key", OPENED, keys=[note.VerifierKey("other", note.ED25519, KEY.public)])
    assert verify(OPENED, keys=[signer("other").key, KEY]).key == KEY
    forged = note.Note(LOG.head().text(), (LOG.key.sign("other\n"),)).encode()
    wrong("signature", changed(OPENED, checkpoint=forged))


def test_a_policy_gives_keys_and_a_quorum():
    trust = policy.parse(f"log {KEY}\nwitness w {WITNESS.key}\nquorum w\n".encode())
    wrong("quorum", OPENED, keys=[], policy=trust)
    data = LOG.proof(7, cosigned=[(WITNESS, 1_795_000_000)])
    found = verify(data, keys=[], policy=trust)
    assert [(name, at.year) for name, at in found.cosigned.items()] == [("w.example", 2026)]


@pytest.mark.parametrize(
    ("old", "new", "what"),
    [
        (b"@v1", b"@v2", "does not begin with"),
        (b"c2sp", b"\xffsp", "not a proof"),
        (b"index 7", b"index 07", "no index line"),
        (b"index 7", b"index -7", "no index line"),
        (b"index 7", b"index  7", "no index line"),
        (b"index 7", b"Index 7", "no index line"),
        (b"index 7\n", b"", "no index line"),
        (b"index 7\n", b"index 7\nAAAA\n", "wrong length"),
        (b"index 7\n", b"index 7\n*\n", "base64"),
        (b"index 7\n", b"index 7\n\n", "not a signed note|three lines|size or root"),
        (b"extra ", b"extra  ", "base64"),
        (b"\n\nkitei", b"\nkitei", "base64"),
        (b"\n\nkitei", b"\n\nother", "size or root|signed"),
        (b"\n", b"\r\n", "not a proof"),
    ],
)
def test_another_form_is_refused(old, new, what):
    data = OPENED.replace(old, new) if old == b"\n" else OPENED.replace(old, new, 1)
    assert data != OPENED
    if b"other" in new:
        wrong("key", data)
        return
    with pytest.raises(FormatError, match=what):
        proof.parse(data)


def test_the_header_alone_is_no_proof():
    for data in (
        b"",
        b"c2sp.org/tlog-proof@v1",
        b"c2sp.org/tlog-proof@v1\nextra AA==",
        b"c2sp.org/tlog-proof@v1\nindex 0\n\n",
    ):
        with pytest.raises(FormatError):
            proof.parse(data)


def test_no_more_than_sixty_three_hashes_and_a_million_bytes():
    most = changed(OPENED, hashes=(bytes(32),) * merkle.MAX_PROOF)
    wrong("inclusion", most)
    with pytest.raises(FormatError, match="too many hashes"):
        proof.parse(changed(OPENED, hashes=(bytes(32),) * 64))
    assert (proof.MAX_BYTES, proof.MAX_EXTRA) == (1_000_000, 700_000)
    with pytest.raises(FormatError, match="proof: longer than 1000000 bytes"):
        proof.parse(b"x" * (proof.MAX_BYTES + 1))
    with pytest.raises(FormatError, match="proof: does not begin"):
        proof.parse(b"x" * proof.MAX_BYTES)
    with pytest.raises(VerifyError) as caught:
        proof.verify(proof.parse(OPENED), keys=[])
    assert caught.value.where == "proof"


def test_the_largest_entry_and_opening_fit():
    value = "漢" * 100_000
    _, digest = canonical.commit("reason", value, SALT)
    log = SmallLog.of(1)
    log.entries.append(event(1, data={"x": "a" * 15_000, "y": '"' * 400}, commitments={"reason": digest}))
    data = log.proof(1, openings={"reason": (SALT, value)})
    assert verify(data).disclosed == {"reason": value}
    with pytest.raises(canonical.NotCanonicalError):
        proof.make_extra(b"x" * proof.MAX_EXTRA)


@given(st.binary(max_size=100) | mutated([OPENED, LOG.proof(0), changed(OPENED, extra=None)]))
def test_a_proof_is_refused_or_has_its_one_form(data):
    try:
        read = proof.parse(data)
    except FormatError:
        return
    assert read.encode() == data
    try:
        found = proof.verify(read, keys=[KEY])
    except VerifyError:
        return
    assert found.entry == LOG.entries[found.index]


def test_a_flipped_bit_is_found():
    for bit in range(0, len(OPENED) * 8, 7):
        data = bytearray(OPENED)
        data[bit // 8] ^= 1 << bit % 8
        with pytest.raises(VerifyError):
            verify(bytes(data))


def test_base64_of_the_extra_line_has_one_form():
    data = changed(OPENED, extra=b"1234")
    assert b"extra MTIzNA==\n" in data
    with pytest.raises(FormatError, match="base64"):
        proof.parse(data.replace(b"MTIzNA==", b"MTIzNB=="))
