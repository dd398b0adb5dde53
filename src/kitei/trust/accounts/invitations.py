"""Letting people in: a one-time code by mail or on paper; stopping and reopening accounts.

Who may do this the access rule says, which stands above this room: callers ask it and hand its decision over. A mailed
code is made from the installation's secret key and the code's id at the moment of sending, so that it stands nowhere in
clear; a printed one is shown once.
"""

from __future__ import annotations

import uuid
from collections.abc import Iterable, Mapping
from typing import Any
from urllib.parse import urlencode

from django.conf import settings
from django.utils.translation import gettext as _

from kitei.foundation import clock, transactions
from kitei.foundation.mail import outbox
from kitei.foundation.mail.models import Letter
from kitei.foundation.ui import cells
from kitei.trust.accounts import operations, sessions, tokens
from kitei.trust.accounts.events import ACCOUNT_INVITED, ACCOUNT_REOPENED, ACCOUNT_STOPPED, INVITATION_WITHDRAWN
from kitei.trust.accounts.models import OneTimeCode, User
from kitei.trust.auditlog.log import Act, append

LETTER = "accounts.invitation"
MAIL, PAPER = "mail", "paper"


def invite(*, user: User, actor: tuple[str, str], decision: Mapping[str, Any], way: str) -> str:
    """Give ``user`` a fresh one-time code; joins the caller's transaction.

    ``way`` ``mail``: a job sends it, and the answer is empty; ``paper``: the code is returned, to be shown once. Codes
    issued before no longer work.
    """
    transactions.require()
    act = Act(
        ACCOUNT_INVITED,
        actor,
        ("account", str(user.pk)),
        data={"member": str(user.principal or ""), "way": way},
        decision=decision,
    )
    append(organization=user.organization, act=act)
    _drop_letters(user)
    code = operations.issue_code(user=user, actor=actor, decision=decision, by_mail=way == MAIL)
    if way != MAIL:
        return code
    row = OneTimeCode.objects.get(user=user, used_at__isnull=True)
    outbox.post(organization=user.organization, kind=LETTER, reference=str(row.pk))
    return ""


def withdraw(*, user: User, actor: tuple[str, str], decision: Mapping[str, Any]) -> bool:
    """Let the account's unused code open nothing any more; False when there was none. Joins the transaction."""
    transactions.require()
    _drop_letters(user)
    if not OneTimeCode.objects.filter(user=user, used_at__isnull=True).update(used_at=clock.now()):
        return False
    act = Act(INVITATION_WITHDRAWN, actor, ("account", str(user.pk)), decision=decision)
    append(organization=user.organization, act=act)
    return True


def stop(*, user: User, actor: tuple[str, str], decision: Mapping[str, Any]) -> bool:
    """Let nobody use the account until it is reopened: log-ins, tokens and codes end now. False when it was stopped."""
    transactions.require()
    if not User.objects.filter(pk=user.pk, is_active=True).update(is_active=False):
        return False
    _drop_letters(user)
    OneTimeCode.objects.filter(user=user, used_at__isnull=True).update(used_at=clock.now())
    data = {
        "sessions": sessions.end(user=user, actor=actor, why="stopped", decision=decision),
        "tokens": tokens.end(user=user, actor=actor, decision=decision),
    }
    act = Act(ACCOUNT_STOPPED, actor, ("account", str(user.pk)), data=data, decision=decision)
    append(organization=user.organization, act=act)
    return True


def reopen(*, user: User, actor: tuple[str, str], decision: Mapping[str, Any]) -> bool:
    """Let the account be used again, with its pass word; what was ended stays ended. False when it was open."""
    transactions.require()
    if not User.objects.filter(pk=user.pk, is_active=False).update(is_active=True):
        return False
    append(
        organization=user.organization, act=Act(ACCOUNT_REOPENED, actor, ("account", str(user.pk)), decision=decision)
    )
    return True


def open_codes(users: Iterable[uuid.UUID]) -> dict[uuid.UUID, OneTimeCode]:
    """Return account id -> its code that can still be used. One query."""
    rows = OneTimeCode.objects.filter(user__in=list(users), used_at__isnull=True, expires_at__gt=clock.now())
    return {row.user_id: row for row in rows}


def letters(organization: Any, codes: Iterable[OneTimeCode]) -> dict[str, Letter]:
    """Return code id -> the letter that carries it. One query."""
    return outbox.latest(organization=organization, kind=LETTER, references=[str(row.pk) for row in codes])


def start_url(*, email: str = "", code: str = "", home: str = "") -> str:
    """Return the address where a code is used. Mail and code stand behind the #: no server and no proxy writes them down.

    ``home`` is where a page was asked for; it serves when KITEI_PUBLIC_URL is not set.
    """
    address = f"{settings.PUBLIC_URL or home or 'http://localhost:8000'}/start"
    given = {name: value for name, value in (("email", email), ("code", code)) if value}
    return f"{address}#{urlencode(given)}" if given else address


def _drop_letters(user: User) -> None:
    for identity in OneTimeCode.objects.filter(user=user, used_at__isnull=True).values_list("id", flat=True):
        outbox.drop(organization=user.organization, kind=LETTER, reference=str(identity))


def _code_of(letter: Letter) -> OneTimeCode | None:
    return OneTimeCode.objects.select_related("user", "organization").filter(pk=letter.reference).first()


def _language(letter: Letter) -> str:
    row = _code_of(letter)
    return row.user.language if row else "ja"


def _compose(letter: Letter) -> outbox.Text | None:
    row = _code_of(letter)
    if row is None or row.used_at is not None or row.expires_at <= clock.now() or not row.user.is_active:
        return None
    code = operations.mailed_code(row)
    facts = {
        "name": row.user.name,
        "company": row.organization.name,
        "url": start_url(email=row.user.email, code=code),
        "page": start_url(),
        "mail": row.user.email,
        "code": code,
        "until": cells.instant_text(row.expires_at, era=row.organization.era_dates),
    }
    subject = _("%(company)s：Kiteiへの招待") % facts
    body = (
        _(
            "%(name)s 様\n\n"
            "%(company)sの運用管理規程システム「Kitei」に招待されました。\n"
            "次のアドレスを開き、自分のパスワードを決めてください。\n\n"
            "%(url)s\n\n"
            "開けないときは、%(page)s を開き、次を入力してください。\n"
            "  メールアドレス: %(mail)s\n"
            "  コード: %(code)s\n\n"
            "コードは%(until)sまで、1回だけ使えます。ほかの人に転送しないでください。\n"
            "心当たりのないときは、何もせずに、社内の管理者に知らせてください。\n\n"
            "このメールは自動で送られています。返信しても読まれません。\n"
        )
        % facts
    )
    return outbox.Text(to=row.user.email, subject=subject, body=body)


outbox.composer(LETTER, _compose, language=_language)
