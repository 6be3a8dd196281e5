"""Processes that the app starts: each is held until it is hooked too, or a gap says that it was not."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable
from contextlib import suppress
from pathlib import PurePosixPath
from typing import Any

from monitor.errors import SetupError

BECOME_OTHERS = ("jspawnhelper",)
"""Programs that only start another one in their place: what a JVM starts others through."""
JAVA = ("java",)
"""Programs that are hooked as the app is, besides its own."""

BECOMES_S = 5.0
LOOK_S = 0.01


class Children:
    """Those of the process `pid`, which runs `program`, on a Frida device.

    `hook` hooks a held process and lets it go, or raises SetupError; `missed` is told of one of which nothing is seen,
    and why; `lost` are the errors of Frida for a process that is gone.
    """

    def __init__(
        self,
        device: Any,
        pid: int,
        program: str | None,
        *,
        hook: Callable[[int, str], None],
        missed: Callable[[str, str], None],
        lost: tuple[type[Exception], ...],
    ) -> None:
        self._device = device
        self._pid = pid
        self._programs = {*JAVA, PurePosixPath(program or "java").name}
        self._hook = hook
        self._missed = missed
        self._lost = lost
        self._told: set[str] = set()
        self._open = False

    def hold(self, session: Any) -> None:
        """From now on Frida holds what the process starts, until it has been looked at."""
        try:
            session.enable_child_gating()
        except self._lost as error:
            self._missed("processes that the app starts", f"Frida cannot hold them here: {error}")
            return
        if not self._open:
            self._open = True
            self._device.on("child-added", self._added)

    def close(self) -> None:
        """Look at no more of them."""
        if self._open:
            self._open = False
            self._device.off("child-added", self._added)

    def _added(self, child: Any) -> None:
        """Told from a thread of Frida's, which must not wait for Frida."""
        threading.Thread(target=self._take, args=(child,), daemon=True).start()

    def _take(self, child: Any) -> None:
        with suppress(*self._lost):
            if not self._is_ours(child.pid):
                return
            program = PurePosixPath(child.path or "").name
            line = " ".join(child.argv or [program])
            if child.origin == "fork":
                # Its one thread is in the middle of the app's code: nothing can be installed there without harm.
                self._miss(f"a copy of process {self._pid}", "it was forked; what the copy does is not seen")
                self._device.resume(child.pid)
            elif program in self._programs:
                try:
                    self._hook(child.pid, program)
                except SetupError as error:
                    self._miss(line, str(error))
                    self._device.resume(child.pid)
            elif program in BECOME_OTHERS:
                self._device.resume(child.pid)
                name = self._become(child.pid) or "a command of the app"
                self._miss(name, f"started through {program}, past which Frida does not see: what it does is not seen")
            else:
                # Held in its turn, a shell that started another program in its place crashed: hands off.
                self._device.resume(child.pid)
                self._miss(line, "not a program of the app's: what it does and starts is not seen")

    def _become(self, pid: int) -> str:
        """Name of the program that a helper starts in its place; hands off it, a JVM that was entered then crashed."""
        end = time.monotonic() + BECOMES_S
        while time.monotonic() < end:
            found = self._device.enumerate_processes(pids=[pid], scope="metadata")
            name = PurePosixPath(found[0].parameters.get("path") or found[0].name).name if found else ""
            if name not in BECOME_OTHERS:
                return name
            time.sleep(LOOK_S)
        return ""

    def _is_ours(self, pid: int) -> bool:
        """Whether the app started it: Frida tells of the processes of all apps that are observed on the device."""
        found = self._device.enumerate_processes(pids=[pid], scope="metadata")
        return any(process.parameters.get("ppid") == self._pid for process in found)

    def _miss(self, subject: str, why: str) -> None:
        """Once: apps start the same command again and again."""
        if subject not in self._told:
            self._told.add(subject)
            self._missed(subject, why)
