"""Sample apps of the lab in ART: the findings are those of the lab device, and nothing more is missing."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from appwitness.api.demo import EVERYTHING
from appwitness.api.expected import load, shown
from appwitness.correlate import correlate, knowledge
from appwitness.events import Access, Gap, Phase, Upload
from appwitness.recording import Recording
from appwitness.store import Store
from tests.art.conftest import Observe
from tests.art.rig.vm import ended

pytestmark = pytest.mark.timeout(240)

QUICK = (
    ("circle", "accept", True),
    ("coupon", "withdraw", False),
    ("pages", "accept", False),
    ("vault", "refuse", True),
)
"""What `make test-art` runs: all the rest takes minutes. The last says whether the framework's classes are initialised
before the hooks come, as on a phone; where they are not, ART verifies them later, and undoes a hook that knows nothing
of that."""
MISSING = {
    ("sources", "class_absent"),  # the lab device has a part of Android's classes, here as there
    ("api.vault.test", "tls_refused"),  # it pins its certificate
    ("api.vault.test", "not_decrypted"),
}


def cases() -> Iterator[Any]:
    for preload in (True, False):
        for app, plan in EVERYTHING:
            marks = () if (app, plan, preload) in QUICK else (pytest.mark.slow,)
            start = "initialised before" if preload else "first use after the hooks"
            yield pytest.param(app, plan, preload, id=f"{app}-{plan}-{start}", marks=marks)


PLACE_MS = 3000
"""How long the agent has an app held (hooks/agent.ts)."""


def missing(recording: Recording) -> set[tuple[str, str]]:
    gaps: set[tuple[str, str]] = {(gap.subject, gap.why) for gap in recording.events(Gap)}
    slow = (recording.run.install_ms or 0) > PLACE_MS  # of a machine that is too busy: then the gap says what is so
    return gaps - {("agent", "install_failed")} if slow else gaps


def told(recording: Recording, log: str) -> str:
    """What a run in which something is missing had; `log`: what ART wrote."""
    lines = [f"{each.at:%H:%M:%S} {each.state} {each.text}" for each in recording.events(Phase)]
    lines += [f"{each.at:%H:%M:%S} {each.subject} {each.why} {each.detail}" for each in recording.events(Gap)]
    lines += [f"{each.at:%H:%M:%S} {each.source} {each.outcome}" for each in recording.events(Access)]
    lines += [f"{each.at:%H:%M:%S} {each.url}" for each in recording.events(Upload)]
    return "\n".join(["", f"hooks after {recording.run.install_ms} ms", *lines, "", ended(log)])


@pytest.mark.parametrize(("app", "plan", "preload"), [*cases()])
def test_the_findings_of_the_lab_device(observed: Observe, tmp_path: Path, app: str, plan: str, preload: bool) -> None:
    recording = observed(app, plan, preload=preload)
    findings = shown(correlate(recording, Store(tmp_path / "index.sqlite"), knowledge()).findings)
    logs = sorted(tmp_path.glob("work-*/vm/log.txt"))
    had = told(recording, logs[-1].read_text("utf-8", "replace"))
    assert findings == load()[app][plan], had
    assert missing(recording) <= MISSING, had
    assert recording.run.probe is not None
    assert recording.run.probe.seen == recording.run.probe.called
