"""What recomputing the stamps of a recording came to, as every report says it."""

from __future__ import annotations

from collections import Counter
from pathlib import Path

from monitor.events import FILES
from monitor.findings import Seal
from monitor.recording import Problem, Verification, verify
from monitor.recording.seal import SEAL


def seal_of(folder: Path) -> Seal:
    """Recompute the stamps of the recording in a folder. Raises UserError when there is no such folder."""
    result = verify(folder)
    altered = [problem for problem in result.problems if not _is_unstamped(problem, result)]
    uncovered = Counter(result.unsealed)
    uncovered.update(remark.file for remark in result.remarks if remark.file in FILES.values() and remark.line)
    return Seal(
        outcome="altered"
        if altered
        else "never_stamped"
        if not result.stamps
        else "intact_up_to"
        if uncovered
        else "intact",
        ok=result.ok,
        stamps=result.stamps,
        digest=result.last,
        at=result.last_at,
        files={name: (result.sealed.get(name, 0), digest) for name, digest in sorted(result.digests.items())},
        late=uncovered.total(),
        uncovered=dict(sorted(uncovered.items())),
        difference=_place(altered[0]) if altered else None,
        how=altered[0].what if altered else None,
    )


def _is_unstamped(problem: Problem, result: Verification) -> bool:
    """Whether it says no more than that there is no stamp."""
    return not result.stamps and problem.file == SEAL and problem.line is None


def _place(problem: Problem) -> str:
    return f"{problem.file}:{problem.line}" if problem.line else problem.file
