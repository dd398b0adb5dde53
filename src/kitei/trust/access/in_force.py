"""Grants and denies in force about somebody, in SQL: what the access rule asks the two tables (design §5).

Written as SQL because the rule is asked many times a request and its reading is the point: which rows count is one
sentence (``Asked``), how a row is reached is one expression in two shapes (``Permitted``).
"""

from __future__ import annotations

import datetime as dt
import uuid
from dataclasses import dataclass
from typing import Any, Literal, TypeVar

from django.db import connection
from django.db.models import BooleanField, Expression, F, Q, QuerySet, UUIDField

from kitei.foundation import clock
from kitei.trust.access.models import Classification
from kitei.trust.access.standard import GUARDED

Q_T = TypeVar("Q_T", bound=QuerySet[Any])
Shape = Literal["exists", "in"]
Principal = tuple[str, str]
_Part = tuple[str, list[Any]]

_UUID = UUIDField()
_REACHED_BY_OBJECT = """SELECT 1 FROM access_{effect} e
 WHERE e.scope_kind = 'object' AND e.register = %s AND e.object_id = {object} AND {high} AND {asked}"""
_REACHED_BY_FOLDER = """SELECT 1 FROM access_folderlink l JOIN access_{effect} e ON e.folder_id = l.ancestor_id
 WHERE e.scope_kind = 'folder' AND l.descendant_id = {folder} AND {high} AND {asked}"""
_WIDE = """SELECT '{effect}', e.id, e.action, e.register, e.highest FROM access_{effect} e
 WHERE e.scope_kind IN ('all', 'register')"""
# Without the test for NULL one wrong row would make every NOT IN unknown.
_OBJECTS = """SELECT e.object_id FROM access_{effect} e
 WHERE e.scope_kind = 'object' AND e.object_id IS NOT NULL AND e.register = %s AND {high} AND {asked}"""
_FOLDERS = """SELECT l.descendant_id FROM access_{effect} e JOIN access_folderlink l ON l.ancestor_id = e.folder_id
 WHERE e.scope_kind = 'folder' AND {high} AND {asked}"""


def holding(rows: Q_T, at: dt.datetime | None = None) -> Q_T:
    """Keep the memberships, grants or denies in force at an instant (now when None), as it was known then.

    What was recorded later does not count, what was withdrawn later does; ``Asked.sql`` says the same in SQL.
    """
    at = at or clock.now()
    return rows.filter(
        Q(ends_at__isnull=True) | Q(ends_at__gt=at),
        Q(voided_at__isnull=True) | Q(voided_at__gt=at),
        starts_at__lte=at,
        recorded_at__lte=at,
    )


@dataclass(frozen=True)
class Asked:
    """Which entries count: of this organization, about one of these principals, in force at the instant.

    As it was known then: what was recorded later does not count, what was withdrawn later does. So a decision of the past
    comes out as it was made.

    ``action`` "" stands for every action.
    """

    organization: uuid.UUID
    who: tuple[Principal, ...]
    at: dt.datetime
    action: str = ""

    def sql(self) -> tuple[str, list[Any]]:
        """Return the condition on a grant or deny ``e`` and its parameters."""
        instant = connection.ops.adapt_datetimefield_value(self.at)
        parts = [
            "e.organization_id = %s",
            "e.recorded_at <= %s",
            "(e.voided_at IS NULL OR e.voided_at > %s)",
            "e.starts_at <= %s",
            "(e.ends_at IS NULL OR e.ends_at > %s)",
        ]
        values: list[Any] = [in_database(self.organization), *[instant] * 4]
        if self.action:
            parts.append("e.action = %s")
            values.append(self.action)
        kinds: dict[str, list[str]] = {}
        for kind, code in sorted(self.who):
            kinds.setdefault(kind, []).append(code)
        whom = []
        for kind, codes in kinds.items():
            whom.append(f"(e.principal_kind = %s AND e.principal_id IN ({', '.join(['%s'] * len(codes))}))")
            values += [kind, *codes]
        parts.append(f"({' OR '.join(whom) or '1 = 0'})")
        return " AND ".join(parts), values


@dataclass(frozen=True)
class Wide:
    """A grant or deny on a whole register or on everything."""

    effect: str
    id: uuid.UUID
    action: str
    register: str
    highest: int

    def fits(self, action: str, register: str) -> bool:
        """Whether it reaches this action on this register; 全体 (no register) does not reach the guarded ones."""
        return self.action == action and (self.register == register or (not self.register and register not in GUARDED))


def wide(asked: Asked) -> list[Wide]:
    """Return the entries on whole registers: one query."""
    condition, values = asked.sql()
    return [
        Wide(effect, uuid.UUID(str(row)), action, register, highest)
        for effect, row, action, register, highest in _rows(
            f"{_WIDE} AND {condition}",
            values,
        )
    ]


