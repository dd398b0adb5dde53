"""Where every printed text stands, in words for the person who has to mend it."""

from __future__ import annotations

import re
from collections.abc import Iterator

from kitei.foundation.text.messages import Message, UserError
from kitei.outcomes.regulation.render.page import AnnexView, Line, View

_UNPRINTABLE = re.compile("[\x00-\x08\x0b-\x1f\x7f-\x9f\ud800-\udfff\ufffe\uffff]")


def places(shown: View) -> Iterator[tuple[str, str]]:
    """Yield every printed text with the words that say where it stands."""
    for word in (shown.title, shown.organization, shown.header, *(v for _, v in shown.facts)):
        yield "表紙", word
    for approval in shown.approvals:
        yield "承認欄", f"{approval.caption}{approval.name}{approval.day}"
    for row in shown.history:
        yield f"改訂履歴　{row[0]}", "".join(row)
    for chapter in shown.chapters:
        yield chapter.heading, chapter.heading
        for article in chapter.articles:
            yield article.heading, article.heading
            yield from _line_places(article.heading, article.lines)
    for supplement in shown.supplements:
        yield supplement.heading, supplement.heading
        yield from _line_places(supplement.heading, supplement.lines)
    for annex in shown.annexes:
        yield from _annex_places(annex)


def refuse_control_characters(shown: View) -> None:
    """Refuse what no output format can carry: control characters and lone surrogates (line ends and tabs are kept)."""
    for place, text in places(shown):
        found = _UNPRINTABLE.search(text)
        if found:
            raise UserError(
                Message(
                    "%(place)sに、文書に書けない制御文字（%(code)s）があります。削除してから、もう一度出力してください。",
                    {"place": place, "code": f"U+{ord(found[0]):04X}"},
                )
            )


def _line_places(heading: str, lines: tuple[Line, ...]) -> Iterator[tuple[str, str]]:
    for line in lines:
        place = heading if line.level in {"article", "lone"} else f"{heading} {line.marker}"
        yield place, line.marker + "".join(piece.text for piece in line.pieces)


def _annex_places(annex: AnnexView) -> Iterator[tuple[str, str]]:
    yield annex.heading, f"{annex.heading}{annex.relation}{annex.mark}{annex.meta}{annex.note}"
    for table in annex.tables:
        yield f"{annex.heading}の見出し", "".join((table.caption, table.note, table.empty, *table.headers))
        for count, row in enumerate(table.rows, start=1):
            for header, cell in zip(table.headers, row, strict=True):
                yield f"{annex.heading} {count}行目「{header}」", cell
