"""A device whose clock is wrong, and goes wrong further: accesses and uploads still come out in their order."""

from __future__ import annotations

import shutil
import subprocess
import sys
import time
from dataclasses import replace
from datetime import timedelta

import pytest

from appwitness.agent.sources import load as sources
from appwitness.api.expected import load, shown
from appwitness.correlate import correlate, knowledge, report
from appwitness.devices.lab.lab_device import LabDevice
from appwitness.events import Access, Connection, Upload
from appwitness.observe.order import Order
from appwitness.observe.run import observe
from appwitness.store import Store
from hatch_build import build_agent, build_lab
from tests.lab.test_trust import ROOT

pytestmark = [
    pytest.mark.lab,
    pytest.mark.slow,
    pytest.mark.timeout(240),
    pytest.mark.skipif(sys.platform != "linux", reason="preloads a clock, as Linux does"),
    pytest.mark.skipif(shutil.which("gcc") is None, reason="no gcc to build the clock with"),
]


@pytest.fixture(scope="module")
def clock(tmp_path_factory):
    build_agent(ROOT)
    build_lab(ROOT)
    library = tmp_path_factory.mktemp("clock") / "shifted.so"
    source = ROOT / "tests/lab/shifted_clock.c"
    subprocess.run(["gcc", "-shared", "-fPIC", "-O2", "-o", str(library), str(source)], check=True)
    return library


class Shifted(LabDevice):
    """A lab device whose clock is not the host's."""

    clock: dict[str, str]

    def launch(self):
        return replace(super().launch(), env=self.clock)


@pytest.mark.parametrize(("shift_ms", "drift_ppm"), [(-90_000, 0), (5_000, 20_000)])
def test_offset_and_drift_are_measured_and_undone(clock, tmp_path, shift_ms, drift_ppm):
    device = Shifted("skies", "accept", tmp_path / "work", cache=tmp_path / "lab")
    since = time.time()
    device.clock = {
        "LD_PRELOAD": str(clock),
        "SHIFT_MS": str(shift_ms),
        "DRIFT_PPM": str(drift_ppm),
        "SHIFT_SINCE": str(since),
    }
    with device:
        recording = observe(device, tmp_path / "r", sources(), Order(plan="accept", confdir=tmp_path / "proxy"))
    run = recording.run
    first, last = run.clock[0], run.clock[-1]
    assert last.at - first.at > timedelta(seconds=1)
    for reading in (first, last):
        truth_ms = shift_ms + (reading.at.timestamp() - since) * drift_ppm / 1000
        assert abs(reading.offset_ms - truth_ms) <= reading.uncertainty_ms * (1 + drift_ppm / 1e6) + 0.01
    assert run.clock_drift_ms == pytest.approx(last.offset_ms - first.offset_ms, abs=0.01)
    assert run.clock_uncertainty_ms is not None
    assert run.clock_offset_ms is not None
    assert run.clock_uncertainty_ms >= abs(run.clock_drift_ms or 0) / 2
    offset = timedelta(milliseconds=run.clock_offset_ms)
    slack = timedelta(milliseconds=run.clock_uncertainty_ms + 100)
    begun = {line.local.port: line.at - offset for line in recording.events(Connection) if line.op == "connect"}
    for upload in recording.events(Upload):
        assert upload.client is not None
        assert begun[upload.client.port] <= upload.at + slack
    assert all(run.started < access.at - offset + slack for access in recording.events(Access))
    store = Store(tmp_path / "index.sqlite")
    correlate(recording, store, knowledge())
    seen = report(store, run.id, knowledge())
    assert shown(seen.findings) == load()["skies"]["accept"]
    assert all(flow.carrier and flow.carrier.by == "port" for flow in seen.flows)
    assert [gap.subject for gap in seen.gaps if gap.where == "clock"] == []
