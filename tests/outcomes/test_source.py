"""The text format of a regulation: reading, writing, numbering, citing, and telling a person what to mend."""

from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from kitei.foundation.sheets.table import Nature, Table, TableColumn
from kitei.foundation.text import UserError
from kitei.outcomes.regulation import provisions
from kitei.outcomes.regulation.compose import (
    citations,
    compose,
    labels,
    provision_citations,
    settle_supplements,
)
from kitei.outcomes.regulation.model import Run
from kitei.outcomes.regulation.model_text import model_text
from kitei.outcomes.regulation.source import (
    AnnexNature,
    Clause,
    ProvisionDeclaration,
    Source,
    SourceAnnex,
    SourceArticle,
    SourceChapter,
    SourceError,
    SourceSupplement,
    SourceTable,
    parse,
    serialise,
)

TEXT = """\
# 見本
規程 運用管理規程

規定値 people.years = 5 年 実務経験
規定値 people.cycle = 四半期 - 会議の周期

章 organisation 管理体制

条 chief 管理責任者 [people.chief-officer people.observance]
項 当社に管理責任者を置く。氏名は{別表:officers}のとおりとする。

条 administrator システム管理者 [people.administrator-ability]
項 システム管理者を置く。
項 システム管理者は、次の各号のいずれにも該当する者とする。
号 {別表:qualifications}第1表の資格を有する者
号 実務に{規定値:people.years}以上従事した者
細 自社での実務
細 他社での実務
項 {条:administrator#2.2}の期間は、{条:administrator#1}の日に数え、
　{条:chief}の者が確認する。

章 rest 雑則

条 review 見直し
項 {条:administrator#2.2.1}及び{条:chief#1}の事項を{規定値:people.cycle}ごとに見直す。
号 {条:administrator}

附則 enactment
項 この規程は、{現況:edition.effective-on}から施行する。

別表 officers 4 現況 責任者一覧
向き 横
注 役割の順に記載する。

別表 qualifications 5の2 規範・現況 資格
表 第1表
列 資格:3 | 期限
行 情報処理安全確保支援士 | 3年
行 応用情報技術者 |
"""
FACTS = {"edition.effective-on": "令和8年12月1日"}


def _sentence(runs):
    return "".join(run.text for run in runs)


def test_a_text_is_read_into_its_parts():
    source = parse(TEXT)
    assert source.title == "運用管理規程"
    assert [article.id for article in source.articles] == ["chief", "administrator", "review"]
    assert source.articles[0].topics == ("people.chief-officer", "people.observance")
    assert source.provisions == (
        ProvisionDeclaration("people.years", 5, "年", "実務経験"),
        ProvisionDeclaration("people.cycle", "四半期", "", "会議の周期"),
    )
    annex = source.annexes[1]
    assert (annex.number, annex.nature) == ("5の2", AnnexNature.MIXED)
    assert annex.tables[0].columns == (("資格", 3), ("期限", 1))
    assert annex.tables[0].rows[1] == ((Run("応用情報技術者"),), ())
    assert source.annexes[0].landscape
    assert source.annexes[0].note == "役割の順に記載する。"


