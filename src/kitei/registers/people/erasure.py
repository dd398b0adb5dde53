"""Erasing a person who has left: what goes, what stays until when, and why (docs/decisions/0013-erasure.md).

Identity rows, dates and codes stay: who held an office on day X remains answerable, by code instead of by name. This is the
one allowed exception to "nothing that was in force is overwritten": the personal columns of dated rows are overwritten, in
voided rows too, and nothing else of them. The groups:

``contacts``  private telephone, mail address, call order   as soon as the person has left
``account``   log-in, pass word, one-time codes             as soon as the person has left
``names``     name, kana, title, certificates, free text    after the years of ``PEOPLE_YEARS``
``openings``  what opens commitments of the log             each event after the years of ``LOG_YEARS``
``identity``  name and mail address of the account          when no event of it is younger than that
"""

from __future__ import annotations

import datetime as dt
import uuid
from collections.abc import Collection, Mapping
from dataclasses import dataclass, field, replace
from typing import Any

from django.db.models import Max, Q

from kitei.engine.checks.model import Provision
from kitei.foundation import clock, transactions
from kitei.foundation.tenancy.models import Organization
from kitei.foundation.text import Message, UserError
from kitei.registers.people import erasing, models, naming, queries
from kitei.registers.people.erasing import Line
from kitei.trust.access import rule
from kitei.trust.access.models import Membership
from kitei.trust.accounts import closing
from kitei.trust.accounts.models import User
from kitei.trust.auditlog import erasure as auditlog
from kitei.trust.auditlog.erasure import ERASED
from kitei.trust.auditlog.events import PERSON_ERASED
from kitei.trust.auditlog.log import Act, append
from kitei.trust.auditlog.models import Event, Opening

PEOPLE_YEARS = Provision("people.retention-years", 5, "年")
LOG_YEARS = Provision("documents.log-retention-years", 5, "年")
"""Used while no edition in force states a provision with these keys (Kitei's recommendation)."""


@dataclass(frozen=True)
class ErasurePlan:
    """What an erasure does today. With ``refusals`` nothing is erased at all."""

    organization: Organization
    member: uuid.UUID
    code: str
    name: str
    today: dt.date
    provisions: Mapping[str, Provision]
    refusals: tuple[Message, ...] = ()
    groups: frozenset[str] = frozenset()
    goes: tuple[Line, ...] = ()
    stays: tuple[Line, ...] = ()
    never: tuple[Line, ...] = ()
    openings_before: dt.datetime | None = None
    copies_before: dt.date | None = None


@dataclass
class _Found:
    """Counts and dates gathered for a plan."""

    organization: Any
    member: uuid.UUID
    today: dt.date
    accounts: list[User]
    person: naming.Person
    shared: naming.Person
    groups: set[str] = field(default_factory=set)
    goes: list[Line] = field(default_factory=list)
    stays: list[Line] = field(default_factory=list)
    never: list[Line] = field(default_factory=list)

    @property
    def ids(self) -> list[str]:
        return [str(self.member), *(str(user.id) for user in self.accounts)]

    def put(
        self,
        group: str,
        what: Message,
        count: int,
        *,
        until: dt.date | None,
        why: Message,
        places: Collection[str] = (),
    ) -> None:
        """Sort one kind of data by its day: it goes once that day is over."""
        if not count:
            return
        listed = tuple(sorted(places))
        if until is None or self.today > until:
            self.groups.add(group)
            self.goes.append(Line(what, count, places=listed))
        else:
            self.stays.append(Line(what, count, why, until, listed))


