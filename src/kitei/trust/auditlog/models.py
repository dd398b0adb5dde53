"""The append-only tables of the log (design §5). Written by ``append`` only; triggers refuse UPDATE and DELETE."""

from __future__ import annotations

from django.db import models
from django.db.models import Q

from kitei.foundation.tenancy.models import Row


class Event(Row):
    """One act. ``payload`` holds the canonical bytes that were hashed; the columns beside it only serve queries.

    ``leaf_index`` is the place in the order of the organization's events, set once by the sequencer; NULL while pending.
    In the tree of the log that holds it the leaf stands at ``leaf_index - Log.base``.
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
            models.Index(fields=["organization", "actor_id", "at"], name="auditlog_by_actor"),
            models.Index(fields=["organization", "name", "at"], name="auditlog_by_name"),
            models.Index(fields=["organization", "id"], name="auditlog_pending", condition=Q(leaf_index__isnull=True)),
            models.Index(fields=["organization", "at"], name="auditlog_refused", condition=~Q(outcome="ok")),
        ]


class Opening(Row):
    """What opens a salted commitment of an event: erasable, never part of the leaf (security.md §1.4)."""

    event_id = models.UUIDField()
    field = models.CharField(max_length=40)
    salt = models.BinaryField()
    value = models.TextField()

    class Meta:
        constraints = [models.UniqueConstraint(fields=["event_id", "field"], name="auditlog_one_opening")]


class Log(Row):
    """The Merkle tree of one organization (design §5). After a restore that cannot be continued a new generation begins.

    ``base`` is the ``leaf_index`` of its first leaf. ``frontier`` holds the compact range (32 bytes a subtree, largest
    first) of ``size`` leaves with ``root``. ``epoch`` rises with every change: who writes compares it first. The lease
    only keeps sequencers from colliding again and again; correctness rests on (size, epoch) and the unique leaf index.
    ``fault`` holds, as JSON of a ``Message``, why nothing may be signed any more until a person decides; empty otherwise.
    """

    generation = models.PositiveSmallIntegerField(default=1)
    origin = models.CharField(max_length=200, unique=True)
    base = models.PositiveBigIntegerField(default=0)
    size = models.PositiveBigIntegerField(default=0)
    root = models.BinaryField()
    frontier = models.BinaryField(default=bytes)
    epoch = models.PositiveBigIntegerField(default=0)
    lease_token = models.UUIDField(null=True)
    lease_until = models.DateTimeField(null=True)
    opened_at = models.DateTimeField()
    closed_at = models.DateTimeField(null=True)
    fault = models.TextField(blank=True)

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["organization", "generation"], name="auditlog_one_generation"),
            models.UniqueConstraint(
                fields=["organization"], condition=Q(closed_at__isnull=True), name="auditlog_one_open_log"
            ),
        ]


class Head(Row):
    """A signed head of a log: ``note`` is the checkpoint as signed. Never two of one size."""

    log = models.ForeignKey(Log, on_delete=models.PROTECT, related_name="heads")
    size = models.PositiveBigIntegerField()
    root = models.BinaryField()
    note = models.BinaryField()
    signed_at = models.DateTimeField()

    class Meta:
        constraints = [models.UniqueConstraint(fields=["log", "size"], name="auditlog_one_head_a_size")]


class Anchor(Row):
    """What an outsider gave for a head: a witness's cosignature line, or a time stamp (``kind`` witness, stamp)."""

    log = models.ForeignKey(Log, on_delete=models.PROTECT, related_name="anchors")
    kind = models.CharField(max_length=20)
    name = models.CharField(max_length=200)
    size = models.PositiveBigIntegerField()
    made_at = models.DateTimeField()
    evidence = models.BinaryField()

    class Meta:
        constraints = [models.UniqueConstraint(fields=["log", "kind", "name", "size"], name="auditlog_one_anchor")]


class AnchorState(Row):
    """How it stands with one outsider: the size it knows, when it was asked last, and since when it fails with what."""

    log = models.ForeignKey(Log, on_delete=models.PROTECT, related_name="anchor_states")
    kind = models.CharField(max_length=20)
    name = models.CharField(max_length=200)
    size = models.PositiveBigIntegerField(default=0)
    asked_at = models.DateTimeField()
    failing_since = models.DateTimeField(null=True)
    error = models.CharField(max_length=500, blank=True)

    class Meta:
        constraints = [models.UniqueConstraint(fields=["log", "kind", "name"], name="auditlog_one_anchor_state")]


class Cursor(Row):
    """How far a reaction has come: every event with a lower ``leaf_index`` was handed to it."""

    reaction = models.CharField(max_length=80)
    position = models.PositiveBigIntegerField(default=0)
    attempts = models.PositiveSmallIntegerField(default=0)
    retry_at = models.DateTimeField(null=True)
    error = models.CharField(max_length=500, blank=True)

    class Meta:
        constraints = [models.UniqueConstraint(fields=["organization", "reaction"], name="auditlog_one_cursor")]
