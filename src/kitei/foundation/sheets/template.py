"""The explained empty workbook: what a company fills in first."""

from __future__ import annotations

import datetime as dt
from collections.abc import Sequence
from typing import IO, Any

from django.utils.translation import gettext, override
from openpyxl.utils import get_column_letter

from kitei.foundation.sheets import spec as registered
from kitei.foundation.sheets import xlsx_out
from kitei.foundation.sheets.cells import NO, YES
from kitei.foundation.sheets.spec import Column, Kind, SheetSpec
from kitei.foundation.sheets.writer import KEYS, Choices, column_looks, label
from kitei.foundation.text import Message

HEADER_ROW = 3


OWN_SHEETS = frozenset({"はじめに", "Read me", "記入例", "Examples", "選択肢", "Choices"})
"""Names of the sheets that explain the workbook in either language: never read, never offered to be mapped."""


def write_template(
    stream: IO[bytes], specs: Sequence[SheetSpec], *, timestamp: dt.datetime, language: str = "ja"
) -> None:
    """Write an empty workbook with an explanation, a list of all columns with examples, and one sheet per register.

    Nothing on it is read as data: explanations stand above the headers or on sheets that are no register's.
    ``timestamp`` (aware) is the only thing besides the content that shows in the bytes.
    """
    ordered = sorted(specs, key=lambda each: each.order)
    choices = Choices(language)
    with override(language), xlsx_out.workbook() as book:
        _introduction(book, ordered, language)
        _examples(book, ordered, language)
        for spec in ordered:
            _sheet(book, spec, choices, language)
        choices.write(book)
        xlsx_out.save(book, stream, timestamp=timestamp)


def header(column: Column, language: str) -> str:
    """Return a column's header with its mark when it has to be filled in."""
    if not column.required:
        return label(column, language)
    return f"{label(column, language)}（必須）" if language.startswith("ja") else f"{column.en} (required)"


def _introduction(book: Any, specs: Sequence[SheetSpec], language: str) -> None:
    sheet = xlsx_out.add_sheet(book, gettext("はじめに"))
    for place, width in (("A", 6), ("B", 26), ("C", 84)):
        sheet.column_dimensions[place].width = width
    title = xlsx_out.style(sheet, font=xlsx_out.TITLE, align=xlsx_out.NO_WRAP)
    strong = xlsx_out.style(sheet, font=xlsx_out.STRONG, align=xlsx_out.NO_WRAP)
    body = xlsx_out.style(sheet)
    line = xlsx_out.style(sheet, align=xlsx_out.NO_WRAP)
    head = xlsx_out.style(sheet, font=xlsx_out.HEADER, fill=xlsx_out.HEADER_FILL, align=xlsx_out.HEADER_ALIGN, box=True)
    boxed = xlsx_out.style(sheet, box=True)

    def write(*texts: str, look: xlsx_out.Style = body) -> None:
        sheet.append([xlsx_out.cell(sheet, text, look) for text in texts])

    write(gettext("Kitei 取込用ブック"), look=title)
    write(
        gettext("会社の台帳を、このブックに入力してKiteiに取り込みます。手元の台帳から列を写しても構いません。"),
        look=line,
    )
    write()
    write(gettext("使い方"), look=strong)
    for number, text in enumerate(_steps(), start=1):
        sheet.append([xlsx_out.cell(sheet, number, line), xlsx_out.cell(sheet, text, line)])
    write()
    write(gettext("入力の決まり"), look=strong)
    for text in _rules():
        sheet.append([xlsx_out.cell(sheet, "・", line), xlsx_out.cell(sheet, text, line)])
    write()
    write(gettext("シートの順序"), look=strong)
    write(gettext("順"), gettext("シート"), gettext("入力するもの"), look=head)
    for number, spec in enumerate(specs, start=1):
        intro = spec.intro_ja if language.startswith("ja") else spec.intro_en
        sheet.append([xlsx_out.cell(sheet, value, boxed) for value in (number, label(spec, language), intro)])


def _steps() -> list[str]:
    return [
        gettext("左のシートから順に入力します。あとのシートは、前のシートに入力した番号を使います。"),
        gettext(
            "取込の画面でこのブックを選ぶか、kitei import を実行すると、追加・変更・誤りが1行ずつ表示されます。まだ保存されません。"
        ),
        gettext("誤りを直し、内容を確かめてから取り込みます。誤りが1つでもあると、何も保存されません。"),
    ]


