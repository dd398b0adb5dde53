"""What recording costs on one database: ``python -m bench.log_database PART…``, settings by environment.

Compared calls take turns in one run; both sides go through Django's ORM or its test client as the product does.
"""

from __future__ import annotations

import gc
import http.client
import os
import socket
import statistics
import subprocess
import sys
import threading
import time
import urllib.request
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from bench import log_house as house

BACKLOG = 100_000
EVENTS_A_SECOND = 500
SECONDS = 20
READERS = 8
WRITERS, PROCESSES = 32, 4


def label() -> str:
    from django.db import connection

    return "SQLite" if connection.vendor == "sqlite" else "PostgreSQL"


def row(what: str, limit: str, measured: str, ratio: str = "") -> None:
    print(f"| {what} ({label()}) | {limit} | {measured} | {ratio} |", flush=True)


def business(worker: int = 0) -> None:
    """Do what a small business write does: change one row, add one."""
    from kitei.foundation import clock
    from kitei.foundation.tenancy.ids import uuid7
    from kitei.trust.access.models import Membership
    from kitei.trust.accounts.models import User

    organization = _organization()
    User.objects.filter(email=f"writer{worker}@bench.example").update(name=f"書く人 {time.monotonic_ns()}")
    Membership.objects.create(
        organization=organization, principal=uuid7(), role="privacy-officer", starts_at=clock.now(),
        source_kind="appointment", source_id=uuid7(), recorded_at=clock.now(),
    )  # fmt: skip


_cached: list[Any] = []


def _organization() -> Any:
    if not _cached:
        from kitei.foundation.tenancy.models import Organization

        _cached.append(Organization.objects.get())
    return _cached[0]


def people(count: int) -> None:
    """Make the accounts whose rows ``business`` changes."""
    from kitei.foundation import clock
    from kitei.trust.accounts.models import User

    for number in range(count):
        User.objects.get_or_create(
            email=f"writer{number}@bench.example",
            defaults={"organization": _organization(), "name": "書く人", "created_at": clock.now()},
        )


def smallest() -> None:
    """Commit one inserted row of a table without an index: the least a durable transaction can do."""
    from django.db import connection

    from kitei.foundation import transactions

    def work() -> None:
        with connection.cursor() as cursor:
            cursor.execute("INSERT INTO bench_tick (tick) VALUES (1)")

    transactions.durable(work)


def make_tick() -> None:
    from django.db import connection

    with connection.cursor() as cursor:
        cursor.execute("CREATE TABLE IF NOT EXISTS bench_tick (tick integer)")


def write() -> None:
    """One business write in a transaction, with and without its event."""
    from kitei.foundation import transactions
    from kitei.trust.auditlog.log import append

    organization = _organization()
    people(1)
    house.request_context()
    number = iter(range(10**6))

    def audited() -> None:
        business()
        append(organization=organization, act=house.act(next(number)))

    plain, both, empty = house.alternate(
        400, lambda: transactions.durable(business), lambda: transactions.durable(audited), smallest
    )
    row(
        "audited write",
        "≤ 1.8 × unaudited",
        f"{both * 1000:.2f} ms against {plain * 1000:.2f} ms (smallest commit {empty * 1000:.2f} ms)",
        f"{both / plain:.2f} × unaudited",
    )


def view() -> None:
    """A document's file through the whole web stack, with and without the event committed first."""
    from kitei.trust.auditlog.models import Event

    address, cookie = house.view()
    client = house.client(cookie)

    def get() -> None:
        answer = client.get(address)
        assert answer.status_code == 200
        answer.close()

    def quiet() -> None:
        with house.unaudited():
            get()

    before = Event.objects.count()
    plain, recorded, empty = house.alternate(300, quiet, get, smallest)
    assert Event.objects.count() == before + 310
    row(
        "audited view",
        "≤ unaudited + 1.5 × smallest commit",
        f"{recorded * 1000:.2f} ms against {plain * 1000:.2f} ms (smallest commit {empty * 1000:.2f} ms)",
        f"+ {(recorded - plain) / empty:.2f} × smallest commit",
    )


def fill(count: int) -> None:
    """Append ``count`` events, quickly."""
    from kitei.foundation import transactions
    from kitei.trust.auditlog.log import append_many

    organization = _organization()
    house.request_context()
    for start in range(0, count, 5000):
        acts = [house.act(number) for number in range(start, min(count, start + 5000))]
        transactions.durable(lambda acts=acts: append_many(organization=organization, acts=acts))


