"""Column mappings saved per company (design §8)."""

from __future__ import annotations

from django.db import models

from kitei.foundation.tenancy.models import Row


class SavedMapping(Row):
    """How this company's own sheet is read: its name, header row, headers by column key, and value translations."""

    spec = models.CharField(max_length=60)
    sheet = models.CharField(max_length=120)
    header_row = models.PositiveIntegerField(null=True)
    columns = models.JSONField(default=dict)
    translations = models.JSONField(default=dict)
    saved_at = models.DateTimeField()

    class Meta:
        constraints = [models.UniqueConstraint(fields=["organization", "spec"], name="sheets_one_mapping")]
