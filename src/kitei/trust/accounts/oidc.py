"""Log-in through one OpenID provider: authorization code with PKCE, state and nonce (OpenID Connect Core 1.0, RFC 7636).

The provider is named by ``KITEI_OIDC_ISSUER`` and found by discovery. Accounts are pinned to issuer and ``sub``; a mail address
is looked at once, when an invited person first comes, and only if the provider has verified it. No account is ever made here.
"""

from __future__ import annotations

import base64
import hashlib
import json
import secrets
from dataclasses import dataclass
from typing import Any
from urllib.parse import quote, urlencode, urlsplit

import jwt
from django.conf import settings
from django.utils.crypto import constant_time_compare

from kitei.foundation import clock, transactions
from kitei.trust.accounts.events import OIDC_LINKED
from kitei.trust.accounts.models import OidcIdentity, OneTimeCode, User
from kitei.trust.auditlog import outsiders
from kitei.trust.auditlog.log import Act, append

ALGORITHMS = ["RS256", "RS384", "RS512", "PS256", "PS384", "PS512", "ES256", "ES384", "ES512", "EdDSA"]
"""Signatures only: with "none" or a shared secret anybody, or every client, could make a token."""
LIFE_SECONDS = 600
LEEWAY_SECONDS = 60
KEPT_SECONDS = 3600
REFETCH_SECONDS = 60
_OK = 200
_LOOPBACK = {"localhost", "127.0.0.1", "::1"}


class OidcError(Exception):
    """The provider's answer lets nobody in. The text is for the server's own log, never for the page."""


@dataclass(frozen=True)
class Provider:
    """What discovery said, and when it was asked."""

    issuer: str
    authorization: str
    token: str
    jwks: str
    basic: bool
    asked_at: float


@dataclass(frozen=True)
class Identity:
    """Who the provider says it is: pinned subject, verified mail address (else empty), how and when they proved it."""

    issuer: str
    subject: str
    mail: str
    methods: frozenset[str]
    auth_time: float

    @property
    def has_second_factor(self) -> bool:
        """Whether the provider says more than a pass word was shown, and the setting believes it."""
        return bool(self.methods & settings.OIDC_SECOND_FACTOR)


_provider: dict[str, Provider] = {}
_keys: dict[str, tuple[float, jwt.PyJWKSet]] = {}


def is_configured() -> bool:
    """Whether a provider is set; asks nobody."""
    return bool(settings.OIDC_ISSUER)


def _now() -> float:
    return clock.device_time().timestamp()


def _json(reply: outsiders.Reply, what: str) -> dict[str, Any]:
    if reply.status != _OK:
        raise OidcError(f"{what} answered {reply.status}")
    try:
        parsed = json.loads(reply.body)
    except ValueError as error:
        raise OidcError(f"{what} is no JSON") from error
    if not isinstance(parsed, dict):
        raise OidcError(f"{what} is no JSON object")
    return parsed


def _safe(url: Any, what: str) -> str:
    """Return an address of the provider: https, or http to this machine."""
    parts = urlsplit(url if isinstance(url, str) else "")
    if parts.scheme == "https" or (parts.scheme == "http" and parts.hostname in _LOOPBACK):
        return str(url)
    raise OidcError(f"{what} is not https")


def discover() -> Provider:
    """Return the provider, asked at most once an hour; OidcError when it cannot be reached or calls itself otherwise."""
    issuer: str = settings.OIDC_ISSUER
    kept = _provider.get(issuer)
    if kept and 0 <= _now() - kept.asked_at <= KEPT_SECONDS:
        return kept
    said = _json(_get(f"{_safe(issuer, 'issuer').rstrip('/')}/.well-known/openid-configuration"), "discovery")
    if said.get("issuer") != issuer:
        raise OidcError("discovery names another issuer")
    methods = said.get("token_endpoint_auth_methods_supported") or ["client_secret_basic"]
    found = Provider(
        issuer,
        _safe(said.get("authorization_endpoint"), "authorization endpoint"),
        _safe(said.get("token_endpoint"), "token endpoint"),
        _safe(said.get("jwks_uri"), "jwks_uri"),
        "client_secret_basic" in methods,
        _now(),
    )
    _provider[issuer] = found
    return found


