"""A run driven by a program: the device is set up, the program acts, and the run is ended and judged."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import AbstractContextManager, contextmanager
from dataclasses import fields, replace
from datetime import UTC, datetime
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal, TypedDict, Unpack

from appwitness.api.gating import Gate, made
from appwitness.api.home import recordings, signer
from appwitness.support.errors import UserError
from appwitness.support.spoken import Spoken

if TYPE_CHECKING:  # imported late, so that `import appwitness` answers at once
    from appwitness import events
    from appwitness.api.gating import GateLimits
    from appwitness.devices.android.options import Wanted
    from appwitness.events import Ref
    from appwitness.findings import Confidence, Finding, Flow, Level, Report, ReportedGap
    from appwitness.findings.gate_decision import GateReport
    from appwitness.observe.order import Order, PlanName
    from appwitness.recording import Position, Recording


class OfRun(TypedDict, total=False):
    """How a run is made."""

    duration_s: float | None
    """Seconds after which to end the run; None: when the app or the block ends."""
    mode: str
    """How traffic reaches the proxy, as for `appwitness observe --mode`."""
    operator: str | None
    """Who is responsible for the run; None: the login name."""
    case: str | None
    """Number of the case that the run is made for; reports print it, with the place and the equipment."""
    place: str | None
    equipment: str | None
    obtained: events.ObtainedApp | None
    """Where the app came from: store, account, link, when."""
    image: events.DeviceImage | None
    """The device's system image: link and SHA-256."""
    unpin: bool
    """Whether to make the app accept the proxy's certificate where it pins one."""
    hooks: bool | None
    """True: fail if the app cannot be hooked; False: record traffic only; None, the default: hook if possible, else
    record traffic only."""
    persona: Path | None
    """File with the persona to plant; None: generated for the run."""
    no_persona: bool
    activity: str | None
    user: int | None
    clear_data: bool
    by_hand: bool
    """Whether a person answers the app's dialogs. False: appwitness does, as the plan says; on a lab device it
    always does."""
    frida_server: Path | None
    frida_gadget: Path | None
    allow: tuple[str, ...]
    hosts: Mapping[str, tuple[str, int]]
    """Hosts that the proxy looks up here instead of in DNS: host -> address and port."""
    upstream_ca: Path | None


if TYPE_CHECKING:

    class RunOptions(GateLimits, OfRun, total=False):
        """Options of a run besides its device, app and plan."""


OF_RUN = tuple(OfRun.__annotations__)
PACKED = (".apk", ".apks", ".apkm", ".xapk")
POLL_S = 0.05


class Failed(AssertionError):
    """Something in a run counts against it; the message says what."""


class Judged:
    """A recording, judged and compared with what is accepted for the app."""

    def __init__(self, recording: Path, gate: Gate) -> None:
        self.recording = recording
        """The recording's folder."""
        self.gate = gate
        self.checked = False
        """Whether the verdict was asked for: `check` was called."""
        self.page: Path | None = None
        """Path of its report, in case the recording is not kept."""

    @cached_property
    def report(self) -> Report:
        """The whole report. Raises DamagedRecording if the recording does not match its stamps."""
        (report,) = self.gate.runs.reports([self.recording], self.gate.judging)
        return report

    @property
    def findings(self) -> tuple[Finding, ...]:
        """What the rules object to."""
        return self.report.findings

    @property
    def flows(self) -> tuple[Flow, ...]:
        """Values that were read and then found in an upload."""
        return self.report.flows

    @property
    def gaps(self) -> tuple[ReportedGap, ...]:
        """What could not be observed in this run."""
        return self.report.gaps

    @property
    def limits(self) -> tuple[ReportedGap, ...]:
        """What no run on this device can observe, as the device has no such class or method."""
        return self.report.limits

    @cached_property
    def diff(self) -> GateReport:
        """How each finding changed since the baseline, or since the release used for comparison."""
        return self.gate.decide([self.report])

    def check(self, fail_on: Level | Literal["never"] | None = None, min_confidence: Confidence | None = None) -> None:
        """Raise Failed if something counts: new or worse, not waived, and at least of this level and confidence.

        None: as the gate says; its defaults are `medium` and `corroborated`.
        """
        self.checked = True
        given: dict[str, Any] = {"fail_on": fail_on, "min_confidence": min_confidence}
        policy = replace(self.gate.policy, **{name: value for name, value in given.items() if value is not None})
        decided = self.diff if policy == self.gate.policy else replace(self.gate, policy=policy).decide([self.report])
        if decided.outcome != "passed":
            raise Failed(told(decided, self))


def told(decided: GateReport, judged: Judged) -> str:
    """The message of a failure: what failed, and all that a person needs to inspect or accept it."""
    from appwitness.gate.reports import failure

    return failure.message(decided, judged.report, judged.recording, judged.page)


