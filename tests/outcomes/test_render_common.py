"""What stands on the page, whatever the format; and the promises all three formats share."""

from __future__ import annotations

import dataclasses
import datetime as dt
import hashlib
import os
import subprocess
import sys
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from kitei.foundation.sheets.table import Nature, Rendering, Table, TableColumn
from kitei.foundation.text.messages import UserError
from kitei.outcomes.regulation import render
from kitei.outcomes.regulation.model import Annex, Article, Chapter, Regulation
from kitei.outcomes.regulation.render.common import FIXED_ANCHORS, view
from outcomes.sample_regulation import STAMP, par, sample, see

FORMATS = ("docx", "pdf", "html")


def with_article(regulation: Regulation, article: Article) -> Regulation:
    return dataclasses.replace(regulation, chapters=(Chapter("only", "第1章", "総則", (article,)),), supplements=())


def test_an_article_reads_as_a_statute():
    shown = view(sample(rows=1))
    chief = shown.chapters[1].articles[0]
    assert chief.heading == "第3条（管理責任者）"
    assert chief.caption == "（管理責任者）"
    assert [(line.level, line.marker, line.depth) for line in chief.lines] == [
        ("article", "第3条", 0),
        ("paragraph", "2", 0),
        ("item", "（1）", 1),
        ("item", "（2）", 1),
        ("item", "ア", 2),
        ("item", "イ", 2),
        ("item", "（3）", 1),
        ("paragraph", "3", 0),
    ]


def test_a_single_supplement_paragraph_has_no_number_and_several_are_numbered_from_one():
    first, second = view(sample(rows=1)).supplements
    assert [(line.level, line.marker) for line in first.lines] == [("lone", "")]
    assert [(line.level, line.marker) for line in second.lines] == [("paragraph", "1"), ("paragraph", "2")]
    assert second.heading == "附　則（令和8年3月25日規程第4号）"


def test_caption_brackets_are_not_doubled():
    article = Article("a", "第1条", "（目的）", (par("a", 1, "文。"),))
    assert view(with_article(sample(rows=1), article)).chapters[0].articles[0].caption == "（目的）"


def test_references_find_their_place_or_the_nearest_or_none():
    article = Article(
        "a",
        "第1条",
        "参照",
        (
            par("a", 1, see("第2項", "a#2"), see("別表2第1表", "annex:qualifications#1"), see("消えた条", "gone")),
            par("a", 2, "文。"),
        ),
    )
    shown = view(with_article(sample(rows=1), article)).chapters[0].articles[0]
    assert [piece.anchor for piece in shown.lines[0].pieces] == [shown.lines[1].anchor, "annex-qualifications", ""]


def test_dates_follow_the_setting():
    assert dict(view(sample(rows=1)).facts)["施行日"] == "令和8年4月1日"
    plain = view(sample(rows=1, era_dates=False))
    assert dict(plain.facts)["施行日"] == "2026年4月1日"
    assert plain.history[0][1] == "2019年5月1日"
    assert view(sample(rows=1)).history[0][1] == "令和元年5月1日"
    assert view(sample(rows=1)).approvals[2].stamp_day == "8.3.25"


def test_drafts_and_disclosure_say_so():
    shown = view(sample(rows=1, draft=True, rendering=Rendering.DISCLOSURE))
    assert shown.watermarks == ("案", "開示版")
    assert shown.header == "KT-001　第2版（案）［開示版］"
    assert dict(shown.facts)["施行日"] == "未定"
    assert view(sample(rows=1)).watermarks == ()


def test_annexes_say_whether_they_are_provisions_or_facts():
    officers, qualifications, equipment, _ = view(sample(rows=1)).annexes
    assert (officers.mark, officers.meta) == ("現況", "基準日：令和8年11月22日　出典：任命台帳")
    assert (qualifications.mark, qualifications.meta) == ("規範", "")
    assert qualifications.tables[1].caption == "第2表　資格及び経験（現況　基準日：令和8年11月22日）"
    assert equipment.tables[0].marks[3] == "規範"
    assert equipment.relation == "（第6条関係）"


