"""Organization and the base of every other row (design §3 tenancy)."""

from __future__ import annotations

from django.core.validators import RegexValidator
from django.db import models

from kitei.foundation.tenancy.ids import uuid7

CODE_PATTERN = r"^[a-z0-9-]{1,40}$"


class Organization(models.Model):
    """対象事業者. An installation normally holds one; ``code`` is fixed at init because the log's origin holds it."""

    id = models.UUIDField(primary_key=True, default=uuid7, editable=False)
    code = models.CharField(max_length=40, unique=True, validators=[RegexValidator(CODE_PATTERN)])
    name = models.CharField(max_length=200)
    corporate_number = models.CharField(max_length=13, blank=True)
    address = models.CharField(max_length=300, blank=True)
    era_dates = models.BooleanField(default=True)
    regulation_title = models.CharField(max_length=200, default="医療情報システム等 運用管理規程")
    document_number = models.CharField(max_length=60, default="KT-001")
    guideline_edition = models.CharField(max_length=40, default="mic-meti-1.1")
    company_holidays = models.JSONField(default=list, blank=True)
    is_demo = models.BooleanField(default=False)
    created_at = models.DateTimeField()

    def hold(self) -> None:
        """Let every other transaction that calls this wait for the end of the caller's one.

        For acts that look first and write then (an import, a new edition). PostgreSQL only: on SQLite a write
        transaction is alone from its beginning. Rows that merely refer to the organization can still be written.
        """
        Organization.objects.select_for_update(no_key=True).only("id").get(pk=self.pk)


class Row(models.Model):
    """Base of every row of every room: a UUIDv7 key and the organization it belongs to."""

    id = models.UUIDField(primary_key=True, default=uuid7, editable=False)
    organization = models.ForeignKey(Organization, on_delete=models.PROTECT, related_name="+", db_index=False)

    class Meta:
        abstract = True
