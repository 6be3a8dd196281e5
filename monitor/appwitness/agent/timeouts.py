"""Runs work on a process that may hang or be gone."""

from __future__ import annotations

import threading
from collections.abc import Callable
from contextlib import suppress

AWAY_S = 90.0
"""How long a lost device (a pulled cable, a network outage) may take to return."""


def within(seconds: float, work: Callable[[], object], lost: tuple[type[Exception], ...]) -> None:
    """Do the work in a thread and wait at most this many seconds; errors in `lost` (a lost process) are ignored."""

    def quietly() -> None:
        with suppress(*lost):
            work()

    thread = threading.Thread(target=quietly, daemon=True)
    thread.start()
    thread.join(seconds)
