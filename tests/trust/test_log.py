from __future__ import annotations

import json

import pytest
from django.db import connection
from django.db.utils import DatabaseError

from kitei.foundation import clock, transactions
from kitei.trust.access import rule
from kitei.trust.auditlog import events, log, triggers, vocabulary
from kitei.trust.auditlog.log import Act, RequestContext, append, append_many, set_context
from kitei.trust.auditlog.models import Event, Opening
from kitei_verify import canonical

HANAKO = ("member", "0192")
ANYTHING = vocabulary.EventName("session:login", "ログイン", "Logged in", data=None, decided=False)
"""An event that may carry anything: these tests are about how it is kept."""


def record(organization, **more):
    act = Act(**{"name": ANYTHING, "actor": HANAKO, "object": ("account", "1"), **more})
    return transactions.durable(lambda: append(organization=organization, act=act))


def refusing(sql, *parameters):
    """Run SQL in a savepoint and expect the log's triggers to refuse it."""
    with pytest.raises(DatabaseError, match="append-only"):
        transactions.durable(lambda: connection.cursor().execute(sql, parameters))


def key(event):
    return event.id.hex if connection.vendor == "sqlite" else event.id


def test_an_event_is_stored_once_as_the_bytes_that_were_hashed(sakura):
    made = record(sakura, data={"rows": 3}, decision={"allowed": True, "reasons": ["member"]})
    event = Event.objects.get()
    data = bytes(event.payload)
    assert bytes(event.leaf_hash) == canonical.leaf_hash(data)
    assert canonical.encode(json.loads(data)) == data
    assert json.loads(data) == {
        "v": 1,
        "id": str(made.id),
        "at": "2026-11-22T03:00:00.000000Z",
        "org": "sakura",
        "name": "session:login",
        "outcome": "ok",
        "actor": ["member", "0192"],
        "object": ["account", "1"],
        "data": {"rows": 3},
        "decision": {"allowed": True, "reasons": ["member"]},
        "policy": rule.policy_version(),
    }
    assert event.leaf_index is None


def test_the_columns_beside_the_payload_say_what_the_payload_says(sakura):
    record(sakura, outcome="refused")
    event = Event.objects.get()
    payload = json.loads(bytes(event.payload))
    assert [event.actor_kind, event.actor_id] == payload["actor"]
    assert [event.object_kind, event.object_id] == payload["object"]
    assert (event.name, event.outcome, str(event.id)) == (payload["name"], payload["outcome"], payload["id"])
    assert event.at == clock.now()
    assert event.organization == sakura


def test_an_event_goes_with_the_transaction_of_its_act(sakura):
    def act_that_fails():
        append(organization=sakura, act=Act(events.LOGIN, HANAKO, ("account", "1")))
        raise LookupError

    with pytest.raises(LookupError):
        transactions.durable(act_that_fails)
    assert not Event.objects.exists()
    assert not Opening.objects.exists()


def test_appending_needs_the_transaction_of_the_act(committed_db, make_sakura):
    organization = make_sakura()
    with pytest.raises(RuntimeError, match="outside a transaction"):
        append(organization=organization, act=Act(events.LOGIN, HANAKO, ("account", "1")))


def test_free_text_is_committed_to_and_opens_but_never_stands_in_the_event(sakura):
    record(sakura, private={"reason": "退職のため", "typed": "Himitsu-2026"})
    event = Event.objects.get()
    assert "退職" not in bytes(event.payload).decode()
    assert "Himitsu" not in bytes(event.payload).decode()
    said = json.loads(bytes(event.payload))["commitments"]
    for opening in Opening.objects.filter(event_id=event.id):
        assert canonical.commit(opening.field, opening.value, bytes(opening.salt))[1] == said[opening.field]
    assert set(said) == {"reason", "typed"}


def test_an_erased_opening_leaves_the_event_as_it_was(sakura):
    record(sakura, private={"reason": "退職のため"})
    before = bytes(Event.objects.get().payload)
    assert Opening.objects.all().delete()[0] == 1
    assert bytes(Event.objects.get().payload) == before


def test_many_acts_are_appended_in_order_with_few_queries(sakura, django_assert_max_num_queries):
    acts = [Act(events.LOGIN, HANAKO, ("account", str(number))) for number in range(1000)]

    with django_assert_max_num_queries(30):
        transactions.durable(lambda: append_many(organization=sakura, acts=acts))
    assert [event.object_id for event in Event.objects.order_by("id")] == [str(number) for number in range(1000)]


def test_the_face_tells_where_an_act_came_from(sakura):
    set_context(RequestContext(request_id="ab12", session="cd34", strength="password", face="web"))
    try:
        record(sakura)
    finally:
        set_context(None)
    record(sakura)
    first, second = (json.loads(bytes(event.payload)) for event in Event.objects.order_by("id"))
    assert (first["request"], first["session"], first["strength"], first["face"]) == ("ab12", "cd34", "password", "web")
    assert not {"request", "session", "strength", "face"} & set(second)


