"""Every write of the regulation room: the draft, and putting an edition into force."""

from __future__ import annotations

import datetime as dt
import hashlib
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Protocol

from kitei.foundation import clock, transactions
from kitei.foundation.dates.japanese import format_date
from kitei.foundation.files import store
from kitei.foundation.sheets.table import Rendering
from kitei.foundation.text import Message, UserError
from kitei.outcomes.guidelines import review
from kitei.outcomes.regulation import build, events, own, packing, queries, render
from kitei.outcomes.regulation import provisions as stated
from kitei.outcomes.regulation.compose import settle_supplements
from kitei.outcomes.regulation.model import ApprovalCell, Regulation
from kitei.outcomes.regulation.model_text import model_text
from kitei.outcomes.regulation.models import Draft, Edition, EditionKind
from kitei.outcomes.regulation.source import parse, serialise
from kitei.registers.documents import queries as documents
from kitei.registers.risks import queries as risks
from kitei.trust.access import rule
from kitei.trust.auditlog.log import Act, append, record


def put_draft(*, actor: rule.Actor, organization: Any, text: str | None = None) -> Draft:
    """Set the draft to ``text`` (default: Kitei's model text); joins the caller's transaction. UserError if it is faulty."""
    transactions.require()
    decision = rule.require(actor, rule.EDIT, rule.Target("regulation", organization=organization)).recorded
    text = model_text() if text is None else text
    parse(text)
    draft, _ = Draft.objects.update_or_create(
        organization=organization, defaults={"text": text, "changed_at": clock.now()}
    )
    digest = hashlib.sha256(text.encode()).hexdigest()
    append(
        organization=organization,
        act=Act(
            events.DRAFT_CHANGED,
            actor.ref,
            ("regulation", str(draft.id)),
            data={"sha256": digest},
            decision=decision,
        ),
    )
    return draft


class Renderer(Protocol):
    """Makes documents of a tree: kind -> bytes."""

    def __call__(self, regulation: Regulation, /, *, kinds: Sequence[str], timestamp: dt.datetime) -> dict[str, bytes]:
        """Return one document for each kind."""


@dataclass(frozen=True)
class Prepared:
    """An edition ready to be frozen: composed and rendered outside the transaction (design §3)."""

    organization: Any
    effective_on: dt.date
    label: str
    kind: str
    title: str
    summary: str
    approved_by: str
    source_text: str
    tree: Regulation | None
    provisions: dict[str, Any]
    articles: list[dict[str, Any]]
    incorporated: list[dict[str, Any]]
    content_hash: str
    files: dict[str, tuple[str, bytes]]


def prepare_model(
    *,
    organization: Any,
    effective_on: dt.date,
    summary: str = "",
    approved_by: str = "",
    label: str = "",
    renderer: Renderer | None = None,
) -> Prepared:
    """Compose and render the draft as the edition that takes effect on ``effective_on``.

    ``renderer`` makes the documents; a web thread passes ``child.render_many``. UserError when there is no draft, its text is faulty, or an edition already takes effect later.
    """
    text = queries.draft_text(organization=organization)
    if text is None:
        raise UserError(Message("規程の案がありません。kitei init で作るか、自社の規程を取り込んでください。"))
    _check_day(organization, effective_on)
    # 附則 keep the date their own edition took effect, whatever later editions say.
    source = settle_supplements(parse(text), facts=_settled_facts(effective_on))
    settled = serialise(source)
    today = clock.today()
    tree = build.build(
        organization=organization,
        text=settled,
        day=today,
        edition=label,
        effective_on=effective_on,
        summary=summary,
        approvals=(
            ApprovalCell("作成"),
            ApprovalCell("審査"),
            ApprovalCell("承認", approved_by, today if approved_by else None),
        ),
    )
    name = f"{organization.document_number}_{tree.edition}"
    made = (renderer or _rendered_here)(tree, kinds=("docx", "pdf", "html"), timestamp=build.stamp())
    return Prepared(
        organization=organization,
        effective_on=effective_on,
        label=tree.edition,
        kind=EditionKind.MODEL,
        title=tree.title,
        summary=summary or tree.history[-1].summary,
        approved_by=approved_by,
        source_text=settled,
        tree=tree,
        provisions={
            key: {"value": provision.value, "unit": provision.unit, "article": provision.article}
            for key, provision in stated.read(source).items()
        },
        articles=queries.article_rows(tree.chapters),
        incorporated=_incorporated(organization, today),
        content_hash=packing.content_hash(tree),
        files={kind: (f"{name}.{kind}", content) for kind, content in made.items()},
    )


