"""The page 操作記録: what was done and refused, one entry in words, and what an outsider needs to check it."""

from __future__ import annotations

import datetime as dt
import json
import uuid
from collections.abc import Mapping
from importlib.util import find_spec
from typing import Any

from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.urls import reverse
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy
from django.views.decorators.http import require_safe

from kitei.foundation import clock
from kitei.foundation.text import Message
from kitei.foundation.ui import cells, keyset
from kitei.foundation.ui.lists import ListColumn, Section, Tag, section
from kitei.foundation.ui.rows import renderer
from kitei.outcomes.records import filters, objects, operations, people, published, queries
from kitei.outcomes.records.filters import Wish
from kitei.trust.access import rule
from kitei.trust.access.requests import actor_of
from kitei.trust.accounts import stepup
from kitei.trust.auditlog import anchors, heads, proofs, vocabulary
from kitei.trust.auditlog.models import Event


def _may_read(actor: rule.Actor) -> bool:
    return rule.decide(actor, rule.VIEW, operations.target(actor)).allowed


section(Section("log", gettext_lazy("操作記録"), "log", 80, shown=_may_read))

TONES = {vocabulary.OK: "ok", vocabulary.REFUSED: "ng", vocabulary.FAILED: "warn"}
_ROOT_SHOWN = 12  # characters of the root in a sentence; the whole of it stands in the checkpoint
_MEANT_SHOWN = 5
ACTIONS = {
    rule.LIST: Message("一覧"),
    rule.VIEW: Message("閲覧"),
    rule.DOWNLOAD: Message("持ち出し"),
    rule.PRINT: Message("印刷"),
    rule.EDIT: Message("登録・変更"),
    rule.APPROVE: Message("承認・施行"),
    rule.MANAGE: Message("管理"),
}
STRENGTHS = {
    "password": Message("パスワード"),
    "passkey": Message("パスキー"),
    "password+totp": Message("パスワードと認証アプリ"),
    "password+passkey": Message("パスワードとパスキー"),
    "password+recovery": Message("パスワードと回復コード"),
    "oidc": Message("外部の認証基盤"),
    "oidc+totp": Message("外部の認証基盤と認証アプリ"),
    "oidc+passkey": Message("外部の認証基盤とパスキー"),
    "oidc+recovery": Message("外部の認証基盤と回復コード"),
    "oidc+mfa": Message("外部の認証基盤（多要素）"),
    "one-time-code": Message("1回だけ使えるコード"),
    "token": Message("APIトークン"),
    "console": Message("コンソール（その機械の利用者）"),
    "worker": Message("作業プロセス"),
}
FACES = {
    "web": Message("画面"),
    "cli": Message("コマンド"),
    "worker": Message("作業プロセス"),
    "api": Message("API"),
    "guest": Message("外部の人のリンク"),
}


@require_safe
def page(request: HttpRequest) -> HttpResponse:
    """Show one page of the log, newest first. Read first, recorded next, shown last: the reading is not its own first row."""
    actor = actor_of(request)
    decision = rule.require(actor, rule.VIEW, operations.target(actor))
    wish, errors = filters.read(request.GET)
    found = keyset.Page([], None, None) if errors else queries.page(actor=actor, wish=wish)
    standing = queries.standing(actor=actor)
    operations.record_list(actor=actor, wish=wish, decision=decision)
    context = {
        "section": "log",
        "wish": wish,
        "errors": errors,
        "fields": {key: getattr(wish, key) for key in filters.KEYS},
        "groups": _groups(),
        "outcomes": list(vocabulary.OUTCOMES.values()),
        "kinds": sorted(vocabulary.kinds().values(), key=lambda kind: kind.label),
        "meant": _meant(actor, wish),
        "shown": len(found.rows),
        "lines": _lines(actor, found.rows),
        "columns": _columns(),
        "clear_url": reverse("log"),
        "before_url": _url(wish.query(before=found.before)) if found.before else "",
        "after_url": _url(wish.query(after=found.after)) if found.after else "",
        "export_url": f"{reverse('log-export')}?{wish.query()}".rstrip("?"),
        "may_export": rule.decide(actor, rule.DOWNLOAD, operations.target(actor)).allowed,
        **_head(standing),
    }
    return render(request, "records/log.html", context, status=422 if errors else 200)


