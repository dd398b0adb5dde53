"""kitei verify: every log of the installation, and the database row by row against it."""

from __future__ import annotations

import argparse
import re
import shutil

import pytest
from django.db import connection
from django.utils import translation
from plain_checker import check, check_proof
from small_log import SmallLog

from kitei.commands import verifying
from kitei.foundation import transactions
from kitei.foundation.text import UserError
from kitei.trust.auditlog import events, logs, proofs, rotation, sequencer, triggers
from kitei.trust.auditlog.log import Act, append_many
from kitei.trust.auditlog.models import Event, Log
from kitei.trust.auditlog.store import folder
from kitei_verify import note, proof

OK = "結果: 操作記録とデータベースに、矛盾はありません。"
WRONG = "結果: 誤りがあります。フォルダーとデータベースをそのまま残し、控えと比べてください。"


def add(organization, count):
    """Record ``count`` events in one transaction; return their ids."""
    acts = [Act(events.LOGOUT, ("member", "0192"), ("account", str(number))) for number in range(count)]
    return [event.id for event in transactions.durable(lambda: append_many(organization=organization, acts=acts))]


@pytest.fixture
def log(sakura, settings, tmp_path):
    settings.DATA = tmp_path / "data"
    settings.DATA.mkdir()
    made = transactions.durable(lambda: logs.open_log(organization=sakura))
    add(sakura, 300)
    sequencer.run(organization=sakura)
    return made


@pytest.fixture
def verify(capsys):
    def run(logdir=None, *, key=None, since=None, org=None, english=False):
        options = argparse.Namespace(logdir=logdir, key=key, since=since, org=org, english=english)
        code = verifying.verify(options)
        return code, capsys.readouterr().out

    return run


def tamper(statement, *values):
    with triggers.lifted(), connection.cursor() as cursor:
        cursor.execute(statement, values)


def last(said):
    return said.rstrip().splitlines()[-1]


def test_log_and_rows_agree(verify, log, sakura):
    add(sakura, 3)  # still waiting for their place
    code, said = verify()
    assert (code, last(said)) == (0, OK)
    assert "件数: 301" in said
    assert "データベースの記録301件が、一つずつ一致します。" in said


def test_the_same_in_english(verify, log):
    with translation.override("en"):
        code, said = verify(english=True)
    assert (code, last(said)) == (0, "RESULT: the log and the database agree.")
    assert "entries: 301" in said


@pytest.mark.parametrize(
    ("statement", "what"),
    [
        ("UPDATE auditlog_event SET payload = %s WHERE leaf_index = 270", "記録したときのハッシュと合いません"),
        ("UPDATE auditlog_event SET leaf_hash = %s WHERE leaf_index = 270", "記録したときのハッシュと合いません"),
    ],
)
def test_a_changed_row_is_named(verify, log, statement, what):
    tamper(statement, b"{}")
    code, said = verify()
    assert (code, last(said)) == (1, WRONG)
    event = Event.objects.get(leaf_index=270)
    assert f"データベースの記録 {event.id}（番号 270）: {what}。" in said


def test_a_row_with_another_content_and_a_fitting_hash_is_named(verify, log):
    from kitei_verify.merkle import leaf_hash

    row = Event.objects.get(leaf_index=7)
    other = bytes(row.payload).replace(b'"account"', b'"member"')
    tamper(
        "UPDATE auditlog_event SET payload = %s, leaf_hash = %s, object_kind = 'member' WHERE leaf_index = 7",
        other,
        leaf_hash(other),
    )
    code, said = verify()
    assert (code, "（番号 7）: 操作記録のものと違います。" in said) == (1, True)


@pytest.mark.parametrize(
    "column", ["name = 'x:y'", "outcome = 'x'", "actor_id = 'x'", "object_id = 'x'", "at = '2020-01-01 00:00:00+00:00'"]
)
def test_a_column_that_differs_from_what_was_recorded_is_named(verify, log, column):
    tamper(f"UPDATE auditlog_event SET {column} WHERE leaf_index = 7")  # noqa: S608  from the list above
    code, said = verify()
    assert (code, "（番号 7）: 検索のための列が、記録と違います。" in said) == (1, True)


