"""The sequencer and what was tampered with: rows, files, a database that was put back, keys."""

from __future__ import annotations

import contextlib
import datetime as dt
from pathlib import Path

import pytest
from django.db import connection, transaction
from fault_store import Disk, FaultStore
from log_world import Naive, add, parse_note, payloads, undone
from sequencer_hands import spoil_tile

from kitei.foundation import clock, transactions
from kitei.foundation.text import UserError
from kitei.trust.auditlog import events, keys, logs, sequencer, triggers
from kitei.trust.auditlog.models import Event, Head, Log
from kitei_verify import merkle, note


@pytest.fixture(autouse=True)
def _own_folder(settings, tmp_path):
    settings.DATA = tmp_path


# --- tampering


@contextlib.contextmanager
def lifted():
    with triggers.lifted():
        yield


def change(sql, *parameters):
    with lifted(), connection.cursor() as cursor:
        cursor.execute(sql, parameters)


def key_of(row):
    return row.id.hex if connection.vendor == "sqlite" else row.id


def refused(world, kind, named):
    """The next runs refuse, name what is wrong, raise the alarm once, and sign nothing."""
    signed, published = len(world.signed), dict(world.disk.names).get("checkpoint")
    with pytest.raises(kind, match=named):
        world.run()
    for _ in range(3):
        world.now += dt.timedelta(minutes=2)
        with pytest.raises(sequencer.StoppedError, match=named):
            world.run()
    assert Event.objects.filter(name=events.LOG_ALARM.name).count() == 1
    assert len(world.signed) == signed
    assert world.disk.names.get("checkpoint") == published
    assert logs.fault_of(world.log) is not None


def test_a_pending_event_that_was_changed_is_refused(small):
    small.open()
    small.add(3)
    small.run()
    small.add(3)
    row = Event.objects.get(id=small.acknowledged[4])
    change(
        "UPDATE auditlog_event SET payload = %s WHERE id = %s",
        bytes(row.payload).replace(b"0192", b"0193"),
        key_of(row),
    )
    refused(small, sequencer.TamperedError, str(row.id))


@pytest.mark.parametrize("hash_too", [False, True])
@pytest.mark.parametrize("place", [0, 5])
def test_a_placed_event_that_was_changed_is_refused_and_the_good_files_stay(small, place, hash_too):
    """Also when the file of its place is gone: what is wrong in the database is never written over what is right."""
    small.open()
    small.add(6)
    small.run()
    row = Event.objects.get(leaf_index=place)
    data = bytes(row.payload).replace(b'"v":1', b'"v":2')
    assert data != bytes(row.payload)
    change("UPDATE auditlog_event SET payload = %s WHERE id = %s", data, key_of(row))
    if hash_too:
        change("UPDATE auditlog_event SET leaf_hash = %s WHERE id = %s", merkle.leaf_hash(data), key_of(row))
    before = dict(small.disk.names)
    small.add(10)
    if place == 0:
        spoil_tile(small.disk, "tile/1/000.p/1")  # makes it write all again
        before.pop("tile/1/000.p/1")
    refused(small, sequencer.TamperedError, "操作記録" if hash_too else str(row.id))
    assert {path: small.disk.names.get(path) for path in before} == before


def test_an_event_that_is_gone_is_refused(small):
    small.open()
    small.add(6)
    small.run()
    small.add(1)
    change("DELETE FROM auditlog_event WHERE leaf_index = 5")
    refused(small, sequencer.TamperedError, "無くなった")


def test_a_place_that_is_taken_already_stops_the_log(small):
    """The last defence: the unique leaf index. It must not look like another sequencer for ever."""
    small.open()
    small.add(6)
    small.run()
    change("UPDATE auditlog_log SET size = 3")
    small.add(1)
    with pytest.raises((sequencer.TamperedError, sequencer.RolledBackError, merkle.ProofError)):
        small.run()


def test_a_tree_row_that_was_changed_is_never_signed(small):
    small.open()
    small.add(6)
    small.run()
    small.add(1)
    frontier = bytes(Log.objects.get().frontier)
    change("UPDATE auditlog_log SET frontier = %s", bytes([frontier[0] ^ 1]) + frontier[1:])
    refused(small, sequencer.TamperedError, "操作記録")


@pytest.mark.parametrize("field", ["note", "root"])
def test_a_recorded_head_that_was_changed_is_never_published(small, field):
    small.open()
    small.add(6)
    small.run()
    published = small.disk.names.pop("checkpoint")
    value = bytearray(getattr(Head.objects.get(), field))
    value[-5] ^= 1
    change(f"UPDATE auditlog_head SET {field} = %s", bytes(value))  # noqa: S608  one of two constants
    with pytest.raises(UserError):
        small.run()
    assert small.disk.names.get("checkpoint") in {None, published}


# --- files that are spoilt or gone


