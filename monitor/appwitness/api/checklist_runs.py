"""Makes the runs that a checklist needs: one for each of its plans, one after another, on one device."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:  # imported late, so that --help answers at once
    from appwitness.api.judging import Judging
    from appwitness.judge.checklist_items import Checklist

MARGIN_S = 10
"""Seconds added to each run for the time before the app is shown and after it."""
PATIENCE_S = 600
"""Extra time for a device that is slow to end a run, in seconds."""


def seconds_of(which: Checklist, plan: str) -> float:
    """How many seconds a run with this plan must last so that every item that needs it can be answered."""
    return max((item.for_s or which.for_s for item in which.items if plan in item.plans), default=which.for_s)


def seconds_of_all(which: Checklist) -> float:
    """How many seconds a run must last to be long enough for every plan of the list."""
    return max(seconds_of(which, plan) for plan in which.plans) + MARGIN_S


def recorded(
    which: Checklist,
    judging: Judging,
    app: Path | str | None,
    *,
    device: str,
    folder: Path,
    seconds: float | None = None,
    **of_run: Any,
) -> Iterator[Path]:
    """Make the runs that a list needs on a device, one after another; yields the folder of each when it has ended.

    `app` is as `running.observe` takes it. `seconds`: length of each run; None: as the list requires. `of_run`: other
    fields of `RunOptions`. Raises SetupError if something does not start.
    """
    from appwitness.api.gating import made
    from appwitness.api.running import observed

    gate = made(judging)
    for plan in which.plans:
        length = seconds or seconds_of(which, plan) + MARGIN_S
        path = folder / plan
        options = {"by_hand": False, **of_run}
        with observed(gate, app, device=device, plan=plan, output=path, duration_s=length, **options) as run:
            run.wait(timeout_s=length + PATIENCE_S)
        yield path
