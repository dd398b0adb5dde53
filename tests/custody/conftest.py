"""An organization with a signed log in a data folder of its own."""

from __future__ import annotations

import pytest

from kitei.foundation import transactions


@pytest.fixture
def data(settings, tmp_path):
    settings.DATA = tmp_path / "data"
    settings.DATA.mkdir(mode=0o700)
    return settings.DATA


@pytest.fixture
def logged(data, sakura):
    """さくら医療クラウド with an open log."""
    from kitei.trust.auditlog import logs

    transactions.durable(lambda: logs.open_log(organization=sakura))
    return sakura


@pytest.fixture
def record():
    """Return a function that appends ``count`` events and, unless told otherwise, has them signed."""
    from kitei.trust.auditlog import sequencer
    from kitei.trust.auditlog.events import LOGIN
    from kitei.trust.auditlog.log import Act, append_many

    def work(organization, count, *, sign=True):
        acts = [Act(LOGIN, ("member", f"m{number}"), ("account", str(number))) for number in range(count)]
        transactions.durable(lambda: append_many(organization=organization, acts=acts))
        if sign:
            sequencer.run(organization=organization)

    return work