@require_safe
def event(request: HttpRequest, identity: uuid.UUID) -> HttpResponse:
    """Show one entry in words and as it was hashed; with ``?open=1`` also what its commitments hide, to those entitled."""
    actor = actor_of(request)
    target = operations.target(actor, str(identity))
    decision = rule.require(actor, rule.VIEW, target)
    wants = request.GET.get("open") == "1"
    found = queries.find(actor=actor, number=identity)
    if found is None:
        raise operations.refused(actor, identity)
    if wants:
        decision = rule.require(actor, rule.DOWNLOAD, target)
        stepup.demand(request)
    operations.record_view(actor=actor, event=found, decision=decision, opened=wants)
    payload: dict[str, Any] = json.loads(bytes(found.payload))
    opened = queries.openings(actor=actor, event=found) if payload.get("commitments") else {}
    who = people.actor_names(actor.organization, [(found.actor_kind, found.actor_id)])
    thing = objects.things(actor=actor, refs=[(found.object_kind, found.object_id)])
    log = proofs.log_of(found)
    head = heads.newest(actor.organization)
    here = reverse("log-event", args=[identity])
    context = {
        "section": "log",
        "event": found,
        "moment": _moment(found.at, era=actor.organization.era_dates),
        "label": vocabulary.event_label(found.name),
        "tag": Tag(vocabulary.outcome_label(found.outcome), TONES.get(found.outcome, "note")),
        "who": who[found.actor_kind, found.actor_id],
        "who_url": _url(Wish(who=_who(found)).query()) if _who(found) else "",
        "thing": thing[found.object_kind, found.object_id],
        "thing_url": _url(Wish(kind=found.object_kind, object=found.object_id).query()) if found.object_id else "",
        "facts": _facts(payload),
        "reasons": [vocabulary.reason_label(reason) for reason in payload.get("decision", {}).get("reasons", [])],
        "decided": payload.get("decision", {}).get("allowed"),
        "hidden": _hidden(found.name, payload, opened, reveal=wants),
        "opened": wants,
        "openable": bool(opened) and rule.decide(actor, rule.DOWNLOAD, target).allowed,
        "open_url": f"{here}?open=1",
        "close_url": here,
        "raw": bytes(found.payload).decode(),
        "leaf_hash": bytes(found.leaf_hash).hex(),
        "log": log,
        "number": f"{found.leaf_index:,}" if found.leaf_index is not None else "",
        "place": found.leaf_index - log.base if log and found.leaf_index is not None else None,
        "proved": bool(log and head and (log.closed_at or _covers(head, found))),
        "proof_url": reverse("log-proof", args=[identity]),
    }
    return render(request, "records/event.html", context)


def _head(standing: queries.Standing) -> dict[str, Any]:
    """Return what the head of the page says about the whole log."""
    log, head = standing.log, standing.head
    facts = anchors.summary(log) if log else []
    return {
        "standing": standing,
        "total": f"{standing.total:,}",
        "newest": f"{standing.sequenced - 1:,}" if standing.sequenced else "",
        "pending": f"{standing.pending:,}",
        "root": heads.root_text(head) if head else "",
        "root_short": heads.root_text(head)[:_ROOT_SHOWN] if head else "",
        "head_size": f"{head.size:,}" if head else "",
        "key": published.key_text(log) if log else "",
        "anchors": [
            {
                "fact": fact,
                "witness": fact.kind == anchors.WITNESS,
                "size": f"{fact.size:,}",
                "behind": f"{fact.behind:,}",
            }
            for fact in facts
        ],
        "has_verifier": find_spec("kitei_verify.pack") is not None,
    }


def _columns() -> list[ListColumn]:
    def nothing(_row: Any) -> None:
        return None

    return [
        ListColumn("at", gettext_lazy("日時"), nothing),
        ListColumn("who", gettext_lazy("だれが"), nothing, priority=2),
        ListColumn("what", gettext_lazy("何を"), nothing, priority=2),
        ListColumn("object", gettext_lazy("対象"), nothing, priority=2),
        ListColumn("outcome", gettext_lazy("結果"), nothing),
        ListColumn("number", gettext_lazy("番号"), nothing, priority=2),
    ]


