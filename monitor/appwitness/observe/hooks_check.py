"""Checks whether hooks work on a device, by starting an app with the agent and its self-test."""

from __future__ import annotations

from pathlib import Path

from appwitness.agent.agent import Agent, AgentOptions
from appwitness.agent.frida_device import FridaFault
from appwitness.agent.target import Target
from appwitness.devices.android.app import package as packages
from appwitness.devices.android.control import Control
from appwitness.devices.android.faults import DeviceFault, fault
from appwitness.devices.android.frida import frida_server
from appwitness.devices.android.processes import Processes
from appwitness.devices.diagnosis import Result
from appwitness.observe.attempt import Nowhere
from appwitness.support.spoken import Spoken


def hooks_work(control: Control, package: str, given: Path | None, *, cache: Path) -> Result:
    """Install frida-server on the device, start the app with the agent, run the agent's self-test, stop the app and
    undo everything. `given`: a file with frida-server; `cache`: where a downloaded one is kept. Returns a fault when
    something could not be started."""
    serial = control.shell.serial
    try:
        with control.journal.held():
            since = control.journal.last
            try:
                app_id = packages.uid(control, package)
                running = frida_server.start(control, given, cache=cache)
                processes = Processes.of(control.shell, package, app_id)
                target = Target(argv=(package,), remote=running.remote, processes=processes)
                return checked(target, package, serial, api_level=control.facts.api)
            finally:
                control.journal.undo_all(control.take_back, since=since)
    except (DeviceFault, FridaFault) as error:
        return Result(check="hooks", level="fault", code=error.code, message=error.what, remedy=error.next_step)


def checked(target: Target, package: str, serial: str, *, api_level: int | None) -> Result:
    """Start an app with an agent that hooks no source; returns the result of the agent's self-test."""
    with Agent(Nowhere(), (), package, AgentOptions(api_level=api_level, partial=True)) as agent:
        agent.launch(target)
        probe = agent.probe
    problem = Spoken("it reported nothing") if probe is None else probe.problem
    if probe is None or problem is not None:
        error = fault("hooks-fail", package=package, serial=serial, problem=problem)
        return Result(check="hooks", level="fault", code=error.code, message=error.what, remedy=error.next_step)
    message = Spoken(
        "in {package} the agent saw all {called} calls of methods of its own ({ms} ms)",
        package=package,
        called=probe.called,
        ms=probe.ms,
    )
    return Result(check="hooks", level="ok", code=None, message=message, remedy=None)