def test_numbers_citations_and_values_are_filled_in():
    composed = compose(parse(TEXT), facts=FACTS)
    chief, administrator, review = [article for chapter in composed.chapters for article in chapter.articles]
    assert [chapter.label for chapter in composed.chapters] == ["第1章", "第2章"]
    assert [article.label for article in (chief, administrator, review)] == ["第1条", "第2条", "第3条"]
    assert _sentence(chief.paragraphs[0].runs) == "当社に管理責任者を置く。氏名は別表4のとおりとする。"
    first, second = administrator.paragraphs[1].items
    assert (first.marker, _sentence(first.runs)) == ("（1）", "別表5の2第1表の資格を有する者")
    assert _sentence(second.runs) == "実務に5年以上従事した者"
    assert [(item.marker, item.id) for item in second.items] == [
        ("ア", "administrator#2.2.1"),
        ("イ", "administrator#2.2.2"),
    ]
    # Inside its own article a citation leaves the article out; elsewhere it is whole; one 項 is not counted.
    assert _sentence(administrator.paragraphs[2].runs) == "第2項第2号の期間は、第1項の日に数え、第1条の者が確認する。"
    assert _sentence(review.paragraphs[0].runs) == "第2条第2項第2号ア及び第1条の事項を四半期ごとに見直す。"
    assert _sentence(composed.supplements[0].paragraphs[0].runs) == "この規程は、令和8年12月1日から施行する。"
    kinds = {run.kind: run.target for run in second.runs if run.kind != "text"}
    assert kinds == {"provision": "people.years"}


def test_annexes_hold_written_tables_before_drawn_ones_and_say_who_cites_them():
    drawn = Table((TableColumn("氏名"),), (("山田花子",),), caption="第2表", sources=("people",))
    officers, qualifications = compose(parse(TEXT), facts=FACTS, annexes={"qualifications": (drawn,)}).annexes
    assert (officers.id, officers.label, officers.article, officers.tables) == ("annex:officers", "別表4", "第1条", ())
    assert officers.landscape
    assert [table.caption for table in qualifications.tables] == ["第1表", "第2表"]
    written = qualifications.tables[0]
    assert [column.nature for column in written.columns] == [Nature.PROVISION] * 2
    assert list(written.rows) == [("情報処理安全確保支援士", "3年"), ("応用情報技術者", "")]
    assert (qualifications.nature, qualifications.source) == (Nature.FACT, "people")


def test_branch_numbers_and_deleted_articles_keep_the_count():
    text = (
        "規程 規程\n章 a 甲\n条 one 一\n項 一。\n枝条 one-two 一の二\n項 二。\n枝条 one-three 一の三\n項 三。\n"
        "条削除 gone\n枝章 b 甲の二\n条 three 三\n項 {条:one-three}による。\n"
    )
    composed = compose(parse(text))
    articles = [article for chapter in composed.chapters for article in chapter.articles]
    assert [article.label for article in articles] == ["第1条", "第1条の2", "第1条の3", "第2条", "第3条"]
    assert [chapter.label for chapter in composed.chapters] == ["第1章", "第1章の2"]
    assert (articles[3].caption, _sentence(articles[3].paragraphs[0].runs)) == ("", "削除")
    assert _sentence(articles[4].paragraphs[0].runs) == "第1条の3による。"
    assert parse(serialise(parse(text))) == parse(text)


def test_many_articles_citing_an_annex_are_written_as_a_range():
    articles = "".join(f"条 a{n} 見出し\n項 {{別表:x}}のとおりとする。\n" for n in range(3))
    text = f"規程 規程\n章 c 章\n{articles}条 b 別\n項 文。\n条 d 別\n項 {{別表:x}}のとおりとする。\n別表 x 1 現況 表\n"
    assert compose(parse(text)).annexes[0].article == "第1条から第3条まで、第5条"


def test_topics_and_provisions_know_their_citation():
    source = parse(TEXT)
    assert citations(source)["people.administrator-ability"] == (("administrator", "第2条"),)
    assert provision_citations(source) == {"people.years": "第2条第2項第2号", "people.cycle": "第3条"}
    assert provisions.read(source)["people.years"].article == "第2条第2項第2号"
    assert provisions.names(source)["people.years"] == "実務経験"


def test_a_declared_value_that_no_sentence_states_binds_nobody():
    source = parse("規程 規程\n規定値 a.b = 3 日 名\n章 c 章\n条 d 条\n項 文。\n")
    assert provisions.read(source) == {}


