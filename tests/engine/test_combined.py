"""The state of a requirement with several topics (design §2.1)."""

from __future__ import annotations

import pytest

from kitei.engine.checks import runner
from kitei.engine.checks.model import Operated

NA, YES, PARTIAL, NO, IDLE = (
    Operated.NOT_APPLICABLE, Operated.YES, Operated.PARTIAL, Operated.NO, Operated.NOT_STARTED,
)  # fmt: skip


@pytest.mark.parametrize(
    ("parts", "whole"),
    [
        ([], IDLE),
        ([NA], NA),
        ([IDLE, IDLE], IDLE),
        ([NA, IDLE], IDLE),
        ([NA, YES], YES),
        ([YES, YES], YES),
        ([YES, PARTIAL], PARTIAL),
        ([PARTIAL, NO], NO),
        ([YES, IDLE], PARTIAL),
        ([NO, IDLE], NO),
    ],
)
def test_the_weakest_counts_but_what_has_begun_is_not_called_idle(parts, whole):
    assert runner.combined(parts) is whole
    assert runner.combined(list(reversed(parts))) is whole
