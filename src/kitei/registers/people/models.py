"""People, what they hold and what they can (rows ア-4…イ-6 of the seed page)."""

from __future__ import annotations

from django.db import models

from kitei.foundation.dates.dated import Dated, Identity, State
from kitei.registers.documents.models import Document


class Department(Identity):
    """部署."""

    class Meta:
        constraints = [models.UniqueConstraint(fields=["organization", "code"], name="people_department_code")]


class DepartmentState(State):
    """What a department is called and where it belongs."""

    of = models.ForeignKey(Department, on_delete=models.PROTECT, related_name="states")
    name = models.CharField(max_length=120)
    parent = models.ForeignKey(Department, null=True, on_delete=models.PROTECT, related_name="+")

    class Meta:
        indexes = [models.Index(fields=["organization", "code"])]


class Member(Identity):
    """構成員: 役員, 従業者, 派遣, 出向. Its id is the principal that memberships name."""

    class Meta:
        constraints = [models.UniqueConstraint(fields=["organization", "code"], name="people_member_code")]


class MemberState(State):
    """A member's name, place and time with the company. Names keep the characters they are written with."""

    of = models.ForeignKey(Member, on_delete=models.PROTECT, related_name="states")
    family_name = models.CharField(max_length=60)
    given_name = models.CharField(max_length=60)
    family_kana = models.CharField(max_length=80, blank=True)
    given_kana = models.CharField(max_length=80, blank=True)
    department = models.ForeignKey(Department, null=True, on_delete=models.PROTECT, related_name="+")
    title = models.CharField(max_length=80, blank=True)
    employment = models.CharField(max_length=20, blank=True)
    email = models.CharField(max_length=254, blank=True)
    joined_on = models.DateField(null=True)
    left_on = models.DateField(null=True)

    class Meta:
        indexes = [models.Index(fields=["organization", "code"]), models.Index(fields=["organization", "family_kana"])]

    @property
    def full_name(self) -> str:
        """姓 and 名 with one space, as printed."""
        return f"{self.family_name} {self.given_name}".strip()


class Office(Identity):
    """役割: its code is a role code of design §7."""

    class Meta:
        constraints = [models.UniqueConstraint(fields=["organization", "code"], name="people_office_code")]


class OfficeState(State):
    """The company's own title of a role and what it is charged with."""

    of = models.ForeignKey(Office, on_delete=models.PROTECT, related_name="states")
    title = models.CharField(max_length=80)
    duties = models.TextField(blank=True)


class Appointment(Dated):
    """任命: a member holds a role from 発令日 (``valid_from``) until before ``valid_until``.

    ``deputy_order`` 0 is the holder, 1, 2… are deputies in order. A correction voids the row and adds another under the
    same ``code``.
    """

    code = models.CharField(max_length=60)
    role = models.CharField(max_length=40)
    member = models.ForeignKey(Member, on_delete=models.PROTECT, related_name="appointments")
    deputy_order = models.PositiveSmallIntegerField(default=0)
    term_until = models.DateField(null=True)
    end_kind = models.CharField(max_length=20, blank=True)
    appointed_by = models.CharField(max_length=120, blank=True)
    article = models.CharField(max_length=60, blank=True)
    concurrent_reason = models.TextField(blank=True)
    evidence = models.ForeignKey(Document, null=True, on_delete=models.PROTECT, related_name="+")

    class Meta:
        constraints = [
            models.UniqueConstraint(
                fields=["organization", "code"],
                condition=models.Q(voided_at__isnull=True),
                name="people_one_appointment",
            )
        ]
        indexes = [models.Index(fields=["organization", "role", "valid_from"])]


class Qualification(Identity):
    """資格: one certificate of one member."""

    class Meta:
        constraints = [models.UniqueConstraint(fields=["organization", "code"], name="people_qualification_code")]


class QualificationState(State):
    """What the certificate says. ``renew_by`` is 更新申請期限, shown apart from ``expires_on``."""

    of = models.ForeignKey(Qualification, on_delete=models.PROTECT, related_name="states")
    member = models.ForeignKey(Member, on_delete=models.PROTECT, related_name="+")
    kind = models.CharField(max_length=40)
    name = models.CharField(max_length=120, blank=True)
    number = models.CharField(max_length=60, blank=True)
    acquired_on = models.DateField(null=True)
    expires_on = models.DateField(null=True)
    renew_by = models.DateField(null=True)
    evidence = models.ForeignKey(Document, null=True, on_delete=models.PROTECT, related_name="+")

    class Meta:
        indexes = [models.Index(fields=["organization", "code"])]


class Experience(Identity):
    """実務経験: one stretch of practice of one member."""

    class Meta:
        constraints = [models.UniqueConstraint(fields=["organization", "code"], name="people_experience_code")]


class ExperienceState(State):
    """Kind of work, from when until when, and what shows it."""

    of = models.ForeignKey(Experience, on_delete=models.PROTECT, related_name="states")
    member = models.ForeignKey(Member, on_delete=models.PROTECT, related_name="+")
    work = models.CharField(max_length=40)
    place = models.CharField(max_length=120, blank=True)
    started_on = models.DateField()
    ended_on = models.DateField(null=True)
    evidence = models.ForeignKey(Document, null=True, on_delete=models.PROTECT, related_name="+")

    class Meta:
        indexes = [models.Index(fields=["organization", "code"])]


class EmergencyContact(Identity):
    """緊急連絡網の一人."""

    class Meta:
        constraints = [models.UniqueConstraint(fields=["organization", "code"], name="people_contact_code")]


class EmergencyContactState(State):
    """Order of call, the number, and when the person confirmed it. The number is private: never frozen, never listed."""

    of = models.ForeignKey(EmergencyContact, on_delete=models.PROTECT, related_name="states")
    order = models.PositiveSmallIntegerField()
    member = models.ForeignKey(Member, on_delete=models.PROTECT, related_name="+")
    duty = models.CharField(max_length=120, blank=True)
    phone = models.CharField(max_length=40, blank=True)
    confirmed_on = models.DateField(null=True)

    class Meta:
        indexes = [models.Index(fields=["organization", "code"])]


class Activity(Identity):
    """定期活動: committee, training, drill, review of the access record."""

    class Meta:
        constraints = [models.UniqueConstraint(fields=["organization", "code"], name="people_activity_code")]


class ActivityState(State):
    """The activity's kind and when it was last held, with its evidence."""

    of = models.ForeignKey(Activity, on_delete=models.PROTECT, related_name="states")
    kind = models.CharField(max_length=20)
    name = models.CharField(max_length=120)
    owner_role = models.CharField(max_length=40, blank=True)
    last_held_on = models.DateField(null=True)
    evidence = models.ForeignKey(Document, null=True, on_delete=models.PROTECT, related_name="+")

    class Meta:
        indexes = [models.Index(fields=["organization", "code"])]
