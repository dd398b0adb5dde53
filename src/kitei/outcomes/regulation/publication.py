"""The regulation as it is given out on a day: a frozen edition with live fact annexes, a draft, or the uploaded original."""

from __future__ import annotations

import datetime as dt
from dataclasses import dataclass, replace
from typing import Any

from kitei.foundation.files import store
from kitei.foundation.sheets.table import Rendering
from kitei.foundation.text import Message, UserError
from kitei.outcomes.regulation import build, operations, packing, queries
from kitei.outcomes.regulation.model import Annex, Regulation
from kitei.outcomes.regulation.models import Edition


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


def document(published: Published, *, kind: str) -> tuple[str, bytes | None]:
    """Return (file name, bytes) of the regulation in one format.

    A company's own text is given out as the file it was uploaded as, whatever format was asked; (name, None) when that
    is another format than asked.
    """
    edition = published.edition
    if published.tree is None and edition is not None:
        original = edition.original
        assert original is not None  # noqa: S101  an own edition always has its file
        wanted = original.name.lower().endswith(f".{kind}")
        return original.name, store.read(original.digest) if wanted else None
    assert published.tree is not None  # noqa: S101  only own editions lack a tree
    return file_name(published, kind=kind), operations.rendering_of(published.tree, kind=kind)


def file_name(published: Published, *, kind: str) -> str:
    """Return what a rendered document is called: number, edition, 開示版, day. ValueError for an uploaded text."""
    if published.tree is None:
        raise ValueError("an uploaded text keeps its own name")
    edition = published.edition
    label = edition.label if edition else f"{published.tree.edition}案"
    suffix = "_開示版" if published.rendering is Rendering.DISCLOSURE else ""
    return f"{published.organization.document_number}_{label}{suffix}_{published.day:%Y%m%d}.{kind}"