def _get(url: str) -> outsiders.Reply:
    try:
        return outsiders.get(url)
    except outsiders.AnchorError as error:
        raise OidcError(f"no answer from {urlsplit(url).hostname}: {error}") from error


def begin(*, redirect_uri: str, to: str, purpose: str = "login") -> tuple[str, dict[str, Any]]:
    """Return the address to send the browser to, and what the session has to remember until it returns."""
    provider = discover()
    verifier = secrets.token_urlsafe(48)
    kept = {
        "state": secrets.token_urlsafe(24),
        "nonce": secrets.token_urlsafe(24),
        "verifier": verifier,
        "redirect_uri": redirect_uri,
        "to": to,
        "purpose": purpose,
        "at": _now(),
    }
    challenge = base64.urlsafe_b64encode(hashlib.sha256(verifier.encode()).digest()).decode().rstrip("=")
    query = {
        "response_type": "code",
        "client_id": settings.OIDC_CLIENT_ID,
        "redirect_uri": redirect_uri,
        "scope": "openid email profile",
        "state": kept["state"],
        "nonce": kept["nonce"],
        "code_challenge": challenge,
        "code_challenge_method": "S256",
    }
    if purpose != "login":
        query |= {"prompt": "login", "max_age": "0"}
    joint = "&" if "?" in provider.authorization else "?"
    return f"{provider.authorization}{joint}{urlencode(query)}", kept


def finish(*, kept: dict[str, Any] | None, given: dict[str, str]) -> Identity:
    """Return who came back from the provider; OidcError for everything that does not fit. Never inside a transaction."""
    if not kept or not 0 <= _now() - kept["at"] <= LIFE_SECONDS:
        raise OidcError("nobody was sent, or too long ago")
    if not constant_time_compare(kept["state"], given.get("state", "")):
        raise OidcError("state does not fit")
    provider = discover()
    # RFC 9207: an answer of another provider is recognised before its code is handed out.
    if given.get("iss", provider.issuer) != provider.issuer:
        raise OidcError("the answer comes from another issuer")
    if given.get("error") or not given.get("code"):
        raise OidcError(f"the provider refused: {given.get('error', '')[:60]!r}")
    token = _exchange(provider, kept, given["code"])
    return _identity(provider, _claims(provider, token), kept)


def _exchange(provider: Provider, kept: dict[str, Any], code: str) -> str:
    form = {
        "grant_type": "authorization_code",
        "code": code,
        "redirect_uri": kept["redirect_uri"],
        "code_verifier": kept["verifier"],
        "client_id": settings.OIDC_CLIENT_ID,
    }
    headers = {"Accept": "application/json"}
    if provider.basic:
        pair = f"{quote(settings.OIDC_CLIENT_ID, safe='')}:{quote(settings.OIDC_CLIENT_SECRET, safe='')}"
        headers["Authorization"] = "Basic " + base64.b64encode(pair.encode()).decode()
    else:
        form["client_secret"] = settings.OIDC_CLIENT_SECRET
    try:
        reply = outsiders.post(
            provider.token, urlencode(form).encode(), "application/x-www-form-urlencoded", headers=headers
        )
    except outsiders.AnchorError as error:
        raise OidcError(f"the token endpoint gave no answer: {error}") from error
    token = _json(reply, "token endpoint").get("id_token")
    if not isinstance(token, str):
        raise OidcError("no ID token")
    return token


def _claims(provider: Provider, token: str) -> dict[str, Any]:
    """Return the claims of an ID token whose signature, issuer, audience and times hold (Core §3.1.3.7)."""
    try:
        header = jwt.get_unverified_header(token)
        claims: dict[str, Any] = jwt.decode(
            token,
            _key(provider, header),
            algorithms=ALGORITHMS,
            audience=settings.OIDC_CLIENT_ID,
            issuer=provider.issuer,
            # Times are compared below, with Kitei's one clock.
            options={
                "require": ["iss", "sub", "aud", "exp", "iat", "nonce"],
                "verify_exp": False,
                "verify_iat": False,
                "verify_nbf": False,
            },
        )
    except (jwt.PyJWTError, TypeError, ValueError) as error:
        raise OidcError(f"ID token: {type(error).__name__}") from error
    several = isinstance(claims["aud"], list) and len(claims["aud"]) > 1
    if (several or "azp" in claims) and claims.get("azp") != settings.OIDC_CLIENT_ID:
        raise OidcError("ID token: made for another client")
    try:
        ends, made = float(claims["exp"]), float(claims["iat"])
    except (TypeError, ValueError) as error:
        raise OidcError("ID token: times are no numbers") from error
    if ends <= _now() - LEEWAY_SECONDS or made > _now() + LEEWAY_SECONDS:
        raise OidcError("ID token: expired or not valid yet")
    return claims


