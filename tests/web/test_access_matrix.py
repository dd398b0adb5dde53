"""Every address, asked by everybody: who is let in, who gets the one 404 page, what the log says of it.

The table stands in ``access_matrix``; a route that is not in it fails here.
"""

from __future__ import annotations

import json
import re

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.urls import URLPattern, get_resolver

from kitei.trust.access import strangers
from kitei.trust.accounts import tokens
from kitei.trust.auditlog.models import Event
from kitei.web.api import pace
from web.access_matrix import BY_NAME, CASES, EDITORS, MEMBERS, OFFICERS, STRANGERS
from web.access_world import AUDITOR, CLOSED_WORDS, ENDED, OFFICER, OWN_WORDS, PLAIN, THEIRS

FAILED = "session:login-failed"
LET_IN = {
    STRANGERS: {PLAIN, ENDED, AUDITOR, OFFICER, THEIRS},
    MEMBERS: {PLAIN, ENDED, AUDITOR, OFFICER, THEIRS},
    OFFICERS: {AUDITOR, OFFICER, THEIRS},
    EDITORS: {OFFICER, THEIRS},
}
ACTS = [(case, "get", case.read) for case in CASES if case.read] + [
    (case, "post", case.write) for case in CASES if case.write
]
every_act = pytest.mark.parametrize(
    ("case", "method", "act"), ACTS, ids=[f"{method}-{case.name}" for case, method, _ in ACTS]
)


@pytest.fixture
def db():
    """Nothing: ``world`` brings the database (see conftest); the name makes pytest-django prepare one."""


@pytest.fixture(autouse=True)
def _fresh_counters():
    strangers._pending.take()
    tokens.pace.reset()
    pace.forget()


class Asked:
    """An answer, its body without what differs with every request, and the events it made."""

    def __init__(self, world, person, method, address, data=None):
        before = set(Event.objects.values_list("id", flat=True))
        client = world.client(person)
        with CaptureQueriesContext(connection) as asked:
            self.answer = getattr(client, method)(address, data or {}) if method == "post" else client.get(address)
            body = b"".join(self.answer.streaming_content) if self.answer.streaming else self.answer.content
        self.queries = len(asked)
        self.sql = [entry["sql"] for entry in asked.captured_queries]
        self.status = self.answer.status_code
        self.bytes = body
        text = body.decode(errors="replace")
        self.body = re.sub(r'(name="csrfmiddlewaretoken" value=")[^"]+', r"\1", text)
        self.events = list(Event.objects.exclude(id__in=before).order_by("id"))
        self.names = [event.name for event in self.events]

    @property
    def headers(self):
        """Names and values, but for what is meant to differ with every request."""
        return {name: value for name, value in self.answer.items() if name != "X-Request-Id"}

    @property
    def said(self):
        return [json.loads(bytes(event.payload)) for event in self.events]


def ask(world, person, case, method, act, *, address=None):
    data = act.data(world) if method == "post" and callable(act.data) else getattr(act, "data", None)
    return Asked(world, person, method, address or world.address(case.path), data)


def nowhere(world, person, case):
    """What this person gets for an address that does not exist. Asked once: it is the same page each time."""
    api = case.path.startswith("/api/")
    if (person, api) not in world.nowhere:
        world.nowhere[person, api] = Asked(world, person, "get", "/api/v1/nowhere" if api else "/nowhere/")
    return world.nowhere[person, api]


# The table is complete


def names_of(patterns):
    for pattern in patterns:
        if isinstance(pattern, URLPattern):
            yield pattern.name
        else:
            yield from names_of(pattern.url_patterns)


def test_every_address_stands_in_the_table_and_nothing_else_does():
    found = sorted(names_of(get_resolver().url_patterns))
    assert found == sorted(BY_NAME), "place it in tests/web/access_matrix.py; every address needs a name of its own"


def test_the_table_gives_its_reasons():
    for case in CASES:
        assert case.read or case.write, case.name
        open_to_strangers = STRANGERS in {act.who for act in (case.read, case.write) if act}
        assert bool(case.why_open) == open_to_strangers, case.name
        if case.write:
            assert bool(case.write.records) != bool(case.write.why), (
                f"{case.name}: an act is recorded, or it says why not"
            )
        if case.read:
            assert len(case.read.records) <= 1, "a request that only reads records at most one event"


# Who is let in


@pytest.mark.one_database
@every_act
def test_a_stranger_is_led_to_the_log_in(world, case, method, act):
    asked = ask(world, "", case, method, act)
    to_log_in = asked.status == 302 and asked.answer.url.startswith("/login?next=")
    if act.who == STRANGERS:
        assert not to_log_in
    elif case.path.startswith("/api/"):
        assert (asked.status, asked.answer["WWW-Authenticate"][:6]) == (401, "Bearer")
    else:
        assert to_log_in
    assert not any(word in asked.body for word in (*OWN_WORDS[1:], *CLOSED_WORDS))


WITHOUT = [
    (case, method, act, person)
    for case, method, act in ACTS
    for person in (PLAIN, ENDED, AUDITOR)
    if person == PLAIN or act.who in {OFFICERS, EDITORS}
]


