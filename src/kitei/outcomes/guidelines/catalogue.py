"""Guideline editions as data: loading, validation and questions asked of them (design §2.11). No database.

An edition is one JSON file described by ``schema.json``. Kitei ships its own in ``data/``; a company may keep further
files, or corrected ones with the same id, in directories of its own. Statements are summaries in our words; only a
clause whose provenance is ``verified`` is counted, the others show 要確認.
"""

from __future__ import annotations

import datetime as dt
import json
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace
from functools import cache, lru_cache
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

from kitei.foundation.text import Message, UserError
from kitei.outcomes.guidelines.edition import (
    CHECK_NEEDED,
    CONFIDENCES,
    LEVELS,
    REGULATION_LETTERS,
    REGULATION_SECTION,
    Clause,
    Edition,
    Note,
    Provenance,
    Section,
    Source,
)
from kitei.outcomes.guidelines.topics import TOPICS

if TYPE_CHECKING:
    from jsonschema import Draft202012Validator
    from jsonschema.exceptions import ValidationError

__all__ = [
    "CHECK_NEEDED",
    "CONFIDENCES",
    "LEVELS",
    "REGULATION_LETTERS",
    "REGULATION_SECTION",
    "CatalogueError",
    "Clause",
    "Edition",
    "Note",
    "Provenance",
    "Section",
    "Source",
    "default_edition_id",
    "editions",
    "load",
    "load_from",
]

HERE: Final = Path(__file__).resolve().parent
SHIPPED: Final = HERE / "data"
default_edition_id: Final = "mic-meti-1.1"
MAX_BYTES: Final = 5_000_000


class CatalogueError(UserError):
    """An edition's file cannot be used; the message names the file, the place in it and the mend."""


def load(edition_id: str = default_edition_id, *, directories: Sequence[Path] = ()) -> Edition:
    """Return an edition by id; ``UserError`` naming the known ones when there is none such, or a file is bad."""
    known = {edition.id: edition for edition in editions(directories=directories)}
    if edition_id not in known:
        raise UserError(
            Message(
                "版「%(edition)s」は登録されていません。%(known)s のいずれかを指定してください。",
                {"edition": edition_id, "known": ", ".join(known)},
            )
        )
    return known[edition_id]


def editions(*, directories: Sequence[Path] = ()) -> tuple[Edition, ...]:
    """Return every edition, oldest first; an edition of a later directory replaces one with the same id."""
    files = [tuple(sorted(directory.glob("*.json"))) for directory in (SHIPPED, *(Path(item) for item in directories))]
    return _linked(tuple(tuple(_stamp(path) for path in group) for group in files))


def load_from(path: Path) -> tuple[Edition, ...]:
    """Return the editions a person made: one file, or every ``*.json`` of a directory, oldest first.

    The shipped editions are known while links (``superseded_by``) are resolved, but only those of ``path`` are returned.
    Raises ``CatalogueError`` with file and place when one is bad, ``UserError`` when nothing is there.
    """
    files = tuple(sorted(path.glob("*.json"))) if path.is_dir() else (path,)
    if not files or not files[0].is_file():
        raise UserError(
            Message("%(path)s に版のファイル（.json）がありません。場所を確かめてください。", {"path": str(path)})
        )
    own = tuple(_stamp(file) for file in files)
    ids = {_read(*stamp).id for stamp in own}
    shipped = tuple(_stamp(file) for file in sorted(SHIPPED.glob("*.json")))
    return tuple(edition for edition in _linked((shipped, own)) if edition.id in ids)


_Stamp = tuple[Path, int, int]


def _stamp(path: Path) -> _Stamp:
    # Modification time and size are part of the cache key, so a corrected file is read again without a restart.
    state = path.stat()
    return path, state.st_mtime_ns, state.st_size


@lru_cache(maxsize=16)
def _linked(groups: tuple[tuple[_Stamp, ...], ...]) -> tuple[Edition, ...]:
    """Read all files, later groups over earlier ones, and let each edition know the newest of its chain."""
    found: dict[str, Edition] = {}
    origin: dict[str, Path] = {}
    for group in groups:
        seen: dict[str, Path] = {}
        for stamp in group:
            edition = _read(*stamp)
            if edition.id in seen:
                raise _bad(stamp[0], "id", Message("%(file)s と同じ版です", {"file": seen[edition.id].name}))
            seen[edition.id] = stamp[0]
            found[edition.id] = edition
        origin |= seen
    linked = (replace(edition, newest=_newest(edition, found, origin)) for edition in found.values())
    return tuple(sorted(linked, key=lambda edition: (edition.published, edition.id)))


def _newest(edition: Edition, found: Mapping[str, Edition], origin: Mapping[str, Path]) -> Edition | None:
    passed, last = {edition.id}, edition
    while last.superseded_by is not None:
        following = found.get(last.superseded_by)
        if following is None:
            raise _bad(
                origin[last.id], "superseded_by", Message("版「%(id)s」がありません", {"id": last.superseded_by})
            )
        if following.id in passed:
            raise _bad(origin[last.id], "superseded_by", Message("版の新旧の関係が一巡しています"))
        passed.add(following.id)
        last = following
    return None if last is edition else last


