"""Small real files of the demo's documents: PDF by typst, Word by python-docx, Excel by the house's own writer.

The same text gives the same bytes: time stamps are those of the document, never of the making.
"""

from __future__ import annotations

import dataclasses
import datetime as dt
import io
import json
import zipfile
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from typing import Any

import docx
import typst
from docx.enum.text import WD_ALIGN_PARAGRAPH
from docx.oxml.ns import qn
from docx.shared import Pt

from kitei.foundation import clock
from kitei.foundation.sheets import writer
from kitei.foundation.sheets.table import Table, TableColumn
from kitei.outcomes.regulation.render.to_pdf import font_files

_TEMPLATE = Path(__file__).with_name("paper.typ")
_MINCHO, _GOTHIC = "游明朝", "游ゴシック"


@dataclass(frozen=True)
class Paper:
    """What a document says. ``signed`` are the lines at the foot; ``boxes`` a chain of boxes (a diagram)."""

    title: str
    mark: str
    day: str
    author: str
    lead: tuple[str, ...] = ()
    sections: tuple[tuple[str, tuple[str, ...]], ...] = ()
    headers: tuple[str, ...] = ()
    rows: tuple[tuple[str, ...], ...] = ()
    widths: tuple[int, ...] = ()
    boxes: tuple[str, ...] = ()
    to: str = ""
    signed: tuple[str, ...] = ()


def made(paper: Paper, *, kind: str, when: dt.date) -> bytes:
    """Return the file of ``paper`` as ``pdf``, ``docx`` or ``xlsx``; ``when`` is the day it claims to be made."""
    stamp = clock.start_of(when)
    return {"pdf": _pdf, "docx": _docx, "xlsx": _xlsx}[kind](paper, stamp)


@lru_cache(maxsize=1)
def _fonts() -> Any:
    folders = sorted({str(path.parent) for path in font_files()})
    return typst.Fonts(include_system_fonts=False, include_embedded_fonts=False, font_paths=folders)


def _pdf(paper: Paper, stamp: dt.datetime) -> bytes:
    content, warnings = typst.compile_with_warnings(
        _TEMPLATE,
        root=_TEMPLATE.parent,
        font_paths=_fonts(),
        ignore_system_fonts=True,
        format="pdf",
        sys_inputs={"data": json.dumps(dataclasses.asdict(paper), ensure_ascii=False)},
        timestamp=stamp,
    )
    if warnings:  # a missing font is only a warning to typst
        raise RuntimeError("; ".join(str(warning) for warning in warnings))
    return bytes(content)


@lru_cache(maxsize=1)
def _base() -> bytes:
    """Return an empty document with Japanese fonts; every Word file starts from a copy of it."""
    document = docx.Document()
    for name, font, size in (("Normal", _MINCHO, 10.5), ("Heading 1", _GOTHIC, 12), ("Title", _GOTHIC, 16)):
        style = document.styles[name]
        style.font.name, style.font.size = font, Pt(size)
        fonts = style.element.get_or_add_rPr().get_or_add_rFonts()
        for theme in ("w:asciiTheme", "w:hAnsiTheme", "w:eastAsiaTheme", "w:cstheme"):
            fonts.attrib.pop(qn(theme), None)
        fonts.set(qn("w:eastAsia"), font)
    stream = io.BytesIO()
    document.save(stream)
    return stream.getvalue()


def _docx(paper: Paper, stamp: dt.datetime) -> bytes:
    document = docx.Document(io.BytesIO(_base()))
    core = document.core_properties
    core.title, core.author, core.last_modified_by, core.comments = paper.title, paper.author, paper.author, ""
    core.created = core.modified = stamp.replace(tzinfo=None)
    document.sections[0].header.paragraphs[0].text = paper.mark
    document.add_paragraph(paper.day).alignment = WD_ALIGN_PARAGRAPH.RIGHT
    if paper.to:
        document.add_paragraph(paper.to)
    document.add_paragraph(paper.title, style="Title").alignment = WD_ALIGN_PARAGRAPH.CENTER
    for line in paper.lead:
        document.add_paragraph(line)
    for heading, lines in paper.sections:
        document.add_paragraph(heading, style="Heading 1")
        for line in lines:
            document.add_paragraph(line)
    if paper.rows:
        table = document.add_table(rows=0, cols=len(paper.headers), style="Table Grid")
        for cells in (paper.headers, *paper.rows):
            for cell, text in zip(table.add_row().cells, cells, strict=True):
                cell.text = text
    for line in paper.signed:
        document.add_paragraph(line).alignment = WD_ALIGN_PARAGRAPH.RIGHT
    stream = io.BytesIO()
    document.save(stream)
    return _repacked(stream.getvalue())


def _repacked(content: bytes) -> bytes:
    """Return the package with a fixed time on every part, so that it can be made twice."""
    stream = io.BytesIO()
    with zipfile.ZipFile(io.BytesIO(content)) as old, zipfile.ZipFile(stream, "w", zipfile.ZIP_DEFLATED) as new:
        for name in old.namelist():
            new.writestr(zipfile.ZipInfo(name, (1980, 1, 1, 0, 0, 0)), old.read(name), zipfile.ZIP_DEFLATED)
    return stream.getvalue()


def _xlsx(paper: Paper, stamp: dt.datetime) -> bytes:
    columns = [TableColumn(header, width) for header, width in zip(paper.headers, paper.widths, strict=True)]
    table = Table(columns, paper.rows, caption=paper.title, note="　".join((paper.mark, *paper.lead)))
    stream = io.BytesIO()
    writer.write_table(stream, [table], timestamp=stamp)
    return stream.getvalue()
