"""What stands behind an answer of 「閲覧できる理由・できない理由」: the rows with who gave them, and what was really done.

The log says what happened and why it was allowed at the time; the rows say what is known now. An auditor needs both.
"""

from __future__ import annotations

import datetime as dt
import json
from collections.abc import Iterable, Sequence
from typing import Any

from django.urls import reverse
from django.utils.translation import gettext as _

from kitei.foundation import clock
from kitei.foundation.ui.cells import instant_text
from kitei.foundation.ui.lists import Link, Tag
from kitei.outcomes.records import operations as records
from kitei.outcomes.records.filters import Wish
from kitei.trust.access import rule
from kitei.trust.access.models import Deny, Entry
from kitei.trust.auditlog import vocabulary
from kitei.web.access import names, queries
from kitei.web.access.names import Names

AROUND = dt.timedelta(days=7)
"""How many days before and after the day asked about the log is shown for."""
SHOWN = 50
TONES = {vocabulary.OK: "ok", vocabulary.REFUSED: "ng", vocabulary.FAILED: "warn"}


def entry_columns() -> list[str]:
    """Return the headers of ``entry_line``."""
    return [
        _("種類"), _("だれに"), _("どこに"), _("閲覧区分の上限"), _("期間"), _("与えた人"), _("与えた日時"), _("理由"),
        _("もと"), _("取消"),
    ]  # fmt: skip


def entry_lines(words: Names, rows: Sequence[Entry], *, era: bool, manages: bool) -> list[list[Any]]:
    """Return grants and denies as lines: what, who gave it when and why, and what it came from."""
    givers = queries.account_names(_account(row) for row in rows)
    return [
        [
            Tag(_("禁止"), "ng") if isinstance(row, Deny) else Tag(_("許可"), "ok"),
            words.principal(row.principal_kind, row.principal_id),
            words.place(row),
            _("すべて") if isinstance(row, Deny) else names.level(row.highest),
            words.period(row),
            givers.get(_account(row), row.recorded_by),
            instant_text(row.recorded_at, era=era),
            row.reason,
            _source(row, manages=manages),
            instant_text(row.voided_at, era=era) if row.voided_at else "",
        ]
        for row in rows
    ]


def _account(row: Entry) -> str:
    return row.recorded_by.partition(":")[2] if row.recorded_by.startswith("member:") else ""


def _source(row: Entry, *, manages: bool) -> Any:
    said = str(names.SOURCES.get(row.source_kind, row.source_kind))
    if row.source_kind == "break-glass":
        return Link(said, reverse("access-emergency-review", args=[row.source_id]))
    if row.source_kind == "request" and manages:
        return Link(said, reverse("access-answer", args=[row.source_id]))
    return said


def acts(*, actor: rule.Actor, accounts: Iterable[Any], document: Any, day: dt.date, era: bool) -> dict[str, Any]:
    """Return what the person did with the document around a day, from the log, for who may read it: recorded as a reading.

    Each line names the entry's page, what was done, how it ended and why, in the words recorded then.
    """
    decision = rule.decide(actor, rule.VIEW, records.target(actor))
    if not decision.allowed:
        return {"closed": True}
    first, last = day - AROUND, day + AROUND
    wish = Wish(
        kind="document", object=str(document), since=first.isoformat(), until=last.isoformat(), first_day=first,
        last_day=last,
    )  # fmt: skip
    found = queries.acts(
        organization=actor.organization, accounts=accounts, document=document, since=clock.start_of(first),
        until=clock.start_of(last + dt.timedelta(days=1)), most=SHOWN + 1,
    )  # fmt: skip
    # Log before reveal (design §5): reading these entries is a reading of the log.
    records.record_list(actor=actor, wish=wish, decision=decision)
    reasons = [_reasons(event) for event in found]
    rows = queries.rows_behind(organization=actor.organization, reasons=[reason for each in reasons for reason in each])
    words = Names(actor.organization, [row for row in rows.values() if isinstance(row, Entry)])
    return {
        "first": first,
        "last": last,
        "more": len(found) > SHOWN,
        "columns": [_("日時"), _("何を"), _("結果"), _("そのとき記録された理由")],
        "lines": [
            [
                Link(instant_text(event.at, era=era), reverse("log-event", args=[event.pk])),
                vocabulary.event_label(event.name),
                Tag(vocabulary.outcome_label(event.outcome), TONES.get(event.outcome, "note")),
                "　".join(_said(words, rows, reason, era=era) for reason in each),
            ]
            for event, each in list(zip(found, reasons, strict=True))[:SHOWN]
        ],
        "log_url": f"{reverse('log')}?{wish.query()}",
    }


def _reasons(event: Any) -> list[str]:
    found: list[str] = json.loads(bytes(event.payload)).get("decision", {}).get("reasons", [])
    return found


def _said(words: Names, rows: dict[str, Any], reason: str, *, era: bool) -> str:
    """Return a recorded reason in words: the row it names, also when that was withdrawn since."""
    row = rows.get(reason.partition(":")[2])
    if row is None:
        return vocabulary.reason_label(reason)
    if not isinstance(row, Entry):
        period = names.span(row.starts_at, row.ends_at, era=era)
        return _("役割・所属 %(what)s（%(period)s）") % {"what": words.principal(row.kind, row.role), "period": period}
    said = _("%(effect)s：%(who)sに%(where)sで（%(source)s）%(reason)s") % {
        "effect": _("禁止") if isinstance(row, Deny) else _("許可"),
        "who": words.principal(row.principal_kind, row.principal_id),
        "where": words.place(row),
        "source": names.SOURCES.get(row.source_kind, row.source_kind),
        "reason": f" {row.reason}" if row.reason else "",
    }
    if row.voided_at is None:
        return said
    return _("%(said)s（%(when)sに取消）") % {"said": said, "when": instant_text(row.voided_at, era=era)}
