"""Every read of the access pages.

What takes an actor asks the rule, and answers "none" and "not yours" alike. What takes an organization restricts nothing:
its callers asked for VIEW or MANAGE on the access pages before, or need the answer to ask the rule about it.
"""

from __future__ import annotations

import datetime as dt
import re
import uuid
from collections import Counter
from collections.abc import Iterable
from typing import Any

from django.db.models import CharField, Count, Q, QuerySet, Value
from django.db.models.functions import Concat

from kitei.foundation import clock
from kitei.foundation.ui import lists
from kitei.registers.documents.models import Document, DocumentState
from kitei.registers.people.models import DepartmentState, MemberState
from kitei.trust.access import answerers, grants, rule
from kitei.trust.access.models import AccessRequest, BreakGlass, Deny, Folder, FolderLink, Grant, Membership
from kitei.trust.access.reviews import Bundle, bundled
from kitei.trust.accounts.events import ACCOUNT_REOPENED, ACCOUNT_STOPPED
from kitei.trust.accounts.models import User
from kitei.trust.auditlog.models import Event
from kitei.web.access.pages import target

MOST = 500
"""How many lines one folder's table shows, and how many departments a form offers."""

_UUID = re.compile(r"[0-9a-f]{8}-(?:[0-9a-f]{4}-){3}[0-9a-f]{12}")


def _refused(actor: rule.Actor, kind: str, identity: uuid.UUID) -> rule.Refused:
    """Return the answer to an id nobody has: the same as to one the actor may not see."""
    none = rule.Decision(allowed=False, reasons=("no-visible-row",))
    return rule.Refused(actor, rule.VIEW, rule.Target(kind, str(identity), actor.organization), none)


def request(*, actor: rule.Actor, identity: uuid.UUID) -> AccessRequest:
    """Return a 閲覧申請 for who answers it: who manages rights, or is responsible in the owning department; Refused."""
    rows = AccessRequest.objects.filter(organization=actor.organization, pk=identity).select_related("organization")
    row = rows.first()
    if row is None:
        raise _refused(actor, "access-request", identity)
    answerers.require(actor, row)
    return row


def meant(row: AccessRequest) -> DocumentState | None:
    """Return the document a request seems to mean: by number or whole title as typed, else by an id in the address.

    Unrestricted: for the rule's question who answers, and for who does.
    """
    today = clock.today()
    found = document_at(row.organization, row.wanted, today) if row.wanted else None
    if found is None and row.wanted:
        named = list(DocumentState.objects.filter(organization=row.organization, title=row.wanted).as_of(today)[:2])
        found = named[0] if len(named) == 1 else None
    if found is None and (match := _UUID.search(row.address)):
        found = document_at(row.organization, match[0], today)
    return found


def _meant_target(row: AccessRequest) -> rule.Target | None:
    found = meant(row)
    return rule.target_of(found) if found else None


def _target(organization: Any, register: str, identity: uuid.UUID) -> rule.Target | None:
    found = document_at(organization, str(identity), clock.today()) if register == "document" else None
    return rule.target_of(found) if found else None


def department_ids(organization: Any, names: Iterable[str]) -> dict[str, str]:
    """Return what folders call their department (its name or code) -> the department's id. A name two bear is nobody's."""
    wanted = set(names)
    rows = DepartmentState.objects.filter(organization=organization).as_of(clock.today())
    found: dict[str, set[str]] = {}
    for key, code, name in rows.filter(Q(name__in=wanted) | Q(code__in=wanted)).values_list("of_id", "code", "name"):
        for word in {code, name} & wanted:
            found.setdefault(word, set()).add(str(key))
    return {word: min(ids) for word, ids in found.items() if len(ids) == 1}


answerers.know(answerers.Known(meant=_meant_target, target=_target, departments=department_ids))


def emergency(*, actor: rule.Actor, identity: uuid.UUID) -> BreakGlass:
    """Return a 緊急閲覧 for who looks at it afterwards (VIEW); Refused."""
    rule.require(actor, rule.VIEW, target(actor))
    row = BreakGlass.objects.filter(organization=actor.organization, pk=identity).select_related("folder").first()
    if row is None:
        raise _refused(actor, "break-glass", identity)
    return row


def folder(*, actor: rule.Actor, identity: uuid.UUID, action: str = rule.VIEW) -> Folder:
    """Return a folder for who sees (VIEW) or changes (MANAGE) rights; Refused."""
    rule.require(actor, action, target(actor))
    row = Folder.objects.filter(organization=actor.organization, pk=identity).first()
    if row is None:
        raise _refused(actor, "folder", identity)
    return row


def entries(*, actor: rule.Actor, effect: str, bundle: uuid.UUID) -> list[Any]:
    """Return what was granted ("grant") or denied ("deny") together and not withdrawn, for MANAGE; Refused when nothing."""
    rule.require(actor, rule.MANAGE, target(actor))
    model = grants.MODELS.get(effect)
    found = grants.in_bundle(model, actor.organization, bundle).filter(voided_at__isnull=True) if model else None
    rows = list(found.order_by("id")) if found is not None else []
    if not rows:
        raise _refused(actor, "grant", bundle)
    return rows


