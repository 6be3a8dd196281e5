"""The app's starts within one run: with or without hooks, watched to the end, and restarted when a hook crashed it."""

from __future__ import annotations

import hashlib
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

from appwitness.agent.agent import Agent, AgentOptions
from appwitness.agent.agent_process import was_away
from appwitness.agent.device_clock import summary
from appwitness.agent.sources import Source
from appwitness.agent.target import Records
from appwitness.agent.timeouts import AWAY_S
from appwitness.agent.tls_libraries import key_of, leaf_for
from appwitness.devices import Device
from appwitness.events import ClockReading, Endpoint, Event, Gap, Phase, count_sources
from appwitness.observe.crash import deadly
from appwitness.observe.order import Order, Say
from appwitness.proxy import Proxy
from appwitness.recording import Recording
from appwitness.support.errors import SetupError, Unhookable
from appwitness.support.spoken import Spoken, listed

POLL_S = 0.1
PROXY_RESTARTS = 5
"""Maximum number of restarts of the proxy in a run after it ended unexpectedly."""
CLOCK_S = 2.0
"""Seconds between requests for the device's time: an app may end at any moment, and the last answer applies to the
end."""
CLOCK_WAIT_S = 2.0
FLUSH_S = 0.2
"""Seconds for the agent to deliver its pending lines before the app is asked something that may hang."""
UNHOOKED_POLL_S = 1.0
"""Seconds between checks whether the app still runs, when there is no agent to report its end."""
CLOSES_S = 10.0
"""An app that ends within this many seconds after its question was refused is assumed to have ended because of that."""
AGAIN_S = 60.0
"""How many seconds such an app is watched after a second start; its question is answered once it is idle."""
STARTED_AGAIN = "started by the observer: the app ended after it was refused"
MADE_UP = "appwitness.invalid"
"""A host that no app pins (RFC 2606): used to ask which authorities the app accepts."""
AWAY_SAID = Spoken(
    "the connection to the device, or to Frida on it, is lost: check the cable; waiting up to {seconds:.0f} s",
    seconds=AWAY_S,
)
BACK_SAID = Spoken("the device is back, observing again")
BEST_FIRST = ("installed", "waiting", "overload_absent", "class_absent", "failed")


