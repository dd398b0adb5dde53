"""A small API for reading (design §7 ``/api/v1/``): the same queries with the same actor as the pages, as JSON."""

from __future__ import annotations

import datetime as dt
import json
import uuid
from typing import Any

from django.http import HttpRequest, HttpResponse
from ninja import NinjaAPI, Path, Query, Schema
from ninja.errors import AuthenticationError
from pydantic import Field

from kitei.foundation import clock
from kitei.foundation.ui import keyset
from kitei.outcomes.records import filters
from kitei.outcomes.records import operations as records
from kitei.outcomes.records import queries as log_queries
from kitei.outcomes.regulation import as_json, coverage
from kitei.outcomes.regulation import queries as regulation
from kitei.registers.documents import queries as documents
from kitei.registers.documents.models import DocumentState
from kitei.registers.people import standing
from kitei.trust.access import rule
from kitei.trust.access.roles import ROLES
from kitei.web.access import notices
from kitei.web.api import errors, known, pace

_PROBLEMS = dict.fromkeys((401, 404, 405, 422, 429, 503), errors.ErrorOut)
_TOKEN_LENGTH = 400


api = NinjaAPI(
    title="Kitei API",
    version="1",
    description="Reading what one may see in Kitei. Dates are days in Asia/Tokyo, instants are UTC.",
    docs_url=None,
    openapi_url=None,
    auth=known.KNOWN,
    urls_namespace="api-v1",
)
errors.install(api)


class AsOf(Schema):
    """The day asked about; today when it is not given."""

    as_of: dt.date | None = None

    @property
    def day(self) -> dt.date:
        """The day itself."""
        return self.as_of or clock.today()


class Place(AsOf):
    """A page of a list: ``after`` is the ``next`` of the page before."""

    after: str = Field("", max_length=_TOKEN_LENGTH)


class Me(Schema):
    """Who asks, and with which rights."""

    id: uuid.UUID
    name: str
    organization: str
    member: uuid.UUID | None
    roles: list[str]
    via: str
    actions: list[str]


@api.get("/me", response={200: Me, **_PROBLEMS}, url_name="api-me", operation_id="me", summary="Who asks")
def me(request: HttpRequest) -> Me:
    """Return the account, its offices, and what this way of asking may do."""
    actor = _actor(request)
    return Me(
        id=uuid.UUID(actor.id),
        name=actor.label,
        organization=actor.organization.code,
        member=actor.principal,
        roles=sorted(rule.roles_of(actor)),
        via=getattr(request, "via", ""),
        actions=sorted(actor.only or ()),
    )


@api.get(
    "/who/{role}",
    response={200: dict[str, Any], **_PROBLEMS},
    url_name="api-who",
    operation_id="who",
    summary="Who holds an office",
)
def who(request: HttpRequest, role: Path[str], asked: Query[AsOf]) -> dict[str, Any]:
    """Return holder, deputies and whether the requirement is met, as ``kitei who --format json``."""
    actor = _actor(request)
    target = rule.Target("appointment", organization=actor.organization)
    rule.require(actor, rule.LIST, target)
    if role not in ROLES:
        raise rule.Refused(actor, rule.LIST, target, rule.Decision(allowed=False, reasons=("no-visible-row",)))
    organization, day = actor.organization, asked.day
    provisions = regulation.provisions_in_force(organization=organization, day=day)
    return standing.standing(organization=organization, role=role, day=day, provisions=provisions).to_json()


@api.get(
    "/findings",
    response={200: dict[str, Any], **_PROBLEMS},
    url_name="api-findings",
    operation_id="findings",
    summary="What is missing",
)
def findings(request: HttpRequest, asked: Query[AsOf]) -> dict[str, Any]:
    """Return the findings of a day, as ``kitei check --format json``."""
    actor = _actor(request)
    rule.require(actor, rule.LIST, rule.Target("finding", organization=actor.organization))
    return as_json.of(notices.seen_by(actor, coverage.at(organization=actor.organization, day=asked.day)))


class DocumentOut(Schema):
    """A document as of a day. ``classification`` is 0 公開, 1 社外秘, 2 関係者限, 3 極秘; ``sha256`` of the file kept here."""

    id: uuid.UUID
    code: str
    title: str
    kind: str
    version: str
    classification: int
    in_force_from: dt.date | None
    withdrawn_on: dt.date | None
    department: str
    kept_at: str
    place: str
    sha256: str | None


