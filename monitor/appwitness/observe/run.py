"""One run: creates the recording, starts proxy, device and agent, runs the app, and stops everything in reverse
order."""

from __future__ import annotations

import hashlib
import importlib.metadata
import os
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import ExitStack, contextmanager
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

from appwitness.agent.agent import agent_js, bridge
from appwitness.agent.sources import Source
from appwitness.devices import Device
from appwitness.devices.traffic_modes import admitted, choose
from appwitness.events import FILES, WHOLE_RUN, Gap, Observers, OwnRequest, Run
from appwitness.observe.attempt import Attempt
from appwitness.observe.control_run import seen_without_hooks
from appwitness.observe.crash import without
from appwitness.observe.order import NOBODY, Order, RunCaller, Say
from appwitness.proxy import Proxy, ProxyAddress
from appwitness.recording import Recording
from appwitness.recording.quota import Limited, Quota
from appwitness.recording.timestamps import NoToken, anchor, clock_off
from appwitness.support import private_files, this_build
from appwitness.support.errors import SetupError, Unhookable
from appwitness.support.login import login
from appwitness.support.spoken import Spoken

MOST_CRASHES = 3
"""Maximum number of sources that are left out, one after another, because they crash the app; then the run fails."""
STAMP_S = 5.0
RESTARTED = {
    "device": "the device restarted: what the app did since is not here",
    "Android": "Android restarted on the device, which ended every app: what the app did since is not here",
}
CUT_SHORT = "an error ended it early: what the app does later was not observed"
SWITCHED_OFF = Spoken("hooks were switched off for this run (--no-hooks)")


