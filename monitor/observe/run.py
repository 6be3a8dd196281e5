"""One run: recording, proxy, device and agent come up, the app runs, and all goes down in reverse."""

from __future__ import annotations

import getpass
import hashlib
import importlib.metadata
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import ExitStack, contextmanager, suppress
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Literal

from monitor import private
from monitor.errors import SetupError
from monitor.events import Endpoint, Event, Gap, Observers, Phase, Run, count_sources
from monitor.observe.agent import Agent, Records, agent_js
from monitor.observe.clock import summary
from monitor.observe.crash import deadly, without
from monitor.observe.device import Device
from monitor.observe.modes import admitted, choose
from monitor.observe.proxy import Proxy
from monitor.observe.sources import Source
from monitor.observe.trust import key_of
from monitor.recording import Recording
from monitor.recording.quota import FREE_BYTES, MAX_BYTES, Limited, Quota

POLL_S = 0.1
MOST_CRASHES = 3
"""Sources left out one after the other because the app died of them; then the run is given up."""
PROXY_RESTARTS = 5
"""How often in a run the proxy is started again after it ended by itself."""
STAMP_S = 5.0
CLOCK_S = 2.0
"""How often the device is asked what time it is: an app may end at any time, and the last answer is that of the end."""
CLOCK_WAIT_S = 2.0
BEST_FIRST = ("installed", "waiting", "overload_absent", "class_absent", "failed")

PlanName = Literal["accept", "refuse", "silent", "withdraw", "free"]


@dataclass(frozen=True)
class Order:
    """What to observe and how."""

    plan: PlanName = "free"
    """What the user, or who plays him, answers."""
    listen: str = "127.0.0.1"
    """Address that the proxy listens on."""
    port: int = 0
    """Port of the proxy; 0 takes a free one."""
    mode: str = "auto"
    """How the device's traffic comes to the proxy (modes.py)."""
    device_address: str | None = None
    """Address that the device has for a proxy that listens on more than this machine: it alone is let in."""
    seconds: float | None = None
    """End after this long; None: when the app ends or `stop` says so."""
    operator: str | None = None
    """Who is responsible for the run; None takes the login name."""
    app_type: int | None = None
    """Number of the type of app; None: what the device knows of it."""
    rules_digest: str | None = None
    """sha256 of the rule set that will judge, for run.json."""
    confdir: Path = Path("~/.appwitness/proxy")
    """Where the proxy keeps its certificate authority."""
    crash_s: float = 5.0
    """An app that dies this soon after its hooks came up is started again without the source that it died of."""
    unpin: bool = False
    """Make the app accept the proxy's certificate where it checks more than the device does."""
    max_bytes: int = MAX_BYTES
    """How large the recording may become: then bodies are no longer stored, and gaps say so."""
    free_bytes: int = FREE_BYTES
    """How much of its disk stays free."""
    pass_refused: bool = True
    """When the app refuses the proxy's certificate for a host, let it through to that host undecrypted from then on:
    the agent records what it writes at the TLS library."""


Say = Callable[[str], None]


def observe(
    device: Device,
    path: Path,
    sources: Sequence[Source],
    order: Order,
    *,
    stop: Callable[[], bool] = lambda: False,
    say: Say = lambda _: None,
) -> Recording:
    """Record one run of `device`'s app into the new folder `path`.

    Ends when the app's process ends, after `order.seconds`, or when `stop()` is true (asked ten times a second). What
    came up goes down in reverse, also after an error, and the recording is stamped to the end. Raises SetupError when
    something does not come up; what was recorded until then stays.
    """
    mode = choose(order.mode, device.identity.kind)
    admit = admitted(order.listen, mode, order.device_address)
    recording = Recording.create(path, describe(device, order))
    with ExitStack() as up:
        up.enter_context(recording)
        up.enter_context(_finished(recording))
        up.enter_context(recording.sealing(every_s=STAMP_S))
        say(f"starting the proxy, mode {mode.spec}: {mode.why}")
        proxy = up.enter_context(
            Proxy(
                path,
                listen=order.listen,
                port=order.port,
                mode=mode.spec,
                admit=admit,
                hosts=device.hosts,
                confdir=order.confdir.expanduser(),
                upstream_ca=device.upstream_ca,
                options={
                    "recording_limit": str(order.max_bytes),
                    "disk_free": str(order.free_bytes),
                    **({"pass_refused": "true"} if order.pass_refused else {}),
                },
            )
        )
        recording.update_run(mode=mode.spec, observers=recording.run.observers.model_copy(update={"proxy": True}))
        if proxy.wireguard:
            say(f"waiting for the device's WireGuard; its configuration is {_tunnel(order, proxy.wireguard)}")
        say(f"preparing {device.identity.model or device.identity.serial}")
        device.prepare(proxy.host, proxy.port, proxy.ca_pem)
        up.callback(device.undo)
        up.callback(device.stop)
        limited = Limited(recording, Quota(path, order.max_bytes, order.free_bytes))
        up.callback(limited.close)
        left = list(sources)
        for crashes in range(MOST_CRASHES + 1):
            died_of = _play(device, proxy, recording, limited, left, order, stop, say)
            if died_of is None:
                return recording
            if crashes < MOST_CRASHES:
                _leave_out(died_of, recording, device.app.package, say)
                left = without(left, [died_of])
    raise SetupError(
        f"{device.app.package} died again and again soon after its hooks came up, last of {died_of}.",
        f"What was left out and why is in {recording.path}/gaps.jsonl; see that the app runs by itself, then say so.",
    )


