"""Detects that an app is idle: a question is left open until then, to see what the app does without an answer."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterable

from appwitness.devices.android.shell import Shell

LEAST_S = 5.0
"""Shortest time for which a question is left open."""
SILENT_S = 4.0
"""How long nothing must have been read, connected or sent: waiting for a connection uses no processor time."""
MOST_S = 30.0
"""After this long, an app that is never idle (an animation, a game) gets its answer."""
SAMPLE_S = 1.0
QUIET = 2
"""Number of quiet samples in a row that make an app idle."""
TICKS = 5
"""Maximum processor time of an idle app in one sample, in hundredths of a second."""
STALE_S = 5.0
"""After a pause this long, a call counts as being about another question."""


class Rest:
    """Tells when an app's processes are idle, from what the kernel says about their threads. Call it repeatedly."""

    def __init__(
        self,
        shell: Shell,
        processes: Callable[[], Iterable[int]],
        silent_s: Callable[[], float],
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        """`silent_s`: returns the seconds since anything of the app was last recorded."""
        self._shell = shell
        self._processes = processes
        self._silent_s = silent_s
        self._clock = clock
        self._begun = self._asked = self._sampled = float("-inf")
        self._ticks: int | None = None
        self._quiet = 0

    def __call__(self) -> bool:
        """True once the app is idle, or MOST_S have passed. Raises DeviceFault."""
        now = self._clock()
        if now - self._asked > STALE_S:
            self._begun, self._sampled, self._ticks, self._quiet = now, float("-inf"), None, 0
        self._asked = now
        if now - self._sampled >= SAMPLE_S:
            self._sample(now)
        waited = now - self._begun
        rests = waited >= LEAST_S and self._quiet >= QUIET and self._silent_s() >= SILENT_S
        return rests or waited >= MOST_S

    def _sample(self, now: float) -> None:
        self._sampled = now
        folders = " ".join(f"/proc/{pid}/task/*/stat" for pid in self._processes())
        ticks, runs = 0, False
        for line in self._shell.user(f"cat {folders} 2>/dev/null").out.splitlines() if folders else ():
            fields = line.rpartition(")")[2].split()  # proc(5): the state follows the name
            if len(fields) > 12:
                runs = runs or fields[0] == "R"
                ticks += int(fields[11]) + int(fields[12])
        still = self._ticks is not None and not runs and ticks - self._ticks <= TICKS
        self._quiet = self._quiet + 1 if still else 0
        self._ticks = ticks
