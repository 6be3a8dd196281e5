"""The only module that imports adbutils: lists devices; runs shell commands, copies files and forwards ports on one."""

from __future__ import annotations

import io
import os
import re
import socket
import struct
import subprocess
import threading
import time
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

from appwitness.devices.android.faults import DeviceFault, fault
from appwitness.support.errors import extra

with extra("observe"):
    import adbutils

LOOPBACK = "127.0.0.1"
USUAL_PORT = 5037
CONNECT_S = 10.0
CONNECT_TRIES = 3
SHELL_S = 30.0
ANSWER_S = 10.0
"""Time limit for the adb server's own queries: devices, mdns."""
STALLED_S = 30.0
"""Time limit for a file transfer in which nothing moves."""
RESTART_S = 15.0
"""Time limit for adbd to come back after `root` or `unroot`."""
STATES = {
    "offline": "device-offline",
    "unauthorized": "device-unauthorized",
    "authorizing": "device-unauthorized",
    "still authorizing": "device-unauthorized",
    "connecting": "device-offline",
    "still connecting": "device-offline",
    "recovery": "device-in-recovery",
    "rescue": "device-in-recovery",
    "sideload": "device-in-recovery",
    "bootloader": "device-in-bootloader",
    "fastboot": "device-in-bootloader",
    "no permissions": "device-no-permissions",
    "insufficient permissions": "device-no-permissions",
}
"""adb's state of an unusable device -> the code of its fault."""
ADDRESS = re.compile(r"[A-Za-z0-9.\-]+:\d{1,5}|\[[0-9a-fA-F:]+\]:\d{1,5}")
TLS_CONNECT = "_adb-tls-connect._tcp"
TLS_PAIRING = "_adb-tls-pairing._tcp"
"""mDNS services of a phone with wireless debugging: one to connect to, and one for pairing while it shows a code."""
BROKEN_OFF = (ConnectionError, EOFError, AssertionError, struct.error, ValueError)
"""What adbutils raises, besides its own errors, for an answer that breaks off."""
_CUT = re.compile(r"""read chunk missing|.{0,3}|Unknown data: b'.{0,3}'|\('Invalid sync cmd', '.{0,3}'\)""")
"""Texts of adbutils' own errors for such answers: it expects words of four letters."""
_starting = threading.Lock()
_SOCKET = re.compile(r"tcp:(?:([\w.-]+):)?(\d{1,5})")
_EXIT = re.compile(r"\r?\nexit=(\d+)\r?\n?$")


@dataclass(frozen=True)
class AdbDevice:
    """A device as adb lists it."""

    serial: str
    state: str
    """`device` if it can be used, else a key of STATES or whatever adb says."""


@dataclass(frozen=True)
class Service:
    """A device that announces itself on the local network."""

    name: str
    """adb-SERIAL-RANDOM; adb calls the device `NAME.KIND` if it connects to it automatically."""
    kind: str
    """TLS_CONNECT, TLS_PAIRING, or `_adb._tcp` for older devices."""
    address: str
    """HOST:PORT; the port changes with each start of wireless debugging."""


@dataclass(frozen=True)
class CommandOutput:
    """What a command printed, and its exit status."""

    code: int
    out: str
    """Standard output, without the final newline."""
    err: str = ""

    @property
    def ok(self) -> bool:
        """Whether the exit status is 0."""
        return self.code == 0


def server() -> tuple[str, int]:
    """Host and port of the adb server, from the variables that adb itself reads; adbutils reads others."""
    said = os.environ.get
    if found := _SOCKET.fullmatch(said("ADB_SERVER_SOCKET", "")):
        return found[1] or LOOPBACK, int(found[2])
    host = said("ANDROID_ADB_SERVER_HOST") or said("ANDROID_ADB_SERVER_ADDRESS") or LOOPBACK
    port = said("ANDROID_ADB_SERVER_PORT", "")
    return host, int(port) if port.isdecimal() else USUAL_PORT


def have_server() -> None:
    """Start the adb server if none answers, once for all threads and quietly; adbutils would start one for each thread.
    Raises OSError if none can be started, or the one on another machine does not answer."""
    with _starting:
        try:
            socket.create_connection(server(), timeout=3).close()
        except OSError:
            if not is_here():
                raise
            try:
                command = [adbutils.adb_path(), "-P", str(server()[1]), "start-server"]
                run = subprocess.run(command, capture_output=True, text=True, errors="replace", timeout=20, check=False)
            except (subprocess.SubprocessError, adbutils.AdbError) as error:
                raise OSError(str(error)) from error
            if run.returncode:
                raise OSError((run.stderr or run.stdout).strip()[-300:]) from None


def is_here() -> bool:
    """Whether the adb server runs on this machine, so that ports it opens are on this machine."""
    return server()[0] in (LOOPBACK, "localhost")


