"""Time stamps (RFC 3161) over the bytes of a signed head: a third party's word that it existed by then.

One stamp covers every event below the head, through inclusion proofs. Only a SHA-256 hash leaves the house.
"""

from __future__ import annotations

import datetime as dt
from dataclasses import dataclass

from cryptography.x509 import Certificate, ObjectIdentifier
from rfc3161_client import (
    HashAlgorithm,
    TimestampRequestBuilder,
    TimeStampResponse,
    VerificationError,
    VerifierBuilder,
    decode_timestamp_response,
)

from kitei.foundation.text import Message
from kitei.trust.auditlog import outsiders
from kitei.trust.auditlog.outsiders import AnchorError
from kitei.trust.auditlog.store import Store
from kitei.trust.auditlog.witness import OK, moment, refusal
from kitei_verify import stamps as verifier
from kitei_verify.errors import VerifyError

_GRANTED = 0
_SHA256 = ObjectIdentifier("2.16.840.1.101.3.4.2.1")
_GARBLED = Message("返事がタイムスタンプの形（RFC 3161）になっていません。")


@dataclass(frozen=True)
class Stamp:
    """A verified answer (DER of the whole TimeStampResp) and the time it certifies."""

    der: bytes
    at: dt.datetime


def obtain(url: str, roots: list[Certificate], signed: bytes, *, now: dt.datetime) -> Stamp:
    """Have ``signed`` stamped by the authority at ``url`` and return the answer once it verifies; AnchorError.

    Verified are: status, nonce, imprint, signature, the certificate's purpose and its chain to ``roots`` at that time.
    """
    wanted = (
        TimestampRequestBuilder()
        .data(signed)
        .hash_algorithm(HashAlgorithm.SHA256)
        .nonce(nonce=True)
        .cert_request(cert_request=True)
        .build()
    )
    reply = outsiders.post(url, wanted.as_bytes(), "application/timestamp-query")
    if reply.status != OK:
        raise AnchorError(refusal(reply.status))
    try:
        answer = decode_timestamp_response(reply.body)
    except ValueError as error:
        raise AnchorError(_GARBLED) from error
    at = _verified(answer, roots, signed, wanted.nonce, now)
    _as_verifier(reply.body, roots, signed)
    return Stamp(reply.body, at)


def _verified(
    answer: TimeStampResponse, roots: list[Certificate], signed: bytes, nonce: int | None, now: dt.datetime
) -> dt.datetime:
    if answer.status != _GRANTED:
        raise AnchorError(
            Message(
                "時刻認証局が発行を断りました（状態 %(status)d）。契約と設定を確かめてください。",
                {"status": answer.status},
            )
        )
    builder = VerifierBuilder(roots=list(roots), nonce=nonce)
    try:
        if answer.tst_info.message_imprint.hash_algorithm != _SHA256:
            raise AnchorError(_GARBLED)
        builder.build().verify_message(answer, signed)
        at = answer.tst_info.gen_time
    except VerificationError as error:
        raise AnchorError(
            Message(
                "タイムスタンプを確かめられません（%(reason)s）。KITEI_TSA_ROOT の証明書を確かめてください。",
                {"reason": str(error)[:100]},
            )
        ) from error
    except ValueError as error:
        raise AnchorError(_GARBLED) from error
    if at.tzinfo is None:
        at = at.replace(tzinfo=dt.UTC)
    moment(int(at.timestamp()), now=now)
    return at


def _as_verifier(der: bytes, roots: list[Certificate], signed: bytes) -> None:
    """Refuse what our own verifier would refuse later: once it stands beside the log, the log would not verify any more."""
    try:
        verifier.check(signed, der, where="stamp", roots=roots)
    except VerifyError as error:
        raise AnchorError(_GARBLED) from error


def place(store: Store, size: int, signed: bytes, der: bytes) -> None:
    """Put a stamp beside the log, the note first; nothing when both stand there already (after a crash one may not)."""
    wanted = {f"stamp/{size}.note": signed, f"stamp/{size}.tsr": der}
    gone = [path for path, data in wanted.items() if store.read(path) != data]
    for path in gone:
        store.write(path, wanted[path])
    if gone:
        store.sync()
