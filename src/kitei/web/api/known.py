"""Who asks the API: the holder of a token, or whoever is logged in in this browser."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

from django.conf import settings
from django.http import HttpRequest
from django.utils import translation
from ninja.errors import AuthenticationError
from ninja.security import APIKeyCookie, HttpBearer

from kitei.foundation import transactions
from kitei.trust.access.rule import LIST, VIEW, Actor
from kitei.trust.accounts import tokens
from kitei.trust.accounts.models import User
from kitei.trust.auditlog import log
from kitei.trust.auditlog.log import RequestContext
from kitei.web.accounts import leaving
from kitei.web.accounts.queries import lost_office
from kitei.web.api import pace
from kitei.web.sessions import actor_for

READS = frozenset({LIST, VIEW})
_WORKER = ("worker", "accounts")
_DISMISSED = {"allowed": True, "reasons": ["follows:appointment"]}


class Token(HttpBearer):
    """``Authorization: Bearer kitei_…``. A header that is there and wrong is refused, whatever the cookie says."""

    def __call__(self, request: HttpRequest) -> Actor | None:
        """Return who asks; None without the header, so that the cookie is looked at."""
        given = request.headers.get("Authorization", "")
        if not given:
            return None
        kind, _, secret = given.partition(" ")
        return self.authenticate(request, secret.strip() if kind.lower() == "bearer" else "")

    def authenticate(self, request: HttpRequest, token: str) -> Actor:
        """Return the token's owner, cut to reading. AuthenticationError, recorded, for what opens nothing; Slow."""
        found = tokens.find(token)
        if found is None:
            raise AuthenticationError
        user = found.user
        if leaving.has_left(user):
            tokens.refused(found, "left")
            transactions.durable(lambda: leaving.close(user=user))
            raise AuthenticationError
        if lost_office(user=user, since=found.created_at):
            tokens.refused(found, "dismissed")
            transactions.durable(lambda: tokens.end(user=user, actor=_WORKER, decision=_DISMISSED, only=found.pk))
            raise AuthenticationError
        try:
            pace.spend(user=user, key=str(found.pk))
        except pace.Slow as slow:
            if slow.first:
                tokens.refused(found, "too-many")
            raise
        tokens.touch(found)
        actor = replace(actor_for(request, user), only=READS)
        request.actor = actor  # type: ignore[attr-defined]  # read by the middleware, which records what is refused
        request.via = "token"  # type: ignore[attr-defined]  # read by /me
        translation.activate(user.language)
        log.set_context(
            RequestContext(
                request_id=getattr(request, "request_id", ""),
                session=log.session_digest(f"token:{found.pk}"),
                strength="token",
                face="api",
            )
        )
        return actor


class Login(APIKeyCookie):
    """The session of the pages. Nothing is written here, so no CSRF mark is asked for."""

    param_name = settings.SESSION_COOKIE_NAME

    def __init__(self) -> None:
        super().__init__(csrf=False)

    def authenticate(self, request: HttpRequest, key: str | None) -> Actor | None:  # noqa: ARG002  ninja's form
        """Return who is logged in, cut to reading; the middleware has seen to it that the log-in still counts."""
        actor: Actor | None = getattr(request, "actor", None)
        if actor is None:
            return None
        if isinstance(request.user, User):
            pace.spend(user=request.user, key="session")
        request.via = "session"  # type: ignore[attr-defined]
        log.set_context(replace(log.context(), face="api"))
        return replace(actor, only=READS)


KNOWN: list[Any] = [Token(), Login()]