class DocumentsOut(Schema):
    """One page of documents; ``next`` is None on the last one."""

    as_of: dt.date
    documents: list[DocumentOut]
    next: str | None


@api.get(
    "/documents",
    response={200: DocumentsOut, **_PROBLEMS},
    url_name="api-documents",
    operation_id="documents",
    summary="Documents",
)
def document_list(request: HttpRequest, asked: Query[Place]) -> DocumentsOut:
    """Return the documents one may list, by number, 50 a page."""
    actor = _actor(request)
    rows = documents.documents(actor=actor, day=asked.day)
    page = keyset.page(rows, field="code", descending=False, after=asked.after)
    return DocumentsOut(as_of=asked.day, documents=[_document(row) for row in page.rows], next=page.after)


@api.get(
    "/documents/{uuid:document}",
    response={200: DocumentOut, **_PROBLEMS},
    url_name="api-document",
    operation_id="document",
    summary="One document",
)
def document(request: HttpRequest, document: Path[uuid.UUID], asked: Query[AsOf]) -> DocumentOut:
    """Return one document; missing and forbidden are the same 404."""
    actor = _actor(request)
    row = documents.document_by_id(actor=actor, document_id=document, day=asked.day)
    if row is None:
        target = rule.Target("document", str(document), actor.organization)
        raise rule.Refused(actor, rule.VIEW, target, rule.Decision(allowed=False, reasons=("no-visible-row",)))
    return _document(row)


def _document(row: DocumentState) -> DocumentOut:
    return DocumentOut(
        id=row.of_id,
        code=row.code,
        title=row.title,
        kind=row.kind,
        version=row.version,
        classification=row.classification,
        in_force_from=row.in_force_from,
        withdrawn_on=row.withdrawn_on,
        department=row.department,
        kept_at=row.kept_at,
        place=row.place,
        sha256=row.file.digest if row.file else None,
    )


class EventOut(Schema):
    """One entry of the log. ``number`` is its place, None while it waits for one."""

    id: uuid.UUID
    number: int | None
    at: dt.datetime
    name: str
    outcome: str
    actor: list[str]
    object: list[str]


class LogOut(Schema):
    """One page of the log, newest first."""

    events: list[EventOut]
    next: str | None


@api.get(
    "/log", response={200: LogOut, **_PROBLEMS}, url_name="api-log", operation_id="log", summary="The log (officers)"
)
def log(request: HttpRequest, after: Query[str] = "") -> LogOut:
    """Return a page of the log, without what its commitments hide; the reading is recorded before it is answered."""
    actor = _actor(request)
    decision = rule.require(actor, rule.VIEW, records.target(actor))
    wish = filters.Wish(after=after[:_TOKEN_LENGTH])
    page = log_queries.page(actor=actor, wish=wish)
    records.record_list(actor=actor, wish=wish, decision=decision)
    events = [
        EventOut(
            id=row.pk,
            number=row.leaf_index,
            at=row.at,
            name=row.name,
            outcome=row.outcome,
            actor=[row.actor_kind, row.actor_id],
            object=[row.object_kind, row.object_id],
        )
        for row in page.rows
    ]
    return LogOut(events=events, next=page.after)


def _actor(request: HttpRequest) -> rule.Actor:
    actor: rule.Actor = request.auth  # type: ignore[attr-defined]  # set by ninja from ``known``
    return actor


def unknown(request: HttpRequest, rest: str = "") -> HttpResponse:
    """Answer for an address the API does not have, in its own shape."""
    return _without_data(request, errors.not_found())


def wrong_method(request: HttpRequest) -> HttpResponse:
    """Answer for a method an address does not take; who is not known is told that first."""
    return _without_data(request, errors.not_allowed("GET, HEAD"))


def _without_data(request: HttpRequest, response: HttpResponse) -> HttpResponse:
    for way in known.KNOWN:
        try:
            if way(request):
                return response
        except AuthenticationError:
            break
        except pace.Slow as slow:
            return errors.too_many(slow.seconds)
    return errors.unauthorised()


def description() -> str:
    """Return the OpenAPI description as it is committed in docs/reference/openapi.json."""
    return (
        json.dumps(api.get_openapi_schema(path_prefix="/api/v1/"), ensure_ascii=False, indent=1, sort_keys=True) + "\n"
    )