def viewable_documents(*, actor: rule.Actor, ids: Iterable[uuid.UUID]) -> set[uuid.UUID]:
    """Return those of the documents whose state of today the actor may view. One query."""
    rows = DocumentState.objects.filter(of_id__in=sorted(ids)).as_of(clock.today())
    return set(rule.visible(actor, rows, rule.VIEW).values_list("of_id", flat=True))


def counted(**sets: QuerySet[Any]) -> dict[str, int]:
    """Return how many rows each of the query sets has, by its name. One query for all of them."""
    tagged = [rows.order_by().values_list(Value(name, output_field=CharField())) for name, rows in sets.items()]
    found = Counter(name for (name,) in tagged[0].union(*tagged[1:], all=True))
    return {name: found[name] for name in sets}


def folders(*, organization: Any) -> list[Folder]:
    """Return every folder, in no order."""
    return list(Folder.objects.filter(organization=organization))


def has_folders(*, organization: Any) -> bool:
    """Whether there is any folder yet."""
    return Folder.objects.filter(organization=organization).exists()


def entries_in(*, organization: Any, place: Folder) -> tuple[list[Bundle], list[Bundle]]:
    """Return the denies and the grants that reach a folder's documents, in force now or later; ``MOST`` rows of each."""
    above = FolderLink.objects.filter(organization=organization, descendant=place).values("ancestor")
    scope = (
        Q(scope_kind="all") | Q(scope_kind="register", register="document") | Q(scope_kind="folder", folder__in=above)
    )
    wanted = scope & (Q(ends_at__isnull=True) | Q(ends_at__gt=clock.now()))
    denies = Deny.objects.filter(wanted, organization=organization, voided_at__isnull=True)
    given = Grant.objects.filter(wanted, organization=organization, voided_at__isnull=True)
    return (
        bundled(list(denies.select_related("folder").order_by("starts_at", "id")[:MOST])),
        bundled(list(given.select_related("folder").order_by("starts_at", "id")[:MOST])),
    )


def departments(*, organization: Any) -> list[DepartmentState]:
    """Return today's departments by code, ``MOST`` at most."""
    return list(DepartmentState.objects.filter(organization=organization).as_of(clock.today()).order_by("code")[:MOST])


def department_names(*, organization: Any, ids: set[Any]) -> dict[str, str]:
    """Return department id -> latest name."""
    if not ids:
        return {}
    rows = DepartmentState.objects.filter(organization=organization, of_id__in=ids, voided_at__isnull=True)
    return {str(row.of_id): row.name for row in rows.order_by("valid_from")}


def document_names(*, organization: Any, ids: set[Any]) -> dict[Any, str]:
    """Return document id -> latest number and title."""
    if not ids:
        return {}
    rows = DocumentState.objects.filter(organization=organization, of_id__in=ids, voided_at__isnull=True)
    return {row.of_id: f"{row.code} {row.title}" for row in rows.order_by("valid_from")}


def account_names(ids: Iterable[Any]) -> dict[str, str]:
    """Return account id -> name."""
    wanted = {key for key in ids if key}
    return {str(key): name for key, name in User.objects.filter(pk__in=wanted).values_list("pk", "name")}


def accounts_of(member: MemberState) -> list[User]:
    """Return every account that ever stood for a member, as far as it still says so."""
    return list(User.objects.filter(organization=member.organization_id, principal=member.of_id))


def account_open(user: User, at: dt.datetime) -> bool:
    """Whether an account could be used at a past moment: made before, and not stopped, by what the log holds.

    One that is closed today without a stop in the log (its person has left) counts as open until today.
    """
    if user.created_at > at:
        return False
    turned = Event.objects.filter(
        organization=user.organization_id, object_kind="account", object_id=str(user.pk), at__lte=at,
        name__in=(str(ACCOUNT_STOPPED), str(ACCOUNT_REOPENED)),
    )  # fmt: skip
    last = turned.order_by("-at", "-id").values_list("name", flat=True).first()
    return last != str(ACCOUNT_STOPPED)


def acts(
    *, organization: Any, accounts: Iterable[Any], document: Any, since: dt.datetime, until: dt.datetime, most: int
) -> list[Event]:
    """Return what accounts did with a document in a time, refusals too, the newest first; of the log, unrestricted."""
    rows = Event.objects.filter(
        organization=organization, actor_kind="member", actor_id__in=[str(key) for key in accounts],
        object_kind="document", object_id=str(document), at__gte=since, at__lt=until,
    )  # fmt: skip
    return list(rows.order_by("-at", "-id")[:most])


