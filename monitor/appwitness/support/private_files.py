"""Files and folders that only their owner can read, whatever the umask: what we write holds personal data."""

from __future__ import annotations

import fcntl
import os
import shutil
import stat
import tempfile
import weakref
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import BinaryIO

from appwitness.support.errors import UserError
from appwitness.support.spoken import Spoken


def write(path: Path, data: str | bytes, mode: int = 0o600) -> None:
    """Write or overwrite a file that only its owner can read, unless `mode` says otherwise.

    Raises UserError when it cannot be written.
    """
    with writing(path, mode) as file:
        file.write(data if isinstance(data, bytes) else data.encode("utf-8", "replace"))


@contextmanager
def writing(path: Path, mode: int = 0o600) -> Iterator[BinaryIO]:
    """Like `write`, for content that is written piece by piece."""
    try:
        fd = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_TRUNC | os.O_CLOEXEC, mode)
        with os.fdopen(fd, "wb") as file:
            if stat.S_ISREG(os.fstat(fd).st_mode):  # no pipe or terminal of the user's
                os.fchmod(fd, mode)
            yield file
    except (OSError, ValueError) as error:
        raise UserError(
            Spoken("{path} cannot be written: {error}.", path=path, error=getattr(error, "strerror", None) or error),
            "Name a file in a folder that is there and that you may write to.",
        ) from None


def folder(path: Path) -> None:
    """Create a private folder and its missing parents. Raises OSError."""
    for each in (*reversed(path.parents), path):
        try:
            each.mkdir(mode=0o700)
        except FileExistsError:
            continue
        each.chmod(0o700)


class Temporary:
    """A private folder for large temporary files, removed with this object. Creating one also removes the folders
    that killed processes left."""

    def __init__(self) -> None:
        room = roomy() or tempfile.gettempdir()
        for left in Path(room).glob(f"{_PREFIX}*"):
            _sweep(left)
        while True:
            self.path = Path(tempfile.mkdtemp(prefix=_PREFIX, dir=room))
            held: int | None
            try:
                held = locked = opened_locked(self.path, fcntl.LOCK_SH)
            except (FileNotFoundError, BlockingIOError):
                continue  # another process swept it before it was locked
            except OSError:
                held = None  # a disk without locks, where nobody sweeps
                break
            if self.path.exists():
                break
            os.close(locked)  # swept between opening and locking
        self._remove = weakref.finalize(self, _removed, self.path, held, os.getpid())

    def __enter__(self) -> Path:
        return self.path

    def __exit__(self, *_: object) -> None:
        self._remove()


_PREFIX = "appwitness-unpacked-"


def opened_locked(path: Path, how: int) -> int:
    """Open and lock a folder; returns its file descriptor. Raises OSError."""
    fd = os.open(path, os.O_RDONLY | os.O_DIRECTORY | os.O_NOFOLLOW | os.O_CLOEXEC)
    try:
        fcntl.flock(fd, how | fcntl.LOCK_NB)
    except OSError:
        os.close(fd)
        raise
    return fd


def _sweep(path: Path) -> None:
    with suppress(OSError):  # in use, or gone
        if path.lstat().st_uid == os.geteuid():
            _removed(path, opened_locked(path, fcntl.LOCK_EX), os.getpid())


def _removed(path: Path, fd: int | None, pid: int) -> None:
    if os.getpid() == pid:  # not in a fork, which inherited the object
        shutil.rmtree(path, ignore_errors=True)
        if fd is not None:
            os.close(fd)


def roomy() -> str | None:
    """The folder for large temporary files, as `tempfile` takes it: /tmp may be in memory."""
    return "/var/tmp" if "TMPDIR" not in os.environ and os.access("/var/tmp", os.W_OK) else None  # noqa: S108
