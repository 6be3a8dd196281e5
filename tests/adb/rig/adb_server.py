"""An adb server of our own before the real one: plays states, services and old versions that Debian's adbd has not.

It speaks the host protocol of adb 1.0.41 (requests of four hex digits and a text, OKAY or FAIL), says what the real
server says in each state, and passes all else on to the real server, so that adbutils and adb go through it.
"""

from __future__ import annotations

import contextlib
import os
import select
import signal
import socket
import threading
from pathlib import Path
from typing import Self

from tests.adb.rig.phone import Phone

VERSION = "0029"
REFUSALS = {
    "offline": "device offline",
    "unauthorized": "device unauthorized.\nThis adb server's $ADB_VENDOR_KEYS is not set\n"
    "Try 'adb kill-server' if that seems wrong.\nOtherwise check for a confirmation dialog on your device.",
    "authorizing": "device still authorizing",
    "connecting": "device still connecting",
    "no permissions": "insufficient permissions for device: user in plugdev group; are your udev rules wrong?\n"
    "See [http://developer.android.com/tools/device.html] for more information",
}
"""What the real server answers when such a device is asked for something (adb/transport.cpp)."""
NO_PERMISSIONS = (
    "no permissions (user in plugdev group; are your udev rules wrong?); see "
    "[http://developer.android.com/tools/device.html]"
)


class AdbServer:
    """Listens on `port` while the context lasts. `real` is the port of the server behind."""

    def __init__(self, real: int) -> None:
        self.played: dict[str, str] = {}
        """Serial -> state, of devices that only this server knows."""
        self.named: dict[str, str] = {}
        """Serial -> what the real server calls the device: a cable, or a console, that leads to a stand-in phone."""
        self.hidden: set[str] = set()
        """Serials of the real server that are not shown."""
        self.reachable: dict[str, str] = {}
        """Address on the network -> what the real server calls the device that is there."""
        self.announced: list[tuple[str, str, str]] = []
        """Name, kind and address of each device that announces itself."""
        self.pairing: dict[str, str] = {}
        """Address where a phone shows a code -> the code."""
        self.paired: list[str] = []
        self.phones: dict[str, Phone] = {}
        """What the real server calls a device -> the phone whose adbd takes `root:`, `unroot:`, and debuggers."""
        self.old: set[str] = set()
        """Serials of the real server whose adbd has no shell protocol v2, and a terminal's line ends."""
        self.stuck: set[str] = set()
        """Serials whose shell never answers."""
        self.refused: dict[str, str] = {}
        """Serial -> what its adbd says to whatever is asked of it."""
        self._real = real
        self._server = socket.create_server(("127.0.0.1", 0))
        self.port: int = self._server.getsockname()[1]

    def __enter__(self) -> Self:
        threading.Thread(target=self._serve, daemon=True).start()
        return self

    def __exit__(self, *_: object) -> None:
        self._server.close()

    def _serve(self) -> None:
        while True:
            try:
                client, _ = self._server.accept()
            except OSError:
                return
            threading.Thread(target=self._answer, args=(client,), daemon=True).start()

    def _answer(self, client: socket.socket) -> None:
        with client, contextlib.suppress(OSError, EOFError):
            request = _request(client)
            if request.startswith("host:tport:serial:"):
                self._transport(client, request.removeprefix("host:tport:serial:"))
            elif request.startswith("host:transport:") and request[15:] in self.phones:
                self._debugged(client, request)
            elif request.startswith("host-serial:"):
                self._of_one(client, request)
            elif (text := self._of_all(request)) is not None:
                client.sendall(b"OKAY" + _block(text))
            elif request.startswith("host:pair:"):
                self._pair(client, request)
            else:
                self._pass(client, request)

    def _of_all(self, request: str) -> str | None:
        """What this server answers itself; None: the real one does."""
        match request.split(":", 2):
            case ["host", "version"]:
                return VERSION
            case ["host", "devices"]:
                lines = [line for line in self._asked(request).splitlines() if line.split("\t")[0] not in self.hidden]
                lines += [f"{serial}\t{self._state(real)}" for serial, real in self.named.items()]
                lines += [
                    f"{serial}\t{NO_PERMISSIONS if state == 'no permissions' else state}"
                    for serial, state in self.played.items()
                ]
                return "".join(f"{line}\n" for line in lines)
            case ["host", "mdns", "services"]:
                return "".join("\t".join(service) + "\n" for service in self.announced)
            case ["host", "connect", address] if address in self.reachable:
                self.named[address] = self.reachable[address]
                return f"connected to {address}"
            case ["host", "connect", address] if not address.startswith("127."):
                return f"failed to connect to '{address}': Connection refused"
            case ["host", "disconnect", address] if address in self.named:
                del self.named[address]
                return f"disconnected {address}"
        return None

    def _pair(self, client: socket.socket, request: str) -> None:
        code, address = request.removeprefix("host:pair:").split(":", 1)
        if self.pairing.get(address) == code:
            self.paired.append(address)
            text = f"Successfully paired to {address} [guid=adb-R58M12ABCDE-vWgJpq]"
        elif address in self.pairing:
            text = "Failed: Wrong password or connection was dropped."
        else:
            text = f"Failed: Unable to start pairing client: cannot connect to {address} with code {code}"
        client.sendall(b"OKAY" + _block(text))

    def _of_one(self, client: socket.socket, request: str) -> None:
        rest = request.removeprefix("host-serial:")
        serial = next((each for each in (*self.played, *self.named) if rest.startswith(f"{each}:")), None)
        if serial in self.played:
            state = self.played[serial]
            if rest == f"{serial}:get-state" and state not in REFUSALS:
                client.sendall(b"OKAY" + _block(state))
            else:
                client.sendall(b"FAIL" + _block(REFUSALS.get(state, f"device is in {state} mode")))
            return
        if serial is not None:
            request = f"host-serial:{self.named[serial]}{rest.removeprefix(serial)}"
        if request.endswith(":features") and request.split(":", 1)[1].removesuffix(":features") in self.old:
            client.sendall(b"OKAY" + _block("cmd,stat_v2"))
            return
        self._pass(client, request)

    def _transport(self, client: socket.socket, serial: str) -> None:
        """The client is joined to one device, and says what it wants of it."""
        if serial in self.played:
            state = self.played[serial]
            client.sendall(b"FAIL" + _block(REFUSALS.get(state, "closed")))
            return
        real = self.named.get(serial, serial)
        with self._to_real() as server:
            server.sendall(_block(f"host:tport:serial:{real}"))
            said = _exactly(server, 4)
            if said != b"OKAY":
                client.sendall(said)
                _relay(client, server)
                return
            client.sendall(said + _exactly(server, 8))
            wanted = _request(client)
            if wanted in ("root:", "unroot:") and real in self.phones:
                restart = _answer_root(self.phones[real], wanted)
                client.sendall(b"OKAY" + restart.encode())
                client.close()
                if restart.startswith("restarting"):
                    _restart_adbd(self.phones[real])
                return
            if serial in self.refused:
                client.sendall(b"FAIL" + _block(self.refused[serial]))
                return
            if serial in self.stuck and wanted.startswith("shell"):
                client.sendall(b"OKAY")
                select.select([client], [], [])
                return
            if real in self.old and wanted.startswith("shell,v2"):
                client.sendall(b"FAIL" + _block("unknown service"))
                return
            server.sendall(_block(wanted))
            _relay(client, server, crlf=real in self.old and wanted.startswith("shell:"))

    def _debugged(self, client: socket.socket, request: str) -> None:
        """Debian's adbd knows no debuggers: which of the device's processes wait for one, and the way to one."""
        phone = self.phones[request[15:]]
        with self._to_real() as server:
            server.sendall(_block(request))
            client.sendall(_exactly(server, 4))
            wanted = _request(client)
            if wanted == "track-jdwp":
                client.sendall(b"OKAY")
                told: str | None = None
                while not select.select([client], [], [], 0.02)[0]:
                    there = sorted((phone.root / "data/rig/jdwp").glob("*"))
                    if (now := "".join(f"{each.name}\n" for each in there)) != told:
                        client.sendall(_block(told := now))
            elif wanted.startswith("jdwp:"):
                with phone.abstract(f"rig-jdwp:{wanted[5:]}") as app:
                    client.sendall(b"OKAY")
                    _relay(client, app)
            else:
                server.sendall(_block(wanted))
                _relay(client, server)

    def _state(self, real: str) -> str:
        lines = (line.split("\t") for line in self._asked("host:devices").splitlines())
        return {serial: state for serial, state in lines}.get(real, "offline")  # noqa: C416

    def _asked(self, request: str) -> str:
        with self._to_real() as server:
            server.sendall(_block(request))
            assert _exactly(server, 4) == b"OKAY"
            return _exactly(server, int(_exactly(server, 4), 16)).decode()

    def _pass(self, client: socket.socket, request: str) -> None:
        with self._to_real() as server:
            server.sendall(_block(request))
            _relay(client, server)

    def _to_real(self) -> socket.socket:
        return socket.create_connection(("127.0.0.1", self._real))


