"""One Android device during one run: each change is journalled before it is made, and undone at the end."""

from __future__ import annotations

import functools
import shlex
import threading
from collections.abc import Callable, Iterator, Mapping
from contextlib import AbstractContextManager, contextmanager, suppress
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, Literal

import certifi

from appwitness.agent.target import Records, Target
from appwitness.catalog.tried import tried
from appwitness.devices import Device, Ended
from appwitness.devices.android import discovery, traffic, wakefulness
from appwitness.devices.android.adb import connect
from appwitness.devices.android.app import app_files, network_security, package
from appwitness.devices.android.control import Control
from appwitness.devices.android.faults import DeviceFault, fault
from appwitness.devices.android.frida.injection import Entrance
from appwitness.devices.android.idle import Rest
from appwitness.devices.android.options import Wanted
from appwitness.devices.android.persona.on_device import OnDevice
from appwitness.devices.android.processes import Processes
from appwitness.devices.android.screen.dialogs import Plan
from appwitness.devices.android.screen.input import Ask, Explore, Play
from appwitness.devices.android.screen.uiautomator import Screens
from appwitness.devices.android.traffic import certificate_store
from appwitness.devices.android.watchdog import Upkeep
from appwitness.devices.android.witness.counters import Witnesses
from appwitness.devices.android.witness.endings import Endings, is_ours
from appwitness.events import AppIdentity, Change, DeviceIdentity, Gap, Value
from appwitness.support import private_files
from appwitness.support.errors import SetupError
from appwitness.support.spoken import Spoken

KEEP_S = 1.0
"""Interval at which ports, CA certificates and the location are checked and restored."""
BACK_S = 60.0
"""Time limit for an unplugged device to come back."""
RETRY_S = 5.0
"""Time limit for it to come back if it was waited for before."""


@contextmanager
def opened(
    wanted: Wanted,
    plan: Plan,
    home: Path,
    *,
    may: Callable[[str], bool] = lambda _: False,
    ask: Ask | None = None,
) -> Iterator[AndroidDevice]:
    """The wanted device, ready for a run. `may` asks the user for permission; `ask` asks which button to tap.

    Changes that an earlier run left are undone first, with the user's permission. Raises DeviceFault.
    """
    adb = discovery.choose(None if wanted.device == "any" else wanted.device)
    control = discovery.control(adb, home / "devices")
    discovery.booted(control.shell)
    with control.journal.held():
        if left := control.journal.open:
            what = "; ".join(entry.what for entry in left[-3:])
            if not may(f"An earlier run left changes on {adb.serial} ({len(left)}: {what}). Undo them now?"):
                raise fault("changes-left", serial=adb.serial, count=len(left))
            for error in discovery.take_back(control):
                raise error
        with AndroidDevice(control, wanted, plan, home, ask) as device:
            yield device


