"""backup → destroy → restore → verify, as docs/operate/backup.md tells it, and everything that may go wrong on the way."""

from __future__ import annotations

import json
import shutil
import sqlite3

import pytest

from cli.console import Console, initialise
from cli.test_erase_person import MAIL, NAME, PHONE, leavers
from kitei.trust.auditlog import tree
from kitei.trust.auditlog.store import FolderStore
from kitei_verify import checkpoint, logdir, merkle, note

PHRASE = "correct-horse-battery"


@pytest.fixture(scope="module")
def lived(tmp_path_factory, initialised):
    """A company that lived a while: an edition in force with its files, a signed log, a backup with keys, and then more."""
    folder = tmp_path_factory.mktemp("lived")
    shutil.copytree(initialised, folder / "data")
    kitei = Console(folder / "data")
    kitei("adopt", "--effective", "2026-11-20")
    kitei("worker", "--once")
    kitei("backup", folder / "b", "--with-keys", KITEI_BACKUP_PASSPHRASE=PHRASE)
    kitei("worker", "--once")
    return kitei


@pytest.fixture
def backup(lived):
    return lived.data.parent / "b"


@pytest.fixture
def elsewhere(tmp_path):
    return Console(tmp_path / "restored")


def head(data, name="main"):
    return checkpoint.parse((data / "log" / name / "checkpoint").read_bytes(), where="checkpoint")[0]


def contents(console, skip=()):
    """Every row of every table, apart from what a restore leaves out."""
    connection = sqlite3.connect(console.data / "kitei.sqlite3")
    try:
        names = [row[0] for row in connection.execute("SELECT name FROM sqlite_master WHERE type = 'table'")]
        left = {"django_session", "django_migrations", "sqlite_sequence", *skip}
        return {
            name: sorted(connection.execute(f"SELECT * FROM {name}").fetchall(), key=repr)  # noqa: S608  names from the database
            for name in names
            if name not in left and not name.startswith("axes_")
        }
    finally:
        connection.close()


def test_backup_destroy_restore_verify(lived, tmp_path):
    kitei = Console(tmp_path / "data")
    shutil.copytree(lived.data, kitei.data)
    said = kitei("backup", tmp_path / "b", "--with-keys", KITEI_BACKUP_PASSPHRASE=PHRASE).stdout
    assert "SHA-256" in said
    shutil.copy(kitei.data / "log" / "main" / "checkpoint", tmp_path / "last.txt")
    log = ("auditlog_event", "auditlog_log", "auditlog_head", "auditlog_cursor")
    before, events = contents(kitei, skip=log), kitei.count("auditlog_event")
    key = (kitei.data / "log" / "main" / "log.vkey").read_text().strip()
    files = sorted(path.name for path in (kitei.data / "files").rglob("*") if path.is_file())
    secret = (kitei.data / "secret-key").read_bytes()
    shutil.rmtree(kitei.data)

    said = kitei("restore", tmp_path / "b", "--last", tmp_path / "last.txt", KITEI_BACKUP_PASSPHRASE=PHRASE).stdout
    assert "同じ名前で続きます" in said
    assert contents(kitei, skip=log) == before
    assert files
    assert sorted(path.name for path in (kitei.data / "files").rglob("*") if path.is_file()) == files
    assert (kitei.data / "secret-key").read_bytes() == secret
    # All events but the one about the backup itself, which was recorded after it; and the one about the restore.
    assert kitei.count("auditlog_event") == events
    assert kitei.rows("SELECT COUNT(*) FROM auditlog_event WHERE leaf_index IS NULL") == [(0,)]
    kitei("doctor")
    old = checkpoint.parse((tmp_path / "last.txt").read_bytes(), where="last")[0]
    since = logdir.Since("last.txt", old)
    result = logdir.verify(kitei.data / "log" / "main", keys=[note.parse_key(key)], since=[since], jobs=1).require()
    assert result.generation == 1
    assert result.size > old.size
    assert not (kitei.data / "restoring").exists()