class DrivenRun(Judged):
    """A run in progress and, after its block, its results."""

    def __init__(self, recording: Path, gate: Gate) -> None:
        super().__init__(recording, gate)
        self._ended = threading.Event()
        self._failure: BaseException | None = None
        self._seen: dict[str, Position] = {}
        """Host -> position up to which `wait` has looked for uploads to it."""

    @cached_property
    def _opened(self) -> Recording:
        from appwitness.recording import Recording

        return Recording.open(self.recording, signer=signer())

    @property
    def package(self) -> str:
        """Package of the app."""
        return self._opened.run.app.package

    @property
    def serial(self) -> str:
        """The device's serial, as adb has it; `lab` for the lab device."""
        return self._opened.run.device.serial

    @property
    def proxy(self) -> str | None:
        """Address and port of the proxy, `127.0.0.1:8080`; None until it is up."""
        at = self._opened.run.proxy
        return f"{at.ip}:{at.port}" if at else None

    def mark(
        self, scope: events.Scope, status: events.ConsentState, *, text: str | None = None, note: str | None = None
    ) -> Ref:
        """Record what the user was just asked or decided; returns the line, `consents.jsonl:3`. `text`: the tapped
        label."""
        from appwitness.api import marking

        known = self.gate.judging.known
        said = marking.MarkDetails(scope=scope, text=text, note=note)
        return marking.consent(self._opened, status, said, known.data_types, known.labels).ref

    def wait(self, upload_to: str | None = None, timeout_s: float = 60) -> Ref | None:
        """Wait for the next upload to a host or a subdomain of it, and return its line; without a host, wait for the
        app to end.

        Each upload is returned once per host; one recorded before this call counts too. Raises TimeoutError, also if
        the run ends without such an upload, and any error that ended the run.
        """
        if upload_to is None:
            self._until(self._ended.is_set, timeout_s, "The app has not ended")
            self.see_that_it_goes()
            return None
        found: Ref | None = None

        def came() -> bool:
            nonlocal found
            over = self._ended.is_set()
            found = self._next_to(upload_to)
            return found is not None or over

        self._until(came, timeout_s, f"No upload to {upload_to} was recorded")
        if found is None:
            self.see_that_it_goes()
            raise TimeoutError(f"The run ended without an upload to {upload_to}; it sent to {self._sent_to()}.")
        return found

    def idle(self, for_s: float = 2, timeout_s: float = 60) -> None:
        """Wait until nothing was read or sent for `for_s` seconds, or the app has ended. Raises TimeoutError."""
        from appwitness.events import FILES

        files = [self.recording / FILES[kind] for kind in ("access", "transform", "upload")]
        since = time.time()

        def quiet() -> bool:
            last = max([since, *(file.stat().st_mtime for file in files if file.exists())])
            return self._ended.is_set() or time.time() - last >= for_s

        self._until(quiet, timeout_s, f"There were not {for_s:g} s without a read or an upload")
        self.see_that_it_goes()

    def _next_to(self, host: str) -> Ref | None:
        """The next upload to a host or a subdomain of it; lines already looked at are not read again."""
        from appwitness.events import Upload

        for read in self._opened.read("upload", self._seen.get(host)):
            self._seen[host] = read.position
            name = upload.host if isinstance(upload := read.event, Upload) else None
            if name and f".{name.lower()}".endswith(f".{host.lower()}"):
                return read.ref
        return None

    def _sent_to(self) -> str:
        from appwitness.events import Upload

        hosts = {upload.host for upload in self._opened.events(Upload) if upload.host}
        return ", ".join(sorted(hosts)) or "no host"

    def _until(self, done: Callable[[], bool], timeout_s: float, otherwise: str) -> None:
        end = time.monotonic() + timeout_s
        while not done():
            if time.monotonic() >= end:
                raise TimeoutError(f"{otherwise} within {timeout_s:g} s.")
            time.sleep(POLL_S)

    def ended(self, failure: BaseException | None = None) -> None:
        """Note that the run is over, and the error that ended it, if any."""
        self._failure = failure
        self._ended.set()

    def forget(self) -> None:
        """Drop the report and diff made before the end: they are not final."""
        for name in ("report", "diff"):
            self.__dict__.pop(name, None)

    def see_that_it_goes(self) -> None:
        """Raise the error that ended the run, if there is one."""
        if self._failure is not None:
            raise self._failure


