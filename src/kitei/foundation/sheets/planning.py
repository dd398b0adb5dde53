"""Makes the plan of an import: reads every row, compares it with the register, checks it against all rules."""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping, Sequence
from typing import Any

from django.utils.translation import get_language

from kitei.foundation.sheets import spec as registered
from kitei.foundation.sheets.cells import EMPTY, canonical, shorten, show_cell, to_code
from kitei.foundation.sheets.grid import AttachedFile, Grid, Workbook, attached_file, letter
from kitei.foundation.sheets.headers import Layout, SheetMapping, find_sheets, locate, mapping_for
from kitei.foundation.sheets.plan import Added, Changed, FieldChange, Issue, Issues, Plan, SheetPlan
from kitei.foundation.sheets.rows import REQUIRED, Row, Sheet, read_rows
from kitei.foundation.sheets.spec import Column, Kind, Problem, SheetSpec
from kitei.foundation.sheets.versions import version_of_row
from kitei.foundation.text import Message, UserError

ExistingRows = Callable[[SheetSpec, Collection[str] | None], Mapping[str, dict[str, Any]]]

_SHOWN = 10


def plan_import(
    workbook: Workbook,
    specs: Sequence[SheetSpec],
    *,
    organization: Any = None,
    existing: ExistingRows | None = None,
    mappings: Mapping[str, SheetMapping] | None = None,
    wanted: Collection[str] = (),
    language: str | None = None,
) -> Plan:
    """Return what importing ``workbook`` would do to the registers ``specs``. Nothing is written.

    Absence never removes: rows that are not in the file, and columns that are not on a sheet, stay as they are. An empty
    cell clears its value. ``existing`` reads current rows (default: each register's own reader for ``organization``),
    ``mappings`` are saved column mappings by spec key, ``wanted`` the spec keys whose sheets must be in the file.
    ``language`` chooses the labels inside messages (default: the active one). Faults of the file are in the plan.
    """
    return _Planner(
        workbook,
        sorted(specs, key=lambda spec: spec.order),
        organization=organization,
        existing=existing,
        mappings=mappings or {},
        language=language or get_language() or "ja",
    ).run(wanted)


