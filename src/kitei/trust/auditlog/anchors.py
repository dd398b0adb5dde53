"""Outside anchors: what outsiders who hold no key of ours say about the heads of the log (security.md §1.3).

Witnesses cosign heads that extend what they knew; a time stamp authority says when a head existed. The worker calls ``run``
often; it asks whoever is due, outside any transaction, and never lets an outsider stop the log by being away, slow or
wrong. One thing does stop it: a witness that knows a tree ours does not extend, because then this log was rolled back or
forked and signing on would hide it.
"""

from __future__ import annotations

import datetime as dt
import json
from collections.abc import Callable, Iterable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path
from typing import Any, TypeVar
from urllib.parse import urlsplit

from cryptography.x509 import Certificate, load_pem_x509_certificates
from django.conf import settings

from kitei.foundation import clock
from kitei.foundation.text import Message
from kitei.trust.auditlog import logs, stamps, turns, witness
from kitei.trust.auditlog.models import Anchor, AnchorState, Head, Log
from kitei.trust.auditlog.outsiders import AnchorError
from kitei.trust.auditlog.store import FolderStore, Store
from kitei.trust.auditlog.tree import TileError, TileReader
from kitei.trust.auditlog.witness import Cosigned, Disagreement, Witness
from kitei_verify import merkle, note
from kitei_verify.errors import VerifyError
from kitei_verify.merkle import CompactRange, ProofError
from kitei_verify.note import Note, VerifierKey
from kitei_verify.policy import Policy

WITNESS, STAMP = "witness", "stamp"
POLICY = "KITEI_LOG_POLICY"
"""Under this name stands, among the witnesses, a policy that cannot be read."""
AT_ONCE = 8
"""Witnesses asked at the same time."""
_UNPROVABLE = Message("操作記録のファイルから証明を作れません。kitei verify で確かめてください。")

Republish = Callable[[Log, Store], None]
_Turn = TypeVar("_Turn")
_Answer = TypeVar("_Answer")


@dataclass(frozen=True)
class AnchorFact:
    """How it stands with one outsider. ``size`` is the newest head it gave something for (0: none), ``at`` its own time
    of that, ``behind`` how many published events that leaves out; ``error`` since ``failing_since``, None when all is
    well. ``configured`` is False for one that was asked in the past only.
    """  # noqa: D205  one sentence after the other reads better here

    kind: str
    name: str
    size: int
    at: dt.datetime | None
    behind: int
    asked_at: dt.datetime | None
    failing_since: dt.datetime | None
    error: Message | None
    configured: bool


@dataclass(frozen=True)
class Known:
    """What a witness knows of a log: ``size`` leaves (None: it could not be asked, ``error`` says why).

    ``root`` is its root of that size where it can be told: confirmed by the witness as ours, or shown by it under its own
    cosignature. ``forked``: it knows another root of the very size of our newest head.
    """

    source: str
    size: int | None
    root: bytes | None = None
    forked: bool = False
    error: Message | None = None


def due(log: Log, *, now: dt.datetime | None = None) -> bool:
    """Tell whether ``run`` would ask anybody now. Reads only."""
    moment = now or clock.now()
    head = _newest(log)
    if head is None or log.fault:
        return False
    try:
        asked = [turns.witness_due(turns.state_of(log, WITNESS, each.label), head.size, moment) for each in witnesses()]
    except AnchorError:
        asked = [turns.rested(turns.state_of(log, WITNESS, POLICY), moment)]
    return any(asked) or _stamp_due(log, head, moment)


def run(
    organization: Any,
    *,
    store: Store | None = None,
    now: dt.datetime | None = None,
    republish: Republish | None = None,
) -> None:
    """Ask every outsider that is due about the newest head and keep what verifies.

    Call it outside transactions, after each publication and also while nothing happens (it is cheap then): a head that
    came between two turns is anchored by a later call. Nothing an outsider does raises; OSError when the disk refuses.
    """
    moment = now or clock.now()
    log = logs.current(organization)
    head = _newest(log) if log else None
    if log is None or head is None or log.fault:
        return
    store = store or FolderStore(logs.folder_of(log))
    _ask_witnesses(log, head, store, moment)
    if _unattached(log, head, store):
        (republish or _publish)(log, store)
    _ask_authority(log, head, store, moment)


