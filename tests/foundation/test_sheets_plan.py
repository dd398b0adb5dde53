"""Importing: what a file would do, and what it says about every bad cell."""

from __future__ import annotations

import datetime as dt
import io
import re
import zipfile

import pytest
from openpyxl.styles import Font
from sheets_samples import (
    EQUIPMENT,
    PEOPLE,
    SPECS,
    Store,
    english,
    exported,
    in_english,
    msgids,
    opened,
    planned,
    said,
    saved,
    xlsx,
)

from kitei.foundation.sheets.headers import SheetMapping
from kitei.foundation.sheets.plan import ERRORS_KEPT, Issue
from kitei.foundation.sheets.planning import plan_import
from kitei.foundation.sheets.reader import read_bytes
from kitei.foundation.text import Message

HEAD = ["社員番号", "氏名", "役割", "入社日", "退職日", "備考", "上長"]


def people(*rows, head=HEAD):
    return xlsx({"役員・従業者": [head, *rows]})


def sakura(**changes):
    values = {
        "code": "001",
        "name": "髙橋　﨑子",
        "role": "chief",
        "joined": dt.date(2020, 4, 1),
        "left": None,
        "note": "",
        "boss": "",
    }
    return {**values, **changes}


def kenji(**changes):
    return sakura(code="002", name="吉野 健二", role="member", joined=None, note="在宅", boss="001", **changes)


def staffed():
    return Store(people={"001": sakura(), "002": kenji()})


def test_a_new_workbook_is_added_with_values_of_the_right_kind():
    store = Store()
    plan = planned(
        people(
            ["０01", "髙橋　﨑子", "最終責任者", "令和２年4月1日", None, " 在宅 ", None],
            [7.0, "吉野", None, None, None, None, "001"],
        ),
        store,
    )
    assert said(plan) == []
    assert plan.counts == {"added": 2, "changed": 0, "unchanged": 0, "errors": 0}
    first, second = plan.changes("people").added
    assert first == sakura(note="在宅")
    assert (second["code"], second["role"], second["boss"]) == ("7", "member", "001")


@pytest.mark.parametrize(
    ("row", "place", "words"),
    [
        (["001", "森 陽子", "総裁"], "2行目 C列「役割」", "管理責任者 / 従業者"),
        (["001", "森 陽子", None, "2026/2/30"], "2行目 D列「入社日」", "2026"),
        (["001", "森 陽子", None, "令和8年13月1日"], "2行目 D列「入社日」", "13"),
        (["001", "=cmd()"], "2行目 B列「氏名」", "数式のように見える"),
        (["001", "@SUM(A1)"], "2行目 B列「氏名」", "数式のように見える"),
        (["001", "-2+3+cmd|' /C calc'!A0"], "2行目 B列「氏名」", "数式のように見える"),
        (["001", "+森"], "2行目 B列「氏名」", "数式のように見える"),
        (["001", None], "2行目 B列「氏名」", "必ず入力"),
        ([None, "森 陽子"], "2行目 A列「社員番号」", "必ず入力"),
        (["0" * 21, "森 陽子"], "2行目 A列「社員番号」", "上限の20文字"),
        ([dt.date(2026, 1, 2), "森 陽子"], "2行目 A列「社員番号」", "日付に変わっています"),
        ([1234567890123456, "森 陽子"], "2行目 A列「社員番号」", "桁数の多い番号"),
        (["001", "森 陽子", None, 46000], "2行目 D列「入社日」", "数値です"),
        (
            ["001", "森 陽子", None, None, None, None, "999"],
            "2行目 G列「上長」",
            "「999」は「役員・従業者」に登録されておらず",
        ),
        (["001", "森 陽子", None, "2026/4/1", "2026/3/31"], "2行目 E列「退職日」", "退職日が入社日より前"),
    ],
)
def test_every_bad_cell_is_named_with_its_place_and_mend(row, place, words):
    plan = planned(people(row))
    assert not plan.ok
    (text,) = said(plan)
    assert text.startswith(f"シート「役員・従業者」{place}：")
    assert words in text
    assert re.search(r"ください|してください：", text)
    with pytest.raises(ValueError, match="errors"):
        plan.changes("people")


@pytest.mark.parametrize("text", ["-", "－", "−5℃で保管", "+81-3-1234-5678", "-5", "'=cmd()", "a=b", "'"])
def test_text_that_only_resembles_a_formula_is_data(text):
    plan = planned(people(["001", text]))
    assert said(plan) == []


def test_a_marked_formula_loses_only_its_mark():
    plan = planned(people(["001", "'=cmd()"], ["002", "''=cmd()"]))
    assert [row["name"] for row in plan.changes("people").added] == ["=cmd()", "'=cmd()"]


