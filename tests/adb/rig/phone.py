"""A stand-in device: Debian's real adbd in namespaces of its own, with commands that behave as Android's of a version.

What is real: the adb protocol, the shell and its quoting, mounts and mount namespaces, processes and users, ports,
signals. What is played: Android's commands (userland/), zygote, and `su`. Needs root on Linux, `unshare` and `adbd`.
"""

from __future__ import annotations

import contextlib
import json
import os
import select
import shutil
import signal
import socket
import subprocess
import sys
import threading
import time
from pathlib import Path
from typing import Any, Self

HERE = Path(__file__).parent
RELEASES = {24: "7.0", 29: "10", 31: "12", 33: "13", 34: "14", 36: "16"}
MISSING = [
    name
    for name in ("adbd", "unshare", "ip", "setpriv")
    if not shutil.which(name, path=os.environ["PATH"] + ":/usr/sbin")
]
UNAVAILABLE = (
    f"the stand-in device needs {', '.join(MISSING)} (apt-get install adbd iproute2)"
    if MISSING
    else ""
    if os.geteuid() == 0
    else "the stand-in device needs root, for its namespaces"
)
"""Why it cannot run here; empty when it can."""
ADBD_PORT = 5555
AUTHORITY = "-----BEGIN CERTIFICATE-----\nMIIBszCCAVmgAwIBAgIUStandInAuthority\n-----END CERTIFICATE-----\n"


class Phone:
    """One stand-in device while the context lasts; `serial` is what adb calls it once connected.

    `su`: see userland/cmd_su.py, "" for none. `state`: what differs from the usual.
    """

    def __init__(
        self,
        folder: Path,
        *,
        api: int = 34,
        su: str = "magisk",
        emulator: bool = False,
        without: tuple[str, ...] = (),
        state: dict[str, Any] | None = None,
    ) -> None:
        self.folder = folder
        self._config: dict[str, Any] = {
            "folder": str(folder),
            "port": ADBD_PORT,
            "keep": [str(HERE.parents[2]), str(Path(sys.prefix)), str(Path(sys.base_prefix))],
            "without": without if su else (*without, "su"),
            "authorities": {"00673b5b.0": AUTHORITY, "0a775a30.0": AUTHORITY},
            "state": {**usual(api, emulator), "su": su, **(state or {})},
        }
        self.port = 0
        self._relay: Relay | None = None

    @property
    def serial(self) -> str:
        return f"127.0.0.1:{self.port}"

    def __enter__(self) -> Self:
        self.folder.mkdir(parents=True, exist_ok=True)
        config = self.folder / "config.json"
        config.write_text(json.dumps(self._config))
        self._log = (self.folder / "boot.log").open("wb")
        self._process = subprocess.Popen(
            [
                "unshare",
                "--mount",
                "--net",
                "--pid",
                "--fork",
                "--kill-child",
                sys.executable,
                HERE / "boot.py",
                config,
            ],
            stdout=self._log,
            stderr=self._log,
            start_new_session=True,
        )
        try:
            self.init = self._init()
            self.root = Path(f"/proc/{self.init}/root")
            self.until((self.root / "data/rig/booted").exists, "it did not boot")
            self._relay = Relay(self.init, ADBD_PORT)
            self.port = self._relay.port
            self.until(self._answers, "its adbd does not listen")
            self.until(lambda: self._named("system_server"), "its services do not come up")
        except BaseException:
            self.__exit__()
            raise
        return self

    def __exit__(self, *_: object) -> None:
        if self._relay is not None:
            self._relay.close()
        with contextlib.suppress(ProcessLookupError):
            self._process.send_signal(signal.SIGKILL)
        self._process.wait()
        self._log.close()

    def read(self) -> dict[str, Any]:
        """What the device remembers now."""
        state: dict[str, Any] = json.loads((self.root / "data/rig/state.json").read_text())
        return state

    def write(self, **changes: Any) -> None:
        """Make it remember something else."""
        path = self.root / "data/rig/state.json"
        path.write_text(json.dumps({**json.loads(path.read_text()), **changes}))

    def asked_for_root(self) -> list[dict[str, Any]]:
        """Each call of `su` so far: when, and with which words."""
        with contextlib.suppress(FileNotFoundError):
            return [json.loads(line) for line in (self.root / "data/rig/su.log").read_text().splitlines()]
        return []

    def processes(self) -> dict[int, str]:
        """Its processes by the number that this machine knows them by, and their command lines."""
        space = (Path("/proc") / str(self.init) / "ns/pid").readlink()
        found = {}
        for each in Path("/proc").iterdir():
            with contextlib.suppress(OSError):
                if each.name.isdigit() and (each / "ns/pid").readlink() == space:
                    found[int(each.name)] = (each / "cmdline").read_bytes().replace(b"\0", b" ").decode().strip()
        return {pid: line for pid, line in found.items() if line}  # a process that has ended has none

    def abstract(self, name: str) -> socket.socket:
        """A connection to one of its sockets that have a name and no file."""
        assert self._relay is not None
        return self._relay.inside(f"\0{name}")

    def unplug(self) -> None:
        """Cut the cable."""
        assert self._relay is not None
        self._relay.open = False

    def plug(self) -> None:
        """Put it back."""
        assert self._relay is not None
        self._relay.open = True

    def reboot(self) -> None:
        """Restart it: adb loses it for a while, and all processes and mounts that came since are gone."""
        self.unplug()
        os.kill(self.init, signal.SIGUSR1)
        self.until(lambda: not self._named("zygote64"), "it does not shut down")
        self.until(lambda: self._named("system_server"), "it does not come up again")
        self.until(self._answers, "its adbd does not listen")
        self.plug()

    def restart_android(self, down_s: float = 3) -> None:
        """Crash its zygote: all apps and services end and are started again, while adbd and the kernel run on."""
        starting = self.root / "data/rig/starting"
        starting.touch()
        first = self._named("zygote64", "system_server")
        for pid in (*first, *self._apps()):
            with contextlib.suppress(ProcessLookupError):
                os.kill(pid, signal.SIGKILL)
        self.until(lambda: self._named("system_server") - first, "its services do not come up again")
        time.sleep(down_s)
        starting.unlink()

    def _init(self) -> int:
        children = Path(f"/proc/{self._process.pid}/task/{self._process.pid}/children")
        self.until(lambda: children.read_text().strip(), "it has no first process")
        return int(children.read_text().split()[0])

    def _answers(self) -> bool:
        assert self._relay is not None
        with contextlib.suppress(OSError):
            self._relay.inside().close()
            return True
        return False

    def _named(self, *names: str) -> set[int]:
        """Its processes that go by one of these names."""
        return {pid for pid, line in self.processes().items() if line.startswith(tuple(f"{name} " for name in names))}

    def _apps(self) -> list[int]:
        """Processes of apps, and programs that the shell user runs by app_process."""
        found = []
        for pid, line in self.processes().items():
            with contextlib.suppress(FileNotFoundError):
                if Path(f"/proc/{pid}").stat().st_uid >= 10_000 or "com.wetest.uia2.Main" in line:
                    found.append(pid)
        return found

    def until(self, true: Any, otherwise: str, timeout_s: float = 20) -> None:
        end = time.monotonic() + timeout_s
        while not true():
            if self._process.poll() is not None or time.monotonic() > end:
                raise RuntimeError(f"{otherwise}: {(self.folder / 'boot.log').read_text()[-2000:]}")
            time.sleep(0.01)


