"""Writing: what goes out comes back as it was, nothing runs in Excel, and the same content gives the same bytes."""

from __future__ import annotations

import datetime as dt
import io
import time
import zipfile

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from sheets_samples import EQUIPMENT, PEOPLE, SPECS, STAMP, Store, exported, in_english, opened, planned, said, saved

from kitei.foundation.sheets.cells import canonical, clean, read_cell, show_cell, to_code
from kitei.foundation.sheets.grid import Literal
from kitei.foundation.sheets.guard import looks_like_formula, mark, unmark
from kitei.foundation.sheets.reader import read_bytes
from kitei.foundation.sheets.spec import Choice, Column, Kind
from kitei.foundation.sheets.table import Table, TableColumn
from kitei.foundation.sheets.template import write_template
from kitei.foundation.sheets.versions import version_of_row
from kitei.foundation.sheets.writer import write_csv, write_export_csv, write_table
from kitei.foundation.text import UserError

NASTY = [
    "", "007", "=cmd()", "'=cmd()", "''=cmd()", "@x", "+森", "-2+3", "-", "－", "＝1", "髙﨑𠮷", "a\nb", "a\r\nb", "a\tb", '"', "a,b", "'", "''",
    "_x000D_", "_x005F_x000D_", "#REF!", "#N/A", "TRUE", "1e5", "12:30", "2026/11/22", "&lt;", "<a>&", "はい", "\x01x", " x ", "　字下げ", "１２３", "ｶﾞ", "0.1", "'0",
]  # fmt: skip
TEXTS = st.one_of(st.sampled_from(NASTY), st.text(max_size=30), st.text("=+-@'\t\n_x0D, \"０－", max_size=12))
KEYS = st.one_of(
    st.sampled_from(["007", "PC-001", "=1", "@A", "-1", "+5"]), st.text("0Aa-=+@'", min_size=1, max_size=6)
).map(to_code)
DAYS = st.one_of(st.none(), st.dates(dt.date(1873, 1, 1), dt.date(2999, 12, 31)))


@st.composite
def stores(draw):
    codes = sorted(draw(st.sets(KEYS, min_size=1, max_size=4)))
    people = {
        code: {
            "code": code,
            "name": draw(TEXTS),  # a register may hold what an import would refuse, an empty name for one
            "role": draw(st.sampled_from(["member", "", "unknown", None])),
            "joined": draw(DAYS),
            "left": draw(DAYS),
            "note": draw(TEXTS),
            "boss": draw(st.sampled_from([*codes, "", None])),
        }
        for code in codes
    }
    equipment = {
        code: {
            "code": code,
            "name": draw(TEXTS),
            "count": draw(st.one_of(st.none(), st.integers(-(10**18), 10**18))),
            "portable": draw(st.sampled_from([True, False, None])),
            "users": draw(st.lists(st.sampled_from(codes), unique=True).map(tuple)),
            "manual": draw(TEXTS),
        }
        for code in draw(st.sets(KEYS, max_size=3))
    }
    return Store(people=people, equipment=equipment)


@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(stores(), st.sampled_from(["ja", "en"]))
def test_importing_an_export_changes_nothing(store, language):
    plan = planned(exported(store, language=language), store)
    assert said(plan) == []
    rows = len(store.rows["people"]) + len(store.rows["equipment"])
    assert plan.counts == {"added": 0, "changed": 0, "unchanged": rows, "errors": 0}
    assert not any(sheet.stale for sheet in plan.sheets.values())


@settings(max_examples=40, deadline=None)
@given(stores(), st.sampled_from(["utf-8-sig", "cp932"]))
def test_importing_a_csv_export_changes_nothing(store, encoding):
    for spec in SPECS:
        if not store.rows[spec.key]:
            continue
        stream = io.BytesIO()
        warnings = write_export_csv(stream, spec, rows=store.rows[spec.key].values(), encoding=encoding)
        plan = planned(stream.getvalue(), store, file=f"{spec.ja}.csv")
        if encoding == "utf-8-sig":
            assert warnings == []
        assert said(plan) == []
        assert plan.counts["unchanged"] == len(store.rows[spec.key])


