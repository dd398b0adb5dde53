"""Entries: one JSON object, in one form, with known fields."""

from __future__ import annotations

import json
import unicodedata

import pytest
from hypothesis import given
from hypothesis import strategies as st
from small_log import again, event
from test_canonical import PAYLOADS
from test_formats import mutated

from kitei_verify import canonical
from kitei_verify import event as events
from kitei_verify.errors import FormatError

FULL = event(
    3,
    request="0123456789abcdef",
    session="fedcba9876543210",
    strength="one-time-code",
    face="web",
    policy="a1b2c3",
    data={"edition": "第4.1版", "count": 3, "list": [None, True, {"deep": "が"}]},
    decision={"allow": True, "grants": ["g1"]},
    commitments={"reason": "ab" * 32, "file_name": "0" * 64},
)


def refused(data, what):
    with pytest.raises(FormatError, match=what) as caught:
        events.check(data, where="bundle", index=4)
    assert (caught.value.where, caught.value.index) == ("bundle", 4)
    assert caught.value.ja


def test_an_event_with_every_field_is_read():
    assert events.check(FULL, where="b") == json.loads(FULL)
    assert set(json.loads(FULL)) == {*events.REQUIRED, *events.OPTIONAL}


@pytest.mark.parametrize("field", list(events.REQUIRED))
def test_a_required_field_may_not_be_missing(field):
    refused(event(1, **{field: None}), f"field '{field}' is missing")


@pytest.mark.parametrize("field", list(events.OPTIONAL))
def test_the_other_fields_may_be_left_out_and_not_be_empty(field):
    payload = json.loads(FULL)
    del payload[field]
    events.check(canonical.encode(payload), where="b")
    for value in ("", {}, [], None, 0, False):
        refused(again(FULL, **{field: value}), f"field '{field}' has the wrong form")


@pytest.mark.parametrize(
    ("field", "value"),
    [
        ("v", 0), ("v", 2), ("v", "1"), ("v", True), ("v", None),
        ("id", "01940000-0000-7000-8000-00000000000G"), ("id", "01940000-0000-7000-8000-00000000000A"), ("id", 1),
        ("id", "{01940000-0000-7000-8000-000000000000}"), ("id", "01940000000070008000000000000000"),
        ("at", "2026-11-22T03:04:05Z"), ("at", "2026-11-22T03:04:05.000000+00:00"), ("at", "2026-11-22 03:04:05.000000Z"),
        ("at", "2026-02-30T03:04:05.000000Z"), ("at", "2026-11-22T24:04:05.000000Z"), ("at", "２026-11-22T03:04:05.000000Z"),
        ("at", "2026-11-22T03:04:05.000000Z\n"), ("at", 5),
        ("org", ""), ("org", "Sakura"), ("org", "x" * 41), ("org", "a/b"),
        ("name", "login"), ("name", "Session:login"), ("name", "session:"), ("name", "session:log in"), ("name", "a:b:"), ("name", "a:" + "b" * 79),
        ("outcome", ""), ("outcome", "OK"), ("outcome", "x" * 13),
        ("actor", "hanako"), ("actor", ["member"]), ("actor", ["member", "m", "x"]), ("actor", ["", "m"]),
        ("actor", ["member", 1]), ("actor", [1, "m"]), ("actor", ["member", "a\nb"]), ("actor", ["member", "x" * 201]),
        ("object", None), ("object", {}),
        ("data", []), ("decision", "x"),
        ("commitments", {"reason": "AB" * 32}), ("commitments", {"reason": "ab" * 31}), ("commitments", {"reason": 1}),
        ("commitments", {"Reason": "ab" * 32}), ("commitments", {"": "ab" * 32}), ("commitments", {"x" * 41: "ab" * 32}),
        ("commitments", []), ("request", 1), ("session", "a\tb"), ("policy", "\x7f"),
    ],
)  # fmt: skip
def test_a_field_of_another_form_is_refused(field, value):
    refused(again(FULL, **{field: value}), f"field '{field}' has the wrong form")