@dataclass
class Attempt:
    """The state shared by all starts of the app in one run."""

    device: Device
    proxy: Proxy
    recording: Recording
    lines: Records
    order: Order
    stop: Callable[[], bool]
    say: Say
    live: Callable[[], object] = lambda: None

    def hooked(self, sources: Sequence[Source]) -> str | None:
        """Start the app with hooks and watch it to the end of the run; returns the source that crashed it at once, if
        any.

        Raises Unhookable when no hook can be installed or none works; SetupError when the app does not start, or
        crashes at once and no source can be blamed.
        """
        package = self.device.app.package
        survived = closed = False
        with self._agent(sources, self.lines) as agent:
            self.device.reset()
            self.say(
                Spoken("starting {package} with {sources} sources to hook", package=package, sources=_number(sources))
            )
            try:
                agent.launch(self.device.launch())
                _check(agent)
                self._came_up(agent)
                begun = time.monotonic()
                self.say(Spoken("observing: {hooks}", hooks=counted(self.recording.run.hooks)))
                self.live()
                closed = not self.device.restarted() and self._watch(agent) and self._was_refused()
                soon = time.monotonic() - begun < self.order.crash_s
            except SetupError:
                if not agent.crashed:
                    raise
                soon = True
            if not (soon and agent.crashed) or self.device.restarted() or self._ended_by_system(agent):
                self._went_down(agent)
                survived = True
        if survived:
            if closed:
                self._once_more(sources, agent)
            return None
        self.device.stop()
        if agent.culprit is not None:
            return agent.culprit
        if not (self.device.starts_freely or self.order.isolate_crash):
            raise SetupError(
                Spoken(
                    "{package} died soon after it was hooked, and it is not known which hook it died of.",
                    package=package,
                ),
                "Run it once with --no-hooks to check that it runs without hooks; then with --isolate-crash, which "
                "starts it up to 11 times, each time as if for the first time, to find the hook.",
            )
        return self._search(agent, sources)

    def unhooked(self, why: str) -> None:
        """Start the app without hooks and watch it to the end of the run; a gap says that its reads are not
        observed. `why`: a sentence without its final period."""
        package = self.device.app.package
        self.device.reset()
        begun = datetime.now(UTC)
        self.say(Spoken("starting {package} without hooks: {why}", package=package, why=why))
        start = self.device.launch().otherwise
        if start is None:
            raise SetupError(
                Spoken("{package} cannot be started without hooks here, and {why}.", package=package, why=why),
                "Leave --no-hooks out.",
            )
        start()
        self.recording.update_run(
            proxy=Endpoint(ip=self.proxy.host, port=self.proxy.port),
            observers=self.recording.run.observers.model_copy(update={"consent": self.device.sees_consent}),
            unhooked=why,
        )
        self.say(Spoken("observing only traffic"))
        self.live()
        alive = True
        ask_at = time.monotonic() + UNHOOKED_POLL_S
        lost_at: datetime | None = None

        def ended() -> bool:
            nonlocal alive, ask_at, lost_at
            time.sleep(POLL_S)
            if time.monotonic() >= ask_at:
                ask_at = time.monotonic() + UNHOOKED_POLL_S
                try:
                    alive = self.device.running()
                except SetupError:
                    if lost_at is None:
                        lost_at = _now()
                        self.say(AWAY_SAID)
                    if (_now() - lost_at).total_seconds() > AWAY_S:
                        raise
                else:
                    if lost_at is not None:
                        self.say(BACK_SAID)
                        self.recording.append(was_away(package, lost_at, _now()))
                        alive = alive and not self.device.restarted()  # it may have been started at boot
                    lost_at = None
            return not alive

        try:
            if self._until(ended) and self._was_refused():
                self._say_again()
                start()
                alive, ask_at = True, time.monotonic() + UNHOOKED_POLL_S
                self._until(ended, AGAIN_S)
        finally:
            if lost_at is not None:
                self.recording.append(was_away(package, lost_at, _now()))
            detail = f"no hooks were in the app: {why}; what it read was not seen"
            self._missed("agent", detail, begun, where="hook", why="not_observed", app=package, until=_now())

    def _was_refused(self) -> bool:
        """Whether the app ended because its question was refused."""
        refused_s = self.device.refused_s
        if refused_s is None or refused_s > CLOSES_S:
            return False
        return not self.stop() and not self.device.restarted()

    def _once_more(self, sources: Sequence[Source], first: Agent) -> None:
        """Start an app that ended after a refusal again, with its data, to see whether it asks again and what it
        does then. This is done once, for at most AGAIN_S."""
        self._say_again()
        with self._agent(sources, self.lines, first.clock.readings) as agent:
            try:
                agent.launch(self.device.launch())
            except SetupError as error:
                detail = f"it ended after it was refused, and could not be started once more: {error}"
                self._missed(agent.app, detail, where="hook", why="not_observed", app=agent.app)
                return
            self._watch(agent, AGAIN_S)
            self._went_down(agent)

    def _say_again(self) -> None:
        package = self.device.app.package
        self.say(
            Spoken(
                "{package} ended after it was refused; starting it once more to see whether it asks again",
                package=package,
            )
        )
        self._mark(STARTED_AGAIN)

    def leave_out(self, source: str) -> None:
        """Record that the app is started again without a source that crashed it."""
        package = self.device.app.package
        detail = "the app died of it soon after it was hooked; it was started again without"
        self.say(
            Spoken("{package} died of {source}; starting it again without that hook", package=package, source=source)
        )
        self._missed(source, detail, where="hook", why="install_failed", app=package)

    def _missed(self, subject: str, detail: str, at: datetime | None = None, **fields: Any) -> None:
        """Record a gap, at the present time unless `at` is given."""
        self.recording.append(Gap(at=at or _now(), subject=subject, detail=detail, **fields))

    def _mark(self, text: str, pid: int | None = None) -> None:
        self.recording.append(Phase(at=_now(), app=self.device.app.package, pid=pid, state="mark", text=text))

    def _agent(self, sources: Sequence[Source], records: Records, readings: Sequence[ClockReading] = ()) -> Agent:
        options = AgentOptions(
            api_level=self.device.identity.api_level,
            partial=self.device.partial,
            proxy_key=key_of(self.proxy.ca_pem),
            unpin=self.order.unpin,
        )
        return Agent(records, sources, self.device.app.package, options, readings=readings)

    def _ended_by_system(self, agent: Agent) -> bool:
        """Whether the system reports that it, or a person, ended the process: then none of our hooks is to blame."""
        ended = self.device.ended(agent.pid) if agent.pid is not None else None
        if ended is None:
            return False
        self._mark(f"ended: {ended.reason} {ended.detail}".strip(), agent.pid)
        return not ended.may_be_ours

    def _search(self, agent: Agent, sources: Sequence[Source]) -> str | None:
        """Find the source that crashes the app by bisection; None when the app does not crash again.

        Raises SetupError when no source can be blamed or the app cannot be started.
        """
        begun = _now()
        try:
            by_chance = self._survives(sources)
            found = None if by_chance else deadly(sources, self._survives)
        finally:
            detail = (
                "the app was started several times to find the source that it died of; what it read meanwhile is not "
                "here"
            )
            self._missed("agent", detail, begun, where="hook", why="detached", until=_now())
        if by_chance:
            self.say(Spoken("it did not die again: somebody or something else ended it, and with it the run"))
            self._went_down(agent)
            return None
        if found is None:
            raise SetupError(
                Spoken(
                    "{app} died soon after it was started, and no single source was found to be the cause.",
                    app=agent.app,
                ),
                "Check that the app runs without appwitness, then try again.",
            )
        return found

    def _survives(self, chosen: Sequence[Source]) -> bool:
        """Whether the app survives with these sources hooked. Raises SetupError when it cannot be hooked, and
        nothing is known."""
        self.say(Spoken("starting it with {chosen} sources to hook, to find what it died of", chosen=_number(chosen)))
        try:
            with self._agent(chosen, Nowhere()) as agent:
                self.device.reset()
                try:
                    agent.launch(self.device.launch())
                except SetupError:
                    if not agent.crashed:
                        raise
                agent.wait(self.order.crash_s)
                return not agent.crashed
        finally:
            self.device.stop()

    def _came_up(self, agent: Agent) -> None:
        agent.clock.measure()
        agent.clock.wait(CLOCK_WAIT_S)
        self.recording.update_run(
            hooks=_states(agent),
            observers=self.recording.run.observers.model_copy(update={"hooks": True, "consent": True}),
            unpinned=agent.unpinned,
            sockets_watched=True,
            probe=agent.probe,
            install_ms=agent.install_ms,
            times={name: round(seconds, 3) for name, seconds in agent.times.items()},
            proxy=Endpoint(ip=self.proxy.host, port=self.proxy.port),
            **summary(agent.clock.readings),
        )

    def _ask_whom_it_trusts(self, agent: Agent) -> None:
        """Record a gap unless the app accepts the proxy's certificate. The app itself is asked: installed files prove
        nothing.

        Call this only at the very end, in runs that end the app. The thread that asks holds the agent's lock meanwhile,
        and may wait for a Java lock held by a thread of the app that waits for the agent.
        """
        leaf = leaf_for(self.proxy.ca_pem, MADE_UP)
        answer, said = agent.trusts(leaf, MADE_UP) if leaf is not None else ("unknown", "the proxy's key is not there")
        if answer == "trusted":
            return
        what = {"refused": "does not accept", "pinned": "pins its own certificates against"}
        detail = f"the app {what.get(answer, 'did not say whether it accepts')} the proxy's authority: {said}"
        self._missed("the app's trust", detail, where="proxy", why="not_observed", app=agent.app, pid=agent.pid)

    def _went_down(self, agent: Agent) -> None:
        self.recording.update_run(hooks=_states(agent), unpinned=agent.unpinned, **summary(agent.clock.readings))
        if not agent.clock.readings:
            detail = "the device did not say what time it is: accesses and uploads may be in another order"
            self._missed("device", detail, where="clock", why="no_clock")
        if agent.lost:
            raise SetupError(
                Spoken("Frida lost {app}; what it did since is not in the recording.", app=agent.app),
                "Check the device and its cable, then observe the app again.",
            )

    def _watch(self, agent: Agent, most_s: float | None = None) -> bool:
        """Watch until the app ends (True), or until the run ends or `most_s` have passed (False)."""
        measure_at = time.monotonic() + CLOCK_S
        away = False

        def ended() -> bool:
            nonlocal measure_at, away
            if agent.away != away:
                away = agent.away
                self.say(AWAY_SAID if away else BACK_SAID)
            if time.monotonic() >= measure_at and not away:
                agent.clock.measure()
                measure_at = time.monotonic() + CLOCK_S
            return agent.wait(POLL_S)

        by_itself = self._until(ended, most_s)
        if not by_itself:
            agent.clock.measure()
            agent.clock.wait(CLOCK_WAIT_S)
            if agent.ends:
                time.sleep(FLUSH_S)
                self._ask_whom_it_trusts(agent)
        return by_itself

    def _until(self, ended: Callable[[], bool], most_s: float | None = None) -> bool:
        """Keep the proxy running until `ended`, which blocks for a moment, is true (True) or the run is to end
        (False)."""
        limits = [seconds for seconds in (self.order.seconds, most_s) if seconds is not None]
        end = time.monotonic() + min(limits) if limits else None
        alive_at, restarts = _now(), 0
        while not ended():
            if self.proxy.alive():
                alive_at = _now()
            else:
                restarts += 1
                _again(self.proxy, self.recording, alive_at, restarts)
            if self.stop() or (end is not None and time.monotonic() >= end):
                self._mark("observation ended")
                return False
        return True