def test_a_revision_changes_a_provision_and_refuses_an_unknown_one():
    source = parse(TEXT)
    revised = provisions.changed(source, values={"people.years": 7})
    assert provisions.read(revised)["people.years"].value == 7
    assert provisions.read(source)["people.years"].value == 5
    assert "= 7 年" in serialise(revised)
    with pytest.raises(UserError, match="people"):
        provisions.changed(source, values={"people.nothing": 1})


def test_compose_takes_other_values_and_refuses_what_it_does_not_know():
    source = parse(TEXT)
    article = compose(source, facts=FACTS, provisions={"people.years": 10}).chapters[0].articles[1]
    assert _sentence(article.paragraphs[1].items[1].runs) == "実務に10年以上従事した者"
    with pytest.raises(UserError):
        compose(source, facts=FACTS, provisions={"people.nothing": 1})
    with pytest.raises(UserError) as missing:
        compose(source)
    assert missing.value.message.params["key"] == "edition.effective-on"


def test_a_dangling_reference_in_a_source_made_by_hand_is_refused():
    chapter = SourceChapter(
        "c", "章", (SourceArticle("a", "見出し", (), (Clause((Run("", "reference", "nowhere"),)),)),)
    )
    with pytest.raises(UserError) as dangling:
        compose(Source("規程", chapters=(chapter,)))
    assert dangling.value.message.params["target"] == "nowhere"


def test_settling_writes_the_day_of_an_old_supplement_for_good():
    settled = settle_supplements(parse(TEXT), facts=FACTS)
    assert "項 この規程は、令和8年12月1日から施行する。" in serialise(settled)
    assert parse(serialise(settled)) == settled
    assert settled.chapters == parse(TEXT).chapters


def test_labels_cover_every_place():
    found = labels(parse(TEXT))
    assert found["administrator#2.2.1"] == "第2条第2項第2号ア"
    assert found["review#1.1"] == "第3条第1号"
    assert found["annex:qualifications"] == "別表5の2"


def test_windows_line_ends_a_byte_order_mark_and_comments_change_nothing():
    assert parse("\ufeff" + TEXT.replace("\n", "\r\n")) == parse(TEXT)
    assert parse(TEXT.replace("章 rest", "＃ 覚え書き\n章 rest")) == parse(TEXT)


