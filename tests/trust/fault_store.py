"""A disk in memory with an honest model of what lasts, and a counter that lets any step of a process fail or be its last.

``Disk`` outlives processes; ``FaultStore`` is one process's hand on it. Like ``FolderStore``: ``write`` makes the bytes
durable, the name appears at once and is durable after a ``sync`` of the process that wrote it. A power cut leaves any
subset of the names that were not synced.
"""

from __future__ import annotations

import contextlib
import posixpath
import threading


class Died(BaseException):
    """The process was killed here: nothing of it runs any more, its ``finally`` blocks included."""


class Faults:
    """Counts the steps of one process. Step ``at`` (from 1; 0: none) kills it, or with ``error`` fails once.

    ``after`` lets the step have its effect first. ``error`` makes the exception that is raised.
    """

    def __init__(self, at=0, *, error=None, after=False):
        self.at, self.error, self.after = at, error, after
        self.steps: list[str] = []
        self.dead = False

    def step(self, name, effect):
        if self.dead:
            raise Died
        self.steps.append(name)
        hit = len(self.steps) == self.at
        if hit and not self.after:
            self._strike()
        result = effect()
        if hit and self.after:
            self._strike()
        return result

    def _strike(self):
        if self.error is not None:
            raise self.error()
        self.dead = True
        raise Died


class Disk:
    """What is visible (``names``), what lasts (``lasting``), and the changes of names between the two, in order."""

    def __init__(self, files=None):
        self.names: dict[str, bytes] = dict(files or {})
        self.lasting: dict[str, bytes] = dict(files or {})
        self.open: list[tuple[str, bytes | None]] = []
        self.guard = threading.RLock()
        self.published: list[bytes] = []
        self.held = False
        self.spoil: dict[str, int] = {}

    def copy(self):
        made = Disk(self.names)
        made.lasting, made.open = dict(self.lasting), list(self.open)
        made.published, made.spoil = list(self.published), dict(self.spoil)
        return made

    def put(self, path, data):
        with self.guard:
            if path in self.spoil:  # a bit flips on the way to the disk
                place = self.spoil.pop(path) % len(data)
                data = data[:place] + bytes([data[place] ^ 1]) + data[place + 1 :]
            self.open.append((path, data))
            if data is None:
                self.names.pop(path, None)
            else:
                self.names[path] = data
            if path == "checkpoint":
                self.published.append(data)

    def settle(self, folders):
        with self.guard:
            later = []
            for path, data in self.open:
                if posixpath.dirname(path) not in folders:
                    later.append((path, data))
                elif data is None:
                    self.lasting.pop(path, None)
                else:
                    self.lasting[path] = data
            self.open = later

    def survivors(self, keep):
        """Return the files a power cut leaves; ``keep(path)`` tells whether a change of a name that was not synced lasts."""
        files = dict(self.lasting)
        for path, data in self.open:
            if keep(path):
                if data is None:
                    files.pop(path, None)
                else:
                    files[path] = data
        return files


class FaultStore:
    """The ``Store`` of one process on a ``Disk``; every call is a step of ``faults``."""

    def __init__(self, disk, faults=None):
        self.disk = disk
        self.faults = faults or Faults()
        self._dirty: set[str] = set()

    def read(self, path):
        return self.faults.step(f"read {path}", lambda: self.disk.names.get(path))

    def write(self, path, data):
        def effect():
            self._dirty.add(posixpath.dirname(path))
            self.disk.put(path, bytes(data))

        self.faults.step(f"write {path}", effect)

    def sync(self):
        def effect():
            self.disk.settle(self._dirty)
            self._dirty = set()

        self.faults.step("sync", effect)

    def remove(self, path):
        def effect():
            self._dirty.add(posixpath.dirname(path))
            if path in self.disk.names:
                self.disk.put(path, None)

        self.faults.step(f"remove {path}", effect)

    def siblings(self, folder):
        def effect():
            found = {path[len(folder) + 1 :] for path in self.disk.names if path.startswith(f"{folder}/")}
            return sorted(name for name in found if "/" not in name)

        return self.faults.step(f"siblings {folder}", effect)

    @contextlib.contextmanager
    def lock(self):
        self.faults.step("lock", lambda: None)
        with self.disk.guard:
            self.disk.held = True
            try:
                yield
            finally:
                self.disk.held = False