def plan(
    *,
    actor: rule.Actor,
    organization: Organization,
    code: str,
    today: dt.date,
    provisions: Mapping[str, Provision] | None = None,
) -> ErasurePlan:
    """Return what erasing the member with ``code`` would do on ``today``; changes nothing.

    ``provisions`` are those of the edition in force. UserError for an unknown code, Refused without an officer's right.
    """
    provisions = {**{value.key: value for value in (PEOPLE_YEARS, LOG_YEARS)}, **(provisions or {})}
    rule.require(actor, rule.MANAGE, rule.Target("member", organization=organization))
    member = models.Member.objects.filter(organization=organization, code=code).first()
    if member is None:
        raise UserError(
            Message("社員番号「%(code)s」の構成員はいません。kitei export で番号を確かめてください。", {"code": code})
        )
    found, state = _found(organization, member.id, today)
    empty = ErasurePlan(organization, member.id, code, state.full_name if state else "", today, provisions)
    refusals = _refusals(found, state)
    if refusals:
        return replace(empty, refusals=refusals)
    years, log_years = provisions[PEOPLE_YEARS.key], provisions[LOG_YEARS.key]
    openings_before = clock.start_of(_add_years(today, -int(log_years.value)))
    copies_before = _add_years(today, -int(years.value))
    last = max(
        [*_last_days(organization, member.id), *([state.left_on] if state and state.left_on else [])], default=today
    )
    kept = Message("退職又は最後の任命の終了から%(years)s年（%(basis)s）", _of(years))
    log_kept = Message("操作記録の保存期間%(years)s年（%(basis)s）", _of(log_years))
    _plan_contacts(found)
    names_until = _plan_openings(found, openings_before, int(log_years.value), log_kept)
    names_until = max(_add_years(last, int(years.value)), names_until or last)
    _plan_names(found, names_until, kept)
    _plan_identity(found, names_until, int(log_years.value), log_kept)
    _plan_copies(found, int(years.value), copies_before, names_due="names" in found.groups)
    return replace(
        empty,
        groups=frozenset(found.groups),
        goes=tuple(found.goes),
        stays=tuple(found.stays),
        never=tuple(found.never),
        openings_before=openings_before,
        copies_before=copies_before,
    )


def erase(*, actor: rule.Actor, plan: ErasurePlan) -> Event | None:
    """Carry out a plan just made and append ``person:erase``; joins the caller's transaction.

    None when nothing is left to erase. UserError when by now the person holds a role or is with the company. The caller
    calls ``auditlog.erasure.complete_list`` after the commit.
    """
    transactions.require()
    organization, member = plan.organization, plan.member
    decision = rule.require(actor, rule.MANAGE, rule.Target("member", str(member), organization))
    organization.hold()
    found, state = _found(organization, member, plan.today)
    refusals = _refusals(found, state)
    if refusals:
        raise UserError(refusals[0])
    if not plan.groups or plan.openings_before is None or plan.copies_before is None:
        return None
    data: dict[str, Any] = {
        "member": str(member),
        "accounts": [str(user.id) for user in found.accounts],
        "groups": sorted(plan.groups),
        "openings_before": plan.openings_before.isoformat(),
        "copies_before": plan.copies_before.isoformat(),
    }
    # The plan was made outside: looking through every table again would hold SQLite's write lock for too long.
    data["counts"] = erasing.apply(organization=organization, data=data, recorded_by=None)
    if not any(data["counts"].values()):
        return None
    return append(
        organization=organization,
        act=Act(PERSON_ERASED, actor.ref, ("member", str(member)), data=data, decision=decision.recorded),
    )


def refusal(plan: ErasurePlan) -> Message:
    """Return the sentence for a plan that is refused: the first of its reasons."""
    return plan.refusals[0]


def reapply(organization: Organization) -> int:
    """Erase again what the outside list says was erased and this (restored) database does not know; return how many.

    Joins the caller's transaction. Only rows recorded before the erasure are touched, and an erasure the database knows is
    not repeated, so a person who came back later keeps what was recorded since. Idempotent.
    """
    transactions.require()
    known = auditlog.carried_out(organization)
    done = 0
    for entry in auditlog.read_list(organization):
        data = entry["data"]
        member = models.Member.objects.filter(organization=organization, id=uuid.UUID(data["member"])).first()
        if entry["id"] in known or member is None:
            continue
        counts = erasing.apply(organization=organization, data=data, recorded_by=dt.datetime.fromisoformat(entry["at"]))
        again = {**data, "counts": counts, "original": entry["id"]}
        append(
            organization=organization,
            act=Act(
                PERSON_ERASED,
                ("worker", "restore"),
                ("member", str(member.id)),
                data=again,
                decision={"allowed": True, "reasons": ["face:worker"]},
            ),
        )
        known.add(entry["id"])
        done += 1
    return done


def _found(organization: Organization, member: uuid.UUID, today: dt.date) -> tuple[_Found, models.MemberState | None]:
    state = queries.names(organization=organization, day=today, member_ids=[member]).get(member)
    known = erasing.known_as(organization, member)
    return _Found(organization, member, today, erasing.accounts_of(member), *known), state