@lru_cache(maxsize=64)
def _read(path: Path, _mtime: int, size: int) -> Edition:
    if size > MAX_BYTES:
        raise _bad(path, "-", Message("ファイルが大きすぎます（上限 %(limit)s MB）", {"limit": MAX_BYTES // 1_000_000}))
    try:
        data = json.loads(path.read_text(encoding="utf-8-sig"))
    except json.JSONDecodeError as error:
        place = Message("%(line)s行%(column)s字目", {"line": error.lineno, "column": error.colno})
        raise _bad(path, place, Message("JSONとして読めません")) from error
    except (OSError, UnicodeDecodeError, RecursionError) as error:
        raise _bad(path, "-", Message("UTF-8のJSONファイルとして読めません")) from error
    # The shipped files are checked by the tests; every command would pay 0.3 s for checking them again.
    if path.parent != SHIPPED:
        check(path, data)
    return _edition(data)


def check(path: Path, data: Any) -> None:
    """Raise CatalogueError naming file, place and reason unless ``data`` is a well-formed edition."""
    broken = _first_error(data)
    if broken is not None:
        raise _bad(path, _place(broken, data), _reason(broken))
    _cross_check(path, data)


def _first_error(data: Any) -> ValidationError | None:
    from jsonschema.exceptions import best_match  # noqa: PLC0415  0.1 s that commands without editions need not pay

    first: ValidationError | None = best_match(_validator().iter_errors(data))
    return first


@cache
def _validator() -> Draft202012Validator:
    from jsonschema import Draft202012Validator, FormatChecker  # noqa: PLC0415  see _first_error

    schema = json.loads((HERE / "schema.json").read_text(encoding="utf-8"))
    Draft202012Validator.check_schema(schema)
    return Draft202012Validator(schema, format_checker=FormatChecker(["date"]))


def _cross_check(path: Path, data: Mapping[str, Any]) -> None:
    """Refuse what the schema language cannot say: repeated or contradictory ids, unknown sections, topics, sources."""
    clauses: list[Mapping[str, Any]] = data["clauses"]
    for key in ("id", "label"):
        counts = Counter(clause[key] for clause in clauses)
        for index, clause in enumerate(clauses):
            if counts[clause[key]] > 1:
                raise _bad(
                    path, f"clauses[{index}].{key}", Message("「%(value)s」が重複しています", {"value": clause[key]})
                )
    sections = {section["number"] for section in data["sections"]}
    keys = {source["key"] for source in data["sources"]}
    for index, clause in enumerate(clauses):
        for name, reason in _contradictions(clause, data["id"], sections, keys):
            raise _bad(path, f"clauses[{index}].{name} ({clause['id']})", reason)


def _contradictions(
    clause: Mapping[str, Any], edition_id: str, sections: set[str], keys: set[str]
) -> Iterator[tuple[str, Message]]:
    prefix = f"{edition_id}/{clause['section']}/{clause['letter']}-"
    if not clause["id"].startswith(prefix):
        yield "id", Message("「%(prefix)s」で始まっていません", {"prefix": prefix})
    if clause["section"] not in sections:
        yield "section", Message("節「%(value)s」が sections にありません", {"value": clause["section"]})
    for topic in clause["topics"]:
        if topic not in TOPICS:
            yield "topics", Message("主題「%(value)s」はありません", {"value": topic})
    for part in filter(None, (item.strip() for item in clause["source"].split(","))):
        if part.partition("/")[0] not in keys:
            yield "source", Message("出典「%(value)s」が sources にありません", {"value": part})


def _edition(data: Mapping[str, Any]) -> Edition:
    plain = {key: value for key, value in data.items() if not isinstance(value, list)}
    plain["published"] = dt.date.fromisoformat(data["published"])
    return Edition(
        **plain,
        notes=tuple(Note(**item) for item in data["notes"]),
        sources=tuple(Source(**item) for item in data["sources"]),
        sections=tuple(Section(**{**item, "provenance": Provenance(item["provenance"])}) for item in data["sections"]),
        clauses=tuple(
            Clause(**{**item, "provenance": Provenance(item["provenance"]), "topics": tuple(item["topics"])})
            for item in data["clauses"]
        ),
    )


def _place(error: ValidationError, data: Any) -> str:
    place = "".join(f"[{step}]" if isinstance(step, int) else f".{step}" for step in error.absolute_path).lstrip(".")
    steps = list(error.absolute_path)
    if steps[:1] == ["clauses"] and len(steps) > 1:
        clause = data["clauses"][steps[1]]
        if isinstance(clause, dict) and isinstance(clause.get("id"), str):
            place += f" ({clause['id'][:80]})"
    return place or "-"


def _reason(error: ValidationError) -> Message:
    """Say in our own words which rule of the schema is broken; jsonschema speaks English only."""
    instance: Any = error.instance
    value = json.dumps(instance, ensure_ascii=False)[:60]
    expected: Any = error.validator_value
    match error.validator:
        case "required":
            missing = [name for name in expected if name not in instance]
            return Message("%(names)s がありません", {"names": ", ".join(missing)})
        case "dependentRequired":
            return Message("日本語と英語（_ja と _en）は組で書く必要があります")
        case "additionalProperties":
            allowed = error.schema["properties"] if isinstance(error.schema, Mapping) else {}
            extra = [str(name) for name in instance if name not in allowed]
            return Message("%(names)s という項目は使えません", {"names": ", ".join(extra)[:60]})
        case "enum":
            allowed_values = ", ".join(json.dumps(item) for item in expected)
            return Message(
                "%(value)s は使えません（使える値: %(allowed)s）", {"value": value, "allowed": allowed_values}
            )
        case "format":
            return Message("%(value)s は日付（例 2023-07-07）ではありません", {"value": value})
        case _:
            return Message(
                "%(value)s は決まり（%(rule)s）に合いません", {"value": value, "rule": f"{error.validator}: {expected}"}
            )


def _bad(path: Path, place: str | Message, reason: Message) -> CatalogueError:
    return CatalogueError(
        Message(
            "版のファイル %(file)s の %(place)s: %(reason)s。ファイルを直してください。",
            {"file": path.name, "place": place, "reason": reason},
        )
    )
