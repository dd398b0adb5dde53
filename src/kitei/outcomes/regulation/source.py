"""The text a regulation is written in: plain UTF-8 lines that a person edits and a comparison tool can compare.

``parse`` reads it, ``serialise`` writes it back; ``parse(serialise(source)) == source`` always holds. Numbers are never
written: 条 are counted when the text is composed (``compose.py``), references name stable ids. The format is explained in
``docs/reference/regulation-text.md``. Comments (lines that begin with #) are not part of a Source.
"""

from __future__ import annotations

from collections.abc import Iterator

from kitei.outcomes.regulation.model import Run
from kitei.outcomes.regulation.source_parser import SourceError, parse
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
    clauses,
    targets,
    undefined,
)

__all__ = [
    "ANNEX_PREFIX",
    "AnnexNature",
    "Clause",
    "ProvisionDeclaration",
    "Source",
    "SourceAnnex",
    "SourceArticle",
    "SourceChapter",
    "SourceError",
    "SourceSupplement",
    "SourceTable",
    "clauses",
    "parse",
    "serialise",
    "targets",
    "undefined",
]


def serialise(source: Source) -> str:
    """Write a source as text: one line for each 条, 項, 号, row; ``parse`` reads back an equal source."""
    return "\n".join(_written(source)).lstrip("\n") + "\n"


def _written(source: Source) -> Iterator[str]:
    yield f"規程 {source.title}"
    if source.provisions:
        yield ""
    for declared in source.provisions:
        yield f"規定値 {declared.key} = {declared.value} {declared.unit or NO_UNIT} {declared.name}"
    for chapter in source.chapters:
        yield ""
        yield f"{'枝章' if chapter.branch else '章'} {chapter.id} {chapter.title}"
        for article in chapter.articles:
            yield ""
            word = f"{'枝' if article.branch else ''}条{'削除' if article.deleted else ''}"
            topics = f" [{' '.join(article.topics)}]" if article.topics else ""
            yield f"{word} {article.id} {article.caption}{topics}".rstrip()
            yield from _written_paragraphs(article.paragraphs)
    for supplement in source.supplements:
        yield ""
        yield f"附則 {supplement.id} {supplement.title}".rstrip()
        yield from _written_paragraphs(supplement.paragraphs)
    for annex in source.annexes:
        yield ""
        yield from _written_annex(annex)


def _written_paragraphs(paragraphs: tuple[Clause, ...]) -> Iterator[str]:
    for paragraph in paragraphs:
        yield f"項 {_sentence(paragraph.runs)}"
        for item in paragraph.items:
            yield f"号 {_sentence(item.runs)}"
            for subitem in item.items:
                yield f"細 {_sentence(subitem.runs)}"


def _written_annex(annex: SourceAnnex) -> Iterator[str]:
    yield f"別表 {annex.id} {annex.number} {annex.nature.value} {annex.title}"
    if annex.landscape:
        yield "向き 横"
    if annex.note:
        yield f"注 {annex.note}"
    for table in annex.tables:
        yield f"表 {table.caption}".rstrip()
        yield "列 " + " | ".join(f"{header}:{width}" if width > 1 else header for header, width in table.columns)
        for row in table.rows:
            yield ("行 " + " | ".join(_sentence(cell) for cell in row)).rstrip()


def _sentence(runs: tuple[Run, ...]) -> str:
    words = {"provision": "規定値", "fact": "現況"}
    parts = []
    for run in runs:
        if run.kind == "text":
            parts.append(run.text)
        elif run.kind == "reference" and run.target.startswith(ANNEX_PREFIX):
            parts.append(f"{{別表:{run.target.removeprefix(ANNEX_PREFIX)}}}")
        else:
            parts.append(f"{{{words.get(run.kind, '条')}:{run.target}}}")
    return "".join(parts)
