"""verify: the logs' folders as an auditor sees them, and the database row by row against them."""

from __future__ import annotations

import argparse
import datetime as dt
import json
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from django.conf import settings

from kitei.foundation.tenancy.models import Organization
from kitei.foundation.text import Message, UserError
from kitei.trust.auditlog import triggers
from kitei.trust.auditlog.models import Event, Head, Log
from kitei_verify import files, heads, logdir, note, report, tiles
from kitei_verify.errors import VerifyError
from kitei_verify.merkle import leaf_hash
from kitei_verify.result import Result

WRONG = 1
MOST = 20
"""So many differences of one log are shown."""
_COLUMNS = (
    "id", "at", "name", "outcome", "actor_kind", "actor_id", "object_kind", "object_id",
    "payload", "leaf_hash", "leaf_index",
)  # fmt: skip
_LONGEST = 1_000_000
_LONGEST_BUNDLE = tiles.WIDTH * (tiles.MAX_ENTRY + 2)


@dataclass
class _Given:
    """What the person keeps outside."""

    keys: list[note.VerifierKey] = field(default_factory=list)
    since: list[heads.Since] = field(default_factory=list)

    def of(self, origin: str) -> _Given:
        """Return what concerns the log ``origin``; a bare SIZE:ROOT names no log."""
        return _Given(
            [key for key in self.keys if key.name == origin],
            [since for since in self.since if since.head.origin in {"", origin}],
        )


def verify(options: argparse.Namespace) -> int:
    """Verify one folder, or every log of the installation with its rows; 0 all holds, 1 something is wrong."""
    given = _given(options)
    if options.logdir:
        if not Path(options.logdir).is_dir():
            raise UserError(
                Message(
                    "フォルダー「%(path)s」がありません。操作記録のフォルダー（checkpoint のある所）を指定してください。",
                    {"path": options.logdir},
                )
            )
        result = logdir.verify(Path(options.logdir), keys=given.keys, since=given.since)
        print("\n".join(report.lines(result, None, None, english=options.english)))
        return 0 if result.ok else WRONG
    return _everything(options, given)


def _everything(options: argparse.Namespace, given: _Given) -> int:
    logs = list(_logs(options))
    if not logs:
        raise UserError(Message("操作記録がまだありません。先に kitei init 又は kitei upgrade を行ってください。"))
    known = {log.origin for log in logs}
    strangers = [key.name for key in given.keys if key.name not in known]
    strangers += [one.head.origin for one in given.since if one.head.origin not in {"", *known}]
    if strangers:
        raise UserError(
            Message(
                "「%(origin)s」の操作記録は、ここにはありません。鍵とチェックポイントを確かめてください。",
                {"origin": strangers[0]},
            )
        )
    wrong = [
        Message(
            "操作記録を守る仕組み（%(name)s）がデータベースにありません。kitei upgrade を行ってください。",
            {"name": name},
        )
        for name in triggers.missing()
    ]
    folders = _folders(options, {log.organization.code for log in logs})
    for log in logs:
        folder = folders.pop(log.origin, None)
        wrong += _one(log, folder, given.of(log.origin), options)
    wrong += [
        Message("フォルダー「%(path)s」の操作記録は、データベースにありません。", {"path": str(path)})
        for path in folders.values()
    ]
    for organization in _organizations(options):
        wrong += _pending(organization)
    for fault in wrong:
        print(report.plain(fault.render()))
    print(
        Message("結果: 誤りがあります。フォルダーとデータベースをそのまま残し、控えと比べてください。").render()
        if wrong
        else Message("結果: 操作記録とデータベースに、矛盾はありません。").render()
    )
    return WRONG if wrong else 0


