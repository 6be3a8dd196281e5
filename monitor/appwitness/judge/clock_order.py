"""Orders lines of two clocks, the device's and the host's, which agree only to within a bound.

The order of two lines of the same clock is exact: a tap and a read (both on the device's), a mark and an upload (both
on the host's). Lines of different clocks are in order only if they are farther apart than the bound. Lines of one clock
with the same microsecond are simultaneous. If nobody compared the clocks (an infinite bound), no line of one is in
order with a line of the other.
"""

from __future__ import annotations

from collections.abc import Container, Iterable, Sequence
from datetime import datetime

from appwitness.events import DataType
from appwitness.findings import ConsentName, ConsentStatus
from appwitness.judge.consent import Clock, Timeline

_CLAIMS: dict[ConsentName, int] = {"given": -2, "unseen_answer": -1, "basic_only": 1, "refused": 2, "withdrawn": 2}
"""How much more a state incriminates the app than the mere absence of a yes; negative: less."""


def decided(
    timeline: Timeline,
    at: datetime,
    clock: Clock,
    uncertainty_ms: float,
    data: DataType | None,
    scope: str = "general_policy",
) -> ConsentStatus:
    """What the user had decided at a moment of one clock, as far as the order of lines is known: see `least`."""
    return told(timeline.around(at, clock, uncertainty_ms, data, scope), timeline, at, data, scope)


def told(
    possible: Sequence[ConsentStatus],
    timeline: Timeline,
    at: datetime,
    data: DataType | None,
    scope: str = "general_policy",
) -> ConsentStatus:
    """The same as `decided`, chosen from the statuses that may have held then; usually there is only one."""
    return possible[0] if len(possible) == 1 else least(possible, timeline.at(at, data, scope))


def least(possible: Sequence[ConsentStatus], as_timed: ConsentStatus) -> ConsentStatus:
    """The least incriminating of the statuses that may have held: a yes, otherwise an unseen answer, otherwise the mere
    absence of a yes, otherwise a no. If several are equal, `as_timed` if it is one of them, otherwise the first."""
    ranked = {each: _CLAIMS.get(each.state, 0) for each in possible}
    best = min(ranked.values())
    return as_timed if ranked.get(as_timed) == best else next(each for each in possible if ranked[each] == best)


def surely(possible: Iterable[ConsentStatus], wanted: Container[str]) -> bool:
    """Whether the state was one of `wanted` in every possible order of the lines."""
    return all(each.state in wanted for each in possible)