def _refusals(found: _Found, state: models.MemberState | None) -> tuple[Message, ...]:
    """Why nothing of the person may go: an office, a right or the employment still runs, or nobody else could manage."""
    running = (
        models.Appointment.objects.filter(
            organization=found.organization, member_id__in=[found.member], voided_at__isnull=True
        )
        .filter(Q(valid_until__isnull=True) | Q(valid_until__gt=found.today))
        .order_by("code")
    )
    refusals = [
        Message(
            "任命「%(code)s」が終わっていないため、何も消しませんでした。シート「任命」に終了日を記入して取り込んでください。",
            {"code": appointment.code},
        )
        for appointment in running[:3]
    ]
    if state is not None and (state.left_on is None or state.left_on >= found.today):
        refusals.append(
            Message(
                "社員番号「%(code)s」の人は在籍しているため、何も消しませんでした。退職していれば、シート「構成員」に退職日を記入して取り込み、退職日の翌日以後に行ってください。",
                {"code": state.code},
            )
        )
    rights = Membership.objects.filter(principal=found.member, kind="role", voided_at__isnull=True)
    if not refusals and rights.filter(Q(ends_at__isnull=True) | Q(ends_at__gt=clock.now())).exists():
        refusals.append(
            Message("役割による権限が続いているため、何も消しませんでした。任命の終了日を確かめてください。")
        )
    administrators = User.objects.filter(organization=found.organization, is_administrator=True, is_active=True)
    mine = {user.id for user in found.accounts}
    others = administrators.exclude(id__in=mine)
    if administrators.filter(id__in=mine).exists() and not others.exists():
        refusals.append(
            Message(
                "この人は最後の管理者なので、何も消しませんでした。先に kitei init --invite --admin で別の人を管理者にしてください。"
            )
        )
    return tuple(refusals)


def _plan_contacts(found: _Found) -> None:
    now = Message("退職したため")
    contacts = models.EmergencyContactState.objects.filter(
        organization=found.organization, member_id__in=[found.member]
    )
    states = models.MemberState.objects.filter(organization=found.organization, of_id__in=[found.member])
    for what, count in (
        (Message("緊急連絡網の電話番号"), contacts.exclude(phone="").count()),
        (Message("緊急連絡網の順番（今日で終わる）"), erasing.open_contacts(contacts, found.today).count()),
        (Message("構成員のメールアドレス"), states.exclude(email="").count()),
    ):
        found.put("contacts", what, count, until=None, why=now)
    texts = _places(found, found.person.without_names())
    found.put("contacts", Message("自由記載の電話番号・メールアドレス"), len(texts), until=None, why=now, places=texts)
    active = [user for user in found.accounts if closing.is_open(user)]
    found.put("account", Message("アカウント（ログインできなくする）"), len(active), until=None, why=now)


def _plan_openings(found: _Found, before: dt.datetime, years: int, why: Message) -> dt.date | None:
    """Plan the openings; return until when a text of somebody else keeps the name in the log, None if none does."""
    due, young = _openings(found, before=before), _openings(found, since=before)
    search = {"organization": found.organization, "pattern": found.person.sure}
    due |= set(auditlog.openings_naming(**search, before=before))
    naming_young = set(auditlog.openings_naming(**search, since=before))
    what = Message("操作記録の自由記載（理由、検索語など）")
    found.put("openings", what, len(due), until=None, why=why)
    found.put("openings", what, len(young | naming_young), until=_until(young | naming_young, years), why=why)
    return _until(naming_young - young, years)


def _openings(found: _Found, **when: dt.datetime) -> set[uuid.UUID]:
    rows = auditlog.openings_of(organization=found.organization, ids=found.ids, **when)
    return set(rows.values_list("id", flat=True))


