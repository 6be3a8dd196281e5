"""A stand-in device as an emulator: the console on the port before adb's, as `adb emu` uses it, and `emulator-PORT`."""

from __future__ import annotations

import shlex
import socket
import threading
import time
from pathlib import Path
from typing import Self

import adbutils

from tests.adb.rig.phone import ADBD_PORT, Phone, Relay

TOKEN = "5ca1ab1e5ca1ab1e"


class Emulator:
    """While the context lasts, `serial` (emulator-PORT) is the phone; `said` is what its console was told.

    `home` is the folder that adb reads the console's token from: HOME must name it before adb is run. `refuses`:
    words that begin a command that the console answers with KO.
    """

    def __init__(self, phone: Phone, home: Path, refuses: tuple[str, ...] = ()) -> None:
        self.said: list[str] = []
        self._phone = phone
        self._refuses = refuses
        home.mkdir(exist_ok=True)
        (home / ".emulator_console_auth_token").write_text(TOKEN)

    def __enter__(self) -> Self:
        while True:
            self._relay = Relay(self._phone.init, ADBD_PORT)
            try:
                self._server = socket.create_server(("127.0.0.1", self._relay.port - 1))
                break
            except OSError:
                self._relay.close()
        self.serial = f"emulator-{self._relay.port - 1}"
        threading.Thread(target=self._serve, daemon=True).start()
        client = adbutils.AdbClient()
        with client.make_connection() as connection:  # as an emulator that starts announces itself
            connection.send_command(f"host:emulator:{self._relay.port}")
        for _ in range(100):
            if any(each.serial == self.serial and each.state == "device" for each in client.list()):
                return self
            threading.Event().wait(0.05)
        raise RuntimeError(f"{self.serial} does not come up")

    def __exit__(self, *_: object) -> None:
        self._server.close()
        self._relay.close()

    def _serve(self) -> None:
        while True:
            try:
                connection, _ = self._server.accept()
            except OSError:
                return
            threading.Thread(target=self._talk, args=(connection,), daemon=True).start()

    def _talk(self, connection: socket.socket) -> None:
        allowed = False
        with connection, connection.makefile("rw", newline="\n") as lines:
            lines.write("Android Console: Authentication required\r\nOK\r\n")
            lines.flush()
            for line in lines:
                words = line.strip().split(" ", 1)
                if words == ["quit"] or words == ["exit"]:
                    return
                if words[0] == "auth":
                    allowed = words[1:] == [TOKEN]
                    lines.write(
                        "Android Console: type 'help' for a list of commands\r\nOK\r\n" if allowed else "KO: wrong\r\n"
                    )
                elif not allowed or line.startswith(self._refuses):
                    lines.write("KO: unknown command, try 'help'\r\n")
                else:
                    self._do(line.strip())
                    lines.write("OK\r\n")
                lines.flush()

    def _do(self, line: str) -> None:
        self.said.append(line)
        if line.startswith("sms send "):  # the app for messages puts it into the inbox
            number, text = line.removeprefix("sms send ").split(" ", 1)
            bound = (f"address:s:{number}", f"body:s:{text}", f"date:l:{int(time.time() * 1000)}")
            words = ["content", "insert", "--uri", "content://sms/inbox"]
            insert = shlex.join([*words, *(word for each in bound for word in ("--bind", each))])
            adbutils.AdbClient().device(self.serial).shell(insert)
