"""Reads the text of a regulation, line by line (see ``source.py``)."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Callable
from dataclasses import replace

from kitei.foundation.text import Message, UserError
from kitei.outcomes.regulation.model import Run
from kitei.outcomes.regulation.source_tree import (
    ANNEX_PREFIX,
    NO_UNIT,
    AnnexNature,
    Clause,
    ProvisionDeclaration,
    Source,
    SourceAnnex,
    SourceArticle,
    SourceChapter,
    SourceSupplement,
    SourceTable,
    targets,
    undefined,
)

_ID = re.compile(r"[a-z][a-z0-9-]{0,60}")
_KEY = re.compile(r"[a-z][a-z0-9-]*(\.[a-z0-9][a-z0-9-]*)+")
_TARGET = re.compile(r"([a-z][a-z0-9-]{0,60})(#[0-9]{1,3}(\.[0-9]{1,3}){0,2})?")
_ANNEX_NUMBER = re.compile(r"[1-9][0-9]{0,2}(の[1-9][0-9]{0,2})?")
_BRACED = re.compile(r"\{([^{}]*)\}")
_COLUMN = re.compile(r"(.*?)(?:\s*[:：]\s*([1-9][0-9]?))?")
_INTEGER = re.compile(r"[0-9０-９]{1,9}")


class SourceError(UserError):
    """The text cannot be read: the message names the line and the mend; ``line`` counts from 1."""

    def __init__(self, line: int, problem: Message) -> None:
        super().__init__(Message("規程の本文の%(line)s行目：%(problem)s", {"line": line, "problem": problem}))
        self.line = line


class _Draft:
    """A 項, 号 or 細目 while it is being read."""

    def __init__(self, line: int) -> None:
        self.line = line
        self.runs: list[Run] = []
        self.items: list[_Draft] = []

    def freeze(self) -> Clause:
        if not self.runs:
            raise SourceError(self.line, Message("文がありません。同じ行か、次の行を字下げして書いてください。"))
        return Clause(_merged(self.runs), tuple(item.freeze() for item in self.items))


class _Article:
    """A 条 while it is being read."""

    def __init__(
        self, line: int, identifier: str, caption: str, topics: tuple[str, ...], *, branch: bool, deleted: bool
    ) -> None:
        self.line = line
        self.head = SourceArticle(identifier, caption, topics, (), branch, deleted)
        self.paragraphs: list[_Draft] = []

    def freeze(self) -> SourceArticle:
        if not self.paragraphs and not self.head.deleted:
            raise SourceError(self.line, Message("条に項がありません。次の行に「項 本文」を書いてください。"))
        return replace(self.head, paragraphs=tuple(draft.freeze() for draft in self.paragraphs))


class _Table:
    """A table of an annex while it is being read."""

    def __init__(self, line: int, caption: str) -> None:
        self.line = line
        self.caption = caption
        self.columns: list[tuple[str, int]] = []
        self.rows: list[tuple[tuple[Run, ...], ...]] = []

    def freeze(self) -> SourceTable:
        if not self.columns:
            raise SourceError(
                self.line, Message("表に列がありません。次の行に「列 見出し | 見出し」を書いてください。")
            )
        return SourceTable(self.caption, tuple(self.columns), tuple(self.rows))


class _Annex:
    """A 別表 while it is being read."""

    def __init__(self, identifier: str, number: str, title: str, nature: AnnexNature) -> None:
        self.number = number
        self.nature = nature
        self.head = SourceAnnex(identifier, number, title, nature)
        self.note = ""
        self.landscape = False
        self.tables: list[_Table] = []

    def freeze(self) -> SourceAnnex:
        tables = tuple(table.freeze() for table in self.tables)
        return replace(self.head, tables=tables, note=self.note, landscape=self.landscape)


def _merged(runs: list[Run]) -> tuple[Run, ...]:
    merged: list[Run] = []
    for run in runs:
        if merged and run.kind == "text" and merged[-1].kind == "text":
            merged[-1] = Run(merged[-1].text + run.text)
        else:
            merged.append(run)
    return tuple(merged)


_BRACE_KINDS = {"条": "reference", "別表": "reference", "規定値": "provision", "現況": "fact"}


def _run_in_braces(inner: str, line: int) -> Run:
    word, colon, target = inner.replace("：", ":").partition(":")
    word, target = word.strip(), target.strip()
    kind = _BRACE_KINDS.get(word)
    pattern = {"条": _TARGET, "別表": _ID}.get(word, _KEY)
    if kind is None or not colon or not pattern.fullmatch(target):
        raise SourceError(
            line,
            Message(
                "{ } の中「%(inner)s」が読めません。{条:識別子}、{別表:識別子}、{規定値:キー}、{現況:キー} のいずれかで書いてください。",
                {"inner": inner},
            ),
        )
    return Run("", kind, ANNEX_PREFIX + target if word == "別表" else target)


def _runs(text: str, line: int) -> list[Run]:
    """Read one line's sentence into runs."""
    runs: list[Run] = []
    position = 0
    for match in _BRACED.finditer(text):
        runs += _text_runs(text[position : match.start()], line)
        runs.append(_run_in_braces(match.group(1), line))
        position = match.end()
    return runs + _text_runs(text[position:], line)


