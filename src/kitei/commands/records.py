"""log: reading 操作記録 at the console, taking a proof out of it, changing the key that signs it."""

from __future__ import annotations

import argparse
import difflib
import json
import unicodedata
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import Any

from django.utils.translation import get_language
from django.utils.translation import gettext as _

from kitei.commands import who_acts
from kitei.foundation import clock, transactions
from kitei.foundation.text import Message, UserError
from kitei.foundation.text.japanese import fold
from kitei.outcomes.records import filters, objects, operations, people, queries
from kitei.outcomes.records.filters import Wish
from kitei.trust.access import rule
from kitei.trust.auditlog import keys, logs, proofs, rotation, vocabulary
from kitei.trust.auditlog.models import Event

MOST = 100_000
_WIDTHS = (19, 16, 24, 22, 6)
"""Columns of a line: when, who, what, to what, how it ended; behind them the number. Together 100."""


def log(options: argparse.Namespace) -> int:
    """List, show, prove, change the key, or begin a new log."""
    if options.what in {"list", "rotate-key", "restart"} and options.id:
        raise UserError(Message("kitei log %(what)s に番号は付けられません。", {"what": options.what}))
    if options.what in {"show", "proof"} and not options.id:
        raise UserError(Message("どの記録かを、番号又はIDで指定してください（例: kitei log show 1204）。"))
    if options.out and options.what != "proof":
        raise UserError(Message("--out は、証明を取り出すとき（kitei log proof）だけ使えます。"))
    organization = who_acts.organization(options)
    actor = who_acts.actor(options, organization)
    match options.what:
        case "list":
            _list(options, actor)
        case "show":
            _show(options, actor)
        case "proof":
            _proof(options, actor)
        case "rotate-key":
            _rotate(actor)
        case _:
            _restart(actor)
    return 0


def _list(options: argparse.Namespace, actor: rule.Actor) -> None:
    wish = _wish(options)
    decision = rule.require(actor, rule.VIEW, operations.target(actor))
    if not 1 <= options.limit <= MOST:
        raise UserError(Message("--limit は1から%(most)sまでにしてください。", {"most": f"{MOST:,}"}))
    if wish.who and not people.matching(actor.organization, wish.who):
        raise UserError(
            Message(
                "「%(who)s」に当たる人は見つかりません。氏名の一部、社員番号、メールアドレス、又は「コンソール」「作業プロセス」のように書いてください。",
                {"who": wish.who},
            )
        )
    rows = queries.newest(actor=actor, wish=wish, limit=options.limit)
    operations.record_list(actor=actor, wish=wish, decision=decision)
    who, what = _named(actor, rows)
    if options.format == "json":
        entries = [_entry(row, who, what) for row in rows]
        print(json.dumps(entries, ensure_ascii=False, indent=1))
        return
    if not rows:
        print(_("条件に合う記録はありません。") if wish.narrowed else _("まだ記録がありません。"))
        return
    print(_line([_("日時"), _("だれが"), _("何を"), _("対象"), _("結果")], _("番号")))
    for row in rows:
        cells = [
            f"{row.at.astimezone(clock.TOKYO):%Y-%m-%d %H:%M:%S}",
            who[row.actor_kind, row.actor_id],
            vocabulary.event_label(row.name),
            str(what[row.object_kind, row.object_id]),
            vocabulary.outcome_label(row.outcome),
        ]
        print(_line(cells, _("順番待ち") if row.leaf_index is None else str(row.leaf_index)))
    if any(row.leaf_index is None for row in rows):
        print(_("順番待ちの記録のIDは、--format json で見られます。"))


def _show(options: argparse.Namespace, actor: rule.Actor) -> None:
    decision = rule.require(actor, rule.VIEW, operations.target(actor))
    event = _event(options, actor)
    operations.record_view(actor=actor, event=event, decision=decision, opened=False)
    who, what = _named(actor, [event])
    payload = json.loads(bytes(event.payload))
    if options.format == "json":
        more = {"leaf_hash": bytes(event.leaf_hash).hex(), "entry": payload}
        print(json.dumps(_entry(event, who, what) | more, ensure_ascii=False, indent=1))
        return
    known = vocabulary.known().get(event.name)
    lines: list[tuple[str, str]] = [
        (_("日時"), f"{event.at.astimezone(clock.TOKYO):%Y-%m-%d %H:%M:%S.%f}"),
        (_("だれが"), who[event.actor_kind, event.actor_id]),
        (_("何を"), f"{vocabulary.event_label(event.name)} ({event.name})"),
        (_("対象"), str(what[event.object_kind, event.object_id])),
        (_("結果"), vocabulary.outcome_label(event.outcome)),
        (_("理由"), _("、").join(map(vocabulary.reason_label, payload.get("decision", {}).get("reasons", [])))),
        *((known.field_label(key) if known else key, _plain(value)) for key, value in payload.get("data", {}).items()),
        *(
            (known.field_label(key) if known else key, _("伏せて記録（要約値 %(digest)s）") % {"digest": digest})
            for key, digest in payload.get("commitments", {}).items()
        ),
        (_("順番"), _("順番待ち") if event.leaf_index is None else str(event.leaf_index)),
        (_("ID"), str(event.pk)),
        (_("ハッシュ"), bytes(event.leaf_hash).hex()),
    ]
    width = max(_wide(label) for label, _value in lines)
    for label, value in lines:
        if value:
            print(f"{_fit(label, width)}  {value}")
    print()
    print(bytes(event.payload).decode())


