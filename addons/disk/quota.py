"""Limits how much disk space a recording may take; the host's writer has its own limit in
appwitness/recording/quota.py."""

from __future__ import annotations

import os
import time
from contextlib import suppress

LINES_MORE = 4
"""Lines may exceed the limit by a quarter (1/4)."""
LOOK_S = 10.0
"""Interval in seconds at which all files are measured, including those of other processes; longer where that is
slow."""
MARK = "quota: "
"""Prefix of the reason when a body is cut because of the quota."""


class Quota:
    """The quota of the recording in a folder: it takes at most `most` bytes, and nothing is written while less than
    `free` bytes are free on the disk; 0: no limit."""

    def __init__(self, folder: str, most: int = 0, free: int = 0) -> None:
        self.folder = folder
        self.most = most
        self.free = free
        self.used = 0
        self.look_at = 0.0

    def body(self, size: int) -> str:
        """Why this many bytes of a body cannot be stored; "" when they can, and then they are counted."""
        if self.most and self._used() + size > self.most:
            return f"{MARK}the recording has reached its limit of {self.most} bytes"
        problem = self._scarce(size)
        if problem:
            return f"{MARK}{problem}"
        self.used += size
        return ""

    def line(self, size: int) -> str:
        """Why a line cannot be appended now; "" when it can, and then it is counted."""
        if self.most and self._used() + size > self.most + self.most // LINES_MORE:
            return f"the recording has gone over its limit of {self.most} bytes with lines alone"
        problem = self._scarce(size)
        if not problem:
            self.used += size
        return problem

    def _scarce(self, size: int) -> str:
        if self.free and hasattr(os, "statvfs"):
            with suppress(OSError):
                disk = os.statvfs(self.folder)
                if disk.f_bavail * disk.f_frsize - size < self.free:
                    return f"less than {self.free} bytes are free on the disk"
        return ""

    def _used(self) -> int:
        now = time.monotonic()
        if now >= self.look_at:
            self.used = _size_of(self.folder) + _size_of(f"{self.folder}/bodies")
            self.look_at = time.monotonic() + max(LOOK_S, 20 * (time.monotonic() - now))
        return self.used


def _size_of(folder: str) -> int:
    size = 0
    with suppress(OSError), os.scandir(folder) as entries:
        for entry in entries:
            with suppress(OSError):  # replaced meanwhile
                if entry.is_file(follow_symlinks=False):
                    size += entry.stat(follow_symlinks=False).st_size
    return size
