"""A piece of background work and where it stands."""

from __future__ import annotations

from django.db import models
from django.db.models import Q

from kitei.foundation.tenancy.models import Row


class Job(Row):
    """One job. ``key`` is unique among waiting jobs: asking twice for the same work waits once.

    ``lease_until`` is set while a worker holds it; a lease that ran out is claimed again, so a killed worker loses
    nothing. After ``MAX_ATTEMPTS`` failures ``dead_at`` is set and the job waits for a person.
    """

    kind = models.CharField(max_length=60)
    key = models.CharField(max_length=120)
    arguments = models.JSONField(default=dict)
    due_at = models.DateTimeField()
    created_at = models.DateTimeField()
    lease_until = models.DateTimeField(null=True)
    lease_token = models.UUIDField(null=True)
    attempts = models.PositiveSmallIntegerField(default=0)
    done_at = models.DateTimeField(null=True)
    dead_at = models.DateTimeField(null=True)
    error = models.CharField(max_length=500, blank=True)

    class Meta:
        indexes = [
            models.Index(fields=["due_at"], name="jobs_open", condition=Q(done_at__isnull=True, dead_at__isnull=True))
        ]
        constraints = [
            models.UniqueConstraint(
                fields=["organization", "kind", "key"],
                condition=Q(done_at__isnull=True, dead_at__isnull=True, lease_token__isnull=True),
                name="jobs_one_waiting",
            )
        ]
