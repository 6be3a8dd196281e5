"""The result of verifying a recording's stamps, in the form that reports use."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import TYPE_CHECKING

from appwitness.events import FILES, Ref
from appwitness.findings import Finding, Flow, ForgottenLines, OutsideTime, Report, Seal
from appwitness.recording import Problem, Verification, verify
from appwitness.recording.seal import SEAL

if TYPE_CHECKING:
    from appwitness.recording.timestamps import Authorities


def checked(
    report: Report,
    folder: Path,
    trusted: Mapping[str, str] | None = None,
    authorities: Authorities | None = None,
) -> Report:
    """The report with what its recording's stamps vouch for; `trusted` and `authorities` as in `verify`.

    Raises UserError if the folder does not exist.
    """
    result = verify(folder, trusted, authorities)
    return with_coverage(report, result).model_copy(update={"verified": seal_of(result, trusted)})


def seal_of(result: Verification, trusted: Mapping[str, str] | None = None) -> Seal:
    """The result of recomputing the stamps in the form that a report carries; `trusted`: the keys that stamps were
    checked against."""
    altered = [problem for problem in result.problems if not _is_unstamped(problem, result)]
    uncovered = Counter(result.unsealed)
    uncovered.update(remark.file for remark in result.remarks if remark.file in FILES.values() and remark.line)
    return Seal(
        outcome="altered" if altered else "intact_up_to" if uncovered and result.stamps else result.outcome,
        ok=result.ok,
        stamps=result.stamps,
        digest=result.last,
        at=result.last_at,
        files={name: (result.sealed.get(name, 0), digest) for name, digest in sorted(result.digests.items())},
        late=uncovered.total(),
        uncovered=dict(sorted(uncovered.items())),
        difference=_place(altered[0]) if altered else None,
        how=altered[0].what if altered else None,
        signed=result.signed,
        keys=result.keys,
        forgotten=tuple(
            ForgottenLines(stamp=f"{SEAL}:{line}", at=stamp.at, lines=sum(what.lines.values()), reason=what.reason)
            for line, stamp, what in result.forgotten
        ),
        tokens=tuple(
            OutsideTime(stamp=f"{SEAL}:{token.stamp}", at=token.at, stamped=token.stamped, trusted=token.trusted)
            for token in result.tokens
            if token.at
        ),
        trusted=None if trusted is None else dict(trusted),
    )


def _is_unstamped(problem: Problem, result: Verification) -> bool:
    """Whether the problem says only that there is no stamp."""
    return not result.stamps and problem.file == SEAL and problem.line is None


def _place(problem: Problem) -> str:
    return f"{problem.file}:{problem.line}" if problem.line else problem.file


def with_coverage(report: Report, checked: Verification) -> Report:
    """The report, in which each finding names the lines that it rests on and that no intact stamp covers.

    For a recording without any stamp, this is said once for all of it, not for each finding.
    """
    if checked.outcome in ("intact", "never_stamped"):
        return report
    flows = {flow.id: flow for flow in report.flows}
    findings = []
    for finding in report.findings:
        uncovered = tuple(dict.fromkeys(ref for ref in _resting(finding, flows) if not checked.covers(ref)))
        findings.append(finding.model_copy(update={"uncovered": uncovered}))
    return report.model_copy(update={"findings": tuple(findings)})


def _resting(finding: Finding, flows: Mapping[str, Flow]) -> Iterator[Ref]:
    """Every line that a finding rests on, some of them several times."""
    yield from finding.all_evidence or finding.evidence
    yield from (code.ref for code in (finding.read_by, finding.sent_by) if code)
    for flow in (flows[name] for name in finding.flows if name in flows):
        yield from filter(None, (flow.access, flow.upload, flow.connection))
        yield from (ref for match in flow.matches for ref in match.evidence)
