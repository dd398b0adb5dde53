"""init, adopt, upgrade."""

from __future__ import annotations

import argparse
import os
import re
import secrets
from pathlib import Path

from django.conf import settings
from django.core.management import call_command
from django.db import connection
from django.utils.translation import gettext as _

from kitei.commands import who_acts
from kitei.custody import make, target
from kitei.foundation import clock, transactions
from kitei.foundation.dates.japanese import format_date
from kitei.foundation.tenancy.models import CODE_PATTERN, Organization
from kitei.foundation.text import Message, UserError
from kitei.outcomes.regulation import operations as regulation
from kitei.outcomes.regulation.models import Edition
from kitei.registers.people import operations as people
from kitei.trust.access import operations as access
from kitei.trust.access.rule import Actor
from kitei.trust.accounts import operations as accounts
from kitei.trust.auditlog import events, logs, triggers
from kitei.trust.auditlog.log import Act, append, for_process, set_context
from kitei.web.accounts import alerts


def prepare_data() -> None:
    """Make the data folder with its secret key (0600) and bring the database to this version; idempotent."""
    target.refuse_unfinished()
    data: Path = settings.DATA
    data.mkdir(parents=True, exist_ok=True)
    data.chmod(0o700)
    key = data / "secret-key"
    if not key.exists():
        # Written aside and then linked: a kill leaves no half key, and of two commands started at once the first one's stands.
        aside = data / f".secret-key.{os.getpid()}"
        aside.touch(0o600)
        aside.write_text(secrets.token_urlsafe(48))
        try:
            key.hardlink_to(aside)
        except FileExistsError:
            pass
        finally:
            aside.unlink()
        settings.SECRET_KEY = key.read_text()
    call_command("migrate", verbosity=0, interactive=False)


def init(options: argparse.Namespace) -> None:
    """Make the organization, its first administrator with a one-time code, and the model regulation as a draft."""
    if options.invite:
        _invite(options)
        return
    if not re.match(CODE_PATTERN, options.code):
        raise UserError(
            Message(
                "組織コード「%(code)s」は使えません。英小文字、数字、- で40字までにしてください。",
                {"code": options.code},
            )
        )
    if not options.name.strip():
        raise UserError(Message("会社名を書いてください。"))
    prepare_data()
    set_context(for_process("cli"))
    code = transactions.durable(
        lambda: create_organization(name=options.name.strip(), code=options.code, mail=options.admin)
    )
    address = settings.PUBLIC_URL or "http://localhost:8000"
    print(_("準備ができました: %(name)s（%(code)s）") % {"name": options.name.strip(), "code": options.code})
    print(_("次の手順"))
    print("  1. kitei serve")
    print(
        _("  2. %(url)s を開き、メールアドレス %(mail)s と次のコードでパスワードを決める")
        % {"url": f"{address}/start", "mail": options.admin}
    )
    print(f"     {code}")
    print(_("     （コードは3日間、1回だけ使えます）"))
    print(_("  3. kitei export --template 台帳.xlsx で台帳のひな形を作り、記入して kitei import 台帳.xlsx で試す"))


def _invite(options: argparse.Namespace) -> None:
    """Give somebody a one-time code from the console: for the day the only administrator is gone (docs/operate)."""
    organization = who_acts.organization(options)
    actor = who_acts.actor(options, organization)

    def work() -> str:
        code = accounts.invite_administrator(actor=actor.ref, organization=organization, email=options.admin)
        people.link_accounts(actor=actor, organization=organization)
        alerts.tell(organization=organization)
        return code

    code = transactions.durable(work)
    address = settings.PUBLIC_URL or "http://localhost:8000"
    print(
        _("%(url)s を開き、メールアドレス %(mail)s と次のコードでパスワードを決めてください。")
        % {"url": f"{address}/start", "mail": options.admin}
    )
    print(f"     {code}")
    print(_("     （コードは3日間、1回だけ使えます）"))


