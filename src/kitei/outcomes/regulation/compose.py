"""Makes the printed regulation of a source: counts 条, 項 and 号, turns ids into citations, fills values in.

Citations follow Japanese practice: 「第10条第2項第2号」; inside the same article only what differs (「第2項」); an article with
one 項 is cited without 「第1項」. Relative words (前条, 同条) are never made: they go stale when an article is put in between.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace

from kitei.foundation.sheets.table import Nature, Table, TableColumn
from kitei.foundation.text import Message, UserError
from kitei.outcomes.regulation.model import Annex, Article, Chapter, Item, Paragraph, Run, Supplement
from kitei.outcomes.regulation.source import (
    ANNEX_PREFIX,
    AnnexNature,
    Clause,
    Source,
    SourceAnnex,
    SourceArticle,
    SourceSupplement,
    SourceTable,
    clauses,
    targets,
    undefined,
)

DELETED = "削除"
_SUBITEMS = "アイウエオカキクケコサシスセソタチツテトナニヌネノハヒフヘホマミムメモヤユヨラリルレロワヲン"
_CONSECUTIVE = 3
"""From this many neighbours on, a list of articles is written 「第8条から第13条まで」."""


@dataclass(frozen=True)
class Composed:
    """The parts of a ``Regulation`` that come from its text."""

    title: str
    chapters: tuple[Chapter, ...]
    supplements: tuple[Supplement, ...]
    annexes: tuple[Annex, ...]


@dataclass(frozen=True)
class _Values:
    """What stands where the text names a value: provisions and facts already as printed text."""

    provisions: Mapping[str, str]
    facts: Mapping[str, str]
    labels: Mapping[str, str]
    known: set[str]


def labels(source: Source) -> dict[str, str]:
    """Return the full printed citation of everything a reference may name: id -> 「第10条第2項第2号」, 「別表4」."""
    found = {f"{ANNEX_PREFIX}{annex.id}": f"別表{annex.number}" for annex in source.annexes}
    for article, label in _numbered(source):
        found[article.id] = label
        for key, _clause in clauses(article.id, article.paragraphs):
            found[key] = label + _place(key, single=len(article.paragraphs) == 1)
    return found


def compose(
    source: Source,
    *,
    provisions: Mapping[str, int | str] | None = None,
    facts: Mapping[str, str] | None = None,
    annexes: Mapping[str, Sequence[Table]] | None = None,
) -> Composed:
    """Number, cite and fill a source.

    ``provisions`` replaces declared values by key; ``facts`` gives every fact the text names, as printed text;
    ``annexes`` gives the tables drawn from registers by annex id (``officers``); tables written in the text come first.
    Raises UserError when a reference dangles, a provision is not declared, a fact is not given, or an item cannot be numbered.
    """
    values = _Values(
        provisions=_printed(source, provisions or {}),
        facts=facts or {},
        labels=labels(source),
        known=targets(source),
    )
    numbered = {article.id: label for article, label in _numbered(source)}
    return Composed(
        title=source.title,
        chapters=tuple(
            Chapter(
                chapter.id,
                label,
                chapter.title,
                tuple(_article(article, numbered[article.id], values) for article in chapter.articles),
            )
            for chapter, label in zip(
                source.chapters, _numbers("章", [chapter.branch for chapter in source.chapters]), strict=True
            )
        ),
        supplements=tuple(_supplement(supplement, values) for supplement in source.supplements),
        annexes=tuple(
            _annex(annex, (annexes or {}).get(annex.id, ()), _citing(source, annex.id), values)
            for annex in source.annexes
        ),
    )


def citations(source: Source) -> dict[str, tuple[tuple[str, str], ...]]:
    """Return which articles state a topic: topic -> ((article id, 「第10条」), …) in the order of the text."""
    found: dict[str, list[tuple[str, str]]] = {}
    for article, label in _numbered(source):
        for topic in article.topics:
            found.setdefault(topic, []).append((article.id, label))
    return {topic: tuple(places) for topic, places in found.items()}


def provision_citations(source: Source) -> dict[str, str]:
    """Return where each provision is stated first: key -> 「第10条第2項第2号」 (or 「附則第2項」, 「別表5」); unused keys are absent."""
    found: dict[str, str] = {}
    for label, runs in _places(source):
        for run in runs:
            if run.kind == "provision":
                found.setdefault(run.target, label)
    return found


def settle_supplements(source: Source, *, facts: Mapping[str, str]) -> Source:
    """Return the source with the facts of its 附則 turned into plain text.

    Called when an edition is put into force: the next amendment adds its own 附則, and the older one keeps its day.
    """

    def fixed(clause: Clause) -> Clause:
        runs = tuple(
            Run(facts[run.target]) if run.kind == "fact" and run.target in facts else run for run in clause.runs
        )
        return Clause(_joined(runs), tuple(fixed(item) for item in clause.items))

    return replace(
        source,
        supplements=tuple(
            replace(supplement, paragraphs=tuple(fixed(clause) for clause in supplement.paragraphs))
            for supplement in source.supplements
        ),
    )


def _joined(runs: tuple[Run, ...]) -> tuple[Run, ...]:
    joined: list[Run] = []
    for run in runs:
        if joined and run.kind == joined[-1].kind == "text":
            joined[-1] = Run(joined[-1].text + run.text)
        else:
            joined.append(run)
    return tuple(joined)


def _numbers(unit: str, branches: Sequence[bool]) -> Iterator[str]:
    """Yield 第1条, 第2条, 第2条の2, 第2条の3, 第3条 and so on."""
    main, branch = 0, 1
    for is_branch in branches:
        main, branch = (main, branch + 1) if is_branch else (main + 1, 1)
        yield f"第{main}{unit}" + (f"の{branch}" if branch > 1 else "")


def _numbered(source: Source) -> list[tuple[SourceArticle, str]]:
    articles = source.articles
    return list(zip(articles, _numbers("条", [article.branch for article in articles]), strict=True))


def _place(target: str, *, single: bool) -> str:
    """Return the part of a citation behind the article: ``a#2.1.3`` -> 「第2項第1号ウ」."""
    _article_id, _hash, place = target.partition("#")
    if not place:
        return ""
    paragraph, *rest = (int(number) for number in place.split("."))
    words = "" if single else f"第{paragraph}項"
    if rest:
        words += f"第{rest[0]}号"
    if len(rest) > 1:
        words += _subitem(rest[1])
    return words


