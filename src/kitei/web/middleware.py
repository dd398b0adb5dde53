"""What happens around every request: proxy headers, language, who acts, the log's context, refusals, limits."""

from __future__ import annotations

import ipaddress
import logging
import re
import secrets
from collections.abc import Callable
from http import HTTPStatus

from django.conf import settings
from django.http import HttpRequest, HttpResponse, HttpResponseBase
from django.utils import translation
from django.utils.cache import patch_vary_headers
from django.utils.functional import SimpleLazyObject

from kitei.foundation import clock
from kitei.foundation.text import UserError
from kitei.registers.people.queries import titles
from kitei.trust.access import operations as access
from kitei.trust.access import strangers
from kitei.trust.access.rule import Actor, Refused, roles_of
from kitei.trust.accounts.stepup import strength
from kitei.trust.accounts.views import LANGUAGE_COOKIE
from kitei.trust.auditlog.log import RequestContext, UnrecordedError, session_digest, set_context
from kitei.web import errors, limits, sessions

GetResponse = Callable[[HttpRequest], HttpResponseBase]
_FORWARDED = (
    "HTTP_X_FORWARDED_FOR",
    "HTTP_X_FORWARDED_PROTO",
    "HTTP_X_FORWARDED_HOST",
    "HTTP_X_FORWARDED_PORT",
    "HTTP_FORWARDED",
)
_log = logging.getLogger(__name__)
_BROWSERS_OWN = re.compile(r"/(?:favicon\.ico|robots\.txt|apple-touch-icon[a-z0-9-]*\.png|\.well-known/.*)\Z")
"""What browsers ask for by themselves: nobody tried to see anything."""
_WITH_PORT = re.compile(r"\[([0-9A-Fa-f:.]+)\](?::[0-9]{1,5})?|([0-9.]+):[0-9]{1,5}")
_TURNED_AWAY = {403: "csrf", 404: "not-found", 405: "wrong-method", 410: "gone", 413: "too-large"}
"""Answers that turn a person away, and why; the rule's own refusals are recorded where they are caught."""
MAX_BODY = 60 * 1024 * 1024
"""A little above the largest import file, which is refused with a page of its own."""
MAX_STRANGERS_BODY = 1024 * 1024
"""Nobody sends files before logging in."""


class ProxyMiddleware:
    """Believe X-Forwarded-For and X-Forwarded-Proto only when they come from a proxy named in KITEI_TRUSTED_PROXIES.

    The reader's address is the last one in the list that is not a trusted proxy: what stands before it, anybody can write.
    The host is what the proxy sends as Host, compared with KITEI_PUBLIC_URL; X-Forwarded-Host is never read.
    """

    def __init__(self, get_response: GetResponse) -> None:
        self.get_response = get_response
        self.trusted = [ipaddress.ip_network(name) for name in settings.TRUSTED_PROXIES]

    def __call__(self, request: HttpRequest) -> HttpResponseBase:
        """Set the address and scheme, drop the headers; refuse a body nobody may send before it is read."""
        given = {name: request.META.pop(name, "") for name in _FORWARDED}
        peer = _address_in(request.META.get("REMOTE_ADDR", ""))
        if peer is not None:
            request.META["REMOTE_ADDR"] = str(peer)  # one spelling: limits count by it
        if self._trusts(request.META.get("REMOTE_ADDR", "")):
            chain = [part.strip() for part in given["HTTP_X_FORWARDED_FOR"].split(",") if part.strip()]
            for entry in reversed(chain):
                address = _address_in(entry)
                if address is None:
                    break
                request.META["REMOTE_ADDR"] = str(address)
                if not self._trusts(str(address)):
                    break
            scheme = given["HTTP_X_FORWARDED_PROTO"].rpartition(",")[2].strip().lower()
            if scheme in {"http", "https"}:
                request.META["wsgi.url_scheme"] = scheme
        if _length(request) > MAX_BODY:
            # Reading comes later (the CSRF check reads forms), so 200 MB would be on the disk before they are refused.
            return errors.too_large(request, language_without_account(request))
        return self.get_response(request)

    def _trusts(self, text: str) -> bool:
        address = _address_in(text)
        return address is not None and any(address in network for network in self.trusted)


class LanguageMiddleware:
    """The account's language, else the cookie, else what the browser accepts, else Japanese."""

    def __init__(self, get_response: GetResponse) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponseBase:
        """Activate the language for this request only."""
        # An answer made when the database is away (500) still knows what can be known without it.
        request.plain_language = language_without_account(request)  # type: ignore[attr-defined]  # read by errors
        translation.activate(request.plain_language)  # type: ignore[attr-defined]
        try:
            user = request.user
            if user.is_authenticated:
                translation.activate(user.language)
            response = self.get_response(request)
            response["Content-Language"] = translation.get_language() or "ja"
            patch_vary_headers(response, ["Cookie", "Accept-Language"])
            return response
        finally:
            translation.deactivate()


