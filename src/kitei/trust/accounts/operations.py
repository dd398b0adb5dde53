"""Making accounts and setting pass words. Every function joins the caller's transaction and appends its event."""

from __future__ import annotations

import datetime as dt
import hashlib
import secrets
import uuid
from collections.abc import Mapping
from typing import Any

from django.contrib.auth.password_validation import validate_password
from django.core.exceptions import ValidationError
from django.core.validators import validate_email
from django.utils.crypto import salted_hmac

from kitei.foundation import clock, transactions
from kitei.foundation.tenancy.models import Organization
from kitei.foundation.text import Message, UserError
from kitei.trust.accounts import factors, sessions
from kitei.trust.accounts.events import LANGUAGE_SET
from kitei.trust.accounts.models import OneTimeCode, User
from kitei.trust.auditlog import events
from kitei.trust.auditlog.log import Act, append, record


class WrongCodeError(UserError):
    """Mail address and one-time code do not let anybody in. ``reason`` and ``user`` are for the log, never for the page."""

    def __init__(self, message: Message, *, reason: str, user: User | None) -> None:
        super().__init__(message)
        self.reason = reason
        self.user = user


CODE_LIFE = dt.timedelta(days=3)
_CODE_LETTERS = 20
_CODE_ALPHABET = "ABCDEFGHJKLMNPQRSTUVWXYZ23456789"  # without I, O, 0, 1: people read the code from paper


def create_user(
    *,
    actor: tuple[str, str],
    organization: Any,
    email: str,
    name: str,
    principal: uuid.UUID | None = None,
    is_administrator: bool = False,
    language: str = "ja",
    decision: Mapping[str, Any] | None = None,
) -> User:
    """Create an account without a usable pass word; UserError for a bad or taken address."""
    transactions.require()
    try:
        validate_email(email)
    except ValidationError as error:
        raise UserError(Message("「%(mail)s」はメールアドレスの形になっていません。", {"mail": email})) from error
    if User.objects.filter(email__iexact=email).exists():
        raise UserError(Message("メールアドレス「%(mail)s」のアカウントはすでにあります。", {"mail": email}))
    user = User(
        organization=organization,
        email=email,
        name=name,
        principal=principal,
        is_administrator=is_administrator,
        language=language,
        created_at=clock.now(),
    )
    user.set_unusable_password()
    user.save(force_insert=True)
    append(
        organization=organization,
        act=Act(
            events.ACCOUNT_CREATED,
            actor,
            ("account", str(user.id)),
            data={"administrator": is_administrator},
            decision=decision or decision_of(actor),
        ),
    )
    return user


def invite_administrator(*, actor: tuple[str, str], organization: Any, email: str) -> str:
    """Make ``email`` an administrator of ``organization``, with a new account if it has none, and return a one-time code.

    Joins the caller's transaction; recorded as ``account:invite``. UserError when the address belongs to another
    organization or is no address.
    """
    transactions.require()
    user = User.objects.filter(email__iexact=email).first()
    if user is None:
        user = create_user(
            actor=actor, organization=organization, email=email, name=email.partition("@")[0], is_administrator=True
        )
    elif user.organization_id != organization.pk:
        raise UserError(Message("メールアドレス「%(mail)s」のアカウントはすでにあります。", {"mail": email}))
    User.objects.filter(pk=user.pk).update(is_administrator=True, is_active=True)
    # Whoever sits at the console may help somebody who lost every factor.
    factors.reset(user=user, actor=actor, decision=decision_of(actor))
    invited = Act(events.ADMINISTRATOR_INVITED, actor, ("account", str(user.id)), decision=decision_of(actor))
    append(organization=organization, act=invited)
    return issue_code(user=user, actor=actor)


def issue_code(
    *,
    user: User,
    actor: tuple[str, str] = ("worker", "accounts"),
    decision: Mapping[str, Any] | None = None,
    by_mail: bool = False,
) -> str:
    """Return a fresh one-time code for ``user``; only its digest is kept. Codes issued before no longer work.

    Joins the caller's transaction; recorded as ``account:issue-code``, without the code. One ``by_mail`` is made again
    at the moment of sending (``mailed_code``).
    """
    transactions.require()
    _use_up(user)
    row = OneTimeCode(organization=user.organization, user=user, expires_at=clock.now() + CODE_LIFE, by_mail=by_mail)
    code = mailed_code(row) if by_mail else _code(secrets.token_bytes(_CODE_LETTERS))
    row.digest = _digest(code)
    row.save(force_insert=True)
    issued = Act(events.CODE_ISSUED, actor, ("account", str(user.id)), decision=decision or decision_of(actor))
    append(organization=user.organization, act=issued)
    return code


def mailed_code(row: OneTimeCode) -> str:
    """Return the code of a row that was issued ``by_mail``: made from the installation's secret key and the row's id."""
    return _code(salted_hmac("kitei.one-time-code", str(row.pk), algorithm="sha256").digest())


def _code(random: bytes) -> str:
    # 256 is a multiple of the alphabet's 32 letters, so each letter is equally likely.
    letters = "".join(_CODE_ALPHABET[byte % len(_CODE_ALPHABET)] for byte in random[:_CODE_LETTERS])
    return "-".join(letters[start : start + 5] for start in range(0, _CODE_LETTERS, 5))


