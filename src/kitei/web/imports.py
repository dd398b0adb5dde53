"""Import with preview, the column mapping, and taking the registers out (design §8)."""

from __future__ import annotations

import hashlib
import io
import json
from pathlib import Path
from typing import Any
from urllib.parse import quote

from django import forms
from django.contrib import messages
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.urls import reverse
from django.utils.translation import get_language, gettext_lazy
from django.utils.translation import gettext as _
from django.views.decorators.http import require_http_methods, require_POST, require_safe

from kitei.foundation import clock
from kitei.foundation.sheets import spec as registered
from kitei.foundation.sheets.cells import show_cell
from kitei.foundation.sheets.grid import Limits, Workbook
from kitei.foundation.sheets.headers import find_sheets
from kitei.foundation.sheets.plan import Plan, SheetPlan
from kitei.foundation.sheets.reader import read_tables
from kitei.foundation.sheets.spec import Column, SheetSpec
from kitei.foundation.sheets.template import OWN_SHEETS
from kitei.foundation.text import UserError, file_names
from kitei.foundation.ui.cells import date_text
from kitei.foundation.ui.pages import Page, register
from kitei.trust.access import rule
from kitei.web import exchange, uploads
from kitei.web.requests import actor_of

ROWS_SHOWN = 100
COLUMNS_SHOWN = 4
XLSX = "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet"
_LIMIT = Limits().file_bytes


def _may(action: str) -> Any:
    return lambda actor: rule.decide(actor, action, rule.Target("register", organization=actor.organization)).allowed


register(Page("import", "import", gettext_lazy("台帳の取込"), "import", 20, _may(rule.EDIT)))


class UploadForm(forms.Form):
    """The file to import."""

    file = forms.FileField(
        label=gettext_lazy("取り込むファイル"),
        help_text=gettext_lazy("Excel（.xlsx）、CSV、又はExcelと添付ファイルを入れたzip。50MBまで。"),
        widget=forms.FileInput(attrs={"accept": ".xlsx,.xlsm,.csv,.zip"}),
        error_messages={
            "required": gettext_lazy("ファイルを選んでください。"),
            "empty": gettext_lazy("ファイルが空です。内容のあるファイルを選んでください。"),
        },
    )

    def clean_file(self) -> Any:
        """Refuse by size before anything is kept."""
        upload = self.cleaned_data["file"]
        if upload.size > _LIMIT:
            raise forms.ValidationError(
                _("ファイルが大きすぎます（上限50MB）。不要なシートや画像を削除するか、いくつかに分けてください。")
            )
        try:
            file_names.check(upload.name)
        except UserError as error:
            raise forms.ValidationError(str(error)) from error
        return upload


@require_http_methods(["GET", "HEAD", "POST"])
def page(request: HttpRequest) -> HttpResponse:
    """Take a file and go on to its preview."""
    actor = actor_of(request)
    rule.require(actor, rule.EDIT, rule.Target("register", organization=actor.organization))
    form = UploadForm(request.POST, request.FILES) if request.method == "POST" else UploadForm()
    if request.method == "POST" and form.is_valid():
        upload = form.cleaned_data["file"]
        token = uploads.keep(actor=actor, request=request, name=upload.name, chunks=upload.chunks())
        return redirect("import-preview", token)
    return _start(request, actor, form)


@require_safe
def preview(request: HttpRequest, token: str) -> HttpResponse:
    """Show, row by row, what importing the kept file would do. Nothing is saved."""
    actor = actor_of(request)
    rule.require(actor, rule.EDIT, rule.Target("register", organization=actor.organization))
    path = uploads.find(actor=actor, request=request, token=token)
    if path is None:
        return _gone(request)
    return _preview(request, actor, path, token)


