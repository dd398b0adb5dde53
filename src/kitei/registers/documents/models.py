"""Documents: contracts, regulations, manuals, evidence (rows ア-4, ウ-1, ウ-2)."""

from __future__ import annotations

from django.db import models

from kitei.foundation.dates.dated import Identity, State
from kitei.foundation.files.models import StoredFile
from kitei.trust.access.models import Protected


class Document(Identity):
    """文書: its number never changes and never passes to another document."""

    class Meta:
        constraints = [models.UniqueConstraint(fields=["organization", "code"], name="documents_code")]


class DocumentState(State, Protected):
    """What a document is as of a day: title, kind, version in force, owner, where it is kept.

    ``kept_at`` is kitei (the file is here), external (elsewhere, see ``place``) or paper (original at ``place``).
    ``in_force_from`` is 施行日 of the version, ``withdrawn_on`` the day from which the document no longer holds (廃止日).
    """

    of = models.ForeignKey(Document, on_delete=models.PROTECT, related_name="states")
    title = models.CharField(max_length=200)
    kind = models.CharField(max_length=20)
    version = models.CharField(max_length=40, blank=True)
    in_force_from = models.DateField(null=True)
    withdrawn_on = models.DateField(null=True)
    approved_by = models.CharField(max_length=120, blank=True)
    department = models.CharField(max_length=120, blank=True)
    kept_at = models.CharField(max_length=20)
    place = models.CharField(max_length=300, blank=True)
    file_name = models.CharField(max_length=255, blank=True)
    file = models.ForeignKey(StoredFile, null=True, on_delete=models.PROTECT, related_name="+")
    retention_years = models.PositiveSmallIntegerField(null=True)
    reviewed_on = models.DateField(null=True)

    class Meta:
        indexes = [
            models.Index(fields=["organization", "code"]),
            models.Index(fields=["organization", "title"]),
            models.Index(fields=["organization", "kind"]),
        ]