def _key(provider: Provider, header: dict[str, Any]) -> Any:
    for again in (False, True):
        found = [
            key
            for key in _key_set(provider, again=again).keys
            if key.public_key_use in {None, "sig"} and header.get("kid") in {None, key.key_id}
        ]
        if len(found) == 1:
            return found[0].key
    raise OidcError("ID token: signed with a key the provider does not publish")


def _key_set(provider: Provider, *, again: bool) -> jwt.PyJWKSet:
    """Return the published keys; ``again`` asks anew for a key not known yet, but not more than once a minute."""
    kept = _keys.get(provider.jwks)
    age = _now() - kept[0] if kept else -1.0
    if kept and 0 <= age <= (REFETCH_SECONDS if again else KEPT_SECONDS):
        return kept[1]
    try:
        keys = jwt.PyJWKSet.from_dict(_json(_get(provider.jwks), "keys"))
    except (jwt.PyJWTError, KeyError, TypeError, ValueError) as error:
        raise OidcError(f"keys: {type(error).__name__}") from error
    _keys[provider.jwks] = (_now(), keys)
    return keys


def _identity(provider: Provider, claims: dict[str, Any], kept: dict[str, Any]) -> Identity:
    if not constant_time_compare(str(claims["nonce"]), kept["nonce"]):
        raise OidcError("ID token: nonce does not fit")
    subject = claims["sub"]
    if not isinstance(subject, str) or not 0 < len(subject) <= 255:  # noqa: PLR2004  Core §2: at most 255 ASCII characters
        raise OidcError("ID token: no usable sub")
    amr = claims.get("amr")
    methods = {value for value in amr if isinstance(value, str)} if isinstance(amr, list) else set()
    if isinstance(claims.get("acr"), str):
        methods.add(claims["acr"])
    verified = claims.get("email_verified") is True and isinstance(claims.get("email"), str)
    auth_time = claims.get("auth_time")
    return Identity(
        provider.issuer,
        subject,
        claims["email"].strip() if verified else "",
        frozenset(methods),
        float(auth_time) if isinstance(auth_time, int | float) else 0.0,
    )


def is_linked(user: User) -> bool:
    """Whether an identity of the provider in use belongs to the account."""
    return OidcIdentity.objects.filter(user=user, issuer=settings.OIDC_ISSUER).exists()


def account_of(*, identity: Identity) -> User | None:
    """Return the account of an identity; at the first time link the account that was invited by this mail address.

    Joins the caller's transaction. Invited means: an unused, unexpired one-time code is out; linking uses it up. None when
    nobody is meant, or the account is stopped.
    """
    transactions.require()
    pinned = OidcIdentity.objects.select_related("user", "user__organization")
    known = pinned.filter(issuer=identity.issuer, subject=identity.subject).first()
    if known is not None:
        return known.user if known.user.is_active else None
    if not identity.mail:
        return None
    user = User.objects.select_related("organization").filter(email__iexact=identity.mail, is_active=True).first()
    if user is None or OidcIdentity.objects.filter(user=user, issuer=identity.issuer).exists():
        return None
    now = clock.now()
    invited = OneTimeCode.objects.filter(user=user, used_at__isnull=True, expires_at__gt=now)
    if not invited.update(used_at=now):
        return None
    OidcIdentity.objects.create(
        organization_id=user.organization_id,
        user=user,
        issuer=identity.issuer,
        subject=identity.subject,
        linked_at=now,
    )
    act = Act(
        OIDC_LINKED,
        ("member", str(user.id)),
        ("account", str(user.id)),
        decision={"allowed": True, "reasons": ["own-account"]},
    )
    append(organization=user.organization, act=act)
    return user