HEAD = "規程 規程\n章 c 章\n"
FAULTS = [
    ("", 1),
    ("章 c 章\n条 d 条\n項 文。\n", 1),
    ("規程 規程\n規程 規程\n", 2),
    ("規程 [規程]\n", 1),
    ("規程 規程\n規定値 people.years 5 年 名\n", 2),
    ("規程 規程\n規定値 people.years = 5 年\n", 2),
    ("規程 規程\n規定値 years = 5 年 名\n", 2),
    ("規程 規程\n規定値 a.b = 5 年 名\n規定値 a.b = 6 年 名\n", 3),
    ("規程 規程\n条 d 条\n", 2),
    ("規程 規程\n枝章 c 章\n", 2),
    (HEAD + "枝条 d 条\n", 3),
    (HEAD + "条 D 条\n項 文。\n", 3),
    (HEAD + "条 d\n項 文。\n", 3),
    (HEAD + "条 d 条 [people\n項 文。\n", 3),
    (HEAD + "条 d 条 [イ-1]\n項 文。\n", 3),
    (HEAD + "条 d 条 [a.b a.b]\n項 文。\n", 3),
    (HEAD + "条 d 条 [ ]\n項 文。\n", 3),
    (HEAD + "条 d 条\n", 3),
    (HEAD + "条 d 条\n項\n", 4),
    (HEAD + "条 d 条\n号 文\n", 4),
    (HEAD + "条 d 条\n項 文。\n細 文\n", 5),
    (HEAD + "条 d 条\n項 文。\n条 d 条\n項 文。\n", 5),
    (HEAD + "条 c 条\n項 文。\n", 3),
    (HEAD + "条削除 d 見出し\n", 3),
    (HEAD + "  続き\n", 3),
    (HEAD + "条 d 条\n項 {条:e}による。\n", 4),
    (HEAD + "条削除 e\n条 d 条\n項 {条:e}による。\n", 5),
    (HEAD + "条 d 条\n項 {条:d#2}による。\n", 4),
    (HEAD + "条 d 条\n項 {別表:e}による。\n", 4),
    (HEAD + "条 d 条\n項 {規定値:a.b}とする。\n", 4),
    (HEAD + "条 d 条\n項 文。\n  {規定値:a.b}とする。\n", 5),
    (HEAD + "条 d 条\n項 {章:c}による。\n", 4),
    (HEAD + "条 d 条\n項 {条:d による。\n", 4),
    (HEAD + "条 d 条\n項 文}。\n", 4),
    (HEAD + "条 d 条\n項 文\x07。\n", 4),
    (HEAD + "これは本文です。\n", 3),
    ("規程 規程\n項 文。\n", 2),
    ("規程 規程\n附則 a\n項 文。\n条 b 条\n", 4),
    ("規程 規程\n別表 a 責任者一覧\n", 2),
    ("規程 規程\n別表 a 1 混合 責任者一覧\n", 2),
    ("規程 規程\n別表 a 1 現況 甲\n別表 b 1 現況 乙\n", 3),
    ("規程 規程\n別表 a 1 現況 甲\n別表 a 2 現況 乙\n", 3),
    ("規程 規程\n別表 a 1 現況 甲\n表 第1表\n", 3),
    ("規程 規程\n別表 a 1 現況 甲\n向き 斜め\n", 3),
    ("規程 規程\n別表 a 1 規範 甲\n列 一 | 二\n", 3),
    ("規程 規程\n別表 a 1 規範 甲\n表 表\n", 3),
    ("規程 規程\n別表 a 1 規範 甲\n表 表\n列 一 | \n", 4),
    ("規程 規程\n別表 a 1 規範 甲\n表 表\n列 一\n列 二\n", 5),
    ("規程 規程\n別表 a 1 規範 甲\n表 表\n列 一 | 二\n行 一\n", 5),
    ("規程 規程\n行 一\n", 2),
    ("規程 規程\n注 一\n", 2),
]


@pytest.mark.parametrize(("text", "line"), FAULTS)
def test_a_fault_names_its_line_and_the_mend(text, line):
    with pytest.raises(SourceError) as fault:
        parse(text)
    assert fault.value.line == line
    problem = fault.value.message.params["problem"]
    assert problem.render().endswith("。") or "（例：" in problem.render()
    assert fault.value.message.params["line"] == line


def test_more_subitems_than_the_syllabary_is_refused_with_a_sentence():
    text = HEAD + "条 d 条\n項 文。\n号 文\n" + "細 文\n" * 47
    with pytest.raises(UserError) as many:
        compose(parse(text))
    assert many.value.message.params["limit"] == 46


_LINES = [line for line in TEXT.splitlines() if line] + [fault.splitlines()[-1] for fault, _line in FAULTS[1:]]


@settings(max_examples=150, deadline=None)
@given(st.lists(st.one_of(st.sampled_from(_LINES), st.text(max_size=30)), max_size=14))
def test_any_lines_are_read_or_refused_with_a_line_number(lines):
    text = "\n".join(lines)
    source, line = None, 1
    try:
        source = parse(text)
    except SourceError as refused:
        line = refused.line
    assert 1 <= line <= len(text.replace("\r", "\n").split("\n"))
    assert source is None or parse(serialise(source)) == source


@settings(max_examples=100, deadline=None)
@given(st.data())
def test_a_model_text_with_any_damage_is_read_or_refused(data):
    text = model_text()
    start = data.draw(st.integers(0, len(text)))
    length = data.draw(st.integers(0, 200))
    damaged = text[:start] + data.draw(st.text(max_size=5)) + text[start + length :]
    try:
        source = parse(damaged)
    except SourceError:
        return
    assert parse(serialise(source)) == source


