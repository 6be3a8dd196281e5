"""Watches a device's screen and carries out a plan; the only module that imports uiautomator2.

uiautomator2's server (u2.jar) is started here and runs as adb's shell user; if it cannot, the shell's own
`uiautomator`, `input` and `screencap` are used. Not tried on Android: real hierarchies, manufacturers' dialogs,
protected windows.
"""

from __future__ import annotations

import base64
import random
import re
import shlex
import threading
import time
from collections.abc import Callable
from contextlib import suppress
from datetime import UTC, datetime
from http.client import HTTPException
from importlib.resources import files
from typing import Any, Literal

import uiautomator2
from uiautomator2 import exceptions

from appwitness.devices.android.adb import have_server
from appwitness.devices.android.app.package_dump import PackageDump
from appwitness.devices.android.control import Control
from appwitness.devices.android.faults import DeviceFault, fault
from appwitness.devices.android.persona import clipboard
from appwitness.devices.android.persona.content import ProviderRefused
from appwitness.devices.android.screen import video
from appwitness.devices.android.screen.dialog_player import Player
from appwitness.devices.android.screen.focus import focused
from appwitness.devices.android.screen.input import Hands, Permissions, Play
from appwitness.devices.android.shell import TMP
from appwitness.events import Event, Gap, Screen
from appwitness.support.spoken import Spoken

POLL_S = 0.15
"""Seconds between two looks at the screen."""
READY_S = 20.0
CALL_S = 10.0
IDLE_MS = 100
"""Longest wait, in milliseconds, for a busy screen to become idle before it is read."""
DEEPEST = 100
_LOST = (OSError, RuntimeError, HTTPException)
"""What a server that died or hangs raises, besides uiautomator2's own errors."""
MOST_FAULTS = 20
"""After this many failed looks in a row, the screen is no longer read."""
_SIZE = re.compile(r"(?:Override|Physical) size: (\d+)x(\d+)")
_KEPT = ("enabled_accessibility_services", "accessibility_enabled")
"""Settings that a UiAutomation may change: while it runs, the user's accessibility services are off."""
_START = """{stop}cd {folder}
CLASSPATH={folder}/u2.jar nohup sh -c 'echo $$ >server.pid; exec app_process / com.wetest.uia2.Main -p {port}' \
</dev/null >log 2>&1 &
"""
_STOP = """for f in {folder}/{name}.pid; do
  p=$(cat $f 2>/dev/null)
  if [ -n "$p" ] && grep -q -e com.wetest.uia2 -e {folder} /proc/$p/cmdline 2>/dev/null; then
    kill $p
    i=0
    while [ -d /proc/$p ] && [ $i -lt 20 ]; do sleep 0.1; i=$((i + 1)); done
    kill -9 $p 2>/dev/null
  fi
done
"""


class Screens:
    """The screen while an app is observed: after `start`, a separate thread carries out the plan until `stop`.

    `record` and `put_body` take lines and bytes for the recording, from any thread; `film`: whether to record video
    around findings. Changes to the device are in the control's journal.
    """

    def __init__(
        self,
        control: Control,
        play: Play,
        record: Callable[[Event], object],
        put_body: Callable[[bytes], str | None],
        *,
        film: bool = False,
    ) -> None:
        self._control = control
        self._play = play
        self._record = record
        self._put_body = put_body
        self._film = video.Film(control, record, put_body, play.app) if film else None
        self._player: Player | None = None
        self._hands: Hands | None = None
        self.stopping = threading.Event()
        """Ends the thread that watches the screen."""
        self._thread: threading.Thread | None = None

    def __enter__(self) -> Screens:
        self.start()
        return self

    def __exit__(self, *_: object) -> None:
        self.stop()

    @property
    def quiet(self) -> bool:
        """Whether nothing is left to answer or to explore, as far as can be seen."""
        return self._player is None or self._player.quiet

    @property
    def refused_s(self) -> float | None:
        """Seconds since a question was last refused; None: none was."""
        return self._player.refused_s if self._player else None

    def anew(self) -> None:
        """Note that the app is started again."""
        if self._player is not None:
            self._player.anew()

    def start(self) -> None:
        """Start whatever reads the screen, and begin with the plan. Raises DeviceFault if nothing can read the
        screen."""
        folder = f"{TMP}/.{self._control.run}-screens"
        self._hands = hands = _hands(self._control, folder, self._play.user)
        self._player = Player(hands, self._play, self._record, self._put_body, _display(self._control))
        if self._film is not None:
            self._film.start(folder)
        self._thread = threading.Thread(target=self._run, name="screens", daemon=True)
        self._thread.start()

    def stop(self) -> None:
        """Stop carrying out the plan; the journal's undo ends what runs on the device."""
        self.stopping.set()
        if self._thread is not None:
            self._thread.join(CALL_S)
        if self._film is not None:
            self._film.stop()

    def clipboard(self, text: str) -> str:
        """Put a text on the clipboard until undo; returns what it then holds. Raises ProviderRefused if that is
        impossible."""
        if not isinstance(self._hands, _ByServer):
            raise ProviderRefused("uiautomator2's server, which could, is not up")
        return self._hands.clipboard(text)

    def shot(self, why: Literal["finding", "operator"] = "finding", note: str | None = None) -> Screen | None:
        """Record what the screen shows now; None: no screen is read, or reading it fails, which a gap records."""
        if self._player is None:
            return None
        try:
            if self._film is not None and why == "finding":
                self._film.keep()
            return self._player.shot(why, note)
        except DeviceFault as error:
            self._gap(f"the screen could not be recorded: {error}")
            return None

    def _run(self) -> None:
        assert self._player is not None
        failed = 0
        while not self.stopping.wait(POLL_S * (1 + failed)):
            try:
                self._player.step()
                failed = 0
            except DeviceFault as error:
                back = self._control.returns(self.stopping)
                if self.stopping.is_set():
                    break
                failed += 1
                if error.code == "touches-refused" and self._player.plan != "free":
                    self._gap(f"the plan {self._player.plan} is not played: {error}")
                    self._player.look_on()
                if failed == MOST_FAULTS or not back:
                    self._gap(f"nobody sees the screen any more: {error}")
                    return
        with suppress(DeviceFault):
            self._player.end()

    def _gap(self, detail: str) -> None:
        now = datetime.now(UTC)
        self._record(
            Gap(at=now, app=self._play.app, where="device", subject="screen", why="not_observed", detail=detail)
        )


