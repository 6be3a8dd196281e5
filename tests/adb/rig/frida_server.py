"""A stand-in for frida-server: Frida's own portal, behind a relay that answers what a portal does not.

`frida_server.program(...)` gives the bytes to push to a stand-in device: this file with the interpreter that runs it.
There it takes `--version`, `-l ADDRESS:PORT`, `--token TOKEN`, `-D`, `-P`, `-C`. A portal lists, enters and leaves
processes; the relay reads the D-Bus messages on the way to it, and for
`Spawn` starts the app by the device's `am`, held before its first line; for spawn gating has zygote hold all
that it starts, and tells of each (`SpawnAdded`); for `Attach` and `Resume` has the process join the portal and lets it
run; `QuerySystemParameters` it answers itself. state.json's `frida` says what goes wrong:
{"Spawn": ["TimedOut", "message"]}, {"access": "jailed"}, {"silent": true}, {"stderr": "text", "exit": 1} or that
only while SELinux is `Enforcing` ({"selinux": "Enforcing"}).
"""

from __future__ import annotations

import argparse
import contextlib
import importlib.metadata
import json
import os
import signal
import socket
import struct
import subprocess
import sys
import threading
import time
from pathlib import Path
from typing import Any

VERSION = ""
STATE = Path("/data/rig/state.json")
HELD = Path("/data/rig/held")
GATE = Path("/data/rig/gate")
"""Who has zygote hold what it starts."""
BARE = ("QuerySystemParameters", "EnableSpawnGatingWithOptions", "DisableSpawnGating")
"""Calls without arguments that are answered here."""


def program(version: str = "") -> bytes:
    """What lies on the device as the server; `version`: what it claims to be, else that of the library."""
    claimed = version or importlib.metadata.version("frida")
    source = Path(__file__).read_text("utf-8").replace('VERSION = ""', f'VERSION = "{claimed}"', 1)
    return f"#!{sys.executable}\n{source}".encode()


def told() -> dict[str, Any]:
    """What is to go wrong, now."""
    return dict(json.loads(STATE.read_text()).get("frida", {}))


# D-Bus, as far as these messages go.


class Reader:
    """Values of a signature, out of the bytes of a message."""

    def __init__(self, data: bytes, at: int = 0) -> None:
        self.data, self.at = data, at

    def align(self, size: int) -> None:
        self.at += -self.at % size

    def number(self, code: str) -> int:
        size = struct.calcsize(code)
        self.align(size)
        (value,) = struct.unpack_from("<" + code, self.data, self.at)
        self.at += size
        return int(value)

    def text(self, length: int) -> str:
        value = self.data[self.at : self.at + length].decode()
        self.at += length + 1
        return value

    def value(self, signature: str) -> Any:
        (value,) = self.values(signature)
        return value

    def values(self, signature: str) -> list[Any]:
        found = []
        while signature:
            one, signature = split(signature)
            found.append(self.one(one))
        return found

    def one(self, kind: str) -> Any:
        match kind[0]:
            case "y":
                return self.number("B")
            case "b" | "u":
                return self.number("I")
            case "i":
                return self.number("i")
            case "x":
                return self.number("q")
            case "t":
                return self.number("Q")
            case "s" | "o":
                return self.text(self.number("I"))
            case "g":
                return self.text(self.number("B"))
            case "v":
                return self.value(self.text(self.number("B")))
            case "(" | "{":
                self.align(8)
                return tuple(self.values(kind[1:-1]))
            case "a":
                length = self.number("I")
                self.align(8 if kind[1] in "({xtd" else 4 if kind[1] in "siuoba" else 1)
                end, found = self.at + length, []
                while self.at < end:
                    found.append(self.one(kind[1:]))
                return found
        raise ValueError(kind)


def split(signature: str) -> tuple[str, str]:
    """The first whole type of a signature, and the rest."""
    if signature[0] == "a":
        one, rest = split(signature[1:])
        return "a" + one, rest
    if signature[0] in "({":
        depth = 0
        for at, letter in enumerate(signature):
            depth += (letter in "({") - (letter in ")}")
            if not depth:
                return signature[: at + 1], signature[at + 1 :]
    return signature[0], signature[1:]


def string(text: str) -> bytes:
    data = text.encode()
    return struct.pack("<I", len(data)) + data + b"\0"


