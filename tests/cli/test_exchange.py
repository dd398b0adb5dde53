"""import and export through the console."""

from __future__ import annotations

import re
import zipfile

import openpyxl
import pytest

from cli.console import APPOINTMENTS, DEPARTMENTS, MEMBERS

CHANGES = re.compile(r"追加 (\d+)、変更 (\d+)")


def changes(said):
    return sum(int(number) for pair in CHANGES.findall(said) for number in pair)


def test_without_apply_an_import_only_looks(kitei, officers):
    before = kitei.count("auditlog_event")
    said = kitei("import", officers).stdout
    assert "--apply" in said
    assert changes(said) == 6
    assert kitei.count("people_member") == 0
    assert kitei.count("auditlog_event") == before


def test_apply_writes_every_row_with_an_event_each(kitei, officers):
    before = kitei.count("auditlog_event")
    kitei("import", officers, "--apply")
    assert kitei.rows("SELECT code, family_name, given_name FROM people_memberstate ORDER BY code") == [
        ("0012", "髙﨑", "花子"),
        ("0013", "𠮷田", "次郎"),
        ("0014", "佐藤", "三郎"),
    ]
    assert kitei.rows("SELECT joined_on FROM people_memberstate ORDER BY code") == [
        ("2019-04-01",),
        ("2019-10-01",),
        ("2026-04-01",),
    ]
    assert kitei.count("auditlog_event") - before >= 7
    assert kitei.rows("SELECT count(*) FROM access_membership WHERE kind = 'role'") == [(1,)]


def test_import_of_the_same_and_of_what_export_wrote_changes_nothing(kitei, officers, tmp_path):
    kitei("import", officers, "--apply")
    states, events = kitei.count("people_memberstate"), kitei.count("auditlog_event")
    assert changes(kitei("import", officers, "--apply").stdout) == 0
    assert (kitei.count("people_memberstate"), kitei.count("auditlog_event")) == (states, events)
    for language in ("ja_JP.UTF-8", "en_US.UTF-8"):
        path = tmp_path / f"{language}.xlsx"
        kitei("export", path, LANG=language)
        assert changes(kitei("import", path, "--apply").stdout) == 0
    assert kitei.count("people_memberstate") == states


def test_the_template_is_empty_and_explained(kitei, tmp_path):
    path = tmp_path / "台帳.xlsx"
    kitei("export", "--template", path)
    assert changes(kitei("import", path, "--apply").stdout) == 0
    book = openpyxl.load_workbook(path)
    assert {"はじめに", "会社", "構成員", "任命", "文書", "機器", "委託先", "医療機関", "リスク", "現行規程"} <= set(
        book.sheetnames
    )


def test_a_change_shows_before_and_after(kitei, officers, book):
    kitei("import", officers, "--apply")
    changed = book({MEMBERS: [["0012", "髙﨑", "華子", "001", "2019/4/1"]]}, "changed.xlsx")
    said = kitei("import", changed).stdout
    assert "花子 → 華子" in said
    kitei("import", changed, "--apply")
    assert kitei.count("people_member") == 3, "who is not in the file is not removed"


def test_every_error_names_sheet_row_column_and_mend_and_nothing_is_saved(kitei, book):
    path = book(
        {
            MEMBERS: [
                ["0012", "髙﨑", "花子", "001", "2026/2/30"],
                ["0013", "𠮷田", "次郎", "999", None],
                ["0013", "佐藤", None, None, None],
            ],
            APPOINTMENTS: [["N-1", "料理長", "0012", 0, "令和8年13月1日", None, None]],
        }
    )
    before = kitei.count("auditlog_event")
    said = kitei("import", path, "--apply", code=2).stdout
    errors = [line for line in said.splitlines() if line.startswith("誤り:")]
    assert len(errors) >= 6
    for line in errors:
        assert re.search(r"構成員|任命", line), line
        assert re.search(r"\d行", line), line
    for trouble in ("2026年2月", "999", "0013", "料理長", "（13）"):
        assert trouble in said
    assert kitei.count("people_member") == 0
    assert kitei.count("auditlog_event") == before


def test_errors_are_also_said_in_english(kitei, book):
    path = book({MEMBERS: [["0012", "髙﨑", "花子", "001", "2026/2/30"]]})
    said = kitei("import", path, code=2, LANG="en_US.UTF-8").stdout
    errors = [line for line in said.splitlines() if "row" in line.lower()]
    assert errors
    assert not re.search(r"[ぁ-ん]", "".join(errors)), errors


@pytest.mark.parametrize(
    "content",
    [b"", b"hello", b"PK\x03\x04 broken", b"\xd0\xcf\x11\xe0" + b"\0" * 600],
    ids=["empty", "text", "broken-zip", "old-excel"],
)
def test_a_file_that_cannot_be_read_is_one_sentence(kitei, tmp_path, content):
    path = tmp_path / "台帳.xlsx"
    path.write_bytes(content)
    said = kitei("import", path, "--apply", code=2)
    assert said.stderr.count("\n") == 1
    assert "台帳.xlsx" in said.stderr


def test_a_zip_bomb_is_refused_quickly(kitei, tmp_path):
    path = tmp_path / "bomb.xlsx"
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("[Content_Types].xml", "<Types/>")
        with archive.open("xl/worksheets/sheet1.xml", "w") as stream:
            for _ in range(300):
                stream.write(b"\0" * 1_000_000)
    assert kitei("import", path, code=2).stderr.count("\n") == 1


def test_an_export_that_cannot_be_written_leaves_nothing(kitei, tmp_path):
    kitei("export", tmp_path / "none" / "all.xlsx", code=2)
    assert list(tmp_path.glob("**/*.part")) == []


def test_who_holds_no_office_may_not_take_the_registers_out(kitei, tmp_path):
    import sqlite3

    connection = sqlite3.connect(kitei.data / "kitei.sqlite3")
    connection.execute("UPDATE accounts_user SET is_administrator = 0")
    connection.commit()
    connection.close()
    refused = kitei("export", tmp_path / "all.xlsx", "--as", "hanako@sakura.example", code=2)
    assert "権限がありません" in refused.stderr
    assert not (tmp_path / "all.xlsx").exists()
    assert kitei.rows("SELECT name, outcome FROM auditlog_event ORDER BY id DESC LIMIT 1") == [
        ("access:refuse", "refused")
    ]


def test_a_formula_is_text(kitei, book, tmp_path):
    kitei("import", book({DEPARTMENTS: [["001", "'=cmd()", None]]}), "--apply")
    path = tmp_path / "all.xlsx"
    kitei("export", path)
    cells = [
        cell for row in openpyxl.load_workbook(path)["部署"].iter_rows() for cell in row if "cmd" in str(cell.value)
    ]
    assert [cell.data_type for cell in cells] == ["s"]