def prepare_own(
    *,
    organization: Any,
    effective_on: dt.date,
    file_name: str,
    content: bytes,
    label: str,
    summary: str = "",
    approved_by: str = "",
) -> Prepared:
    """Make the company's uploaded Word or PDF the edition in force, with the articles of sheet 「現行規程」.

    UserError when the file is not what its name says, or no article is listed yet.
    """
    store.check_content(content=content, name=file_name)
    if not file_name.lower().endswith((".docx", ".pdf")):
        raise UserError(Message("規程のファイルは、Word（.docx）かPDFにしてください。"))
    own.check_whole(content=content, name=file_name)
    _check_day(organization, effective_on)
    listed = queries.own_articles(organization=organization, day=clock.today())
    if not listed:
        raise UserError(Message("先に、シート「現行規程」で規程の条を取り込んでください。"))
    edition = review.edition_for(organization)
    return Prepared(
        organization=organization,
        effective_on=effective_on,
        label=label or build.next_label(organization=organization),
        kind=EditionKind.OWN,
        title=organization.regulation_title,
        summary=summary or "自社の規程",
        approved_by=approved_by,
        source_text="",
        tree=None,
        provisions=own.provisions(listed),
        articles=own.rows(listed, edition=edition),
        incorporated=_incorporated(organization, clock.today()),
        content_hash=hashlib.sha256(content).hexdigest(),
        files={"original": (store.clean_name(file_name), content)},
    )


def adopt(*, actor: rule.Actor, prepared: Prepared) -> Edition:
    """Freeze a prepared edition and put it into force on its day; joins the caller's transaction.

    UserError when its label is taken or another edition meanwhile takes effect later; Refused without an officer's role.
    """
    transactions.require()
    organization = prepared.organization
    decision = rule.require(actor, rule.APPROVE, rule.Target("regulation", organization=organization)).recorded
    organization.hold()
    _check_day(organization, prepared.effective_on)
    _check_new(prepared)
    if Edition.objects.filter(organization=organization, label=prepared.label).exists():
        raise UserError(
            Message("版「%(label)s」はすでにあります。別の版の名前にしてください。", {"label": prepared.label})
        )
    stored = {
        field: store.put_bytes(
            organization=organization, content=content, name=name, made_here=prepared.kind == EditionKind.MODEL
        )
        for field, (name, content) in prepared.files.items()
    }
    edition = Edition(
        organization=organization,
        number=(
            Edition.objects.filter(organization=organization)
            .order_by("-number")
            .values_list("number", flat=True)
            .first()
            or 0
        )
        + 1,
        label=prepared.label,
        kind=prepared.kind,
        title=prepared.title,
        document_number=organization.document_number,
        effective_on=prepared.effective_on,
        as_of=clock.today(),
        summary=prepared.summary,
        adopted_at=clock.now(),
        adopted_by=actor.label or actor.id,
        approved_by=prepared.approved_by,
        source_text=prepared.source_text,
        tree=packing.pack(prepared.tree) if prepared.tree else None,
        provisions=prepared.provisions,
        articles=prepared.articles,
        incorporated=prepared.incorporated,
        content_hash=prepared.content_hash,
        **stored,
    )
    edition.save(force_insert=True)
    append(
        organization=organization,
        act=Act(
            events.ADOPTED,
            actor.ref,
            ("regulation", str(edition.id)),
            data={
                "number": edition.number,
                "kind": str(edition.kind),
                "effective": edition.effective_on.isoformat(),
                "sha256": edition.content_hash,
                "files": {field: row.digest for field, row in stored.items()},
            },
            decision=decision,
        ),
    )
    return edition


