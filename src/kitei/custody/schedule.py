"""The scheduled backup: once a day after ``KITEI_BACKUP_AT`` into ``KITEI_BACKUP_DIR``, the newest ``KITEI_BACKUP_KEEP`` kept.

The keys are in it when ``KITEI_BACKUP_PASSPHRASE`` is set. Old files go only after a new one was written, read back and
found whole: the only good one is never deleted.
"""

from __future__ import annotations

import datetime as dt
import os
import re
from pathlib import Path

from django.conf import settings

from kitei.custody import make
from kitei.custody.container import Reader
from kitei.foundation import clock, transactions
from kitei.foundation.jobs import queue
from kitei.foundation.jobs.models import Job
from kitei.foundation.tenancy.models import Organization
from kitei.foundation.text import Message

KIND = "backup.make"
ACTOR = ("worker", "backup")
PASSPHRASE = "KITEI_BACKUP_PASSPHRASE"  # noqa: S105  the name of a variable
_NAME = re.compile(r"kitei-(\d{8}T\d{6}Z)\.kitei-backup\Z", re.ASCII)
_LATE = dt.timedelta(hours=36)


def plan() -> None:
    """Ask for today's backup once its time has come; cheap, for the worker's loop."""
    if settings.BACKUP_DIR is None:
        return
    now = clock.now()
    due = _due(now)
    if now < due:
        return
    organization = Organization.objects.order_by("id").first()
    if organization is None or Job.objects.filter(kind=KIND, created_at__gte=due).exists():
        return
    transactions.durable(lambda: queue.ask(organization=organization, kind=KIND))


def _due(now: dt.datetime) -> dt.datetime:
    """Return the moment of today's backup (JST)."""
    return dt.datetime.combine(now.astimezone(clock.TOKYO).date(), settings.BACKUP_AT, tzinfo=clock.TOKYO)


def run(job: Job) -> None:
    """Make the backup, record it, and drop the oldest ones; a job that runs again finds its file and makes no second."""
    folder: Path | None = settings.BACKUP_DIR
    if folder is None:
        return
    folder.mkdir(mode=0o700, parents=True, exist_ok=True)
    asked = f"{job.created_at.astimezone(dt.UTC):%Y%m%dT%H%M%SZ}"
    if any(stamp >= asked for stamp, _ in _files(folder)):
        return
    target = folder / f"kitei-{clock.now():%Y%m%dT%H%M%SZ}.kitei-backup"
    made = make.make(target=target, passphrase=os.environ.get(PASSPHRASE) or None)
    make.record(made=made, actor_ref=ACTOR)
    with Reader(target):
        pass  # raises when what the disk gives back is not what was written
    if not made.faults:
        for _, old in _files(folder)[: -settings.BACKUP_KEEP]:
            old.unlink(missing_ok=True)


def _files(folder: Path) -> list[tuple[str, Path]]:
    """Return the scheduled backups, oldest first; other files in the folder are nobody's business here."""
    return sorted((match[1], path) for path in folder.iterdir() if (match := _NAME.match(path.name)))


def warnings() -> list[Message]:
    """Return what ``doctor`` has to say about scheduled backups; they never keep Kitei from serving."""
    folder: Path | None = settings.BACKUP_DIR
    if folder is None:
        return []
    last = Job.objects.filter(kind=KIND).order_by("-created_at").first()
    if last is not None and last.done_at is None and last.error:
        return [
            Message(
                "最後の控えを取れませんでした（%(error)s）。KITEI_BACKUP_DIR の場所、権限、空きを確かめてください。",
                {"error": last.error},
            )
        ]
    made = _files(folder) if folder.is_dir() else []
    limit = f"{clock.now() - _LATE:%Y%m%dT%H%M%SZ}"
    first = Organization.objects.order_by("id").first()
    if first is None or (made and made[-1][0] >= limit) or (not made and first.created_at > clock.now() - _LATE):
        return []
    return [
        Message("控えが1日半より長く取られていません。kitei serve 又は kitei worker が動いているか確かめてください。")
    ]


queue.handler(KIND, run)
