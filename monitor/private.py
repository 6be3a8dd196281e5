"""Files and folders for their owner alone, whatever the umask is: what we write has personal data in it."""

from __future__ import annotations

import os
import stat
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import BinaryIO

from monitor.errors import UserError


def write(path: Path, data: str | bytes, mode: int = 0o600) -> None:
    """Write or overwrite a file that its owner alone can read, unless `mode` says otherwise.

    Raises UserError when that cannot be done.
    """
    with writing(path, mode) as file:
        file.write(data if isinstance(data, bytes) else data.encode("utf-8", "replace"))


@contextmanager
def writing(path: Path, mode: int = 0o600) -> Iterator[BinaryIO]:
    """The same, piece by piece."""
    try:
        fd = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_TRUNC | os.O_CLOEXEC, mode)
        with os.fdopen(fd, "wb") as file:
            if stat.S_ISREG(os.fstat(fd).st_mode):  # not so a pipe or a terminal of the user's
                os.fchmod(fd, mode)
            yield file
    except (OSError, ValueError) as error:
        raise UserError(
            f"{path} cannot be written: {getattr(error, 'strerror', None) or error}.",
            "Name a file in a folder that is there and that you may write to.",
        ) from None


def folder(path: Path) -> None:
    """Make a folder, and those that it lies in, where they are not there. Raises OSError."""
    for each in (*reversed(path.parents), path):
        try:
            each.mkdir(mode=0o700)
        except FileExistsError:
            continue
        each.chmod(0o700)


def roomy() -> str | None:
    """Where large temporary files go, for `tempfile`: /tmp may be memory."""
    return "/var/tmp" if "TMPDIR" not in os.environ and os.access("/var/tmp", os.W_OK) else None  # noqa: S108