def test_nothing_known_outside_begins_a_new_generation(elsewhere, backup, lived):
    said = elsewhere("restore", backup, KITEI_BACKUP_PASSPHRASE=PHRASE).stdout
    assert "控えの後に署名されたものがないことは、確かめられませんでした" in said
    old, new = head(elsewhere.data, "main.g1"), head(elsewhere.data)
    assert new.origin == f"{old.origin}/g2"
    result = logdir.verify(elsewhere.data / "log" / "main", jobs=1).require()
    assert (result.generation, result.continues) == (2, old)
    # Proofs of both generations verify against their own heads.
    for name, top in (("main.g1", old), ("main", new)):
        reader = tree.TileReader(FolderStore(elsewhere.data / "log" / name), top.size)
        for index in range(top.size):
            proof = merkle.inclusion_proof(index, top.size, reader.subtree)
            merkle.verify_inclusion(index, top.size, merkle.leaf_hash(reader.entry(index)), proof, top.root)
    elsewhere("doctor")
    again = elsewhere("backup", elsewhere.data.parent / "again").stdout
    assert "鍵は入っていません" in again


def test_a_rolled_back_log_gets_back_what_its_folder_still_has(elsewhere, backup, lived):
    shutil.copytree(lived.data / "log", elsewhere.data / "log")
    known = head(elsewhere.data)
    said = elsewhere("restore", backup, KITEI_BACKUP_PASSPHRASE=PHRASE).stdout
    assert "ここにあった記録から戻しました" in said
    assert head(elsewhere.data).origin == known.origin
    made = elsewhere.rows("SELECT COUNT(*) FROM auditlog_event WHERE name = 'backup:make'")
    assert made == [(1,)], "recorded after the backup it speaks of"
    since = logdir.Since("before", known)
    assert logdir.verify(elsewhere.data / "log" / "main", since=[since], jobs=1).require().size > known.size
    assert sorted(path.name for path in elsewhere.data.glob("log*")) == ["log"]


@pytest.mark.long
def test_a_rolled_back_log_whose_folder_is_spoiled_ends(elsewhere, backup, lived):
    shutil.copytree(lived.data / "log", elsewhere.data / "log")
    known = head(elsewhere.data)
    bundle = next((elsewhere.data / "log" / "main" / "tile" / "entries").rglob(str(known.size)))
    bundle.write_bytes(bundle.read_bytes()[:-1] + b"?")
    said = elsewhere("restore", backup, KITEI_BACKUP_PASSPHRASE=PHRASE).stdout
    assert "失われた操作記録: 少なくとも1件" in said
    assert head(elsewhere.data).origin == f"{known.origin}/g2"
    assert logdir.verify(elsewhere.data / "log" / "main", jobs=1).ok
    assert len(list(elsewhere.data.glob("log.before-*/main/checkpoint"))) == 1


@pytest.mark.parametrize(
    "steps",
    [
        ["rows", "log"],
        pytest.param(["marked", "schema", "rows", "files", "decided", "log"], marks=pytest.mark.long),
    ],
)
def test_a_killed_restore_is_undone_by_the_next_one(elsewhere, backup, lived, steps):
    shutil.copytree(lived.data / "log", elsewhere.data / "log")
    known = head(elsewhere.data)
    for step in steps:
        elsewhere.lose_power(step, "restore", backup, KITEI_BACKUP_PASSPHRASE=PHRASE)
        assert "復元が途中" in elsewhere("doctor", code=2).stdout
    assert "復元が途中" in elsewhere("init", "--name", "x", "--admin", "a@x.example", code=2).stderr
    said = elsewhere("restore", backup, KITEI_BACKUP_PASSPHRASE=PHRASE).stdout
    assert "同じ名前で続きます" in said
    assert head(elsewhere.data).origin == known.origin
    assert elsewhere.rows("SELECT COUNT(*) FROM auditlog_event WHERE name = 'backup:restore'") == [(1,)]
    elsewhere("doctor")


