"""Determines how the observed process ended, from the agent's last messages and from what Frida reported."""

from __future__ import annotations

CRASHES = ("abort", "kill 6")
"""Ways of ending that are not the app's own will, as the agent names them."""


class Ending:
    """How one process ended."""

    def __init__(self) -> None:
        self.crashed = False
        """It did not end by itself: a crash, a signal, an exit inside our own code."""
        self.culprit: str | None = None
        """The source in whose reading it ended, as far as its last moment told."""
        self.said = False
        """The agent said that it ends."""

    def told(self, how: str, inside: str | None) -> None:
        """The agent says that the process ends now, how, and inside of which source's reading, if of any."""
        self.said = True
        self.culprit = inside
        self.crashed = inside is not None or how in CRASHES

    def lost(self, reason: str, crash: object | None, *, stopping: bool) -> tuple[bool, str | None]:
        """Frida has lost the process; `stopping`: at our wish.

        Gives whether it exited without a word of the agent's, and why what it did last may be missing, or None.
        """
        if reason == "application-requested":
            return False, None
        self.crashed |= reason == "process-terminated" and not self.said and not stopping
        if reason != "process-terminated" or crash is not None:
            return False, f"{reason}: {crash}" if crash is not None else reason
        if self.said:
            return False, None
        return True, None if stopping else "the process was killed; its last 50 ms may be missing"
