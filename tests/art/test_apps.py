"""Sample apps of the lab in ART: the findings are those of the lab device."""

from __future__ import annotations

from pathlib import Path

import pytest

from monitor.correlate import correlate, knowledge
from monitor.lab.demo import EVERYTHING
from monitor.lab.expected import load, shown
from monitor.store import Store
from tests.art.conftest import Observe

pytestmark = pytest.mark.timeout(240)


@pytest.mark.parametrize(("app", "plan"), EVERYTHING)
def test_the_findings_of_the_lab_device(observed: Observe, tmp_path: Path, app: str, plan: str) -> None:
    recording = observed(app, plan)
    assert shown(correlate(recording, Store(tmp_path / "index.sqlite"), knowledge()).findings) == load()[app][plan]
