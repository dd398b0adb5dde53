"""The PDF as a reader, an archive and a proof-reader see it."""

from __future__ import annotations

import dataclasses
import io
import re
import time
import unicodedata

import pdfplumber
import pytest
from pypdf import PdfReader

from kitei.foundation.sheets.table import Nature, Table, TableColumn
from kitei.foundation.text.messages import UserError
from kitei.outcomes.regulation import render
from kitei.outcomes.regulation.model import Annex, Article, Chapter
from kitei.outcomes.regulation.render import to_pdf
from outcomes.sample_regulation import STAMP, par, sample

NOT_AT_LINE_HEAD = set("、。，．・：；？！）〕］｝〉》」』】”’ーぁぃぅぇぉっゃゅょァィゥェォッャュョ々")
NOT_AT_LINE_END = set("（〔［｛〈《「『【“‘")


def squeezed(text: str) -> str:
    return re.sub(r"[\s\u200b]+", "", unicodedata.normalize("NFC", text))


@pytest.fixture(scope="module")
def made() -> bytes:
    return render.pdf(sample(rows=60), timestamp=STAMP)


@pytest.fixture(scope="module")
def reader(made: bytes) -> PdfReader:
    return PdfReader(io.BytesIO(made))


@pytest.fixture(scope="module")
def pages(reader: PdfReader) -> list[str]:
    return [squeezed(page.extract_text()) for page in reader.pages]


def test_every_sentence_and_cell_is_on_paper(pages):
    everything = "".join(pages)
    regulation = sample(rows=60)
    for article in regulation.articles:
        assert squeezed(f"（{article.caption}）") in everything
        for paragraph in article.paragraphs:
            words = squeezed("".join(run.text for run in paragraph.runs))
            assert words[:30] in everything
            for item in paragraph.items:
                assert squeezed("".join(run.text for run in item.runs))[:20] in everything
    for annex in regulation.annexes:
        assert squeezed(annex.label + annex.title) in everything
        for table in annex.tables:
            for row in table.rows:
                assert squeezed(row[0]) in everything
    for word in (
        "髙﨑𠮷雄",
        "さくら医療クラウド㈱",
        "受付①",
        "該当なし",
        "附則（令和8年3月25日規程第4号）",
        "注実務経験は",
    ):
        assert word in everything


def test_the_first_page_carries_approvals_history_and_dates(pages):
    for word in (
        "作成",
        "審査",
        "承認",
        "8.3.25",
        "髙﨑",
        "改訂履歴",
        "制定日令和元年5月1日",
        "施行日令和8年4月1日",
        "現況の基準日",
    ):
        assert word in pages[0]


def test_header_and_page_numbers_stand_on_every_page(pages):
    for number, text in enumerate(pages, start=1):
        assert "KT-001第2版" in text
        assert f"-{number}/{len(pages)}-" in text


def test_contents_give_the_page_of_each_article(pages):
    where = next(
        number for number, text in enumerate(pages, start=1) if number > 2 and "第6条運用事務統括責任者は" in text
    )
    assert re.search(rf"第6条（機器等の台帳及び所在確認）\.+{where}(?!\d)", pages[1])
    last = len(pages)
    assert re.search(rf"別表4再委託先一覧\.+{last}", pages[1])


def test_archive_metadata(reader):
    metadata = reader.xmp_metadata
    assert metadata is not None
    xml = metadata.stream.get_data().decode()
    assert re.search(r"pdfaid:part>2<", xml)
    assert re.search(r"pdfaid:conformance>B<", xml)
    assert reader.trailer["/Root"]["/OutputIntents"]
    assert reader.trailer["/Root"]["/Lang"].lower().startswith("ja")
    assert reader.metadata.title == "医療情報システム等 運用管理規程"
    assert reader.metadata.author == "さくら医療クラウド㈱"
    assert reader.metadata.creation_date == STAMP


