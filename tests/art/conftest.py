"""A real Android runtime for tests: ART 10, in which the agent is that of the product."""

from __future__ import annotations

import functools
import subprocess
import sys
import traceback
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, cast

import frida
import pytest

from appwitness import proxy
from appwitness.agent import agent, agent_process, frida_device
from appwitness.agent.agent import Agent, AgentOptions
from appwitness.agent.frida_device import FridaFault
from appwitness.agent.sources import Source
from appwitness.observe import attempt
from appwitness.observe.order import Order
from appwitness.recording import Recording
from hatch_build import build_agent
from tests.art import programs
from tests.art.compiled import compiler
from tests.art.rig.build import home, lacking
from tests.art.rig.device import ArtDevice
from tests.art.rig.packages import ROOT
from tests.art.rig.vm import CODE, CODES, PRELOADED, SLOWNESS, Held, Runtime
from tests.lab.program import Observed, Program, blank

WAIT_S = 90.0 * SLOWNESS

PATIENCE = {
    agent: ("PLACED_S", "READY_S", "DETACH_S", "HELD_S", "TRUSTS_S"),
    agent_process: ("READY_S", "DETACH_S"),
    attempt: ("CLOCK_WAIT_S",),
    frida_device: ("DETACH_S", "RESTORE_S", "CALL_S", "RESUME_S"),
    proxy: ("START_S", "STOP_S", "WRITE_S"),
}
"""How long the product waits for what takes longer where the processor is emulated."""

RUNS = 6 if SLOWNESS > 1 else 1
"""How often a run is begun: Frida has time limits of its own, and the process that it was getting into may not survive
that one has passed."""

Run = Callable[..., "Played"]
"""(program, sources, *arguments, **what `play` takes): how it went."""
Observe = Callable[..., Recording]
"""(app, plan, preload=True): what was recorded."""


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    here = Path(__file__).parent
    mine = [item for item in items if here in item.path.parents]
    why = None if home().exists() else lacking() or "ART is not built here: make test-art"
    if CODES[0] != CODE:
        why = why or compiler.lacking()
    for item in mine:
        item.add_marker(pytest.mark.art)
        if SLOWNESS > 1:
            limit = item.get_closest_marker("timeout")
            item.add_marker(pytest.mark.timeout((limit.args[0] if limit else 300) * SLOWNESS), append=False)
        if why is not None:
            item.add_marker(pytest.mark.skip(reason=why))


@dataclass
class Played(Observed):
    """A program that ran to its end in ART."""

    printed: str
    """What it printed."""
    log: str
    """What it and ART wrote to standard error."""
    code: int | None
    """Its exit code, negative where a signal ended it; None: it did not end, and was ended."""


def _begun_again[**P, T](run: Callable[P, T]) -> Callable[P, T]:
    @functools.wraps(run)
    def tried(*args: P.args, **options: P.kwargs) -> T:
        for _ in range(RUNS - 1):
            try:
                return run(*args, **options)
            except FridaFault as fault:
                print("begun again:", *traceback.format_exception_only(fault), file=sys.stderr)
        return run(*args, **options)

    return tried


def _start_frida() -> None:
    """Have Frida start its helpers for a process that does nothing, and may end of it: the first one pays for that."""
    for _ in range(RUNS):
        with subprocess.Popen(["sleep", "infinity"]) as idle:
            try:
                frida.attach(idle.pid).detach()
                return
            except frida_device.ERRORS:
                pass
            finally:
                idle.kill()


@pytest.fixture(scope="session", autouse=True)
def _patient() -> Iterator[None]:
    with pytest.MonkeyPatch.context() as patch:
        for module, names in PATIENCE.items():
            for name in names:
                patch.setattr(module, name, getattr(module, name) * SLOWNESS)
        if SLOWNESS > 1:
            _start_frida()
            # The agent has an app held for three seconds: there they are too short for its hooks.
            until_ready = agent_process.AgentProcess.until_ready
            patch.setattr(
                agent_process.AgentProcess,
                "_until_placed",
                lambda self, _: until_ready(self, lambda why, kind: kind(why, "Try again.")),
            )
        yield


@pytest.fixture(scope="session")
def runtime() -> Runtime:
    """ART."""
    build_agent(ROOT)
    return Runtime(home())


@pytest.fixture(scope="session")
def dexed(runtime: Runtime) -> Callable[[str], Path]:
    """The dex jar of a program of tests/art/java."""
    return lambda name: programs.dexed(runtime, name)


@pytest.fixture
def play(runtime: Runtime, dexed: Callable[[str], Path], tmp_path: Path) -> Run:
    """Run the program of a folder of tests/art/java (its class Main, in a package of the folder's name) to its end."""
    times = 0

    @_begun_again
    def start(
        program: str,
        sources: Sequence[Source] = (),
        *arguments: str,
        main: str | None = None,
        vm: Sequence[str] = (),
        env: Mapping[str, str] | None = None,
        preload: Sequence[str] = PRELOADED,
        wait_s: float = WAIT_S,
        before: Callable[[Held], object] | None = None,
        during: Callable[[Agent, Held], object] | None = None,
        code: str = CODE,
        redirect: tuple[str, int] | None = None,
        **options: Any,
    ) -> Played:
        """`vm`: options of ART; `env`: more of its environment; `preload`: classes initialised before the hooks come;
        `before`: lets the program go, and returns when the agent is to come; `during`: called when the program has been
        let go; `code`: what it runs as; `redirect`: the proxy that its connections are led to;
        `options`: what Agent takes."""
        nonlocal times
        times += 1
        name = f"art.{program}"
        recording = blank(tmp_path / f"recording-{times}", name)
        room = tmp_path / f"vm-{times}"
        options.setdefault("api_level", 29)
        held = Held(
            runtime, dexed(program), main or f"{program}.Main", room, arguments=arguments, options=vm, preload=preload,
            env=env or {}, code=code,
        )  # fmt: skip
        with held, Agent(recording, sources, name, AgentOptions(**options)) as agent:
            if before is not None:
                before(held)
            agent.launch(Program(None, pid=held.pid, redirect=redirect))
            held.release()
            if during is not None:
                during(agent, held)
            ended = agent.wait(wait_s)
            left = held.wait() if ended else None
        return Played(recording, agent, held.printed, held.log, left)

    return start


@pytest.fixture
def observed(runtime: Runtime, tmp_path: Path) -> Observe:
    """Run a sample app of the lab in ART through proxy, agent and recording."""
    times = 0

    @_begun_again
    def run(app: str, plan: str, *, preload: bool = True, **options: Any) -> Recording:
        nonlocal times
        times += 1
        work = tmp_path / f"work-{times}"
        with ArtDevice(runtime, app, plan, work, cache=tmp_path / "cache", preload=preload) as device:
            order = Order(plan=cast(Any, plan), seconds=150 * SLOWNESS, hooks=True, confdir=tmp_path / "confdir")
            return device.record(tmp_path / f"{app}-{plan}-{times}", order, **options)

    return run