def observe(
    device: Device,
    path: Path,
    sources: Sequence[Source],
    order: Order,
    caller: RunCaller = NOBODY,
) -> Recording:
    """Record one run of `device`'s app into the new folder `path`.

    The run ends when the app's process ends, after `order.seconds`, or when `caller` says so. What was started is
    stopped in reverse order, also after an error, and the recording is stamped to the end. Raises SetupError when
    something does not start; what was recorded until then stays.
    """
    mode = choose(order.mode, device.modes(order.listen), hooks=order.hooks is not False)
    admit = admitted(order.listen, mode, order.device_address)
    recording = Recording.create(path, describe(device, order), signer=order.signer)
    with ExitStack() as up:
        up.enter_context(recording)
        up.enter_context(_timed(recording, order.tsa, caller.warn))
        up.enter_context(_finished(recording))
        up.enter_context(recording.sealing(every_s=STAMP_S))
        if order.control is not None:
            recording.append_all(seen_without_hooks(Recording.open(order.control)))
        up.callback(lambda: recording.update_run(**_facts(device, recording)))
        up.callback(device.undo)  # before the first change: even a partial preparation is undone
        up.enter_context(_early_end(device, recording, order, caller.say))
        caller.say(Spoken("installing {package}", package=device.app.package))
        device.install()
        caller.say(Spoken("starting the proxy, mode {spec}: {why}", spec=mode.spec, why=mode.why))
        proxy = up.enter_context(
            Proxy(
                path,
                ProxyAddress(order.listen, order.port, mode.spec, admit),
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
            caller.say(
                Spoken(
                    "waiting for the device's WireGuard; its configuration is {order}",
                    order=_tunnel(order, proxy.wireguard),
                )
            )
        caller.say(Spoken("preparing {model}", model=device.identity.model or device.identity.serial))
        device.prepare(proxy.host, proxy.port, proxy.ca_pem, mode=mode.spec, wireguard=proxy.wireguard or "")
        why = SWITCHED_OFF if order.hooks is False else _why_not(device, device.enter, order, caller)
        recording.update_run(**_prepared(device, recording))
        limited = Limited(recording, Quota(path, order.max_bytes, order.free_bytes))
        up.callback(limited.close)
        up.callback(device.stop)
        up.enter_context(device.watching(limited, lambda: _silent_s(path)))
        recording.update_run(persona=device.persona)  # reading the screen plants part of the persona
        attempt = Attempt(device, proxy, recording, limited, order, caller.stop, caller.say, caller.live)
        if why is None:
            if (unseen := _translated(recording.run)) is not None:
                caller.warn(str(unseen.detail))
                recording.append(unseen)
            why = _why_not(device, lambda: _until_it_lives(attempt, sources), order, caller)
        if why is not None:
            if mode.spec == "redirect":  # only the agent could redirect the app's connections
                proxy.restart(mode="regular")
                recording.update_run(mode="regular")
            device.do_without_hooks()
            recording.update_run(**_prepared(device, recording))
            attempt.unhooked(why)
    return recording


def _why_not(device: Device, hook: Callable[[], object], order: Order, caller: RunCaller) -> str | None:
    """Try to hook the app. Returns None when it worked; when hooking failed but the run may continue without hooks,
    returns why."""
    try:
        hook()
    except Unhookable as error:
        if order.hooks or order.mode == "redirect" or device.restarted():
            raise
        caller.warn(
            Spoken(
                "{error} Without hooks, only its traffic is observed (--hooks ends the run here instead)", error=error
            )
        )
        return error.what.rstrip(".")
    return None


def _translated(run: Run) -> Gap | None:
    """A gap for native code that the device translates to its own processor: it uses its own C and TLS libraries,
    which are not hooked."""
    if run.translated is None:
        return None
    detail = (
        "the app's libraries are for {}, which this device ({}) translates: what their code reads, its sockets and what"
        " it writes by TLS are not seen; a device or image of their own architecture shows it"
    ).format(*run.translated)
    now = datetime.now(UTC)
    return Gap(at=now, app=run.app.package, where="hook", subject="native code", why="not_observed", detail=detail)


def _until_it_lives(attempt: Attempt, sources: Sequence[Source]) -> None:
    """Start the app, and again without each source that crashes it. Raises SetupError after MOST_CRASHES such
    sources."""
    left = list(sources)
    package = attempt.device.app.package
    for crashes in range(MOST_CRASHES + 1):
        died_of = attempt.hooked(left)
        if died_of is None:
            return
        if crashes < MOST_CRASHES:
            attempt.leave_out(died_of)
            left = without(left, [died_of])
    raise SetupError(
        Spoken(
            "{package} crashed repeatedly soon after its hooks were installed, most recently because of {died_of}.",
            package=package,
            died_of=died_of,
        ),
        Spoken(
            "What was left out and why is in {path}/gaps.jsonl; check that the app runs without hooks.",
            path=attempt.recording.path,
        ),
    )


def _silent_s(folder: Path) -> float:
    """Seconds since the last line about the app's activity, whichever side wrote it."""
    files = (folder / FILES[kind] for kind in ("access", "transform", "upload"))
    return time.time() - max((file.stat().st_mtime for file in files if file.exists()), default=0.0)


def _prepared(device: Device, recording: Recording) -> dict[str, Any]:
    """The updates of run.json once the device is prepared: the app as installed, the persona as read back."""
    return {
        "app": device.app,
        "device": device.identity,
        "persona": device.persona,
        "observers": recording.run.observers.model_copy(update={"persona": device.persona_is}),
        **_facts(device, recording),
    }


def _facts(device: Device, recording: Recording) -> dict[str, Any]:
    """The device's facts about its preparation; its network requests are added to those already known."""
    told = dict(device.facts())
    requests = (*(recording.run.requests or ()), *told.pop("requests", ()))
    return told | {"requests": tuple(dict.fromkeys(requests))}


def _tunnel(order: Order, configuration: str) -> Path:
    """Write the configuration for the device's WireGuard app to a private file, as it contains a private key;
    returns its path."""
    path = order.confdir.expanduser() / "device.wireguard.conf"
    private_files.write(path, configuration + "\n")
    return path


def login_name() -> str:
    """The name of this user; the user id when there is no name, as in a container."""
    return login() or f"uid {os.getuid()}"


def describe(device: Device, order: Order) -> Run:
    """run.json as it is known before the app starts."""
    started = datetime.now(UTC)
    return Run(
        id=f"{started:%Y%m%dT%H%M%S%f}-{device.app.package}",
        app=device.app,
        app_type=device.app_type if order.app_type is None else order.app_type,
        device=device.identity,
        plan=order.plan,
        observers=Observers(persona=device.persona_is),
        persona=device.persona,
        started=started,
        clock_offset_ms=None,  # until the device's clock is measured
        unpin=order.unpin,
        requests=tuple(OwnRequest(what="time_stamp", to=urlsplit(url).netloc.rpartition("@")[2]) for url in order.tsa),
        versions={
            "appwitness": this_build.version(),
            **({"commit": commit} if (commit := this_build.commit()) else {}),
            "frida": importlib.metadata.version("frida"),
            "mitmproxy": importlib.metadata.version("mitmproxy"),
            "bridge": bridge(),
            "agent": hashlib.sha256(agent_js().encode()).hexdigest(),
            **order.judged_by,
        },
        operator=order.operator or login_name(),
        campaign=order.campaign,
        case=order.case,
        place=order.place,
        equipment=order.equipment,
        obtained=order.obtained,
        image=order.image,
    )


@contextmanager
def _timed(recording: Recording, urls: Sequence[str], warn: Say) -> Iterator[None]:
    """Have outside authorities confirm when the run began and ended; each authority's first failure is reported."""
    told: set[str] = set()

    def failed(url: str, error: NoToken) -> None:
        if url not in told:
            told.add(url)
            warn(str(error))

    for name in anchor(recording, urls, failed):
        if off := clock_off(recording, name):
            how = "ahead of" if off > timedelta() else "behind"
            seconds = timedelta(seconds=round(abs(off).total_seconds()))
            warn(
                f"This machine's clock is {seconds} {how} that of the time-stamp authority ({name}): every time in "
                "this recording is off by that, and each report will say so. Set the clock and start again."
            )
            break
    try:
        yield
    finally:
        anchor(recording, urls, failed)


@contextmanager
def _early_end(device: Device, recording: Recording, order: Order, say: Say) -> Iterator[None]:
    """If an error ends the run, record a gap. If the device or its Android restarted meanwhile, raise a SetupError that
    says so, instead of whatever failed because of that."""
    failed: SetupError | None = None
    try:
        yield
    except SetupError as error:
        failed = error
    restarted = device.restarted()
    if restarted is not None or failed is not None:
        missing = RESTARTED[restarted] if restarted is not None else CUT_SHORT
        recording.append(
            Gap(at=datetime.now(UTC), where="device", subject=WHOLE_RUN, why="not_observed", detail=missing)
        )
    if restarted is not None:
        say(Spoken("waiting until Android is up again, to undo the changes"))
        app = device.app.package
        what = {
            "device": Spoken("The device restarted; what {app} did since is not in the recording.", app=app),
            "Android": Spoken(
                "Android restarted on the device and ended every app; what {app} did since is not in the recording.",
                app=app,
            ),
        }
        action = (
            Spoken("Check the device, then observe the app again.")
            if order.hooks is False
            else Spoken(
                "Observe the app again. If the device restarts each time, Frida may crash it: start the app by hand "
                "and observe it with --attach, or with --no-hooks."
            )
        )
        raise SetupError(what[restarted], action) from failed
    if failed is not None:
        raise failed


@contextmanager
def _finished(recording: Recording) -> Iterator[None]:
    """Write the end of the run to run.json and stamp that, whatever happened before."""
    try:
        yield
    finally:
        recording.update_run(ended=datetime.now(UTC))
        recording.stamp(final=True)