def devices() -> list[AdbDevice]:
    """All devices that the adb server knows, usable or not. Raises DeviceFault if no adb server can be started."""
    with _translated(""):
        lines = [line.split("\t", 1) for line in ask_server("host:devices").splitlines() if "\t" in line]
        return [AdbDevice(serial.strip(), re.split(r"[;(]", state)[0].strip()) for serial, state in lines]
    raise AssertionError


def announced() -> list[Service]:
    """The devices that announce themselves on the local network (mDNS); empty if the adb server does not listen to
    it."""
    with _translated(""), suppress(adbutils.AdbError):
        parts = [line.split("\t") for line in ask_server("host:mdns:services").splitlines()]
        return [Service(*map(str.strip, each)) for each in parts if len(each) == 3]
    return []


def pair(address: str, code: str) -> str:
    """Pair with a phone that shows a code for wireless debugging; returns adb's reply. Raises DeviceFault.

    The code goes straight to the adb server: in a command-line argument, every user of this machine could read it.
    """
    with _translated(address, "pair"):
        said = ask_server(f"host:pair:{code}:{address}", timeout_s=30.0)
        if not said.startswith("Successfully paired"):
            raise fault("pairing-failed", address=address, said=said.replace(code, "CODE").strip().rstrip("."))
        return said
    raise AssertionError


def connect(serial: str, within_s: float = CONNECT_S) -> Adb:
    """The device with that serial, ready for commands. If the serial is an address (HOST:PORT), connects to it first,
    or reconnects if the device is offline.

    The adb server waits up to 10 s for an address that accepts connections but does not answer; this waits `within_s`.
    Raises DeviceFault, saying what to do, if the device is not there or in an unusable state.
    """
    with _translated(serial):
        client = _client()
        by_address = ADDRESS.fullmatch(serial) is not None
        end = time.monotonic() + within_s
        for attempt in range(CONNECT_TRIES):
            state = {seen.serial: seen.state for seen in devices()}.get(serial)
            if state == "device":
                with suppress(adbutils.AdbError):
                    client.device(serial).get_state()
                    return Adb(serial)
            if not by_address or (state is not None and state not in ("offline", "device")):
                break
            if attempt:
                time.sleep(0.2)
            if (left_s := end - time.monotonic()) <= 0:
                break
            if state is not None:
                client.disconnect(serial)
            with suppress(adbutils.AdbTimeout):
                client.connect(serial, timeout=left_s)
        else:
            state = {seen.serial: seen.state for seen in devices()}.get(serial)
            if state == "device":
                return Adb(serial)
        if state is None:
            raise fault("device-not-found", serial=serial, there=_listed(devices()))
        raise fault(STATES.get(state, "device-not-usable"), serial=serial, state=state)
    raise AssertionError


def disconnect(serial: str) -> None:
    """Drop the connection to an address that does not answer, so that it can be connected again; does nothing for
    USB devices."""
    if ADDRESS.fullmatch(serial):
        with _translated(serial), suppress(adbutils.AdbError):
            _client().disconnect(serial)


def host(*arguments: str, timeout_s: float = 60.0) -> CommandOutput:
    """Run the adb program itself: for `emu`, which adbutils lacks, and to `pull` large files."""
    command = [adbutils.adb_path(), *arguments]
    try:
        done = subprocess.run(command, capture_output=True, text=True, errors="replace", timeout=timeout_s, check=False)
    except subprocess.TimeoutExpired:
        raise fault("adb-timeout", serial="adb", command=" ".join(arguments), seconds=f"{timeout_s:.0f}") from None
    return CommandOutput(done.returncode, done.stdout.strip(), done.stderr.strip())


