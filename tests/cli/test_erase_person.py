"""``kitei erase-person`` as a person runs it, down to the bytes of the database file."""

from __future__ import annotations

import json

LEAVERS = ("構成員", ("社員番号", "姓", "名", "メールアドレス", "入社日", "退職日"))
OFFICES = ("任命", ("任命番号", "役割", "社員番号", "発令日", "終了日", "終了の区分", "任命者", "根拠条"))
CONTACTS = ("緊急連絡網", ("連絡先番号", "連絡順", "社員番号", "電話番号"))
NAME, MAIL, PHONE = "髙﨑", "hanako.t@sakura.example", "090-1234-5678"


def leavers(book):
    return book(
        {
            LEAVERS: [
                ["0012", NAME, "花子", MAIL, "2012/4/1", "2019/3/31"],
                ["0013", "𠮷田", "次郎", None, "2019/10/1", None],
            ],
            OFFICES: [
                ["N-1", "管理責任者", "0012", "2014/4/1", "2019/3/31", "退職", f"{NAME}花子", "第7条"],
                ["N-2", "管理責任者", "0013", "2019/10/1", None, None, "代表取締役", "第7条"],
            ],
            CONTACTS: [["K-1", 1, "0012", PHONE]],
        }
    )


def test_a_person_who_left_long_ago_is_erased_to_the_last_byte(kitei, book):
    kitei("import", leavers(book), "--apply")
    database = kitei.data / "kitei.sqlite3"
    assert NAME.encode() in database.read_bytes()
    assert kitei("erase-person", "9999", code=2).stderr.count("\n") == 1
    assert "N-2" in kitei("erase-person", "0013", "--apply", code=2).stderr

    told = kitei("erase-person", "0012").stdout
    assert "消すもの" in told
    assert "people.appointment.appointed_by N-1" in told
    assert PHONE not in told
    assert "--apply" in told
    assert kitei.count("auditlog_event WHERE name = 'person:erase'") == 0

    assert "消しました。" in kitei("erase-person", "0012", "--apply").stdout
    remains = b"".join(path.read_bytes() for path in kitei.data.glob("kitei.sqlite3*"))
    assert [text for text in (NAME, MAIL, PHONE) if text.encode() in remains] == []
    assert "𠮷田".encode() in remains
    (line,) = (kitei.data / "erasures" / "main.jsonl").read_text(encoding="utf-8").splitlines()
    assert json.loads(line)["name"] == "person:erase"

    again = kitei("erase-person", "0012", "--apply").stdout
    assert "今、消すものはありません。" in again
    assert kitei.count("auditlog_event WHERE name = 'person:erase'") == 1


def test_english_is_complete(kitei, book):
    kitei("import", leavers(book), "--apply")
    told = kitei("erase-person", "0012", LANG="en_US.UTF-8").stdout
    own = ("髙", "﨑", "花", "子")
    assert [char for char in told if "\u3040" <= char <= "\u9fff" and char not in own] == []


def test_a_line_lost_in_a_crash_is_written_by_the_next_run(kitei, book):
    kitei("import", leavers(book), "--apply")
    kitei("erase-person", "0012", "--apply")
    file = kitei.data / "erasures" / "main.jsonl"
    whole = file.read_bytes()
    file.write_bytes(whole[:40])
    kitei("erase-person", "0012")
    assert file.read_bytes() == whole