def sequencer() -> None:
    """Drain a backlog: places, tiles, verification, signature, publication."""
    from kitei.trust.auditlog import sequencer as part
    from kitei.trust.auditlog.models import Event
    from kitei_verify import merkle

    organization = _organization()
    part.run(organization=organization)
    began = time.perf_counter()
    fill(BACKLOG)
    filled = time.perf_counter() - began
    row("appending a backlog of 100,000 events in bulk", "—", f"{BACKLOG / filled:,.0f} events/s")
    waiting = Event.objects.filter(leaf_index__isnull=True)
    payloads = [bytes(data) for data in waiting.values_list("payload", flat=True)]
    began = time.perf_counter()
    whole = merkle.CompactRange()
    whole.extend([merkle.leaf_hash(data) for data in payloads])
    whole.root()
    bare = time.perf_counter() - began
    size = sum(map(len, payloads)) / len(payloads)
    del payloads
    gc.collect()
    began = time.perf_counter()
    taken = part.run(organization=organization)
    took = time.perf_counter() - began
    assert taken == BACKLOG, taken
    row(
        f"sequencer draining 100,000 events of {size:.0f} bytes",
        "≥ 20,000 leaves/s",
        f"{taken / took:,.0f} leaves/s",
        f"{took / bare:.0f} × hashing the same tree",
    )


@contextmanager
def child(*command: str) -> Iterator[subprocess.Popen[bytes]]:
    """Run a command of Kitei inside the block."""
    process = subprocess.Popen([sys.executable, "-m", "kitei.cli", *command], stdout=subprocess.DEVNULL)
    try:
        yield process
        assert process.poll() is None, f"kitei {command[0]} ended"
    finally:
        process.terminate()
        process.wait(20)


def published() -> int:
    """Return the size of the published head."""
    from django.conf import settings

    return int((Path(settings.DATA) / "log" / "bench" / "checkpoint").read_bytes().split(b"\n")[1])


def lag() -> None:
    """500 events a second, each in its own transaction, beside a real worker: from commit to the published head."""
    from django.db import connections

    from kitei.foundation import transactions
    from kitei.trust.auditlog import sequencer as part
    from kitei.trust.auditlog.log import append
    from kitei.trust.auditlog.models import Event

    organization = _organization()
    part.run(organization=organization)
    committed: list[tuple[Any, float, float]] = []
    heads: list[tuple[float, int]] = []
    stop = threading.Event()
    threads, each = 4, EVENTS_A_SECOND // 4

    def watch() -> None:
        while not stop.wait(0.01):
            heads.append((time.perf_counter(), published()))

    def produce(first: float) -> None:
        house.request_context()
        for number in range(each * SECONDS):
            time.sleep(max(0.0, first + number / each - time.perf_counter()))
            began = time.perf_counter()
            made = transactions.durable(lambda number=number: append(organization=organization, act=house.act(number)))
            now = time.perf_counter()
            committed.append((made.pk, now, now - began))
        connections.close_all()

    with child("worker"):
        time.sleep(3)
        first = time.perf_counter()
        watcher = threading.Thread(target=watch)
        producers = [threading.Thread(target=produce, args=(first + n / 500,)) for n in range(threads)]
        for thread in (watcher, *producers):
            thread.start()
        for thread in producers:
            thread.join()
        took = time.perf_counter() - first
        end = time.perf_counter() + 30
        while Event.objects.filter(leaf_index__isnull=True).exists() and time.perf_counter() < end:
            time.sleep(0.05)
        time.sleep(1.5)
        stop.set()
        watcher.join()
    places = dict(Event.objects.order_by("-leaf_index").values_list("pk", "leaf_index")[: len(committed)])
    found, at = [], 0
    for index, moment in sorted((places[key], moment) for key, moment, _ in committed):
        while heads[at][1] <= index:
            at += 1
        found.append(max(0.0, heads[at][0] - moment))
    writes = [took for _, _, took in committed]
    row(
        f"from commit to published head at {EVENTS_A_SECOND} events/s for {SECONDS} s ({len(committed) / took:.0f}/s reached)",
        "p99 ≤ 2 s",
        f"p50 {house.rank(found, 0.5):.2f} s, p99 {house.rank(found, 0.99):.2f} s, longest {max(found):.2f} s",
        f"appending meanwhile p50 {statistics.median(writes) * 1000:.1f}, p99 {house.rank(writes, 0.99) * 1000:.0f} ms",
    )


