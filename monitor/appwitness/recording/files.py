"""Opens files of a recording safely: regular files only, no links, nothing outside its folder.

A recording may come from somebody else: a name in it may be a link to another file, a pipe that nobody writes to, or a
device.
"""

from __future__ import annotations

import errno
import os
import shutil
import stat
from collections.abc import Iterator
from contextlib import contextmanager
from io import BufferedReader, FileIO
from pathlib import Path

from appwitness.support.errors import FileError
from appwitness.support.spoken import Spoken

RUN_BYTES = 16 << 20
"""Largest run.json that is read."""
FREE_BYTES = 512 << 20
"""Bytes that always stay free on the disk."""

_NO_FOLLOWING = os.O_CLOEXEC | os.O_NONBLOCK | os.O_NOFOLLOW | os.O_NOCTTY
_ANOTHER_KIND = (errno.ELOOP, errno.ENOTDIR, errno.ENXIO, errno.EISDIR)
"""Error numbers for a link, a link instead of a folder, a socket, and a folder opened for writing."""


class NotAFile(FileError):
    """Something other than a regular file: a link, a pipe, a device, a socket, a folder."""

    def __init__(self, path: Path, what: str = "is not a regular file") -> None:
        super().__init__(
            path, None, f"{what}.", "A recording has regular files only; get it again from whoever made it."
        )
        self.said = what


@contextmanager
def folder(path: Path, *names: str) -> Iterator[int]:
    """Open a folder. Links in `path`, which the user chose, are followed; links below it are not.

    Raises FileNotFoundError, and NotAFile when something else is in its place.
    """
    try:
        fd = os.open(path, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
    except OSError as error:
        raise _said(error, path, "is not a folder") from None
    try:
        for number, name in enumerate(names, 1):
            try:
                below = os.open(name, os.O_RDONLY | os.O_DIRECTORY | _NO_FOLLOWING, dir_fd=fd)
            except OSError as error:
                raise _said(error, path.joinpath(*names[:number]), "is not a folder") from None
            os.close(fd)
            fd = below
        yield fd
    finally:
        os.close(fd)


def opened(path: Path, *names: str, flags: int = os.O_RDONLY) -> int:
    """Open the file `names` in the recording at `path`; a new file is private.

    Raises FileNotFoundError, NotAFile for anything but a regular file, and FileError when it cannot be opened. A file
    opened for writing must not have a second name (a hard link): what is appended would change that other file, too.
    """
    *above, name = names
    place = path.joinpath(*names)
    with folder(path, *above) as fd:
        try:
            if not flags & os.O_CREAT:  # even opening a device or a pipe may have an effect
                _regular(os.stat(name, dir_fd=fd, follow_symlinks=False), place)
            file = os.open(name, flags | _NO_FOLLOWING, 0o600, dir_fd=fd)
        except OSError as error:
            raise _said(error, place, "is not a regular file") from None
    try:
        held = os.fstat(file)
        _regular(held, place)
        if flags & (os.O_WRONLY | os.O_RDWR) and held.st_nlink > 1:
            raise NotAFile(place, "has a second name (a hard link), and nothing is written to it")
    except BaseException:
        os.close(file)
        raise
    return file


def reading(path: Path, *names: str, buffering: int = 1 << 20) -> BufferedReader:
    """Open a file for reading; raises as `opened` does."""
    return BufferedReader(FileIO(opened(path, *names)), buffering)


def whole(path: Path, *names: str, most: int) -> bytes:
    """The whole content of a file; raises FileError when it has more than `most` bytes."""
    with reading(path, *names) as file:
        data = file.read(most + 1)
    if len(data) > most:
        raise FileError(
            path.joinpath(*names),
            None,
            Spoken("is larger than {most} MiB.", most=most >> 20),
            "Put the original file back.",
        )
    return data


def has_room(folder: Path, size: int = 0, free_bytes: int = FREE_BYTES) -> bool:
    """Whether `size` bytes fit on a folder's disk and leave the reserve free. Raises OSError."""
    return shutil.disk_usage(folder).free - size >= free_bytes


def _regular(held: os.stat_result, place: Path) -> None:
    if not stat.S_ISREG(held.st_mode):
        raise NotAFile(place)


def _said(error: OSError, place: Path, what: str) -> Exception:
    if isinstance(error, FileNotFoundError):
        return error
    if error.errno in _ANOTHER_KIND:
        return NotAFile(place, what)
    return FileError(
        place,
        None,
        Spoken("cannot be opened: {strerror}.", strerror=error.strerror),
        "Make it readable, or copy it to where you can read it.",
    )
