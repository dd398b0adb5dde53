"""Keys, notes, checkpoints, tiles: each has one form, and nothing else is read."""

from __future__ import annotations

import base64
import contextlib
import pickle
import string

import pytest
from hypothesis import given
from hypothesis import strategies as st
from small_log import ORIGIN, SmallLog, signer, witness

from kitei_verify import checkpoint, note, tiles
from kitei_verify.errors import FormatError, VerifyError
from kitei_verify.merkle import EMPTY_ROOT

# The example of c2sp.org/signed-note.
SPEC_KEY = "example.com/foo+530d903a+AekyeRrm56hApGFkyQR4ZCbV54Id2LKaANYcrnKv3U2k"
SPEC_NOTE = (
    "This is an example message.\n\n"
    "— example.com/foo Uw2QOkn8srV1yJGh2VYRlL1Tnagv1YEq6TfXppzi2ONncAlTgK7Ztg1ERYNZXsYjOBH3mFXmRKuwHjG1Yu72IneyaQM=\n"
).encode()
HASH = base64.b64encode(bytes(32)).decode()


def key_text(name=ORIGIN, kind=1, public=bytes(32)):
    return str(note.VerifierKey(name, kind, public))


# --- keys


def test_the_example_of_the_specification_verifies():
    key = note.parse_key(SPEC_KEY)
    assert str(key) == SPEC_KEY
    signed = note.parse(SPEC_NOTE, where="spec")
    assert signed.text == "This is an example message.\n"
    assert note.verify(signed, key, where="spec") == 0
    assert signed.encode() == SPEC_NOTE


@pytest.mark.parametrize(
    "text",
    [
        "",
        "name",
        "name+00000000",
        "+00000000+" + HASH,
        key_text().replace("kitei", "other"),
        key_text() + "\n",
        key_text(kind=2),
        key_text(public=bytes(31)),
        key_text(public=bytes(33)),
        key_text(name="two words"),
        key_text(name="wide　blank"),
        "n+" + key_text().split("+", 1)[1],
        key_text()[:-4] + "AA==",
        key_text()[:-1] + "*",
        key_text().replace("+", "+A", 1),
    ],
)
def test_what_is_no_verifier_key_is_refused(text):
    with pytest.raises(FormatError):
        note.parse_key(text)


def test_hex_digits_of_a_keys_id_have_one_case():
    text = next(text for number in range(99) if (text := str(signer(str(number)).key)).split("+")[1].upper() != text)
    name, number, key = text.split("+", 2)
    with pytest.raises(FormatError, match="id does not belong"):
        note.parse_key(f"{name}+{number.upper()}+{key}")


def test_a_private_key_is_read_back_and_never_shown_when_it_is_wrong():
    made = signer("hanako")
    assert note.parse_signer(made.encode()) == made
    assert note.parse_signer(made.encode()).key == made.key
    secret = made.encode().split("+")[-1]
    for text in [
        "",
        made.encode().removeprefix("PRIVATE+"),
        "PRIVATE+KEY+only",
        made.encode()[:-4] + "AA==",
        made.encode().replace("kitei", "other"),
        "PRIVATE+KEY+n+00000000+" + base64.b64encode(b"\x07" + bytes(32)).decode(),
        "PRIVATE+KEY+n+00000000+" + base64.b64encode(b"\x01" + bytes(31)).decode(),
    ]:
        with pytest.raises(FormatError) as caught:
            note.parse_signer(text)
        assert secret not in str(caught.value)


def test_a_private_key_line_has_this_form():
    made = note.Signer("o", bytes(32))
    assert made.encode() == "PRIVATE+KEY+o+f8955667+AQAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA"
    for name in ("", "two words"):
        with pytest.raises(FormatError, match="private key: not a private key line"):
            note.parse_signer(note.Signer(name, bytes(32)).encode())


def test_base64_of_keys_may_hold_the_letter_that_divides_them():
    made = [note.Signer("o", bytes([number]) * 32) for number in range(256)]
    public = next(one.key for one in made if str(one.key).count("+") > 2)
    private = next(one for one in made if one.encode().count("+") > 4)
    assert note.parse_key(str(public)) == public
    assert note.parse_signer(private.encode()) == private


