"""One event with its proof, in one file that verifies offline (c2sp.org/tlog-proof)."""

from __future__ import annotations

import base64
from typing import Any

from kitei.foundation.text import Message, UserError
from kitei.trust.auditlog.logs import folder_of
from kitei.trust.auditlog.models import Event, Log, Opening
from kitei.trust.auditlog.store import FolderStore, Store
from kitei.trust.auditlog.tree import TileError, TileReader
from kitei_verify import canonical, checkpoint, merkle
from kitei_verify.errors import VerifyError

_NOT_YET = Message("この記録は、まだ署名された操作記録に入っていません。数秒後にもう一度試してください。")


def log_of(event: Event) -> Log | None:
    """Return the log that holds the event; None while it is pending."""
    if event.leaf_index is None:
        return None
    held = Log.objects.select_related("organization").filter(
        organization=event.organization_id, base__lte=event.leaf_index
    )
    return held.order_by("-base", "-generation").first()


def inclusion(event: Event, *, openings: bool = True, store: Store | None = None) -> bytes:
    """Return the ``.tlog-proof`` file of an event: its bytes, openings not erased, audit path, published checkpoint.

    Raises UserError while no published head holds the event, or when the log's files do not agree with it.
    """
    log = log_of(event)
    if log is None or event.leaf_index is None:
        raise UserError(_NOT_YET)
    store = store or FolderStore(folder_of(log))
    note = store.read("checkpoint")
    index = event.leaf_index - log.base
    broken = Message("操作記録のファイルが、この記録と合いません。kitei verify で確かめてください。")
    if note is None:
        raise UserError(_NOT_YET)
    try:
        head, _ = checkpoint.parse(note, where="checkpoint")
        if index >= head.size:
            raise UserError(_NOT_YET)
        path = merkle.inclusion_proof(index, head.size, TileReader(store, head.size).subtree)
        leaf = merkle.leaf_hash(bytes(event.payload))
        merkle.verify_inclusion(index, head.size, leaf, path, head.root)
    except (VerifyError, TileError, merkle.ProofError) as error:
        raise UserError(broken) from error
    extra = base64.b64encode(canonical.encode(_extra(event, openings=openings))).decode()
    lines = ["c2sp.org/tlog-proof@v1", f"extra {extra}", f"index {index}"]
    lines += [base64.b64encode(sibling).decode() for sibling in path]
    return ("\n".join(lines) + "\n\n").encode() + note


def _extra(event: Event, *, openings: bool) -> dict[str, Any]:
    extra: dict[str, Any] = {"entry": bytes(event.payload).decode()}
    if openings:
        rows = Opening.objects.filter(organization=event.organization_id, event_id=event.id)
        opened = {row.field: {"salt": bytes(row.salt).hex(), "value": row.value} for row in rows}
        if opened:
            extra["openings"] = opened
    return extra
