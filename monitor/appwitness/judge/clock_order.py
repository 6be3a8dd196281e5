"""Orders lines of two clocks, the device's and the host's, which agree only within a bound.

What two lines of one clock say of their order is exact: a tap and a read (both of the device), a mark and an upload
(both of the host). Between the clocks only what is farther apart than the bound is in order. What one clock gives the
same microsecond is simultaneous. Where nobody compared them (a bound of infinity) nothing between them is.
"""

from __future__ import annotations

from collections.abc import Container, Iterable, Sequence
from datetime import datetime

from appwitness.events import DataType
from appwitness.findings import ConsentName, ConsentStatus
from appwitness.judge.consent import Clock, Timeline

_CLAIMS: dict[ConsentName, int] = {"given": -2, "unseen_answer": -1, "basic_only": 1, "refused": 2, "withdrawn": 2}
"""How much more than the lack of a yes a state says against the app."""


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
    """The same of the statuses that may have held at that moment; most often there is one."""
    return possible[0] if len(possible) == 1 else least(possible, timeline.at(at, data, scope))


def least(possible: Sequence[ConsentStatus], as_timed: ConsentStatus) -> ConsentStatus:
    """The status that accuses least, among those that may have held. That is a yes where there may have been one,
    then an answer that was not seen, then the lack of a yes before a no. Where that leaves several: the one that the
    times tell, or the first.
    """
    ranked = {each: _CLAIMS.get(each.state, 0) for each in possible}
    best = min(ranked.values())
    return as_timed if ranked.get(as_timed) == best else next(each for each in possible if ranked[each] == best)


def surely(possible: Iterable[ConsentStatus], wanted: Container[str]) -> bool:
    """Whether the state was one of these whichever line came first, of those whose order is not known."""
    return all(each.state in wanted for each in possible)
