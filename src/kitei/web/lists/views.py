"""The pages of every register: its list, its export and the page of one row."""

from __future__ import annotations

import uuid
from typing import Any
from urllib.parse import quote

from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.urls import reverse
from django.views.decorators.http import require_safe

from kitei.foundation import transactions
from kitei.foundation.ui import keyset, listing, lists
from kitei.foundation.ui.as_of import as_of
from kitei.foundation.ui.lists import ListSpec
from kitei.foundation.ui.rows import renderer
from kitei.trust.access import rule
from kitei.trust.auditlog.log import Act, record
from kitei.web import errors
from kitei.web.lists import detail, events, labels
from kitei.web.lists import export as files
from kitei.web.requests import actor_of


@require_safe
def rows(request: HttpRequest, key: str) -> HttpResponse:
    """Show one page of a list."""
    spec = _spec(key)
    if spec is None:
        return errors.not_found(request)
    actor, day = actor_of(request), as_of(request)
    rule.require(actor, rule.LIST, rule.Target(spec.key, organization=actor.organization))
    wish = listing.read(spec, request.GET)
    options = listing.options(spec, actor=actor, day=day.day)
    every = listing.narrow(spec, spec.query(actor=actor, day=day.day), wish, options)
    field, descending = listing.order(spec, wish)
    page = keyset.page(every, field=field, descending=descending, after=wish.after, before=wish.before)
    # A first page that is not full has been counted by reading it.
    number, more = (len(page.rows), False) if page.before is page.after is None and page.rows else keyset.count(every)
    shown = listing.columns(spec, wish)
    values = [[column.cell(item) for column in shown] for item in page.rows]
    named = labels.read(actor=actor, day=day.day, cells=(value for line in values for value in line))
    line_html = renderer(shown, era=actor.organization.era_dates)
    suffix = f"?{day.query}" if day.query else ""
    address = reverse("list", args=[spec.key])  # a row's page stands below it: one look-up instead of fifty
    may_export = rule.decide(actor, rule.DOWNLOAD, rule.Target(spec.key, organization=actor.organization)).allowed
    context = {
        "spec": spec,
        "section": spec.section,
        "may_import": not page.rows
        and rule.decide(actor, rule.EDIT, rule.Target(spec.key, organization=actor.organization)).allowed,
        "page": page,
        "wish": wish,
        "count": f"{number:,}",
        "more": more,
        "columns": [_header(column, spec, wish, day.query) for column in shown],
        "choices": [{"key": column.key, "header": column.header, "shown": column in shown} for column in spec.columns],
        "orders": [
            {"value": sign + column.key, "header": column.header, "falling": bool(sign)}
            for column in spec.columns
            if column.sort
            for sign in ("", "-")
        ],
        "filters": [
            {
                "key": item.key,
                "name": listing.FILTER_PREFIX + item.key,
                "label": item.label,
                "value": wish.filters.get(item.key, ""),
                "options": options[item.key],
            }
            for item in spec.filters
        ],
        "lines": [
            line_html(
                f"{address}{labels.identity_of(item)}/{suffix}",
                [labels.link(value, named, as_of=day.query) for value in line],
            )
            for item, line in zip(page.rows, values, strict=True)
        ],
        "clear_url": _url(spec, listing.Wish(sort=wish.sort, columns=wish.columns).query(day.query)),
        "before_url": _url(spec, wish.query(day.query, before=page.before)) if page.before else "",
        "after_url": _url(spec, wish.query(day.query, after=page.after)) if page.after else "",
        "exports": [
            {"label": label, "url": _with(reverse("list-export", args=[spec.key, form]), wish.query(day.query))}
            for form, label in (("xlsx", "Excel"), ("csv", "CSV"))
        ]
        if may_export
        else [],
    }
    return render(request, "web/list.html", context, status=422 if day.error else 200)


@require_safe
def export(request: HttpRequest, key: str, form: str) -> HttpResponse:
    """Hand out what the list shows as a file: allowed, made, recorded, and only then sent."""
    spec = _spec(key)
    if spec is None or form not in files.FORMS:
        return errors.not_found(request)
    actor, day = actor_of(request), as_of(request)
    decision = rule.require(actor, rule.DOWNLOAD, rule.Target(spec.key, organization=actor.organization))
    wish = listing.read(spec, request.GET)
    shown = listing.columns(spec, wish)
    with transactions.snapshot():
        options = listing.options(spec, actor=actor, day=day.day, keys=wish.filters)
        every = listing.narrow(spec, spec.query(actor=actor, day=day.day), wish, options)
        field, descending = listing.order(spec, wish)
        found = list(every.order_by(f"-{field}" if descending else field, "-pk" if descending else "pk"))
        lines = [[column.cell(item) for column in shown] for item in found]
        named = labels.read(actor=actor, day=day.day, cells=(value for line in lines for value in line))
    lines = [[labels.link(value, named, as_of="") for value in line] for line in lines]
    data = files.make(form, title=str(spec.title), headers=[str(column.header) for column in shown], rows=lines)
    asked = wish.query(day.query)
    act = Act(
        events.EXPORTED,
        actor.ref,
        (spec.key, ""),
        data={
            "form": form,
            "rows": len(found),
            "columns": [column.key for column in shown],
            "day": day.day.isoformat(),
        },
        # Search words may be names.
        private={"query": asked} if asked else {},
        decision=decision.recorded,
    )
    record(organization=actor.organization, act=act)
    name = f"{spec.title}_{day.day:%Y%m%d}.{form}"
    response = HttpResponse(data, content_type=files.FORMS[form])
    response["Content-Disposition"] = (
        f"attachment; filename=\"{spec.key}_{day.day:%Y%m%d}.{form}\"; filename*=UTF-8''{quote(name)}"
    )
    return response