class Adb:
    """One device: commands as adb's user, files, ports. Each call raises DeviceFault if the device is gone."""

    def __init__(self, serial: str) -> None:
        self.serial = serial
        self._device = _client().device(serial)
        self._files = adbutils.sync.Sync(_Transfers(_client(), serial))
        self._v2: bool | None = None

    @property
    def device(self) -> adbutils.AdbDevice:
        """The adbutils object, through which uiautomator2 talks to the device."""
        return self._device

    def there(self) -> bool:
        """Whether the device is connected to adb and usable. Raises DeviceFault if no adb server can be started."""
        return any(seen.serial == self.serial and seen.state == "device" for seen in devices())

    def shell(self, command: str, *, timeout_s: float = SHELL_S) -> CommandOutput:
        """Run a shell command as adb's user on the device."""
        with _translated(self.serial, command, timeout_s):
            if self._v2 is None:
                with self._device.open_transport("features", timeout=ANSWER_S) as connection:
                    self._v2 = "shell_v2" in _block(connection).split(",")
            if self._v2:
                done = self._device.shell2(command, timeout=timeout_s, v2=True)
                return CommandOutput(done.returncode, _lines(done.stdout), _lines(done.stderr))
            line = f"( {command}\n) 2>&1; status=$?; echo; echo exit=$status"
            text = self._device.shell(line, timeout=timeout_s, rstrip=False)
            found = _EXIT.search(text)
            if found is None:
                raise EOFError
            return CommandOutput(int(found[1]), _lines(text[: found.start()]))
        raise AssertionError

    def open(self, command: str) -> ShellConversation:
        """Start a shell command that keeps running and reads what is written to the conversation. It ends when the
        conversation is closed, even if this process is killed."""
        with _translated(self.serial, command):
            connection = self._device.open_transport(timeout=SHELL_S)
            connection.send_command(f"exec:{command}")
            connection.check_okay()
            return ShellConversation(self.serial, connection.conn)
        raise AssertionError

    def push(self, data: bytes | Path, path: str, mode: int = 0o644) -> None:
        """Write a file on the device."""
        with _translated(self.serial, f"push {path}", STALLED_S):
            self._files.push(data if isinstance(data, Path) else io.BytesIO(data), path, mode)

    def pull(self, path: str) -> bytes:
        """Read a file from the device."""
        with _translated(self.serial, f"pull {path}", STALLED_S):
            return bytes(self._files.read_bytes(path))
        raise AssertionError

    def forward(self, port: int, remote: str) -> None:
        """Forward `port` on the adb server's machine to `remote` on the device: `tcp:27042`, `localabstract:name`."""
        with _translated(self.serial, f"forward {remote}"):
            self._device.forward(f"tcp:{port}", remote, norebind=True)

    def forwarded(self) -> list[int]:
        """The ports on the adb server's machine that are forwarded to the device; unplugging removes them."""
        with _translated(self.serial, "forward --list"):
            # a serial may have spaces
            rows = (line.rsplit(" ", 2) for line in ask_server("host:list-forward").splitlines())
            return [int(row[1][4:]) for row in rows if row[0] == self.serial and row[1].startswith("tcp:")]
        raise AssertionError

    def unforward(self, port: int) -> None:
        """Stop forwarding a port; does nothing if it is not forwarded."""
        with _translated(self.serial, f"forward --remove tcp:{port}"):
            self._device.forward_remove(f"tcp:{port}", raise_non_found=False)

    def reverse(self, port: int, here: int) -> None:
        """Forward `port` on the device's loopback to the port `here` on the adb server's machine."""
        with _translated(self.serial, f"reverse tcp:{port}"):
            self._device.reverse(f"tcp:{port}", f"tcp:{here}")

    def reversed(self) -> list[int]:
        """The ports on the device's loopback that are forwarded to the adb server's machine."""
        with _translated(self.serial, "reverse --list"):
            with self._device.open_transport(timeout=ANSWER_S) as connection:
                connection.send_command("reverse:list-forward")
                connection.check_okay()
                text = _block(connection)
            rows = (line.rsplit(" ", 2) for line in text.splitlines())
            return [int(row[-2][4:]) for row in rows if len(row) > 1 and row[-2].startswith("tcp:")]
        raise AssertionError

    def unreverse(self, port: int) -> None:
        """Stop forwarding a port of the device; does nothing if it is not forwarded."""
        if port in self.reversed():
            with _translated(self.serial, f"reverse --remove tcp:{port}"):
                self._device.reverse_remove(f"tcp:{port}")

    def service(self, name: Literal["root", "unroot"]) -> str:
        """Restart adbd as root or as a normal user; returns its reply, once it runs as requested or has refused.

        Forwarded ports are lost. Raises DeviceFault `device-lost` if adbd does not come back.
        """
        said = ""
        with _translated(self.serial, name), self._device.open_transport(timeout=RESTART_S) as connection:
            connection.send_command(f"{name}:")
            connection.check_okay()
            said = str(connection.read_until_close()).strip()
        if not said.startswith("restarting"):
            return said
        end = time.monotonic() + RESTART_S
        while time.monotonic() < end:
            time.sleep(0.1)
            with suppress(DeviceFault):
                connect(self.serial)
                if (self.shell("id -u", timeout_s=5).out.strip() == "0") is (name == "root"):
                    return said
        raise fault("device-lost", serial=self.serial)

    def console(self, *words: str) -> CommandOutput:
        """Run a command in an emulator's console (`adb emu`). The console reports KO with exit status 0; here it
        becomes 1."""
        done = host("-s", self.serial, "emu", *words)
        failed = done.code or done.out.startswith("KO") or done.err.startswith("KO")
        return CommandOutput(1 if failed else 0, done.out, done.err)