def test_page_labels_and_bookmarks(reader):
    assert reader.page_labels[:3] == ["1", "2", "3"]

    def titles(entries):
        for entry in entries:
            if isinstance(entry, list):
                yield from titles(entry)
            else:
                yield entry.title

    found = list(titles(reader.outline))
    for title in ("第1章　総則", "第1条（目的）", "第6条（機器等の台帳及び所在確認）", "別表3　機器等台帳"):
        assert title in found


def test_only_our_fonts_are_used_and_headings_are_bold(made):
    with pdfplumber.open(io.BytesIO(made)) as pdf:
        names = {char["fontname"].split("+")[-1] for page in pdf.pages for char in page.chars}
        body = pdf.pages[2].chars
    assert {name.split("-Identity")[0] for name in names} == {
        "NotoSerifJP-Regular",
        "NotoSansJP-Regular",
        "NotoSansCJKjp-Bold",
    }
    caption = [char for char in body if char["text"] == "目"]
    assert any("NotoSansCJKjp-Bold" in char["fontname"] for char in caption)


def test_wide_annex_is_turned_and_repeats_its_header(reader, pages):
    turned = [number for number, page in enumerate(reader.pages) if page.mediabox.width > page.mediabox.height]
    assert len(turned) >= 2
    assert all("最終所在確認日" in pages[number] for number in turned)
    assert "別表3機器等台帳" in pages[turned[0]]
    assert "別表4再委託先一覧" in pages[turned[-1] + 1]


def lines_of(page) -> list[str]:
    rows: dict[int, list[dict[str, object]]] = {}
    for char in page.chars:
        rows.setdefault(round(char["bottom"]), []).append(char)
    return ["".join(c["text"] for c in sorted(row, key=lambda c: c["x0"])).strip() for _, row in sorted(rows.items())]


def test_no_line_breaks_against_kinsoku(made):
    checked = 0
    with pdfplumber.open(io.BytesIO(made)) as pdf:
        for page in pdf.pages[2:4]:
            whole = page.width - 77  # right margin of 27.2 mm
            for line in lines_of(page):
                if not line or line.startswith("（") or "/" in line:
                    continue
                checked += 1
                assert line[0] not in NOT_AT_LINE_HEAD, line
                assert line[-1] not in NOT_AT_LINE_END, line
            assert max(char["x1"] for char in page.chars) <= whole + 6
        for cell in pdf.pages[6].find_tables()[0].cells[10:110]:
            for line in lines_of(pdf.pages[6].crop(cell)):
                checked += 1
                assert line[:1] not in NOT_AT_LINE_HEAD, line
    assert checked > 120


def test_a_missing_glyph_is_refused_with_its_place():
    regulation = sample(rows=1)
    smile = Article("a", "第2条", "笑顔", (par("a", 1, "文。"), par("a", 2, "利用者は\U0001f600で対応する。")))
    broken = dataclasses.replace(regulation, chapters=(Chapter("c", "第1章", "総則", (smile,)),))
    with pytest.raises(UserError) as refusal:
        render.pdf(broken, timestamp=STAMP)
    assert refusal.value.message.params == {"place": "第2条（笑顔） 2", "character": "\U0001f600", "code": "U+1F600"}


def test_a_missing_glyph_in_a_table_names_row_and_column():
    table = Table((TableColumn("氏名"), TableColumn("備考")), (("佐藤", "可"), ("鈴木", "⼀\U0001f600")))
    broken = dataclasses.replace(sample(rows=1), annexes=(Annex("annex:x", "別表9", "一覧", Nature.FACT, (table,)),))
    with pytest.raises(UserError) as refusal:
        render.pdf(broken, timestamp=STAMP)
    assert refusal.value.message.params["place"] == "別表9　一覧 2行目「備考」"


def test_a_missing_font_fails_the_build(monkeypatch):
    serif, sans, _ = to_pdf.font_files()
    monkeypatch.setattr(to_pdf, "font_files", lambda: (serif, sans))
    to_pdf._fonts.cache_clear()
    try:
        with pytest.raises(RuntimeError, match="Noto Sans CJK JP"):
            render.pdf(sample(rows=1), timestamp=STAMP)
    finally:
        monkeypatch.undo()
        to_pdf._fonts.cache_clear()