def _rules() -> list[str]:
    return [
        gettext("見出しが赤い列は必須です。使わないシートと列は、空のままで構いません。"),
        gettext("シートの名前と見出しは変えないでください。列の順序は変えても構いません。"),
        gettext("セルを結合しないでください。1行に1件を入力します。"),
        gettext("日付は 2026/11/22、令和8年11月22日、R8.11.22 のどの形でも入力できます。"),
        gettext("番号の列は「文字列」の書式にしてあるので、先頭の0はそのまま残ります。"),
        gettext("複数の番号を入力する列では、「、」で区切ります。"),
        gettext("「=」「@」などで始まる文字は、数式と区別するため、先頭に「'」を付けて入力します。"),
        gettext("ファイルにない行は、削除されません。登録済みの行のセルを空にして取り込むと、その値が消えます。"),
    ]


def _kind_name(column: Column, language: str) -> str:
    if column.kind in {Kind.REF, Kind.REFS}:
        name = _target_name(column, language)
        return Message("「%(sheet)s」の番号", {"sheet": name}).render() if name else gettext("番号")
    return {
        Kind.TEXT: gettext("文章"),
        Kind.CODE: gettext("番号（文字列）"),
        Kind.INTEGER: gettext("整数"),
        Kind.DATE: gettext("日付"),
        Kind.YESNO: gettext("はい・いいえ"),
        Kind.CHOICE: gettext("選択"),
        Kind.FILE: gettext("添付ファイルの名前"),
    }[column.kind]


def _target_name(column: Column, language: str) -> str:
    try:
        return label(registered.get(column.refers), language)
    except KeyError:
        return ""


def _examples(book: Any, specs: Sequence[SheetSpec], language: str) -> None:
    sheet = xlsx_out.add_sheet(book, gettext("記入例"))
    sheet.freeze_panes = "A2"
    for place, width in zip("ABCDEFG", (18, 24, 8, 20, 24, 36, 60), strict=True):
        sheet.column_dimensions[place].width = width
    head = xlsx_out.style(sheet, font=xlsx_out.HEADER, fill=xlsx_out.HEADER_FILL, align=xlsx_out.HEADER_ALIGN, box=True)
    body = xlsx_out.style(sheet, number_format=xlsx_out.TEXT_FORMAT, box=True)
    titles = [
        gettext("シート"),
        gettext("列"),
        gettext("必須"),
        gettext("入力のしかた"),
        gettext("例"),
        gettext("選べる値"),
        gettext("説明"),
    ]
    sheet.append([xlsx_out.cell(sheet, text, head) for text in titles])
    for spec in specs:
        for column in spec.columns:
            japanese = language.startswith("ja")
            if column.kind is Kind.YESNO:
                accepted = " / ".join((YES[0], NO[0]) if japanese else (YES[1], NO[1]))
            else:
                accepted = " / ".join(label(choice, language) for choice in column.choices)
            texts = [
                label(spec, language),
                label(column, language),
                gettext("必須") if column.required else "",
                _kind_name(column, language),
                column.example,
                accepted,
                column.help_ja if japanese else column.help_en,
            ]
            sheet.append([xlsx_out.cell(sheet, text, body) for text in texts])


def _sheet(book: Any, spec: SheetSpec, choices: Choices, language: str) -> None:
    japanese = language.startswith("ja")
    sheet = xlsx_out.add_sheet(book, label(spec, language))
    sheet.freeze_panes = f"A{HEADER_ROW + 1}"
    for index, column in enumerate(spec.columns):
        place = sheet.column_dimensions[get_column_letter(index + 1)]
        place.width = max(column.width, 10)
        if column.kind in KEYS:
            place.number_format = xlsx_out.TEXT_FORMAT
        elif column.kind is Kind.DATE:
            place.number_format = xlsx_out.DATE_FORMAT
        choices.add(sheet, column, index, HEADER_ROW + 1)
    title = xlsx_out.style(sheet, font=xlsx_out.STRONG, align=xlsx_out.NO_WRAP)
    quiet = xlsx_out.style(sheet, font=xlsx_out.QUIET)
    usual, needed = (
        xlsx_out.style(sheet, font=xlsx_out.HEADER, fill=fill, align=xlsx_out.HEADER_ALIGN, box=True)
        for fill in (xlsx_out.HEADER_FILL, xlsx_out.REQUIRED_FILL)
    )
    intro = (spec.intro_ja if japanese else spec.intro_en) or label(spec, language)
    sheet.append([xlsx_out.cell(sheet, intro, title)])
    sheet.append(
        [xlsx_out.cell(sheet, column.help_ja if japanese else column.help_en, quiet) for column in spec.columns]
    )
    sheet.append(
        [
            xlsx_out.cell(sheet, header(column, language), needed if column.required else usual)
            for column in spec.columns
        ]
    )
    if spec.single:
        sheet.append([xlsx_out.cell(sheet, None, look) for look in column_looks(sheet, spec.columns)])
