"""A person's account. What the person may do follows from memberships (trust/access), never from the account."""

from __future__ import annotations

import unicodedata
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

    def set_password(self, raw_password: str | None) -> None:
        """Keep the hash of the pass word's NFKC form: keyboards spell the same characters differently (SP 800-63B-4)."""
        normal = None if raw_password is None else unicodedata.normalize("NFKC", raw_password)
        super().set_password(normal)
        if normal != raw_password and not self.email:
            # Django hashes what was typed for an address nobody has; that must take as long as ``check_password`` below.
            super().set_password(normal)

    def check_password(self, raw_password: str | None) -> bool:
        """Whether this is the pass word, in whatever Unicode form it was typed; also one kept before it was normalised."""
        if raw_password is None:
            return False
        normal = unicodedata.normalize("NFKC", raw_password)
        return super().check_password(normal) or (normal != raw_password and super().check_password(raw_password))


class OneTimeCode(Row):
    """A printed code that lets its holder set the pass word of one account once, until it expires."""

    user = models.ForeignKey(User, on_delete=models.CASCADE, related_name="+")
    digest = models.CharField(max_length=64)
    expires_at = models.DateTimeField()
    used_at = models.DateTimeField(null=True)
    by_mail = models.BooleanField(default=False)


class AccountSession(Row):
    """One log-in on one device: since when, last use, what kind of browser; ``ended_at`` set, it opens nothing any more.

    Django's session holds the id. ``roles`` are the offices its account held when last asked: losing one ends it.
    """

    user = models.ForeignKey(User, on_delete=models.CASCADE, related_name="+")
    since = models.DateTimeField()
    last_used_at = models.DateTimeField()
    browser = models.CharField(max_length=60)
    roles = models.CharField(max_length=400, blank=True)
    ended_at = models.DateTimeField(null=True)
    ended_by = models.CharField(max_length=40, blank=True)

    class Meta:
        indexes = [
            models.Index(fields=["user"], name="accounts_open_session", condition=models.Q(ended_at__isnull=True)),
            models.Index(fields=["last_used_at"], name="accounts_old_session"),
        ]


class ApiToken(Row):
    """A key for programs: reads with its owner's rights until it expires or is ended. Only a digest is kept.

    ``prefix`` are its first characters, by which people tell tokens apart.
    """

    user = models.ForeignKey(User, on_delete=models.CASCADE, related_name="+")
    label = models.CharField(max_length=60, blank=True)
    prefix = models.CharField(max_length=16)
    digest = models.CharField(max_length=64, unique=True)
    scope = models.CharField(max_length=20, default="read")
    created_at = models.DateTimeField()
    expires_at = models.DateTimeField()
    last_used_at = models.DateTimeField(null=True)
    ended_at = models.DateTimeField(null=True)

    class Meta:
        indexes = [models.Index(fields=["user"], name="accounts_token_of")]


class Factor(Row):
    """A second means of proving who one is: a ``passkey`` or a ``totp`` device. What it holds is never shown again.

    ``data`` is the public key of a passkey (WebAuthn's attested credential data) or the sealed secret of a TOTP device;
    ``lookup`` the digest of a passkey's credential id; ``counter`` the last counter seen (TOTP: time step; passkey: its
    signature counter), so that nothing is taken twice.
    """

    user = models.ForeignKey(User, on_delete=models.CASCADE, related_name="+")
    kind = models.CharField(max_length=10, choices=[("passkey", "パスキー"), ("totp", "認証アプリ")])
    name = models.CharField(max_length=60, blank=True)
    data = models.BinaryField()
    lookup = models.CharField(max_length=64, unique=True, null=True)
    counter = models.BigIntegerField(default=0)
    created_at = models.DateTimeField()
    used_at = models.DateTimeField(null=True)


class RecoveryCode(Row):
    """One of ten printed codes, each of which replaces a lost factor once. Only a keyed digest is kept."""

    user = models.ForeignKey(User, on_delete=models.CASCADE, related_name="+")
    digest = models.CharField(max_length=64)
    used_at = models.DateTimeField(null=True)


class FactorTries(Row):
    """How many proofs of one account were tried from one address since ``since``; see factors_tries.

    The API counts a token's requests the same way, under the origin ``api:`` and the token's id; see web.api.pace.
    """

    user = models.ForeignKey(User, on_delete=models.CASCADE, related_name="+")
    origin = models.CharField(max_length=64)
    count = models.PositiveIntegerField(default=0)
    since = models.DateTimeField()

    class Meta:
        constraints = [models.UniqueConstraint(fields=["user", "origin"], name="one_counter_per_account_and_address")]


class OidcIdentity(Row):
    """The subject of an OpenID provider that an account belongs to. Pinned: mail addresses are not looked at again."""

    user = models.ForeignKey(User, on_delete=models.CASCADE, related_name="+")
    issuer = models.CharField(max_length=255)
    subject = models.CharField(max_length=255)
    linked_at = models.DateTimeField()

    class Meta:
        constraints = [models.UniqueConstraint(fields=["issuer", "subject"], name="one_account_per_subject")]
