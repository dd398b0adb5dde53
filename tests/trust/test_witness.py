"""Witnesses: a small one of our own over real HTTP on 127.0.0.1, honest, away, several of them."""

from __future__ import annotations

import datetime as dt
import time
from contextlib import ExitStack

from small_witness import NOON, SmallWitness
from witness_hands import START, cosigned, error_of, follow, grow, newest, published, run, state

from kitei.foundation import clock
from kitei.trust.auditlog import anchors, logs, outsiders, sequencer, turns
from kitei.trust.auditlog.models import Anchor, AnchorState, Log
from kitei.trust.auditlog.store import FolderStore
from kitei.trust.auditlog.witness import request
from kitei_verify import checkpoint, note

# --- the happy path


def test_a_head_is_cosigned_and_the_cosignature_stands_in_the_published_checkpoint(log, witness):
    assert anchors.due(log)
    run(log)
    head, signed = published(log)
    assert head.size == newest(log).size == 5
    assert note.verify(signed, witness.signer.key, where="checkpoint") == NOON
    assert [line.name for line in signed.signatures] == [log.origin, witness.signer.name]
    assert witness.known[log.origin] == (5, bytes(newest(log).root))
    (anchor,) = Anchor.objects.all()
    assert (anchor.kind, anchor.name, anchor.size, anchor.made_at) == ("witness", witness.signer.name, 5, START)
    assert anchor.organization == log.organization
    assert state(log).size == 5
    assert not anchors.due(log)


def test_the_request_is_as_the_specification_writes_it():
    made = request(20852014, [b"\x01" * 32, b"\xff" * 32], b"origin\n1\nroot\n\n\xe2\x80\x94 key sig\n")
    assert made == (
        b"old 20852014\nAQEBAQEBAQEBAQEBAQEBAQEBAQEBAQEBAQEBAQEBAQE=\n//////////////////////////////////////////8=\n"
        b"\norigin\n1\nroot\n\n\xe2\x80\x94 key sig\n"
    )
    assert request(0, [], b"x") == b"old 0\n\nx"


def test_only_origin_size_root_and_hashes_leave_the_house(log, witness):
    run(log)
    (body,) = witness.asked
    assert body == b"old 0\n\n" + bytes(newest(log).note)


def test_a_grown_log_is_proven_from_what_the_witness_knows(log, witness):
    run(log)
    grow(log, 300)
    run(log, 1)
    assert witness.known[log.origin][0] == 305
    assert witness.asked[-1].startswith(b"old 5\n")
    assert len(witness.asked) == 2
    assert note.verify(published(log)[1], witness.signer.key, where="checkpoint") == NOON


def test_nobody_is_asked_when_nothing_grew_or_the_turn_has_not_come(log, witness):
    run(log)
    run(log, 5)
    assert len(witness.asked) == 1
    grow(log, 1)
    run(log, 6)
    grow(log, 1)
    assert not anchors.due(log, now=START + dt.timedelta(minutes=6, seconds=30))
    anchors.run(log.organization, now=START + dt.timedelta(minutes=6, seconds=30))
    assert len(witness.asked) == 2
    run(log, 7)
    assert len(witness.asked) == 3


def test_the_interval_is_a_setting(log, witness, settings):
    settings.WITNESS_SECONDS = 3600
    run(log)
    grow(log, 1)
    run(log, 59)
    assert len(witness.asked) == 1
    run(log, 60)
    assert len(witness.asked) == 2


def test_a_turn_is_taken_by_one_worker_only(log, witness):
    before = AnchorState(log=log, kind="witness", name=witness.signer.name, organization=log.organization)
    before.asked_at = START - dt.timedelta(hours=1)
    before.save()
    assert turns.claim(log, "witness", witness.signer.name, before, START)
    assert not turns.claim(log, "witness", witness.signer.name, before, START)


def test_a_clock_that_was_set_back_does_not_silence_the_witness(log, witness):
    run(log, 30)
    grow(log, 1)
    run(log, -20)
    assert witness.known[log.origin][0] == 6


# --- away


def test_a_witness_that_is_away_is_asked_ever_more_rarely_and_the_log_goes_on(log, witness):
    witness.lie = lambda handler, body: handler.say(503)
    asked = []
    for minute in range(400):
        before = len(witness.asked)
        run(log, minute)
        if len(witness.asked) > before:
            asked.append(minute)
    assert asked == [0, 1, 2, 4, 8, 16, 32, 64, 124, 184, 244, 304, 364]
    assert state(log).failing_since == START
    grow(log, 1)
    assert newest(log).size == 6
    witness.lie = None
    run(log, 424)
    assert "時刻" in error_of(log)  # its clock stood still meanwhile
    witness.time = NOON + 490 * 60
    run(log, 490)
    assert error_of(log) == ""
    assert state(log).failing_since is None
    assert witness.known[log.origin][0] == 6


