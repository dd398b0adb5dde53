"""What a person found when comparing a clause with the published PDF (design §2.11)."""

from __future__ import annotations

from django.db import models

from kitei.foundation.tenancy.models import Row


class ClauseReview(Row):
    """One comparison of one clause: confirmed as it stands, or corrected. The newest review of a clause holds."""

    edition = models.CharField(max_length=40)
    clause = models.CharField(max_length=80)
    corrected = models.BooleanField(default=False)
    statement_ja = models.TextField(blank=True)
    statement_en = models.TextField(blank=True)
    level = models.CharField(max_length=10, blank=True)
    page = models.CharField(max_length=40)
    reviewed_by = models.CharField(max_length=120)
    reviewed_at = models.DateTimeField()

    class Meta:
        indexes = [models.Index(fields=["organization", "edition"])]
