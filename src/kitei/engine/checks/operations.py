"""Accepting a finding."""

from __future__ import annotations

import datetime as dt
from typing import Any

from kitei.engine.checks import events
from kitei.engine.checks.models import Acceptance
from kitei.foundation import clock, transactions
from kitei.foundation.text import Message, UserError
from kitei.trust.access import rule
from kitei.trust.auditlog.log import Act, append

LONGEST = dt.timedelta(days=366)


def accept_finding(*, actor: rule.Actor, organization: Any, finding: str, reason: str, until: dt.date) -> Acceptance:
    """Accept the finding with key ``finding`` until and including ``until``; joins the caller's transaction.

    UserError without a reason, or for a day in the past or more than a year ahead; Refused without an officer's role.
    """
    transactions.require()
    decision = rule.require(actor, rule.APPROVE, rule.Target("finding", finding[:80], organization=organization))
    today = clock.today()
    if not reason.strip():
        raise UserError(Message("受容する理由を書いてください。"))
    if not today <= until <= today + LONGEST:
        raise UserError(Message("受容の期限は、今日から1年以内の日にしてください。"))
    row = Acceptance.objects.create(
        organization=organization,
        finding=finding,
        reason=reason.strip(),
        accepted_by=actor.label or actor.id,
        accepted_at=clock.now(),
        until=until,
    )
    append(
        organization=organization,
        act=Act(
            events.FINDING_ACCEPTED,
            actor.ref,
            ("finding", str(row.id)),
            data={"until": until.isoformat()},
            private={"finding": finding, "reason": reason.strip()},
            decision=decision.recorded,
        ),
    )
    return row
