"""The regulation as a Word file: named styles, numbering as text, a contents field, real tables, landscape sections.

The document part is written as one XML string: a register of 400 rows takes milliseconds, and equal input gives equal bytes.
"""

from __future__ import annotations

import datetime as dt
import io
import zipfile
from collections.abc import Iterable, Iterator, Sequence
from xml.sax.saxutils import escape

from kitei.outcomes.regulation.model import Regulation
from kitei.outcomes.regulation.render import docx_parts as parts
from kitei.outcomes.regulation.render.common import view
from kitei.outcomes.regulation.render.page import AnnexView, ApprovalView, ArticleView, Line, Piece, TableView, View

_ZIP_MOMENT = (1980, 1, 1, 0, 0, 0)  # the entries carry no clock
_LINE_STYLES = {"article": "KiteiArticle", "paragraph": "KiteiParagraph", "lone": "KiteiLone"}
_TWIPS_PER_MM = 56.7


def render(regulation: Regulation, *, timestamp: dt.datetime) -> bytes:
    """Return the Word file. See ``kitei.outcomes.regulation.render.docx``."""
    shown = view(regulation)
    moment = timestamp.astimezone(dt.UTC).strftime("%Y-%m-%dT%H:%M:%SZ")
    files = (
        ("[Content_Types].xml", parts.CONTENT_TYPES),
        ("_rels/.rels", parts.PACKAGE_RELATIONS),
        ("word/document.xml", _Writer(shown).document()),
        ("word/_rels/document.xml.rels", parts.DOCUMENT_RELATIONS),
        ("word/styles.xml", parts.STYLES),
        ("word/settings.xml", parts.SETTINGS),
        ("word/fontTable.xml", parts.FONTS),
        ("word/header1.xml", parts.header(shown.header, shown.title, landscape=False)),
        ("word/header2.xml", parts.header(shown.header, shown.title, landscape=True)),
        ("word/footer1.xml", parts.FOOTER_PART),
        (
            "docProps/core.xml",
            parts.core_properties(title=shown.title, subject=shown.header, author=shown.organization, moment=moment),
        ),
        ("docProps/app.xml", parts.app_properties(shown.organization)),
    )
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w", zipfile.ZIP_DEFLATED, compresslevel=6) as package:
        for name, content in files:
            entry = zipfile.ZipInfo(name, _ZIP_MOMENT)
            entry.compress_type = zipfile.ZIP_DEFLATED
            entry.create_system = 0
            package.writestr(entry, content.encode())
    return buffer.getvalue()


