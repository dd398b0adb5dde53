"""Asking a witness to cosign a head (c2sp.org/tlog-witness at C2SP 5ba5ee8, cosignatures c2sp.org/tlog-cosignature).

Only origin, size, root and hashes of subtrees leave the house. Network and formats only: no database here, so nothing
can be asked inside a transaction by mistake; ``anchors`` decides when to ask and what an answer means for the log.
"""

from __future__ import annotations

import base64
import datetime as dt
import hashlib
import re
from collections.abc import Callable
from dataclasses import dataclass

from kitei.foundation.text import Message
from kitei.trust.auditlog import outsiders
from kitei.trust.auditlog.outsiders import AnchorError
from kitei_verify import checkpoint, note, policy
from kitei_verify.checkpoint import Checkpoint
from kitei_verify.errors import VerifyError
from kitei_verify.note import COSIGNATURE, Note, VerifierKey
from kitei_verify.policy import Policy

SKEW = dt.timedelta(hours=1)
"""How far an outsider's clock may be from ours. Wide, because theirs counts and ours may be the wrong one."""
LABEL_LENGTH = 200
OK, CONFLICT, UNPROCESSABLE = 200, 409, 422
_WITH_ADDRESS = 4  # witness <name> <key> <url>
_SIZE = re.compile(rb"(0|[1-9]\d{0,18})\n\Z")
_SIZE_TYPE = "text/x.tlog.size"
_REFUSALS = {
    400: Message("依頼の形が正しくないと答えました（400）。"),
    403: Message("この記録の署名を認めません（403）。立会者に、いまの検証鍵（log.vkey）を登録してもらってください。"),
    404: Message(
        "この記録を知らないと答えました（404）。立会者に、log.vkey を登録してもらい、URLが正しいかを確かめてください。"
    ),
}


@dataclass(frozen=True)
class Witness:
    """A witness of the policy that has an address: name in the policy, key, submission prefix."""

    name: str
    key: VerifierKey
    url: str

    @property
    def label(self) -> str:
        """The name as text for rows and pages: policy names are bytes of any kind and length."""
        return self.name.encode("utf-8", "backslashreplace").decode()[:LABEL_LENGTH]

    def address(self, last: str) -> str:
        """Return the address of one of its calls."""
        return f"{self.url.rstrip('/')}/{last}"


@dataclass(frozen=True)
class Cosigned:
    """A cosignature that was verified: its line (with newline), and the time the witness says."""

    line: bytes
    at: dt.datetime


class Disagreement(Exception):  # noqa: N818  not a failure of ours or the witness's but what it found
    """The witness knows a tree that ours does not extend.

    ``ahead``: it cosigned more leaves (``known``) than were ever signed here. ``fork``: ours does not grow out of the
    ``known`` leaves it cosigned.
    """

    def __init__(self, kind: str, known: int) -> None:
        super().__init__(f"{kind} {known}")
        self.kind = kind
        self.known = known


def read_policy(data: bytes, *, where: str) -> tuple[Policy, list[Witness]]:
    """Read a tlog-policy file and return it with those witnesses that have an address to ask; FormatError."""
    read = policy.parse(data, where=where)
    found = []
    for line in data.decode("utf-8", "surrogateescape").split("\n"):
        words = line.replace("\t", " ").split(" ")
        words = [word for word in words if word]
        if len(words) == _WITH_ADDRESS and words[0] == "witness":
            found.append(Witness(words[1], read.witnesses[words[1]], words[3]))
    return read, found


def request(old: int, proof: list[bytes], signed: bytes) -> bytes:
    """Return the body of add-checkpoint."""
    lines = [f"old {old}", *(base64.b64encode(step).decode() for step in proof), ""]
    return "".join(f"{line}\n" for line in lines).encode() + signed