def _hands(control: Control, folder: str, user: int) -> Hands:
    """What reads and taps the screen of this device. Raises DeviceFault if nothing can."""
    control.change("a folder for the screen", f"mkdir -p {folder}", _undo(control, folder))
    try:
        return _ByServer(control, folder, user)
    except (exceptions.BaseException, OSError) as error:
        said = " ".join(str(error).split())[:300]
        if "already registered" in said:
            raise fault("screens-taken", serial=control.shell.serial, said=said) from None
        control.notes.append(
            Spoken(
                "uiautomator2 could not be started: {said}; the shell's is used instead",
                said=said or type(error).__name__,
            )
        )
    control.shell.user(_STOP.format(folder=folder, name="server"))  # a broken server still holds the screen
    by_shell = _ByShell(control, folder, user)
    by_shell.dump()
    return by_shell


def _undo(control: Control, folder: str) -> str:
    """Script that ends the server, removes its files, and restores the accessibility settings."""
    lines = [_STOP.format(folder=folder, name="*"), f"rm -rf {folder}"]
    for name in _KEPT:
        was = control.shell.check(f"settings get secure {name}").strip()
        back = f"delete secure {name}" if was == "null" else f"put secure {name} {shlex.quote(was)}"
        lines.append(f'[ "$(settings get secure {name})" = {shlex.quote(was)} ] || settings {back}')
    return "\n".join((*lines, "true"))


def _display(control: Control) -> tuple[int, int] | None:
    found = _SIZE.findall(control.shell.user("wm size").out)
    return (int(found[-1][0]), int(found[-1][1])) if found else None


class ShellHands:
    """The part of Hands that uses the shell, with or without uiautomator2's server."""

    def __init__(self, control: Control, folder: str, user: int = 0) -> None:
        self._control = control
        self._shell = control.shell
        self._folder = folder
        self._user = user

    def focus(self) -> tuple[str | None, str | None]:
        """Package and activity that have the input focus. Raises DeviceFault."""
        return focused(self._shell.user("dumpsys window | grep -E 'mCurrentFocus|mFocusedApp'").out)

    def permissions(self, app: str) -> Permissions:
        """An app's permissions, as the system has them; empty if it does not say. Raises DeviceFault."""
        said = self._shell.user(f"dumpsys package {shlex.quote(app)}").out
        return PackageDump.of(said, app).runtime(self._user) or {}

    def bring_back(self, app: str) -> None:
        """Bring an app to the front again. Raises DeviceFault."""
        self._shell.user(f"monkey -p {shlex.quote(app)} -c android.intent.category.LAUNCHER 1")

    def picture(self, *, fast: bool = False) -> bytes:
        """The screen as PNG. Raises DeviceFault."""
        file = f"{self._folder}/screen.png"
        self._shell.check(f"screencap -p {file}")
        return self._shell.adb.pull(file)


class _ByShell(ShellHands):
    """Reads and taps with Android's own commands: slower, and unable to read a screen that is never idle."""

    def dump(self) -> bytes:
        file = f"{self._folder}/window.xml"
        done = self._shell.user(f"rm -f {file}; uiautomator dump {file}")
        said = (done.err or done.out).strip()
        if "already registered" in said:
            raise fault("screens-taken", serial=self._shell.serial, said=said[:200])
        if not done.ok or "dumped to" not in done.out:
            raise fault("screens-unreadable", serial=self._shell.serial, said=said[:200] or "uiautomator says nothing")
        return self._shell.adb.pull(file)

    def tap(self, x: int, y: int) -> None:
        self._input(f"tap {x} {y}")

    def back(self) -> None:
        self._input("keyevent KEYCODE_BACK")

    def _input(self, what: str) -> None:
        done = self._shell.user(f"input {what}")
        if not done.ok or "INJECT_EVENTS" in done.err + done.out:
            said = (done.err or done.out).strip()
            raise fault(
                "touches-refused", serial=self._shell.serial, said=said[:200] or f"input ended with {done.code}"
            )


