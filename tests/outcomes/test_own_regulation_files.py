"""A company's own regulation: the file is whole, and its sheet is read as people write it (design §2.8)."""

from __future__ import annotations

import io

import docx
import pytest

from kitei.foundation.text import UserError
from kitei.outcomes.guidelines import catalogue
from kitei.outcomes.regulation import own


def word_file():
    stream = io.BytesIO()
    docx.Document().save(stream)
    return stream.getvalue()


@pytest.mark.parametrize(
    ("name", "content"),
    [
        ("規程.docx", word_file()),
        ("規程.PDF", b"%PDF-1.7\n1 0 obj\n%%EOF\n"),
        ("規程.pdf", b"%PDF-1.7 x %%EOF" + b"\0" * 512),
    ],
)
def test_a_whole_file_passes(name, content):
    own.check_whole(content=content, name=name)


@pytest.mark.parametrize(
    ("name", "content"),
    [
        ("規程.docx", word_file()[:3000]),
        ("規程.docx", b"PK\x03\x04..."),
        ("規程.pdf", b"%PDF-1.7\n1 0 obj"),
        ("規程.pdf", b"%%EOF" + b"x" * 5000),
    ],
)
def test_a_file_cut_off_is_refused_and_named(name, content):
    with pytest.raises(UserError) as caught:
        own.check_whole(content=content, name=name)
    assert "規程" in str(caught.value)


@pytest.mark.parametrize(
    ("written", "label"), [("イ2", "イ-2"), ("イ－２", "イ-2"), ("オ-1", "オ"), ("（オ）", "オ"), ("エ-1", "エ-1")]
)
def test_requirements_are_read_as_people_write_them(written, label):
    edition = catalogue.load()
    topics, unknown = own.topics_of(written, edition=edition)
    assert unknown == ()
    assert topics == edition.labelled(label).topics


@pytest.mark.parametrize("written", ["イ-99", "オ-2", "第3条"])
def test_what_names_no_requirement_is_said(written):
    assert own.topics_of(written, edition=catalogue.load())[1] == (written,)


def test_a_provision_is_offered_with_its_unit():
    column = next(column for column in own.COLUMNS if column.key == "provision")
    chosen = next(choice for choice in column.choices if choice.value == "people.training-months")
    assert chosen.ja.endswith("（か月）")
