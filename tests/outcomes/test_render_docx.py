"""The Word file, read back by python-docx and as XML."""

from __future__ import annotations

import dataclasses
import io
import time
import zipfile

import docx
import pytest
from docx.enum.section import WD_ORIENTATION
from lxml import etree

from kitei.foundation.sheets.table import Rendering
from kitei.outcomes.regulation import render
from kitei.outcomes.regulation.model import Article, Chapter
from outcomes.sample_regulation import STAMP, par, sample

W = "{http://schemas.openxmlformats.org/wordprocessingml/2006/main}"

# The order ECMA-376 demands of children; Word calls a file with another order damaged.
ORDER = {
    "pPr": "pStyle keepNext keepLines pageBreakBefore widowControl pBdr shd tabs kinsoku wordWrap autoSpaceDE autoSpaceDN snapToGrid spacing ind jc outlineLvl rPr sectPr",
    "rPr": "rStyle rFonts b bCs i vanish color kern sz szCs u bdr shd vertAlign lang",
    "tblPr": "tblStyle tblW jc tblInd tblBorders shd tblLayout tblCellMar tblLook",
    "tcPr": "tcW gridSpan vMerge tcBorders shd noWrap vAlign",
    "sectPr": "headerReference footerReference type pgSz pgMar pgNumType cols titlePg docGrid",
    "style": "name basedOn next uiPriority semiHidden unhideWhenUsed qFormat pPr rPr tblPr",
    "settings": "zoom defaultTabStop characterSpacingControl compat themeFontLang decimalSymbol listSeparator",
    "tbl": "tblPr tblGrid tr",
}


@pytest.fixture(scope="module")
def made() -> bytes:
    return render.docx(sample(rows=400), timestamp=STAMP)


@pytest.fixture(scope="module")
def word(made):
    return docx.Document(io.BytesIO(made))


@pytest.fixture(scope="module")
def parts(made) -> dict[str, etree._Element]:
    with zipfile.ZipFile(io.BytesIO(made)) as package:
        return {name: etree.fromstring(package.read(name)) for name in package.namelist()}


def texts(document, style: str) -> list[str]:
    return [paragraph.text for paragraph in document.paragraphs if paragraph.style.name == style]


def test_styles_are_real_and_name_japanese_fonts(word):
    assert texts(word, "規程 題名") == ["医療情報システム等 運用管理規程"]
    assert texts(word, "規程 章") == ["第1章　総則", "第2章　管理体制", "第3章　運用及び機器等の管理"]
    assert texts(word, "規程 条見出し")[:2] == ["（目的）", "（死者に係る情報の取扱い）"]
    assert texts(word, "規程 条")[0].startswith("第1条　この規程は、")
    assert texts(word, "規程 項")[0] == "2　管理責任者は、次に掲げる事項を行う。"
    assert texts(word, "規程 号")[0] == "（1）\tこの規程の制定及び改廃の承認"
    assert texts(word, "規程 号の細分")[0] == "ア\tシステム管理者"
    assert texts(word, "規程 附則") == ["附　則", "附　則（令和8年3月25日規程第4号）"]
    assert [text.split("　（")[0] for text in texts(word, "規程 別表題名")][2] == "別表3　機器等台帳"
    for name, font in (("規程 章", "游ゴシック"), ("規程 表", "游ゴシック")):
        assert word.styles[name].element.rPr.rFonts.get(f"{W}eastAsia") == font


def test_defaults_are_japanese(parts):
    defaults = parts["word/styles.xml"].find(f"{W}docDefaults/{W}rPrDefault/{W}rPr")
    assert defaults.find(f"{W}rFonts").get(f"{W}eastAsia") == "ＭＳ 明朝"
    assert defaults.find(f"{W}lang").get(f"{W}eastAsia") == "ja-JP"
    assert defaults.find(f"{W}sz").get(f"{W}val") == "21"
    assert not [name for name in parts if "fonts/" in name]


def test_elements_stand_in_the_order_of_the_schema(parts):
    for name, root in parts.items():
        for element in root.iter():
            kind = etree.QName(element).localname
            order = ORDER.get(kind) if element.tag.startswith(W) else None
            if order:
                ranks = [order.split().index(etree.QName(child).localname) for child in element]
                assert ranks == sorted(ranks), (name, etree.tostring(element)[:400])


def test_every_style_that_is_used_exists(parts):
    known = {style.get(f"{W}styleId") for style in parts["word/styles.xml"].iter(f"{W}style")}
    used = {
        element.get(f"{W}val")
        for name, root in parts.items()
        for tag in ("pStyle", "tblStyle", "basedOn", "next")
        for element in root.iter(f"{W}{tag}")
    }
    assert used <= known