def narrow(
    asked: Asked, register: str, identity: uuid.UUID | None, folder: uuid.UUID | None
) -> list[tuple[str, uuid.UUID, int]]:
    """Return (effect, id, highest) of the entries on one object and on the folders above it: one query."""
    condition, values = asked.sql()
    places, found = [], []
    if identity is not None:
        places.append("(e.scope_kind = 'object' AND e.register = %s AND e.object_id = %s)")
        found += [register, in_database(identity)]
    if folder is not None:
        places.append(
            "(e.scope_kind = 'folder' AND e.folder_id IN"
            " (SELECT l.ancestor_id FROM access_folderlink l WHERE l.descendant_id = %s))"
        )
        found.append(in_database(folder))
    if not places:
        return []
    text = (
        f"SELECT '{{effect}}', e.id, e.highest FROM access_{{effect}} e WHERE ({' OR '.join(places)}) AND {condition}"  # noqa: S608  constants, values apart
    )
    return [(effect, uuid.UUID(str(row)), highest) for effect, row, highest in _rows(text, [*found, *values])]


def _rows(text: str, values: list[Any]) -> list[tuple[Any, ...]]:
    """Run a question to both tables at once."""
    both = f"{text.replace('{effect}', 'deny')} UNION ALL {text.replace('{effect}', 'grant')}"
    with connection.cursor() as cursor:
        cursor.execute(both, [*values, *values])
        return list(cursor.fetchall())


def in_database(value: uuid.UUID) -> Any:
    """Return an id as the database's driver takes it."""
    return _UUID.get_db_prep_value(value, connection)


class Permitted(Expression):
    """Whether a row is permitted: at most ``cap`` high or reached by a grant, and reached by no deny.

    ``object_path`` names the column with the object's id; ``protected`` says that rows have a folder and a
    classification (others count as 公開, in no folder). ``shape`` "exists" asks for each row and stops early, "in" makes
    the reached objects and folders once (security.md §3.1).
    """

    output_field = BooleanField()

    def __init__(
        self, asked: Asked, register: str, cap: int, *, object_path: str, protected: bool, shape: Shape
    ) -> None:
        super().__init__()
        self.asked, self.register, self.cap = asked, register, cap
        self.protected, self.shape = protected, shape
        self.columns: list[Any] = [F(object_path), *((F("folder_id"), F("classification")) if protected else ())]

    def get_source_expressions(self) -> list[Any]:
        """Return the row's columns, so that Django gives them the name of their table in this query."""
        return self.columns

    def set_source_expressions(self, exprs: Any) -> None:
        """Take the columns as Django resolved them."""
        self.columns = list(exprs)

    def as_sql(self, compiler: Any, connection: Any) -> tuple[str, tuple[Any, ...]]:  # noqa: ARG002  Django's signature
        """Write the condition."""
        asked, values = self.asked.sql()
        names = [compiler.compile(column)[0] for column in self.columns]
        row = {"object": names[0], "asked": asked}
        row |= {"folder": names[1], "class": names[2]} if self.protected else {"class": str(int(Classification.PUBLIC))}
        permits, refusals = self._by_exists(row, values) if self.shape == "exists" else self._by_in(row, values)
        permits.insert(0, (f"{row['class']} <= {int(self.cap)}", []))
        text = f"(({' OR '.join(part for part, _ in permits)}) AND NOT ({' OR '.join(part for part, _ in refusals)}))"
        return text, tuple(value for _, part in [*permits, *refusals] for value in part)

    def _by_exists(self, row: dict[str, str], values: list[Any]) -> tuple[list[_Part], list[_Part]]:
        permits: list[_Part] = []
        refusals: list[_Part] = []
        for effect, parts in (("grant", permits), ("deny", refusals)):
            high = f"e.highest >= {row['class']}" if effect == "grant" else "1 = 1"
            by_object = _REACHED_BY_OBJECT.format(effect=effect, high=high, **row)
            parts.append((f"EXISTS ({by_object})", [self.register, *values]))
            if self.protected:
                parts.append((f"EXISTS ({_REACHED_BY_FOLDER.format(effect=effect, high=high, **row)})", values))
        return permits, refusals

    def _by_in(self, row: dict[str, str], values: list[Any]) -> tuple[list[_Part], list[_Part]]:
        def reached(effect: str, high: str) -> _Part:
            text, named = f"{row['object']} IN ({_OBJECTS})", [self.register, *values]
            if self.protected:
                text, named = f"({text} OR {row['folder']} IN ({_FOLDERS}))", [*named, *values]
            return text.format(effect=effect, high=high, **row), named

        levels = Classification.values if self.protected else [int(Classification.PUBLIC)]
        permits = []
        for level in levels:
            if level > self.cap:
                text, named = reached("grant", f"e.highest >= {level}")
                permits.append((f"({row['class']} = {level} AND {text})", named))
        return permits, [reached("deny", "1 = 1")]
