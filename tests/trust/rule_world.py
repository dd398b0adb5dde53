"""Random organizations for the access rule, a reference in plain Python, and how both reach the database.

The reference is written from design §5, not from the code: lists and sets, no dates but hours from ``NOW``. What a world
holds is placed with a few bulk inserts and rolled back, so an example costs what asking the rule costs.
"""

from __future__ import annotations

import datetime as dt
import random
import uuid
from contextlib import contextmanager
from dataclasses import dataclass, replace

from django.contrib.auth.hashers import UNUSABLE_PASSWORD_PREFIX
from django.db import transaction
from hypothesis import HealthCheck, Phase, settings
from hypothesis import strategies as st

from kitei.foundation import clock
from kitei.registers.documents.models import Document, DocumentState
from kitei.registers.equipment.models import EquipmentKind
from kitei.trust.access import rule as the_rule
from kitei.trust.access.models import Deny, Folder, FolderLink, Grant, Membership
from kitei.trust.accounts.models import User
from kitei.trust.auditlog.models import Opening

NOW = dt.datetime(2026, 11, 22, 3, 0, tzinfo=dt.UTC)
HOUR = dt.timedelta(hours=1)
INSTANT = 1e-6
"""Hours: less than four milliseconds, more than the microsecond a database keeps."""

PEOPLE = [uuid.UUID(int=number) for number in (1, 2, 3)]
ADMINISTRATOR, GUEST = 2, 3
SEATS = (0, 1, ADMINISTRATOR, GUEST)
LINK = str(PEOPLE[0])  # the guest's link has the id of a member: kinds of principals must not be mixed up
ROLES = ("system-administrator", "audit-officer")
EDITORS = {"system-administrator"}
OFFICES = {
    "audit-officer", "chief-officer", "operations-supervisor", "privacy-officer", "security-officer",
    "system-administrator",
}  # fmt: skip
# One code for a department and a supplier, for the same reason.
GROUPS = (("role", ROLES[0]), ("role", ROLES[1]), ("department", "S-01"), ("supplier", "S-01"))
PRINCIPALS = (("everyone", ""), *(("member", str(person)) for person in PEOPLE), *GROUPS, ("guest", LINK))
ACTIONS = ("view", "download", "manage")
FOLDERS = 5
DOCUMENTS = tuple(("document", number) for number in range(6))
KINDS = tuple(
    ("equipmentkind", number) for number in range(2)
)  # a register whose objects have neither folder nor class
ENTRIES = (("log", 0),)  # a guarded register
THINGS = DOCUMENTS + KINDS + ENTRIES
GUARDED = {"log", "access", "account", "backup"}
REGISTERS = tuple((name, None) for name in ("document", "equipmentkind", *sorted(GUARDED)))


@dataclass(frozen=True)
class Holding:
    """A membership: whose, of which group, from and until which hour."""

    person: int
    group: tuple[str, str]
    starts: float = -1
    ends: float | None = None
    voided: bool = False
    foreign: bool = False
    recorded: float = -9


@dataclass(frozen=True)
class Fact:
    """A grant or a deny."""

    effect: str
    principal: tuple[str, str]
    action: str
    scope: tuple[str, object]  # all; register, its kind; folder, its number; a register's kind, the object's number
    highest: int = 3
    starts: float = -1
    ends: float | None = None
    voided: bool = False
    foreign: bool = False
    recorded: float = -9


@dataclass(frozen=True)
class World:
    """An organization. ``account`` is what the second person's account is like, ``first`` whether the third set Kitei up."""

    parents: tuple[int | None, ...]  # of folder 1, 2, …; folder 0 is the root
    documents: tuple[tuple[int, int], ...]  # (folder, classification)
    holdings: tuple[Holding, ...]
    facts: tuple[Fact, ...]
    account: str = "works"
    first: bool = False

    def but(self, **changed):
        """Return the world with something else in it."""
        return replace(self, **changed)


def examples(number, *, shrunk=False):
    """Return settings for a property over worlds: so many of them, however long each takes.

    A failing world is readable as it is; making it small takes minutes, which only the long tests have.
    """
    shrinking = [Phase.shrink] if shrunk else []
    return settings(
        max_examples=number,
        deadline=None,
        phases=[Phase.explicit, Phase.reuse, Phase.generate, *shrinking],
        suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow],
    )