class _ByServer(ShellHands):
    """Reads and taps through uiautomator2's server, on its own port."""

    def __init__(self, control: Control, folder: str, user: int = 0) -> None:
        super().__init__(control, folder, user)
        control.shell.adb.push(files("uiautomator2").joinpath("assets/u2.jar").read_bytes(), f"{folder}/u2.jar")
        self._port = random.randint(20000, 60000)  # noqa: S311 any free port
        self._client = _Client(control, folder, self._port)
        self._broken = False
        """Whether the server broke off its last answer, or gave none."""

    def dump(self) -> bytes:
        # All windows: a consent bar in a window without input is not part of the active window.
        said = self._call("dumpWindowHierarchy", [False, DEEPEST, False])
        if not said:
            raise fault("screens-unreadable", serial=self._shell.serial, said=Spoken("an empty hierarchy"))
        return str(said).encode("utf-8", "replace")

    def tap(self, x: int, y: int) -> None:
        if self._call("click", [x, y]) is False:
            raise fault("touches-refused", serial=self._shell.serial, said=Spoken("click was not taken"))

    def back(self) -> None:
        self._call("pressKey", ["back"])

    def clipboard(self, text: str) -> str:
        return clipboard.plant(self._control, self._call, self._folder, self._port, text)

    def picture(self, *, fast: bool = False) -> bytes:
        said = self._call("takeScreenshot", [1, 80]) if fast else None
        return base64.b64decode(said) if said else super().picture()

    def _call(self, method: str, params: list[Any]) -> Any:
        try:
            if self._broken:
                self._client.start_anew()
                self._broken = False
            return self._client.jsonrpc_call(method, params, CALL_S)
        except exceptions.BaseException as error:
            said = " ".join(str(error).split())[:200]
            code = "touches-refused" if "INJECT_EVENTS" in said else "screens-unreadable"
            raise fault(code, serial=self._shell.serial, said=said) from None
        except (*_LOST, ValueError) as error:
            self._broken = True
            raise fault("screens-unreadable", serial=self._shell.serial, said=str(error)[:200]) from None


class _Client(uiautomator2.Device):  # type: ignore[misc]
    """uiautomator2's client for a server that is started and ended here, in a folder and on a port of this run."""

    def __init__(self, control: Control, folder: str, port: int) -> None:
        self._control = control
        self._folder = folder
        self._starting = False
        super().__init__(_BoundedDevice(control.shell.adb.device), port=port)

    def _wait_for_device(self, timeout: float = 10) -> Any:
        return self._BaseClient__serial

    def start_uiautomator(self) -> None:
        """Start the server unless it answers. Raises LaunchUiAutomationError with the server's output."""
        if not self._check_alive():
            self.start_anew()

    def start_anew(self) -> None:
        """End the server, which may hang, and start another. Raises LaunchUiAutomationError with its output."""
        if self._starting:
            raise exceptions.LaunchUiAutomationError("it ended soon after it was started")
        self._starting = True
        try:
            self._start()
            configuration = self.jsonrpc_call("getConfigurator", [], CALL_S)
            with suppress(exceptions.BaseException):
                self.jsonrpc_call("setConfigurator", [{**(configuration or {}), "waitForIdleTimeout": IDLE_MS}], CALL_S)
        finally:
            self._starting = False

    def _check_alive(self) -> bool:
        with suppress(*_LOST):
            return bool(super()._check_alive())
        return False

    def _start(self) -> None:
        stop = _STOP.format(folder=self._folder, name="server")
        self._control.shell.check(_START.format(stop=stop, folder=self._folder, port=self._device_server_port))
        end = time.monotonic() + READY_S
        while time.monotonic() < end:
            if self._check_alive():
                return
            running = self._control.shell.user(
                f"[ -d /proc/$(cat {self._folder}/server.pid 2>/dev/null || echo none) ]"
            )
            if not running.ok:
                time.sleep(0.1)
                log = self._control.shell.user(f"cat {self._folder}/log").out
                if log or time.monotonic() > end - READY_S + 3:
                    raise exceptions.LaunchUiAutomationError(log[-500:] or "it ended at once and said nothing")
            time.sleep(0.05)
        raise exceptions.LaunchUiAutomationError(f"it did not answer within {READY_S:.0f} seconds")

    def stop_uiautomator(self, wait: bool = True) -> None:
        """Does nothing: the journal's undo ends the server."""


class _BoundedDevice:
    """An adbutils device whose connections have a timeout."""

    def __init__(self, device: Any) -> None:
        self._device = device

    def __getattr__(self, name: str) -> Any:
        return getattr(self._device, name)

    def create_connection(self, *address: Any) -> Any:
        try:
            have_server()
            connection = self._device.create_connection(*address)
        except (OSError, ValueError) as error:
            raise ConnectionError(str(error)) from error
        connection.settimeout(CALL_S)
        return connection
