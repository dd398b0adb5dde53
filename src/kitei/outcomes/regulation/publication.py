"""The regulation as it is given out on a day: a frozen edition with live fact annexes, a draft, or the uploaded original."""

from __future__ import annotations

import datetime as dt
from collections.abc import Sequence
from concurrent.futures import Executor, Future
from dataclasses import dataclass, replace
from typing import Any

from kitei.foundation.files import store
from kitei.foundation.sheets.table import Rendering
from kitei.foundation.text import Message, UserError
from kitei.outcomes.regulation import build, operations, packing, queries
from kitei.outcomes.regulation import provisions as stated
from kitei.outcomes.regulation.model import Annex, Regulation
from kitei.outcomes.regulation.model_text import model_text
from kitei.outcomes.regulation.models import Edition
from kitei.outcomes.regulation.source import parse


@dataclass(frozen=True)
class Published:
    """What stands on a day.

    ``tree`` is None for a company's own uploaded text; ``changed`` are fact annexes that differ from the frozen edition.
    """

    organization: Any
    day: dt.date
    rendering: Rendering
    edition: Edition | None
    tree: Regulation | None
    changed: tuple[Annex, ...] = ()

    @property
    def edition_id(self) -> str:
        """The edition's id for events; 「draft」 without one."""
        return str(self.edition.id) if self.edition else "draft"


def current(*, organization: Any, day: dt.date, rendering: Rendering = Rendering.INTERNAL) -> Published:
    """Return the regulation in force on ``day`` with its fact annexes as of that day.

    Before the first edition takes effect: the edition that waits for its day, else the draft.

    UserError when there is neither, or when a company's own text is asked for in another rendering than the one it was
    uploaded in: nobody has taken the names out of it.
    """
    edition = queries.edition_in_force(organization=organization, day=day) or queries.next_edition(
        organization=organization, day=day
    )
    if edition is None:
        text = queries.draft_text(organization=organization)
        if text is None:
            raise UserError(Message("規程がまだありません。ひな形から案を作るか、自社の規程を取り込んでください。"))
        tree = build.build(organization=organization, text=text, day=day, rendering=rendering)
        return Published(organization, day, rendering, None, tree)
    whole = Edition.objects.only("tree").get(pk=edition.pk)
    if whole.tree is None:
        if rendering is not Rendering.INTERNAL:
            raise UserError(
                Message("自社の規程には開示版がありません。開示用のファイルを自社で用意し、文書に登録してください。")
            )
        return Published(organization, day, rendering, edition, None)
    frozen = packing.unpack(whole.tree)
    provisions = queries.provisions_of(edition)
    shown = build.live(frozen, organization=organization, provisions=provisions, day=day)
    changed = tuple(now for then, now in zip(frozen.annexes, shown.annexes, strict=True) if then != now)
    if rendering is not Rendering.INTERNAL:
        shown = build.live(
            without_names(replace(frozen, rendering=rendering)),
            organization=organization,
            provisions=provisions,
            day=day,
        )
    return Published(organization, day, rendering, edition, shown, changed)


def own_annexes(published: Published) -> Regulation:
    """Return the annexes drawn from the registers, as a document of their own beside a company's uploaded regulation.

    They carry no article and no table of Kitei's model text: what the company's own text says is in its own file.
    """
    organization, edition = published.organization, published.edition
    assert edition is not None  # noqa: S101  asked for own editions only
    source = parse(model_text())
    provisions = {**stated.read(source), **queries.provisions_of(edition)}
    tables = build.draw_annexes(
        organization=organization, day=published.day, rendering=published.rendering, provisions=provisions
    )
    whole = build.assemble(
        organization=organization,
        source=source,
        tables=tables,
        day=published.day,
        rendering=published.rendering,
        edition=edition.label,
        effective_on=edition.effective_on,
        summary=edition.summary,
        approvals=(),
    )
    annexes = (
        replace(annex, article="", note="", tables=tuple(table for table in annex.tables if table.sources))
        for annex in whole.annexes
        if any(table.sources for table in annex.tables)
    )
    bare = replace(whole, title=f"{whole.title} 別表", chapters=(), supplements=(), annexes=tuple(annexes))
    return without_names(bare) if published.rendering is not Rendering.INTERNAL else bare


def without_names(tree: Regulation) -> Regulation:
    """Return the tree with the persons of 承認欄 and 改訂履歴 left out, for the disclosure rendering."""
    return replace(
        tree,
        approvals=tuple(replace(cell, name="", day=None) for cell in tree.approvals),
        history=tuple(replace(row, approved_by="") for row in tree.history),
    )


def frozen(*, organization: Any, edition: Edition) -> Regulation | None:
    """Return the tree of an edition as it was frozen; None for an uploaded text."""
    row = Edition.objects.only("tree").get(pk=edition.pk, organization=organization)
    return packing.unpack(row.tree) if row.tree else None


ORIGINAL = "original"
"""The format name of a company's own uploaded file."""


def formats(published: Published, *, kinds: Sequence[str]) -> list[str]:
    """Return what is given out for the asked kinds: beside an own text, its original file comes first."""
    return [ORIGINAL, *kinds] if published.tree is None else list(kinds)


def document(published: Published, *, kind: str) -> tuple[str, bytes]:
    """Return (file name, bytes) of the regulation in one format.

    Of a company's own text, ``original`` is the file as it was uploaded and the other formats hold the annexes drawn
    from the registers.
    """
    edition = published.edition
    if kind == ORIGINAL and edition is not None and edition.original is not None:
        return edition.original.name, store.read(edition.original.digest)
    return file_name(published, kind=kind), operations.rendering_of(tree_of(published), kind=kind)


def making(published: Published, *, kind: str, pool: Executor) -> tuple[str, Future[bytes]]:
    """Return (file name, bytes to come) as ``document`` does, rendered in ``pool``: several formats at once."""
    if kind == ORIGINAL:
        name, content = document(published, kind=kind)
        return name, pool.submit(lambda: content)
    tree = tree_of(published)
    return file_name(published, kind=kind), pool.submit(operations.rendering_of, tree, kind=kind)


def tree_of(published: Published) -> Regulation:
    """Return what is rendered: the regulation, or the annexes of a company's own one."""
    return published.tree if published.tree is not None else own_annexes(published)


def file_name(published: Published, *, kind: str) -> str:
    """Return what a rendered document is called: number, edition, 別表 or 開示版, day."""
    edition = published.edition
    label = edition.label if edition else f"{published.tree.edition}案" if published.tree else ""
    part = "_別表" if published.tree is None else ""
    suffix = "_開示版" if published.rendering is Rendering.DISCLOSURE else ""
    return f"{published.organization.document_number}_{label}{part}{suffix}_{published.day:%Y%m%d}.{kind}"
