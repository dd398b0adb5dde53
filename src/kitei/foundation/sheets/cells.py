"""From a raw cell to a value and back, by the kind of its column.

Values: TEXT, CODE, CHOICE, REF and FILE are str (empty: ``""``), INTEGER int, DATE date, YESNO bool (empty: ``None``),
REFS a tuple of str (empty: ``()``).
"""

from __future__ import annotations

import datetime as dt
import re
import unicodedata
from collections.abc import Callable, Iterable, Mapping
from typing import Any

from kitei.foundation.dates.japanese import parse_date
from kitei.foundation.sheets.grid import Fault, Literal
from kitei.foundation.sheets.guard import looks_like_formula, unmark
from kitei.foundation.sheets.spec import Column, Kind
from kitei.foundation.text import Message, UserError
from kitei.foundation.text.japanese import fold, normalise

YES, NO = ("はい", "Yes"), ("いいえ", "No")
_YES_WORDS = (
    "はい 有 有り あり 有る ○ 〇 ◯ ● ◎ 1 yes y true t on 要 必要 該当 対象 含む 含める する 済 済み 可 ✓ ✔ ☑ レ"
)
_NO_WORDS = "いいえ 無 無し なし 無い × ✕ ✖ ☓ x 0 no n false f off 不要 非該当 対象外 含まない 含めない しない 未 未済 否 不可 ☐"
_WORDS = {fold(word): answer for words, answer in ((_YES_WORDS, True), (_NO_WORDS, False)) for word in words.split()}
_SEPARATOR = re.compile(r"[、，,;；\n]")
_AROUND_PATH = re.compile(r"^[\s/]+|[\s/]+\Z")
_WHITE = re.compile(r"\s+")
_HYPHENS = dict.fromkeys(map(ord, "‐‑‒–—―−"), "-")
_INTEGER = re.compile(r"[+-]?(?:\d{1,40}|\d{1,3}(?:,\d{3}){1,12})\Z")
_DIGITS_KEPT = 10**15  # Excel keeps 15 significant digits of a number
_SHOWN_CHOICES = 12
_SHOWN_TEXT = 40

EMPTY: Mapping[Kind, Any] = {
    Kind.TEXT: "",
    Kind.CODE: "",
    Kind.INTEGER: None,
    Kind.DATE: None,
    Kind.YESNO: None,
    Kind.CHOICE: "",
    Kind.REF: "",
    Kind.REFS: (),
    Kind.FILE: "",
}


