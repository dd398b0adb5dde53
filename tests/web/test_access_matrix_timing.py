"""What is forbidden takes as long as what is not there. Long: it measures."""

from __future__ import annotations

import gc
import statistics
import time

import pytest

from kitei.web import limits
from web.access_matrix import CASES
from web.access_world import PLAIN, THEIRS

ROUNDS, TRIES, CLOSE = 31, 3, 0.25
DOORS = [
    (case, person, closed)
    for case in CASES
    if case.read and case.names_a_thing and "upload" not in case.things  # an upload is a file, not a row
    for person, closed in ((THEIRS, {}), *(((PLAIN, case.closed),) if case.closed else ()))
]


@pytest.fixture
def db():
    """Nothing: ``world`` brings the database (see conftest)."""


def medians(client, missing, forbidden):
    """Return the median time of each, asked in turns so that a slow moment of the machine meets both."""
    taken = {missing: [], forbidden: []}
    gc.disable()
    try:
        for _ in range(ROUNDS):
            for address, times in taken.items():
                began = time.perf_counter()
                client.get(address)
                times.append(time.perf_counter() - began)
    finally:
        gc.enable()
    return [statistics.median(times) for times in taken.values()]


@pytest.mark.long
@pytest.mark.parametrize(
    ("case", "person", "closed"),
    DOORS,
    ids=[f"{case.name}-{person}{'-closed' if closed else ''}" for case, person, closed in DOORS],
)
def test_what_is_forbidden_takes_as_long_as_what_is_not_there(world, monkeypatch, case, person, closed):
    monkeypatch.setattr(limits, "LIMITS", {})  # asked far more often than a person may
    client = world.client(person)
    missing = world.missing(case.path)
    forbidden = world.address(case.path, **{name: world[other] for name, other in closed.items()})
    seen = []
    for _ in range(TRIES):
        there_is_none, may_not = medians(client, missing, forbidden)
        seen.append(may_not / there_is_none)
        if abs(seen[-1] - 1) <= CLOSE:
            return
    pytest.fail(f"forbidden takes {seen} times as long as missing")