def _lines(actor: rule.Actor, rows: list[Event]) -> list[Any]:
    who = people.actor_names(actor.organization, [(row.actor_kind, row.actor_id) for row in rows])
    what = objects.things(actor=actor, refs=[(row.object_kind, row.object_id) for row in rows])
    era = actor.organization.era_dates
    line = renderer(_columns(), era=era)
    waiting = _("順番待ち")
    # One look-up of the address instead of fifty: ids differ, the rest does not.
    pattern = reverse("log-event", args=[uuid.UUID(int=0)])
    return [
        line(
            pattern.replace(str(uuid.UUID(int=0)), str(row.pk)),
            [
                _moment(row.at, era=era),
                who[row.actor_kind, row.actor_id],
                vocabulary.event_label(row.name),
                str(what[row.object_kind, row.object_id]),
                Tag(vocabulary.outcome_label(row.outcome), TONES.get(row.outcome, "note")),
                waiting if row.leaf_index is None else row.leaf_index,
            ],
        )
        for row in rows
    ]


def _moment(at: dt.datetime, *, era: bool) -> str:
    local = at.astimezone(clock.TOKYO)
    return f"{cells.date_text(local.date(), era=era)} {local:%H:%M:%S}"


def _groups() -> list[dict[str, Any]]:
    """Return the kinds of acts, grouped by what they are done to."""
    return [
        {
            "label": vocabulary.kind_label(subject),
            "all": f"{subject}:*" if len(names) > 1 else "",
            "names": [{"value": name.name, "label": name.label} for name in names],
        }
        for subject, names in filters.grouped_names()
    ]


def _meant(actor: rule.Actor, wish: Wish) -> dict[str, Any]:
    """Return who and what the typed filters were understood as."""
    found: dict[str, Any] = {}
    if wish.who:
        refs = people.matching(actor.organization, wish.who)
        named = people.actor_names(actor.organization, refs[:_MEANT_SHOWN])
        found = {"who": [named[ref] for ref in refs[:_MEANT_SHOWN]], "more": max(0, len(refs) - _MEANT_SHOWN)}
        found["nobody"] = not refs
    if wish.kind and wish.object:
        found["thing"] = objects.things(actor=actor, refs=[(wish.kind, wish.object)])[wish.kind, wish.object]
    return found


def _who(found: Event) -> str:
    """Return what finds this actor again as a typed filter; empty when nothing does."""
    return found.actor_id if found.actor_kind == "member" else f"{found.actor_kind}:{found.actor_id}"


def _facts(payload: Mapping[str, Any]) -> list[tuple[str, str]]:
    """Return what else an entry says, as (label, words)."""
    known = vocabulary.known().get(payload["name"])
    found = [
        (known.field_label(key) if known else key, str(ACTIONS.get(value, value)) if key == "action" else _words(value))
        for key, value in payload.get("data", {}).items()
    ]
    strength, face = payload.get("strength", ""), payload.get("face", "")
    if face:
        found.append((_("どこから"), str(FACES.get(face, face))))
    if strength:
        found.append((_("本人の確かめ方"), str(STRENGTHS.get(strength, strength))))
    if payload.get("session"):
        found.append((_("ログインの区切り（要約値）"), payload["session"]))
    if payload.get("request"):
        found.append((_("要求の番号"), payload["request"]))
    if payload.get("policy"):
        found.append((_("権限の規則の版"), payload["policy"]))
    return found


def _words(value: Any) -> str:
    if isinstance(value, str):
        return value
    if isinstance(value, bool):
        return cells.shown(value)
    if isinstance(value, list) and all(isinstance(item, str | int) for item in value):
        return _("、").join(map(str, value))
    return json.dumps(value, ensure_ascii=False)


def _hidden(name: str, payload: Mapping[str, Any], opened: Mapping[str, Any], *, reveal: bool) -> list[dict[str, Any]]:
    """Return the commitments of an entry: what each is of, its digest, whether it was erased, its value when revealed."""
    known = vocabulary.known().get(name)
    return [
        {
            "label": known.field_label(field) if known else field,
            "digest": digest,
            "erased": field not in opened,
            "value": opened[field].value if reveal and field in opened else "",
            "shown": reveal and field in opened,
        }
        for field, digest in payload.get("commitments", {}).items()
    ]


def _covers(head: Any, found: Event) -> bool:
    return found.leaf_index is not None and found.leaf_index < int(head.log.base + head.size)


def _url(query: str) -> str:
    return f"{reverse('log')}?{query}".rstrip("?")