def _given(options: argparse.Namespace) -> _Given:
    """Read ``--key`` (the key, or its file) and ``--since`` (a file, or SIZE:ROOT); UserError."""
    given = _Given()
    try:
        if options.key:
            text = options.key if "+" in options.key and not Path(options.key).exists() else _read(options.key).decode()
            given.keys.append(note.parse_key(text.strip(), where=options.key[:80]))
        if options.since:
            bare = ":" in options.since and not Path(options.since).exists()
            data = options.since.encode() if bare else _read(options.since)
            given.since.append(heads.parse_since(data, where=options.since))
    except (VerifyError, UnicodeError) as error:
        what = (error.what if options.english else error.ja) if isinstance(error, VerifyError) else "UTF-8"
        raise UserError(
            Message(
                "渡された鍵又はチェックポイントの形が違います（%(what)s）。受け取り直してください。", {"what": what}
            )
        ) from error
    return given


def _read(name: str) -> bytes:
    try:
        with Path(name).open("rb") as file:
            return file.read(_LONGEST)
    except OSError as error:
        raise UserError(
            Message(
                "「%(name)s」を読めません（%(reason)s）。ファイルの名前と権限を確かめてください。",
                {"name": name, "reason": error.strerror or type(error).__name__},
            )
        ) from error


def _organizations(options: argparse.Namespace) -> list[Organization]:
    found = Organization.objects.order_by("code")
    if not options.org:
        return list(found)
    named = list(found.filter(code=options.org))
    if not named:
        raise UserError(Message("組織「%(code)s」はありません。", {"code": options.org}))
    return named


def _logs(options: argparse.Namespace) -> Iterator[Log]:
    for organization in _organizations(options):
        yield from Log.objects.select_related("organization").filter(organization=organization).order_by("generation")


def _folders(options: argparse.Namespace, codes: set[str]) -> dict[str, Path]:
    """Return the folders below DATA/log by the origin their checkpoint names; by their path when none can be read."""
    found = {}
    base = Path(settings.DATA) / "log"
    for name in files.names(base, ""):
        if options.org and name.split(".g")[0] not in codes:
            continue
        folder = base / name
        origin = _origin(folder)
        if origin is None and name in codes:
            origin = _open_origin(name)  # the folder's name says whose it is
        if origin is None and not files.names(folder, ""):
            continue
        found[origin if origin is not None and origin not in found else str(folder)] = folder
    return found


def _origin(folder: Path) -> str | None:
    try:
        data = files.read(folder, logdir.CHECKPOINT, note.MAX_NOTE)
    except VerifyError:
        return None
    return data.split(b"\n", 1)[0].decode("utf-8", "replace") if data else None


def _open_origin(code: str) -> str | None:
    log = Log.objects.filter(organization__code=code, closed_at__isnull=True).first()
    return log.origin if log else None


def _one(log: Log, folder: Path | None, given: _Given, options: argparse.Namespace) -> list[Message]:
    """Verify one log's folder and compare its rows; print what holds and return what does not."""
    head = Head.objects.filter(log=log).order_by("-size").first()
    if head is None and (folder is None or not files.exists(folder, logdir.CHECKPOINT)):
        print(Message("操作記録「%(origin)s」は、まだ署名されていません。", {"origin": log.origin}).render())
        return _rows_without_tree(log)
    if folder is None:
        return [
            Message("操作記録「%(origin)s」のフォルダーがありません。控えから戻してください。", {"origin": log.origin})
        ]
    result = logdir.verify(folder, keys=given.keys, since=given.since)
    # What was signed meanwhile is known from here on: published is never more than what the database knew before.
    log.refresh_from_db()
    head = Head.objects.filter(log=log).order_by("-size").first()
    for line in report.lines(result, None, None, english=options.english)[:-1]:
        print(line)
    wrong = [] if result.ok else [_broken(log)]
    if log.fault:
        wrong.append(Message.from_json(json.loads(log.fault)))
    if head is None or result.size > head.size:
        wrong.append(
            Message(
                "操作記録「%(origin)s」は%(size)s件まで公開されていますが、データベースはそれを知りません。古い状態に戻されています。",
                {"origin": log.origin, "size": result.size},
            )
        )
        return wrong
    if result.ok:
        differences = _differences(log, folder, result)
        if not differences:
            print(Message("データベースの記録%(count)s件が、一つずつ一致します。", {"count": result.size}).render())
        wrong += differences
    print()
    return wrong


