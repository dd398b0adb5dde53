"""A person's account. What the person may do follows from memberships (trust/access), never from the account."""

from __future__ import annotations

from typing import ClassVar

from django.contrib.auth.base_user import AbstractBaseUser, BaseUserManager
from django.db import models

from kitei.foundation.tenancy.ids import uuid7
from kitei.foundation.tenancy.models import Organization, Row


class UserManager(BaseUserManager["User"]):
    """Looks accounts up by mail address, whatever its case."""

    def get_by_natural_key(self, username: str | None) -> User:
        """Return the account of a mail address; User.DoesNotExist otherwise."""
        return self.get(email__iexact=username)


class User(AbstractBaseUser):
    """One account, belonging to exactly one organization. ``principal`` is the register's member it stands for."""

    id = models.UUIDField(primary_key=True, default=uuid7, editable=False)
    organization = models.ForeignKey(Organization, on_delete=models.PROTECT, related_name="+")
    email = models.EmailField(max_length=254, unique=True)
    name = models.CharField(max_length=100)
    principal = models.UUIDField(null=True, unique=True)
    is_active = models.BooleanField(default=True)
    is_administrator = models.BooleanField(default=False)
    language = models.CharField(max_length=2, default="ja", choices=[("ja", "日本語"), ("en", "English")])
    created_at = models.DateTimeField()

    objects: ClassVar[UserManager] = UserManager()

    USERNAME_FIELD = "email"
    EMAIL_FIELD = "email"
    REQUIRED_FIELDS: ClassVar[list[str]] = []


class OneTimeCode(Row):
    """A printed code that lets its holder set the pass word of one account once, until it expires."""

    user = models.ForeignKey(User, on_delete=models.CASCADE, related_name="+")
    digest = models.CharField(max_length=64)
    expires_at = models.DateTimeField()
    used_at = models.DateTimeField(null=True)