def witnesses() -> list[Witness]:
    """Return the witnesses of the policy that have an address; AnchorError when the policy cannot be read."""
    return _policy()[1]


def attach(signed: bytes, lines: Iterable[bytes]) -> bytes:
    """Return the note with cosignature lines added after the signatures it has, none twice (by key name and id)."""
    parsed = note.parse(signed, where="checkpoint")
    found = {(each.name, each.key_id): each for each in parsed.signatures}
    for line in lines:
        for each in note.parse(parsed.text.encode() + b"\n" + line, where="cosignature").signatures:
            found.setdefault((each.name, each.key_id), each)
    return Note(parsed.text, tuple(found.values())[: note.MAX_SIGNATURES]).encode()


def cosignatures(log: Log, size: int) -> list[bytes]:
    """Return the lines witnesses gave for the head of ``size``."""
    given = Anchor.objects.filter(log=log, kind=WITNESS, size=size).order_by("name")
    return [bytes(line) for line in given.values_list("evidence", flat=True)]


def witnessed(log: Log, *, within: int = 1000) -> bytes | None:
    """Return the newest checkpoint, cosignatures attached, that the policy's quorum accepts; None when there is none.

    Looks through the newest ``within`` cosigned heads; AnchorError when the policy cannot be read. The checkpoint that is published is newer whenever events come
    faster than witnesses are asked.
    """
    policy, _ = _policy()
    sizes = Anchor.objects.filter(log=log, kind=WITNESS).order_by("-size").values_list("size", flat=True).distinct()
    for size in sizes[:within]:
        head = Head.objects.filter(log=log, size=size).first()
        signed = attach(bytes(head.note), cosignatures(log, size)) if head else None
        if signed is not None and _quorum(policy, signed):
            return signed
    return None


def summary(log: Log) -> list[AnchorFact]:
    """Return how it stands with every outsider, witnesses first, by name."""
    head = _newest(log)
    now_known: set[tuple[str, str]] = set()
    try:
        now_known |= {(WITNESS, each.label) for each in witnesses()}
    except AnchorError:
        now_known.add((WITNESS, POLICY))
    if settings.TSA_URL:
        now_known.add((STAMP, _authority()))
    states = {(state.kind, state.name): state for state in AnchorState.objects.filter(log=log)}
    facts = []
    for kind, name in sorted(now_known | set(states), key=lambda each: (each[0] != WITNESS, each[1])):
        newest = Anchor.objects.filter(log=log, kind=kind, name=name).order_by("-size").first()
        state = states.get((kind, name))
        size = newest.size if newest else 0
        facts.append(
            AnchorFact(
                kind=kind,
                name=name,
                size=size,
                at=newest.made_at if newest else None,
                behind=max(head.size - size, 0) if head else 0,
                asked_at=state.asked_at if state else None,
                failing_since=state.failing_since if state else None,
                error=Message.from_json(json.loads(state.error)) if state and state.error else None,
                configured=(kind, name) in now_known,
            )
        )
    return facts


def newest_known(organization: Any, *, now: dt.datetime | None = None) -> list[Known]:
    """Ask every witness how much of the organization's open log it knows, letting it cosign nothing new: for a restore.

    Empty without witnesses, or before the first head. An unreadable policy is one entry that could not be asked.
    """
    moment = now or clock.now()
    log = logs.current(organization)
    head = _newest(log) if log else None
    if log is None or head is None:
        return []
    try:
        asked = witnesses()
    except AnchorError as error:
        return [Known(POLICY, None, error=error.message)]
    origin, signed, root = log.origin, bytes(head.note), bytes(head.root)

    def ask(each: Witness) -> Known:
        try:
            size, same = witness.known_size(each, signed, now=moment)
        except AnchorError as error:
            return Known(each.label, None, error=error.message)
        if same is not None:
            return Known(each.label, size, root if same else None, forked=not same)
        shown = witness.monitored(each, origin)
        return Known(each.label, size, shown.root if shown and shown.size == size else None)

    return _at_once(ask, asked)


# --- witnesses