class Relay:
    """A port of loopback that leads to a port in another network namespace: the cable."""

    def __init__(self, pid: int, port: int) -> None:
        self._namespace = os.open(f"/proc/{pid}/ns/net", os.O_RDONLY)
        self._own = os.open("/proc/thread-self/ns/net", os.O_RDONLY)
        self._port = port
        self._server = socket.create_server(("127.0.0.1", 0))
        self.port: int = self._server.getsockname()[1]
        self._open = True
        self._connections: set[socket.socket] = set()
        threading.Thread(target=self._serve, daemon=True).start()

    @property
    def open(self) -> bool:
        return self._open

    @open.setter
    def open(self, value: bool) -> None:
        self._open = value
        if not value:
            self._cut()

    def inside(self, name: str = "") -> socket.socket:
        """A connection to that port, or to a socket of that name; only the calling thread enters the namespace, and
        leaves it again."""
        os.setns(self._namespace, os.CLONE_NEWNET)
        try:
            if name:
                named = socket.socket(socket.AF_UNIX)
                named.connect(name)
                return named
            return socket.create_connection(("127.0.0.1", self._port), timeout=5)
        finally:
            os.setns(self._own, os.CLONE_NEWNET)

    def close(self) -> None:
        self._open = False
        self._server.close()
        self._cut()

    def _cut(self) -> None:
        for connection in list(self._connections):
            with contextlib.suppress(OSError):
                connection.shutdown(socket.SHUT_RDWR)

    def _serve(self) -> None:
        while True:
            try:
                outer, _ = self._server.accept()
            except OSError:
                return
            threading.Thread(target=self._pass, args=(outer,), daemon=True).start()

    def _pass(self, outer: socket.socket) -> None:
        with contextlib.suppress(OSError), outer:
            if not self._open:
                return
            with self.inside() as inner:
                inner.settimeout(None)
                pair = {outer, inner}
                for end in pair:
                    end.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
                self._connections |= pair
                try:
                    while True:
                        for ready in select.select([outer, inner], [], [])[0]:
                            data = ready.recv(1 << 16)
                            if not data:
                                return
                            (inner if ready is outer else outer).sendall(data)
                finally:
                    self._connections -= pair


def usual(api: int, emulator: bool) -> dict[str, Any]:
    """What a device of this version remembers when it is switched on for the first time."""
    release = RELEASES[api]
    return {
        "api": api,
        "properties": {
            "sys.boot_completed": "1",
            "dev.bootcomplete": "1",
            "init.svc.bootanim": "stopped",
            "sys.user.0.ce_available": "true",
            "ro.serialno": "EMULATOR34X1" if emulator else "R58M12ABCDE",
            "ro.build.version.release": release,
            "ro.build.version.sdk": str(api),
            "ro.build.version.security_patch": "2026-05-05",
            "ro.build.fingerprint": f"google/stand_in/stand_in:{release}/UP1A.231005.007/1:userdebug/dev-keys",
            "ro.build.type": "userdebug" if emulator else "user",
            "ro.debuggable": "1" if emulator else "0",
            "ro.product.manufacturer": "Google",
            "ro.product.model": "sdk_gphone64_x86_64" if emulator else "Pixel 6",
            "ro.product.cpu.abi": "x86_64",
            "ro.product.cpu.abilist": "x86_64",
            "ro.product.cpu.abilist64": "x86_64",
            "ro.zygote": "zygote64",
            "ro.boot.verifiedbootstate": "orange",
            **({"ro.kernel.qemu": "1", "ro.boot.qemu": "1", "ro.hardware": "ranchu"} if emulator else {}),
            "persist.sys.locale": "en-US",
            "persist.sys.timezone": "Europe/Berlin",
        },
        "settings": {"global": {"adb_enabled": "1"}, "secure": {}, "system": {}},
        "packages": {},
        "backups": True,
    }
