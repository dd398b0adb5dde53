"""The model regulation: complete, consistent, free of names, and worded as a Japanese 規程 is."""

from __future__ import annotations

import re

import pytest

from kitei.foundation.sheets.table import Nature
from kitei.outcomes.regulation import provisions
from kitei.outcomes.regulation.compose import citations, compose, settle_supplements
from kitei.outcomes.regulation.model_text import model_text
from kitei.outcomes.regulation.source import AnnexNature, clauses, parse, serialise

FACTS = {"organization.name": "株式会社みらい医療システム", "edition.effective-on": "令和8年12月1日"}

VERIFIED_TOPICS = {
    "ア-3": "institutions.deceased-data",
    "ア-4": "documents.policies",
    "ア-5": "people.observance",
    "イ-1": "people.chief-officer",
    "イ-2": "people.administrator-ability",
    "イ-3": "people.operations-supervisor",
    "イ-4": "people.privacy-officer",
    "イ-5": "people.appointment-rules",
    "イ-6": "people.emergency",
    "イ-7": "suppliers.organisation",
    "ウ-1": "documents.prompt-access",
    "ウ-2": "documents.access-restriction",
    "ウ-3": "documents.detection",
    "エ-1": "equipment.responsibility",
    "エ-2": "equipment.location",
    "オ": "risks.operation",
}
OTHER_TOPICS = {
    "disclosure.plain",
    "disclosure.written",
    "institutions.risk-agreement",
    "institutions.role-sharing",
    "people.privacy-policy",
    "people.privacy-law",
    "media.control",
    "institutions.patient-explanation",
    "audit.internal",
    "institutions.inquiries",
    "regulation.review",
}
# What each of the researched outline's articles became: its number there, our id, our caption.
REQUIRED = {
    1: ("purpose", "目的"),
    2: ("policy", "基本方針及び管理目的"),
    3: ("scope", "適用範囲"),
    4: ("definitions", "定義"),
    5: ("compliance", "法令等の遵守"),
    6: ("deceased", "死者に係る情報"),
    7: ("hierarchy", "規程体系"),
    8: ("chief-officer", "管理責任者"),
    9: ("security-officer", "情報セキュリティ責任者"),
    10: ("administrator", "システム管理者"),
    11: ("operations-supervisor", "運用事務統括責任者"),
    12: ("privacy-officer", "個人情報保護責任者"),
    13: ("audit-officer", "監査責任者"),
    15: ("committee", "情報セキュリティ委員会"),
    16: ("appointment", "選任及び解任"),
    17: ("deputy", "兼務の制限及び代行"),
    18: ("emergency-organisation", "緊急時の体制"),
    19: ("subcontracting", "再委託の原則"),
    20: ("supplier-selection", "選定及び評価"),
    21: ("supplier-contract", "契約に定める事項"),
    22: ("supplier-organisation", "再委託先の体制の把握"),
    23: ("supplier-inspection", "点検及び再委託の終了"),
    24: ("document-ledger", "管理対象文書及び台帳"),
    25: ("document-approval", "作成、承認及び公布"),
    26: ("access-restriction", "閲覧及び操作の制限"),
    27: ("prompt-access", "迅速な閲覧の確保"),
    28: ("detection", "不正な閲覧及び操作の検出及び記録"),
    29: ("retention", "保存及び廃棄"),
    30: ("equipment-ledger", "機器台帳"),
    31: ("equipment-responsibility", "管理責任の所在"),
    32: ("location-confirmation", "所在確認"),
    33: ("vulnerability", "脆弱性管理及び更新"),
    37: ("equipment-disposal", "廃棄及びデータ消去"),
    38: ("media-ledger", "媒体管理簿"),
    41: ("media-disposal", "記録媒体の廃棄"),
    42: ("risk-assessment", "リスクアセスメントの実施"),
    43: ("risk-operation", "リスク対応策の運用手順"),
    44: ("accounts", "アカウント及び権限の管理"),
    46: ("logs", "ログの取得、保全及び点検"),
    48: ("backup", "バックアップ及び復旧"),
    52: ("storage-location", "保存場所及び適用法令"),
    54: ("confidentiality", "守秘義務及び誓約書"),
    55: ("training", "教育及び訓練"),
    57: ("disclosure", "情報提供及び開示文書"),
    58: ("patient-explanation", "患者等への説明及び同意の支援"),
    59: ("institution-contract", "責任分界及び契約"),
    60: ("termination", "契約終了時の返却及び消去"),
    61: ("inquiry-desk", "窓口"),
    63: ("incident-classes", "事案の区分"),
    64: ("incident-report", "発見時の報告"),
    66: ("institution-report", "医療機関等への報告"),
    67: ("authority-report", "個人情報保護委員会等への報告及び本人への通知"),
    69: ("recurrence-prevention", "原因究明及び再発防止"),
    70: ("continuity", "事業継続及び訓練"),
    72: ("internal-audit", "内部監査"),
    74: ("management-review", "経営者への報告及び第三者評価"),
    75: ("violation", "違反の報告、調査及び措置"),
    77: ("review", "見直し"),
    78: ("amendment", "改廃"),
    79: ("minor-change", "軽微な変更"),
}
PROVISIONS = {
    "people.administrator-years": (5, "年"),
    "people.term-years": (1, "年"),
    "people.emergency-confirm-days": (90, "日"),
    "people.committee-months": (3, "か月"),
    "people.training-months": (12, "か月"),
    "people.drill-months": (12, "か月"),
    "people.deputy-max-days": (90, "日"),
    "people.qualification-warn-days": (90, "日"),
    "suppliers.confirm-months": (12, "か月"),
    "documents.review-months": (12, "か月"),
    "documents.emergency-copy-days": (31, "日"),
    "documents.log-review-months": (1, "か月"),
    "equipment.confirm-months-a": (6, "か月"),
    "equipment.confirm-months-b": (12, "か月"),
    "equipment.support-warn-days": (180, "日"),
    "equipment.vulnerability-days": (14, "日"),
    "risks.assessment-months": (12, "か月"),
    "regulation.review-months": (12, "か月"),
    "regulation.report-months": (1, "か月"),
    "incidents.first-report-hours": (24, "時間"),
    "incidents.internal-report-hours": (1, "時間"),
    "inquiries.first-answer-days": (3, "日"),
}
ANNEXES = {
    "services": ("1", "対象サービス一覧", AnnexNature.FACT),
    "references": ("2", "準拠文書一覧", AnnexNature.PROVISION),
    "documents": ("3", "文書台帳", AnnexNature.FACT),
    "officers": ("4", "責任者一覧", AnnexNature.FACT),
    "qualifications": ("5", "資格及び実務経験", AnnexNature.MIXED),
    "emergency": ("7", "緊急連絡網", AnnexNature.FACT),
    "suppliers": ("8", "再委託先", AnnexNature.FACT),
    "equipment": ("9", "機器台帳集計", AnnexNature.FACT),
    "responsibility": ("10", "責任分界表", AnnexNature.MIXED),
    "measures": ("13", "リスク対応・運用手順対応表", AnnexNature.MIXED),
}