def test_a_clock_that_was_set_back_does_not_prolong_the_wait(log, witness):
    witness.lie = lambda handler, body: handler.say(503)
    run(log, 30)
    witness.lie = None
    run(log, 10)
    assert witness.known[log.origin][0] == 5


def test_nobody_listens(log, witness, settings, tmp_path):
    witness.url = "http://127.0.0.1:1"
    follow(settings, tmp_path, witness)
    run(log)
    assert "つながりません" in error_of(log)


def test_without_a_policy_nothing_is_asked(log, settings):
    settings.LOG_POLICY = None
    assert not anchors.due(log)
    run(log)
    assert anchors.summary(log) == []
    assert anchors.witnessed(log) is None


def test_a_witness_without_an_address_is_not_asked(log, witness, settings):
    settings.LOG_POLICY.write_text(f"witness w {witness.signer.key}\nquorum w\n")
    assert not anchors.due(log)


def test_a_policy_that_cannot_be_read_is_said_until_it_is_mended(log, witness, settings):
    right = settings.LOG_POLICY.read_text()
    settings.LOG_POLICY.write_text("witness\n")
    assert anchors.due(log)
    run(log)
    assert "KITEI_LOG_POLICY" in error_of(log, anchors.POLICY)
    assert not anchors.due(log)
    settings.LOG_POLICY.write_text(right)
    run(log, 1)
    assert [fact.name for fact in anchors.summary(log)] == [witness.signer.name]
    assert witness.asked


def test_an_organization_without_a_log_has_nothing_to_anchor(tsubaki):
    anchors.run(tsubaki)
    assert anchors.newest_known(tsubaki) == []


# --- several witnesses


def test_two_witnesses_make_a_quorum_only_together(log, settings, tmp_path):
    key = sequencer.rotation.newest_key(log, newest(log))
    with ExitStack() as stack:
        first, second = (
            stack.enter_context(SmallWitness(tmp_path, name, name[:1].encode())).trust(key)
            for name in ("a.example", "b.example")
        )
        follow(settings, tmp_path, first, second)
        second.lie = lambda handler, body: handler.say(503)
        run(log)
        assert len(published(log)[1].signatures) == 2
        assert anchors.witnessed(log) is None
        second.lie = None
        run(log, 1)
        signed = anchors.witnessed(log)
        assert signed == FolderStore(logs.folder_of(log)).read("checkpoint")
        assert [line.name for line in published(log)[1].signatures] == [log.origin, "a.example", "b.example"]
        grow(log, 2)
        assert len(published(log)[1].signatures) == 1
        assert anchors.witnessed(log) == signed
        first.lie = lambda handler, body: handler.say(503)
        run(log, 2)
        assert anchors.witnessed(log) == signed
        follow(settings, tmp_path, first, second, more="", quorum="b.example")
        assert checkpoint.parse(anchors.witnessed(log), where="")[0].size == 7


def test_one_witness_that_hangs_does_not_keep_the_other_waiting(log, witness, settings, tmp_path, monkeypatch):
    monkeypatch.setattr(outsiders, "TOTAL_SECONDS", 0.5)
    with SmallWitness(tmp_path, "slow.example", b"h") as slow:
        slow.lie = lambda handler, body: time.sleep(0.8)
        follow(settings, tmp_path, slow, witness)
        run(log)
    assert error_of(log) == ""
    assert "返事がありません" in error_of(log, "slow.example")


# --- attaching


def test_a_cosignature_that_comes_late_is_kept_but_not_attached_to_a_newer_checkpoint(log, witness):
    old = newest(log)
    honest = witness.add

    def meanwhile(handler, body):
        witness.lie = None
        handler.say(*honest(body))

    def republish(log, store):
        raise AssertionError("nothing to attach")

    # The head moves on after it was chosen and before the answer comes.
    witness.lie = meanwhile
    grow(log, 2)
    store = FolderStore(logs.folder_of(log))
    anchors._ask_witnesses(log, old, store, START)
    assert Anchor.objects.get().size == old.size
    assert not anchors._unattached(log, old, store)
    sequencer.publish_file(log, store)
    head, signed = published(log)
    assert head.size == newest(log).size
    assert len(signed.signatures) == 1
    anchors.run(log.organization, now=START, republish=republish)


