"""Role codes (design §7). Registers give roles their titles, duties and requirements."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class Role:
    """An office of the regulation: fixed ``code``, default titles, whether only one person may hold it at a time."""

    code: str
    ja: str
    en: str
    single: bool
    topic: str


CHIEF_OFFICER = Role("chief-officer", "管理責任者", "Chief officer", single=True, topic="people.chief-officer")
SECURITY_OFFICER = Role(
    "security-officer", "情報セキュリティ責任者", "Information security officer", single=True, topic="people.observance"
)
SYSTEM_ADMINISTRATOR = Role(
    "system-administrator", "システム管理者", "System administrator", single=False, topic="people.administrator-ability"
)
OPERATIONS_SUPERVISOR = Role(
    "operations-supervisor",
    "運用事務統括責任者",
    "Operations supervisor",
    single=True,
    topic="people.operations-supervisor",
)
PRIVACY_OFFICER = Role(
    "privacy-officer", "個人情報保護責任者", "Privacy officer", single=True, topic="people.privacy-officer"
)
AUDIT_OFFICER = Role("audit-officer", "監査責任者", "Audit officer", single=True, topic="audit.internal")

ROLES: dict[str, Role] = {
    role.code: role
    for role in (
        CHIEF_OFFICER,
        SECURITY_OFFICER,
        SYSTEM_ADMINISTRATOR,
        OPERATIONS_SUPERVISOR,
        PRIVACY_OFFICER,
        AUDIT_OFFICER,
    )
}
OFFICERS = frozenset(ROLES)
EDITORS = OFFICERS - {AUDIT_OFFICER.code}
"""Roles that may write registers and put an edition into force; the auditor may not change what he audits."""
