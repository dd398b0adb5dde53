"""The fixed parts of the Word file: package lists, styles, settings, fonts, header and footer.

Written by us instead of taken from python-docx's template, which brings 800 KB of English styles, a thumbnail and a
compatibility mode of 2010. Element order follows the schema of ECMA-376 part 1 (Word refuses another order).
Fonts are named, never embedded: every Japanese Windows and Mac has them.
"""

from __future__ import annotations

from xml.sax.saxutils import escape

NAMESPACES = (
    'xmlns:w="http://schemas.openxmlformats.org/wordprocessingml/2006/main" '
    'xmlns:r="http://schemas.openxmlformats.org/officeDocument/2006/relationships"'
)
# Only the document holds shapes (the round stamps of 承認欄), for Word 2010 and later with a plain text for others.
SHAPE_NAMESPACES = (
    'xmlns:mc="http://schemas.openxmlformats.org/markup-compatibility/2006" '
    'xmlns:wp="http://schemas.openxmlformats.org/drawingml/2006/wordprocessingDrawing" '
    'xmlns:a="http://schemas.openxmlformats.org/drawingml/2006/main" '
    'xmlns:wps="http://schemas.microsoft.com/office/word/2010/wordprocessingShape"'
)
DECLARATION = '<?xml version="1.0" encoding="UTF-8" standalone="yes"?>\n'
MINCHO, GOTHIC = "ＭＳ 明朝", "游ゴシック"
EM = 210  # one character of 10.5 pt in twips
VERMILION = "C0272D"
# A4 in twips; the text is 42 characters wide on an upright page.
PAGE_SHORT, PAGE_LONG = 11906, 16838
MARGIN_UPRIGHT, MARGIN_TURNED = 1542, 1417
TEXT_WIDTH = {False: PAGE_SHORT - 2 * MARGIN_UPRIGHT, True: PAGE_LONG - 2 * MARGIN_TURNED}

_OFFICE = "application/vnd.openxmlformats-officedocument.wordprocessingml"
_RELATION = "http://schemas.openxmlformats.org/officeDocument/2006/relationships"

CONTENT_TYPES = (
    DECLARATION
    + '<Types xmlns="http://schemas.openxmlformats.org/package/2006/content-types">'
    + '<Default Extension="rels" ContentType="application/vnd.openxmlformats-package.relationships+xml"/>'
    + '<Default Extension="xml" ContentType="application/xml"/>'
    + "".join(
        f'<Override PartName="{part}" ContentType="{kind}"/>'
        for part, kind in (
            ("/word/document.xml", f"{_OFFICE}.document.main+xml"),
            ("/word/styles.xml", f"{_OFFICE}.styles+xml"),
            ("/word/settings.xml", f"{_OFFICE}.settings+xml"),
            ("/word/fontTable.xml", f"{_OFFICE}.fontTable+xml"),
            ("/word/header1.xml", f"{_OFFICE}.header+xml"),
            ("/word/header2.xml", f"{_OFFICE}.header+xml"),
            ("/word/footer1.xml", f"{_OFFICE}.footer+xml"),
            ("/docProps/core.xml", "application/vnd.openxmlformats-package.core-properties+xml"),
            ("/docProps/app.xml", "application/vnd.openxmlformats-officedocument.extended-properties+xml"),
        )
    )
    + "</Types>"
)


def _relations(*targets: tuple[str, str, str]) -> str:
    inner = "".join(f'<Relationship Id="{name}" Type="{kind}" Target="{target}"/>' for name, kind, target in targets)
    return (
        f'{DECLARATION}<Relationships xmlns="http://schemas.openxmlformats.org/package/2006/relationships">'
        f"{inner}</Relationships>"
    )


PACKAGE_RELATIONS = _relations(
    ("rId1", f"{_RELATION}/officeDocument", "word/document.xml"),
    (
        "rId2",
        "http://schemas.openxmlformats.org/package/2006/relationships/metadata/core-properties",
        "docProps/core.xml",
    ),
    ("rId3", f"{_RELATION}/extended-properties", "docProps/app.xml"),
)
HEADER_UPRIGHT, HEADER_TURNED, FOOTER = "rId4", "rId5", "rId6"
DOCUMENT_RELATIONS = _relations(
    ("rId1", f"{_RELATION}/styles", "styles.xml"),
    ("rId2", f"{_RELATION}/settings", "settings.xml"),
    ("rId3", f"{_RELATION}/fontTable", "fontTable.xml"),
    (HEADER_UPRIGHT, f"{_RELATION}/header", "header1.xml"),
    (HEADER_TURNED, f"{_RELATION}/header", "header2.xml"),
    (FOOTER, f"{_RELATION}/footer", "footer1.xml"),
)