def _broken(log: Log) -> Message:
    return Message("操作記録「%(origin)s」のフォルダーに誤りがあります（上の「誤り」）。", {"origin": log.origin})


def _differences(log: Log, folder: Path, result: Result) -> list[Message]:
    """Compare every row that has a place with the log, in their order; hold one bundle at a time."""
    wrong: list[Message] = []
    rows = _rows(organization=log.organization_id, leaf_index__gte=log.base, leaf_index__lt=log.base + log.size)
    place = 0
    entries: list[bytes] = []
    for row in rows.order_by("leaf_index").values(*_COLUMNS).iterator(chunk_size=2000):
        if place < result.size and place % tiles.WIDTH == 0:
            entries = _entries(folder, place // tiles.WIDTH, min(result.size - place, tiles.WIDTH))
        if row["leaf_index"] != log.base + place:
            wrong.append(
                Message(
                    "操作記録「%(origin)s」の%(place)s番目の記録が、データベースにありません。",
                    {"origin": log.origin, "place": place},
                )
            )
            return wrong
        what = _wrong_row(row)
        if what is None and place < result.size and bytes(row["payload"]) != entries[place % tiles.WIDTH]:
            what = Message("操作記録のものと違います")
        if what is not None:
            wrong.append(_row(row, what))
        place += 1
        if len(wrong) >= MOST:
            return wrong
    if place != log.size:
        wrong.append(
            Message(
                "操作記録「%(origin)s」は%(size)s件のはずですが、データベースには%(place)s件しかありません。",
                {"origin": log.origin, "size": log.size, "place": place},
            )
        )
    return wrong


def _entries(folder: Path, index: int, width: int) -> list[bytes]:
    """Return the entries of a bundle that was verified just now."""
    for wide in dict.fromkeys((width, tiles.WIDTH)):
        where = tiles.tile_path(tiles.ENTRIES, index, wide)
        data = files.read(folder, where, _LONGEST_BUNDLE)
        if data is not None:
            return tiles.decode_bundle(data, where=where)
    raise files.missing(tiles.tile_path(tiles.ENTRIES, index, width))


def _rows_without_tree(log: Log) -> list[Message]:
    rows = _rows(organization=log.organization_id, leaf_index__gte=log.base, leaf_index__lt=log.base + log.size)
    return _wrong_rows(rows.order_by("leaf_index"))


def _pending(organization: Organization) -> list[Message]:
    """Check the rows that wait for their place: they are what was recorded, and nothing stands before the first log."""
    return _wrong_rows(_rows(organization=organization.pk, leaf_index__isnull=True).order_by("id"))


def _rows(**wanted: Any) -> Any:
    return Event.objects.filter(**wanted)


def _wrong_rows(rows: Any) -> list[Message]:
    wrong: list[Message] = []
    for row in rows.values(*_COLUMNS).iterator(chunk_size=2000):
        what = _wrong_row(row)
        if what is not None:
            wrong.append(_row(row, what))
            if len(wrong) >= MOST:
                break
    return wrong


def _wrong_row(row: dict[str, Any]) -> Message | None:
    """Return what is wrong within one row: its hash, and the columns that repeat what it says."""
    payload = bytes(row["payload"])
    if leaf_hash(payload) != bytes(row["leaf_hash"]):
        return Message("記録したときのハッシュと合いません")
    try:
        said = json.loads(payload)
        moment = dt.datetime.fromisoformat(said["at"])
        columns = (said["id"], moment, said["name"], said["outcome"], *said["actor"], *said["object"])
    except (ValueError, KeyError, TypeError):
        return Message("読めません")
    if columns != (str(row["id"]), *(row[name] for name in _COLUMNS[1:8])):
        return Message("検索のための列が、記録と違います")
    return None


def _row(row: dict[str, Any], what: Message) -> Message:
    return Message(
        "データベースの記録 %(id)s（番号 %(place)s）: %(what)s。",
        {"id": str(row["id"]), "place": "—" if row["leaf_index"] is None else row["leaf_index"], "what": what},
    )
