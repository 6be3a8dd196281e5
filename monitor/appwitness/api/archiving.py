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
    """Raise UserError for a text that is not a recipient: neither age1... nor the line of an SSH key."""
    from appwitness.recording.encryption import recipient

    for each in texts:
        recipient(each)


def pack(
    recording: Path, output: Path | None = None, encrypt_to: Sequence[str] = (), *, remove: bool = False
) -> PackedRecording:
    """Make one file of a recording that has ended, and `remove` what it was made of once it is on disk.

    `output` is a new file; None: beside the recording, with its name and .zip, or .zip.age where it is encrypted.
    Raises UserError when it cannot be made: then the recording is as it was.
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
            Spoken("{what} The recording is as it was: {recording}.", what=error.what, recording=recording),
            error.next_step,
        ) from None
    return PackedRecording(output, tuple(packing.remove(recording)) if remove else ())
