"""List page of the documents room (navigation: 文書)."""

from __future__ import annotations

import datetime as dt
from typing import Any

from django.urls import reverse
from django.utils.translation import gettext as translate
from django.utils.translation import gettext_lazy as _

from kitei.foundation.ui.lists import Cell, Link, ListColumn, ListFilter, ListSpec, Section, Tag, register, section
from kitei.registers.base.listing import equals, label, options, search
from kitei.registers.documents import queries
from kitei.registers.documents.columns import CLASSIFICATIONS, DOCUMENT_KINDS, KEPT_AT, LEVEL_NAMES, LEVELS
from kitei.trust.access import rule

section(Section("documents", _("文書"), "list", 50, args=("document",)))


def _standing(row: Any) -> Cell:
    if row.withdrawn_on and row.withdrawn_on <= row.listed_on:
        return Tag(translate("廃止"), "note")
    if row.in_force_from and row.in_force_from > row.listed_on:
        return Tag(translate("施行前"), "note")
    if row.kept_at == "kitei" and row.file_id is None:
        return Tag(translate("ファイルなし"), "warn")
    return Tag(translate("有効"), "ok")


def _files(*, actor: rule.Actor, day: dt.date, row: Any) -> list[tuple[Any, list[Any], list[list[Cell]]]]:
    """The files of a document's versions, the newest first, each a link that opens it."""
    lines: list[list[Cell]] = [
        [
            Link(found.file.name, reverse("document-file", args=[found.of_id, found.pk])),
            found.version,
            found.in_force_from or found.valid_from,
        ]
        for found in queries.versions(actor=actor, document_id=row.of_id)
        if found.file is not None
    ]
    return [(_("ファイル（開くと記録に残ります）"), [_("ファイル"), _("版"), _("施行日")], lines)] if lines else []


def _by_level(rows: Any, value: str) -> Any:
    return rows.filter(classification=LEVELS[value]) if value in LEVELS else rows.none()


register(
    ListSpec(
        key="document",
        title=_("文書"),
        section="documents",
        sheet="document",
        order=10,
        query=queries.documents,
        search=search("code", "title", "department", "place", "file_name"),
        columns=(
            ListColumn("code", _("文書番号"), lambda row: row.code, sort="code"),
            ListColumn("title", _("名称"), lambda row: row.title, sort="title"),
            ListColumn("kind", _("種類"), lambda row: label(DOCUMENT_KINDS, row.kind), priority=2),
            ListColumn("version", _("版"), lambda row: row.version, priority=2),
            ListColumn("standing", _("状態"), _standing, priority=2),
            ListColumn("in_force_from", _("施行日"), lambda row: row.in_force_from, priority=3),
            ListColumn("department", _("主管部署"), lambda row: row.department, priority=3),
            ListColumn("folder", _("フォルダー"), lambda row: row.folder.name, optional=True),
            ListColumn(
                "classification",
                _("閲覧区分"),
                lambda row: label(CLASSIFICATIONS, LEVEL_NAMES[row.classification]),
                priority=2,
            ),
            ListColumn("kept_at", _("保管先"), lambda row: label(KEPT_AT, row.kept_at), optional=True),
            ListColumn("reviewed_on", _("最終見直し日"), lambda row: row.reviewed_on, optional=True),
        ),
        filters=(
            ListFilter("kind", _("種類"), options(DOCUMENT_KINDS), equals("kind")),
            ListFilter("classification", _("閲覧区分"), options(CLASSIFICATIONS), _by_level),
            ListFilter("kept_at", _("保管先"), options(KEPT_AT), equals("kept_at")),
        ),
        lead=_("方針、規程、手順書、契約書などの、基準日の版です。"),
        detail=_files,
        empty=_("まだ文書がありません。シート「文書」を記入し、ファイルと一緒にzipで取り込んでください。"),
    )
)
