"""A register of identities and dated states, described once (design §3 "One way to write", §4).

A room declares its sheet (columns) and its models; ``Register`` gives both the import side (``existing``, ``apply``) and
the operation ``put``, so web, import and demo write through the same function. Column keys are field names of the state
model; a REF column is a foreign key to the referred identity; REFS hold a list of codes.
"""

from __future__ import annotations

import datetime as dt
import uuid
from collections.abc import Collection, Mapping
from dataclasses import dataclass, field
from typing import Any

from kitei.foundation import clock, transactions
from kitei.foundation.dates.dated import Identity, State, put_many
from kitei.foundation.sheets.spec import Changes, Column, Kind
from kitei.trust.access import rule
from kitei.trust.auditlog.log import Act, append_many
from kitei.trust.auditlog.vocabulary import EventName


@dataclass(frozen=True)
class Register:
    """One register.

    ``kind`` names it in events and access; ``refers`` maps a REF column to the identity model it points to; ``starts``
    is the column whose day begins a new row's first state. A room that stores more than its sheet says overrides
    ``_values`` and ``_fields``.
    """

    kind: str
    identity: type[Identity]
    state: type[State]
    columns: tuple[Column, ...]
    event: EventName
    refers: Mapping[str, type[Identity]] = field(default_factory=dict)
    starts: str | None = None

    def existing(
        self, *, organization: Any, keys: Collection[str] | None, day: dt.date | None = None
    ) -> dict[str, dict[str, Any]]:
        """Return code -> values of the rows in force on ``day`` (today): what import compares with and export writes."""
        fields = [f"{column.key}__code" if column.kind is Kind.REF else column.key for column in self.columns]
        rows = self.state.objects.filter(organization=organization).as_of(day or clock.today()).order_by("code")
        if keys is None:
            return {row[0]: self._values(row) for row in rows.values_list("code", *fields)}
        found: dict[str, dict[str, Any]] = {}
        wanted = sorted(keys)
        for start in range(0, len(wanted), 500):
            part = rows.filter(code__in=wanted[start : start + 500])
            found.update({row[0]: self._values(row) for row in part.values_list("code", *fields)})
        return found

    def apply(self, *, actor: Any, organization: Any, changes: Changes) -> None:
        """Write an import's changes; joins the caller's transaction."""
        rows = {values["code"]: values for values in changes.added}
        rows.update({key: after for key, _before, after in changes.changed})
        self.put(actor=actor, organization=organization, rows=rows, imported=True)

    def put(
        self,
        *,
        actor: rule.Actor,
        organization: Any,
        rows: Mapping[str, Mapping[str, Any]],
        day: dt.date | None = None,
        imported: bool = False,
    ) -> dict[str, uuid.UUID]:
        """Bring the rows to the given values as of ``day`` and append one event each. Return code -> identity id.

        Raises Refused without the right to edit, KeyError for a reference to an unknown code.
        """
        transactions.require()
        if not rows:
            return {}
        decision = rule.require(actor, rule.EDIT, rule.Target(self.kind, organization=organization)).recorded
        ids = self._resolve(organization, rows)
        states = {code: self._fields(values, ids) for code, values in rows.items()}
        touched = put_many(
            identity=self.identity,
            state=self.state,
            organization=organization,
            rows=states,
            starts=self.starts,
            day=day,
            imported=imported,
        )
        data = {"from": (day or clock.today()).isoformat(), "imported": imported}
        append_many(
            organization=organization,
            acts=[
                Act(self.event, actor.ref, (self.kind, str(touched[code])), data=data, decision=decision)
                for code in states
            ],
        )
        return touched

    def _values(self, row: tuple[Any, ...]) -> dict[str, Any]:
        return {
            column.key: tuple(value) if column.kind is Kind.REFS else value
            for column, value in zip(self.columns, row[1:], strict=True)
        }

    def _resolve(
        self, organization: Any, rows: Mapping[str, Mapping[str, Any]]
    ) -> dict[tuple[type[Identity], str], uuid.UUID]:
        wanted: dict[type[Identity], set[str]] = {}
        for key, model in self.refers.items():
            wanted.setdefault(model, set()).update(values[key] for values in rows.values() if values.get(key))
        found: dict[tuple[type[Identity], str], uuid.UUID] = {}
        for model, codes in wanted.items():
            if model is self.identity:
                # A row may point to another new row of the same file (a department's parent): make those first.
                known = set(
                    model.objects.filter(organization=organization, code__in=codes).values_list("code", flat=True)
                )
                model.objects.bulk_create(
                    [model(organization=organization, code=code) for code in sorted(codes & rows.keys() - known)],
                    batch_size=500,
                )
            ordered = sorted(codes)
            for start in range(0, len(ordered), 500):
                part = model.objects.filter(organization=organization, code__in=ordered[start : start + 500])
                found.update({(model, code): key for code, key in part.values_list("code", "id")})
        return found

    def _fields(self, values: Mapping[str, Any], ids: Mapping[tuple[type[Identity], str], uuid.UUID]) -> dict[str, Any]:
        fields: dict[str, Any] = {}
        for column in self.columns:
            if column.key == "code":
                continue
            value = values.get(column.key, column.default)
            if column.kind is Kind.REF:
                fields[f"{column.key}_id"] = ids[self.refers[column.key], value] if value else None
            elif column.kind is Kind.REFS:
                fields[column.key] = list(value or ())
            elif column.kind in {Kind.TEXT, Kind.CODE, Kind.CHOICE}:
                fields[column.key] = value or ""
            else:
                fields[column.key] = value
        return fields
