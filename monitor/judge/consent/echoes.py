"""What two saw of one moment: the hooks in the app, and whoever watched the device's screen from outside."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime, timedelta

from monitor.events import Consent, Ref
from monitor.judge.consent.machine import by_operator, clock_of, host_time
from monitor.labels import normal_label

ECHO = timedelta(seconds=5)
"""A screen is read some moments after it came up, and its clock is another one."""


def echoes(lines: Iterable[tuple[Ref, Consent]], clock_offset_ms: float) -> frozenset[Ref]:
    """The lines from outside that the hooks have told as well, nearer to the act: these do not count once more.

    A question or an answer is the same one when both say the same of it, a touch when its label is the same. What the
    hooks did not see (a web page, Compose, Flutter) stands as it was seen from outside, and so does a line that an
    operator has put right.
    """
    lines = list(lines)
    named = {name for _, line in lines for name in (line.corrects, line.retracts) if name and by_operator(line)}
    inside: dict[tuple[str, str, str], list[tuple[datetime, Consent]]] = {}
    outside: list[tuple[Ref, Consent, tuple[str, str, str]]] = []
    for ref, line in lines:
        if (
            by_operator(line)
            or ref in named
            or line.signal not in ("dialog", "tap", "permission_prompt", "permission_result")
        ):
            continue
        label = normal_label(line.text or "") if line.signal == "tap" else ""
        key = (line.signal, line.status if line.signal != "tap" else "", label)
        if clock_of(line) == "host":
            outside.append((ref, line, key))
        else:
            inside.setdefault(key, []).append((host_time(line, clock_offset_ms), line))
    own = {
        ref
        for ref, line, key in outside
        if not any(abs(line.at - at) <= ECHO and _overlap(line, told) for at, told in inside.get(key, ()))
    }
    return frozenset(ref for ref, _, _ in outside if ref not in own)  # a screen may ask several things


def _overlap(one: Consent, other: Consent) -> bool:
    return one.data is None or other.data is None or not set(one.data).isdisjoint(other.data)