@pytest.fixture(scope="module")
def source():
    return parse(model_text())


@pytest.fixture(scope="module")
def composed(source):
    return compose(source, facts=FACTS)


@pytest.fixture(scope="module")
def printed(composed):
    """Every sentence of the articles and supplements as a person reads it: (place, is 項, text, has items)."""
    owners = [article for chapter in composed.chapters for article in chapter.articles]
    found = []
    for owner in [*owners, *composed.supplements]:
        for paragraph in owner.paragraphs:
            found.append((paragraph.id, True, _sentence(paragraph.runs)))
            for item in paragraph.items:
                found.append((item.id, False, _sentence(item.runs)))
                found += [(subitem.id, False, _sentence(subitem.runs)) for subitem in item.items]
    return found


def _sentence(runs):
    return "".join(run.text for run in runs)


def _body(source, article_id):
    article = next(article for article in source.articles if article.id == article_id)
    return [run for _key, clause in clauses(article.id, article.paragraphs) for run in clause.runs]


def _read(composed, article_id):
    """Return a whole article as one printed text."""
    article = next(article for chapter in composed.chapters for article in chapter.articles if article.id == article_id)
    return "\n".join(
        _sentence(clause.runs) for paragraph in article.paragraphs for clause in (paragraph, *paragraph.items)
    )