def _subitem(number: int) -> str:
    if number > len(_SUBITEMS):
        raise UserError(
            Message("号の中の細目が%(limit)s個を超えています。号を分けてください。", {"limit": len(_SUBITEMS)})
        )
    return _SUBITEMS[number - 1]


def _cited(target: str, inside: str, values: _Values) -> str:
    """Return the citation of ``target`` as written inside the clause ``inside``."""
    article, _hash, place = target.partition("#")
    here, _hash, here_place = inside.partition("#")
    full = values.labels[target]
    if not place or article != here:
        return full
    short = full.removeprefix(values.labels[article])
    paragraph = place.partition(".")[0]
    if "." in place and paragraph == here_place.partition(".")[0]:
        return short.removeprefix(f"第{paragraph}項")
    return short or full


def _printed(source: Source, changed: Mapping[str, int | str]) -> dict[str, str]:
    declared = {provision.key: provision for provision in source.provisions}
    for key in changed:
        if key not in declared:
            raise UserError(Message("規定値「%(key)s」は規程にありません。キーを確かめてください。", {"key": key}))
    return {key: f"{changed.get(key, provision.value)}{provision.unit}" for key, provision in declared.items()}


def _resolved(runs: Sequence[Run], inside: str, values: _Values) -> tuple[Run, ...]:
    resolved = []
    for run in runs:
        problem = undefined(run, known=values.known, provisions=set(values.provisions))
        if problem:
            raise UserError(problem)
        if run.kind == "reference":
            resolved.append(replace(run, text=_cited(run.target, inside, values)))
        elif run.kind == "provision":
            resolved.append(replace(run, text=values.provisions[run.target]))
        elif run.kind == "fact":
            if run.target not in values.facts:
                raise UserError(
                    Message(
                        "規程が参照する現況値「%(key)s」がありません。台帳に登録するか、規程の本文を直してください。",
                        {"key": run.target},
                    )
                )
            resolved.append(replace(run, text=values.facts[run.target]))
        else:
            resolved.append(run)
    return tuple(resolved)


