"""What leaves the page 操作記録 as a file: lines in OCSF shape, proofs, checkpoint, key, verifier."""

from __future__ import annotations

import uuid
from collections.abc import Iterator
from typing import Any, TypeVar

from django.http import Http404, HttpRequest, HttpResponse, HttpResponseBase, StreamingHttpResponse
from django.views.decorators.http import require_safe

from kitei.foundation import clock
from kitei.foundation.text import Message, UserError
from kitei.outcomes.records import export, filters, operations, published, queries
from kitei.outcomes.records.filters import Wish
from kitei.trust.access import rule
from kitei.trust.access.requests import actor_of
from kitei.trust.accounts import stepup
from kitei.trust.auditlog import heads, logs, proofs
from kitei.trust.auditlog.models import Event, Log

Response = TypeVar("Response", bound=HttpResponseBase)
_TEXT = "text/plain; charset=utf-8"


@require_safe
def export_lines(request: HttpRequest) -> HttpResponseBase:
    """Send the filtered log, the oldest entry first, as JSON lines; the first line is this export itself, with the head."""
    actor = actor_of(request)
    decision = rule.require(actor, rule.DOWNLOAD, operations.target(actor))
    wish, errors = filters.read(request.GET)
    if errors:
        raise UserError(
            Message("絞り込みの条件を直してください: %(problem)s", {"problem": next(iter(errors.values()))})
        )
    head = _newest(actor)
    made = operations.record_export(actor=actor, wish=wish, decision=decision, head=head)
    response = StreamingHttpResponse(_lines(actor, wish, made, head), content_type=export.CONTENT_TYPE)
    day = made.at.astimezone(clock.TOKYO)
    return _named(response, f"kitei-log-{actor.organization.code}-{day:%Y%m%d-%H%M%S}.jsonl")


@require_safe
def proof(request: HttpRequest, identity: uuid.UUID) -> HttpResponse:
    """Send the proof of one entry; with ``?open=1`` also what opens its commitments, to those entitled."""
    actor = actor_of(request)
    target = operations.target(actor, str(identity))
    opened = request.GET.get("open") == "1"
    decision = rule.require(actor, rule.DOWNLOAD if opened else rule.VIEW, target)
    event = queries.find(actor=actor, number=identity)
    if event is None:
        raise operations.refused(actor, identity)
    if opened:
        stepup.demand(request)
    data = proofs.inclusion(event, openings=opened)
    operations.record_proof(actor=actor, event=event, decision=decision, opened=opened)
    return _named(HttpResponse(data, content_type=_TEXT), f"{identity}.tlog-proof")


@require_safe
def checkpoint(request: HttpRequest) -> HttpResponse:
    """Send the newest checkpoint: who keeps it can later show that nothing before it was changed."""
    log = _log(request)
    data = published.checkpoint(log)
    if data is None:
        raise Http404
    size = data.split(b"\n")[1].decode()
    name = f"kitei-{log.organization.code}-{size}.checkpoint"
    return _named(HttpResponse(data, content_type=_TEXT), name)


@require_safe
def key(request: HttpRequest) -> HttpResponse:
    """Send the verifier key."""
    log = _log(request)
    text = published.key_text(log)
    if not text:
        raise Http404
    return _named(HttpResponse(text + "\n", content_type=_TEXT), f"kitei-{log.organization.code}.vkey")


@require_safe
def verifier(request: HttpRequest) -> HttpResponse:
    """Send the program that verifies: one file, nothing of Kitei in it but the verifier."""
    _log(request)
    return _named(HttpResponse(published.verifier(), content_type="application/zip"), "kitei-verify.pyz")


def _log(request: HttpRequest) -> Log:
    actor = actor_of(request)
    rule.require(actor, rule.VIEW, operations.target(actor))
    log = logs.current(actor.organization)
    if log is None:
        raise Http404
    return log


def _newest(actor: rule.Actor) -> dict[str, Any]:
    head = heads.newest(actor.organization)
    if head is None:
        return {}
    return {"origin": head.log.origin, "size": head.size, "root": heads.root_text(head)}


def _lines(actor: rule.Actor, wish: Wish, made: Event, head: dict[str, Any]) -> Iterator[str]:
    yield export.line(made, head=head)
    for chunk in queries.walk(actor=actor, wish=wish, last=made):
        yield "".join(map(export.line, chunk))


def _named(response: Response, name: str) -> Response:
    response["Content-Disposition"] = f'attachment; filename="{name}"'
    return response