def _answer_root(phone: Phone, wanted: str) -> str:
    """What adbd says, as its build lets it be root (adb/daemon/restart_service.cpp); it is done after the answer."""
    state = phone.read()
    is_root = phone.root / "data/rig/adbd-is-root"
    if wanted == "unroot:":
        if not is_root.exists():
            return "adbd not running as root\n"
        is_root.unlink()
        return "restarting adbd as non root\n"
    if is_root.exists():
        return "adbd is already running as root\n"
    if state["properties"].get("ro.debuggable") != "1":
        return "adbd cannot run as root in production builds\n"
    if not state.get("rooted_debugging", True):
        return "ADB Root access is disabled by system setting - enable in Settings -> System -> Developer options\n"
    is_root.touch()
    return "restarting adbd as root\n"


def _restart_adbd(phone: Phone) -> None:
    """Its first process starts it again."""
    space = Path(f"/proc/{phone.init}/ns/pid").readlink()
    for process in Path("/proc").glob("[0-9]*"):
        with contextlib.suppress(OSError):
            if (process / "comm").read_text() == "adbd\n" and (process / "ns/pid").readlink() == space:
                os.kill(int(process.name), signal.SIGKILL)


def _relay(client: socket.socket, server: socket.socket, *, crlf: bool = False) -> None:
    """Both ways until one side ends; `crlf`: what the device says has a terminal's line ends."""
    first = True
    while True:
        for ready in select.select([client, server], [], [])[0]:
            data = ready.recv(1 << 16)
            if not data:
                return
            if ready is server and crlf:
                head, data = (data[:4], data[4:]) if first else (b"", data)
                data, first = head + data.replace(b"\n", b"\r\n"), False
            (server if ready is client else client).sendall(data)


def _request(client: socket.socket) -> str:
    return _exactly(client, int(_exactly(client, 4), 16)).decode()


def _block(text: str) -> bytes:
    data = text.encode()
    return f"{len(data):04x}".encode() + data


def _exactly(source: socket.socket, size: int) -> bytes:
    data = b""
    while len(data) < size:
        more = source.recv(size - len(data))
        if not more:
            raise EOFError
        data += more
    return data
