"""Stored runs of the checks, and findings somebody accepted."""

from __future__ import annotations

from django.db import models

from kitei.foundation.tenancy.models import Row


class Run(Row):
    """One run of every check for one day. ``results`` is what ``packing.pack`` made; home shows it with ``finished_at``."""

    day = models.DateField()
    finished_at = models.DateTimeField()
    seen_event = models.UUIDField(null=True)
    results = models.JSONField()

    class Meta:
        indexes = [models.Index(fields=["organization", "-finished_at"])]


class Acceptance(Row):
    """A finding accepted by somebody, for a reason, until a day. It stays listed and returns on that day (design §2.1)."""

    finding = models.CharField(max_length=200)
    reason = models.TextField()
    accepted_by = models.CharField(max_length=120)
    accepted_at = models.DateTimeField()
    until = models.DateField()
    withdrawn_at = models.DateTimeField(null=True)

    class Meta:
        indexes = [models.Index(fields=["organization", "finding"])]