def padded(data: bytes, size: int = 8) -> bytes:
    return data + b"\0" * (-len(data) % size)


def answer(to: int, signature: str, body: bytes, error: str = "") -> bytes:
    """A method return, or an error."""
    fields = b""
    if error:
        fields = padded(fields) + b"\x04\x01s\0" + string(error)
    if signature:
        fields = padded(fields) + b"\x08\x01g\0" + bytes([len(signature)]) + signature.encode() + b"\0"
    fields = padded(fields) + b"\x05\x01u\0" + struct.pack("<I", to)
    head = struct.pack("<cBBBIII", b"l", 3 if error else 2, 1, 1, len(body), 1, len(fields))
    return padded(head + fields) + body


def signal_of(call: Call, member: str, signature: str, body: bytes) -> bytes:
    """A signal of the object that a call was for."""
    fields = b""
    for code, kind, text in ((1, b"o", call.path), (2, b"s", str(call.fields[2])), (3, b"s", member)):
        fields = padded(fields) + bytes([code]) + b"\x01" + kind + b"\0" + string(text)
    fields = padded(fields) + b"\x08\x01g\0" + bytes([len(signature)]) + signature.encode() + b"\0"
    head = struct.pack("<cBBBIII", b"l", 4, 1, 1, len(body), 1, len(fields))
    return padded(head + fields) + body


def failure(to: int, kind: str, message: str) -> bytes:
    return answer(to, "s", string(message), f"re.frida.Error.{kind}")


def dictionary(entries: dict[str, str]) -> bytes:
    body = b""
    for key, value in entries.items():  # the array's elements begin at 8 in the body
        body = padded(body) + padded(string(key), 1) + b"\x01s\0"
        body = padded(body, 4) + string(value)
    return padded(struct.pack("<I", len(body))) + body


class Call:
    """A method call of the client's."""

    def __init__(self, data: bytes) -> None:
        kind, flags, _version, _length, self.serial = struct.unpack_from("<BBBII", data, 1)
        reader = Reader(data, 12)
        self.fields = dict(reader.value("a(yv)"))
        reader.align(8)
        self.member = str(self.fields.get(3, "")) if kind == 1 else ""
        self.path = str(self.fields.get(1, ""))
        self.wants_answer = not flags & 1
        self.body: list[Any] = []
        if self.member in ("Spawn", "Attach", "Resume", "Kill", "QuerySystemParameters"):
            self.body = Reader(data[reader.at :]).values(str(self.fields.get(8, "")))


# WebSocket, as far as Frida uses it.


