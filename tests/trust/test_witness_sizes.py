"""Witnesses that know another size or root than we think."""

from __future__ import annotations

import datetime as dt

import pytest
from small_witness import NOON, SmallWitness
from witness_hands import START, error_of, grow, newest, run, state

from kitei.trust.auditlog import anchors, events, logs, sequencer
from kitei.trust.auditlog.models import Anchor, AnchorState, Event
from kitei.trust.auditlog.store import FolderStore
from kitei_verify import checkpoint, merkle

# --- sizes that differ


def test_a_witness_that_forgot_is_asked_again_from_what_it_knows(log, witness):
    run(log)
    grow(log, 3)
    head = newest(log)
    witness.known[log.origin] = (0, merkle.EMPTY_ROOT)
    run(log, 1)
    assert witness.known[log.origin] == (8, bytes(head.root))
    assert len(witness.asked) == 3
    assert state(log).failing_since is None


def test_a_witness_that_another_worker_already_showed_more_is_asked_from_there(log, witness):
    run(log)
    grow(log, 3)
    run(log, 1)
    AnchorState.objects.update(size=5)
    grow(log, 1)
    run(log, 2)
    assert witness.asked[-2].startswith(b"old 5\n")
    assert witness.asked[-1].startswith(b"old 8\n")
    assert witness.known[log.origin][0] == 9


def test_a_witness_that_knows_more_than_was_ever_signed_stops_the_log(log, witness):
    witness.known[log.origin] = (12, b"\x07" * 32)
    run(log)
    log.refresh_from_db()
    assert "12件" in logs.fault_of(log).render()
    assert "古い状態に戻されて" in error_of(log)
    alarm = Event.objects.get(name=events.LOG_ALARM.name)
    assert alarm.actor_kind == "worker"
    with pytest.raises(sequencer.StoppedError):
        grow(log, 1)
    asked = len(witness.asked)
    run(log, 90)
    assert not anchors.due(log, now=START + dt.timedelta(minutes=90))
    assert len(witness.asked) == asked
    assert not Anchor.objects.exists()


def test_an_alarm_is_recorded_once(log, witness):
    with SmallWitness(witness.file.parent, "w2.example", b"2") as second:
        second.trusted = witness.trusted
        witness.known[log.origin] = second.known[log.origin] = (12, b"\x07" * 32)
        witness.file.parent.joinpath("policy").write_text(f"{witness.line}{second.line}quorum none\n")
        run(log)
    assert Event.objects.filter(name=events.LOG_ALARM.name).count() == 1
    assert AnchorState.objects.filter(failing_since=START).count() == 2


def test_a_head_signed_meanwhile_by_another_worker_is_no_alarm(log, witness, monkeypatch):
    old = newest(log)
    grow(log, 3)
    witness.known[log.origin] = (8, bytes(newest(log).root))
    real = anchors._newest
    answers = iter([old])
    monkeypatch.setattr(anchors, "_newest", lambda log: next(answers, None) or real(log))
    run(log)
    log.refresh_from_db()
    assert log.fault == ""
    assert error_of(log) == ""


def test_a_log_that_does_not_grow_out_of_what_was_cosigned_is_stopped(log, witness):
    witness.known[log.origin] = (3, b"\x07" * 32)
    run(log)
    log.refresh_from_db()
    assert "続きになっていません" in logs.fault_of(log).render()
    assert Event.objects.filter(name=events.LOG_ALARM.name).count() == 1


def test_another_root_of_the_same_size_stops_the_log(log, witness):
    witness.known[log.origin] = (5, b"\x07" * 32)
    run(log)
    log.refresh_from_db()
    assert log.fault


def test_a_witness_that_contradicts_its_own_cosignature_stops_nothing(log, witness):
    run(log)
    grow(log, 3)
    witness.lie = lambda handler, body: handler.say(422)
    run(log, 1)
    log.refresh_from_db()
    assert log.fault == ""
    assert "食い違います" in error_of(log)


def test_a_contradiction_is_believed_when_its_cosignature_was_over_another_head(log, witness):
    run(log)
    other = checkpoint.Checkpoint(log.origin, 5, b"\x07" * 32).text()
    line = witness.signer.sign(other, at=NOON).line().encode()
    Anchor.objects.update(evidence=line)
    grow(log, 3)
    witness.lie = lambda handler, body: handler.say(422)
    run(log, 1)
    log.refresh_from_db()
    assert log.fault


def test_a_spoiled_tile_does_not_look_like_a_fork(log, witness):
    run(log)
    grow(log, 3)
    store = FolderStore(logs.folder_of(log))
    tile = store.read("tile/0/000.p/8")
    store.write("tile/0/000.p/8", tile[:224] + bytes(32))
    run(log, 1)
    log.refresh_from_db()
    assert log.fault == ""
    assert len(witness.asked) == 1
    assert "証明を作れません" in error_of(log)


def test_a_missing_tile_is_said(log, witness):
    run(log)
    grow(log, 3)
    FolderStore(logs.folder_of(log)).remove("tile/0/000.p/8")
    run(log, 1)
    assert "証明を作れません" in error_of(log)


@pytest.mark.parametrize("sizes", [[b"0\n"], [b"1\n", b"2\n"]])
def test_a_witness_that_always_objects_is_asked_twice_at_most(log, witness, sizes):
    said = iter(sizes * 5)
    witness.lie = lambda handler, body: handler.say(409, next(said), "text/x.tlog.size")
    run(log)
    assert len(witness.asked) == len(sizes)
    assert "409" in error_of(log)
    log.refresh_from_db()
    assert log.fault == ""


@pytest.mark.parametrize(
    ("body", "media_type"),
    [
        (b"9\n", "text/plain"),
        (b"9", "text/x.tlog.size"),
        (b"09\n", "text/x.tlog.size"),
        (b"-9\n", "text/x.tlog.size"),
        (b"", "text/x.tlog.size"),
        ("９\n".encode(), "text/x.tlog.size"),
        (b"9" * 40 + b"\n", "text/x.tlog.size"),
    ],
)
def test_a_conflict_that_is_not_a_witnesss_word_stops_nothing(log, witness, body, media_type):
    witness.lie = lambda handler, asked: handler.say(409, body, media_type)
    run(log)
    log.refresh_from_db()
    assert log.fault == ""
    assert "形が正しくありません" in error_of(log)
