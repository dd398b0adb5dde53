"""The second person (design §2.10): nobody gives rights to himself, unless there is nobody else; then it is said so."""

from __future__ import annotations

import datetime as dt
from typing import Any

from kitei.foundation.text import Message, UserError
from kitei.trust.access import events, in_force
from kitei.trust.access.models import Membership
from kitei.trust.access.roles import EDITORS, OFFICERS
from kitei.trust.access.rule import Actor
from kitei.trust.accounts.ways_in import can_log_in
from kitei.trust.auditlog.log import Act, append

DELAY = dt.timedelta(hours=24)
"""How long what one person did alone waits, so that others can see the notice first (design §2.10)."""


def others(*, actor: Actor, organization: Any, reviewers: bool = False) -> bool:
    """Whether anybody else who can log in holds an office that may manage (``reviewers``: that may look at records)."""
    accounts = can_log_in(organization).filter(principal__isnull=False).exclude(principal=actor.principal)
    offices = Membership.objects.filter(
        organization=organization,
        kind="role",
        role__in=sorted(OFFICERS if reviewers else EDITORS),
        principal__in=accounts.values("principal"),
    )
    return in_force.holding(offices).exists()


def ask_alone(*, actor: Actor, organization: Any, alone: bool, reason: str, reviewers: bool = False) -> None:
    """Let an act about oneself pass only when nobody else could do it, knowingly and with a reason. Else UserError."""
    if others(actor=actor, organization=organization, reviewers=reviewers):
        raise UserError(
            Message(
                "自分にかかわる権限は、自分では決められません。ほかの責任者に依頼してください。何も変えていません。"
            )
        )
    if not alone or not reason.strip():
        raise UserError(
            Message(
                "ほかに決められる人がいません。一人で行うときは、理由を書き、「単独実施（第三者確認なし）」を選んでください。"
            )
        )


def tell(*, actor: Actor, organization: Any, act: str, bundle: str, starts: str, reason: str, decision: Any) -> None:
    """Append the notice that something was done by one person alone."""
    append(
        organization=organization,
        act=Act(
            events.ALONE,
            actor.ref,
            ("access", ""),
            data={"act": act, "bundle": bundle, "from": starts},
            private={"reason": reason},
            decision=decision,
        ),
    )
