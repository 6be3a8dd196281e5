"""The door to numba: loops over bytes that must run at the speed of a compiled language."""

from __future__ import annotations

from collections.abc import Callable

from numba import njit


def compiled[**P, R](function: Callable[P, R]) -> Callable[P, R]:
    """Compile a function of numbers and arrays at its first call; other threads run while it works.

    What was compiled is kept beside the source, or in the user's cache; where neither can be written it is compiled
    anew in every process. What is kept is found by the time of its own source only, so a compiled function calls none
    of another module.
    """
    try:
        return njit(nogil=True, cache=True)(function)
    except RuntimeError:
        return njit(nogil=True)(function)
