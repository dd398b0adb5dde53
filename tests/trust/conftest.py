"""A world for the sequencer, and a log with a witness."""

from __future__ import annotations

import pytest
from log_world import World, small_tiles
from small_witness import SmallWitness
from witness_hands import follow, grow

from kitei.foundation import transactions
from kitei.trust.auditlog import (
    logs,
    sequencer,
)


@pytest.fixture
def world(sakura, monkeypatch):
    return World(monkeypatch, sakura)


@pytest.fixture
def small(world, monkeypatch):
    small_tiles(monkeypatch)
    return world


@pytest.fixture
def log(sakura, settings, tmp_path):
    """The log of さくら with its first head signed."""
    settings.DATA = tmp_path / "data"
    settings.DATA.mkdir()
    made = transactions.durable(lambda: logs.open_log(organization=sakura))
    grow(made, 4)
    return made


@pytest.fixture
def witness(log, tmp_path, settings):
    with SmallWitness(tmp_path) as small:
        small.trust(sequencer.rotation.newest_key(log, log.heads.first()))
        follow(settings, tmp_path, small)
        yield small
