"""doctor: explains a wrong setting in one sentence each."""

from __future__ import annotations

import argparse
import datetime as dt
import os
import shutil
import sqlite3
import stat
import sys

from kitei.foundation.text import Message

NEEDED_SQLITE = (3, 37)
LEAST_FREE = 200 * 1024 * 1024
LONGEST_PENDING = dt.timedelta(minutes=1)
_NOT_SET_UP = Message("組織がまだありません。先に kitei init を行ってください。")


def doctor(options: argparse.Namespace) -> int:
    """Print every fault, or that there is none; exit 2 with a fault."""
    from kitei.commands import trouble  # noqa: PLC0415
    from kitei.settings_error import ConfigurationError  # noqa: PLC0415

    try:
        trouble.start(english=options.english)
    except ConfigurationError as error:
        print(error)
        return 2
    found = faults()
    found += [] if found else log_faults()
    found += [] if found else _backup_warnings()
    for fault in found:
        print(fault.render())
    if not found:
        print(Message("設定に誤りはありません。").render())
        for note in _log_notes():
            print(note.render())
    return 2 if found else 0


def faults() -> list[Message]:
    """Return every fault of settings, data folder, database and log."""
    from django.conf import settings  # noqa: PLC0415  after start

    data = settings.DATA
    if not data.is_dir():
        return [
            Message(
                "データの置き場所「%(path)s」がありません。kitei init を行うか、KITEI_DATA を直してください。",
                {"path": str(data)},
            )
        ]
    from kitei.custody import target  # noqa: PLC0415  after start

    stopped = target.unfinished()
    if stopped is not None:
        return [stopped]
    found = []
    if not os.access(data, os.W_OK):
        found.append(
            Message("データの置き場所「%(path)s」に書き込めません。持ち主と権限を直してください。", {"path": str(data)})
        )
    key = data / "secret-key"
    if not key.exists():
        found.append(Message("秘密鍵のファイル secret-key がありません。kitei init を行うか、控えから戻してください。"))
    elif sys.platform != "win32" and stat.S_IMODE(key.stat().st_mode) & 0o077:
        found.append(Message("秘密鍵のファイル secret-key をほかの利用者が読めます。chmod 600 を行ってください。"))
    if shutil.disk_usage(data).free < LEAST_FREE:
        found.append(Message("ディスクの空きが200MBを下回っています。空きを増やしてください。"))
    if sqlite3.sqlite_version_info < NEEDED_SQLITE:
        found.append(
            Message("SQLiteが古すぎます（%(version)s）。3.37以後にしてください。", {"version": sqlite3.sqlite_version})
        )
    return found + _database_faults() + _storage_faults() + _mail_faults()


def _backup_warnings() -> list[Message]:
    from kitei.custody import schedule  # noqa: PLC0415  after start

    return schedule.warnings()


def log_faults() -> list[Message]:
    """Return what is wrong with the logs: things that do not keep Kitei from serving and recording, but from proving."""
    from kitei.foundation.tenancy.models import Organization  # noqa: PLC0415  after start
    from kitei.foundation.text import UserError  # noqa: PLC0415
    from kitei.trust.auditlog import keys, logs  # noqa: PLC0415

    found = []
    for organization in Organization.objects.order_by("id"):
        log = logs.current(organization)
        if log is None:
            found.append(Message("操作記録がまだ始まっていません。kitei upgrade を行ってください。"))
            continue
        stopped = logs.fault_of(log)
        if stopped is not None:
            found.append(stopped)
        try:
            keys.signer(organization.code, log.generation)
        except UserError as error:
            found.append(error.message)
    return found


def _log_notes() -> list[Message]:
    """Return what is worth knowing about the logs and is no fault: after ``init`` nothing is signed before ``serve`` runs."""
    from kitei.foundation import clock  # noqa: PLC0415  after start
    from kitei.trust.auditlog.models import Event  # noqa: PLC0415

    oldest = Event.objects.filter(leaf_index__isnull=True).order_by("id").first()
    if oldest is None or clock.now() - oldest.at <= LONGEST_PENDING:
        return []
    return [
        Message(
            "操作記録に1分以上順番の付いていないものがあります。kitei serve（又は kitei worker）が動いているか確かめてください。"
        )
    ]


def _anybody() -> bool:
    """Whether an organization exists; False also while its table is missing."""
    from django.db.utils import OperationalError, ProgrammingError  # noqa: PLC0415

    from kitei.foundation.tenancy.models import Organization  # noqa: PLC0415

    try:
        return Organization.objects.exists()
    except (OperationalError, ProgrammingError):
        return False


def _database_faults() -> list[Message]:
    from django.db import connection  # noqa: PLC0415
    from django.db.migrations.executor import MigrationExecutor  # noqa: PLC0415
    from django.db.utils import Error  # noqa: PLC0415

    from kitei.trust.auditlog import triggers  # noqa: PLC0415

    try:
        connection.ensure_connection()
        executor = MigrationExecutor(connection)
        if executor.migration_plan(executor.loader.graph.leaf_nodes()):
            if not executor.loader.applied_migrations or not _anybody():
                return [_NOT_SET_UP]  # nothing yet, or init was cut off half-way: it goes on where it stopped
            return [Message("データベースがこの版のKiteiに合っていません。kitei upgrade を行ってください。")]
        if not _anybody():
            return [_NOT_SET_UP]
        missing = triggers.missing()
    except Error as error:
        reason = str(error).splitlines()[0] if str(error) else type(error).__name__
        return [
            Message(
                "データベースにつながりません（%(reason)s）。KITEI_DATABASE_URL を確かめてください。",
                {"reason": reason},
            )
        ]
    if missing:
        return [Message("操作記録を守る仕組みがありません。kitei upgrade を行ってください。")]
    return []


def _storage_faults() -> list[Message]:
    from django.core.files.storage import storages  # noqa: PLC0415

    if not os.environ.get("KITEI_STORAGE_URL"):
        return []
    try:
        storages["files"].exists("kitei-doctor")
    except Exception as error:  # noqa: BLE001  whatever the storage's library raises is the fault to be said
        return [
            Message(
                "ファイルの置き場所（KITEI_STORAGE_URL）を使えません（%(reason)s）。名前、鍵、つながりを確かめてください。",
                {"reason": type(error).__name__},
            )
        ]
    return []


def _mail_faults() -> list[Message]:
    host, sender = (
        os.environ.get("KITEI_SMTP_HOST"),
        os.environ.get("KITEI_MAIL_FROM") or os.environ.get("KITEI_SMTP_USER"),
    )
    if host and not sender:
        return [Message("KITEI_SMTP_HOST を設定したときは、差出人を KITEI_MAIL_FROM に書いてください。")]
    return []
