"""フォルダーと権限: the tree with owning departments, and who may do what in a folder."""

from __future__ import annotations

import uuid
from typing import Any

from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.urls import reverse
from django.utils.translation import gettext as _
from django.views.decorators.http import require_http_methods

from kitei.foundation import clock, transactions
from kitei.foundation.text import UserError
from kitei.foundation.ui.lists import Link, Tag
from kitei.trust.access import folders, operations, rule
from kitei.trust.access.models import Folder
from kitei.trust.access.reviews import Bundle
from kitei.trust.access.standard import STANDARDS
from kitei.web.access import names, queries
from kitei.web.access.forms import FolderForm, MoveForm
from kitei.web.access.names import Names
from kitei.web.access.pages import SECTION, may_manage, target
from kitei.web.requests import actor_of


@require_http_methods(["GET", "HEAD", "POST"])
def tree(request: HttpRequest) -> HttpResponse:
    """Show the folders with their owning departments; make one."""
    actor = actor_of(request)
    organization = actor.organization
    rule.require(actor, rule.VIEW if request.method != "POST" else rule.MANAGE, target(actor))
    form = FolderForm(request.POST if request.method == "POST" else None, organization=organization)
    if request.method == "POST" and form.is_valid():
        typed = form.cleaned_data
        try:
            made = transactions.durable(
                lambda: folders.make_folder(
                    actor=actor,
                    organization=organization,
                    name=typed["name"],
                    parent=uuid.UUID(typed["parent"]),
                    department=typed["department"],
                )
            )
        except UserError as error:
            form.add_error(None, str(error))
        else:
            messages.success(request, _("フォルダーを作りました。"))
            return redirect("access-folder", folder=made.pk)
    manages = may_manage(actor)
    if not queries.has_folders(organization=organization):
        transactions.durable(lambda: operations.root_folder(organization=organization))
        form = FolderForm(organization=organization)
    context = {
        "section": SECTION,
        "here": "access-folders",
        "folders": _tree(organization),
        "form": form if manages else None,
    }
    return render(request, "web/access/tree.html", context, status=422 if form.errors else 200)


@require_http_methods(["GET", "HEAD", "POST"])
def folder(request: HttpRequest, folder: uuid.UUID) -> HttpResponse:
    """Show a folder's access table, standard rights included; move it or change its owner."""
    actor = actor_of(request)
    organization = actor.organization
    action = rule.VIEW if request.method != "POST" else rule.MANAGE
    found = queries.folder(actor=actor, identity=folder, action=action)
    initial = {"parent": str(found.parent_id or found.pk), "department": found.department}
    form = MoveForm(request.POST if request.method == "POST" else None, organization=organization, initial=initial)
    if request.method == "POST" and form.is_valid():
        typed = form.cleaned_data
        try:
            transactions.durable(
                lambda: folders.move_folder(
                    actor=actor, organization=organization, folder=folder, parent=uuid.UUID(typed["parent"]),
                    department=typed["department"],
                )
            )  # fmt: skip
        except UserError as error:
            form.add_error(None, str(error))
        else:
            messages.success(request, _("フォルダーを変更しました。次の操作から効きます。"))
            return redirect("access-folder", folder=folder)
    manages = may_manage(actor)
    path = folders.paths(organization=organization)[found.pk]
    columns, lines = table(organization, found, withdrawing=manages)
    context = {
        "section": SECTION,
        "here": "access-folders",
        "folder": found,
        "path": path,
        "columns": columns,
        "lines": lines,
        "now": clock.now(),
        "form": form if manages else None,
        "new_url": f"{reverse('access-new')}?folder={found.pk}" if manages else "",
    }
    return render(request, "web/access/folder.html", context, status=422 if form.errors else 200)


def table(organization: Any, place: Folder, *, withdrawing: bool) -> tuple[list[str], list[list[Any]]]:
    """Return who may do what in a folder as headers and lines: denies, standard rights, grants; on documents."""
    denies, grants = queries.entries_in(organization=organization, place=place)
    words = Names(organization, [row for bundle in (*denies, *grants) for row in bundle.entries])
    columns = [_("だれに"), _("種類"), _("操作"), _("閲覧区分の上限"), _("どこに"), _("期間"), _("もと")]
    if withdrawing:
        columns.append(_("取消"))
    lines = [_line(bundle, "deny", words, withdrawing=withdrawing) for bundle in denies]
    lines += standards(words, extra=1 if withdrawing else 0)
    lines += [_line(bundle, "grant", words, withdrawing=withdrawing) for bundle in grants]
    return columns, lines


def standards(words: Names, *, extra: int = 0) -> list[list[Any]]:
    """Return the standard rights on documents, one line a right, whose holders together."""
    found: dict[str, list[Any]] = {}
    for right in STANDARDS:
        if right.fits(next(iter(sorted(right.actions))), "document"):
            found.setdefault(right.code, []).append(right)
    return [
        [
            _("、").join(words.principal(*right.principal) for right in rights),
            Tag(_("標準"), "note"),
            names.actions(rights[0].actions),
            names.level(rights[0].highest),
            _("台帳の全体"),
            _("期限なし"),
            _("Kiteiの標準の権限"),
            *[""] * extra,
        ]
        for rights in found.values()
    ]


def _line(bundle: Bundle, effect: str, words: Names, *, withdrawing: bool) -> list[Any]:
    row = bundle.first
    line: list[Any] = [
        words.principal(row.principal_kind, row.principal_id),
        Tag(_("禁止"), "ng") if effect == "deny" else Tag(_("許可"), "ok"),
        names.actions(bundle.actions),
        _("すべて") if effect == "deny" else names.level(row.highest),
        words.place(row),
        words.period(row),
        str(names.SOURCES.get(row.source_kind, row.source_kind)),
    ]
    if withdrawing:
        line.append(Link(_("取り消す"), reverse("access-withdraw", args=[effect, bundle.id])))
    return line


def _tree(organization: Any) -> list[dict[str, Any]]:
    below: dict[Any, list[Folder]] = {}
    for row in queries.folders(organization=organization):
        below.setdefault(row.parent_id, []).append(row)
    found: list[dict[str, Any]] = []

    def walk(parent: Any, depth: int) -> None:
        for row in sorted(below.get(parent, ()), key=lambda item: item.name):
            found.append({"folder": row, "depth": depth, "indent": "　" * depth})
            walk(row.pk, depth + 1)

    walk(None, 0)
    return found
