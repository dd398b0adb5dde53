"""What an entry of Kitei's log must look like: one canonical JSON object with known fields in one form.

Version 1 knows exactly the fields of ``REQUIRED`` and ``OPTIONAL``; another field, another type or another way to write
the same value is a fault, so that one act has one possible entry.
"""

from __future__ import annotations

import datetime as dt
import json
import re
from collections.abc import Callable
from typing import Any, NoReturn

from kitei_verify import canonical
from kitei_verify.errors import FormatError

VERSION = 1
OPEN = "log:open"
ROTATE = "log:rotate-key"
"""Names of the two events the log speaks about itself with."""
_DIGITS = len(str(2**53))
_ASCII_CONTROLS = re.compile(r"[\x00-\x1f\x7f]")
_UUID = re.compile(r"[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}")
_TIME = re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{6}Z", re.ASCII)
_CODE = re.compile(r"[a-z0-9-]{1,40}")
_NAME = re.compile(r"[a-z0-9]+(?:-[a-z0-9]+)*(?::[a-z0-9]+(?:-[a-z0-9]+)*)+")
_OUTCOME = re.compile(r"[a-z][a-z-]{0,11}")
_FIELD = re.compile(r"[a-z0-9][a-z0-9._-]{0,39}")
_HEX64 = re.compile(r"[0-9a-f]{64}")
MAX_NAME = 80
MAX_TEXT = 200


def _matches(pattern: re.Pattern[str]) -> Callable[[Any], bool]:
    whole = pattern.fullmatch
    return lambda value: isinstance(value, str) and whole(value) is not None


def _moment(value: Any) -> bool:
    if not isinstance(value, str) or _TIME.fullmatch(value) is None:
        return False
    try:
        dt.datetime.fromisoformat(value)
    except ValueError:
        return False
    return True


def _text(value: Any) -> bool:
    return isinstance(value, str) and 0 < len(value) <= MAX_TEXT and _ASCII_CONTROLS.search(value) is None


def _reference(value: Any) -> bool:
    """A pair (kind, id); the id may be empty, the kind not."""
    return (
        isinstance(value, list)
        and len(value) == 2  # noqa: PLR2004  kind, id
        and _text(value[0])
        and (value[1] == "" or _text(value[1]))
    )


def _object(value: Any) -> bool:
    return isinstance(value, dict) and len(value) > 0


def _commitments(value: Any) -> bool:
    return _object(value) and all(
        _FIELD.fullmatch(name) is not None and isinstance(digest, str) and _HEX64.fullmatch(digest) is not None
        for name, digest in value.items()
    )


_is_name = _matches(_NAME)
REQUIRED: dict[str, Callable[[Any], bool]] = {
    "v": lambda value: value == VERSION and type(value) is int,
    "id": _matches(_UUID),
    "at": _moment,
    "org": _matches(_CODE),
    "name": lambda value: _is_name(value) and len(value) <= MAX_NAME,
    "outcome": _matches(_OUTCOME),
    "actor": _reference,
    "object": _reference,
}
OPTIONAL: dict[str, Callable[[Any], bool]] = {
    "request": _text,
    "session": _text,
    "strength": _text,
    "face": _text,
    "policy": _text,
    "data": _object,
    "decision": _object,
    "commitments": _commitments,
}
"""Fields left out when empty; ``data`` and ``decision`` may hold anything that has a canonical form."""
_FORMS = {**REQUIRED, **OPTIONAL}


def _refuse(text: str) -> NoReturn:
    raise ValueError(f"{text[:20]} has no canonical form")


def _integer(text: str) -> int:
    # Never convert a number of a thousand digits.
    if len(text) > _DIGITS + 1 or abs(number := int(text)) > canonical.MAX_INT:
        _refuse(text)
    return number


_decode = json.JSONDecoder(parse_float=_refuse, parse_constant=_refuse, parse_int=_integer).decode
_encode = json.JSONEncoder(ensure_ascii=False, sort_keys=True, separators=(",", ":"), check_circular=False).encode


def parse_json(
    data: bytes, *, where: str, index: int | None = None, limit: int = canonical.MAX_BYTES
) -> dict[str, Any]:
    """Read one canonical JSON object; FormatError when it is none, not in its one form, or longer than ``limit``.

    Equal bytes after encoding again exclude duplicate keys, other spacing, escapes and orders at once.
    """
    if len(data) > limit:
        raise FormatError(where, f"longer than {limit} bytes", f"{limit}バイトを超えています", index)
    try:
        text = data.decode()
        payload = _object_of(_decode(text))
        # What canonical.encode refuses cannot stand in ASCII bytes that come out equal again; it takes twice the time.
        again = _encode(payload).encode() if data.isascii() else canonical.encode(payload, limit=limit)
    except (ValueError, TypeError, RecursionError) as error:
        raise FormatError(
            where, f"not canonical JSON ({_short(error)})", "決まった書き方のJSONではありません", index
        ) from error
    if again != data:
        raise FormatError(where, "not canonical: encoded again it is different", "書き方が決まった形と違います", index)
    return payload


def _object_of(value: Any) -> dict[str, Any]:
    if not isinstance(value, dict):
        raise TypeError("not an object")
    return value


def _short(error: Exception) -> str:
    return (str(error) or type(error).__name__)[:80]


def check(data: bytes, *, where: str, index: int | None = None) -> dict[str, Any]:
    """Read one entry and return it; FormatError unless it is an event of version 1 in its one form."""
    payload = parse_json(data, where=where, index=index)
    for name, value in payload.items():
        form = _FORMS.get(name)
        if form is None:
            raise FormatError(
                where, f"field {name[:40]!r} is not known", f"項目「{name[:40]}」は決められていません", index
            )
        if not form(value):
            raise FormatError(where, f"field {name!r} has the wrong form", f"項目「{name}」の形が違います", index)
    for name in REQUIRED:
        if name not in payload:
            raise FormatError(where, f"field {name!r} is missing", f"項目「{name}」がありません", index)
    return payload