def test_rows_that_are_gone_are_missed(verify, log):
    tamper("DELETE FROM auditlog_event WHERE leaf_index = 300")
    code, said = verify()
    assert (code, "301件のはずですが、データベースには300件しかありません" in said) == (1, True)
    tamper("DELETE FROM auditlog_event WHERE leaf_index = 7")
    code, said = verify()
    assert (code, "7番目の記録が、データベースにありません" in said) == (1, True)


def test_a_pending_row_that_was_changed_is_named(verify, log, sakura):
    event = add(sakura, 2)[0]
    tamper(
        "UPDATE auditlog_event SET payload = %s WHERE leaf_index IS NULL AND id = %s",
        b"x",
        Event.objects.get(id=event).pk.hex if connection.vendor == "sqlite" else event,
    )
    code, said = verify()
    assert (code, f"データベースの記録 {event}（番号 —）" in said) == (1, True)


def test_many_changed_rows_end_at_twenty(verify, log, sakura):
    add(sakura, 30)
    tamper("UPDATE auditlog_event SET outcome = 'x'")
    code, said = verify()
    assert code == 1
    assert said.count("検索のための列が") == 2 * verifying.MOST


def test_missing_triggers_are_named(verify, log):
    with triggers.lifted():
        code, said = verify()
    assert (code, "操作記録を守る仕組み（auditlog_event_no_update）がデータベースにありません" in said) == (1, True)


def test_a_changed_byte_of_the_folder_is_named(verify, log):
    path = folder("sakura") / "tile/entries/000"
    path.write_bytes(path.read_bytes().replace(b'"account"', b'"Account"', 1))
    code, said = verify()
    assert code == 1
    assert re.search(r"誤り: tile/(entries|0)/000", said)
    assert "のフォルダーに誤りがあります" in said


def test_folders_that_are_gone_or_that_nobody_knows_are_named(verify, log, sakura, settings):
    SmallLog.of(3).write(settings.DATA / "log" / "stray")
    code, said = verify()
    assert (code, "stray」の操作記録は、データベースにありません。" in said) == (1, True)
    assert verify(org="sakura")[0] == 0
    shutil.rmtree(settings.DATA / "log")
    code, said = verify()
    assert (code, "のフォルダーがありません。控えから戻してください。" in said) == (1, True)


def test_a_folder_without_checkpoint_is_named(verify, log):
    (folder("sakura") / "checkpoint").unlink()
    code, said = verify()
    assert (code, "誤り: checkpoint: ファイルがありません" in said) == (1, True)
    (folder("sakura") / "checkpoint").mkdir()
    assert verify()[0] == 1


def test_a_log_that_is_not_signed_yet(verify, sakura, settings, tmp_path):
    settings.DATA = tmp_path
    with pytest.raises(UserError, match="操作記録がまだありません"):
        verify()
    transactions.durable(lambda: logs.open_log(organization=sakura))
    code, said = verify()
    assert (code, "まだ署名されていません" in said) == (0, True)
    (tmp_path / "log" / "sakura").mkdir(parents=True)
    assert verify()[0] == 0


def test_a_database_that_was_put_back_is_found(verify, log, sakura):
    kept = folder("sakura").with_name("kept")
    add(sakura, 5)
    sequencer.run(organization=sakura)
    shutil.copytree(folder("sakura"), kept)
    tamper("DELETE FROM auditlog_head WHERE size = 306")
    shutil.rmtree(folder("sakura"))
    kept.rename(folder("sakura"))
    code, said = verify()
    assert (code, "306件まで公開されていますが、データベースはそれを知りません" in said) == (1, True)


def test_a_stopped_log_says_why(verify, log, sakura):
    from kitei.foundation.text import Message

    logs.set_fault(log, Message("操作記録の異常です。"))
    code, said = verify()
    assert (code, "操作記録の異常です。" in said) == (1, True)


