"""The regulation tree to JSON and back: how an edition is frozen by value."""

from __future__ import annotations

import dataclasses
import datetime as dt
import hashlib
import json
import types
import typing
from enum import Enum
from typing import Any

from kitei.outcomes.regulation import model


def pack(regulation: model.Regulation) -> dict[str, Any]:
    """Return a JSON-ready form that ``unpack`` reads back to an equal tree."""
    packed = _pack(regulation)
    assert isinstance(packed, dict)  # noqa: S101  a dataclass packs to an object
    return packed


def unpack(data: dict[str, Any]) -> model.Regulation:
    """Read what ``pack`` wrote."""
    tree = _unpack(model.Regulation, data)
    assert isinstance(tree, model.Regulation)  # noqa: S101  by construction
    return tree


def content_hash(regulation: model.Regulation) -> str:
    """Return the SHA-256 (hex) of the tree's canonical JSON: equal trees have equal hashes."""
    text = json.dumps(pack(regulation), ensure_ascii=False, sort_keys=True, separators=(",", ":"))
    return hashlib.sha256(text.encode()).hexdigest()


def _pack(value: Any) -> Any:
    if dataclasses.is_dataclass(value) and not isinstance(value, type):
        return {field.name: _pack(getattr(value, field.name)) for field in dataclasses.fields(value)}
    if isinstance(value, list | tuple):
        return [_pack(item) for item in value]
    if isinstance(value, Enum):
        return value.value
    if isinstance(value, dt.date):
        return value.isoformat()
    return value


def _unpack(kind: Any, data: Any) -> Any:
    origin = typing.get_origin(kind)
    arguments = typing.get_args(kind)
    if origin in {typing.Union, types.UnionType}:
        inner = next(argument for argument in arguments if argument is not type(None))
        return None if data is None else _unpack(inner, data)
    if origin is not None:  # tuple[X, ...], Sequence[X]
        return tuple(_unpack(arguments[0], item) for item in data)
    if dataclasses.is_dataclass(kind) and isinstance(kind, type):
        hints = typing.get_type_hints(kind)
        return kind(**{name: _unpack(hints[name], item) for name, item in data.items()})
    if isinstance(kind, type) and issubclass(kind, Enum):
        return kind(data)
    if kind is dt.date:
        return dt.date.fromisoformat(data)
    return data
