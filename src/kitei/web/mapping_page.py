"""Matching the columns of a company's own sheet with a register's, once and for good (design §8)."""

from __future__ import annotations

import re
from collections import Counter
from dataclasses import dataclass
from typing import Any

from django.contrib import messages
from django.http import Http404, HttpRequest, HttpResponse, QueryDict
from django.shortcuts import redirect, render
from django.urls import reverse
from django.utils.translation import gettext as _
from django.views.decorators.http import require_http_methods, require_safe

from kitei.foundation import transactions
from kitei.foundation.sheets import spec as registered
from kitei.foundation.sheets.cells import NO, YES, CellReader
from kitei.foundation.sheets.grid import Grid, Workbook, letter
from kitei.foundation.sheets.headers import SheetMapping, locate
from kitei.foundation.sheets.reader import read_tables
from kitei.foundation.sheets.spec import Column, Kind, SheetSpec
from kitei.foundation.text import UserError
from kitei.trust.access import rule
from kitei.web import exchange
from kitei.web.imports import header_of, kept_file, name_of, reading_language
from kitei.web.requests import actor_of

ROWS_READ = 5000
VALUES_SHOWN = 40
ROWS_PEEKED = 6


@dataclass(frozen=True)
class Wish:
    """What the person chose so far."""

    sheet: str
    header_row: int | None
    columns: dict[str, str]
    values: dict[str, dict[str, str]]

    @property
    def mapping(self) -> SheetMapping:
        """As the importer reads it."""
        return SheetMapping(self.sheet, self.header_row, self.columns, self.values)


@require_http_methods(["GET", "HEAD", "POST"])
def page(request: HttpRequest, token: str, key: str) -> HttpResponse:
    """Show the file's headers beside the register's columns; save the match."""
    actor = actor_of(request)
    organization = actor.organization
    rule.require(actor, rule.EDIT, rule.Target("register", organization=organization))
    try:
        spec = registered.get(key)
    except KeyError as error:
        raise Http404 from error
    workbook = read_tables(kept_file(request, actor, token))
    saved = exchange.mappings_of(organization).get(key)
    wish = _posted(request, spec) if request.method == "POST" else _asked(request, workbook, spec, saved)
    grid = next((grid for grid in workbook.sheets if grid.name == wish.sheet), workbook.sheets[0])
    problem = ""
    if request.method == "POST" and request.POST.get("step") != "look":
        try:
            locate(grid, spec, wish.mapping)
            transactions.durable(
                lambda: exchange.save_mapping(actor=actor, organization=organization, key=key, mapping=wish.mapping)
            )
        except UserError as error:
            problem = str(error)
        else:
            messages.success(
                request,
                _("シート「%(sheet)s」の列の対応を保存しました。次の取込から、この対応で読みます。")
                % {"sheet": grid.name},
            )
            return redirect("import-preview", token)
    context = {
        "section": "import",
        "here": "import",
        "token": token,
        "spec": spec,
        "name": name_of(spec),
        "specs": [{"key": each.key, "name": name_of(each)} for each in registered.specs()],
        "sheets": [grid.name for grid in workbook.sheets],
        "problem": problem,
        **_table(grid, spec, wish),
    }
    return render(request, "web/mapping.html", context, status=422 if problem else 200)


@require_safe
def choose(request: HttpRequest, token: str) -> HttpResponse:
    """Go on to the mapping of the register a sheet is to be read as."""
    actor = actor_of(request)
    rule.require(actor, rule.EDIT, rule.Target("register", organization=actor.organization))
    query = QueryDict(mutable=True)
    query["sheet"] = request.GET.get("sheet", "")
    try:
        key = registered.get(request.GET.get("key", "")).key
    except KeyError as error:
        raise Http404 from error
    return redirect(f"{reverse('import-mapping', args=[token, key])}?{query.urlencode()}")


def _asked(request: HttpRequest, workbook: Workbook, spec: SheetSpec, saved: SheetMapping | None) -> Wish:
    names = [grid.name for grid in workbook.sheets]
    known = saved or SheetMapping()
    sheet = request.GET.get("sheet") or known.sheet
    row = request.GET.get("header_row", "")
    return Wish(
        sheet if sheet in names else names[0],
        _row_number(row) or known.header_row,
        {key: value for key, value in known.columns.items() if any(column.key == key for column in spec.columns)},
        {key: dict(values) for key, values in known.values.items()},
    )


