"""The conclusions from one recording, and a version without values for an index that keeps no lines."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from itertools import chain
from typing import NamedTuple

from appwitness.events import Run, Value
from appwitness.findings import Finding, Flow, ReportedGap


class Conclusions(NamedTuple):
    """The flows and findings of one recording, and the gaps found while correlating it."""

    flows: Sequence[Flow] = ()
    findings: Sequence[Finding] = ()
    gaps: Sequence[ReportedGap] = ()


def masked(found: Conclusions, values: Iterable[Value]) -> Conclusions:
    """The conclusions with masks for the values that the recording names or that were found in its uploads."""
    from appwitness.findings.mask import Mask

    mask = Mask(chain(values, _carried(found.flows)))
    return Conclusions(
        [mask.flow(flow) for flow in found.flows],
        [mask.finding(finding) for finding in found.findings],
        [mask.event(gap) for gap in found.gaps],
    )


def masked_run(run: Run) -> Run:
    """The run with masks for the values that were planted for it."""
    from appwitness.findings.mask import Mask

    return Mask(run.persona).run(run)


def is_plain(run: Run) -> bool:
    """Whether masks change neither the package of the run's app nor the serial of its device."""
    from appwitness.findings.mask import Mask

    mask = Mask(run.persona)
    return all(mask.stated(name) == name for name in (run.app.package, run.device.serial))


def _carried(flows: Iterable[Flow]) -> Iterator[Value]:
    for flow in flows:
        yield from (Value(type=match.type, text=match.value) for match in flow.matches)
