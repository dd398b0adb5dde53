"""The keys in a backup, sealed with a pass phrase: scrypt (RFC 7914) and AES-256-GCM.

N = 2^17, r = 8, p = 1 needs 128 MB and about half a second (OWASP Password Storage Cheat Sheet, scrypt).
"""

from __future__ import annotations

import base64
import json
import os
import unicodedata

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from cryptography.hazmat.primitives.kdf.scrypt import Scrypt

from kitei.foundation.text import Message, UserError

MIN_PASSPHRASE = 15
_N, _R, _P = 2**17, 8, 1
_NONCE = 12
_LABEL = b"kitei-backup-keys/1"


def check_passphrase(passphrase: str) -> None:
    """Raise UserError when the pass phrase is too short to protect keys that leave the machine."""
    if len(passphrase) < MIN_PASSPHRASE:
        raise UserError(Message("控えのパスワードは%(count)s文字以上にしてください。", {"count": MIN_PASSPHRASE}))


def seal(files: dict[str, bytes], passphrase: str) -> bytes:
    """Return the sealed form of files by name; UserError for a short pass phrase."""
    check_passphrase(passphrase)
    salt, nonce = os.urandom(16), os.urandom(_NONCE)
    plain = json.dumps({name: base64.b64encode(data).decode() for name, data in sorted(files.items())}).encode()
    facts = {"kdf": "scrypt", "n": _N, "r": _R, "p": _P, "salt": salt.hex(), "nonce": nonce.hex()}
    cipher = AESGCM(_key(passphrase, salt)).encrypt(nonce, plain, _LABEL)
    return json.dumps({**facts, "cipher": "AES-256-GCM", "data": base64.b64encode(cipher).decode()}).encode()


def unseal(data: bytes, passphrase: str) -> dict[str, bytes]:
    """Return the files; UserError when the pass phrase is wrong or the bytes were changed."""
    try:
        facts = json.loads(data)
        # Other parameters are never taken from the file: they could ask for any amount of memory.
        if (facts["kdf"], facts["n"], facts["r"], facts["p"], facts["cipher"]) != ("scrypt", _N, _R, _P, "AES-256-GCM"):
            raise ValueError("other parameters")  # noqa: TRY301  one answer for everything that is not ours
        key = _key(passphrase, bytes.fromhex(facts["salt"]))
        plain = AESGCM(key).decrypt(bytes.fromhex(facts["nonce"]), base64.b64decode(facts["data"]), _LABEL)
        return {name: base64.b64decode(text) for name, text in json.loads(plain).items()}
    except InvalidTag as error:
        raise UserError(Message("控えのパスワードが違います。何も変えていません。")) from error
    except (KeyError, TypeError, ValueError) as error:
        raise UserError(Message("控えの中の鍵を読めません。別の控えを使ってください。何も変えていません。")) from error


def _key(passphrase: str, salt: bytes) -> bytes:
    # NFC: the same phrase typed on another system gives the same bytes.
    text = unicodedata.normalize("NFC", passphrase).encode()
    return Scrypt(salt=salt, length=32, n=_N, r=_R, p=_P).derive(text)