def _policy() -> tuple[Policy, list[Witness]]:
    """Return the policy and whom to ask, read anew each time: a mended file needs no restart."""
    if settings.LOG_POLICY is None:
        return Policy(), []
    path = Path(settings.LOG_POLICY)
    try:
        return witness.read_policy(path.read_bytes(), where=path.name)
    except (OSError, VerifyError) as error:
        raise AnchorError(
            Message("外部の立会者の方針（KITEI_LOG_POLICY）を読めません。kitei doctor で確かめて、直してください。")
        ) from error


def _quorum(policy: Policy, signed: bytes) -> bool:
    parsed = note.parse(signed, where="checkpoint")

    def made_by(key: VerifierKey) -> bool:
        try:
            return bool(note.verify(parsed, key, where="checkpoint"))
        except VerifyError:
            return False

    return policy.satisfied([key for key in policy.witnesses.values() if made_by(key)])


def _ask_witnesses(log: Log, head: Head, store: Store, moment: dt.datetime) -> None:
    asked = _take_turns(log, head, moment)
    signed, prove = bytes(head.note), _prover(head, store)

    def ask(turn: tuple[Witness, int]) -> Cosigned | Disagreement | AnchorError:
        try:
            return witness.cosign(turn[0], old=turn[1], signed=signed, prove=prove, now=moment)
        except (Disagreement, AnchorError) as error:
            return error

    for (each, _), answer in zip(asked, _at_once(ask, asked), strict=True):
        if isinstance(answer, Cosigned):
            turns.keep(log, WITNESS, each.label, head.size, answer.at, answer.line)
        elif isinstance(answer, Disagreement):
            _disagreed(log, head, store, each, answer, moment)
        else:
            turns.failed(log, WITNESS, each.label, moment, answer.message)


def _take_turns(log: Log, head: Head, moment: dt.datetime) -> list[tuple[Witness, int]]:
    """Return whom this worker asks now, each with the size it is believed to know."""
    try:
        chosen = witnesses()
    except AnchorError as error:
        state = turns.state_of(log, WITNESS, POLICY)
        if turns.rested(state, moment) and turns.claim(log, WITNESS, POLICY, state, moment):
            turns.failed(log, WITNESS, POLICY, moment, error.message)
        return []
    if turns.state_of(log, WITNESS, POLICY):  # mended; looked for first, because a DELETE takes the write lock
        AnchorState.objects.filter(log=log, kind=WITNESS, name=POLICY).delete()
    asked = []
    for each in chosen:
        state = turns.state_of(log, WITNESS, each.label)
        if turns.witness_due(state, head.size, moment) and turns.claim(log, WITNESS, each.label, state, moment):
            asked.append((each, state.size if state else 0))
    return asked


def _at_once(work: Callable[[_Turn], _Answer], asked: list[_Turn]) -> list[_Answer]:
    """Ask several at the same time: one that is away must not make the others wait. ``work`` keeps off the database."""
    if not asked:
        return []
    with ThreadPoolExecutor(max_workers=min(len(asked), AT_ONCE)) as pool:
        return list(pool.map(work, asked))


def _prover(head: Head, store: Store) -> Callable[[int], list[bytes]]:
    """Return what makes consistency proofs up to ``head`` from the tiles, each verified before it leaves the house.

    A spoiled tile must not look like a fork to the witness.
    """
    reader, size, root = TileReader(store, head.size), head.size, bytes(head.root)

    def prove(old: int) -> list[bytes]:
        try:
            proof = merkle.consistency_proof(old, size, reader.subtree)
            before = CompactRange(old, [reader.subtree(*place) for place in merkle.subtrees(0, old)])
            merkle.verify_consistency(old, size, before.root(), root, proof)
        except (TileError, ProofError, OSError) as error:
            raise AnchorError(_UNPROVABLE) from error
        return proof

    return prove