class Replayed(DrivenRun):
    """A run recorded earlier: it has ended, and nothing is added to it."""

    def __init__(self, recording: Path, gate: Gate) -> None:
        super().__init__(recording, gate)
        self._ended.set()

    def mark(
        self, scope: events.Scope, status: events.ConsentState, *, text: str | None = None, note: str | None = None
    ) -> Ref:
        """The line of the recorded mark with this scope and status. Raises LookupError if the recording has none."""
        from appwitness.events import Consent

        for ref, _, _, line in self._opened.seen(Consent):
            if (line.signal, line.scope, line.status) == ("operator", scope, status):
                return ref
        raise LookupError(f"{self.recording} has no mark that says {status} of {scope}; record the test again.")


def observe(
    app: Path | str | None = None,
    *,
    device: str = "lab:circle",
    plan: PlanName = "free",
    output: Path | str | None = None,
    launch: bool = True,
    **options: Unpack[RunOptions],
) -> AbstractContextManager[DrivenRun]:
    """Record a run of an app while the block lasts, then judge it.

    `app` is a package on the device, or an APK, .apks, .apkm, .xapk or folder of splits to install for the run; None on
    a lab device, which has its own app. `launch` False: the app is already running. `output` is the new folder.

    The block begins once the app runs and is observed; it may drive the app with Appium, uiautomator2 or adb. When the
    block ends, the run is ended, all changes to the device are undone, and the DrivenRun has its report. Raises
    SetupError if something does not start.
    """
    given: dict[str, Any] = dict(options)
    of_run = {name: given.pop(name) for name in OF_RUN if name in given}
    return observed(made(**given), app, device=device, plan=plan, output=output, launch=launch, **of_run)


@contextmanager
def observed(
    gate: Gate,
    app: Path | str | None,
    *,
    device: str,
    plan: PlanName = "free",
    output: Path | str | None = None,
    launch: bool = True,
    **of_run: Any,
) -> Iterator[DrivenRun]:
    """The same as `observe`, judged by an existing gate; `of_run`: the options in OfRun."""
    from appwitness.api.devices import name_of

    if unknown := of_run.keys() - set(OF_RUN):
        raise TypeError(f"unknown keyword: {', '.join(sorted(unknown))}")
    wanted = _wanted(app, device, launch, of_run)
    order = _order(plan, of_run)
    if gate.judging.known.app_type is not None:
        order = replace(order, app_type=gate.judging.known.app_type.number)
    path = Path(output or recordings() / f"{datetime.now(UTC):%Y%m%dT%H%M%S}-{name_of(wanted)}-{plan}")
    run = DrivenRun(path, gate)
    stop, live = threading.Event(), threading.Event()

    def go() -> None:
        from appwitness.api.devices import opened
        from appwitness.api.observing import LiveJudge, RunCaller, record, sources_of

        try:
            judge = LiveJudge(gate.judging.known, gate.judging.store)
            with opened(wanted, plan) as up:
                record(up, path, sources_of(), order, RunCaller(stop=stop.is_set, live=live.set), judge)
        except BaseException as error:
            run.ended(error)
        else:
            run.ended()
        finally:
            live.set()

    thread = threading.Thread(target=go, name="appwitness run")
    thread.start()
    try:
        live.wait()
        run.see_that_it_goes()
        yield run
    finally:
        stop.set()
        thread.join()
        run.forget()
    run.see_that_it_goes()


def _wanted(app: Path | str | None, device: str, launch: bool, of_run: dict[str, Any]) -> Wanted:
    """The device and app that the arguments name. Raises UserError for arguments that do not fit together."""
    from appwitness.api.devices import NamedDevice
    from appwitness.devices.android.options import Wanted

    if NamedDevice(device).embedded:
        if app is not None:
            raise UserError(
                Spoken("{device} has its app built in.", device=device),
                Spoken("Leave {app} out, or name a phone or an emulator.", app=app),
            )
        return Wanted(device)
    if app is None:
        raise UserError(
            Spoken("Which app should be observed on {device}?", device=device), "Name an APK to install, or a package."
        )
    packed = isinstance(app, Path) or Path(app).suffix in PACKED or Path(app).is_dir()
    if packed and not Path(app).exists():
        raise UserError(
            Spoken("There is no {app}.", app=app), "Name an APK, .apks, .apkm, .xapk or a folder of splits."
        )
    which: dict[str, Any] = {"apks": (Path(app),)} if packed else {"package": str(app)}
    said = {each.name: of_run[each.name] for each in fields(Wanted) if each.name in of_run}
    return Wanted(device, **which, attach=not launch, **{"by_hand": True, **said})


def _order(plan: PlanName, of_run: Mapping[str, Any]) -> Order:
    from appwitness.observe.order import Order
    from appwitness.recording.seal import MADE_BY

    said = {name: of_run[name] for name in ("mode", "unpin", "hooks", *MADE_BY) if name in of_run}
    return Order(plan=plan, seconds=of_run.get("duration_s"), **said)
