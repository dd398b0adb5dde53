"""The documents room: what is recorded, what was in force when, and the one way to the bytes (ア-4, ウ-1, ウ-2)."""

from __future__ import annotations

import datetime as dt
from hashlib import sha256
from typing import Any

import pytest
from django.utils import translation

from kitei.engine.checks.model import CheckContext, Operated, Provision, Severity, registry
from kitei.foundation import clock
from kitei.foundation.sheets.grid import AttachedFile, Grid, Workbook
from kitei.foundation.sheets.plan import Plan
from kitei.foundation.sheets.planning import plan_import
from kitei.foundation.sheets.spec import Changes, get
from kitei.foundation.sheets.table import Rendering
from kitei.foundation.tenancy.models import Organization
from kitei.foundation.text import UserError
from kitei.foundation.ui import lists
from kitei.registers.documents import queries
from kitei.registers.documents.annexes import document_ledger
from kitei.registers.documents.models import DocumentState
from kitei.registers.documents.operations import documents
from kitei.registers.documents.sheets import check
from kitei.trust.access import rule
from kitei.trust.access.models import Classification
from kitei.trust.auditlog.models import Event

pytestmark = pytest.mark.django_db

DAY = dt.date(2026, 11, 22)
PDF = b"%PDF-1.7\nhozon"


@pytest.fixture(autouse=True)
def _today(settings, tmp_path):
    settings.STORAGES = {
        **settings.STORAGES,
        "files": {"BACKEND": "django.core.files.storage.FileSystemStorage", "OPTIONS": {"location": str(tmp_path)}},
    }
    with clock.at(DAY):
        yield


@pytest.fixture
def sakura() -> Organization:
    return Organization.objects.create(code="sakura", name="さくら医療クラウド株式会社", created_at=clock.now())


@pytest.fixture
def takahashi(sakura: Organization) -> rule.Actor:
    return rule.Actor(kind="cli", id="takahashi", organization=sakura)


@pytest.fixture
def visitor(sakura: Organization) -> rule.Actor:
    """A signed-in member without any office."""
    return rule.Actor(kind="member", id="ito", organization=sakura)


def row(**facts: Any) -> dict[str, Any]:
    return {
        "title": "運用手順書",
        "kind": "procedure",
        "version": "第1版",
        "in_force_from": dt.date(2026, 4, 1),
        "department": "技術部",
        "kept_at": "paper",
        "place": "本社 書庫A",
        "retention_years": 10,
        "reviewed_on": dt.date(2026, 4, 1),
    } | facts


def put(actor: rule.Actor, day: dt.date | None = None, **rows: dict[str, Any]) -> None:
    named = {code.replace("_", "-"): values for code, values in rows.items()}
    documents.put(actor=actor, organization=actor.organization, rows=named, day=day)


def run(code: str, organization: Organization, day: dt.date = DAY, **provisions: Provision) -> Any:
    known = {**registry.defaults, **{value.key: value for value in provisions.values()}}
    return registry.checks[code].run(CheckContext(organization, day, known))


def codes(result: Any) -> list[str]:
    return [finding.code for finding in result.findings]


# --- recording


def test_a_document_is_read_back_as_it_was_written_and_leaves_an_event_without_its_title(sakura, takahashi):
    put(takahashi, P_001=row(kind="policy", classification="secret"))
    found = documents.existing(organization=sakura, keys=None)["P-001"]
    assert found["classification"] == "secret"
    assert found["title"] == "運用手順書"
    assert set(found) == {column.key for column in get("document").columns}
    event = Event.objects.get(name="document:put")
    assert "運用手順書" not in bytes(event.payload).decode()


def test_writing_back_what_export_gives_changes_nothing(sakura, takahashi):
    put(takahashi, P_001=row(classification="public"), P_002=row(classification=None, retention_years=None))
    before = documents.existing(organization=sakura, keys=None)
    documents.put(actor=takahashi, organization=sakura, rows=before)
    assert documents.existing(organization=sakura, keys=["P-001", "P-002"]) == before
    assert before["P-001"]["classification"] == "public"
    assert before["P-002"]["classification"] == "internal"


def test_a_member_without_an_office_may_not_write(visitor):
    with pytest.raises(rule.Refused):
        put(visitor, P_001=row())
    assert not DocumentState.objects.exists()


