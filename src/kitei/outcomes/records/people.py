"""Who acted: finding the actors a typed name means, and naming actors in bulk."""

from __future__ import annotations

import uuid
from collections.abc import Iterable, Sequence
from typing import Any

from django.db import connection
from django.utils.translation import gettext as _

from kitei.foundation.text.japanese import fold
from kitei.registers.people.models import MemberState
from kitei.trust.accounts.models import User

Ref = tuple[str, str]
_CONSOLE = ("コンソール", "console", "cli")
_WORKER = ("作業プロセス", "自動処理", "worker", "background worker")
_STRANGER = ("ログインしていない人", "stranger", "not logged in")


def matching(organization: Any, text: str) -> Sequence[Ref]:
    """Return the (kind, id) of every actor that ``text`` may mean: name, number or mail of a person, console, worker.

    People are found by what they are called now and by what the register ever called them.
    """
    wanted = fold(text).strip()
    head, colon, rest = (part.strip() for part in wanted.partition(":"))
    if head in map(fold, _CONSOLE):
        return [("cli", name) for name in ([rest] if colon and rest else _unnamed(organization))]
    if head in map(fold, _WORKER):
        return [("worker", name) for name in ([rest] if colon and rest else _unnamed(organization))]
    if wanted in map(fold, _STRANGER):
        return [("stranger", "")]
    try:
        return [("member", str(uuid.UUID(wanted)))]
    except ValueError:
        pass
    return [("member", key) for key in _accounts(organization, wanted)] if wanted else []


def _accounts(organization: Any, wanted: str) -> list[str]:
    """Return the accounts of which ``wanted`` (folded) is a part of a name, or the whole mail address or number.

    Compared here, not in the database, because only here 髙 and 高 are alike; accounts are few, members may be many.
    """
    tight = _tight(wanted)
    accounts = list(
        User.objects.filter(organization=organization).order_by("id").values_list("id", "name", "email", "principal")
    )
    states = MemberState.objects.filter(
        organization=organization,
        voided_at__isnull=True,
        of_id__in=User.objects.filter(organization=organization, principal__isnull=False).values("principal"),
    ).values_list("of_id", "code", "family_name", "given_name", "family_kana", "given_kana")
    meant = {
        key
        for key, code, family, given, family_kana, given_kana in states
        if wanted == fold(code)
        or tight in _tight(fold(family + given))
        or tight in _tight(fold(family_kana + given_kana))
    }
    return [
        str(key)
        for key, name, mail, principal in accounts
        if principal in meant or wanted == mail.casefold() or tight in _tight(fold(name))
    ]


def _tight(text: str) -> str:
    return text.replace(" ", "")


def _unnamed(organization: Any) -> list[str]:
    """Return the ids in the log that are no accounts: users of the console, parts of the worker.

    The index is entered once an id, however long the log is.
    """
    key = organization.pk.hex if connection.vendor == "sqlite" else organization.pk
    with connection.cursor() as cursor:
        cursor.execute(
            "WITH RECURSIVE found(id) AS ("
            " SELECT (SELECT MIN(actor_id) FROM auditlog_event WHERE organization_id = %s)"
            " UNION ALL SELECT (SELECT MIN(actor_id) FROM auditlog_event"
            " WHERE organization_id = %s AND actor_id > found.id) FROM found WHERE found.id IS NOT NULL"
            ") SELECT id FROM found WHERE id IS NOT NULL",
            [key, key],
        )
        ids = [str(row[0]) for row in cursor.fetchall()]
    return [each for each in ids if not _is_id(each)]


def actor_names(organization: Any, refs: Iterable[Ref]) -> dict[Ref, str]:
    """Return what the actors (kind, id) are called. One query for all accounts."""
    wanted = set(refs)
    names = account_names(organization, [key for kind, key in wanted if kind == "member"])
    return {ref: _name(ref, names) for ref in wanted}


def account_names(organization: Any, ids: Iterable[str]) -> dict[str, str]:
    """Return account id -> name, for those that still exist. One query, none for no ids."""
    wanted = [key for key in set(ids) if _is_id(key)]
    if not wanted:
        return {}
    rows = User.objects.filter(organization=organization, id__in=wanted).values_list("id", "name")
    return {str(key): name for key, name in rows}


def _name(ref: Ref, names: dict[str, str]) -> str:
    kind, key = ref
    match kind:
        case "member":
            return names.get(key, key)
        case "cli":
            return _("コンソール: %(name)s") % {"name": key}
        case "worker":
            return _("作業プロセス")
        case "guest":
            return _("外部の人: %(name)s") % {"name": key}
        case "stranger":
            return _("ログインしていない人")
        case _:
            return f"{kind}: {key}" if key else kind


def _is_id(text: str) -> bool:
    try:
        uuid.UUID(text)
    except ValueError:
        return False
    return True
