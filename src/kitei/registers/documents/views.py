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
from kitei.trust.accounts import stepup


@require_safe
def file(request: HttpRequest, identity: uuid.UUID, state: uuid.UUID) -> HttpResponseBase:
    """Send the file of one version, as an attachment, after the event is committed.

    What is 公開 or 社外秘 every member may open; what is above asks the right to take out, which officers have, and a fresh
    proof of who they are. Unknown, another organization's and forbidden are refused alike.
    """
    actor = actor_of(request)
    found = queries.version(actor=actor, document_id=identity, state_id=state)
    if found is None:
        raise _closed(actor, identity, state)
    open_to_members = found.classification <= Classification.INTERNAL
    if not open_to_members:
        rule.require(actor, rule.DOWNLOAD, rule.target_of(found))
        stepup.demand(request)
    kept = queries.open_file(actor=actor, state=found, action=rule.VIEW if open_to_members else rule.DOWNLOAD)
    content = queries.read_file(file=kept)
    return FileResponse(io.BytesIO(content), as_attachment=True, filename=kept.name, content_type=kept.content_type)


def _closed(actor: rule.Actor, identity: uuid.UUID, state: uuid.UUID) -> rule.Refused:
    """Return the refusal of a version that may not be opened: what is there, for its own reason.

    What is not there is asked about in the same way, so that the answer takes neither more nor fewer questions.
    """
    target = rule.Target("document", str(identity), actor.organization)
    organization, found = actor.organization, rule.Decision(allowed=False, reasons=("no-visible-row",))
    for known in (
        queries.current(organization=organization, document_id=identity),
        queries.current(organization=organization, document_id=identity, state_id=state),
    ):
        asked = target if known is None else rule.target_of(known)
        decision = rule.decide(actor, rule.VIEW, asked)
        if known is not None and not decision.allowed and "no-visible-row" in found.reasons:
            target, found = asked, decision
    return rule.Refused(actor, rule.VIEW, target, found)
