"""token: API tokens made at the console."""

from __future__ import annotations

import argparse

from django.db.models import Q
from django.utils.translation import gettext as _

from kitei.commands import who_acts
from kitei.foundation import transactions
from kitei.foundation.text import Message, UserError
from kitei.foundation.ui import cells
from kitei.trust.accounts import tokens
from kitei.trust.accounts.models import User
from kitei.web.accounts import operations


def token(options: argparse.Namespace) -> None:
    """Make a token for a member's account and print it, alone on the first line, once."""
    organization = who_acts.organization(options)
    actor = who_acts.actor(options, organization)
    ttl = tokens.life(options.ttl)
    found = list(
        User.objects.filter(Q(email__iexact=options.user) | Q(name=options.user), organization=organization)
        .select_related("organization")
        .order_by("id")[:2]
    )
    if not found:
        raise UserError(Message("「%(mail)s」のアカウントはありません。", {"mail": options.user}))
    if len(found) > 1:
        raise UserError(
            Message(
                "「%(name)s」のアカウントが複数あります。メールアドレスで指定してください。", {"name": options.user}
            )
        )
    made, secret = transactions.durable(
        lambda: operations.create_token(actor=actor, user=found[0], ttl=ttl, label=options.label, scope=options.scope)
    )
    print(secret)
    print(_("期限 %(when)s。二度と表示しません。") % {"when": cells.instant_text(made.expires_at)})
