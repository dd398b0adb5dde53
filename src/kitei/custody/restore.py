"""Restoring a backup: verify it, rebuild database, files and log, decide whether the log goes on, prove everything.

Nothing is changed before the whole file is verified, the keys in it are open, and the target is known to be empty. From
then on ``target``'s mark stands until the end, so a restore is complete or is done again (``reached`` marks the points at
which tests kill it).
"""

from __future__ import annotations

import datetime as dt
import secrets
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from django.conf import settings
from django.core.files.base import ContentFile
from django.core.files.storage import storages
from django.core.management import call_command

from kitei.custody import continuing, make, prove, sealing, tables, target
from kitei.custody.container import Reader
from kitei.custody.report import Report
from kitei.foundation import clock, transactions
from kitei.foundation.files import store as file_store
from kitei.foundation.tenancy.models import Organization
from kitei.foundation.text import Message, UserError
from kitei.registers.people import erasure as person_erasure
from kitei.trust.auditlog import erasure as erasure_list
from kitei.trust.auditlog import events, logs, sequencer, triggers
from kitei.trust.auditlog.log import Act, append
from kitei.trust.auditlog.models import Event, Log

Passphrase = Callable[[], str | None]
"""Asks for the pass phrase of the keys in the backup; None leaves them where they are."""


@dataclass
class _Plan:
    """What a restore knows before it changes anything."""

    backup: Reader
    models: list[Any]
    secrets: dict[str, bytes] = field(default_factory=dict)
    last: continuing.KnownHead | None = None

    @property
    def manifest(self) -> dict[str, Any]:
        return self.backup.manifest


def reached(step: str) -> None:
    """Do nothing: tests stop a restore here."""


def run(*, file: Path, passphrase: Passphrase, actor_ref: tuple[str, str], last: Path | None = None) -> Report:
    """Restore ``file`` into the data folder and database of the settings and return what was found.

    Raises UserError with nothing changed when the file is damaged, the pass phrase wrong, ``last`` no head of this log,
    or the target not empty; OSError or a database error in the middle leaves the mark, and the next run begins again.
    """
    with Reader(file) as backup:
        plan = _plan(backup, passphrase, last)
        target.prepare(file=file, sha256=backup.sha256)
        reached("marked")
        report = Report(facts={"sha256": backup.sha256, "bytes": backup.bytes})
        _database(plan, report)
        _files(plan, report)
        _folders(plan)
        reached("files")
        contained = _go_on(plan, report, actor_ref)
        reached("log")
        _prove(report, plan.manifest["logs"])
    for kept in target.finish(log_contained=contained):
        report.say(
            Message(
                "復元の前にここにあったもののうち、戻したものと違うものを %(path)s に残しました。", {"path": str(kept)}
            )
        )
    return report


def _plan(backup: Reader, passphrase: Passphrase, last: Path | None) -> _Plan:
    """Everything that can be refused, is refused here."""
    manifest = backup.manifest
    tables.check_known(manifest["migrations"])
    models = tables.models_at(manifest["migrations"])
    if {tables.label(model): tables.columns(model) for model in models} != {
        name: table["columns"] for name, table in manifest["tables"].items()
    }:
        raise backup.broken("tables")
    plan = _Plan(backup, models)
    if last is not None:
        plan.last = continuing.in_file(last)
        origins = [log["origin"] for log in manifest["logs"]]
        if not any(plan.last.origin == origin or plan.last.origin.startswith(f"{origin}/g") for origin in origins):
            raise UserError(
                Message(
                    "「%(file)s」は、この控えの操作記録のチェックポイントではありません（%(origin)s）。何も変えていません。",
                    {"file": str(last), "origin": plan.last.origin},
                )
            )
    if manifest["keys"]:
        given = passphrase()
        if given is not None:
            plan.secrets = sealing.unseal(backup.read("keys.sealed"), given)
    return plan


