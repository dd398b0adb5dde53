"""serve: starts, answers, restarts what died, stops without leaving anything behind."""

from __future__ import annotations

import signal
import sys
import time
import urllib.error
import urllib.request

import psutil
import pytest

from cli.console import Console, wait_for

pytestmark = pytest.mark.skipif(sys.platform == "win32", reason="signals")


@pytest.fixture
def serving(kitei, free_port):
    """``kitei serve``, answering; whatever is left of it is ended afterwards."""
    process = Console(kitei.data, cold=True).start("serve", "--port", free_port)
    family = Family(process, free_port)
    try:
        wait_for(family.healthy)
        yield family
    finally:
        for child in family.everyone():
            child.kill()
        process.kill()
        process.wait()


class Family:
    """A serve process, its children and grandchildren."""

    def __init__(self, process, port):
        self.process, self.port = process, port

    def everyone(self):
        try:
            return psutil.Process(self.process.pid).children(recursive=True)
        except psutil.NoSuchProcess:
            return []

    def named(self, word):
        found = []
        for child in self.everyone():
            try:
                if word in " ".join(child.cmdline()) and child.ppid() == self.process.pid:
                    found.append(child)
            except psutil.Error:  # it ended between the two questions
                continue
        return found

    def get(self, path):
        return urllib.request.urlopen(f"http://127.0.0.1:{self.port}{path}", timeout=5)

    def healthy(self):
        try:
            with self.get("/healthz") as answer:
                return answer.status == 200
        except OSError:
            return False


def gone(processes):
    return all(not process.is_running() or process.status() == psutil.STATUS_ZOMBIE for process in processes)


def test_it_serves_keeps_its_port_restarts_what_dies_and_leaves_nothing_behind(serving, kitei):
    with serving.get("/login") as page:
        assert page.status == 200
    said = kitei("serve", "--port", serving.port, code=2).stderr
    assert str(serving.port) in said
    assert said.count("\n") == 1
    assert serving.healthy()

    worker, web = serving.named("kitei.cli worker")[0], serving.named("gunicorn")[0]

    worker.kill()
    assert wait_for(lambda: [child for child in serving.named("kitei.cli worker") if child.pid != worker.pid])
    assert serving.healthy(), "the web server goes on while the worker is started again"

    web.kill()
    wait_for(lambda: [child for child in serving.named("gunicorn") if child.pid != web.pid])
    wait_for(serving.healthy)

    everyone = serving.everyone()
    assert len(everyone) >= 3
    serving.process.send_signal(signal.SIGTERM)
    assert serving.process.wait(20) == 0
    wait_for(lambda: gone(everyone), 10)
    with pytest.raises(urllib.error.URLError):
        serving.get("/healthz")


def test_killing_serve_itself_leaves_no_orphan(serving):
    everyone = serving.everyone()
    serving.process.kill()
    wait_for(lambda: gone(everyone), 15)


def test_the_worker_drains_what_is_due_and_ends(kitei, officers):
    kitei("import", officers, "--apply")
    kitei("worker", "--once")
    assert kitei.count("checks_run") == 1
    assert kitei.rows("SELECT COUNT(*) FROM jobs_job WHERE done_at IS NULL") == [(0,)]
    began = time.monotonic()
    kitei("worker", "--once")
    assert time.monotonic() - began < 30
    assert kitei.count("checks_run") == 1
