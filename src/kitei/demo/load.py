"""Loading the demo: the provider's history, day by day, through the same doors a company uses.

Every stop of the history is an import of what changed since the last one, with the clock set to that day; editions are
adopted when they were adopted. Each sheet is a transaction of its own, so nothing waits long for the write lock.
"""

from __future__ import annotations

import datetime as dt
import os
from collections.abc import Callable

from kitei.demo import accounts, company, documents, members
from kitei.demo.moment import Then
from kitei.demo.rights import Rights
from kitei.engine.checks import operations as checks
from kitei.foundation import clock, transactions
from kitei.foundation.sheets import spec
from kitei.foundation.sheets.grid import AttachedFile
from kitei.foundation.sheets.spec import Changes
from kitei.foundation.tenancy.models import Organization
from kitei.outcomes.regulation import coverage
from kitei.outcomes.regulation import operations as regulation
from kitei.outcomes.regulation.model_text import model_text
from kitei.registers.documents.models import Document
from kitei.registers.suppliers.models import Supplier
from kitei.trust.access import operations as access
from kitei.trust.access import rule
from kitei.trust.accounts import operations as made_accounts
from kitei.trust.accounts.models import User
from kitei.trust.auditlog import events, logs
from kitei.trust.auditlog.log import Act, append, for_process, set_context

Say = Callable[[str], None]
_OLD_CONFIRMATION = ("people.emergency-confirm-days = 90", "people.emergency-confirm-days = 180")
REFUSALS = 14


def load(*, today: dt.date, seed: int, password: str, say: Say = lambda _line: None) -> Organization:
    """Make the whole demo for ``today``; several transactions. The caller keeps track of whether it came to its end."""
    os.environ["KITEI_TODAY"] = today.isoformat()
    set_context(for_process("cli"))
    start = Then(today, today, seed)
    stops = [start.on(2025, 3, 24), start.on(2026, 4, 1), start.on(2026, 10, 23), today - dt.timedelta(days=1)]
    first, revision, autumn, last = (Then(today, day, seed) for day in stops)

    with clock.at(_instant(first.day, 9)):
        organization = transactions.durable(_create)
        users = _Users(organization)
        _import(users.machine, first)
        transactions.durable(lambda: accounts.create(organization=organization, password=password))
        organization.refresh_from_db()
    say("2025")
    with clock.at(_instant(start.on(2025, 4, 3), 10)):
        text = model_text().replace(*_OLD_CONFIRMATION)
        _adopt(users, start.on(2025, 4, 11), "第4版", "Kiteiの導入に合わせて全部を改正", text)
    with clock.at(_instant(revision.day, 8)):
        _import(users.of("0004"), revision)
    with clock.at(_instant(revision.day, 9)):
        summary = "緊急連絡網の連絡先の確認間隔を180日から90日に改めた"
        _adopt(users, start.on(2026, 4, 1), "第4.1版", summary, model_text())
    say("2026")
    rights = Rights(organization, users.of, start)
    rights.spring()
    rights.autumn()
    with clock.at(_instant(autumn.day, 16)):
        _import(users.of("0004"), autumn)
    _month_of_use(users, start)
    rights.this_week()
    with clock.at(_instant(last.day, 17)):
        _import(users.of("0004"), last)
    with clock.at(_instant(last.day, 18)):
        _accept(users, start)
    coverage.run_and_store(organization=organization, day=today)
    return organization


def _instant(day: dt.date, hour: int, minute: int = 0) -> dt.datetime:
    return dt.datetime.combine(day, dt.time(hour, minute), tzinfo=clock.TOKYO)


class _Users:
    """Who acts: the machine until there are accounts, then members with the rights of their offices."""

    def __init__(self, organization: Organization) -> None:
        self.organization = organization
        self.machine = rule.Actor("cli", "demo", organization, "cli:demo")

    def of(self, member: str) -> rule.Actor:
        """Return a member by number, as signed in."""
        mail = next(members.mail(person) for person in members.NAMED if person.code == member)
        user = User.objects.get(organization=self.organization, email=mail)
        return rule.Actor("member", str(user.id), self.organization, user.name, user.principal, user.is_administrator)


