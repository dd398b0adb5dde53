"""backup, restore, restore --drill."""

from __future__ import annotations

import argparse
import getpass
import os
import sys
from pathlib import Path

from django.utils.translation import gettext as _

from kitei.commands import FAILED, who_acts
from kitei.custody import drill, make, sealing, target
from kitei.custody import restore as restoring
from kitei.custody.report import Report
from kitei.foundation.tenancy.models import Organization
from kitei.foundation.text import Message, UserError
from kitei.trust.access import rule
from kitei.trust.auditlog.log import for_process, set_context

PASSPHRASE = "KITEI_BACKUP_PASSPHRASE"  # noqa: S105  the name of a variable


def backup(options: argparse.Namespace) -> int:
    """Write one backup file and leave evidence; exit 1 when something could not be copied into it."""
    actor_ref = _actor(options)
    passphrase = _new_passphrase() if options.with_keys else None
    made = make.make(target=Path(options.file), passphrase=passphrase)
    make.record(made=made, actor_ref=actor_ref)
    print(
        _("控え: %(path)s（%(size)s MB、行 %(rows)s、ファイル %(files)s）")
        % {
            "path": made.path,
            "size": f"{made.bytes / 1_000_000:,.1f}",
            "rows": f"{made.rows:,}",
            "files": f"{made.files:,}",
        }
    )
    print(f"SHA-256: {made.sha256}")
    if passphrase is None:
        print(_("鍵は入っていません（--with-keys）。鍵のない控えから戻すと、操作記録は新しい世代になります。"))
    for fault in made.faults:
        sys.stderr.write(f"{fault.render()}\n")
    if made.faults:
        sys.stderr.write(_("控えは取りましたが、上のものが入っていません。") + "\n")
    return FAILED if made.faults else 0


def restore(options: argparse.Namespace) -> int:
    """Restore a backup, or only try it (``--drill``); exit 1 when something did not come back as it was."""
    if options.drill:
        return _drill(options)
    set_context(for_process("cli"))
    report = restoring.run(
        file=Path(options.file),
        passphrase=_known_passphrase,
        last=Path(options.last) if options.last else None,
        actor_ref=("cli", who_acts.user_name()),
    )
    _show(report)
    print(_("復元が終わりました。kitei doctor と kitei verify で確かめてから、kitei serve で動かしてください。"))
    return FAILED if report.faults else 0


def _drill(options: argparse.Namespace) -> int:
    actor_ref = _actor(options)
    drilled = drill.run(file=Path(options.file))
    drill.record(drilled=drilled, actor_ref=actor_ref)
    _show(drilled.report)
    print(_("訓練にかかった時間: %(seconds)s秒。試した場所は消しました。") % {"seconds": drilled.seconds})
    return 0 if drilled.ok else FAILED


def _actor(options: argparse.Namespace) -> tuple[str, str]:
    """Return who acts, who must be allowed to take out everything; the backup holds every organization."""
    target.refuse_unfinished()
    first = Organization.objects.order_by("id").first()
    if first is None:
        raise UserError(Message("組織がまだありません。先に kitei init を行ってください。"))
    organization = who_acts.organization(options) if options.org else first
    actor = who_acts.actor(options, organization)
    rule.require(actor, rule.MANAGE, rule.Target("backup", organization=organization))
    return actor.ref


def _show(report: Report) -> None:
    for line in report.lines:
        print(line.render())
    for fault in report.faults:
        sys.stderr.write(_("誤り: %(fault)s") % {"fault": fault.render()} + "\n")


def _new_passphrase() -> str:
    """Return the pass phrase of the environment, or one typed twice."""
    given = os.environ.get(PASSPHRASE, "")
    if not given:
        _need_terminal()
        given = getpass.getpass(_("控えのパスワード（15文字以上。失うと鍵を戻せません）: "))
        sealing.check_passphrase(given)
        if getpass.getpass(_("もう一度: ")) != given:
            raise UserError(Message("2回の入力が違います。何も書いていません。"))
    sealing.check_passphrase(given)
    return given


def _known_passphrase() -> str | None:
    """Return the pass phrase of the backup's keys; None when the person goes on without them."""
    given = os.environ.get(PASSPHRASE, "")
    if not given:
        _need_terminal()
        given = getpass.getpass(_("控えのパスワード（空のままなら、鍵なしで復元します）: "))
    return given or None


def _need_terminal() -> None:
    if not sys.stdin.isatty():
        raise UserError(
            Message("控えのパスワードがいります。端末で行うか、KITEI_BACKUP_PASSPHRASE に設定してください。")
        )