def _paragraphs(owner: str, paragraphs: Sequence[Clause], values: _Values) -> tuple[Paragraph, ...]:
    return tuple(
        Paragraph(
            f"{owner}#{number}",
            number,
            _resolved(paragraph.runs, f"{owner}#{number}", values),
            tuple(
                Item(
                    f"{owner}#{number}.{place}",
                    f"（{place}）",
                    _resolved(item.runs, f"{owner}#{number}.{place}", values),
                    tuple(
                        Item(
                            f"{owner}#{number}.{place}.{sub}",
                            _subitem(sub),
                            _resolved(subitem.runs, f"{owner}#{number}.{place}.{sub}", values),
                        )
                        for sub, subitem in enumerate(item.items, 1)
                    ),
                )
                for place, item in enumerate(paragraph.items, 1)
            ),
        )
        for number, paragraph in enumerate(paragraphs, 1)
    )


def _article(article: SourceArticle, label: str, values: _Values) -> Article:
    if article.deleted:
        return Article(article.id, label, "", (Paragraph(f"{article.id}#1", 1, (Run(DELETED),)),))
    paragraphs = _paragraphs(article.id, article.paragraphs, values)
    return Article(article.id, label, article.caption, paragraphs, article.topics)


def _supplement(supplement: SourceSupplement, values: _Values) -> Supplement:
    label = f"附則（{supplement.title}）" if supplement.title else "附則"
    return Supplement(supplement.id, label, _paragraphs(supplement.id, supplement.paragraphs, values))


def _annex(annex: SourceAnnex, drawn: Sequence[Table], citing: str, values: _Values) -> Annex:
    written = tuple(_table(table, values) for table in annex.tables)
    sources = dict.fromkeys(name for table in drawn for name in table.sources)
    return Annex(
        id=f"{ANNEX_PREFIX}{annex.id}",
        label=f"別表{annex.number}",
        title=annex.title,
        nature=Nature.PROVISION if annex.nature is AnnexNature.PROVISION else Nature.FACT,
        tables=written + tuple(drawn),
        source="、".join(sources),
        article=citing,
        note=annex.note,
        landscape=annex.landscape,
    )


def _table(table: SourceTable, values: _Values) -> Table:
    return Table(
        columns=tuple(
            TableColumn(header, width=float(width), nature=Nature.PROVISION) for header, width in table.columns
        ),
        rows=tuple(
            tuple("".join(run.text for run in _resolved(cell, "", values)) for cell in row) for row in table.rows
        ),
        caption=table.caption,
    )


def _citing(source: Source, annex_id: str) -> str:
    """Return the articles that refer to an annex: 「第8条、第10条から第13条まで」."""
    target = f"{ANNEX_PREFIX}{annex_id}"
    positions = [
        (position, label)
        for position, (article, label) in enumerate(_numbered(source))
        if any(run.target == target for _key, clause in clauses(article.id, article.paragraphs) for run in clause.runs)
    ]
    groups: list[list[tuple[int, str]]] = []
    for position, label in positions:
        if groups and groups[-1][-1][0] + 1 == position:
            groups[-1].append((position, label))
        else:
            groups.append([(position, label)])
    parts: list[str] = []
    for group in groups:
        if len(group) >= _CONSECUTIVE:
            parts.append(f"{group[0][1]}から{group[-1][1]}まで")
        else:
            parts += [label for _position, label in group]
    return "、".join(parts)


def _places(source: Source) -> Iterator[tuple[str, tuple[Run, ...]]]:
    """Yield every sentence of the text with its citation, in printed order."""
    cited = labels(source)
    for article in source.articles:
        for key, clause in clauses(article.id, article.paragraphs):
            yield cited[key], clause.runs
    for supplement in source.supplements:
        single = len(supplement.paragraphs) == 1
        for key, clause in clauses(supplement.id, supplement.paragraphs):
            yield "附則" + _place(key, single=single), clause.runs
    for annex in source.annexes:
        for table in annex.tables:
            for row in table.rows:
                for cell in row:
                    yield f"別表{annex.number}", cell