def _create() -> Organization:
    organization = Organization.objects.create(
        code=company.CODE, name=company.NAME, is_demo=True, created_at=clock.now()
    )
    machine = rule.Actor("cli", "demo", organization, "cli:demo")
    logs.open_log(organization=organization)
    append(
        organization=organization,
        act=Act(
            events.ORGANIZATION_CREATED,
            machine.ref,
            ("organization", organization.code),
            decision=made_accounts.decision_of(machine.ref),
        ),
    )
    access.root_folder(organization=organization)
    return organization


def _import(actor: rule.Actor, then: Then) -> None:
    """Bring every sheet to how the provider stood on the day, as an import of the differences."""
    organization = actor.organization
    papers = documents.all_documents(then)
    for key, rows in company.book(then).items():
        sheet = spec.get(key)
        now = sheet.existing(organization=organization, keys=None)
        added = [row for code, row in rows.items() if code not in now]
        changed = [(code, now[code], row) for code, row in rows.items() if code in now and now[code] != row]
        if not added and not changed:
            continue
        files: dict[str, AttachedFile] = {}
        if key == "document":
            fresh = {row["code"] for row in added}
            fresh |= {code for code, before, after in changed if before["file_name"] != after["file_name"]}
            files = {
                entry.file_name: _attached(entry) for code, entry in papers.items() if code in fresh and entry.paper
            }
        changes = Changes(added=added, changed=changed, files=files)
        transactions.durable(lambda: sheet.apply(actor=actor, organization=organization, changes=changes))  # noqa: B023  called at once


def _attached(entry: documents.Document) -> AttachedFile:
    content = entry.content()
    return AttachedFile(entry.file_name, len(content), lambda: content)


def _adopt(users: _Users, effective_on: dt.date, label: str, summary: str, text: str) -> None:
    organization = users.organization
    actor = users.of("0002")
    transactions.durable(lambda: regulation.put_draft(actor=actor, organization=organization, text=text))
    prepared = regulation.prepare_model(
        organization=organization, effective_on=effective_on, summary=summary, approved_by="取締役会", label=label
    )
    transactions.durable(lambda: regulation.adopt(actor=actor, prepared=prepared))


def _month_of_use(users: _Users, start: Then) -> None:
    """Log-ins and refused acts of the past month, in the order they happened."""
    organization = users.organization
    chance = start.chance("use")
    papers = list(
        Document.objects.filter(
            organization=organization, code__in=["CON-M001", "CON-M002", "CON-V01", "DIA-01", "MEM-M003"]
        )
        .order_by("code")
        .values_list("id", flat=True)
    )
    people = [users.of(entry.member) for entry in accounts.ACCOUNTS]
    staff, auditor = users.of("0009"), users.of("0006")
    begin = start.on(2026, 10, 24)
    moments = sorted(
        (
            _instant(begin + dt.timedelta(days=chance.randrange(27)), chance.randrange(8, 20), chance.randrange(60)),
            number,
        )
        for number in range(REFUSALS + 40)
    )

    def work() -> None:
        for moment, number in moments:
            with clock.at(moment):
                if number >= REFUSALS:
                    _log_in(organization, people[number % len(people)])
                elif number % 5 == 4:  # noqa: PLR2004  the auditor may read everything and change nothing
                    _refuse(auditor, rule.EDIT, rule.Target("equipment", organization=organization))
                else:
                    paper = str(papers[number % len(papers)])
                    _refuse(staff, rule.DOWNLOAD, rule.Target("document", paper, organization=organization))

    transactions.durable(work)


def _log_in(organization: Organization, actor: rule.Actor) -> None:
    append(organization=organization, act=Act(events.LOGIN, actor.ref, ("account", actor.id)))


def _refuse(actor: rule.Actor, action: str, target: rule.Target) -> None:
    decision = rule.decide(actor, action, target)
    access.record_refusal(refused=rule.Refused(actor, action, target, decision))


def _accept(users: _Users, start: Then) -> None:
    """One finding somebody answers for: the cloud that never tells whether it sub-contracts further."""
    cloud = Supplier.objects.get(organization=users.organization, code="V-04")
    transactions.durable(
        lambda: checks.accept_finding(
            actor=users.of("0002"),
            organization=users.organization,
            finding=f"suppliers.onward-unknown:supplier:{cloud.pk}",
            reason="事業者が個別の照会に回答しない方針であるため。保存する情報は当社の鍵で暗号化しており、公開資料を半年ごとに確認する。",
            until=start.on(2027, 2, 28),
        )
    )