@pytest.mark.parametrize("how", ["gone", "bit", "empty"])
def test_spoilt_files_are_healed_from_the_rows_or_nothing_is_signed(small, how):
    """Every file of a published log in turn."""
    small.open()
    small.add(21)
    small.run()
    for path in [*small.disk.names]:
        with small.trial(), undone():
            if how == "gone":
                del small.disk.names[path]
            elif how == "empty":
                small.disk.names[path] = b""
            else:
                spoil_tile(small.disk, path)
            bad = dict(small.disk.names)
            signed = len(small.signed)
            small.add(4)
            try:
                small.run()
            except UserError:
                # Only a checkpoint that says something else is refused: it may be the only trace of what was lost.
                assert path == "checkpoint"
                assert len(small.signed) == signed
                continue
            right = Naive(payloads(small.log)).tiles(26)
            touched = {name for name in right if small.disk.names.get(name) != bad.get(name)}
            for name in touched | {name for name in right if name != path}:
                assert small.disk.names[name] == right[name], name
            for made in small.signed[signed:]:
                head = parse_note(made)
                assert head.root == Naive(payloads(small.log)).root(0, head.size)


# --- a database that was put back


def test_a_database_that_was_put_back_is_refused_at_once_and_a_new_log_names_what_was_known(small):
    small.open()
    small.add(4)
    small.run()
    point = transaction.savepoint()
    small.add(3)
    small.run()
    published = small.disk.names["checkpoint"]
    transaction.savepoint_rollback(point)
    small.acknowledged = small.acknowledged[:4]
    signed = len(small.signed)
    with pytest.raises(sequencer.RolledBackError, match="8件"):
        small.run()  # although nothing is pending
    small.add(5)
    with pytest.raises(sequencer.StoppedError):
        small.run()
    assert len(small.signed) == signed
    assert small.disk.names["checkpoint"] == published
    with clock.at(small.now):
        transactions.durable(lambda: logs.restart(organization=small.organization))
    ended, small.disk = small.disk, Disk()
    small.run()
    small.check()
    small.check_finished()
    first = Event.objects.get(leaf_index=small.log.base)
    data = __import__("json").loads(bytes(first.payload))["data"]
    assert data["generation"] == 2
    assert data["continues"]["size"] == 5
    assert data["continues"]["origin"] == parse_note(ended.names["checkpoint"]).origin
    # The events the ended log could not take any more stand in the new one.
    assert not Event.objects.filter(leaf_index=None).exists()


def test_a_database_that_was_put_back_and_grew_to_the_very_same_size_is_refused(small):
    small.open()
    small.add(4)
    small.run()
    point = transaction.savepoint()
    small.add(3)
    small.run()
    transaction.savepoint_rollback(point)
    small.add(3)
    signed = len(small.signed)
    with pytest.raises(sequencer.RolledBackError):
        small.run()
    assert len(small.signed) == signed


def test_the_folder_of_the_ended_log_stays_whole(sakura, settings):
    transactions.durable(lambda: logs.open_log(organization=sakura))
    add(sakura, 300)
    sequencer.run(organization=sakura)
    here = Path(settings.DATA) / "log" / "sakura"

    def files(folder):
        return {
            str(path.relative_to(folder)): path.read_bytes()
            for path in folder.rglob("*")
            if path.is_file() and not path.name.startswith(".")
        }

    before = files(here)
    (here / "checkpoint").write_bytes(b"spoilt")  # even then
    transactions.durable(lambda: logs.restart(organization=sakura))
    add(sakura, 3)
    sequencer.run(organization=sakura)
    assert files(here.with_name("sakura.g1")) == {**before, "checkpoint": b"spoilt"}
    assert parse_note((here / "checkpoint").read_bytes()).origin.endswith("/g2")
    assert parse_note((here / "checkpoint").read_bytes()).size == 4
    assert sequencer.run(organization=sakura) == 0


def test_a_sequencer_of_the_ended_log_that_wakes_up_touches_nothing(small):
    small.open()
    small.add(9)
    sleeping = small.log
    transactions.durable(lambda: logs.restart(organization=small.organization))
    small.run()
    before = dict(small.disk.names)
    small.add(3)
    store = FaultStore(small.disk)
    with pytest.raises(sequencer.LostError):
        sequencer.finish(sleeping, store)
    sequencer.publish_file(sleeping, store)
    with pytest.raises(sequencer.LostError):
        sequencer._claim(sleeping, sleeping.lease_token, 5)
    assert small.disk.names == before


# --- the key


def test_without_its_key_nothing_is_signed_and_with_it_everything(small):
    small.open()
    small.add(3)
    file = keys.path("sakura")
    kept = file.read_bytes()
    file.unlink()
    with pytest.raises(UserError, match=r"sakura\.skey"):
        small.run()
    assert small.signed == []
    file.write_bytes(kept)
    small.run()
    small.check_finished()
    small.check()


def test_a_key_of_another_log_is_refused(small):
    small.open()
    small.add(3)
    small.run()
    keys.path("sakura").write_text(note.Signer("kitei/other/sakura", bytes(32)).encode() + "\n")
    small.add(1)
    with pytest.raises(UserError):
        small.run()
    assert parse_note(small.disk.names["checkpoint"]).size == 4


def test_a_key_file_of_another_log_is_not_taken_for_a_new_one(sakura, settings):
    keys.create("sakura", "kitei/elsewhere/sakura")
    with pytest.raises(UserError, match="elsewhere"):
        transactions.durable(lambda: logs.open_log(organization=sakura))
    assert not Log.objects.exists()
