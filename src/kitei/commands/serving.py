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
from types import FrameType

from django.conf import settings

from kitei.foundation import transactions
from kitei.foundation.jobs import queue
from kitei.foundation.tenancy.models import Organization
from kitei.foundation.text import Message, UserError
from kitei.outcomes.regulation import jobs

_log = logging.getLogger("kitei.serve")

STOP_SECONDS = 10
RESTART_PAUSE = 1.0
IDLE_SECONDS = 2.0
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
        return [sys.executable, "-m", "waitress", f"--listen={host}:{port}", "--threads=8", "kitei.wsgi:application"]
    return [
        sys.executable, "-m", "gunicorn", "kitei.wsgi:application",
        "--bind", f"[{host}]:{port}" if ":" in host else f"{host}:{port}", "--worker-class", "gthread", "--workers", "2", "--threads", "4",
        "--forwarded-allow-ips", "",  # only our own middleware believes proxies, and only trusted ones
        "--no-control-socket",  # gunicorn 27 would open one in the home folder (traps.md)
        "--graceful-timeout", "8", "--log-level", "warning", "--preload",
    ]  # fmt: skip


def worker(options: argparse.Namespace) -> int:
    """Run due work for ever, or with ``--once`` until nothing is due."""
    stopping = threading.Event()
    if not options.once:
        signal.signal(signal.SIGTERM, lambda _signal, _frame: stopping.set())
        signal.signal(signal.SIGINT, lambda _signal, _frame: stopping.set())
    parent = os.getppid()
    while not stopping.is_set():
        try:
            jobs.plan_runs()
            busy = queue.run_one()
        except Exception as error:
            # A database that restarts or a full disk must not end the worker: it tries again.
            if options.once or not transactions.is_passing(error):
                raise
            _log.warning("worker: %s", error)
            busy = False
        if not busy:
            if options.once:
                return 0
            stopping.wait(IDLE_SECONDS)
        if os.getppid() != parent and not options.once:
            return 0  # serve was killed: do not live on without it
    return 0