def test_formula_results_are_read_but_missing_results_and_errors_are_refused():
    book = opened(people(["001", "森 陽子"], ["002", "森 陽子"]))
    sheet = book.active
    sheet["F2"] = "=1+1"
    sheet["F3"] = "#REF!"
    sheet["F3"].data_type = "e"
    plan = planned(saved(book))
    first, second = said(plan)
    assert "2行目 F列「備考」：数式の計算結果が保存されていません" in first
    assert "3行目 F列「備考」：セルがExcelのエラー" in second
    data = saved(book)
    with zipfile.ZipFile(io.BytesIO(data)) as archive:
        xml = archive.read("xl/worksheets/sheet1.xml").decode()
    assert "<f>1+1</f><v></v>" in xml or "<f>1+1</f><v/>" in xml or "<f>1+1</f><v />" in xml
    xml = re.sub(r"<f>1\+1</f><v ?/?>(</v>)?", "<f>1+1</f><v>2</v>", xml).replace(
        't="e"><v>#REF!</v>', 't="str"><f>""</f><v></v>'
    )
    plan = planned(replaced(data, "xl/worksheets/sheet1.xml", xml.encode()))
    assert said(plan) == []
    assert [row["note"] for row in plan.changes("people").added] == ["2", ""]


def replaced(data: bytes, name: str, content: bytes) -> bytes:
    out = io.BytesIO()
    with zipfile.ZipFile(io.BytesIO(data)) as old, zipfile.ZipFile(out, "w", zipfile.ZIP_DEFLATED) as new:
        for info in old.infolist():
            new.writestr(info.filename, content if info.filename == name else old.read(info.filename))
    return out.getvalue()


def test_duplicate_keys_are_an_error_at_both_rows():
    plan = planned(people(["001", "森 陽子"], ["002", "林"], ["００１", "木村"]))
    first, second = said(plan)
    assert "2行目 A列「社員番号」：「001」は4行目にもあります" in first
    assert "4行目 A列「社員番号」：「001」は2行目にもあります" in second


def test_merged_data_cells_are_refused_and_merged_titles_are_fine():
    book = opened(xlsx({"役員・従業者": [["従業者名簿"], [], HEAD, ["001", "森 陽子"], ["002", "林"]]}))
    book.active.merge_cells("A1:G2")
    assert planned(saved(book)).counts["added"] == 2
    book.active["C4"] = "従業者"
    book.active.merge_cells("C4:C5")
    (text,) = said(planned(saved(book)))
    assert text.startswith("シート「役員・従業者」4行目 C列「役割」：C4:C5のセルが結合されている")
    assert "結合を解除" in text


def test_a_header_merged_over_two_rows_ends_below():
    book = opened(xlsx({"役員・従業者": [HEAD, [], ["001", "森 陽子"]]}))
    for letter in "ABCDEFG":
        book.active.merge_cells(f"{letter}1:{letter}2")
    assert planned(saved(book)).counts == {"added": 1, "changed": 0, "unchanged": 0, "errors": 0}


def test_a_missing_sheet_is_only_a_note_unless_asked_for():
    plan = planned(people(["001", "森 陽子"]))
    assert plan.ok
    assert any("機器" in note.render() for note in plan.notes)
    plan = planned(people(["001", "森 陽子"]), wanted={"equipment"})
    assert said(plan) == ["シート「機器」がありません。シートを加えるか、シートの名前を直してください。"]
    (text,) = said(planned(xlsx(Sheet1=[["a"]], Sheet2=[["b"]])))
    assert "「台帳.xlsx」に、取り込めるシートがありません" in text
    assert "役員・従業者、機器" in text


def test_missing_columns_matter_only_for_new_rows_but_the_identity_always():
    head = ["社員番号", "備考"]
    plan = planned(people(["001", "出向"], head=head), staffed())
    assert said(plan) == []
    assert plan.changes("people").changed == [("001", sakura(), sakura(note="出向"))]
    (text,) = said(planned(people(["009", "出向"], head=head), staffed()))
    assert "必ず必要な列「氏名」がありません" in text
    (text,) = said(planned(people(["森 陽子", "出向"], head=["氏名", "備考"]), staffed()))
    assert "必ず必要な列「社員番号」がありません" in text


def test_an_empty_cell_clears_and_an_absent_column_keeps():
    plan = planned(people(["002", "吉野 健二", None], head=["社員番号", "氏名", "備考"]), staffed())
    ((key, before, after),) = plan.changes("people").changed
    assert (key, before["note"], after["note"], after["boss"]) == ("002", "在宅", "", "001")
    (change,) = plan.sheets["people"].changed[0].fields
    assert (change.column, change.before, change.after) == ("note", "在宅", "")


