"""A letter that was asked for, and what became of it. Neither address nor words stand here: they are made when it is sent."""

from __future__ import annotations

from django.db import models

from kitei.foundation.tenancy.models import Row


class Letter(Row):
    """One letter. ``kind`` names who composes it, ``reference`` what it is about (an id, never a secret).

    ``sent_at`` is when the mail server took it; ``dropped_at`` when its reason had gone before it was sent; ``failed_at``
    when the last attempt failed too. ``error`` is what the last failed attempt said, without the address.
    """

    kind = models.CharField(max_length=60)
    reference = models.CharField(max_length=100)
    asked_at = models.DateTimeField()
    attempts = models.PositiveSmallIntegerField(default=0)
    sent_at = models.DateTimeField(null=True)
    dropped_at = models.DateTimeField(null=True)
    failed_at = models.DateTimeField(null=True)
    error = models.CharField(max_length=200, blank=True)

    class Meta:
        indexes = [models.Index(fields=["organization", "kind", "reference"], name="mail_about")]
