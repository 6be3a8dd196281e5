"""The agent gets into a real ART, sees calls, and leaves the app its own results."""

from __future__ import annotations

import pytest

from appwitness.agent.sources import Source
from tests.art.conftest import Run

pytestmark = pytest.mark.timeout(120)


def source(method: str) -> Source:
    values = [{"from": "return"}]
    return Source(name=f"first.{method}", cls="first.Main", method=method, data="phone_number", values=values)


def test_calls_are_seen_and_the_app_goes_on(play: Run) -> None:
    played = play("first", [source("secret"), source("sum")])
    assert played.printed.splitlines() == ["secret of bob 0 1", "secret of bob 1 2", "secret of bob 2 3", "done"]
    assert played.code == 7
    assert not [gap for gap in played.gaps if gap.subject.startswith("first.") or gap.why == "hook_error"]
    seen = [(access.source, access.values[0].text) for access in played.accesses]
    assert sorted(seen) == sorted(
        [("first.secret", f"secret of bob {n}") for n in range(3)] + [("first.sum", str(n + 1)) for n in range(3)]
    )
