from __future__ import annotations

import ast
import dataclasses
import datetime as dt
import json
import re
from pathlib import Path

import pytest
from django.utils import translation

from kitei.engine.checks.model import Severity
from kitei.foundation.text import UserError
from kitei.outcomes.guidelines import catalogue, edition, topics
from kitei.outcomes.guidelines.catalogue import CatalogueError, Provenance

SEED_ROWS = {
    "ア-3": ("a-3", "institutions.deceased-data"),
    "ア-4": ("a-4", "documents.policies"),
    "ア-5": ("a-5", "people.observance"),
    "イ-1": ("i-1", "people.chief-officer"),
    "イ-2": ("i-2", "people.administrator-ability"),
    "イ-3": ("i-3", "people.operations-supervisor"),
    "イ-4": ("i-4", "people.privacy-officer"),
    "イ-5": ("i-5", "people.appointment-rules"),
    "イ-6": ("i-6", "people.emergency"),
    "イ-7": ("i-7", "suppliers.organisation"),
    "ウ-1": ("u-1", "documents.prompt-access"),
    "ウ-2": ("u-2", "documents.access-restriction"),
    "ウ-3": ("u-3", "documents.detection"),
    "エ-1": ("e-1", "equipment.responsibility"),
    "エ-2": ("e-2", "equipment.location"),
    "オ": ("o-1", "risks.operation"),
}
OTHER_ROWS = {
    "ア-1": ("a-1", "people.privacy-policy"),
    "ア-2": ("a-2", "people.privacy-law"),
    "カ": ("ka-1", "media.control"),
    "キ": ("ki-1", "institutions.patient-explanation"),
    "ク": ("ku-1", "audit.internal"),
    "ケ": ("ke-1", "institutions.inquiries"),
    "コ": ("ko-1", "regulation.review"),
}


@pytest.fixture(scope="module")
def guideline():
    return catalogue.load("mic-meti-1.1")


@pytest.fixture
def own(tmp_path):
    """Write an edition of a company's own, changed as a test asks, and return its path."""
    base = json.loads((catalogue.SHIPPED / "mic-meti-1.1.json").read_text(encoding="utf-8"))
    base |= {"id": "own-1", "number": "1", "status": "current", "superseded_by": None, "text": "checked"}
    base["clauses"] = base["clauses"][:3]
    for clause in base["clauses"]:
        clause["id"] = clause["id"].replace("mic-meti-1.1/", "own-1/")

    def write(change=dict, name="own.json"):
        data = json.loads(json.dumps(base))
        change(data)
        path = tmp_path / name
        path.write_text(json.dumps(data, ensure_ascii=False), encoding="utf-8")
        return path

    return write


@pytest.mark.parametrize("label", SEED_ROWS)
def test_every_row_of_the_seed_page_is_verified_with_its_page_and_level(guideline, label):
    name, topic = SEED_ROWS[label]
    clause = guideline.clause(f"mic-meti-1.1/5.1.6/{name}")
    assert clause.label == label
    assert clause.verified
    assert clause.confidence is None
    assert (clause.page, clause.printed_page, clause.source) == (41, 35, "W/41")
    assert clause.level == ("should" if label == "ウ-3" else "shall")
    assert clause.counting is (Severity.SHOULD if label == "ウ-3" else Severity.MUST)
    assert clause.topics[0] == topic
    assert guideline.clause_for(topic) is clause


@pytest.mark.parametrize("label", OTHER_ROWS)
def test_rows_of_the_pages_not_at_hand_are_catalogued_but_never_verified(guideline, label):
    name, topic = OTHER_ROWS[label]
    clause = guideline.clause(f"mic-meti-1.1/5.1.6/{name}")
    assert clause.label == label
    assert clause.topics[0] == topic
    assert not clause.verified
    assert clause.page is None
    assert clause.note
    assert clause not in guideline.counted()


def test_conditions_stand_where_the_guideline_makes_them(guideline):
    conditional = {c.label: c.condition for c in guideline.section("5.1.6") if c.condition and c.letter != "r"}
    assert conditional == {"イ-7": "再委託を行う場合", "エ-1": "機器等を用いる場合", "エ-2": "機器等を用いる場合"}


