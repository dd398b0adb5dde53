"""Logs that several test files ask for by name; a plugin too, for runs without conftest (test_coverage.py)."""

from __future__ import annotations

import pytest
from small_log import SmallLog, event, signer


@pytest.fixture
def nine():
    return SmallLog.of(9)


# --- changes of the key


@pytest.fixture
def rotated():
    log = SmallLog.of(5)
    log.rotate(signer("second"))
    log.entries += [event(number) for number in range(6, 300)]
    log.rotate(signer("third"))
    log.entries += [event(number) for number in range(301, 310)]
    return log