STARTS = st.sampled_from([-1, -1, -2, 0, 0, 1])
ENDS = st.sampled_from([None, None, 2, 0, 0, -1, 1])
RARELY = st.sampled_from([False] * 7 + [True])
HOLDINGS = st.builds(
    Holding, st.integers(0, 2), st.sampled_from(GROUPS), STARTS, ENDS, voided=RARELY, foreign=RARELY
)  # fmt: skip
SCOPES = st.sampled_from(
    [("all", None), ("register", "document"), ("register", "equipmentkind"), ("register", "log")]
    + [("folder", number) for number in range(FOLDERS)] * 2
    + list(THINGS)
)
FACTS = st.builds(
    Fact,
    st.sampled_from(["grant", "grant", "grant", "deny"]),
    st.sampled_from(PRINCIPALS),
    st.sampled_from(ACTIONS),
    SCOPES,
    st.integers(0, 3),
    STARTS,
    ENDS,
    voided=RARELY,
    foreign=RARELY,
)
SMALL_WORLDS = st.builds(
    World,
    st.tuples(*(st.sampled_from([None, *range(number), number - 1]) for number in range(1, FOLDERS))),
    st.tuples(*(st.tuples(st.integers(0, FOLDERS - 1), st.integers(0, 3)) for _ in DOCUMENTS)),
    st.lists(HOLDINGS, min_size=1, max_size=7).map(tuple),
    st.lists(FACTS, min_size=4, max_size=24).map(tuple),
    st.sampled_from(["works", "works", "no-password", "closed", "foreign"]),
    RARELY,
)
"""Worlds that Hypothesis knows how to make smaller; it likes few facts that resemble each other."""


def crowded(seed):
    """Return a world with many different facts: one of them shows more than ten small ones (test_rule_power.py)."""
    dice = random.Random(seed)  # noqa: S311  dice, no secret

    def dated():
        return {
            "starts": dice.choice((-2, -1, -1, 0, 0, 1)),
            "ends": dice.choice((None, None, None, 2, 1, 0, 0, -1)),
            "voided": dice.random() < 0.15,
            "foreign": dice.random() < 0.15,
            "recorded": dice.choice((-9, -9, -9, -1, 0)),
        }

    def scope():
        where = dice.choice(("all", "register", "folder", "folder", "folder", "object", "object", "object"))
        if where == "all":
            return ("all", None)
        if where == "register":
            return ("register", dice.choice(("document", "document", "equipmentkind", "log")))
        return ("folder", dice.randrange(FOLDERS)) if where == "folder" else dice.choice(THINGS)

    def fact():
        effect = dice.choice(("grant", "grant", "grant", "deny"))
        return Fact(effect, dice.choice(PRINCIPALS), dice.choice(ACTIONS), scope(), dice.randrange(4), **dated())

    holdings = [Holding(dice.randrange(3), dice.choice(GROUPS), **dated()) for _ in range(dice.randrange(2, 9))]
    first = dice.random() < 0.5
    if first and dice.random() < 0.7:
        # Whether this officer can log in, and when, decides about the first set-up.
        holdings.append(Holding(1, GROUPS[0], dice.choice((-1, 0)), dice.choice((None, 2, 2, 0))))
    return World(
        parents=tuple(dice.choice((None, *range(number), number - 1, number - 1)) for number in range(1, FOLDERS)),
        documents=tuple((dice.randrange(FOLDERS), dice.choice((0, 1, 2, 2, 3, 3))) for _ in DOCUMENTS),
        holdings=tuple(holdings),
        facts=tuple(fact() for _ in range(dice.randrange(15, 45))),
        account=dice.choice(("works", "works", "works", "no-password", "closed", "foreign")),
        first=first,
    )


WORLDS = st.integers(0, 2**48).map(crowded)
ALL_WORLDS = WORLDS | SMALL_WORLDS


def above(world, folder):
    """Return a folder and those that hold it."""
    found = {folder}
    while folder and world.parents[folder - 1] is not None:
        folder = world.parents[folder - 1]
        found.add(folder)
    return found


def holds(row, at):
    """Whether a holding or a fact of this organization is in force."""
    known = row.recorded <= at and (not row.voided or at < 0)  # withdrawn at hour 0
    return known and not row.foreign and row.starts <= at and (row.ends is None or row.ends > at)


def groups(world, seat, at=0):
    """Return who somebody is to grants and denies."""
    if seat == GUEST:
        return {("guest", LINK)}
    held = {holding.group for holding in world.holdings if holding.person == seat and holds(holding, at)}
    return {("everyone", ""), ("member", str(PEOPLE[seat])), *held}


def standing(who, action, register, level):
    """Return whom the rights of every organization let do it (decision 0014): members 公開・社外秘, officers all, editors write."""
    if action == "view" and ("everyone", "") in who and register not in GUARDED and level <= 1:
        return {("everyone", "")}
    return {(kind, code) for kind, code in who if kind == "role" and (code in EDITORS or action != "manage")}