@pytest.mark.parametrize(("clause", "topic"), VERIFIED_TOPICS.items())
def test_every_verified_clause_has_a_stating_article(source, clause, topic):
    assert citations(source).get(topic), f"{clause} is stated nowhere"


def test_the_topics_used_are_exactly_the_known_ones(source):
    assert set(citations(source)) == set(VERIFIED_TOPICS.values()) | OTHER_TOPICS


@pytest.mark.parametrize(("identifier", "caption"), REQUIRED.values())
def test_every_article_of_the_outline_is_there(source, identifier, caption):
    assert {article.id: article.caption for article in source.articles}.get(identifier) == caption


def test_it_has_fourteen_chapters_sixty_articles_and_the_announcement(source):
    assert len(source.chapters) == 14
    assert len(source.articles) >= 60
    assert "monitoring-notice" in {article.id for article in source.articles}


def test_articles_are_numbered_without_a_gap(composed):
    articles = [article for chapter in composed.chapters for article in chapter.articles]
    assert [article.label for article in articles] == [f"第{number}条" for number in range(1, len(articles) + 1)]


def test_annexes_are_declared_as_agreed(source):
    assert {annex.id: (annex.number, annex.title, annex.nature) for annex in source.annexes} == ANNEXES


def test_every_annex_is_cited_and_every_cited_annex_is_declared(source, composed):
    assert [annex.label for annex in composed.annexes if not annex.article] == []
    cited = {
        run.target.removeprefix("annex:")
        for article in source.articles
        for run in _body(source, article.id)
        if run.target.startswith("annex:")
    }
    assert cited == set(ANNEXES)


def test_every_value_a_check_reads_is_declared_and_stated(source):
    read = provisions.read(source)
    assert {key: (read[key].value, read[key].unit) for key in PROVISIONS} == PROVISIONS
    assert all(re.match(r"第\d+条", provision.article) for provision in read.values())
    assert set(read) == set(provisions.names(source)), "a declared value that no sentence states"


def test_bodies_hold_no_facts_but_the_company_and_the_day(source):
    facts = {run.target for article in source.articles for run in _body(source, article.id) if run.kind == "fact"}
    assert facts == {"organization.name"}
    supplements = {
        run.target
        for supplement in source.supplements
        for _key, clause in clauses(supplement.id, supplement.paragraphs)
        for run in clause.runs
        if run.kind == "fact"
    }
    assert supplements == {"edition.effective-on"}


def test_bodies_hold_no_telephone_number_mail_or_honorific(printed):
    for place, _is_paragraph, text in printed:
        assert not re.search(r"\d{2,4}-\d{2,4}|@|殿|さん|氏(?!名)", text), (place, text)


def test_the_day_of_effect_is_printed_in_the_supplement(composed, source):
    assert _sentence(composed.supplements[0].paragraphs[0].runs) == "この規程は、令和8年12月1日から施行する。"
    assert "令和8年12月1日" in serialise(settle_supplements(source, facts=FACTS))


def test_the_text_is_canonical_but_for_its_comments(source):
    assert parse(serialise(source)) == source
    written = [line for line in model_text().splitlines() if line and not line.startswith("#")]
    assert [line for line in serialise(source).splitlines() if line] == written


def test_the_administrator_needs_a_qualification_and_practice(composed):
    text = _read(composed, "administrator")
    assert "次の各号のいずれにも該当する者" in text
    assert "別表5第1表に掲げる資格を有する者" in text
    assert "通算して5年以上従事した者" in text
    assert "その理由" in text


def test_appointment_states_roles_appointment_and_dismissal(composed):
    text = _read(composed, "appointment")
    for word in ("任命書", "役割", "任期", "解任する", "解任通知書", "辞任", "引継書", "発令日から1年"):
        assert word in text