@require_safe
def row(request: HttpRequest, key: str, identity: uuid.UUID) -> HttpResponse:
    """Show one row: facts as of the day, history, and what the register adds."""
    spec = _spec(key)
    if spec is None:
        return errors.not_found(request)
    actor, day = actor_of(request), as_of(request)
    target = detail.target(spec, actor=actor, identity=identity)
    decision = rule.require(actor, rule.VIEW, target)
    found = detail.states(spec, actor=actor, day=day.day, identity=identity)
    if not found:
        # Unknown and another organization's: one answer, recorded alike.
        raise rule.Refused(actor, rule.VIEW, target, rule.Decision(allowed=False, reasons=("no-visible-row",)))
    state, in_force = detail.pick(found, day.day)
    if spec.recorded_view is not None:
        act = Act(
            spec.recorded_view,
            actor.ref,
            (spec.key, str(identity)),
            data={"day": day.day.isoformat()},
            decision=decision.recorded,
        )
        record(organization=actor.organization, act=act)
    facts = detail.facts(spec, state)
    past = detail.history(spec, found, day=day.day)
    more = list(spec.detail(actor=actor, day=day.day, row=state)) if spec.detail else []
    cells = [fact.value for fact in facts]
    cells += [value for stretch in past for change in stretch.changes for value in change[1:]]
    cells += [value for _heading, _columns, lines in more for line in lines for value in line]
    named = labels.read(actor=actor, day=day.day, cells=cells)

    def link(value: Any) -> Any:
        return labels.link(value, named, as_of=day.query)

    context = {
        "spec": spec,
        "section": spec.section,
        "label": lists.label_of(spec, state),
        "row": state,
        "in_force": in_force,
        "facts": [{"label": fact.label, "value": link(fact.value)} for fact in facts],
        "history": [
            {
                "stretch": item,
                "changes": [(name, _words(link(before)), link(now)) for name, before, now in item.changes],
            }
            for item in past
        ],
        "more": [
            {"heading": heading, "columns": columns, "lines": [[link(value) for value in line] for line in lines]}
            for heading, columns, lines in more
        ],
        "list_url": _url(spec, day.query),
        "why_url": why_url(actor, target),
    }
    return render(request, "web/row.html", context, status=422 if day.error else 200)


def why_url(actor: rule.Actor, target: rule.Target) -> str:
    """Return the page that says who may see this and why; empty for who may not see rights, and for unprotected rows."""
    access = rule.Target("access", organization=actor.organization)
    if target.folder is None or not rule.decide(actor, rule.VIEW, access).allowed:
        return ""
    return f"{reverse('access-why')}?document={target.id}"


def _words(value: Any) -> Any:
    """What was and is no more is shown as words, not as a way to somewhere."""
    return value.text if isinstance(value, lists.Link) else value


def _spec(key: str) -> ListSpec | None:
    try:
        return lists.get(key)
    except KeyError:
        return None


def _with(url: str, query: str) -> str:
    return f"{url}?{query}" if query else url


def _url(spec: ListSpec, query: str) -> str:
    return _with(reverse("list", args=[spec.key]), query)


def _header(column: lists.ListColumn, spec: ListSpec, wish: listing.Wish, as_of_query: str) -> dict[str, Any]:
    """Return what a column's header shows: its name, and for a sortable one where a click leads and how it stands."""
    found: dict[str, Any] = {"column": column, "header": column.header, "url": "", "aria": ""}
    if not column.sort:
        return found
    field, descending = listing.order(spec, wish)
    rising = wish.sort == column.key or (not wish.sort and column.sort == field and not descending)
    falling = wish.sort == f"-{column.key}" or (not wish.sort and column.sort == field and descending)
    found["aria"] = "ascending" if rising else "descending" if falling else ""
    found["url"] = _url(spec, wish.query(as_of_query, sort=f"-{column.key}" if rising else column.key))
    return found