class Stream:
    """One direction of a connection, read with what came in excess before."""

    def __init__(self, connection: socket.socket) -> None:
        self.connection = connection
        self.rest = b""

    def head(self) -> bytes:
        while b"\r\n\r\n" not in self.rest:
            self.more()
        head, self.rest = self.rest.split(b"\r\n\r\n", 1)
        return head + b"\r\n\r\n"

    def take(self, size: int) -> bytes:
        while len(self.rest) < size:
            self.more()
        taken, self.rest = self.rest[:size], self.rest[size:]
        return taken

    def more(self) -> None:
        data = self.connection.recv(1 << 16)
        if not data:
            raise ConnectionError
        self.rest += data

    def frame(self) -> tuple[bytes, bytes, bool]:
        """One frame as it came, its payload, and whether it is data."""
        raw = self.take(2)
        length = raw[1] & 0x7F
        if length >= 126:
            more = self.take(2 if length == 126 else 8)
            raw, length = raw + more, int.from_bytes(more, "big")
        mask = b""
        if raw[1] & 0x80:
            mask = self.take(4)
        data = self.take(length)
        raw += mask + data
        if mask:
            key = (mask * (length // 4 + 1))[:length]
            data = (int.from_bytes(data, "big") ^ int.from_bytes(key, "big")).to_bytes(length, "big")
        return raw, data, raw[0] & 0x0F in (0, 1, 2)


def framed(data: bytes) -> bytes:
    size = len(data)
    if size < 126:
        return struct.pack(">BB", 0x82, size) + data
    return struct.pack(">BBH", 0x82, 126, size) + data


class Connection:
    """Of one client: what it asks goes to the portal, or is answered here."""

    def __init__(self, server: Server, client: socket.socket) -> None:
        self.server, self.client = server, client
        self.portal = socket.create_connection(("127.0.0.1", server.control))
        self.writing = threading.Lock()
        self.knows = False
        self.gates = False

    def serve(self) -> None:
        with contextlib.suppress(OSError), self.client, self.portal, contextlib.closing(self):
            outer = Stream(self.client)
            self.portal.sendall(outer.head())
            threading.Thread(target=self.back, daemon=True).start()
            data = b""
            waiting: list[bytes] = []
            while True:
                raw, payload, is_data = outer.frame()
                waiting.append(raw)
                data += payload if is_data else b""
                calls, data = whole(data)
                if data:
                    continue  # a message goes on in the next frame
                if not any(self.answered(one) for one in calls):
                    self.portal.sendall(b"".join(waiting))
                waiting = []

    def close(self) -> None:
        """The client is gone: what is held for it runs."""
        if self.gates:
            self.gates = False
            self.server.open_gate()

    def gate(self, call: Call) -> None:
        """Tell of each process that zygote holds, until it is to hold no more."""
        self.gates = True
        GATE.write_text(str(os.getpid()))
        told = {int(each.stem) for each in HELD.glob("*.here")}
        while self.gates:
            for here in HELD.glob("*.here"):
                pid = int(here.stem)
                if pid not in told and (HELD / str(pid)).exists():
                    told.add(pid)
                    name = Path(f"/proc/{pid}/cmdline").read_bytes().split(b"\0")[0].decode().rpartition("/")[2]
                    with contextlib.suppress(OSError):
                        body = padded(struct.pack("<I", pid) + string(name), 1)
                        self.send(framed(signal_of(call, "SpawnAdded", "(us)", body)))
            time.sleep(0.005)

    def back(self) -> None:
        with contextlib.suppress(OSError):
            inner = Stream(self.portal)
            self.send(inner.head())
            data, waiting = b"", []
            while True:
                raw, payload, is_data = inner.frame()
                waiting.append(raw)
                data += payload if is_data else b""
                _, data = whole(data)
                if not data:
                    self.send(b"".join(waiting))
                    waiting = []
        with contextlib.suppress(OSError):
            self.client.shutdown(socket.SHUT_RDWR)

    def send(self, data: bytes) -> None:
        with self.writing:
            self.client.sendall(data)

    def answered(self, message: bytes) -> bool:
        """Whether the portal need not see it."""
        call = Call(message)
        if not call.body and call.member not in BARE:
            return False
        if not self.knows and "HostSession" not in call.path:
            return False
        wrong = told().get(call.member)
        if wrong is not None:
            self.send(framed(failure(call.serial, *wrong)))
            return True
        match call.member:
            case "Spawn":
                threading.Thread(target=self.spawn, args=(call,), daemon=True).start()
                return True
            case "QuerySystemParameters":
                entries = {"arch": "x64", "platform": "linux", "access": str(told().get("access", "full"))}
                self.send(framed(answer(call.serial, "a{sv}", dictionary(entries))))
                return True
            case "EnableSpawnGatingWithOptions":
                threading.Thread(target=self.gate, args=(call,), daemon=True).start()
                self.send(framed(answer(call.serial, "", b"")))
                return True
            case "DisableSpawnGating":
                self.close()
                self.send(framed(answer(call.serial, "", b"")))
                return True
            case "Attach":
                self.server.enter(call.body[0])
            case "Resume":
                self.server.let_go(call.body[0])
        return False

    def spawn(self, call: Call) -> None:
        try:
            pid = self.server.spawn(call.body[0], dict(call.body[1][-1]))
        except LookupError as error:
            self.send(framed(failure(call.serial, "InvalidArgument", str(error))))
        else:
            self.send(framed(answer(call.serial, "u", struct.pack("<I", pid))))


def whole(data: bytes) -> tuple[list[bytes], bytes]:
    """The whole messages in `data`, and what comes after them."""
    found = []
    while len(data) >= 16:
        body, _serial, fields = struct.unpack_from("<III", data, 4)
        size = 16 + fields + -fields % 8 + body
        if len(data) < size:
            break
        found.append(data[:size])
        data = data[size:]
    return found, data


class Server:
    """The portal, and the processes that joined it."""

    connection = Connection

    def __init__(self, door: socket.socket, token: str | None) -> None:
        import frida

        self.door = door
        self.cluster, self.control = free_port(), free_port()
        self.local = frida.get_local_device()
        self.joined: dict[int, Any] = {}
        self.entering = threading.Lock()
        authentication = ("token", token) if token else None
        self.service = frida.PortalService(
            frida.EndpointParameters(address="127.0.0.1", port=self.cluster),
            frida.EndpointParameters(address="127.0.0.1", port=self.control, authentication=authentication),
        )
        self.service.start()

    def serve(self) -> None:
        while True:
            client, _ = self.door.accept()
            with contextlib.suppress(OSError):  # not one of TCP
                client.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
            if told().get("silent"):
                continue
            threading.Thread(target=self.connection(self, client).serve, daemon=True).start()

    def enter(self, pid: int) -> None:
        """Have a process join the portal; where that fails the portal says that it is not there."""
        with self.entering:
            if pid in self.joined and not self.joined[pid].is_detached:
                return
            try:
                session = self.local.attach(pid)
                session.join_portal(f"127.0.0.1:{self.cluster}")
                self.joined[pid] = session
            except Exception as error:
                print(f"process {pid}: {type(error).__name__}: {error}", file=sys.stderr, flush=True)

    def spawn(self, package: str, options: dict[str, Any]) -> int:
        packages = json.loads(STATE.read_text())["packages"]
        if package not in packages:
            raise LookupError(f"Unable to find application with identifier '{package}'")
        user = ["--user", str(options.get("uid", 0))]
        subprocess.run(["/system/bin/am", "force-stop", *user, package], check=True)
        activity = options.get("activity") or next(iter(packages[package].get("launchers", [])), "")
        if not activity:
            raise LookupError(f"Unable to find a front-door activity of '{package}'")
        command = ["/system/bin/am", "start", *user, "-n", f"{package}/{activity}"]
        subprocess.run(command, check=True, stdout=subprocess.DEVNULL, env={**os.environ, "RIG_HOLD": str(os.getpid())})
        pid = int(json.loads(STATE.read_text())["running"][package])
        until((HELD / f"{pid}.here").exists)
        self.enter(pid)
        return pid

    def open_gate(self) -> None:
        """Zygote holds nothing any more."""
        GATE.unlink(missing_ok=True)
        for each in HELD.glob("*.here"):
            self.let_go(int(each.stem))

    def let_go(self, pid: int) -> None:
        (HELD / str(pid)).unlink(missing_ok=True)


def until(true: Any, timeout_s: float = 10) -> None:
    end = time.monotonic() + timeout_s
    while not true() and time.monotonic() < end:
        time.sleep(0.002)


def free_port() -> int:
    with socket.create_server(("127.0.0.1", 0)) as free:
        port: int = free.getsockname()[1]
    return port


def ended() -> None:
    """With what Frida started besides on a desktop."""
    for folder in Path("/proc").glob("[0-9]*"):
        with contextlib.suppress(OSError):
            if (folder / "comm").read_text().strip() == "idund":
                os.kill(int(folder.name), signal.SIGKILL)
    os._exit(0)


def main() -> int:
    options = argparse.ArgumentParser()
    options.add_argument("--version", action="store_true")
    options.add_argument("-l", "--listen", default="127.0.0.1:27042")
    options.add_argument("--token")
    options.add_argument("-D", "--daemonize", action="store_true")
    options.add_argument("-P", "--disable-preload", action="store_true")
    options.add_argument("-C", "--ignore-crashes", action="store_true")
    asked = options.parse_args()
    os.environ["TMPDIR"] = "/data/rig"  # what Frida leaves there on a desktop is not the device's
    if asked.version:
        print(VERSION)
        return 0
    wrong = told()
    if "exit" in wrong and wrong.get("selinux") in (None, json.loads(STATE.read_text()).get("selinux", "Enforcing")):
        print(wrong["stderr"], file=sys.stderr, flush=True)
        return int(wrong["exit"])
    host, port = asked.listen.rsplit(":", 1)
    try:
        server = Server(socket.create_server((host, int(port))), asked.token)
    except OSError:
        print(f"Unable to start: Error binding to address {asked.listen}: Address already in use", file=sys.stderr)
        return 1
    signal.signal(signal.SIGTERM, lambda *_: ended())
    threading.Thread(target=server.serve, daemon=True).start()
    while True:
        time.sleep(3600)


if __name__ == "__main__":
    sys.exit(main())
