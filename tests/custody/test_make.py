"""What a backup holds, and that it agrees with itself whatever is written meanwhile."""

from __future__ import annotations

import gzip
import json
import threading

import pytest
from django.db import connection

from kitei.custody import make, tables
from kitei.custody.container import Reader
from kitei.foundation import transactions
from kitei.foundation.files import store
from kitei.foundation.text import UserError
from kitei.trust.auditlog.models import Event
from kitei_verify import checkpoint, logdir, tiles

PHRASE = "correct-horse-battery"


def unpacked(backup, folder):
    """Put the log folders of a backup on the disk, as a person with ``tar`` would."""
    for name in backup.names(lambda name: name.startswith("log/")):
        path = folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(backup.read(name))
    return folder / "log" / "sakura"


def rows(backup, label):
    table = backup.manifest["tables"][label]
    names = [name for name, _ in table["columns"]]
    for part in table["parts"]:
        for line in gzip.decompress(backup.read(part)).splitlines():
            yield dict(zip(names, json.loads(line), strict=True))


def test_everything_is_in_it(data, logged, record, tmp_path):
    record(logged, 3)
    stored = transactions.durable(lambda: store.put_bytes(organization=logged, content=b"%PDF-1.7 x", name="a.pdf"))
    (data / "erasures").mkdir()
    (data / "erasures" / "sakura.jsonl").write_text("{}\n")
    (data / "secret-key").write_text("geheim-und-lang")
    made = make.make(target=tmp_path / "b", passphrase=PHRASE)
    assert (made.files, made.faults, made.logs) == (1, [], {"sakura": 4})
    with Reader(tmp_path / "b") as backup:
        assert backup.sha256 == made.sha256
        assert backup.read(make.part_of(stored.digest)) == b"%PDF-1.7 x"
        assert backup.read("erasures/sakura.jsonl") == b"{}\n"
        assert sum(table["rows"] for table in backup.manifest["tables"].values()) == made.rows
        assert [row["name"] for row in rows(backup, "tenancy.organization")] == [logged.name]
        assert backup.manifest["logs"][0]["size"] == 4
        assert logdir.verify(unpacked(backup, tmp_path / "out"), jobs=1).require().size == 4
    assert b"geheim" not in (tmp_path / "b").read_bytes()
    before = Event.objects.count()
    make.record(made=made, actor_ref=("cli", "hanako"))
    event = Event.objects.order_by("-id").first()
    assert Event.objects.count() == before + 1
    assert event.name == "backup:make"
    assert json.loads(bytes(event.payload))["data"]["sha256"] == made.sha256


def test_keys_are_in_it_only_when_asked(data, logged, record, tmp_path):
    record(logged, 1)
    make.make(target=tmp_path / "b")
    with Reader(tmp_path / "b") as backup:
        assert "keys.sealed" not in backup.manifest["parts"]
    assert b"PRIVATE+KEY" not in (tmp_path / "b").read_bytes()
    with pytest.raises(UserError, match="15文字以上"):
        make.make(target=tmp_path / "c", passphrase="short")
    assert not (tmp_path / "c").exists()


def test_a_head_in_the_past_is_copied_although_the_log_went_on(data, logged, record, tmp_path, monkeypatch):
    """Between the snapshot and the copy a partial tile becomes full and is removed."""
    record(logged, 250)
    through = make._log

    def late(*arguments):
        record(logged, 300)
        through(*arguments)

    monkeypatch.setattr(make, "_log", late)
    make.make(target=tmp_path / "b")
    assert not (data / "log" / "sakura" / tiles.tile_path("entries", 0, 251)).exists()
    with Reader(tmp_path / "b") as backup:
        assert logdir.verify(unpacked(backup, tmp_path / "out"), jobs=1).require().size == 251
        assert sum(1 for row in rows(backup, "auditlog.event") if row["leaf_index"] is not None) == 251


def test_what_is_lost_is_named_and_the_rest_is_kept(data, logged, record, tmp_path):
    record(logged, 1)
    stored = transactions.durable(lambda: store.put_bytes(organization=logged, content=b"%PDF-1.7 y", name="a.pdf"))
    digest = stored.digest
    next((tmp_path / "files").rglob(digest)).unlink()
    (data / "log" / "sakura" / "log.vkey").unlink()
    made = make.make(target=tmp_path / "b")
    said = " ".join(fault.render() for fault in made.faults)
    assert len(made.faults) == 2
    assert digest[:12] in said
    assert "log.vkey" in said
    with Reader(tmp_path / "b") as backup:
        assert backup.manifest["files"]["missing"] == [digest]
        assert len(backup.manifest["faults"]) == 2


@pytest.mark.parametrize("place", ["log/sakura", "files", "keys", "nowhere"])
def test_a_place_where_it_would_do_harm_is_refused(data, logged, place):
    if place != "nowhere":
        (data / place).mkdir(parents=True, exist_ok=True)
    with pytest.raises(UserError):
        make.make(target=data / place / "b")


def test_nothing_is_backed_up_while_a_restore_is_unfinished(data, logged, tmp_path):
    (data / "restoring").write_text("{}")
    with pytest.raises(UserError, match="復元が途中"):
        make.make(target=tmp_path / "b")


def test_writers_write_meanwhile(committed_db, settings, tmp_path, make_sakura, record):
    from kitei.trust.auditlog import logs

    settings.DATA = tmp_path / "data"
    settings.DATA.mkdir()
    sakura = make_sakura()
    transactions.durable(lambda: logs.open_log(organization=sakura))
    record(sakura, 600)
    stop, failed = threading.Event(), []

    def write():
        try:
            while not stop.is_set():
                record(sakura, 40)
        except Exception as error:  # noqa: BLE001  shown by the assertion below
            failed.append(error)
        finally:
            connection.close()

    writer = threading.Thread(target=write)
    writer.start()
    try:
        sizes = []
        for number in range(3):
            made = make.make(target=tmp_path / f"b{number}")
            assert made.faults == []
            sizes.append(made.logs["sakura"])
    finally:
        stop.set()
        writer.join()
    assert failed == []
    assert sizes == sorted(sizes)
    assert Event.objects.count() > sizes[0]
    for number, size in enumerate(sizes):
        with Reader(tmp_path / f"b{number}") as backup:
            root = unpacked(backup, tmp_path / f"out{number}")
            assert logdir.verify(root, jobs=1).require().size == size
            head, _ = checkpoint.parse((root / "checkpoint").read_bytes(), where="checkpoint")
            assert head.size == backup.manifest["logs"][0]["size"]
            placed = [row["leaf_index"] for row in rows(backup, "auditlog.event") if row["leaf_index"] is not None]
            assert sorted(placed) == list(range(backup.manifest["logs"][0]["placed"]))
            assert len(placed) >= size
    assert tables.applied()
