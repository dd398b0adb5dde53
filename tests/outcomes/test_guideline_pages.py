"""The guideline's pages: the catalogue, what is known of 2.0, confirming and correcting a requirement."""

from __future__ import annotations

import pytest

from kitei.outcomes.guidelines import review
from kitei.outcomes.guidelines.models import ClauseReview
from kitei.trust.auditlog.models import Event

pytestmark = pytest.mark.django_db
UNVERIFIED = "mic-meti-1.1/5.1.6/a-1"


def labels(page):
    return [row["clause"].label for group in page.context["groups"] for row in group["rows"]]


def test_the_catalogue_says_which_edition_is_measured_and_marks_what_is_unverified(officer):
    page = officer.get("/guideline/")
    text = page.content.decode()
    assert "第1.1版（旧版。現行は第2.0版、原文未確認）" in text
    assert "要確認" in text
    assert {"イ-2", "S-1", "R-19"} <= set(labels(page))


def test_filters_narrow_by_section_level_and_provenance(officer):
    assert set(labels(officer.get("/guideline/?section=5.1.6&level=should"))) == {"ウ-3"}
    unverified = labels(officer.get("/guideline/?section=5.1.6&provenance=open"))
    assert "ア-1" in unverified
    assert "イ-1" not in unverified


@pytest.mark.parametrize("address", ["?section=99", "?level=<b>", "?edition=nothing", "?provenance=%00"])
def test_an_unknown_filter_narrows_nothing(officer, address):
    assert officer.get(f"/guideline/{address}").status_code == 200


def test_the_newer_edition_says_what_is_known(officer):
    text = officer.get("/guideline/?edition=mic-meti-2.0").content.decode()
    assert "判定に使っている版ではありません" in text
    assert "まだ登録されていません" in text
    assert "公表元のページ" in text


def test_confirming_a_requirement_makes_it_count_and_is_recorded(officer, sakura):
    assert "要確認" in officer.get(f"/guideline/clause/{UNVERIFIED}/").content.decode()
    answer = officer.post(f"/guideline/clause/{UNVERIFIED}/", {"page": "PDF 40頁", "level": "shall"})
    assert answer.status_code == 302
    row = ClauseReview.objects.get()
    assert (row.page, row.reviewed_by, row.corrected) == ("PDF 40頁", "佐藤 恵子", False)
    assert review.edition_for(sakura).clause(UNVERIFIED).verified
    assert Event.objects.filter(name="clause:review").count() == 1
    assert "自社の照合" in officer.get(f"/guideline/clause/{UNVERIFIED}/").content.decode()


def test_a_correction_is_shown_with_what_kitei_shipped(officer, sakura):
    shipped = review.edition_for(sakura).clause(UNVERIFIED).statement_ja
    officer.post(
        f"/guideline/clause/{UNVERIFIED}/",
        {"page": "40", "statement_ja": "個人情報保護方針を策定すること。", "level": "should"},
    )
    page = officer.get(f"/guideline/clause/{UNVERIFIED}/")
    assert page.context["clause"].statement_ja == "個人情報保護方針を策定すること。"
    assert page.context["clause"].level == "should"
    assert shipped in page.content.decode()


@pytest.mark.parametrize(
    ("given", "told"), [({"page": ""}, "照合した頁を書いてください"), ({"page": "40", "level": "perhaps"}, "perhaps")]
)
def test_a_faulty_review_is_told_and_nothing_typed_is_lost(officer, given, told):
    answer = officer.post(f"/guideline/clause/{UNVERIFIED}/", {**given, "statement_ja": "書きかけの文"})
    assert answer.status_code == 422
    assert told in answer.content.decode()
    assert "書きかけの文" in answer.content.decode()
    assert not ClauseReview.objects.exists()


def test_who_may_not_sees_no_form_and_is_refused(browser):
    auditor = browser("小林 隆", "audit-officer")
    assert "照合を記録する" not in auditor.get(f"/guideline/clause/{UNVERIFIED}/").content.decode()
    assert auditor.post(f"/guideline/clause/{UNVERIFIED}/", {"page": "40"}).status_code == 404
    assert not ClauseReview.objects.exists()


def test_an_unknown_requirement_is_the_one_404_page(officer):
    assert officer.get("/guideline/clause/mic-meti-1.1/5.1.6/z-9/").status_code == 404


def test_another_organizations_review_does_not_count_here(browser, officer, tsubaki, sakura):
    neighbour = browser("椿 花子", "security-officer", organization=tsubaki)
    neighbour.post(f"/guideline/clause/{UNVERIFIED}/", {"page": "40"})
    assert not review.edition_for(sakura).clause(UNVERIFIED).verified
    assert "自社の照合" not in officer.get(f"/guideline/clause/{UNVERIFIED}/").content.decode()


def test_the_catalogue_in_english(officer):
    officer.post("/language", {"language": "en"})
    text = officer.get("/guideline/").content.decode()
    assert "Requirements of the guideline" in text
    assert "to be checked" in text.lower()
