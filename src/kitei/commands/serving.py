"""serve and worker: the web server and one worker as separate child processes that serve starts, watches and stops."""

from __future__ import annotations

import argparse
import ctypes
import ipaddress
import logging
import os
import signal
import socket
import subprocess
import sys
import threading
import time
from collections.abc import Callable
from types import FrameType

from django.conf import settings
from django.db import connection

from kitei.custody import schedule, target
from kitei.foundation import transactions
from kitei.foundation.jobs import queue
from kitei.foundation.tenancy.models import Organization
from kitei.foundation.text import Message, UserError
from kitei.outcomes.regulation import jobs
from kitei.trust.access import operations as access
from kitei.trust.accounts import sessions
from kitei.trust.auditlog import anchors, erasure, reactions, sequencer
from kitei.trust.auditlog.log import for_process, set_context
from kitei.web.accounts import leaving

_log = logging.getLogger("kitei.serve")

STOP_SECONDS = 10
RESTART_PAUSE = 1.0
IDLE_SECONDS = 2.0
SEQUENCE_SECONDS = 0.5
"""Pause of the sequencer while nothing is pending: the longest an event waits for its place on a quiet machine."""
HELD_SECONDS = 0.2
_PR_SET_PDEATHSIG = 1


def ready_or_refuse() -> None:
    """Raise UserError unless database and log are fit to serve."""
    from kitei.commands.doctor import faults  # noqa: PLC0415  doctor knows every fault

    found = faults()
    if found:
        raise UserError(found[0])


def refuse_open_demo(host: str) -> None:
    """Raise UserError when a demo would be reachable from elsewhere: its accounts have printed pass words only."""
    loopback = host == "localhost" or (_is_address(host) and ipaddress.ip_address(host).is_loopback)
    if (not loopback or settings.PUBLIC_URL) and Organization.objects.filter(is_demo=True).exists():
        raise UserError(
            Message("デモは自分の機械からだけ開けます。--host と KITEI_PUBLIC_URL を指定せずに行ってください。")
        )


def _is_address(text: str) -> bool:
    try:
        ipaddress.ip_address(text)
    except ValueError:
        return False
    return True


def refuse_taken_port(host: str, port: int) -> None:
    """Raise UserError when nothing can listen there: better said once than by a server that keeps restarting."""
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    with socket.socket(family, socket.SOCK_STREAM) as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind((host, port))
        except OSError as error:
            raise UserError(
                Message(
                    "%(host)sのポート%(port)sは使えません。ほかのプログラムを止めるか、--port で別の番号を選んでください。",
                    {"host": host, "port": port},
                )
            ) from error


def serve(options: argparse.Namespace) -> int:
    """Start both children, restart one that dies, stop both on SIGTERM or Ctrl-C."""
    ready_or_refuse()
    refuse_open_demo(options.host)
    refuse_taken_port(options.host, options.port)
    address = settings.PUBLIC_URL or f"http://localhost:{options.port}"
    commands = {
        "web": _web_command(options.host, options.port),
        "worker": [sys.executable, "-m", "kitei.cli", "worker"],
    }
    environment = {**os.environ, "KITEI_DATA": str(settings.DATA), "PYTHONUNBUFFERED": "1"}
    stopping = threading.Event()

    def stop(_signal: int, _frame: FrameType | None) -> None:
        stopping.set()

    signal.signal(signal.SIGTERM, stop)
    signal.signal(signal.SIGINT, stop)
    children = {name: _start(command, environment) for name, command in commands.items()}
    print(address, flush=True)
    try:
        while not stopping.wait(0.5):
            for name, child in children.items():
                if child.poll() is not None:
                    _log.warning("%s ended with %s; starting it again", name, child.returncode)
                    time.sleep(RESTART_PAUSE)
                    children[name] = _start(commands[name], environment)
    finally:
        for child in children.values():
            child.terminate()
        for child in children.values():
            try:
                child.wait(STOP_SECONDS)
            except subprocess.TimeoutExpired:
                child.kill()
    return 0


def _start(command: list[str], environment: dict[str, str]) -> subprocess.Popen[bytes]:
    """Start a child that the system ends when serve itself is killed, so that no web server keeps the port (Linux)."""
    if sys.platform != "linux":
        return subprocess.Popen(command, env=environment)
    prctl = ctypes.CDLL(None).prctl
    return subprocess.Popen(
        command,
        env=environment,
        preexec_fn=lambda: prctl(_PR_SET_PDEATHSIG, signal.SIGTERM),  # noqa: PLW1509  serve has one thread only
    )