class _Transfers(adbutils.AdbDevice):  # type: ignore[misc]
    """The device for file transfers: adbutils sets them no time limit, so a device that stops answering would hold
    them up for ever."""

    def open_transport(self, command: str | None = None, timeout: float | None = ANSWER_S) -> adbutils.AdbConnection:
        connection = super().open_transport(command, ANSWER_S)
        # A limit of the kernel's: with one of Python's, adbutils would lose what a full buffer does not take.
        connection.conn.settimeout(None)
        for option in (socket.SO_RCVTIMEO, socket.SO_SNDTIMEO):
            connection.conn.setsockopt(socket.SOL_SOCKET, option, struct.pack("ll", int(STALLED_S), 0))
        return connection


class ShellConversation:
    """A program on the device: it reads what is written here, and its output is read here. Each call raises
    DeviceFault."""

    def __init__(self, serial: str, connection: socket.socket) -> None:
        self._serial = serial
        self._connection = connection
        self._end = 0.0

    def say(self, line: str, timeout_s: float) -> None:
        """Write a line; all reads until the next line must finish within `timeout_s` seconds."""
        self._end = time.monotonic() + timeout_s
        with _translated(self._serial, line, timeout_s):
            self._connection.settimeout(timeout_s)
            self._connection.sendall(f"{line}\n".encode())

    def line(self) -> str:
        """The next line, without its newline."""
        got = b""
        while not got.endswith(b"\n"):
            got += self.read(1)
        return got.decode(errors="replace").rstrip()

    def read(self, size: int) -> bytes:
        """Read exactly this many bytes."""
        got = b""
        with _translated(self._serial, "a program for root"):
            while len(got) < size:
                self._connection.settimeout(max(0.01, self._end - time.monotonic()))
                part = self._connection.recv(min(size - len(got), 1 << 16))
                if not part:
                    raise EOFError("closed")
                got += part
        return got

    def close(self, wait_s: float = 0.0) -> None:
        """Close the connection; waits up to `wait_s` seconds for the program to end, as adb does not wait after a
        hang-up."""
        with suppress(OSError):
            if wait_s:
                self._connection.settimeout(wait_s)
                while self._connection.recv(1 << 16):
                    pass
        self._connection.close()


def _client() -> adbutils.AdbClient:
    return adbutils.AdbClient(*server())


def ask_server(query: str, timeout_s: float = ANSWER_S) -> str:
    """Query the adb server directly: adbutils lacks some queries, and cuts two-word states in half."""
    with _client().make_connection(timeout=timeout_s) as connection:
        connection.send_command(query)
        connection.check_okay()
        return _block(connection)


def _block(connection: adbutils.AdbConnection) -> str:
    """An answer that begins with its length. adbutils' own function takes one that breaks off as complete."""
    return bytes(connection.read_exact(int(connection.read_exact(4), 16))).decode(errors="replace")


def _lines(text: str) -> str:
    """Undo CR LF line ends, which old versions of adbd produce, and strip the final newlines."""
    return text.replace("\r\n", "\n").rstrip("\n")


def _listed(there: list[AdbDevice]) -> str:
    return ", ".join(f"{seen.serial} ({seen.state})" for seen in there) or "none"


class _translated:  # noqa: N801 used like a function
    """A context that turns adb's errors into faults with a remedy."""

    def __init__(self, serial: str, command: str = "", timeout_s: float = SHELL_S) -> None:
        self._serial = serial
        self._command = command
        self._timeout_s = timeout_s

    def __enter__(self) -> None:
        try:
            have_server()
        except OSError as error:
            raise fault("adb-server-unreachable", server="{}:{}".format(*server()), said=str(error)) from error

    def __exit__(self, kind: object, error: BaseException | None, _: object) -> None:
        if error is None or isinstance(error, DeviceFault) or not isinstance(error, Exception):
            return
        raise self._fault(error) from error

    def _fault(self, error: Exception) -> Exception:
        said = str(error)
        raised: Callable[..., DeviceFault] = fault
        if isinstance(error, (adbutils.AdbTimeout, TimeoutError, BlockingIOError)):
            seconds = f"{self._timeout_s:.0f}"
            return raised("adb-timeout", serial=self._serial, command=self._command[:80], seconds=seconds)
        if isinstance(error, ConnectionRefusedError) or not self._serial:
            return raised("adb-server-unreachable", server="{}:{}".format(*server()), said=said)
        for state, code in STATES.items():
            if f"device {state}" in said or said.strip() == state or (" " in state and state in said):
                return raised(code, serial=self._serial, state=state)
        if isinstance(error, BROKEN_OFF):
            return raised("device-lost", serial=self._serial)
        if isinstance(error, (adbutils.AdbError, OSError)):
            if "not found" in said or "closed" in said or _CUT.fullmatch(said.strip()):
                return raised("device-lost", serial=self._serial)
            return raised("adb-failed", serial=self._serial, command=self._command[:80], said=said.strip()[:300])
        return error