def _database(plan: _Plan, report: Report) -> None:
    manifest = plan.manifest
    tables.build(manifest["migrations"])
    reached("schema")

    def work() -> int:
        tables.empty(plan.models)
        count = 0
        for model in plan.models:
            table = manifest["tables"][tables.label(model)]
            loaded = sum(tables.load(model, plan.backup.read(name)) for name in table["parts"])
            if loaded != table["rows"]:
                raise plan.backup.broken(tables.label(model))
            count += loaded
        tables.finish(plan.models)
        return count

    count = transactions.durable(work)
    reached("rows")
    call_command("migrate", verbosity=0, interactive=False)
    if triggers.missing():
        raise RuntimeError("the log's triggers are missing after the migration")
    report.facts["rows"] = count
    report.say(
        Message(
            "控え: %(made)s に取ったもの（Kitei %(version)s）",
            {"made": _moment(manifest["made_at"]), "version": manifest["kitei"]},
        )
    )
    report.say(
        Message(
            "データベース: %(organizations)s、表 %(tables)s、行 %(rows)s",
            {
                "organizations": "、".join(row["name"] for row in manifest["organizations"]),
                "tables": len(plan.models),
                "rows": f"{count:,}",
            },
        )
    )
    for fault in manifest["faults"]:
        report.blame(Message("控えを取ったときから: %(fault)s", {"fault": Message.from_json(fault)}))


def _moment(text: str) -> str:
    return f"{dt.datetime.fromisoformat(text).astimezone(clock.TOKYO):%Y-%m-%d %H:%M}"


def _files(plan: _Plan, report: Report) -> None:
    """Put every file back and read it again from where it is now."""
    count = 0
    for name in plan.backup.names(lambda name: name.startswith("files/")):
        digest = name.rpartition("/")[2]
        content = plan.backup.read(name)
        file_store.write(digest=digest, content=content)
        try:
            file_store.read(digest)
        except UserError:
            # Something else stood there under this name already.
            storages["files"].delete(make.part_of(digest))
            storages["files"].save(make.part_of(digest), ContentFile(content))
        count += 1
    report.facts["files"] = count
    if plan.manifest["files"].get("left_out"):
        report.say(
            Message("この控えには、文書などのファイルが入っていません（更新前の控え）。ここにある files/ を使います。")
        )


def _folders(plan: _Plan) -> None:
    """Put back log folders, erasures, keys and the secret key; what the target had of the last three is respected."""
    data: Path = settings.DATA
    for name in plan.backup.names(lambda name: name.startswith("log/")):
        target.put(_inside(data, name), plan.backup.read(name))
    for name in plan.backup.names(lambda name: name.startswith("erasures/")):
        _add_erasures(_inside(data, name), plan.backup.read(name).splitlines())
    before = data / f"keys{target.ASIDE}"
    found = {f"keys/{path.name}": path.read_bytes() for path in before.glob("*.skey")} | plan.secrets
    for name, content in found.items():
        if name.startswith("keys/") and make.is_key_name(name.removeprefix("keys/")):
            (data / "keys").mkdir(mode=0o700, exist_ok=True)
            target.write_durably(data / name, content)
    if not (data / "secret-key").exists():
        target.write_durably(data / "secret-key", found.get("secret-key", secrets.token_urlsafe(48).encode()))
    if plan.manifest["install_id"] and not (data / "install-id").exists():
        target.write_durably(data / "install-id", f"{plan.manifest['install_id']}\n".encode())


def _add_erasures(place: Path, lines: list[bytes]) -> None:
    """Add lines to a list of erasures that may be there already; every line stands once."""
    present = place.read_bytes().splitlines() if place.exists() else []
    if not set(lines) <= set(present):
        target.write_durably(place, b"".join(line + b"\n" for line in dict.fromkeys([*present, *lines])))


def _inside(data: Path, name: str) -> Path:
    """Return the place of a part below the data folder; no name of a backup ever leads out of it."""
    path = data.joinpath(*name.split("/"))
    if any(part in {"", ".", ".."} or part.startswith(".") or "\\" in part or ":" in part for part in name.split("/")):
        raise UserError(Message("控えの中に、使えない名前があります（%(name)s）。", {"name": name}))
    return path


def _go_on(plan: _Plan, report: Report, actor_ref: tuple[str, str]) -> bool:
    """Erase again, decide about each log, record the restore, and let the sequencer publish.

    Returns whether every log goes on: then all heads known before are contained in what is there now.
    """
    contained = True
    for organization in Organization.objects.order_by("id"):
        facts: dict[str, Any] = {
            "sha256": plan.backup.sha256,
            "made_at": plan.manifest["made_at"],
            "rows": report.facts["rows"],
            "files": report.facts["files"],
        }
        log = logs.current(organization)
        erased = _erase_again(organization, [])
        if log is not None:
            outcome, more = _judge(plan, log, report)
            erased += more
            facts |= {"lost": outcome.lost, "salvaged": outcome.salvaged, "anew": outcome.ends}
            if outcome.ends:
                log = continuing.begin_anew(log, beyond=outcome.beyond)
            facts["origin"] = log.origin
            contained = contained and not outcome.ends
            _tell(report, log, outcome)
        if erased:
            report.say(Message("控えの後に消した個人の情報を、%(count)s人分もう一度消しました。", {"count": erased}))
        transactions.durable(
            lambda organization=organization, data=facts | {"erased": erased}: append(  # type: ignore[misc]
                organization=organization,
                act=Act(events.RESTORED, actor_ref, ("backup", plan.backup.sha256[:16]), data=data),
            )
        )
        reached("decided")
        if log is not None:
            sequencer.run(organization=organization)
    return contained


