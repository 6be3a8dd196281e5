"""A run that is judged while it is being recorded."""

from __future__ import annotations

import threading
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING

from appwitness.api.home import home, signer
from appwitness.observe.order import Order as Order
from appwitness.observe.order import RunCaller as RunCaller
from appwitness.support.errors import UserError
from appwitness.support.spoken import Spoken

if TYPE_CHECKING:  # imported late, so that --help answers at once
    from appwitness.agent.sources import Source
    from appwitness.correlate import Outcome
    from appwitness.correlate.prior_knowledge import Knowledge
    from appwitness.devices import Device
    from appwitness.devices.traffic_modes import Mode
    from appwitness.findings import Finding
    from appwitness.recording import ReadLine as ReadLine
    from appwitness.store import Store


@dataclass(frozen=True)
class LiveJudge:
    """Judges a run while it is in progress."""

    known: Knowledge
    store: Store
    tell: Callable[[Sequence[Finding]], bool] = lambda _: False
    """Called with all findings whenever they change; returns whether one of them is new."""
    lines: Callable[[Sequence[ReadLine]], object] = lambda _: None
    """Called with the new lines of the recording."""


def sources_of(extra: Path | None = None) -> list[Source]:
    """The APIs to hook: those in the catalog and in the user's own file or folder.

    Raises FileError with file and line.
    """
    from appwitness.agent.sources import load

    return load(extra)


def traffic_mode(device: Device, order: Order) -> Mode:
    """Choose the traffic mode, with what it sees. Raises UserError if the chosen mode is not possible."""
    from appwitness.devices.traffic_modes import choose

    return choose(order.mode, device.modes(order.listen), hooks=order.hooks is not False)


def check_archive(output: Path) -> None:
    """Raise UserError if a finished run could not be packed into this file: the name does not fit, or the file
    exists already."""
    from appwitness.recording.packing import folder_in

    folder_in(output)
    if output.exists():
        raise UserError(Spoken("{output} already exists.", output=output), "Name another --output.")


def record(
    device: Device, path: Path, sources: Sequence[Source], order: Order, caller: RunCaller, judge: LiveJudge
) -> None:
    """Record a run into the new folder `path` and correlate it meanwhile, until the run ends.

    Raises the error that ended the recording or the correlating.
    """
    from appwitness.correlate import follow
    from appwitness.correlate.prior_knowledge import search_version
    from appwitness.observe.run import observe
    from appwitness.recording import Recording

    judged_by = {"rules": judge.known.digest, "search": search_version(), "catalog": str(judge.known.edition)}
    order = replace(order, judged_by=judged_by, confdir=home() / "proxy", signer=signer())
    done = threading.Event()
    failure: list[BaseException] = []

    def tell(outcome: Outcome) -> None:
        if judge.tell(outcome.findings):
            device.noticed()

    def correlate_live() -> None:
        while not (path / "run.json").exists():
            if done.wait(0.05):
                return
        try:
            follow(Recording.open(path), judge.store, judge.known, done.is_set, tell, judge.lines)
        except Exception as error:
            failure.append(error)

    live = threading.Thread(target=correlate_live, name="correlate")
    live.start()
    try:
        observe(device, path, sources, order, caller)
    finally:
        done.set()
        live.join()
    if failure:
        raise failure[0]