def _play(
    device: Device,
    proxy: Proxy,
    recording: Recording,
    limited: Limited,
    sources: Sequence[Source],
    order: Order,
    stop: Callable[[], bool],
    say: Say,
) -> str | None:
    """Start the app and watch it to the end of the run; the name of the source that it died of at once, if it did."""

    def agent_for(chosen: Sequence[Source], records: Records) -> Agent:
        return Agent(
            records,
            chosen,
            device.app.package,
            api_level=device.identity.api_level,
            partial=device.identity.kind == "lab",
            proxy_key=key_of(proxy.ca_pem),
            unpin=order.unpin,
        )

    def survives(chosen: Sequence[Source]) -> bool:
        say(f"starting it with {_number(chosen)} sources to hook, to find what it died of")
        with agent_for(chosen, _Nowhere()) as agent:
            with suppress(SetupError):
                agent.launch(device.launch())
            agent.wait(order.crash_s)
            crashed = agent.crashed
        device.stop()
        return not crashed

    with agent_for(sources, limited) as agent:
        say(f"starting {device.app.package} with {_number(sources)} sources to hook")
        try:
            agent.launch(device.launch())
            _came_up(agent, proxy, recording)
            begun = time.monotonic()
            say(f"observing: {counted(recording.run.hooks)}")
            _watch(agent, proxy, recording, order, stop)
            soon = time.monotonic() - begun < order.crash_s
        except SetupError:
            if not agent.crashed:
                raise
            soon = True
        if not (soon and agent.crashed):
            _went_down(agent, recording)
            return None
    device.stop()
    if agent.culprit is not None:
        return agent.culprit
    begun_at = datetime.now(UTC)
    by_chance = survives(sources)
    found = None if by_chance else deadly(sources, survives)
    detail = "the app was started several times to find the source that it died of; what it read meanwhile is not here"
    recording.append(
        Gap(at=begun_at, where="hook", subject="agent", why="detached", detail=detail, until=datetime.now(UTC))
    )
    if by_chance:
        say("it did not die again: somebody or something else ended it, and with it the run")
        _went_down(agent, recording)
        return None
    if found is None:
        raise SetupError(
            f"{device.app.package} died soon after it was started, and of no source in particular.",
            "See that the app runs by itself, then try again.",
        )
    return found


def counted(states: Mapping[str, str]) -> str:
    """What became of the sources that a run was to hook, in the words that every report uses."""
    count = count_sources(states)
    parts = (
        f"{count.known:,} sources: {count.installed:,} installed",
        f"{count.waiting:,} waiting for their class",
        f"{count.absent:,} absent on this device",
        *([f"{count.failed:,} failed"] if count.failed else ()),
    )
    return ", ".join(parts)


def _number(sources: Sequence[Source]) -> str:
    """How many sources there are: an API is one, however many things it may be asked for."""
    return f"{len({source.name for source in sources}):,}"


class _Nowhere:
    """Takes the lines of a start that is only made to see whether the app survives it."""

    def append_all(self, events: Sequence[Event], /) -> object:
        """Forget them."""
        return len(events)

    def put_body(self, data: bytes, /) -> str | None:
        """Forget it."""
        return hashlib.sha256(data).hexdigest()


def _leave_out(source: str, recording: Recording, app: str, say: Say) -> None:
    detail = "the app died of it soon after it was hooked; it was started again without"
    say(f"{app} died of {source}; starting it again without")
    recording.append(
        Gap(at=datetime.now(UTC), app=app, where="hook", subject=source, why="install_failed", detail=detail)
    )