SETTINGS = (
    f'{DECLARATION}<w:settings {NAMESPACES}><w:zoom w:percent="100"/><w:defaultTabStop w:val="840"/>'
    '<w:characterSpacingControl w:val="compressPunctuation"/><w:compat><w:adjustLineHeightInTable/>'
    '<w:compatSetting w:name="compatibilityMode" w:uri="http://schemas.microsoft.com/office/word" w:val="15"/>'
    '</w:compat><w:themeFontLang w:val="en-US" w:eastAsia="ja-JP"/>'
    '<w:decimalSymbol w:val="."/><w:listSeparator w:val=","/></w:settings>'
)

FONTS = (
    f"{DECLARATION}<w:fonts {NAMESPACES}>"
    f'<w:font w:name="{MINCHO}"><w:altName w:val="MS Mincho"/><w:panose1 w:val="02020609040205080304"/>'
    '<w:charset w:val="80"/><w:family w:val="roman"/><w:pitch w:val="fixed"/></w:font>'
    f'<w:font w:name="{GOTHIC}"><w:altName w:val="Yu Gothic"/><w:panose1 w:val="020B0400000000000000"/>'
    '<w:charset w:val="80"/><w:family w:val="swiss"/><w:pitch w:val="variable"/></w:font></w:fonts>'
)


def fonts(name: str) -> str:
    """Return the font attributes of a run: the same face for Japanese and Latin, so that 「（1）」 looks even."""
    return f'<w:rFonts w:ascii="{name}" w:eastAsia="{name}" w:hAnsi="{name}" w:cs="{name}"/>'


def _style(
    style: str,
    name: str,
    *,
    paragraph: str = "",
    run: str = "",
    based: str = "Normal",
    following: str = "",
    priority: int = 1,
    quick: bool = True,
) -> str:
    return (
        f'<w:style w:type="paragraph" w:customStyle="1" w:styleId="{style}"><w:name w:val="{name}"/>'
        f'<w:basedOn w:val="{based}"/>'
        + (f'<w:next w:val="{following}"/>' if following else "")
        + f'<w:uiPriority w:val="{priority}"/>'
        + ("<w:qFormat/>" if quick else "")
        + f"<w:pPr>{paragraph}</w:pPr><w:rPr>{run}</w:rPr></w:style>"
    )


def _gothic(half_points: int, *, bold: bool = False) -> str:
    weight = "<w:b/><w:bCs/>" if bold else ""
    return f'{fonts(GOTHIC)}{weight}<w:sz w:val="{half_points}"/><w:szCs w:val="{half_points}"/>'


def _spaced(before: int, after: int, *, line: int = 340) -> str:
    return f'<w:spacing w:before="{before}" w:after="{after}" w:line="{line}" w:lineRule="atLeast"/>'


def _contents_style(level: int, indent: int, run: str, before: int) -> str:
    return (
        f'<w:style w:type="paragraph" w:styleId="TOC{level}"><w:name w:val="toc {level}"/><w:basedOn w:val="Normal"/>'
        '<w:next w:val="Normal"/><w:uiPriority w:val="39"/><w:unhideWhenUsed/>'
        f'<w:pPr><w:tabs><w:tab w:val="right" w:leader="dot" w:pos="{TEXT_WIDTH[False]}"/></w:tabs>'
        f'{_spaced(before, 0, line=300)}<w:ind w:left="{indent}"/><w:jc w:val="left"/></w:pPr><w:rPr>{run}</w:rPr></w:style>'
    )


