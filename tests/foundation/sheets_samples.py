"""A small company's registers as sheets, kept in memory, for the tests of reading and writing spreadsheets."""

from __future__ import annotations

import ast
import contextlib
import datetime as dt
import io
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

import openpyxl
import pytest

import kitei.foundation.sheets
from kitei.foundation.sheets.planning import plan_import
from kitei.foundation.sheets.reader import read_bytes
from kitei.foundation.sheets.spec import Choice, Column, Kind, Problem, SheetSpec
from kitei.foundation.sheets.writer import write_export
from kitei.foundation.text import Message, messages

STAMP = dt.datetime(2026, 11, 22, 9, 0, tzinfo=dt.UTC)
PACKAGE = Path(kitei.foundation.sheets.__file__).parent
PART = PACKAGE.parent.parent / "locale" / "parts" / "sheets.po.txt"


class Store:
    """What the registers hold, by sheet key."""

    def __init__(self, **rows: dict[str, dict[str, Any]]) -> None:
        self.rows: dict[str, dict[str, dict[str, Any]]] = {"people": {}, "equipment": {}, **rows}
        self.asked: list[tuple[str, Any]] = []

    def __repr__(self) -> str:
        return f"Store(**{self.rows!r})"

    def existing(self, spec, keys):
        self.asked.append((spec.key, keys))
        rows = self.rows[spec.key]
        return dict(rows) if keys is None else {key: rows[key] for key in keys if key in rows}

    def apply(self, plan):
        for spec in SPECS:
            changes = plan.changes(spec.key)
            for values in changes.added:
                self.rows[spec.key][values[spec.identity]] = values
            for key, _before, after in changes.changed:
                self.rows[spec.key][key] = after


def _nothing(**_given):
    raise AssertionError


def _left_after_joined(values):
    if values["joined"] and values["left"] and values["left"] < values["joined"]:
        yield Problem("left", Message("退職日が入社日より前です。どちらかを直してください。"))


def _one_chief(_organization, rows, touched):
    chiefs = [key for key, values in rows.items() if values["role"] == "chief"]
    for key in chiefs:
        if len(chiefs) > 1 and key in touched:
            yield key, Problem("role", Message("管理責任者が2人います。1人にしてください。"))


PEOPLE = SheetSpec(
    key="people",
    ja="役員・従業者",
    en="Members",
    identity="code",
    order=10,
    existing=_nothing,
    apply=_nothing,
    intro_ja="役員と従業者を1行に1人入力します。",
    intro_en="One person a row.",
    aliases=("社員名簿",),
    check=_left_after_joined,
    check_all=_one_chief,
    columns=(
        Column("code", "社員番号", "Member number", Kind.CODE, required=True, aliases=("社員No",), max_length=20),
        Column(
            "name",
            "氏名",
            "Name",
            required=True,
            help_ja="姓と名の間は空けます。",
            help_en="Family name first.",
            example="髙橋　﨑子",
        ),
        Column(
            "role",
            "役割",
            "Role",
            Kind.CHOICE,
            choices=(
                Choice("chief", "管理責任者", "Chief officer", ("最終責任者",)),
                Choice("member", "従業者", "Member"),
            ),
            default="member",
        ),
        Column("joined", "入社日", "Joined", Kind.DATE),
        Column("left", "退職日", "Left", Kind.DATE),
        Column("note", "備考", "Note"),
        Column("boss", "上長", "Manager", Kind.REF, refers="people"),
    ),
)
EQUIPMENT = SheetSpec(
    key="equipment",
    ja="機器",
    en="Equipment",
    identity="code",
    order=20,
    existing=_nothing,
    apply=_nothing,
    columns=(
        Column("code", "機器番号", "Equipment number", Kind.CODE, required=True),
        Column("name", "名称", "Name", required=True),
        Column("count", "数量", "Quantity", Kind.INTEGER, minimum=1, maximum=1000),
        Column("portable", "持出し", "Portable", Kind.YESNO),
        Column("users", "使用者", "Users", Kind.REFS, refers="people"),
        Column("manual", "手順書", "Manual", Kind.FILE),
    ),
)
SPECS = (PEOPLE, EQUIPMENT)


def xlsx(given: Mapping[str, Sequence[Sequence[Any]]] | None = None, **sheets: Sequence[Sequence[Any]]) -> bytes:
    """Make a workbook; a text that starts with = is stored as text, as a person's paste would."""
    book = openpyxl.Workbook()
    book.remove(book.active)
    for name, rows in {**(given or {}), **sheets}.items():
        sheet = book.create_sheet(name)
        for row_number, row in enumerate(rows, start=1):
            for column_number, value in enumerate(row, start=1):
                if value is None:
                    continue
                cell = sheet.cell(row_number, column_number)
                cell.value = value
                if isinstance(value, str):
                    cell.data_type = "s"
    return saved(book)


def saved(book: openpyxl.Workbook) -> bytes:
    stream = io.BytesIO()
    book.save(stream)
    return stream.getvalue()


def opened(data: bytes) -> openpyxl.Workbook:
    return openpyxl.load_workbook(io.BytesIO(data))


def planned(data: bytes, store: Store | None = None, *, file: str = "台帳.xlsx", **options: Any):
    return plan_import(read_bytes(data, file=file), SPECS, existing=(store or Store()).existing, **options)


def exported(store: Store, *, language: str = "ja") -> bytes:
    stream = io.BytesIO()
    write_export(stream, SPECS, rows=lambda spec: store.rows[spec.key].values(), timestamp=STAMP, language=language)
    return stream.getvalue()


def said(plan) -> list[str]:
    """Return the errors of a plan as a person reads them."""
    return [issue.render() for issue in plan.errors]


def english() -> dict[str, str]:
    """Return the English of this package's sentences."""
    catalogue, ja = {}, ""
    for line in PART.read_text(encoding="utf-8").splitlines():
        if line.startswith("ja: "):
            ja = line[4:].replace("\\n", "\n")
        elif line.startswith("en: "):
            catalogue[ja] = line[4:].replace("\\n", "\n")
    return catalogue


@contextlib.contextmanager
def in_english(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """Render this package's messages in English, whether or not the whole catalogue is compiled."""
    catalogue = english()
    with monkeypatch.context() as patch:
        patch.setattr(messages, "gettext", lambda text: catalogue.get(text, text))
        patch.setattr(messages, "get_language", lambda: "en")
        yield


def msgids() -> set[str]:
    """Return every sentence of the package that a person may read."""
    found = set()
    for path in PACKAGE.glob("*.py"):
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            if (
                isinstance(node, ast.Call)
                and isinstance(node.func, ast.Name)
                and node.func.id in {"Message", "gettext"}
            ):
                for argument in node.args[:1]:
                    if isinstance(argument, ast.Constant) and argument.value:
                        found.add(argument.value)
    return found