def test_an_import_stores_the_attached_file_and_keeps_it_when_only_the_rest_changes(sakura, takahashi):
    first = row(code="P-001", kept_at="kitei", place="", file_name="手順.pdf")
    attached = {"手順.pdf": AttachedFile("手順.pdf", len(PDF), lambda: PDF)}
    documents.apply(actor=takahashi, organization=sakura, changes=Changes([first], [], attached))
    stored = DocumentState.objects.get(voided_at=None).file
    second = {**first, "department": "運用部"}
    documents.apply(actor=takahashi, organization=sakura, changes=Changes([], [("P-001", first, second)]))
    [state] = DocumentState.objects.as_of(DAY)
    assert state.department == "運用部"
    assert state.file == stored
    assert queries.read_file(file=stored) == PDF


def test_a_new_file_under_the_same_name_replaces_the_old_one_and_the_old_version_keeps_its_own(sakura, takahashi):
    for day, content in ((dt.date(2026, 4, 1), PDF), (DAY, PDF + b"2")):
        documents.put(
            actor=takahashi,
            organization=sakura,
            rows={"P-001": row(kept_at="kitei", file_name="手順.pdf", version=str(day))},
            day=day,
            files={"手順.pdf": lambda content=content: content},
        )
    [old] = DocumentState.objects.as_of(dt.date(2026, 5, 1))
    [new] = DocumentState.objects.as_of(DAY)
    assert queries.read_file(file=old.file) == PDF
    assert queries.read_file(file=new.file) == PDF + b"2"


def test_a_file_that_is_neither_attached_nor_kept_is_refused_by_name(takahashi):
    with pytest.raises(UserError) as caught:
        put(takahashi, P_001=row(kept_at="kitei", file_name="無い.pdf"))
    assert "P-001" in str(caught.value)
    assert "無い.pdf" in str(caught.value)
    assert not DocumentState.objects.exists()


def test_a_workbook_with_its_files_is_imported_and_imported_again_without_change(sakura, takahashi):
    header = ("文書番号", "名称", "種類", "版", "施行日", "保管先", "保管場所・原本の所在", "ファイル名")
    rows = (
        ("C-001", "業務委託契約書", "契約書", "原契約", "令和6年4月1日", "紙", "本社 金庫", ""),
        ("P-001", "情報セキュリティ基本方針", "基本方針", "第2版", "2026/4/1", "Kitei", "", "方針.pdf"),
    )
    attached = {"方針.pdf": AttachedFile("方針.pdf", len(PDF), lambda: PDF)}
    workbook = Workbook("文書.zip", (Grid("文書", (header, *rows)),), attached)

    def plan() -> Plan:
        return plan_import(workbook, [get("document")], organization=sakura)

    first = plan()
    assert [issue.render() for issue in first.errors] == []
    documents.apply(actor=takahashi, organization=sakura, changes=first.changes("document"))
    [policy] = queries.policies(organization=sakura, day=DAY)
    assert queries.read_file(file=policy.file) == PDF
    assert (policy.classification, policy.valid_from) == (Classification.INTERNAL, dt.date(2026, 4, 1))
    assert plan().counts == {"added": 0, "changed": 0, "unchanged": 2, "errors": 0}


@pytest.mark.parametrize(
    ("facts", "column"),
    [
        ({"kept_at": "kitei", "file_name": ""}, "file_name"),
        ({"kept_at": "external", "place": ""}, "place"),
        ({"withdrawn_on": dt.date(2026, 3, 31)}, "withdrawn_on"),
    ],
)
def test_the_sheet_names_the_column_to_mend(facts, column):
    assert [problem.column for problem in check(row(**facts))] == [column]


def test_a_right_row_has_no_problem():
    assert list(check(row())) == []
    assert list(check(row(withdrawn_on=dt.date(2026, 4, 1)))) == []


# --- which version was in force


def test_the_old_version_holds_until_the_day_before_the_new_one_takes_effect(sakura, takahashi):
    put(takahashi, dt.date(2024, 4, 1), P_001=row(kind="policy", version="第1版", in_force_from=dt.date(2024, 4, 1)))
    put(takahashi, DAY, P_001=row(kind="policy", version="第2版", in_force_from=dt.date(2026, 12, 1)))

    def version(day: dt.date) -> list[str]:
        return [state.version for state in queries.policies(organization=sakura, day=day)]

    assert version(dt.date(2024, 3, 31)) == []
    assert version(dt.date(2024, 4, 1)) == ["第1版"]
    assert version(dt.date(2026, 11, 30)) == ["第1版"]
    assert version(dt.date(2026, 12, 1)) == ["第2版"]


