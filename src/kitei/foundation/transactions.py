"""Who opens a transaction, who joins one, and how a consistent read is made (design §3 "One way to write").

Faces (views, commands, jobs, importers) call ``durable``; operations call ``require`` and join. Nothing else opens
transactions. On SQLite a write transaction begins IMMEDIATE and so waits for its turn at the start, never half way.
"""

from __future__ import annotations

import random
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import TypeVar

from django.db import DatabaseError, connection, transaction
from django.db.utils import OperationalError

T = TypeVar("T")

RETRYABLE = frozenset({"40001", "40P01"})
"""SQLSTATEs after which the same work may simply be tried again: serialization failure and deadlock."""


def is_retryable(error: BaseException) -> bool:
    """Tell whether ``error`` asks for the transaction to be repeated (PostgreSQL 40001/40P01; SQLite busy)."""
    cause = error.__cause__ or error
    state = getattr(cause, "sqlstate", None)
    if state is not None:
        return state in RETRYABLE
    return isinstance(error, OperationalError) and "database is locked" in str(error)


def durable(work: Callable[[], T], *, attempts: int = 6) -> T:
    """Run ``work`` in one outermost transaction and return its result.

    Repeats it after a serialization failure, so ``work`` must have no effect outside the database. Raises whatever
    ``work`` raises; then nothing was changed.
    """
    for attempt in range(1, attempts + 1):
        try:
            with transaction.atomic(durable=True):
                return work()
        except DatabaseError as error:
            if attempt == attempts or not is_retryable(error):
                raise
            # Jitter keeps two colliding writers from colliding again.
            time.sleep(random.uniform(0.005, 0.02) * 2**attempt)  # noqa: S311  not a secret
    raise AssertionError("unreachable")


def require() -> None:
    """Raise RuntimeError unless the caller runs inside a transaction: operations join, they do not open."""
    if not connection.in_atomic_block:
        raise RuntimeError("an operation was called outside a transaction; faces open one with transactions.durable()")


@contextmanager
def snapshot() -> Iterator[None]:
    """Read several queries as of one moment, without the write lock: DEFERRED on SQLite, REPEATABLE READ on PostgreSQL.

    Inside an open transaction the block simply joins it.
    """
    if connection.in_atomic_block:
        yield
        return
    if connection.vendor == "sqlite":
        connection.ensure_connection()
        mode = getattr(connection, "transaction_mode", None)
        connection.transaction_mode = "DEFERRED"  # type: ignore[attr-defined]
        try:
            with transaction.atomic():
                yield
        finally:
            connection.transaction_mode = mode  # type: ignore[attr-defined]
        return
    with transaction.atomic():
        with connection.cursor() as cursor:
            cursor.execute("SET TRANSACTION ISOLATION LEVEL REPEATABLE READ READ ONLY")
        yield


def durable_or_join(work: Callable[[], T]) -> T:
    """Run ``work`` durably, or inside the open transaction if there is one (signal handlers cannot know)."""
    if connection.in_atomic_block:
        return work()
    return durable(work)


def is_passing(error: BaseException) -> bool:
    """Tell whether ``error`` may go away by itself: a lock, a lost connection, a restart of the database server."""
    return isinstance(error, OperationalError) or is_retryable(error)


def after_commit(work: Callable[[], None]) -> None:
    """Run ``work`` once the caller's transaction is durable, never if it rolls back: for effects outside the database."""
    require()
    transaction.on_commit(work)
