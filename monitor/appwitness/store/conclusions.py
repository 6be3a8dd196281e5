"""The conclusions from one recording, and a version without values for an index that keeps no lines."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from itertools import chain
from typing import TYPE_CHECKING, NamedTuple

from appwitness.events import Run, Value
from appwitness.findings import Finding, Flow, ReportedGap

if TYPE_CHECKING:
    from appwitness.findings.mask import Mask


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


def mask_of(run: Run) -> Mask:
    """The masks for the values that were planted for a run."""
    from appwitness.findings.mask import Mask

    return Mask(run.persona)


def _carried(flows: Iterable[Flow]) -> Iterator[Value]:
    for flow in flows:
        yield from (Value(type=match.type, text=match.value) for match in flow.matches)
