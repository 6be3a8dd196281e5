"""How long a gate takes to decide on 10,000 findings, without a baseline, against the same, and against one whose code
has lost its names."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator

from monitor.findings import Report
from monitor.findings.gate import GateReport
from monitor.gate import Accepted, Held, Policy, gate, release
from monitor.knowledge import knowledge
from monitor.reports.gate import Told, render
from monitor.reports.words import Words
from tests.bench.figures import Figure, Given
from tests.gate.runs import finding, report

FINDINGS = 10_000


def measure() -> Iterator[Given]:
    """CPU seconds."""
    known = knowledge().recipients
    found = [finding(host=f"h{n}.d{n}.test", actor=f"Kit{n % 50}", line=n + 1) for n in range(FINDINGS)]
    one = report(*found)
    unnamed = report(*(each.model_copy(update={"sent_by": None}) for each in found))

    def decided(now: Report, held: Held | None) -> GateReport:
        return gate([now], held, Accepted(), Policy(), known)

    before = release([one], {})
    yield Figure("10,000 findings, no baseline", _spent(lambda: decided(one, None)))
    yield Figure("10,000 findings, the same before", _spent(lambda: decided(one, before)))
    yield Figure("10,000 findings, their code without names", _spent(lambda: decided(unnamed, before)))
    told = Told(decided(one, None), [one], Words("en"))
    seconds = _spent(lambda: [render(told, format_) for format_ in ("text", "sarif", "junit")])
    yield Figure("10,000 findings, text, SARIF and JUnit", seconds)


def _spent(work: Callable[[], object]) -> float:
    started = time.process_time()
    work()
    return time.process_time() - started
