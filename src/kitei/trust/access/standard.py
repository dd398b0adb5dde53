"""Standard rights (標準の権限): what every organization's members and officers may do before anybody grants anything.

They are grants that stand in the program: the access pages list them beside the others, and a deny cuts them.
"""

from __future__ import annotations

from dataclasses import dataclass

from kitei.trust.access.models import Classification
from kitei.trust.access.roles import EDITORS, OFFICERS

LIST, VIEW, DOWNLOAD, PRINT, EDIT, APPROVE, MANAGE = "list", "view", "download", "print", "edit", "approve", "manage"
ACTIONS = (LIST, VIEW, DOWNLOAD, PRINT, EDIT, APPROVE, MANAGE)

GUARDED = frozenset({"log", "access", "account", "backup"})
"""What tells about everybody, or gives rights: 全体 does not reach it, it has to be named."""


@dataclass(frozen=True)
class Standard:
    """One standard right: whose (kind, id), which actions, on all ordinary registers or the named ones, how high."""

    code: str
    principal: tuple[str, str]
    actions: frozenset[str]
    highest: int
    registers: frozenset[str] = frozenset()

    def fits(self, action: str, register: str) -> bool:
        """Whether it is about this action on this register."""
        reached = register in self.registers if self.registers else register not in GUARDED
        return action in self.actions and reached


STANDARDS: tuple[Standard, ...] = (
    Standard("member", ("everyone", ""), frozenset({LIST, VIEW}), Classification.INTERNAL),
    *(
        Standard("officer", ("role", role), frozenset({LIST, VIEW, DOWNLOAD, PRINT}), Classification.SECRET)
        for role in sorted(OFFICERS)
    ),
    *(
        Standard(
            "officer-guarded", ("role", role), frozenset({LIST, VIEW, DOWNLOAD, PRINT}), Classification.SECRET, GUARDED
        )
        for role in sorted(OFFICERS)
    ),
    *(
        Standard("editor", ("role", role), frozenset({EDIT, APPROVE, MANAGE}), Classification.SECRET)
        for role in sorted(EDITORS)
    ),
    *(
        Standard("editor-guarded", ("role", role), frozenset({EDIT, APPROVE, MANAGE}), Classification.SECRET, GUARDED)
        for role in sorted(EDITORS)
    ),
)