def _text_runs(text: str, line: int) -> list[Run]:
    if "{" in text or "}" in text:
        raise SourceError(
            line, Message("{ と } が対になっていません。文字として使うときは全角の ｛ ｝ を使ってください。")
        )
    return [Run(text)] if text else []


def _plain(text: str, line: int) -> str:
    """Return a title, caption or name; it may hold no marks of the format and may not be empty."""
    stripped = text.strip()
    if not stripped or any(mark in stripped for mark in "{}[]"):
        raise SourceError(line, Message("見出し・題名・名称を、[ ] と { } を使わずに書いてください。"))
    return stripped


class _Parser:
    """Reads line by line; one method per keyword."""

    def __init__(self) -> None:
        self.line = 0
        self.title = ""
        self.provisions: list[ProvisionDeclaration] = []
        self.chapters: list[tuple[str, str, bool, list[_Article]]] = []
        self.supplements: list[tuple[str, str, list[_Draft]]] = []
        self.annexes: list[_Annex] = []
        self.ids: set[str] = set()
        self.uses: list[tuple[int, Run]] = []
        self.articles: list[_Article] | None = None
        self.paragraphs: list[_Draft] | None = None
        self.annex: _Annex | None = None
        self.open: list[Run] | None = None

    def fail(self, problem: Message) -> SourceError:
        return SourceError(self.line, problem)

    def feed(self, raw: str) -> None:
        """Read one line."""
        self.line += 1
        for character in raw:
            if character != "\t" and unicodedata.category(character) in {"Cc", "Cs", "Zl", "Zp"}:
                raise self.fail(Message("表示できない制御文字があります。取り除いてください。"))
        text = raw.strip()
        if not text or text[0] in "#＃":
            return
        if raw[0].isspace():
            if self.open is None:
                raise self.fail(
                    Message("字下げした行は、項・号・細の続きにだけ使えます。行頭に「項」などを置いてください。")
                )
            self.open += self.sentence(text)
            return
        self.open = None
        word, rest = [*text.split(maxsplit=1), ""][:2]
        handler = _HANDLERS.get(word)
        if handler is None:
            raise self.fail(
                Message(
                    "行頭の「%(word)s」が読めません。規程・規定値・章・条・項・号・細・附則・別表・表・列・行・注などで始めるか、前の行の続きなら字下げしてください。",
                    {"word": word[:20]},
                )
            )
        handler(self, word, rest.strip())

    def sentence(self, text: str) -> list[Run]:
        runs = _runs(text, self.line)
        self.uses += [(self.line, run) for run in runs if run.kind != "text"]
        return runs

    def new_id(self, rest: str, *, prefix: str = "") -> tuple[str, str]:
        identifier, tail = [*rest.split(maxsplit=1), "", ""][:2]
        if not _ID.fullmatch(identifier):
            raise self.fail(
                Message("識別子を英小文字・数字・ハイフンで書いてください（例：条 administrator システム管理者）。")
            )
        if prefix + identifier in self.ids:
            raise self.fail(
                Message("識別子「%(id)s」は既に使われています。別の識別子にしてください。", {"id": identifier})
            )
        self.ids.add(prefix + identifier)
        return identifier, tail

    def leave(self) -> None:
        self.articles = self.paragraphs = self.annex = None

    def regulation(self, _word: str, rest: str) -> None:
        if self.title:
            raise self.fail(Message("「規程」の行は1つだけにしてください。"))
        self.title = _plain(rest, self.line)

    def provision(self, _word: str, rest: str) -> None:
        key, equals, tail = rest.partition("=")
        fields = tail.split(maxsplit=2)
        key = key.strip()
        if not equals or not _KEY.fullmatch(key) or len(fields) != 3:  # noqa: PLR2004 value, unit, name
            raise self.fail(
                Message(
                    "規定値は「規定値 people.term-years = 1 年 責任者の任期」のように、キー、値、単位、名称の順に書いてください。単位がないときは - とします。"
                )
            )
        if any(known.key == key for known in self.provisions):
            raise self.fail(Message("規定値「%(key)s」は既に宣言されています。1つにしてください。", {"key": key}))
        value: int | str = _plain(fields[0], self.line)
        if isinstance(value, str) and _INTEGER.fullmatch(value):
            value = int(value)
        unit = "" if fields[1] == NO_UNIT else _plain(fields[1], self.line)
        self.provisions.append(ProvisionDeclaration(key, value, unit, _plain(fields[2], self.line)))

    def chapter(self, word: str, rest: str) -> None:
        self.leave()
        branch = word.startswith("枝")
        if branch and not self.chapters:
            raise self.fail(Message("枝番号の章の前に、もとになる章を置いてください。"))
        identifier, title = self.new_id(rest)
        self.articles = []
        self.chapters.append((identifier, _plain(title, self.line), branch, self.articles))

    def article(self, word: str, rest: str) -> None:
        if self.articles is None:
            raise self.fail(Message("条は章の中に書いてください。前に「章 識別子 題名」の行を加えてください。"))
        branch, deleted = word.startswith("枝"), word.endswith("削除")
        if branch and not any(articles for _id, _title, _branch, articles in self.chapters):
            raise self.fail(Message("枝番号の条の前に、もとになる条を置いてください。"))
        identifier, tail = self.new_id(rest)
        if deleted:
            if tail:
                raise self.fail(Message("削除された条には識別子だけを書いてください。"))
            self.articles.append(_Article(self.line, identifier, "", (), branch=branch, deleted=True))
            self.paragraphs = None
            return
        caption, bracket, tags = tail.partition("[")
        topics: tuple[str, ...] = ()
        if bracket:
            if not tags.endswith("]"):
                raise self.fail(Message("[ ] は行の終わりに置いてください。"))
            topics = tuple(re.split(r"[\s、,]+", tags[:-1].strip()))
            wrong = [topic for topic in topics if not _KEY.fullmatch(topic)]
            if wrong or len(set(topics)) != len(topics):
                raise self.fail(Message("[ ] の中には、要求事項のキーを空白で区切り、重ねずに書いてください。"))
        caption = caption.strip()
        while caption.startswith("（") and caption.endswith("）"):
            caption = caption[1:-1].strip()
        current = _Article(self.line, identifier, _plain(caption, self.line), topics, branch=branch, deleted=False)
        self.articles.append(current)
        self.paragraphs = current.paragraphs

    def paragraph(self, _word: str, rest: str) -> None:
        if self.paragraphs is None:
            raise self.fail(Message("項は条又は附則の中に書いてください。"))
        self.paragraphs.append(self.draft(rest))

    def item(self, _word: str, rest: str) -> None:
        if not self.paragraphs:
            raise self.fail(Message("号は項の後に書いてください。"))
        self.paragraphs[-1].items.append(self.draft(rest))

    def subitem(self, _word: str, rest: str) -> None:
        if not self.paragraphs or not self.paragraphs[-1].items:
            raise self.fail(Message("細（号の中のア、イ、ウ）は号の後に書いてください。"))
        self.paragraphs[-1].items[-1].items.append(self.draft(rest))

    def draft(self, rest: str) -> _Draft:
        draft = _Draft(self.line)
        draft.runs = self.sentence(rest)
        self.open = draft.runs
        return draft

    def supplement(self, _word: str, rest: str) -> None:
        self.leave()
        identifier, title = self.new_id(rest)
        self.paragraphs = []
        self.supplements.append((identifier, _plain(title, self.line) if title else "", self.paragraphs))

    def annex_declaration(self, _word: str, rest: str) -> None:
        self.leave()
        identifier, tail = self.new_id(rest, prefix=ANNEX_PREFIX)
        fields = tail.split(maxsplit=2)
        if len(fields) != 3 or not _ANNEX_NUMBER.fullmatch(fields[0]) or fields[1] not in set(AnnexNature):  # noqa: PLR2004 number, nature, title
            raise self.fail(
                Message(
                    "別表は「別表 officers 4 現況 責任者一覧」のように、識別子、番号、規範・現況の別、題名の順に書いてください。"
                )
            )
        if any(annex.number == fields[0] for annex in self.annexes):
            raise self.fail(Message("別表%(number)sは既にあります。別の番号にしてください。", {"number": fields[0]}))
        self.annex = _Annex(identifier, fields[0], _plain(fields[2], self.line), AnnexNature(fields[1]))
        self.annexes.append(self.annex)

    def in_annex(self) -> _Annex:
        if self.annex is None:
            raise self.fail(Message("表・列・行・注・向きは別表の中に書いてください。"))
        return self.annex

    def note(self, _word: str, rest: str) -> None:
        self.in_annex().note = _plain(rest, self.line)

    def orientation(self, _word: str, rest: str) -> None:
        if rest not in {"縦", "横"}:
            raise self.fail(Message("向きは「縦」か「横」にしてください。"))
        self.in_annex().landscape = rest == "横"

    def table(self, _word: str, rest: str) -> None:
        annex = self.in_annex()
        if annex.nature is AnnexNature.FACT:
            raise self.fail(
                Message(
                    "現況の別表には表を書けません（台帳から作られます）。「規範」か「規範・現況」の別表にしてください。"
                )
            )
        annex.tables.append(_Table(self.line, _plain(rest, self.line) if rest else ""))

    def current_table(self) -> _Table:
        annex = self.in_annex()
        if not annex.tables:
            raise self.fail(Message("列・行の前に「表」の行を置いてください。"))
        return annex.tables[-1]

    def columns(self, _word: str, rest: str) -> None:
        table = self.current_table()
        if table.columns:
            raise self.fail(Message("1つの表に「列」の行は1つだけにしてください。"))
        for cell in rest.split("|"):
            match = _COLUMN.fullmatch(cell.strip())
            header, width = match.groups() if match else ("", None)
            table.columns.append((_plain(header, self.line), int(width or 1)))

    def row(self, _word: str, rest: str) -> None:
        table = self.current_table()
        cells = [cell.strip() for cell in rest.split("|")]
        if len(cells) != len(table.columns):
            raise self.fail(
                Message(
                    "列が%(columns)s、この行のます目が%(cells)sです。| で区切って同じ数にしてください。",
                    {"columns": len(table.columns), "cells": len(cells)},
                )
            )
        table.rows.append(tuple(_merged(self.sentence(cell)) for cell in cells))

    def finish(self) -> Source:
        if not self.title:
            raise SourceError(1, Message("先頭に「規程 運用管理規程」のように題名の行を置いてください。"))
        source = Source(
            title=self.title,
            provisions=tuple(self.provisions),
            chapters=tuple(
                SourceChapter(identifier, title, tuple(article.freeze() for article in articles), branch)
                for identifier, title, branch, articles in self.chapters
            ),
            supplements=tuple(
                SourceSupplement(identifier, title, tuple(draft.freeze() for draft in paragraphs))
                for identifier, title, paragraphs in self.supplements
            ),
            annexes=tuple(annex.freeze() for annex in self.annexes),
        )
        known, keys = targets(source), {declared.key for declared in source.provisions}
        for line, run in self.uses:
            problem = undefined(run, known=known, provisions=keys)
            if problem:
                raise SourceError(line, problem)
        return source


_Handler = Callable[[_Parser, str, str], None]
_HANDLERS: dict[str, _Handler] = {
    "規程": _Parser.regulation,
    "規定値": _Parser.provision,
    "章": _Parser.chapter,
    "枝章": _Parser.chapter,
    "条": _Parser.article,
    "枝条": _Parser.article,
    "条削除": _Parser.article,
    "枝条削除": _Parser.article,
    "項": _Parser.paragraph,
    "号": _Parser.item,
    "細": _Parser.subitem,
    "附則": _Parser.supplement,
    "別表": _Parser.annex_declaration,
    "表": _Parser.table,
    "列": _Parser.columns,
    "行": _Parser.row,
    "注": _Parser.note,
    "向き": _Parser.orientation,
}


def parse(text: str) -> Source:
    """Read a regulation's text. SourceError (a UserError) names the line that cannot be read and the mend."""
    parser = _Parser()
    for raw in text.removeprefix("\ufeff").replace("\r\n", "\n").replace("\r", "\n").split("\n"):
        parser.feed(raw)
    return parser.finish()
