"""What was acted on: labels of objects, read in bulk through the lists of their registers, one query a kind."""

from __future__ import annotations

import uuid
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

from django.urls import reverse
from django.utils.translation import gettext as _

from kitei.foundation import clock
from kitei.foundation.ui import lists
from kitei.outcomes.records import people
from kitei.outcomes.regulation.models import Edition
from kitei.trust.access import rule
from kitei.trust.auditlog import vocabulary

Ref = tuple[str, str]


@dataclass(frozen=True)
class Thing:
    """An object of an event: what kind it is, what it is called (its id when nothing better is known), its page if any."""

    kind: str
    name: str
    url: str = ""

    def __str__(self) -> str:
        return _("%(kind)s: %(name)s") % {"kind": self.kind, "name": self.name} if self.name else self.kind


def things(*, actor: rule.Actor, refs: Iterable[Ref]) -> dict[Ref, Thing]:
    """Return what the objects (kind, id) are called now. One query a kind."""
    wanted = set(refs)
    by_kind: dict[str, set[uuid.UUID]] = {}
    for kind, key in wanted:
        if _as_id(key):
            by_kind.setdefault(kind, set()).add(uuid.UUID(key))
    names: dict[Ref, str] = {}
    for kind, ids in by_kind.items():
        names.update({(kind, key): name for key, name in _names(actor, kind, ids).items()})
    return {ref: _thing(ref, names) for ref in wanted}


def kind_label(kind: str) -> str:
    """Return what a kind of object is called in the reader's language."""
    return vocabulary.kind_label(kind) if kind else ""


def _thing(ref: Ref, names: dict[Ref, str]) -> Thing:
    kind, key = ref
    name = names.get(ref)
    if name is not None:
        known = _spec(kind)
        return Thing(kind_label(kind), name, reverse("list-row", args=[kind, key]) if known else "")
    if kind in {"register", "sheet"} and _spec(key):
        return Thing(kind_label(kind), str(_spec(key).title), reverse("list", args=[key]))
    if _spec(key) and key == kind:  # the whole list
        return Thing(kind_label(kind), "")
    return Thing(kind_label(kind), key)


def _names(actor: rule.Actor, kind: str, ids: set[uuid.UUID]) -> dict[str, str]:
    if kind == "account":
        return people.account_names(actor.organization, [str(key) for key in ids])
    if kind == "regulation":
        rows = Edition.objects.filter(organization=actor.organization, id__in=ids).values_list("id", "label")
        return {str(key): label for key, label in rows}
    spec = _spec(kind)
    if spec is None:
        return {}
    model: Any = spec.query(actor=actor, day=clock.today()).model
    dated = any(field.name == "of" for field in model._meta.get_fields())  # noqa: SLF001  Django's public way to a model's fields
    found = model.objects.filter(**{"of_id__in" if dated else "pk__in": ids}, voided_at__isnull=True)
    # The latest name: the log tells what something is called now, what it was called then its page tells.
    found = rule.visible(actor, found, rule.LIST).order_by("valid_from")
    return {str(row.of_id if dated else row.pk): lists.label_of(spec, row) for row in found}


def _spec(key: str) -> Any:
    try:
        return lists.get(key)
    except KeyError:
        return None


def _as_id(text: str) -> bool:
    try:
        uuid.UUID(text)
    except ValueError:
        return False
    return True
