"""Time-based one-time passwords after RFC 6238: SHA-1, six digits, thirty seconds, as every authenticator app expects."""

from __future__ import annotations

import base64
import hashlib
import hmac
import secrets
import struct
import unicodedata
from urllib.parse import quote, urlencode

PERIOD = 30
DIGITS = 6
SECRET_BYTES = 20  # RFC 4226 §4 R6 recommends 160 bits
WINDOW = 1  # steps either side: RFC 6238 §5.2 allows one for the way a code takes


def new_secret() -> bytes:
    """Return a random secret."""
    return secrets.token_bytes(SECRET_BYTES)


def code_at(secret: bytes, step: int) -> str:
    """Return the code of a time step (RFC 4226 §5.3)."""
    mac = hmac.new(secret, struct.pack(">Q", step), hashlib.sha1).digest()
    offset = mac[-1] & 0x0F
    number = struct.unpack(">I", mac[offset : offset + 4])[0] & 0x7FFFFFFF
    return str(number % 10**DIGITS).zfill(DIGITS)


def step_of(secret: bytes, code: str, *, at: float) -> int | None:
    """Return the time step whose code was typed, within the window around ``at`` (seconds since 1970); None if wrong."""
    typed = "".join(unicodedata.normalize("NFKC", code).split())
    if not typed.isascii() or not typed.isdigit() or len(typed) != DIGITS:
        return None
    now = int(at) // PERIOD
    # Every candidate is compared, in constant time each: how long it takes does not tell which was near.
    found = [
        step for step in range(now - WINDOW, now + WINDOW + 1) if hmac.compare_digest(code_at(secret, step), typed)
    ]
    return found[-1] if found else None


def readable(secret: bytes) -> str:
    """Return the secret as people type it into an app: base32 in groups of four."""
    text = base64.b32encode(secret).decode().rstrip("=")
    return " ".join(text[place : place + 4] for place in range(0, len(text), 4))


def address(secret: bytes, *, account: str, issuer: str) -> str:
    """Return the ``otpauth://`` address that a QR code carries."""
    plain = base64.b32encode(secret).decode().rstrip("=")
    query = urlencode({"secret": plain, "issuer": issuer, "digits": DIGITS, "period": PERIOD}, quote_via=quote)
    return f"otpauth://totp/{quote(issuer)}:{quote(account)}?{query}"
