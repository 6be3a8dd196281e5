"""Controls when Python's garbage collector runs: its passes take longer as the run grows, and find nothing."""

from __future__ import annotations

import gc
from collections.abc import Callable, Iterator
from contextlib import contextmanager

SETTLED_LINES = 1000
"""Number of lines after which everything known so far is excluded from garbage collection."""


@contextmanager
def uncollected() -> Iterator[None]:
    """Disable garbage collection for work that leaves no garbage: judging a run and reporting on it allocate in
    proportion to the run, and each full collection during it would examine everything the run has."""
    enabled = gc.isenabled()
    gc.disable()
    try:
        yield
    finally:
        if enabled:
            gc.enable()


@contextmanager
def settling() -> Iterator[Callable[[int], None]]:
    """Exclude what is known so far from garbage collection, and again whenever SETTLED_LINES more lines have been
    reported to the yielded function. Otherwise a full collection would examine all of it and stall every thread of the
    process, including those that talk to the app. On exit, the exclusion ends."""
    since = 0

    def settle(lines: int) -> None:
        nonlocal since
        since += lines
        if since >= SETTLED_LINES:
            since = 0
            gc.collect(1)  # so that little garbage is excluded with it
            gc.freeze()

    settle(SETTLED_LINES)
    try:
        yield settle
    finally:
        gc.unfreeze()
