"""The stand-in zygote: has a mount namespace of its own and starts apps, each in a further one and as its own user."""

from __future__ import annotations

import contextlib
import ctypes
import json
import os
import signal
import socket
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

SOCKET = "/data/rig/zygote.socket"
MS_SLAVE_REC = 0x84000


NAME = "zygote64"


def name_process() -> None:
    """As `ps` and /proc show it: by the first word of its command line, and by the name of its first thread."""
    if sys.orig_argv[0] != NAME:
        os.execv(sys.executable, [NAME, __file__])
    ctypes.CDLL(None).prctl(15, b"main", 0, 0, 0)


def serve() -> None:
    name_process()
    os.unshare(os.CLONE_NEWNS)
    ctypes.CDLL(None).mount(b"none", b"/", None, MS_SLAVE_REC, None)  # as zygote does: mounts come in, none go out
    Path("/data/rig/zygote.pid").write_text(str(os.getpid()))
    with contextlib.suppress(FileNotFoundError):
        Path(SOCKET).unlink()
    server = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
    server.bind(SOCKET)
    Path(SOCKET).chmod(0o777)
    server.listen(8)
    signal.signal(signal.SIGCHLD, signal.SIG_IGN)
    start_system_server()
    while True:
        connection, _ = server.accept()
        order = json.loads(connection.recv(1 << 20))
        if "kill" in order:
            end(order)
            connection.sendall(b"0")
            connection.close()
            continue
        pid = os.fork()
        if pid == 0:
            server.close()
            connection.close()
            signal.signal(signal.SIGCHLD, signal.SIG_DFL)
            with contextlib.suppress(BaseException):
                start(order)
            os._exit(1)
        connection.sendall(str(pid).encode())
        connection.close()


def start_system_server() -> None:
    """A process of that name, which ends when zygote does."""
    if os.fork() == 0:
        ctypes.CDLL(None).prctl(1, signal.SIGKILL)
        os.execv("/usr/bin/sleep", ["system_server", "infinity"])


def end(order: dict[str, Any]) -> None:
    """Kill all processes of an app, of one of the device's users or of all."""
    limit = time.monotonic() + 5
    while (pids := of_app(order["kill"], order.get("user"))) and time.monotonic() < limit:
        for pid in pids:
            with contextlib.suppress(ProcessLookupError):
                os.kill(pid, signal.SIGKILL)
        time.sleep(0.005)


def of_app(app: int, user: int | None) -> list[int]:
    """Its processes; the dead that nobody has buried yet are none."""
    found = []
    for folder in Path("/proc").iterdir():
        with contextlib.suppress(OSError, ValueError):
            pid, uid = int(folder.name), folder.stat().st_uid
            wanted = uid % 100000 == app if user is None else uid == user * 100000 + app
            if wanted and ") Z " not in (folder / "stat").read_text():
                found.append(pid)
    return found


def start(order: dict[str, Any]) -> None:
    """Become the app: own mount namespace, its user, its program; held (rig/hold.c) while the process `hold` lives, or
    the program `beside`, which plays a part of the app's process that holds it (gadget.py, jdwp.py)."""
    os.unshare(os.CLONE_NEWNS)
    os.setsid()
    log = os.open(order["log"], os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o644)
    os.dup2(log, 1)
    os.dup2(log, 2)
    null = os.open("/dev/null", os.O_RDONLY)
    os.dup2(null, 0)
    for prepare in order.get("prepare", ()):  # in the app's namespace, as root
        os.spawnv(os.P_WAIT, prepare[0], prepare)
    holder = order.get("hold") or gated()
    if beside := order.get("beside"):
        words = [*beside, str(os.getpid()), order["package"]]
        holder = subprocess.Popen(words, env={**os.environ, "TMPDIR": "/data/rig"}, start_new_session=True).pid
    if holder:
        Path(f"/data/rig/held/{os.getpid()}").write_text(str(holder))
    os.setgroups([])
    os.setgid(order["uid"])
    os.setuid(order["uid"])
    os.chdir(order["cwd"])
    os.execve(order["argv"][0], order["argv"], order["env"])


def gated() -> int:
    """The process that has all held that starts, where one does."""
    with contextlib.suppress(OSError, ValueError):
        holder = int(Path("/data/rig/gate").read_text())
        os.kill(holder, 0)
        return holder
    return 0


if __name__ == "__main__":
    serve()