# Names are what a person sees in Word's list of styles; the contents field refers to them.
CHAPTER, SUPPLEMENT, ANNEX = "規程 章", "規程 附則", "規程 別表題名"
STYLES = (
    f"{DECLARATION}<w:styles {NAMESPACES}><w:docDefaults><w:rPrDefault><w:rPr>{fonts(MINCHO)}"
    '<w:kern w:val="2"/><w:sz w:val="21"/><w:szCs w:val="21"/>'
    '<w:lang w:val="en-US" w:eastAsia="ja-JP" w:bidi="ar-SA"/></w:rPr></w:rPrDefault><w:pPrDefault><w:pPr><w:autoSpaceDE w:val="0"/><w:autoSpaceDN w:val="0"/></w:pPr></w:pPrDefault></w:docDefaults>'
    '<w:style w:type="paragraph" w:default="1" w:styleId="Normal"><w:name w:val="Normal"/><w:qFormat/><w:pPr>'
    '<w:widowControl w:val="0"/><w:autoSpaceDE w:val="0"/><w:autoSpaceDN w:val="0"/>'
    f'{_spaced(0, 0)}<w:jc w:val="both"/></w:pPr></w:style>'
    '<w:style w:type="character" w:default="1" w:styleId="DefaultParagraphFont"><w:name w:val="Default Paragraph Font"/>'
    '<w:uiPriority w:val="1"/><w:semiHidden/><w:unhideWhenUsed/></w:style>'
    '<w:style w:type="table" w:default="1" w:styleId="TableNormal"><w:name w:val="Normal Table"/><w:uiPriority w:val="99"/>'
    '<w:semiHidden/><w:unhideWhenUsed/><w:tblPr><w:tblInd w:w="0" w:type="dxa"/><w:tblCellMar>'
    '<w:top w:w="0" w:type="dxa"/><w:left w:w="108" w:type="dxa"/><w:bottom w:w="0" w:type="dxa"/>'
    '<w:right w:w="108" w:type="dxa"/></w:tblCellMar></w:tblPr></w:style>'
    + _style(
        "KiteiTitle",
        "規程 題名",
        paragraph=f'{_spaced(1200, 200, line=480)}<w:jc w:val="center"/>',
        run=_gothic(40, bold=True),
        following="Normal",
    )
    + _style(
        "KiteiBodyTitle",
        "規程 本文題名",
        paragraph=f'<w:pageBreakBefore/>{_spaced(0, 240, line=400)}<w:jc w:val="center"/>',
        run=_gothic(28, bold=True),
    )
    + _style("KiteiCompany", "規程 会社名", paragraph=f'{_spaced(0, 600)}<w:jc w:val="center"/>', run=_gothic(24))
    + _style(
        "KiteiFront",
        "規程 前付見出し",
        paragraph=f'<w:keepNext/>{_spaced(480, 200)}<w:jc w:val="center"/>',
        run=_gothic(24, bold=True),
    )
    + _style(
        "KiteiChapter",
        CHAPTER,
        paragraph=f'<w:keepNext/>{_spaced(440, 160)}<w:jc w:val="center"/><w:outlineLvl w:val="0"/>',
        run=_gothic(24, bold=True),
        following="KiteiCaption",
    )
    + _style(
        "KiteiCaption",
        "規程 条見出し",
        paragraph=f'<w:keepNext/>{_spaced(240, 0)}<w:ind w:left="{EM // 2}"/><w:jc w:val="left"/><w:outlineLvl w:val="1"/>',
        run=_gothic(21, bold=True),
        following="KiteiArticle",
    )
    + _style(
        "KiteiArticle",
        "規程 条",
        paragraph=f'<w:ind w:left="{EM}" w:hanging="{EM}"/>',
        following="KiteiParagraph",
    )
    + _style("KiteiParagraph", "規程 項", paragraph=f'<w:ind w:left="{EM}" w:hanging="{EM}"/>')
    + _style("KiteiLone", "規程 項（番号なし）", paragraph=f'<w:ind w:firstLine="{EM}"/>')
    + _style("KiteiItem", "規程 号", paragraph=f'<w:ind w:left="{4 * EM}" w:hanging="{3 * EM}"/>')
    + _style("KiteiSubitem", "規程 号の細分", paragraph=f'<w:ind w:left="{4 * EM}" w:hanging="{2 * EM}"/>')
    + _style(
        "KiteiSupplement",
        SUPPLEMENT,
        paragraph=f'<w:keepNext/>{_spaced(480, 120)}<w:ind w:left="{3 * EM}"/><w:jc w:val="left"/><w:outlineLvl w:val="0"/>',
        run=_gothic(22, bold=True),
        following="KiteiLone",
    )
    + _style(
        "KiteiAnnex",
        ANNEX,
        paragraph=f'<w:keepNext/>{_spaced(0, 80)}<w:jc w:val="left"/><w:outlineLvl w:val="0"/>',
        run=_gothic(24, bold=True),
        following="KiteiAnnexNote",
    )
    + _style(
        "KiteiAnnexNote",
        "規程 別表注記",
        paragraph=f'{_spaced(0, 120, line=280)}<w:jc w:val="left"/>',
        run=_gothic(18),
    )
    + _style(
        "KiteiTableCaption",
        "規程 表題",
        paragraph=f'<w:keepNext/>{_spaced(200, 80, line=280)}<w:jc w:val="left"/>',
        run=_gothic(19, bold=True),
    )
    + _style("KiteiTable", "規程 表", paragraph=f'{_spaced(0, 0, line=260)}<w:jc w:val="left"/>', run=_gothic(18))
    + _style(
        "KiteiTableSmall",
        "規程 表（小）",
        paragraph=_spaced(0, 0, line=230),
        run='<w:sz w:val="16"/><w:szCs w:val="16"/>',
        based="KiteiTable",
    )
    + _style(
        "KiteiTableTiny",
        "規程 表（細）",
        paragraph=_spaced(0, 0, line=210),
        run='<w:sz w:val="15"/><w:szCs w:val="15"/>',
        based="KiteiTable",
    )
    + _style(
        "KiteiStamp",
        "規程 承認印",
        paragraph='<w:spacing w:before="0" w:after="0" w:line="180" w:lineRule="exact"/><w:jc w:val="center"/>',
        run=f'{fonts(GOTHIC)}<w:color w:val="{VERMILION}"/><w:sz w:val="14"/><w:szCs w:val="14"/>',
    )
    + _style(
        "KiteiEnd",
        "規程 区切り",
        paragraph=_spaced(0, 0, line=20),
        run='<w:sz w:val="2"/><w:szCs w:val="2"/>',
        quick=False,
    )
    + _contents_style(1, 0, _gothic(20, bold=True), 120)
    + _contents_style(2, EM, _gothic(19), 0)
    + '<w:style w:type="paragraph" w:styleId="Header"><w:name w:val="header"/><w:basedOn w:val="Normal"/>'
    '<w:uiPriority w:val="99"/><w:unhideWhenUsed/><w:pPr><w:pBdr><w:bottom w:val="single" w:sz="4" w:space="2" '
    f'w:color="555555"/></w:pBdr>{_spaced(0, 0, line=240)}<w:jc w:val="left"/></w:pPr><w:rPr>{_gothic(16)}</w:rPr></w:style>'
    '<w:style w:type="paragraph" w:styleId="Footer"><w:name w:val="footer"/><w:basedOn w:val="Normal"/>'
    f'<w:uiPriority w:val="99"/><w:unhideWhenUsed/><w:pPr>{_spaced(0, 0, line=240)}<w:jc w:val="center"/></w:pPr>'
    f"<w:rPr>{_gothic(17)}</w:rPr></w:style>"
    '<w:style w:type="table" w:customStyle="1" w:styleId="KiteiGrid"><w:name w:val="規程 罫線表"/>'
    '<w:basedOn w:val="TableNormal"/><w:uiPriority w:val="39"/><w:tblPr><w:tblBorders>'
    + "".join(
        f'<w:{side} w:val="single" w:sz="4" w:space="0" w:color="555555"/>'
        for side in ("top", "left", "bottom", "right", "insideH", "insideV")
    )
    + '</w:tblBorders><w:tblCellMar><w:top w:w="40" w:type="dxa"/><w:left w:w="80" w:type="dxa"/>'
    '<w:bottom w:w="40" w:type="dxa"/><w:right w:w="80" w:type="dxa"/></w:tblCellMar></w:tblPr></w:style></w:styles>'
)


