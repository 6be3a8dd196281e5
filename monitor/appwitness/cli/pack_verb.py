"""The verb that makes one file of a recording, encrypted or not: pack; `observe` does the same when a run is over."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import click

from appwitness.api import archiving
from appwitness.cli.terminal import err, out, plain
from appwitness.cli.verbs import Verb, main, recording_argument


def _recipients(_context: click.Context, _option: click.Parameter, given: tuple[str, ...]) -> tuple[str, ...]:
    if given:
        archiving.see_that_all_are_recipients(given)
    return given


def encrypt_option(says: str) -> Callable[[Verb], Verb]:
    """For whom an archive is encrypted; the verb gets it as `encrypt_to`."""
    return click.option(
        "--encrypt-to",
        multiple=True,
        metavar="RECIPIENT",
        callback=_recipients,
        help=f"{says}, for this recipient: age1..., or the line of an SSH public key; may be repeated.",
    )


@main.command()
@recording_argument
@click.option(
    "--output", type=click.Path(path_type=Path, dir_okay=False), help="New file. [default: RECORDING.zip or .zip.age]"
)
@encrypt_option("Encrypt it by age")
@click.option("--remove", is_flag=True, help="Remove RECORDING when the file is on disk.")
def pack(recording: Path, output: Path | None, encrypt_to: tuple[str, ...], remove: bool) -> None:
    """Make one file of a recording; every verb reads it as the folder.

    A ZIP whose members are stored as they are, so that unpacking it gives the folder again; encrypted, if you name who
    is to read it. Nothing can be added to it. Of an archive that is encrypted it makes one that is not, or one for
    others.
    """
    output = packed(recording, output, encrypt_to, remove=remove)
    out.print(plain(f"{output}: {output.stat().st_size:,} bytes"))


def encrypted_name(recording: Path) -> Path:
    """The file that a folder is encrypted to."""
    return recording.parent / f"{recording.name}.zip.age"


def packed(recording: Path, output: Path | None, encrypt_to: tuple[str, ...], *, remove: bool) -> Path:
    """Make the file, and say what of the recording could not be removed. Raises UserError when it cannot be made."""
    made = archiving.pack(recording, output, encrypt_to, remove=remove)
    if made.left:
        left = plain(", ".join(made.left))
        err.print(f"[bold]Left in {plain(str(recording.resolve()))}[/], as it belongs to no recording: {left}")
    return made.file