@require_POST
def apply(request: HttpRequest, token: str) -> HttpResponse:
    """Import the same file that was previewed, if it still does the same."""
    actor = actor_of(request)
    organization = actor.organization
    rule.require(actor, rule.EDIT, rule.Target("register", organization=organization))
    path = uploads.find(actor=actor, request=request, token=token)
    if path is None:
        return _gone(request)
    try:
        plan = exchange.plan(actor=actor, organization=organization, path=path)
        if not plan.ok or fingerprint(plan) != request.POST.get("seen", ""):
            note = _(
                "確認のあとに台帳が変わりました。内容をもう一度確かめてから、取り込んでください。まだ何も取り込んでいません。"
            )
            return _preview(request, actor, path, token, plan=plan, note=note, status=409)
        exchange.apply(actor=actor, organization=organization, plan=plan)
    except UserError as error:
        return _preview(request, actor, path, token, note=str(error), status=409)
    uploads.drop(token)
    counts = plan.counts
    messages.success(
        request,
        _("取り込みました（追加 %(added)s、変更 %(changed)s）。")
        % {"added": counts["added"], "changed": counts["changed"]},
    )
    return redirect("setup")


@require_safe
def template(request: HttpRequest) -> HttpResponse:
    """Hand out the empty explained workbook; it holds nothing of the company."""
    actor = actor_of(request)
    rule.require(actor, rule.LIST, rule.Target("register", organization=actor.organization))
    stream = io.BytesIO()
    exchange.write_template(stream, language=reading_language())
    return _file(stream, _("台帳のひな形"), "kitei-template")


@require_safe
def export(request: HttpRequest) -> HttpResponse:
    """Hand out every register as the workbook that import accepts; recorded before the first byte."""
    actor = actor_of(request)
    stream = io.BytesIO()
    exchange.export(actor=actor, organization=actor.organization, stream=stream, language=reading_language())
    return _file(stream, f"{_('台帳')}_{clock.today():%Y%m%d}", f"kitei-registers-{clock.today():%Y%m%d}")


def fingerprint(plan: Plan) -> str:
    """Return what identifies the changes of a plan: equal when it would do the same."""
    done = [
        [
            key,
            [[row.key, row.values] for row in sheet.added],
            [[row.key, row.before, row.after] for row in sheet.changed],
        ]
        for key, sheet in sorted(plan.sheets.items())
    ]
    return hashlib.sha256(json.dumps(done, default=str, ensure_ascii=False, sort_keys=True).encode()).hexdigest()


def kept_file(request: HttpRequest, actor: rule.Actor, token: str) -> Path:
    """Return the kept file; 404 when it is gone or somebody else's."""
    path = uploads.find(actor=actor, request=request, token=token)
    if path is None:
        raise Http404
    return path


def _start(
    request: HttpRequest, actor: rule.Actor, form: UploadForm, *, note: str = "", status: int = 200
) -> HttpResponse:
    may_export = rule.decide(actor, rule.DOWNLOAD, rule.Target("register", organization=actor.organization)).allowed
    context = {
        "section": "import",
        "here": "import",
        "form": form,
        "note": note,
        "may_export": may_export,
        "sheets": [name_of(sheet) for sheet in registered.specs()],
    }
    return render(request, "web/import.html", context, status=422 if form.errors else status)


def _gone(request: HttpRequest) -> HttpResponse:
    """The file was kept for an hour, or belongs to another session: the same answer."""
    note = _(
        "アップロードしたファイルの保存期限（1時間）が過ぎたか、別のログインで使われたものです。もう一度ファイルを選んでください。"
    )
    return _start(request, actor_of(request), UploadForm(), note=note, status=410)