def missing(world, seat, action, thing):
    """Return what a refusal without a deny says is missing."""
    who, (_, level) = groups(world, seat), place_of(world, thing)
    if fitting(world, seat, action, thing) or standing(who, action, thing[0], 0):
        return ("classification", f"needs-class:{level}")
    offices = OFFICES - {"audit-officer"} if action == "manage" else OFFICES
    return ("no-role", *(f"needs:{office}" for office in sorted(offices)))


def in_office(world, at):
    """Whether anybody who can log in may write: without one the first administrator sets Kitei up."""
    return world.account == "works" and any(
        holding.person == 1 and holding.group[0] == "role" and holding.group[1] in EDITORS and holds(holding, at)
        for holding in world.holdings
    )


def place_of(world, thing):
    """Return an object's folder and classification; None and 公開 for what has neither."""
    register, number = thing
    return world.documents[number] if register == "document" and number is not None else (None, 0)


def theirs(world, who, action, at=0):
    """Return the denies and grants in force about one of the principals and an action."""
    return [fact for fact in world.facts if fact.action == action and fact.principal in who and holds(fact, at)]


def reaching(world, facts, thing):
    """Return those that reach a thing, whatever its classification."""
    register, number = thing
    folder, _ = place_of(world, thing)
    scopes = {("register", register)} | ({("all", None)} if register not in GUARDED else set())
    if number is not None:
        scopes.add(thing)
    if folder is not None:
        scopes |= {("folder", each) for each in above(world, folder)}
    return [fact for fact in facts if fact.scope in scopes]


def fitting(world, seat, action, thing, at=0):
    """Return the denies and grants in force that are about it, whatever their classification."""
    return reaching(world, theirs(world, groups(world, seat, at), action, at), thing)


def allowed(world, seat, action, thing, at=0):
    """Decide as design §5 says: deny, grant, refuse."""
    return bool(reference(world, at=at, seats=(seat,), actions=(action,), things=(thing,)))


def reference(world, *, at=0, seats=SEATS, actions=ACTIONS, things=THINGS):
    """Return everything that is allowed: (seat, action, thing)."""
    found = set()
    for seat in seats:
        who = groups(world, seat, at)
        sets_up = seat == ADMINISTRATOR and world.first and not in_office(world, at)
        for action in actions:
            facts = theirs(world, who, action, at)
            for thing in things:
                reached, (_, level) = reaching(world, facts, thing), place_of(world, thing)
                if any(fact.effect == "deny" for fact in reached):
                    continue
                granted = any(fact.highest >= level for fact in reached)
                if granted or sets_up or standing(who, action, thing[0], level):
                    found.add((seat, action, thing))
    return found


class Ground:
    """What stands in the database for every world: two organizations, their folders and the identities of objects."""

    def __init__(self, here, there):
        self.here, self.there = here, there
        self.folders = [Folder(organization=here, name=f"F{number}") for number in range(FOLDERS)]
        beyond = Folder(organization=there, name="F0")
        Folder.objects.bulk_create([*self.folders, beyond])
        self.documents = [
            Document(organization=here, code=f"D-{number}", id=self.identity(number))
            for number, _ in enumerate(DOCUMENTS)
        ]
        stranger = Document(organization=there, code="D-0")
        Document.objects.bulk_create([*self.documents, stranger])
        DocumentState.objects.bulk_create([self._state(there, stranger, beyond, 0)])
        kinds = [EquipmentKind(organization=here, code=f"K-{n}", id=self.identity(n)) for _, n in KINDS]
        EquipmentKind.objects.bulk_create([*kinds, EquipmentKind(organization=there, code="K-0")])
        self.entry = Opening(
            organization=here, event_id=uuid.uuid4(), field="x", salt=b"", value="", id=self.identity(0)
        )
        Opening.objects.bulk_create([self.entry])

    @staticmethod
    def identity(number):
        """Return an object's id, the same in every register: only the register tells D-0 from K-0."""
        return uuid.UUID(int=1000 + number)

    @staticmethod
    def _state(organization, document, folder, level):
        return DocumentState(
            organization=organization, of=document, code=document.code, title="文書", kind="manual", kept_at="kitei",
            folder=folder, classification=level, valid_from=NOW.date(), recorded_at=NOW,
        )  # fmt: skip

    @contextmanager
    def holding(self, world, *, clock_at=0):
        """Place a world for the length of the block, in which it is ``clock_at`` hours from NOW."""
        with transaction.atomic(), clock.at(NOW + clock_at * HOUR):
            placed = Placed(self, world)
            yield placed
            transaction.set_rollback(True)