def test_headers_are_found_below_titles_with_marks_aliases_and_in_english():
    rows = [
        ["名簿"],
        ["2026年度"],
        ["社員No", "氏　名（必須）", "ROLE ※", "メモ"],
        ["001", "森 陽子", "Chief officer", "x"],
    ]
    plan = planned(xlsx(社員名簿=rows))
    assert said(plan) == []
    assert plan.sheets["people"].header_row == 3
    assert plan.changes("people").added[0]["role"] == "chief"
    assert any("D「メモ」" in note.render() for note in plan.notes)


def test_no_header_and_a_double_header_are_explained():
    (text,) = said(planned(people(["001", "森 陽子"], head=["A", "B"])))
    assert "見出しの行が見つかりません" in text
    assert "社員番号、氏名" in text
    (text,) = said(planned(people(["001", "森", "林"], head=["社員番号", "氏名", "Name"])))
    assert "B列とC列の2か所" in text


def test_a_saved_mapping_reads_the_companys_own_sheet():
    own = xlsx(
        総務台帳=[
            ["名簿"],
            ["ID", "なまえ", "区分", "なまえ"],
            ["1-1", "森 陽子", "取", "もり"],
            ["1-2", "林", "－", "はやし"],
        ]
    )
    mapping = SheetMapping(
        sheet="総務台帳",
        header_row=2,
        columns={"code": "ID", "name": "[B]", "role": "区分"},
        values={"role": {"取": "管理責任者", "－": ""}},
    )
    plan = planned(own, mappings={"people": SheetMapping.from_json(mapping.to_json())})
    assert said(plan) == []
    assert [(row["code"], row["name"], row["role"]) for row in plan.changes("people").added] == [
        ("1-1", "森 陽子", "chief"),
        ("1-2", "林", "member"),
    ]
    wrong = SheetMapping(sheet="総務台帳", header_row=2, columns={"code": "番号"})
    (text,) = said(planned(own, mappings={"people": wrong}))
    assert "列の対応で指定された見出し「番号」がありません" in text


def test_references_resolve_in_the_register_or_in_the_same_file():
    rows = {
        "役員・従業者": [HEAD, ["003", "森 陽子"]],
        "機器": [
            ["機器番号", "名称", "使用者", "数量", "持出し"],
            ["PC-1", "ノートPC", "００3、002\n001", "１，０００", "○"],
            ["PC-2", "棚", "004", 0, "多分"],
        ],
    }
    plan = planned(xlsx(**rows), staffed())
    bad = said(plan)
    assert len(bad) == 2
    assert "D列「数量」：0は小さすぎます" in bad[0]
    assert "E列「持出し」" in bad[1]
    rows["機器"].pop()
    plan = planned(xlsx(**rows), staffed())
    assert said(plan) == []
    (added,) = plan.changes("equipment").added
    assert (added["users"], added["count"], added["portable"]) == (("003", "002", "001"), 1000, True)


def test_rules_across_rows_see_the_register_after_the_import():
    (text,) = said(planned(people(["003", "森 陽子", "管理責任者"]), staffed()))
    assert "2行目 C列「役割」：管理責任者が2人います" in text
    assert planned(people(["003", "森 陽子", "管理責任者"], ["001", "髙橋　﨑子", "従業者"]), staffed()).ok


def test_an_export_edited_by_two_people_shows_both_values_and_spares_untouched_rows():
    store = staffed()
    book = opened(exported(store))
    store.rows["people"]["001"]["note"] = "本社"  # somebody else, in the meantime
    store.rows["people"]["002"]["note"] = "支社"
    book.worksheets[0]["F2"] = "工場"
    plan = planned(saved(book), store)
    (text,) = said(plan)
    assert text.startswith("シート「役員・従業者」2行目 F列「備考」：書き出した後に、ほかの人がこの行を変えています。")
    assert "ファイルでは「工場」、いまは「本社」" in text
    assert plan.sheets["people"].stale == ["002"]
    book.worksheets[0]["F2"] = "本社"  # both wrote the same
    assert planned(saved(book), store).counts == {"added": 0, "changed": 0, "unchanged": 2, "errors": 0}


def test_an_edited_export_changes_exactly_what_was_edited():
    store = staffed()
    book = opened(exported(store))
    book.worksheets[0]["F2"] = "工場"
    book.worksheets[0]["F2"].font = Font(bold=True)
    plan = planned(saved(book), store)
    assert said(plan) == []
    assert [(row.key, [field.column for field in row.fields]) for row in plan.sheets["people"].changed] == [
        ("001", ["note"])
    ]
    store.apply(plan)
    assert planned(saved(book), store).counts == {"added": 0, "changed": 0, "unchanged": 2, "errors": 0}


