"""Who can log in to the demo. All share one password; they exist on the loopback interface only (design §7)."""

from __future__ import annotations

import json
import os
import secrets
from pathlib import Path
from typing import Any, NamedTuple

from django.conf import settings
from django.contrib.auth.hashers import make_password

from kitei.demo import members, offices
from kitei.foundation.tenancy.models import Organization
from kitei.registers.people.models import Member
from kitei.trust.accounts import demo, operations
from kitei.trust.accounts.models import User
from kitei.trust.auditlog import events
from kitei.trust.auditlog.log import Act, append_many

_ALPHABET = "abcdefghjkmnpqrstuvwxyz23456789"  # without i, l, o, 0, 1: people type it from the terminal
_LENGTH = 10


class Account(NamedTuple):
    """One account: the member it stands for, what it shows, whether it also administers Kitei."""

    member: str
    role: str
    administrator: bool = False


ACCOUNTS = (
    Account("0002", offices.TITLES["security-officer"][0]),
    Account("0001", offices.TITLES["chief-officer"][0]),
    Account("0003", offices.TITLES["system-administrator"][0], administrator=True),
    Account("0004", offices.TITLES["operations-supervisor"][0]),
    Account("0005", offices.TITLES["privacy-officer"][0]),
    Account("0006", offices.TITLES["audit-officer"][0]),
    Account("0008", "事務担当（運用事務統括責任者の代行）"),
    Account("0009", "一般の従業者"),
)


def new_password() -> str:
    """Return a random password people can type."""
    return "".join(secrets.choice(_ALPHABET) for _place in range(_LENGTH))


def create(*, organization: Organization, password: str) -> dict[str, User]:
    """Make the accounts in the caller's transaction; return member code -> account.

    The rules for the strength of passwords are left out on purpose: a demo is shown with a short one.
    """
    people = {person.code: person for person in members.NAMED}
    wanted = [account.member for account in ACCOUNTS]
    principals = dict(Member.objects.filter(organization=organization, code__in=wanted).values_list("code", "id"))
    made: dict[str, User] = {}
    for account in ACCOUNTS:
        person = people[account.member]
        made[account.member] = operations.create_user(
            actor=("cli", "demo"),
            organization=organization,
            email=members.mail(person),
            name=members.full_name(person),
            principal=principals[account.member],
            is_administrator=account.administrator,
        )
    set_password(organization=organization, password=password)
    return made


def set_password(*, organization: Organization, password: str) -> None:
    """Give every account of the demo the same password (hashed once) in the caller's transaction."""
    User.objects.filter(organization=organization).update(password=make_password(password))
    accounts = User.objects.filter(organization=organization).order_by("email").values_list("id", flat=True)
    append_many(
        organization=organization,
        acts=[
            Act(
                events.PASSWORD_SET,
                ("cli", "demo"),
                ("account", str(key)),
                decision=operations.decision_of(("cli", "demo")),
            )
            for key in accounts
        ],
    )


def write(*, password: str) -> None:
    """Write the accounts down for the log-in page and for the next start (0600, replaced at once)."""
    people = {person.code: person for person in members.NAMED}
    lines = [
        {
            "name": members.full_name(people[account.member]),
            "role": account.role,
            "mail": members.mail(people[account.member]),
            "password": password,
        }
        for account in ACCOUNTS
    ]
    write_private(settings.DATA / demo.FILE, lines)


def write_private(path: Path, content: Any) -> None:
    """Write JSON that only its owner may read; a crash leaves the old file or the new one."""
    temporary = path.with_name(f".{path.name}.part")
    temporary.unlink(missing_ok=True)
    descriptor = os.open(temporary, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    with os.fdopen(descriptor, "w", encoding="utf-8") as stream:
        json.dump(content, stream, ensure_ascii=False, indent=1)
        stream.flush()
        os.fsync(stream.fileno())
    temporary.replace(path)
