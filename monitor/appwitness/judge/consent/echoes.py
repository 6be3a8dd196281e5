"""Recognises one event that was recorded twice: by the hooks in the app, and by an observer of the screen."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import timedelta

from appwitness.catalog.labels import normal_label
from appwitness.events import Consent, Ref
from appwitness.events.seen import Seen
from appwitness.judge.consent.machine import by_operator, clock_of

ECHO = timedelta(seconds=5)
"""Maximum time between two reports of one event: a screen is read a little after it appears, and on another clock."""


def echoes(lines: Iterable[Seen[Consent]]) -> frozenset[Ref]:
    """The lines of an outside observer that repeat what the hooks reported. They do not count, since the hooks are
    closer to the act.

    Questions and answers are the same if both have the same signal and status; touches, if their labels are the same.
    What the hooks did not see (a web page, Compose, Flutter) stays as seen from outside, and so does a line that an
    operator has corrected.
    """
    lines = list(lines)
    named = {
        name
        for each in lines
        for name in (each.event.corrects, each.event.retracts)
        if name and by_operator(each.event)
    }
    inside: dict[tuple[str, str, str], list[Seen[Consent]]] = {}
    outside: list[tuple[Seen[Consent], tuple[str, str, str]]] = []
    for each in lines:
        line = each.event
        if (
            by_operator(line)
            or each.ref in named
            or line.signal not in ("dialog", "tap", "permission_prompt", "permission_result")
        ):
            continue
        label = normal_label(line.text or "") if line.signal == "tap" else ""
        key = (line.signal, line.status if line.signal != "tap" else "", label)
        if clock_of(line) == "host":
            outside.append((each, key))
        else:
            inside.setdefault(key, []).append(each)
    own = {
        one.ref
        for one, key in outside
        if not any(abs(one.at - told.at) <= ECHO and _overlap(one.event, told.event) for told in inside.get(key, ()))
    }
    # A screen may ask several things: it is an echo only if all of them are.
    return frozenset(one.ref for one, _ in outside if one.ref not in own)


def _overlap(one: Consent, other: Consent) -> bool:
    return one.data is None or other.data is None or not set(one.data).isdisjoint(other.data)
