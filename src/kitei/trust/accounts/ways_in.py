"""Which accounts somebody can log in to at all: the access rule asks it before it believes that an office is in use."""

from __future__ import annotations

from django.conf import settings
from django.contrib.auth.hashers import UNUSABLE_PASSWORD_PREFIX
from django.db.models import Exists, OuterRef, Q, QuerySet

from kitei.foundation.tenancy.models import Organization
from kitei.trust.accounts.models import Factor, OidcIdentity, User


def has_way_in() -> Q:
    """Return the condition on ``User`` rows: a pass word, a passkey, or a subject of the OpenID provider in use.

    An account whose one-time code was never used has none of them. An authenticator app and recovery codes are second
    proofs: they open nothing alone.
    """
    passkey = Factor.objects.filter(user=OuterRef("pk"), kind="passkey")
    way = ~Q(password__startswith=UNUSABLE_PASSWORD_PREFIX) | Q(Exists(passkey))
    if settings.OIDC_ISSUER:
        way |= Q(Exists(OidcIdentity.objects.filter(user=OuterRef("pk"), issuer=settings.OIDC_ISSUER)))
    return way


def can_log_in(organization: Organization) -> QuerySet[User]:
    """Return the open accounts of an organization that have a way in. A sub-query for ``…__in`` as it is."""
    return User.objects.filter(has_way_in(), organization=organization, is_active=True)


def has_way(user: User) -> bool:
    """Whether this account has a way in, open or stopped."""
    return User.objects.filter(has_way_in(), pk=user.pk).exists()