def test_detection_states_recording_refusals_and_monthly_review(composed):
    text = _read(composed, "detection")
    assert "拒否した閲覧及び操作は、全て検出し、記録する" in text
    assert "1か月に1回以上点検" in text
    assert "あらかじめ周知する" in _read(composed, "monitoring-notice")


def test_deceased_data_is_included_unless_a_reason_is_recorded(composed):
    text = _read(composed, "deceased")
    assert "同等の安全管理措置" in text
    assert "死者に係る情報を含まない区分を設けるときは、その理由を記録" in text


def test_fact_annexes_follow_the_registers_without_approval_and_are_reported(composed):
    text = _read(composed, "minor-change")
    assert "手続を要しない" in text
    assert "1か月に1回以上、管理責任者及び委員会に報告" in text


def test_officers_stand_in_the_annex_only(composed):
    for role in ("chief-officer", "security-officer", "operations-supervisor", "privacy-officer", "audit-officer"):
        assert "氏名その他の現況は、別表4のとおりとする。" in _read(composed, role)


def test_written_annex_tables_are_provisions_and_complete(composed):
    tables = {annex.id: annex.tables for annex in composed.annexes if annex.tables}
    assert set(tables) == {"annex:references", "annex:qualifications", "annex:responsibility"}
    for table in (table for group in tables.values() for table in group):
        assert {column.nature for column in table.columns} == {Nature.PROVISION}
        assert all(cell for row in table.rows for cell in row)
    qualifications = "".join(row[0] for row in tables["annex:qualifications"][0].rows)
    for name in (
        "情報処理安全確保支援士",
        "医療情報技師",
        "情報セキュリティマネジメント試験",
        "応用情報",
        "CISSP",
        "CISA",
        "CISM",
    ):
        assert name in qualifications
    parties = {cell for row in tables["annex:responsibility"][0].rows for cell in row[1:]}
    assert parties == {"当社", "医療機関等", "再委託先"}, "exactly one responsible party in each box"


def test_every_paragraph_is_a_sentence(printed):
    assert [place for place, is_paragraph, text in printed if is_paragraph and not text.endswith("。")] == []


def test_items_of_one_list_end_alike(composed):
    """A 号 that is a sentence ends with 。; a list does not mix sentences and nouns."""
    for chapter in composed.chapters:
        for article in chapter.articles:
            for paragraph in article.paragraphs:
                endings = {_sentence(item.runs).endswith("。") for item in paragraph.items}
                assert len(endings) <= 1, paragraph.id


@pytest.mark.parametrize(
    ("wrong", "why"),
    [
        ("準用", "an article that applies directly is not applied by analogy"),
        ("エビデンス", "証跡"),
        ("ガバナンス", "体制"),
        ("監査ログ", "操作の記録"),
        ("不正な値", "says nothing"),
        ("です。", "である体"),
        ("ます。", "である体"),
        ("または", "又は"),
        ("および", "及び"),
        ("ならびに", "並びに"),
        ("もしくは", "若しくは"),
        ("すべて", "全て"),
        ("又わ", "又は"),
        ("ヶ月", "か月"),
        ("，", "、"),
        ("、、", "doubled"),
        ("。。", "doubled"),
        ("別表4に定める", "別表4のとおりとする: the annex holds facts"),
        ("別表7に定める", "the annex holds facts"),
        ("別表8に定める", "the annex holds facts"),
        ("別表9に定める", "the annex holds facts"),
        ("年年", "unit doubled"),
        ("日日", "unit doubled"),
        ("か月か月", "unit doubled"),
    ],
)
def test_wording(printed, wrong, why):
    assert [(place, text) for place, _is_paragraph, text in printed if wrong in text] == [], why


def test_stock_taking_is_never_called_an_audit(composed):
    assert "監査" not in _read(composed, "location-confirmation")


def test_relative_words_point_at_a_neighbour_only(printed):
    """「前項」 and 「前2項」 stay right only while the neighbour stays: none in a first paragraph, and never 前条 or 次条."""
    for place, is_paragraph, text in printed:
        assert not re.search(r"前条|次条|同条|本条", text), place
        if is_paragraph and place.endswith("#1"):
            assert "前項" not in text, place