def rows_behind(*, organization: Any, reasons: Iterable[str]) -> dict[str, Any]:
    """Return id -> the grant, deny or membership that a recorded reason names, also when it was withdrawn since."""
    found: dict[str, Any] = {}
    kinds: dict[str, set[str]] = {}
    for reason in reasons:
        kind, _colon, key = reason.partition(":")
        if rule.as_uuid(key) is not None:
            kinds.setdefault(kind, set()).add(key)
    for kind, model in (("grant", Grant), ("deny", Deny), ("membership", Membership)):
        if kind in kinds:
            rows = model._default_manager.filter(organization=organization, id__in=kinds[kind])  # noqa: SLF001  of any of the models
            found |= {str(row.pk): row for row in rows}
    return found


def search_members(organization: Any, text: str, *, most: int) -> list[MemberState]:
    """Return members, those who left too, whose number or name holds the text, in their latest state."""
    joined = Concat("family_name", "given_name")
    kana = Concat("family_kana", "given_kana")
    word = text.strip().replace(" ", "").replace("　", "")
    rows = MemberState.objects.filter(organization=organization, voided_at__isnull=True).alias(joined=joined, kana=kana)
    rows = rows.filter(Q(code__icontains=word) | Q(joined__icontains=word) | Q(kana__icontains=word))
    found = {row.of_id: row for row in rows.order_by("valid_from", "recorded_at")[: 20 * most]} if word else {}
    return sorted(found.values(), key=lambda row: row.code)[:most]


def search_documents(organization: Any, text: str, *, most: int) -> list[DocumentState]:
    """Return documents whose number or title holds the text, in their latest state. For who sees everybody's rights."""
    word = text.strip()
    rows = DocumentState.objects.filter(organization=organization, voided_at__isnull=True)
    rows = rows.filter(Q(code__icontains=word) | Q(title__icontains=word))
    found = {row.of_id: row for row in rows.order_by("valid_from", "recorded_at")[: 20 * most]} if word else {}
    return sorted(found.values(), key=lambda row: row.code)[:most]


def account_of(member: MemberState) -> User | None:
    """Return the account of a member."""
    return User.objects.filter(organization=member.organization_id, principal=member.of_id).first()


def member_numbered(organization: Any, text: str) -> MemberState | None:
    """Return the latest state of the member with a number, or with an id (from links)."""
    rows = MemberState.objects.filter(organization=organization, voided_at__isnull=True)
    try:
        rows = rows.filter(of_id=uuid.UUID(text.strip()))
    except ValueError:
        rows = rows.filter(code=text.strip())
    found: MemberState | None = rows.order_by("-valid_from", "-recorded_at").first()
    return found


def document_at(organization: Any, text: str, day: dt.date) -> DocumentState | None:
    """Return a document's state on a day, else its latest; found by number, or by id (from links)."""
    rows = DocumentState.objects.filter(organization=organization, voided_at__isnull=True).select_related("folder")
    try:
        rows = rows.filter(of_id=uuid.UUID(text.strip()))
    except ValueError:
        rows = rows.filter(code=text.strip())
    found = list(rows.order_by("valid_from", "recorded_at"))
    begun = [row for row in found if row.valid_from <= day]
    return begun[-1] if begun else found[0] if found else None


def document_id(organization: Any, number: str) -> uuid.UUID | None:
    """Return the id of the document with a number."""
    found: uuid.UUID | None = (
        Document.objects.filter(organization=organization, code=number).values_list("id", flat=True).first()
    )
    return found


def registers_today(*, organization: Any) -> dict[str, Any]:
    """Return register -> today's rows, documents first, for previews and forms; None for those that tell about everybody.

    Only registers whose rows the rule knows by the same name as their pages.
    """
    system = rule.Actor("worker", "", organization)
    found: dict[str, Any] = {"document": DocumentState.objects.as_of(clock.today())}
    for spec in lists.specs():
        model = spec.query(actor=system, day=clock.today()).model
        register = rule.register_of(model._meta.label_lower)  # noqa: SLF001  Django's public way to a model's name
        if register == rule.register_of(spec.key):
            found.setdefault(register, model.objects.filter(organization=organization).as_of(clock.today()))
    return found | dict.fromkeys(("access", "log"))


def reached(
    *, who: rule.Actor, organization: Any, day: dt.date, at: dt.datetime, most: int
) -> tuple[dict[int, int], dict[int, int], list[DocumentState]]:
    """Return what ``who`` could view at a moment: classification -> number, the same of all, and the first ``most`` rows."""
    rows = DocumentState.objects.filter(organization=organization).as_of(day)
    counted = rule.visible(who, rows, rule.VIEW, at=at, shape="in").order_by().values_list("classification")
    every = dict(rows.order_by().values_list("classification").annotate(number=Count("pk")))
    seen = dict(counted.annotate(number=Count("pk")))
    listed = rule.visible(who, rows, rule.VIEW, at=at).select_related("folder").order_by("code")[:most]
    return seen, every, list(listed)
