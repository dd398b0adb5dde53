"""Starting ``kitei`` commands warm: each in a process of its own, forked from one that has imported everything already.

A command needs some 20 ms of its own and over a second to import Django and the registers; hundreds of tests would pay
that each. The child reads its settings from its own environment, opens its own database, writes to its own streams, can
be killed, and ends with its own exit code. Migrating an empty SQLite database, seconds of Django's arithmetic, is done
once in a run of the tests; a warm command then gets the statements that came of it. What is proved about starting and
about migrating runs cold.
"""

from __future__ import annotations

import atexit
import fcntl
import gc
import json
import os
import signal
import socket
import sqlite3
import subprocess
import sys
import threading
import traceback
from contextlib import ExitStack, suppress
from functools import cache
from pathlib import Path

SOURCE = Path(__file__).parents[2] / "src"
NOWHERE = "/nonexistent/kitei-data"
LENGTH = 8
LOST = 9


class Warm:
    """The process that has imported everything; it waits for commands on a socket until this end is closed."""

    def __init__(self):
        self.control, theirs = socket.socketpair()
        kept = {name: value for name, value in os.environ.items() if not name.startswith(("KITEI_", "PG"))}
        with theirs:
            self.process = subprocess.Popen(
                [
                    sys.executable,
                    "-W",
                    "error::ResourceWarning",
                    __file__,
                    str(theirs.fileno()),
                    os.environ["KITEI_TEST_SHARED"],
                ],
                env={
                    **kept,
                    "PYTHONPATH": str(SOURCE),
                    "KITEI_DATA": NOWHERE,
                    "DJANGO_SETTINGS_MODULE": "kitei.settings",
                },
                stdin=subprocess.DEVNULL,
                pass_fds=[theirs.fileno()],
            )
        atexit.register(self.close)

    def close(self):
        self.control.close()
        self.process.wait(30)

    def start(self, arguments, *, env, stdout, stderr, cwd=None, new_session=False, lost_at=""):
        """Start one command; ``stdout`` and ``stderr`` are open files. At ``lost_at`` a restore loses its power."""
        request = {
            "arguments": [str(argument) for argument in arguments],
            "environment": env,
            "cwd": str(cwd or Path.cwd()),
            "new_session": new_session,
            "lost_at": lost_at,
        }
        ours, theirs = socket.socketpair()
        with theirs:
            socket.send_fds(self.control, [b"!"], [theirs.fileno(), stdout.fileno(), stderr.fileno()])
        content = json.dumps(request).encode()
        ours.sendall(len(content).to_bytes(LENGTH) + content)
        return Process(ours)


class Process:
    """What of ``subprocess.Popen`` the tests use, for a process that is not our own child."""

    def __init__(self, connection):
        self.connection = connection
        self.returncode = None
        self.pid = int.from_bytes(_read(connection, LENGTH))

    def wait(self, timeout=None):
        if self.returncode is None:
            self.connection.settimeout(timeout)
            try:
                self.returncode = int.from_bytes(_read(self.connection, LENGTH), signed=True)
            except TimeoutError as error:
                raise subprocess.TimeoutExpired("kitei", timeout) from error
            self.connection.close()
        return self.returncode

    def poll(self):
        with suppress(subprocess.TimeoutExpired):
            self.wait(0.001)
        return self.returncode

    def send_signal(self, number):
        if self.poll() is None:
            os.kill(self.pid, number)

    def kill(self):
        self.send_signal(signal.SIGKILL)


@cache
def warm():
    """Return this test process's own warm process, started when first asked for."""
    return Warm()


def _read(connection, length):
    content = b""
    while len(content) < length:
        part = connection.recv(length - len(content))
        if not part:
            raise ConnectionError("the warm process is gone")
        content += part
    return content


# ---- from here on: inside the warm process


def serve(control, shared):
    """Fork a watcher for every command asked for, until the tests are gone."""
    prepare()
    migrate_from(schema_in(shared))
    gc.collect()
    gc.freeze()  # a collection in a child need not look at, and so copy, what it inherited
    while True:
        message, descriptors, _flags, _address = socket.recv_fds(control, 1, 3)
        if not message:
            return
        with suppress(ChildProcessError):
            while os.waitpid(-1, os.WNOHANG)[0]:
                pass  # watchers that have ended
        if os.fork() == 0:
            control.close()
            watch(*descriptors)
        for descriptor in descriptors:
            os.close(descriptor)


def prepare():
    """Import everything a command may import, and open nothing."""
    import importlib
    import pkgutil

    import django

    django.setup()
    from django.utils import translation

    import kitei
    import kitei_verify

    for package in (kitei, kitei_verify):
        for found in pkgutil.walk_packages(package.__path__, f"{package.__name__}."):
            if not found.name.endswith(("__main__", ".wsgi")):
                importlib.import_module(found.name)
    for name in ("openpyxl", "docx", "django.core.management.commands.migrate"):
        importlib.import_module(name)
    for language in ("ja", "en"):
        with translation.override(language):
            translation.gettext("はい")
    assert threading.active_count() == 1, "a fork takes one thread only with it"


