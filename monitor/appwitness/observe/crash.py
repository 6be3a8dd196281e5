"""Finds the source whose hooks crash an app by bisection."""

from __future__ import annotations

from collections.abc import Callable, Sequence

from appwitness.agent.sources import Source

Survives = Callable[[Sequence[Source]], bool]
"""Whether the app survives with these sources hooked; restarts the app each time."""


def without(sources: Sequence[Source], names: Sequence[str]) -> list[Source]:
    """The sources except those with these names: all entries of a source are left out together."""
    return [source for source in sources if source.name not in names]


def deadly(sources: Sequence[Source], survives: Survives) -> str | None:
    """The name of a source that crashes the app; None when no source does so alone. Each start tests half of the
    rest: 1,000 sources take ten starts."""
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
