"""Finds the sources whose hooks crash an app: from its last moment, otherwise by bisection."""

from __future__ import annotations

from collections.abc import Callable, Sequence

from appwitness.agent.sources import Source

Survives = Callable[[Sequence[Source]], bool]
"""Whether the app survives with these sources hooked; restarts it each time."""


def without(sources: Sequence[Source], names: Sequence[str]) -> list[Source]:
    """The sources without those of these names: all entries of a source are left out together."""
    return [source for source in sources if source.name not in names]


def deadly(sources: Sequence[Source], survives: Survives) -> str | None:
    """Name of a source that crashes the app; None when no source does so alone. Tests half of the rest each time:
    1,000 sources take ten starts."""
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