def redeem_code(*, email: str, code: str, password: str) -> User:
    """Set the pass word of the account that ``code`` was issued for and use the code up.

    WrongCodeError when mail address and code do not belong together, the code is used or expired: the face records it
    with ``record_failed_code`` after the rollback. UserError when the pass word is weak.
    """
    transactions.require()
    now = clock.now()
    found = OneTimeCode.objects.select_related("user").filter(digest=_digest(code), user__email__iexact=email).first()
    if found is None or not found.user.is_active:
        raise _wrong_code("code", User.objects.filter(email__iexact=email).first())
    if found.used_at is not None or found.expires_at <= now:
        raise _wrong_code("code-expired" if found.used_at is None else "code-used", found.user)
    set_password(user=found.user, password=password, actor=("member", str(found.user_id)), by="one-time-code")
    if not OneTimeCode.objects.filter(id=found.id, used_at__isnull=True).update(used_at=now):
        raise _wrong_code("code-used", found.user)
    _use_up(found.user)
    return found.user


def _wrong_code(reason: str, user: User | None) -> WrongCodeError:
    # One sentence for all: it tells neither which accounts exist nor what is wrong with a code.
    message = Message(
        "メールアドレスとコードの組み合わせが正しくないか、コードの期限が切れています。管理者に新しいコードを依頼してください。"
    )
    return WrongCodeError(message, reason=reason, user=user)


def record_failed_code(*, error: WrongCodeError, typed: str) -> None:
    """Record a one-time code that let nobody in; in a transaction of its own, after the rollback of the attempt."""
    record_failed_login(user=error.user, typed=typed, reason=error.reason)


def typed_by(mail: str) -> User | None:
    """Return the account whose address somebody who is not known yet has typed. For what is recorded, never for a page."""
    return User.objects.select_related("organization").filter(email__iexact=mail).first()


def record_failed_login(*, user: User | None, typed: str, reason: str) -> None:
    """Record that a log-in failed, in the account's organization, else the installation's first.

    What was typed may be anything, even a pass word in the wrong field: it is committed to, never stored in clear.
    ``reason`` is ``credentials``, ``locked-out``, ``code``, ``code-expired`` or ``code-used``. UnrecordedError when it
    cannot be written.
    """
    organization = user.organization if user else Organization.objects.order_by("id").first()
    if organization is None:
        return
    act = Act(
        events.LOGIN_FAILED,
        ("stranger", ""),
        ("account", str(user.id) if user else ""),
        outcome="refused",
        data={"reason": reason},
        private={"typed": typed[:200]} if typed else {},
    )
    record(organization=organization, act=act)


def decision_of(actor: tuple[str, str], *, own: str = "own-account") -> dict[str, Any]:
    """Return the decision that acts on accounts carry: whoever is at the console may, and everybody on their own account.

    Accounts lie below the access rule, which therefore cannot be asked.
    """
    kind = actor[0]
    return {"allowed": True, "reasons": [f"face:{kind}" if kind in {"cli", "worker"} else own]}


def set_password(
    *, user: User, password: str, actor: tuple[str, str], by: str = "own-account", keep: uuid.UUID | None = None
) -> None:
    """Set a pass word after the rules of NIST SP 800-63B-4 (length and known-bad list); UserError when it is too weak.

    ``by`` is the reason why a person may set it: the account is their own, or they hold the one-time code. Every open
    log-in of the account ends, but the one to ``keep``, in which it is changed.
    """
    transactions.require()
    try:
        validate_password(password, user)
    except ValidationError as error:
        raise UserError(Message("%(reasons)s", {"reasons": " ".join(error.messages)})) from error
    user.set_password(password)
    user.save(update_fields=["password"])
    decision = decision_of(actor, own=by)
    append(
        organization=user.organization,
        act=Act(events.PASSWORD_SET, actor, ("account", str(user.id)), decision=decision),
    )
    sessions.end_others(user=user, actor=actor, why="password", decision=decision, keep=keep)


def change_password(*, user: User, password: str, keep: uuid.UUID | None) -> None:
    """Set one's own pass word, the current one having been shown; codes that were not used yet end. As ``set_password``."""
    set_password(user=user, password=password, actor=("member", str(user.id)), keep=keep)
    _use_up(user)


def set_language(*, user: User, language: str) -> None:
    """Keep the language a person reads Kitei in (``ja`` or ``en``); nothing happens when it is that already."""
    transactions.require()
    if language == user.language:
        return
    user.language = language
    user.save(update_fields=["language"])
    append(
        organization=user.organization,
        act=Act(
            LANGUAGE_SET,
            ("member", str(user.id)),
            ("account", str(user.id)),
            data={"language": language},
            decision=decision_of(("member", str(user.id))),
        ),
    )


def _use_up(user: User) -> None:
    # A code lost on paper must not set the pass word again after its owner set one with another code.
    OneTimeCode.objects.filter(user=user, used_at__isnull=True).update(used_at=clock.now())


def _digest(code: str) -> str:
    return hashlib.sha256(code.upper().replace("-", "").replace(" ", "").encode()).hexdigest()
