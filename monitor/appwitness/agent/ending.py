"""Determines how the observed process ended, from the agent's last messages and from what Frida reported."""

from __future__ import annotations

CRASHES = ("abort", "kill 6")
"""Endings that the app did not choose, as the agent names them."""


class Ending:
    """How one process ended."""

    def __init__(self) -> None:
        self.crashed = False
        """Whether it ended by a crash, a signal, or an exit inside appwitness's own code."""
        self.culprit: str | None = None
        """The source being read when it ended, if its last message named one."""
        self.said = False
        """Whether the agent announced the end."""

    def told(self, how: str, inside: str | None) -> None:
        """Take the agent's announcement that the process is about to end: how, and the source that is being read, if
        any."""
        self.said = True
        self.culprit = inside
        self.crashed = inside is not None or how in CRASHES

    def lost(self, reason: str, crash: object | None, *, stopping: bool, hooked: bool) -> tuple[bool, str | None]:
        """Frida has lost the process; `stopping`: because appwitness ends it; `hooked`: the agent would have announced
        its end. Returns whether it was killed, and why its last calls may be missing, or None."""
        if reason == "application-requested":
            return False, None
        self.crashed |= reason == "process-terminated" and not self.said and not stopping
        if reason != "process-terminated" or crash is not None:
            return False, f"{reason}: {crash}" if crash is not None else reason
        if self.said or not hooked:
            return False, None
        return True, None if stopping else "the process was killed; its last 50 ms may be missing"
