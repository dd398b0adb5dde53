"""Running ``kitei`` as a person would, and looking at what it left behind."""

from __future__ import annotations

import json
import os
import signal
import sqlite3
import subprocess
import sys
import tempfile
import time
from pathlib import Path

from cli.warm import LOST, warm

SOURCE = Path(__file__).parents[2] / "src"
MAIL = "hanako@sakura.example"
TODAY = "2026-11-22"
DEMO_PASSWORD = "harunokaze-2026-fuji"
DEPARTMENTS = ("部署", ("部署コード", "部署名", "上位部署コード"))
MEMBERS = ("構成員", ("社員番号", "姓", "名", "部署コード", "入社日"))
APPOINTMENTS = ("任命", ("任命番号", "役割", "社員番号", "代行順", "発令日", "任命者", "根拠条"))


COLD = [sys.executable, "-W", "error::ResourceWarning", "-m", "kitei.cli"]


class Console:
    """Runs ``kitei`` as a person would, on one data folder; with ``cold`` in an interpreter that starts for it alone."""

    def __init__(self, data, *, cold=False):
        self.data = data
        self.output = data.with_name("output.txt")
        self.cold = cold or sys.platform == "win32"

    def environment(self, **more):
        kept = {
            name: value for name, value in os.environ.items() if not name.startswith(("KITEI_", "LC_", "LANG", "PG"))
        }
        return {
            **kept,
            "PYTHONPATH": str(SOURCE),
            "KITEI_DATA": str(self.data),
            "KITEI_TODAY": TODAY,
            "LANG": "ja_JP.UTF-8",
            **more,
        }

    def __call__(self, *arguments, code=0, cwd=None, **environment):
        """Run one command to its end; its exit code has to be ``code``. No command ever shows a stack trace."""
        done = self._run([str(argument) for argument in arguments], cwd, self.environment(**environment))
        assert done.returncode == code, f"exit {done.returncode}, wanted {code}\n{done.stdout}\n{done.stderr}"
        assert "Traceback" not in done.stderr
        return done

    def lose_power(self, step, *arguments, **environment):
        """Run a restore that ends at ``step`` as if the machine lost its power there."""
        done = self._run([str(argument) for argument in arguments], None, self.environment(**environment), lost_at=step)
        assert done.returncode == LOST, done.stdout + done.stderr

    def _run(self, arguments, cwd, environment, **more):
        if self.cold:
            return subprocess.run(
                [*COLD, *arguments],
                env=environment,
                cwd=cwd,
                capture_output=True,
                text=True,
                timeout=120,
                check=False,
            )
        with tempfile.TemporaryFile("w+") as out, tempfile.TemporaryFile("w+") as err:
            process = warm().start(arguments, env=environment, cwd=cwd, stdout=out, stderr=err, **more)
            try:
                code = process.wait(120)
            finally:
                process.kill()
            for stream in (out, err):
                stream.seek(0)
            return subprocess.CompletedProcess(arguments, code, out.read(), err.read())

    def start(self, *arguments, **environment):
        # Output goes to a file: a child that lives on must not keep a reader waiting.
        self.output.parent.mkdir(parents=True, exist_ok=True)
        with self.output.open("ab") as output:
            env = self.environment(**environment)
            if not self.cold:
                return warm().start(arguments, env=env, stdout=output, stderr=output, new_session=True)
            return subprocess.Popen(
                [*COLD, *map(str, arguments)],
                env=env,
                stdout=output,
                stderr=subprocess.STDOUT,
                start_new_session=True,
            )

    def kill_after(self, seconds, *arguments):
        """Start a command and kill it the hard way after ``seconds``; return whether it was still running."""
        process = self.start(*arguments)
        try:
            process.wait(timeout=seconds)
        except subprocess.TimeoutExpired:
            os.kill(process.pid, signal.SIGKILL)
            process.wait()
            return True
        return False

    def json(self, *arguments, code=0):
        return json.loads(self(*arguments, "--format", "json", code=code).stdout)

    def rows(self, sql):
        """Read from the data folder's database; an empty list while there is no such table."""
        path = self.data / "kitei.sqlite3"
        if not path.exists():
            return []
        connection = sqlite3.connect(path)
        try:
            return connection.execute(sql).fetchall()
        except sqlite3.OperationalError as error:
            if "no such table" in str(error):
                return []
            raise
        finally:
            connection.close()

    def count(self, table):
        found = self.rows(f"SELECT COUNT(*) FROM {table}")  # noqa: S608  table names of these tests
        return found[0][0] if found else 0


def initialise(folder):
    console = Console(folder)
    console("init", "--name", "さくら医療クラウド株式会社", "--admin", MAIL)
    return console


def load_demo(console):
    """Load the demo as on a new machine; a warm one shall agree with it, also about what depends on hashing."""
    cold = Console(console.data, cold=True)
    return cold("demo", "--no-serve", "--today", TODAY, "--password", DEMO_PASSWORD, KITEI_TODAY="")


def wait_for(condition, seconds=30.0, pause=0.1):
    """Return the first true answer of ``condition``; AssertionError when none comes in time."""
    end = time.monotonic() + seconds
    while time.monotonic() < end:
        answer = condition()
        if answer:
            return answer
        time.sleep(pause)
    raise AssertionError(f"waited {seconds} s in vain for {condition}")
