"""Putting editions into force: frozen by value, provisions read from them, the company's own text, stated × operated."""

from __future__ import annotations

import datetime as dt
import io

import docx
import pypdf
import pytest

from kitei.engine.checks import operations as checks
from kitei.engine.checks.model import Operated
from kitei.foundation import clock, transactions
from kitei.foundation.files import store
from kitei.foundation.sheets.spec import Changes, get
from kitei.foundation.sheets.table import Rendering
from kitei.foundation.text import UserError
from kitei.outcomes.guidelines import review
from kitei.outcomes.regulation import coverage, operations, packing, publication, queries
from kitei.outcomes.regulation.coverage import Stated
from kitei.outcomes.regulation.model_text import model_text
from kitei.outcomes.regulation.models import Edition
from kitei.registers.people import operations as people
from kitei.trust.access import rule
from kitei.trust.auditlog.models import Event

pytestmark = pytest.mark.django_db
DAY = dt.date(2026, 11, 22)


@pytest.fixture
def drafted(sakura, operator):
    operations.put_draft(actor=operator, organization=sakura)
    return sakura


@pytest.fixture
def chief(sakura, operator):
    people.members.put(
        actor=operator,
        organization=sakura,
        rows={
            "1": {"code": "1", "family_name": "佐藤", "given_name": "恵子", "joined_on": dt.date(2010, 4, 1)},
            "2": {"code": "2", "family_name": "渡邉", "given_name": "進", "joined_on": dt.date(2010, 4, 1)},
        },
    )
    appoint(operator, sakura, "1", dt.date(2020, 4, 1))


def appoint(operator, sakura, member, since):
    values = {"code": "A1", "role": "chief-officer", "member": member, "valid_from": since, "article": "第15条"}
    people.appoint_many(actor=operator, organization=sakura, rows={"A1": values})


def adopt(operator, sakura, effective_on, **facts):
    return operations.adopt(
        actor=operator, prepared=operations.prepare_model(organization=sakura, effective_on=effective_on, **facts)
    )


def word_file():
    stream = io.BytesIO()
    document = docx.Document()
    document.add_paragraph("第1条 目的")
    document.save(stream)
    return stream.getvalue()


