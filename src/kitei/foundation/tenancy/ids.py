"""UUIDv7 keys (RFC 9562 §5.7): they sort by time of making, so indexes stay dense and no sequence is needed."""

from __future__ import annotations

import os
import threading
import time
import uuid

_lock = threading.Lock()
_last = 0


def uuid7() -> uuid.UUID:
    """Return a new UUIDv7: 48 bits of Unix milliseconds, then 12 + 62 bits.

    Inside one process ids strictly rise: the 12 bits behind the milliseconds count up within one millisecond and run
    ahead of the clock when they overflow or the clock steps back.
    """
    global _last  # noqa: PLW0603  the process-wide counter is the point
    stamp = time.time_ns() // 1_000_000 << 12
    with _lock:
        _last = max(stamp, _last + 1)
        head = _last
    random = int.from_bytes(os.urandom(8)) >> 2
    millis, counter = head >> 12, head & 0xFFF
    return uuid.UUID(int=(millis & (1 << 48) - 1) << 80 | 7 << 76 | counter << 64 | 2 << 62 | random)
