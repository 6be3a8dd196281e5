"""A stand-in for the debugger's side of an Android app that waits for one, as far as Frida's injector asks (jdwp.vala).

`python -m tests.adb.rig.jdwp PID PACKAGE`: listens on the abstract socket rig-jdwp:PID, to which `track-jdwp` and
`jdwp:PID` of adb_server.py lead. Told to go on, it stops at Activity.onCreate at once; what it is made to execute there
(Runtime.exec) is executed as the app's user, what it is made to load is started as a program, told to go on again the
app is let run. It ends with the app.
"""

from __future__ import annotations

import os
import shlex
import socket
import struct
import subprocess
import sys
import threading
import time
from pathlib import Path

HELD = Path("/data/rig/held")
WAITING = Path("/data/rig/jdwp")
HELLO = b"JDWP-Handshake"
CLASSES = {
    "Ljava/lang/Object;": [("toString", "()Ljava/lang/String;")],
    "Landroid/app/Activity;": [("onCreate", "(Landroid/os/Bundle;)V")],
    "Ljava/lang/Runtime;": [
        ("getRuntime", "()Ljava/lang/Runtime;"),
        ("exec", "(Ljava/lang/String;)Ljava/lang/Process;"),
        ("load", "(Ljava/lang/String;)V"),
    ],
    "Ljava/lang/Process;": [("waitFor", "()I")],
}
METHODS = {
    number: (name, signature)
    for number, (name, signature) in enumerate((each for methods in CLASSES.values() for each in methods), 100)
}
THREAD, RUNTIME, PROCESS, FIRST_STRING = 1, 2, 3, 1000
NOTHING = struct.pack(">BQ", ord("L"), 0)


def text(data: bytes, at: int = 0) -> str:
    (size,) = struct.unpack_from(">I", data, at)
    return data[at + 4 : at + 4 + size].decode()


def string(said: str) -> bytes:
    return struct.pack(">I", len(said)) + said.encode()


class App:
    """One that waits for a debugger, and the one debugger that it takes."""

    def __init__(self, pid: int, package: str, client: socket.socket) -> None:
        self.pid, self.package, self.client = pid, package, client
        self.strings: list[str] = []
        self.stopped = False
        self.file = client.makefile("rb")

    def serve(self) -> None:
        self.client.sendall(self.file.read(len(HELLO)))
        while head := self.file.read(11):
            size, number, _flags, group, command = struct.unpack(">IIBBB", head)
            body = self.file.read(size - 11)
            reply = self.answer((group, command), body)
            self.client.sendall(struct.pack(">IIBH", 11 + len(reply), number, 0x80, 0) + reply)
            if (group, command) == (1, 9):
                self.go_on()

    def answer(self, command: tuple[int, int], body: bytes) -> bytes:
        match command:
            case (1, 7):  # VirtualMachine.IDSizes
                return struct.pack(">5I", 8, 8, 8, 8, 8)
            case (1, 2):  # ClassesBySignature
                return struct.pack(">IBQI", 1, 1, list(CLASSES).index(text(body)) + 10, 7)
            case (2, 5):  # ReferenceType.Methods
                of = list(CLASSES.values())[struct.unpack(">Q", body)[0] - 10]
                there = [(number, *each) for number, each in METHODS.items() if each in of]
                rows = (struct.pack(">Q", id_) + string(name) + string(kind) + bytes(4) for id_, name, kind in there)
                return struct.pack(">I", len(there)) + b"".join(rows)
            case (15, 1):  # EventRequest.Set
                return struct.pack(">I", 1)
            case (1, 11):  # CreateString
                self.strings.append(text(body))
                return struct.pack(">Q", FIRST_STRING + len(self.strings) - 1)
            case (3, 3):  # ClassType.InvokeMethod
                return struct.pack(">BQ", ord("L"), RUNTIME) + NOTHING
            case (9, 6):  # ObjectReference.InvokeMethod
                return self.invoke(METHODS[struct.unpack_from(">Q", body, 24)[0]][0], body[32:]) + NOTHING
        return b""

    def invoke(self, method: str, arguments: bytes) -> bytes:
        if method == "waitFor":
            return struct.pack(">BI", ord("I"), 0)
        said = self.strings[struct.unpack_from(">Q", arguments, 5)[0] - FIRST_STRING]
        if method == "exec":
            user = Path(f"/data/user/0/{self.package}").stat().st_uid
            subprocess.run(shlex.split(said), check=False, user=user, group=user, extra_groups=())
            return struct.pack(">BQ", ord("L"), PROCESS)
        file = Path(said)
        file.chmod(0o755)
        subprocess.Popen([said, str(self.pid), self.package], start_new_session=True)
        listens = f"@frida:{self.package}"
        while listens not in Path("/proc/net/unix").read_text():
            time.sleep(0.01)
        return b"V"

    def go_on(self) -> None:
        if self.stopped:
            (HELD / str(self.pid)).unlink(missing_ok=True)
            return
        self.stopped = True
        place = struct.pack(">BQQQ", 1, 11, 101, 0)
        event = struct.pack(">BIBIQ", 1, 1, 2, 1, THREAD) + place
        self.client.sendall(struct.pack(">IIBBB", 11 + len(event), 1, 0, 64, 100) + event)


def main() -> None:
    pid, package = int(sys.argv[1]), sys.argv[2]
    door = socket.socket(socket.AF_UNIX)
    door.bind(f"\0rig-jdwp:{pid}")
    door.listen()
    WAITING.mkdir(exist_ok=True)
    (WAITING / str(pid)).touch()

    def serve() -> None:
        client, _ = door.accept()
        App(pid, package, client).serve()

    threading.Thread(target=serve, daemon=True).start()
    while Path(f"/proc/{pid}/exe").is_symlink():
        time.sleep(0.02)
    (WAITING / str(pid)).unlink()
    os._exit(0)


if __name__ == "__main__":
    main()