class _Writer:
    """Writes the body; holds the numbers of bookmarks."""

    def __init__(self, shown: View) -> None:
        self.shown = shown
        self._bookmarks: dict[str, int] = {}

    def document(self) -> str:
        inner = "".join(self._body())
        return f"{parts.DECLARATION}<w:document {parts.NAMESPACES} {parts.SHAPE_NAMESPACES}><w:body>{inner}</w:body></w:document>"

    def _body(self) -> Iterator[str]:
        yield from self._cover()
        yield from self._contents()
        if self.shown.chapters or self.shown.supplements:  # annexes alone have no body to be headed
            yield _paragraph("KiteiBodyTitle", _run(self.shown.title))
        for chapter in self.shown.chapters:
            if chapter.heading:
                yield _paragraph("KiteiChapter", self._mark(chapter.anchor) + _run(chapter.heading))
            for article in chapter.articles:
                yield from self._article(article)
        for supplement in self.shown.supplements:
            yield _paragraph("KiteiSupplement", self._mark(supplement.anchor) + _run(supplement.heading))
            yield from (self._line(line) for line in supplement.lines)
        turned = False
        for annex in self.shown.annexes:
            if annex.landscape is not turned:  # the old section ends here; the new one starts on a new page
                yield _paragraph("KiteiEnd", "", inside=_section(landscape=turned))
                turned = annex.landscape
                yield from self._annex(annex, new_page=False)
            else:
                yield from self._annex(annex, new_page=True)
        yield _section(landscape=turned)

    # ---- front matter

    def _cover(self) -> Iterator[str]:
        if self.shown.watermarks:
            seal = parts.VERMILION
            frame = (
                f'<w:color w:val="{seal}"/><w:sz w:val="28"/><w:szCs w:val="28"/>'
                f'<w:bdr w:val="single" w:sz="8" w:space="0" w:color="{seal}"/>'
            )
            words = [_run(f" {word} ", frame) for word in self.shown.watermarks]
            yield _paragraph("KiteiTableCaption", _run("　").join(words))
        if self.shown.approvals:
            yield _approvals(self.shown.approvals)
        yield _paragraph("KiteiTitle", _run(self.shown.title))
        yield _paragraph("KiteiCompany", _run(self.shown.organization))
        yield _grid(
            rows=[[(label, "left", True), (value, "left", False)] for label, value in self.shown.facts],
            widths=[_mm(32), _mm(73)],
            style="KiteiTable",
            placed="center",
        )
        if self.shown.history:
            yield _paragraph("KiteiFront", _run("改　訂　履　歴"))
            names = ("版", "施行日", "改訂の内容", "承認")
            last = parts.TEXT_WIDTH[False] - _mm(22) - 2 * _mm(34)
            yield _grid(
                rows=[
                    [(name, "center", True) for name in names],
                    *([(cell, "left", False) for cell in row] for row in self.shown.history),
                ],
                widths=[_mm(22), _mm(34), last, _mm(34)],
                style="KiteiTable",
                header=True,
            )

    def _contents(self) -> Iterator[str]:
        """Write the contents field with its entries in place; Word adds page numbers when the field is updated.

        No page number is written: only Word knows its own page breaks, and a wrong number is worse than none.
        """
        code = f'TOC \\h \\z \\f \\t "{parts.CHAPTER},1,{parts.SUPPLEMENT},1,{parts.ANNEX},1"'
        entries: list[tuple[int, str, str]] = []
        for chapter in self.shown.chapters:
            if chapter.heading:
                entries.append((1, chapter.heading, chapter.anchor))
            entries.extend((2, article.heading, article.anchor) for article in chapter.articles)
        entries.extend((1, supplement.heading, supplement.anchor) for supplement in self.shown.supplements)
        entries.extend((1, annex.heading, annex.anchor) for annex in self.shown.annexes)
        opening = (
            '<w:r><w:fldChar w:fldCharType="begin"/></w:r>'
            f'<w:r><w:instrText xml:space="preserve"> {escape(code)} </w:instrText></w:r>'
            '<w:r><w:fldChar w:fldCharType="separate"/></w:r>'
        )
        yield _paragraph("KiteiFront", _run("目　次"), before="<w:pageBreakBefore/>")
        yield (
            '<w:sdt><w:sdtPr><w:docPartObj><w:docPartGallery w:val="Table of Contents"/><w:docPartUnique/>'
            "</w:docPartObj></w:sdtPr><w:sdtContent>"
        )
        for count, (level, heading, anchor) in enumerate(entries):
            link = f'<w:hyperlink w:anchor="{self._bookmark(anchor)}" w:history="1">{_run(heading)}</w:hyperlink>'
            yield _paragraph(f"TOC{level}", (opening if count == 0 else "") + link)
        closing = '<w:r><w:fldChar w:fldCharType="end"/></w:r>'
        yield _paragraph("Normal", (opening if not entries else "") + closing)
        yield "</w:sdtContent></w:sdt>"

    # ---- sentences

    def _article(self, article: ArticleView) -> Iterator[str]:
        entry = _contents_entry(article.heading)
        lines = article.lines
        if article.caption:
            yield _paragraph("KiteiCaption", self._mark(article.anchor) + entry + _run(article.caption))
        else:
            yield self._line(lines[0], self._mark(article.anchor) + entry)
            lines = lines[1:]
        yield from (self._line(line) for line in lines)

    def _line(self, line: Line, lead: str = "") -> str:
        lead += self._mark(line.anchor)
        words = "".join(self._piece(piece) for piece in line.pieces)
        if line.level != "item":
            marker = _run(f"{line.marker}　") if line.marker else ""
            return _paragraph(_LINE_STYLES[line.level], lead + marker + words)
        style, usual = ("KiteiItem", (1, 3)) if line.depth == 1 else ("KiteiSubitem", (2, 2))
        indent = ""
        if (line.depth, line.hang) != usual:
            left, hanging = (line.depth + line.hang) * parts.EM, line.hang * parts.EM
            indent = f'<w:ind w:left="{left}" w:hanging="{hanging}"/>'
        return _paragraph(style, f"{lead}{_run(line.marker)}<w:r><w:tab/></w:r>{words}", inside=indent)

    def _piece(self, piece: Piece) -> str:
        if not piece.anchor:
            return _run(piece.text)
        return f'<w:hyperlink w:anchor="{self._bookmark(piece.anchor)}" w:history="1">{_run(piece.text)}</w:hyperlink>'

    # ---- annexes

    def _annex(self, annex: AnnexView, *, new_page: bool) -> Iterator[str]:
        small = '<w:b w:val="0"/><w:bCs w:val="0"/><w:sz w:val="19"/><w:szCs w:val="19"/>'
        relation = _run(f"　{annex.relation}", small) if annex.relation else ""
        yield _paragraph(
            "KiteiAnnex",
            self._mark(annex.anchor) + _run(annex.heading) + relation,
            before="<w:pageBreakBefore/>" if new_page else "",
        )
        boxed = _run(f" {annex.mark} ", '<w:bdr w:val="single" w:sz="4" w:space="0" w:color="555555"/>')
        yield _paragraph(
            "KiteiAnnexNote", boxed + _run(f"　{annex.meta}" if annex.meta else ""), before="<w:keepNext/>"
        )
        if not annex.tables:
            yield _paragraph("KiteiAnnexNote", _run("該当なし"))
        for table in annex.tables:
            if table.caption:
                yield _paragraph("KiteiTableCaption", _run(table.caption))
            yield _ledger(table, parts.TEXT_WIDTH[annex.landscape])
            yield _paragraph("KiteiAnnexNote" if table.note else "KiteiEnd", _run(table.note))
        if annex.note:
            yield _paragraph("KiteiAnnexNote", _run(annex.note))

    # ---- bookmarks

    def _bookmark(self, anchor: str) -> str:
        number = self._bookmarks.setdefault(anchor, len(self._bookmarks) + 1)
        return f"_Kitei{number:05d}"

    def _mark(self, anchor: str) -> str:
        if not anchor:
            return ""
        name = self._bookmark(anchor)
        number = self._bookmarks[anchor]
        return f'<w:bookmarkStart w:id="{number}" w:name="{name}"/><w:bookmarkEnd w:id="{number}"/>'