def _posted(request: HttpRequest, spec: SheetSpec) -> Wish:
    row = request.POST.get("header_row", "")
    columns = {
        column.key: value for column in spec.columns if (value := request.POST.get(f"c-{column.key}", "").strip())
    }
    values: dict[str, dict[str, str]] = {}
    for column in spec.columns:
        texts, becomes = request.POST.getlist(f"t-{column.key}"), request.POST.getlist(f"v-{column.key}")
        pairs = {text: value for text, value in zip(texts, becomes, strict=False) if text and value}
        if pairs:
            values[column.key] = pairs
    return Wish(request.POST.get("sheet", ""), _row_number(row), columns, values)


def _row_number(text: str) -> int | None:
    """Read a row of a sheet; None for anything else, also what no sheet is long enough for."""
    return int(text) if re.fullmatch(r"[0-9]{1,6}", text.strip()) and int(text) else None


def _likely_header(grid: Grid) -> int:
    """Return the 1-based row of the first 20 with the most different words: titles above a table are short rows."""
    widths = [len({cell.strip() for cell in row if isinstance(cell, str) and cell.strip()}) for row in grid.rows[:20]]
    return widths.index(max(widths)) + 1 if widths else 1


def _table(grid: Grid, spec: SheetSpec, wish: Wish) -> dict[str, Any]:
    """Return the headers of the file, what each column of the register is read from, and words to translate."""
    found: dict[str, int] = {}
    row, note = wish.header_row, ""
    try:
        layout = locate(grid, spec, SheetMapping(wish.sheet, wish.header_row))
        found, row = dict(layout.columns), layout.header_row
    except UserError as error:
        note = str(error)
        row = row or _likely_header(grid)
    at = (row or 1) - 1
    headers = list(grid.rows[at]) if at < len(grid.rows) else []
    titles = [" ".join(str(cell).split()) for cell in headers]
    counts = Counter(titles)
    first = at + 1
    choices = [
        {
            # A header that stands twice, or nowhere, is known by its letter only.
            "value": title if title and counts[title] == 1 else f"[{letter(index)}]",
            "label": _("%(letter)s列「%(title)s」") % {"letter": letter(index), "title": title}
            if title
            else _("%(letter)s列（見出しなし）") % {"letter": letter(index)},
            "example": next(
                (
                    str(line[index])[:20]
                    for line in grid.rows[first : first + 20]
                    if index < len(line) and line[index] != ""
                ),
                "",
            ),
        }
        for index, title in enumerate(titles)
    ]
    where = {choice["value"]: index for index, choice in enumerate(choices)}
    lines = []
    for column in spec.columns:
        chosen = wish.columns.get(column.key, "")
        index = where.get(chosen, found.get(column.key)) if chosen else found.get(column.key)
        lines.append(
            {
                "key": column.key,
                "header": header_of(column),
                "required": column.required or column.key == spec.identity,
                "help": column.help_en if reading_language() == "en" else column.help_ja,
                "chosen": chosen,
                "lost": bool(chosen) and chosen not in where,
                "auto": choices[found[column.key]]["label"]
                if column.key in found and found[column.key] < len(choices)
                else "",
                "words": _words(grid, column, index, first, wish.values.get(column.key, {})),
                "options": _options(column),
            }
        )
    return {
        "sheet": grid.name,
        "header_row": row or "",
        "note": note,
        "choices": choices,
        "lines": lines,
        "peek": [[str(cell)[:30] for cell in line[:12]] for line in grid.rows[:ROWS_PEEKED]],
    }


def _words(grid: Grid, column: Column, index: int | None, first: int, known: dict[str, str]) -> list[dict[str, str]]:
    """Return the texts of a choice column that Kitei cannot read, and those translated before."""
    if column.kind not in {Kind.CHOICE, Kind.YESNO}:
        return []
    reader = CellReader(column)
    words = dict(known)
    if index is not None:
        for line in grid.rows[first : first + ROWS_READ]:
            if (
                index < len(line)
                and line[index] != ""
                and str(line[index]) not in words
                and reader.read(line[index])[1] is not None
            ):
                words[str(line[index])] = ""
                if len(words) >= VALUES_SHOWN:
                    break
    return [{"text": text[:200], "value": value} for text, value in words.items()]


def _options(column: Column) -> list[str]:
    """Return what a text may be read as, in Japanese: that is what the importer reads everywhere."""
    return [choice.ja for choice in column.choices] or [YES[0], NO[0]]