def test_appointment_rules_name_appointment_and_dismissal(guideline):
    clause = guideline.labelled("イ-5")
    assert "任命" in clause.statement_ja
    assert "解任" in clause.statement_ja
    assert "dismissal" in clause.statement_en


def test_every_clause_of_the_survey_is_there(guideline):
    survey = [
        f"{letter}-{n}"
        for letter, first, last in (("S", 1, 8), ("D", 1, 12), ("C", 1, 10), ("R", 0, 24), ("L", 1, 8))
        for n in range(first, last + 1)
    ]
    assert sorted(c.label for c in guideline.clauses) == sorted([*survey, *SEED_ROWS, *OTHER_ROWS])


def test_ids_are_unique_and_follow_the_pattern(guideline):
    ids = [clause.id for clause in guideline.clauses]
    assert len(set(ids)) == len(ids)
    for clause in guideline.clauses:
        assert re.fullmatch(r"mic-meti-1\.1/\d(\.\d){0,2}/[a-z]{1,2}-\d{1,2}", clause.id), clause.id
        assert guideline.heading(clause.section), clause.id
    assert guideline.heading("9.9") is None


def test_verified_clauses_name_their_page_or_a_companion_paper(guideline):
    for clause in guideline.clauses:
        if clause.verified:
            assert clause.confidence is None
            assert clause.page or clause.source.startswith(("F/", "P/")), clause.id
        if clause.page:
            assert clause.printed_page == clause.page - 6, clause.id
            assert f"W/{clause.page}" in clause.source, clause.id


def test_data_and_topics_name_each_other(guideline):
    used = {topic for item in catalogue.editions() for clause in item.clauses for topic in clause.topics}
    assert used == set(topics.TOPICS)
    assert set(topics.REGULATION_TOPICS) == {topic for _, topic in (SEED_ROWS | OTHER_ROWS).values()}
    for clause in guideline.clauses:
        assert clause.topics or clause.counting is Severity.INFO, clause.id


def test_topic_names_follow_the_language():
    with translation.override("ja"):
        assert topics.topic_name("equipment.location") == "機器の所在確認"
    with translation.override("en"):
        assert topics.topic_name("equipment.location") == "Location confirmation of equipment"
    with pytest.raises(KeyError):
        topics.topic_name("equipment.nothing")


def test_counted_is_what_was_read_and_binds(guideline):
    regulation = list(SEED_ROWS)
    exchange = ["R-19", "R-20", "R-21"]
    assert [c.label for c in guideline.counted()] == [*exchange, *regulation]
    assert [c.label for c in guideline.counted(letters=catalogue.REGULATION_LETTERS)] == regulation
    assert [c.label for c in guideline.counted(section="4.3")] == ["C-7", "C-8"]
    assert guideline.counted(section="9.9") == ()


def test_levels_fall_into_three_classes(guideline):
    classes = {clause.level: clause.counting.value for clause in guideline.clauses}
    assert classes == {
        "shall": "must",
        "must": "must",
        "precond": "must",
        "ought": "should",
        "should": "should",
        "may": "info",
        "info": "info",
    }


def test_the_binding_clause_comes_first_for_a_topic(guideline):
    assert [c.label for c in guideline.clauses_for("institutions.deceased-data")] == ["ア-3", "L-8"]
    assert [c.label for c in guideline.clauses_for("disclosure.items")] == ["C-1", "C-2"]
    assert guideline.clauses_for("people.unheard-of") == ()
    assert guideline.clause_for("people.unheard-of") is None


def test_the_second_edition_says_what_is_known_and_carries_nothing_over():
    second = catalogue.load("mic-meti-2.0")
    assert second.clauses == ()
    assert second.counted() == ()
    assert (second.status, second.text, second.published) == ("current", "unchecked", dt.date(2025, 3, 28))
    assert len(second.notes) >= 3
    assert any(source.url.endswith(".pdf") for source in second.official_sources)
    assert second.newest is None


def test_the_first_edition_knows_it_is_superseded(guideline):
    assert catalogue.default_edition_id == guideline.id == catalogue.load().id
    assert guideline.published == dt.date(2023, 7, 7)
    assert guideline.newest.id == guideline.superseded_by == "mic-meti-2.0"
    assert [item.id for item in catalogue.editions()] == ["mic-meti-1.1", "mic-meti-2.0"]
    assert {source.url.split("/")[2] for source in guideline.official_sources} == {"www.soumu.go.jp", "www.meti.go.jp"}


