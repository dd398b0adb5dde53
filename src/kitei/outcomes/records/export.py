"""Events in the shape of OCSF 1.8 (Open Cybersecurity Schema Framework), one JSON object a line.

Classes used: Authentication 3002, Account Change 3001, User Access Management 3005, File Hosting Activity 6006, and
Entity Management 3004 for everything else. Each line carries the classification attributes that every class requires
(activity_id, category_uid, class_uid, metadata, severity_id, time, type_uid) and those of its class; what OCSF has no
place for stands under ``unmapped``. ``raw_data`` is the canonical text that was hashed, so that a line can be proved.
No names, addresses or opened free text: ids only, as in the log itself.
"""

from __future__ import annotations

import datetime as dt
import json
from collections.abc import Mapping
from importlib.metadata import version
from typing import Any

from kitei.trust.auditlog import vocabulary
from kitei.trust.auditlog.models import Event

OCSF = "1.8.0"
CONTENT_TYPE = "application/jsonl; charset=utf-8"
ACCOUNT, AUTHENTICATION, ENTITY, PRIVILEGE, FILE = 3001, 3002, 3004, 3005, 6006
OTHER = 99
_EPOCH, _MILLISECOND = dt.datetime(1970, 1, 1, tzinfo=dt.UTC), dt.timedelta(milliseconds=1)
_INFORMATIONAL, _LOW = 1, 2
_STATUS = {"ok": 1, "refused": 2, "failed": 2}
_FILES = {"document", "regulation"}

_EXACT: dict[str, tuple[int, int]] = {
    "session:login": (AUTHENTICATION, 1),
    "session:login-failed": (AUTHENTICATION, 1),
    "session:logout": (AUTHENTICATION, 2),
    "account:create": (ACCOUNT, 1),
    "account:set-password": (ACCOUNT, 3),
    "membership:change": (PRIVILEGE, 1),
    "document:view": (FILE, 14),
    "regulation:view": (FILE, 14),
    "document:download": (FILE, 2),
    "regulation:download": (FILE, 2),
    "regulation:adopt": (ENTITY, 10),
    "register:import": (FILE, 1),
    "register:export": (FILE, 2),
    "register:export-all": (FILE, 2),
    "log:export": (FILE, 2),
    "log:proof": (FILE, 2),
    "backup:restore": (FILE, 8),
}
# What an action of an entity is in OCSF; the rest is 99 (Other) with our own name.
_ACTIONS = {"create": 1, "open": 1, "list": 2, "view": 2, "put": 3, "change": 3, "draft": 3, "review": 3, "erase": 4}
# What was refused, by the action that was asked for.
_REFUSED_FILE = {"view": 14, "list": 14, "download": 2, "print": 2, "edit": 3, "approve": 3, "manage": 3}
_REFUSED_ENTITY = {"view": 2, "list": 2, "download": 2, "print": 2, "edit": 3}
_ENTITY_TYPES = {"member": 2, "account": 2, "organization": 4, "company": 4, "regulation": 5}


def line(event: Event, *, head: Mapping[str, Any] | None = None) -> str:
    """Return the event as one line of JSON with its line end."""
    return json.dumps(shape(event, head=head), ensure_ascii=False, separators=(",", ":")) + "\n"