def create_organization(*, name: str, code: str, mail: str) -> str:
    """Make everything ``init`` promises in the caller's transaction; return the administrator's one-time code."""
    if Organization.objects.filter(code=code).exists():
        raise UserError(Message("組織「%(code)s」はすでにあります。", {"code": code}))
    organization = Organization.objects.create(code=code, name=name, created_at=clock.now())
    actor = Actor("cli", "init", organization)
    logs.open_log(organization=organization)
    created = Act(
        events.ORGANIZATION_CREATED, actor.ref, ("organization", code), decision=accounts.decision_of(actor.ref)
    )
    append(organization=organization, act=created)
    access.root_folder(organization=organization)
    user = accounts.create_user(
        actor=actor.ref, organization=organization, email=mail, name=mail.partition("@")[0], is_administrator=True
    )
    regulation.put_draft(actor=actor, organization=organization)
    return accounts.issue_code(user=user, actor=actor.ref)


def adopt(options: argparse.Namespace) -> None:
    """Put the draft, or the company's own file, into force."""
    organization = who_acts.organization(options)
    actor = who_acts.actor(options, organization)
    effective_on = who_acts.date_of(options.effective, option="--effective")
    if options.file:
        path = Path(options.file)
        prepared = regulation.prepare_own(
            organization=organization,
            effective_on=effective_on,
            file_name=path.name,
            content=path.read_bytes(),
            label=options.edition,
            summary=options.summary,
            approved_by=options.approved_by,
        )
    else:
        prepared = regulation.prepare_model(
            organization=organization,
            effective_on=effective_on,
            summary=options.summary,
            approved_by=options.approved_by,
            label=options.edition,
        )
    edition: Edition = transactions.durable(lambda: regulation.adopt(actor=actor, prepared=prepared))
    facts = {
        "label": edition.label,
        "day": format_date(edition.effective_on, era=organization.era_dates),
        "count": len(edition.articles),
    }
    if edition.effective_on > clock.today():
        print(_("%(label)sを登録しました。%(day)sに施行されます（%(count)s条）。") % facts)
    else:
        print(_("%(label)sを施行しました（施行日 %(day)s、%(count)s条）。") % facts)


def upgrade(options: argparse.Namespace) -> None:
    """Back up database and log, migrate, and verify that the log's triggers stand and the database is sound."""
    made = _backup_before()
    prepare_data()
    if made is not None:
        set_context(for_process("cli"))
        make.record(made=made, actor_ref=("cli", who_acts.user_name()))
    missing = triggers.missing()
    if missing:
        raise UserError(Message("操作記録を守る仕組みがありません（%(names)s）。", {"names": "、".join(missing)}))
    if connection.vendor == "sqlite":
        with connection.cursor() as cursor:
            cursor.execute("PRAGMA quick_check")
            answer = cursor.fetchone()[0]
        if answer != "ok":
            raise UserError(
                Message("データベースが壊れています（%(answer)s）。控えから戻してください。", {"answer": answer})
            )
    for organization in Organization.objects.order_by("id"):
        if logs.current(organization) is None:
            # From before the log had a tree: what was recorded until now enters it in the order it was recorded.
            transactions.durable(lambda organization=organization: logs.open_log(organization=organization))  # type: ignore[misc]
    print(_("更新が終わりました。"))


def _backup_before() -> make.Made | None:
    """Back up what an upgrade changes, without the stored files, which it never touches; None while there is nothing."""
    if connection.vendor == "sqlite" and not Path(settings.DATABASES["default"]["NAME"]).exists():
        return None
    if "tenancy_organization" not in connection.introspection.table_names():
        return None
    folder = settings.DATA / "backup"
    folder.mkdir(mode=0o700, exist_ok=True)
    made = make.make(target=folder / f"before-upgrade-{clock.now():%Y%m%dT%H%M%S%fZ}.kitei-backup", with_files=False)
    print(_("控え: %(path)s") % {"path": made.path})
    return made
