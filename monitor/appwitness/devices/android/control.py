"""What every part that changes a device needs: a shell, the device's facts, and the journal of changes."""

from __future__ import annotations

import shlex
import socket
import threading
import time
from contextlib import suppress
from dataclasses import dataclass, field
from typing import Literal

from appwitness.agent.timeouts import AWAY_S
from appwitness.devices.android import adb
from appwitness.devices.android.device_facts import BOOT, SYSTEM_SERVER, UNKNOWN_BOOT, DeviceFacts, boot_of
from appwitness.devices.android.faults import DeviceFault, fault
from appwitness.devices.android.journal import Journal, Undo
from appwitness.devices.android.shell import Shell
from appwitness.events import OwnRequest
from appwitness.support.spoken import Spoken


@dataclass
class Control:
    """Control of one device during one run."""

    shell: Shell
    facts: DeviceFacts
    journal: Journal
    run: str
    """Eight hex digits that identify this run; they mark whatever is put on the device."""
    notes: list[str] = field(default_factory=list)
    """Notes on the device's preparation, for run.json."""
    requests: list[OwnRequest] = field(default_factory=list)
    """Network requests made by appwitness itself, for run.json."""
    forwards: dict[int, str] = field(default_factory=dict)
    """Ports of this machine that are forwarded to the device; they are restored after the cable was unplugged."""

    def __post_init__(self) -> None:
        self.journal.connected = self.shell.serial

    def change(
        self, what: str, do: str, undo: str, *, root: bool = False, was: str | None = None, lost_by_reboot: bool = False
    ) -> str:
        """Make one change by a script, after recording it in the journal; returns the script's output. Raises
        DeviceFault."""
        self.journal.before(what, Undo("root" if root else "user", undo, lost_by_reboot), was)
        return self.shell.check(do, root=root)

    def put(self, space: str, name: str, value: str, *, restore: str | None = None) -> None:
        """Change one of Android's settings (`global`, `secure`, `system`); undo restores the old value.

        `restore`: what undo writes if the setting was absent, instead of deleting it. The new value is verified by
        reading it back.
        """
        was = self.shell.check(f"settings get {space} {name}").strip()
        key = f"{space} {name}"
        if was != "null":
            undo = f"settings put {key} {shlex.quote(was)}"
        elif restore is not None:
            undo = f"settings put {key} {shlex.quote(restore)}"
        else:
            undo = f"settings delete {key}"
        entry = self.journal.before(f"set {key}", Undo("user", undo), None if was == "null" else was)
        done = self.shell.user(f"settings put {key} {shlex.quote(value)}")
        now = self.shell.check(f"settings get {key}").strip()
        if now == was and now != value:
            self.journal.undone(entry)  # undo would be refused too
        if now != value:
            said = "" if done.ok else f" ({(done.err or done.out).strip()[:200]})"
            raise fault("setting-refused", serial=self.shell.serial, name=key, value=value, now=f"{now}{said}")

    def try_put(self, space: str, name: str, value: str) -> None:
        """Like `put`, for a change that a run can do without: a refusal is only noted."""
        try:
            self.put(space, name, value)
        except DeviceFault as error:
            if error.code != "setting-refused":
                raise
            self.notes.append(Spoken("{what}: the run went on without", what=error.what.rstrip(".")))

    def forward(self, remote: str) -> str:
        """Forward a port to `remote` on the device and return its address, HOST:PORT; undo closes it."""
        with socket.create_server(("127.0.0.1", 0)) as free:
            port: int = free.getsockname()[1]
        self.journal.before(f"forward tcp:{port} to {remote}", Undo("adb", f"unforward {port}", lost_by_reboot=True))
        self.shell.adb.forward(port, remote)
        self.forwards[port] = remote
        return f"{adb.server()[0]}:{port}"

    def renew(self) -> None:
        """Restore forwarded ports that are gone. Raises DeviceFault."""
        if self.forwards:
            there = self.shell.adb.forwarded()
            for port, remote in self.forwards.items():
                if port not in there:
                    self.shell.adb.forward(port, remote)

    def reverse(self, port: int, here: int) -> None:
        """Forward `port` on the device's loopback to `here` on this machine; undo closes it.

        Raises DeviceFault `adb-server-elsewhere` if the port would lead to another machine, where the adb server runs.
        """
        if not adb.is_here():
            raise fault("adb-server-elsewhere", server="{}:{}".format(*adb.server()))
        self.journal.before(f"reverse tcp:{port}", Undo("adb", f"unreverse {port}", lost_by_reboot=True))
        self.shell.adb.reverse(port, here)

    def returns(self, stop: threading.Event) -> bool:
        """Wait for a lost device; whether it is there, or False if `stop` was set meanwhile."""
        end = time.monotonic() + AWAY_S
        while time.monotonic() < end:
            with suppress(DeviceFault):
                if self.shell.adb.there():
                    return True
            if stop.wait(1):
                break
        return False

    def restarted(self) -> Literal["device", "Android"] | None:
        """What has restarted since the run began: the device, which the journal is told, or Android alone. Raises
        DeviceFault."""
        boot = boot_of(self.shell.user(BOOT).out)
        if boot == UNKNOWN_BOOT:
            return None
        if boot != self.journal.boot:
            self.journal.boot = boot
            self.shell.forget_root()
        if boot != self.facts.boot:
            return "device"
        known = self.facts.system_server
        return "Android" if known and self.shell.user(SYSTEM_SERVER).out.strip() != known else None

    def take_back(self, undo: Undo) -> None:
        """Undo one change of the journal. Raises DeviceFault."""
        if undo.by != "adb":
            self.shell.check(undo.script, root=undo.by == "root")
            return
        match undo.script.split():
            case ["unforward", port]:
                self.forwards.pop(int(port), None)
                self.shell.adb.unforward(int(port))
            case ["unreverse", port]:
                self.shell.adb.unreverse(int(port))
            case ["unroot"]:
                self.shell.adb.service("unroot")
                self.shell.forget_root()
            case _:
                raise fault("journal-unreadable", path=self.journal.path, said=undo.script)
