from __future__ import annotations

import hashlib
import json
import unicodedata
from functools import partial

import pytest
import rfc8785
from hypothesis import given
from hypothesis import strategies as st

from kitei_verify import canonical
from kitei_verify.canonical import NotCanonicalError

KEYS = st.text(st.characters(max_codepoint=127), max_size=12)
TEXT = st.text(st.characters(exclude_categories=["Cs"]), max_size=40).map(partial(unicodedata.normalize, "NFC"))
NUMBERS = st.integers(-(2**53) + 1, 2**53 - 1)
PAYLOADS = st.dictionaries(
    KEYS,
    st.recursive(
        st.none() | st.booleans() | NUMBERS | TEXT,
        lambda inner: st.lists(inner, max_size=4) | st.dictionaries(KEYS, inner, max_size=4),
        max_leaves=20,
    ),
    max_size=6,
)


@given(PAYLOADS)
def test_the_bytes_are_those_of_rfc_8785(payload):
    assert canonical.encode(payload) == rfc8785.dumps(payload)


@given(PAYLOADS)
def test_the_bytes_read_back_and_write_again_the_same(payload):
    data = canonical.encode(payload)
    assert json.loads(data) == payload
    assert canonical.encode(json.loads(data)) == data


@pytest.mark.parametrize(
    "payload",
    [
        {"a": 1.0},
        {"a": float("nan")},
        {"a": 2**53},
        {"a": -(2**53)},
        {"鍵": 1},
        {1: "a"},
        {"a": b"bytes"},
        {"a": {"b": [frozenset()]}},
        {"a": "か\u3099"},
        {"a": "\ud800"},
        {"a": {1, 2}},
    ],
    ids=repr,
)
def test_what_has_no_single_form_is_refused(payload):
    with pytest.raises(NotCanonicalError):
        canonical.encode(payload)


def test_an_event_holds_sixteen_kibibytes_and_not_one_byte_more():
    frame = len(canonical.encode({"a": ""}))
    assert len(canonical.encode({"a": "x" * (canonical.MAX_BYTES - frame)})) == 16 * 1024
    with pytest.raises(NotCanonicalError, match="16384"):
        canonical.encode({"a": "x" * (canonical.MAX_BYTES - frame + 1)})
    with pytest.raises(NotCanonicalError):
        canonical.encode({"a": "髙" * 6000})


def test_the_leaf_hash_is_that_of_rfc_6962():
    # RFC 6962 §2.1: the hash of an empty leaf is SHA-256 of the single byte 0x00.
    assert canonical.leaf_hash(b"").hex() == "6e340b9cffb37a989ca544e6bb780a2c78901d3fb33738768511a30617afa01d"
    assert canonical.leaf_hash(b"ab") == hashlib.sha256(b"\x00ab").digest()


def test_a_commitment_opens_with_its_salt_field_and_value_only():
    salt, digest = canonical.commit("reason", "退職のため")
    assert len(salt) == 32
    assert canonical.commit("reason", "退職のため", salt) == (salt, digest)
    assert canonical.commit("reason", "異動のため", salt)[1] != digest
    assert canonical.commit("path", "退職のため", salt)[1] != digest
    assert canonical.commit("reason", "退職のため")[1] != digest, "equal texts must not look equal"


def test_a_commitment_does_not_depend_on_how_a_letter_was_typed():
    salt, digest = canonical.commit("reason", "が")
    assert canonical.commit("reason", "か\u3099", salt)[1] == digest


def test_a_commitment_is_plain_sha256_that_anyone_can_recompute():
    digest = canonical.commit("reason", "退職", b"\x07" * 32)[1]
    assert digest == hashlib.sha256(b"\x07" * 32 + b"reason\x00" + "退職".encode()).hexdigest()
