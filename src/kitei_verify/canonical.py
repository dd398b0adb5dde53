"""Canonical event bytes, leaf hashes and commitments. Pure: hashlib and json only.

Bytes follow RFC 8785 restricted to what Python's own encoder writes identically: objects with ASCII keys, arrays, NFC
strings, integers below 2^53, booleans and null; no floats. Events are hashed as these stored bytes and never
serialised again for verification.
"""

from __future__ import annotations

import hashlib
import json
import os
import re
import unicodedata
from typing import Any

MAX_BYTES = 16 * 1024
SALT_BYTES = 32
MAX_INT = 2**53 - 1
_SURROGATE = re.compile("[\ud800-\udfff]")


class NotCanonicalError(ValueError):
    """A payload holds something that has no single canonical form."""


def encode(payload: dict[str, Any], *, limit: int = MAX_BYTES) -> bytes:
    """Return the canonical bytes of ``payload``; NotCanonicalError on floats, non-ASCII keys, big integers, > ``limit``."""
    _check(payload)
    data = json.dumps(payload, ensure_ascii=False, sort_keys=True, separators=(",", ":"), allow_nan=False).encode()
    if len(data) > limit:
        raise NotCanonicalError(f"event of {len(data)} bytes; at most {limit}: give large values by digest")
    return data


def leaf_hash(data: bytes) -> bytes:
    """Return the RFC 6962 §2.1 leaf hash: SHA-256 of 0x00 and the entry."""
    return hashlib.sha256(b"\x00" + data).digest()


def commit(field: str, value: str, salt: bytes | None = None) -> tuple[bytes, str]:
    """Return (salt, commitment) for a free-text value: SHA-256(salt ‖ field ‖ 0x00 ‖ value), hex."""
    salt = os.urandom(SALT_BYTES) if salt is None else salt
    text = unicodedata.normalize("NFC", value).encode()
    return salt, hashlib.sha256(salt + field.encode("ascii") + b"\x00" + text).hexdigest()


def _check(value: Any) -> None:
    if isinstance(value, dict):
        for key, item in value.items():
            if not isinstance(key, str) or not key.isascii():
                raise NotCanonicalError(f"key {key!r} is not ASCII text")
            _check(item)
    elif isinstance(value, list | tuple):
        for item in value:
            _check(item)
    elif isinstance(value, str):
        if not value.isascii():  # ASCII is NFC and holds no surrogates; most of an event is ASCII
            _check_text(value)
    elif value is not None and not isinstance(value, int):
        raise NotCanonicalError(f"{type(value).__name__} has no canonical form")
    elif value is not None and abs(value) > MAX_INT:
        raise NotCanonicalError("integer beyond 2^53")


def _check_text(value: str) -> None:
    if not unicodedata.is_normalized("NFC", value):
        raise NotCanonicalError("text is not NFC")
    if _SURROGATE.search(value):
        raise NotCanonicalError("text holds a lone surrogate")