def test_numbers_of_the_specifications():
    assert (note.ED25519, note.COSIGNATURE, note.MAX_NOTE, note.MAX_SIGNATURES) == (1, 4, 100_000, 64)
    with pytest.raises(FormatError) as caught:
        note.parse_key("x")
    assert caught.value.where == "key"


def test_a_cosignature_without_a_time_is_of_the_year_1970():
    hospital = witness("w")
    assert note.verify(note.Note("x\n", (hospital.sign("x\n"),)), hospital.key, where="n") == 0


# --- notes


def test_a_note_carries_signatures_of_the_log_and_of_witnesses():
    log, hospital = signer("log"), witness("hospital.example/w")
    text = "three\nlines\n\nand a blank one\n"
    made = note.Note(text, (log.sign(text), hospital.sign(text, at=1_795_000_000)))
    read = note.parse(made.encode(), where="n")
    assert read == made
    assert note.verify(read, log.key, where="n") == 0
    assert note.verify(read, hospital.key, where="n") == 1_795_000_000
    assert note.verify(read, signer("nobody").key, where="n") is None


def test_a_cosignature_is_not_a_signature_of_the_log():
    text = "x\n"
    one, two = note.Signer("n", bytes(32)), note.Signer("n", bytes(32), note.COSIGNATURE)
    made = note.Note(text, (one.sign(text),))
    assert note.verify(made, two.key, where="n") is None
    forged = note.Note(text, (note.Signature("n", two.key.key_id, bytes(8) + one.sign(text).data),))
    with pytest.raises(VerifyError, match="signature of n is wrong"):
        note.verify(forged, two.key, where="n")


@pytest.mark.parametrize("data", [b"", bytes(3), bytes(64), bytes(72)])
def test_a_signature_that_is_none_is_wrong(data):
    for key in (signer("log").key, witness("w").key):
        made = note.Note("x\n", (note.Signature(key.name, key.key_id, data),))
        with pytest.raises(VerifyError) as caught:
            note.verify(made, key, where="place")
        assert (caught.value.code, caught.value.where) == ("signature", "place")


def test_every_signature_of_a_known_key_has_to_hold():
    log = signer("log")
    good = log.sign("x\n")
    for lines in [(good, note.Signature(good.name, good.key_id, bytes(64)))] * 2:
        with pytest.raises(VerifyError):
            note.verify(note.Note("x\n", lines), log.key, where="n")
        with pytest.raises(VerifyError):
            note.verify(note.Note("x\n", lines[::-1]), log.key, where="n")


LINE = "— name " + base64.b64encode(bytes(68)).decode() + "\n"


@pytest.mark.parametrize(
    ("data", "what"),
    [
        (b"", "not a signed note"),
        (b"text\n", "not a signed note"),
        (b"text\n\n", "not a signed note"),
        (b"\n\n" + LINE.encode(), "not a signed note"),
        (("text\n\n" + LINE.rstrip()).encode(), "not a signed note"),
        (("text\n\n" + LINE * 65).encode(), "not a signed note"),
        (b"\xff\n\n" + LINE.encode(), "not UTF-8"),
        (("text\r\n\n" + LINE).encode(), "control characters"),
        (("te\x00xt\n\n" + LINE).encode(), "control characters"),
        (("text\n\n" + LINE.replace("—", "-")).encode(), "not a signature line"),
        (("text\n\n" + LINE.replace("name", "na+me")).encode(), "not a signature line"),
        (("text\n\n" + LINE.replace(" name", "  name")).encode(), "not a signature line"),
        (("text\n\n" + LINE.rstrip() + " \n").encode(), "not a signature line"),
        ("text\n\n— name AAAAAA==\n".encode(), "an empty signature"),
        ("text\n\n— name AAAA\n".encode(), "an empty signature"),
        ("text\n\n— name AAAAAAB=\n".encode(), "not base64 in its one form"),
        ("text\n\n— name AAAAAAA\n".encode(), "not base64 in its one form"),
        (b"x" * (note.MAX_NOTE + 1), "longer than"),
    ],
)
def test_what_is_no_signed_note_is_refused(data, what):
    with pytest.raises(FormatError, match=what):
        note.parse(data, where="n")