class Placed:
    """A world in the database."""

    def __init__(self, ground, world):
        self.ground, self.world = ground, world
        links = ((high, low) for low in range(FOLDERS) for high in above(world, low))
        FolderLink.objects.bulk_create(
            FolderLink(organization=ground.here, ancestor=ground.folders[high], descendant=ground.folders[low])
            for high, low in links
        )
        self.states = [
            ground._state(ground.here, document, ground.folders[folder], level)
            for document, (folder, level) in zip(ground.documents, world.documents, strict=True)
        ]
        DocumentState.objects.bulk_create(self.states)
        self.names = {state.pk: thing for state, thing in zip(self.states, DOCUMENTS, strict=True)}
        if world.account != "none":
            User.objects.bulk_create([self._account(world.account)])
        self.facts, self.holdings = {}, {}
        self.add(holdings=world.holdings, facts=world.facts)

    def _account(self, kind):
        return User(
            organization=self.ground.there if kind == "foreign" else self.ground.here, email="second@sakura.example",
            name="二宮", principal=PEOPLE[1], is_active=kind != "closed", created_at=NOW,
            password=UNUSABLE_PASSWORD_PREFIX if kind == "no-password" else "md5$x",
        )  # fmt: skip

    def add(self, *, holdings=(), facts=()):
        """Write more rows. ``facts`` and ``holdings`` remember what each id stands for."""
        if holdings:
            rows = Membership.objects.bulk_create([self._membership(holding) for holding in holdings])
            self.holdings |= {row.pk: holding for row, holding in zip(rows, holdings, strict=True)}
        for effect, model in (("grant", Grant), ("deny", Deny)):
            wanted = [fact for fact in facts if fact.effect == effect]
            if wanted:
                rows = model.objects.bulk_create([self._entry(model, fact) for fact in wanted])
                self.facts |= {row.pk: fact for row, fact in zip(rows, wanted, strict=True)}

    def _membership(self, holding):
        kind, code = holding.group
        return Membership(
            principal=PEOPLE[holding.person], kind=kind, role=code, source_kind="test", source_id=uuid.uuid4(),
            **self._dated(holding),
        )  # fmt: skip

    def _entry(self, model, fact):
        kind, where = fact.scope
        wide = kind in {"all", "register", "folder"}
        return model(
            principal_kind=fact.principal[0], principal_id=fact.principal[1], action=fact.action,
            scope_kind=kind if wide else "object",
            register=("" if kind in {"all", "folder"} else where if kind == "register" else kind),
            folder=self.ground.folders[where] if kind == "folder" else None,
            object_id=None if wide else self.ground.identity(where),
            highest=fact.highest, recorded_by="test", **self._dated(fact),
        )  # fmt: skip

    def _dated(self, row):
        return {
            "organization": self.ground.there if row.foreign else self.ground.here,
            "starts_at": NOW + row.starts * HOUR,
            "ends_at": None if row.ends is None else NOW + row.ends * HOUR,
            "recorded_at": NOW + row.recorded * HOUR,
            "voided_at": NOW if row.voided else None,
        }

    def actor(self, seat, *, rule=the_rule, **more):
        """Return who sits there. With a memo, as in a web request, unless ``memo`` says otherwise."""
        more = {"memo": {}, **more}
        if seat == GUEST:
            return rule.Actor("guest", LINK, self.ground.here, **more)
        first = seat == ADMINISTRATOR and self.world.first
        return rule.Actor(
            "member", f"account-{seat}", self.ground.here, principal=PEOPLE[seat], administrator=first, **more
        )

    def target(self, thing, *, rule=the_rule):
        """Return what ``decide`` is asked about."""
        register, number = thing
        if register == "document" and number is not None:
            return rule.target_of(self.states[number])
        identity = "" if number is None else str(self.ground.identity(number))
        return rule.Target(register, identity, self.ground.here)

    def points(self, *, rule=the_rule, things=THINGS, seats=SEATS, **asked):
        """Return all that ``decide`` permits."""
        targets = [(thing, self.target(thing, rule=rule)) for thing in things]
        actors = [(seat, self.actor(seat, rule=rule)) for seat in seats]
        return {
            (seat, action, thing)
            for seat, actor in actors
            for action in ACTIONS
            for thing, target in targets
            if rule.decide(actor, action, target, **asked).allowed
        }

    def lists(self, shape="exists", *, rule=the_rule, seats=SEATS, **asked):
        """Return all that ``visible`` keeps, in one query for each of the three registers and everybody."""
        found = set()
        actors = [(seat, self.actor(seat, rule=rule)) for seat in seats]
        for model, things in ((DocumentState, None), (EquipmentKind, KINDS), (Opening, ENTRIES)):
            names = (
                self.names if things is None else {self.ground.identity(number): (k, number) for k, number in things}
            )
            for seat, actor in actors:
                for action in ACTIONS:
                    rows = rule.visible(actor, model.objects.all(), action, shape=shape, **asked)
                    keys = rows.values_list("pk", flat=True)
                    found |= {(seat, action, names.get(key, ("strange", key))) for key in keys}
        return found
