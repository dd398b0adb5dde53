"""Regressions found by a strict reading of checks and regulation."""

from __future__ import annotations

import argparse
import datetime as dt
import json

import pytest

from kitei.commands import reading
from kitei.engine.checks import operations as checks
from kitei.engine.checks import packing, runner
from kitei.engine.checks.model import Operated, Result
from kitei.foundation import clock, transactions
from kitei.foundation.jobs import queue
from kitei.foundation.jobs.models import Job
from kitei.foundation.sheets.table import Rendering
from kitei.foundation.text import UserError
from kitei.outcomes.regulation import coverage, jobs, operations, own, publication
from kitei.registers.equipment import operations as equipment
from kitei.registers.risks import operations as risks
from kitei.trust.auditlog.log import set_context
from kitei.trust.auditlog.models import Event

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("_own_context")]
TODAY = dt.date(2026, 11, 22)


@pytest.fixture
def _own_context():
    """Commands tell the log who acts for the whole process; the next test is another process."""
    yield
    set_context(None)


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


@pytest.mark.parametrize(("rendering", "made"), [(Rendering.INTERNAL, 1), (Rendering.DISCLOSURE, 0)])
def test_the_matrix_is_recorded_and_never_stands_beside_a_disclosure(
    sakura, operator, monkeypatch, tmp_path, rendering, made
):
    monkeypatch.setattr(transactions, "durable", lambda work, **_options: work())
    operations.put_draft(actor=operator, organization=sakura)
    given = {"org": None, "as_": None, "as_of": None, "format": "html", "out": str(tmp_path)}
    reading.build(argparse.Namespace(**given, rendering=rendering.value))
    assert len(list(tmp_path.glob("*.html"))) == 1
    assert len(list(tmp_path.glob("*.xlsx"))) == made
    events = Event.objects.filter(name="regulation:download").order_by("id")
    assert [json.loads(bytes(event.payload))["data"]["format"] for event in events] == ["html", "xlsx"][: 1 + made]


def test_an_uploaded_regulation_is_never_given_out_as_a_disclosure(sakura, operator):
    row = {"code": "第1条", "position": 1, "caption": "目的", "clauses": ""}
    own.own_articles.put(actor=operator, organization=sakura, rows={"第1条": row})
    given = {
        "organization": sakura,
        "effective_on": TODAY,
        "file_name": "規程.pdf",
        "content": b"%PDF-1.7\n%%EOF\n",
        "label": "第1版",
    }
    operations.adopt(actor=operator, prepared=operations.prepare_own(**given))
    assert publication.current(organization=sakura, day=TODAY).edition.label == "第1版"
    with pytest.raises(UserError, match="開示版がありません"):
        publication.current(organization=sakura, day=TODAY, rendering=Rendering.DISCLOSURE)


def test_a_topic_nobody_began_does_not_hide_the_must_findings_of_its_requirement(sakura, operator):
    given = {"actor": operator, "organization": sakura}
    equipment.kinds.put(rows={"K1": {"code": "K1", "name": "サーバー", "management": "台帳", "tier": "A"}}, **given)
    device = {"code": "S-001", "kind": "K1", "name": "記録系", "placement": "own", "state": "in-use"}
    equipment.equipment.put(rows={"S-001": device}, **given)
    picture = coverage.at(organization=sakura, day=TODAY)
    row = next(row for row in picture.rows if row.clause.label == "エ-1")
    assert row.needs_action
    assert row.operated in {Operated.PARTIAL, Operated.NO}
    assert "equipment.responsibility" in {judged.finding.topic for judged in picture.open_findings}
