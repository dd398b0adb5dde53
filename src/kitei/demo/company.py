"""The whole provider as of a day, ready for the sheets it is imported through."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from kitei.demo import devices, documents, members, offices, partners, texts, treatment
from kitei.demo.moment import Book, Row, Then, merged
from kitei.foundation.sheets import spec
from kitei.foundation.sheets.spec import Column, Kind, SheetSpec

CODE = "sakura"
NAME = documents.COMPANY
COMPANY: Row = {
    "code": CODE,
    "name": NAME,
    # Thirteen digits whose check digit is wrong: no company can have this number.
    "corporate_number": "0000000000000",
    "address": texts.ADDRESS,
    "regulation_title": "医療情報システム等 運用管理規程",
    "document_number": "KT-001",
    "era_dates": True,
}


def book(then: Then) -> Book:
    """Return all sheets as they stood on the day; references to what did not exist yet are left empty."""
    found = merged(
        {"company": {CODE: COMPANY}, "document": documents.rows(then)},
        members.book(then),
        offices.book(then),
        partners.book(then),
        devices.book(then),
        treatment.book(then),
    )
    return {
        sheet.key: {key: _full(sheet, row, found) for key, row in found[sheet.key].items()}
        for sheet in spec.specs()
        if sheet.key in found
    }


def _full(sheet: SheetSpec, row: Row, book: Mapping[str, Mapping[str, Any]]) -> Row:
    return {column.key: _value(column, row.get(column.key), book) for column in sheet.columns}


def _value(column: Column, value: Any, book: Mapping[str, Mapping[str, Any]]) -> Any:
    if column.kind is Kind.REF:
        return value if value in book[column.refers] else None
    if column.kind is Kind.REFS:
        return tuple(key for key in value or () if key in book[column.refers])
    if value is None:
        return (
            ""
            if column.default is None and column.kind not in {Kind.DATE, Kind.INTEGER, Kind.YESNO}
            else column.default
        )
    return value
