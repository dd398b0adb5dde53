"""The newest signed head, as outputs print it: whoever keeps such a line can later tell a log that was rewritten.

Size and root are those of the checkpoint with that size (c2sp.org/tlog-checkpoint): ``kitei-verify`` compares them.
"""

from __future__ import annotations

import base64
from typing import Any

from kitei.foundation import clock
from kitei.foundation.text import Message
from kitei.trust.auditlog.models import Head


def newest(organization: Any) -> Head | None:
    """Return the newest signed head of the open log with its log; None while nothing was signed. One query."""
    found = Head.objects.filter(log__organization=organization, log__closed_at__isnull=True)
    return found.select_related("log").order_by("-size").first()


def root_text(head: Head) -> str:
    """Return the root hash as it stands in the checkpoint: base64."""
    return base64.b64encode(bytes(head.root)).decode()


def head_message(organization: Any) -> Message:
    """Return the line about the newest head that every export carries."""
    head = newest(organization)
    if head is None:
        return Message("操作記録: まだ署名されていません")
    return Message(
        "操作記録 %(origin)s: 件数 %(size)s、ハッシュ %(root)s（%(moment)s 署名）",
        {
            "origin": head.log.origin,
            "size": str(head.size),
            "root": root_text(head),
            "moment": f"{head.signed_at.astimezone(clock.TOKYO):%Y-%m-%d %H:%M}",
        },
    )


def head_line(organization: Any) -> str:
    """Return ``head_message`` in the active language."""
    return head_message(organization).render()
