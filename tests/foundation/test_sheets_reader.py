"""Files from outside: what is refused before it is parsed, and what is read."""

from __future__ import annotations

import io
import os
import struct
import zipfile
import zlib

import openpyxl
import pytest
from sheets_samples import in_english, saved, xlsx

from kitei.foundation.sheets import reader
from kitei.foundation.sheets.grid import Fault, Limits, Literal, column_index, letter
from kitei.foundation.sheets.reader import read_bytes, read_tables
from kitei.foundation.text import UserError

OLE = bytes.fromhex("d0cf11e0a1b11ae1")


def refused(data: bytes, file: str = "台帳.xlsx", **limits) -> str:
    with pytest.raises(UserError) as caught:
        read_bytes(data, file=file, limits=Limits(**limits))
    return str(caught.value)


def packed(**parts: bytes) -> bytes:
    stream = io.BytesIO()
    with zipfile.ZipFile(stream, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, content in parts.items():
            archive.writestr(name, content)
    return stream.getvalue()


def changed(data: bytes, **parts: bytes) -> bytes:
    with zipfile.ZipFile(io.BytesIO(data)) as archive:
        content = {info.filename: archive.read(info) for info in archive.infolist()}
    return packed(**{**content, **parts})


def sheet_xml(rows: str) -> bytes:
    return (
        '<?xml version="1.0"?><worksheet xmlns="http://schemas.openxmlformats.org/spreadsheetml/2006/main">'
        f"<sheetData>{rows}</sheetData></worksheet>"
    ).encode()


def test_a_200_mb_file_is_refused_without_being_read(tmp_path, monkeypatch):
    path = tmp_path / "大.xlsx"
    with path.open("wb") as file:
        file.truncate(200 * 1024 * 1024)
    monkeypatch.setattr(reader.Path, "read_bytes", lambda _self: pytest.fail("it was read"))
    with pytest.raises(UserError) as caught:
        read_tables(path)
    assert "200MB" in str(caught.value)
    assert "上限の50MB" in str(caught.value)


def test_a_missing_file_and_a_folder_are_named(tmp_path):
    for path in (tmp_path / "ない.xlsx", tmp_path):
        with pytest.raises(UserError, match="開けません") as caught:
            read_tables(path)
        assert path.name in str(caught.value)


def test_100_000_rows_are_refused_naming_sheet_and_limit():
    rows = "".join(f'<row r="{n}"><c r="A{n}"><v>{n}</v></c></row>' for n in range(1, 100_001))
    text = refused(changed(xlsx(機器=[["a"]]), **{"xl/worksheets/sheet1.xml": sheet_xml(rows)}))
    assert (
        text
        == "シート「機器」の行数が、上限の50,000行を超えています。不要な行を削除するか、いくつかのファイルに分けてください。"
    )


@pytest.mark.parametrize(
    ("xml", "word"),
    [
        ('<row r="1048576"><c r="A1048576"><v>1</v></c></row>', "行数"),
        ("<row r='1048576'><c><v>1</v></c></row>", "行数"),
        ('<row r="1"><c r="XFD1"><v>1</v></c></row>', "列数"),
        ('<row r="1"><c s="1" r = \'XFD1\' t="n"><v>1</v></c></row>', "列数"),
        ('<row r="1"><c r="&#88;FD1"><v>1</v></c></row>', "列数"),
    ],
)
def test_a_single_far_cell_is_refused_before_it_becomes_a_huge_block(xml, word):
    assert word in refused(changed(xlsx(機器=[["a"]]), **{"xl/worksheets/sheet1.xml": sheet_xml(xml)}))


def test_cells_that_are_only_formatted_do_not_count():
    rows = '<row r="1"><c r="A1"><v>1</v></c></row><row r="1048576"><c r="XFD1048576" s="0"/></row>'
    book = read_bytes(changed(xlsx(機器=[["a"]]), **{"xl/worksheets/sheet1.xml": sheet_xml(rows)}), file="a.xlsx")
    assert book.sheets[0].rows == [[1.0]]


def test_the_sum_of_all_tables_the_number_of_sheets_and_entries_are_limited():
    data = xlsx(甲=[["a"] * 10] * 10, 乙=[["a"] * 10] * 10)
    assert "上限は150です" in refused(data, cells=150)
    assert read_bytes(data, file="a.xlsx", limits=Limits(cells=200)).sheets[1].name == "乙"
    assert "シートの数" in refused(data, sheets=1)
    assert "上限の3件" in refused(data, entries=3)


@pytest.mark.parametrize("keep", [0.2, 0.6, 0.98])
def test_a_corrupt_workbook_is_refused(keep):
    data = xlsx(機器=[["機器番号", "名称"]] + [[f"PC-{n}", os.urandom(9).hex()] for n in range(300)])
    assert "壊れている" in refused(data[: int(len(data) * keep)])
    middle = int(len(data) * keep) - 20
    assert "壊れている" in refused(data[:middle] + bytes(20) + data[middle + 20 :])


def test_a_sheet_that_is_no_xml_is_refused():
    assert "壊れている" in refused(
        changed(xlsx(機器=[["a"]]), **{"xl/worksheets/sheet1.xml": b"<worksheet><sheetData><row"})
    )
    assert "壊れている" in refused(changed(xlsx(機器=[["a"]]), **{"xl/workbook.xml": "<?xml?>".encode("utf-16")}))


@pytest.mark.parametrize(
    ("data", "file", "word"),
    [
        (b"", "台帳.xlsx", "空のファイル"),
        (b"hello", "台帳.xlsx", "壊れている"),
        (b"%PDF-1.7", "台帳.pdf", "読み取れる形式ではありません"),
        (OLE + bytes(4000), "台帳.xls", "古い形式"),
        (OLE + bytes(900) + "EncryptedPackage".encode("utf-16-le"), "台帳.xlsx", "パスワードを外して"),
        (
            packed(**{"[Content_Types].xml": b"<a/>", "word/document.xml": b"<a/>"}),
            "規程.docx",
            "読み取れる形式ではありません",
        ),
        (packed(**{"手順.pdf": b"%PDF"}), "文書.zip", "一番上の階層に、取り込む"),
        (packed(**{"a.xlsx": b"1", "b.xlsx": b"2"}), "文書.zip", "Excelブックが2個"),
        (packed(**{"台帳.xlsx": b"x", "中.zip": b"PK"}), "文書.zip", "別の圧縮ファイル「中.zip」"),
        (packed(**{"台帳.xlsx": b"x", "中.pdf": packed(a=b"1")}), "文書.zip", "別の圧縮ファイル「中.pdf」"),
        (packed(**{"台帳.csv": b"a,b", "../../etc/cron.d/x": b"x"}), "文書.zip", "置き場所を外れる"),
        (packed(**{"台帳.csv": b"a,b", "/etc/x": b"x"}), "文書.zip", "置き場所を外れる"),
        (packed(**{"台帳.csv": b"a,b", "c:\\x": b"x"}), "文書.zip", "置き場所を外れる"),
        ("a,b\n森,陽".encode("euc-jp") + b"\xff\xff", "台帳.csv", "の2行目に、読み取れない文字"),
        (b'a,b\n1,"2\n3,4', "台帳.csv", "引用符"),
        (b"a,b\x00", "台帳.csv", "CSVとして読み取れません"),
    ],
)
def test_what_is_no_importable_file_is_explained(data, file, word):
    text = refused(data, file=file)
    assert word in text
    assert "ください" in text


def test_a_zip_bomb_is_refused_by_ratio_by_total_and_when_its_directory_lies():
    zeros = bytes(20 * 1024 * 1024)
    sheet = changed(xlsx(機器=[["a"]]), **{"xl/worksheets/sheet1.xml": sheet_xml("") + zeros})
    assert "展開すると大きくなりすぎる" in refused(sheet)
    assert "展開すると大きくなりすぎる" in refused(packed(**{"台帳.csv": b"a,b", "x.bin": zeros}), file="a.zip")
    assert "展開すると大きくなりすぎる" in refused(xlsx(機器=[["a"]]), unpacked_bytes=1000)
    honest = packed(**{"台帳.csv": b"a,b", "x.bin": zeros})
    # The directory and the local header say 1,000 bytes, with the checksum of the first 1,000.
    lie = honest.replace(struct.pack("<L", len(zeros)), struct.pack("<L", 1000))
    lie = lie.replace(struct.pack("<L", zlib.crc32(zeros)), struct.pack("<L", zlib.crc32(zeros[:1000])))
    book = changed(xlsx(機器=[["a"]]), **{"xl/styles.xml": b"<styleSheet/>" + zeros})
    liar = book.replace(struct.pack("<L", len(zeros) + 13), struct.pack("<L", 1000))
    assert "壊れている" in refused(liar)
    assert "壊れている" in refused(lie, file="a.zip")


def test_nested_bombs_in_the_workbook_of_a_zip_are_refused():
    inner = changed(xlsx(機器=[["a"]]), **{"xl/worksheets/sheet1.xml": sheet_xml("") + bytes(20 * 1024 * 1024)})
    assert "展開すると大きくなりすぎる" in refused(packed(**{"台帳.xlsx": inner}), file="a.zip")


def test_declared_entities_are_refused():
    bomb = b'<?xml version="1.0"?><!DOCTYPE x [<!ENTITY a "aaaa">]><worksheet>&a;</worksheet>'
    assert "DOCTYPE" in refused(changed(xlsx(機器=[["a"]]), **{"xl/worksheets/sheet1.xml": bomb}))
    assert "DOCTYPE" in refused(
        changed(xlsx(機器=[["a"]]), **{"xl/sharedStrings.xml": b"<!-- " + b"x" * 1048570 + b"--><!DOCTYPE x>"})
    )


def test_an_encrypted_zip_asks_to_remove_the_password():
    data = bytearray(packed(**{"台帳.csv": b"a,b"}))
    central = data.rindex(b"PK\x01\x02")
    data[central + 8] |= 1
    assert "パスワード" in refused(bytes(data), file="a.zip")


def test_cells_keep_their_kinds_and_places():
    book = openpyxl.Workbook()
    sheet = book.active
    sheet.title = "機器"
    sheet["B3"], sheet["C3"], sheet["D3"], sheet["E3"] = "007", 7, True, "=cmd()"
    sheet["E3"].data_type, sheet["E3"].quotePrefix = "s", True
    sheet["F4"] = "#N/A"
    sheet["G9"] = "=A1"
    sheet.merge_cells("B7:C8")
    (grid,) = read_bytes(saved(book), file="a.xlsx").sheets
    assert grid.rows[2][:5] == ["", "007", 7, True, "=cmd()"]
    assert isinstance(grid.rows[2][4], Literal)
    assert not isinstance(grid.rows[2][1], Literal)
    assert grid.rows[3][5] is Fault.ERROR_VALUE
    assert grid.rows[8][6] is Fault.UNCALCULATED
    assert str(grid.merges[0]) == "B7:C8"
    assert [letter(n) for n in (0, 25, 26, 701, 702)] == ["A", "Z", "AA", "ZZ", "AAA"]
    assert [column_index(letter(n)) for n in range(0, 16384, 97)] == list(range(0, 16384, 97))


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "cp932", "utf-16"])
@pytest.mark.parametrize("delimiter", [",", "\t"])
def test_csv_is_read_in_every_usual_encoding(encoding, delimiter):
    text = f'番号{delimiter}氏名\r\n007{delimiter}"髙橋\n﨑子①"\r\n'
    (grid,) = read_bytes(text.encode(encoding), file="名簿.csv").sheets
    assert (grid.name, grid.rows) == ("名簿", [["番号", "氏名"], ["007", "髙橋\n﨑子①"]])