def crowd(count: int, seconds: float, one: Callable[[int], Callable[[], None]]) -> tuple[list[float], list[str], float]:
    """Let ``count`` threads call what ``one`` makes for each; return times, errors and calls a second."""
    from django.db import connections

    times: list[float] = []
    errors: list[str] = []
    end = time.perf_counter() + seconds

    def work(number: int) -> None:
        call = one(number)
        while time.perf_counter() < end:
            began = time.perf_counter()
            try:
                call()
            except Exception as error:  # noqa: BLE001  what a reader would see is what is measured
                errors.append(f"{type(error).__name__}: {error}")
            times.append(time.perf_counter() - began)
        connections.close_all()

    threads = [threading.Thread(target=work, args=(number,)) for number in range(count)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    return times, errors, len(times) / seconds


def readers() -> None:
    """8 readers open a document again and again: in one process, and at a real ``kitei serve``; the sequencer runs."""
    address, cookie = house.view()

    def inside(_number: int) -> Callable[[], None]:
        client = house.client(cookie)

        def get() -> None:
            answer = client.get(address)
            assert answer.status_code == 200, answer.status_code
            answer.close()

        return get

    with child("worker"):
        time.sleep(2)
        said("8 readers, threads of one process", *crowd(READERS, 8, inside))
    with house.unaudited():
        _, _, rate = crowd(READERS, 4, inside)
    row("the same without recording", "—", f"{rate:.0f} views/s")

    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]

    def outside(_number: int) -> Callable[[], None]:
        held = http.client.HTTPConnection("127.0.0.1", port, timeout=30)

        def get() -> None:
            held.request("GET", address, headers={"Cookie": f"kitei_session={cookie}"})
            answer = held.getresponse()
            assert answer.status == 200, answer.status
            answer.read()

        return get

    with child("serve", "--port", str(port)):
        for _ in range(100):
            time.sleep(0.1)
            try:
                urllib.request.urlopen(f"http://127.0.0.1:{port}/healthz", timeout=1)
                break
            except OSError:
                continue
        crowd(READERS, 1, outside)
        said("8 readers at `kitei serve`, their client beside it", *crowd(READERS, 8, outside))


def said(what: str, times: list[float], errors: list[str], rate: float) -> None:
    if errors:
        print(errors[0], file=sys.stderr)
    row(
        what,
        "≥ 300 audited views/s, p99 ≤ 500 ms, no error",
        f"{rate:.0f}/s, p50 {statistics.median(times) * 1000:.0f} ms, p99 {house.rank(times, 0.99) * 1000:.0f} ms",
        f"{len(errors)} errors of {len(times)}, longest {max(times):.2f} s",
    )


def writers() -> None:
    """32 writers in 4 processes, with a pause inside each transaction, with and without events."""
    from kitei.trust.auditlog import sequencer as part

    people(WRITERS)
    for pause, sequenced in ((0, False), (5, False), (20, False), (20, True)):
        rates: dict[str, list[float]] = {"plain": [], "audited": []}
        slow: dict[str, list[float]] = {"plain": [], "audited": []}
        for kind in ("plain", "audited", "audited", "plain"):
            if kind == "audited" and sequenced:
                with child("worker"):
                    time.sleep(2)
                    rate, p99 = _writers(kind, pause)
            else:
                rate, p99 = _writers(kind, pause)
            part.run(organization=_organization())
            rates[kind].append(rate)
            slow[kind].append(p99)
        plain, audited = (statistics.mean(rates[kind]) for kind in ("plain", "audited"))
        row(
            f"32 writers, {pause} ms in each transaction{', the sequencer beside them' if sequenced else ''}",
            "≥ 70 % of unaudited" if pause == 20 else "—",
            f"{audited:.0f}/s against {plain:.0f}/s, p99 {max(slow['audited']) * 1000:.0f} against {max(slow['plain']) * 1000:.0f} ms",
            f"{audited / plain:.0%} of unaudited",
        )


def _writers(kind: str, pause: int) -> tuple[float, float]:
    """Return (transactions a second, p99 seconds) of one run."""
    begin = time.time() + 2.5
    command = [sys.executable, "-m", "bench.log_database", "one-writer", kind, str(pause), repr(begin)]
    started = [subprocess.Popen([*command, str(n)], stdout=subprocess.PIPE, text=True) for n in range(PROCESSES)]
    times = [float(word) for process in started for word in process.communicate()[0].split()]
    assert all(process.returncode == 0 for process in started)
    return len(times) / 3, house.rank(times, 0.99)


def one_writer(kind: str, pause: int, begin: float, number: int) -> None:
    """Be one of the processes of ``_writers``: 8 threads for 3 seconds; print the seconds of each transaction."""
    from kitei.foundation import transactions
    from kitei.trust.auditlog.log import append

    organization = _organization()

    def one(thread: int) -> Callable[[], None]:
        writer = number * (WRITERS // PROCESSES) + thread
        house.request_context()
        transactions.durable(lambda: business(writer))

        def work() -> None:
            business(writer)
            time.sleep(pause / 1000)
            if kind == "audited":
                append(organization=organization, act=house.act(writer))

        time.sleep(max(0.0, begin - time.time()))
        return lambda: transactions.durable(work)

    times, errors, _ = crowd(WRITERS // PROCESSES, 3 + max(0.0, begin - time.time()), one)
    assert not errors, errors[0]
    print(*(f"{took:.4f}" for took in times))


PARTS = {"write": write, "view": view, "sequencer": sequencer, "lag": lag, "readers": readers, "writers": writers}


def main(arguments: list[str]) -> None:
    house.start()
    if arguments[0] == "one-writer":
        one_writer(arguments[1], int(arguments[2]), float(arguments[3]), int(arguments[4]))
        return
    make_tick()
    for name in arguments:
        PARTS[name]()


if __name__ == "__main__":
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "kitei.settings")
    main(sys.argv[1:])
