"""What the log is narrowed by: who, what to, which kind of act, how it ended, when; read from an address or a command."""

from __future__ import annotations

import datetime as dt
import uuid
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, fields
from typing import Any
from urllib.parse import urlencode

from kitei.foundation import clock
from kitei.foundation.dates.japanese import DateError, parse_date
from kitei.foundation.text import Message
from kitei.foundation.text.japanese import fold, normalise
from kitei.trust.auditlog import vocabulary

_LONGEST = 200
_HIGHEST = 2**63 - 1  # of the database's integer


@dataclass(frozen=True)
class Wish:
    """The filters as typed, empty when not wished, and the days they mean (both inclusive, Asia/Tokyo).

    ``who`` is free text; ``kind`` and ``object`` name what was acted on; ``name`` is an event name or ``subject:*``;
    ``number`` an event's id or its number in the order of the log. ``after``, ``before`` are the place (keyset tokens).
    """

    who: str = ""
    kind: str = ""
    object: str = ""
    name: str = ""
    outcome: str = ""
    since: str = ""
    until: str = ""
    number: str = ""
    after: str = ""
    before: str = ""
    first_day: dt.date | None = None
    last_day: dt.date | None = None

    @property
    def narrowed(self) -> bool:
        """Whether anything is left out."""
        return any(getattr(self, key) for key in KEYS)

    def query(self, **changes: str) -> str:
        """Return the address line of these filters, without the place unless ``changes`` gives one."""
        kept = {key: getattr(self, key) for key in KEYS} | changes
        return urlencode({key: value for key, value in kept.items() if value})

    @property
    def plain(self) -> dict[str, str]:
        """The filters that are no free text, as an event may carry them in clear."""
        found = {"name": self.name, "outcome": self.outcome, "kind": self.kind}
        days = {"since": self.first_day, "until": self.last_day}
        found |= {key: day.isoformat() for key, day in days.items() if day}
        return {key: value for key, value in found.items() if value}

    @property
    def typed(self) -> str:
        """The filters a person typed freely, on one line each: names and addresses may be among them."""
        return "\n".join(f"{key}={getattr(self, key)}" for key in ("who", "object", "number") if getattr(self, key))


KEYS = tuple(field.name for field in fields(Wish) if field.name not in {"after", "before", "first_day", "last_day"})


def read(query: Mapping[str, str]) -> tuple[Wish, dict[str, str]]:
    """Return the wish an address holds, and what is wrong with it by field, in the reader's language."""
    texts = {key: normalise(str(query.get(key, ""))[:_LONGEST]).strip() for key in KEYS}
    errors: dict[str, str] = {}
    wish = Wish(
        who=texts["who"],
        kind=texts["kind"],
        object=texts["object"],
        name=texts["name"],
        outcome=texts["outcome"],
        since=texts["since"],
        until=texts["until"],
        number=texts["number"],
        after=query.get("after", ""),
        before=query.get("before", ""),
        first_day=_day(texts, "since", errors),
        last_day=_day(texts, "until", errors),
    )
    if wish.first_day and wish.last_day and wish.last_day < wish.first_day:
        errors["until"] = Message("終わりの日は、始めの日以後にしてください。").render()
    if wish.name and not names_of(wish.name):
        errors["name"] = Message("この種類の記録はありません。一覧から選んでください。").render()
    if wish.outcome and wish.outcome not in vocabulary.OUTCOMES:
        errors["outcome"] = Message("結果は、一覧から選んでください。").render()
    if wish.number and number_of(wish.number) is None:
        errors["number"] = Message(
            "番号は、記録のページに表示される番号（例: 1204）又は長い番号をそのまま書いてください。"
        ).render()
    return wish, errors


def _day(texts: Mapping[str, str], key: str, errors: dict[str, str]) -> dt.date | None:
    if not texts[key]:
        return None
    try:
        return parse_date(texts[key], today=clock.today())
    except DateError as error:
        errors[key] = str(error)
        return None


def names_of(text: str) -> list[str]:
    """Return the event names meant by a name or by ``subject:*``; empty when there are none."""
    known = vocabulary.known()
    if text in known:
        return [text]
    subject, _, rest = text.partition(":")
    return [name for name in known if name.startswith(f"{subject}:")] if rest in {"", "*"} else []


def number_of(text: str) -> int | uuid.UUID | None:
    """Return the place in the order or the id that is meant; None for what is neither."""
    plain = fold(text).replace(",", "").strip()
    if plain.isascii() and plain.isdigit():
        return int(plain) if int(plain) <= _HIGHEST else None
    try:
        return uuid.UUID(plain)
    except ValueError:
        return None


def grouped_names() -> list[tuple[str, Sequence[Any]]]:
    """Return (subject, its event names), ordered as declared names sort."""
    groups: dict[str, list[Any]] = {}
    for event in vocabulary.known().values():
        groups.setdefault(event.name.partition(":")[0], []).append(event)
    return list(groups.items())