class CellReader:
    """Reads the cells of one column. ``values`` are a company's saved translations (text in the file -> text to read).

    ``read`` never raises; equal texts are read once.
    """

    def __init__(self, column: Column, *, values: Mapping[str, str] | None = None, language: str = "ja") -> None:
        self.column = column
        self._kind: Callable[[Any], Any] = _KINDS.get(column.kind, self._choice)
        self._values = {fold(text): value for text, value in (values or {}).items()}
        self._choices: dict[str, str] = {}
        self._language = language
        for attribute in ("value", "ja", "en"):
            for choice in column.choices:
                self._choices.setdefault(fold(getattr(choice, attribute)), choice.value)
        for choice in column.choices:
            for alias in choice.aliases:
                self._choices.setdefault(fold(alias), choice.value)
        self._known: dict[str, tuple[Any, Message | None]] = {}

    def read(self, raw: Any) -> tuple[Any, Message | None]:
        """Return the value and what is wrong with it. With a problem the value is only good for comparing versions."""
        if type(raw) is not str:
            return self._read(raw)
        known = self._known.get(raw)
        if known is None:
            known = self._known[raw] = self._read(raw)
        return known

    def _read(self, raw: Any) -> tuple[Any, Message | None]:
        if isinstance(raw, Fault):
            return f"#{raw.value}", _FAULTS[raw]
        if isinstance(raw, str):
            text, literal = self._text_of(raw)
            if text and not literal and looks_like_formula(text):
                return text, Message(
                    "「%(text)s」は数式のように見えるため、取り込めません。文字として取り込むときは、先頭に「'」を付けてください。",
                    {"text": shorten(text)},
                )
            raw = text
        elif self._values and raw is not None:
            raw = self._values.get(fold(_plain(raw)), raw)
        if raw is None or raw == "":
            return EMPTY[self.column.kind], None
        try:
            value = self._kind(raw)
        except UserError as fault:
            return (raw if isinstance(raw, str) else _plain(raw)), fault.message
        return value, self._limits(value)

    def _text_of(self, raw: str) -> tuple[str, bool]:
        """Return the cell's text, translated and without the mark of text, and whether it was marked."""
        literal = isinstance(raw, Literal)
        text = str(raw).strip()
        if self._values:
            text = self._values.get(fold(text), text)
        if not literal and text[:1] == "'":
            text, literal = unmark(text)
        return clean(text), literal

    def _choice(self, raw: Any) -> str:
        text = raw if isinstance(raw, str) else _plain(raw)
        found = self._choices.get(fold(text))
        if found is None:
            labels = [choice.ja if self._language.startswith("ja") else choice.en for choice in self.column.choices]
            shown = " / ".join(labels[:_SHOWN_CHOICES]) + (" …" if len(labels) > _SHOWN_CHOICES else "")
            raise UserError(
                Message(
                    "「%(text)s」は選べる値ではありません。次のどれかにしてください：%(choices)s",
                    {"text": shorten(text), "choices": shown},
                )
            )
        return found

    def _limits(self, value: Any) -> Message | None:
        column = self.column
        if column.kind is Kind.INTEGER and value is not None:
            if abs(value) >= _DIGITS_KEPT:
                return Message("「%(text)s」は桁数が多すぎます。確かめてください。", {"text": str(value)})
            low, high = column.minimum, column.maximum
            if low is not None and value < low:
                return Message("%(value)sは小さすぎます。%(limit)s以上にしてください。", {"value": value, "limit": low})
            if high is not None and value > high:
                return Message(
                    "%(value)sは大きすぎます。%(limit)s以下にしてください。", {"value": value, "limit": high}
                )
        elif isinstance(value, str) and column.kind is not Kind.CHOICE and len(value) > column.max_length:
            return Message(
                "%(length)s文字あり、上限の%(limit)s文字を超えています。短くしてください。",
                {"length": len(value), "limit": column.max_length},
            )
        return None


def read_cell(column: Column, raw: Any, *, values: Mapping[str, str] | None = None, language: str = "ja") -> Any:
    """Return the value of one cell; UserError with what is wrong. Readers of many cells keep a ``CellReader``."""
    value, problem = CellReader(column, values=values, language=language).read(raw)
    if problem is not None:
        raise UserError(problem)
    return value


def show_cell(column: Column, value: Any, *, language: str = "ja") -> str | int | dt.date:
    """Return what stands in the cell of an export: labels for choices, dates and integers as such, else text."""
    value = canonical(column, value)
    japanese = language.startswith("ja")
    if value is None:
        return ""
    if column.kind is Kind.CHOICE:
        chosen = next((choice for choice in column.choices if choice.value == value), None)
        if chosen is not None:
            return chosen.ja if japanese else chosen.en
    elif column.kind is Kind.REFS:
        return ("、" if japanese else ", ").join(value)
    elif isinstance(value, bool):
        return (YES if value else NO)[0 if japanese else 1]
    return value if isinstance(value, (int, dt.date)) else str(value)


def canonical(column: Column, value: Any) -> Any:
    """Return a register's value in the form ``read`` gives, so that the two can be compared. Never raises."""
    if value is None or value == "":
        return EMPTY[column.kind]
    form = _FORMS.get(column.kind)
    if form is not None:
        return form(value)
    return value.date() if isinstance(value, dt.datetime) else value


def clean(text: str) -> str:
    """Return text as it is stored: ``normalise``, and no space around it."""
    return normalise(text).strip()


def to_code(text: str) -> str:
    """Return an identifier as it is stored: half width, plain hyphens, no white space, leading zeros kept."""
    if not text.isascii():
        text = unicodedata.normalize("NFKC", text).translate(_HYPHENS)
    return _WHITE.sub("", text)


def shorten(text: str) -> str:
    """Return ``text`` on one line and short enough for a message."""
    flat = _WHITE.sub(" ", text)
    return flat if len(flat) <= _SHOWN_TEXT else flat[: _SHOWN_TEXT - 1] + "…"


