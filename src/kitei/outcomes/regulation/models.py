"""The regulation of an organization: its draft, its frozen editions, and its own articles when it brought its own text."""

from __future__ import annotations

from django.db import models

from kitei.foundation.dates.dated import Identity, State
from kitei.foundation.files.models import StoredFile
from kitei.foundation.tenancy.models import Row


class Draft(Row):
    """The text being worked on (案), in the format of docs/reference/regulation-text.md. One per organization."""

    text = models.TextField()
    changed_at = models.DateTimeField()

    class Meta:
        constraints = [models.UniqueConstraint(fields=["organization"], name="regulation_one_draft")]


class EditionKind(models.TextChoices):
    """Where an edition's text comes from."""

    MODEL = "model", "Kiteiの本文"
    OWN = "own", "自社の規程"


class Edition(Row):
    """版: frozen by value when it was put into force. Rows never change.

    ``tree`` is the whole regulation with its annexes as drawn on ``as_of`` (``packing.pack``); ``provisions`` and
    ``articles`` are what checks and citations read; ``files`` are the documents made (or uploaded) that day.
    """

    number = models.PositiveIntegerField()
    label = models.CharField(max_length=40)
    kind = models.CharField(max_length=10, choices=EditionKind.choices)
    title = models.CharField(max_length=200)
    document_number = models.CharField(max_length=60)
    effective_on = models.DateField()
    as_of = models.DateField()
    summary = models.CharField(max_length=300)
    adopted_at = models.DateTimeField()
    adopted_by = models.CharField(max_length=120)
    approved_by = models.CharField(max_length=120, blank=True)
    source_text = models.TextField(blank=True)
    tree = models.JSONField(null=True)
    provisions = models.JSONField(default=dict)
    articles = models.JSONField(default=list)
    incorporated = models.JSONField(default=list)
    content_hash = models.CharField(max_length=64)
    docx = models.ForeignKey(StoredFile, null=True, on_delete=models.PROTECT, related_name="+")
    pdf = models.ForeignKey(StoredFile, null=True, on_delete=models.PROTECT, related_name="+")
    html = models.ForeignKey(StoredFile, null=True, on_delete=models.PROTECT, related_name="+")
    original = models.ForeignKey(StoredFile, null=True, on_delete=models.PROTECT, related_name="+")

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["organization", "number"], name="regulation_one_number"),
            models.UniqueConstraint(fields=["organization", "label"], name="regulation_one_label"),
        ]
        indexes = [models.Index(fields=["organization", "effective_on"])]


class OwnArticle(Identity):
    """An article of the company's own regulation, known by its printed number (「第12条」)."""

    class Meta:
        constraints = [models.UniqueConstraint(fields=["organization", "code"], name="regulation_own_article_code")]


class OwnArticleState(State):
    """What sheet 「現行規程」 says of it: caption, the requirements it states, the page, and a provision it fixes."""

    of = models.ForeignKey(OwnArticle, on_delete=models.PROTECT, related_name="states")
    position = models.PositiveIntegerField(default=0)
    caption = models.CharField(max_length=200)
    clauses = models.CharField(max_length=300, blank=True)
    page = models.CharField(max_length=20, blank=True)
    provision = models.CharField(max_length=80, blank=True)
    provision_value = models.PositiveIntegerField(null=True)

    class Meta:
        indexes = [models.Index(fields=["organization", "code"])]