def shape(event: Event, *, head: Mapping[str, Any] | None = None) -> dict[str, Any]:
    """Return the event as an OCSF object. ``head`` (origin, size, root) is printed by the first line of an export."""
    raw = bytes(event.payload).decode()
    payload: dict[str, Any] = json.loads(raw)
    class_uid, activity = _class(payload)
    known = vocabulary.known().get(event.name)
    label = known.en if known else event.name
    reasons = payload.get("decision", {}).get("reasons", [])
    ok = event.outcome == vocabulary.OK
    found: dict[str, Any] = {
        "activity_id": activity,
        "activity_name": label,
        "category_uid": class_uid // 1000,
        "class_uid": class_uid,
        "type_uid": class_uid * 100 + activity,
        "time": _milliseconds(event),
        "severity_id": _INFORMATIONAL if ok else _LOW,
        "status_id": _STATUS.get(event.outcome, OTHER),
        "status": event.outcome,
        "message": label,
        "metadata": {
            "version": OCSF,
            "product": {"name": "Kitei", "vendor_name": "Kitei", "version": version("kitei")},
            "uid": payload["id"],
            "original_event_uid": payload["id"],
            "event_code": event.name,
            "log_name": "kitei",
            "tenant_uid": payload["org"],
            "original_time": payload["at"],
        },
        "actor": _actor(payload),
        "raw_data": raw,
        "unmapped": {"kitei": _ours(event, payload, head)},
    }
    if event.leaf_index is not None:
        found["metadata"]["sequence"] = event.leaf_index
    if payload.get("request"):
        found["metadata"]["correlation_uid"] = payload["request"]
    if reasons and not ok:
        found["status_code"] = reasons[0]
        found["status_detail"] = ", ".join(reasons)
    return found | _of_class(class_uid, payload)


def _class(payload: Mapping[str, Any]) -> tuple[int, int]:
    name: str = payload["name"]
    if name == "access:refuse":
        asked = payload.get("data", {}).get("action", "")
        if payload["object"][0] in _FILES:
            return FILE, _REFUSED_FILE.get(asked, OTHER)
        return ENTITY, _REFUSED_ENTITY.get(asked, OTHER)
    if name in _EXACT:
        return _EXACT[name]
    subject, _, action = name.partition(":")
    if subject == "session":
        return AUTHENTICATION, OTHER
    if subject == "account":
        return ACCOUNT, OTHER
    return ENTITY, _ACTIONS.get(action, OTHER)


def _of_class(class_uid: int, payload: Mapping[str, Any]) -> dict[str, Any]:
    """Return what the class requires besides the classification."""
    kind, key = payload["object"]
    user = {"uid": key, "type_id": 1} if key else {"name": "unknown", "type_id": 0}
    match class_uid:
        case 3002:
            return {"user": user, "service": {"name": "Kitei"}, "is_remote": True}
        case 3001:
            return {"user": user}
        case 3005:
            role = payload.get("data", {}).get("role")
            return {"user": user, "privileges": [role] if role else []}
        case 6006:
            file = {"name": f"{kind}/{key}" if key else kind, "type_id": 1}
            if key:
                file["uid"] = key
            return {"file": file, "src_endpoint": {"name": payload.get("face") or "unknown"}}
        case _:
            return {"entity": {"uid": key or kind, "type": kind, "type_id": _ENTITY_TYPES.get(kind, OTHER)}}


def _actor(payload: Mapping[str, Any]) -> dict[str, Any]:
    kind, key = payload["actor"]
    found: dict[str, Any] = {}
    match kind:
        case "member":
            found["user"] = {"uid": key, "type_id": 1}
        case "cli":
            found["user"] = {"uid": f"cli:{key}", "name": key, "type_id": 2}
        case "worker":
            found |= {"app_name": "kitei worker", "app_uid": key or "worker"}
        case _:
            found["user"] = {"uid": f"{kind}:{key}", "type": kind, "type_id": OTHER if key else 0}
    if payload.get("session"):
        found["session"] = {"uid": payload["session"]}
    return found


def _ours(event: Event, payload: Mapping[str, Any], head: Mapping[str, Any] | None) -> dict[str, Any]:
    kept = ("object", "outcome", "face", "strength", "policy", "data", "decision", "commitments")
    found: dict[str, Any] = {key: payload[key] for key in kept if key in payload}
    found["leaf_hash"] = bytes(event.leaf_hash).hex()
    found["leaf_index"] = event.leaf_index
    if head is not None:
        found["checkpoint"] = dict(head)
    return found


def _milliseconds(event: Event) -> int:
    return (event.at - _EPOCH) // _MILLISECOND
