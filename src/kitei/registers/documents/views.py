"""Opening a document: the file of the version in force, or of an earlier one (row ウ-1)."""

from __future__ import annotations

import io
import uuid

from django.http import FileResponse, HttpRequest, HttpResponseBase
from django.views.decorators.http import require_safe

from kitei.registers.documents import queries
from kitei.trust.access import rule
from kitei.trust.access.models import Classification
from kitei.trust.access.requests import actor_of


@require_safe
def file(request: HttpRequest, identity: uuid.UUID, state: uuid.UUID) -> HttpResponseBase:
    """Send the file of one version, as an attachment, after the event is committed.

    What is 公開 or 社外秘 every member may open; what is above asks the right to take out, which officers have. Unknown,
    another organization's and forbidden are refused alike.
    """
    actor = actor_of(request)
    found = queries.version(actor=actor, document_id=identity, state_id=state)
    if found is None:
        target = rule.Target("document", str(identity), actor.organization)
        raise rule.Refused(actor, rule.VIEW, target, rule.Decision(allowed=False, reasons=("no-visible-row",)))
    open_to_members = found.classification <= Classification.INTERNAL
    kept = queries.open_file(actor=actor, state=found, action=rule.VIEW if open_to_members else rule.DOWNLOAD)
    content = queries.read_file(file=kept)
    return FileResponse(io.BytesIO(content), as_attachment=True, filename=kept.name, content_type=kept.content_type)
