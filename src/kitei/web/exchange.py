"""Import and export of registers: the importer face that the web page and the command share.

Parsing and checking happen outside any transaction; applying is one durable transaction that first makes sure nothing
moved since the plan was made.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Collection
from dataclasses import replace
from pathlib import Path
from typing import IO, Any

from django.utils import translation

from kitei.foundation import clock, transactions
from kitei.foundation.sheets import planning, spec, template, writer
from kitei.foundation.sheets.grid import Workbook
from kitei.foundation.sheets.headers import SheetMapping
from kitei.foundation.sheets.models import SavedMapping
from kitei.foundation.sheets.plan import Plan
from kitei.foundation.sheets.reader import read_tables
from kitei.foundation.text import Message, UserError
from kitei.foundation.ui import lists
from kitei.registers.documents import queries as documents
from kitei.trust.access import rule
from kitei.trust.auditlog import heads
from kitei.trust.auditlog.log import Act, append, record
from kitei.web import events

DOCUMENT = "document"
MOST_NAMED = 10
"""How many numbers a refusal names."""


def mappings_of(organization: Any) -> dict[str, SheetMapping]:
    """Return the saved column mappings of an organization by sheet key."""
    return {
        row.spec: SheetMapping(row.sheet, row.header_row, row.columns, row.translations)
        for row in SavedMapping.objects.filter(organization=organization)
    }


def save_mapping(*, actor: rule.Actor, organization: Any, key: str, mapping: SheetMapping) -> None:
    """Keep how the company's own sheet is read; joins the caller's transaction."""
    transactions.require()
    decision = rule.require(actor, rule.EDIT, rule.Target(key, organization=organization))
    SavedMapping.objects.update_or_create(
        organization=organization,
        spec=key,
        defaults={
            "sheet": mapping.sheet,
            "header_row": mapping.header_row,
            "columns": dict(mapping.columns),
            "translations": {name: dict(values) for name, values in mapping.values.items()},
            "saved_at": clock.now(),
        },
    )
    act = Act(events.MAPPING_SAVED, actor.ref, ("sheet", key), decision=decision.recorded)
    append(organization=organization, act=act)


def plan(
    *,
    actor: rule.Actor,
    organization: Any,
    path: Path,
    mappings: dict[str, SheetMapping] | None = None,
    workbook: Workbook | None = None,
) -> Plan:
    """Read a workbook or zip (or take it as ``workbook``) and say what importing it would do. Nothing is written.

    UserError for a file that cannot be read; faults of rows are in the plan. Refused without the right to edit.
    """
    rule.require(actor, rule.EDIT, rule.Target("register", organization=organization))
    return planning.plan_import(
        workbook or read_tables(path),
        spec.specs(),
        organization=organization,
        existing=_open_rows(actor, organization, rule.VIEW),
        mappings=mappings_of(organization) if mappings is None else mappings,
    )


def apply(*, actor: rule.Actor, organization: Any, plan: Plan) -> None:
    """Write a plan: all or nothing, every register through its own operations, in sheet order.

    Whether the actor may is decided once, before the first row: the workbook may appoint the officers. UserError when the
    plan has errors, when a row it touches was changed since the plan was made, or for a document the actor may not edit.
    """
    if not plan.ok:
        raise UserError(Message("誤りのある取込はできません。先に誤りを直してください。"))

    def work() -> None:
        organization.hold()
        editor = rule.decided_once(actor, rule.EDIT, rule.Target("register", organization=organization))
        _refuse_closed(actor, plan)
        shown = _open_rows(actor, organization, rule.VIEW)
        for key in _touched(plan):
            _refuse_stale(shown, plan, key)
        for key in _touched(plan):
            changes = _with_hidden(actor, organization, spec.get(key), plan.changes(key))
            spec.get(key).apply(actor=editor, organization=organization, changes=changes)
        counts = plan.counts
        append(
            organization=organization,
            act=Act(
                events.IMPORTED,
                actor.ref,
                ("register", ""),
                data={"added": counts["added"], "changed": counts["changed"], "sheets": _touched(plan)},
                decision={"allowed": True, "reasons": list(editor.grounds)},
            ),
        )

    transactions.durable(work)


def export(
    *,
    actor: rule.Actor,
    organization: Any,
    stream: IO[bytes],
    language: str = "ja",
    timestamp: dt.datetime | None = None,
) -> None:
    """Write every register as a workbook that import accepts; the event commits before the first byte.

    Documents that the actor may not view and download are left out, and so are references to them: importing the workbook
    again changes nothing about them, because absence is never removal and ``apply`` keeps what was hidden.
    """
    decision = rule.require(actor, rule.DOWNLOAD, rule.Target("register", organization=organization))
    act = Act(
        events.EXPORTED,
        actor.ref,
        ("register", "all"),
        data={"contacts": [f"{key}.{column}" for key, columns in _private_columns().items() for column in columns]},
        decision=decision.recorded,
    )
    record(organization=organization, act=act)
    moment = timestamp or clock.now().replace(microsecond=0)
    with transactions.snapshot():
        shown = _open_rows(actor, organization, rule.VIEW, rule.DOWNLOAD)
        writer.write_export(
            stream,
            spec.specs(),
            rows=lambda sheet: shown(sheet, None).values(),
            timestamp=moment,
            language=language,
            about=_about(organization, moment, language),
        )


def _about(organization: Any, moment: dt.datetime, language: str) -> list[str]:
    """Return what the workbook says about itself: whose it is, when it was made, the newest head of the log."""
    local = moment.astimezone(clock.TOKYO)
    made = Message("%(day)s %(time)s 出力", {"day": local.date(), "time": f"{local:%H:%M}"})
    with translation.override(language):
        return [organization.name, made.render(), heads.head_line(organization)]


def record_contacts_shown(*, actor: rule.Actor, organization: Any, plan: Plan) -> None:
    """Record, before a face shows ``plan``, that it holds recorded private contacts as the values before a change.

    A face that shows a plan calls this first; nothing is recorded when the plan holds none.
    """
    private = _private_columns()
    shown: set[str] = set()
    rows = 0
    for key, sheet in plan.sheets.items():
        for row in sheet.changed:
            found = {change.column for change in row.fields if change.before} & private.get(key, set())
            shown |= {f"{key}.{column}" for column in found}
            rows += bool(found)
    if not shown:
        return
    decision = rule.require(actor, rule.EDIT, rule.Target("register", organization=organization))
    act = Act(
        events.CONTACTS_SHOWN,
        actor.ref,
        ("register", ""),
        data={"columns": sorted(shown), "rows": rows},
        decision=decision.recorded,
    )
    record(organization=organization, act=act)


def _private_columns() -> dict[str, set[str]]:
    """Return sheet -> its columns with private contacts: those that pages and lists do not show."""
    return {row.sheet: set(row.hidden) for row in lists.specs() if row.hidden}


def write_template(stream: IO[bytes], *, language: str = "ja") -> None:
    """Write the empty explained workbook."""
    template.write_template(stream, spec.specs(), timestamp=clock.now().replace(microsecond=0), language=language)


def _touched(plan: Plan) -> list[str]:
    return [
        sheet.key
        for sheet in spec.specs()
        if sheet.key in plan.sheets and (plan.sheets[sheet.key].added or plan.sheets[sheet.key].changed)
    ]


def _open_rows(actor: rule.Actor, organization: Any, *actions: str) -> planning.ExistingRows:
    """Return what reads a sheet's rows without the documents closed to the actor, and without references to them."""
    closed = set().union(*(documents.closed_numbers(actor=actor, action=action) for action in actions))

    def rows(sheet: spec.SheetSpec, keys: Collection[str] | None) -> dict[str, dict[str, Any]]:
        found = sheet.existing(organization=organization, keys=keys)
        if not closed:
            return dict(found)
        if sheet.key == DOCUMENT:
            return {key: values for key, values in found.items() if key not in closed}
        columns = _references(sheet)
        return {
            key: values | {column: None for column in columns if values.get(column) in closed}
            for key, values in found.items()
        }

    return rows