def _erase_again(organization: Organization, lines: list[bytes]) -> int:
    """Carry out the erasures of the list, and of these lines, that the restored database does not know."""
    _add_erasures(erasure_list.list_path(organization), lines)
    erasure_list.leave_no_remains()
    count = transactions.durable(lambda: person_erasure.reapply(organization))
    if count:
        erasure_list.flush_remains()
    return count


def _judge(plan: _Plan, log: Log, report: Report) -> tuple[continuing.Outcome, int]:
    """Prove the log as it came back and decide whether it goes on; also return how many erasures that brought."""
    code = log.organization.code
    faults = []
    for each in Log.objects.select_related("organization").filter(organization=log.organization):
        faults += prove.log_faults(each, logs.folder_of(each))
    for fault in faults:
        report.blame(fault)
    known = continuing.from_witnesses(log.organization, log.origin)
    known.heads += continuing.in_folders(settings.DATA / f"log{target.ASIDE}", code)
    if plan.last is not None:
        known.heads.append(plan.last)
    erased: list[int] = []
    outcome = continuing.decide(
        log=log,
        known=known,
        whole=not faults,
        erase=lambda lines: erased.append(_erase_again(log.organization, lines)),
    )
    return outcome, sum(erased)


def _tell(report: Report, log: Log, outcome: continuing.Outcome) -> None:
    code = log.organization.code
    report.lines += outcome.lines
    if outcome.salvaged:
        report.say(
            Message(
                "控えより後の操作記録%(count)s件を、ここにあった記録から戻しました。台帳は控えの時点のままです。",
                {"count": outcome.salvaged},
            )
        )
    if not outcome.ends:
        report.say(Message("操作記録「%(origin)s」は、同じ名前で続きます。", {"origin": log.origin}))
        return
    for reason in outcome.reasons:
        report.say(reason)
    if outcome.lost:
        report.say(Message("失われた操作記録: 少なくとも%(count)s件", {"count": outcome.lost}))
    report.say(
        Message(
            "操作記録は、新しい世代「%(origin)s」として始まりました。最初の1件が、戻した記録の最後を示します。"
            "検証鍵（%(file)s）を、外で預かる人に渡してください。",
            {"origin": log.origin, "file": f"log/{code}/log.vkey"},
        )
    )


def _prove(report: Report, backed_up: list[dict[str, Any]]) -> None:
    """Prove what stands now: every log by the auditor's verifier, every row of it, every file."""
    total = 0
    for log in Log.objects.select_related("organization").order_by("organization_id", "generation"):
        faults = prove.log_faults(log, logs.folder_of(log))
        head = sequencer.newest_head(log)
        for fault in faults:
            if fault not in report.faults:
                report.blame(fault)
        total += head.size if head else 0
        if not faults and head is not None:
            report.say(
                Message(
                    "操作記録「%(origin)s」: %(size)s件。署名、ファイル、データベースの行が一致しました。",
                    {"origin": log.origin, "size": f"{head.size:,}"},
                )
            )
    for fault in prove.file_faults():
        if fault not in report.faults:
            report.blame(fault)
    report.facts["events"] = total
    report.facts["logs"] = [
        {"origin": log["origin"], "size": log["size"], "root": log["root"]} for log in backed_up if log["size"]
    ]
    report.say(
        Message("文書などのファイル: %(count)s個。内容が保存時と一致しました。", {"count": report.facts["files"]})
    )
    last = Event.objects.exclude(name__in=[events.RESTORED.name, events.LOG_OPENED.name]).order_by("-at").first()
    if last is not None:
        report.say(
            Message(
                "戻ったのは %(moment)s までです。その後に行ったことは、記録し直してください。",
                {"moment": _moment(last.at.isoformat())},
            )
        )
