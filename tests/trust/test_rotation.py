"""Changing the key: whoever holds the old verifier key follows the log to the new one, whatever dies in between."""

from __future__ import annotations

import contextlib
import json

import pytest
from django.db import transaction
from fault_store import Faults, FaultStore
from log_world import World, small_tiles, undone

from kitei.foundation import clock, transactions
from kitei.foundation.text import UserError
from kitei.trust.auditlog import events, keys, logs, rotation, sequencer
from kitei.trust.auditlog.models import Event
from kitei.trust.auditlog.store import folder
from kitei_verify import checkpoint, logdir, note

ROOT = ("cli", "root")


@pytest.fixture
def world(sakura, monkeypatch, settings, tmp_path):
    settings.DATA = tmp_path
    small_tiles(monkeypatch)
    return World(monkeypatch, sakura)


def rotate(world):
    with clock.at(world.now):
        return transactions.durable(lambda: rotation.rotate(actor_ref=ROOT, organization=world.organization))


def signed_by(data, key):
    return note.verify(note.parse(data, where="note"), key, where="note") is not None


def follow(world, key):
    """What somebody does who kept ``key`` outside: go along the hand-overs to the key of the published head."""
    files = world.disk.names
    number = 0
    while True:
        number += 1
        data = files.get(f"handover/{number:04d}")
        if data is None:
            break
        head, _ = checkpoint.parse(data, where="handover")
        named = [
            (note.parse_key(change["old"]), note.parse_key(change["new"]))
            for row in Event.objects.filter(name="log:rotate-key", leaf_index__lt=head.size).order_by("leaf_index")
            for change in [json.loads(bytes(row.payload))["data"]]
        ]
        old, new = named[number - 1]
        assert signed_by(data, old), f"hand-over {number} is not signed by the old key"
        assert signed_by(data, new), f"hand-over {number} is not signed by the new key"
        if old == key:
            key = new
    assert signed_by(files["checkpoint"], key)
    assert files["log.vkey"].decode() == f"{key}\n"


def test_the_old_key_leads_to_the_new_one(world):
    world.open()
    world.add(3)
    world.run()
    old = keys.signer("sakura").key
    new = rotate(world)
    assert signed_by(world.disk.names["checkpoint"], old)
    assert keys.signer("sakura").key == old, "the new key signs nothing before the log names it"
    world.run()
    assert keys.signer("sakura").key == new
    assert not keys.path("sakura", following=True).exists()
    follow(world, old)
    world.add(2)
    world.run()
    assert not signed_by(world.disk.names["checkpoint"], old)
    follow(world, old)
    world.check()
    world.check_finished()


def test_twice(world):
    world.open()
    world.run()
    first = keys.signer("sakura").key
    for _ in range(2):
        rotate(world)
        world.run()
        world.add(2)
        world.run()
    assert sorted(path for path in world.disk.names if path.startswith("handover")) == [
        "handover/0001",
        "handover/0002",
    ]
    follow(world, first)
    world.check()


def test_not_a_second_one_while_the_first_is_under_way(world):
    world.open()
    rotate(world)
    with pytest.raises(UserError, match="進行中"):
        rotate(world)
    world.run()
    rotate(world)
    world.run()
    world.check_finished()
    assert Event.objects.filter(name=events.LOG_KEY_ROTATED.name).count() == 2


def test_a_rotation_whose_transaction_was_rolled_back_changes_nothing(world):
    world.open()
    world.run()
    old = keys.signer("sakura").key

    class RefusedError(Exception):
        pass

    def work():
        rotation.rotate(actor_ref=ROOT, organization=world.organization)
        raise RefusedError

    with pytest.raises(RefusedError):
        transactions.durable(work)
    world.add(2)
    world.run()
    assert keys.signer("sakura").key == old
    follow(world, old)
    new = rotate(world)  # and it can be begun again
    world.run()
    assert keys.signer("sakura").key == new
    follow(world, old)


def test_died_at_every_step(world):
    world.open()
    world.add(3)
    world.run()
    old = keys.signer("sakura").key
    at = 0
    hit = True
    while hit:
        at += 1
        with world.trial(), undone():
            world.begin(Faults(at))
            with world.dying():
                rotate(world)
                world.run()
                world.add(1)
                world.run()
            hit = world.faults.dead
            world.begin()
            world.add(2)
            world.run()
            with contextlib.suppress(UserError):
                rotate(world)
            world.run()
            world.check()
            world.check_finished()
            follow(world, old)
            announced = Event.objects.filter(name=events.LOG_KEY_ROTATED.name).count()
            assert sum(path.startswith("handover") for path in world.disk.names) == announced
    assert at > 40