@pytest.mark.parametrize(
    ("field", "value"),
    [
        ("name", "regulation:adopt:refused"), ("name", "log:rotate-key"), ("name", "a1:b-2"), ("name", "a:" + "b" * 78), ("outcome", "failed"),
        ("actor", ["stranger", ""]), ("actor", ["cli", "山田 花子"]), ("org", "a-1"), ("org", "x" * 40),
        ("id", "00000000-0000-0000-0000-000000000000"), ("at", "0001-01-01T00:00:00.000000Z"),
        ("object", ["document", "x" * 200]),
    ],
)  # fmt: skip
def test_forms_at_the_border_are_read(field, value):
    events.check(again(FULL, **{field: value}), where="b")


def test_an_unknown_field_is_refused():
    refused(again(FULL, colour="red"), "field 'colour' is not known")


@pytest.mark.parametrize(
    ("data", "what"),
    [
        (b"", "not canonical JSON"),
        (b"[]", "not an object"),
        (b"5", "not an object"),
        (b"\xff", "not canonical JSON"),
        (b"{", "not canonical JSON"),
        (b'{"v":1}x', "not canonical JSON"),
        (b"[" * 16_000, "not canonical JSON"),
        (b'{"v":' * 2500 + b"1" + b"}" * 2500, "not canonical JSON|wrong form"),
        (b'{"v":1.0}', "1.0 has no canonical form"),
        (b'{"v":1e3}', "1e3 has no canonical form"),
        (b'{"v":NaN}', "NaN has no canonical form"),
        (b'{"v":-Infinity}', "-Infinity has no canonical form"),
        (b'{"v":' + b"9" * 15_000 + b"}", "has no canonical form"),
        (b'{"v":9007199254740992}', "has no canonical form"),
        (b'{"v":-9007199254740992}', "has no canonical form"),
        (b'{"v":-0}', "encoded again"),
        (b'{"v": 1}', "encoded again"),
        (b' {"v":1}', "encoded again"),
        (b'{"v":1}\n', "encoded again"),
        (b'{"v":1,"v":1}', "encoded again"),
        (b'{"v":1,"id":1}', "encoded again"),
        (b'{"v":"\\u0041"}', "encoded again"),
        (b'{"v":"\\u00e9"}', "encoded again"),
        (b'{"v":"\\ud800"}', "encoded again|not canonical JSON"),
        (b'{"v":"\\/"}', "encoded again"),
        (b'{"v":"\\u001F"}', "encoded again"),
        (b'{"v":"\n"}', "not canonical JSON"),
        (('{"v":"' + unicodedata.normalize("NFD", "が") + '"}').encode(), "not NFC"),
        ('{"é":1}'.encode(), "not ASCII"),
        (b"x" * (canonical.MAX_BYTES + 1), "longer than 16384 bytes"),
    ],
)
def test_what_has_no_canonical_form_is_refused(data, what):
    refused(data, what)


def test_the_largest_numbers_and_entries_are_read():
    number = 2**53 - 1
    payload = events.parse_json(f'{{"a":{number},"b":-{number}}}'.encode(), where="b")
    assert payload == {"a": number, "b": -number}
    room = canonical.MAX_BYTES - len(again(event(1), data={"x": ""}))
    events.check(again(event(1), data={"x": "a" * room}), where="b")
    refused(again(event(1), data={"x": "a" * (room + 1)}), "longer than")


def test_text_beyond_ascii_is_read_in_its_one_form():
    text = "山田 花子 𠮷 é"
    data = again(event(1), data={"x": text})
    assert events.check(data, where="b")["data"] == {"x": text}
    refused(again(event(1), data={"x": unicodedata.normalize("NFD", "が")}), "not NFC")


@given(PAYLOADS)
def test_what_the_product_encodes_is_read_back(payload):
    data = canonical.encode(payload)
    assert events.parse_json(data, where="b") == payload


@given(st.binary(max_size=60) | mutated([FULL, event(1), b'{"a":[1,"x"],"b":{}}', '{"a":"が"}'.encode()]))
def test_bytes_are_refused_or_have_their_one_form(data):
    try:
        payload = events.parse_json(data, where="b")
    except FormatError:
        return
    assert canonical.encode(payload) == data


@given(mutated([FULL, event(1)]))
def test_an_event_is_refused_or_has_its_one_form(data):
    try:
        payload = events.check(data, where="b")
    except FormatError:
        return
    assert canonical.encode(payload) == data
    assert payload.keys() <= {*events.REQUIRED, *events.OPTIONAL}
