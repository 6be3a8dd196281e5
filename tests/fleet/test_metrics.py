"""The figures of a fleet as Prometheus reads them: complete, bounded, escaped."""

from __future__ import annotations

import re
from typing import Any

from appwitness.fleet.metrics import CAMPAIGNS, text
from appwitness.fleet.status import Status
from appwitness.store.fleet_tables import Pool, Slot

SAMPLE = re.compile(r'([a-z_]+)(?:\{((?:[a-z]+="(?:[^"\\\n]|\\["\\n])*",?)*)\})? (\d+)')


def samples(said: str) -> dict[tuple[str, str], int]:
    """Name and labels -> value; every line is a sample or a comment, each metric has its type before it."""
    found: dict[tuple[str, str], int] = {}
    typed: set[str] = set()
    for line in said.removesuffix("\n").split("\n"):
        if line.startswith("# TYPE "):
            typed.add(line.split(" ")[2])
        elif not line.startswith("# HELP "):
            whole = SAMPLE.fullmatch(line)
            assert whole, line
            assert whole[1] in typed
            assert (whole[1], whole[2] or "") not in found
            found[whole[1], whole[2] or ""] = int(whole[3])
    return found


def slot(state: Any, silent_s: float = 0) -> Slot:
    return Slot("host", "R58", {}, state, None, None, silent_s, paused=False)


def test_every_figure_is_there():
    pools = [Pool("night", "", 1, 2, 3, 4, 5, findings=6), Pool("night", "api>=33", judged=10, findings=1)]
    told = Status(pools, [("setup", 5, "No device.")], [slot("busy"), slot("busy"), slot("ready", 1e6)], 7)
    found = samples(text(told))
    runs = {labels: value for (name, labels), value in found.items() if name == "appwitness_runs"}
    assert runs == {
        f'campaign="night",state="{state}"': count
        for state, count in {"planned": 1, "leased": 2, "recorded": 3, "judged": 14, "unobservable": 5}.items()
    }
    assert found["appwitness_findings", 'campaign="night"'] == 7
    assert found["appwitness_unobservable_runs", 'reason="setup"'] == 5
    assert found["appwitness_superseded_recordings", ""] == 7
    devices = {labels: value for (name, labels), value in found.items() if name == "appwitness_devices"}
    assert {labels for labels, value in devices.items() if value} == {'state="busy"', 'state="silent"'}


def test_names_cannot_break_out():
    found = samples(text(Status([Pool('a"} 1\nb\\', "", 1)], (), (), 0)))
    assert found["appwitness_findings", 'campaign="a\\"} 1\\nb\\\\"'] == 0


def test_the_number_of_series_is_bounded_and_nothing_is_left_out():
    pools = [Pool(f"c{number}", "", planned=number, judged=1) for number in range(3 * CAMPAIGNS)]
    found = samples(text(Status(pools, (), (), 0)))
    runs = {labels: value for (name, labels), value in found.items() if name == "appwitness_runs"}
    assert len(runs) == 5 * (CAMPAIGNS + 1)
    assert sum(runs.values()) == sum(pool.total for pool in pools)
    assert runs[f'campaign="c{3 * CAMPAIGNS - 1}",state="planned"'] == 3 * CAMPAIGNS - 1
    assert runs['campaign="",state="judged"'] == 2 * CAMPAIGNS
