"""Who must have a second factor, by office; and taking a lost one away from somebody else."""

from __future__ import annotations

import uuid

from django.conf import settings

from kitei.foundation import transactions
from kitei.foundation.text import Message, UserError
from kitei.trust.access import rule
from kitei.trust.access.roles import OFFICERS
from kitei.trust.access.rule import Actor, Target
from kitei.trust.accounts import factors, sessions
from kitei.trust.accounts.models import User


def must_have(user: User) -> bool:
    """Whether the account must have a second factor: it holds an office, or the installation asks everybody.

    A demo asks nobody: its pass words stand on the log-in page. The first administrator holds no office until he appoints
    somebody, so he may set Kitei up first.
    """
    if settings.SECOND_FACTOR == "nobody" or user.organization.is_demo:
        return False
    if settings.SECOND_FACTOR == "everyone":
        return True
    actor = Actor("member", str(user.pk), user.organization, principal=user.principal, active=user.is_active)
    return bool(OFFICERS & rule.roles_of(actor).keys())


def account(*, actor: Actor, identity: uuid.UUID) -> User | None:
    """Return an account of the actor's organization for whom may manage accounts; None when there is none. Raises Refused."""
    rule.require(actor, rule.MANAGE, Target("account", str(identity), organization=actor.organization))
    return User.objects.filter(pk=identity, organization=actor.organization).select_related("organization").first()


def reset_factors(*, actor: Actor, identity: uuid.UUID) -> User:
    """Take all factors and recovery codes of somebody who lost them away, and end that person's sessions.

    Joins the caller's transaction; recorded. Raises Refused; UserError for one's own account, an unknown one, or one
    without factors. The person then logs in with the pass word alone and, holding an office, is led to a new factor.
    """
    transactions.require()
    target = Target("account", str(identity), organization=actor.organization)
    decision = rule.require(actor, rule.MANAGE, target)
    if actor.ref == ("member", str(identity)):
        raise UserError(
            Message(
                "自分の本人確認の手段は、ここでは解除できません。ほかの責任者に依頼するか、回復コードを使ってください。"
            )
        )
    user = account(actor=actor, identity=identity)
    if user is None:
        raise UserError(Message("アカウントがありません。"))
    if not factors.reset(user=user, actor=actor.ref, decision=decision.recorded):
        raise UserError(Message("この人は、本人確認の手段を設定していません。"))
    sessions.end(user=user, actor=actor.ref, why="factors", decision=decision.recorded)
    return user


factors.demand(must_have)