def _disagreed(log: Log, head: Head, store: Store, each: Witness, found: Disagreement, moment: dt.datetime) -> None:
    newest = _newest(log)
    if found.kind == "ahead" and newest is not None and found.known <= newest.size:
        return  # another worker had a newer head cosigned meanwhile
    if found.kind == "fork" and _vouched(log, head, store, each, found.known):
        message = Message("立会者の答えが、立会者自身の前の連署と食い違います。立会者に確かめてください。")
        turns.failed(log, WITNESS, each.label, moment, message)
        return
    if found.kind == "ahead":
        message = Message(
            "立会者「%(name)s」は%(known)d件まで連署していますが、ここで署名したのは%(size)d件までです。記録が古い状態に戻されています。"
            "docs/operate/anchors.md の「記録が止まったとき」に従ってください。",
            {"name": each.label[:80], "known": found.known, "size": newest.size if newest else 0},
        )
    else:
        message = Message(
            "立会者「%(name)s」が連署した%(known)d件の記録の続きになっていません。記録が書き換えられたか、二つに分かれています。"
            "docs/operate/anchors.md の「記録が止まったとき」に従ってください。",
            {"name": each.label[:80], "known": found.known},
        )
    turns.failed(log, WITNESS, each.label, moment, message)
    logs.set_fault(log, message)


def _vouched(log: Log, head: Head, store: Store, each: Witness, known: int) -> bool:
    """Whether we hold the witness's own cosignature over our head of ``known``, and provably extend that head."""
    before = Head.objects.filter(log=log, size=known).first()
    kept = Anchor.objects.filter(log=log, kind=WITNESS, name=each.label, size=known).first()
    if before is None or kept is None:
        return False
    try:
        old = note.parse(attach(bytes(before.note), [bytes(kept.evidence)]), where="head")
        if note.verify(old, each.key, where="head") is None:
            return False
        proof = _prover(head, store)(known)
        merkle.verify_consistency(known, head.size, bytes(before.root), bytes(head.root), proof)
    except (VerifyError, AnchorError, ProofError):
        return False
    return True


def _unattached(log: Log, head: Head, store: Store) -> bool:
    """Whether the published file is this head's and lacks a cosignature we hold: just come, or left by a crash."""
    lines = cosignatures(log, head.size)
    published = store.read("checkpoint") if lines else None
    if published is None:
        return bool(lines)
    try:
        return published != attach(published, lines) and note.parse(published, where="checkpoint").text == _text(head)
    except VerifyError:
        return False  # the sequencer publishes anew


def _publish(log: Log, store: Store) -> None:
    from kitei.trust.auditlog import sequencer  # noqa: PLC0415  it imports this module

    sequencer.publish_file(log, store)


# --- the time stamp authority


def _ask_authority(log: Log, head: Head, store: Store, moment: dt.datetime) -> None:
    if _stamp_due(log, head, moment) and turns.claim(
        log, STAMP, _authority(), turns.state_of(log, STAMP, _authority()), moment
    ):
        try:
            made = stamps.obtain(settings.TSA_URL, _roots(), bytes(head.note), now=moment)
        except AnchorError as error:
            turns.failed(log, STAMP, _authority(), moment, error.message)
        else:
            turns.keep(log, STAMP, _authority(), head.size, made.at, made.der)
    newest = Anchor.objects.filter(log=log, kind=STAMP).order_by("-size").first()
    stamped = Head.objects.filter(log=log, size=newest.size).first() if newest else None
    if newest and stamped:  # also what a crash kept from being written
        with store.lock():  # an ended log has given its folder to the next one, where its stamps have no place
            if Log.objects.filter(pk=log.pk, closed_at__isnull=True).exists():
                stamps.place(store, newest.size, bytes(stamped.note), bytes(newest.evidence))


def _stamp_due(log: Log, head: Head, moment: dt.datetime) -> bool:
    if not settings.TSA_URL:
        return False
    state = turns.state_of(log, STAMP, _authority())
    if state is None:
        return True
    if state.size >= head.size or not turns.rested(state, moment):
        return False
    last = Anchor.objects.filter(log=log, kind=STAMP, name=_authority()).order_by("-size").first()
    return last is None or not last.made_at <= moment < last.made_at + dt.timedelta(hours=settings.TSA_HOURS)


def _authority() -> str:
    return urlsplit(settings.TSA_URL).hostname or ""


def _roots() -> list[Certificate]:
    try:
        return load_pem_x509_certificates(Path(settings.TSA_ROOT or "").read_bytes())
    except (OSError, ValueError) as error:
        raise AnchorError(Message("KITEI_TSA_ROOT の証明書を読めません。PEMのファイルを指定してください。")) from error


def _newest(log: Log) -> Head | None:
    return Head.objects.filter(log=log).order_by("-size").first()


def _text(head: Head) -> str:
    return note.parse(bytes(head.note), where="head").text
