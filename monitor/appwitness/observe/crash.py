"""Finds the sources whose hooks crash an app: from its last moment, otherwise by bisection."""

from __future__ import annotations

from collections.abc import Callable, Sequence

from appwitness.agent.sources import Source

Survives = Callable[[Sequence[Source]], bool]
"""Whether the app lives on with these sources hooked; restarts it each time."""


def without(sources: Sequence[Source], names: Sequence[str]) -> list[Source]:
    """The sources but those of these names: a source of several entries is left out whole."""
    return [source for source in sources if source.name not in names]


def deadly(sources: Sequence[Source], survives: Survives) -> str | None:
    """Name of a source that the app does not survive; None when it dies of none of them alone.

    Asks about half of what is left each time: 1,000 sources take ten starts.
    """
    names = list(dict.fromkeys(source.name for source in sources))
    if not names or not survives([]):
        return None
    while len(names) > 1:
        half = names[: len(names) // 2]
        rest = names[len(names) // 2 :]
        names = rest if survives(_only(sources, half)) else half
    return None if survives(_only(sources, names)) else names[0]


def _only(sources: Sequence[Source], names: Sequence[str]) -> list[Source]:
    wanted = set(names)
    return [source for source in sources if source.name in wanted]
