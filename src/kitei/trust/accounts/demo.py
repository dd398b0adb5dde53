"""The accounts a demo may be looked at with. They exist only where ``kitei demo`` wrote them down (design §7)."""

from __future__ import annotations

import json
from dataclasses import dataclass

from django.conf import settings

from kitei.foundation.tenancy.models import Organization

FILE = "demo-accounts.json"


@dataclass(frozen=True)
class DemoAccount:
    """One line of the table on the log-in page."""

    name: str
    role: str
    mail: str
    password: str


def demo_accounts() -> list[DemoAccount]:
    """Return the demo's accounts; none unless a demo organization exists and the demo's file can be read."""
    path = settings.DATA / FILE
    if not path.is_file() or not Organization.objects.filter(is_demo=True).exists():
        return []
    try:
        rows = json.loads(path.read_text(encoding="utf-8"))
        return [DemoAccount(*(str(row[key]) for key in ("name", "role", "mail", "password"))) for row in rows]
    except (OSError, ValueError, KeyError, TypeError):
        return []