def _web_command(host: str, port: int) -> list[str]:
    if sys.platform == "win32":
        return [
            sys.executable, "-m", "waitress", f"--listen={host}:{port}", "--threads=8",
            "--no-clear-untrusted-proxy-headers",  # our own middleware drops them, except for trusted proxies
            "--max-request-body-size=62914560",  # web.middleware.MAX_BODY: waitress keeps it on the disk before it asks us
            "kitei.wsgi:application",
        ]  # fmt: skip
    return [
        sys.executable, "-m", "gunicorn", "kitei.wsgi:application",
        "--bind", f"[{host}]:{port}" if ":" in host else f"{host}:{port}", "--worker-class", "gthread", "--workers", "2", "--threads", "4",
        "--forwarded-allow-ips", "",  # only our own middleware believes proxies, and only trusted ones
        "--no-control-socket",  # gunicorn 27 would open one in the home folder (traps.md)
        "--graceful-timeout", "8", "--log-level", "warning", "--preload",
    ]  # fmt: skip


def worker(options: argparse.Namespace) -> int:
    """Run due work for ever, or with ``--once`` until nothing is due: the log first, then what follows from it, then jobs."""
    target.refuse_unfinished()
    if options.once:
        set_context(for_process("worker"))
        _complete_lists()
        latest = time.monotonic() + 2 * sequencer.LEASE.total_seconds()
        while _sequence() + _react() + _do_jobs() or (_log_held() and time.monotonic() < latest):
            pass
        _anchor()
        return 0
    stopping = threading.Event()
    signal.signal(signal.SIGTERM, lambda _signal, _frame: stopping.set())
    signal.signal(signal.SIGINT, lambda _signal, _frame: stopping.set())
    # The log has a thread of its own: a document that takes long to render must not keep records from being signed.
    signing = threading.Thread(target=_keep_on, args=(stopping, SEQUENCE_SECONDS, _sequence), name="log")
    signing.start()
    _complete_lists()
    _keep_on(stopping, IDLE_SECONDS, _react, _anchor, _do_jobs)
    signing.join()
    return 0


def _keep_on(stopping: threading.Event, pause: float, *parts: Callable[[], int]) -> None:
    """Run the parts again and again; pause when nothing was to do, and when the database or the disk is away."""
    set_context(for_process("worker"))  # of this thread
    parent = os.getppid()
    while not stopping.is_set():
        busy = 0
        for part in parts:
            try:
                busy += part()
            except Exception as error:
                # A database that restarts or a full disk must not end the worker: it tries again.
                if not (transactions.is_passing(error) or isinstance(error, OSError | UserError)):
                    stopping.set()
                    raise
                _log.warning("worker: %s", error)
                connection.close_if_unusable_or_obsolete()
        if not busy:
            stopping.wait(pause)
        if os.getppid() != parent:
            stopping.set()  # serve was killed: do not live on without it


def _complete_lists() -> None:
    """Write the lines of erasures whose command was killed between commit and list."""
    for organization in Organization.objects.order_by("id"):
        erasure.complete_list(organization)


def _sequence() -> int:
    taken = 0
    failed: OSError | UserError | None = None
    for organization in Organization.objects.order_by("id"):
        try:
            taken += sequencer.run(organization=organization)
        except sequencer.StoppedError:
            continue  # said once when it was stopped; doctor and the page 操作記録 show it until a person decides
        except (OSError, UserError) as error:
            failed = failed or error  # a lost key or a full disk of one organization must not stop the others' logs
    if failed is not None:
        raise failed
    return taken


def _log_held() -> bool:
    """Whether a log has work that another sequencer keeps, perhaps one that was killed; waits a moment then."""
    held = any(sequencer.is_held(organization=organization) for organization in Organization.objects.all())
    if held:
        time.sleep(HELD_SECONDS)
    return held


def _anchor() -> int:
    for organization in Organization.objects.order_by("id"):
        anchors.run(organization=organization)
    return 0


def _react() -> int:
    return sum(reactions.run(organization=organization) for organization in Organization.objects.order_by("id"))


def _do_jobs() -> int:
    access.flush_strangers()
    jobs.plan_runs()
    schedule.plan()
    sessions.plan_sweep()
    leaving.plan()
    return int(queue.run_one())
