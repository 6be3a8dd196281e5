"""How Frida enters the app: by a gadget in its package, by frida-server, by a gadget that it injects, or not at all."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path

from monitor.observe.android import gadget, package, server
from monitor.observe.android.app_files import App
from monitor.observe.android.control import Control
from monitor.observe.android.processes import start_app
from monitor.observe.android.wanted import Wanted
from monitor.observe.device import Gadget
from monitor.observe.frida_device import FridaDevice, faults


@dataclass(frozen=True)
class AndroidTarget:
    """The app as Frida is to start it, or as the device does where Frida cannot."""

    argv: tuple[str, ...] | None = None
    pid: int | None = None
    remote: tuple[str, str | None] | None = None
    user: int | None = None
    activity: str | None = None
    otherwise: Callable[[], int] | None = None
    processes: Callable[[], Mapping[int, str]] | None = None
    redirect: tuple[str, int] | None = None
    gadget: Gadget | None = None
    frida_device: str = "remote"
    env: Mapping[str, str] = field(default_factory=dict)
    cwd: str | None = None


class Entrance:
    """Of one run: `choose` before anything is changed, `open` once the app is there, then `target` for each start."""

    def __init__(self, control: Control, wanted: Wanted, user: int, cache: Path) -> None:
        """`cache`: where builds of Frida are kept."""
        self._control = control
        self._wanted = wanted
        self._user = user
        self._cache = cache
        self._way: gadget.Way | str | None = None
        self._ready: server.Running | gadget.Ready | None = None
        self.unhooked: str | None = None
        """Why there are no hooks, once it is open."""

    def choose(self, app: App) -> bool:
        """Whether Frida's gadget brings the agent into the app, as far as the app's files tell."""
        if self._way is None:
            why = None
            if self._control.shell.rooted():
                why = "there is frida-server"
            elif self._wanted.attach or self._user:
                why = "Frida's gadget comes into an app only as it is started, and for the device's first user"
            self._way = gadget.way(self._control, app, self._wanted.frida_gadget, self._cache, by_debugger=why)
        return isinstance(self._way, gadget.Way)

    def open(self, app: package.Installed, end: Callable[[], object]) -> None:
        """Bring up what the app is entered by; `end` ends the app. Raises DeviceFault, FridaFault."""
        self._app = app
        self.choose(app.app)
        if isinstance(self._way, gadget.Way):
            name = app.identity.package
            self._ready = gadget.ready(self._control, self._way, name, self._cache, self._start, end)
        elif self._control.shell.rooted():
            given, allowed = self._wanted.frida_server, self._wanted.allow
            self._ready = server.start(self._control, given, cache=self._cache, allowed=allowed)
        else:
            self.unhooked = f"the device gives no root, and {self._way}"

    @property
    def described(self) -> dict[str, str]:
        """For run.json."""
        return self._ready.described if self._ready else {}

    @property
    def target(self) -> AndroidTarget:
        """The app to start."""
        return AndroidTarget(
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
        return self._ready.gadget if isinstance(self._ready, gadget.Ready) else None

    @property
    def _activity(self) -> str | None:
        return self._wanted.activity or self._app.launcher

    def _start(self) -> int:
        return start_app(self._control.shell, self._app.identity.package, self._user, self._activity)

    def _start_unhooked(self) -> int:
        """Start the app without hooks; a gadget in its package lets it run."""
        pid = self._start()
        if self._gadget is not None and self._gadget.start is not None:
            with faults("The gadget in the app's package did not let it run", lambda error: error):
                FridaDevice.reach(self.target).let_run()
        return pid
