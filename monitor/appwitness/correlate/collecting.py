"""Controls when Python's garbage collector runs: its passes grow with the run and find nothing."""

from __future__ import annotations

import gc
from collections.abc import Callable, Iterator
from contextlib import contextmanager

SETTLED_LINES = 1000
"""Lines after which what they say is set aside from collections of garbage."""


@contextmanager
def uncollected() -> Iterator[None]:
    """No collection of garbage in here, for work that makes none: judging allocates as much as a run has, and each
    full collection in it would look at all that the run has."""
    enabled = gc.isenabled()
    gc.disable()
    try:
        yield
    finally:
        if enabled:
            gc.enable()


@contextmanager
def settling() -> Iterator[Callable[[int], None]]:
    """What is known now, and by each time that the function it gives is told of many more lines, is set aside, and
    collections of garbage pass over it: a full one would look at all of it, and every thread of the process would wait,
    those that speak to the app too. At the end all is as before."""
    since = 0

    def settle(lines: int) -> None:
        nonlocal since
        since += lines
        if since >= SETTLED_LINES:
            since = 0
            gc.collect(1)  # so that little garbage is set aside with it
            gc.freeze()

    settle(SETTLED_LINES)
    try:
        yield settle
    finally:
        gc.unfreeze()