class ActorMiddleware:
    """Who acts, for views (``request.actor``), for the log (context) and for what is refused.

    It stands outside of every view, so what it records is not rolled back with what was refused (security.md §1.3).
    """

    def __init__(self, get_response: GetResponse) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponseBase:
        """Set actor and log context, around what the views do."""
        request.request_id = secrets.token_hex(8)  # type: ignore[attr-defined]  # read through getattr
        user = request.user
        actor = sessions.actor_for(request, user) if user.is_authenticated else None
        request.actor = actor  # type: ignore[attr-defined]  # read through web.requests.actor_of
        request.offices = SimpleLazyObject(lambda: _offices(actor))  # type: ignore[attr-defined]  # read by the shell
        set_context(
            RequestContext(
                request_id=request.request_id,  # type: ignore[attr-defined]
                session=session_digest(request.session.session_key) if actor else "",
                strength=strength(request),
                face="web",
            )
        )
        try:
            if actor is None and _length(request) > MAX_STRANGERS_BODY:
                response: HttpResponseBase = errors.too_large(request)
            else:
                response = self.get_response(request)
            _record_turned_away(request, response)
        finally:
            set_context(None)
        response["X-Request-Id"] = request.request_id  # type: ignore[attr-defined]
        return response

    def process_view(self, request: HttpRequest, *_view: object) -> HttpResponse | None:
        """Turn away who asks too often, before the view does its work."""
        try:
            limits.check(request)
        except limits.TooOftenError as error:
            if error.first:  # the thousand after it would only fill the log
                _record(request, "too-often", HTTPStatus.TOO_MANY_REQUESTS)
            return errors.too_often(request, error.seconds)
        return None

    def process_exception(self, request: HttpRequest, exception: Exception) -> HttpResponse | None:
        """Turn a refusal into the 404 page, recorded after the rollback; a mendable error, a closed log into their pages."""
        if isinstance(exception, Refused):
            request.refusal_recorded = True  # type: ignore[attr-defined]  # read by _record_turned_away
            access.record_refusal(refused=exception, path=_address(request))
            return errors.not_found(request)
        if isinstance(exception, UnrecordedError):
            number = request.request_id  # type: ignore[attr-defined]
            _log.error("request %s was refused, the log cannot be written: %s", number, _first_line(exception))
            return errors.unrecorded(request)
        if isinstance(exception, UserError):
            return errors.user_error(request, exception)
        return None


def _offices(actor: Actor | None) -> tuple[str, ...]:
    if actor is None:
        return ()
    held = roles_of(actor)
    if not held:
        return ()
    named = titles(organization=actor.organization, day=clock.today())
    return tuple(title for code, title in named.items() if code in held)


def _record_turned_away(request: HttpRequest, response: HttpResponseBase) -> None:
    """Record that somebody who is logged in got nothing; count strangers who ask for what is not there."""
    reason = _TURNED_AWAY.get(response.status_code)
    actor: Actor | None = getattr(request, "actor", None)
    if actor is None:
        if response.status_code == HTTPStatus.NOT_FOUND:
            strangers.count_stranger()
        else:
            strangers.write_due()
        return
    if reason is None or getattr(request, "refusal_recorded", False) or _BROWSERS_OWN.match(request.path_info):
        return
    _record(request, reason, response.status_code)


def _record(request: HttpRequest, reason: str, status: int) -> None:
    access.record_turned_away(
        actor=request.actor,  # type: ignore[attr-defined]  # somebody, or there would be nothing to record
        reason=reason,
        action="view" if request.method in {"GET", "HEAD"} else "edit",
        route=(request.resolver_match.url_name or "") if request.resolver_match else "",
        status=int(status),
        path=_address(request),
    )


def _first_line(error: Exception) -> str:
    """Return what a database says went wrong; the lines after the first may hold the row it was about."""
    return (str(error).splitlines() or [type(error).__name__])[0]


def _address(request: HttpRequest) -> str:
    """Return the address asked for, as it is committed to."""
    return request.get_full_path()[:500]


def language_without_account(request: HttpRequest) -> str:
    """Return ja or en for a reader nobody knows yet: by the cookie, else by what the browser accepts."""
    cookie = request.COOKIES.get(LANGUAGE_COOKIE, "")
    if cookie in dict(settings.LANGUAGES):
        return cookie
    # Only the two languages are compared; the browser's further wishes (fr, zh) end in Japanese.
    wishes = re.findall(
        r"([A-Za-z]{2,8})(?:-[A-Za-z0-9-]+)?\s*(?:;\s*q=([0-9.]+))?", request.headers.get("accept-language", "")[:500]
    )
    known = [
        (float(weight or 1), -place, name.lower())
        for place, (name, weight) in enumerate(wishes)
        if name.lower() in {"ja", "en"} and _is_weight(weight)
    ]
    return max(known)[2] if known else settings.LANGUAGE_CODE


def _is_weight(text: str) -> bool:
    return text == "" or re.fullmatch(r"[01](\.[0-9]{0,3})?", text) is not None


def _length(request: HttpRequest) -> int:
    """Return how many bytes are announced; too many for anything when that is no number."""
    text = request.META.get("CONTENT_LENGTH") or "0"
    return int(text) if re.fullmatch(r"[0-9]{1,18}", text) else MAX_BODY + 1


def _address_in(text: str) -> ipaddress.IPv4Address | ipaddress.IPv6Address | None:
    """Return the address of one entry; some proxies add a port, and a socket of both kinds writes ::ffff:192.0.2.1."""
    found = _WITH_PORT.fullmatch(text)
    try:
        address = ipaddress.ip_address((found[1] or found[2]) if found else text)
    except ValueError:
        return None
    return (address.ipv4_mapped or address) if isinstance(address, ipaddress.IPv6Address) else address