def test_a_version_recorded_late_counts_from_the_day_it_took_effect(sakura, takahashi):
    put(takahashi, dt.date(2024, 4, 1), P_001=row(kind="policy", version="第1版", in_force_from=dt.date(2024, 4, 1)))
    put(takahashi, DAY, P_001=row(kind="policy", version="第2版", in_force_from=dt.date(2026, 10, 1)))
    [state] = queries.policies(organization=sakura, day=dt.date(2026, 10, 1))
    assert state.version == "第2版"


def test_a_withdrawn_or_reclassified_policy_is_no_longer_in_force(sakura, takahashi):
    put(
        takahashi,
        P_001=row(kind="policy", withdrawn_on=DAY),
        P_002=row(kind="policy", withdrawn_on=DAY + dt.timedelta(1)),
    )
    assert [state.code for state in queries.policies(organization=sakura, day=DAY)] == ["P-002"]
    put(takahashi, DAY + dt.timedelta(1), P_002=row(kind="regulation"))
    assert queries.policies(organization=sakura, day=DAY + dt.timedelta(1)) == []


# --- the one way to the bytes


@pytest.fixture
def kept(sakura, takahashi) -> DocumentState:
    documents.put(
        actor=takahashi,
        organization=sakura,
        rows={"P-001": row(kept_at="kitei", file_name="手順.pdf")},
        files={"手順.pdf": lambda: PDF},
    )
    return DocumentState.objects.get(voided_at=None)


def test_opening_a_file_is_recorded_before_its_bytes_are_known(kept, takahashi, visitor):
    file = queries.open_file(actor=takahashi, state=kept)
    assert Event.objects.get(name="document:download").object_id == str(kept.of_id)
    assert queries.read_file(file=file) == PDF
    queries.open_file(actor=visitor, state=kept, action=rule.VIEW)
    assert Event.objects.filter(name="document:view", actor_id="ito").count() == 1


def test_digests_are_those_of_the_day_and_leave_out_what_is_kept_elsewhere(kept, sakura, takahashi):
    put(takahashi, P_002=row())
    wanted = [kept.of_id, queries.document(actor=takahashi, code="P-002", day=DAY).of_id]
    assert queries.digests(organization=sakura, day=DAY, document_ids=wanted) == {kept.of_id: sha256(PDF).hexdigest()}
    assert queries.digests(organization=sakura, day=dt.date(2026, 3, 31), document_ids=wanted) == {}


def test_a_download_without_the_right_gives_nothing(kept, visitor):
    with pytest.raises(rule.Refused):
        queries.open_file(actor=visitor, state=kept)
    assert not Event.objects.filter(name="document:download").exists()


def test_a_stranger_of_another_organization_sees_and_opens_nothing(kept):
    other = Organization.objects.create(code="umi", name="海辺システム株式会社", created_at=clock.now())
    stranger = rule.Actor(kind="cli", id="nakamura", organization=other)
    assert queries.document(actor=stranger, code="P-001", day=DAY) is None
    assert not queries.documents(actor=stranger, day=DAY).exists()
    assert queries.versions(actor=stranger, document_id=kept.of_id) == []
    with pytest.raises(rule.Refused):
        queries.open_file(actor=stranger, state=kept)


def test_a_document_on_paper_says_where_it_is(takahashi):
    put(takahashi, P_001=row(place="本社 書庫A"))
    state = queries.document(actor=takahashi, code="P-001", day=DAY)
    with pytest.raises(UserError, match="書庫A"):
        queries.open_file(actor=takahashi, state=state)
    assert not Event.objects.filter(name="document:download").exists()


# --- checks


