"""The daemon behind the stand-in `su`: runs commands as root for whoever asks, as Magisk's does."""

from __future__ import annotations

import array
import contextlib
import ctypes
import json
import os
import signal
import socket
from pathlib import Path

SOCKET = "/data/rig/su.socket"
MS_PRIVATE_REC = 0x44000


def serve() -> None:
    server = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
    server.bind(SOCKET)
    Path(SOCKET).chmod(0o777)
    server.listen(32)
    signal.signal(signal.SIGCHLD, signal.SIG_IGN)
    while True:
        connection, _ = server.accept()
        if os.fork() == 0:
            signal.signal(signal.SIGCHLD, signal.SIG_DFL)
            server.close()
            with contextlib.suppress(BaseException):
                answer(connection)
            os._exit(0)
        connection.close()


def answer(connection: socket.socket) -> None:
    """Take argv, folder and the three standard streams; answer with the exit status."""
    data, ancillary, _, _ = connection.recvmsg(1 << 20, socket.CMSG_SPACE(3 * 4))
    streams = array.array("i")
    for _level, _kind, content in ancillary:
        streams.frombytes(content[: len(content) - len(content) % 4])
    order = json.loads(data)
    pid = os.fork()
    if pid == 0:
        for number, stream in enumerate(streams):
            os.dup2(stream, number)
            os.close(stream)  # else what goes on in the background keeps adb waiting
        os.setsid()
        with contextlib.suppress(OSError):
            os.chdir(order["cwd"])
        if order["own_namespace"]:  # KernelSU gives each root shell a mount namespace of its own
            os.unshare(os.CLONE_NEWNS)
            ctypes.CDLL(None).mount(b"none", b"/", None, MS_PRIVATE_REC, None)
        environment = {"PATH": "/system/bin:/usr/sbin:/usr/bin:/sbin:/bin", "HOME": "/", "TMPDIR": "/data/local/tmp"}
        os.execve("/usr/bin/dash", ["sh", *order["argv"]], environment)
    for stream in streams:
        os.close(stream)
    _, status = os.waitpid(pid, 0)
    connection.sendall(str(os.waitstatus_to_exitcode(status)).encode())


if __name__ == "__main__":
    serve()