@pytest.mark.parametrize(
    ("case", "method", "act", "person"),
    WITHOUT,
    ids=[f"{method}-{case.name}-{person}" for case, method, _, person in WITHOUT],
)
def test_without_the_office_one_gets_the_one_404_page_and_the_log_says_so(world, case, method, act, person):
    """``ENDED`` held the officer's office until yesterday."""
    asked = ask(world, person, case, method, act)
    if person in LET_IN[act.who]:
        assert asked.status == act.status
        assert set(asked.names) == set(act.records)
        return
    there_is_none = nowhere(world, person, case)
    assert asked.status == 404
    assert asked.body == there_is_none.body
    assert asked.headers == there_is_none.headers
    assert asked.names == ["access:refuse"]
    said = asked.said[0]
    assert (said["outcome"], said["org"], said["decision"]["allowed"]) == ("refused", "sakura", False)
    assert said["decision"]["reasons"][0] == "no-role"
    assert said["actor"][1] == str(world.users[person].pk)
    assert "path" in said["commitments"]


@every_act
def test_an_officer_of_another_organization_sees_nothing_of_ours(world, case, method, act):
    asked = ask(world, THEIRS, case, method, act)
    assert asked.status == (case.hidden if case.names_a_thing else act.theirs)
    ours = [event.name for event in asked.events if event.organization_id != world.tsubaki.pk]
    assert set(ours) <= {FAILED}, "who fails to log in is nobody yet, and stands in the first log"
    if not case.names_a_thing:
        assert not any(word in asked.body for word in OWN_WORDS)
    elif asked.status in {404, 410}:
        assert asked.names == ["access:refuse"]
        assert asked.said[0]["decision"]["reasons"][0] in {"no-visible-row", "not-found", "gone"}


@every_act
def test_who_may_is_let_in_and_the_log_says_what_he_did(world, case, method, act):
    asked = ask(world, OFFICER, case, method, act)
    assert asked.status == act.status
    assert sorted(asked.names) == sorted(act.records)
    for said in asked.said:
        assert said["org"] == "sakura"
        if said["name"] == FAILED:
            continue
        assert said["actor"] == ["member", str(world.users[OFFICER].pk)]
        assert said.get("face") == ("api" if case.path.startswith("/api/") else "web")
        if said["name"] != "access:refuse":
            assert said["outcome"] == "ok"
            assert said.get("decision", {"allowed": True})["allowed"] is True
    if method == "get" and act.who in {MEMBERS, OFFICERS, EDITORS}:
        assert asked.headers["Cache-Control"] == "no-store"


@pytest.mark.one_database
@pytest.mark.parametrize("case", CASES, ids=list(BY_NAME))
def test_what_the_table_does_not_name_is_not_answered(world, case):
    """A GET or POST that a route takes without standing here fails; nothing takes PATCH or DELETE."""
    taken = {"get": case.read, "post": case.write}
    client = world.client(OFFICER)
    for method in ("get", "post", "patch", "delete"):
        if taken.get(method) is not None:
            continue
        before = Event.objects.count()
        answer = getattr(client, method)(world.address(case.path))
        if case.name == "login":  # sends on whoever is logged in, however asked
            assert answer.status_code == 302
            continue
        assert answer.status_code == (404 if case.name == "api-unknown" else 405), method
        assert answer.status_code == 404 or answer["Allow"]
        assert Event.objects.count() == before + 1, method
        assert Event.objects.order_by("id").last().name == "access:refuse"


# Missing and forbidden are the same


def closed_doors():
    """Every thing that exists and that a person may not see: route, method, act, person, what stands in the path."""
    for case, method, act in ACTS:
        if not case.names_a_thing:
            continue
        yield case, method, act, THEIRS, {}
        if PLAIN not in LET_IN[act.who]:
            yield case, method, act, PLAIN, {}
        if case.closed:
            yield case, method, act, PLAIN, case.closed


DOORS = list(closed_doors())


@pytest.mark.parametrize(
    ("case", "method", "act", "person", "closed"),
    DOORS,
    ids=[f"{method}-{case.name}-{person}{'-closed' if closed else ''}" for case, method, _, person, closed in DOORS],
)
def test_what_is_forbidden_is_as_if_it_were_not_there(world, case, method, act, person, closed):
    """Body, status, headers, and the number of questions to the database; only the log knows which of the two it was."""
    data = act.data(world) if method == "post" and callable(act.data) else getattr(act, "data", None)
    forbidden_at = world.address(case.path, **{name: world[other] for name, other in closed.items()})
    missing_at = world.missing(case.path)
    Asked(world, person, method, missing_at, data)  # what only a first request reads and notes
    missing = Asked(world, person, method, missing_at, data)
    forbidden = Asked(world, person, method, forbidden_at, data)
    assert forbidden.status == missing.status == case.hidden or (
        forbidden.status == missing.status == 404 and person == PLAIN
    )
    assert forbidden.body.replace(forbidden_at, "") == missing.body.replace(missing_at, "")
    assert forbidden.headers.keys() == missing.headers.keys()
    if forbidden.status == 404:
        assert forbidden.body == missing.body
        assert forbidden.headers == missing.headers
        assert forbidden.names == missing.names == ["access:refuse"]
    assert forbidden.queries == missing.queries, "\n".join(["missing", *missing.sql, "forbidden", *forbidden.sql])