def _preview(
    request: HttpRequest,
    actor: rule.Actor,
    path: Path,
    token: str,
    *,
    plan: Plan | None = None,
    note: str = "",
    status: int = 200,
) -> HttpResponse:
    organization = actor.organization
    mappings = exchange.mappings_of(organization)
    try:
        workbook = read_tables(path)
        if plan is None:
            plan = exchange.plan(
                actor=actor, organization=organization, path=path, mappings=mappings, workbook=workbook
            )
    except UserError as error:
        uploads.drop(token)  # nothing can be done with it any more
        return _start(request, actor, UploadForm(), note=str(error), status=422)
    exchange.record_contacts_shown(actor=actor, organization=organization, plan=plan)
    context = {
        "section": "import",
        "here": "import",
        "token": token,
        "file": path.name,
        "plan": plan,
        "counts": plan.counts,
        "nothing": not (plan.counts["added"] or plan.counts["changed"]),
        "more_errors": plan.error_count - len(plan.errors),
        "sheets": [
            _sheet(sheet, token) for sheet in plan.sheets.values() if sheet.added or sheet.changed or sheet.unchanged
        ],
        "others": _others(workbook, plan, mappings, token),
        "specs": [{"key": sheet.key, "name": name_of(sheet)} for sheet in registered.specs()],
        "seen": fingerprint(plan),
        "note": note,
    }
    return render(request, "web/import_preview.html", context, status=status)


def _sheet(sheet: SheetPlan, token: str) -> dict[str, Any]:
    identity = sheet.spec.identity
    leading = [column for column in sheet.spec.columns if column.key != identity][:COLUMNS_SHOWN]
    return {
        "name": name_of(sheet.spec),
        "sheet": sheet.sheet,
        "header_row": sheet.header_row,
        "map_url": f"{reverse('import-mapping', args=[token, sheet.spec.key])}?sheet={quote(sheet.sheet)}&header_row={sheet.header_row}",
        "added": [
            {
                "row": row.row,
                "key": row.key,
                "cells": [
                    (header_of(column), cell)
                    for column in leading
                    if (cell := _cell(column, row.values.get(column.key)))
                ],
            }
            for row in sheet.added[:ROWS_SHOWN]
        ],
        "added_count": len(sheet.added),
        "added_more": max(0, len(sheet.added) - ROWS_SHOWN),
        "changed": [
            {
                "row": row.row,
                "key": row.key,
                "fields": [
                    (header_of(column), _cell(column, change.before), _cell(column, change.after))
                    for change in row.fields
                    for column in (sheet.spec.column(change.column),)
                ],
            }
            for row in sheet.changed[:ROWS_SHOWN]
        ],
        "changed_count": len(sheet.changed),
        "changed_more": max(0, len(sheet.changed) - ROWS_SHOWN),
        "unchanged": sheet.unchanged,
        "stale": sheet.stale[:ROWS_SHOWN],
    }


def _others(workbook: Workbook, plan: Plan, mappings: Any, token: str) -> list[dict[str, Any]]:
    """Return the sheets of the file that were not read, with the register each was taken for, if any."""
    read = {sheet.sheet for sheet in plan.sheets.values()}
    try:
        taken = {grid.name: key for key, grid in find_sheets(workbook, registered.specs(), mappings).items()}
    except UserError:
        taken = {}
    return [
        {
            "name": grid.name,
            "key": taken.get(grid.name, ""),
            "url": reverse("import-mapping", args=[token, taken[grid.name]]) if grid.name in taken else "",
        }
        for grid in workbook.sheets
        if grid.name not in read
        and grid.name not in OWN_SHEETS
        and any(any(cell != "" for cell in row) for row in grid.rows[:50])
    ]


def _cell(column: Column, value: Any) -> str:
    shown = show_cell(column, value, language=reading_language())
    return str(shown) if isinstance(shown, (str, int)) else date_text(shown)


def header_of(column: Column) -> str:
    """Return a column's header in the reader's language."""
    return column.en if reading_language() == "en" else column.ja


def name_of(sheet: SheetSpec) -> str:
    """Return a sheet's name in the reader's language."""
    return sheet.en if reading_language() == "en" else sheet.ja


def reading_language() -> str:
    """Return ja or en: what this request is read in."""
    return "en" if (get_language() or "ja").startswith("en") else "ja"


def _file(stream: io.BytesIO, name: str, plain: str) -> HttpResponse:
    response = HttpResponse(stream.getvalue(), content_type=XLSX)
    response["Content-Disposition"] = f"attachment; filename=\"{plain}.xlsx\"; filename*=UTF-8''{quote(name)}.xlsx"
    return response
