"""Writing accounts from the pages: the access rule is asked here, because accounts stand below it. All join a transaction."""

from __future__ import annotations

import datetime as dt
import uuid
from collections.abc import Mapping
from typing import Any

from kitei.foundation import clock, transactions
from kitei.foundation.mail import outbox
from kitei.foundation.text import Message, UserError
from kitei.registers.people import queries as people
from kitei.trust.access import rule
from kitei.trust.accounts import invitations, operations, sessions, tokens
from kitei.trust.accounts.models import ApiToken, User
from kitei.trust.accounts.ways_in import has_way
from kitei.web.accounts import queries
from kitei.web.accounts.queries import target

WAYS = (invitations.MAIL, invitations.PAPER)


def _decision(actor: rule.Actor, identity: str = "") -> dict[str, Any]:
    return rule.require(actor, rule.MANAGE, target(actor, identity)).recorded


def invite_member(*, actor: rule.Actor, member: uuid.UUID, email: str, language: str, way: str) -> tuple[User, str]:
    """Make an account for a member of the register and invite the person; return it, with the code when it is printed.

    UserError when the member left, has an account, or the address is wrong or taken; when mail is not set up.
    """
    transactions.require()
    decision = _decision(actor)
    row = people.members(actor=actor, day=clock.today()).filter(of_id=member).first()
    if row is None or (row.left_on and row.left_on < clock.today()):
        raise UserError(Message("構成員の台帳に、いま在籍する人として載っていません。台帳を確かめてください。"))
    if queries.has_account(member=member):
        raise UserError(Message("この人のアカウントはすでにあります。アカウントの一覧から招待し直してください。"))
    _check_way(way)
    user = operations.create_user(
        actor=actor.ref,
        organization=actor.organization,
        email=email,
        name=row.full_name,
        principal=member,
        language=language,
        decision=decision,
    )
    return user, invitations.invite(user=user, actor=actor.ref, decision=decision, way=way)


def invite_again(*, actor: rule.Actor, user: User, way: str) -> str:
    """Give the account a fresh code, by mail or printed (then it is returned). UserError for a stopped account."""
    decision = _decision(actor, str(user.pk))
    if not user.is_active:
        raise UserError(Message("停止中のアカウントは招待できません。先に再開してください。"))
    _check_way(way)
    return invitations.invite(user=user, actor=actor.ref, decision=decision, way=way)


def _check_way(way: str) -> None:
    if way not in WAYS:
        raise UserError(Message("コードの渡し方を選んでください。"))
    if way == invitations.MAIL and not outbox.is_configured():
        raise UserError(
            Message("メールの設定がありません。コードを印刷して渡すか、KITEI_SMTP_HOST を設定してください。")
        )


def withdraw(*, actor: rule.Actor, user: User) -> bool:
    """Withdraw the account's unused code."""
    return invitations.withdraw(user=user, actor=actor.ref, decision=_decision(actor, str(user.pk)))


def stop(*, actor: rule.Actor, user: User) -> bool:
    """Stop an account; UserError for one's own, and for the last one that can manage accounts."""
    decision = _decision(actor, str(user.pk))
    if actor.kind == "member" and str(user.pk) == actor.id:
        raise UserError(Message("自分のアカウントは停止できません。ほかの人に依頼してください。"))
    if _manages(user) and not any(_manages(other) for other in queries.may_manage_beside(user)):
        raise UserError(
            Message("アカウントを管理できる最後の人です。先に、ほかの人を管理できる役割に任命し、招待してください。")
        )
    return invitations.stop(user=user, actor=actor.ref, decision=decision)


def reopen(*, actor: rule.Actor, user: User) -> bool:
    """Let a stopped account be used again."""
    return invitations.reopen(user=user, actor=actor.ref, decision=_decision(actor, str(user.pk)))


def end_session(*, actor: rule.Actor, user: User, login: uuid.UUID) -> int:
    """End one log-in: one's own, or with the right to manage accounts anybody's."""
    return sessions.end(user=user, actor=actor.ref, why="revoked", decision=_own_or(actor, user), only=[login])


def end_other_sessions(*, actor: rule.Actor, user: User, keep: uuid.UUID | None) -> int:
    """End all log-ins of an account but the one to ``keep``."""
    return sessions.end_others(user=user, actor=actor.ref, why="revoked", decision=_own_or(actor, user), keep=keep)


def create_token(
    *, actor: rule.Actor, user: User, ttl: dt.timedelta, label: str = "", scope: str = "read"
) -> tuple[ApiToken, str]:
    """Make a token of one's own account; only the console makes one for another (``kitei token create``)."""
    if actor.kind == "member" and str(user.pk) != actor.id:
        raise rule.Refused(
            actor, rule.MANAGE, target(actor, str(user.pk)), rule.Decision(allowed=False, reasons=("token-owner",))
        )
    decision = operations.decision_of(actor.ref)
    return tokens.create(user=user, actor=actor.ref, decision=decision, ttl=ttl, label=label, scope=scope)


def end_token(*, actor: rule.Actor, user: User, token: uuid.UUID) -> int:
    """End one token: one's own, or with the right to manage accounts anybody's."""
    return tokens.end(user=user, actor=actor.ref, decision=_own_or(actor, user), only=token)


def _own_or(actor: rule.Actor, user: User) -> Mapping[str, Any]:
    if actor.kind == "member" and str(user.pk) == actor.id:
        return operations.decision_of(actor.ref)
    return _decision(actor, str(user.pk))


def _manages(user: User) -> bool:
    """Whether an account that can log in may manage accounts."""
    if not user.is_active or not has_way(user):
        return False
    actor = rule.Actor(
        "member", str(user.pk), user.organization, user.name, user.principal, user.is_administrator, user.is_active
    )
    return rule.decide(actor, rule.MANAGE, target(actor)).allowed