def test_a_short_row_is_filled_and_a_long_name_does_not_enter_the_stamp():
    table = Table((TableColumn("甲"), TableColumn("乙")), (("一",),))
    annex = Annex("annex:x", "別表1", "表", Nature.FACT, (table,))
    shown = view(dataclasses.replace(sample(rows=1), annexes=(annex,)))
    assert shown.annexes[0].tables[0].rows == (("一", ""),)
    approvals = view(sample(rows=1)).approvals
    assert [cell.stamp_name for cell in approvals] == ["佐藤", "勅使河原", "髙﨑"]
    long = dataclasses.replace(sample(rows=1).approvals[0], name="情報セキュリティ責任者")
    assert view(dataclasses.replace(sample(rows=1), approvals=(long,))).approvals[0].stamp_name == ""


def test_an_uploaded_regulation_points_to_its_page():
    shown = view(with_article(sample(rows=1), Article("own", "第7条", "保管", (), page="12")))
    assert shown.chapters[0].articles[0].lines[0].pieces[0].text == "（本文は、原本12頁のとおり）"


@given(st.lists(st.text(alphabet="ab#.:- あ", min_size=1, max_size=6), min_size=1, max_size=12))
def test_anchors_are_unique_and_never_taken_twice(ids):
    articles = tuple(
        Article(id_, f"第{n}条", "", (par(id_, 1, "文。"), par(id_, 2, "文。"))) for n, id_ in enumerate(ids, 1)
    )
    regulation = dataclasses.replace(sample(rows=0), chapters=(Chapter("c", "第1章", "総則", articles),))
    shown = view(regulation)
    anchors = [chapter.anchor for chapter in shown.chapters] + [annex.anchor for annex in shown.annexes]
    for part in (*shown.chapters[0].articles, *shown.supplements):
        anchors.append(part.anchor)
        anchors.extend(line.anchor for line in part.lines)
    used = [anchor for anchor in anchors if anchor]
    assert len(used) == len(set(used))
    assert not set(used) & set(FIXED_ANCHORS)


@pytest.mark.parametrize("form", FORMATS)
def test_control_characters_are_refused_with_their_place(form):
    broken = with_article(sample(rows=1), Article("a", "第9条", "制御", (par("a", 1, "文\x0bである。"),)))
    with pytest.raises(UserError) as refusal:
        getattr(render, form)(broken, timestamp=STAMP)
    assert refusal.value.message.params == {"place": "第9条（制御）", "code": "U+000B"}


@pytest.mark.parametrize("form", FORMATS)
def test_a_naive_timestamp_is_refused(form):
    with pytest.raises(ValueError, match="aware"):
        getattr(render, form)(sample(rows=1), timestamp=dt.datetime(2026, 11, 22))  # noqa: DTZ001 -- that is the point


@pytest.mark.parametrize("form", FORMATS)
def test_the_timestamp_is_in_the_bytes(form):
    make = getattr(render, form)
    assert make(sample(rows=1), timestamp=STAMP) != make(sample(rows=1), timestamp=STAMP + dt.timedelta(days=1))


@pytest.mark.parametrize("form", FORMATS)
def test_a_regulation_without_chapters_annexes_history_or_approvals_can_be_rendered(form):
    bare = dataclasses.replace(
        sample(rows=0),
        chapters=(Chapter("c", "", "", sample(rows=0).articles),),
        annexes=(),
        history=(),
        approvals=(),
        supplements=(),
    )
    assert len(getattr(render, form)(bare, timestamp=STAMP)) > 5000


_SCRIPT = """
import hashlib
from kitei.outcomes.regulation import render
from outcomes.sample_regulation import STAMP, sample
for form in ("docx", "pdf", "html"):
    print(hashlib.sha256(getattr(render, form)(sample(rows=40), timestamp=STAMP)).hexdigest())
"""


def test_two_processes_give_the_same_bytes():
    def run(**differing: str) -> list[str]:
        tests = Path(__file__).resolve().parents[1]
        environment = {
            **os.environ,
            "PYTHONPATH": os.pathsep.join((str(tests.parent / "src"), str(tests))),
            **differing,
        }
        done = subprocess.run(
            [sys.executable, "-c", _SCRIPT], env=environment, capture_output=True, text=True, check=True
        )
        return done.stdout.split()

    first = run(PYTHONHASHSEED="1", TZ="UTC", LANG="C.UTF-8")
    second = run(PYTHONHASHSEED="77", TZ="Asia/Tokyo", LANG="en_US.UTF-8")
    here = [hashlib.sha256(getattr(render, form)(sample(rows=40), timestamp=STAMP)).hexdigest() for form in FORMATS]
    assert first == second == here
