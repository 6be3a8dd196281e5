"""Runs work on a process that may hang or be gone."""

from __future__ import annotations

import threading
from collections.abc import Callable
from contextlib import suppress

AWAY_S = 90.0
"""How long a device that was lost (a cable that was pulled, a network that is down) may take to come back."""


def within(seconds: float, work: Callable[[], object], lost: tuple[type[Exception], ...]) -> None:
    """Do it, but do not wait for it for ever, and never mind when the process is `lost` meanwhile."""

    def quietly() -> None:
        with suppress(*lost):
            work()

    thread = threading.Thread(target=quietly, daemon=True)
    thread.start()
    thread.join(seconds)