def _run(text: str, form: str = "") -> str:
    if not text:
        return ""
    pieces = []
    for count, row in enumerate(text.split("\n")):
        if count:
            pieces.append("<w:br/>")
        pieces.append("<w:tab/>".join(f'<w:t xml:space="preserve">{escape(part)}</w:t>' for part in row.split("\t")))
    return f"<w:r>{f'<w:rPr>{form}</w:rPr>' if form else ''}{''.join(pieces)}</w:r>"


def _paragraph(style: str, runs: str, *, before: str = "", inside: str = "") -> str:
    """Write a paragraph; ``before`` are properties that stand early in the schema's order, ``inside`` late ones."""
    return f'<w:p><w:pPr><w:pStyle w:val="{style}"/>{before}{inside}</w:pPr>{runs}</w:p>'


def _contents_entry(heading: str) -> str:
    """Return the hidden TC field by which an article enters the contents as 「第1条（目的）」, not by its caption alone."""
    hidden = "<w:rPr><w:vanish/></w:rPr>"
    words = escape(heading.replace('"', "”").replace("\\", "＼"))
    return (
        f'<w:r>{hidden}<w:fldChar w:fldCharType="begin"/></w:r>'
        f'<w:r>{hidden}<w:instrText xml:space="preserve"> TC "{words}" \\l 2 </w:instrText></w:r>'
        f'<w:r>{hidden}<w:fldChar w:fldCharType="end"/></w:r>'
    )


def _section(*, landscape: bool) -> str:
    header = parts.HEADER_TURNED if landscape else parts.HEADER_UPRIGHT
    width, height = parts.PAGE_SHORT, parts.PAGE_LONG
    size = f'w:w="{height}" w:h="{width}" w:orient="landscape"' if landscape else f'w:w="{width}" w:h="{height}"'
    sides = parts.MARGIN_TURNED if landscape else parts.MARGIN_UPRIGHT
    top = _mm(25) if landscape else _mm(30)
    return (
        f'<w:sectPr><w:headerReference w:type="default" r:id="{header}"/>'
        f'<w:footerReference w:type="default" r:id="{parts.FOOTER}"/><w:type w:val="nextPage"/><w:pgSz {size}/>'
        f'<w:pgMar w:top="{top}" w:right="{sides}" w:bottom="{_mm(25)}" w:left="{sides}" '
        f'w:header="{_mm(15)}" w:footer="{_mm(12)}" w:gutter="0"/><w:cols w:space="425"/></w:sectPr>'
    )


def _mm(length: float) -> int:
    return round(length * _TWIPS_PER_MM)