def test_contents_field_is_real_and_filled(parts, word):
    instructions = [element.text for element in parts["word/document.xml"].iter(f"{W}instrText")]
    assert instructions[0].strip() == 'TOC \\h \\z \\f \\t "規程 章,1,規程 附則,1,規程 別表題名,1"'
    assert ' TC "第1条（目的）" \\l 2 ' in instructions
    kinds = [element.get(f"{W}fldCharType") for element in parts["word/document.xml"].iter(f"{W}fldChar")]
    assert kinds.count("begin") == kinds.count("end")
    entries = [
        "".join(paragraph.itertext(f"{W}t"))
        for paragraph in parts["word/document.xml"].iter(f"{W}p")
        if (style := paragraph.find(f"{W}pPr/{W}pStyle")) is not None and style.get(f"{W}val", "").startswith("TOC")
    ]
    assert entries[:3] == ["第1章　総則", "第1条（目的）", "第2条（死者に係る情報の取扱い）"]
    assert entries[-1] == "別表4　再委託先一覧"


def test_links_find_their_bookmarks(parts):
    document = parts["word/document.xml"]
    names = [mark.get(f"{W}name") for mark in document.iter(f"{W}bookmarkStart")]
    assert len(names) == len(set(names))
    assert all(len(name) <= 40 for name in names)
    assert {link.get(f"{W}anchor") for link in document.iter(f"{W}hyperlink")} <= set(names)


def test_tables_have_widths_and_repeat_their_heads(word):
    ledger = next(table for table in word.tables if len(table.columns) == 10)
    cells = ledger._cells
    assert len(cells) == 401 * 10
    assert [cell.text for cell in cells[10:14]] == ["EQ-00001", "画像連携ゲートウェイ装置", "サーバ", "台帳及び封印"]
    assert cells[3].text == "管理方法\n（規範）"
    head = ledger.rows[0]._tr.trPr
    assert head.find(f"{W}tblHeader") is not None
    widths = [int(column.get(f"{W}w")) for column in ledger._tbl.tblGrid]
    assert widths[0] < widths[1]
    assert abs(sum(widths) - 14004) < 20


def test_an_empty_annex_says_so(word):
    assert word.tables[-1].rows[1].cells[0].text == "該当なし"
    assert texts(word, "規程 別表注記")[-1] == "委託先の体制は、毎年4月に確認する。"


def test_the_wide_annex_has_a_turned_section(word):
    assert [section.orientation for section in word.sections] == [
        WD_ORIENTATION.PORTRAIT,
        WD_ORIENTATION.LANDSCAPE,
        WD_ORIENTATION.PORTRAIT,
    ]
    for section in word.sections:
        assert section.header.paragraphs[0].text == "KT-001　第2版\t医療情報システム等 運用管理規程"
        codes = [element.text.strip() for element in section.footer._element.iter(f"{W}instrText")]
        assert codes == ["PAGE", "NUMPAGES"]


def test_properties_carry_the_timestamp(word):
    properties = word.core_properties
    assert properties.title == "医療情報システム等 運用管理規程"
    assert properties.subject == "KT-001　第2版"
    assert properties.author == "さくら医療クラウド㈱"
    assert properties.language == "ja-JP"
    assert properties.created == properties.modified == STAMP


def test_the_package_carries_no_clock(made):
    with zipfile.ZipFile(io.BytesIO(made)) as package:
        assert {entry.date_time for entry in package.infolist()} == {(1980, 1, 1, 0, 0, 0)}
        assert package.namelist()[0] == "[Content_Types].xml"
        assert package.testzip() is None


def test_approvals_are_stamped_only_when_decided(parts):
    stamped = "".join(parts["word/document.xml"].itertext())
    assert "8.3.25" in stamped
    draft = render.docx(sample(rows=1, draft=True, rendering=Rendering.DISCLOSURE), timestamp=STAMP)
    document = docx.Document(io.BytesIO(draft))
    assert "8.3.25" not in "".join(document.element.itertext())
    assert document.paragraphs[0].text.split() == ["案", "開示版"]
    assert document.tables[0].rows[0].cells[0].text == "作成"


def test_what_a_person_writes_is_never_markup():
    words = '<w:p/> & "引用" TOC \\o ]]> {PAGE}'
    article = Article("a", "第1条", words, (par("a", 1, words, "\n次の行\tタブ"),))
    made = render.docx(
        dataclasses.replace(sample(rows=1), chapters=(Chapter("c", "第1章", words, (article,)),)), timestamp=STAMP
    )
    document = docx.Document(io.BytesIO(made))
    assert texts(document, "規程 条")[0] == f"第1条　{words}\n次の行\tタブ"
    assert texts(document, "規程 章")[0] == f"第1章　{words}"


def test_an_article_without_a_caption_still_enters_the_contents():
    article = Article("a", "第5条", "", (par("a", 1, "削除"),))
    made = render.docx(
        dataclasses.replace(sample(rows=1), chapters=(Chapter("c", "第1章", "総則", (article,)),)), timestamp=STAMP
    )
    document = docx.Document(io.BytesIO(made))
    codes = [element.text for element in document.element.iter(f"{W}instrText")]
    assert ' TC "第5条" \\l 2 ' in codes
    assert "第5条　削除" in texts(document, "規程 条")


def test_four_hundred_rows_take_less_than_a_second_and_a_half():
    begun = time.process_time()
    render.docx(sample(rows=400), timestamp=STAMP)
    assert time.process_time() - begun < 1.5
