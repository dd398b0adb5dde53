"""init, adopt, upgrade, doctor."""

from __future__ import annotations

import os
import re
import stat

import pytest

from cli.console import Console

CODE = re.compile(r"\b(?:[A-Z2-9]{5}-){3}[A-Z2-9]{5}\b")


def test_init_makes_everything_and_says_what_comes_next(fresh):
    said = Console(fresh.data, cold=True)(  # as on a new machine
        "init", "--name", "椿メディカル株式会社", "--admin", "taro@tsubaki.example", "--code", "tsubaki"
    ).stdout
    assert CODE.search(said)
    assert "kitei serve" in said
    assert "/start" in said
    assert fresh.rows("SELECT code, name FROM tenancy_organization") == [("tsubaki", "椿メディカル株式会社")]
    assert fresh.rows("SELECT email, is_administrator FROM accounts_user") == [("taro@tsubaki.example", 1)]
    assert fresh.count("regulation_draft") == 1
    if os.name == "posix":
        assert stat.S_IMODE(fresh.data.stat().st_mode) == 0o700
        assert stat.S_IMODE((fresh.data / "secret-key").stat().st_mode) == 0o600
    assert "誤りはありません" in fresh("doctor").stdout


def test_init_twice_changes_nothing(kitei):
    events = kitei.count("auditlog_event")
    key = (kitei.data / "secret-key").read_bytes()
    said = kitei("init", "--name", "別の名前", "--admin", "other@sakura.example", code=2)
    assert "すでにあります" in said.stderr
    assert kitei.count("auditlog_event") == events
    assert kitei.count("tenancy_organization") == kitei.count("accounts_user") == 1
    assert (kitei.data / "secret-key").read_bytes() == key


def test_a_second_organization_makes_commands_ask_which(kitei):
    kitei("init", "--name", "椿メディカル", "--admin", "taro@tsubaki.example", "--code", "tsubaki")
    assert "--org" in kitei("who", "chief-officer", code=2).stderr
    kitei("who", "chief-officer", "--org", "tsubaki")


@pytest.mark.parametrize(
    "arguments",
    [
        ["--name", "椿", "--admin", "no-mail-address"],
        ["--name", " ", "--admin", "taro@tsubaki.example"],
        ["--name", "椿", "--admin", "taro@tsubaki.example", "--code", "Tsubaki!"],
    ],
    ids=["mail", "name", "code"],
)
def test_init_refuses_what_it_cannot_use(kitei, arguments):
    said = kitei("init", *arguments, *([] if "--code" in arguments else ["--code", "tsubaki"]), code=2)
    assert said.stderr.count("\n") == 1
    assert kitei.count("tenancy_organization") == 1


def test_an_adopted_edition_counts_from_its_day_and_none_is_put_before_it(kitei):
    said = kitei("adopt", "--effective", "R8.12.1", "--approved-by", "代表取締役 佐藤").stdout
    assert "令和8年12月1日" in said
    stated = {
        day: kitei.json("check", "--as-of", day, code=1)["summary"]["stated"] for day in ("2026-11-30", "2026-12-01")
    }
    assert stated["2026-11-30"] == 0
    assert stated["2026-12-01"] > 5
    assert kitei("adopt", "--effective", "2026-11-30", code=2).stderr.count("\n") == 1
    assert kitei.count("regulation_edition") == 1


def test_an_own_regulation_is_adopted_with_its_articles(kitei, tmp_path, book):
    import docx

    path = tmp_path / "運用管理規程.docx"
    document = docx.Document()
    document.add_paragraph("第1条 この規程は、当社の運用管理について定める。")
    document.save(path)
    arguments = ["adopt", "--effective", "2026/12/1", "--file", path, "--edition", "第4.1版"]
    assert "現行規程" in kitei(*arguments, code=2).stderr
    kitei("import", book({("現行規程", ("条番号", "見出し")): [["第1条", "目的"]]}), "--apply")
    kitei(*arguments)
    assert kitei.rows("SELECT label FROM regulation_edition") == [("第4.1版",)]


def test_adopting_a_file_that_is_no_document_is_refused(kitei, tmp_path):
    path = tmp_path / "規程.docx"
    path.write_bytes(b"MZ not a document")
    assert kitei("adopt", "--effective", "2026/12/1", "--file", path, code=2).stderr.count("\n") == 1
    assert kitei.count("regulation_edition") == 0


def test_upgrade_keeps_a_copy_from_before(kitei):
    said = kitei("upgrade").stdout
    copies = list((kitei.data / "backup").iterdir())
    assert len(copies) == 1
    assert str(copies[0]) in said
    assert stat.S_IMODE(copies[0].stat().st_mode) == 0o600
    kitei("doctor")


@pytest.mark.parametrize(
    ("wrong", "sentence"),
    [
        ({"KITEI_DATABASE_URL": "mysql://x/y"}, "KITEI_DATABASE_URL"),
        ({"KITEI_DATABASE_URL": "postgresql://u@127.0.0.1:1/none"}, "KITEI_DATABASE_URL"),
        ({"KITEI_STORAGE_URL": "ftp://x"}, "KITEI_STORAGE_URL"),
        ({"KITEI_PUBLIC_URL": "kitei.example.jp"}, "KITEI_PUBLIC_URL"),
        ({"KITEI_TRUSTED_PROXIES": "proxy.example.jp"}, "KITEI_TRUSTED_PROXIES"),
        ({"KITEI_SMTP_HOST": "mail.example.jp"}, "KITEI_MAIL_FROM"),
        (
            {"KITEI_SMTP_HOST": "mail.example.jp", "KITEI_SMTP_PORT": "smtp", "KITEI_MAIL_FROM": "k@example.jp"},
            "KITEI_SMTP_PORT",
        ),
    ],
    ids=lambda value: next(iter(value)) if isinstance(value, dict) else None,
)
def test_doctor_names_the_wrong_setting_in_one_sentence(kitei, wrong, sentence):
    said = kitei("doctor", code=2, **wrong)
    assert said.stderr == ""
    assert said.stdout.count("\n") == 1
    assert sentence in said.stdout


def test_doctor_before_init_says_what_to_do(fresh):
    assert "kitei init" in fresh("doctor", code=2).stdout
    assert not fresh.data.exists()


@pytest.mark.skipif(os.name != "posix", reason="POSIX permissions")
def test_doctor_sees_a_key_others_can_read_and_a_key_that_is_gone(kitei):
    key = kitei.data / "secret-key"
    key.chmod(0o644)
    assert "chmod 600" in kitei("doctor", code=2).stdout
    key.unlink()
    assert "secret-key" in kitei("doctor", code=2).stdout


def test_doctor_mentions_events_that_wait_long_but_that_is_no_fault(kitei):
    assert "順番" in kitei("doctor", KITEI_TODAY="2030-01-01").stdout
    kitei("worker", "--once")
    assert "順番" not in kitei("doctor", KITEI_TODAY="2030-01-01").stdout


def test_doctor_and_serve_refuse_a_log_without_its_triggers(kitei, free_port):
    import sqlite3

    connection = sqlite3.connect(kitei.data / "kitei.sqlite3")
    connection.execute("DROP TRIGGER auditlog_event_no_delete")
    connection.commit()
    connection.close()
    assert "kitei upgrade" in kitei("doctor", code=2).stdout
    assert "kitei upgrade" in kitei("serve", "--port", free_port, code=2).stderr
    kitei("upgrade")
    kitei("doctor")
