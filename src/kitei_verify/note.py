"""Signed notes (c2sp.org/signed-note): keys, signature lines, Ed25519 signatures and cosignatures.

Every field has one form only: what is decoded is encoded again and compared, so two byte strings never mean one note.
"""

from __future__ import annotations

import base64
import binascii
import hashlib
import re
from dataclasses import dataclass

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey, Ed25519PublicKey

from kitei_verify.errors import FormatError, VerifyError

ED25519 = 0x01
COSIGNATURE = 0x04
"""Signature types: a log's own signature, and a witness's time-stamped one (c2sp.org/tlog-cosignature)."""
MAX_NOTE = 100_000
MAX_SIGNATURES = 64
_KEY_BYTES = 32
_NAME = re.compile(r"[^\s+\x00-\x1f\x7f\ud800-\udfff]+\Z")
_CONTROLS = re.compile(r"[\x00-\x09\x0b-\x1f]")
_SIGNED = re.compile(r"— (\S+) (\S+)\Z")


@dataclass(frozen=True)
class VerifierKey:
    """A public key with the name it signs under. ``kind`` is the signature type (``ED25519`` or ``COSIGNATURE``)."""

    name: str
    kind: int
    public: bytes

    @property
    def key_id(self) -> bytes:
        """Four bytes that tell which key made a signature line."""
        return hashlib.sha256(self.name.encode() + b"\n" + bytes([self.kind]) + self.public).digest()[:4]

    def __str__(self) -> str:
        return f"{self.name}+{self.key_id.hex()}+{encode64(bytes([self.kind]) + self.public)}"


@dataclass(frozen=True)
class Signature:
    """One signature line: the key's name and id, and what the key made."""

    name: str
    key_id: bytes
    data: bytes

    def line(self) -> str:
        """Return the line as it stands in the note, with its newline."""
        return f"— {self.name} {encode64(self.key_id + self.data)}\n"


@dataclass(frozen=True)
class Note:
    """``text`` ends in a newline; the signatures follow in their order."""

    text: str
    signatures: tuple[Signature, ...]

    def encode(self) -> bytes:
        """Return the note's bytes."""
        return (self.text + "\n" + "".join(signature.line() for signature in self.signatures)).encode()


def encode64(data: bytes) -> str:
    """Return the base64 of ``data``: its one form, with padding."""
    return base64.b64encode(data).decode()


def decode64(text: str, *, where: str) -> bytes:
    """Decode base64 that has its one form; FormatError otherwise (unused bits set, missing padding, other letters)."""
    try:
        data = base64.b64decode(text, validate=True)
    except (binascii.Error, ValueError):
        data = b""
    if encode64(data) != text:
        raise FormatError(where, "not base64 in its one form", "base64の書き方が正しくありません")
    return data


def parse_key(text: str, *, where: str = "key") -> VerifierKey:
    """Read a verifier key ``name+id+base64``; FormatError."""
    parts = text.split("+", 2)
    wrong = FormatError(where, "not a verifier key (name+id+key)", "検証鍵（名前+番号+鍵）の形ではありません")
    if len(parts) != 3 or not _NAME.match(parts[0]):  # noqa: PLR2004  name, id, key
        raise wrong
    data = decode64(parts[2], where=where)
    if len(data) != 1 + _KEY_BYTES or data[0] not in {ED25519, COSIGNATURE}:
        raise wrong
    key = VerifierKey(parts[0], data[0], data[1:])
    if str(key) != text:
        raise FormatError(where, "the key's id does not belong to it", "検証鍵の番号が鍵と合いません")
    return key