def test_ended_generations_and_keys_from_outside(verify, log, sakura, tmp_path):
    first = (folder("sakura") / "log.vkey").read_text().strip()
    kept = tmp_path / "kept.checkpoint"
    kept.write_bytes((folder("sakura") / "checkpoint").read_bytes())
    transactions.durable(lambda: logs.restart(organization=sakura))
    add(sakura, 2)
    sequencer.run(organization=sakura)
    assert folder("sakura", 1).is_dir()
    code, said = verify(key=first, since=str(kept))
    assert (code, last(said)) == (0, OK)
    assert "外から渡された鍵と一致" in said
    assert "控えから連続: 301:" in said
    assert f"世代: 2 ({log.origin} の先頭301件を引き継ぐ)" in said


def test_a_changed_key_is_followed(verify, log, sakura, tmp_path):
    first = tmp_path / "kept.vkey"
    first.write_text((folder("sakura") / "log.vkey").read_text())
    transactions.durable(lambda: rotation.rotate(actor_ref=("cli", "operator"), organization=sakura))
    sequencer.run(organization=sakura)
    code, said = verify(key=str(first))
    assert (code, "鍵の交代をたどって一致" in said) == (0, True)


def test_a_plain_checker_and_the_offline_proof_agree_with_what_the_product_writes(log, sakura):
    """The product's own files, read by the checker that knows nothing of Kitei."""
    key = (folder("sakura") / "log.vkey").read_text().strip()
    rows = Event.objects.order_by("leaf_index")
    assert check(folder("sakura"), key) == [bytes(row.payload) for row in rows]
    field = events.LOGIN_FAILED.private[0].name
    act = Act(events.LOGIN_FAILED, ("stranger", ""), ("account", ""), outcome="refused", private={field: "たろう"})
    event = transactions.durable(lambda: append_many(organization=sakura, acts=[act]))[0]
    sequencer.run(organization=sakura)
    event.refresh_from_db()
    data = proofs.inclusion(event)
    check_proof(data, bytes(event.payload), key)
    found = proof.verify(proof.parse(data), keys=[note.parse_key(key)])
    assert (found.entry, found.disclosed) == (bytes(event.payload), {field: "たろう"})
    assert proof.parse(data).encode() == data


def test_one_folder_alone(verify, log, tmp_path):
    code, said = verify(str(folder("sakura")))
    assert (code, "矛盾なし" in last(said)) == (0, True)
    (folder("sakura") / "junk").write_bytes(b"")
    assert verify(str(folder("sakura")))[0] == 1
    with pytest.raises(UserError, match="がありません"):
        verify(str(tmp_path / "nothing"))


@pytest.mark.parametrize(
    ("given", "what"),
    [
        ({"key": "a+b+c"}, "形が違います"),
        ({"key": "missing"}, "読めません"),
        ({"since": "5:x"}, "形が違います"),
        ({"since": "missing"}, "読めません"),
        ({"since": "0:" + "0" * 64, "key": str(SmallLog().key.key)}, "ここにはありません"),
        ({"org": "nobody"}, "組織「nobody」はありません"),
    ],
)
def test_wrong_usage(verify, log, given, what):
    for english in (False, True):
        with pytest.raises(UserError, match=what):
            verify(**given, english=english)


def test_a_file_that_is_no_text_is_no_key(verify, log, tmp_path):
    (tmp_path / "key").write_bytes(b"\xff")
    with pytest.raises(UserError, match="形が違います"):
        verify(key=str(tmp_path / "key"))


def test_a_neighbours_log_is_verified_too_unless_one_is_asked_for(verify, log, tsubaki):
    transactions.durable(lambda: logs.open_log(organization=tsubaki))
    sequencer.run(organization=tsubaki)
    assert Log.objects.count() == 2
    code, said = verify()
    assert (code, said.count("一つずつ一致します")) == (0, 2)
    assert verify(org="tsubaki")[1].count("一つずつ一致します") == 1
