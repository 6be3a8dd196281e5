"""Locks a device for one user at a time, across all processes of this machine."""

from __future__ import annotations

import fcntl
import re
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import IO

from appwitness.support import private_files

HELD = "APPWITNESS_HELD"
"""In the environment of a run: the device that whoever started it has."""


@contextmanager
def turn(folder: Path, device: str) -> Iterator[None]:
    """Wait for exclusive use of the device, and keep it."""
    with _lock(folder, device) as file:
        fcntl.flock(file, fcntl.LOCK_EX)
        yield


@contextmanager
def turn_now(folder: Path, device: str) -> Iterator[int | None]:
    """The same without waiting; None: somebody has it. Else a descriptor: a child that inherits it has the device, too,
    for as long as it lives."""
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