@settings(max_examples=40, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(st.lists(TEXTS.map(clean).filter(bool), min_size=1, max_size=8))
def test_even_without_row_versions_every_text_comes_back(texts):
    store = Store(
        equipment={
            f"{n}": {"code": f"{n}", "name": text, "count": n + 1, "portable": True, "users": (), "manual": ""}
            for n, text in enumerate(texts)
        }
    )
    book = opened(exported(store))
    book["機器"].delete_cols(7)
    plan = planned(saved(book), store)
    assert said(plan) == []
    assert plan.counts["unchanged"] == len(texts)


@given(st.text())
def test_the_mark_of_text_comes_off_again(text):
    assert unmark(mark(text))[0] == text or not looks_like_formula(text)
    if looks_like_formula(text) and not text.lstrip("+-").startswith(tuple("0123456789.")):
        assert mark(text) == "'" + text


@given(st.sampled_from(PEOPLE.columns + EQUIPMENT.columns), TEXTS)
def test_what_is_read_is_already_canonical(column, text):
    try:
        value = read_cell(column, Literal(text))
    except UserError:
        return
    assert canonical(column, value) == value
    shown = show_cell(column, value)
    assert read_cell(column, Literal(shown) if isinstance(shown, str) else shown) == value


def test_text_that_excel_would_run_is_written_as_text():
    store = Store(people={"001": {"code": "001", "name": "=HYPERLINK(1)", "role": "chief", "note": "@SUM(1)"}})
    sheet = opened(exported(store))["役員・従業者"]
    for place in ("B2", "F2"):
        assert (sheet[place].data_type, sheet[place].quotePrefix) == ("s", True)
    assert sheet["A2"].number_format == "@"
    with zipfile.ZipFile(io.BytesIO(exported(store))) as archive:
        assert b"<f>" not in archive.read("xl/worksheets/sheet1.xml")


def test_the_same_content_gives_the_same_bytes_and_another_time_stamp_others():
    store = Store(people={"001": {"code": "001", "name": "森 陽子", "joined": dt.date(2026, 4, 1)}})
    first = exported(store)
    template, table = io.BytesIO(), io.BytesIO()
    write_template(template, SPECS, timestamp=STAMP)
    write_table(table, [Table([TableColumn("条")], [["第1条"]])], timestamp=STAMP)
    time.sleep(2.1)  # zip stamps count two seconds
    assert exported(store) == first
    again, table_again = io.BytesIO(), io.BytesIO()
    write_template(again, SPECS, timestamp=STAMP)
    write_table(table_again, [Table([TableColumn("条")], [["第1条"]])], timestamp=STAMP)
    assert (again.getvalue(), table_again.getvalue()) == (template.getvalue(), table.getvalue())
    later = io.BytesIO()
    write_template(later, SPECS, timestamp=STAMP + dt.timedelta(days=1))
    assert later.getvalue() != template.getvalue()


@pytest.mark.parametrize("language", ["ja", "en"])
def test_the_template_is_explained_empty_and_accepts_a_row(language):
    stream = io.BytesIO()
    write_template(stream, SPECS, timestamp=STAMP, language=language)
    plan = planned(stream.getvalue())
    assert said(plan) == []
    assert plan.counts == {"added": 0, "changed": 0, "unchanged": 0, "errors": 0}
    book = opened(stream.getvalue())
    assert book.worksheets[0].title in ({"はじめに"} if language == "ja" else {"はじめに", "Read me"})
    assert len(book.sheetnames) == 5
    assert book.worksheets[4].sheet_state == "hidden"
    sheet = book["役員・従業者" if language == "ja" else "Members"]
    assert [cell.value for cell in sheet[3]][:2] == (
        ["社員番号（必須）", "氏名（必須）"] if language == "ja" else ["Member number (required)", "Name (required)"]
    )
    assert sheet.freeze_panes == "A4"
    assert sheet.column_dimensions["A"].number_format == "@"
    (rule,) = sheet.data_validations.dataValidation
    assert str(rule.sqref) == "C4:C50000"
    assert rule.formula1 == f"'{book.sheetnames[4]}'!$A$1:$A$2"
    sheet["A4"], sheet["B4"] = "001", "森 陽子"
    assert planned(saved(book)).counts["added"] == 1
    assert any("髙橋" in str(cell.value) for row in book.worksheets[1].iter_rows() for cell in row)


def test_csv_is_guarded_and_tells_what_cp932_cannot_hold(monkeypatch):
    rows = [["=1+1", 7, dt.date(2026, 11, 22)], ["𠮷野〜", None, None], ["-", -5, None]]
    stream = io.BytesIO()
    assert write_csv(stream, ["氏名", "数", "日"], rows) == []
    assert stream.getvalue() == "\ufeff氏名,数,日\r\n'=1+1,7,2026/11/22\r\n𠮷野〜,,\r\n-,'-5,\r\n".encode()
    stream = io.BytesIO()
    (warning,) = write_csv(stream, ["氏名", "数", "日"], rows, encoding="cp932")
    assert stream.getvalue().decode("cp932").splitlines()[2] == "〓野～,,"
    assert "3:氏名「𠮷〜」" in warning.render()
    assert "2文字" in warning.render()
    with in_english(monkeypatch):
        assert "choose UTF-8" in warning.render()
    with pytest.raises(ValueError, match="latin"):
        write_csv(io.BytesIO(), ["a"], [], encoding="latin-1")


def test_stand_ins_of_cp932_never_come_back_as_an_edit():
    store = Store(people={"001": {"code": "001", "name": "𠮷野", "role": "chief", "note": "x"}})
    stream = io.BytesIO()
    write_export_csv(stream, PEOPLE, rows=store.rows["people"].values(), encoding="cp932")
    text = stream.getvalue().decode("cp932")
    assert "〓野" in text
    assert planned(text.encode(), store, file="役員・従業者.csv").counts["unchanged"] == 1
    assert not planned(text.replace(",x,", ",y,").encode(), store, file="役員・従業者.csv").ok


def test_tables_become_sheets_named_by_their_captions():
    columns = [TableColumn("要求事項", 3), TableColumn("規定", align="center")]
    tables = [
        Table(columns, [["=危険", "あり"], ["ア-3", "なし"]], caption="対照表：規定/運用", note="要確認を含みます。"),
        Table(columns, [], caption="対照表：規定/運用"),
    ]
    stream = io.BytesIO()
    write_table(stream, tables, timestamp=STAMP)
    first, second = read_bytes(stream.getvalue(), file="a.xlsx").sheets
    assert first.rows == [
        ["対照表：規定/運用", ""],
        ["要求事項", "規定"],
        ["=危険", "あり"],
        ["ア-3", "なし"],
        ["", ""],
        ["要確認を含みます。", ""],
    ]
    assert isinstance(first.rows[2][0], Literal)
    assert second.name == "対照表：規定 運用 (2)"
    assert second.rows[-1][0] == "該当なし"


def test_a_text_that_no_cell_holds_is_refused_not_cut():
    store = Store(people={"001": {"code": "001", "name": "長" * 32_768}})
    with pytest.raises(UserError, match="32,767"):
        exported(store)


def test_the_version_ignores_empty_values_and_follows_every_other():
    row = {"code": "001", "name": "森 陽子", "note": None}
    assert version_of_row(PEOPLE, row) == version_of_row(PEOPLE, {**row, "note": "", "left": None})
    assert version_of_row(PEOPLE, row) != version_of_row(PEOPLE, {**row, "note": "x"})
    assert len(version_of_row(PEOPLE, row)) == 12


@pytest.mark.parametrize(
    ("column", "raw", "value"),
    [
        (Column("a", "あ", "a", Kind.CODE), "００7 ー‐1", "007ー-1"),
        (Column("a", "あ", "a", Kind.CODE), 123.0, "123"),
        (Column("a", "あ", "a", Kind.CODE), "0123", "0123"),
        (Column("a", "あ", "a"), 0.1, "0.1"),
        (Column("a", "あ", "a"), dt.datetime(2026, 1, 2), "2026/01/02"),  # noqa: DTZ001 - Excel has no time zone
        (Column("a", "あ", "a"), "  か\u3099\r\nき  ", "が\nき"),
        (Column("a", "あ", "a", Kind.INTEGER), "１，２３４", 1234),
        (Column("a", "あ", "a", Kind.INTEGER), 5.0, 5),
        (Column("a", "あ", "a", Kind.DATE), dt.datetime(2026, 1, 2), dt.date(2026, 1, 2)),  # noqa: DTZ001 - as above
        (Column("a", "あ", "a", Kind.DATE), "R8.11.22", dt.date(2026, 11, 22)),
        (Column("a", "あ", "a", Kind.DATE), 20261122.0, dt.date(2026, 11, 22)),
        (Column("a", "あ", "a", Kind.YESNO), "○", True),
        (Column("a", "あ", "a", Kind.YESNO), "無し", False),
        (Column("a", "あ", "a", Kind.YESNO), 0.0, False),
        (
            Column("a", "あ", "a", Kind.CHOICE, choices=(Choice("x", "社外秘", "Confidential", ("秘",)),)),
            "CONFIDENTIAL",
            "x",
        ),
        (Column("a", "あ", "a", Kind.CHOICE, choices=(Choice("x", "社外秘", "Confidential", ("秘",)),)), " 秘 ", "x"),
        (Column("a", "あ", "a", Kind.REFS, refers="people"), "001、 002\n001;3", ("001", "002", "3")),
        (Column("a", "あ", "a", Kind.REFS, refers="people"), 7.0, ("7",)),
        (Column("a", "あ", "a", Kind.FILE), "文書\\手順.pdf", "文書/手順.pdf"),
        (Column("a", "あ", "a", Kind.DATE), None, None),
        (Column("a", "あ", "a", Kind.REFS, refers="people"), "", ()),
    ],
)
def test_cells_are_read_by_the_kind_of_their_column(column, raw, value):
    assert read_cell(column, raw) == value


@pytest.mark.parametrize(
    ("kind", "raw"),
    [
        (Kind.INTEGER, "1.5"),
        (Kind.INTEGER, True),
        (Kind.INTEGER, float("inf")),
        (Kind.INTEGER, "1,2"),
        (Kind.INTEGER, "9" * 30),
        (Kind.DATE, dt.time(9, 0)),
        (Kind.DATE, "2026/2/30"),
        (Kind.DATE, "令和8年13月1日"),
        (Kind.DATE, True),
        (Kind.YESNO, 2.0),
        (Kind.CHOICE, "x"),
        (Kind.CODE, 1e16),
    ],
)
def test_what_does_not_fit_the_kind_says_what_to_do(kind, raw):
    with pytest.raises(UserError, match="ください"):
        read_cell(Column("a", "あ", "a", kind, choices=(Choice("y", "甲", "A"),)), raw)