def cosign(
    witness: Witness, *, old: int, signed: bytes, prove: Callable[[int], list[bytes]], now: dt.datetime
) -> Cosigned:
    """Have the head ``signed`` cosigned by a witness that last cosigned ``old`` leaves, and return what it gave.

    ``prove(size)`` gives the consistency proof from ``size`` to the head. When the witness remembers another size it is
    asked once more from there. Raises Disagreement for what only a rolled back or forked log brings about, AnchorError
    for all else, AnchorError of ``prove`` included.
    """
    head, ours = checkpoint.parse(signed, where="head")
    old = min(old, head.size)
    for _again in range(2):
        reply = _add(witness, old, prove(old), signed)
        if reply.status == OK:
            return accept(witness, ours.text, reply.body, now=now)
        if reply.status == UNPROCESSABLE and old:
            raise Disagreement("fork", old)
        if reply.status != CONFLICT:
            raise AnchorError(refusal(reply.status))
        known = _size(reply)
        if known > head.size:
            raise Disagreement("ahead", known)
        if known == old:
            break
        old = known
    raise AnchorError(Message("件数が食い違うと、繰り返し答えました（409）。"))


def known_size(witness: Witness, signed: bytes, *, now: dt.datetime) -> tuple[int, bool | None]:
    """Return how many leaves the witness last cosigned, and whether its root of the head's size is ours (None: unknown).

    Asks with the head's own size as the old one. Then a witness of another size has to answer 409 with its size, and one
    of the same size can only repeat what it vouched for (200) or object to the root (422): its state never moves.
    """
    head, ours = checkpoint.parse(signed, where="head")
    reply = _add(witness, head.size, [], signed)
    if reply.status == CONFLICT:
        return _size(reply), None
    if reply.status == UNPROCESSABLE:
        return head.size, False
    if reply.status != OK:
        raise AnchorError(refusal(reply.status))
    accept(witness, ours.text, reply.body, now=now)
    return head.size, True


def monitored(witness: Witness, origin: str) -> Checkpoint | None:
    """Return the checkpoint a witness shows to everybody if it carries its own cosignature; None otherwise.

    The monitoring prefix may be the submission prefix (tlog-witness); whoever separates them is simply not asked here.
    """
    try:
        reply = outsiders.get(witness.address(f"{hashlib.sha256(origin.encode()).hexdigest()}/checkpoint"))
        if reply.status != OK:
            return None
        shown, signed = checkpoint.parse(reply.body, where=witness.name)
        cosigned = note.verify(signed, witness.key, where=witness.name)
    except (AnchorError, VerifyError):
        return None
    return shown if cosigned and shown.origin == origin else None


def accept(witness: Witness, text: str, body: bytes, *, now: dt.datetime) -> Cosigned:
    """Return the cosignature in the answer ``body`` over our own note text; AnchorError unless it counts.

    Lines of keys not in the policy are ignored (tlog-witness); one of the witness's own key has to be right.
    """
    try:
        parsed = note.parse(text.encode() + b"\n" + body, where=witness.name)
        made = [
            line for line in parsed.signatures if (line.name, line.key_id) == (witness.key.name, witness.key.key_id)
        ]
        if parsed.text != text or not made or witness.key.kind != COSIGNATURE:
            raise AnchorError(Message("返事に、方針の鍵による連署がありません。鍵を確かめてください。"))
        seconds = note.verify(Note(text, (made[0],)), witness.key, where=witness.name)
    except VerifyError as error:
        raise AnchorError(Message("返事の連署が正しくないので、受け取りませんでした。")) from error
    return Cosigned(made[0].line().encode(), moment(seconds or 0, now=now))


def moment(seconds: int, *, now: dt.datetime) -> dt.datetime:
    """Return an outsider's time as an instant; AnchorError when it is too far from ours to be one."""
    if abs(seconds - now.timestamp()) > SKEW.total_seconds():
        raise AnchorError(Message("相手の時刻が、こちらの時計と1時間を超えて違います。時計を確かめてください。"))
    return dt.datetime.fromtimestamp(seconds, tz=dt.UTC)


def refusal(status: int) -> Message:
    """Return the sentence for a status that gives nothing."""
    return _REFUSALS.get(status) or Message("HTTPの状態 %(status)d が返りました。", {"status": status})


def _add(witness: Witness, old: int, proof: list[bytes], signed: bytes) -> outsiders.Reply:
    return outsiders.post(witness.address("add-checkpoint"), request(old, proof, signed), "text/plain; charset=utf-8")


def _size(reply: outsiders.Reply) -> int:
    """Return the size in a 409. Its media type is demanded: a proxy's own 409 must not pass for a witness's word."""
    if reply.media_type != _SIZE_TYPE or not _SIZE.match(reply.body):
        raise AnchorError(Message("件数が食い違うとの返事（409）の形が正しくありません。"))
    return int(reply.body)