class AndroidDevice(Device, AbstractContextManager["AndroidDevice"]):
    """An Android device as `appwitness.devices.Device`. Leaving the context undoes whatever is not undone yet."""

    def __init__(self, control: Control, wanted: Wanted, plan: Plan, home: Path, ask: Ask | None = None) -> None:
        self._control = control
        self._wanted = wanted
        self._home = home
        self._screens: Screens | None = None
        self._since = control.journal.last
        self._user = _current_user(control) if wanted.user is None else wanted.user
        explore = Explore(wanted.explore, wanted.seed) if wanted.explore else None
        asked = ask if wanted.ask else None
        self._play = functools.partial(Play, plan=plan, user=self._user, ask=asked, explore=explore)
        self._app: package.Installed | None = None
        self._persona = OnDevice(control, self._user)
        self._entrance = Entrance(control, wanted, self._user, home / "frida", self.stop)
        self._route: traffic.TrafficRoute | None = None
        self._back_s = BACK_S
        """How long to wait for a device that is gone."""
        self._gave_up = False
        """Whether changes could not be undone, and the error says so."""
        self._gaps: list[Gap] = []
        self._internal: set[type[Exception]] = set()
        """Kinds of internal errors that have a gap already."""

    def __exit__(self, *_: object) -> None:
        try:
            if not self._gave_up and any(entry.number > self._since for entry in self._control.journal.open):
                self.undo()
        finally:
            self._control.shell.close()

    @property
    def identity(self) -> DeviceIdentity:
        """The device as run.json describes it."""
        facts = self._control.facts
        return DeviceIdentity(
            serial=self._control.shell.serial,
            model=facts.model,
            release=facts.release,
            api_level=facts.api or None,
            kind=facts.kind,
            facts=facts.described | self._entrance.described,
        )

    @property
    def app(self) -> AppIdentity:
        """The app as named by the user until it is installed; then as the device has it."""
        if self._app is not None:
            return self._app.identity.model_copy(update={"facts": self._app.facts()})
        return AppIdentity(package=self._package)

    @property
    def persona(self) -> tuple[Value, ...]:
        """The planted values, as the device returned them. If none were planted, and no hooks show what the app reads,
        the values found on the device."""
        return self._persona.values

    @property
    def persona_is(self) -> Literal["planted", "declared"] | None:
        """Whether its values were planted, or found on the device."""
        return self._persona.origin

    @property
    def hosts(self) -> Mapping[str, tuple[str, int]]:
        """The hosts that the user maps to other servers."""
        return self._wanted.hosts

    @property
    def upstream_ca(self) -> Path | None:
        """One file with the usual certificate authorities and the user's own; None if the user names none."""
        if self._wanted.upstream_ca is None:
            return None
        path = self._home / "upstream-ca.pem"
        private_files.write(path, Path(certifi.where()).read_bytes() + b"\n" + self._wanted.upstream_ca.read_bytes())
        return path

    def modes(self, listen: str) -> Mapping[str, tuple[str, str, str]]:
        """The modes that the device has a route for."""
        return traffic.modes(self._control, listen, gadget=self._entrance.choose(self._named or self._find().app))

    @property
    def sees_consent(self) -> bool:
        """Whether its screen is read."""
        return self._screens is not None

    @property
    def refused_s(self) -> float | None:
        """Seconds since the plan last refused a question; None: it refused none."""
        return self._screens.refused_s if self._screens is not None else None

    def facts(self) -> Mapping[str, Any]:
        """What was changed, for which user, how root was obtained, and whether the runtime and processor were tried
        before."""
        root = self._control.shell.rooted()
        device = self._control.facts
        return {
            "tried": tried(device.art, device.process_abi(self._app.app.abis if self._app else ())),
            "changes": self._changed(),
            "route": dict(self._route.describe()) if self._route else {},
            "user": self._user,
            "root": (root.flavour or root.way.split(" ")[0]) if root else None,
            "notes": tuple(self._control.notes),
            "requests": tuple(self._control.requests),
        }

    def install(self) -> None:
        """Install the app, or look up the installed one."""
        wakefulness.awake(self._control)
        if self._wanted.adb_root:
            discovery.become_root(self._control)
        if not self._wanted.apks:
            self._find()
            return
        with app_files.opened(*self._wanted.apks) as app:
            self._app = package.install(self._control, app, user=self._user, replace=self._wanted.clear_data)

    def prepare(
        self, proxy_host: str, proxy_port: int, ca_pem: Path, *, mode: str = "auto", wireguard: str = ""
    ) -> None:
        """Plant the persona, install the proxy's CA, and finally send the traffic to the proxy: a device whose proxy
        setting leads nowhere drops its Wi-Fi."""
        app = self._installed
        if not self._wanted.no_persona:
            self._persona.plant(self._wanted.persona)
        if self._control.shell.rooted():
            certificate_store.install(self._control, ca_pem)
        else:
            detail = "without root, apps trust the proxy only where they accept authorities that the user installed"
            self._gap("device", "authorities", detail)
        if app.code.damaged:
            detail = f"the app's network security configuration could not be read: {app.code.damaged}"
            self._gap("proxy", "authorities", detail)
        else:
            api = self._control.facts.api
            for host, expected in network_security.refusals(app.code.network_security, app.app.base, api):
                self._gap("proxy", host, expected)
        if unread := app.code.unread:
            names = ", ".join(unread[:3]) + (f" and {len(unread) - 3} more" if len(unread) > 3 else "")
            self._gap("device", "code", f"the code in {names} could not be read: whose SDKs are in it is not known")
        self._lead(mode, (proxy_host, proxy_port), wireguard or None)
        if not self._wanted.by_hand:
            self._rest_screens()

    def enter(self) -> None:
        """Start frida-server, or prepare a gadget."""
        self._entrance.open(self._installed)

    def do_without_hooks(self) -> None:
        """Undo what Frida changed, and reroute traffic that the agent was to redirect."""
        self._entrance.leave_out(self._installed)
        self._persona.find(self._installed.identity.package)
        if self._route is not None and self._route.way.kind == "redirect":
            self._lead("regular", self._route.proxy)
            self._upkeep.route = self._route

    def reset(self) -> None:
        """Make the next start like the first one, if the app's data may be cleared; and repair what a restart of the
        device's zygote removed."""
        app = self._installed
        if self._wanted.attach:
            return
        try:
            package.reset(self._control, app.identity.package, user=self._user, clear=self._wanted.clear_data)
        except DeviceFault as error:
            if error.code != "app-has-data":
                raise
            self.stop()
            detail = (
                "the app kept what it had stored before: it was not its first run, and what it asked then is not here"
            )
            self._gap("device", app.identity.package, detail)
        self._permit()
        self._upkeep.mend()

    def launch(self) -> Target:
        """The app for Frida to start; with `attach`, the running app."""
        if self._screens is not None:
            self._screens.anew()
        return self.attach() if self._wanted.attach else self._target

    def attach(self) -> Target:
        """The app's main process. Raises SetupError if it is not running."""
        pid = self._processes.main()
        if pid is None:
            raise fault("app-not-running", package=self._installed.identity.package, serial=self._control.shell.serial)
        return replace(self._target, argv=None, pid=pid, otherwise=lambda: pid)

    def running(self) -> bool:
        """Whether a process of the app is running."""
        return bool(self._processes())

    def ended(self, pid: int) -> Ended | None:
        """How a process ended, from exit-info or, before Android 11, from the event log."""
        app = self._installed
        with suppress(DeviceFault):
            found = Endings(self._control, app.identity.package, app.uid).of(pid)
            if found is not None:
                return Ended(found.reason, found.detail, is_ours(found))
        return None

    def restarted(self) -> Literal["device", "Android"] | None:
        """What has restarted since the run began: the device, or Android alone. Waits for a device that does not
        answer; None if it does not come back."""
        for _ in range(2):
            try:
                return self._control.restarted()
            except DeviceFault:
                self._until_back()
        return None

    @contextmanager
    def watching(self, lines: Records, silent_s: Callable[[], float]) -> Iterator[None]:
        """Reads the system's own counters before and after, acts as the user, and maintains the device's state."""
        app = self._installed
        witnesses = Witnesses(
            self._control,
            app.identity.package,
            app.uid,
            self._user,
            keep=lines.put_body,
            tell=lambda what: self._gap("device", "the system's own counts", what),
        )
        stop = threading.Event()

        def keep() -> None:
            while not stop.wait(KEEP_S):
                self._keep(witnesses, lines)

        try:
            witnesses.before()
        except DeviceFault as error:
            self._gap("device", "the system's own counts", error.what)
        self._show(lines, silent_s)
        self._persona.plant_clip(self._screens.clipboard if self._screens else None)
        keeper = threading.Thread(target=keep, name="keeper", daemon=True)
        keeper.start()
        try:
            yield
        finally:
            stop.set()
            keeper.join()
            try:
                if self._screens is not None:
                    self._screens.stop()
                lines.append_all(witnesses.after())
            except DeviceFault as error:
                self._gap("device", "the system's own counts", f"they could not be read at the end: {error.what}")
            self._hand_over(lines)

    def noticed(self) -> None:
        """Record what the screen shows at the moment of a finding."""
        if self._screens is not None:
            self._screens.shot("finding")

    def stop(self) -> None:
        """End the app."""
        if self._wanted.attach:
            return
        with suppress(DeviceFault):
            self._control.shell.user(
                f"am force-stop --user {self._user} {shlex.quote(self._installed.identity.package)}"
            )

    def undo(self) -> None:
        """Undo what this run changed, the latest change first; waits for a device that was unplugged."""
        if self._route is not None:
            self._route.stop()
        serial = self._control.shell.serial
        failed = self._take_back() and self._take_back()
        if failed:
            self._gave_up = True
            left = len(self._control.journal.open)
            raise SetupError(
                Spoken(
                    "{failed} changes on {serial} could not be undone. {what}", failed=left, serial=serial, what=failed
                )
                if left
                else failed,
                Spoken("Run `appwitness undo --device {serial}` when the device can be reached.", serial=serial),
            )

    def _until_back(self) -> None:
        """Wait until the device is there, the first time for BACK_S at most, later for RETRY_S."""
        wait_s, self._back_s = self._back_s, RETRY_S
        with suppress(DeviceFault):
            discovery.poll(lambda: connect(self._control.shell.serial), wait_s)

    def _take_back(self) -> str | None:
        """Undo the journal's open changes once the device is there; returns why one could not be undone, or None."""
        self._until_back()
        try:
            failed = discovery.take_back(self._control)
        except DeviceFault as error:
            failed = [error]
        return failed[0].what if failed else None

    def _keep(self, witnesses: Witnesses, lines: Records) -> None:
        """Maintain the device's state once, and record what the system has counted since."""
        try:
            self._upkeep.step()
            lines.append_all(witnesses.poll())
        except DeviceFault as error:  # the agent reports a device that is gone
            self._upkeep.reach(error)
        except Exception as error:
            if type(error) not in self._internal:
                self._internal.add(type(error))
                self._gap("device", "keeping it prepared", f"an internal error: {type(error).__name__}")
        finally:
            self._hand_over(lines)

    def _lead(self, mode: str, proxy: tuple[str, int], tunnel: str | None = None) -> None:
        """Send the app's traffic to the proxy, in one of the device's modes."""
        app = self._installed
        way = traffic.choose(self._control, mode, proxy[0], gadget=self._entrance.choose(app.app))
        self._route = traffic.TrafficRoute(
            self._control, way, proxy, app.uid, package=app.identity.package, tunnel=tunnel
        )
        self._route.start()

    @property
    def _target(self) -> Target:
        """The app to start, with the redirection of its connections."""
        redirects = self._route is not None and self._route.way.name == "redirect"
        redirect = self._route.at if redirects and self._route else None
        return replace(self._entrance.target, processes=self._processes, redirect=redirect)

    @functools.cached_property
    def _upkeep(self) -> Upkeep:
        """What maintains the device's state; available once everything is prepared."""
        assert self._route is not None
        return Upkeep(
            self._control,
            self._route,
            self._processes,
            self._persona.place,
            self._gap,
            keeps_screen_on=not self._wanted.by_hand,
        )

    @functools.cached_property
    def _named(self) -> app_files.App | None:
        """The app in the files that the user named; None: the app is already on the device."""
        if not self._wanted.apks:
            return None
        with app_files.opened(*self._wanted.apks) as app:
            return app

    def _find(self) -> package.Installed:
        """The app that is already on the device."""
        if self._app is None:
            self._app = package.identity(self._control, self._package, self._user)
        return self._app

    @property
    def _package(self) -> str:
        return self._named.base.package if self._named else str(self._wanted.package)

    @property
    def _installed(self) -> package.Installed:
        if self._app is None:
            raise AssertionError("the app is installed first")
        return self._app

    @property
    def _processes(self) -> Processes:
        app = self._installed
        return Processes(self._control.shell, app.identity.package, app.uid)

    def _gap(self, where: Literal["device", "proxy"], subject: str, detail: str) -> None:
        app = self._package if self._app is None else self._app.identity.package
        self._gaps.append(
            Gap(at=datetime.now(UTC), app=app, where=where, subject=subject, why="not_observed", detail=detail)
        )

    def _hand_over(self, lines: Records) -> None:
        """Record the gaps collected since the last call."""
        gaps, self._gaps = self._gaps, []
        if gaps:
            lines.append_all(gaps)

    def _rest_screens(self) -> None:
        """Switch animations off for the run, so that a screen is still when it is read."""
        try:
            package.without_animations(self._control)
        except DeviceFault as error:
            self._control.notes.append(Spoken("animations stay on: {what}", what=error.what))

    def _permit(self) -> None:
        """Before a start, grant and revoke the permissions that the operator chose; no user was asked about them."""
        name = self._installed.identity.package
        for permission in self._wanted.grant:
            package.grant(self._control, name, permission, self._user)
        for permission in self._wanted.revoke:
            package.revoke(self._control, name, permission, self._user)

    def _show(self, lines: Records, silent_s: Callable[[], float]) -> None:
        """Read the screen and act as the user, unless a person does so by hand."""
        if self._wanted.by_hand:
            return
        rests = Rest(self._control.shell, self._processes, silent_s)
        play = self._play(self._installed.identity.package, rests=rests, runs=self.running)
        self._screens = Screens(
            self._control, play, lambda event: lines.append_all((event,)), lines.put_body, film=self._wanted.video
        )
        try:
            self._screens.start()
        except DeviceFault as error:
            self._screens = None
            self._gap("device", "screen", f"nobody played the user, and no screen was kept: {error.what}")

    def _changed(self) -> tuple[Change, ...]:
        """The changes of this run, and when each was undone."""
        made = self._control.journal.made.values()
        return tuple(
            Change(at=datetime.fromisoformat(entry.at), what=entry.what, before=entry.before, undone=undone)
            for entry, undone in made
        )


def _current_user(control: Control) -> int:
    said = control.shell.user("am get-current-user").out.strip()
    return int(said) if said.isdigit() else 0