def parse(data: bytes, *, where: str) -> Note:
    """Read a signed note; FormatError unless it has its one form."""
    if len(data) > MAX_NOTE:
        raise FormatError(where, f"longer than {MAX_NOTE} bytes", f"{MAX_NOTE}バイトを超えています")
    try:
        whole = data.decode()
    except UnicodeDecodeError as error:
        raise FormatError(where, "not UTF-8", "UTF-8ではありません") from error
    text, blank, rest = whole.rpartition("\n\n")
    lines = rest.split("\n")
    if not blank or not text or lines[-1] or len(lines) - 1 not in range(1, MAX_SIGNATURES + 1):
        raise FormatError(where, "not a signed note", "署名つきの記録の形ではありません")
    if _CONTROLS.search(whole):
        raise FormatError(where, "control characters", "制御文字が入っています")
    signatures = []
    for line in lines[:-1]:
        match = _SIGNED.match(line)
        if match is None or not _NAME.match(match[1]):
            raise FormatError(where, "not a signature line", "署名の行の形ではありません")
        made = decode64(match[2], where=where)
        if len(made) <= 4:  # noqa: PLR2004  the key's id
            raise FormatError(where, "an empty signature", "署名がありません")
        signatures.append(Signature(match[1], made[:4], made[4:]))
    return Note(text + "\n", tuple(signatures))


def verify(note: Note, key: VerifierKey, *, where: str) -> int | None:
    """Verify the lines ``key`` made and return the time of a cosignature (seconds since 1970), 0 for a log's signature.

    None when the key made no line: a note may carry signatures of keys nobody here knows. VerifyError when one is wrong.
    """
    result: int | None = None
    for signature in note.signatures:
        if (signature.name, signature.key_id) != (key.name, key.key_id):
            continue
        message, made, stamp = note.text.encode(), signature.data, 0
        if key.kind == COSIGNATURE:
            stamp = int.from_bytes(made[:8])
            message, made = f"cosignature/v1\ntime {stamp}\n".encode() + message, made[8:]
        try:
            Ed25519PublicKey.from_public_bytes(key.public).verify(made, message)
        except (InvalidSignature, ValueError) as error:
            raise VerifyError(
                "signature", where, f"the signature of {key.name} is wrong", f"{key.name} の署名が正しくありません"
            ) from error
        result = stamp
    return result


@dataclass(frozen=True)
class Signer:
    """A private Ed25519 key (32-byte seed) and the name it signs under."""

    name: str
    seed: bytes
    kind: int = ED25519

    @property
    def key(self) -> VerifierKey:
        """The public half."""
        public = Ed25519PrivateKey.from_private_bytes(self.seed).public_key().public_bytes_raw()
        return VerifierKey(self.name, self.kind, public)

    def sign(self, text: str, *, at: int = 0) -> Signature:
        """Sign a note's text; ``at`` (seconds since 1970) is the time of a cosignature. The same input gives the same bytes."""
        private = Ed25519PrivateKey.from_private_bytes(self.seed)
        message, prefix = text.encode(), b""
        if self.kind == COSIGNATURE:
            message, prefix = f"cosignature/v1\ntime {at}\n".encode() + message, at.to_bytes(8)
        return Signature(self.name, self.key.key_id, prefix + private.sign(message))

    def encode(self) -> str:
        """Return the private key as one line: ``PRIVATE+KEY+name+id+base64``."""
        secret = encode64(bytes([self.kind]) + self.seed)
        return f"PRIVATE+KEY+{self.name}+{self.key.key_id.hex()}+{secret}"


def parse_signer(text: str, *, where: str = "private key") -> Signer:
    """Read a private key line; FormatError, which never repeats the key."""
    wrong = FormatError(where, "not a private key line", "秘密鍵の形ではありません")
    if not text.startswith("PRIVATE+KEY+"):
        raise wrong
    parts = text.removeprefix("PRIVATE+KEY+").split("+", 2)
    if len(parts) != 3 or not _NAME.match(parts[0]):  # noqa: PLR2004  name, id, key
        raise wrong
    data = decode64(parts[2], where=where)
    if len(data) != 1 + _KEY_BYTES or data[0] not in {ED25519, COSIGNATURE}:
        raise wrong
    signer = Signer(parts[0], data[1:], data[0])
    if signer.encode() != text:
        raise wrong
    return signer