def rendering_of(regulation: Regulation, *, kind: str) -> bytes:
    """Render a tree to ``docx``, ``pdf`` or ``html`` with the time stamp of now."""
    return _rendered_here(regulation, kinds=(kind,), timestamp=build.stamp())[kind]


def _rendered_here(regulation: Regulation, *, kinds: Sequence[str], timestamp: dt.datetime) -> dict[str, bytes]:
    """Render in this process: for commands and the worker."""
    makers = {"docx": render.docx, "pdf": render.pdf, "html": render.html}
    return {kind: makers[kind](regulation, timestamp=timestamp) for kind in kinds}


def record_download(*, actor: rule.Actor, organization: Any, kind: str, edition: str, rendering: Rendering) -> None:
    """Ask the rule and commit the download event, before the first byte leaves. UnrecordedError: hand nothing out."""
    decision = rule.require(actor, rule.VIEW, rule.Target("regulation", edition, organization=organization))
    record(
        organization=organization,
        act=Act(
            events.DOWNLOADED,
            actor.ref,
            ("regulation", edition),
            data={"format": kind, "rendering": rendering.value},
            decision=decision.recorded,
        ),
    )


def record_view(*, actor: rule.Actor, organization: Any, edition: str) -> None:
    """Ask the rule and commit the opening of an edition, before the first byte leaves. UnrecordedError: show nothing."""
    decision = rule.require(actor, rule.VIEW, rule.Target("regulation", edition, organization=organization))
    record(
        organization=organization,
        act=Act(events.VIEWED, actor.ref, ("regulation", edition), decision=decision.recorded),
    )


def _settled_facts(effective_on: dt.date) -> dict[str, str]:
    return {"edition.effective-on": format_date(effective_on, era=True)}


def _check_new(prepared: Prepared) -> None:
    """Refuse a second edition of the same text on the same day: a command repeated, not a revision."""
    last = Edition.objects.filter(organization=prepared.organization).order_by("-number").first()
    if last is None or last.effective_on != prepared.effective_on or last.kind != prepared.kind:
        return
    same_text = (
        last.source_text == prepared.source_text if prepared.tree else last.content_hash == prepared.content_hash
    )
    if same_text:
        raise UserError(
            Message(
                "%(label)sと同じ本文で、施行日も同じです。改定するときは、本文か施行日を変えてください。",
                {"label": last.label},
            )
        )


def _check_day(organization: Any, effective_on: dt.date) -> None:
    later = (
        Edition.objects.filter(organization=organization, effective_on__gt=effective_on)
        .order_by("-effective_on")
        .first()
    )
    if later is not None:
        raise UserError(
            Message(
                "%(label)sが%(day)sに施行されます。施行日はその日以後にしてください。",
                {"label": later.label, "day": later.effective_on},
            )
        )


def _incorporated(organization: Any, day: dt.date) -> list[dict[str, Any]]:
    """The procedures an edition incorporates: number, version, document and the digest of its file (design §2.7)."""
    rows = risks.all_procedures(organization=organization, day=day)
    wanted = [row.document_id for row in rows.values() if row.document_id]
    digests = documents.digests(organization=organization, day=day, document_ids=wanted)
    return [
        {
            "procedure": code,
            "version": row.version,
            "document": row.document.code if row.document else "",
            "sha256": digests.get(row.document_id, "") if row.document_id else "",
        }
        for code, row in rows.items()
    ]
