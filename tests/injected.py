"""Serialization failures on purpose (see the fixture injected_failures)."""

from __future__ import annotations

import functools


class InjectedFailures:
    """Makes every n-th durable transaction fail once at its end as a serialization failure does."""

    def __init__(self, every):
        self.every = every
        self.seen = 0
        self.failed = 0

    def around(self, durable):
        from django.db.utils import OperationalError
        from psycopg.errors import SerializationFailure

        @functools.wraps(durable)
        def failing(work, **options):
            self.seen += 1
            fail = self.seen % self.every == 0

            def once():
                nonlocal fail
                result = work()
                if fail:
                    fail = False
                    self.failed += 1
                    raise OperationalError("injected") from SerializationFailure("injected")
                return result

            return durable(once, **options)

        return failing
