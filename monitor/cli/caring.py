"""The verb that makes a copy of a recording without its personal values: share."""

from __future__ import annotations

from pathlib import Path

import click

from monitor.api.home import signer
from monitor.cli.base import main, recording_argument
from monitor.cli.terminal import err, out, plain


@main.command()
@recording_argument
@click.option(
    "--output", required=True, type=click.Path(path_type=Path, file_okay=False), help="Folder of the copy, a new one."
)
def share(recording: Path, output: Path) -> None:
    """Copy a recording with every personal value replaced.

    Each value that was planted or read is replaced by a token of the same shape, the same everywhere: in lines, in
    URLs and headers, and in bodies where that can be done. A body in which our own matcher still finds something is
    left out, and a gap says so. The copy names the last stamp of the original, and has stamps of its own.
    """
    from monitor.care import shared

    made = shared(recording, output, signer())
    out.print(plain(f"{output}: {made.values:,} values replaced, {len(made.left_out):,} bodies or pictures left out"))
    for ref in made.left_out[:10]:
        err.print(f"[dim]{plain(ref)}: its body is left out[/]")
    if len(made.left_out) > 10:
        err.print("[dim]... and more: the gaps of the copy name all of them[/]")