def _came_up(agent: Agent, proxy: Proxy, recording: Recording) -> None:
    agent.clock.measure()
    agent.clock.wait(CLOCK_WAIT_S)
    recording.update_run(
        hooks=_states(agent),
        observers=recording.run.observers.model_copy(update={"hooks": True, "consent": True}),
        unpinned=agent.unpinned,
        sockets_watched=True,
        proxy=Endpoint(ip=proxy.host, port=proxy.port),
        **summary(agent.clock.readings),
    )


def _went_down(agent: Agent, recording: Recording) -> None:
    recording.update_run(hooks=_states(agent), unpinned=agent.unpinned, **summary(agent.clock.readings))
    if not agent.clock.readings:
        detail = "the device did not say what time it is: accesses and uploads may be in another order"
        recording.append(Gap(at=datetime.now(UTC), where="clock", subject="device", why="no_clock", detail=detail))


def _tunnel(order: Order, configuration: str) -> Path:
    """The file that the device's WireGuard app loads; it has a private key."""
    path = order.confdir.expanduser() / "device.wireguard.conf"
    private.write(path, configuration + "\n")
    return path


def describe(device: Device, order: Order) -> Run:
    """run.json as it is known before the app starts."""
    started = datetime.now(UTC)
    return Run(
        id=f"{started:%Y%m%dT%H%M%S%f}-{device.app.package}",
        app=device.app,
        app_type=device.app_type if order.app_type is None else order.app_type,
        device=device.identity,
        plan=order.plan,
        observers=Observers(persona="planted" if device.persona else None),
        persona=device.persona,
        started=started,
        unpin=order.unpin,
        versions={
            "appwitness": importlib.metadata.version("appwitness"),
            "frida": importlib.metadata.version("frida"),
            "mitmproxy": importlib.metadata.version("mitmproxy"),
            "agent": hashlib.sha256(agent_js().encode()).hexdigest(),
            "rules": order.rules_digest,
        },
        operator=order.operator or getpass.getuser(),
    )


@contextmanager
def _finished(recording: Recording) -> Iterator[None]:
    """Say in run.json when the run ended, and stamp that too, whatever happened in between."""
    try:
        yield
    finally:
        recording.update_run(ended=datetime.now(UTC))
        recording.stamp(final=True)


def _states(agent: Agent) -> dict[str, str]:
    """Source -> how far its hooks are; the best of them where several entries make up a source."""
    states: dict[str, str] = {}
    for status in agent.statuses():
        states[status.source] = min(states.get(status.source, status.state), status.state, key=BEST_FIRST.index)
    return states


def _watch(agent: Agent, proxy: Proxy, recording: Recording, order: Order, stop: Callable[[], bool]) -> None:
    end = None if order.seconds is None else time.monotonic() + order.seconds
    alive_at, restarts = datetime.now(UTC), 0
    measure_at = time.monotonic() + CLOCK_S
    while not agent.wait(POLL_S):
        if time.monotonic() >= measure_at:
            agent.clock.measure()
            measure_at = time.monotonic() + CLOCK_S
        if proxy.alive():
            alive_at = datetime.now(UTC)
        else:
            restarts += 1
            _again(proxy, recording, alive_at, restarts)
        if stop() or (end is not None and time.monotonic() >= end):
            agent.clock.measure()
            agent.clock.wait(CLOCK_WAIT_S)
            recording.append(Phase(at=datetime.now(UTC), app=agent.app, state="mark", text="observation ended"))
            return


def _again(proxy: Proxy, recording: Recording, alive_at: datetime, times: int) -> None:
    """The proxy is gone: start another one in its place, so that the app goes on; and say what nobody saw meanwhile."""
    gap = Gap(
        at=alive_at,
        where="proxy",
        subject="proxy",
        why="detached",
        detail="the proxy ended before the app did; its open connections broke off, and requests without an answer may "
        "be missing",
    )
    try:
        if times > PROXY_RESTARTS:
            raise SetupError(f"It ended {times} times.", "Start the run again.")
        proxy.restart()
    except SetupError as error:
        recording.append(gap)
        raise SetupError(
            f"The proxy ended before the app did; uploads after that are missing. {error}",
            f"What was recorded is in {recording.path}; start the run again.",
        ) from error
    recording.append(gap.model_copy(update={"until": datetime.now(UTC)}))
