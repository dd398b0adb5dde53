"""Regressions found by a strict reading of checks and regulation."""

from __future__ import annotations

import datetime as dt

import pytest

from kitei.engine.checks import operations as checks
from kitei.engine.checks import packing, runner
from kitei.engine.checks.model import Operated, Result
from kitei.foundation import clock, transactions
from kitei.foundation.jobs import queue
from kitei.foundation.jobs.models import Job
from kitei.foundation.sheets.table import Rendering
from kitei.outcomes.regulation import jobs, operations, publication
from kitei.registers.risks import operations as risks

pytestmark = pytest.mark.django_db
TODAY = dt.date(2026, 11, 22)


def test_an_acceptance_does_not_reach_back_before_it_was_given(sakura, operator):
    checks.accept_finding(
        actor=operator, organization=sakura, finding="a:b:c", reason="代わりに毎週確認する。", until=TODAY
    )
    assert set(runner.acceptances(organization=sakura, day=TODAY)) == {"a:b:c"}
    assert runner.acceptances(organization=sakura, day=TODAY - dt.timedelta(days=1)) == {}
    assert runner.acceptances(organization=sakura, day=TODAY + dt.timedelta(days=1)) == {}


def test_a_stored_run_reads_in_the_same_order_whatever_the_database_kept():
    results = {code: Result(Operated.YES) for code in ("b", "aaa", "cc")}
    packed = packing.pack(results)
    assert list(packing.unpack(packed)) == ["aaa", "b", "cc"]


def test_a_failing_run_is_asked_for_once_not_at_every_turn_of_the_worker(sakura, monkeypatch):
    def boom(job):
        raise RuntimeError("broken")

    monkeypatch.setitem(queue._handlers, jobs.KIND, boom)
    monkeypatch.setattr(transactions, "durable", lambda work, **_options: work())
    begin = clock.start_of(TODAY) + dt.timedelta(hours=3)
    for turn in range(20):
        with clock.at(begin + dt.timedelta(seconds=2 * turn)):
            jobs.plan_runs()
            queue.run_one()
    assert Job.objects.count() == 1


def put(operator, organization, *, cycle, names):
    given = {"actor": operator, "organization": organization}
    procedure = {"code": "P-01", "name": "棚卸", "cycle": cycle, "owner_role": "system-administrator"}
    risks.procedures.put(rows={"P-01": procedure}, **given)
    risks.risks.put(rows={"R-01": {"code": "R-01", "title": "端末の盗難", "level": "S"}}, **given)
    said = {"risks": ("R-01",), "procedures": ("P-01",), "adopted": "adopted", "operation_needed": "needed"}
    risks.measures.put(rows={code: {"code": code, "name": name, **said} for code, name in names.items()}, **given)


def test_the_disclosure_shows_the_provisions_that_were_approved_not_what_the_register_says_now(sakura, operator):
    put(operator, sakura, cycle="monthly", names={"M-01": "施錠"})
    operations.put_draft(actor=operator, organization=sakura)
    prepared = operations.prepare_model(
        organization=sakura,
        effective_on=TODAY,
        renderer=lambda _tree, kinds, timestamp: dict.fromkeys(kinds, b"document"),
    )
    operations.adopt(actor=operator, prepared=prepared)
    put(operator, sakura, cycle="yearly", names={"M-01": "施錠", "M-02": "監視"})
    shown = {}
    for rendering in Rendering:
        tree = publication.current(organization=sakura, day=TODAY, rendering=rendering).tree
        (table,) = next(annex for annex in tree.annexes if annex.id == "annex:measures").tables
        headers = [column.header for column in table.columns]
        shown[rendering] = [dict(zip(headers, row, strict=True)) for row in table.rows]
    (internal,), (disclosed,) = shown[Rendering.INTERNAL], shown[Rendering.DISCLOSURE]
    assert (internal["対策"], internal["周期"]) == (disclosed["対策"], disclosed["周期"]) == ("M-01 施錠", "月1回")
    assert "リスク" not in disclosed
    assert "S" not in "".join(disclosed.values())
