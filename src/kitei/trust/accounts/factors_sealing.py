"""Secrets at rest: sealed with keys derived from the installation's secret key, so that a copied database opens nothing.

A new secret key (a restore without ``--with-keys``) makes what was sealed unreadable: then factors are set up anew.
"""

from __future__ import annotations

import hashlib
import hmac
import os

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.kdf.hkdf import HKDF
from django.conf import settings

_NONCE = 12


class SealBrokenError(Exception):
    """What was sealed was sealed with another key, for another purpose, or altered."""


def _key(purpose: str) -> bytes:
    return HKDF(SHA256(), 32, salt=None, info=f"kitei factors v1 {purpose}".encode()).derive(
        settings.SECRET_KEY.encode()
    )


def seal(secret: bytes, *, purpose: str, about: str) -> bytes:
    """Return ``secret`` under AES-256-GCM; it opens only for the same purpose and the same ``about`` (an id)."""
    nonce = os.urandom(_NONCE)
    return nonce + AESGCM(_key(purpose)).encrypt(nonce, secret, about.encode())


def unseal(sealed: bytes, *, purpose: str, about: str) -> bytes:
    """Return the secret; SealBrokenError when it cannot be opened."""
    try:
        return AESGCM(_key(purpose)).decrypt(sealed[:_NONCE], sealed[_NONCE:], about.encode())
    except (InvalidTag, ValueError) as error:
        raise SealBrokenError from error


def keyed_digest(text: str, *, purpose: str) -> str:
    """Return a digest that nobody can search for without the installation's key (HMAC-SHA-256, hexadecimal)."""
    return hmac.new(_key(purpose), text.encode(), hashlib.sha256).hexdigest()
