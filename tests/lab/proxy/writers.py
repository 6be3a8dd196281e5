"""The writer of a proxy, seen from outside: its process, how much it still has to write, and disks that hang."""

from __future__ import annotations

import os
import resource
import time
from pathlib import Path

from addons.disk.ring import Ring
from appwitness.proxy import Proxy


def pid_of(proxy: Proxy) -> int | None:
    """The process that writes what this proxy records; None when there is none, or where it cannot be known."""
    for task in Path(f"/proc/{proxy.pid}/task").glob("*/children"):
        try:
            for child in task.read_text().split():
                if b"writer.py" in Path(f"/proc/{child}/cmdline").read_bytes():
                    return int(child)
        except OSError:
            pass  # it has just ended
    return None


def ended(pid: int) -> bool:
    """Whether a process has ended, though nobody may have asked for its exit code yet."""
    try:
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] == "Z"
    except OSError:
        return True


def waiting(pid: int | None) -> int:
    """Bytes that this proxy has recorded and that are not on disk yet."""
    for link in Path(f"/proc/{pid}/fd").glob("*"):
        try:
            if "memfd:appwitness" in str(link.readlink()):
                fd = os.open(link, os.O_RDWR)
                try:
                    return Ring(fd).used()
                finally:
                    os.close(fd)
        except OSError:
            pass
    return 0


def caught_up(proxy: Proxy, seconds: float = 60) -> None:
    """Wait until all that was recorded so far is on disk."""
    end = time.monotonic() + seconds
    while proxy.alive() and waiting(proxy.pid):
        assert time.monotonic() < end, "the writer does not catch up"
        time.sleep(0.005)


def limit_files(proxy: Proxy, size_bytes: int) -> None:
    """As if the disk were full: the system refuses the writer to write a file beyond this size."""
    pid = pid_of(proxy)
    assert pid
    resource.prlimit(pid, resource.RLIMIT_FSIZE, (size_bytes, resource.RLIM_INFINITY))
