"""The HTML file: whole, safe, and readable without anything else."""

from __future__ import annotations

import dataclasses
import re
from html.parser import HTMLParser
from itertools import pairwise

import pytest

from kitei.foundation.sheets.table import Rendering
from kitei.outcomes.regulation import render
from kitei.outcomes.regulation.model import Article, Chapter
from outcomes.sample_regulation import STAMP, par, sample

VOID = {"meta", "link", "br", "col", "img", "input", "hr"}


class Outline(HTMLParser):
    """Collects ids, links, headings, and refuses unbalanced tags."""

    def __init__(self) -> None:
        super().__init__()
        self.ids: list[str] = []
        self.links: list[str] = []
        self.tags: list[str] = []
        self.headings: list[int] = []
        self.scopes: list[str | None] = []
        self.text: list[str] = []
        self._open: list[str] = []

    def handle_starttag(self, tag, attrs):
        given = dict(attrs)
        self.tags.append(tag)
        if "id" in given:
            self.ids.append(given["id"])
        if tag == "a":
            self.links.append(given["href"])
        if tag == "th":
            self.scopes.append(given.get("scope"))
        if re.fullmatch(r"h[1-6]", tag):
            self.headings.append(int(tag[1]))
        if tag not in VOID:
            self._open.append(tag)

    def handle_endtag(self, tag):
        assert self._open.pop() == tag

    def handle_data(self, data):
        self.text.append(data)

    def close(self):
        super().close()
        assert self._open == []


def read(markup: bytes) -> Outline:
    outline = Outline()
    outline.feed(markup.decode("utf-8"))
    outline.close()
    return outline


@pytest.fixture(scope="module")
def made() -> bytes:
    return render.html(sample(rows=30), timestamp=STAMP)


def test_the_file_needs_nothing_else(made):
    outline = read(made)
    assert not {"script", "link", "img", "iframe", "form"} & set(outline.tags)
    assert "://" not in made.decode()
    assert "url(" not in made.decode()
    assert '<html lang="ja">' in made.decode()


def test_links_find_their_places_and_ids_are_unique(made):
    outline = read(made)
    assert len(outline.ids) == len(set(outline.ids))
    assert {link.removeprefix("#") for link in outline.links} <= set(outline.ids)
    assert "#annex-officers" in outline.links
    assert "system-administrator" in outline.ids


def test_headings_descend_one_step_at_a_time(made):
    levels = read(made).headings
    assert levels[0] == 1
    assert levels.count(1) == 1
    assert all(later - earlier <= 1 for earlier, later in pairwise(levels))


def test_table_heads_have_a_scope(made):
    assert set(read(made).scopes) == {"col", "row"}


def test_everything_is_there(made):
    words = "".join(read(made).text)
    for word in (
        "（目的）",
        "第1条　この規程は",
        "附　則",
        "別表3　機器等台帳",
        "EQ-00030",
        "該当なし",
        "髙﨑 𠮷雄",
        "㈱",
        "①",
        "令和8年9月30日",
    ):
        assert word in words
    assert '<span class="fact">400台</span>' in made.decode()
    assert "5年以上従事した者" in words


def test_what_a_person_writes_is_escaped_and_not_run():
    words = "<script>alert(1)</script> & {{ view.title }} {% now 'Y' %}"
    article = Article('x" onclick="y', "第1条", words, (par('x" onclick="y', 1, words),))
    markup = render.html(
        dataclasses.replace(sample(rows=1), title=words, chapters=(Chapter("c", "第1章", words, (article,)),)),
        timestamp=STAMP,
    )
    outline = read(markup)
    assert "script" not in outline.tags
    assert b"onclick=" not in markup
    assert words in "".join(outline.text)


def test_marks_of_draft_and_disclosure():
    markup = render.html(sample(rows=1, draft=True, rendering=Rendering.DISCLOSURE), timestamp=STAMP).decode()
    assert "<strong>案</strong> <strong>開示版</strong>" in markup
    assert 'class="stamp"' not in markup
    assert 'class="stamp"' in render.html(sample(rows=1), timestamp=STAMP).decode()
