"""Hooks the app's other processes, if they run the app's own code; a gap names those that are not hooked.

The agent reports what its process starts (hooks/watch/children.ts). A process that Android starts for the app, with a
name such as `com.example.app:push`, is held before its first instruction if the device can do that (spawn_gating.py);
otherwise it is searched for. A process that is not held is entered while it runs, and a gap says so. Frida's own way to
hold child processes (child gating) is not used: it lost calls of the app, and apps that fork a lot hung.
"""

from __future__ import annotations

import re
import threading
import time
from collections.abc import Callable, Mapping
from contextlib import suppress
from dataclasses import dataclass
from datetime import datetime
from typing import Protocol

from appwitness.support.errors import SetupError

LOOK_S = 1.0
"""How often to look for processes that Android started."""
CLOSE_S = 10.0
"""How long the end of a run waits for a process that is just being entered."""

COPY = "it was forked; what the copy does is not seen"
PROGRAM = "not a program of the app's: what it does and starts is not seen"
HELPED = "started through a helper of the virtual machine's: what it does and starts is not seen"
STRANGER = "the app named it as its own, and it is not of the app's user: it was left alone"
TOO_MANY = "there were too many to follow"
UNREAD = "their command lines were lost: what they do and start is not seen"
FURTHER = "further processes"
SYSTEM = re.compile(r"^(\S*/)?(am|pm|cmd|content|settings|input|svc|wm|ime|dumpsys)(\s|$)|\bcom\.android\.commands\.")
"""Android's own programs: like the app, they run in a virtual machine (app_process), but without any app code."""
MOST_PROCESSES = 100
"""Maximum number of processes that are entered in a run."""
MOST_SUBJECTS = 1000
"""Maximum number of programs that are reported."""
LONGEST_SUBJECT = 2000
"""Maximum number of characters of a command line."""
LATE = "it was entered while it ran: what it did before is not seen"
ENDED = "it ended before its hooks were in: what it did is not seen"


class Followed:
    """The processes that are already followed, the app's own and those it starts: each is entered once."""

    def __init__(self) -> None:
        self._pids: set[int] = set()
        self._lock = threading.Lock()

    def take(self, pid: int) -> bool:
        """Whether it is new: not followed until now."""
        with self._lock:
            new = pid not in self._pids
            self._pids.add(pid)
            return new

    def __len__(self) -> int:
        return len(self._pids)


class MissedProcess(Protocol):
    """Called for a process that is not observed, or was not observed from `began` until now."""

    def __call__(self, subject: str, why: str, began: datetime | None = None, /) -> object:
        """Record a gap for it."""


Owned = Callable[[], Mapping[int, str]]
"""The processes of the app that the device reports: pid and name. Raises SetupError if it does not answer."""


@dataclass(frozen=True)
class Means:
    """How processes are told apart and entered."""

    hook: Callable[[int, bool], datetime | None]
    """Hooks a process, held or running; returns since when calls may have been missed, or None. Raises SetupError."""
    running: Callable[[], Mapping[int, str]]
    """Pid -> name, for each process of the device."""
    ours: Callable[[int], bool]
    """Whether a process belongs to the app's user."""
    ended: Callable[[int], bool]
    """Whether a process has ended, or is just about to; False if that cannot be told."""
    missed: MissedProcess
    lost: tuple[type[Exception], ...]
    """Frida's errors for a device that is gone."""
    owned: Owned | None = None
    """The app's processes, if the device knows them: their names can be anything."""


class Children:
    """The child processes of process `pid` of the app `app`; `followed`: those of the whole run."""

    def __init__(self, app: str, pid: int, means: Means, followed: Followed) -> None:
        self._app = app
        self._pid = pid
        self._means = means
        self._followed = followed
        followed.take(pid)
        self._told: set[str] = set()
        self._entering: list[threading.Thread] = []
        self.look_at = time.monotonic()
        self._open = True
        self.is_held: Callable[[int], bool] = lambda _: False
        """Whether a process is held by spawn gating, which will report it."""

    def told(self, pid: int | None, how: str, line: str | None) -> None:
        """Take the agent's report of a started process. Called on a Frida thread, which must not wait."""
        line = line and line[:LONGEST_SUBJECT]
        match how:
            case "own" if line and SYSTEM.search(line):
                self._miss(line, PROGRAM)
            case "own" if pid:
                self._enter(pid, line or f"process {pid}")
            case "copy":
                self._miss(f"a copy of process {self._pid}", COPY)
            case "helped":
                self._miss(line or "a command of the app", HELPED)
            case "lost":
                self._miss(FURTHER, UNREAD)
            case _:
                self._miss(line or "a program", PROGRAM)

    def held(self, pid: int, name: str) -> bool:
        """Take a process of the app that is held until it is hooked; returns whether it will be. Must not wait
        either."""
        return self._enter(pid, name, held=True)

    def look(self) -> None:
        """Enter the processes that Android started for the app since the last look."""
        if not self._open or time.monotonic() < self.look_at:
            return
        self.look_at = time.monotonic() + LOOK_S
        with suppress(*self._means.lost, SetupError):
            if self._means.owned is not None:
                for pid, name in self._means.owned().items():
                    if not self.is_held(pid):
                        self._enter(pid, name)
                return
            for pid, name in self._means.running().items():
                if name.startswith(f"{self._app}:"):
                    self._enter(pid, name)

    def close(self) -> None:
        """Stop entering processes, and wait for those being entered."""
        self._open = False
        end = time.monotonic() + CLOSE_S
        for thread in self._entering:
            thread.join(max(0.0, end - time.monotonic()))

    def _enter(self, pid: int, subject: str, *, held: bool = False) -> bool:
        if not self._open or not self._followed.take(pid):
            return False
        if len(self._followed) > MOST_PROCESSES:
            self._miss(FURTHER, TOO_MANY)
            return False
        thread = threading.Thread(target=self._take, args=(pid, subject, held), daemon=True)
        self._entering.append(thread)
        thread.start()
        return True

    def _take(self, pid: int, subject: str, held: bool) -> None:
        if not held and not self._belongs(pid):
            self._miss(subject, ENDED if self._means.ended(pid) else STRANGER)
            return
        try:
            since = self._means.hook(pid, held)
            if since is not None:
                self._means.missed(subject, LATE, since)
        except SetupError as error:
            self._miss(subject, ENDED if self._means.ended(pid) else str(error))

    def _belongs(self, pid: int) -> bool:
        with suppress(SetupError):
            if self._means.owned is not None and pid in self._means.owned():
                return True
        return self._means.ours(pid)

    def _miss(self, subject: str, why: str) -> None:
        """Report a missed process once: apps start the same command again and again."""
        if len(self._told) >= MOST_SUBJECTS:
            subject, why = FURTHER, TOO_MANY
        if subject not in self._told:
            self._told.add(subject)
            self._means.missed(subject, why)
