"""The two ceremonies of WebAuthn (passkeys), made by Yubico's ``fido2``; what is kept of them is in ``factors``.

User verification is always asked for and checked: a passkey with it proves possession *and* PIN or biometrics, so it counts as
both factors. Attestation is not asked for: any maker's device will do. A challenge is good for ten minutes and one answer.
"""

from __future__ import annotations

import ipaddress
import json
from collections.abc import Callable
from typing import Any
from urllib.parse import urlsplit

from django.conf import settings
from django.http import HttpRequest
from fido2.server import Fido2Server
from fido2.webauthn import (
    AttestedCredentialData,
    AuthenticationResponse,
    PublicKeyCredentialRpEntity,
    PublicKeyCredentialUserEntity,
    ResidentKeyRequirement,
    UserVerificationRequirement,
)

from kitei.foundation import clock
from kitei.foundation.text import Message, UserError
from kitei.trust.accounts import factors
from kitei.trust.accounts.models import Factor, User

LIFE_SECONDS = 600
_ANSWER_MOST = 60_000
_STATE = "webauthn"


def _origin(request: HttpRequest) -> str:
    return (settings.PUBLIC_URL or f"{request.scheme}://{request.get_host()}").lower()


def is_possible(request: HttpRequest) -> bool:
    """Whether browsers offer passkeys here: they ask for a host name, and for https except on localhost."""
    parts = urlsplit(_origin(request))
    host = parts.hostname or ""
    try:
        ipaddress.ip_address(host)
    except ValueError:
        return parts.scheme == "https" or host == "localhost"
    return False


def _server(request: HttpRequest) -> Fido2Server:
    origin = _origin(request)
    own: Callable[[str], bool] = lambda given: given == origin  # noqa: E731  one comparison, no suffix rule of the library
    # "localhost" and the like are the same relying party on every port; the origin is compared with its port.
    return Fido2Server(PublicKeyCredentialRpEntity(id=urlsplit(origin).hostname, name="Kitei"), verify_origin=own)


def begin_registration(request: HttpRequest, user: User) -> dict[str, Any]:
    """Return the options for ``navigator.credentials.create`` and remember the challenge in the session."""
    entity = PublicKeyCredentialUserEntity(id=user.id.bytes, name=user.email, display_name=user.name)
    options, state = _server(request).register_begin(
        entity,
        [_credential(factor) for factor in factors.passkeys(user)],
        resident_key_requirement=ResidentKeyRequirement.REQUIRED,
        user_verification=UserVerificationRequirement.REQUIRED,
    )
    _remember(request, "create", state)
    return dict(options)


def keep(request: HttpRequest, user: User, *, state: dict[str, Any], answer: str, name: str) -> Factor:
    """Verify the browser's answer against a challenge taken out of the session, and keep the passkey.

    Joins the caller's transaction; UserError when the answer does not hold.
    """
    try:
        made = _server(request).register_complete(state, _parsed(answer))
    except (ValueError, TypeError, KeyError, AssertionError) as error:
        raise UserError(_refused()) from error
    credential = made.credential_data
    if credential is None or not made.is_user_verified():
        raise UserError(_refused())
    return factors.add_passkey(
        user=user,
        credential=bytes(credential),
        credential_id=credential.credential_id,
        counter=made.counter,
        name=name,
    )


def begin_proof(request: HttpRequest, user: User | None = None) -> dict[str, Any]:
    """Return the options for ``navigator.credentials.get``: any passkey of this site, or those of one account."""
    known = [_credential(factor) for factor in factors.passkeys(user)] if user else None
    options, state = _server(request).authenticate_begin(known, user_verification=UserVerificationRequirement.REQUIRED)
    _remember(request, "get", state)
    return dict(options)


def prove(request: HttpRequest, *, state: dict[str, Any], answer: str, user: User | None = None) -> Factor | None:
    """Return the passkey that answered the challenge, with its account; None when it proves nothing.

    With ``user`` only that account's passkeys count. Joins the caller's transaction: the counter moves on.
    """
    try:
        given = AuthenticationResponse.from_dict(_parsed(answer))
        factor = factors.passkey_of(given.raw_id)
        if factor is None or (user is not None and factor.user_id != user.pk):
            return None
        if given.response.user_handle and given.response.user_handle != factor.user_id.bytes:
            return None
        _server(request).authenticate_complete(state, [_credential(factor)], given)
    except (ValueError, TypeError, KeyError, AssertionError, UserError):
        return None
    counted = factors.use_passkey(factor=factor, counter=given.response.authenticator_data.counter)
    return factor if counted else None


def take_state(request: HttpRequest, kind: str) -> dict[str, Any]:
    """Take the challenge out of the session: it is good for one answer. UserError when there is none or it is too old."""
    kept = request.session.pop(_STATE, None)
    fresh = kept and kept["kind"] == kind and 0 <= clock.device_time().timestamp() - kept["at"] <= LIFE_SECONDS
    if not fresh:
        raise UserError(
            Message("時間が経ちすぎたか、別の画面で始めたため、確かめられません。もう一度ボタンを押してください。")
        )
    state: dict[str, Any] = kept["state"]
    return state


def _remember(request: HttpRequest, kind: str, state: dict[str, Any]) -> None:
    plain = {"challenge": state["challenge"], "user_verification": str(UserVerificationRequirement.REQUIRED.value)}
    request.session[_STATE] = {"kind": kind, "state": plain, "at": clock.device_time().timestamp()}


def _credential(factor: Factor) -> AttestedCredentialData:
    return AttestedCredentialData(bytes(factor.data))


def _parsed(answer: str) -> dict[str, Any]:
    if len(answer) > _ANSWER_MOST:
        raise ValueError("answer too long")
    parsed = json.loads(answer)
    if not isinstance(parsed, dict):
        raise TypeError("no object")
    return parsed


def _refused() -> Message:
    return Message(
        "パスキーを確かめられませんでした。PINや生体認証で本人と確かめられる端末か、開いているアドレスが正しいかを確かめて、もう一度試してください。"
    )