def header(left: str, right: str, *, landscape: bool) -> str:
    """Return a running head: number and edition at the left, title at the right."""
    return (
        f'{DECLARATION}<w:hdr {NAMESPACES}><w:p><w:pPr><w:pStyle w:val="Header"/><w:tabs>'
        f'<w:tab w:val="right" w:pos="{TEXT_WIDTH[landscape]}"/></w:tabs></w:pPr>'
        f'<w:r><w:t xml:space="preserve">{escape(left)}</w:t></w:r><w:r><w:tab/></w:r>'
        f'<w:r><w:t xml:space="preserve">{escape(right)}</w:t></w:r></w:p></w:hdr>'
    )


def _field(code: str) -> str:
    return (
        '<w:r><w:fldChar w:fldCharType="begin"/></w:r>'
        f'<w:r><w:instrText xml:space="preserve"> {code} </w:instrText></w:r>'
        '<w:r><w:fldChar w:fldCharType="separate"/></w:r><w:r><w:t>1</w:t></w:r>'
        '<w:r><w:fldChar w:fldCharType="end"/></w:r>'
    )


FOOTER_PART = (
    f'{DECLARATION}<w:ftr {NAMESPACES}><w:p><w:pPr><w:pStyle w:val="Footer"/></w:pPr>'
    f'<w:r><w:t xml:space="preserve">- </w:t></w:r>{_field("PAGE")}<w:r><w:t xml:space="preserve"> / </w:t></w:r>'
    f'{_field("NUMPAGES")}<w:r><w:t xml:space="preserve"> -</w:t></w:r></w:p></w:ftr>'
)