def test_the_shortest_signature_is_read():
    line = "— name " + base64.b64encode(b"1234x").decode()
    assert note.parse(f"text\n\n{line}\n".encode(), where="n").signatures == (note.Signature("name", b"1234", b"x"),)


def test_as_many_signatures_and_bytes_as_allowed_are_read():
    data = ("text\n\n" + LINE * 64).encode()
    assert len(note.parse(data, where="n").signatures) == 64
    tail = b"\n\n" + LINE.encode()
    data = b"x" * (note.MAX_NOTE - len(tail)) + tail
    assert note.parse(data, where="n").encode() == data


# --- checkpoints


def test_a_checkpoint_is_read_back():
    made = checkpoint.Checkpoint("o", 3, bytes(32), ("extension", "another"))
    data = checkpoint.sign(made, signer("log", "o"))
    assert data.startswith(f"o\n3\n{HASH}\nextension\nanother\n\n— o ".encode())
    head, signed = checkpoint.parse(data, where="c")
    assert head == made
    assert signed.encode() == data
    assert checkpoint.parse_text(made.text(), where="c") == made


def test_the_head_of_an_empty_log():
    made = checkpoint.Checkpoint("o", 0, EMPTY_ROOT)
    assert checkpoint.parse_text(made.text(), where="c") == made


@pytest.mark.parametrize(
    "text",
    [
        "",
        "o\n3\n",
        f"o\n3\n{HASH}\n\n",
        f"\n3\n{HASH}\n",
        f"o\n\n{HASH}\n",
        f"o\n03\n{HASH}\n",
        f"o\n+3\n{HASH}\n",
        f"o\n-3\n{HASH}\n",
        f"o\n３\n{HASH}\n",
        f"o\n10000000000000000000\n{HASH}\n",
        f"o\n0\n{HASH}\n",
        "o\n3\nAAAA\n",
        f"o\n3\n{HASH}A\n",
        f"o\n3\n{HASH[:-2]}B=\n",
        f"o\n3\n{HASH}\nextension\n\nafter a blank\n",
    ],
)
def test_what_is_no_checkpoint_is_refused(text):
    with pytest.raises(FormatError):
        checkpoint.parse_text(text, where="c")


def test_the_largest_size_is_read():
    assert checkpoint.parse_text(f"o\n9999999999999999999\n{HASH}\n", where="c").size == 10**19 - 1


# --- tiles


@pytest.mark.parametrize(
    ("level", "index", "width", "path"),
    [
        (0, 0, 256, "tile/0/000"),
        (0, 999, 256, "tile/0/999"),
        (1, 1000, 256, "tile/1/x001/000"),
        (63, 1234067, 256, "tile/63/x001/x234/067"),
        ("entries", 5, 255, "tile/entries/005.p/255"),
        (2, 0, 1, "tile/2/000.p/1"),
    ],
)
def test_the_paths_of_tiles(level, index, width, path):
    assert tiles.tile_path(level, index, width) == path
    assert tiles.parse_path(path) == (level, index, width)


@pytest.mark.parametrize(
    "path",
    [
        "tile/00/000", "tile/100/000", "tile/64/000", "tile/0/000.p/257", "tile/-1/000", "tile/x/000", "tile/0/0", "tile/0/0000", "tile/0/x000/000",
        "tile/0/001/000", "tile/0/x001/0", "tile/0/000.p/0", "tile/0/000.p/256", "tile/0/000.p/01", "tile/0/000.p/999",
        "tile/0/000.p", "tile/0/000/", "tile/0/000\n", "/tile/0/000", "tile//000", "tile/0/٠٠٠", "tiles/0/000", "checkpoint",
    ],
)  # fmt: skip
def test_what_is_no_tile_path(path):
    assert tiles.parse_path(path) is None