def _plan_names(found: _Found, until: dt.date, why: Message) -> None:
    states = models.MemberState.objects.filter(organization=found.organization, of_id__in=[found.member]).exclude(
        family_name=ERASED
    )
    certificates = models.QualificationState.objects.filter(
        organization=found.organization, member_id__in=[found.member]
    )
    places = models.ExperienceState.objects.filter(organization=found.organization, member_id__in=[found.member])
    offices = models.Appointment.objects.filter(organization=found.organization, member_id__in=[found.member]).count()
    names = Message("氏名、フリガナ、役職（任命 %(offices)s件の氏名を含む）", {"offices": offices})
    found.put("names", names, states.count(), until=until, why=why)
    texts = _places(found, naming.Person(found.person.names))
    found.put("names", Message("自由記載の氏名"), len(texts), until=until, why=why, places=texts)
    doubtful = _places(found, found.person, sure=False) | _places(found, found.shared, sure=None)
    if doubtful:
        found.never.append(
            Line(
                Message("自由記載にある、氏名・連絡先と同じ文字"),
                len(doubtful),
                Message("本人のことか、ほかの語や別の人のことか、決められないため。台帳を確かめてください"),
                places=tuple(sorted(doubtful)),
            )
        )
    numbers = certificates.exclude(number="", name__in=("", ERASED)).count()
    found.put("names", Message("資格の登録番号と名称"), numbers, until=until, why=why)
    found.put("names", Message("実務経験の従事先"), places.exclude(place="").count(), until=until, why=why)
    evidence = _evidence(found.organization, found.member)
    if evidence:
        found.never.append(
            Line(
                Message("任命書、資格・実務の証跡の文書"),
                len(evidence),
                Message("文書台帳の保存期間に従うため。満了したら、文書の廃棄の手続をしてください"),
                places=tuple(evidence),
            )
        )


def _plan_identity(found: _Found, names_until: dt.date, years: int, why: Message) -> None:
    held = [user for user in found.accounts if not closing.is_erased(user)]
    newest = Event.objects.filter(organization=found.organization, actor_id__in=found.ids).aggregate(at=Max("at"))["at"]
    until = names_until if newest is None else max(names_until, _add_years(_day(newest), years))
    found.put(
        "identity",
        Message("アカウントの名前とメールアドレス（操作記録で誰かを示すもの）"),
        len(held),
        until=until,
        why=why,
    )


def _plan_copies(found: _Found, years: int, before: dt.date, *, names_due: bool) -> None:
    for keeper in erasing.keepers:
        goes, stays = keeper.plan(organization=found.organization, person=found.person, years=years, before=before)
        if goes and not names_due:
            # While the register still shows the name, an old copy of it is kept as well.
            until = max((line.until for line in found.stays if line.until), default=None)
            stays = [*stays, *(Line(line.what, line.count, Message("氏名の保存期間"), until) for line in goes)]
            goes = []
        if goes:
            found.groups.add("copies")
        found.goes.extend(goes)
        found.stays.extend(stays)


def _places(found: _Found, person: naming.Person, *, sure: bool | None = True) -> set[str]:
    """Return where ``person`` is named in free text (table.column and the row's number), surely, doubtfully or (None) both."""
    places = naming.mentions(organization=found.organization, person=person)
    return {f"{place.table}.{place.column} {place.code}" for place in places if sure in {None, place.sure}}


def _evidence(organization: Any, member: uuid.UUID) -> list[str]:
    held: set[str] = set()
    for model in (models.Appointment, models.QualificationState, models.ExperienceState):
        held |= set(
            model.objects.filter(organization=organization, member_id__in=[member], evidence__isnull=False).values_list(
                "evidence__code", flat=True
            )
        )
    return sorted(held)


def _last_days(organization: Any, member: uuid.UUID) -> list[dt.date]:
    ends = models.Appointment.objects.filter(
        organization=organization, member_id__in=[member], voided_at__isnull=True, valid_until__isnull=False
    )
    return [day - dt.timedelta(days=1) for day in ends.values_list("valid_until", flat=True)]


def _until(openings: set[uuid.UUID], years: int) -> dt.date | None:
    """Return until when the youngest of the events of these openings is kept."""
    newest = None
    listed = list(openings)
    for start in range(0, len(listed), 500):
        events = Opening.objects.filter(id__in=listed[start : start + 500]).values("event_id")
        at = Event.objects.filter(id__in=events).aggregate(at=Max("at"))["at"]
        newest = max(filter(None, (newest, at)), default=None)
    return _add_years(_day(newest), years) if newest else None


def _day(moment: dt.datetime) -> dt.date:
    return moment.astimezone(clock.TOKYO).date()


def _add_years(day: dt.date, years: int) -> dt.date:
    try:
        return day.replace(year=day.year + years)
    except ValueError:  # 29 February: the period ends with that month
        return day.replace(year=day.year + years, day=28)


def _of(provision: Provision) -> dict[str, Any]:
    return {"years": provision.value, "basis": provision.article or Message("Kiteiの推奨")}