def _proof(options: argparse.Namespace, actor: rule.Actor) -> None:
    decision = rule.require(actor, rule.VIEW, operations.target(actor))
    event = _event(options, actor)
    data = proofs.inclusion(event, openings=False)
    path = Path(options.out or f"{event.pk}.tlog-proof")
    if not path.parent.is_dir():
        raise UserError(
            Message(
                "書き出す先のフォルダー「%(path)s」がありません。名前と場所を確かめてください。",
                {"path": str(path.parent)},
            )
        )
    operations.record_proof(actor=actor, event=event, decision=decision, opened=False)
    aside = path.with_name(f".{path.name}.part")
    try:
        aside.write_bytes(data)
        aside.replace(path)
    finally:
        aside.unlink(missing_ok=True)
    print(path)


def _rotate(actor: rule.Actor) -> None:
    rule.require(actor, rule.MANAGE, operations.target(actor))
    key = transactions.durable(lambda: rotation.rotate(actor_ref=actor.ref, organization=actor.organization))
    print(_("鍵の交換を始めました。次の署名から、次の検証鍵に代わります。記録を預けている人に渡してください。"))
    print(key)


def _restart(actor: rule.Actor) -> None:
    """End a log that cannot go on (put-back database, lost key) and begin the next generation."""
    rule.require(actor, rule.MANAGE, operations.target(actor))
    log = logs.current(actor.organization)
    if log is not None and logs.fault_of(log) is None and keys.path(actor.organization.code, log.generation).exists():
        raise UserError(
            Message(
                "操作記録は続けられる状態です。新しく始めるのは、記録が止まったとき又は署名の鍵を失ったときだけです。"
            )
        )
    opened = transactions.durable(lambda: logs.restart(organization=actor.organization))
    print(_("新しい操作記録を始めました。最初の記録に、引き継いだ記録の件数とハッシュを書きました。"))
    print(opened.origin)


def _wish(options: argparse.Namespace) -> Wish:
    name = _action(options.action) if options.action else ""
    if options.since:
        who_acts.date_of(options.since, option="--since")
    asked = {"who": options.actor, "name": name, "outcome": options.outcome, "since": options.since}
    wish, errors = filters.read({key: value for key, value in asked.items() if value})
    if errors:  # what is left after the checks above
        raise UserError(
            Message("絞り込みの条件を直してください: %(problem)s", {"problem": next(iter(errors.values()))})
        )
    return wish


def _action(text: str) -> str:
    """Return the event name meant by a name, a subject, or a label in either language; UserError naming near ones."""
    known = vocabulary.known()
    wanted = fold(text).strip()
    if filters.names_of(wanted):
        return wanted if wanted in known or wanted.endswith(":*") else f"{wanted.partition(':')[0]}:*"
    for event in known.values():
        if wanted in {fold(event.ja), fold(event.en)}:
            return event.name
    words = {fold(word): name for name, event in known.items() for word in (event.en, event.ja, name)}
    near = list(dict.fromkeys(words[word] for word in difflib.get_close_matches(wanted, words, n=6, cutoff=0.5)))[:3]
    near = near or [name for name, event in known.items() if wanted in fold(event.ja) or wanted in name][:3]
    if not near:
        raise UserError(
            Message(
                "記録の種類「%(name)s」はありません。session:login のように書いてください（一覧は docs/reference/events.md）。",
                {"name": text},
            )
        )
    english = get_language() == "en"
    shown = [f"{name} ({known[name].en})" if english else f"{name}（{known[name].ja}）" for name in near]
    raise UserError(
        Message(
            "記録の種類「%(name)s」はありません。近いもの: %(near)s",
            {"name": text, "near": (", " if english else "、").join(shown)},
        )
    )


def _event(options: argparse.Namespace, actor: rule.Actor) -> Event:
    number = filters.number_of(options.id)
    if number is None:
        raise UserError(
            Message(
                "「%(id)s」は記録の番号でもIDでもありません。kitei log list で確かめてください。", {"id": options.id}
            )
        )
    event = queries.find(actor=actor, number=number)
    if event is None:
        raise UserError(Message("記録「%(id)s」はありません。kitei log list で確かめてください。", {"id": options.id}))
    return event


def _named(actor: rule.Actor, rows: Iterable[Event]) -> tuple[dict[Any, str], dict[Any, Any]]:
    rows = list(rows)
    who = people.actor_names(actor.organization, [(row.actor_kind, row.actor_id) for row in rows])
    return who, objects.things(actor=actor, refs=[(row.object_kind, row.object_id) for row in rows])


def _entry(row: Event, who: dict[Any, str], what: dict[Any, Any]) -> dict[str, Any]:
    thing = what[row.object_kind, row.object_id]
    return {
        "id": str(row.pk),
        "number": row.leaf_index,
        "at": row.at.isoformat(),
        "name": row.name,
        "label": vocabulary.event_label(row.name),
        "outcome": row.outcome,
        "actor": {"kind": row.actor_kind, "id": row.actor_id, "label": who[row.actor_kind, row.actor_id]},
        "object": {"kind": row.object_kind, "id": row.object_id, "label": thing.name or thing.kind},
    }


def _line(cells: Sequence[str], number: str) -> str:
    fitted = [_fit(text, width) for text, width in zip(cells, _WIDTHS, strict=True)]
    return f"{' '.join(fitted)} {number}"


def _fit(text: str, width: int) -> str:
    """Cut or fill ``text`` to a width in columns; full-width characters count as two."""
    if _wide(text) > width:
        kept, used = "", 0
        for char in text:
            used += _wide(char)
            if used > width - 1:
                break
            kept += char
        text = f"{kept}…" if _wide(f"{kept}…") <= width else kept
    return text + " " * (width - _wide(text))


def _wide(text: str) -> int:
    return sum(2 if unicodedata.east_asian_width(char) in "WFA" else 1 for char in text)


def _plain(value: Any) -> str:
    return value if isinstance(value, str) else json.dumps(value, ensure_ascii=False)