def test_what_a_crash_kept_from_being_attached_is_attached_next_time(log, witness):
    anchors.run(log.organization, now=START, republish=lambda log, store: None)
    assert len(published(log)[1].signatures) == 1
    run(log)
    assert len(published(log)[1].signatures) == 2
    assert len(witness.asked) == 1


def test_attaching_keeps_the_logs_signature_first_and_nothing_twice(log, witness):
    text = published(log)[1].text
    line = cosigned(witness.signer, text)
    other = cosigned(note.Signer("b.example", b"b" * 32, note.COSIGNATURE), text)
    signed = bytes(newest(log).note)
    whole = anchors.attach(signed, [line, other, line])
    assert whole == signed + line + other
    assert anchors.attach(whole, [other, cosigned(witness.signer, text, NOON + 60)]) == whole
    assert anchors.attach(signed, []) == signed


# --- summary and restore


def test_the_summary_says_how_far_each_outsider_is(log, witness):
    (fact,) = anchors.summary(log)
    assert (fact.size, fact.behind, fact.at, fact.asked_at, fact.configured) == (0, 5, None, None, True)
    run(log)
    grow(log, 2)
    (fact,) = anchors.summary(log)
    assert (fact.size, fact.behind, fact.at, fact.asked_at, fact.error) == (5, 2, START, START, None)
    witness.lie = lambda handler, body: handler.say(503)
    run(log, 1)
    (fact,) = anchors.summary(log)
    assert (fact.failing_since, fact.at) == (START + dt.timedelta(minutes=1), START)
    assert "503" in fact.error.render()


def test_an_outsider_of_the_past_stays_in_the_summary(log, witness, settings):
    run(log)
    settings.LOG_POLICY = None
    (fact,) = anchors.summary(log)
    assert (fact.name, fact.size, fact.configured) == (witness.signer.name, 5, False)


def test_a_restore_learns_what_the_witnesses_know_without_any_new_cosignature(log, witness, settings, tmp_path):
    (known,) = anchors.newest_known(log.organization)
    assert (known.source, known.size, known.root, known.forked) == (witness.signer.name, 0, None, False)
    assert witness.known == {}
    run(log)
    (known,) = anchors.newest_known(log.organization)
    assert (known.size, known.root, known.forked) == (5, bytes(newest(log).root), False)
    witness.known[log.origin] = (5, b"\x07" * 32)
    (known,) = anchors.newest_known(log.organization)
    assert (known.size, known.root, known.forked) == (5, None, True)
    assert witness.known[log.origin] == (5, b"\x07" * 32)


def test_a_restore_learns_the_root_from_a_witness_that_shows_what_it_cosigned(log, witness):
    text = checkpoint.Checkpoint(log.origin, 9, b"\x07" * 32).text()
    witness.known[log.origin] = (9, b"\x07" * 32)
    witness.shown[log.origin] = note.Note(text, (witness.signer.sign(text, at=NOON),)).encode()
    assert [(known.size, known.root) for known in anchors.newest_known(log.organization)] == [(9, b"\x07" * 32)]
    forger = note.Signer(witness.signer.name, b"f" * 32, note.COSIGNATURE)
    witness.shown[log.origin] = note.Note(text, (forger.sign(text, at=NOON),)).encode()
    assert [(known.size, known.root) for known in anchors.newest_known(log.organization)] == [(9, None)]
    witness.shown[log.origin] = b"garbage"
    assert [known.root for known in anchors.newest_known(log.organization)] == [None]


def test_a_restore_is_told_who_could_not_be_asked(log, witness, settings):
    witness.lie = lambda handler, body: handler.say(503)
    (known,) = anchors.newest_known(log.organization)
    assert known.size is None
    assert "503" in known.error.render()
    settings.LOG_POLICY.write_text("nonsense\n")
    (known,) = anchors.newest_known(log.organization)
    assert (known.source, known.size) == (anchors.POLICY, None)


def test_states_fit_their_columns(log, witness, settings, tmp_path):
    name = "立" * 300
    settings.LOG_POLICY.write_text(f"witness {name} {witness.signer.key} {witness.url}\nquorum none\n")
    witness.known[log.origin] = (10**17, b"\x07" * 32)
    run(log)
    made = state(log)
    assert len(made.name) <= 200
    assert len(made.error) <= 500
    assert Log.objects.get(pk=log.pk).fault
    assert clock.now() == START