class TestAdopting:
    def test_an_edition_is_in_force_from_its_day(self, drafted, operator):
        adopt(operator, drafted, DAY)
        assert queries.edition_in_force(organization=drafted, day=DAY).label == "第1版"
        assert queries.edition_in_force(organization=drafted, day=DAY - dt.timedelta(days=1)) is None

    def test_its_documents_and_tree_are_frozen_by_value(self, drafted, operator, chief):
        edition = adopt(operator, drafted, DAY)
        before = packing.content_hash(publication.frozen(organization=drafted, edition=edition))
        appoint(operator, drafted, "2", DAY)
        people.company_apply(
            actor=operator,
            organization=drafted,
            changes=Changes(
                added=[],
                changed=[
                    (
                        "sakura",
                        {},
                        {**people.company_existing(organization=drafted, keys=None)["sakura"], "name": "別の会社"},
                    )
                ],
            ),
        )
        assert (
            packing.content_hash(publication.frozen(organization=drafted, edition=edition))
            == before
            == edition.content_hash
        )
        assert store.read(edition.pdf.digest).startswith(b"%PDF")
        assert {name: getattr(edition, name).name.rpartition(".")[2] for name in ("docx", "pdf", "html")} == {
            "docx": "docx", "pdf": "pdf", "html": "html",
        }  # fmt: skip

    def test_the_page_shows_the_new_holder_and_says_what_changed_since(self, drafted, operator, chief):
        adopt(operator, drafted, DAY)
        appoint(operator, drafted, "2", dt.date(2020, 4, 1))
        published = publication.current(organization=drafted, day=DAY)
        assert [annex.label for annex in published.changed] == ["別表4"]
        assert "渡邉 進" in str(published.changed[0].tables)

    def test_the_disclosure_rendering_names_nobody(self, drafted, operator, chief):
        adopt(operator, drafted, DAY, approved_by="佐藤 恵子")
        published = publication.current(organization=drafted, day=DAY, rendering=Rendering.DISCLOSURE)
        assert "佐藤" not in str(packing.pack(published.tree))

    def test_the_tree_survives_packing(self, drafted, operator, chief):
        published = publication.current(organization=drafted, day=DAY)
        assert packing.unpack(packing.pack(published.tree)) == published.tree

    def test_an_edition_before_one_that_is_already_in_force_is_refused(self, drafted, operator):
        adopt(operator, drafted, DAY)
        with pytest.raises(UserError, match="その日以後"):
            operations.prepare_model(organization=drafted, effective_on=DAY - dt.timedelta(days=1))

    def test_a_label_is_used_once(self, drafted, operator):
        adopt(operator, drafted, DAY, label="第4.1版")
        with pytest.raises(UserError, match=r"第4\.1版"):
            adopt(operator, drafted, DAY + dt.timedelta(days=1), label="第4.1版")
        assert Edition.objects.count() == 1

    def test_an_ordinary_member_may_not_adopt(self, drafted, operator, member):
        tanaka, _user = member("田中 一郎")
        prepared = operations.prepare_model(organization=drafted, effective_on=DAY)
        with pytest.raises(rule.Refused):
            operations.adopt(actor=tanaka, prepared=prepared)
        assert not Edition.objects.exists()

    def test_the_auditor_may_not_adopt_what_he_audits(self, drafted, member):
        auditor, _user = member("監査 太郎", "audit-officer")
        prepared = operations.prepare_model(organization=drafted, effective_on=DAY)
        with pytest.raises(rule.Refused):
            operations.adopt(actor=auditor, prepared=prepared)

    def test_adopting_is_one_event_with_the_digests_of_the_documents(self, drafted, operator):
        edition = adopt(operator, drafted, DAY)
        event = Event.objects.get(name="regulation:adopt")
        assert edition.content_hash in bytes(event.payload).decode()
        assert edition.docx.digest in bytes(event.payload).decode()

    def test_a_later_edition_keeps_the_supplement_of_the_first(self, drafted, operator):
        adopt(operator, drafted, dt.date(2026, 4, 1))
        first = Edition.objects.get().source_text
        assert "令和8年4月1日" in first


class TestProvisions:
    def test_checks_read_the_edition_in_force_that_day(self, drafted, operator):
        adopt(operator, drafted, dt.date(2026, 4, 1))
        text = model_text().replace("people.administrator-years = 5 年", "people.administrator-years = 3 年")
        operations.put_draft(actor=operator, organization=drafted, text=text)
        adopt(operator, drafted, DAY)
        values = [
            queries.provisions_in_force(organization=drafted, day=day)["people.administrator-years"].value
            for day in (DAY - dt.timedelta(days=1), DAY)
        ]
        assert values == [5, 3]

    def test_a_faulty_text_is_refused_and_the_draft_stays(self, drafted, operator):
        before = queries.draft_text(organization=drafted)
        with pytest.raises(UserError):
            operations.put_draft(actor=operator, organization=drafted, text="条 x 目的\n項 {条:nowhere}による。")
        assert queries.draft_text(organization=drafted) == before