def _check(agent: Agent) -> None:
    """Raise Unhookable if the agent saw no call in its self-test."""
    if agent.probe is not None and agent.useless:
        raise Unhookable(
            Spoken("No hook works in {app}: {problem}.", app=agent.app, problem=agent.probe.problem),
            "`appwitness doctor --hooks --export FILE` packs what the device says about itself: send us that file.",
        )


def counted(states: Mapping[str, str]) -> str:
    """The state of the run's sources, in the wording of all reports."""
    count = count_sources(states)
    parts = (
        Spoken("{known:,} sources: {installed:,} installed", known=count.known, installed=count.installed),
        Spoken("{waiting:,} waiting for their class", waiting=count.waiting),
        Spoken("{absent:,} absent on this device", absent=count.absent),
        *([Spoken("{failed:,} failed", failed=count.failed)] if count.failed else ()),
    )
    return listed(parts)


def _now() -> datetime:
    return datetime.now(UTC)


def _number(sources: Sequence[Source]) -> str:
    """The number of sources; an API with several entries counts once."""
    return f"{len({source.name for source in sources}):,}"


class Nowhere:
    """Discards the lines of a start that only tests whether the app survives."""

    def append_all(self, events: Sequence[Event], /) -> object:
        """Discard events."""
        return len(events)

    def put_body(self, data: bytes, /) -> str | None:
        """Discard a body."""
        return hashlib.sha256(data).hexdigest()


def _states(agent: Agent) -> dict[str, str]:
    """Source -> state of its hooks; the best state when a source has several entries."""
    states: dict[str, str] = {}
    for status in agent.statuses():
        states[status.source] = min(states.get(status.source, status.state), status.state, key=BEST_FIRST.index)
    return states


def _again(proxy: Proxy, recording: Recording, alive_at: datetime, times: int) -> None:
    """Restart the proxy after it ended unexpectedly, so that the app can continue, and record the gap."""
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
            raise SetupError(Spoken("It ended {times} times.", times=times), "Start the run again.")
        proxy.restart()
    except SetupError as error:
        recording.append(gap)
        raise SetupError(
            Spoken("The proxy ended before the app did; uploads after that are missing. {error}", error=error),
            Spoken("What was recorded is in {path}; start the run again.", path=recording.path),
        ) from error
    recording.append(gap.model_copy(update={"until": datetime.now(UTC)}))