def test_policies_not_started_then_missing_then_in_force(sakura, takahashi):
    assert run("documents.policies", sakura).state is Operated.NOT_STARTED
    put(takahashi, P_001=row(kind="policy", in_force_from=DAY + dt.timedelta(1), approved_by="代表取締役"))
    result = run("documents.policies", sakura)
    assert (result.state, codes(result)) == (Operated.NO, ["documents.no-policy"])
    later = run("documents.policies", sakura, DAY + dt.timedelta(1))
    assert (later.state, later.findings) == (Operated.YES, ())
    assert "代表取締役" in later.facts[0].render()


def test_a_policy_without_approver_or_day_is_a_must_finding(sakura, takahashi):
    put(takahashi, P_001=row(kind="policy", approved_by="代表取締役"), P_002=row(kind="policy", in_force_from=None))
    result = run("documents.policies", sakura)
    assert result.state is Operated.PARTIAL
    assert codes(result) == ["documents.policy-undated", "documents.policy-unapproved"]
    assert {finding.subject.label for finding in result.findings} == {"P-002 運用手順書"}
    assert all(finding.severity is Severity.MUST for finding in result.findings)


def test_prompt_access_names_what_is_missing(sakura, takahashi, django_assert_max_num_queries):
    assert run("documents.prompt-access", sakura).state is Operated.NOT_STARTED
    put(
        takahashi,
        C_001=row(kind="contract", version="", reviewed_on=None, in_force_from=dt.date(2015, 4, 1)),
        M_001=row(kind="manual", place="", department=""),
        P_001=row(),
        E_001=row(kind="evidence", place="", department="", version=""),
    )
    with django_assert_max_num_queries(2):
        result = run("documents.prompt-access", sakura)
    assert result.state is Operated.PARTIAL
    assert [(finding.subject.label[:5], finding.code) for finding in result.findings] == [
        ("C-001", "documents.no-version"),
        ("M-001", "documents.no-place"),
        ("M-001", "documents.no-department"),
    ]
    put(takahashi, C_001=row(kind="contract"), M_001=row(kind="manual"))
    assert run("documents.prompt-access", sakura).state is Operated.YES


@pytest.mark.parametrize(
    ("reviewed", "in_force", "overdue"),
    [
        (dt.date(2025, 11, 22), dt.date(2020, 4, 1), False),  # twelve months to the day
        (dt.date(2025, 11, 21), dt.date(2020, 4, 1), True),
        (None, dt.date(2025, 11, 22), False),  # a version this young needs no review yet
        (None, dt.date(2025, 11, 21), True),
        (None, None, True),
        (dt.date(2020, 4, 1), dt.date(2026, 4, 1), False),
    ],
)
def test_a_review_is_due_after_the_months_of_the_provision(sakura, takahashi, reviewed, in_force, overdue):
    put(takahashi, P_001=row(reviewed_on=reviewed, in_force_from=in_force))
    result = run("documents.prompt-access", sakura)
    assert result.state is Operated.YES
    assert codes(result) == (["documents.review-overdue"] if overdue else [])
    assert all(finding.severity is Severity.SHOULD for finding in result.findings)


def test_a_longer_cycle_in_the_regulation_counts_and_is_named_as_its_basis(sakura, takahashi):
    put(takahashi, P_001=row(reviewed_on=dt.date(2023, 11, 21), in_force_from=None))
    three_years = Provision("documents.review-months", 36, "か月", "第27条")
    [finding] = run("documents.prompt-access", sakura, review=three_years).findings
    assert finding.basis == "regulation"
    assert not run("documents.prompt-access", sakura, review=Provision("documents.review-months", 37, "か月")).findings


def test_a_public_contract_breaks_the_access_restriction(sakura, takahashi, django_assert_max_num_queries):
    assert run("documents.access-restriction", sakura).state is Operated.NOT_STARTED
    put(takahashi, C_001=row(kind="contract", classification="public"), P_001=row(classification="public"))
    with django_assert_max_num_queries(2):
        result = run("documents.access-restriction", sakura)
    assert (result.state, codes(result)) == (Operated.PARTIAL, ["documents.public-contract"])
    put(takahashi, C_001=row(kind="contract", classification="restricted"))
    result = run("documents.access-restriction", sakura)
    assert result.state is Operated.YES
    assert "公開1件" in result.facts[1].render()
    assert "関係者限1件" in result.facts[1].render()


# --- annex and list


