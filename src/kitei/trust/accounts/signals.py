"""Log-ins, failures and log-outs go to the log (design §5 "Recorded")."""

from __future__ import annotations

from typing import Any

from django.contrib.auth.signals import user_logged_in, user_logged_out, user_login_failed
from django.dispatch import receiver

from kitei.foundation import transactions
from kitei.foundation.tenancy.models import Organization
from kitei.trust.accounts.models import User
from kitei.trust.auditlog import events
from kitei.trust.auditlog.log import Act, append


@receiver(user_logged_in, dispatch_uid="kitei.accounts.login")
def _logged_in(sender: Any, request: Any, user: User, **kwargs: Any) -> None:
    _record(user.organization, Act(events.LOGIN, ("member", str(user.id)), ("account", str(user.id))))


@receiver(user_logged_out, dispatch_uid="kitei.accounts.logout")
def _logged_out(sender: Any, request: Any, user: User | None, **kwargs: Any) -> None:
    if user is not None:
        _record(user.organization, Act(events.LOGOUT, ("member", str(user.id)), ("account", str(user.id))))


@receiver(user_login_failed, dispatch_uid="kitei.accounts.failed")
def _failed(sender: Any, credentials: dict[str, Any], **kwargs: Any) -> None:
    typed = str(credentials.get("username") or credentials.get("email") or "")
    user = User.objects.select_related("organization").filter(email__iexact=typed).first()
    organization = user.organization if user else Organization.objects.order_by("id").first()
    if organization is None:
        return
    # What was typed may be anything, even a pass word in the wrong field: it is committed to, never stored in clear.
    _record(
        organization,
        Act(
            events.LOGIN_FAILED,
            ("stranger", ""),
            ("account", str(user.id) if user else ""),
            outcome="refused",
            private={"typed": typed[:200]},
        ),
    )


def _record(organization: Organization, act: Act) -> None:
    transactions.durable_or_join(lambda: append(organization=organization, act=act))