def test_what_is_wrong_is_refused_before_anything_changes(elsewhere, backup, lived, tmp_path):
    whole = backup.read_bytes()
    spoiled = tmp_path / "spoiled"
    spoiled.write_bytes(whole[:5000] + bytes([whole[5000] ^ 4]) + whole[5001:])
    assert "壊れています" in elsewhere("restore", spoiled, KITEI_BACKUP_PASSPHRASE=PHRASE, code=2).stderr
    assert "パスワードが違います" in elsewhere("restore", backup, KITEI_BACKUP_PASSPHRASE=PHRASE + "x", code=2).stderr
    another = tmp_path / "another.txt"
    another.write_bytes((lived.data / "log" / "main" / "checkpoint").read_bytes().replace(b"kitei/", b"kitai/"))
    for last, sentence in ((another, "この控えの操作記録"), (backup, "チェックポイントではありません")):
        said = elsewhere("restore", backup, "--last", last, KITEI_BACKUP_PASSPHRASE=PHRASE, code=2).stderr
        assert sentence in said
    assert not elsewhere.data.exists()
    before = contents(lived)
    assert "すでに組織のデータ" in lived("restore", backup, KITEI_BACKUP_PASSPHRASE=PHRASE, code=2).stderr
    assert contents(lived) == before
    assert not (lived.data / "restoring").exists()
    assert "すでにあります" in lived("backup", backup, code=2).stderr
    assert backup.read_bytes() == whole


def test_a_drill_leaves_evidence_and_nothing_else(lived, backup, tmp_path):
    kitei = Console(tmp_path / "data")
    shutil.copytree(lived.data, kitei.data)
    files = sorted(path for path in kitei.data.rglob("*") if path.is_file() and "sqlite3" not in path.name)
    said = kitei("restore", "--drill", backup, KITEI_BACKUP_PASSPHRASE=PHRASE).stdout
    assert "今の記録の先頭" in said
    assert "訓練にかかった時間" in said
    payload = kitei.rows("SELECT payload FROM auditlog_event WHERE name = 'backup:drill'")[0][0]
    data = json.loads(payload)["data"]
    assert (data["result"], data["faults"]) == ("ok", 0)
    assert data["rows"] > 100
    assert sorted(path for path in kitei.data.rglob("*") if path.is_file() and "sqlite3" not in path.name) == files


@pytest.mark.long
def test_a_drill_of_another_logs_backup_fails(lived, tmp_path):
    other = initialise(tmp_path / "other")
    other("worker", "--once")
    shutil.copytree(lived.data, tmp_path / "data")
    kitei = Console(tmp_path / "data")
    # The same name, another content: as if somebody had rewritten the log since.
    connection = sqlite3.connect(kitei.data / "kitei.sqlite3")
    connection.execute("UPDATE auditlog_log SET origin = ?", [head(other.data).origin])
    connection.commit()
    connection.close()
    other("backup", tmp_path / "b2")
    said = kitei("restore", "--drill", tmp_path / "b2", code=1)
    assert "つながりません" in said.stderr
    payload = kitei.rows("SELECT payload FROM auditlog_event WHERE name = 'backup:drill'")[0][0]
    assert json.loads(payload)["data"]["result"] == "failed"


@pytest.mark.parametrize("kept", ["erasures", pytest.param("log", marks=pytest.mark.long)])
def test_who_was_erased_after_the_backup_is_erased_again(kitei, book, tmp_path, kept):
    """Known from the list outside the database, or from the log that survived."""
    kitei("import", leavers(book), "--apply")
    kitei("worker", "--once")
    kitei("backup", tmp_path / "b", "--with-keys", KITEI_BACKUP_PASSPHRASE=PHRASE)
    kitei("erase-person", "0012", "--apply")
    kitei("worker", "--once")
    elsewhere = Console(tmp_path / "restored")
    shutil.copytree(kitei.data / kept, elsewhere.data / kept)
    said = elsewhere("restore", tmp_path / "b", KITEI_BACKUP_PASSPHRASE=PHRASE).stdout
    assert "もう一度消しました" in said
    remains = b"".join(path.read_bytes() for path in elsewhere.data.glob("kitei.sqlite3*"))
    assert [text for text in (NAME, MAIL, PHONE) if text.encode() in remains] == []
    assert "𠮷田".encode() in remains
    assert (elsewhere.data / "erasures" / "main.jsonl").read_bytes() == (
        kitei.data / "erasures" / "main.jsonl"
    ).read_bytes()
    elsewhere("doctor")