def stamp(*, number: int, description: str, lines: tuple[str, str, str]) -> str:
    """Return a run with a round date stamp of 16 mm: caption, day and family name, as a stamped paper shows them."""
    side = 16 * 36000  # EMU
    top, middle, bottom = (escape(line) for line in lines)
    edge = f'w:val="single" w:sz="6" w:space="1" w:color="{VERMILION}"'
    rows = "".join(
        f'<w:p><w:pPr><w:pStyle w:val="KiteiStamp"/>{border}</w:pPr><w:r><w:t>{text}</w:t></w:r></w:p>'
        for text, border in (
            (top, ""),
            (middle, f"<w:pBdr><w:top {edge}/><w:bottom {edge}/></w:pBdr>"),
            (bottom, ""),
        )
    )
    return (
        '<w:r><mc:AlternateContent><mc:Choice Requires="wps"><w:drawing><wp:inline distT="0" distB="0" distL="0" distR="0">'
        f'<wp:extent cx="{side}" cy="{side}"/><wp:docPr id="{number}" name="stamp{number}" descr="{escape(description, {chr(34): "&quot;"})}"/>'
        "<wp:cNvGraphicFramePr/><a:graphic>"
        '<a:graphicData uri="http://schemas.microsoft.com/office/word/2010/wordprocessingShape"><wps:wsp>'
        f'<wps:cNvSpPr/><wps:spPr><a:xfrm><a:off x="0" y="0"/><a:ext cx="{side}" cy="{side}"/></a:xfrm>'
        '<a:prstGeom prst="ellipse"><a:avLst/></a:prstGeom><a:noFill/>'
        f'<a:ln w="12700"><a:solidFill><a:srgbClr val="{VERMILION}"/></a:solidFill></a:ln></wps:spPr>'
        f"<wps:txbx><w:txbxContent>{rows}</w:txbxContent></wps:txbx>"
        '<wps:bodyPr wrap="square" lIns="0" tIns="0" rIns="0" bIns="0" anchor="ctr"><a:noAutofit/></wps:bodyPr>'
        "</wps:wsp></a:graphicData></a:graphic></wp:inline></w:drawing></mc:Choice>"
        f"<mc:Fallback><w:t>{middle}</w:t><w:br/><w:t>{bottom}</w:t></mc:Fallback></mc:AlternateContent></w:r>"
    )


def core_properties(*, title: str, subject: str, author: str, moment: str) -> str:
    """Return the document's properties; ``moment`` is UTC as 「2026-11-22T00:30:00Z」."""
    return (
        f"{DECLARATION}<cp:coreProperties "
        'xmlns:cp="http://schemas.openxmlformats.org/package/2006/metadata/core-properties" '
        'xmlns:dc="http://purl.org/dc/elements/1.1/" xmlns:dcterms="http://purl.org/dc/terms/" '
        'xmlns:xsi="http://www.w3.org/2001/XMLSchema-instance">'
        f"<dc:title>{escape(title)}</dc:title><dc:subject>{escape(subject)}</dc:subject>"
        f"<dc:creator>{escape(author)}</dc:creator><cp:lastModifiedBy>{escape(author)}</cp:lastModifiedBy>"
        "<cp:revision>1</cp:revision>"
        f'<dcterms:created xsi:type="dcterms:W3CDTF">{moment}</dcterms:created>'
        f'<dcterms:modified xsi:type="dcterms:W3CDTF">{moment}</dcterms:modified>'
        "<dc:language>ja-JP</dc:language></cp:coreProperties>"
    )


def app_properties(company: str) -> str:
    """Return the application's properties."""
    return (
        f'{DECLARATION}<Properties xmlns="http://schemas.openxmlformats.org/officeDocument/2006/extended-properties">'
        f"<Application>Kitei</Application><Company>{escape(company)}</Company></Properties>"
    )
