"""The only module that opens a stranger's files: follows no links out of the folder, and never waits on pipes."""

from __future__ import annotations

import os
import stat
from pathlib import Path

from appwitness.support.errors import FileError
from appwitness.support.spoken import Spoken

TODO = Spoken("Name a regular file that is in that folder itself.")


def read(path: Path, most: int) -> bytes:
    """The bytes of a plain file, at most `most` of them.

    A link is followed only within its own folder. Raises FileError for anything else: pipes, devices, folders, missing
    files and files that are too large.
    """
    try:
        fd = os.open(beside(path), os.O_RDONLY | os.O_NONBLOCK | os.O_NOFOLLOW | os.O_NOCTTY | os.O_CLOEXEC)
        with os.fdopen(fd, "rb") as file:
            there = os.fstat(fd)
            if not stat.S_ISREG(there.st_mode):
                raise FileError(path, None, "not a regular file.", TODO)
            data = b"" if there.st_size > most else file.read(most + 1)
    except (OSError, ValueError) as error:
        why = getattr(error, "strerror", None) or str(error)
        raise FileError(path, None, Spoken("it cannot be read: {why}.", why=why), TODO) from None
    if len(data) > most or there.st_size > most:
        raise FileError(
            path,
            None,
            Spoken("it is larger than {most:,} bytes.", most=most),
            "Shorten it: such a file never needs that much.",
        )
    return data


def text(path: Path, most: int) -> str:
    """Such a file as text, with \\n as its only line end. Raises FileError, with the line that is not UTF-8."""
    data = read(path, most)
    try:
        return data.decode("utf-8").replace("\r\n", "\n").replace("\r", "\n")
    except UnicodeDecodeError as error:
        line = data.count(b"\n", 0, error.start) + 1
        raise FileError(path, line, "not UTF-8 text.", "Save the file as UTF-8.") from None


def is_there(path: Path) -> bool:
    """Whether the name exists, even as a dangling link."""
    return os.path.lexists(path)


def beside(path: Path, folder: Path | None = None) -> Path:
    """Resolve a path that must stay in `folder`, by default the path's own folder. Raises FileError, OSError."""
    folder = (path.parent if folder is None else folder).resolve()
    try:
        real = path.resolve()
    except RuntimeError:  # Python 3.12 raises this for links that form a cycle
        raise FileError(path, None, "its links lead to each other in a circle.", TODO) from None
    if not real.is_relative_to(folder):
        raise FileError(path, None, Spoken("it points outside the folder {folder}.", folder=folder), TODO)
    return real