def test_a_template_warning_fails_the_build(monkeypatch, tmp_path):
    source = to_pdf._TEMPLATE.read_text("utf-8").replace(
        '"Noto Sans CJK JP", weight: 700', '"Absent Gothic", weight: 700'
    )
    bad = tmp_path / "regulation.typ"
    bad.write_text(source, "utf-8")
    monkeypatch.setattr(to_pdf, "_TEMPLATE", bad)
    monkeypatch.setattr(to_pdf, "_HERE", tmp_path)
    with pytest.raises(RuntimeError, match="absent gothic"):
        render.pdf(sample(rows=1), timestamp=STAMP)


def test_invisible_characters_need_no_glyph():
    words = "葛\U000e0100飾区\ufe00の\u200b担当"
    regulation = dataclasses.replace(
        sample(rows=1),
        chapters=(Chapter("c", "第1章", "総則", (Article("a", "第1条", "異体字", (par("a", 1, words),)),)),),
    )
    assert render.pdf(regulation, timestamp=STAMP).startswith(b"%PDF-")


def test_what_a_person_writes_is_never_markup():
    words = '#panic("x") *強調* _斜体_ $x^2$ @ref <label> \\u{1F600} = 見出し // 注 [角] `code`'
    regulation = dataclasses.replace(
        sample(rows=1),
        chapters=(Chapter("c", "#章", "*題*", (Article("a", "第1条", "$caption$", (par("a", 1, words),)),)),),
    )
    text = "".join(
        squeezed(page.extract_text()) for page in PdfReader(io.BytesIO(render.pdf(regulation, timestamp=STAMP))).pages
    )
    assert squeezed(words) in text
    assert "（$caption$）" in text
    assert "#章*題*" in text


def test_a_cell_longer_than_a_page_is_not_cut():
    sentences = "".join(f"手順{number:04d}を行う。" for number in range(400))
    table = Table((TableColumn("手順", 1), TableColumn("備考", 3)), ((sentences, "可"), ("次", "否")))
    regulation = dataclasses.replace(
        sample(rows=1), annexes=(Annex("annex:x", "別表9", "一覧", Nature.FACT, (table,), landscape=True),)
    )
    reader = PdfReader(io.BytesIO(render.pdf(regulation, timestamp=STAMP)))
    text = "".join(squeezed(page.extract_text()).split("最終")[0] for page in reader.pages)
    assert all(f"{number:04d}" in text for number in (0, 57, 233, 399))


def test_a_long_word_is_broken_inside_its_column(made):
    with pdfplumber.open(io.BytesIO(made)) as pdf:
        page = next(page for page in pdf.pages if "EQ-00020" in page.extract_text())
        row = next(
            row for row in page.find_tables()[0].rows if "EQ-00020" in (page.crop(row.cells[0]).extract_text() or "")
        )
        left, _, right, _ = row.cells[4]
        serial = squeezed(page.crop(row.cells[4]).extract_text())
    assert serial == "SN0020ABCDEFGHJKLMNPQRSTUVWXYZ"
    assert right - left < 80


def test_sixty_articles_and_four_hundred_rows_take_less_than_two_seconds():
    regulation = sample(rows=400)
    articles = tuple(
        dataclasses.replace(article, id=f"{article.id}-{count}", label=f"第{count * 6 + index + 1}条")
        for count in range(10)
        for index, article in enumerate(regulation.articles)
    )
    long = dataclasses.replace(regulation, chapters=(Chapter("c", "第1章", "総則", articles),))
    begun = time.process_time()
    made = render.pdf(long, timestamp=STAMP)
    assert time.process_time() - begun < 2.0
    assert len(PdfReader(io.BytesIO(made)).pages) > 20
