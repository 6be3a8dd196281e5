"""Holds new processes of a device until their app is known, so that the app's own are hooked before their first
instruction.

All others are resumed at once, and whatever happens, none is held for longer than a few seconds. Frida's server holds
them (spawn gating), and releases all when the connection to it is lost. If one were held for 8 s, it would release all
and stop holding for good; and Android ends an app's process that has not come up 10 s after its start.
"""

from __future__ import annotations

import queue
import threading
from collections.abc import Callable
from typing import Protocol

from appwitness.agent.child_processes import Owned
from appwitness.agent.timeouts import within
from appwitness.support.errors import SetupError

WHOSE_S = 1.5
"""How long a process is held until its app is known."""
HOOK_S = 6.0
"""How long a process of the app is held until it is hooked."""
STOP_S = 5.0


class Holds(Protocol):
    """Holds new processes: a device as Frida reaches it."""

    def gate(self, born: Callable[[int, str], object]) -> None:
        """Hold new processes from now on, and report each with pid and name."""

    def ungate(self) -> None:
        """Stop holding; held processes are resumed."""

    def resume(self, pid: int) -> None:
        """Resume one process."""


class SpawnGate:
    """Gates the spawns of one device during one run. `take` is called with each process of the app, and returns
    whether it will `release` it; `lost`: Frida's errors for a lost device."""

    def __init__(
        self, device: Holds, owned: Owned, take: Callable[[int, str], bool], lost: tuple[type[Exception], ...]
    ) -> None:
        self._device = device
        self._owned = owned
        self._take = take
        self._lost = lost
        self._held: dict[int, threading.Timer] = {}
        self._lock = threading.Lock()
        self._born: queue.SimpleQueue[tuple[int, str] | None] = queue.SimpleQueue()
        self._worker = threading.Thread(target=self._sort, name="gate", daemon=True)

    def open(self) -> bool:
        """Start holding new processes; returns False if this device cannot."""
        try:
            self._device.gate(self._is_born)
        except self._lost:
            return False
        self._worker.start()
        return True

    def close(self) -> None:
        """Stop holding new processes; held ones are resumed."""
        within(STOP_S, self._device.ungate, self._lost)
        self._born.put(None)
        for pid in list(self._held):
            self.release(pid)

    def holds(self, pid: int) -> bool:
        """Whether a process is being held."""
        return pid in self._held

    def release(self, pid: int) -> bool:
        """Resume a process; returns whether it was held until now."""
        with self._lock:
            timer = self._held.pop(pid, None)
        if timer is None:
            return False
        timer.cancel()
        within(STOP_S, lambda: self._device.resume(pid), self._lost)
        return True

    def _is_born(self, pid: int, name: str) -> None:
        """Called on a Frida thread, which must not wait."""
        self._for_at_most(pid, WHOSE_S)
        self._born.put((pid, name))

    def _for_at_most(self, pid: int, seconds: float) -> None:
        timer = threading.Timer(seconds, self.release, (pid,))
        timer.daemon = True
        with self._lock:
            before = self._held.get(pid)
            self._held[pid] = timer
        if before is not None:
            before.cancel()
        timer.start()

    def _sort(self) -> None:
        """Find out which of the waiting processes are the app's, with one request for all of them."""
        while (first := self._born.get()) is not None:
            there = [first]
            while not self._born.empty():
                if (more := self._born.get()) is None:
                    self._born.put(None)  # stop after these have been sorted
                    break
                there.append(more)
            try:
                ours = self._owned()
            except SetupError:
                ours = {}
            for pid, name in there:
                if pid in ours and self.holds(pid):
                    self._for_at_most(pid, HOOK_S)
                    if self._take(pid, ours[pid] or name):
                        continue
                self.release(pid)
