"""What principals, scopes and actions are called on the access pages: names of members, departments, folders, documents."""

from __future__ import annotations

import datetime as dt
import uuid
from collections.abc import Iterable
from typing import Any

from django.utils.translation import gettext as _

from kitei.foundation import clock
from kitei.foundation.text import Message
from kitei.foundation.ui import cells
from kitei.registers.people import queries as people
from kitei.trust.access import folders
from kitei.trust.access.models import Classification
from kitei.trust.auditlog.vocabulary import kind_label
from kitei.web.access import queries

ACTIONS = {
    "list": Message("一覧に表示"),
    "view": Message("閲覧"),
    "download": Message("ダウンロード"),
    "print": Message("印刷"),
    "edit": Message("編集"),
    "approve": Message("承認"),
    "manage": Message("管理"),
}
LEVELS = {
    int(Classification.PUBLIC): Message("公開"),
    int(Classification.INTERNAL): Message("社外秘"),
    int(Classification.RESTRICTED): Message("関係者限"),
    int(Classification.SECRET): Message("極秘"),
}
SOURCES = {
    "manual": Message("責任者が設定"),
    "alone": Message("単独実施（第三者確認なし）"),
    "request": Message("閲覧申請"),
    "break-glass": Message("緊急閲覧"),
    "review": Message("権限の棚卸"),
}


class Names:
    """The words for the entries of one page; each table of names is read once, when first needed."""

    def __init__(self, organization: Any, entries: Iterable[Any] = (), members: Iterable[uuid.UUID] = ()) -> None:
        self.organization = organization
        rows = list(entries)
        ids = {uuid.UUID(row.principal_id) for row in rows if row.principal_kind == "member"} | set(members)
        self.members = people.names(organization=organization, day=clock.today(), member_ids=ids) if ids else {}
        self.roles = people.titles(organization=organization, day=clock.today())
        self.paths = folders.paths(organization=organization)
        self.departments = queries.department_names(
            organization=organization, ids={row.principal_id for row in rows if row.principal_kind == "department"}
        )
        self.documents = queries.document_names(
            organization=organization, ids={row.object_id for row in rows if row.object_id}
        )

    def member(self, key: uuid.UUID | str | None) -> str:
        """Return a member's name and number."""
        found = self.members.get(uuid.UUID(str(key))) if key else None
        return f"{found.full_name}（{found.code}）" if found else _("登録のない構成員")

    def principal(self, kind: str, code: str) -> str:
        """Return what a principal is called."""
        match kind:
            case "everyone":
                return _("構成員の全員")
            case "member":
                return self.member(code)
            case "role":
                return self.roles.get(code, code)
            case "department":
                return _("部署 %(name)s") % {"name": self.departments.get(code, code)}
            case _:
                return f"{kind_label(kind)} {code}"

    def place(self, entry: Any) -> str:
        """Return what an entry's scope is called."""
        match entry.scope_kind:
            case "all":
                return _("台帳の全体")
            case "register":
                return _("台帳「%(name)s」の全体") % {"name": kind_label(entry.register)}
            case "folder":
                return _("フォルダー「%(name)s」") % {"name": self.paths.get(entry.folder_id, "")}
            case _:
                return self.documents.get(entry.object_id, kind_label(entry.register))

    def period(self, entry: Any) -> str:
        """Return from when until when an entry holds."""
        return span(entry.starts_at, entry.ends_at, era=self.organization.era_dates)


def span(start: dt.datetime, end: dt.datetime | None, *, era: bool) -> str:
    """Return two instants as a period."""
    begin = cells.instant_text(start, era=era)
    return f"{begin}～{cells.instant_text(end, era=era) if end else ''}"


def actions(codes: Iterable[str]) -> str:
    """Return actions in words."""
    return _("・").join(str(ACTIONS[code]) for code in ACTIONS if code in set(codes))


def level(value: int) -> str:
    """Return a classification in words."""
    return str(LEVELS[int(value)])
