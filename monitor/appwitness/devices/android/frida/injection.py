"""Chooses how Frida enters the app: a gadget in its package, frida-server, an injected gadget, or not at all."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

from appwitness.agent.frida_device import FridaDevice, faults
from appwitness.agent.target import Gadget, Target
from appwitness.devices.android.app import package
from appwitness.devices.android.app.app_files import App
from appwitness.devices.android.control import Control
from appwitness.devices.android.faults import DeviceFault
from appwitness.devices.android.frida import frida_server, gadget
from appwitness.devices.android.options import Wanted
from appwitness.devices.android.processes import start_app
from appwitness.support.errors import Unhookable
from appwitness.support.spoken import Spoken

IMPOSSIBLE = (
    "app-not-debuggable",
    "frida-server-no-build",
    "frida-server-not-run",
    "frida-server-died",
    "frida-server-silent",
    "frida-server-no-rights",
)
"""Faults of the device that nothing on this computer or its network can fix."""


class Entrance:
    """How Frida enters the app in one run: call `choose` before any change, `open` or `leave_out` once the app is
    installed, then `target` for each start."""

    def __init__(self, control: Control, wanted: Wanted, user: int, cache: Path, end: Callable[[], object]) -> None:
        """`cache`: folder for builds of Frida; `end` ends the app."""
        self._control = control
        self._wanted = wanted
        self._user = user
        self._cache = cache
        self._end = end
        self._way: gadget.GadgetWay | str | None = None
        self._ready: frida_server.Running | gadget.ReadyGadget | None = None
        self._changes = range(0)
        """Numbers of the journal entries that `open` made."""

    def choose(self, app: App) -> bool:
        """Whether Frida's gadget loads the agent into the app, judging by the app's files."""
        if self._way is None:
            why = None
            if self._control.shell.rooted():
                why = "there is frida-server"
            elif self._wanted.attach or self._user:
                why = "Frida's gadget comes into an app only as it is started, and for the device's first user"
            self._way = gadget.way(self._control, app, self._wanted.frida_gadget, self._cache, by_debugger=why)
        return isinstance(self._way, gadget.GadgetWay)

    def open(self, app: package.Installed) -> None:
        """Start whatever injects the agent into the app. Raises Unhookable, or DeviceFault for something missing on
        this computer."""
        self._app = app
        began = self._control.journal.last + 1
        try:
            if self.choose(app.app):
                self._ready = self._by_gadget()
            elif self._control.shell.rooted():
                given, allowed = self._wanted.frida_server, self._wanted.allow
                self._ready = frida_server.start(self._control, given, cache=self._cache, allowed=allowed)
            else:
                raise Unhookable(
                    Spoken("The device does not grant root, and {way}.", way=self._way),
                    "Use a device with root, or a debuggable build of the app.",
                )
        except DeviceFault as error:
            if error.code not in IMPOSSIBLE:
                raise
            raise Unhookable(error.what, error.next_step) from error
        finally:
            self._changes = range(began, self._control.journal.last + 1)

    def leave_out(self, app: package.Installed) -> None:
        """Continue without hooks: undo what `open` changed. A gadget in the app's package is still needed to let the
        app run."""
        self._app = app
        if self.choose(app.app) and isinstance(self._way, gadget.GadgetWay) and self._way.config is not None:
            self._ready = self._ready or self._by_gadget()
            return
        self._ready = None
        self._control.journal.undo_all(self._control.take_back, only=self._changes)

    def _by_gadget(self) -> gadget.ReadyGadget:
        assert isinstance(self._way, gadget.GadgetWay)
        name = self._app.identity.package
        return gadget.ready(self._control, self._way, name, self._cache, self._start, self._end)

    @property
    def described(self) -> dict[str, str]:
        """Facts for run.json."""
        return self._ready.described if self._ready else {}

    @property
    def target(self) -> Target:
        """The target for starting the app."""
        return Target(
            argv=(self._app.identity.package,),
            remote=self._ready.remote if self._ready else None,
            user=self._user,
            activity=self._activity,
            otherwise=self._start_unhooked,
            gadget=self._gadget,
            frida_device=self._control.shell.serial,
        )

    @property
    def _gadget(self) -> Gadget | None:
        return self._ready.gadget if isinstance(self._ready, gadget.ReadyGadget) else None

    @property
    def _activity(self) -> str | None:
        return self._wanted.activity or self._app.launcher

    def _start(self) -> int:
        return start_app(self._control.shell, self._app.identity.package, self._user, self._activity)

    def _start_unhooked(self) -> int:
        """Start the app without hooks; a gadget in its package is told to let it run."""
        pid = self._start()
        if self._gadget is not None and self._gadget.start is not None and self._gadget.waits:
            with faults("The gadget in the app's package did not let it run", lambda error: error):
                FridaDevice.reach(self.target).let_run()
        return pid
