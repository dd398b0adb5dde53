"""Facts of the access rule (design §5): memberships, folders, and the base of controlled objects."""

from __future__ import annotations

from django.db import models

from kitei.foundation.tenancy.models import Row


class Membership(Row):
    """A principal holds a role from an instant until before another. Follows from an appointment (``source``)."""

    principal = models.UUIDField()
    role = models.CharField(max_length=40)
    starts_at = models.DateTimeField()
    ends_at = models.DateTimeField(null=True)
    deputy = models.BooleanField(default=False)
    source_kind = models.CharField(max_length=40)
    source_id = models.UUIDField()
    recorded_at = models.DateTimeField()
    voided_at = models.DateTimeField(null=True)

    class Meta:
        indexes = [models.Index(fields=["organization", "principal"]), models.Index(fields=["source_id"])]


class Classification(models.IntegerChoices):
    """閲覧区分, from the lowest to the highest."""

    PUBLIC = 0, "公開"
    INTERNAL = 1, "社外秘"
    RESTRICTED = 2, "関係者限"
    SECRET = 3, "極秘"


class Folder(Row):
    """Where grants and denies attach. Every organization has a root folder."""

    parent = models.ForeignKey("self", null=True, on_delete=models.PROTECT, related_name="+")
    name = models.CharField(max_length=120)

    class Meta:
        constraints = [models.UniqueConstraint(fields=["organization", "parent", "name"], name="access_one_folder")]


class Protected(models.Model):
    """Base of objects that access restriction protects: the folder they stand in and their classification."""

    folder = models.ForeignKey(Folder, on_delete=models.PROTECT, related_name="+")
    classification = models.PositiveSmallIntegerField(choices=Classification.choices, default=Classification.INTERNAL)

    class Meta:
        abstract = True


class StrangerCount(Row):
    """How many unknown addresses were asked for without log-in in one hour; becomes one event and goes away."""

    hour = models.DateTimeField()
    count = models.PositiveBigIntegerField(default=0)

    class Meta:
        constraints = [models.UniqueConstraint(fields=["organization", "hour"], name="access_one_count_an_hour")]
