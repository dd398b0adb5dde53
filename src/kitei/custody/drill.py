"""The restore drill: the whole restore in a temporary folder with a temporary SQLite database, proven, then removed.

It runs in a process of its own (``python -m kitei.custody FILE``) whose settings name nothing of the installation: neither
its data, nor its database, nor its storage, nor its witnesses. What it does is what ``kitei restore`` would do.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
import tempfile
import time
from dataclasses import dataclass
from pathlib import Path

from django.db.utils import Error

from kitei.custody import prove
from kitei.custody.report import Report
from kitei.foundation import transactions
from kitei.foundation.tenancy.models import Organization
from kitei.foundation.text import Message, UserError
from kitei.trust.auditlog import events
from kitei.trust.auditlog.log import Act, append
from kitei.trust.auditlog.models import Log
from kitei_verify.merkle import ProofError

OK, REFUSED = 0, 2
_KEPT = ("KITEI_LANG", "KITEI_TODAY", "KITEI_BACKUP_PASSPHRASE")


@dataclass(frozen=True)
class Drilled:
    """What a drill found: the report of the restore, how long it took (seconds)."""

    report: Report
    seconds: float

    @property
    def ok(self) -> bool:
        """Whether everything came back and was proven."""
        return not self.report.faults


def run(*, file: Path) -> Drilled:
    """Restore ``file`` elsewhere and return what was found; UserError when the file itself is refused."""
    began = time.monotonic()
    with tempfile.TemporaryDirectory(prefix="kitei-drill-") as folder:
        done = subprocess.run(
            [sys.executable, "-m", "kitei.custody", str(file.absolute())],
            env=_environment(Path(folder) / "data"),
            cwd=folder,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            check=False,
        )
    if done.returncode == REFUSED:
        raise UserError(Message.from_json(json.loads(done.stdout)))
    if done.returncode != OK:
        raise UserError(Message("復元の訓練が途中で止まりました。上の表示を確かめてください。"))
    report = Report.from_json(json.loads(done.stdout))
    _compare(report)
    return Drilled(report, round(time.monotonic() - began, 1))


def _environment(data: Path) -> dict[str, str]:
    """Return the environment without any setting of this installation."""
    kept = {name: value for name, value in os.environ.items() if not name.startswith("KITEI_") or name in _KEPT}
    # The same program, wherever this process found it.
    return {**kept, "KITEI_DATA": str(data), "PYTHONPATH": os.pathsep.join(path for path in sys.path if path)}


def _compare(report: Report) -> None:
    """Say whether the running log still begins with what the backup holds; silent where there is no running one."""
    for log in report.facts.get("logs", []):
        try:
            running = Log.objects.select_related("organization").filter(origin=log["origin"]).first()
        except Error:
            return
        if running is None:
            continue
        try:
            same = running.size >= log["size"] and prove.range_of_rows(running, log["size"]).root().hex() == log["root"]
        except ProofError:
            same = False
        if same:
            report.say(
                Message(
                    "控えの操作記録「%(origin)s」は、今の記録の先頭%(size)s件と同じです。控えの後に%(more)s件あります。",
                    {"origin": log["origin"], "size": log["size"], "more": running.size - log["size"]},
                )
            )
        else:
            report.blame(
                Message("控えの操作記録「%(origin)s」は、今の記録とつながりません。", {"origin": log["origin"]})
            )


def record(*, drilled: Drilled, actor_ref: tuple[str, str]) -> None:
    """Leave evidence in the running installation's log; opens its own transaction."""
    data = {
        "sha256": drilled.report.facts["sha256"],
        "result": "ok" if drilled.ok else "failed",
        "seconds": round(drilled.seconds),
        "rows": drilled.report.facts["rows"],
        "files": drilled.report.facts["files"],
        "faults": len(drilled.report.faults),
    }

    def work() -> None:
        for organization in Organization.objects.order_by("id"):
            append(
                organization=organization,
                act=Act(events.DRILLED, actor_ref, ("backup", data["sha256"][:16]), data=data),
            )

    transactions.durable(work)