def schema_in(shared):
    """Return the file of the statements that make an empty database what all migrations make it; made once in a run."""
    path = shared / "schema.sql"
    with (shared / "schema.lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        if not path.exists():
            child = os.fork()  # the thousands of models Django makes on the way go with it
            if child == 0:
                made = False
                try:
                    write_schema(path)
                    made = True
                finally:
                    os._exit(0 if made else 1)
            assert os.waitpid(child, 0)[1] == 0, "the migrations failed"
    return path


def write_schema(path):
    from django.db import connection
    from django.db.migrations.executor import MigrationExecutor

    connection.settings_dict["NAME"] = path.with_suffix(".sqlite3")
    executor = MigrationExecutor(connection)
    executor.migrate(executor.loader.graph.leaf_nodes())
    connection.close()
    with sqlite3.connect(path.with_suffix(".sqlite3")) as database:
        lines = [line for line in database.iterdump() if not line.startswith(("BEGIN", "COMMIT"))]
    part = path.with_suffix(".part")
    part.write_text(json.dumps(lines))
    part.rename(path)


def migrate_from(path):
    """Let the commands forked from here migrate an empty SQLite database by the statements in ``path``."""
    from django.db.migrations.executor import MigrationExecutor

    whole = MigrationExecutor._migrate_all_forwards
    lines = json.loads(path.read_text())

    def migrate(self, state, plan, full_plan, **options):
        if self.connection.vendor != "sqlite" or {step for step, _ in plan} != {step for step, _ in full_plan}:
            return whole(self, state, plan, full_plan, **options)
        with self.connection.schema_editor() as editor:
            editor.execute("DROP TABLE django_migrations")
            for line in lines:
                editor.execute(line, None)
        vars(state).pop("apps", None)  # made anew once at the end rather than at every step
        for step, _ in full_plan:
            state = step.mutate_state(state, preserve=False)
        return state

    MigrationExecutor._migrate_all_forwards = migrate


def watch(connection, stdout, stderr):
    """Fork the command itself, tell its number, wait for it, tell its exit code. Never returns."""
    with socket.socket(fileno=connection) as told:
        request = json.loads(_read(told, int.from_bytes(_read(told, LENGTH))))
        child = os.fork()
        if child == 0:
            told.close()
            become(request, stdout, stderr)
        with suppress(BrokenPipeError):  # the test has gone on; the command still may end in peace
            told.sendall(child.to_bytes(LENGTH))
            code = os.waitstatus_to_exitcode(os.waitpid(child, 0)[1])
            told.sendall(code.to_bytes(LENGTH, signed=True))
    os._exit(0)


def become(request, stdout, stderr):
    """Be the command: its session, folder, environment, streams and settings. Never returns."""
    from django.db import connections

    code = 1
    try:
        if request["new_session"]:
            os.setsid()
        os.dup2(stdout, 1)
        os.dup2(stderr, 2)
        for descriptor in {stdout, stderr} - {1, 2}:
            os.close(descriptor)
        sys.stdout = open(1, "w", encoding="utf-8", closefd=False)  # noqa: SIM115  lives as long as the process
        sys.stderr = open(2, "w", encoding="utf-8", errors="backslashreplace", buffering=1, closefd=False)  # noqa: SIM115
        os.chdir(request["cwd"])
        os.environ.clear()
        os.environ.update(request["environment"])
        sys.argv = ["kitei", *request["arguments"]]
        forget_settings()
        from kitei import cli
        from kitei.custody import restore

        if request["lost_at"]:
            restore.reached = lambda step: os._exit(LOST) if step == request["lost_at"] else None
        code = cli.main(request["arguments"])
    except SystemExit as end:
        code = end.code or 0
    except BaseException:  # noqa: BLE001  as the interpreter shows it
        traceback.print_exc()
    finally:
        # What the interpreter does at its end, apart from freeing what it inherited.
        threading._shutdown()
        for connection in opened(connections):
            connection.close()  # the last connection to SQLite writes its WAL back
        atexit._run_exitfuncs()
        gc.collect()  # an open file left behind complains now
        with suppress(OSError):
            sys.stdout.flush()
            sys.stderr.flush()
        os._exit(code)


def opened(connections):
    """Return the connections there are; without asking the settings, which may be wrong."""
    found = getattr(connections._connections, "default", None)
    return [found] if found else []


def forget_settings():
    """Make Django read the settings again, now from the command's environment."""
    from django.conf import settings
    from django.core.files.storage import storages
    from django.db import connections
    from django.utils.functional import empty

    settings._wrapped = empty
    del sys.modules["kitei.settings"]
    connections.__init__()
    storages.__init__()
    for handler in (connections, storages):
        for name in ("settings", "backends"):
            handler.__dict__.pop(name, None)


if __name__ == "__main__":
    with ExitStack() as stack:
        serve(stack.enter_context(socket.socket(fileno=int(sys.argv[1]))), Path(sys.argv[2]))