def test_the_tiles_of_the_example_in_the_specification():
    assert tiles.widths(70_000) == [(0, 273, 112), (1, 1, 17), (2, 0, 1)]
    assert tiles.widths(256) == [(0, 1, 0), (1, 0, 1)]
    assert tiles.widths(0) == []


@given(st.lists(st.binary(max_size=300), max_size=20))
def test_a_bundle_is_read_back(entries):
    data = tiles.encode_bundle(entries)
    assert tiles.decode_bundle(data, where="b") == entries
    for cut in {1, len(data) - 1, len(data) // 2} - {0, -1}:
        try:
            read = tiles.decode_bundle(data[:cut], where="b")
        except FormatError:
            continue
        assert tiles.encode_bundle(read) == data[:cut]


@pytest.mark.parametrize("data", [b"\x00", b"\x00\x01", b"\x00\x01a\x00", b"\xff\xffa"])
def test_a_bundle_that_ends_inside_an_entry_is_refused(data):
    with pytest.raises(FormatError, match="ends inside an entry"):
        tiles.decode_bundle(data, where="b")


# --- whatever comes


NOTES = [SmallLog.of(3).signed(cosigned=[(witness("w.example"), 5)]), SPEC_NOTE, SmallLog.of(0).signed()]


def mutated(samples):
    """Valid samples with a few bytes changed, put in, taken out or doubled."""

    @st.composite
    def build(draw):
        data = bytearray(draw(st.sampled_from(samples)))
        for _ in range(draw(st.integers(0, 3))):
            place = draw(st.integers(0, len(data)))
            piece = draw(
                st.binary(max_size=4) | st.sampled_from([b"\n", b"\n\n", b" ", b"=", b"+", b"0", b"\xe2\x80\x94"])
            )
            data[place : place + draw(st.integers(0, 3))] = piece
        return bytes(data)

    return build()


@given(st.binary(max_size=200) | mutated(NOTES))
def test_a_note_is_refused_or_has_its_one_form(data):
    try:
        read = note.parse(data, where="n")
    except FormatError:
        return
    assert read.encode() == data
    for key in (signer("first").key, witness("w.example").key, note.parse_key(SPEC_KEY)):
        with contextlib.suppress(VerifyError):
            if note.verify(read, key, where="n") is not None:
                assert read.text in {note.parse(sample, where="n").text for sample in NOTES}


@given(st.binary(max_size=200) | mutated(NOTES))
def test_a_checkpoint_is_refused_or_has_its_one_form(data):
    try:
        head, signed = checkpoint.parse(data, where="c")
    except FormatError:
        return
    assert note.Note(head.text(), signed.signatures).encode() == data


@given(
    st.text(max_size=120) | mutated([SPEC_KEY.encode(), key_text().encode()]).map(lambda data: data.decode("latin-1"))
)
def test_a_key_is_refused_or_has_its_one_form(text):
    try:
        assert str(note.parse_key(text)) == text
    except FormatError:
        return


@given(st.text(max_size=90) | mutated([signer("x").encode().encode()]).map(lambda data: data.decode("latin-1")))
def test_a_private_key_is_refused_or_has_its_one_form(text):
    try:
        assert note.parse_signer(text).encode() == text
    except FormatError:
        return


@given(
    st.text(st.sampled_from(string.digits + "xp./"), max_size=20).map("tile/0/".__add__)
    | st.text(max_size=20)
    | mutated([b"tile/entries/x001/x234/067.p/12"]).map(lambda data: data.decode("latin-1"))
)
def test_a_path_is_refused_or_has_its_one_form(path):
    parsed = tiles.parse_path(path)
    assert parsed is None or tiles.tile_path(*parsed) == path


def test_faults_survive_the_way_from_a_worker_process():
    fault = FormatError("tile/0/000", "what", "何", 7)
    again = pickle.loads(pickle.dumps(fault))  # noqa: S301  our own bytes
    assert (
        again.to_json()
        == fault.to_json()
        == {"code": "format", "where": "tile/0/000", "what": "what", "ja": "何", "index": 7}
    )
    assert str(again) == "tile/0/000: entry 7: what"
    assert "index" not in VerifyError("c", "w", "x", "y").to_json()