def _references(sheet: spec.SheetSpec) -> list[str]:
    """Return the columns of a sheet that name a document."""
    return [column.key for column in sheet.columns if column.kind is spec.Kind.REF and column.refers == DOCUMENT]


def _refuse_closed(actor: rule.Actor, plan: Plan) -> None:
    """Refuse a workbook that writes documents the actor may not edit; a number taken by a hidden one is one of them."""
    if DOCUMENT not in _touched(plan):
        return
    changes = plan.changes(DOCUMENT)
    wanted = {values["code"] for values in changes.added} | {code for code, _before, _after in changes.changed}
    closed = wanted & documents.closed_numbers(actor=actor, action=rule.EDIT)
    if closed:
        raise UserError(
            Message(
                "文書番号「%(codes)s」の文書は登録できません。別の番号にするか、責任者に確かめてください。何も取り込んでいません。",
                {"codes": "、".join(sorted(closed)[:MOST_NAMED])},
            )
        )


def _with_hidden(actor: rule.Actor, organization: Any, sheet: spec.SheetSpec, changes: spec.Changes) -> spec.Changes:
    """Put references to documents the actor may not view back where the workbook leaves them empty."""
    columns = _references(sheet)
    closed = documents.closed_numbers(actor=actor, action=rule.VIEW) if columns and changes.changed else set()
    if not closed:
        return changes
    now = sheet.existing(organization=organization, keys={code for code, _before, _after in changes.changed})
    changed = []
    for code, before, after in changes.changed:
        kept = {
            column: now[code][column]
            for column in columns
            if not after.get(column) and now.get(code, {}).get(column) in closed
        }
        changed.append((code, before, {**after, **kept}))
    return replace(changes, changed=changed)


def _refuse_stale(shown: planning.ExistingRows, plan: Plan, key: str) -> None:
    """Compare-and-swap on values: what the plan saw must still be what stands, inside the writing transaction."""
    changes = plan.changes(key)
    codes = {values[spec.get(key).identity] for values in changes.added} | {
        code for code, _before, _after in changes.changed
    }
    now = shown(spec.get(key), codes)
    before = {code: old for code, old, _after in changes.changed}
    if any(now.get(code) != before.get(code) for code in codes):
        raise UserError(
            Message("確認のあとに、ほかの人が同じ台帳を変えました。もう一度取込の確認からやり直してください。")
        )
