"""A stand-in for Frida's gadget: started beside an app on a stand-in device, it listens for it, as gadget.vala does.

`python -m tests.adb.rig.gadget CONFIG PID PACKAGE`, or as the file that the app is made to load (`program`), with its
configuration beside it. It ends with the app.
"""

from __future__ import annotations

import json
import os
import socket
import struct
import sys
import threading
import time
from pathlib import Path

from tests.adb.rig import frida_server
from tests.adb.rig.frida_server import Call, Connection, Server, answer, failure, framed

REPOSITORY = Path(__file__).parents[3]
APP = "re.frida.Gadget"


def program() -> bytes:
    """What is loaded as the gadget; it takes PID and PACKAGE, and its configuration is beside it."""
    lines = (
        f"#!{sys.executable}",
        "import sys",
        f"sys.path.insert(0, {str(REPOSITORY)!r})",
        "from tests.adb.rig.gadget import main",
        "main([sys.argv[0].removesuffix('.so') + '.config', *sys.argv[1:]])",
    )
    return "\n".join(lines).encode()


class Inside(Connection):
    """Of one client with a gadget, which is in one process alone."""

    server: Gadget
    resumes = True

    def answered(self, message: bytes) -> bool:
        call = Call(message)
        wrong = ""
        match call.member:
            case "Spawn" if call.body[0] == APP:
                self.resumes = False
                self.send(framed(answer(call.serial, "u", struct.pack("<I", self.server.pid))))
                return True
            case "Spawn":
                wrong = "Unable to spawn other apps when embedded"
            case "EnableSpawnGatingWithOptions" | "DisableSpawnGating":
                wrong = "Not possible when embedded"
            case "Attach" | "Resume" | "Kill" if call.body[0] != self.server.pid:
                wrong = "Unable to act on other processes when embedded"
            case "Attach" if self.resumes and self.server.waits:
                self.server.let_go(self.server.pid)
            case "Resume" if not self.server.waits:  # whoever holds the app, it is not the gadget
                self.send(framed(answer(call.serial, "", b"")))
                return True
        if wrong:
            self.send(framed(failure(call.serial, "NotSupported", wrong)))
            return True
        return super().answered(message)


class Gadget(Server):
    """In the process `pid`; `waits`: it holds it."""

    connection = Inside

    def __init__(self, door: socket.socket, token: str | None, pid: int, *, waits: bool) -> None:
        super().__init__(door, token)
        self.pid = pid
        self.waits = waits

    def until_ended(self) -> None:
        while Path(f"/proc/{self.pid}/exe").is_symlink():
            time.sleep(0.02)
        frida_server.ended()


def main(arguments: list[str]) -> None:
    given, pid, _package = arguments
    text = given if given.startswith("{") else Path(given).read_text()
    said = json.loads(text)["interaction"]
    address = said.get("address", "127.0.0.1")
    os.environ["TMPDIR"] = "/data/rig"
    if address.startswith("unix:"):
        door = socket.socket(socket.AF_UNIX)
        door.bind(f"\0{address[5:]}")
        door.listen()
    else:
        door = socket.create_server((address, said.get("port", 27042)))
    gadget = Gadget(door, said.get("token"), int(pid), waits=said.get("on_load") != "resume")
    if not gadget.waits and given == text:  # in the package, where nobody else holds the app
        gadget.let_go(gadget.pid)
    threading.Thread(target=gadget.serve, daemon=True).start()
    gadget.until_ended()


if __name__ == "__main__":
    main(sys.argv[1:])