def test_the_internal_ledger_shows_places_and_counts_evidence(sakura, takahashi):
    put(
        takahashi,
        P_001=row(classification="public"),
        X_001=row(kind="diagram", title="構成図", classification="secret", retention_years=None),
        E_001=row(kind="evidence"),
        O_001=row(title="旧手順", withdrawn_on=DAY),
    )
    [table] = document_ledger(organization=sakura, day=DAY, rendering=Rendering.INTERNAL)
    assert [cells[0] for cells in table.rows] == ["P-001", "X-001"]
    assert table.rows[0] == ("P-001", "運用手順書", "第1版", "技術部", "紙（本社 書庫A）", "公開", "10年")
    assert "証跡1件" in table.note
    assert all(len(cells) == len(table.columns) for cells in table.rows)


def test_the_internal_ledger_never_names_what_is_restricted(sakura, takahashi):
    put(
        takahashi,
        P_001=row(classification="internal", retention_years=None),
        X_001=row(kind="diagram", title="秘密構成図", classification="secret", version="第9版"),
        X_002=row(kind="contract", title="合併契約", classification="restricted"),
    )
    [table] = document_ledger(organization=sakura, day=DAY, rendering=Rendering.INTERNAL)
    assert table.rows[0][1] == "運用手順書"
    assert table.rows[0][-1] == "－"
    assert table.rows[1:] == (
        ("X-001", "図面（名称の記載省略）", "－", "技術部", "－", "極秘", "－"),
        ("X-002", "契約書（名称の記載省略）", "－", "技術部", "－", "関係者限", "－"),
    )
    assert table.note == "閲覧区分が関係者限以上の文書は、名称の記載を省略し、文書の台帳で管理する。"
    with clock.at(DAY + dt.timedelta(1)):
        put(takahashi, DAY + dt.timedelta(1), P_001=row(classification="secret"))
        [table] = document_ledger(organization=sakura, day=DAY, rendering=Rendering.INTERNAL)
        assert table.rows[0][1] == "手順書（名称の記載省略）", (
            "what is secret today is not named as of yesterday either"
        )


def test_facts_that_everybody_reads_name_no_restricted_policy(sakura, takahashi):
    put(takahashi, P_001=row(kind="policy", title="買収方針", classification="secret", approved_by="取締役会"))
    result = run("documents.policies", sakura)
    assert result.state is Operated.YES
    assert "買収方針" not in "".join(fact.render() for fact in result.facts)


def test_the_disclosed_ledger_tells_neither_places_nor_the_titles_of_restricted_documents(sakura, takahashi):
    put(
        takahashi,
        P_001=row(classification="internal"),
        X_001=row(kind="diagram", title="秘密構成図", classification="secret"),
        X_002=row(kind="diagram", title="関係者構成図", classification="restricted"),
    )
    tables = document_ledger(organization=sakura, day=DAY, rendering=Rendering.DISCLOSURE)
    text = "".join("".join(cells) for table in tables for cells in table.rows)
    assert "書庫" not in text
    assert "構成図" not in text
    assert [cells[0] for cells in tables[0].rows] == ["P-001"]
    assert list(tables[1].rows) == [("図面", "2件")]
    assert all(len(cells) == len(table.columns) for table in tables for cells in table.rows)


def test_the_list_shows_the_rows_of_the_day_and_filters_by_level(sakura, takahashi):
    put(takahashi, P_001=row(classification="public"), P_002=row(in_force_from=DAY + dt.timedelta(1)))
    spec = lists.get("document")
    rows = {found.code: found for found in spec.query(actor=takahashi, day=DAY)}
    standing = next(column for column in spec.columns if column.key == "standing")
    assert standing.cell(rows["P-001"]).tone == "ok"
    assert standing.cell(rows["P-002"]).text == "施行前"
    by_level = next(each for each in spec.filters if each.key == "classification")
    assert [found.code for found in by_level.apply(spec.query(actor=takahashi, day=DAY), "public")] == ["P-001"]
    assert not by_level.apply(spec.query(actor=takahashi, day=DAY), "nonsense").exists()
    with translation.override("en"):
        assert dict(by_level.options(takahashi, DAY))["secret"] == "Secret"
    cells = [column.cell(found) for column in spec.columns for found in rows.values()]
    assert Classification.SECRET.label not in cells
    assert spec.query(actor=takahashi, day=DAY).filter(spec.search("手順")).count() == 2