def test_csv_rows_and_columns_are_limited():
    assert "上限の10行" in refused(b"a\n" * 11, file="名簿.csv", rows=10)
    assert "上限の3列" in refused(b"a,b,c,d", file="名簿.csv", columns=3)


def test_names_in_a_zip_are_read_as_windows_and_macos_write_them():
    stream = io.BytesIO()
    with zipfile.ZipFile(stream, "w") as archive:
        archive.writestr("取込/名簿.csv", "番号,氏名".encode())
        archive.writestr("取込/文書/か\u3099いよう.pdf", b"%PDF")  # NFD, as macOS writes
        archive.writestr("WXWX/VWVW/XYXY.pdf", b"old")  # ASCII here, so that no flag says UTF-8
    data = stream.getvalue()
    for mark, name in ((b"WXWX", "取込"), (b"VWVW", "文書"), (b"XYXY", "手順")):
        data = data.replace(mark, name.encode("cp932"))
    book = read_bytes(data, file="取込.zip")
    assert sorted(book.files) == ["文書/がいよう.pdf", "文書/手順.pdf"]
    assert book.files["文書/手順.pdf"].read() == b"old"
    assert book.sheets[0].rows == [["番号", "氏名"]]


def test_refusals_are_readable_in_english(monkeypatch):
    with pytest.raises(UserError) as caught:
        read_bytes(b"hello", file="ledger.xlsx")
    with in_english(monkeypatch):
        assert str(caught.value).startswith('"ledger.xlsx" is damaged and cannot be read. Please')
