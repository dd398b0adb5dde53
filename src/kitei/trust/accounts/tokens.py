"""API tokens: keys for programs, which read with their owner's rights. Only a digest is kept.

A token is 32 random bytes, so one fast hash is enough: there is no word to guess (ASVS 5.0 §11.4).
"""

from __future__ import annotations

import datetime as dt
import hashlib
import re
import secrets
import threading
import time
import uuid
from collections.abc import Mapping
from typing import Any

from django.db import DatabaseError

from kitei.foundation import clock, transactions
from kitei.foundation.tenancy.models import Organization
from kitei.foundation.text import Message, UserError
from kitei.trust.accounts.events import TOKEN_CREATED, TOKEN_ENDED, TOKEN_REFUSED
from kitei.trust.accounts.models import ApiToken, User
from kitei.trust.auditlog.log import Act, UnrecordedError, append, append_many, record

SCOPES = ("read",)
LONGEST = dt.timedelta(days=366)
MOST = 20
_MARK = "kitei_"
_SHOWN = len(_MARK) + 6
_TOUCH = dt.timedelta(minutes=1)
_UNITS = {"m": 60, "h": 3600, "d": 86_400}


def life(text: str) -> dt.timedelta:
    """Read a length of time such as ``30m``, ``1h`` or ``90d``; UserError for anything else, or above 366 days."""
    found = re.fullmatch(r"([1-9][0-9]{0,5})([mhd])", text.strip())
    length = dt.timedelta(seconds=int(found[1]) * _UNITS[found[2]]) if found else dt.timedelta()
    if not dt.timedelta() < length <= LONGEST:
        raise UserError(
            Message("有効な長さは 30m、1h、90d のように、366日までで書いてください（%(text)s）。", {"text": text[:20]})
        )
    return length


def create(
    *,
    user: User,
    actor: tuple[str, str],
    decision: Mapping[str, Any],
    ttl: dt.timedelta,
    scope: str = "read",
    label: str = "",
) -> tuple[ApiToken, str]:
    """Make a token and return it with its secret, which nobody can read again; joins the caller's transaction.

    UserError for a stopped account, an unknown scope, or more than 20 open tokens.
    """
    transactions.require()
    now = clock.now()
    if scope not in SCOPES:
        raise UserError(Message("トークンの範囲は read だけです。"))
    if not user.is_active:
        raise UserError(Message("停止中のアカウントのトークンは作れません。先に再開してください。"))
    if len(listed(user=user)) >= MOST:
        raise UserError(
            Message("トークンは%(count)s個までです。使わないものを無効にしてから作ってください。", {"count": MOST})
        )
    secret = _MARK + secrets.token_urlsafe(32)
    token = ApiToken.objects.create(
        organization=user.organization,
        user=user,
        label=" ".join(label.split())[:60],
        prefix=secret[:_SHOWN],
        digest=digest(secret),
        scope=scope,
        created_at=now,
        expires_at=now + ttl,
    )
    made = Act(
        TOKEN_CREATED,
        actor,
        ("token", str(token.pk)),
        data={"account": str(user.pk), "scope": scope, "until": token.expires_at.isoformat()},
        private={"label": token.label} if token.label else {},
        decision=decision,
    )
    append(organization=user.organization, act=made)
    return token, secret


def end(*, user: User, actor: tuple[str, str], decision: Mapping[str, Any], only: uuid.UUID | None = None) -> int:
    """End open tokens of an account, all or one; joins the caller's transaction. Returns how many."""
    transactions.require()
    rows = ApiToken.objects.filter(user=user, ended_at__isnull=True)
    found = list(rows.filter(pk=only) if only else rows)
    ApiToken.objects.filter(pk__in=[row.pk for row in found]).update(ended_at=clock.now())
    acts = [
        Act(TOKEN_ENDED, actor, ("token", str(row.pk)), data={"account": str(user.pk)}, decision=decision)
        for row in found
    ]
    append_many(organization=user.organization, acts=acts)
    return len(found)


def listed(*, user: User) -> list[ApiToken]:
    """Return the tokens of an account that still open something, the newest first."""
    rows = ApiToken.objects.filter(user=user, ended_at__isnull=True, expires_at__gt=clock.now())
    return list(rows.order_by("-created_at", "-id"))


def find(secret: str) -> ApiToken | None:
    """Return the token of a secret, with its account, when it still opens something; what does not is recorded."""
    token = (
        ApiToken.objects.select_related("user", "user__organization").filter(digest=digest(secret)).first()
        if secret.startswith(_MARK) and len(secret) <= 100 and secret.isascii()  # noqa: PLR2004  longer is none of ours
        else None
    )
    if token is None:
        refused(None, "unknown")
        return None
    if token.ended_at is not None or not token.user.is_active:
        refused(token, "ended")
        return None
    if token.expires_at <= clock.now():
        refused(token, "expired")
        return None
    return token


def touch(token: ApiToken) -> None:
    """Note the use of a token, at most once a minute."""
    now = clock.now()
    if token.last_used_at is not None and now - token.last_used_at < _TOUCH:
        return
    rows = ApiToken.objects.filter(pk=token.pk)
    try:
        transactions.durable_or_join(lambda: rows.update(last_used_at=now))
    except DatabaseError:
        return  # an answer is not refused because the time of its use could not be noted


def digest(secret: str) -> str:
    """Return what is kept of a secret."""
    return hashlib.sha256(secret.encode()).hexdigest()


class _Pace:
    """At most ``EVENTS`` events of refused tokens a minute and process; the next one says how many were left out."""

    EVENTS = 20
    SECONDS = 60.0

    def __init__(self) -> None:
        self.lock = threading.Lock()
        self.reset()

    def reset(self) -> None:
        self.began, self.written, self.left_out = 0.0, 0, 0

    def admit(self) -> int | None:
        """Return how many were left out before this one; None when this one is to be left out as well."""
        with self.lock:
            now = time.monotonic()
            if now - self.began >= self.SECONDS:
                self.began, self.written = now, 0
            if self.written >= self.EVENTS:
                self.left_out += 1
                return None
            self.written += 1
            before, self.left_out = self.left_out, 0
            return before


pace = _Pace()


def refused(token: ApiToken | None, reason: str) -> None:
    """Record a token that opened nothing: in its organization's log, an unknown one in the installation's first.

    ``reason`` is ``unknown``, ``expired``, ``ended``, ``left``, ``dismissed`` or ``too-many``. The refusal stands also when it
    cannot be written.
    """
    left_out = pace.admit()
    if left_out is None:
        return
    organization = token.organization if token else Organization.objects.order_by("id").first()
    if organization is None:
        return
    act = Act(
        TOKEN_REFUSED,
        ("member", str(token.user_id)) if token else ("stranger", ""),
        ("token", str(token.pk) if token else ""),
        outcome="refused",
        data={"reason": reason, **({"left_out": left_out} if left_out else {})},
    )
    try:
        record(organization=organization, act=act)
    except UnrecordedError:
        return
