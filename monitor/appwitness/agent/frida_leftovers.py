"""Keeps Frida's temporary files in a folder of this process, and removes them and Frida's helper processes.

On Linux, Frida 17 starts a daemon for iOS devices (`idund`) from its temporary folder as soon as any device is
requested. The daemon keeps running for half a minute after its last use, and the folder (10 MB) stays.
"""

from __future__ import annotations

import atexit
import os
import shutil
import signal
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

FOLDER = "appwitness-frida-"
"""Prefix of the folder's name."""


@contextmanager
def contained() -> Iterator[None]:
    """Wraps the first call for a Frida device: Frida keeps the temporary folder that the environment names at that
    moment."""
    folder = tempfile.mkdtemp(prefix=FOLDER)
    atexit.register(_remove, Path(folder), os.getpid())
    before = os.environ.get("TMPDIR")
    os.environ["TMPDIR"] = folder
    try:
        yield
    finally:
        if before is None:
            del os.environ["TMPDIR"]
        else:
            os.environ["TMPDIR"] = before


def _remove(folder: Path, owner: int) -> None:
    if os.getpid() != owner:  # a forked child, which inherited this exit handler
        return
    for process in _started_from(folder):
        with suppress(OSError):
            os.kill(process, signal.SIGTERM)
    shutil.rmtree(folder, ignore_errors=True)


def _started_from(folder: Path) -> Iterator[int]:
    """The processes whose program is in a folder; none if the system has no /proc."""
    for link in Path("/proc").glob("[0-9]*/exe"):
        with suppress(OSError):
            if folder in link.readlink().parents:
                yield int(link.parent.name)
