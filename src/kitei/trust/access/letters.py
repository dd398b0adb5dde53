"""Letters of the access room: officers are told when somebody let himself in, who asked that there is an answer.

They name no document, and an approval reads as a refusal does.
"""

from __future__ import annotations

import uuid
from typing import Any

from django.conf import settings
from django.utils.translation import gettext as _

from kitei.foundation import clock
from kitei.foundation.mail import outbox
from kitei.foundation.mail.models import Letter
from kitei.trust.access import in_force
from kitei.trust.access.models import AccessRequest, BreakGlass, Membership
from kitei.trust.access.roles import OFFICERS
from kitei.trust.accounts.models import User

BREAK_GLASS = "access.break-glass"
ANSWERED = "access.request-answered"


def officers(*, organization: Any, without: uuid.UUID | None = None) -> list[User]:
    """Return the active accounts whose member holds an office now."""
    offices = Membership.objects.filter(organization=organization, kind="role", role__in=sorted(OFFICERS))
    held = in_force.holding(offices)
    users = User.objects.filter(organization=organization, is_active=True, principal__in=held.values("principal"))
    return [user for user in users.order_by("id") if user.pk != without]


def _parts(letter: Letter) -> tuple[BreakGlass | None, User | None]:
    glass, _colon, account = letter.reference.partition(":")
    return BreakGlass.objects.filter(pk=glass).first(), User.objects.filter(pk=account, is_active=True).first()


def _compose(letter: Letter) -> outbox.Text | None:
    glass, reader = _parts(letter)
    if glass is None or reader is None or glass.reviewed_at is not None:
        return None
    person = User.objects.filter(pk=glass.account).first()
    body = _(
        "%(name)sさんが緊急閲覧を始めました（%(from)sから%(until)sまで）。\n"
        "Kiteiの「緊急閲覧」で理由を読み、確認してください。\n%(url)s\n"
    ) % {
        "name": person.name if person else "",
        "from": glass.starts_at.astimezone(clock.TOKYO).strftime("%Y-%m-%d %H:%M"),
        "until": glass.ends_at.astimezone(clock.TOKYO).strftime("%H:%M"),
        "url": f"{settings.PUBLIC_URL}/access/emergency/" if settings.PUBLIC_URL else "",
    }
    return outbox.Text(reader.email, _("緊急閲覧が始まりました"), body)


def _language(letter: Letter) -> str:
    reader = _parts(letter)[1]
    return reader.language if reader else "ja"


def _asker(letter: Letter) -> User | None:
    row = AccessRequest.objects.filter(pk=letter.reference).exclude(state="open").first()
    return User.objects.filter(pk=row.account, is_active=True).first() if row else None


def _answered(letter: Letter) -> outbox.Text | None:
    reader = _asker(letter)
    if reader is None:
        return None
    body = _("閲覧申請に回答がありました。\nKiteiの「閲覧申請」で確かめてください。\n%(url)s\n") % {
        "url": f"{settings.PUBLIC_URL}/access/requests/" if settings.PUBLIC_URL else ""
    }
    return outbox.Text(reader.email, _("閲覧申請に回答がありました"), body)


def _askers_language(letter: Letter) -> str:
    reader = _asker(letter)
    return reader.language if reader else "ja"


outbox.composer(ANSWERED, _answered, language=_askers_language)
outbox.composer(BREAK_GLASS, _compose, language=_language)
