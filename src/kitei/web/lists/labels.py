"""What other rows are called: labels of the rows that a page refers to, read together, one or two queries a list."""

from __future__ import annotations

import datetime as dt
import uuid
from collections.abc import Iterable
from typing import Any

from django.urls import reverse

from kitei.foundation import clock
from kitei.foundation.ui import lists
from kitei.foundation.ui.lists import Link, ListSpec, Refer
from kitei.trust.access import rule
from kitei.trust.access.models import Protected

HIDDEN = ""
"""Stands for the label of a protected row that the reader may not see."""
Labels = dict[tuple[str, uuid.UUID], str]


def identity_of(row: Any) -> uuid.UUID:
    """Return the id a row's page has: its identity's, or its own where rows have none (appointments)."""
    found: uuid.UUID = getattr(row, "of_id", None) or row.pk
    return found


def has_identity(model: Any) -> bool:
    """Tell whether rows of ``model`` are states of an identity."""
    return any(field.name == "of" for field in model._meta.get_fields())  # noqa: SLF001  Django's public way to a model's fields


def read(*, actor: rule.Actor, day: dt.date, cells: Iterable[Any]) -> Labels:
    """Return the label of every row referred to; as of ``day``, else the latest known (somebody who left)."""
    wanted: dict[str, set[uuid.UUID]] = {}
    for cell in cells:
        if isinstance(cell, Refer) and cell.id:
            wanted.setdefault(cell.key, set()).add(cell.id)
    found: Labels = {}
    for key, ids in wanted.items():
        try:
            spec = lists.get(key)
        except KeyError:
            continue
        found.update(_labels(spec, actor, day, ids))
    return found


def link(cell: Any, labels: Labels, *, as_of: str) -> Any:
    """Turn a ``Refer`` into a link with its label; other cells stay."""
    if not isinstance(cell, Refer):
        return cell
    text = labels.get((cell.key, cell.id))
    if text is None:
        return cell.text
    if text == HIDDEN:
        return ""
    url = reverse("list-row", args=[cell.key, cell.id])
    return Link(text, f"{url}?{as_of}" if as_of else url)


def _labels(spec: ListSpec, actor: rule.Actor, day: dt.date, ids: set[uuid.UUID]) -> Labels:
    rows = spec.query(actor=actor, day=day)
    if not has_identity(rows.model):
        return {}
    found = {(spec.key, row.of_id): lists.label_of(spec, row) for row in rows.filter(of_id__in=ids)}
    missing = [key for key in ids if (spec.key, key) not in found]
    if issubclass(rows.model, Protected):
        # Its number alone would tell that it exists.
        found |= {(spec.key, key): HIDDEN for key in missing}
    if missing:
        every = rule.visible(actor, rows.model.objects.filter(of_id__in=missing, voided_at__isnull=True), rule.LIST)
        if issubclass(rows.model, Protected):
            # What is closed today is not named by what it was before.
            here = rows.model.objects.filter(of_id__in=missing).as_of(clock.today())
            every = every.exclude(of_id__in=here.values("of_id"))
        found |= {(spec.key, row.of_id): lists.label_of(spec, row) for row in every.order_by("valid_from")}
    return found
