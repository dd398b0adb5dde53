"""Which organization a command is about, and who acts."""

from __future__ import annotations

import argparse
import datetime as dt
import getpass
import unicodedata

from kitei.foundation import clock
from kitei.foundation.dates.japanese import parse_date
from kitei.foundation.tenancy.models import Organization
from kitei.foundation.text import Message, UserError
from kitei.trust.access.rule import Actor
from kitei.trust.accounts.models import User
from kitei.trust.auditlog.log import for_process, set_context


def organization(options: argparse.Namespace) -> Organization:
    """Return the organization meant by ``--org``, or the only one; UserError otherwise."""
    if options.org:
        named = Organization.objects.filter(code=options.org).first()
        if named is not None:
            return named
        raise UserError(Message("組織「%(code)s」はありません。", {"code": options.org}))
    found = list(Organization.objects.order_by("id")[:20])
    if not found:
        raise UserError(Message("組織がまだありません。先に kitei init を行ってください。"))
    if len(found) > 1:
        codes = "、".join(row.code for row in found)
        raise UserError(Message("組織が複数あります。--org で選んでください（%(codes)s）。", {"codes": codes}))
    return found[0]


def actor(options: argparse.Namespace, company: Organization) -> Actor:
    """Return who acts: the member of ``--as``, otherwise the operating-system user; and tell the log."""
    set_context(for_process("cli"))
    if options.as_:
        user = User.objects.filter(organization=company, email__iexact=options.as_).first()
        if user is None:
            raise UserError(Message("「%(mail)s」のアカウントはありません。", {"mail": options.as_}))
        return Actor("member", str(user.id), company, user.name, user.principal, user.is_administrator, user.is_active)
    name = user_name()
    return Actor("cli", name, company, f"cli:{name}")


def user_name() -> str:
    """Return the name of the operating-system user, in a form events can hold."""
    try:
        name = getpass.getuser()
    except (KeyError, OSError):  # a container without a passwd entry
        name = "unknown"
    # The name comes from the environment: it may hold what no event can.
    name = "".join(char for char in name if char.isprintable()).encode("utf-8", "replace").decode()[:60]
    return unicodedata.normalize("NFC", name) or "unknown"


def day(options: argparse.Namespace) -> dt.date:
    """Return the day of ``--as-of``, or today."""
    text = getattr(options, "as_of", None)
    return date_of(text, option="--as-of") if text else clock.today()


def date_of(text: str, *, option: str) -> dt.date:
    """Return the date a person gave with ``option``; UserError naming the option and what is wrong."""
    try:
        return parse_date(text, today=clock.today())
    except UserError as fault:
        raise UserError(
            Message("%(option)s の日付を直してください: %(problem)s", {"option": option, "problem": fault.message})
        ) from fault