_WORDS = (
    st.text("責任者は必要な措置を講ずるものとする0123ABC（）、。・髙𠮷 　", min_size=1, max_size=12)
    .map(str.strip)
    .filter(bool)
)
_TITLES = _WORDS.filter(lambda text: not text.startswith("（"))
_KEYS = st.sampled_from(["people.years", "risks.cycle-a", "a.b.c"])


def _joined(runs):
    joined = []
    for run in runs:
        if joined and run.kind == joined[-1].kind == "text":
            continue
        joined.append(run)
    return tuple(joined)


@st.composite
def sources(draw):
    """Draw a whole valid source whose references all have a target."""
    provision_keys = draw(st.lists(_KEYS, unique=True, min_size=1))
    ids = draw(st.lists(st.from_regex(r"[a-z][a-z0-9-]{0,8}", fullmatch=True), unique=True, min_size=4, max_size=9))
    chapter_id, supplement_id, annex_id, *article_ids = ids
    specials = st.one_of(
        st.sampled_from(article_ids).map(lambda target: Run("", "reference", target)),
        st.just(Run("", "reference", f"annex:{annex_id}")),
        st.sampled_from(provision_keys).map(lambda key: Run("", "provision", key)),
        _KEYS.map(lambda key: Run("", "fact", key)),
    )
    runs = st.lists(st.one_of(_WORDS.map(Run), specials), min_size=1, max_size=4).map(_joined)
    leaf = st.builds(Clause, runs)
    items = st.lists(st.builds(Clause, runs, st.lists(leaf, max_size=2).map(tuple)), max_size=3).map(tuple)
    paragraphs = st.lists(st.builds(Clause, runs, items), min_size=1, max_size=3).map(tuple)
    articles = tuple(
        SourceArticle(
            article_id,
            draw(_TITLES),
            tuple(draw(st.lists(_KEYS, unique=True))),
            draw(paragraphs),
            branch=bool(number) and draw(st.booleans()),
        )
        for number, article_id in enumerate(article_ids)
    )
    columns = tuple(draw(st.lists(st.tuples(_TITLES, st.integers(1, 99)), min_size=1, max_size=3)))
    row = st.tuples(*[st.one_of(st.just(()), runs) for _column in columns])
    table = SourceTable(draw(st.one_of(st.just(""), _TITLES)), columns, tuple(draw(st.lists(row, max_size=3))))
    return Source(
        draw(_TITLES),
        tuple(
            ProvisionDeclaration(
                key,
                draw(st.one_of(st.integers(0, 999_999_999), st.just("四半期"))),
                draw(st.sampled_from(["", "年", "か月"])),
                draw(_TITLES),
            )
            for key in provision_keys
        ),
        (SourceChapter(chapter_id, draw(_TITLES), articles),),
        (SourceSupplement(supplement_id, draw(st.one_of(st.just(""), _TITLES)), draw(paragraphs)),),
        (
            SourceAnnex(
                annex_id,
                draw(st.sampled_from(["1", "12", "4の2"])),
                draw(_TITLES),
                draw(st.sampled_from([AnnexNature.PROVISION, AnnexNature.MIXED])),
                (table,),
                draw(st.one_of(st.just(""), _TITLES)),
                draw(st.booleans()),
            ),
        ),
    )


@settings(max_examples=100, deadline=None)
@given(sources())
def test_what_is_written_is_read_back_equal(source):
    text = serialise(source)
    assert parse(text) == source
    assert serialise(parse(text)) == text
    facts = {"people.years": "令和8年12月1日", "risks.cycle-a": "甲", "a.b.c": "乙"}
    composed = compose(source, facts=facts)
    printed = [article for chapter in composed.chapters for article in chapter.articles]
    assert len({article.label for article in printed}) == len(source.articles)
    assert all(run.text for article in printed for paragraph in article.paragraphs for run in paragraph.runs)
