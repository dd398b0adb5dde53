"""Time stamps of an outside authority (RFC 3161) on heads of the log: ``stamp/<size>.note`` and ``stamp/<size>.tsr``."""

from __future__ import annotations

import datetime as dt
import hashlib
import re
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from kitei_verify import checkpoint, files, note
from kitei_verify.errors import FormatError, VerifyError

FOLDER = "stamp"
MAX_RESPONSE = 100_000
_NAME = re.compile(r"(0|[1-9]\d{0,18})\.(note|tsr)", re.ASCII)
_SHA256 = "2.16.840.1.101.3.4.2.1"
_SIGNED_DATA, _SIGNER = 3, 1
"""Versions in a time stamp's CMS structure (RFC 5652 §5.1, §5.3)."""
_NULL = b"\x05\x00"
_RSA = bytes.fromhex("06092a864886f70d0101")
_ECDSA = bytes.fromhex("06082a8648ce3d0403")
_ALGORITHMS = {
    # The identifier of the digest, by its last byte, and those of a signature that fit it: rsaEncryption, RSA with this
    # digest, ECDSA with this digest.
    last: {_RSA + b"\x01" + _NULL, _RSA + bytes([rsa]) + _NULL, _ECDSA + bytes([ecdsa])}
    for last, rsa, ecdsa in ((1, 11, 2), (2, 12, 3), (3, 13, 4))
}
_PSS = _RSA + b"\x0a"
_DIGEST = bytes.fromhex("06096086480165030402")


@dataclass(frozen=True)
class Stamped:
    """A stamped head: its file and size. There may be very many, so no more than this is kept."""

    where: str
    size: int


def read(root: Path, *, origin: str, faults: list[VerifyError]) -> list[Stamped]:
    """Read every stamped head, in the order of their names; what is wrong with one goes to ``faults``."""
    found = []
    for name in files.names(root, FOLDER):
        where = f"{FOLDER}/{name}"
        match = _NAME.fullmatch(name)
        if match is None:
            continue  # reported by who walks the folder
        other = f"{FOLDER}/{match[1]}.{'tsr' if match[2] == 'note' else 'note'}"
        if not files.exists(root, other):
            faults.append(files.missing(other))
        elif match[2] == "note":
            try:
                head, _, _ = load(root, where, origin=origin)
                found.append(Stamped(where, head.size))
            except VerifyError as fault:
                faults.append(fault)
    return found


def load(root: Path, where: str, *, origin: str) -> tuple[checkpoint.Checkpoint, note.Note, bytes]:
    """Return a stamped head, its signatures, and its bytes; VerifyError."""
    data = files.need(root, where, checkpoint.MAX_OWN)
    head, signed = checkpoint.parse(data, where=where)
    if head.origin != origin:
        raise VerifyError("origin", where, "of another log", "別のログのものです")
    if where != f"{FOLDER}/{head.size}.note":
        raise FormatError(where, f"the head is of {head.size} entries", f"名前と、中の件数（{head.size}）が違います")
    return head, signed, data


def check(stamped: bytes, response: bytes, *, where: str, roots: Sequence[Any]) -> tuple[dt.datetime, str]:
    """Verify a time stamp response over the bytes ``stamped`` and return (time, the authority's name); VerifyError.

    With ``roots`` (cryptography's certificates) the authority's signature and chain are verified, as of the stamp's own
    time; without them only what was stamped. ImportError when rfc3161-client is not installed.
    """
    import rfc3161_client  # noqa: PLC0415  an optional package

    try:
        decoded = rfc3161_client.decode_timestamp_response(response)
        info = decoded.tst_info
        imprint = info.message_imprint
        _refuse_strange(decoded, response)
        facts = (decoded.status, imprint.hash_algorithm.dotted_string, imprint.message)
        when, authority = info.gen_time, _authority(decoded)
    except Exception as error:  # the parser below raises whatever its own parts do
        raise FormatError(where, "not a time stamp response", "タイムスタンプの応答の形ではありません") from error
    if facts != (0, _SHA256, hashlib.sha256(stamped).digest()):
        raise VerifyError(
            "stamp", where, "not granted, or over other bytes", "認められていないか、別のものへのタイムスタンプです"
        )
    if roots:
        builder = rfc3161_client.VerifierBuilder()
        for root in roots:
            builder = builder.add_root_certificate(root)
        try:
            builder.build().verify(decoded, facts[2])
        except Exception as error:  # see above
            raise VerifyError(
                "stamp",
                where,
                f"the authority's signature does not hold ({error})",
                f"時刻認証局の署名が正しくありません（{error}）",
            ) from error
    return when, authority


def _refuse_strange(decoded: Any, response: bytes) -> None:
    """Refuse a response whose bytes are not its one form; ValueError.

    What the signature does not cover (versions, the name of its algorithm) proves nothing, but may not vary either.
    """
    signers = list(decoded.signed_data.signer_infos)
    if decoded.as_bytes() != response or len(signers) != 1:
        raise ValueError("not in its one form")
    if (decoded.signed_data.version, signers[0].version) != (_SIGNED_DATA, _SIGNER):
        raise ValueError("versions")
    # TimeStampResp: status, token; token: type, [0]; SignedData: …, signers; signer: version, sid, digest, [0], algorithm, …
    token = _parts(_parts(response)[1])
    signer = _parts(_parts(_parts(_parts(token[1])[0])[-1])[0])
    digest, algorithm = _body(signer[2]).removesuffix(_NULL), _body(signer[4])
    known = _ALGORITHMS.get(digest[-1], set()) if digest[:-1] == _DIGEST else set()
    if algorithm not in known and not algorithm.startswith(_PSS):
        raise ValueError("algorithms")


def _body(data: bytes) -> bytes:
    """Return the content of one DER value; ValueError."""
    start, end = _span(data)
    if end != len(data):
        raise ValueError("DER")
    return data[start:end]


def _parts(data: bytes) -> list[bytes]:
    """Return the DER values inside one; ValueError."""
    body, found = _body(data), []
    while body:
        _, end = _span(body)
        found.append(body[:end])
        body = body[end:]
    return found


def _span(data: bytes) -> tuple[int, int]:
    """Return where the content of the DER value at the beginning of ``data`` starts and ends; ValueError."""
    start = 2 + (data[1] & 0x7F if len(data) > 1 and data[1] & 0x80 else 0)
    if len(data) < start:
        raise ValueError("DER")
    end = start + (int.from_bytes(data[2:start]) if start > 2 else data[1])  # noqa: PLR2004  tag, length
    if len(data) < end:
        raise ValueError("DER")
    return start, end


def _authority(decoded: Any) -> str:
    """Return the subject of the certificate that signed, or its issuer when the certificate is not in the response."""
    from cryptography import x509  # noqa: PLC0415  beside rfc3161-client

    signer = next(iter(decoded.signed_data.signer_infos))
    for data in decoded.signed_data.certificates:
        certificate = x509.load_der_x509_certificate(data)
        if certificate.issuer == signer.issuer and certificate.serial_number == signer.serial_number:
            return certificate.subject.rfc4514_string()
    return str(signer.issuer.rfc4514_string())