def test_a_handover_that_was_shown_is_not_changed_afterwards(world):
    """It died after the hand-over was written and before the new key took over; more events came before it went on."""
    world.open()
    world.run()
    rotate(world)
    world.begin()
    with world.trial(), undone():
        world.run()
        names = world.faults.steps
    world.begin(Faults(names.index("take_over") + 1))
    with world.dying():
        world.run()
    shown = world.disk.names["handover/0001"]
    world.begin()
    world.add(5)
    world.run()
    assert world.disk.names["handover/0001"] == shown
    world.check_finished()


def test_a_key_that_was_put_back_after_a_rotation_signs_nothing(world):
    world.open()
    world.run()
    kept = keys.path("sakura").read_bytes()
    rotate(world)
    world.run()
    keys.path("sakura").write_bytes(kept)
    world.add(1)
    signed = len(world.signed)
    with pytest.raises(UserError, match="署名"):
        world.run()
    assert len(world.signed) == signed


def test_without_the_old_key_there_is_no_handover_but_a_new_log(world):
    world.open()
    world.run()
    keys.path("sakura").unlink()
    with pytest.raises(UserError, match=r"sakura\.skey"):
        rotate(world)
    assert not keys.path("sakura", following=True).exists()
    with clock.at(world.now):
        transactions.durable(lambda: logs.restart(organization=world.organization))
    assert keys.signer("sakura", 2).name.endswith("/g2")


def test_the_following_key_is_lost_before_it_took_over(world):
    """The old key goes on: nobody but us has seen the new one."""
    world.open()
    world.run()
    old = keys.signer("sakura").key
    rotate(world)
    keys.path("sakura", following=True).unlink()
    world.run()
    world.add(2)
    world.run()
    assert signed_by(world.disk.names["checkpoint"], old)
    world.check()
    world.check_finished()


def test_an_auditor_with_the_first_key_verifies_the_folder(sakura, settings, tmp_path):
    settings.DATA = tmp_path
    transactions.durable(lambda: logs.open_log(organization=sakura))
    sequencer.run(organization=sakura)
    first = keys.signer("sakura").key
    for _ in range(2):
        transactions.durable(lambda: rotation.rotate(actor_ref=ROOT, organization=sakura))
        sequencer.run(organization=sakura)
        transactions.durable(lambda: rotation.append(organization=sakura, act=logout()))
        sequencer.run(organization=sakura)
    for key in (first, keys.signer("sakura").key):
        logdir.verify(folder("sakura"), keys=[key]).require()
    stranger = note.Signer(first.name, bytes(32)).key
    assert not logdir.verify(folder("sakura"), keys=[stranger]).ok


def logout():
    from kitei.trust.auditlog.log import Act

    return Act(events.LOGOUT, ("member", "0192"), ("account", "1"))


def test_private_keys_are_for_their_owner_only(world):
    world.open()
    world.run()
    rotate(world)
    for file in keys.path("sakura").parent.iterdir():
        assert file.stat().st_mode & 0o077 == 0, file
    assert keys.path("sakura").parent.stat().st_mode & 0o077 == 0
    assert FaultStore(world.disk).read("log.vkey") is not None
    assert all(b"PRIVATE" not in data for data in world.disk.names.values())


def test_a_new_rotation_after_a_following_key_was_lost_has_the_next_number(world):
    world.open()
    world.run()
    old = keys.signer("sakura").key
    rotate(world)
    keys.path("sakura", following=True).unlink()
    world.run()
    new = rotate(world)
    world.run()
    world.add(1)
    world.run()
    handover = world.disk.names["handover/0001"]
    assert signed_by(handover, old)
    assert signed_by(handover, new)
    assert "handover/0002" not in world.disk.names
    world.check_finished()


def test_what_was_rolled_back_does_not_keep_the_sequencer_busy(world):
    world.open()
    world.run()
    keys.create("sakura", world.log.origin, following=True)
    world.begin()
    world.run()
    assert not [step for step in world.faults.steps if not step.startswith("read")]


def test_a_rotation_that_ends_while_the_next_one_begins_names_the_right_keys(world, monkeypatch):
    """The old key is read after the check that nothing is under way: a sequencer may take over in between."""
    world.open()
    rotate(world)
    real = rotation._announced

    def slow(log):
        world.run()  # another process finishes the first rotation just before the check
        return real(log)

    with monkeypatch.context() as patched:
        patched.setattr(rotation, "_announced", slow)
        patched.setattr(transactions, "durable", lambda work, **_more: work())
        with clock.at(world.now), transaction.atomic():
            rotation.rotate(actor_ref=ROOT, organization=world.organization)
    data = [
        json.loads(bytes(row.payload))["data"] for row in Event.objects.filter(name="log:rotate-key").order_by("id")
    ]
    assert data[1]["old"] == data[0]["new"]
