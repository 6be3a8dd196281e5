"""A recording as one file, encrypted or not."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import NamedTuple

from appwitness.support.errors import UserError
from appwitness.support.spoken import Spoken


class PackedRecording(NamedTuple):
    """The result of packing a recording into one file."""

    file: Path
    left: tuple[str, ...] = ()
    """Files in the recording's folder that do not belong to it and were not removed."""


def see_that_all_are_recipients(texts: Iterable[str]) -> None:
    """Raise UserError for a text that is not a recipient: neither an age1... key nor a line with an SSH public key."""
    from appwitness.recording.encryption import recipient

    for each in texts:
        recipient(each)


def pack(
    recording: Path, output: Path | None = None, encrypt_to: Sequence[str] = (), *, remove: bool = False
) -> PackedRecording:
    """Pack a finished recording into one file, and with `remove` delete the original once the file is on disk.

    `output` is a new file; None: beside the recording, named after it with .zip, or .zip.age if encrypted. Raises
    UserError if it cannot be written; the recording is then unchanged.
    """
    from appwitness.recording import packing

    recording = recording.resolve()
    if output is None:
        output = recording.parent / f"{packing.bare(recording.name)}.zip{'.age' if encrypt_to else ''}"
    try:
        packing.write(recording, output, encrypt_to)
    except UserError as error:
        if not remove:
            raise
        raise UserError(
            Spoken("{what} The recording is unchanged: {recording}.", what=error.what, recording=recording),
            error.next_step,
        ) from None
    return PackedRecording(output, tuple(packing.remove(recording)) if remove else ())