def _plain(raw: Any) -> str:
    """Return a number, date or truth value of a cell as the text a person sees."""
    if isinstance(raw, bool):
        return "TRUE" if raw else "FALSE"
    if isinstance(raw, float):
        return str(int(raw)) if raw.is_integer() and abs(raw) < _DIGITS_KEPT else repr(raw)
    if isinstance(raw, dt.datetime):
        return f"{raw:%Y/%m/%d %H:%M}" if raw.time() != dt.time() else f"{raw:%Y/%m/%d}"
    if isinstance(raw, dt.date):
        return f"{raw:%Y/%m/%d}"
    if isinstance(raw, dt.time):
        return f"{raw:%H:%M}"
    return str(raw)


def _text(raw: Any) -> str:
    return raw if isinstance(raw, str) else _plain(raw)


def _code(raw: Any) -> str:
    if isinstance(raw, str):
        return to_code(raw)
    if isinstance(raw, (dt.date, dt.time, dt.timedelta)):
        raise UserError(
            Message(
                "番号が日付に変わっています（%(text)s）。セルの書式を「文字列」にして、番号を入力し直してください。",
                {"text": _plain(raw)},
            )
        )
    if isinstance(raw, (int, float)) and abs(raw) >= _DIGITS_KEPT:
        raise UserError(
            Message(
                "桁数の多い番号が数値になっているため、下の桁が失われているおそれがあります。セルの書式を「文字列」にして、番号を入力し直してください。"
            )
        )
    return to_code(_plain(raw))


def _reference(raw: Any) -> str:
    return raw if isinstance(raw, str) else _code(raw)


def _references(raw: Any) -> tuple[str, ...]:
    return _unique(clean(part) for part in _SEPARATOR.split(_reference(raw)))


def _unique(parts: Iterable[str]) -> tuple[str, ...]:
    return tuple(dict.fromkeys(part for part in parts if part))


def _integer(raw: Any) -> int:
    text = unicodedata.normalize("NFKC", _plain(raw)).replace("−", "-").strip()
    if isinstance(raw, bool) or not _INTEGER.match(text):
        raise UserError(
            Message("「%(text)s」は整数ではありません。数字だけで入力してください。", {"text": shorten(_plain(raw))})
        )
    return int(text.replace(",", ""))


def _date(raw: Any) -> dt.date:
    if isinstance(raw, (dt.time, dt.timedelta)):
        raise UserError(
            Message("日付ではなく、時刻になっています（%(text)s）。日付を入力してください。", {"text": _plain(raw)})
        )
    try:
        return parse_date(raw if isinstance(raw, (str, dt.date)) else _plain(raw))
    except UserError as fault:
        if "ください" in fault.message.msgid:
            raise
        raise UserError(Message("%(problem)s正しい日付を入力してください。", {"problem": fault.message})) from fault


def _yes_no(raw: Any) -> bool:
    if isinstance(raw, bool):
        return raw
    answer = _WORDS.get(fold(_plain(raw)))
    if answer is None:
        raise UserError(
            Message(
                "「%(text)s」を「はい」「いいえ」のどちらとも読み取れません。「はい」か「いいえ」にしてください。",
                {"text": shorten(_plain(raw))},
            )
        )
    return answer


def _file(raw: Any) -> str:
    return _AROUND_PATH.sub("", clean(_text(raw)).replace("\\", "/"))


_KINDS: Mapping[Kind, Callable[[Any], Any]] = {
    Kind.TEXT: _text,
    Kind.CODE: _code,
    Kind.INTEGER: _integer,
    Kind.DATE: _date,
    Kind.YESNO: _yes_no,
    Kind.REF: _reference,
    Kind.REFS: _references,
    Kind.FILE: _file,
}
_FORMS: Mapping[Kind, Callable[[Any], Any]] = {
    Kind.TEXT: lambda value: clean(str(value)),
    Kind.CODE: lambda value: to_code(str(value)),
    Kind.CHOICE: str,
    Kind.REF: lambda value: clean(str(value)),
    Kind.REFS: lambda value: _unique(
        clean(str(part)) for part in (_SEPARATOR.split(value) if isinstance(value, str) else value)
    ),
    Kind.FILE: lambda value: _file(str(value)),
}
_FAULTS = {
    Fault.ERROR_VALUE: Message(
        "セルがExcelのエラー（#REF!、#N/Aなど）になっています。数式を直すか、値を入力し直してください。"
    ),
    Fault.UNCALCULATED: Message(
        "数式の計算結果が保存されていません。Excelで開いて保存し直すか、数式を値に置き換えてください。"
    ),
}
