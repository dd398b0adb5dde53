"""The regulation as PDF/A-2b, set by typst with the packaged fonts only."""

from __future__ import annotations

import dataclasses
import datetime as dt
import importlib.util
import json
import re
import struct
import unicodedata
from functools import lru_cache
from pathlib import Path
from typing import Any, Final

import pylopdf_fonts_jp
import typst

from kitei.foundation.text.messages import Message, UserError
from kitei.outcomes.regulation.model import Regulation
from kitei.outcomes.regulation.render.common import TOKYO, view
from kitei.outcomes.regulation.render.page import TableView, View
from kitei.outcomes.regulation.render.places import places

_HERE = Path(__file__).resolve().parent
_TEMPLATE = _HERE / "regulation.typ"
STANDARD: Final = "a-2b"
_FACES = {("Noto Serif JP", 400), ("Noto Sans JP", 400), ("Noto Sans CJK JP", 700)}
# Paper widths in mm less the margins of the template, and its table sizes, to know when a word cannot fit a column.
_TEXT_WIDTH = {False: 155.6, True: 247.0}
_CELL_PADDING = 0.9  # em
_ASCII_EM = 0.68  # a wide half-width letter
_WHOLE_ROW_LINES = 20  # a longer row is split between pages, else it would run off the paper
_LONG_WORD = re.compile(r"[!-~]{5,}")
_ZERO_WIDTH_SPACE = "\u200b"


def render(regulation: Regulation, *, timestamp: dt.datetime) -> bytes:
    """Return the PDF. See ``kitei.outcomes.regulation.render.pdf``."""
    shown = view(regulation)
    refuse_missing_glyphs(shown)
    compiled, warnings = typst.compile_with_warnings(
        _TEMPLATE,
        root=_HERE,
        font_paths=_fonts(),
        ignore_system_fonts=True,
        format="pdf",
        pdf_standards=STANDARD,
        sys_inputs={"data": json.dumps(_fitted(shown), ensure_ascii=False)},
        timestamp=timestamp.astimezone(TOKYO).replace(microsecond=0),
    )
    if warnings:  # an unknown font or weight is only a warning to typst, and text set in it silently vanishes
        raise RuntimeError("; ".join(str(warning) for warning in warnings))
    return compiled


def font_files() -> tuple[Path, ...]:
    """Return the fonts a PDF may be set with: Noto Serif JP, Noto Sans JP (Regular) and the bold Gothic."""
    bold = importlib.util.find_spec("noto_cjk_sans_jp_bold")
    if bold is None or bold.origin is None:
        raise ModuleNotFoundError("noto-cjk-sans-jp-bold is not installed")
    return (
        Path(pylopdf_fonts_jp.serif_path()),
        Path(pylopdf_fonts_jp.sans_path()),
        Path(bold.origin).parent / "NotoSansCJKjp-Bold.otf",
    )


@lru_cache(maxsize=1)
def _fonts() -> typst.Fonts:
    folders = sorted(
        {str(path.parent) for path in font_files()}
    )  # typst takes folders, and ignores a file without a word
    fonts = typst.Fonts(include_system_fonts=False, include_embedded_fonts=False, font_paths=folders)
    found = {(font.family, font.weight) for font in fonts.fonts()}
    if missing := _FACES - found:
        raise RuntimeError(f"fonts missing: {sorted(missing)}")
    return fonts


@lru_cache(maxsize=1)
def printable() -> frozenset[int]:
    """Return every code point one of the fonts has a glyph for."""
    return frozenset().union(*(_code_points(path) for path in font_files()))


def refuse_missing_glyphs(shown: View) -> None:
    """Refuse a text the fonts cannot print, before typst fails with words nobody can act on.

    Default-ignorable characters (variation selectors, zero-width spaces) print nothing and need no glyph.
    """
    known = printable()
    for place, text in places(shown):
        for character in set(text):
            code = ord(character)
            if code in known or character in "\n\t" or _prints_nothing(code):
                continue
            raise UserError(
                Message(
                    "%(place)sの「%(character)s」（%(code)s）は、PDFの書体にない文字です。別の文字に改めてから、もう一度出力してください。",
                    {"place": place, "character": character, "code": f"U+{code:04X}"},
                )
            )


def _prints_nothing(code: int) -> bool:
    return unicodedata.category(chr(code)) == "Cf" or 0xFE00 <= code <= 0xFE0F or 0xE0100 <= code <= 0xE01EF  # noqa: PLR2004 -- the two blocks of variation selectors


def _code_points(path: Path) -> set[int]:
    """Read the full-repertoire subtable (format 12) of a font's ``cmap``; see OpenType 1.9, "cmap"."""
    content = path.read_bytes()
    (tables,) = struct.unpack_from(">H", content, 4)
    for index in range(tables):
        tag, _, start, _ = struct.unpack_from(">4sIII", content, 12 + 16 * index)
        if tag == b"cmap":
            break
    else:
        raise ValueError(f"{path.name} has no cmap")
    (encodings,) = struct.unpack_from(">H", content, start + 2)
    for index in range(encodings):
        (offset,) = struct.unpack_from(">I", content, start + 8 + 8 * index)
        (form,) = struct.unpack_from(">H", content, start + offset)
        if form == 12:  # noqa: PLR2004 -- the number of the format
            (groups,) = struct.unpack_from(">I", content, start + offset + 12)
            body = content[start + offset + 16 : start + offset + 16 + 12 * groups]
            return {code for first, last, _ in struct.iter_unpack(">III", body) for code in range(first, last + 1)}
    raise ValueError(f"{path.name} has no full Unicode cmap")


def _fitted(shown: View) -> dict[str, Any]:
    """Return the view as JSON-ready data, with break opportunities in words longer than their column."""
    data = dataclasses.asdict(shown)
    for annex, plain in zip(shown.annexes, data["annexes"], strict=True):
        for table, target in zip(annex.tables, plain["tables"], strict=True):
            target["rows"] = _fitted_rows(table, _TEXT_WIDTH[annex.landscape])
    return data


def _fitted_rows(table: TableView, width: float) -> list[dict[str, Any]]:
    """Return the rows for paper: ``cells``, and ``whole`` when the row can be kept on one page."""
    # Sizes as in the template: 9, 8 or 7.5 pt by the number of columns.
    size = 9.0 if len(table.headers) <= 5 else 8.0 if len(table.headers) <= 8 else 7.5  # noqa: PLR2004
    em = size * 25.4 / 72
    rooms = [max(width * share / sum(table.widths) / em - _CELL_PADDING, 1.0) for share in table.widths]
    return [
        {
            "cells": [_broken(cell, max(int(room / _ASCII_EM), 4)) for cell, room in zip(row, rooms, strict=True)],
            "whole": all(
                len(cell) / room + cell.count("\n") < _WHOLE_ROW_LINES for cell, room in zip(row, rooms, strict=True)
            ),
        }
        for row in table.rows
    ]


def _broken(cell: str, room: int) -> str:
    def spread(found: re.Match[str]) -> str:
        word = found[0]
        if len(word) <= room:
            return word
        return _ZERO_WIDTH_SPACE.join(word[start : start + room] for start in range(0, len(word), room))

    return _LONG_WORD.sub(spread, cell)
