"""Who answers a 閲覧申請: who manages rights, and the people responsible in the department that owns the place (主管部署).

Responsible is who belongs to the department (a dated membership) and may approve there: an office, or a grant of 承認 on the
folder. The register of members knows no heads of departments, so the right to approve is what makes one. Nobody passes on
what he may not do himself. Registers stand above this room: they tell it what a request means and what departments are
called (``know``); as long as nobody does, only who manages rights answers.
"""

from __future__ import annotations

import uuid
from collections.abc import Callable, Iterable
from dataclasses import dataclass, replace
from typing import Any

from kitei.foundation.text import Message, UserError
from kitei.trust.access import rule
from kitei.trust.access.grants import Terms
from kitei.trust.access.models import AccessRequest, Folder, FolderLink
from kitei.trust.access.rule import Actor, Decision, Target


@dataclass(frozen=True)
class Known:
    """What registers tell: what a request means, one object as a target, the ids of departments by what folders call them."""

    meant: Callable[[AccessRequest], Target | None]
    target: Callable[[Any, str, uuid.UUID], Target | None]
    departments: Callable[[Any, Iterable[str]], dict[str, str]]


_known: list[Known] = []


def know(known: Known) -> None:
    """Let the registers' room say what it knows; a later one takes the place of an earlier one."""
    _known[:] = [known]


def owners(*, organization: Any, folder: uuid.UUID) -> frozenset[str]:
    """Return the ids of the departments that own a folder, or one above it."""
    above = FolderLink.objects.filter(organization=organization, descendant=folder).values("ancestor")
    return _ids(organization, Folder.objects.filter(pk__in=above))


def may_answer(actor: Actor, row: AccessRequest) -> Decision:
    """Decide whether the actor answers a request, and say why; a request that means nothing is for who manages rights."""
    decision = rule.decide(actor, rule.MANAGE, Target("access", organization=row.organization))
    if decision.allowed or not _ours(actor, row.organization):
        return decision
    target = _known[0].meant(row)
    return (_responsible(actor, target, (rule.LIST, rule.VIEW)) if target else None) or decision


def require(actor: Actor, row: AccessRequest) -> Decision:
    """Return the decision of ``may_answer`` when it permits; raise Refused otherwise."""
    decision = may_answer(actor, row)
    if not decision.allowed:
        raise rule.Refused(actor, rule.MANAGE, Target("access", organization=row.organization), decision)
    return decision


def within(actor: Actor, row: AccessRequest, terms: Terms) -> None:
    """UserError when an answer gives what is not the answerer's to give: more than he may himself, or another's place."""
    access = Target("access", organization=row.organization)
    if rule.decide(actor, rule.MANAGE, access).allowed:
        return
    if str(row.account) == actor.id:
        raise UserError(
            Message(
                "自分にかかわる権限は、自分では決められません。ほかの責任者に依頼してください。何も変えていません。"
            )
        )
    target: Target | None = None
    if terms.scope == "object" and terms.object_id is not None and _known:
        target = _known[0].target(row.organization, terms.register, terms.object_id)
    elif terms.scope == "folder" and terms.folder is not None:
        target = Target("document", organization=row.organization, folder=terms.folder)
    if target is not None:
        target = replace(target, classification=max(target.classification, terms.highest))
    if target is None or _responsible(actor, target, terms.actions) is None:
        raise UserError(
            Message(
                "主管部署の責任者として許可できるのは、自分の部署のフォルダーで、自分にも許されている操作だけです。範囲を狭めるか、責任者に依頼してください。"
            )
        )


def answerable(*, actor: Actor, rows: Iterable[AccessRequest]) -> list[uuid.UUID]:
    """Return the ids of the requests that the actor answers for a department; others' only."""
    if not _ours(actor, actor.organization):
        return []
    return [row.pk for row in rows if str(row.account) != actor.id and may_answer(actor, row).allowed]


def _responsible(actor: Actor, target: Target, actions: Iterable[str]) -> Decision | None:
    """Return the decision of who may approve at the target for the department that owns it; None when it is not so."""
    if target.folder is None:
        return None
    held = _departments(actor) & owners(organization=actor.organization, folder=target.folder)
    if not held:
        return None
    decision = rule.decide(actor, rule.APPROVE, target)
    if not decision.allowed or not all(rule.decide(actor, action, target).allowed for action in actions):
        return None
    return replace(decision, reasons=(*decision.reasons, f"owning-department:{min(held)}"))


def _ours(actor: Actor, organization: Any) -> bool:
    """Whether the actor's department owns any folder: answers nearly everybody's question with one query."""
    held = _departments(actor)
    return bool(held and _known and held & _ids(organization, Folder.objects.filter(organization=organization)))


def _departments(actor: Actor) -> set[str]:
    return {code for kind, code in rule.principals(actor) if kind == "department"}


def _ids(organization: Any, folders: Any) -> frozenset[str]:
    names = set(folders.exclude(department="").order_by().values_list("department", flat=True).distinct())
    return frozenset(_known[0].departments(organization, names).values()) if names and _known else frozenset()