class TestOwnRegulation:
    @pytest.fixture
    def listed(self, sakura, operator):
        rows = [
            {"code": "第3条", "position": 0, "caption": "責任者", "clauses": "イ-1、イ-3", "page": "2", "provision": "", "provision_value": None},
            {"code": "第12条", "position": 0, "caption": "技術者", "clauses": "イ-2", "page": "5",
             "provision": "people.administrator-years", "provision_value": 7},
        ]  # fmt: skip
        get("own-article").apply(actor=operator, organization=sakura, changes=Changes(added=rows, changed=[]))
        return sakura

    def test_citations_use_its_numbers(self, listed, operator):
        prepared = operations.prepare_own(
            organization=listed, effective_on=DAY, file_name="規程.docx", content=word_file(), label="第4版"
        )
        operations.adopt(actor=operator, prepared=prepared)
        rows = {row.clause.label: row for row in coverage.at(organization=listed, day=DAY).rows}
        assert [(c.label, c.page) for c in rows["イ-2"].citations] == [("第12条", "5")]
        assert rows["イ-1"].stated is Stated.YES
        assert rows["ウ-1"].stated is Stated.NO

    def test_its_provisions_hold(self, listed, operator):
        prepared = operations.prepare_own(
            organization=listed, effective_on=DAY, file_name="規程.docx", content=word_file(), label="第4版"
        )
        operations.adopt(actor=operator, prepared=prepared)
        provision = queries.provisions_in_force(organization=listed, day=DAY)["people.administrator-years"]
        assert (provision.value, provision.article) == (7, "第12条")

    def test_the_original_is_given_out_unchanged(self, listed, operator):
        content = word_file()
        prepared = operations.prepare_own(
            organization=listed, effective_on=DAY, file_name="規程.docx", content=content, label=""
        )
        operations.adopt(actor=operator, prepared=prepared)
        published = publication.current(organization=listed, day=DAY)
        assert publication.formats(published, kinds=["pdf"]) == ["original", "pdf"]
        assert publication.document(published, kind="original") == ("規程.docx", content)

    def test_the_annexes_stand_beside_it_without_kiteis_text(self, listed, operator, chief):
        prepared = operations.prepare_own(
            organization=listed, effective_on=DAY, file_name="規程.docx", content=word_file(), label="第4版"
        )
        operations.adopt(actor=operator, prepared=prepared)
        published = publication.current(organization=listed, day=DAY)
        tree = publication.own_annexes(published)
        assert tree.chapters == ()
        assert "佐藤 恵子" in str(tree.annexes)
        assert all(table.sources for annex in tree.annexes for table in annex.tables)
        name, content = publication.document(published, kind="pdf")
        assert name == "KT-001_第4版_別表_20261122.pdf"
        assert content.startswith(b"%PDF")
        # No page that holds nothing but the title: cover, contents, then an annex a page.
        pages = [page.extract_text() for page in pypdf.PdfReader(io.BytesIO(content)).pages]
        assert "別表1" in pages[2]
        assert publication.document(published, kind="docx")[1].startswith(b"PK")
        assert "別表4" in publication.document(published, kind="html")[1].decode()

    def test_the_same_file_for_the_same_day_is_no_second_edition(self, listed, operator):
        content = word_file()
        for refused in (False, True):
            prepared = operations.prepare_own(
                organization=listed, effective_on=DAY, file_name="規程.docx", content=content, label=f"版{refused}"
            )
            if refused:
                with pytest.raises(UserError, match="同じ本文"):
                    operations.adopt(actor=operator, prepared=prepared)
            else:
                operations.adopt(actor=operator, prepared=prepared)

    @pytest.mark.parametrize(
        ("name", "content"), [("規程.pdf", b"PK\x03\x04..."), ("規程.docx", b"hello"), ("規程.docx", b"")]
    )
    def test_a_file_that_is_not_what_it_says_is_refused(self, listed, name, content):
        with pytest.raises(UserError):
            operations.prepare_own(organization=listed, effective_on=DAY, file_name=name, content=content, label="")

    def test_without_articles_nothing_is_adopted(self, sakura):
        with pytest.raises(UserError, match="現行規程"):
            operations.prepare_own(
                organization=sakura, effective_on=DAY, file_name="規程.docx", content=word_file(), label=""
            )


