"""Locks a device for exclusive use among all processes of this machine."""

from __future__ import annotations

import fcntl
import re
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import IO

from appwitness.support import private_files

HELD = "APPWITNESS_HELD"
"""Environment variable of a run: the device that its parent process has locked."""


@contextmanager
def turn(folder: Path, device: str) -> Iterator[None]:
    """Wait for exclusive use of the device, and keep it for the context."""
    with _lock(folder, device) as file:
        fcntl.flock(file, fcntl.LOCK_EX)
        yield


@contextmanager
def turn_now(folder: Path, device: str) -> Iterator[int | None]:
    """Like `turn`, but without waiting: yields None if another process has the device, else a file descriptor. A
    child process that inherits the descriptor holds the lock, too, as long as it lives."""
    with _lock(folder, device) as file:
        try:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            yield None
        else:
            yield file.fileno()


def _lock(folder: Path, device: str) -> IO[str]:
    private_files.folder(folder)
    return (folder / f"{re.sub(r'[^A-Za-z0-9._-]', '-', device)}.turn").open("a")
