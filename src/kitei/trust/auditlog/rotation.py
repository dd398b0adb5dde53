"""Changing the key of a log, and putting the folder of an ended log aside.

A rotation in steps that can each be repeated: the following key is made; an event in the log names it; the first head
that holds this event is signed by both keys and kept as ``handover/NNNN``; then the following key takes over. Who keeps
the old verifier key outside follows the log through these heads (docs/reference/log-format.md).
"""

from __future__ import annotations

import json
from typing import Any

from kitei.foundation import transactions
from kitei.foundation.text import Message, UserError
from kitei.trust.auditlog import events, keys
from kitei.trust.auditlog import store as stores
from kitei.trust.auditlog.log import Act, append
from kitei.trust.auditlog.logs import current, ref
from kitei.trust.auditlog.models import Event, Head, Log
from kitei.trust.auditlog.store import Store
from kitei_verify import checkpoint, note
from kitei_verify.errors import VerifyError
from kitei_verify.note import Signer, VerifierKey

_WRONG_KEY = Message(
    "操作記録の最新の署名が、今の鍵のものではありません。控えから鍵を戻すか、kitei log restart を行ってください。"
)


def rotate(*, actor_ref: tuple[str, str], organization: Any) -> VerifierKey:
    """Begin to change the key of the organization's log; the next signed head hands over. Joins the transaction.

    Raises UserError when there is no log, or a rotation is under way.
    """
    transactions.require()
    log = current(organization)
    if log is None:
        raise UserError(Message("操作記録がまだありません。先に kitei upgrade を行ってください。"))
    organization.hold()  # of two at once the second one sees the first one's event
    keys.signer(organization.code, log.generation)  # without the old key there is no hand-over, so no new one is made
    if _announced(log) is not None:
        raise UserError(Message("鍵の交換が進行中です。kitei worker --once を行ってから、もう一度試してください。"))
    new = keys.create(organization.code, log.origin, log.generation, following=True)
    # Only now: until the check above a sequencer may just have finished the rotation before.
    old = keys.signer(organization.code, log.generation).key
    append(
        organization=organization,
        act=Act(events.LOG_KEY_ROTATED, actor_ref, ref(log), data={"old": str(old), "new": str(new)}),
    )
    return new


def _rotations(log: Log) -> list[dict[str, Any]]:
    """Return the data of every rotation that stands in the tree, oldest first."""
    rows = Event.objects.filter(
        organization=log.organization_id,
        name=events.LOG_KEY_ROTATED.name,
        leaf_index__gte=log.base,
        leaf_index__lt=log.base + log.size,
    ).order_by("leaf_index")
    return [json.loads(bytes(payload))["data"] for payload in rows.values_list("payload", flat=True)]


def _announced(log: Log) -> Signer | None:
    """Return the following key when an event, placed or pending, names it."""
    following = keys.following(log.organization.code, log.generation)
    if following is None:
        return None
    rows = Event.objects.filter(organization=log.organization_id, name=events.LOG_KEY_ROTATED.name)
    named = [json.loads(bytes(payload))["data"]["new"] for payload in rows.values_list("payload", flat=True)]
    return following if str(following.key) in named else None


def under_way(log: Log) -> bool:
    """Whether the tree names a following key that has not taken over yet."""
    following = keys.following(log.organization.code, log.generation)
    return following is not None and str(following.key) in [data["new"] for data in _rotations(log)]


def signers(log: Log) -> list[Signer]:
    """Return who signs the next head of ``log`` (as committed): the key, and the following one once the tree names it."""
    present = keys.signer(log.organization.code, log.generation)
    following = keys.following(log.organization.code, log.generation)
    if following is None or str(following.key) not in [data["new"] for data in _rotations(log)]:
        return [present]
    return [present, following]


def hand_over(log: Log, head: Head, store: Store) -> None:
    """Finish a rotation when ``head`` is signed by both keys: keep it as a hand-over, then let the new key take over."""
    following = keys.following(log.organization.code, log.generation)
    if following is None:
        return
    try:
        _, signed = checkpoint.parse(bytes(head.note), where="head")
        if note.verify(signed, following.key, where="head") is None:
            return
    except VerifyError:
        return  # the stored note was changed: ``newest_key`` refuses it
    # Numbered by what was handed over, not by what was announced: a following key may have been lost before it took over.
    kept = [name for name in store.siblings("handover") if name.isdigit()]
    if not kept or store.read(f"handover/{kept[-1]}") != bytes(head.note):
        kept.append(f"{int(kept[-1]) + 1 if kept else 1:04d}")
    store.write(f"handover/{kept[-1]}", bytes(head.note))
    store.sync()
    keys.take_over(log.organization.code, log.generation)


def newest_key(log: Log, head: Head) -> VerifierKey:
    """Return the verifier key of whoever signed ``head`` last: the new one after a hand-over."""
    present = keys.signer(log.organization.code, log.generation).key
    try:
        found, signed = checkpoint.parse(bytes(head.note), where="head")
        holds = note.verify(signed, present, where="head") is not None
        holds = holds and not _replaced(log, present, signed)
        holds = holds and (found.origin, found.size, found.root) == (log.origin, head.size, bytes(head.root))
    except VerifyError:  # the stored note was changed
        holds = False
    if not holds:
        raise UserError(_WRONG_KEY)
    return present


def _replaced(log: Log, present: VerifierKey, signed: note.Note) -> bool:
    """Whether a key that took over from ``present`` signed already: then an old file was put back in its place."""
    following = keys.following(log.organization.code, log.generation)
    named = [data["new"] for data in _rotations(log)]
    later = [note.parse_key(text) for text in named[named.index(str(present)) + 1 if str(present) in named else 0 :]]
    return any(
        note.verify(signed, key, where="head") is not None for key in later if following is None or key != following.key
    )


def require_key(log: Log, head: Head | None) -> None:
    """Raise UserError unless the key at hand is the one that signed ``head``, or was named when the log was opened.

    A wrong key file put into its place must not sign: no hand-over would lead to it.
    """
    if head is not None:
        newest_key(log, head)
        return
    opening = Event.objects.filter(organization=log.organization_id, name=events.LOG_OPENED.name, object_id=ref(log)[1])
    named = [json.loads(bytes(payload))["data"]["vkey"] for payload in opening.values_list("payload", flat=True)]
    if str(keys.signer(log.organization.code, log.generation).key) not in named:
        raise UserError(_WRONG_KEY)


def settle_folder(log: Log) -> None:
    """Put the folder of an ended log aside when the open one is to stand there (the second half of ``logs.restart``)."""
    if log.generation == 1:
        return
    here = stores.folder(log.organization.code)
    if not here.exists():
        return
    with stores.FolderStore(here).lock():  # who still publishes the ended log finishes first
        ended = Log.objects.filter(organization=log.organization_id, closed_at__isnull=False)
        data = stores.FolderStore(here).read("checkpoint")
        try:
            found = checkpoint.parse(data, where="checkpoint")[0].origin if data is not None else ""
        except VerifyError:
            found = ""
        if found:
            stands = ended.filter(origin=found).first()
        else:
            # Gone or spoiled: the files are the ended log's unless the open one has signed here already. Writing over
            # them would destroy what they still prove.
            stands = ended.filter(generation=log.generation - 1).first()
            stands = None if Head.objects.filter(log=log).exists() else stands
        aside = stores.folder(log.organization.code, stands.generation) if stands else here
        if not aside.exists():
            here.rename(aside)