class TestCoverage:
    def test_a_draft_states_nothing_in_force(self, drafted):
        picture = coverage.at(organization=drafted, day=DAY)
        assert picture.stated_count == 0
        assert {row.stated for row in picture.counted} == {Stated.DRAFT}

    def test_the_model_text_states_every_counted_requirement(self, drafted, operator):
        adopt(operator, drafted, DAY)
        picture = coverage.at(organization=drafted, day=DAY)
        assert picture.stated_count == len(picture.counted) == 19

    def test_what_was_never_begun_is_not_to_be_dealt_with(self, drafted, operator):
        adopt(operator, drafted, DAY)
        picture = coverage.at(organization=drafted, day=DAY)
        assert picture.open_findings == ()
        assert all(row.operated is Operated.NOT_STARTED for row in picture.counted)

    def test_unverified_requirements_stand_outside_the_counts(self, drafted):
        picture = coverage.at(organization=drafted, day=DAY)
        assert {row.clause.label for row in picture.uncounted} == {"ア-1", "ア-2", "カ", "キ", "ク", "ケ", "コ", "R-22"}

    def test_a_confirmed_clause_is_counted_and_a_correction_shown(self, drafted, operator):
        review.review_clause(
            actor=operator,
            organization=drafted,
            edition="mic-meti-1.1",
            clause="mic-meti-1.1/5.1.6/ka-1",
            page="42",
            statement_ja="媒体を管理すること。",
        )
        picture = coverage.at(organization=drafted, day=DAY)
        row = next(row for row in picture.counted if row.clause.label == "カ")
        assert row.clause.statement_ja == "媒体を管理すること。"

    def test_an_accepted_finding_stays_listed_and_returns_on_its_day(self, drafted, operator, chief):
        appoint(operator, drafted, "1", dt.date(2027, 4, 1))
        open_now = coverage.at(organization=drafted, day=DAY).open_findings
        vacancy = next(judged for judged in open_now if judged.finding.code == "people.vacant-office")
        until = DAY + dt.timedelta(days=30)
        checks.accept_finding(
            actor=operator, organization=drafted, finding=vacancy.finding.key, reason="4月に着任する", until=until
        )
        for day, accepted in ((until, True), (until + dt.timedelta(days=1), False)):
            found = [
                j for j in coverage.at(organization=drafted, day=day).findings if j.finding.key == vacancy.finding.key
            ]
            assert [bool(judged.acceptance) for judged in found] == [accepted]

    @pytest.mark.parametrize(("reason", "days"), [("", 10), ("理由", -1), ("理由", 400)])
    def test_an_acceptance_needs_a_reason_and_an_end_within_a_year(self, sakura, operator, reason, days):
        with pytest.raises(UserError):
            checks.accept_finding(
                actor=operator, organization=sakura, finding="x", reason=reason, until=DAY + dt.timedelta(days=days)
            )

    def test_a_stored_run_reads_as_it_was_made(self, drafted, operator, chief):
        made = coverage.at(organization=drafted, day=DAY)
        coverage.run_and_store(organization=drafted, day=DAY)
        kept = coverage.current(organization=drafted)
        assert [row.operated for row in kept.rows] == [row.operated for row in made.rows]
        assert [j.finding for j in kept.findings] == [j.finding for j in made.findings]


class TestTheWorkerKeepsRunsFresh:
    def test_a_run_follows_a_change_and_the_new_day(self, drafted, operator, chief):
        from kitei.engine.checks.models import Run
        from kitei.foundation import transactions
        from kitei.foundation.jobs import queue
        from kitei.outcomes.regulation import jobs
        from kitei.trust.auditlog import logs, reactions, sequencer

        transactions.durable_or_join(lambda: logs.open_log(organization=drafted))

        def drain():
            sequencer.run(organization=drafted)
            reactions.run(organization=drafted)
            jobs.plan_runs()
            while queue.run_one():
                pass
            return Run.objects.count()

        assert drain() == 1
        assert drain() == 1  # nothing happened
        appoint(operator, drafted, "2", DAY)
        assert drain() == 2
        midnight = clock.start_of(DAY + dt.timedelta(days=1))
        with clock.at(midnight + dt.timedelta(minutes=4)):
            assert drain() == 2
        with clock.at(midnight + dt.timedelta(minutes=5)):
            assert drain() == 3


def test_bytes_are_equal_for_equal_input_and_stamp(drafted):
    tree = publication.current(organization=drafted, day=DAY).tree
    for kind in ("docx", "html", "pdf"):
        assert operations.rendering_of(tree, kind=kind) == operations.rendering_of(tree, kind=kind)


def test_operations_refuse_to_run_outside_a_transaction(transactional_db):
    with pytest.raises(RuntimeError):
        transactions.require()
