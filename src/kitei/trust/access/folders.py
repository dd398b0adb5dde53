"""Folders: made, moved, found by their path. ``FolderLink`` holds every pair of a folder and what stands below it."""

from __future__ import annotations

import re
import uuid
from collections.abc import Iterable
from typing import Any

from kitei.foundation import transactions
from kitei.foundation.text import Message, UserError
from kitei.trust.access import events, rule
from kitei.trust.access.models import Folder, FolderLink
from kitei.trust.access.operations import ROOT_FOLDER, root_folder
from kitei.trust.access.rule import Actor
from kitei.trust.auditlog.log import Act, append

LONGEST_NAME = 120
DEEPEST = 12
_SEPARATOR = re.compile(r"[/／]")
SEPARATOR = "／"


def make_folder(
    *, actor: Actor, organization: Any, name: str, parent: uuid.UUID | None = None, department: str = ""
) -> Folder:
    """Make a folder below ``parent`` (the root when None); joins the caller's transaction.

    Refused without MANAGE on 閲覧権限; UserError for an empty or taken name, or a parent that is not there.
    """
    transactions.require()
    decision = rule.require(actor, rule.MANAGE, rule.Target("access", organization=organization)).recorded
    organization.hold()
    above = _folder(organization, parent) if parent else root_folder(organization=organization)
    return _make(actor, organization, _name(name), above, department.strip(), decision)


def move_folder(
    *, actor: Actor, organization: Any, folder: uuid.UUID, parent: uuid.UUID, department: str | None = None
) -> Folder:
    """Put a folder, with all below it, below ``parent``, and set its owning department when given.

    What is granted and denied above the new place holds at once, what was above the old one no longer. Refused without
    MANAGE; UserError for the root folder, a place inside itself, or a name taken there.
    """
    transactions.require()
    decision = rule.require(actor, rule.MANAGE, rule.Target("access", organization=organization)).recorded
    organization.hold()
    found, above = _folder(organization, folder), _folder(organization, parent)
    before = found.parent_id
    if before is None and above.pk != found.pk:
        raise UserError(Message("いちばん上のフォルダーは移せません。"))
    if before is not None and before != above.pk:
        inside = FolderLink.objects.filter(organization=organization, ancestor=found, descendant=above)
        if inside.exists():
            raise UserError(Message("フォルダーを、それ自身の中には移せません。別の場所を選んでください。"))
        _free(organization, found.name, above)
        _relink(organization, found, above)
        found.parent = above
    if department is not None:
        found.department = department.strip()[:LONGEST_NAME]
    found.save(update_fields=["parent", "department"])
    append(
        organization=organization,
        act=Act(
            events.FOLDER_MOVED,
            actor.ref,
            ("folder", str(found.pk)),
            data={"from": str(before or ""), "parent": str(found.parent_id or "")},
            private={"department": found.department} if found.department else {},
            decision=decision,
        ),
    )
    return found


def paths(*, organization: Any) -> dict[uuid.UUID, str]:
    """Return folder id -> its names from below the root on, as people read it; the root's own name for the root. One query."""
    rows = {row.pk: row for row in Folder.objects.filter(organization=organization)}
    found: dict[uuid.UUID, str] = {}
    for key, row in rows.items():
        names: list[str] = []
        here: Folder | None = row
        while here is not None and here.parent_id is not None:
            names.append(here.name)
            here = rows.get(here.parent_id)
        found[key] = SEPARATOR.join(reversed(names)) or row.name
    return found


def names_of(path: str) -> tuple[str, ...]:
    """Return the names a path consists of; () for the root. UserError for names that are too long or too many."""
    names = tuple(part.strip() for part in _SEPARATOR.split(path) if part.strip())
    if names and names[0] == ROOT_FOLDER:
        names = names[1:]
    if len(names) > DEEPEST or any(len(name) > LONGEST_NAME for name in names):
        raise UserError(
            Message(
                "フォルダー「%(path)s」は深すぎるか、名前が長すぎます。%(deepest)s段まで、1つ%(longest)s字までにしてください。",
                {"path": path[:60], "deepest": DEEPEST, "longest": LONGEST_NAME},
            )
        )
    return names


def at_paths(*, actor: Actor, organization: Any, wanted: Iterable[str], decision: Any) -> dict[str, uuid.UUID]:
    """Return path -> folder, making what is missing; joins the caller's transaction.

    For registers whose rows name their folder: ``decision`` is what allowed the row to be written. UserError as ``names_of``.
    """
    transactions.require()
    root = root_folder(organization=organization)
    known = {(row.parent_id, row.name): row for row in Folder.objects.filter(organization=organization)}
    found: dict[str, uuid.UUID] = {}
    for path in sorted(set(wanted)):
        here = root
        for name in names_of(path):
            below = known.get((here.pk, name))
            if below is None:
                below = _make(actor, organization, name, here, "", decision)
                known[here.pk, name] = below
            here = below
        found[path] = here.pk
    return found


def _make(actor: Actor, organization: Any, name: str, above: Folder, department: str, decision: Any) -> Folder:
    _free(organization, name, above)
    depth = FolderLink.objects.filter(organization=organization, descendant=above).count()
    if depth > DEEPEST:
        raise UserError(Message("フォルダーが深すぎます。%(deepest)s段までにしてください。", {"deepest": DEEPEST}))
    folder = Folder.objects.create(
        organization=organization, parent=above, name=name, department=department[:LONGEST_NAME]
    )
    holders = FolderLink.objects.filter(organization=organization, descendant=above).values_list("ancestor", flat=True)
    FolderLink.objects.bulk_create(
        [FolderLink(organization=organization, ancestor_id=key, descendant=folder) for key in [*holders, folder.pk]]
    )
    append(
        organization=organization,
        act=Act(
            events.FOLDER_MADE,
            actor.ref,
            ("folder", str(folder.pk)),
            data={"parent": str(above.pk)},
            private={"name": name, **({"department": folder.department} if folder.department else {})},
            decision=decision,
        ),
    )
    return folder


def _relink(organization: Any, folder: Folder, above: Folder) -> None:
    links = FolderLink.objects.filter(organization=organization)
    subtree = list(links.filter(ancestor=folder).values_list("descendant", flat=True))
    links.filter(descendant__in=subtree).exclude(ancestor__in=subtree).delete()
    holders = links.filter(descendant=above).values_list("ancestor", flat=True)
    FolderLink.objects.bulk_create(
        [
            FolderLink(organization=organization, ancestor_id=holder, descendant_id=key)
            for holder in holders
            for key in subtree
        ],
        batch_size=500,
    )


def _folder(organization: Any, key: uuid.UUID) -> Folder:
    found = Folder.objects.filter(organization=organization, pk=key).first()
    if found is None:
        raise UserError(Message("フォルダーを選んでください。"))
    return found


def _name(text: str) -> str:
    name = text.strip()
    if not name or len(name) > LONGEST_NAME or _SEPARATOR.search(name):
        raise UserError(Message("フォルダーの名前を、「／」を使わずに120字までで書いてください。"))
    return name


def _free(organization: Any, name: str, above: Folder) -> None:
    if Folder.objects.filter(organization=organization, parent=above, name=name).exists():
        raise UserError(
            Message("同じ場所に「%(name)s」という名前のフォルダーがあります。別の名前にしてください。", {"name": name})
        )
