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
    """End after this long; None: when the app or the block ends."""
    mode: str
    """How traffic reaches the proxy, as `appwitness observe --mode`."""
    operator: str | None
    """Who is responsible for the run; None: the login name."""
    case: str | None
    """Number of the case that it is made for; reports print it, and where and with what it was made."""
    place: str | None
    equipment: str | None
    obtained: events.ObtainedApp | None
    """Where the app came from: store, account, link, when."""
    image: events.DeviceImage | None
    """The image that the device runs: link and SHA-256."""
    unpin: bool
    """Make the app accept the proxy's certificate where it pins one."""
    hooks: bool | None
    """True: fail where the app cannot be hooked; False: traffic alone; None, the default: that where it cannot be."""
    persona: Path | None
    """File of what to plant; None: made up for the run."""
    no_persona: bool
    activity: str | None
    user: int | None
    clear_data: bool
    by_hand: bool
    """False: appwitness itself answers the app's dialogs, as the plan says. On a lab device it always does."""
    frida_server: Path | None
    frida_gadget: Path | None
    allow: tuple[str, ...]
    hosts: Mapping[str, tuple[str, int]]
    """Hosts that the proxy finds elsewhere: host -> address and port."""
    upstream_ca: Path | None


if TYPE_CHECKING:

    class RunOptions(GateLimits, OfRun, total=False):
        """What may be said of a run besides its device, app and plan."""


OF_RUN = tuple(OfRun.__annotations__)
PACKED = (".apk", ".apks", ".apkm", ".xapk")
POLL_S = 0.05


class Failed(AssertionError):
    """Something of a run counts against it; the text says what."""


class Judged:
    """A recording, judged and held against what the app is known to do."""

    def __init__(self, recording: Path, gate: Gate) -> None:
        self.recording = recording
        """The folder."""
        self.gate = gate
        self.checked = False
        """Whether somebody has asked for the verdict."""
        self.page: Path | None = None
        """Where its report is, should the recording not be kept."""

    @cached_property
    def report(self) -> Report:
        """Everything that is told of it. Raises DamagedRecording when it is not what its stamps say."""
        (report,) = self.gate.runs.reports([self.recording], self.gate.judging)
        return report

    @property
    def findings(self) -> tuple[Finding, ...]:
        """What the rules object to."""
        return self.report.findings

    @property
    def flows(self) -> tuple[Flow, ...]:
        """Values that were read and were found in an upload."""
        return self.report.flows

    @property
    def gaps(self) -> tuple[ReportedGap, ...]:
        """What could not be observed in this run."""
        return self.report.gaps

    @property
    def limits(self) -> tuple[ReportedGap, ...]:
        """What no run on this device can show, as it has no such class or method."""
        return self.report.limits

    @cached_property
    def diff(self) -> GateReport:
        """What became of each finding since the baseline, or the release that it is held against."""
        return self.gate.decide([self.report])

    def check(self, fail_on: Level | Literal["never"] | None = None, min_confidence: Confidence | None = None) -> None:
        """Raise Failed when something counts: new or worse, not waived, and at least of this level and confidence.

        None: as the gate says, where `medium` and `corroborated` are the default.
        """
        self.checked = True
        given: dict[str, Any] = {"fail_on": fail_on, "min_confidence": min_confidence}
        policy = replace(self.gate.policy, **{name: value for name, value in given.items() if value is not None})
        decided = self.diff if policy == self.gate.policy else replace(self.gate, policy=policy).decide([self.report])
        if decided.outcome != "passed":
            raise Failed(told(decided, self))


def told(decided: GateReport, judged: Judged) -> str:
    """What failed, with all that a person needs to look at it or to accept it."""
    from appwitness.gate.reports import failure

    return failure.message(decided, judged.report, judged.recording, judged.page)


class DrivenRun(Judged):
    """A run that goes on, and, after its block, what was found in it."""

    def __init__(self, recording: Path, gate: Gate) -> None:
        super().__init__(recording, gate)
        self._ended = threading.Event()
        self._failure: BaseException | None = None
        self._seen: dict[str, Position] = {}
        """Host -> how far `wait` has looked for uploads to it."""

    @cached_property
    def _opened(self) -> Recording:
        from appwitness.recording import Recording

        return Recording.open(self.recording, signer=signer())

    @property
    def package(self) -> str:
        """The app."""
        return self._opened.run.app.package

    @property
    def serial(self) -> str:
        """The device, as adb names it; `lab` for the lab device."""
        return self._opened.run.device.serial

    @property
    def proxy(self) -> str | None:
        """Address and port of the proxy, `127.0.0.1:8080`; None until it is up."""
        at = self._opened.run.proxy
        return f"{at.ip}:{at.port}" if at else None

    def mark(
        self, scope: events.Scope, status: events.ConsentState, *, text: str | None = None, note: str | None = None
    ) -> Ref:
        """Note what the user was just asked or decided; the line, `consents.jsonl:3`. `text`: the label touched."""
        from appwitness.api import marking

        known = self.gate.judging.known
        said = marking.MarkDetails(scope=scope, text=text, note=note)
        return marking.consent(self._opened, status, said, known.data_types, known.labels).ref

    def wait(self, upload_to: str | None = None, timeout_s: float = 60) -> Ref | None:
        """Wait for the next upload to a host or one below it, and give its line; without a host, for the app's end.

        An upload that an earlier `wait` for this host has given is not given again; one that came before this call
        counts. Raises TimeoutError, also when the run ends without it, and what ended the run if that was a fault.
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
        """Wait until nothing was read and nothing was sent for this long, or the app ended. Raises TimeoutError."""
        from appwitness.events import FILES

        files = [self.recording / FILES[kind] for kind in ("access", "transform", "upload")]
        since = time.time()

        def quiet() -> bool:
            last = max([since, *(file.stat().st_mtime for file in files if file.exists())])
            return self._ended.is_set() or time.time() - last >= for_s

        self._until(quiet, timeout_s, f"There were not {for_s:g} s without a read or an upload")
        self.see_that_it_goes()

    def _next_to(self, host: str) -> Ref | None:
        """The next upload to a host or one below it; what was looked at is not read again."""
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
        """Note that the run is over, and what ended it if that was a fault."""
        self._failure = failure
        self._ended.set()

    def forget(self) -> None:
        """What was judged before the end is not the report."""
        for name in ("report", "diff"):
            self.__dict__.pop(name, None)

    def see_that_it_goes(self) -> None:
        """Raise what ended the run, if that was a fault."""
        if self._failure is not None:
            raise self._failure


class Replayed(DrivenRun):
    """A run that was recorded before: it has ended, and nothing is added to it."""

    def __init__(self, recording: Path, gate: Gate) -> None:
        super().__init__(recording, gate)
        self._ended.set()

    def mark(
        self, scope: events.Scope, status: events.ConsentState, *, text: str | None = None, note: str | None = None
    ) -> Ref:
        """The line of such a mark. Raises LookupError when the recording has none."""
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
    """Record a run of an app while the block lasts; then it is judged.

    `app` is a package that the device has, or an APK, .apks, .apkm, .xapk or folder of splits to install for the run;
    None on a lab device, which has its app. `launch` False: the app runs already. `output` is the new folder.

    The block begins when the app runs and is observed, and may drive it: by Appium, uiautomator2, adb. At its end the
    run is ended, all that was changed on the device is taken back, and the Run has its report. Raises SetupError when
    something does not come up.
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
    """The same, judged by a gate that there is; `of_run`: those options that say how the run is made."""
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
    """Raises UserError for what does not go together."""
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