def test_the_notice_is_made_from_data(guideline):
    with translation.override("ja"):
        assert str(guideline.notice) == "対照する版: 第1.1版（旧版。現行は第2.0版、原文未確認）"
        assert str(catalogue.load("mic-meti-2.0").notice) == "対照する版: 第2.0版（現行、原文未確認）"
        read = dataclasses.replace(guideline.newest, text="checked", number="2.1")
        assert str(dataclasses.replace(guideline, newest=read).notice) == "対照する版: 第1.1版（旧版。現行は第2.1版）"


def test_an_unknown_edition_is_refused_with_the_known_ones():
    with translation.override("ja"), pytest.raises(UserError) as refused:
        catalogue.load("mic-meti-9")
    assert "mic-meti-9" in str(refused.value)
    assert "mic-meti-1.1, mic-meti-2.0" in str(refused.value)
    with pytest.raises(KeyError):
        catalogue.load().clause("mic-meti-1.1/5.1.6/i-99")
    with pytest.raises(KeyError):
        catalogue.load().labelled("ン-1")


def test_texts_follow_the_language(guideline):
    clause = guideline.labelled("エ-1")
    with translation.override("ja"):
        assert clause.title == "機器の管理責任と管理方法を定める"
        assert str(clause.page_label) == "PDF 41頁（印字35頁）"
        assert str(clause.level_label) == "～すること"
        assert "脆弱性" in clause.note
    with translation.override("en"):
        assert clause.condition == "When equipment is used"
        assert clause.statement.startswith("Lay down in the regulation")
        assert guideline.publisher.startswith("Ministry")
    assert guideline.labelled("ア-1").page_label is None


def test_provenance_labels():
    with translation.override("ja"):
        assert [str(item.label) for item in Provenance] == ["確認済", "一部確認", "二次資料", "推定", "記憶"]


def test_own_editions_load_without_code(own, tmp_path):
    path = own(lambda data: data.update(superseded_by="mic-meti-2.0", status="superseded"))
    (made,) = catalogue.load_from(path)
    assert (made.id, len(made.clauses), made.newest.id) == ("own-1", 3, "mic-meti-2.0")
    assert catalogue.load_from(tmp_path) == (made,)
    assert catalogue.load("own-1", directories=(tmp_path,)) == made
    assert {item.id for item in catalogue.editions(directories=(tmp_path,))} == {
        "own-1",
        "mic-meti-1.1",
        "mic-meti-2.0",
    }
    with pytest.raises(UserError):
        catalogue.load("own-1")


def test_a_corrected_copy_replaces_the_shipped_edition_and_is_read_again_when_changed(tmp_path):
    data = json.loads((catalogue.SHIPPED / "mic-meti-2.0.json").read_text(encoding="utf-8"))
    path = tmp_path / "corrected.json"
    path.write_text(json.dumps(data | {"text": "partly"}), encoding="utf-8")
    assert catalogue.load("mic-meti-2.0", directories=(tmp_path,)).text == "partly"
    path.write_text(json.dumps(data | {"text": "checked"}), encoding="utf-8")
    first = catalogue.load("mic-meti-1.1", directories=(tmp_path,))
    assert first.newest.text == "checked"
    assert catalogue.load("mic-meti-2.0").text == "unchecked"


def clause_change(**values):
    return lambda data: data["clauses"][1].update(values)