def test_a_broken_row_version_is_an_error_and_an_export_fills_an_empty_installation():
    store = staffed()
    data = exported(store)
    assert planned(data, Store()).counts == {"added": 2, "changed": 0, "unchanged": 0, "errors": 0}
    book = opened(data)
    book.worksheets[0]["H2"] = 1.234e11
    (text,) = said(planned(saved(book), store))
    assert "2行目 H列「行の版」：行の版を読み取れません" in text


def test_a_lone_csv_is_recognised_by_its_headers():
    data = "社員番号,氏名,備考\r\n007,髙橋　﨑子,'=1+1\r\n".encode("cp932")
    plan = planned(data, file="export-20261122.csv")
    assert said(plan) == []
    assert plan.changes("people").added[0]["code"] == "007"
    assert plan.changes("people").added[0]["note"] == "=1+1"


def test_files_of_the_zip_are_found_by_the_name_in_the_cell():
    stream = io.BytesIO()
    rows = [["機器番号", "名称", "手順書"], ["PC-1", "ノートPC", "手順.pdf"], ["PC-2", "棚", "ない.pdf"]]
    with zipfile.ZipFile(stream, "w") as archive:
        archive.writestr("取込/台帳.xlsx", xlsx(機器=rows))
        archive.writestr("取込/文書/手順.pdf", b"%PDF-1.7")
        archive.writestr("取込/文書/余り.pdf", b"%PDF")
        archive.writestr("__MACOSX/._x", b"")
    plan = planned(stream.getvalue(), file="取込.zip")
    (text,) = said(plan)
    assert "3行目 C列「手順書」：ファイル「ない.pdf」が見つかりません" in text
    assert any("文書/余り.pdf" in note.render() for note in plan.notes)
    assert plan.files["手順.pdf"].read() == b"%PDF-1.7"
    kept = Store(equipment={"PC-2": {"code": "PC-2", "name": "机", "manual": "ない.pdf"}})
    plan = planned(stream.getvalue(), kept, file="取込.zip")
    assert said(plan) == []
    assert plan.changes("equipment").files["手順.pdf"].size == 8


def test_a_sheet_of_one_row_changes_that_row_even_when_its_name_changes():
    single = type(PEOPLE)(**{**vars(PEOPLE), "single": True, "check_all": None})
    store = Store(people={"001": sakura()})
    read = read_bytes(people(["009", "髙橋　﨑子"], head=["社員番号", "氏名"]), file="a.xlsx")
    ((key, _before, after),) = plan_import(read, [single], existing=store.existing).changes("people").changed
    assert (key, after["code"]) == ("001", "009")
    two = read_bytes(people(["009", "髙橋"], ["010", "森"]), file="a.xlsx")
    assert "1行だけ" in said(plan_import(two, [single], existing=store.existing))[0]


def test_many_errors_are_counted_and_the_first_kept():
    plan = planned(people(*([f"{n:04}", "=x"] for n in range(ERRORS_KEPT + 50))))
    assert (plan.error_count, len(plan.errors)) == (ERRORS_KEPT + 50, ERRORS_KEPT)


def test_only_the_keys_of_the_file_are_asked_for():
    store = Store()
    planned(xlsx(機器=[["機器番号", "名称", "使用者"], ["PC-1", "ノートPC", "001"]]), store)
    assert store.asked == [("equipment", ["PC-1"]), ("people", ["001"])]


def test_messages_are_complete_in_english(monkeypatch):
    catalogue = english()
    assert catalogue.keys() == msgids()
    for ja, en in catalogue.items():
        assert set(re.findall(r"%\(\w+\)s", ja)) == set(re.findall(r"%\(\w+\)s", en)), ja
        assert not re.search(r"[぀-ヿ]", en.replace("令和8年11月22日", "")), en
    plan = planned(people(["001", "=cmd()"], ["002", "林", "総裁"], ["001", "森"]), language="en")
    with in_english(monkeypatch):
        texts = said(plan)
    assert 'Sheet "役員・従業者", row 2, column B "氏名": "=cmd()" looks like a formula' in texts[1]
    assert '"001" is also in row 4' in texts[0]
    assert "Please enter one of: Chief officer / Member" in texts[2]


def test_an_issue_survives_being_stored():
    issue = Issue(message=Message("「%(key)s」", {"key": "a"}), sheet="機器", row=3, letter="B", header="名称")
    assert Issue.from_json(issue.to_json()) == issue


def test_specs_are_read_in_workbook_order_whatever_the_order_given():
    rows = {"役員・従業者": [HEAD, ["003", "森 陽子"]], "機器": [["機器番号", "名称"], ["PC-1", "x"]]}
    plan = plan_import(read_bytes(xlsx(**rows), file="a.xlsx"), [EQUIPMENT, PEOPLE], existing=Store().existing)
    assert list(plan.sheets) == [spec.key for spec in SPECS]
