"""An administrator invited from the console: every officer gets a letter, and sees it on home until confirmed."""

from __future__ import annotations

import datetime as dt
from dataclasses import dataclass
from typing import Any

from django.utils.translation import gettext as _

from kitei.foundation import clock, transactions
from kitei.foundation.mail import outbox
from kitei.foundation.mail.models import Letter
from kitei.foundation.ui import cells
from kitei.trust.access import letters, rule
from kitei.trust.accounts.events import CONSOLE_SEEN
from kitei.trust.accounts.models import User
from kitei.trust.auditlog.log import Act, append
from kitei.trust.auditlog.models import Event
from kitei.web.accounts import queries

LETTER = "accounts.console-invitation"
SHOWN = dt.timedelta(days=90)
"""Whoever takes an office later is not asked about what happened long before."""


@dataclass(frozen=True)
class ConsoleInvitation:
    """When somebody at the console invited an administrator, and whom."""

    account: str
    at: dt.datetime
    mail: str
    by: str


def tell(*, organization: Any) -> int:
    """Ask for a letter to every officer about the console invitation just recorded; joins the caller's transaction."""
    transactions.require()
    event = queries.latest_console_invitation(organization=organization)
    told = letters.officers(organization=organization) if outbox.is_configured() else []
    for user in told:
        outbox.post(organization=organization, kind=LETTER, reference=f"{event.pk}:{user.pk}")
    return len(told)


def unseen(*, actor: rule.Actor) -> list[ConsoleInvitation]:
    """Return the console invitations of the last 90 days that the actor has not confirmed, the newest first."""
    rows = queries.console_invitations(organization=actor.organization, since=clock.now() - SHOWN)
    seen = queries.seen_console_invitations(actor=actor) if rows else {}
    waiting = [row for row in rows if row.object_id not in seen or seen[row.object_id] < row.at]
    mails = queries.mails(row.object_id for row in waiting) if waiting else {}
    return [ConsoleInvitation(row.object_id, row.at, mails.get(row.object_id, ""), row.actor_id) for row in waiting]


def confirm(*, actor: rule.Actor, account: str) -> bool:
    """Note that the actor has seen the console invitations of an account; False when none waited. Joins the transaction.

    Refused for who may not look at accounts.
    """
    transactions.require()
    decision = rule.require(actor, rule.LIST, queries.target(actor))
    if account not in {waiting.account for waiting in unseen(actor=actor)}:
        return False
    append(
        organization=actor.organization,
        act=Act(CONSOLE_SEEN, actor.ref, ("account", account), decision=decision.recorded),
    )
    return True


def _parts(letter: Letter) -> tuple[Event | None, User | None]:
    return queries.event_and_reader(letter.reference)


def _language(letter: Letter) -> str:
    user = _parts(letter)[1]
    return user.language if user else "ja"


def _compose(letter: Letter) -> outbox.Text | None:
    event, user = _parts(letter)
    invited = queries.mails([event.object_id]).get(event.object_id) if event else None
    if event is None or user is None or invited is None:
        return None
    facts = {
        "name": user.name,
        "company": letter.organization.name,
        "mail": invited,
        "by": event.actor_id,
        "when": cells.instant_text(event.at, era=letter.organization.era_dates),
    }
    body = (
        _(
            "%(name)s 様\n\n"
            "%(company)sのKiteiで、サーバーのコンソールから管理者が招待されました。\n\n"
            "  時刻: %(when)s\n"
            "  招待された人: %(mail)s\n"
            "  コンソールの利用者: %(by)s\n\n"
            "管理者がいなくなったときの手順です。心当たりのないときは、すぐにサーバーを管理する人に確かめ、\n"
            "そのアカウントを停止してください。\n"
        )
        % facts
    )
    return outbox.Text(to=user.email, subject=_("%(company)s：コンソールから管理者が招待されました") % facts, body=body)


outbox.composer(LETTER, _compose, language=_language)