def _approvals(cells: Sequence[ApprovalView]) -> str:
    """Write 承認欄: a row of captions, a row of stamps, a row of names."""
    width = _mm(26)

    def row(boxes: Iterable[str], height: float) -> str:
        return f'<w:tr><w:trPr><w:cantSplit/><w:trHeight w:val="{_mm(height)}" w:hRule="atLeast"/></w:trPr>{"".join(boxes)}</w:tr>'

    stamps = []
    for count, cell in enumerate(cells, start=1):
        stamp = ""
        if cell.name and cell.day:
            stamp = parts.stamp(
                number=count,
                description=f"{cell.caption} {cell.day} {cell.name}",
                lines=(cell.caption, cell.stamp_day, cell.stamp_name),
            )
        stamps.append(_box(stamp, width, "KiteiTableSmall", "center"))
    return (
        _table_opening([width] * len(cells), "right")
        + row((_cell(cell.caption, width, "KiteiTableSmall", "center") for cell in cells), 5)
        + row(stamps, 18)
        + row((_cell(cell.name, width, "KiteiTableSmall", "center") for cell in cells), 5)
        + "</w:tbl>"
    )


def _ledger(table: TableView, room: int) -> str:
    count = len(table.headers)
    style = "KiteiTable" if count <= 5 else "KiteiTableSmall" if count <= 8 else "KiteiTableTiny"  # noqa: PLR2004 -- as in the PDF
    total = sum(table.widths)
    widths = [int(room * width / total) for width in table.widths]
    names = (f"{name}\n（{mark}）" if mark else name for name, mark in zip(table.headers, table.marks, strict=True))
    rows: list[list[tuple[str, str, bool]]] = [[(name, "center", True) for name in names]]
    rows.extend([(cell, side, False) for cell, side in zip(row, table.aligns, strict=True)] for row in table.rows)
    return _grid(rows=rows, widths=widths, style=style, header=True, empty="" if table.rows else table.empty)


def _grid(
    *,
    rows: Sequence[Sequence[tuple[str, str, bool]]],
    widths: Sequence[int],
    style: str,
    placed: str = "",
    header: bool = False,
    empty: str = "",
) -> str:
    """Write a ruled table; a cell is its text, its side and whether it is a heading; ``empty`` stands in for no rows."""
    made = [_table_opening(widths, placed)]
    for count, row in enumerate(rows):
        repeat = "<w:tblHeader/>" if header and count == 0 else ""
        cells = "".join(
            _cell(text, width, style, side, strong=strong)
            for (text, side, strong), width in zip(row, widths, strict=True)
        )
        made.append(f"<w:tr><w:trPr><w:cantSplit/>{repeat}</w:trPr>{cells}</w:tr>")
    if empty:
        made.append(f"<w:tr>{_cell(empty, sum(widths), style, 'center', span=len(widths))}</w:tr>")
    made.append("</w:tbl>")
    return "".join(made)


def _table_opening(widths: Sequence[int], placed: str) -> str:
    side = f'<w:jc w:val="{placed}"/>' if placed else ""
    columns = "".join(f'<w:gridCol w:w="{width}"/>' for width in widths)
    return (
        f'<w:tbl><w:tblPr><w:tblStyle w:val="KiteiGrid"/><w:tblW w:w="{sum(widths)}" w:type="dxa"/>{side}'
        f'<w:tblLayout w:type="fixed"/><w:tblLook w:val="0620" w:firstRow="1"/></w:tblPr><w:tblGrid>{columns}</w:tblGrid>'
    )


def _cell(text: str, width: int, style: str, side: str, *, strong: bool = False, span: int = 1) -> str:
    return _box(_run(text, "<w:b/><w:bCs/>" if strong else ""), width, style, side, strong=strong, span=span)


def _box(runs: str, width: int, style: str, side: str, *, strong: bool = False, span: int = 1) -> str:
    merged = f'<w:gridSpan w:val="{span}"/>' if span > 1 else ""
    shade = '<w:shd w:val="clear" w:color="auto" w:fill="EEEEEE"/>' if strong else ""
    aligned = "" if side == "left" else f'<w:jc w:val="{side}"/>'
    return (
        f'<w:tc><w:tcPr><w:tcW w:w="{width}" w:type="dxa"/>{merged}{shade}<w:vAlign w:val="center"/></w:tcPr>'
        f"{_paragraph(style, runs, inside=aligned)}</w:tc>"
    )
