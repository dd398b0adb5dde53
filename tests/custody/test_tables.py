"""Rows as text: every type there and back, at the schema of the migrations."""

from __future__ import annotations

import datetime as dt
import decimal
import gzip
import json
import uuid

import pytest
from django.db import connection, models
from django.test.utils import isolate_apps

from kitei.custody import tables
from kitei.foundation import clock
from kitei.foundation.jobs import queue
from kitei.foundation.text import UserError
from kitei.trust.auditlog import triggers
from kitei.trust.auditlog.events import LOGIN_FAILED
from kitei.trust.auditlog.log import Act, append

PLAIN = {
    "CharField",
    "TextField",
    "BooleanField",
    "AutoField",
    "BigAutoField",
    "JSONField",
    "FloatField",
    "GenericIPAddressField",
}


def kept():
    return tables.models_at(tables.applied())


def everything(found):
    return {tables.label(model): b"".join(gzip.decompress(data) for data, _ in tables.dump(model)) for model in found}


def test_every_column_of_the_house_has_a_known_kind(db):
    kinds = {kind for model in kept() for _, kind in tables.columns(model)}
    assert "UUIDField" in kinds
    assert {
        kind for kind in kinds if kind not in PLAIN | set(tables._OUT) and not kind.endswith("IntegerField")
    } == set()
    assert set(tables._OUT) == set(tables._IN)


def test_sessions_are_left_out_and_leases_empty(sakura):
    queue.ask(organization=sakura, kind="checks.run", due_at=clock.now())
    job = queue.claim()
    assert job.lease_until is not None
    labels = [tables.label(model) for model in kept()]
    assert "tenancy.organization" in labels
    assert not [label for label in labels if label.startswith(("sessions.", "axes."))]
    model = next(model for model in kept() if tables.label(model) == "jobs.job")
    names = [name for name, _ in tables.columns(model)]
    row = json.loads(everything([model])["jobs.job"])
    assert row[names.index("lease_until")] is None
    assert row[names.index("lease_token")] == str(job.lease_token)


def test_what_is_loaded_is_what_was_dumped(sakura, make_sakura):
    append(organization=sakura, act=Act(LOGIN_FAILED, ("cli", "hanako"), ("account", "1"), private={"typed": "髙﨑"}))
    queue.ask(organization=sakura, kind="x", arguments={"名": ["𠮷", 1, None, {"b": 1.5}]})
    found = kept()
    before = everything(found)
    parts = {tables.label(model): [data for data, _ in tables.dump(model)] for model in found}
    with triggers.lifted():
        tables.empty(found)
        assert set(everything(found).values()) == {b""}
        for model in found:
            for data in parts[tables.label(model)]:
                tables.load(model, data)
        tables.finish(found)
    assert everything(found) == before
    assert before["auditlog.opening"].count(b"\n") == 1


def test_parts_are_bounded(sakura, monkeypatch):
    monkeypatch.setattr(tables, "PART_BYTES", 300)
    for number in range(5):
        queue.ask(organization=sakura, kind=f"k{number}")
    model = next(model for model in kept() if tables.label(model) == "jobs.job")
    counts = [count for _, count in tables.dump(model)]
    assert len(counts) > 1
    assert sum(counts) == 5


@isolate_apps("kitei.foundation.jobs")
def test_types_that_no_table_has_yet(committed_db):
    class Sample(models.Model):
        amount = models.DecimalField(max_digits=9, decimal_places=2)
        span = models.DurationField()
        at = models.TimeField()
        day = models.DateField()
        moment = models.DateTimeField()
        key = models.UUIDField()
        raw = models.BinaryField()
        nothing = models.JSONField()
        maybe = models.JSONField(null=True)

        class Meta:
            app_label = "jobs"

    row = {
        "amount": decimal.Decimal("-12.30"),
        "span": dt.timedelta(days=-1, microseconds=7),
        "at": dt.time(23, 59, 1, 5),
        "day": dt.date(2026, 2, 28),
        "moment": dt.datetime(2026, 11, 22, 3, 4, 5, 678901, tzinfo=dt.UTC),
        "key": uuid.UUID(int=7),
        "raw": b"\x00\xff",
        "nothing": [],
        "maybe": None,
    }
    with connection.schema_editor() as editor:
        editor.create_model(Sample)
    try:
        Sample.objects.create(**row)
        parts = [data for data, _ in tables.dump(Sample)]
        Sample.objects.all().delete()
        tables.load(Sample, parts[0])
        found = Sample.objects.values(*row).get()
    finally:
        with connection.schema_editor() as editor:
            editor.delete_model(Sample)
    assert {name: bytes(value) if name == "raw" else value for name, value in found.items()} == row


def test_a_database_of_a_newer_program_is_refused():
    with pytest.raises(UserError, match="新しい版"):
        tables.check_known({"people": ["9999_from_the_future"]})
