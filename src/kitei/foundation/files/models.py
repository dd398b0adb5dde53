"""A stored file: its digest, size and the name it was given. The bytes stand in the store under the digest."""

from __future__ import annotations

from django.db import models

from kitei.foundation.tenancy.models import Row


class StoredFile(Row):
    """One immutable file. Equal bytes are stored once; every mention keeps its own name and type."""

    digest = models.CharField(max_length=64)
    size = models.PositiveBigIntegerField()
    name = models.CharField(max_length=255)
    content_type = models.CharField(max_length=120)
    stored_at = models.DateTimeField()

    class Meta:
        indexes = [models.Index(fields=["organization", "digest"])]