BAD = {
    "unknown level": (clause_change(level="compulsory"), r"clauses\[1\]\.level \(own-1/1/s-2\)", "compulsory"),
    "bad id": (clause_change(id="own-1/1/S2"), r"clauses\[1\]\.id", "S2"),
    "id of another section": (clause_change(id="own-1/2.1/s-2"), r"clauses\[1\]\.id", "own-1/1/s-"),
    "same id twice": (clause_change(id="own-1/1/s-1"), r"clauses\[0\]\.id", "重複"),
    "same label twice": (clause_change(label="S-1"), r"clauses\[0\]\.label", "重複"),
    "no English": (
        lambda data: data["clauses"][1].pop("statement_en"),
        r"clauses\[1\] \(own-1/1/s-2\)",
        "statement_en",
    ),
    "condition in one language": (clause_change(condition_ja="再委託を行う場合"), r"clauses\[1\]", "_en"),
    "empty statement": (clause_change(statement_ja="   "), r"clauses\[1\]\.statement_ja", "pattern"),
    "page zero": (clause_change(page=0), r"clauses\[1\]\.page", "minimum"),
    "recalled without confidence": (clause_change(provenance="recalled"), r"clauses\[1\]\.confidence", "null"),
    "unknown topic": (clause_change(topics=["people.horoscope"]), r"clauses\[1\]\.topics", "people.horoscope"),
    "unknown section": (clause_change(section="8", id="own-1/8/s-2"), r"clauses\[1\]\.section", "8"),
    "unknown source": (clause_change(source="X/9"), r"clauses\[1\]\.source", "X/9"),
    "stray entry": (clause_change(remark="hello"), r"clauses\[1\]", "remark"),
    "impossible date": (lambda data: data.update(published="2023-02-30"), "published", "2023-02-30"),
    "script address": (
        lambda data: data["sources"][0].update(url="javascript:alert(1)"),
        r"sources\[0\]\.url",
        "javascript",
    ),
    "unknown successor": (lambda data: data.update(superseded_by="own-2"), "superseded_by", "own-2"),
    "its own successor": (lambda data: data.update(superseded_by="own-1"), "superseded_by", "一巡"),
}


@pytest.mark.parametrize("name", BAD)
def test_bad_data_is_refused_with_file_place_and_reason(own, name):
    change, place, reason = BAD[name]
    with translation.override("ja"), pytest.raises(CatalogueError) as refused:
        catalogue.load_from(own(change))
    assert "own.json" in str(refused.value)
    assert re.search(place, str(refused.value)), str(refused.value)
    assert reason in str(refused.value), str(refused.value)


@pytest.mark.parametrize(
    ("content", "reason"),
    [
        (b'{"id": "own-1",\n oops}', "2行2字目"),
        (b"\xff\xfe\x00", "UTF-8"),
        (b"[]", "type: object"),
        (b"", "1行1字目"),
        (b" " * (catalogue.MAX_BYTES + 1), "大きすぎます"),
    ],
)
def test_a_file_that_is_no_edition_is_refused(tmp_path, content, reason):
    (tmp_path / "own.json").write_bytes(content)
    with translation.override("ja"), pytest.raises(CatalogueError) as refused:
        catalogue.load_from(tmp_path / "own.json")
    assert "own.json" in str(refused.value)
    assert reason in str(refused.value)


def test_two_files_of_one_edition_are_refused(own, tmp_path):
    own(name="a.json")
    own(name="b.json")
    with translation.override("ja"), pytest.raises(CatalogueError) as refused:
        catalogue.load_from(tmp_path)
    assert "b.json" in str(refused.value)
    assert "a.json" in str(refused.value)


def test_an_empty_place_is_refused(tmp_path):
    with pytest.raises(UserError):
        catalogue.load_from(tmp_path)
    with pytest.raises(UserError):
        catalogue.load_from(tmp_path / "missing.json")


def test_shipped_files_are_named_after_their_edition():
    for path in catalogue.SHIPPED.glob("*.json"):
        assert json.loads(path.read_text(encoding="utf-8"))["id"] == path.stem


def test_every_message_of_the_room_has_its_english():
    part = catalogue.HERE.parents[1] / "locale" / "parts" / "guidelines.po.txt"
    lines = part.read_text(encoding="utf-8").splitlines()
    english = {ja.removeprefix("ja: "): en.removeprefix("en: ") for ja, en in zip(lines[::2], lines[1::2], strict=True)}
    for module in (catalogue, edition):
        for node in ast.walk(ast.parse(Path(module.__file__).read_text(encoding="utf-8"))):
            if isinstance(node, ast.Call) and getattr(node.func, "id", "") == "Message":
                msgid = node.args[0].value
                places = re.findall(r"%\(\w+\)s", msgid)
                assert msgid in english
                assert sorted(places) == sorted(re.findall(r"%\(\w+\)s", english[msgid])), msgid


@pytest.mark.parametrize("file", sorted(catalogue.SHIPPED.glob("*.json")), ids=lambda file: file.stem)
def test_the_shipped_files_are_well_formed(file):
    catalogue.check(file, json.loads(file.read_text(encoding="utf-8")))