def test_an_act_that_cannot_be_written_down_does_not_happen(sakura):
    with pytest.raises(canonical.NotCanonicalError):
        record(sakura, data={"share": 0.5})
    with pytest.raises(canonical.NotCanonicalError):
        record(sakura, data={"text": "長" * 8000})
    assert not Event.objects.exists()


@pytest.mark.parametrize(
    "change",
    [
        "name = 'session:logout'",
        "outcome = 'refused'",
        "actor_id = 'someone'",
        "actor_kind = 'cli'",
        "object_id = '2'",
        "object_kind = 'document'",
        "at = '2001-01-01 00:00:00+00:00'",
        "leaf_index = NULL",
    ],
)
def test_the_database_refuses_to_change_an_event(sakura, change):
    event = record(sakura)
    refusing(f"UPDATE auditlog_event SET {change} WHERE id = %s", key(event))  # noqa: S608  fixed texts of this test
    assert Event.objects.get().name == "session:login"


@pytest.mark.parametrize("column", ["payload", "leaf_hash"])
def test_the_database_refuses_to_change_the_bytes(sakura, column):
    event = record(sakura)
    refusing(f"UPDATE auditlog_event SET {column} = %s WHERE id = %s", b"{}", key(event))  # noqa: S608  fixed texts


def test_the_database_refuses_to_delete_an_event(sakura):
    event = record(sakura)
    refusing("DELETE FROM auditlog_event WHERE id = %s", key(event))
    refusing("DELETE FROM auditlog_event")
    with pytest.raises(DatabaseError, match="append-only"):
        transactions.durable(lambda: Event.objects.all().delete())
    assert Event.objects.count() == 1


def test_the_database_refuses_to_empty_the_log(sakura):
    record(sakura)
    if connection.vendor == "postgresql":
        connection.cursor().execute(
            "SET CONSTRAINTS ALL IMMEDIATE"
        )  # else PostgreSQL itself refuses, for another reason
        refusing("TRUNCATE auditlog_event")
    assert Event.objects.count() == 1


def test_a_leaf_gets_its_place_once(sakura):
    event = record(sakura)
    assert Event.objects.filter(id=event.id, leaf_index__isnull=True).update(leaf_index=0) == 1
    for value in (1, 0, None):
        with pytest.raises(DatabaseError, match="append-only"):
            transactions.durable(lambda value=value: Event.objects.filter(id=event.id).update(leaf_index=value))
    assert Event.objects.get().leaf_index == 0


def test_a_place_is_not_given_together_with_another_change(sakura):
    event = record(sakura)
    with pytest.raises(DatabaseError, match="append-only"):
        transactions.durable(lambda: Event.objects.filter(id=event.id).update(leaf_index=0, name="session:logout"))


def test_two_leaves_never_share_a_place_in_one_log(sakura, tsubaki):
    first, second, other = record(sakura), record(sakura), record(tsubaki)
    Event.objects.filter(id=first.id).update(leaf_index=0)
    Event.objects.filter(id=other.id).update(leaf_index=0)
    with pytest.raises(DatabaseError):
        transactions.durable(lambda: Event.objects.filter(id=second.id).update(leaf_index=0))


def test_a_migration_that_alters_the_table_leaves_it_protected(committed_db, make_sakura):
    from django.core.management.sql import emit_post_migrate_signal
    from django.db import models

    organization = make_sakura()
    event = record(organization)
    wider = models.CharField(max_length=90)
    wider.set_attributes_from_name("name")
    wider.model = Event
    old = Event._meta.get_field("name")
    try:
        with connection.schema_editor() as editor:
            editor.alter_field(Event, old, wider, strict=False)
        gone = triggers.missing()
        if connection.vendor == "sqlite":
            assert gone, (
                "Django rebuilds the table on SQLite and drops its triggers; if it no longer does, this test is moot"
            )
        emit_post_migrate_signal(verbosity=0, interactive=False, db="default")
        assert triggers.missing() == []
        refusing("DELETE FROM auditlog_event WHERE id = %s", key(event))
        refusing("UPDATE auditlog_event SET outcome = 'refused' WHERE id = %s", key(event))
    finally:
        triggers.drop()
        with connection.schema_editor() as editor:
            editor.alter_field(Event, wider, old, strict=False)
        triggers.install()
    assert triggers.missing() == []


def test_missing_triggers_are_seen_and_put_back(sakura):
    assert triggers.missing() == []
    with triggers.lifted():
        assert set(triggers.missing()) >= {"auditlog_event_no_update", "auditlog_event_no_delete"}
    assert triggers.missing() == []
    triggers.install()


def test_the_context_of_one_thread_is_not_that_of_another():
    import threading

    set_context(RequestContext(face="web"))
    seen = []
    thread = threading.Thread(target=lambda: seen.append(log._context.get()))
    thread.start()
    thread.join()
    set_context(None)
    assert seen == [None]