class _Planner:
    def __init__(
        self,
        workbook: Workbook,
        specs: Sequence[SheetSpec],
        *,
        organization: Any,
        existing: ExistingRows | None,
        mappings: Mapping[str, SheetMapping],
        language: str,
    ) -> None:
        self.workbook = workbook
        self.specs = specs
        self.organization = organization
        self.mappings = mappings
        self.language = language
        self.existing = existing or (lambda spec, keys: spec.existing(organization=organization, keys=keys))
        self.errors = Issues()
        self.notes: list[Issue] = [Issue(message=note) for note in workbook.notes]
        self.sheets: dict[str, Sheet] = {}
        self.known: dict[str, set[str]] = {}
        self.unread: set[str] = set()  # registers whose sheet could not be read; what refers to them is not judged
        self.files: dict[str, AttachedFile] = {}
        self.settled_files: set[str] = set()  # named by rows that stay as they are

    def run(self, wanted: Collection[str]) -> Plan:
        alone = len(self.workbook.sheets) == 1 and len(self.specs) == 1
        for spec, grid in self._found(wanted):
            self.unread.add(spec.key)
            mapping = mapping_for(grid, spec, self.mappings, alone=alone)
            try:
                layout = locate(grid, spec, mapping)
            except UserError as fault:
                self.errors.add(Issue(message=fault.message, sheet=grid.name))
                continue
            self._note_unknown(layout)
            if self._has_identity(spec, layout) and not self._has_merged(layout):
                sheet = self.sheets[spec.key] = Sheet(spec=spec, layout=layout)
                self.unread.discard(spec.key)
                read_rows(sheet, mapping=mapping, language=self.language, fault=self._fault)
        for sheet in self.sheets.values():
            everything = sheet.spec.check_all is not None or sheet.spec.single
            sheet.current = self.existing(sheet.spec, None if everything else list(sheet.by_key)) if sheet.rows else {}
        self._resolve_targets()
        plans = {key: self._compare(sheet) for key, sheet in self.sheets.items()}
        self._note_unused_files()
        places = {grid.name: at for at, grid in enumerate(self.workbook.sheets, start=1)}
        return Plan(
            sheets=plans,
            errors=sorted(
                self.errors.kept,
                key=lambda issue: (places.get(issue.sheet, 0), issue.row, len(issue.letter), issue.letter),
            ),
            error_count=self.errors.count,
            notes=self.notes,
            files=self.files,
        )

    # Finding sheets and columns

    def _found(self, wanted: Collection[str]) -> list[tuple[SheetSpec, Grid]]:
        try:
            found = find_sheets(self.workbook, self.specs, self.mappings)
        except UserError as fault:
            self.errors.add(Issue(message=fault.message))
            return []
        missing = [spec for spec in self.specs if spec.key not in found]
        if not found:
            self.errors.add(Issue(message=self._nothing_found(missing)))
        for spec in missing:
            if spec.key in wanted:
                self.errors.add(
                    Issue(
                        message=Message(
                            "シート「%(sheet)s」がありません。シートを加えるか、シートの名前を直してください。",
                            {"sheet": self._name(spec)},
                        )
                    )
                )
        if found and missing:
            self.notes.append(
                Issue(
                    message=Message(
                        "次のシートはファイルにないため、変わりません：%(names)s", {"names": self._names(missing)}
                    )
                )
            )
        return [(spec, found[spec.key]) for spec in self.specs if spec.key in found]

    def _nothing_found(self, missing: Sequence[SheetSpec]) -> Message:
        given = {"file": self.workbook.file, "names": self._names(missing)}
        if self.workbook.file.lower().endswith(".csv"):  # it has no sheet a person could rename
            return Message(
                "「%(file)s」がどの台帳か分かりません。ひな形と同じ見出しにするか、ファイルの名前を次のどれかにしてください：%(names)s",
                given,
            )
        return Message(
            "「%(file)s」に、取り込めるシートがありません。シートの名前を次のどれかにしてください：%(names)s", given
        )

    def _note_unknown(self, layout: Layout) -> None:
        if layout.unknown:
            names = "、".join(f"{letter(index)}「{layout.titles[index]}」" for index in layout.unknown[:_SHOWN])
            self.notes.append(
                Issue(
                    sheet=layout.grid.name,
                    row=layout.header_row,
                    message=Message("次の列は取り込みません：%(names)s", {"names": names}),
                )
            )

    def _has_identity(self, spec: SheetSpec, layout: Layout) -> bool:
        if spec.identity in layout.columns:
            return True
        self._missing_column(layout, spec.column(spec.identity))
        return False

    def _missing_column(self, layout: Layout, column: Column) -> None:
        self.errors.add(
            Issue(
                sheet=layout.grid.name,
                row=layout.header_row,
                message=Message(
                    "必ず必要な列「%(header)s」がありません。列を加えるか、見出しを直してください。",
                    {"header": self._label(column)},
                ),
            )
        )

    def _has_merged(self, layout: Layout) -> bool:
        merges = list(layout.merges())
        for merge in merges:
            self.errors.add(
                Issue(
                    sheet=layout.grid.name,
                    row=merge.top + 1,
                    letter=letter(merge.left),
                    header=layout.titles.get(merge.left, ""),
                    message=Message(
                        "%(range)sのセルが結合されているため、どの行の値か分かりません。セルの結合を解除して、それぞれの行に値を入力してください。",
                        {"range": str(merge)},
                    ),
                )
            )
        return bool(merges)

    # References

    def _resolve_targets(self) -> None:
        """Learn which of the keys that references name exist, one query per register."""
        asked: dict[str, set[str]] = {}
        for sheet in self.sheets.values():
            for column in sheet.spec.columns:
                if column.kind in {Kind.REF, Kind.REFS} and column.key in sheet.layout.columns:
                    target = self._spec(column.refers)
                    for row in (row for row in sheet.rows if not row.faults):
                        asked.setdefault(target.key, set()).update(_keys(column, row.values[column.key], target))
        for target_key, keys in asked.items():
            in_file = self.sheets.get(target_key)
            known = set(in_file.by_key) if in_file is not None else set()
            rest = keys - known - {""}
            self.known[target_key] = known | set(self.existing(self._spec(target_key), list(rest)) if rest else ())

    def _refer(self, sheet: Sheet, row: Row, column: Column) -> None:
        target = self._spec(column.refers)
        keys = _keys(column, row.values[column.key], target)
        for key in keys if target.key not in self.unread else ():
            if key and key not in self.known[target.key]:
                self._fault(
                    sheet,
                    row,
                    column.key,
                    Message(
                        "「%(key)s」は「%(target)s」に登録されておらず、このファイルにもありません。値を直すか、「%(target)s」に加えてください。",
                        {"key": shorten(key), "target": self._name(target)},
                    ),
                )
        row.values[column.key] = keys if column.kind is Kind.REFS else keys[0]

    def _spec(self, key: str) -> SheetSpec:
        return next((spec for spec in self.specs if spec.key == key), None) or registered.get(key)

    # Comparing and checking

    def _compare(self, sheet: Sheet) -> SheetPlan:
        spec, layout = sheet.spec, sheet.layout
        plan = SheetPlan(spec=spec, sheet=layout.grid.name, header_row=layout.header_row)
        present = [column for column in spec.columns if column.key in layout.columns]
        lacking: set[str] = set()
        for row in sheet.rows:
            if row.key:
                self._compare_row(sheet, row, plan, present, lacking)
        for column_key in sorted(lacking):
            self._missing_column(layout, spec.column(column_key))
        self._check_all(sheet, plan)
        return plan

    def _compare_row(
        self, sheet: Sheet, row: Row, plan: SheetPlan, present: Sequence[Column], lacking: set[str]
    ) -> None:
        spec = sheet.spec
        key = next(iter(sheet.current)) if spec.single and sheet.current else row.key
        before = sheet.current.get(key)
        if self._settled(sheet, row, key, before, plan):
            return
        errors = self.errors.count
        for column in present:
            if column.kind in {Kind.REF, Kind.REFS}:
                self._refer(sheet, row, column)
        after = self._after(sheet, row, before, present, lacking)
        if before is None:
            self._check(sheet, row, present, None, after)
            if self.errors.count == errors:
                plan.added.append(Added(row=row.number, key=key, values=after))
            return
        changes = _differences(present, before, after)
        if not changes:
            plan.unchanged += 1
            self._settle_files(sheet, row)
            return
        if row.version and version_of_row(spec, before, read=row.values) != row.version:
            self._conflict(sheet, row, changes)
        self._check(sheet, row, present, before, after)
        if self.errors.count == errors:
            plan.changed.append(Changed(row=row.number, key=key, before=before, after=after, fields=changes))

    def _settled(self, sheet: Sheet, row: Row, key: str, before: dict[str, Any] | None, plan: SheetPlan) -> bool:
        """Deal with rows that need no comparing: those left as exported, and those with faults."""
        if row.untouched and before is not None:
            plan.unchanged += 1
            self._settle_files(sheet, row)
            if version_of_row(sheet.spec, before, read=row.values) != row.version:
                plan.stale.append(key)
            return True
        # The faults of an untouched row were kept back; it is not in this register yet, so they count after all.
        for column_key, message in row.faults if row.untouched else ():
            self._fault(sheet, row, column_key, message)
        return bool(row.faults)

    def _check(
        self,
        sheet: Sheet,
        row: Row,
        present: Sequence[Column],
        before: dict[str, Any] | None,
        after: dict[str, Any],
    ) -> None:
        """Ask the rules of one row: its attached files, and the register's own."""
        for column in present:
            if column.kind is Kind.FILE:
                self._attached(sheet, row, column, before)
        for problem in sheet.spec.check(after):
            self._fault(sheet, row, problem.column, problem.message)

    def _after(
        self, sheet: Sheet, row: Row, before: dict[str, Any] | None, present: Sequence[Column], lacking: set[str]
    ) -> dict[str, Any]:
        """Return the row as it would be; empty required cells are faults, missing required columns go to ``lacking``."""
        after = dict(before) if before is not None else {}
        for column in present:
            value = row.values[column.key]
            if value is None or value in ("", ()):
                if column.default is not None:
                    value = column.default
                elif column.required:
                    self._fault(sheet, row, column.key, REQUIRED)
            after[column.key] = value
        if before is None:
            for column in sheet.spec.columns:
                if column.key not in after:
                    after[column.key] = column.default if column.default is not None else EMPTY[column.kind]
                    if column.required and column.default is None:
                        lacking.add(column.key)
        return after

    def _attached(self, sheet: Sheet, row: Row, column: Column, before: dict[str, Any] | None) -> None:
        name = row.values[column.key]
        if not name:
            return
        found = attached_file(self.workbook, name)
        if found is not None:
            self.files[name] = found
        elif before is None or canonical(column, before.get(column.key)) != name:
            self._fault(
                sheet,
                row,
                column.key,
                Message(
                    "ファイル「%(name)s」が見つかりません。zipにこの名前で入れるか、セルの値を直してください。",
                    {"name": shorten(name)},
                ),
            )

    def _settle_files(self, sheet: Sheet, row: Row) -> None:
        for column in sheet.spec.columns:
            if column.kind is Kind.FILE and (name := row.values.get(column.key)):
                found = attached_file(self.workbook, name)
                if found is not None:
                    self.settled_files.add(found.name)

    def _note_unused_files(self) -> None:
        left = self.workbook.files.keys() - {each.name for each in self.files.values()}
        for files, note in (
            (
                left & self.settled_files,
                Message(
                    "次の添付ファイルは、行に変わりがないため取り込みません（差し替えるときは、版も変えてください）：%(names)s"
                ),
            ),
            (left - self.settled_files, Message("次の添付ファイルは、どの行からも使われません：%(names)s")),
        ):
            if files:
                names = "、".join(sorted(files)[:_SHOWN]) + ("、…" if len(files) > _SHOWN else "")
                self.notes.append(Issue(message=Message(note.msgid, {"names": names})))

    def _conflict(self, sheet: Sheet, row: Row, changes: Sequence[FieldChange]) -> None:
        first = changes[0]
        column = sheet.spec.column(first.column)
        mine, theirs = (
            value if not isinstance(value, str) else shorten(value)
            for value in (
                show_cell(column, first.after, language=self.language),
                show_cell(column, first.before, language=self.language),
            )
        )
        given = {"column": self._label(column), "mine": mine, "theirs": theirs, "more": len(changes) - 1}
        message = (
            Message(
                "書き出した後に、ほかの人がこの行を変えています。「%(column)s」は、ファイルでは「%(mine)s」、いまは「%(theirs)s」です（ほかに違う項目が%(more)s件あります）。いまの内容を確かめ、新しく書き出したファイルで変更し直してください。",
                given,
            )
            if len(changes) > 1
            else Message(
                "書き出した後に、ほかの人がこの行を変えています。「%(column)s」は、ファイルでは「%(mine)s」、いまは「%(theirs)s」です。いまの内容を確かめ、新しく書き出したファイルで変更し直してください。",
                given,
            )
        )
        self._fault(sheet, row, first.column, message)

    def _check_all(self, sheet: Sheet, plan: SheetPlan) -> None:
        if sheet.spec.check_all is None:
            return
        touched = {added.key: added.row for added in plan.added} | {
            changed.key: changed.row for changed in plan.changed
        }
        if not touched:
            return
        everything = dict(sheet.current)
        everything.update({row.key: row.values for row in plan.added})
        everything.update({row.key: row.after for row in plan.changed})
        for key, problem in sheet.spec.check_all(self.organization, everything, touched.keys()):
            self._problem(sheet, touched.get(key, 0), problem)

    # Faults

    def _fault(self, sheet: Sheet, row: Row, column_key: str, message: Message) -> None:
        self._problem(sheet, row.number, Problem(column_key, message))

    def _problem(self, sheet: Sheet, row: int, problem: Problem) -> None:
        layout = sheet.layout
        index = layout.columns.get(problem.column) if problem.column else layout.version
        if index is None:
            header = self._label(sheet.spec.column(problem.column)) if problem.column else ""
        else:
            header = layout.titles.get(index, "")
        self.errors.add(
            Issue(
                message=problem.message,
                sheet=layout.grid.name,
                row=row,
                letter=letter(index) if index is not None and row else "",
                header=header,
            )
        )

    def _label(self, column: Column) -> str:
        return column.ja if self.language.startswith("ja") else column.en

    def _name(self, spec: SheetSpec) -> str:
        return spec.ja if self.language.startswith("ja") else spec.en

    def _names(self, specs: Sequence[SheetSpec]) -> str:
        return "、".join(self._name(spec) for spec in specs[:_SHOWN]) + ("、…" if len(specs) > _SHOWN else "")


def _differences(columns: Sequence[Column], before: Mapping[str, Any], after: Mapping[str, Any]) -> list[FieldChange]:
    found = []
    for column in columns:
        was, now = before.get(column.key), after[column.key]
        if was != now and canonical(column, was) != now:
            found.append(FieldChange(column.key, was, now))
    return found


def _keys(column: Column, value: Any, target: SheetSpec) -> tuple[str, ...]:
    """Return the keys a REF or REFS cell names, in the form the target's keys have; a REF always gives one."""
    keys = value if column.kind is Kind.REFS else (value,)
    if target.column(target.identity).kind is Kind.CODE:
        return tuple(to_code(str(key)) for key in keys)
    return tuple(str(key) for key in keys)
