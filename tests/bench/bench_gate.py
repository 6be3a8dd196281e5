"""How long a gate takes to decide on 10,000 findings, without a baseline, against the same, and against one whose code
has lost its names; and how long two recordings of 5,000 flows take to be held against one another.

Each figure is CPU time in that of a `json.loads` of the same findings, or of the lines of both recordings.
"""

from __future__ import annotations

import json
import tempfile
import time
from collections.abc import Callable, Iterator
from datetime import timedelta
from pathlib import Path
from typing import Any

from appwitness import events
from appwitness.api.gating import diff
from appwitness.correlate.prior_knowledge import knowledge
from appwitness.findings import Report
from appwitness.findings.gate_decision import GateReport
from appwitness.gate import Accepted, GatePolicy, Held, gate, release
from appwitness.recording import Recording
from tests.bench.figures import Figure, Given
from tests.bench.running import parsed, seconds, talk
from tests.gate.runs import START, finding, report

FINDINGS = 10_000
FLOWS = 5_000
VALUES: dict[events.DataType, str] = {"phone_number": "+8613800138000", "android_id": "9f31c0aa5577e1d4"}


def measure() -> Iterator[Given]:
    """Deciding, and the verb `diff`."""
    known = knowledge().recipients
    found = [finding(host=f"h{n}.d{n}.test", actor=f"Kit{n % 50}", line=n + 1) for n in range(FINDINGS)]
    one = report(*found)
    unnamed = report(*(each.model_copy(update={"sent_by": None}) for each in found))

    def decided(now: Report, held: Held | None) -> GateReport:
        return gate([now], held, Accepted(), GatePolicy(), known)

    before, text = release([one], {}), one.model_dump_json()
    bare = parsed([text])
    talk(f"json.loads of 10,000 findings: {bare:.3f} s")
    yield Figure("10,000 findings, no baseline", _spent(lambda: decided(one, None)) / bare)
    yield Figure("10,000 findings, the same before", _spent(lambda: decided(one, before)) / bare)
    yield Figure("10,000 findings, their code without names", _spent(lambda: decided(unnamed, before)) / bare)
    with tempfile.TemporaryDirectory() as folder:
        room = Path(folder)
        old, new = recording(room / "old", hosts=400), recording(room / "new", hosts=420)
        index = str(room / "index.sqlite")
        diff(old, new, db=index)  # judges them
        lines = [line.raw for path in (old, new) for line in Recording.open(path).read("upload")]
        bare = parsed(lines)
        talk(f"json.loads of {len(lines):,} lines: {bare:.3f} s")
        yield Figure("diff, two recordings of 5,000 flows", _spent(lambda: diff(old, new, db=index)) / bare)


def recording(path: Path, hosts: int) -> Path:
    """A run that sends two values to so many hosts after a refusal, 2,500 times."""
    app: dict[str, Any] = {"app": "com.example.weather", "pid": 1}
    run = events.Run(
        id=path.name,
        app=events.AppIdentity(package="com.example.weather"),
        device=events.DeviceIdentity(serial="lab", kind="lab"),
        plan="refuse",
        started=START,
        ended=START + timedelta(hours=1),
    )
    made = Recording.create(path, run)
    for data, text in VALUES.items():
        value = events.Value(type=data, text=text)
        at = START + timedelta(seconds=1)
        made.append(events.Access(at=at, source=data, data=data, values=(value,), outcome="returned", **app))
    at = START + timedelta(seconds=2)
    made.append(events.Consent(at=at, signal="tap", status="refused", scope="general_policy", by="user", **app))
    uploads = []
    for number in range(FLOWS // len(VALUES)):
        body = json.dumps({**VALUES, "n": number}).encode()
        host = f"h{number % hosts}.d{number % hosts}.example"
        uploads.append(
            events.Upload(
                at=START + timedelta(seconds=3, milliseconds=100 * number),
                via="http",
                method="POST",
                url=f"https://{host}/x",
                host=host,
                body=made.put_body(body),
                size=len(body),
                type="application/json",
                **app,
            )
        )
    made.append_all(uploads)
    made.stamp(final=True)
    return path


def _spent(work: Callable[[], object]) -> float:
    return seconds(work, clock=time.process_time, times=2)
