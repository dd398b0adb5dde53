"""Facts of the access rule (design §5): memberships, folders, and the base of controlled objects."""

from __future__ import annotations

from django.db import models
from django.db.models import Q

from kitei.foundation.tenancy.models import Row


class Membership(Row):
    """A principal belongs to a group from an instant until before another. Follows from an appointment (``source``).

    ``kind`` says what ``role`` names: a role's code, a department's or a supplier's.
    """

    principal = models.UUIDField()
    kind = models.CharField(max_length=12, default="role")
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
    """Where grants and denies attach. Every organization has a root folder; ``department`` owns it (主管部署)."""

    parent = models.ForeignKey("self", null=True, on_delete=models.PROTECT, related_name="+")
    name = models.CharField(max_length=120)
    department = models.CharField(max_length=120, blank=True)

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["organization", "parent", "name"], name="access_one_folder"),
            # NULL parents do not collide above: root folders need a rule of their own.
            models.UniqueConstraint(
                fields=["organization", "name"], condition=Q(parent__isnull=True), name="access_one_root"
            ),
        ]


class FolderLink(Row):
    """Closure of the folder tree: ``ancestor`` holds ``descendant`` (a folder holds itself). One lookup finds a subtree."""

    ancestor = models.ForeignKey(Folder, on_delete=models.CASCADE, related_name="below")
    descendant = models.ForeignKey(Folder, on_delete=models.CASCADE, related_name="above")

    class Meta:
        constraints = [models.UniqueConstraint(fields=["ancestor", "descendant"], name="access_one_link")]


class PrincipalKind(models.TextChoices):
    """Whom a grant or a deny is about."""

    EVERYONE = "everyone", "全員"
    MEMBER = "member", "人"
    ROLE = "role", "役割"
    DEPARTMENT = "department", "部署"
    SUPPLIER = "supplier", "委託先"
    GUEST = "guest", "外部の人"


class ScopeKind(models.TextChoices):
    """What it reaches: everything, one register, a folder with all below it, or one object."""

    ALL = "all", "全体"
    REGISTER = "register", "台帳"
    FOLDER = "folder", "フォルダー"
    OBJECT = "object", "1件"


class Entry(Row):
    """What a grant and a deny share: principal, action, scope, highest classification, and when it holds (instants).

    ``register`` names the kind of a register or of an object. ``source`` says what it came from: ``manual``, ``request``
    (閲覧申請), ``break-glass`` (緊急閲覧), ``review``. Never changed: withdrawn by ``voided_at``.
    """

    principal_kind = models.CharField(max_length=12, choices=PrincipalKind.choices)
    principal_id = models.CharField(max_length=80, blank=True)
    action = models.CharField(max_length=12)
    scope_kind = models.CharField(max_length=10, choices=ScopeKind.choices)
    register = models.CharField(max_length=40, blank=True)
    folder = models.ForeignKey(Folder, null=True, on_delete=models.PROTECT, related_name="+")
    object_id = models.UUIDField(null=True)
    highest = models.PositiveSmallIntegerField(choices=Classification.choices, default=Classification.SECRET)
    starts_at = models.DateTimeField()
    ends_at = models.DateTimeField(null=True)
    recorded_at = models.DateTimeField()
    recorded_by = models.CharField(max_length=100)
    voided_at = models.DateTimeField(null=True)
    reason = models.CharField(max_length=500, blank=True)
    source_kind = models.CharField(max_length=20, default="manual")
    source_id = models.UUIDField(null=True)

    class Meta:
        abstract = True


class Grant(Entry):
    """Lets a principal do one action. A deny that also fits wins."""

    class Meta:
        indexes = [
            models.Index(fields=["organization", "principal_kind", "principal_id", "action"], name="access_grant_who"),
            models.Index(fields=["folder"], name="access_grant_folder"),
            models.Index(fields=["object_id"], name="access_grant_object"),
        ]


class Deny(Entry):
    """Keeps a principal from one action, whatever is granted. ``highest`` is not looked at: all classifications."""

    class Meta:
        indexes = [
            models.Index(fields=["organization", "principal_kind", "principal_id", "action"], name="access_deny_who"),
            models.Index(fields=["folder"], name="access_deny_folder"),
            models.Index(fields=["object_id"], name="access_deny_object"),
        ]


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


class AccessRequest(Row):
    """閲覧申請: what a person asks to see, in the person's own words, and what was answered.

    ``address`` is where the person stood when asking. Nothing here says whether what is asked for exists. ``state`` is
    ``open``, ``approved`` or ``refused``; an approval is grants with ``source_id`` = this row.
    """

    account = models.UUIDField()
    principal = models.UUIDField(null=True)
    wanted = models.CharField(max_length=300, blank=True)
    address = models.CharField(max_length=300, blank=True)
    reason = models.CharField(max_length=500)
    until = models.DateField()
    asked_at = models.DateTimeField()
    state = models.CharField(max_length=10, default="open")
    decided_at = models.DateTimeField(null=True)
    decided_by = models.UUIDField(null=True)
    answer = models.CharField(max_length=500, blank=True)

    class Meta:
        indexes = [
            models.Index(fields=["organization", "state", "asked_at"], name="access_request_state"),
            models.Index(fields=["account"], name="access_request_account"),
        ]


class BreakGlass(Row):
    """緊急閲覧: somebody let himself in for a few hours, with a reason; another officer looks at it afterwards.

    ``number`` is the document number as typed, also when no document has it. The grants have ``source_id`` = this row.
    ``outcome`` is ``justified`` or ``unjustified`` once ``reviewed_at`` is set; ``alone`` says that no second person could.
    """

    account = models.UUIDField()
    principal = models.UUIDField()
    folder = models.ForeignKey(Folder, null=True, on_delete=models.PROTECT, related_name="+")
    number = models.CharField(max_length=60, blank=True)
    reason = models.CharField(max_length=500)
    starts_at = models.DateTimeField()
    ends_at = models.DateTimeField()
    reviewed_at = models.DateTimeField(null=True)
    reviewed_by = models.UUIDField(null=True)
    outcome = models.CharField(max_length=12, blank=True)
    note = models.CharField(max_length=500, blank=True)
    alone = models.BooleanField(default=False)

    class Meta:
        indexes = [
            models.Index(fields=["organization", "starts_at"], name="access_break_glass"),
            models.Index(
                fields=["organization"], name="access_unreviewed", condition=models.Q(reviewed_at__isnull=True)
            ),
        ]


class GrantReview(Row):
    """権限の棚卸: what a person decided about the grants of one ``bundle`` (``source_id``): keep, change or remove."""

    bundle = models.UUIDField()
    outcome = models.CharField(max_length=10)
    reviewed_at = models.DateTimeField()
    reviewed_by = models.UUIDField(null=True)
    note = models.CharField(max_length=500, blank=True)

    class Meta:
        indexes = [models.Index(fields=["organization", "bundle", "reviewed_at"], name="access_review_bundle")]
