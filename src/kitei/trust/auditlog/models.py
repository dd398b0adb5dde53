"""The append-only tables of the log (design §5). Written by ``append`` only; triggers refuse UPDATE and DELETE."""

from __future__ import annotations

from django.db import models
from django.db.models import Q

from kitei.foundation.tenancy.models import Row


class Event(Row):
    """One act. ``payload`` holds the canonical bytes that were hashed; the columns beside it only serve queries.

    ``leaf_index`` is the place in the organization's Merkle tree, set once by the sequencer; NULL while pending.
    """

    at = models.DateTimeField()
    name = models.CharField(max_length=80)
    outcome = models.CharField(max_length=12)
    actor_kind = models.CharField(max_length=20)
    actor_id = models.CharField(max_length=80)
    object_kind = models.CharField(max_length=40)
    object_id = models.CharField(max_length=80)
    payload = models.BinaryField()
    leaf_hash = models.BinaryField()
    leaf_index = models.PositiveBigIntegerField(null=True)

    class Meta:
        constraints = [models.UniqueConstraint(fields=["organization", "leaf_index"], name="auditlog_one_leaf")]
        indexes = [
            models.Index(fields=["organization", "at"]),
            models.Index(fields=["organization", "object_kind", "object_id"]),
            models.Index(fields=["id"], name="auditlog_pending", condition=Q(leaf_index__isnull=True)),
        ]


class Opening(Row):
    """What opens a salted commitment of an event: erasable, never part of the leaf (security.md §1.4)."""

    event_id = models.UUIDField()
    field = models.CharField(max_length=40)
    salt = models.BinaryField()
    value = models.TextField()

    class Meta:
        constraints = [models.UniqueConstraint(fields=["event_id", "field"], name="auditlog_one_opening")]
