"""Two clocks: what may be said of the order of a device's lines and the proxy's, which agree only to within a bound."""

from __future__ import annotations

from collections.abc import Container
from datetime import datetime, timedelta

from monitor.events import DataType
from monitor.findings import ConsentStatus
from monitor.judge.consent import Timeline


def decided(
    timeline: Timeline, at: datetime, uncertainty_ms: float, data: DataType | None, scope: str = "general_policy"
) -> ConsentStatus:
    """What the user had decided at a moment that is known only to within some milliseconds.

    Where a yes began or ended within them, it counts as given: rather miss than accuse.
    """
    status = timeline.at(at, data, scope)
    if status.state == "given" or not uncertainty_ms:
        return status
    slack = timedelta(milliseconds=uncertainty_ms)
    around = (timeline.at(at + slack, data, scope), timeline.at(at - slack, data, scope))
    return next((other for other in around if other.state == "given"), status)


def surely(
    timeline: Timeline, at: datetime, uncertainty_ms: float, data: DataType | None, scope: str, wanted: Container[str]
) -> bool:
    """Whether the state was one of these whatever the moment was within the uncertainty."""
    slack = timedelta(milliseconds=uncertainty_ms)
    moments = (at, at - slack, at + slack) if slack else (at,)
    return all(timeline.at(moment, data, scope).state in wanted for moment in moments)
