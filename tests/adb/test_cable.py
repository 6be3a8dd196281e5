"""A cable that is pulled: the run goes on once it is back, with what the agent kept meanwhile."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable
from datetime import timedelta
from pathlib import Path

import pytest

from appwitness.events import Access, Gap, Phase, Screen, Upload
from tests.adb.rig import lab_app
from tests.adb.rig.phone import Phone
from tests.adb.test_observe import observe

pytestmark = [pytest.mark.lab, pytest.mark.timeout(240)]
OUT_S = 5.0


def test_a_run_goes_on_when_the_cable_is_back(phone_of: Callable[..., Phone], tmp_path: Path) -> None:
    phone = phone_of(api=34, su="kernelsu")
    phases = tmp_path / "recordings/run/phases.jsonl"

    def pull() -> None:
        while not (phases.exists() and b'"started"' in phases.read_bytes()):
            time.sleep(0.02)
        phone.unplug()
        time.sleep(OUT_S)
        phone.plug()

    with lab_app.furnish(phone, "circle", "free", installed=False, screen=True, quiet_ms=9000) as app:
        cable = threading.Thread(target=pull)
        cable.start()
        options = ("--no-persona", "--apk", str(app.apk), "--plan", "accept", "--app-type", str(app.app.app_type))
        recording, _ = observe(phone, app, tmp_path, *options)
        cable.join()
        assert "com.example.circle" not in phone.read()["packages"]

    gaps = list(recording.events(Gap))
    (away,) = [gap for gap in gaps if gap.subject == "connection to the device"]
    assert away.until is not None
    assert timedelta(seconds=OUT_S / 2) < away.until - away.at < timedelta(seconds=60)
    given = [each.at for each in recording.events(Screen) if each.touched and each.touched.label == "Agree"]
    assert min(given) > away.until  # the plan was played on
    assert max(each.at for each in recording.events(Upload)) > away.until  # and the traffic came again
    late = [each for each in recording.events(Access) if each.arrived and each.arrived - each.at > timedelta(seconds=2)]
    assert late  # read while it was out
    assert [gap.why for gap in gaps if gap.why == "detached"] == []
    assert any("was lost and made again" in (gap.detail or "") for gap in gaps)
    assert [phase.state for phase in recording.events(Phase)][-1] == "exited"  # Frida does not tell that any more
    assert all(change.undone for change in recording.run.changes)
